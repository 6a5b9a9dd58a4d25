"""Lists of threads: all of them, and those of one space. What the filters mean stands in listing.py."""

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.urls import reverse

from kmnet.core.access import guests_sign_in
from members.permissions import is_full_member

from ..listing import Listing
from ..models import Following, Level
from ..permissions import can_start_thread
from ..tags import tags_in_use
from .access import find_space
from .following import SPANS


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
    if user.is_authenticated:
        Following.of(user)  # brings along what is asked of reading
    listing = Listing(request.GET, user, space=space, path=request.path)
    context = {
        "space": space,
        "listing": listing,
        "threads": listing.page.items,
        "page": listing.page,
        "show": listing.show,
        "chosen": listing.chosen,
    }
    if request.htmx and not request.htmx.boosted:
        return render(request, "discussions/_threads.html", context)
    context |= {
        "tabs": listing.tabs,
        "meanings": listing.meanings,
        "sorts": listing.sorts,
        "waiting": listing.counts["unanswered"],
        "unread": listing.counts.get("unread", 0),
        "spaces": listing.spaces,
        "tags": tags_in_use(members=is_full_member(user)),
        "boxes": listing.facet_boxes,
        "may_start": can_start_thread(user, space) if space else user.is_authenticated,
    }
    if user.is_authenticated:
        context |= level_context(user, listing)
    return render(request, "discussions/thread_list.html", context)


def level_context(user, listing: Listing) -> dict:
    """The form of levels where the list is of one space, or of one tag."""
    tag = listing.tags[0] if len(listing.tags) == 1 else None
    if not (tag or listing.space) or not is_full_member(user):
        return {}
    following = Following.of(user)
    if tag:
        place = {"level": following.tags.get(tag.pk, ""), "action": reverse("following:tag", args=[tag.pk])}
    else:
        pk = listing.space.pk
        place = {"level": following.spaces.get(pk, ""), "action": reverse("following:space", args=[pk])}
    return {**place, "followed_tag": tag, "levels": Level.choices, "spans": SPANS.items()}
