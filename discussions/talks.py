"""What the pages of conversations show: the list of one's own, and a stretch of one of them."""

from dataclasses import dataclass, field

from django.db.models import F, FilteredRelation, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kmnet.core.text import excerpt
from members.models import Member

from .models import Participant, Post, Thread, ThreadWatch
from .models.numbers import HowMany, IsEmpty, Lowest, Unread

SIZE = 20
BEFORE = 3  # messages shown above the one that a link leads to
NAMED = 3  # people whose names stand in a title; of more the number


# --- the list --------------------------------------------------------------------------------------------------------
def my_seats(member, show: str = "") -> QuerySet:
    """The member's seats with all that a row of the list shows, but for the people; the latest on top. `show`: "unread",
    "left", or "" for all that they are in."""
    seats = Participant.objects.filter(member=member).select_related("thread")
    if show == "left":
        return seats.filter(left_at__isnull=False)
    seats = seats.staying().annotate(
        reading=FilteredRelation("thread__read_states", condition=Q(thread__read_states__member=member)),
        watch=FilteredRelation("thread__watches", condition=Q(thread__watches__member=member)),
    )
    unread = Unread(last="thread__last_number", gone="thread__gone_numbers", read="reading__numbers")
    seats = seats.annotate(
        unread_count=HowMany(unread), watch_level=F("watch__level"), watch_until=F("watch__until")
    )
    if show == "unread":
        seats = seats.filter(~IsEmpty(unread))
    return seats.select_related("thread__last_post__author").defer(
        "thread__last_post__search", "thread__last_post__html", "thread__last_post__heading"
    )


def rows_of(seats: list[Participant], member) -> list["Row"]:
    """One query for the people of all of them."""
    people = Participant.objects.filter(thread__in=[seat.thread_id for seat in seats]).order_by(
        "joined_at", "pk"
    )
    by_thread: dict[int, list[Participant]] = {}
    for other in people.select_related("member"):
        by_thread.setdefault(other.thread_id, []).append(other)
    return [Row(seat, others_in(by_thread.get(seat.thread_id, []), member), member) for seat in seats]


@dataclass
class Row:
    """One line of the list."""

    seat: Participant
    people: list[Member]
    reader: Member

    @property
    def thread(self) -> Thread:
        return self.seat.thread

    @property
    def title(self) -> str:
        return names_of(self.people)

    @property
    def is_muted(self) -> bool:
        seat = self.seat
        return is_muted(getattr(seat, "watch_level", None), getattr(seat, "watch_until", None))

    @property
    def last(self) -> Post | None:
        """The latest message, if it is theirs to read and nobody's whom they keep at a distance."""
        post = self.thread.last_post
        if post is None or self.seat.has_left or not self.seat.covers(post.number):
            return None
        return None if post.author_id in self.reader.unwanted else post

    @property
    def words(self) -> str:
        return excerpt(self.last.source, 140) if self.last else ""


def is_muted(level: str | None, until) -> bool:
    return level == ThreadWatch.Level.MUTED and (until is None or until > timezone.now())


def others_in(seats: list[Participant], member) -> list[Member]:
    """Whom the member talks with: those who are there, or where nobody is any more, those who were."""
    others = [seat for seat in seats if seat.member_id != member.pk]
    return [seat.member for seat in others if not seat.has_left] or [seat.member for seat in others]


