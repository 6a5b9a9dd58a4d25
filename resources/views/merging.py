"""Two records of one thing: which there may be, the two side by side, and the button."""

import re

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from kmnet.core import kept_text
from kmnet.core.forms import LineField, TextField
from kmnet.core.moments import date_words
from kmnet.core.ratelimit import limited
from members.permissions import can_moderate

from ..duplicates import find_duplicates
from ..forms.care import NEEDS_REASON
from ..models import Resource
from ..permissions import can_edit_resource, can_merge
from ..services import merging
from .access import Gone, find_resource


class OtherForm(forms.Form):
    other = LineField(
        label=gettext_lazy("The address of the other one, or its number"),
        max_length=500,
        help_text=gettext_lazy("As it stands in the address bar: /library/12-its-title/"),
    )

    def clean_other(self):
        found = re.search(r"/library/(\d{1,18})\b", self.cleaned_data["other"]) or re.fullmatch(
            r"\W*(\d{1,18})", self.cleaned_data["other"]
        )
        if not found:
            raise forms.ValidationError(_("This is no address of a resource."))
        return int(found[1])


class MergeForm(forms.Form):
    """Which of two stays."""

    kept = forms.TypedChoiceField(
        label=gettext_lazy("Which one stays?"), coerce=int, widget=forms.RadioSelect
    )

    def __init__(self, *args, both, needs_reason, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kept"].choices = [(one.pk, _told_apart(one)) for one in both]
        if needs_reason:
            self.fields["reason"] = TextField(
                label=gettext_lazy("Why? It stands in the log"),
                max_length=500,
                widget=forms.Textarea(attrs={"rows": 2}),
                error_messages=NEEDS_REASON,
            )


def _told_apart(resource) -> str:
    """The title, and since when it is here: two records of one thing often have the same title."""
    since = date_words(resource.created_at)
    return _("%(title)s, in the library since %(date)s") % {"title": resource.title, "date": since}


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-care", "60/h")
def merge(request, pk):
    """?with=12: the two side by side; without: which others there may be."""
    try:
        resource = find_resource(request, pk)
    except Gone as gone:
        return redirect(gone.resource)  # pressed twice
    if not (can_moderate(request.user) or can_edit_resource(request.user, resource)):
        raise Http404
    stated = request.GET.get("with", "")
    if "other" in request.GET:
        form = OtherForm(request.GET)
        if form.is_valid():
            stated = str(form.cleaned_data["other"])
        else:
            return _choose(request, resource, form, status=422)
    if not stated:
        return _choose(request, resource, OtherForm())
    other = (
        Resource.objects.readable_by(request.user)
        .filter(pk=int(stated) if stated.isdecimal() and len(stated) < 19 else 0)
        .first()
    )
    if other is not None and other.merged_into_id == resource.pk:
        return redirect(resource)  # pressed twice
    if other is None or not (
        can_merge(request.user, resource, other) or can_merge(request.user, other, resource)
    ):
        form = OtherForm({"other": stated})
        form.add_error(
            "other", _("There is no other resource of that number that you may merge with this one.")
        )
        return _choose(request, resource, form, status=422)
    return _side_by_side(request, resource, other)


def _choose(request, resource, form, status=200):
    hashes = resource.files.values_list("sha256", flat=True)
    alike = find_duplicates(viewer=request.user, item=resource.csl, hashes=list(hashes), besides=resource.pk)
    context = {"resource": resource, "form": form, "alike": alike}
    return render(request, "resources/care/merge_with.html", context, status=status)


def _side_by_side(request, resource, other):
    counted = (
        Resource.objects.filter(pk__in=[resource.pk, other.pk])
        .select_related("keeper")
        .annotate(
            told=Count("stories", distinct=True),
            kept_by=Count("saves", distinct=True),
            held_files=Count("files", distinct=True),
        )
    )
    both = list(counted.order_by("created_at", "pk"))
    needs_reason = not all(one.keeper_id == request.user.pk for one in both)
    initial = {"kept": both[0].pk, **kept_text.take(request)}
    form = MergeForm(request.POST or None, both=both, needs_reason=needs_reason, initial=initial)
    if request.method == "POST" and form.is_valid():
        kept, gone = both if form.cleaned_data["kept"] == both[0].pk else both[::-1]
        try:
            merged = merging.merge_resources(
                actor=request.user, kept=kept, gone=gone, reason=form.cleaned_data.get("reason", "")
            )
        except merging.ForOthers as error:
            form.add_error(None, error)
        except PermissionDenied:
            form.add_error(
                "kept", _("This one cannot stay: it is not shown to others, or has changed meanwhile.")
            )
        else:
            kept_text.forget(request)
            messages.success(request, _("The two are one now."))
            return redirect(merged)
    context = {"resource": resource, "other": other, "both": both, "form": form}
    return render(request, "resources/care/merge.html", context, status=422 if form.errors else 200)
