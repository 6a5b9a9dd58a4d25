"""Links at the foot of a digest: one page each, with a button; without signing in."""

from django.conf import settings
from django.urls import reverse

from kmnet.core import tokens

CALMER = "digest-calmer"  # the purpose of the tokens


def _url(view_name: str, member) -> str:
    token = tokens.make(CALMER, lifetime=tokens.TWO_YEARS, m=member.pk)
    return settings.SITE_URL + reverse(view_name, args=[token])


def less_often_url(member) -> str:
    return _url("members_mail:less_often", member)


def pause_url(member) -> str:
    """All mail that can wait, for a month."""
    return _url("members_mail:pause", member)
