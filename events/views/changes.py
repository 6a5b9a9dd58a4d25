"""What changes an event as a whole, each on a page that says what happens then: off, later, once more."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kmnet.core import kept_text

from .. import services, times
from ..forms import DuplicateForm, ReasonForm, weeks_later
from ..permissions import can_create_event
from .common import get_own_event
from .desk import back


@require_http_methods(["GET", "HEAD", "POST"])
def call_off(request, pk, slug):
    """Cancel the event, on a page that says what happens then."""
    event = get_own_event(request, pk)
    posted = request.POST if request.method == "POST" else None
    form = ReasonForm(posted, initial=kept_text.take(request))
    if request.method == "POST" and form.is_valid():
        try:
            services.cancel_event(event=event, actor=request.user, reason=form.cleaned_data["reason"])
            kept_text.forget(request)
        except services.EventOver:
            messages.warning(request, _("The event is over."))
        return redirect(event)
    context = {"event": event, "form": form, "told_count": event.registrations.live().count()}
    return render(request, "events/call_off.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def postpone(request, pk, slug):
    """Take its day away: places stay, and everybody hears of it once."""
    event = get_own_event(request, pk)
    posted = request.POST if request.method == "POST" else None
    form = ReasonForm(posted, initial=kept_text.take(request))
    if request.method == "POST" and form.is_valid():
        try:
            services.postpone_event(event=event, actor=request.user, reason=form.cleaned_data["reason"])
            kept_text.forget(request)
        except services.EventOver:
            messages.warning(
                request, _("It has begun, is a draft, or was called off: it cannot be postponed.")
            )
        else:
            messages.success(
                request, _("Postponed, and everybody is told. Give it a new time when you know it.")
            )
        return back(event)
    context = {"event": event, "form": form, "told_count": event.registrations.live().count()}
    return render(request, "events/postpone.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def duplicate(request, pk, slug):
    """The same once more, as a draft."""
    event = get_own_event(request, pk)
    if not can_create_event(request.user):
        raise PermissionDenied
    if request.method == "POST":
        form = DuplicateForm(request.POST, event=event)
        if form.is_valid():
            copy = services.duplicate_event(
                event=event,
                actor=request.user,
                starts_at=form.cleaned_data["starts"],
                submit_key=form.cleaned_data["submit_key"],
            )
            messages.success(
                request, _("This is a draft with everything but the people. Publish it when it is ready.")
            )
            return redirect("events:edit", pk=copy.pk, slug=copy.slug)
    else:
        form = DuplicateForm(event=event, initial={"starts": weeks_later(event)} | kept_text.take(request))
    context = {"event": event, "form": form, "when_there": times.when(event, event.zone)}
    return render(request, "events/duplicate.html", context, status=422 if form.errors else 200)
