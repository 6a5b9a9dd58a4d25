"""The organisers' desk: who comes, who waits, what has been written to them."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from kmnet.core import audit

from .. import lists, services, times
from ..forecasting import forecast_context
from ..forms import AddPersonForm, LetterForm, capacity_form
from ..models import Audience, Event, Occupancy, Status, Way
from ..permissions import can_create_event, is_organiser_of
from ..timeline import message_counts, timeline
from .common import get_own_event, meter

OFFERS_SHOWN = 20


def seen_by_admin(request, event: Event) -> None:
    """People’s names and addresses: an admin who is not an organiser of this event leaves a line in the log."""
    if not is_organiser_of(request.user, event):
        audit.record_act(actor=request.user, verb="events.people_seen", target=event)


def back(event: Event, part: str = ""):
    response = redirect("events:organise", pk=event.pk, slug=event.slug)
    if part:
        response["Location"] += f"#{part}"
    return response


@require_safe
def organise(request, pk, slug):
    event = get_own_event(request, pk)
    seen_by_admin(request, event)
    return render(request, "events/organise.html", desk_context(request, event))


def desk_context(request, event: Event, *, bad_capacity=None, add_form=None) -> dict:
    """Everything that events/organise.html shows; forms that were refused stand where they stood."""
    now = timezone.now()
    written_to = services.audiences_of(event)
    counts = lists.counts_of(event, {f"to_{name}": who for name, who in written_to.items()})
    choice = lists.Choice.read(request.GET, event, counts)
    occupancies = event.occupancies(now)
    occupancy = occupancies[""] if "" in occupancies else Occupancy.together(occupancies.values())
    page = lists.page_of(event, choice, request.GET)
    sent = message_counts(event)
    is_open = not event.is_over(now) and event.cancelled_at is None
    forecasts = forecast_context(event, now) if is_open else {}
    audiences = {name: counts[f"to_{name}"] for name in written_to}
    return {
        "event": event,
        "occupancy": occupancy,
        "headline": headline(event, occupancy, occupancies, forecasts.get("forecasts", ()), now),
        "when": times.when(event),
        "when_there": times.when(event, event.zone),
        "of_ways": _of_ways(event, occupancies, bad_capacity),
        "counts": counts,
        "choice": choice,
        "tabs": lists.tabs(choice, counts),
        "ways": lists.ways_of(event),
        "page_of": page,
        "open_offers": _open_offers(event, now) if occupancy.offered else [],
        "add_form": add_form or AddPersonForm(event=event, viewer=request.user),
        "letter_form": LetterForm(counts=audiences, initial=_about(counts))
        if any(audiences.values())
        else None,
        "steps": timeline(event, counts, sent, now),
        "messages_sent": sent,
        "has_begun": event.doors_open_at <= now and not event.is_postponed,
        "is_over": event.is_over(now),
        "is_open": is_open,
        "may_duplicate": can_create_event(request.user),
        "may_postpone": is_open
        and event.published_at
        and not event.is_postponed
        and not event.has_started(now),
        **forecasts,
    }


def _about(counts: dict[str, int]) -> dict:
    """Most letters go to those who have not answered."""
    return {"audience": Audience.SILENT} if counts["silent"] else {}


def _of_ways(event: Event, occupancies: dict, bad_capacity) -> list[dict]:
    """Each list of places: how full it is, and the form that changes it."""
    told = []
    for way, occupancy in occupancies.items():
        refused = bad_capacity is not None and bad_capacity.way == way
        form = bad_capacity if refused else capacity_form(event, way)
        told.append(
            {"way": way, "label": form.label, "occupancy": occupancy, "meter": meter(occupancy), "form": form}
        )
    return told


def _open_offers(event: Event, now):
    offers = event.registrations.filter(status=Status.OFFERED, offer_expires_at__gt=now).select_related(
        "member"
    )
    return offers.order_by("offer_expires_at", "pk")[:OFFERS_SHOWN]


# --- the sentence on top -------------------------------------------------------------------------------------------------
def headline(event: Event, occupancy, occupancies, forecasts, now) -> str:
    """What is the case, and what can be done about it."""
    if event.cancelled_at is not None:
        return _("This event was called off.")
    if event.published_at is None:
        return _("This is a draft. Publish it when it is ready.")
    if event.is_postponed:
        return _("This event is postponed. It needs a new day.")
    if event.is_over(now):
        return _counted(
            ngettext("%(count)d person came.", "%(count)d people came.", occupancy.attended),
            occupancy.attended,
        )
    if occupancy.requested:
        words = ngettext(
            "%(count)d person asks to come.", "%(count)d people ask to come.", occupancy.requested
        )
        return _counted(words, occupancy.requested)
    if len(occupancies) > 1 and occupancy.waiting:
        told = [(Way(way).label, _fullness(one)) for way, one in occupancies.items()]
        parts = [_("%(how)s: %(words)s") % {"how": capfirst(how), "words": words} for how, words in told]
        return " ".join(parts)
    more = sum(forecast.more for forecast in forecasts if forecast.may_offer)
    if occupancy.is_full and more:
        words = ngettext("You can safely offer %(count)d more.", "You can safely offer %(count)d more.", more)
        return _("%(one)s %(other)s") % {"one": _all_taken(occupancy), "other": _counted(words, more)}
    return _fullness(occupancy)


def _all_taken(occupancy) -> str:
    words = ngettext("The one place is taken.", "All %(count)d places are taken.", occupancy.places)
    return _counted(words, occupancy.places)


def _fullness(occupancy) -> str:
    """Of one list: how many have a place, how many are free, or how many wait."""
    if occupancy.places is None:
        words = ngettext(
            "%(count)d person has a place.", "%(count)d people have a place.", occupancy.confirmed
        )
        return _counted(words, occupancy.confirmed)
    if not occupancy.is_full:
        words = ngettext("%(count)d place is free.", "%(count)d places are free.", occupancy.free)
        return _counted(words, occupancy.free)
    if not occupancy.waiting:
        return _all_taken(occupancy)
    words = ngettext("%(count)d person waits.", "%(count)d people wait.", occupancy.waiting)
    return _("%(one)s %(other)s") % {
        "one": _all_taken(occupancy),
        "other": _counted(words, occupancy.waiting),
    }


def _counted(words: str, count: int) -> str:
    return words % {"count": count}


# --- acts on the whole event ---------------------------------------------------------------------------------------------
@require_POST
def capacity(request, pk, slug):
    """Of one list; of a hybrid event `way` says which."""
    event = get_own_event(request, pk)
    way = request.POST.get("way", "")
    form = capacity_form(event, way if way in event.ways else event.ways[0], request.POST)
    if form.is_valid():
        fields = {name: form.cleaned_data[name] for name in ("capacity", "overbooking")}
        try:
            services.change_capacity(event=event, actor=request.user, way=form.way, **fields)
        except services.CapacityTooLow as error:
            words = ngettext(
                "%(held)d places are held. %(count)d must be freed first.",
                "%(held)d places are held. %(count)d must be freed first.",
                error.to_free,
            )
            form.add_error("capacity", words % {"held": error.held, "count": error.to_free})
        else:
            messages.success(request, _("Saved. Free places are offered to those who wait, in their order."))
            return back(event)
    seen_by_admin(request, event)
    return render(
        request, "events/organise.html", desk_context(request, event, bad_capacity=form), status=422
    )


@require_POST
def publish(request, pk, slug):
    event = get_own_event(request, pk)
    services.publish_event(event=event, actor=request.user)
    messages.success(request, _("Published. People can find it now."))
    return back(event)
