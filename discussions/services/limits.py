"""How much one person may write, and whose words a moderator sees first. Asked inside the services that write."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kmnet.core.moments import in_words
from members.models import Member
from members.permissions import can_moderate

from ..models import DiscussionSettings, HeldFor, Mask, Post, Readers, Space, Thread

DAY = timedelta(days=1)
NEAR = 20  # so close to a limit the count is made under the lock of the member's row
LINK = re.compile(r"\bhttps?://[^\s<>\"')\]]+|\bwww\.[^\s<>\"')\]]+", re.IGNORECASE)


class LimitReached(Exception):
    """More than one person may write in that time. `sentence` says which limit and, in their zone, when it ends."""

    def __init__(self, sentence: str, until: datetime):
        super().__init__(sentence)
        self.sentence, self.until = sentence, until


@dataclass(frozen=True)
class Allowance:
    """What a member may write within 24 hours."""

    threads: int
    posts: int
    conversations: int
    is_new: bool


def is_new_here(author: Member) -> bool:
    """Joined lately, and trusted with no task."""
    trusted = author.is_host or author.is_organiser or author.is_moderator or author.is_superuser
    days = DiscussionSettings.load().new_member_days
    return not trusted and author.joined_at > timezone.now() - timedelta(days=days)


def allowance(author: Member) -> Allowance:
    found = DiscussionSettings.load()
    if is_new_here(author):
        return Allowance(
            found.new_threads_per_day, found.new_posts_per_day, found.new_conversations_per_day, True
        )
    return Allowance(found.threads_per_day, found.posts_per_day, found.conversations_per_day, False)


def check_may_start(author: Member, space: Space) -> None:
    """Raises LimitReached when this thread (in the space of conversations: this conversation), or its first post,
    would be one too many within 24 hours. May lock the author's row."""
    may = allowance(author)
    talks = space.readable_by == Readers.PEOPLE
    most = may.conversations if talks else may.threads
    begun = _times(author, begun=True, talks=talks, most=most)
    if len(begun) >= most:
        if not most:
            raise LimitReached(*_not_yet(author))
        said = (
            ngettext(
                "You have begun %(count)d conversation within 24 hours",
                "You have begun %(count)d conversations within 24 hours",
                most,
            )
            if talks
            else ngettext(
                "You have started %(count)d thread within 24 hours",
                "You have started %(count)d threads within 24 hours",
                most,
            )
        )
        raise LimitReached(*_sentence(author, may, said, most, begun[most - 1] + DAY))
    _check_posts(author, may)


def check_may_reply(author: Member, thread: Thread, *, written: list[datetime] | None = None) -> None:
    """Raises LimitReached when one more post would be too many within 24 hours, or comes too soon in a thread in slow
    mode (from which moderators are spared). May lock the author's row; the caller holds the thread's. `written`: when
    their posts of these hours were written, where the caller has read it under that lock."""
    if thread.slow_seconds and not can_moderate(author):
        _check_pace(author, thread)
    _check_posts(author, allowance(author), written)


def _check_posts(author: Member, may: Allowance, written: list[datetime] | None = None) -> None:
    written = _times(author, most=may.posts, known=written)
    if len(written) >= may.posts:
        said = ngettext(
            "You have written %(count)d post within 24 hours",
            "You have written %(count)d posts within 24 hours",
            may.posts,
        )
        raise LimitReached(*_sentence(author, may, said, may.posts, written[may.posts - 1] + DAY))


def _check_pace(author: Member, thread: Thread) -> None:
    soon = timedelta(seconds=thread.slow_seconds)
    mine = by(author, Post.objects.filter(thread=thread, created_at__gt=timezone.now() - soon))
    last = mine.order_by("-created_at").values_list("created_at", flat=True).first()
    if last is not None:
        until = last + soon
        sentence = _(
            "This thread is in slow mode: each person may write once in %(pace)s. You can write again %(when)s."
        ) % {"pace": pace_in_words(thread.slow_seconds), "when": when(author, until)}
        raise LimitReached(sentence, until)


def by(author: Member, posts: QuerySet[Post]) -> QuerySet[Post]:
    """Of these posts the author's, also those without their name; a union, so that each is read from its own index."""
    masked = posts.filter(mask__in=Mask.objects.filter(member=author))
    return posts.filter(author=author).union(masked, all=True)


