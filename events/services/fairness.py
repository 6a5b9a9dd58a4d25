"""Who was left out last time comes first this time: set before registration opens, and shown on the event's page."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from members.models import Member

from ..models import ADDED_BY_HAND, RISEN, Event, EventPriority, Registration, RegistrationLog, Status
from ..permissions import can_organise_event
from . import persons, places
from .organising import log_admin
from .refusals import NotOverYet, OrderFixed


@transaction.atomic
def set_priority_from(*, event: Event, earlier: Event | None, by: Member) -> int:
    """Whoever waited in vain for `earlier` is served first in the queue of `event`; return how many people that is.
    None: nobody is. Set again, it begins anew. Locks the event.

    Raises OrderFixed (registration has opened), NotOverYet, PermissionDenied (both events are to be one's own)."""
    event = places.lock_event(event.pk)
    now = timezone.now()
    if not can_organise_event(by, event) or (earlier and not can_organise_event(by, earlier)):
        raise PermissionDenied
    if earlier and earlier.pk == event.pk:
        raise NotOverYet
    if event.has_opened(now) or _somebody_came(event):
        raise OrderFixed
    if earlier and (not earlier.is_over(now) or earlier.published_at is None):
        raise NotOverYet
    event.priority_from = earlier
    event.save(update_fields=["priority_from"])
    event.priorities.all().delete()
    rows = [EventPriority(event=event, **person) for person in (left_out(earlier) if earlier else ())]
    EventPriority.objects.bulk_create(rows)
    _order_anew(event, now)
    log_admin(by, event, "events.priority", data={"earlier": earlier and earlier.pk, "people": len(rows)})
    return len(rows)


def _somebody_came(event: Event) -> bool:
    """By themselves: so registration was open before, whatever the event says now."""
    first = RegistrationLog.objects.filter(registration__event=event, from_status="")
    return first.exclude(why=ADDED_BY_HAND).exists()


def left_out(event: Event) -> list[dict]:
    """Who ended there on the waiting list, or with an offer that passed, and never had a place: each once, as
    {"member": …} or {"guest_address": …}. A guest whose address is a member's by now is that member."""
    placed = event.registrations.filter(confirmed_at__isnull=False)
    same = Q(member=OuterRef("member")) | Q(
        member__isnull=True, guest_address__iexact=OuterRef("guest_address")
    ) & ~Q(guest_address="")
    rows = Registration.objects.filter(
        ~Exists(placed.filter(same)),
        event=event,
        status__in=(Status.WAITING, Status.EXPIRED),
        confirmed_at__isnull=True,
        given_by__isnull=True,
    ).select_related("member")
    members, addresses = {}, {}
    for row in rows.order_by("pk"):
        member = row.member or (persons.find_member(row.guest_address) if row.guest_address else None)
        if member is not None:
            if member.is_active:
                members[member.pk] = member
        elif row.guest_address:
            addresses[row.guest_address.lower()] = row.guest_address
    return [{"member": member} for member in members.values()] + [
        {"guest_address": address} for address in addresses.values()
    ]


def _order_anew(event: Event, now) -> None:
    """Those whom the organisers added by hand before registration opened."""
    for row in event.registrations.filter(status=Status.WAITING, priority__in=(0, RISEN)).select_related(
        "member"
    ):
        priority = persons.priority_of(event, row.member, row.guest_address)
        if priority != row.priority:
            places.note(row, why="the order of the queue was set", at=now, priority=priority)
