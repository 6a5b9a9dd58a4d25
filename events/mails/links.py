"""Links that act, for mails only: each opens a page, and the button on it acts. Each ends when it has lost its sense."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from kmnet.core import tokens

from ..models import Registration

OFFER, CANCEL, PROVE, JOIN = "events.offer", "events.cancel", "events.prove", "events.join"
PROOF_LASTS = timedelta(days=3)


def _url(name: str, purpose: str, ends: datetime, registration: Registration) -> str:
    lifetime = max(ends - timezone.now(), timedelta(seconds=1))
    token = tokens.make(purpose, lifetime=lifetime, registration=registration.pk)
    return settings.SITE_URL + reverse(f"events_mail:{name}", args=[token])


def offer_url(registration: Registration) -> str:
    """Until the offer ends."""
    return _url("offer", OFFER, registration.offer_expires_at, registration)


def cancel_url(registration: Registration) -> str:
    """Until the event ends."""
    return _url("cancel", CANCEL, registration.event.ends_at, registration)


def join_url(registration: Registration) -> str:
    """The personal way in: until the event ends."""
    return _url("join", JOIN, registration.event.ends_at, registration)


def prove_url(registration: Registration) -> str:
    return _url("prove", PROVE, timezone.now() + PROOF_LASTS, registration)
