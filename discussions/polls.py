"""A poll as one reader sees it: its answers, and the numbers where they are shown. At most three queries."""

from dataclasses import dataclass, field

from django.db.models import Count, Min, Q

from . import services
from .models import Poll, PollOption, Thread, Vote
from .permissions import can_change_poll, can_close_poll, can_see_results, can_see_votes, can_vote


@dataclass
class Row:
    """One answer. The numbers are None where nobody sees them yet: a template cannot show what is hidden."""

    option: PollOption
    is_mine: bool = False
    my_rank: int | None = None
    count: int | None = None
    percent: int | None = None
    place: int | None = None


@dataclass
class Shown:
    poll: Poll
    rows: list[Row] = field(default_factory=list)
    voters: int = 0
    is_open: bool = False
    has_results: bool = False
    has_voted: bool = False
    may_vote: bool = False
    may_close: bool = False
    may_change: bool = False
    sees_votes: bool = False
    form: object = None

    @property
    def results(self) -> list[Row]:
        """Ranked ones by place, the others as they were asked."""
        if self.poll.way != Poll.Way.RANKED:
            return self.rows
        return sorted(self.rows, key=lambda row: (row.place, row.option.position))


def shown_to(user, thread: Thread) -> Shown | None:
    """The poll of this thread, which the reader may see; None where it has none."""
    mine = Q(votes__member=user.pk) if user.is_authenticated else Q(pk__in=())
    options = PollOption.objects.filter(poll__thread=thread).select_related("poll").order_by("position")
    options = list(
        options.annotate(mine=Count("votes", filter=mine), my_rank=Min("votes__rank", filter=mine))
    )
    if not options:
        return None
    poll = options[0].poll
    poll.thread = thread
    is_open, writes = poll.is_open(), can_vote(user, poll)
    shown = Shown(
        poll,
        rows=[Row(option, is_mine=bool(option.mine), my_rank=option.my_rank) for option in options],
        is_open=is_open,
        has_results=can_see_results(poll),
        has_voted=any(option.mine for option in options),
        may_vote=writes and is_open,
        may_close=is_open and can_close_poll(user, poll),
    )
    if shown.has_results:
        add_results(shown)
    else:
        shown.voters = Vote.objects.filter(poll=poll).values("member").distinct().count()
    shown.may_change = is_open and not shown.voters and can_change_poll(user, poll)
    shown.sees_votes = can_see_votes(user, poll, has_voted=shown.has_voted)
    return shown


def add_results(shown: Shown) -> None:
    outcome = services.polls.count(shown.poll, [row.option.pk for row in shown.rows])
    shown.voters = outcome["voters"]
    for row in shown.rows:
        key = str(row.option.pk)
        row.count, row.percent = outcome["counts"][key], outcome["percents"][key]
        row.place = outcome["places"][key]