def names_of(people: list[Member]) -> str:
    """“Ana Sousa”, “Ana Sousa and Per Lind”, “Ana Sousa, Per Lind, Kofi Mensah and 2 more”."""
    names = [person.name for person in people]
    if not names:
        return _("Nobody else is here any more")
    if len(names) > NAMED:
        more = len(names) - NAMED
        said = ngettext("%(names)s and %(more)d more", "%(names)s and %(more)d more", more)
        return said % {"names": ", ".join(names[:NAMED]), "more": more}
    if len(names) == 1:
        return names[0]
    return _("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}


# --- one conversation ------------------------------------------------------------------------------------------------
def with_marker(threads: QuerySet, member) -> QuerySet:
    """Each conversation with `read_numbers` and `first_unread`; whoever takes part has a marker there."""
    marked = threads.annotate(marker=FilteredRelation("read_states", condition=Q(read_states__member=member)))
    return marked.annotate(
        read_numbers=F("marker__numbers"), first_unread=Lowest(Unread(read="marker__numbers"))
    )


@dataclass
class Stretch:
    """Messages in the order of time, and the numbers at which the neighbouring stretches begin."""

    posts: list[Post] = field(default_factory=list)
    after: int | None = None
    before: int | None = None


def stretch(thread: Thread, seat: Participant, **asked: int | None) -> Stretch:
    """Around `post`, behind `after`, ahead of `before`; else from the first unread one on (`unread`), else the latest.

    Never a message outside of the seat's own numbers.
    """
    last = seat.left_number if seat.has_left else thread.last_number
    posts = Post.objects.with_page().on_pages()
    posts = posts.filter(thread=thread, number__range=(seat.first_number, last))
    found = None
    if asked.get("after"):
        found = forwards(posts.filter(number__gt=asked["after"]))
    elif asked.get("before"):
        found = backwards(posts.filter(number__lt=asked["before"]))
    else:
        target = asked.get("post") or asked.get("unread")
        if target and target <= last - SIZE + BEFORE:
            found = forwards(posts.filter(number__gte=target - BEFORE))
    page = Stretch(found if found is not None else backwards(posts))
    if page.posts:
        low, high = page.posts[0].number, page.posts[-1].number
        page.before = low if low > seat.first_number else None
        page.after = high if high < last else None
    return page


def forwards(posts: QuerySet) -> list[Post]:
    return list(posts.order_by("number")[:SIZE])


def backwards(posts: QuerySet) -> list[Post]:
    return list(posts.order_by("-number")[:SIZE])[::-1]


@dataclass
class Item:
    """One message as it stands on the page, with what happened just before it."""

    post: Post
    events: list[str] = field(default_factory=list)
    shown: bool = True
    is_new: bool = False
    starts_news: bool = False


def items_of(page: Stretch, seats: list[Participant], reader: Member) -> tuple[list[Item], list[str]]:
    """The messages, each with who came or left ahead of it; and who did so after the last one (on the last stretch)."""
    events = comings_and_goings(seats, reader)
    items, low = [], page.posts[0].number - 1 if page.posts else 0
    for post in page.posts:
        said = [words for number, words in events if low < number <= post.number]
        low = post.number
        shown = post.is_shown or (post.author_id == reader.pk and not post.is_taken_back)
        if not shown:
            post.html = ""  # the words are not on the page at all
        items.append(Item(post, said, shown))
    closing = [words for number, words in events if number > low] if page.after is None else []
    return items, closing


def comings_and_goings(seats: list[Participant], reader: Member) -> list[tuple[int, str]]:
    """(the number before which it happened, what), as far as this reader was there."""
    mine = next(seat for seat in seats if seat.member_id == reader.pk)
    names = {seat.member_id: seat.member.name for seat in seats}
    found = []
    for seat in seats:
        if seat.added_by_id:
            who = {"name": seat.member.name, "by": names.get(seat.added_by_id, "")}
            said = (
                _("%(by)s brought in %(name)s, who reads from here on")
                if who["by"]
                else _("%(name)s came in")
            )
            found.append((seat.joined_at, seat.first_number, said % who))
        if seat.has_left:
            found.append(
                (seat.left_at, seat.left_number + 1, _("%(name)s left") % {"name": seat.member.name})
            )
    found = [one for one in sorted(found) if one[0] >= mine.joined_at]
    if mine.has_left:
        found = [one for one in found if one[0] <= mine.left_at]
    return [(number, words) for _at, number, words in found]
