"""Who somebody is: a member, or a guest by their address; and whose a registration is."""

from django.core.exceptions import PermissionDenied
from django.db.models import Q

from kmnet.core.fixed import fixed
from members.models import Member

from ..models import RISEN, Event, Registration, Status
from ..permissions import can_cancel_registration


def find_member(address: str) -> Member | None:
    """The member whose proven address this is, whatever its case."""
    proven = Member.objects.filter(
        address_proven_at__isnull=False
    )  # anybody can type an address to join with
    found = proven.filter(email__iexact=address).exclude(status="erased").first()
    return (
        found
        or Member.objects.filter(emailaddress__email__iexact=address, emailaddress__verified=True)
        .exclude(status="erased")
        .first()
    )


def all_of(event: Event, member: Member | None, address: str) -> list[Registration]:
    """Every registration of this person here, live or over, the newest first; also what a member booked as a guest."""
    if member is None:
        return list(event.registrations.for_address(address).order_by("-pk"))
    found = _all_of_member(event=event.pk, member=member.pk, email=member.email)
    for registration in found:
        registration.event = event
        if registration.member_id is not None:
            registration.member = member
    return found


@fixed
def _all_of_member(*, event, member, email):
    person = Member(pk=member, email=email)
    return Registration.objects.filter(event=event).for_member(person).order_by("-pk")


def adopt(registration: Registration, member: Member) -> None:
    """What somebody booked as a guest is theirs once they are a member with that address."""
    if registration.member_id is None:
        registration.member, registration.guest_address, registration.guest_name = member, "", ""
        if registration.pk:
            registration.save(update_fields=["member", "guest_address", "guest_name"])


def own(event: Event, registration: Registration, actor: Member | None) -> Registration:
    """The row afresh, under the event's lock; only its own person may act on it. Without an actor: somebody who
    holds the link from their mail."""
    registration = event.registrations.select_related("member").get(pk=registration.pk)
    if actor is not None and not _is_theirs(registration, actor):
        raise PermissionDenied
    return registration


def _is_theirs(registration: Registration, actor: Member) -> bool:
    if registration.status in Status.unsettled():
        return can_cancel_registration(actor, registration)
    return registration.member_id == actor.pk


def priority_of(event: Event, member: Member | None, address: str) -> int:
    """RISEN for those who were left out of the earlier event that this one names; fixed before it opened."""
    if event.priority_from_id is None:
        return 0
    person = Q(guest_address__iexact=address) if member is None else Q(member=member)
    if member is not None:
        person |= Q(guest_address__iexact=member.email)
    return RISEN if event.priorities.filter(person).exists() else 0
