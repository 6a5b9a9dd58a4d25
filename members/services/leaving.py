"""Leaving: two weeks in which it can be undone, then nothing personal stays.

Locks are taken in this order: the leaving (only undoing and erasing take it), then what the apps lock for themselves
(events, groups, threads), then the member.
"""

import json
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from importlib import import_module

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core import audit, erasing, files, jobs, mail, personal_data
from kmnet.core.known_address import hash_of_address
from kmnet.core.models.community import CACHE_KEY

from ..duties import Duty, duties_of
from ..models import (
    GRACE,
    DataExport,
    Erasure,
    Invitation,
    Leaving,
    Member,
    OldHandle,
    Profile,
    SpentHandle,
    Status,
)
from ..permissions import can_administer
from ..signals import member_erased, member_leaving
from .directory import forget_counts
from .introductions import withdraw_introductions
from .invitations import forget_invitations_of
from .pictures import picture_names
from .standing import end_sessions, need_reason

REMIND_BEFORE = timedelta(days=2)
GONE = "[former member]"  # in others' words, where a name stood


class MustHandOver(Exception):
    """Others count on them alone. `duties`: what must be handed over first, and where."""

    def __init__(self, duties: list[Duty]):
        super().__init__("something must be handed over first")
        self.duties = duties


class TooLate(PermissionDenied):
    """The account is deleted already, or this very moment."""


# --- starting and undoing --------------------------------------------------------------------------------------------
@transaction.atomic
def start_leaving(
    *, member: Member, keep_words: bool, actor: Member | None = None, reason: str = ""
) -> Leaving:
    """Close the account now, and delete it in two weeks. Asked for twice it is the first one.

    Places at events are freed at once, sessions end, mails stop. `actor`: an admin who does it for somebody; that needs
    a reason and is logged. Raises MustHandOver, PermissionDenied. Locks what the apps lock, then the member.
    """
    by_admin = actor is not None and actor.pk != member.pk
    if by_admin:
        if not can_administer(actor) or member.is_superuser:
            raise PermissionDenied
        reason = need_reason(reason)
    duties = duties_of(member)
    if duties:
        raise MustHandOver(duties)
    member_leaving.send(sender=Member, member=member)
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.status == Status.ERASED or (member.status == Status.SUSPENDED and not by_admin):
        raise PermissionDenied
    leaving = Leaving.objects.filter(member=member).first()
    if leaving is not None:
        return leaving
    withdraw_introductions(member=member)  # whoever answers one locks the members first, and then it
    now = timezone.now()
    leaving = Leaving.objects.create(
        member=member,
        keep_words=keep_words,
        asked_at=now,
        due_at=now + GRACE,
        status_before=member.status,
        asked_by=actor if by_admin else None,
    )
    member.status = Status.LEAVING
    member.save(update_fields=["status"])
    end_sessions(member)
    audit.record_act(actor=actor or member, verb="members.leaving_started", target=member, reason=reason)
    _tell(leaving, "members.leaving")
    return leaving


def _tell(leaving: Leaving, kind: str) -> None:
    key = f"{kind}:{leaving.member_id}:{int(leaving.asked_at.timestamp())}"
    mail.queue(kind, member=leaving.member, dedupe_key=key, refs={"leaving": leaving.pk})


@transaction.atomic
def undo_leaving(*, member: Member, actor: Member | None = None, reason: str = "") -> Member:
    """Everything as it was, but for the places at events. Twice is once. Locks the leaving, then the member.

    `actor`: an admin who does it for somebody, with a reason. Raises TooLate where the account is deleted.
    """
    if actor is not None and actor.pk != member.pk:
        if not can_administer(actor):
            raise PermissionDenied
        reason = need_reason(reason)
    # Waits for an erasure that has begun: then the row is gone.
    leaving = Leaving.objects.select_for_update(of=("self",)).filter(member=member.pk).first()
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if leaving is None:
        if member.status == Status.ERASED:
            raise TooLate
        return member
    member.status = leaving.status_before
    member.save(update_fields=["status"])
    leaving.delete()
    audit.record_act(actor=actor or member, verb="members.leaving_undone", target=member, reason=reason)
    return member


# --- the end ---------------------------------------------------------------------------------------------------------
def remind_leavers(*, now: datetime | None = None, limit: int = 200) -> int:
    """One mail before the end; return how many. Any number of workers may run it at once."""
    now = now or timezone.now()
    due = Leaving.objects.filter(reminded_at__isnull=True, due_at__lte=now + REMIND_BEFORE, due_at__gt=now)

    def remind(leaving):
        _tell(leaving, "members.leaving_soon")
        leaving.reminded_at = now
        leaving.save(update_fields=["reminded_at"])

    return jobs.serve(due.select_related("member").order_by("pk"), remind, limit=limit)


def erase_due(*, now: datetime | None = None, limit: int = 100) -> int:
    """Delete the accounts whose two weeks are over; return how many. Any number of workers may run it at once; a killed
    one has done all of a member's erasure or nothing of it."""
    now = now or timezone.now()
    due = Leaving.objects.filter(due_at__lte=now).select_related("member").order_by("due_at", "pk")

    def erase(leaving):
        erase_member(member=leaving.member, keep_words=leaving.keep_words)

    erased = jobs.serve(due, erase, limit=limit)
    if erased:
        erasing.forget_unused_tags()
    return erased


