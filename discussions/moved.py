"""Where posts and threads have gone, for the pages that stand at their old addresses."""

from django.http import Http404, HttpRequest, HttpResponsePermanentRedirect

from .models import MovedPost, Post, Thread
from .permissions import can_view_thread


def home_of(user, thread_id: int) -> Thread | None:
    """The thread that a merged one has become, if this person may see it. Needs no chain: merging keeps it short."""
    shell = Thread.objects.filter(pk=thread_id, merged_into__isnull=False).values("merged_into")
    return Thread.objects.visible_to(user).select_related("space", "author").filter(pk__in=shell).first()


def address_of(user, thread_id: int, number: int) -> str | None:
    """Where the post is that once had this number in this thread; None where none has gone from there.

    Http404 where this person may not see the thread that it is in now: the address would tell."""
    row = (
        MovedPost.objects.filter(thread=thread_id, number=number)
        .select_related("post__thread__space")
        .first()
    )
    if row is None:
        return None
    if not can_view_thread(user, row.post.thread):
        raise Http404
    return row.post.get_absolute_url()


def post_from(thread: Thread, number: int) -> Post | None:
    """The post that once had this number here, wherever it is; who may answer it is the service's to say."""
    return Post.objects.filter(
        pk__in=MovedPost.objects.filter(thread=thread, number=number).values("post")
    ).first()


def lead_on(request: HttpRequest, thread_id: int) -> HttpResponsePermanentRedirect:
    """The answer at the address of a merged thread: on to the post that was asked for, else to its first one. Http404
    for a thread that was not merged, and where this person may not see what it became."""
    home = home_of(request.user, thread_id)
    if home is None:
        raise Http404
    asked = request.GET.get("post", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 9 else 1
    there = address_of(request.user, thread_id, number) or address_of(request.user, thread_id, 1)
    return HttpResponsePermanentRedirect(there or home.get_absolute_url())


def moved_from(user, thread: Thread) -> list[Thread]:
    """The threads that posts of this one have gone to, the latest first, as far as this person may see them."""
    if not thread.gone_numbers:  # every post that goes leaves a hole
        return []
    gone = Post.objects.filter(pk__in=thread.moved_away.values("post")).exclude(thread=thread)
    return list(
        Thread.objects.visible_to(user)
        .filter(pk__in=gone.values("thread"))
        .select_related("space")
        .order_by("-pk")[:5]
    )
