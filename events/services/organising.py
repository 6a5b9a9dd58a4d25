"""What organisers do with their event."""

import uuid
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from kmnet.core import activity, audit, text
from kmnet.core.vocabulary import in_order
from members.models import GroupMember, Member, is_in_group
from members.permissions import can_administer

from .. import mails
from ..models import Event, Kind, Status, Way
from ..permissions import can_create_event, can_organise_event, is_organiser_of
from . import places
from .programme import set_programme, set_questions
from .refusals import WayUnknown

SEEN_IN_CALENDARS = ("title", "starts_at", "ends_at", "time_zone", "venue")
PLAIN_FIELDS = (
    "summary",
    "kind",
    "registration_opens_at",
    "registration_closes_at",
    "visibility",
    "group",
    "meeting_url",
    "recording_url",
    "has_captions",
    "has_sign_language",
    "has_slides_ahead",
    "access_notes",
    "picture_alt",
    "needs_approval",
    "allows_transfer",
    "asks_reconfirmation",
    "offers_recording",
)
# Said before the old day is over, and again when the event has a new one.
ASKED_ANEW = {"asked_at": None, "said_yes_at": None, "called_at": None}


class CapacityTooLow(Exception):
    """More places are held than that. `to_free`: how many must be freed first."""

    def __init__(self, to_free: int, held: int):
        super().__init__(f"{to_free} places must be freed first")
        self.to_free, self.held = to_free, held


class AudienceTooNarrow(Exception):
    """People hold or await places who are not in the group: `outside` of them."""

    def __init__(self, outside: int):
        super().__init__(f"{outside} people with places are not in the group")
        self.outside = outside


class EventOver(Exception):
    """It has begun, is over or was called off: that cannot be changed any more."""


class ListsTaken(Exception):
    """`count` people are on the lists of this event: it cannot become hybrid now, nor stop being it."""

    def __init__(self, count: int):
        super().__init__(f"{count} people are on the lists")
        self.count = count


def _check_audience(actor: Member, fields: dict, event: Event | None = None) -> None:
    """A group as audience: one that the actor is in. Who already has a place must be in it too."""
    group = fields.get("group")
    if group is None or (event is not None and event.group_id == group.pk):
        return
    if not is_in_group(actor, group.pk):
        raise PermissionDenied
    if event is not None and event.rehearsal_of_id is None:
        inside = GroupMember.objects.in_it().filter(group=group).values("member")
        live = event.registrations.live()
        outside = live.count() - live.filter(member__in=inside).count()
        if outside:
            raise AudienceTooNarrow(outside)


def make_slug(title: str) -> str:
    return slugify(title)[:80].strip("-") or "event"


@transaction.atomic
def create_event(
    *,
    actor: Member,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    organisers=(),
    tags=(),
    sessions=(),
    questions=(),
    submit_key: uuid.UUID | None = None,
    description: str = "",
    rehearsal_of: Event | None = None,
    **fields,
) -> Event:
    """A draft, seen by its organisers only. The same submit key twice is one event. `fields`: any column of an event.

    `sessions`, `questions`: as set_programme and set_questions take them.
    """
    if not can_create_event(actor) or (rehearsal_of and not can_organise_event(actor, rehearsal_of)):
        raise PermissionDenied
    _check_audience(actor, fields)
    key = submit_key or uuid.uuid4()
    event, created = Event.objects.get_or_create(
        submit_key=key,
        defaults={
            "title": title,
            "slug": make_slug(title),
            "starts_at": starts_at,
            "ends_at": ends_at,
            "description": description,
            "description_html": text.render_markdown(description),
            "render_version": text.RENDER_VERSION,
            "rehearsal_of": rehearsal_of,
            **fields,
        },
    )
    if not created:
        if not is_organiser_of(actor, event):
            raise PermissionDenied
        return event
    event.organisers.set([actor, *organisers])
    event.tags.set(in_order(tags))
    set_programme(event, sessions)
    set_questions(event, questions)
    return event


