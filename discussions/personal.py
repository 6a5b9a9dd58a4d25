"""What this app holds about people: their parts of the copy, and what becomes of it when they leave."""

from django.contrib.postgres.aggregates import ArrayAgg
from django.utils.translation import gettext_lazy as _

from kmnet.core.personal_data import (
    Fate,
    PersonalData,
    declare,
    declare_impersonal,
    register,
    rows,
    tag_names,
)

from .models import (
    AskedToAnswer,
    Bookmark,
    CaughtUp,
    Draft,
    Kind,
    Mask,
    Mention,
    Participant,
    Poll,
    Post,
    PostFile,
    PostVersion,
    QuietThanks,
    Reaction,
    ReadState,
    SpaceLevel,
    TagLevel,
    ThanksMonth,
    Thread,
    ThreadWatch,
    Vote,
    written_by,
)


def threads(member):
    found = Thread.objects.filter(written_by(member)).exclude(kind=Kind.CONVERSATION).order_by("pk")
    return rows(
        found.annotate(named=tag_names("tags")),
        "id", "kind", "title", "created_at", "state", "hidden_reason", "closed_at", "closed_reason",
        space="space__name", tags="named",
    )  # fmt: skip


def posts(member):
    found = Post.objects.filter(written_by(member)).order_by("pk")
    return rows(
        found,
        "number", "source", "created_at", "published_at", "edited_at", "deleted_at", "language", "state",
        "hidden_reason", "cut_words",
        thread="thread_id", thread_title="thread__title",
    )  # fmt: skip


def versions(member):
    """What my posts said before I changed them."""
    found = PostVersion.objects.filter(written_by(member, "post__")).order_by("pk")
    return rows(found, "title", "source", "replaced_at", thread="post__thread_id", number="post__number")


def reading(member):
    found = ReadState.objects.filter(member=member).order_by("pk")
    return rows(found, "seen_at", "numbers", thread="thread_id")


def caught_up(member):
    """When I said that I had read everything."""
    found = CaughtUp.objects.filter(member=member).order_by("pk")
    return rows(found, "at", space="space__name")


def mentions(member):
    """Where others named me."""
    found = Mention.objects.filter(member=member).order_by("pk")
    return rows(found, "at", thread="post__thread_id", number="post__number")


def watches(member):
    found = ThreadWatch.objects.filter(member=member).order_by("pk")
    return rows(found, "level", "chosen", "until", "changed_at", thread="thread_id")


def followed_spaces(member):
    found = SpaceLevel.objects.filter(member=member).order_by("pk")
    return rows(found, "level", "until", "changed_at", space="space__name")


def followed_tags(member):
    found = TagLevel.objects.filter(member=member).order_by("pk")
    return rows(found, "level", "until", "changed_at", tag="tag__name")


def reactions(member):
    found = Reaction.objects.filter(member=member).order_by("pk")
    return rows(found, "kind", "at", thread="post__thread_id", number="post__number")


def quiet_thanks(member):
    """The thanks that I gave; who thanked me is not mine to know."""
    found = QuietThanks.objects.filter(member=member).order_by("pk")
    return rows(found, "at", thread="post__thread_id", number="post__number")


def thanks_told(member):
    """How many people I helped, as I was told."""
    found = ThanksMonth.objects.filter(author=member).order_by("pk")
    return rows(found, "month", "people", "countries", "told_at")


def polls(member):
    """What I asked, and the answers that I offered; how others voted is theirs."""
    found = Poll.objects.filter(written_by(member, "thread__")).order_by("pk")
    return rows(
        found.annotate(offered=ArrayAgg("options__text", order_by="options__position")),
        "way", "closes_at", "closed_at", "results", "is_anonymous",
        thread="thread_id", answers="offered",
    )  # fmt: skip


def votes(member):
    found = Vote.objects.filter(member=member).order_by("pk")
    return rows(found, "rank", "at", answer="option__text", thread="poll__thread_id")


def bookmarks(member):
    found = Bookmark.objects.filter(member=member).order_by("pk")
    return rows(
        found, "note", "remind_at", "reminded_at", "not_reminded", "created_at",
        thread="post__thread_id", number="post__number",
    )  # fmt: skip


def drafts(member):
    found = Draft.objects.filter(member=member).order_by("pk")
    return rows(found, "key", "data", "created_at", "updated_at", thread="thread_id")


def files(member):
    found = PostFile.objects.filter(uploader=member).order_by("pk")
    return rows(found, "name", "size", "created_at", thread="post__thread_id", number="post__number")


def stored_files(member):
    for kept in PostFile.objects.filter(uploader=member).order_by("pk").iterator(chunk_size=100):
        yield f"{kept.pk}-{kept.name}", kept.file


