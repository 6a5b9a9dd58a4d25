"""What somebody has given in the discussions: threads begun, and answers."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kmnet.core.contributions import Contribution, Contributions

from .models import Post, Thread


def threads_by(member, viewer):
    return Thread.objects.visible_to(viewer).shown().filter(author=member).select_related("space")


def thread_line(thread: Thread) -> Contribution:
    return Contribution(
        url=thread.get_absolute_url(),
        title=thread.title,
        at=thread.created_at,
        meta=f"{thread.get_kind_display().capitalize()} · {thread.space.name}",
        icon="talk",
    )


def answers_by(member, viewer):
    """Replies in threads that are shown; the first post of a thread is the thread."""
    return (
        Post.objects.visible_to(viewer)
        .shown()
        .filter(author=member, number__gt=1, thread__state=Thread.State.VISIBLE)
        .select_related("thread__space")
        .defer("source", "html", "heading")
    )


def answer_line(post: Post) -> Contribution:
    chosen = post.thread.accepted_post_id == post.pk
    return Contribution(
        url=post.get_absolute_url(),
        title=post.thread.title,
        at=post.published_at,
        meta=_("Chosen answer") if chosen else _("Answer") if post.thread.is_question else _("Reply"),
        icon="check-circle" if chosen else "reply",
    )


THREADS = Contributions(
    key="threads",
    label=gettext_lazy("Threads"),
    position=20,
    rows_of=threads_by,
    order=["-created_at", "-pk"],
    show=thread_line,
)
ANSWERS = Contributions(
    key="answers",
    label=gettext_lazy("Answers"),
    position=10,
    rows_of=answers_by,
    order=["-published_at", "-pk"],
    show=answer_line,
)
