"""Mails that nobody has asked for: invitations of addresses, and places given to people by name. Counted over the last day
from what is written down, so that nobody can have strangers flooded."""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from kmnet.core.models import OutgoingMail
from members.models import Member

from ..models import Event, EventInvitation, Registration, RegistrationLog

DAY = timedelta(days=1)
GIVEN_BY_ONE = 3  # places that one person gives away
GIVEN_TO_ONE = 3  # places that are offered to one person by others' gift
INVITED_TO_ONE = 3  # invitations to one address, to whatever events
INVITED_TO_EVENT = 200  # addresses invited to one event; who is withdrawn has had their mail
INVITED_BY_ONE = 400  # addresses that one organiser invites, to whatever events


def _mails(kind: str):
    return OutgoingMail.objects.filter(kind=kind, created_at__gt=timezone.now() - DAY)


def gave_often(giver: Registration, why: str) -> bool:
    """Has this person given away as many places as one may in a day? `why`: the reason in the log that says so."""
    given = RegistrationLog.objects.filter(why=why, at__gt=timezone.now() - DAY)
    if giver.member_id:
        given = given.filter(registration__member=giver.member_id)
    else:
        given = given.filter(
            registration__member=None, registration__guest_address__iexact=giver.guest_address
        )
    return given.count() >= GIVEN_BY_ONE


def was_given_often(receiver: Member | None, address: str) -> bool:
    """Has this person been offered as many places by others as one may be in a day? Not for the giver to learn."""
    given = _mails("events.place_given")
    if receiver is not None:
        given = given.filter(member=receiver)
    else:
        given = given.alias(lowered=Lower("address")).filter(member=None, lowered=address.lower())
    return given.count() >= GIVEN_TO_ONE


def invited_often(addresses: list[str]) -> set[str]:
    """Those of these addresses, in lower case, that have had as many invitations as they may in a day."""
    wanted = {address.lower() for address in addresses}
    found = (
        _mails("events.invited")
        .annotate(lowered=Lower("address"))
        .filter(lowered__in=wanted)
        .exclude(address="")
    )
    had: dict[str, int] = {}
    for lowered in found.values_list("lowered", flat=True):
        had[lowered] = had.get(lowered, 0) + 1
    return {address for address, count in had.items() if count >= INVITED_TO_ONE}


def may_invite(event: Event, by: Member, count: int) -> bool:
    """May this organiser invite so many addresses more to this event today?"""
    here = _mails("events.invited").filter(
        Q(dedupe_key__startswith=f"events.invited:{event.pk}."), member__isnull=True
    )
    rows = EventInvitation.objects.filter(invited_by=by, invited_at__gt=timezone.now() - DAY)
    return (
        here.count() + count <= INVITED_TO_EVENT
        and rows.exclude(guest_address="").count() + count <= INVITED_BY_ONE
    )