@transaction.atomic
def erase_member(*, member: Member, keep_words: bool) -> bool:
    """Nothing personal stays, in this one transaction; files go right after it. False where it was done before.

    The apps answer `member_erased` first, since they lock what comes before the member.
    """
    if Member.objects.filter(pk=member.pk, status=Status.ERASED).exists():
        return False
    proven, addresses = addresses_of(member)
    words = [member.name, *handles_of(member), *addresses]
    member_erased.send(sender=Member, member=member, keep_words=keep_words, addresses=proven)
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.status == Status.ERASED:
        return False
    _spend_handles(handles_of(member))
    _forget_invitations(proven)
    _forget_sessions(member)
    exports = DataExport.objects.filter(member=member)
    profile = Profile.objects.filter(member=member).first()
    pictures = picture_names(profile) if profile else []
    files.doom([*exports.values_list("stored_name", flat=True), *pictures])
    erasing.forget_traces(member=member, addresses=proven, words=words)
    if profile is not None:
        erasing.forget_targets([profile])
    personal_data.forget_links(member)
    _empty(member)
    personal_data.redact(words, GONE)
    erasure, _new = Erasure.objects.get_or_create(member_id=member.pk, defaults={"keep_words": keep_words})
    transaction.on_commit(lambda: note_erasure(erasure), robust=True)
    transaction.on_commit(_forget_side_dishes, robust=True)
    return True


def _forget_side_dishes() -> None:
    """What is in the cache, and may tell of somebody for some minutes."""
    cache.delete(CACHE_KEY)
    forget_counts()


def addresses_of(member: Member) -> tuple[list[str], list[str]]:
    """Those they had proven to be theirs, and all; in lower case. What somebody typed unproven may be another's."""
    known = {row.email.lower(): row.verified for row in EmailAddress.objects.filter(user=member)}
    if member.address_proven_at:
        known[member.email.lower()] = True
    return sorted(address for address, ok in known.items() if ok), sorted({*known, member.email.lower()})


def handles_of(member: Member) -> list[str]:
    return [member.handle, *OldHandle.objects.filter(member=member).values_list("handle", flat=True)]


def _spend_handles(handles: Iterable[str]) -> None:
    SpentHandle.objects.bulk_create(
        [SpentHandle(digest=SpentHandle.digests_of(handle)[0]) for handle in handles], ignore_conflicts=True
    )


def _forget_invitations(addresses: list[str]) -> None:
    """No invitation leads to them, nor can it be found by somebody who guesses the address; that one was used remains."""
    hashes = [hash_of_address(address) for address in addresses]
    forget_invitations_of(addresses=addresses)
    for invitation in Invitation.objects.filter(address_hash__in=hashes):
        invitation.address_hash = secrets.token_hex(32)
        invitation.save(update_fields=["address_hash"])


def _forget_sessions(member: Member) -> None:
    """All of them, also those that are not on the list: a session may hold text that was typed."""
    end_sessions(member)
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for session in Session.objects.iterator(chunk_size=500):
        if session.get_decoded().get("_auth_user_id") == str(member.pk):
            store(session.session_key).delete()


def _empty(member: Member) -> None:
    """What is left is a number that leads to nobody: every column as on the first day, whoever adds one later."""
    for field in Member._meta.concrete_fields:
        if not field.primary_key:
            setattr(member, field.attname, field.get_default())
    name = secrets.token_hex(8)
    member.email, member.handle, member.name = f"{name}@erased.invalid", f"former-{name}", _("Former member")
    member.status, member.is_active = Status.ERASED, False
    member.set_unusable_password()
    member.save()
    member.groups.clear()
    member.user_permissions.clear()
    Profile.objects.create(member=member, is_listed=False, digest="never")  # pages count on there being one


def note_erasure(erasure: Erasure) -> None:
    """One line in the list that is kept apart from the database, where the operator has set one up."""
    if settings.ERASURE_LIST:
        with open(settings.ERASURE_LIST, "a", encoding="utf-8") as out:
            out.write(erasure_line(erasure) + "\n")


def erasure_line(erasure: Erasure) -> str:
    return json.dumps(
        {
            "member": erasure.member_id,
            "keep_words": erasure.keep_words,
            "erased_at": erasure.erased_at.isoformat(),
        }
    )


def replay_erasures(lines: Iterable[str]) -> dict[str, int]:
    """After a backup was restored: delete again who had been deleted since. Safe to repeat.

    A number that has since been given to somebody else (they joined after that erasure) is left alone.
    """
    done = {"erased": 0, "already": 0, "unknown": 0}
    for line in lines:
        if not line.strip():
            continue
        entry = json.loads(line)
        erased_at = datetime.fromisoformat(entry["erased_at"])
        member = Member.objects.filter(pk=entry["member"]).first()
        if member is not None and member.status == Status.ERASED:
            done["already"] += 1
        elif member is None or member.joined_at > erased_at:
            done["unknown"] += 1
        elif erase_member(member=member, keep_words=entry["keep_words"]):
            Erasure.objects.filter(member_id=member.pk).update(erased_at=erased_at)
            done["erased"] += 1
    if done["erased"]:
        erasing.forget_unused_tags()
    return done
