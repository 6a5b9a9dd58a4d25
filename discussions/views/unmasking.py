"""Who asked without their name: for the two who are named in the settings, with a reason, and logged."""

from django.http import Http404
from django.shortcuts import render

from .. import services
from ..forms import UnmaskForm
from .access import find_thread


def unmask(request, pk):
    """The name is shown once, in the answer to the form; it is stored nowhere else."""
    thread = find_thread(request, pk)
    if not thread.mask_id or not services.may_unmask(request.user):
        raise Http404
    form = UnmaskForm(request.POST or None)
    context = {"thread": thread, "form": form, "told": False}
    if request.method == "POST" and form.is_valid():
        asker = services.unmask(thread=thread, actor=request.user, reason=form.cleaned_data["reason"])
        context |= {"told": True, "asker": asker}
    status = 422 if request.method == "POST" and not context["told"] else 200
    response = render(request, "discussions/unmask.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
