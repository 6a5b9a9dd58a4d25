"""Links that every mail carries: what it is about can be switched off, without signing in, for two years."""

from django.conf import settings
from django.urls import reverse

from kmnet.core import tokens

ALL = "*"  # in place of a category: all that can be switched off


def person_of(mail) -> dict:
    """Whom a token speaks for: a member, or a guest's address."""
    return {"m": mail.member_id} if mail.member_id else {"a": mail.address}


def unsubscribe_url(mail, category: str) -> str:
    token = tokens.make("unsubscribe", lifetime=tokens.TWO_YEARS, c=category, **person_of(mail))
    return settings.SITE_URL + reverse("mail:unsubscribe", args=[token])


def stop_all_url(mail) -> str:
    """One button for all mail that can be stopped."""
    return unsubscribe_url(mail, ALL)


def switch_url(mail, category: str) -> str:
    """The row of the settings page that this mail came from."""
    return f"{settings_url(mail)}#{category}"


def settings_url(mail) -> str:
    token = tokens.make("mail-settings", lifetime=tokens.TWO_YEARS, **person_of(mail))
    return settings.SITE_URL + reverse("mail:settings", args=[token])
