"""Voting, and what belongs to a poll. All plain forms: a vote is a page away, and the page comes back with the numbers."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kmnet.core import kept_text
from kmnet.core.keyset import paginate
from kmnet.core.ratelimit import limited

from .. import polls, services
from ..forms import ReasonForm
from ..forms_polls import OptionsForm, VoteForm
from ..models import Kind, Post, Thread, Vote
from ..permissions import can_change_poll, can_vote, is_author
from .access import find_thread

reads_and_writes = require_http_methods(["GET", "HEAD", "POST"])


def is_taken_back(thread: Thread) -> bool:
    return Post.objects.filter(thread=thread, number=1, deleted_at__isnull=False).exists()


def poll_of(user, thread: Thread) -> polls.Shown | None:
    """With its form, where the reader may vote. None where what asks was taken back: its answers are words, too."""
    if thread.kind != Kind.POLL or is_taken_back(thread):
        return None
    shown = polls.shown_to(user, thread)
    if shown is not None and shown.may_vote:
        shown.form = VoteForm(shown=shown)
    return shown


def find_poll(request, pk: int) -> polls.Shown:
    shown = poll_of(request.user, find_thread(request, pk))
    if shown is None:
        raise Http404
    return shown


@reads_and_writes
@limited("discussions-vote", "120/h")
def vote(request, pk):
    """Vote, vote differently, take the vote back."""
    shown = find_poll(request, pk)
    if request.method != "POST":
        return vote_page(request, shown)
    if not can_vote(request.user, shown.poll):
        raise PermissionDenied
    form = VoteForm(request.POST, shown=shown)
    takes_back = "take_back" in request.POST
    if not takes_back and shown.is_open and not form.is_valid():
        shown.form = form
        return vote_page(request, shown, status=422)
    try:
        choices = [] if takes_back or not shown.is_open else form.cleaned_data["choices"]
        services.vote(member=request.user, poll=shown.poll, choices=choices)
    except services.PollClosed:
        return vote_page(request, find_poll(request, pk), status=409, is_late=True)
    if takes_back:
        messages.success(request, _("Your vote is taken back."))
    else:
        messages.success(request, _("Your vote counts. You can change it until the poll closes."))
    return redirect(shown.poll.thread)


def vote_page(request, shown, *, status=200, is_late=False):
    context = {"poll": shown, "thread": shown.poll.thread, "is_late": is_late, "form": shown.form}
    return render(request, "discussions/vote.html", context, status=status)


@require_GET
def votes(request, pk):
    """Who chose what, in a poll with names."""
    shown = find_poll(request, pk)
    if not shown.sees_votes:
        raise Http404
    found = Vote.objects.filter(poll=shown.poll).exclude(member__in=request.user.unwanted)
    page = paginate(
        found.select_related("member", "option"), request.GET, order=["option__position", "pk"], size=50
    )
    return render(
        request, "discussions/votes.html", {"poll": shown, "thread": shown.poll.thread, "page": page}
    )


@reads_and_writes
def close_poll(request, pk):
    """Close it early: whoever asked just does, a moderator says why."""
    shown = find_poll(request, pk)
    if not shown.may_close:
        raise Http404
    thread = shown.poll.thread
    own = is_author(request.user, thread)
    form = None if own else ReasonForm(request.POST or None, initial=kept_text.take(request))
    if request.method == "POST" and (own or form.is_valid()):
        reason = "" if own else form.cleaned_data["reason"]
        services.close_poll(actor=request.user, poll=shown.poll, reason=reason)
        kept_text.forget(request)
        messages.success(request, _("The poll is closed, and counted."))
        return redirect(thread)
    context = {"thread": thread, "poll": shown, "form": form}
    return render(
        request, "discussions/close_poll.html", context, status=422 if form and form.is_bound else 200
    )


@reads_and_writes
def change_poll(request, pk):
    """Other answers, as long as nobody has voted."""
    shown = find_poll(request, pk)
    if not can_change_poll(request.user, shown.poll):
        raise Http404
    thread, status = shown.poll.thread, 200
    lines = "\n".join(row.option.text for row in shown.rows)
    form = OptionsForm(initial={"options": lines, **kept_text.take(request)})
    if request.method == "POST":
        form, status = OptionsForm(request.POST), 422
        if form.is_valid():
            try:
                services.change_options(
                    actor=request.user, poll=shown.poll, options=form.cleaned_data["options"]
                )
            except (services.AlreadyVoted, services.PollClosed):
                form.add_error(
                    "options",
                    _("Somebody has voted, or the poll has closed: the answers stay as they are."),
                )
                status = 409
            else:
                kept_text.forget(request)
                messages.success(request, _("Saved."))
                return redirect(thread)
    context = {"thread": thread, "poll": shown, "form": form}
    return render(request, "discussions/change_poll.html", context, status=status)
