"""Events that come back: their dates before they are made, and what is done to one and all that follow."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from kmnet.core import kept_text

from .. import services, times
from ..forms.series import WRONG, AddDateForm, CallOffForm, FollowingForm, SeriesForm
from ..models import Event
from ..permissions import can_create_event
from ..recurrence import BadRule, Slot
from .common import get_own_event


def _url(event: Event) -> str:
    return reverse("events:series", args=[event.pk, event.slug])


@require_http_methods(["GET", "HEAD", "POST"])
def series(request, pk, slug):
    """The dates of the series; of an event that is in none, the form that makes one, with its dates to look at first."""
    event = get_own_event(request, pk)
    if event.series_id is not None:
        return _series(request, event)
    if event.rehearsal_of_id or not can_create_event(request.user):
        raise Http404
    return _make(request, event)


def _series(request, event: Event):
    """Its dates, and the form that makes one more."""
    posted = request.POST if request.POST.get("act") == "add" else None
    if request.method == "POST" and posted is None:  # “make” pressed twice
        return redirect(_url(event))
    form = AddDateForm(posted, event=event, initial=kept_text.take(request))
    if form.is_valid() and _added(request, event, form):
        return redirect(_url(event))
    context = _dates(event, request.user) | {"form": form, "may_add": can_create_event(request.user)}
    return render(request, "events/series.html", context, status=422 if form.errors else 200)


def _added(request, event: Event, form: AddDateForm) -> bool:
    data = form.cleaned_data
    try:
        made = services.add_date(
            event=event, actor=request.user, starts_at=data["starts"], submit_key=data["submit_key"]
        )
    except services.DateTaken:
        form.add_error("starts", _("There is a date at that time already."))
    except services.TooManyDates:
        form.add_error("starts", WRONG["too_many"])
    except services.EventOver:
        form.add_error(
            None, _("This date does not take place that day. Add one from the page of another date.")
        )
    else:
        kept_text.forget(request)
        messages.success(request, _("Added: %(day)s.") % {"day": times.when(made, made.zone).day})
        return True
    return False


def _make(request, event: Event):
    if request.method != "POST":
        form = SeriesForm(event=event, initial=kept_text.take(request))
        return render(request, "events/series_form.html", {"event": event, "form": form})
    form = SeriesForm(request.POST, event=event)
    if form.is_valid() and request.POST.get("act") == "make":
        try:
            services.make_series(event=event, actor=request.user, rule=form.rule)
        except services.EventOver:
            form.add_error(None, _("The event has begun, or does not take place that day."))
        except BadRule as error:  # it was moved meanwhile
            form.add_error(None, WRONG[error.code])
        else:
            kept_text.forget(request)
            words = ngettext("%(count)d date is made.", "%(count)d dates are made.", len(form.slots))
            messages.success(request, words % {"count": len(form.slots)})
            return redirect(_url(event))
    context = {"event": event, "form": form}
    if form.is_valid():
        context["preview"] = [_shown(event, slot) for slot in form.slots]
    return render(request, "events/series_form.html", context, status=422 if form.errors else 200)


def _shown(event: Event, slot: Slot) -> dict:
    """One date as it will be, and what the clocks do to it."""
    there = Event(
        starts_at=slot.at, ends_at=slot.at + (event.ends_at - event.starts_at), time_zone=event.time_zone
    )
    return {
        "there": times.when(there, event.zone),
        "here": times.when(there),
        "moved": slot.moved,
        "twice": slot.twice,
    }


def _dates(event: Event, reader) -> dict:
    found = list(
        Event.objects.visible_to(reader).filter(series=event.series_id).with_card(reader).order_by("slot")
    )
    coming = [one for one in found if one.slot >= event.slot and not one.cancelled_at and not one.is_over()]
    return {
        "event": event,
        "dates": [{"event": one, "when": times.when(one, one.zone)} for one in found],
        "is_on": bool(coming) and coming[0].pk == event.pk,
        "coming_count": len(coming),
        "draft_count": sum(one.published_at is None for one in coming),
    }


def _detached(dates: list[dict], event: Event) -> list[dict]:
    """Those after this one that were changed by themselves."""
    later = [one for one in dates if one["event"].slot > event.slot]
    return [one for one in later if one["event"].is_detached and not one["event"].cancelled_at]


def _in_series(request, pk) -> Event:
    event = get_own_event(request, pk)
    if event.series_id is None:
        raise Http404
    return event


@require_http_methods(["GET", "HEAD", "POST"])
def series_edit(request, pk, slug):
    """This date and the following ones."""
    event = _in_series(request, pk)
    if request.method == "POST":
        form = FollowingForm(request.POST, event=event)
        if form.is_valid():
            try:
                done = services.update_following(event=event, actor=request.user, **form.service_fields())
            except services.EventOver:
                form.add_error("starts", _("This date, or one that follows, cannot be moved there any more."))
            except services.DateTooFull as error:
                words = ngettext(
                    "%(day)s: %(held)d places are held. %(count)d must be freed first.",
                    "%(day)s: %(held)d places are held. %(count)d must be freed first.",
                    error.to_free,
                )
                day = times.when(error.event, error.event.zone).day
                form.add_error("capacity", words % {"day": day, "held": error.held, "count": error.to_free})
            else:
                kept_text.forget(request)
                words = ngettext("%(count)d date is changed.", "%(count)d dates are changed.", len(done))
                messages.success(request, words % {"count": len(done)})
                done[0].refresh_from_db()
                return redirect(_url(done[0]))
    else:
        form = FollowingForm(event=event, initial=kept_text.take(request))
    context = _dates(event, request.user) | {"form": form}
    context["detached"] = _detached(context["dates"], event)
    return render(request, "events/series_edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def series_call_off(request, pk, slug):
    """Call off this date and the following ones, on a page that says what happens then."""
    event = _in_series(request, pk)
    form = CallOffForm(request.POST if request.method == "POST" else None, initial=kept_text.take(request))
    context = _dates(event, request.user) | {"form": form}
    context["detached"] = _detached(context["dates"], event)
    if not context["detached"]:
        del form.fields["spare"]
    if request.method == "POST" and form.is_valid():
        try:
            count = services.cancel_following(
                event=event,
                actor=request.user,
                reason=form.cleaned_data["reason"],
                spare_detached=form.cleaned_data.get("spare", False),
            )
            kept_text.forget(request)
            words = ngettext("%(count)d date is called off.", "%(count)d dates are called off.", count)
            messages.success(request, words % {"count": count})
        except services.EventOver:
            messages.warning(request, _("This date is over, or was called off before."))
        return redirect(_url(event))
    return render(request, "events/series_call_off.html", context, status=422 if form.errors else 200)


@require_POST
def series_publish(request, pk, slug):
    event = _in_series(request, pk)
    try:
        count = services.publish_following(event=event, actor=request.user)
    except services.EventOver:
        messages.warning(request, _("This date is over, or was called off before."))
    else:
        words = ngettext("%(count)d date is published.", "%(count)d dates are published.", count)
        messages.success(request, words % {"count": count})
    return redirect(_url(event))
