"""What the reader does with a post for themselves: quiet thanks, and keeping it for later."""

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kmnet.core import activity, kept_text
from kmnet.core.keyset import paginate
from kmnet.core.ratelimit import limited

from .. import services
from ..forms_keeping import BookmarkForm
from ..models import Bookmark, Post
from ..permissions import can_keep_post
from .access import find_post


@limited("discussions-helped", "120/h")
def helped(request, pk):
    """“This helped me”, on or off."""
    post = find_post(request, pk)
    if request.method == "POST":
        state = request.POST.get("set")
        if state not in ("on", "off"):
            raise Http404
        services.set_quiet_thanks(member=request.user, post=post, on=state == "on")
        said = {
            "on": _(
                "Noted, for your eyes alone. Once a month its author hears how many people they helped, and never who."
            ),
            "off": _("Taken back. Nobody hears of it."),
        }
        messages.success(request, said[state])
    return redirect(post)


@require_GET
def helped_months(request):
    """How many people the reader helped, month by month."""
    months = services.months_of(request.user)
    activity.mark_read(member=request.user, targets=months)
    return render(request, "discussions/helped.html", {"months": months})


@require_http_methods(["GET", "HEAD", "POST"])
@limited("discussions-keep", "120/h")
def keep(request, pk):
    """Keep a post for later, or change what was said about it."""
    post = find_post(request, pk)
    if not can_keep_post(request.user, post):
        raise Http404
    kept = Bookmark.objects.filter(member=request.user, post=post).first()
    if request.method == "POST":
        form = BookmarkForm(request.POST, member=request.user, bookmark=kept)
        if form.is_valid():
            services.keep_post(
                member=request.user,
                post=post,
                note=form.cleaned_data["note"],
                remind_at=form.cleaned_data["remind_at"],
            )
            kept_text.forget(request)
            messages.success(request, _("Kept for later. You find it under “Kept for later” in your menu."))
            return redirect(post)
    else:
        form = BookmarkForm(member=request.user, bookmark=kept, initial=kept_text.take(request))
    context = {"form": form, "post": post, "thread": post.thread, "bookmark": kept}
    return render(request, "discussions/keep.html", context, status=422 if form.is_bound else 200)


@require_GET
def bookmarks(request):
    """All that the reader keeps, the latest first. What is gone or hidden meanwhile says so, without its words."""
    readable = Post.objects.readable_by(request.user).shown().filter(pk=OuterRef("post"), deleted_at=None)
    kept = Bookmark.objects.filter(member=request.user).annotate(is_there=Exists(readable))
    kept = kept.select_related("post__author", "post__thread__space").defer(
        "post__source", "post__html", "post__search", "post__heading"
    )
    page = paginate(kept, request.GET, order=["-created_at", "-pk"])
    return render(request, "discussions/bookmarks.html", {"page": page})


@require_POST
def drop(request, pk):
    """Kept no longer."""
    kept = get_object_or_404(Bookmark, pk=pk, member=request.user)
    services.drop_bookmark(member=request.user, bookmark=kept)
    messages.success(request, _("You keep it no longer."))
    return redirect("discussions:bookmarks")
