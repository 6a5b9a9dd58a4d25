"""Versions for those who need it differently: making one, saying who checked it, and advice on plain words."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from kmnet.core import kept_text
from kmnet.core.models import CommunitySettings
from kmnet.core.ratelimit import limited
from kmnet.core.text import clean_text
from kmnet.core.uploads import UploadRefused

from .. import plain, services
from ..duplicates import find_duplicates
from ..forms import DerivativeForm, MakingForm, initial_from_parent
from ..models import Derivative, Resource
from ..permissions import (
    can_add_resource,
    can_change_derivative,
    can_derive,
    can_detach_derivative,
    can_edit_resource,
    can_view_resource,
)
from .access import find_resource
from .uploads import keep_uploads


def find_tie(request, pk: int) -> Derivative:
    """How one record was made from another, if this person may open both; else a 404."""
    ties = Derivative.objects.select_related("parent__group", "child__group")
    tie = ties.filter(pk=min(pk, 2**63 - 1)).first()
    if tie is None or not all(can_view_resource(request.user, one) for one in (tie.parent, tie.child)):
        raise Http404
    return tie


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-add", "60/h")
def derive(request, pk):
    parent = find_resource(request, pk)
    if not can_derive(request.user, parent):
        raise Http404
    above = Derivative.objects.filter(child=parent).select_related("parent").first()
    if above is not None:  # all hang on the first one
        if not can_derive(request.user, above.parent):
            raise Http404
        return redirect("resources:derive", above.parent_id)
    if request.method != "POST":
        begun = kept_text.take(request)
        begun.pop("submit_key", None)
        known = initial_from_parent(parent, request.user, request.GET.get("kind", ""))
        form = DerivativeForm(member=request.user, parent=parent, initial={**known, **begun})
        return _form_page(request, form, parent)
    form = DerivativeForm(request.POST, request.FILES, member=request.user, parent=parent)
    if "look" in request.POST:  # advice, without scripts
        shown = DerivativeForm(member=request.user, parent=parent, initial=_typed(request))
        return _form_page(request, shown, parent, advised=True)
    made = services.made_before(actor=request.user, submit_key=request.POST.get("submit_key", ""))
    if made:  # the button was pressed twice: what the first press made is no look-alike
        return redirect(made)
    valid = form.is_valid()
    files = keep_uploads(request, form)
    form.check_matter(has_files=bool(files))
    if not valid or form.errors:
        return _form_page(request, form, parent, status=422)
    if "anyway" not in request.POST:
        # Not by the title: translations share it.
        likenesses = find_duplicates(
            viewer=request.user,
            item={"URL": form.cleaned_data["url"]},
            hashes=[file.sha256 for file in files],
            besides=parent.pk,
        )
        if likenesses:
            return _form_page(request, form, parent, likenesses=likenesses, status=422)
    try:
        made = services.make_derivative(
            actor=request.user,
            parent=parent,
            making=form.making(),
            details=form.details(),
            files=files,
            submit_key=form.cleaned_data["submit_key"],
        )
    except UploadRefused as error:
        form.add_error("files", error)
        return _form_page(request, form, parent, status=422)
    except (services.NoChains, services.TooManyDerivatives):  # it was tied to another one meanwhile
        form.add_error(None, _("No version can be added to this one. Add yours to the library by itself."))
        return _form_page(request, form, parent, status=409)
    kept_text.forget(request)
    held = made.child.state == Resource.State.HELD
    there = _("It is there, and the page of the original leads to it. Thank you.")
    messages.success(request, _("It is saved. Thank you.") if held else there)
    return redirect(made.child)


def _typed(request) -> dict:
    return {name: values[-1] for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"}


def _form_page(request, form, parent, *, advised=False, likenesses=(), status=200):
    text = form["text"].value() or ""
    context = {
        "form": form,
        "parent": parent,
        "advice": plain.look_over(text) if text.strip() else None,
        "advised": advised,
        "likenesses": likenesses,
        "max_mb": CommunitySettings.load().max_upload_mb,
    }
    return render(request, "resources/derivative_form.html", context, status=status)


@require_POST
@limited("library-plain", "1200/h")
def plain_words(request):
    """A partial: what could be plainer in a text, while it is typed. Keeps nothing."""
    if not can_add_resource(request.user):
        raise Http404
    text = request.POST.get("text", "")[: plain.LONGEST]
    advice = plain.look_over(text) if text.strip() else None
    return render(request, "resources/_plain_advice.html", {"advice": advice})


@require_http_methods(["GET", "HEAD", "POST"])
def derivative(request, pk):
    """Say anew what it is and who checked it."""
    tie = find_tie(request, pk)
    if not can_change_derivative(request.user, tie):
        raise Http404
    initial = {"kind": tie.kind, "checked": tie.checked, "checked_note": tie.checked_note}
    form = MakingForm(request.POST or None, initial={**initial, **kept_text.take(request)})
    if request.method == "POST" and form.is_valid():
        services.change_derivative(actor=request.user, derivative=tie, making=form.making())
        kept_text.forget(request)
        messages.success(request, _("Saved."))
        return redirect(tie.child)
    status = 422 if form.is_bound else 200
    return render(request, "resources/derivative_change.html", {"form": form, "tie": tie}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def untie(request, pk):
    """Both records stay, without the tie."""
    tie = find_tie(request, pk)
    if not can_detach_derivative(request.user, tie):
        raise Http404
    own = can_edit_resource(request.user, tie.parent) or can_edit_resource(request.user, tie.child)
    context = {"tie": tie, "own": own, "reason": kept_text.take(request).get("reason", "")}
    if request.method != "POST":
        return render(request, "resources/untie.html", context)
    reason = clean_text(request.POST.get("reason", "")).strip()[:500]
    if not own and not reason:
        context["error"] = _("Say why: the reason stands in the log.")
        return render(request, "resources/untie.html", context, status=422)
    services.untie_derivative(actor=request.user, derivative=tie, reason=reason)
    messages.success(request, _("They are two records by themselves now."))
    return redirect(tie.parent)
