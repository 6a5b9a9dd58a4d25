"""What becomes of a person's part in events when their account is deleted. Part of that transaction."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core import erasing, files
from members.models import Member

from ..models import Answer, Event, EventInvitation, EventPriority, Registration, Speaker, Status
from . import places
from .giving_up import leave
from .pictures import picture_names


@transaction.atomic
def lock_organised(*, member: Member) -> None:
    """The coming events that this member organises, by id, until the transaction ends."""
    coming = Event.objects.filter(organisers=member).coming().order_by("pk")
    for event_id in list(coming.values_list("pk", flat=True)):
        places.lock_event(event_id)


@transaction.atomic
def forget_person(*, member: Member, addresses: Iterable[str], keep_words: bool) -> None:
    """Registrations as a guest with their addresses lead to nobody; so do their entries as a speaker.

    Where words go, what they alone wrote about events goes too: drafts, and the texts of past events. Locks the events.
    """
    _forget_guest(list(addresses))
    Speaker.objects.filter(member=member).update(name=_("Former member"), about="", member=None)
    if not keep_words:
        _take_words(member)


def _forget_guest(addresses: list[str]) -> None:
    theirs = Registration.objects.alias(lowered=Lower("guest_address"))
    theirs = theirs.filter(member__isnull=True, lowered__in=addresses).exclude(guest_address="")
    for event_id in list(theirs.order_by("event_id").values_list("event_id", flat=True).distinct()):
        event = places.lock_event(event_id)
        now = timezone.now()
        for registration in theirs.filter(event=event, status__in=Status.live()):
            if not event.is_over(now):
                leave(
                    event, registration, Status.CANCELLED, why="the account was deleted", actor=None, at=now
                )
    theirs.filter(status=Status.UNPROVEN).delete()
    # Of events that are over: they hold nothing, and live rows need a person.
    lapsed = (Status.REQUESTED, Status.WAITING, Status.OFFERED)
    theirs.filter(status__in=lapsed).update(status=Status.EXPIRED, offer_expires_at=None)
    Answer.objects.filter(registration__in=theirs).delete()
    theirs.update(guest_name="", guest_address="", guest_time_zone="", access_needs="")
    asked = EventInvitation.objects.alias(lowered=Lower("guest_address")).filter(lowered__in=addresses)
    asked.delete()
    risen = EventPriority.objects.alias(lowered=Lower("guest_address")).filter(lowered__in=addresses)
    risen.delete()


def _take_words(member: Member) -> None:
    others = Event.organisers.through.objects.filter(event=OuterRef("pk")).exclude(member=member)
    alone = Event.objects.filter(organisers=member).exclude(Exists(others)).order_by("pk")
    for event_id in list(alone.values_list("pk", flat=True)):
        event = places.lock_event(event_id)
        if event.published_at is None:
            erasing.forget_targets([event])
            files.doom(picture_names(event))
            event.delete()
            continue
        event.summary = event.description = event.description_html = event.access_notes = ""
        event.save(update_fields=["summary", "description", "description_html", "access_notes"])


def forget_guests(before) -> int:
    """Guests of events that ended before then, and what they answered: that somebody came stays as a number; return how
    many."""
    Answer.objects.filter(registration__in=old_guests(before)).delete()
    EventInvitation.objects.exclude(guest_address="").filter(Event.over_at(before, "event__")).delete()
    EventPriority.objects.exclude(guest_address="").filter(Event.over_at(before, "event__")).delete()
    for registration in _never_served(before):
        places.change(registration, Status.EXPIRED, why="the event is long over", at=timezone.now())
    return old_guests(before).update(guest_name="", guest_address="", guest_time_zone="", access_needs="")


def _never_served(before):
    """Rows that are live need a person; of an event that is over they hold nothing."""
    live = (Status.REQUESTED, Status.WAITING, Status.OFFERED)
    return Registration.objects.filter(Event.over_at(before, "event__"), member__isnull=True, status__in=live)


def forget_access_needs(before) -> int:
    """What people need in order to take part, once the event is over and was so before then; return how many. What was
    typed for an event that was called off goes with its day, too."""
    return old_access_needs(before).update(access_needs="")


def old_access_needs(before):
    return Registration.objects.filter(Event.over_at(before, "event__")).exclude(access_needs="")


def old_guests(before):
    settled = Registration.objects.filter(Event.over_at(before, "event__"), member__isnull=True).exclude(
        guest_address=""
    )  # never proven: they go by tasks.sweep_promotions
    return settled.exclude(status=Status.UNPROVEN)
