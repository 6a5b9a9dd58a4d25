"""What this app holds about people: their parts of the copy, and what becomes of it when they leave."""

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

from .models import Post, PostVersion, ReadState, Thread, ThreadWatch


def threads(member):
    found = Thread.objects.filter(author=member).order_by("pk")
    return rows(
        found.annotate(named=tag_names("tags")),
        "id", "kind", "title", "created_at", "state", "hidden_reason", "closed_at", "closed_reason",
        space="space__name", tags="named",
    )  # fmt: skip


def posts(member):
    found = Post.objects.filter(author=member).order_by("pk")
    return rows(
        found,
        "number", "source", "created_at", "published_at", "edited_at", "language", "state", "hidden_reason",
        thread="thread_id", thread_title="thread__title",
    )  # fmt: skip


def versions(member):
    """What my posts said before I changed them."""
    found = PostVersion.objects.filter(post__author=member).order_by("pk")
    return rows(found, "title", "source", "replaced_at", thread="post__thread_id", number="post__number")


def reading(member):
    found = ReadState.objects.filter(member=member).order_by("pk")
    return rows(found, "seen_at", "numbers", thread="thread_id")


def watches(member):
    found = ThreadWatch.objects.filter(member=member).order_by("pk")
    return rows(found, "level", "changed_at", thread="thread_id")


register(PersonalData("threads", _("Threads I started"), threads, covers=("discussions.Thread",), order=30))
register(PersonalData("posts", _("Posts"), posts, covers=("discussions.Post",), order=31))
register(
    PersonalData(
        "earlier-versions", _("Earlier versions"), versions, covers=("discussions.PostVersion",), order=32
    )
)
register(PersonalData("read", _("What I have read"), reading, covers=("discussions.ReadState",), order=33))
register(PersonalData("followed", _("What I follow"), watches, covers=("discussions.ThreadWatch",), order=34))

declare(
    "discussions.Thread",
    author=Fate.STAYS,
    title=Fate.WIPED,  # where they took their words along
    excerpt=Fate.WIPED,
    slug=Fate.WIPED,
    people=Fate.STAYS,
    hidden_reason=Fate.REDACTED,
    closed_reason=Fate.REDACTED,
)
declare(
    "discussions.Post",
    author=Fate.STAYS,
    source=Fate.WIPED,  # where they took their words along
    html=Fate.WIPED,
    heading=Fate.WIPED,
    language=Fate.STAYS,
    search=Fate.WIPED,
    hidden_reason=Fate.REDACTED,
)
declare("discussions.PostVersion", source=Fate.WIPED, title=Fate.WIPED)
declare_impersonal("discussions.Space")
