"""Looking after a record: what it said before, taking it down, taking one's own back."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kmnet.core import kept_text
from kmnet.core.access import guests_sign_in
from kmnet.core.ratelimit import limited
from members.permissions import can_moderate

from ..forms.care import DeleteOwnForm, ReasonForm, TakeDownForm
from ..models import Resource, ResourceEdit
from ..permissions import can_delete_own, can_edit_resource, can_take_down
from ..services import history as past
from ..services import linkchecks, taking_down
from .access import Gone, find_resource, is_gone, tells_gone

READ_AND_WRITE = ["GET", "HEAD", "POST"]


def act_page(request, resource, form, *, title, lede, button, danger=False):
    """A page that asks once, with its form."""
    context = {
        "resource": resource,
        "form": form,
        "title": title,
        "lede": lede,
        "button": button,
        "danger": danger,
    }
    return render(request, "resources/care/act.html", context, status=422 if form.errors else 200)


# --- history ---------------------------------------------------------------------------------------------------------
@login_not_required
@require_safe
@guests_sign_in
@tells_gone
def history(request, pk):
    """What it said before: for those who see it."""
    resource = find_resource(request, pk)
    context = {
        "resource": resource,
        "steps": past.steps(resource),
        "most": past.MOST_STEPS,
        "may_redact": can_moderate(request.user),
    }
    response = render(request, "resources/care/history.html", context)
    response["X-Robots-Tag"] = "noindex"
    return response


@require_http_methods(READ_AND_WRITE)
@limited("library-care", "60/h")
def redact(request, pk, edit):
    """A moderator takes the words of a step out, for good."""
    resource = find_resource(request, pk)
    if not can_moderate(request.user):
        raise Http404
    step = get_object_or_404(ResourceEdit, pk=min(edit, 2**63 - 1), resource=resource)
    form = ReasonForm(request.POST or None, initial=kept_text.take(request))
    if request.method == "POST" and form.is_valid():
        kept_text.forget(request)
        past.redact_edit(edit=step, actor=request.user, reason=form.cleaned_data["reason"])
        messages.success(request, _("These words are gone."))
        return redirect("resources:history", pk)
    return act_page(
        request,
        resource,
        form,
        title=_("Take these words out of the history?"),
        lede=_(
            "What the record said then is deleted for good; that something was changed stays. The record itself stays as"
            " it is."
        ),
        button=_("Take them out"),
        danger=True,
    )


# --- its link ----------------------------------------------------------------------------------------------------------
@require_http_methods(READ_AND_WRITE)
@limited("library-care", "60/h")
def link(request, pk):
    """For its keeper: does the link work, and what to do where it does not."""
    resource = find_resource(request, pk)
    check = linkchecks.check_of(resource)
    if not can_edit_resource(request.user, resource) or check is None:
        raise Http404
    acts = {
        "works": (linkchecks.say_it_works, _("Thank you. We look again in a month.")),
        "moved": (linkchecks.follow_move, _("The link leads to the new address now.")),
        "archived": (linkchecks.use_archived, _("The link leads to the archived copy now.")),
    }
    if request.method == "POST":
        if request.POST.get("act") not in acts:
            raise Http404
        act, done = acts[request.POST["act"]]
        try:
            act(actor=request.user, resource=resource)
        except linkchecks.NothingToDo:
            messages.warning(request, _("The link has changed meanwhile."))
        else:
            messages.success(request, done)
        return redirect(resource)
    context = {
        "resource": resource,
        "check": check,
        "wrong": linkchecks.in_words(check),
        "archived": linkchecks.archived_url(check),
    }
    return render(request, "resources/care/link.html", context)


# --- taking down -----------------------------------------------------------------------------------------------------
def _judged(request, pk) -> Resource:
    """A record that this moderator may take down: also a group's, once it was hidden at the moderators' desk."""
    resource = (
        Resource.objects.select_related("tombstone").defer("search").filter(pk=min(pk, 2**63 - 1)).first()
    )
    if resource is None or not can_take_down(request.user, resource):
        raise Http404
    return resource


@require_http_methods(READ_AND_WRITE)
@limited("library-care", "60/h")
def take_down(request, pk):
    """A moderator takes it out of the library; a tombstone stays."""
    resource = _judged(request, pk)
    if is_gone(resource):
        return redirect(resource)
    form = TakeDownForm(request.POST or None, initial=kept_text.take(request))
    if request.method == "POST" and form.is_valid():
        kept_text.forget(request)
        taking_down.take_down(resource=resource, actor=request.user, **form.cleaned_data)
        messages.success(request, _("It is taken down. Its files are gone."))
        return redirect(Resource.objects.only("slug").get(pk=pk))
    return act_page(
        request,
        resource,
        form,
        title=_("Take this down?"),
        lede=_(
            "Its files are deleted at once and for good. Its page stays and says why, and how it was cited. For 30 days it"
            " can come back, without its files."
        ),
        button=_("Take it down"),
        danger=True,
    )


@require_http_methods(READ_AND_WRITE)
@limited("library-care", "60/h")
def undo_take_down(request, pk):
    """Back into the library. A GET comes after signing in again: the page that is left has the form, and what was typed.
    Where the reason is missing, it is asked for again, on a page."""
    resource = _judged(request, pk)
    if request.method != "POST":
        return redirect(resource)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return act_page(
            request,
            resource,
            form,
            title=_("Put it back into the library?"),
            lede=_("Its page and its words come back. Its files are gone for good."),
            button=_("Put it back"),
        )
    try:
        taking_down.undo_take_down(resource=resource, actor=request.user, reason=form.cleaned_data["reason"])
    except taking_down.Undone as error:
        messages.warning(request, " ".join(error.messages))
    else:
        kept_text.forget(request)
        messages.success(request, _("It is back in the library, without its files."))
    return redirect(resource)


@require_http_methods(READ_AND_WRITE)
@limited("library-care", "60/h")
def delete_own(request, pk):
    """Who looks after it takes it back, or asks the moderators to."""
    try:
        resource = find_resource(request, pk)
    except Gone as gone:
        return redirect(gone.resource)  # pressed twice
    if not can_edit_resource(request.user, resource):
        raise Http404
    at_once = can_delete_own(request.user, resource)
    form = DeleteOwnForm(request.POST or None, at_once=at_once, initial=kept_text.take(request))
    if request.method == "POST" and form.is_valid():
        kept_text.forget(request)
        try:
            gone = taking_down.delete_own(
                resource=resource, actor=request.user, note=form.cleaned_data["note"]
            )
        except PermissionDenied:
            raise Http404 from None
        if gone:
            messages.success(request, _("It is no longer in the library. Its files are gone."))
        else:
            messages.success(request, _("The moderators have your request. One of them looks at it."))
        return redirect(resource)
    if at_once:
        words = {
            "title": _("Take this out of the library?"),
            "lede": _(
                "Its files are deleted for good. Its page stays for those who have its address, and says that you asked"
                " for it."
            ),
            "button": _("Take it out"),
        }
    else:
        words = {
            "title": _("Ask to have this taken out?"),
            "lede": _(
                "Others may count on it by now, so a moderator looks first. If you only have no time for it any more,"
                " hand it on instead."
            ),
            "button": _("Ask the moderators"),
        }
    return act_page(request, resource, form, danger=at_once, **words)
