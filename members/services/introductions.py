"""Introductions: proposing, answering, reminding, ending. Locks members by ascending id, then the introduction."""

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core import activity, jobs, mail

from ..models import Answer, Boundary, Introduction, IntroductionState, Member, is_kept_apart
from ..models.introduction import OPEN_FOR, REMIND_AFTER
from ..permissions import can_propose_introduction, is_full_member

PER_DAY = 5


class TooMany(ValidationError):
    """The proposer has proposed enough for a day."""

    def __init__(self):
        super().__init__(
            _("You have proposed %(number)s introductions in a day. Please wait until tomorrow.")
            % {"number": PER_DAY},
            code="too_many",
        )


class AlreadyProposed(ValidationError):
    """These two are being asked already."""

    def __init__(self):
        super().__init__(_("Somebody has already proposed that these two meet."), code="already")


class IntroductionOver(Exception):
    """It can no longer be answered: its time is over, it was withdrawn, or this person has answered."""


def lock_members(*ids: int) -> dict[int, Member]:
    """Lock these members' rows, always in the same order; others may go on writing rows that point to them."""
    rows = Member.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    return {member.pk: member for member in rows}


@transaction.atomic
def propose_introduction(*, proposer: Member, one: Member, other: Member, reason: str) -> Introduction:
    """Ask both whether they would like to meet. Locks the three members.

    Where one of the three keeps another at a distance nobody is asked, and the proposer gets what they would get
    anyway: an introduction that stays unanswered until its time is over. Raises PermissionDenied, TooMany,
    AlreadyProposed, ValidationError."""
    if len({proposer.pk, one.pk, other.pk}) < 3:
        raise ValidationError(_("Choose two different people, neither of them yourself."), code="two")
    reason = reason.strip()
    if not reason:
        raise ValidationError(_("Please say why these two should meet."), code="reason")
    locked = lock_members(proposer.pk, one.pk, other.pk)
    proposer, one, other = (locked[member.pk] for member in (proposer, one, other))
    if not can_propose_introduction(proposer, one, other):
        raise PermissionDenied
    now = timezone.now()
    since = now - timedelta(days=1)
    if Introduction.objects.filter(proposer=proposer, created_at__gt=since).count() >= PER_DAY:
        raise TooMany
    first, second = sorted((one, other), key=lambda member: member.pk)
    try:
        with transaction.atomic():
            introduction = Introduction.objects.create(
                proposer=proposer,
                first=first,
                second=second,
                reason=reason,
                goes_nowhere=is_kept_apart(proposer.pk, first.pk, second.pk),
                created_at=now,
                expires_at=now + OPEN_FOR,
            )
    except IntegrityError as error:
        raise AlreadyProposed from error
    if not introduction.goes_nowhere:
        activity.record("members.introduction_proposed", actor=proposer, target=introduction)
    return introduction


@transaction.atomic
def answer_introduction(*, introduction: Introduction, member: Member, yes: bool) -> Introduction:
    """Note the answer of one of the two; after the second "yes" both get each other's address. Locks both, and the row.

    A "no" is told to nobody: the introduction waits on, and ends with its time. Raises PermissionDenied for anybody
    else, IntroductionOver."""
    if member.pk not in introduction.pair:
        raise PermissionDenied
    # whoever sets a boundary between the two locks them as well: either the boundary or the meeting comes first
    locked = lock_members(introduction.proposer_id, *introduction.pair)
    introduction = find_locked(introduction.pk)
    member = locked[member.pk]
    if not is_full_member(member):
        raise PermissionDenied
    if introduction.goes_nowhere or not introduction.is_open() or introduction.answer_of(member):
        raise IntroductionOver
    name = "first_answer" if member.pk == introduction.first_id else "second_answer"
    setattr(introduction, name, Answer.YES if yes else Answer.NO)
    introduction.save(update_fields=[name])
    if introduction.first_answer == introduction.second_answer == Answer.YES:
        _make(introduction)
    return introduction


def find_locked(pk: int) -> Introduction:
    rows = Introduction.objects.select_for_update(of=("self",)).select_related("first", "second", "proposer")
    return rows.get(pk=pk)


def _make(introduction: Introduction) -> None:
    """Both want it. Should they keep each other at a distance by now, it stays as if one had not answered."""
    apart = Q(owner=introduction.first_id, other=introduction.second_id) | Q(
        owner=introduction.second_id, other=introduction.first_id
    )
    if Boundary.objects.blocks().filter(apart).exists():
        return
    if not (is_full_member(introduction.first) and is_full_member(introduction.second)):
        return
    introduction.state, introduction.settled_at = IntroductionState.MADE, timezone.now()
    introduction.save(update_fields=["state", "settled_at"])
    activity.record("members.introduction_made", actor=None, target=introduction)
    activity.record("members.introduction_came_about", actor=None, target=introduction)


# --- time passes -----------------------------------------------------------------------------------------------------
def remind_of_introductions(*, now: datetime | None = None) -> int:
    """One reminder to those who have not answered after a week, unless the other has said no. Claims due rows."""
    now = now or timezone.now()
    due = Introduction.objects.open().filter(
        reminded_at__isnull=True, created_at__lte=now - REMIND_AFTER, expires_at__gt=now
    )

    def remind(introduction):
        introduction.reminded_at = now
        introduction.save(update_fields=["reminded_at"])
        people = {
            introduction.first: introduction.first_answer,
            introduction.second: introduction.second_answer,
        }
        if introduction.goes_nowhere or Answer.NO in people.values():
            return
        for member in [member for member, answer in people.items() if not answer]:
            mail.queue(
                "members.introduction_reminder",
                member=member,
                dedupe_key=f"members.introduction_reminder:{introduction.pk}:{member.pk}",
                refs={"introduction": introduction.pk},
            )

    return jobs.serve(due.select_related("first", "second").order_by("expires_at", "pk"), remind)


def end_introductions(*, now: datetime | None = None) -> int:
    """Those whose time is over. The proposer hears of it, and who had said yes; not who had not. Claims due rows."""
    now = now or timezone.now()

    def end(introduction):
        introduction.state, introduction.settled_at = IntroductionState.ENDED, now
        introduction.save(update_fields=["state", "settled_at"])
        activity.record("members.introduction_ended", actor=None, target=introduction)

    due = Introduction.objects.open().filter(expires_at__lte=now)
    return jobs.serve(due.order_by("expires_at", "pk"), end)


@transaction.atomic
def withdraw_introductions(*, member: Member) -> None:
    """Somebody is out: what they proposed, and what was put before them, waits no more. Their mails find it withdrawn."""
    Introduction.objects.open().filter(
        Q(proposer=member.pk) | Q(first=member.pk) | Q(second=member.pk)
    ).update(state=IntroductionState.WITHDRAWN, settled_at=timezone.now())


@transaction.atomic
def forget_introductions(*, member: Member) -> None:
    """Part of deleting an account: their reasons are their words, and the others' reasons are about them."""
    Introduction.objects.filter(Q(proposer=member.pk) | Q(first=member.pk) | Q(second=member.pk)).delete()
