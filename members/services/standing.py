"""What moderators decide about members. Each act needs a reason and is in the log."""

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core import audit, mail

from ..models import JoinRequest, Leaving, Member, Profile, Status
from ..permissions import can_administer, can_change_standing, can_moderate
from ..signals import member_suspended
from .profiles import index_profile, lock_profile


def need_reason(reason: str) -> str:
    """What stands in the log, without blanks around it. Raises ValidationError where there is none."""
    reason = reason.strip()
    if not reason:
        raise ValidationError(_("Please say why; it is kept in the log."), code="reason")
    return reason


def end_sessions(member: Member) -> None:
    """Sign them out everywhere, now. A session that is not on the list dies by is_active at its next request."""
    for session in UserSession.objects.filter(user=member):
        session.end()


def _fit_for_who_waits(member: Member, status: str) -> str:
    """Nobody comes in past the queue: whoever was never approved waits again after a suspension, and cannot be silenced
    before they are in, since the silenced read what members read."""
    request = JoinRequest.objects.filter(member=member).exclude(state=JoinRequest.State.APPROVED).first()
    if request is None and member.status != Status.PENDING:
        return status
    if status == Status.SILENCED or (status == Status.ACTIVE and member.status == Status.PENDING):
        raise PermissionDenied
    return Status.PENDING if status == Status.ACTIVE else status


def _change_standing(member: Member, actor: Member, status: str, verb: str, reason: str) -> Member:
    reason = need_reason(reason)
    # no_key: others may go on writing rows that point to the member, while those who hold an event's row wait for this
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if not can_change_standing(actor, member) or member.status == Status.ERASED:
        raise PermissionDenied
    status = _fit_for_who_waits(member, status)
    before = member.status
    if before == Status.LEAVING:  # they go on leaving; should they undo it, this is where they stand
        Leaving.objects.filter(member=member).update(status_before=status)
    else:
        member.status = status
    member.is_active = status != Status.SUSPENDED
    member.save(update_fields=["status", "is_active"])
    audit.record_act(actor=actor, verb=verb, target=member, reason=reason, data={"before": before})
    return member


@transaction.atomic
def suspend_member(*, member: Member, actor: Member, reason: str) -> Member:
    """Out of every session, feed and mail at once."""
    member = _change_standing(member, actor, Status.SUSPENDED, "members.suspended", reason)
    end_sessions(member)
    member_suspended.send(sender=Member, member=member)
    # Their waiting mail is withheld when its turn comes: the outbox asks for the standing before it sends.
    return member


@transaction.atomic
def silence_member(*, member: Member, actor: Member, reason: str) -> Member:
    """They read, cancel, decline, leave and export, but do not post or message."""
    return _change_standing(member, actor, Status.SILENCED, "members.silenced", reason)


@transaction.atomic
def restore_member(*, member: Member, actor: Member, reason: str) -> Member:
    """Back to an ordinary member, after a suspension or a silence."""
    return _change_standing(member, actor, Status.ACTIVE, "members.restored", reason)


@transaction.atomic
def hide_profile(*, target: Profile, actor: Member, reason: str) -> None:
    """Take the text of a profile out of sight; the name stays. Its owner sees it, and why."""
    reason = need_reason(reason)
    profile = lock_profile(target.member)
    if not can_change_standing(actor, profile.member):
        raise PermissionDenied
    if profile.state == Profile.State.HIDDEN:
        return
    profile.state, profile.hidden_at = Profile.State.HIDDEN, timezone.now()
    profile.hidden_by, profile.hidden_reason = actor, reason
    profile.save(update_fields=["state", "hidden_at", "hidden_by", "hidden_reason"])
    index_profile(profile)
    audit.record_act(actor=actor, verb="members.profile_hidden", target=profile, reason=reason)
    mail.queue(
        "members.profile_hidden",
        member=profile.member,
        dedupe_key=f"members.profile_hidden:{profile.pk}:{profile.hidden_at.isoformat()}",
    )


@transaction.atomic
def restore_profile(*, target: Profile, actor: Member, reason: str) -> None:
    """Show it again."""
    reason = need_reason(reason)
    profile = lock_profile(target.member)
    if not can_moderate(actor):
        raise PermissionDenied
    if profile.state == Profile.State.VISIBLE:
        return
    profile.state, profile.hidden_at, profile.hidden_by, profile.hidden_reason = (
        Profile.State.VISIBLE, None, None, "",
    )  # fmt: skip
    profile.save(update_fields=["state", "hidden_at", "hidden_by", "hidden_reason"])
    index_profile(profile)
    audit.record_act(actor=actor, verb="members.profile_restored", target=profile, reason=reason)


@transaction.atomic
def set_roles(*, member: Member, actor: Member, reason: str, **roles: bool) -> Member:
    """Make somebody a moderator, an organiser, a host or an admin, or no longer. Admins only."""
    reason = need_reason(reason)
    known = {"is_moderator", "is_organiser", "is_host", "is_staff", "is_superuser"}
    if not can_administer(actor) or set(roles) - known:
        raise PermissionDenied
    member = Member.objects.select_for_update().get(pk=member.pk)
    changed = {name: value for name, value in roles.items() if getattr(member, name) != value}
    if not changed:
        return member
    for name, value in changed.items():
        setattr(member, name, value)
    member.save(update_fields=list(changed))
    audit.record_act(actor=actor, verb="members.roles_changed", target=member, reason=reason, data=changed)
    return member


@transaction.atomic
def remove_second_step(*, target: Authenticator, actor: Member, reason: str) -> None:
    """Take a second step at sign-in away from somebody who lost it. Admins only, with a reason; logged."""
    if not can_administer(actor):
        raise PermissionDenied
    reason = need_reason(reason)
    data = {"type": target.type}
    audit.record_act(
        actor=actor, verb="members.second_step_removed", target=target.user, reason=reason, data=data
    )
    target.delete()
