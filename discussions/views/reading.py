"""The page of a thread."""

from datetime import datetime, timedelta
from types import SimpleNamespace

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.utils import timezone

from kmnet.core import activity, suggestions
from kmnet.core.access import guests_sign_in
from kmnet.core.fixed import fixed
from members.models import Member
from members.readers import kind_of, stand_in
from members.services.nobody import NOBODY

from .. import decorate, holding, moved, pages, related, services
from ..forms import ReplyForm
from ..listing import tag_names
from ..models import DiscussionSettings, Following, Level, Owed, Post, Thread, written_by
from ..permissions import (
    can_choose_answer,
    can_keep_order,
    can_moderate,
    can_reply,
    can_say_still_open,
    is_author,
)
from .following import SPANS
from .polls import poll_of
from .taking_back import undo_offers

LARGEST = 2**63 - 1  # of ids, for Postgres


@login_not_required
@guests_sign_in
def thread(request, space, pk, slug=""):
    user = request.user
    if pk > LARGEST:
        raise Http404
    following = None
    if user.is_authenticated:
        following = Following.of_one(user, pk)  # brings along what with_page() asks, too
    thread = find(user, pk)
    if thread is None:
        return moved.lead_on(request, pk)
    if (thread.space.slug, thread.slug) != (space, slug):
        return redirect_home(request, thread)
    number = number_in(request, "post", thread)
    if number and in_ranges(number, thread.gone_numbers):
        there = moved.address_of(user, thread.pk, number)
        if there:
            return redirect(there, permanent=True)
    page = page_asked_for(request, thread)
    context = thread_context(request, thread, page) | level_context(following, thread)
    mark_seen(request, thread, context)
    return render(request, "discussions/thread_detail.html", context)


def find(user, pk: int) -> Thread | None:
    """The thread with what its page shows, if this person may see it."""
    owed = Owed.to(user) if user.is_authenticated else None
    if owed and not owed.in_space:
        found = shown_to(kind_of(user), reader=user.pk, since=owed.since, thread=pk)
    else:
        found = Thread.objects.visible_to(user).with_page(user).filter(pk=pk)[:1]
    return next(iter(found), None)


@fixed
def shown_to(kind, *, reader, since, thread):
    """For those who have not said of single spaces that they are caught up there."""
    user = stand_in(kind, reader)
    user.__dict__["_owed"] = Owed(since, {})
    return Thread.objects.visible_to(user).with_page(user).filter(pk=thread)[:1]


def redirect_home(request: HttpRequest, thread: Thread):
    """An old title, a space it has left: the address has changed, the number has not."""
    query = request.GET.urlencode()
    return redirect(thread.get_absolute_url() + (f"?{query}" if query else ""), permanent=True)


def number_in(request: HttpRequest, name: str, thread: Thread) -> int | None:
    """A post's number from the query; one that this thread never gave is a 404."""
    asked = request.GET.get(name, "")
    if not asked:
        return None
    if (
        not asked.isascii()
        or not asked.isdigit()
        or len(asked) > 9
        or not 1 <= int(asked) <= thread.last_number
    ):
        raise Http404
    return int(asked)


def way_asked_for(request: HttpRequest) -> pages.Way:
    return pages.Time if request.GET.get("order") == "time" else pages.Branches


def page_asked_for(request: HttpRequest, thread: Thread) -> pages.PostPage:
    way = way_asked_for(request)
    if number := number_in(request, "post", thread):
        return pages.page_with(thread, number, way)
    if number := number_in(request, "after", thread):
        page = pages.page_after(thread, number, way)
        return page if page.posts else pages.first_page(thread, way)  # that post has gone elsewhere
    if number := number_in(request, "before", thread):
        return pages.page_before(thread, number, way)
    return (
        pages.last_page(thread, way) if request.GET.get("page") == "last" else pages.first_page(thread, way)
    )


