"""People without an account: the place counts when they press the button in their mail; and when they join, what they
booked with the address is theirs once they have proven it."""

from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone

from members.models import Member

from .. import mails
from ..models import Event, Registration, RegistrationLog, Status
from . import answering, persons, places
from .giving_up import leave
from .refusals import RegistrationClosed
from .registering import check_may_register, check_way, enter_line, had_place, live_of

UNPROVEN_KEPT = timedelta(days=4)  # the link lasts three
# Of two live registrations the one that holds more is kept, and of equals the earlier one.
BEST_FIRST = (
    *(Status.CONFIRMED, Status.OFFERED, Status.SOFT, Status.WAITING),
    *(Status.REQUESTED, Status.RECORDING),
)
WHY = "joined with the same proven address"
SAME = "the same person had registered"


@transaction.atomic
def request_guest_place(
    *,
    event: Event,
    name: str,
    address: str,
    time_zone: str = "",
    way: str = "",
    answers: dict | None = None,
    access_needs: str = "",
    recording_only: bool = False,
) -> None:
    """A guest typed an address: a mail goes there, and nothing else happens.

    Returns nothing in every case, and refuses before it looks for the address, so that the page cannot tell whether it
    is known. Locks the event. Raises RegistrationClosed, WayUnknown, AnswersMissing, PermissionDenied.
    """
    event = places.lock_event(event.pk)
    now = timezone.now()
    check_may_register(event, AnonymousUser(), None, now)
    if recording_only and not event.offers_recording:
        raise RegistrationClosed
    way = check_way(event, way, recording_only)
    checked = answering.check_answers(event, answers, required=not recording_only)
    member = persons.find_member(address)
    mine = live_of(persons.all_of(event, member, address))
    if mine is not None:
        mails.queue_known(mine, now)
        return
    unproven = event.registrations.filter(status=Status.UNPROVEN).for_address(address).first()
    is_new = unproven is None
    if is_new:
        unproven = Registration(event=event, guest_address=address)
    typed = {
        "guest_name": name,
        "guest_time_zone": time_zone,
        "joined_at": now,
        "way": way,
        "access_needs": access_needs.strip(),
        "wants_recording": recording_only,
    }
    if is_new:
        places.change(unproven, Status.UNPROVEN, why="asked as a guest", at=now, **typed)
    else:
        places.note(unproven, why="asked as a guest once more", at=now, **typed)
    answering.write_answers(unproven, checked)
    mails.queue_prove(unproven, now)


@transaction.atomic
def prove_guest(*, registration: Registration) -> Registration:
    """The button in the mail was pressed: now the place, or the place in the queue, counts.

    A guest with a member's address is that member. Pressed again it returns the same registration. Locks the event.
    Raises RegistrationClosed, PermissionDenied.
    """
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    registration = event.registrations.select_related("member").get(pk=registration.pk)
    if registration.status != Status.UNPROVEN:
        return registration
    member = persons.find_member(registration.guest_address)
    check_may_register(event, member or AnonymousUser(), None, now)
    return come_in(event, registration, member, at=now, why="address confirmed")


def come_in(
    event: Event, registration: Registration, member: Member | None, *, at: datetime, why: str
) -> Registration:
    """The address is proven: the registration takes its turn, or the one that the person has already is the one that
    counts. Their turn begins with the press, not with the typing. Needs the event's lock."""
    occupancies = places.settle(event, at)
    theirs = persons.all_of(event, member, registration.guest_address)
    mine = live_of(theirs)
    if mine is not None and (mine.status != Status.RECORDING or registration.wants_recording):
        places.change(registration, Status.CANCELLED, why=SAME, at=at)
        return mine
    if mine is not None:
        places.change(mine, Status.CANCELLED, why="registered anew", at=at)
    if member is not None:
        persons.adopt(registration, member)
    enter_line(
        event,
        registration,
        occupancies,
        at=at,
        actor=member,
        why=why,
        recording_only=registration.wants_recording,
        left_before=had_place(theirs),
    )
    return registration


def forget_unproven(now: datetime) -> int:
    """What was typed and never proven is nobody's business once the link in the mail has ended; return how many."""
    old = Registration.objects.filter(status=Status.UNPROVEN, joined_at__lt=now - UNPROVEN_KEPT)
    return old.delete()[1].get("events.Registration", 0)


@transaction.atomic
def adopt_guest_registrations(*, member: Member, address: str) -> int:
    """All that was booked with this address is the member's: places, queues, and what is over; return how many.

    Locks each event, by id. Where the member has a live registration of their own, the better of the two stays, and
    the place of the other goes to the next in line. What was typed and never confirmed stays as it is."""
    theirs = Registration.objects.for_address(address).exclude(status=Status.UNPROVEN)
    event_ids = theirs.order_by("event_id").values_list("event_id", flat=True).distinct()
    return sum(_adopt_at(places.lock_event(event_id), member, address) for event_id in list(event_ids))


def _adopt_at(event: Event, member: Member, address: str) -> int:
    """Needs the event's lock."""
    now = timezone.now()
    if not event.is_over(now):
        places.settle(event, now)  # an offer whose time is up is worth nothing
    guests = event.registrations.for_address(address).exclude(status=Status.UNPROVEN)
    adopted = 0
    for guest in guests.order_by("pk"):
        mine = event.registrations.live().filter(member=member).first() if guest.is_live else None
        if mine is not None:
            _end_lesser(event, mine, guest, now)
        guest.member, guest.guest_address, guest.guest_name = member, "", ""
        guest.save(update_fields=["member", "guest_address", "guest_name"])
        RegistrationLog.objects.create(
            registration=guest,
            at=now,
            actor=member,
            from_status=guest.status,
            to_status=guest.status,
            why=WHY,
        )
        adopted += 1
    return adopted


def _end_lesser(event: Event, mine: Registration, guest: Registration, now) -> None:
    """Never two live ones of one person: the constraint would refuse the second."""

    def worth(registration: Registration):
        came = registration.attended_at is None
        return (came, BEST_FIRST.index(registration.status), registration.joined_at, registration.pk)

    lesser = max((mine, guest), key=worth)
    if event.is_over(now) or event.cancelled_at is not None:
        places.change(lesser, Status.CANCELLED, why=SAME, at=now)
    else:
        leave(event, lesser, Status.CANCELLED, why=SAME, actor=None, at=now)