def written_since(
    author: Member, since: datetime, *, most: int, posts: QuerySet[Post] | None = None
) -> QuerySet:
    """When the author's posts since then (or of them `posts`) were written, the newest first, no more than `most`."""
    posts = _since(since) if posts is None else posts
    return by(author, posts).order_by("-created_at").values_list("created_at", flat=True)[:most]


def _since(moment: datetime) -> QuerySet[Post]:
    posts = Post.objects.filter(created_at__gt=moment)
    return posts.filter(published_at__gt=moment) | posts.filter(
        published_at__isnull=True
    )  # read from an index


def _times(
    author: Member,
    *,
    most: int,
    begun: bool = False,
    talks: bool | None = None,
    known: list[datetime] | None = None,
) -> list[datetime]:
    """When the author's posts of the last 24 hours were written, the newest first, no more than `most`. What is `known`
    is read again where it matters: near the limit, under the lock of the author's row."""
    since = timezone.now() - DAY
    posts = _since(since)
    if begun:
        here = Thread.objects.filter(space__readable_by=Readers.PEOPLE).values("pk")
        posts = posts.filter(number=1) | posts.filter(number__isnull=True, heading__gt="")
        posts = posts.filter(thread__in=here) if talks else posts.exclude(thread__in=here)

    def read() -> list[datetime]:
        return list(written_since(author, since, most=most, posts=posts))

    times = read() if known is None else known
    if most - NEAR <= len(times) < most:  # of several at the same moment none may slip past
        Member.objects.select_for_update(no_key=True).get(pk=author.pk)
        times = read()
    return times


def _not_yet(author: Member) -> tuple[str, datetime]:
    """A new member may begin none at all: until they are new no more."""
    until = author.joined_at + timedelta(days=DiscussionSettings.load().new_member_days)
    said = _("Who is new here cannot begin a conversation yet. You can %(when)s.")
    return said % {"when": when(author, until)}, until


def _sentence(author: Member, may: Allowance, said: str, count: int, until: datetime) -> tuple[str, datetime]:
    most = _("the most for somebody who is new here") if may.is_new else _("the most for one person")
    sentence = _("%(said)s: %(most)s. You can go on %(when)s. Your text is still here.") % {
        "said": said % {"count": count},
        "most": most,
        "when": when(author, until),
    }
    return sentence, until


def when(author: Member, moment: datetime) -> str:
    """“from tomorrow, 14:05”, by the clock of this member; rounded up to the minute."""
    if moment.second or moment.microsecond:
        moment = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    with timezone.override(ZoneInfo(author.time_zone)):
        return _("from %(moment)s") % {"moment": in_words(moment)}


def pace_in_words(seconds: int) -> str:
    """“30 seconds”, “5 minutes”, “2 hours”."""
    if seconds % 3600 == 0:
        return ngettext("%(count)d hour", "%(count)d hours", seconds // 3600) % {"count": seconds // 3600}
    if seconds % 60 == 0:
        return ngettext("%(count)d minute", "%(count)d minutes", seconds // 60) % {"count": seconds // 60}
    return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}


# --- holding ---------------------------------------------------------------------------------------------------------
def must_hold(author: Member, space: Space, text: str, *, has_appeared: bool | None = None) -> str:
    """Why a moderator looks at these words before they appear (a HeldFor), or "". `has_appeared`: has
    something that the author wrote, as was seen a moment ago?

    Never in a group's space and never in conversations, where no moderator looks unless somebody there asks for it.
    """
    found = DiscussionSettings.load()
    if space.readable_by in (Readers.GROUP, Readers.PEOPLE) or not is_new_here(author):
        return ""
    if not (found.held_posts or found.held_links) or (has_appeared and found.held_posts <= 1):
        return ""
    most = max(found.held_posts, 1) if has_appeared is not False else 0
    appeared = Post.objects.filter(author=author, published_at__isnull=False)
    appeared = most and appeared.exclude(thread__space__readable_by=Readers.PEOPLE)[:most].count()
    if appeared < found.held_posts:
        return HeldFor.NEW
    if found.held_links and not appeared and links_elsewhere(text) >= found.held_links:
        return HeldFor.LINKS
    return ""


def links_elsewhere(text: str) -> int:
    """How many different addresses outside of this site a text names."""
    ours = urlsplit(settings.SITE_URL).hostname
    found = {link.rstrip(".,;:!?").lower() for link in LINK.findall(text)}
    return sum(urlsplit(link if "://" in link else f"//{link}").hostname != ours for link in found)
