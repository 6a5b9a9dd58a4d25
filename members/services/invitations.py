"""Invitations: made, mailed once, used exactly as often as they say, withdrawn."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kmnet.core import audit, jobs, mail
from kmnet.core.known_address import hash_of_address
from kmnet.core.models import CommunitySettings

from ..models import BringIn, Invitation, InvitationUse, Member, NeverInvite
from ..permissions import can_administer, can_bring_in, can_invite

PROMISE_VERSION = 1
LIST_LASTS = timedelta(days=30)
FORGET_AFTER = timedelta(days=30)  # after its end the address of an invitation is forgotten
MAIL_AGAIN_AFTER = timedelta(days=14)  # several people who invite one address make one mail
AT_ONCE = 60  # mails of a list queued each minute: a mail server takes a flood for spam


def hash_of_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    return secrets.token_urlsafe(24)


def find_invitation(token: str) -> Invitation | None:
    """The invitation behind a link, if it still works for somebody."""
    found = (
        Invitation.objects.open().of_token_hash(hash_of_token(token)).with_uses().first() if token else None
    )
    return found if found and found.used < found.max_uses else None


@transaction.atomic
def use_invitation(*, member: Member, token: str) -> Invitation | None:
    """The new member came by it; None where it does not work (any more) for them.

    Locks the invitation, or two people both read one use that is left."""
    invitation = Invitation.objects.select_for_update().open().of_token_hash(hash_of_token(token)).first()
    if invitation is None or not invitation.is_for(member.email):
        return None
    if has_no_use_left(invitation):
        return None
    InvitationUse.objects.create(invitation=invitation, member=member)
    if invitation.is_bound:  # they have an account now; their address is there
        invitation.address, invitation.name = "", ""
        invitation.save(update_fields=["address", "name"])
    return invitation


def has_no_use_left(invitation: Invitation) -> bool:
    return InvitationUse.objects.filter(invitation=invitation).count() >= invitation.max_uses


def is_spoken_for(address: str) -> bool:
    """A member has proven this address."""
    return (
        Member.objects.exclude(status="erased")
        .filter(
            Q(email__iexact=address, address_proven_at__isnull=False)
            | Q(emailaddress__email__iexact=address, emailaddress__verified=True)
        )
        .exists()
    )


def wants_none(invitation: Invitation) -> bool:
    return NeverInvite.objects.filter(address_hash=invitation.address_hash).exists()


# --- making them -----------------------------------------------------------------------------------------------------
@transaction.atomic
def invite_address(
    *, by: Member, address: str, name: str = "", note: str = "", lasts: timedelta = timedelta(days=14)
) -> Invitation:
    """Invite one person by mail. Looks the same whether or not the address is a member's, or wants no mail: what is
    not to be sent is withheld when its turn comes."""
    if not can_invite(by):
        raise PermissionDenied
    invitation = Invitation.objects.create(
        address=address,
        address_hash=hash_of_address(address),
        name=name,
        note=note,
        invited_by=by,
        expires_at=timezone.now() + lasts,
    )
    _mail(invitation, "members.invitation")
    return invitation


@transaction.atomic
def make_invitation_link(
    *, by: Member, max_uses: int, note: str = "", lasts: timedelta = timedelta(days=14)
) -> tuple[Invitation, str]:
    """A link for so many people, each of whom proves an own address; its token is told this once."""
    if not can_invite(by):
        raise PermissionDenied
    token = new_token()
    invitation = Invitation.objects.create(
        max_uses=max_uses,
        note=note,
        invited_by=by,
        token_hash=hash_of_token(token),
        mailed_at=timezone.now(),
        expires_at=timezone.now() + lasts,
    )
    return invitation, token


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, by: Member) -> bool:
    """From now on nobody comes in by it; whoever has, stays. Whether it was this call that did. Locks it."""
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    own = invitation.invited_by_id == by.pk
    if not (own and can_invite(by)) and not can_administer(by):
        raise PermissionDenied
    if invitation.revoked_at is not None:
        return False
    invitation.revoked_at, invitation.revoked_by = timezone.now(), by
    invitation.save(update_fields=["revoked_at", "revoked_by"])
    if not own:
        audit.record_act(actor=by, verb="members.invitation_revoked", target=invitation)
    return True


@transaction.atomic
def never_invite(*, invitation: Invitation) -> None:
    """Whoever got it wants no more of them, from whomever; for ever, and whatever list names them."""
    NeverInvite.objects.get_or_create(address_hash=invitation.address_hash)
    now = timezone.now()
    same = Invitation.objects.filter(address_hash=invitation.address_hash)
    same.filter(revoked_at__isnull=True, uses__isnull=True).update(revoked_at=now)
    same.update(address="", name="")


# --- a mailing list --------------------------------------------------------------------------------------------------
@transaction.atomic
def bring_in_list(
    *, by: Member, name: str, basis: str, promise: str, people: Iterable[tuple[str, str]]
) -> BringIn:
    """Invite all of these (address, name), or none. The mails go out in the minutes after, so many at a time.

    An address that a list has named before is not invited again, nor one that wants none or is a member's; nothing
    here tells which."""
    if not can_bring_in(by):
        raise PermissionDenied
    people = list(people)
    bring_in = BringIn.objects.create(
        name=name,
        basis=basis,
        promise=promise,
        promise_version=PROMISE_VERSION,
        confirmed_by=by,
        rows=len(people),
    )
    ends = timezone.now() + LIST_LASTS
    invitations = [
        Invitation(
            address=address,
            address_hash=hash_of_address(address),
            name=person,
            bring_in=bring_in,
            invited_by=by,
            expires_at=ends,
        )
        for address, person in people
    ]
    Invitation.objects.bulk_create(
        sorted(invitations, key=lambda one: one.address_hash), ignore_conflicts=True, batch_size=500
    )
    audit.record_act(
        actor=by,
        verb="members.list_brought_in",
        target=bring_in,
        reason=name,
        data={"rows": len(people), "basis": basis, "promise_version": PROMISE_VERSION},
    )
    return bring_in


def mail_waiting_invitations(*, limit: int = AT_ONCE) -> int:
    """Queue the mails of lists, so many at a time; how many. Any number of workers may run it at once."""
    waiting = Invitation.objects.open().filter(mailed_at__isnull=True, bring_in__isnull=False)
    return jobs.serve(
        waiting.exclude(address="").order_by("pk"),
        lambda invitation: _mail(invitation, "members.list_invitation"),
        limit=limit,
    )


def remind_invited(*, limit: int = AT_ONCE) -> int:
    """One reminder to those of a list who have not answered; how many. Any number of workers may run it at once."""
    before = timezone.now() - timedelta(days=CommunitySettings.load().invitation_reminder_days)
    due = Invitation.objects.open().filter(
        mailed_at__lt=before, reminded_at__isnull=True, bring_in__isnull=False, uses__isnull=True
    )

    def remind(invitation):
        token = new_token()
        invitation.reminder_hash, invitation.reminded_at = hash_of_token(token), timezone.now()
        invitation.save(update_fields=["reminder_hash", "reminded_at"])
        _queue(invitation, "members.list_reminder", token)

    return jobs.serve(due.exclude(address="").order_by("pk"), remind, limit=limit)


def old_invitations():
    """Those whose addresses are still there FORGET_AFTER their end."""
    ended = timezone.now() - FORGET_AFTER
    old = Invitation.objects.filter(Q(expires_at__lt=ended) | Q(revoked_at__lt=ended))
    return old.exclude(address="", name="")


def forget_old_invitations() -> int:
    """Addresses of people who never came are nobody's business for long; how many were forgotten."""
    return old_invitations().update(address="", name="")


def forget_invitations_of(*, addresses: Iterable[str]) -> int:
    """Somebody's account is deleted: no invitation leads to them any more. "Never again" stays, as a hash."""
    hashes = [hash_of_address(address) for address in addresses]
    theirs = Invitation.objects.filter(address_hash__in=hashes)
    theirs.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())
    return theirs.exclude(address="", name="").update(address="", name="")


def _mail(invitation: Invitation, kind: str) -> bool:
    """Write its mail, once; nothing where the address got one from somebody else lately."""
    now = timezone.now()
    token = new_token()
    invitation.mailed_at, invitation.token_hash = now, hash_of_token(token)
    invitation.save(update_fields=["mailed_at", "token_hash"])
    lately = Invitation.objects.filter(
        address_hash=invitation.address_hash, mailed_at__gt=now - MAIL_AGAIN_AFTER, revoked_at__isnull=True
    ).exclude(pk=invitation.pk)
    if lately.exists():
        return False
    _queue(invitation, kind, token)
    return True


def _queue(invitation: Invitation, kind: str, token: str) -> None:
    mail.queue(
        kind,
        address=invitation.address,
        dedupe_key=f"{kind}:{invitation.pk}",
        refs={"invitation": invitation.pk},
        secrets={"token": token},
    )
