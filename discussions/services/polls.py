"""Polls: opening, voting, closing. Whoever votes, closes or changes a poll locks its row first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.aggregates import ArrayAgg
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from kmnet.core import jobs
from kmnet.core.audit import record_act
from members.models import Member

from ..models import Poll, PollOption, Thread, Vote
from ..permissions import can_change_poll, can_close_poll, can_vote, is_author
from ..tallies import outcome_of
from .keeping_order import ReasonMissing

FEWEST, MOST = 2, 10


class PollClosed(Exception):
    """It takes no more votes; it may have closed while one was being given."""


class AlreadyVoted(Exception):
    """Somebody chose among these answers: they cannot become others."""


@dataclass(frozen=True)
class PollWanted:
    """What somebody asks for when they start one."""

    options: Sequence[str]
    way: str = Poll.Way.SINGLE
    closes_at: datetime | None = None
    results: str = Poll.Results.ALWAYS
    is_anonymous: bool = True


def check_options(options: Sequence[str]) -> None:
    """ValueError where the form should have said so."""
    if not FEWEST <= len(options) <= MOST or len({option.casefold() for option in options}) < len(options):
        raise ValueError("two to ten different answers")


def open_poll(*, thread: Thread, wanted: PollWanted) -> Poll:
    """Part of starting the thread, in its transaction."""
    check_options(wanted.options)
    poll = Poll.objects.create(
        thread=thread,
        way=Poll.Way(wanted.way),
        closes_at=wanted.closes_at,
        results=Poll.Results(wanted.results),
        is_anonymous=wanted.is_anonymous,
    )
    write_options(poll, wanted.options)
    return poll


def write_options(poll: Poll, options: Sequence[str]) -> None:
    PollOption.objects.bulk_create(
        [PollOption(poll=poll, position=number, text=text) for number, text in enumerate(options, start=1)]
    )


def lock_poll(pk: int) -> Poll:
    return Poll.objects.select_for_update(of=("self",)).select_related("thread__space").get(pk=pk)


@transaction.atomic
def vote(*, member: Member, poll: Poll, choices: Sequence[int]) -> None:
    """These options (ids; in a ranked poll the first choice first) in place of what the member chose before; none takes
    the vote back. Locks the poll. Raises PollClosed, PermissionDenied, ValueError (not a ballot of this poll)."""
    poll = lock_poll(poll.pk)
    if not can_vote(member, poll):
        raise PermissionDenied
    if not poll.is_open():
        raise PollClosed
    known = set(poll.options.values_list("pk", flat=True))
    if len(set(choices)) < len(choices) or not set(choices) <= known:
        raise ValueError("not answers of this poll")
    if poll.way == Poll.Way.SINGLE and len(choices) > 1:
        raise ValueError("one answer alone")
    ranked = poll.way == Poll.Way.RANKED
    Vote.objects.filter(poll=poll, member=member).delete()
    Vote.objects.bulk_create(
        [
            Vote(
                poll=poll,
                option_id=option,
                member=member,
                rank=rank if ranked else None,
                is_only=poll.way == Poll.Way.SINGLE,
            )
            for rank, option in enumerate(choices, start=1)
        ]
    )


def ballots_of(poll: Poll) -> list[list[int]]:
    """What each voter chose, in the order of their ranks; whose it is is not part of it."""
    chosen = Vote.objects.filter(poll=poll).values("member").order_by("member")
    return [
        ballot
        for _member, ballot in chosen.annotate(
            ballot=ArrayAgg("option", order_by=("rank", "pk"))
        ).values_list("member", "ballot")
    ]


def count(poll: Poll, options: Sequence[int]) -> dict:
    """The stored outcome of a closed poll, else that of the votes as they are."""
    return poll.outcome or outcome_of(poll.way, ballots_of(poll), options)


def _close(poll: Poll, at: datetime) -> None:
    """Counted for good. Who voted what in an anonymous poll is known to nobody from here on, the database included."""
    poll.outcome = outcome_of(
        poll.way, ballots_of(poll), list(poll.options.order_by("position").values_list("pk", flat=True))
    )
    poll.closed_at = at
    poll.save(update_fields=["outcome", "closed_at"])
    if poll.is_anonymous:
        Vote.objects.filter(poll=poll).delete()


@transaction.atomic
def close_poll(*, actor: Member, poll: Poll, reason: str = "") -> Poll:
    """No more votes; twice is once. Locks the poll. A moderator says why, for the log. PermissionDenied, ReasonMissing."""
    poll = lock_poll(poll.pk)
    if not can_close_poll(actor, poll):
        raise PermissionDenied
    if poll.closed_at is not None:
        return poll
    if not is_author(actor, poll.thread):
        if not reason.strip():
            raise ReasonMissing
        record_act(
            actor=actor,
            verb="discussions.poll_closed",
            target=poll.thread,
            reason=reason,
            data={"poll": poll.pk},
        )
    now = timezone.now()
    _close(poll, poll.closes_at if poll.closes_at and poll.closes_at <= now else now)
    return poll


def close_due_polls(*, now: datetime | None = None) -> int:
    """Count the polls whose time is over; return how many. Any number of workers may run it: the lock is the claim."""
    now = now or timezone.now()
    due = Poll.objects.filter(closed_at__isnull=True, closes_at__lte=now).order_by("closes_at", "pk")
    return jobs.serve(due, lambda poll: _close(poll, poll.closes_at))


@transaction.atomic
def change_options(*, actor: Member, poll: Poll, options: Sequence[str]) -> None:
    """Other answers to choose from, as long as nobody has chosen. Locks the poll. PermissionDenied, PollClosed,
    AlreadyVoted, ValueError."""
    poll = lock_poll(poll.pk)
    if not can_change_poll(actor, poll):
        raise PermissionDenied
    if not poll.is_open():
        raise PollClosed
    if Vote.objects.filter(poll=poll).exists():
        raise AlreadyVoted
    check_options(options)
    poll.options.all().delete()
    write_options(poll, options)
