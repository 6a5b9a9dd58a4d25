"""Events that come back. Each date is an event of its own, with its own places, people and calendar entry; what is done to
"this one and the following" is done to each, and each tells its own people once."""

import uuid
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from members.models import Member
from members.permissions import can_administer

from ..models import MOST_DATES, Event, Series
from ..permissions import can_create_event, can_organise_event
from ..recurrence import shifted, slots
from . import places
from .duplicating import duplicate_event
from .organising import (
    CapacityTooLow,
    EventOver,
    cancel_event,
    change_capacity,
    log_admin,
    publish_event,
    update_event,
)


class DateTooFull(CapacityTooLow):
    """More places are held than that at one of the dates: `event`."""

    def __init__(self, event: Event, error: CapacityTooLow):
        super().__init__(error.to_free, error.held)
        self.event = event


class DateTaken(Exception):
    """The series has a date at that moment already."""


class TooManyDates(Exception):
    """So many dates of the series are still to come that no more are made."""


@transaction.atomic
def make_series(*, event: Event, actor: Member, rule: str) -> Series:
    """Make the dates of the rule, this event being the first: drafts like it, or published like it. Locks the event.

    Twice is once: an event that is in a series already keeps it. Raises BadRule, EventOver, PermissionDenied.
    """
    event = places.lock_event(event.pk)
    if not can_organise_event(actor, event) or not can_create_event(actor) or event.rehearsal_of_id:
        raise PermissionDenied
    if event.series_id is not None:
        return event.series
    now = timezone.now()
    if event.cancelled_at is not None or event.postponed_at is not None or event.has_started(now):
        raise EventOver
    dates = slots(rule, event.starts_at, event.time_zone)
    series = Series.objects.create(
        rule=rule, starts_at=event.starts_at, time_zone=event.time_zone, made_by=actor
    )
    _join(event, series, event.starts_at)
    for slot in dates[1:]:
        key = uuid.uuid5(event.submit_key, slot.at.isoformat())
        _copy(event, series, actor, slot.at, key, now)
    log_admin(actor, event, "events.series_made", data={"rule": rule, "dates": len(dates)})
    return series


def _copy(
    event: Event, series: Series, actor: Member, starts_at: datetime, submit_key: uuid.UUID, now: datetime
) -> Event:
    """One more date, made like this one. Needs the event's lock."""
    copy = duplicate_event(event=event, actor=actor, starts_at=starts_at, submit_key=submit_key)
    if actor.pk not in event.organiser_ids:  # an admin repairs, and does not come to run it
        copy.organisers.remove(actor)
    days = _days_between(event, copy)
    for name in ("registration_opens_at", "registration_closes_at"):
        moment = getattr(event, name)
        setattr(copy, name, shifted(moment, days, event.zone) if moment else None)
    copy.published_at = event.published_at and now
    copy.save(update_fields=["registration_opens_at", "registration_closes_at", "published_at"])
    _join(copy, series, starts_at)
    return copy


@transaction.atomic
def add_date(*, event: Event, actor: Member, starts_at: datetime, submit_key: uuid.UUID) -> Event:
    """One more date of the series that this event is of, made like it: a draft, or published. What is done to the
    following dates is done to it, too. The same submit key twice is one date. Locks the series and the event.

    Raises DateTaken (the series has a date at that moment), TooManyDates (to come), EventOver (called off, or without
    a day: nothing to make it like), PermissionDenied."""
    event = places.lock_event(event.pk)
    if event.series_id is None or not can_organise_event(actor, event) or not can_create_event(actor):
        raise PermissionDenied
    series = Series.objects.select_for_update().get(pk=event.series_id)
    now = timezone.now()
    dates = Event.objects.filter(series=series)
    if made := dates.filter(slot=starts_at).first():
        if made.submit_key == submit_key:
            return made
        raise DateTaken
    if not places.is_on(event):
        raise EventOver
    if dates.filter(ends_at__gt=now, cancelled_at__isnull=True).count() >= MOST_DATES:
        raise TooManyDates
    copy = _copy(event, series, actor, starts_at, submit_key, now)
    log_admin(actor, copy, "events.date_added", data={"series": series.pk})
    return copy


def _join(event: Event, series: Series, slot: datetime) -> None:
    event.series, event.slot = series, slot
    event.save(update_fields=["series", "slot"])


def _days_between(event: Event, other: Event) -> timedelta:
    """On the clock of the first: a series keeps its hour when the clocks change."""
    local = [one.starts_at.astimezone(event.zone).replace(tzinfo=None) for one in (event, other)]
    return local[1] - local[0]


