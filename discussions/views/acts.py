"""Small acts, each a button: choosing the answer, following, marking read; and what moderators do, with a reason."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kmnet.core import kept_text
from kmnet.core.text import clean_line
from members.group_permissions import can_lead_group
from members.models import Group

from .. import services
from ..forms import ReasonForm
from ..listing import Listing
from ..permissions import can_close_thread
from .access import find_post, find_space, find_thread


def accept(request, pk):
    post = find_post(request, pk)
    if request.method == "POST":
        services.accept_answer(actor=request.user, post=post)
        messages.success(request, _("Chosen as the answer. It helps whoever asks the same next."))
    return redirect(post)


def unaccept(request, pk):
    thread = find_thread(request, pk)
    if request.method == "POST":
        services.unaccept_answer(actor=request.user, thread=thread)
        messages.success(request, _("The question is open again."))
    return redirect(thread)


def still_open(request, pk):
    """The asker or a host says that the replies do not answer it; with `no`, that it is not open any more."""
    thread = find_thread(request, pk)
    if request.method == "POST":
        still = "no" not in request.POST
        services.say_still_open(actor=request.user, thread=thread, still_open=still)
        said = (
            _("It stands among the questions that wait for an answer.") if still else _("It waits no more.")
        )
        messages.success(request, said)
    return redirect(thread)


def unread_from(request, pk):
    """This post, and what came after it, is to be read again."""
    post = find_post(request, pk)
    if request.method != "POST":
        return redirect(post)
    services.mark_unread_from(member=request.user, post=post)
    messages.success(request, _("Unread from there on. It stands in your list of what is unread."))
    return redirect("discussions:index")


def read_all(request):
    if request.method == "POST":
        mark_read(request)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        return redirect("discussions:index")
    return HttpResponseRedirect(
        back
    )  # not redirect(): it takes a word without a slash for the name of a page


def mark_read(request):
    """All, or what the list showed from which the button was pressed: a space, what its filters leave."""
    slug = clean_line(request.POST.get("space", "")[:100])
    space = find_space(request, slug) if slug else None
    listing = Listing(QueryDict(request.POST.get("query", "")[:2000]), request.user, space=space)
    if listing.is_narrowed:
        services.mark_all_read(member=request.user, threads=listing.narrowed)
        messages.success(request, _("All of these count as read now."))
    else:
        services.mark_all_read(member=request.user, space=space)
        everything = _("Everything in this space counts as read now.") if space else None
        messages.success(request, everything or _("Everything counts as read now."))


def close(request, pk):
    """Close a thread, or open it again."""
    thread = find_thread(request, pk)
    if not can_close_thread(request.user, thread):
        raise Http404
    act = services.reopen_thread if thread.is_closed else services.close_thread
    if request.method == "POST":
        form = ReasonForm(request.POST)
        if form.is_valid():
            act(thread=thread, actor=request.user, reason=form.cleaned_data["reason"])
            kept_text.forget(request)
            messages.success(request, _("Open again.") if thread.is_closed else _("Closed."))
            return redirect(thread)
    else:
        form = ReasonForm(initial=kept_text.take(request))
    context = {"form": form, "thread": thread}
    return render(request, "discussions/close.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def open_for_group(request, group):
    """A convenor opens a space for their group; the page asks, the button acts."""
    found = get_object_or_404(Group.objects.visible_to(request.user), slug=group)
    if not can_lead_group(request.user, found):
        raise PermissionDenied
    if request.method == "POST":
        space = services.open_group_space(actor=request.user, group=found)
        messages.success(request, _("The space is open, to those in the group only. Say hello."))
        return redirect(space)
    return render(request, "discussions/open_for_group.html", {"group": found})