def masks(member):
    """The names under which I wrote without mine."""
    found = Mask.objects.filter(member=member).order_by("pk")
    return rows(found, "name", "made_at", thread="thread_id")


def conversations(member):
    """When I was in which. What I wrote there is among my posts; what others wrote, and who they are, is theirs."""
    found = Participant.objects.filter(member=member).order_by("pk")
    return rows(found, "joined_at", "left_at", thread="thread_id")


def askings(member):
    """Where I was asked whether I could answer."""
    found = AskedToAnswer.objects.filter(member=member).order_by("pk")
    return rows(found, "as_host", "why", "at", thread="thread_id")


register(PersonalData("threads", _("Threads I started"), threads, covers=("discussions.Thread",), order=30))
register(PersonalData("posts", _("Posts"), posts, covers=("discussions.Post",), order=31))
register(
    PersonalData(
        "earlier-versions", _("Earlier versions"), versions, covers=("discussions.PostVersion",), order=32
    )
)
register(PersonalData("read", _("What I have read"), reading, covers=("discussions.ReadState",), order=33))
register(
    PersonalData(
        "caught-up", _("When I was caught up"), caught_up, covers=("discussions.CaughtUp",), order=33
    )
)
register(
    PersonalData("mentions", _("Where I was mentioned"), mentions, covers=("discussions.Mention",), order=37)
)
register(PersonalData("followed", _("What I follow"), watches, covers=("discussions.ThreadWatch",), order=34))

register(
    PersonalData(
        "followed-spaces", _("Spaces I follow"), followed_spaces, covers=("discussions.SpaceLevel",), order=34
    )
)
register(
    PersonalData(
        "followed-tags", _("Tags I follow"), followed_tags, covers=("discussions.TagLevel",), order=34
    )
)
register(PersonalData("reactions", _("Reactions"), reactions, covers=("discussions.Reaction",), order=35))
register(
    PersonalData(
        "quiet-thanks", _("Thanks I gave"), quiet_thanks, covers=("discussions.QuietThanks",), order=35
    )
)
register(
    PersonalData(
        "thanks-told", _("How many I helped"), thanks_told, covers=("discussions.ThanksMonth",), order=35
    )
)
register(
    PersonalData(
        "polls", _("Polls I asked"), polls, covers=("discussions.Poll", "discussions.PollOption"), order=35
    )
)
register(PersonalData("votes", _("How I voted"), votes, covers=("discussions.Vote",), order=35))
register(PersonalData("bookmarks", _("Bookmarks"), bookmarks, covers=("discussions.Bookmark",), order=36))
register(PersonalData("drafts", _("Drafts"), drafts, covers=("discussions.Draft",), order=36))
register(
    PersonalData(
        "post-files",
        _("Files in posts"),
        files,
        files=stored_files,
        covers=("discussions.PostFile",),
        order=36,
    )
)
register(
    PersonalData(
        "other-names", _("Where I wrote without my name"), masks, covers=("discussions.Mask",), order=37
    )
)
register(
    PersonalData(
        "conversations", _("Conversations"), conversations, covers=("discussions.Participant",), order=37
    )
)
register(
    PersonalData(
        "asked-to-answer", _("Where I was asked"), askings, covers=("discussions.AskedToAnswer",), order=38
    )
)

declare(
    "discussions.Thread",
    author=Fate.STAYS,
    title=Fate.WIPED,  # where they took their words along
    excerpt=Fate.WIPED,
    slug=Fate.WIPED,
    people=Fate.STAYS,
    hidden_reason=Fate.REDACTED,
    closed_reason=Fate.REDACTED,
    mask_name=Fate.STAYS,  # the name of a bird or a tree
)
declare(
    "discussions.Post",
    author=Fate.STAYS,
    source=Fate.WIPED,  # where they took their words along
    cut_words=Fate.WIPED,
    html=Fate.WIPED,
    heading=Fate.WIPED,
    language=Fate.STAYS,
    search=Fate.WIPED,
    hidden_reason=Fate.REDACTED,
    mask_name=Fate.STAYS,
)
declare("discussions.PostVersion", source=Fate.WIPED, title=Fate.WIPED)
declare(
    "discussions.PostFile",
    file=Fate.STAYS,  # with the post that it is in
    name=Fate.STAYS,
    content_type=Fate.STAYS,
    sha256=Fate.STAYS,
)
declare("discussions.Mask", name=Fate.STAYS)
declare("discussions.AskedToAnswer", why=Fate.GOES)
declare("discussions.Draft", key=Fate.GOES, data=Fate.GOES)
declare("discussions.Bookmark", note=Fate.GOES, not_reminded=Fate.GOES)
declare("discussions.PollOption", text=Fate.STAYS)
declare("discussions.Poll", outcome=Fate.STAYS)  # numbers
declare_impersonal("discussions.Space", "discussions.MovedPost", "discussions.DiscussionSettings")
