"""Events by invitation: who is asked, and the button in their mail."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from members.models import Member
from members.permissions import can_write

from .. import mails
from ..models import Event, EventInvitation, Registration, Status, Visibility
from ..permissions import can_be_named, can_organise_event
from . import answering, persons, places, unasked
from .guests import come_in
from .organising import log_admin
from .refusals import RegistrationClosed, TooManyInvited
from .registering import check_way, live_of, register_member


@transaction.atomic
def invite_people(
    *, event: Event, by: Member, members: Iterable[Member] = (), addresses: Iterable[str] = ()
) -> list[EventInvitation]:
    """Ask these members, and whoever reads mail at these addresses; return the new invitations. Whoever was asked before
    is not asked again, nor is an address that has had several invitations in the last day. An address stays an address,
    also where it is a member's: who asks does not learn it. Locks the event.

    Raises RegistrationClosed (a draft, begun, called off or postponed), TooManyInvited (then nobody is asked),
    PermissionDenied."""
    event = places.lock_event(event.pk)
    if not can_organise_event(by, event) or event.visibility != Visibility.INVITED:
        raise PermissionDenied
    if event.published_at is None or not places.is_on(event) or event.has_started():
        raise RegistrationClosed
    asked = {row.member_id for row in event.invitations.all() if row.member_id}
    known = {row.guest_address.lower() for row in event.invitations.all() if row.guest_address}
    typed: dict[str, str] = {}
    for address in filter(None, map(str.strip, addresses)):
        typed.setdefault(address.lower(), address)
    spared = unasked.invited_often(list(typed))
    wanted = [address for lowered, address in typed.items() if lowered not in known | spared]
    if wanted and not unasked.may_invite(event, by, len(wanted)):
        raise TooManyInvited
    new = []
    for member in members:
        if member.pk not in asked and can_be_named(by, member):
            asked.add(member.pk)
            new.append(event.invitations.create(member=member, invited_by=by))
    new += [event.invitations.create(guest_address=address, invited_by=by) for address in wanted]
    for invitation in new:
        mails.queue_invited(invitation)
    if new:
        log_admin(by, event, "events.invited", data={"invitations": [row.pk for row in new]})
    return new


@transaction.atomic
def withdraw_invitation(*, invitation: EventInvitation, by: Member) -> None:
    """They are not asked any more; a mail that has not gone out does not. Whoever has registered stays. Twice is once.
    Locks the event. Raises PermissionDenied."""
    event = places.lock_event(invitation.event_id)
    if not can_organise_event(by, event):
        raise PermissionDenied
    if event.invitations.filter(pk=invitation.pk).delete()[0]:
        log_admin(by, event, "events.invitation_withdrawn", data={"invitation": invitation.pk})


@transaction.atomic
def register_invited(
    *,
    invitation: EventInvitation,
    name: str = "",
    way: str = "",
    answers: dict | None = None,
    access_needs: str = "",
    recording_only: bool = False,
    time_zone: str = "",
) -> Registration:
    """The button behind the link in the mail of an invitation, which proves its address. Whose address is a member's is
    that member. Pressed twice it returns the same registration. Locks the event.

    Raises RegistrationClosed (also when the invitation was withdrawn), WayUnknown, AnswersMissing, PermissionDenied."""
    event = places.lock_event(invitation.event_id)
    now = timezone.now()
    invitation = event.invitations.select_related("member").filter(pk=invitation.pk).first()
    if invitation is None:
        raise RegistrationClosed
    address = invitation.guest_address
    member = invitation.member or persons.find_member(address)
    wanted = {
        "way": way,
        "answers": answers,
        "access_needs": access_needs,
        "recording_only": recording_only,
    }
    if member is not None and invitation.member_id:
        return register_member(event=event, member=member, **wanted)
    mine = live_of(persons.all_of(event, member, address))
    if mine is not None and (mine.status != Status.RECORDING or recording_only):
        return mine
    if not event.takes_registrations(now):
        raise RegistrationClosed
    if event.visibility != Visibility.INVITED or (member is not None and not can_write(member)):
        raise PermissionDenied
    way = check_way(event, way, recording_only)
    checked = answering.check_answers(event, answers, required=not recording_only)
    if mine is not None:  # the recording only, so far
        places.change(mine, Status.CANCELLED, why="registered anew", at=now)
    unproven = event.registrations.filter(status=Status.UNPROVEN).for_address(address).first()
    registration = unproven or Registration(event=event, guest_address=address)
    typed = {
        "guest_name": name.strip(),
        "guest_time_zone": time_zone,
        "way": way,
        "access_needs": access_needs.strip(),
        "wants_recording": recording_only,
    }
    for field, value in typed.items():
        setattr(registration, field, value)
    if unproven is not None:
        registration.save(update_fields=list(typed))
    registration = come_in(event, registration, member, at=now, why="was invited")
    answering.write_answers(registration, checked)
    return registration
