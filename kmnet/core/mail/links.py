"""Links that every mail carries: what it is about can be switched off, without signing in, for two years."""

from django.conf import settings
from django.urls import reverse

from kmnet.core import tokens


def person_of(mail) -> dict:
    """Whom a token speaks for: a member, or a guest's address."""
    return {"m": mail.member_id} if mail.member_id else {"a": mail.address}


def unsubscribe_url(mail, category: str) -> str:
    token = tokens.make("unsubscribe", lifetime=tokens.TWO_YEARS, c=category, **person_of(mail))
    return settings.SITE_URL + reverse("mail:unsubscribe", args=[token])


def settings_url(mail) -> str:
    token = tokens.make("mail-settings", lifetime=tokens.TWO_YEARS, **person_of(mail))
    return settings.SITE_URL + reverse("mail:settings", args=[token])
