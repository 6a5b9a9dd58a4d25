"""Links about how often the digest comes: one page each, with a button; without signing in."""

from django.conf import settings
from django.urls import reverse

from kmnet.core import tokens

CALMER, HERE = "digest-calmer", "still-here"  # the purposes of the tokens


def _url(view_name: str, member, purpose: str = CALMER, **data) -> str:
    token = tokens.make(purpose, lifetime=tokens.TWO_YEARS, m=member.pk, **data)
    return settings.SITE_URL + reverse(view_name, args=[token])


def less_often_url(member) -> str:
    return _url("members_mail:less_often", member)


def pause_url(member) -> str:
    """All mail that can wait, for a month."""
    return _url("members_mail:pause", member)


def still_here_url(member, was: str = "") -> str:
    """“Yes, I am here”, and with `was` the digest as often as then."""
    return _url("members_mail:still_here", member, HERE, was=was)
