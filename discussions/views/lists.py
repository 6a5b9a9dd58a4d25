"""Lists of threads: all of them, and those of one space."""

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from taggit.models import Tag

from kmnet.core.access import guests_sign_in
from kmnet.core.keyset import paginate
from kmnet.core.text import clean_line
from members.models import Member
from members.permissions import is_full_member

from ..models import Space, Thread
from ..permissions import can_start_thread
from ..tags import tags_in_use
from .access import find_space

COUNTED = 100  # a tab says “99+” rather than count everything
ORDERS = {
    "latest": ["-last_post_at", "-pk"],
    "newest": ["-pk"],
    "waiting": ["pk"],
}


@login_not_required
@guests_sign_in
def index(request):
    return show_list(request, space=None)


@login_not_required
@guests_sign_in
def space(request, space):
    return show_list(request, space=find_space(request, space))


def show_list(request, *, space):
    user = request.user
    threads = Thread.objects.visible_to(user)
    if space:
        threads = threads.filter(space=space)
    tag = find_tag(request.GET.get("tag"), user)
    if tag:
        threads = threads.filter(pk__in=Thread.objects.filter(tags=tag).values("pk"))
    shows = {
        "all": (_("All"), threads, None),
        "unanswered": (_("Unanswered"), threads.unanswered(), count_some(threads.unanswered())),
    }
    if user.is_authenticated:
        unread = threads.unread_by(user)
        shows |= {
            "unread": (_("Unread"), unread, count_some(unread)),
            "watching": (_("Watching"), threads.watched_by(user), None),
            "mine": (_("Yours"), threads.filter(author=user), None),
        }
    show = request.GET.get("show", "all")
    show = show if show in shows else "all"
    sort = request.GET.get("sort", "latest")
    sort = sort if sort in ORDERS else "latest"
    page = paginate(shows[show][1].with_card(user), request.GET, order=ORDERS[sort])
    with_people(page.items)
    spaces = list(Space.objects.visible_to(user))
    context = {
        "space": space,
        "threads": page.items,
        "page": page,
        "show": show,
        "sort": sort,
        "tag": tag,
        "tabs": [
            {
                "href": address(request, show=None if key == "all" else key),
                "label": label,
                "current": key == show,
                "count": f"{COUNTED - 1}+" if count and count >= COUNTED else count,
            }
            for key, (label, _threads, count) in shows.items()
        ],
        "sorts": [
            {
                "href": address(request, sort=None if key == "latest" else key),
                "label": label,
                "current": key == sort,
            }
            for key, label in (
                ("latest", _("Latest activity")),
                ("newest", _("Newest first")),
                ("waiting", _("Oldest first")),
            )
        ],
        "chosen": chosen(request, space, tag),
        "waiting": shows["unanswered"][2],
        "unread": shows["unread"][2] if "unread" in shows else 0,
        "spaces": spaces,
        "tags": tags_in_use(members=is_full_member(user)),
        "may_start": can_start_thread(user, space) if space else user.is_authenticated,
    }
    if request.htmx and not request.htmx.boosted:
        return render(request, "discussions/_threads.html", context)
    return render(request, "discussions/thread_list.html", context)


def find_tag(name: str | None, user) -> Tag | None:
    """The tag, if a thread that this person may see has it: another one is as unknown as one that never was."""
    if not name:
        return None
    here = Thread.objects.visible_to(user)
    return Tag.objects.filter(name__iexact=clean_line(name[:100]), thread__in=here).first()


def count_some(threads) -> int:
    return threads.order_by()[:COUNTED].count()


def address(request, **changes) -> str:
    """This page with some of its filters changed, from the first page on."""
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = value
    return f"?{query.urlencode()}" if query else request.path


def chosen(request, space, tag) -> list[dict]:
    """The filters in use, each with the address without it."""
    found = []
    if space:
        query = request.GET.copy()
        for name in ("after", "before"):
            query.pop(name, None)
        found.append(
            {
                "label": space.name,
                "href": reverse("discussions:index") + (f"?{query.urlencode()}" if query else ""),
            }
        )
    if tag:
        found.append({"label": tag.name, "href": address(request, tag=None)})
    return found


def with_people(threads: list[Thread]) -> None:
    """Who took part lately, besides the one who began it; one query for the whole list."""
    ids = {pk for thread in threads for pk in thread.people}
    members = Member.objects.in_bulk(ids) if ids else {}
    for thread in threads:
        people = [members[pk] for pk in thread.people if pk in members and pk != thread.author_id]
        thread.latest_people = people[:3]
