"""An event that has lost its day and waits for a new one."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from members.models import Member

from .. import mails
from ..models import Event
from ..permissions import can_organise_event
from . import places
from .organising import EventOver, log_admin


@transaction.atomic
def postpone_event(*, event: Event, actor: Member, reason: str = "") -> Event:
    """Take its day away and tell everybody once. Twice is once. Locks the event; raises EventOver once it has begun.

    Places and turns stay; offers go back to the head of the line, and are made anew when the event has its new day
    (`update_event` with another start). The reason is told until then."""
    event = places.lock_event(event.pk)
    if not can_organise_event(actor, event):
        raise PermissionDenied
    now = timezone.now()
    if event.postponed_at is not None and event.cancelled_at is None:
        return event
    if event.cancelled_at is not None or event.has_started(now) or event.published_at is None:
        raise EventOver
    places.take_offers_back(event, now, actor=actor)
    event.postponed_at, event.cancel_reason = now, reason
    event.sequence += 1
    event.save(update_fields=["postponed_at", "cancel_reason", "sequence"])
    for registration in event.registrations.live().select_related("member"):
        mails.queue_postponed(registration)
    log_admin(actor, event, "events.postponed", reason=reason)
    return event
