"""A guest becomes a member: what they booked with the address is theirs once they have proven it."""

from django.db import transaction
from django.utils import timezone

from members.models import Member

from ..models import Event, Registration, RegistrationLog, Status
from . import places
from .registering import leave

# Of two live registrations the one that holds more is kept, and of equals the earlier one.
BEST_FIRST = (
    *(Status.CONFIRMED, Status.OFFERED, Status.SOFT, Status.WAITING),
    *(Status.REQUESTED, Status.RECORDING),
)
WHY = "joined with the same proven address"


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
    why = "the same person had registered"
    if event.is_over(now) or event.cancelled_at is not None:
        places.change(lesser, Status.CANCELLED, why=why, at=now)
    else:
        leave(event, lesser, Status.CANCELLED, why=why, actor=None, at=now)