def thread_context(request: HttpRequest, thread: Thread, page: pages.PostPage) -> dict:
    user = request.user
    held = held_posts(user, thread) if page.is_last else []
    posts = page.posts + held
    people = those_with_names(thread, pages.complete(thread, posts))
    for post in held:
        post.waits_because = holding.why_and_how_long(post) if is_author(user, post) else ""
    way = way_asked_for(request)
    items = pages.nest(posts) if way is pages.Branches else pages.in_line(posts)
    moderates = can_moderate(user)
    for item in items:
        post = item.post
        item.shown = post.is_shown or (not post.is_taken_back and (moderates or is_author(user, post)))
        if not item.shown:
            post.html = ""  # the words are not on the page at all
        item.is_new = post.is_shown and is_news(thread, post)
    news = next((item for item in items if item.is_new), None)
    if news:
        news.starts_news = True
    first = items[0] if items and items[0].post.leads else None
    answer = answer_on_top(thread, page, items)
    decorate.decorate(user, thread, posts + [post for post in [answer] if post and post not in posts])
    names = tag_names(thread.tag_ids)
    tags = dict(zip(thread.tag_ids, names, strict=True)) if len(names) == len(thread.tag_ids) else {}
    suggested = suggested_for(thread, page, user)
    return {
        "thread": thread,
        "suggested": suggested,
        "suggested_about": next((tags[tag] for one in suggested for tag in one.shares if tag in tags), ""),
        "asked_by_reader": is_author(user, thread),
        "here": thread.get_absolute_url(),
        "people": people,
        "tag_names": names,
        "first": first,
        "items": items[1:] if first else items,
        "page": page,
        "in_time": way is pages.Time,
        "way_query": way.query,
        "moved_to": moved.moved_from(user, thread),
        "close": related.related_to(thread, user),
        "last_of": last_of(thread) if user.is_authenticated else None,
        "answer": answer,
        "poll": poll_of(user, thread) if page.is_first else None,
        "moderates": moderates,
        "asked_masked": bool(thread.mask_id) and is_author(user, thread),
        "may_unmask": bool(thread.mask_id) and services.may_unmask(user),
        "undo_offers": undo_offers(request, thread),
        "pace": services.limits.pace_in_words(thread.slow_seconds) if thread.slow_seconds else "",
        "keeps_order": can_keep_order(user, thread),
        "may_reply": can_reply(user, thread),
        "may_choose": can_choose_answer(user, thread),
        "may_say_open": can_say_still_open(user, thread),
        "form": ReplyForm(initial={"seen": thread.last_number}) if user.is_authenticated else None,
        "draft_key": f"reply:{thread.pk}",
        "draft_at": getattr(thread, "draft_at", None),
    }


def suggested_for(thread: Thread, page: pages.PostPage, user) -> list[suggestions.Suggestion]:
    """What may help whoever asked until a person answers. One query, on the first page of questions that wait."""
    if not (page.is_first and thread.waits_for_an_answer) or thread.is_conversation:
        return []
    return suggestions.for_question(title=thread.title, tags=thread.tag_ids, viewer=user)


def those_with_names(thread: Thread, people: list[Member]) -> list[Member]:
    """Whoever writes without their name stands here as who began the thread, where that is they, or not at all."""
    if thread.mask_id:
        return [thread.author if person.handle == NOBODY else person for person in people]
    return [person for person in people if person.handle != NOBODY]


def is_news(thread: Thread, post: Post) -> bool:
    """Unread, in a thread where the reader was before, or of which they have seen the beginning elsewhere."""
    if not thread.news_from or not post.number:
        return False
    if not thread.opened:
        return post.number >= thread.news_from
    return not in_ranges(post.number, thread.read_numbers)


def last_of(thread: Thread) -> datetime | None:
    """When the latest post was written, where that is so long ago that a new thread may be better."""
    months = DiscussionSettings.load().revive_months
    asleep = months and thread.last_post_at < timezone.now() - timedelta(days=30.44 * months)
    return thread.last_post_at if asleep else None


def level_context(following: Following | None, thread: Thread) -> dict:
    """How closely the reader follows it, and what they chose for it."""
    if following is None:
        return {}
    return {
        "levels": Level.choices,
        "spans": SPANS.items(),
        "level": following.level(thread),
        "chosen_level": following.threads.get(thread.pk, ""),
    }


def in_ranges(number: int | None, ranges) -> bool:
    return any(low <= number < high for low, high in ranges or ()) if number else True


def held_posts(user, thread: Thread) -> list[Post]:
    """What waits for a moderator: one's own, or for moderators all."""
    if not user.is_authenticated:
        return []
    return all_held(thread=thread.pk) if can_moderate(user) else own_held(thread=thread.pk, writer=user.pk)


def held_in(thread: int):
    held = Post.objects.filter(thread=thread, number__isnull=True, deleted_at__isnull=True)
    return held.defer("source", "search")


@fixed
def all_held(*, thread):
    return held_in(thread).order_by("pk")[:20]


@fixed
def own_held(*, thread, writer):
    return held_in(thread).filter(written_by(SimpleNamespace(pk=writer))).order_by("pk")[:20]


def answer_on_top(thread: Thread, page: pages.PostPage, items: list[pages.Item]) -> Post | None:
    """The chosen answer stands right under the question, too, unless it is the first reply anyway."""
    answer = thread.accepted_post
    if answer is None or not page.is_first or not answer.is_shown:
        return None
    if len(items) > 1 and items[1].post.pk == answer.pk:
        return None
    answer.thread = thread
    return next((item.post for item in items if item.post.pk == answer.pk), answer)


def mark_seen(request: HttpRequest, thread: Thread, context: dict) -> None:
    """The reader's own marker; nothing is written where there is nothing new, nor for a page that is only fetched ahead."""
    user = request.user
    if not user.is_authenticated or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return
    posts = [item.post for item in context["items"]]
    posts += [context["first"].post] if context["first"] else []
    posts += [context["answer"]] if context["answer"] else []
    shown = {post.number: post for post in posts}
    new = [post for number, post in shown.items() if number and not in_ranges(number, thread.read_numbers)]
    if new:
        services.mark_posts_read(member=user, thread=thread, posts=new)
    arrived = request.GET.get("post", "")
    if arrived and int(arrived) in shown:  # came for this one, perhaps from a notification about it
        activity.mark_read(member=user, targets=[shown[int(arrived)]])
