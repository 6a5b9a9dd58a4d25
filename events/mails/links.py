"""Links that act, for mails only: each opens a page, and the button on it acts. Each ends when it has lost its sense."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from kmnet.core import tokens

from ..models import Event, EventInvitation, Registration

OFFER, CANCEL, PROVE, JOIN = "events.offer", "events.cancel", "events.prove", "events.join"
PLACE, RECONFIRM, CLAIM, INVITED = "events.place", "events.reconfirm", "events.claim", "events.invited"
PROOF_LASTS = timedelta(days=3)
POSTPONED_LASTS = timedelta(
    days=180
)  # its old day says nothing any more; the mail of the new one brings new links


def _url(name: str, purpose: str, ends: datetime, **ids: int) -> str:
    lifetime = max(ends - timezone.now(), timedelta(seconds=1))
    token = tokens.make(purpose, lifetime=lifetime, **ids)
    return settings.SITE_URL + reverse(f"events_mail:{name}", args=[token])


def _end_of(event: Event) -> datetime:
    return timezone.now() + POSTPONED_LASTS if event.is_postponed else event.ends_at


def offer_url(registration: Registration) -> str:
    """Until the offer ends."""
    return _url("offer", OFFER, registration.offer_expires_at, registration=registration.pk)


def cancel_url(registration: Registration) -> str:
    """Until the event ends."""
    return _url("cancel", CANCEL, _end_of(registration.event), registration=registration.pk)


def place_url(registration: Registration) -> str:
    """One page for all that can be done with a place: until the event ends."""
    return _url("place", PLACE, _end_of(registration.event), registration=registration.pk)


def reconfirm_url(registration: Registration) -> str:
    """Coming, cannot, or recording only: until the event ends."""
    return _url("reconfirm", RECONFIRM, _end_of(registration.event), registration=registration.pk)


def claim_url(registration: Registration) -> str:
    """A free place near the start, for whoever presses first: until the start."""
    return _url("claim", CLAIM, registration.event.starts_at, registration=registration.pk)


def join_url(registration: Registration) -> str:
    """The personal way in: until the event ends."""
    return _url("join", JOIN, registration.event.ends_at, registration=registration.pk)


def prove_url(registration: Registration) -> str:
    return _url("prove", PROVE, timezone.now() + PROOF_LASTS, registration=registration.pk)


def invited_url(invitation: EventInvitation) -> str:
    """For somebody asked by their address, which this mailbox proves: until the event starts."""
    event = invitation.event
    ends = _end_of(event) if event.is_postponed else event.starts_at
    return _url("invited", INVITED, ends, invitation=invitation.pk)
