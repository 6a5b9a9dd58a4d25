"""What one letter holds: the order of its sections, and the minutes that the reader has for it. Asks the database
nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .readers import Reader
from .talks import News, Talk, Talks, is_followed, news_to

QUESTIONS, REPLIES, FOLLOWED, REST = 3, 5, 12, 12
TO_ANSWER = 2.0  # minutes; never more than half of those that the reader has
FOR_QUESTIONS = 0.8  # of the minutes at most: other things are to be told, too
GLANCE, LINE = 0.1, 0.2  # minutes: a line about what one knows of, and about something new
FOR_LINES = 0.3  # of the minutes are kept for them


class Minutes:
    """The time that is left."""

    def __init__(self, given: float):
        self.given, self.left = given, given

    def take(self, minutes: float, *, at_most: float | None = None) -> bool:
        """Spend so many, if they are there; with `at_most`, of so many of all."""
        spent = self.given - self.left
        if minutes > self.left + 1e-9 or (at_most is not None and spent + minutes > at_most + 1e-9):
            return False
        self.left -= minutes
        return True


@dataclass
class Choice:
    """The news of one letter, by section; `more`: there was not time for all of it.

    What the reader wants no mail about at all is in none (of questions only that they are asked to answer them)."""

    questions: list[News] = field(default_factory=list)
    replies: list[News] = field(default_factory=list)
    followed: list[News] = field(default_factory=list)
    rest: list[News] = field(default_factory=list)
    more: bool = False

    @property
    def talks(self) -> Iterator[News]:
        for section in (self.questions, self.replies, self.followed, self.rest):
            yield from section


def choose(reader: Reader, talks: Talks, minutes: Minutes) -> Choice:
    """Fill the letter in the order of its sections; what does not fit is left out, and said."""
    choice, taken = Choice(), set()

    def fill(section, found: Iterable[News], most: int, *, category="", cost=None, share=None) -> None:
        for news in found:
            if news.talk.pk in taken:
                continue
            if category in reader.refused:
                taken.add(news.talk.pk)
                continue
            needed = cost if cost is not None else news.minutes
            if len(section) == most or not minutes.take(needed, at_most=share):
                choice.more = True
                return
            section.append(news)
            taken.add(news.talk.pk)

    whole = minutes.given
    answering = min(TO_ANSWER, whole / 2)
    if "could_answer" not in reader.refused:
        share = FOR_QUESTIONS * whole
        fill(choice.questions, questions_for(reader, talks), QUESTIONS, cost=answering, share=share)
        choice.more = False  # a question that is left out is found again below
    fill(choice.replies, replies_to(reader, talks), REPLIES, category="reply")
    fill(choice.followed, followed_by(reader, talks), FOLLOWED, category="watched")
    fill(choice.rest, by_interest(reader, talks), REST)
    return choice


def questions_for(reader: Reader, talks: Talks) -> Iterator[News]:
    """Unanswered questions of others that the reader could answer: those closest to what they can help with, then those
    that wait longest."""
    found = {talk.pk: talk for slug in reader.helps for talk in talks.by_slug.get(slug, ()) if talk.waits}
    order = sorted(
        (talk for talk in found.values() if talk.starter != reader.pk),
        key=lambda talk: (-len(talk.slugs & reader.helps), talk.created_at, talk.pk),
    )
    return _news(reader, order)


def replies_to(reader: Reader, talks: Talks) -> Iterator[News]:
    """Threads that the reader began, and those in which somebody answered them or named them."""
    found = {talk.pk: talk for talk in talks.started_by.get(reader.pk, ())}
    found |= {talk.pk: talk for talk in talks.answering.get(reader.pk, ())}
    for post in reader.mentioned:
        if post in talks.of_post:
            found[talks.of_post[post]] = talks.by_id[talks.of_post[post]]
    for news in _news(reader, sorted(found.values(), key=lambda talk: talk.rank)):
        if news.talk.starter == reader.pk:
            yield news
            continue
        mine = [post for post in news.posts if post.answers == reader.pk or post.pk in reader.mentioned]
        if mine:  # begins with what is said to them, not with what was said before it
            yield News(news.talk, [post for post in news.posts if post.number >= mine[0].number])


def followed_by(reader: Reader, talks: Talks) -> Iterator[News]:
    """Threads that the reader watches or tracks, however that came about."""
    following = reader.following
    found = {pk: talks.by_id[pk] for pk in (*following.threads, *following.replied) if pk in talks.by_id}
    for tag in following.tags:
        found |= {talk.pk: talk for talk in talks.by_tag.get(tag, ())}
    for space in {*following.spaces, *following.usual}:
        found |= {talk.pk: talk for talk in talks.in_space.get(space, ())}
    for talk in sorted(found.values(), key=lambda talk: talk.rank):
        if is_followed(reader, talk) and (news := news_to(reader, talk)):
            yield news


def by_interest(reader: Reader, talks: Talks) -> Iterator[News]:
    """All else in the reader's spaces: what shares most with what they care for, then where most people speak."""
    shared: dict[int, int] = {}
    for slug in reader.likes:
        for talk in talks.by_slug.get(slug, ()):
            shared[talk.pk] = shared.get(talk.pk, 0) + 1
    order = sorted(shared, key=lambda pk: (-shared[pk], talks.by_id[pk].rank))
    yield from _news(reader, (talks.by_id[pk] for pk in order))
    yield from _news(reader, (talk for talk in talks.by_rank if talk.pk not in shared))


def _news(reader: Reader, talks: Iterable[Talk]) -> Iterator[News]:
    for talk in talks:
        news = news_to(reader, talk)
        if news is not None:
            yield news


def choose_lines(minutes: Minutes, *lists: tuple[list, float]) -> list[list]:
    """As much of each list as there is time for, in their order; each comes with the minutes of one line."""
    return [[one for one in some if minutes.take(cost)] for some, cost in lists]
