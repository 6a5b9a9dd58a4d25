"""Putting threads in order: split, merge, move, pin, slow down; each on a page of its own that asks why."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kmnet.core import kept_text
from kmnet.core.text import excerpt

from .. import services
from ..forms_order import MergeForm, MoveForm, PinForm, SlowForm, SplitForm
from ..models import Post, Thread
from ..permissions import can_keep_order
from .access import find_thread

SHOWN = 100  # posts to choose from on one page


def find_to_order(request, pk: int) -> Thread:
    """For those who may not, these pages do not exist."""
    thread = find_thread(request, pk)
    if not can_keep_order(request.user, thread):
        raise Http404
    return thread


def split(request, pk):
    """Posts go to a new thread or to another one. Begins at the post that was asked for, with that one chosen."""
    thread = find_to_order(request, pk)
    asked = request.GET.get("post", "")
    start = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 2
    posts = Post.objects.published().filter(thread=thread, number__gte=max(2, start)).exclude(number=1)
    posts = list(
        posts.select_related("author", "parent__author").defer("html").order_by("number")[: SHOWN + 1]
    )
    more = posts[SHOWN].number if len(posts) > SHOWN else None
    posts = posts[:SHOWN]
    if request.method != "POST":
        initial = {"numbers": [start] if asked else [], **kept_text.take(request)}
        form = SplitForm(initial=initial, member=request.user, posts=posts)
        return show_split(request, thread, form, posts, more)
    form = SplitForm(request.POST, member=request.user, posts=posts)
    if form.is_valid():
        try:
            found = services.split_thread(actor=request.user, thread=thread, **form.cleaned_data)
        except services.CannotMove as no:
            form.add_error("into" if form.cleaned_data["into"] else "numbers", no.sentence)
        else:
            kept_text.forget(request)
            messages.success(request, _("They stand here now. Links to their old places lead here."))
            return redirect(found)
    return show_split(request, thread, form, posts, more)


def show_split(request, thread, form, posts, more):
    chosen = {str(number) for number in form["numbers"].value() or ()}
    for post in posts:
        post.is_chosen = str(post.number) in chosen
        post.words = excerpt(post.source, 160)
    context = {"thread": thread, "form": form, "posts": posts, "more": more}
    return render(request, "discussions/split.html", context, status=422 if form.is_bound else 200)


@dataclass(frozen=True)
class Act:
    """One way to put a whole thread in order. `do` gets the cleaned fields and returns where it stands then."""

    form: type
    do: callable
    title: str
    lede: str
    button: str
    done: str


def pin_or_not(*, until, **fields):
    if until is None:
        return services.unpin_thread(**fields)
    return services.pin_thread(until=until, **fields)


ACTS = {
    "merge": Act(
        MergeForm,
        services.merge_thread,
        gettext_lazy("Merge this thread into another?"),
        gettext_lazy("Two that ask the same become one. It cannot be undone in one step."),
        gettext_lazy("Merge"),
        gettext_lazy("The two are one now."),
    ),
    "move": Act(
        MoveForm,
        services.move_thread,
        gettext_lazy("Move this thread to another space?"),
        gettext_lazy("Its numbers and replies stay as they are, and its old address leads there."),
        gettext_lazy("Move"),
        gettext_lazy("It stands here now."),
    ),
    "pin": Act(
        PinForm,
        pin_or_not,
        gettext_lazy("Pin this thread?"),
        gettext_lazy("What is pinned is seen first by everybody who comes to the space."),
        gettext_lazy("Save"),
        gettext_lazy("Saved."),
    ),
    "slow": Act(
        SlowForm,
        services.slow_thread,
        gettext_lazy("Slow this thread down?"),
        gettext_lazy(
            "When it gets heated, time between two posts of one person helps. Moderators are not slowed."
        ),
        gettext_lazy("Save"),
        gettext_lazy("Saved."),
    ),
}


def whole(request, pk, act):
    """Merge, move, pin or slow down a thread."""
    thread, found = find_to_order(request, pk), ACTS[act]
    if request.method != "POST":
        form = found.form(initial=kept_text.take(request), member=request.user, thread=thread)
        return show_act(request, thread, form, found)
    form = found.form(request.POST, member=request.user, thread=thread)
    if form.is_valid():
        try:
            there = found.do(actor=request.user, thread=thread, **form.cleaned_data)
        except services.CannotMove as no:
            form.add_error("into" if "into" in form.fields else "space", no.sentence)
        else:
            kept_text.forget(request)
            messages.success(request, found.done)
            return redirect(there)
    return show_act(request, thread, form, found)


def show_act(request, thread, form, act):
    context = {"thread": thread, "form": form, "act": act}
    return render(request, "discussions/order.html", context, status=422 if form.is_bound else 200)