def _following(event: Event, actor: Member) -> list[Event]:
    """This one and those after it that are still to come, locked, of those that the actor may organise."""
    later = Event.objects.filter(series=event.series_id, slot__gte=event.slot, cancelled_at__isnull=True)
    if not can_administer(actor):
        later = later.filter(organisers=actor)
    pks = list(later.order_by("pk").values_list("pk", flat=True))
    locked = Event.objects.select_for_update(of=("self",)).filter(pk__in=pks).order_by("pk")
    now = timezone.now()
    coming = [one for one in locked if one.cancelled_at is None and not one.is_over(now)]
    return sorted(coming, key=lambda one: one.slot)


def _first_of(event: Event, actor: Member) -> list[Event]:
    """As _following, once it is sure that the actor may do this to the first of them. Raises EventOver."""
    event.refresh_from_db(fields=["series", "slot"])
    if not can_organise_event(actor, event) or event.series_id is None:
        raise PermissionDenied
    found = _following(event, actor)
    if not found or found[0].pk != event.pk:
        raise EventOver
    return found


@transaction.atomic
def update_following(*, event: Event, actor: Member, **fields) -> list[Event]:
    """Change this date and those after it, by what is different here; return those that changed.

    Those that were edited by themselves keep what they have. A new time moves each by as much on the clock, so that the
    hour stays the hour when the clocks change; `starts_at` and `ends_at` are those of `event`. Each tells its people once,
    and each offers what becomes free by a higher `capacity` (of those that are not hybrid).
    Locks the events by id. Raises EventOver, DateTooFull, AudienceTooNarrow, PermissionDenied.
    """
    found = _first_of(event, actor)
    first = found[0]
    changed = {name: value for name, value in fields.items() if getattr(first, name) != value}
    starts, ends = changed.pop("starts_at", first.starts_at), changed.pop("ends_at", first.ends_at)
    places_change = "capacity" in changed
    capacity = changed.pop("capacity", None)
    moves = (starts, ends) != (first.starts_at, first.ends_at)
    by = _local(starts, first) - _local(first.starts_at, first)
    length = ends - starts
    done = []
    for one in found:
        if one.is_detached and one.pk != first.pk:
            continue
        times = {}
        if moves and (
            one.pk == first.pk or not one.is_postponed
        ):  # the others get their new day by themselves
            begins = starts if one.pk == first.pk else shifted(one.starts_at, by, one.zone)
            times = {"starts_at": begins, "ends_at": begins + length}
            if by:
                times |= _registration_times(one, by)
        if places_change:
            _change_places(one, actor, capacity)
        updated = update_event(event=one, actor=actor, **changed, **times)
        if updated.is_detached != one.is_detached:  # edited with the others, not by itself
            Event.objects.filter(pk=one.pk).update(is_detached=one.is_detached)
        done.append(updated)
    return done


def _registration_times(event: Event, by: timedelta) -> dict:
    """When registration opens and closes, moved with the event. What has opened stays so: then it closes at once where it
    would have closed before."""
    opens, closes = event.registration_opens_at, event.registration_closes_at
    if opens and opens > timezone.now():
        opens = shifted(opens, by, event.zone)
    if closes:
        closes = shifted(closes, by, event.zone)
        closes = max(closes, opens + timedelta(minutes=1)) if opens else closes
    return {"registration_opens_at": opens, "registration_closes_at": closes}


def _change_places(event: Event, actor: Member, capacity: int | None) -> None:
    try:
        change_capacity(event=event, actor=actor, capacity=capacity, overbooking=event.overbooking)
    except CapacityTooLow as error:
        raise DateTooFull(event, error) from error


def _local(moment: datetime, event: Event) -> datetime:
    return moment.astimezone(event.zone).replace(tzinfo=None)


@transaction.atomic
def cancel_following(*, event: Event, actor: Member, reason: str = "", spare_detached: bool = False) -> int:
    """Call off this date and all after it, those edited by themselves too unless they are spared; return how many. Each
    tells its people once. Locks the events by id. Raises EventOver, PermissionDenied."""
    found = _first_of(event, actor)
    if spare_detached:
        found = [one for one in found if not one.is_detached or one.pk == event.pk]
    for one in found:
        cancel_event(event=one, actor=actor, reason=reason)
    return len(found)


@transaction.atomic
def publish_following(*, event: Event, actor: Member, reason: str = "") -> int:
    """Publish this date and the drafts after it; return how many drafts there were. The feed of what people do tells of the
    first alone. Locks the events by id. Raises EventOver, PermissionDenied."""
    drafts = [one for one in _first_of(event, actor) if one.published_at is None]
    now = timezone.now()
    for number, one in enumerate(drafts):
        if number == 0:
            publish_event(event=one, actor=actor, reason=reason)
        else:
            one.published_at = now
            one.save(update_fields=["published_at"])
            log_admin(actor, one, "events.published", reason=reason)
    return len(drafts)