@transaction.atomic
def update_event(
    *,
    event: Event,
    actor: Member,
    description: str | None = None,
    tags=None,
    sessions=None,
    questions=None,
    organisers=None,
    **fields,
) -> Event:
    """Change anything but the number of places. Locks the event. Raises AudienceTooNarrow, EventOver, ListsTaken.

    What stands in people's calendars raises SEQUENCE in this transaction, and all who have, wait for or are offered a
    place are told once. Another start is the new day of a postponed event, and asks anew who comes.
    """
    event = places.lock_event(event.pk)
    _check_organiser(actor, event)
    now = timezone.now()
    unknown = set(fields) - {*SEEN_IN_CALENDARS, *PLAIN_FIELDS}
    if unknown:
        raise TypeError(f"update_event does not change {', '.join(sorted(unknown))}")
    _check_audience(actor, fields, event)
    before = {name: getattr(event, name) for name in (*SEEN_IN_CALENDARS, *PLAIN_FIELDS)}
    changed = [name for name, value in fields.items() if before[name] != value]
    for name in changed:
        setattr(event, name, fields[name])
    if "kind" in changed:
        _change_lists(event, before["kind"])
    was_postponed = event.is_postponed
    told = [name for name in changed if name in SEEN_IN_CALENDARS] if event.published_at else []
    if event.cancelled_at or (before["ends_at"] <= now and not was_postponed):
        if {"starts_at", "ends_at"} & set(told):
            raise EventOver
        told = []  # a slip of the pen in the title of a past event concerns nobody's calendar
    elif "starts_at" in told and event.starts_at <= now:
        raise EventOver
    elif was_postponed and "starts_at" not in told:
        told = []  # they hear of it with the new day: no calendar shall have the old one back
    if "title" in changed:
        event.slug = make_slug(event.title)
    if description is not None and description != event.description:
        event.description = description
        event.description_html = text.render_markdown(description)
        event.render_version = text.RENDER_VERSION
    if event.series_id and set(changed) - {"recording_url"}:
        event.is_detached = True  # edited by itself: what is done to the series leaves it
    if told:
        event.sequence += 1
        if "starts_at" in told:
            event.moved_at = now
            if event.postponed_at is not None and event.cancelled_at is None:
                event.cancel_reason = ""  # why it had no day
            event.postponed_at = None
            event.registrations.update(**ASKED_ANEW)
    event.save()
    if tags is not None:
        event.tags.set(in_order(tags))
    if organisers is not None:
        event.organisers.set(organisers)
    if sessions is not None:
        set_programme(event, sessions)
    if questions is not None:
        set_questions(event, questions)
    if "starts_at" in told:
        places.shorten_offers(event, now)
    if told:
        for registration in event.registrations.live().select_related("member"):
            mails.queue_changed(registration, event, {name: _plain(before[name]) for name in told})
    log_admin(actor, event, "events.edited", data={"changed": changed})
    if before["starts_at"] != event.starts_at:
        places.settle(event, now)
    return event


def _change_lists(event: Event, before: str) -> None:
    """Of a hybrid event each way of coming has its list. Raises ListsTaken. Needs the event's lock."""
    if Kind.HYBRID not in (before, event.kind):
        return
    count = event.registrations.filter(status__in=Status.unsettled()).count()
    if count:
        raise ListsTaken(count)
    if event.kind != Kind.HYBRID:
        event.online_capacity, event.online_overbooking = None, 0


def _plain(value) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


@transaction.atomic
def publish_event(*, event: Event, actor: Member, reason: str = "") -> Event:
    """From now on others see it. Twice is once. Locks the event. `reason`: an admin's, for the log."""
    event = places.lock_event(event.pk)
    _check_organiser(actor, event)
    if event.published_at is None:
        event.published_at = timezone.now()
        event.save(update_fields=["published_at"])
        if event.rehearsal_of_id is None:
            activity.record("events.published", actor=actor, target=event)
        log_admin(actor, event, "events.published", reason=reason)
    return event


@transaction.atomic
def change_capacity(
    *, event: Event, actor: Member, capacity: int | None, overbooking: int = 0, way: str = ""
) -> Event:
    """More or fewer places on this list (`way`: of a hybrid event). Fewer than are held is refused with the number to
    free first. Locks the event. Raises CapacityTooLow, WayUnknown, PermissionDenied.

    What becomes free is offered in this same transaction.
    """
    event = places.lock_event(event.pk)
    _check_organiser(actor, event)
    if way not in event.ways:
        raise WayUnknown(way)
    now = timezone.now()
    if places.is_on(event):
        places.end_lapsed_offers(event, now)
    held = event.occupancy(now, way).held
    if capacity is None:
        overbooking = 0
    elif held > capacity + overbooking:
        raise CapacityTooLow(held - capacity - overbooking, held)
    names = ("online_capacity", "online_overbooking") if way == Way.ONLINE else ("capacity", "overbooking")
    for name, value in zip(names, (capacity, overbooking), strict=True):
        setattr(event, name, value)
    event.save(update_fields=names)
    data = {"capacity": capacity, "overbooking": overbooking} | ({"way": way} if way else {})
    log_admin(actor, event, "events.capacity", data=data)
    places.settle(event, now)
    return event


@transaction.atomic
def cancel_event(*, event: Event, actor: Member, reason: str = "") -> Event:
    """Call it off and tell everybody once, with the end of the calendar entry. Twice is once. Locks the event."""
    event = places.lock_event(event.pk)
    _check_organiser(actor, event)
    now = timezone.now()
    if event.cancelled_at is not None:
        return event
    if event.is_over(now):
        raise EventOver
    event.cancelled_at, event.cancel_reason = now, reason
    event.sequence += 1
    event.save(update_fields=["cancelled_at", "cancel_reason", "sequence"])
    for registration in event.registrations.live().select_related("member"):
        mails.queue_event_cancelled(registration)
    log_admin(actor, event, "events.cancelled", reason=reason)
    return event


def _check_organiser(actor: Member, event: Event) -> None:
    if not can_organise_event(actor, event):
        raise PermissionDenied


def log_admin(actor: Member, event: Event, verb: str, *, reason: str = "", data=None) -> None:
    """An admin acting on an event that is not theirs stands in the log. Part of the act's own transaction."""
    if can_administer(actor) and not is_organiser_of(actor, event):
        audit.record_act(actor=actor, verb=verb, target=event, reason=reason, data=data)
