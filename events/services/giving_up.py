"""Going: giving a place up, being taken off, leaving the community. Each ends with the next offer."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from members.models import Member

from .. import mails
from ..models import Answer, Event, Registration, RegistrationLog, Status, Visibility
from ..permissions import can_organise_event
from . import persons, places
from .organising import log_admin
from .refusals import RegistrationClosed, TooLate


@transaction.atomic
def cancel_registration(*, registration: Registration, actor: Member | None = None) -> Registration:
    """Give up a place, or leave the list. Twice is once. Locks the event; the next in line is offered the place.

    Without an actor: somebody holding the link from their mail. Raises TooLate, PermissionDenied.
    """
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    registration = persons.own(event, registration, actor)
    if registration.status not in Status.unsettled():
        return registration
    if event.is_over(now):
        raise TooLate
    leave(event, registration, Status.CANCELLED, why="gave it up", actor=actor, at=now)
    mails.queue_left(registration)
    return registration


@transaction.atomic
def remove_registration(*, registration: Registration, by: Member, reason: str) -> Registration:
    """An organiser takes somebody off, and they are told why. Locks the event. Raises TooLate, PermissionDenied."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    if not can_organise_event(by, event):
        raise PermissionDenied
    registration = event.registrations.select_related("member").get(pk=registration.pk)
    if registration.status not in Status.unsettled():
        return registration
    if event.is_over(now):
        raise TooLate
    leave(event, registration, Status.REMOVED, why=reason or "removed", actor=by, at=now)
    mails.queue_removed(registration)
    log_admin(by, event, "events.person_removed", reason=reason, data={"registration": registration.pk})
    return registration


@transaction.atomic
def take_recording_only(*, registration: Registration, actor: Member | None = None) -> Registration:
    """“I only want the recording”: a place that was held goes to the next in line, and no offer comes any more. Twice
    is once. Locks the event. Raises TooLate (over, or not live), RegistrationClosed (there is no recording),
    PermissionDenied."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    registration = persons.own(event, registration, actor)
    if registration.status == Status.RECORDING:
        return registration
    if not event.offers_recording or event.cancelled_at is not None:
        raise RegistrationClosed
    if event.is_over(now) or not registration.is_live:
        raise TooLate
    why = "wants the recording only"
    leave(event, registration, Status.RECORDING, why=why, actor=actor, at=now)
    mails.queue_recording(registration)
    return registration


def leave(event: Event, registration: Registration, status: Status, *, why: str, actor, at: datetime) -> None:
    """Needs the event's lock."""
    places.end_entry(event, registration)
    places.change(registration, status, why=why, actor=actor, at=at)
    places.settle(event, at)


@transaction.atomic
def release_member(*, member: Member, why: str, forget: bool = False) -> int:
    """A suspended or deleted member leaves every coming event at once; return how many. Locks the events, by id.

    With `forget` their person is taken off all their registrations; what remains is the count of who came.
    """
    mine = Registration.objects.filter(member=member)
    left = _leave_coming(mine, why=why)
    if forget:
        RegistrationLog.objects.filter(actor=member).update(actor=None)
        mine.filter(status__in=(Status.REQUESTED, Status.WAITING, Status.OFFERED, Status.UNPROVEN)).update(
            status=Status.EXPIRED, offer_expires_at=None
        )  # of events that are over: they hold nothing, and live rows need a person
        Answer.objects.filter(registration__in=mine).delete()
        mine.update(member=None, guest_name="", guest_time_zone="", access_needs="")
    return left


def _in_group(member: Member, group_id: int):
    """The registrations that hang on being in the group. Its rehearsals go by invitation, and stay."""
    mine = Registration.objects.filter(
        member=member, event__group=group_id, event__visibility=Visibility.GROUP, event__rehearsal_of=None
    )
    return mine.exclude(event__organisers=member)


@transaction.atomic
def lock_places_in_group(*, member: Member, group_id: int) -> None:
    """The events that release_from_group will lock, by id, until the transaction ends: before the group is."""
    mine = _in_group(member, group_id).filter(status__in=Status.unsettled()).order_by("event_id")
    for event_id in list(dict.fromkeys(mine.values_list("event_id", flat=True))):
        places.lock_event(event_id)


@transaction.atomic
def release_from_group(*, member: Member, group_id: int) -> int:
    """Who is no longer in a group gives up their places at its coming events, unless they organise them; return how
    many. Locks the events, by id."""
    return _leave_coming(_in_group(member, group_id), why="no longer in the group")


def _leave_coming(mine, *, why: str) -> int:
    event_ids = (
        mine.filter(status__in=Status.unsettled()).order_by("event_id").values_list("event_id", flat=True)
    )
    left = 0
    for event_id in list(dict.fromkeys(event_ids)):
        event = places.lock_event(event_id)
        now = timezone.now()
        if event.is_over(now):
            continue
        for registration in mine.filter(event=event, status__in=Status.unsettled()).select_related("member"):
            leave(event, registration, Status.CANCELLED, why=why, actor=None, at=now)
            left += 1
    return left
