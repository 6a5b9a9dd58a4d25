"""Registering, answering an offer, leaving, and the way in."""

import hashlib

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kmnet.core import kept_text
from kmnet.core.access import guests_sign_in, sign_in_first
from kmnet.core.ratelimit import allow, limited

from .. import services
from ..forms import GuestForm, RegisterForm
from ..models import Status
from ..permissions import can_enter
from .common import get_event, own_registration, place_context, posted
from .your_place import PlacePage


def _answer(request, event, arrival: services.Arrival | None = None):
    """The panel for htmx; the whole page, by a redirect, for everybody else."""
    if request.htmx:
        return render(request, "events/_place.html", place_context(request, event, arrival))
    return redirect(event)


@login_not_required
@guests_sign_in
@require_http_methods(["GET", "HEAD", "POST"])
@limited("register", "60/h")
def register(request, pk, slug):
    """One press for members where nothing is asked; guests give an address, which a mail then proves. Pressed twice it
    is once."""
    if _has_lost_login(request):
        kept_text.keep(request)
        return sign_in_first(request)
    event = get_event(request, pk)
    if not request.user.is_authenticated:
        return _register_guest(request, event)
    if request.method == "POST" and "access_needs" not in request.POST:
        return _register_at_once(request, event)
    first = {"way": request.GET.get("way", "")} | kept_text.take(request)
    mine = own_registration(event, request.user)
    said = mine if mine is not None and mine.status == Status.RECORDING else None
    form = RegisterForm(posted(request), event=event, registration=said, initial=first)
    if request.method == "POST" and _pressed(request, event, form):
        kept_text.forget(request)
        return _answer(request, event)
    context = place_context(request, event) | {"form": form}
    return render(request, "events/register.html", context, status=422 if form.errors else 200)


def _has_lost_login(request) -> bool:
    """A member's form, whose login has run out meanwhile: a guest's has an address."""
    if request.user.is_authenticated or request.method != "POST":
        return False
    return "access_needs" in request.POST and "address" not in request.POST


def _register_at_once(request, event):
    """The button of the panel. A thousand may press it in the same moment, so it builds no form and asks little."""
    wanted = {"way": request.POST.get("way", ""), "recording_only": "recording_only" in request.POST}
    arrival = None
    try:
        arrival = services.arrive(event=event, member=request.user, **wanted)
    except services.RegistrationClosed:
        messages.warning(request, _("Registration for this event is closed."))
    except (services.AnswersMissing, services.WayUnknown):
        # Changed since the page was shown: the panel has no room for what is asked now, the form has.
        return HttpResponse(headers={"HX-Redirect": request.path}) if request.htmx else redirect(request.path)
    return _answer(request, event, arrival)


def _pressed(request, event, form: RegisterForm) -> bool:
    """Whether there is nothing left to mend; what was refused for other reasons is said in a message."""
    if not form.is_valid():
        return False
    try:
        services.register_member(event=event, member=request.user, **form.service_fields())
    except services.AnswersMissing as error:
        form.add_missing(error.errors)
        return False
    except services.WayUnknown:
        form.add_error("way" if "way" in form.fields else None, _("Choose how you want to come."))
        return False
    except services.RegistrationClosed:
        messages.warning(request, _("Registration for this event is closed."))
    return True


def _register_guest(request, event):
    first = {"time_zone": event.time_zone, "way": request.GET.get("way", "")}
    form = GuestForm(posted(request), event=event, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            if _may_write_to(form.cleaned_data["address"]):  # the page is the same if not: it tells nothing
                services.request_guest_place(event=event, **form.service_fields())
            return render(request, "events/look_in_your_mail.html", {"event": event})
        except services.RegistrationClosed:
            messages.warning(request, _("Registration for this event is closed."))
            return redirect(event)
        except services.AnswersMissing as error:
            form.add_missing(error.errors)
        except services.WayUnknown:
            form.add_error("way" if "way" in form.fields else None, _("Choose how you want to come."))
    context = place_context(request, event) | {"form": form}
    status = 422 if form.errors else 200
    return render(request, "events/register_guest.html", context, status=status)


def _may_write_to(address: str) -> bool:
    """Nobody can have a stranger flooded with mails by typing their address at many events."""
    who = hashlib.sha256(address.lower().encode()).hexdigest()
    return allow(f"guest-mail:{who}", limit=12, seconds=86_400)


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request, pk, slug):
    """Give up a place, or leave the list. Opening the page changes nothing."""
    event = get_event(request, pk)
    registration = own_registration(event, request.user)
    if registration is None:
        raise Http404
    if request.method == "POST":
        try:
            services.cancel_registration(registration=registration, actor=request.user)
            messages.success(request, _("Done. Thank you for saying so."))
        except services.TooLate:
            messages.warning(request, _("The event is over; there is nothing to give up any more."))
        return redirect(event)
    if registration.status not in Status.unsettled():
        return redirect(event)
    return render(request, "events/cancel.html", place_context(request, event))


@require_http_methods(["GET", "HEAD", "POST"])
def place(request, pk, slug):
    """All that can be done with one's place or turn."""
    event = get_event(request, pk)
    registration = own_registration(event, request.user)
    if registration is None:
        raise Http404
    page = PlacePage(request, registration, actor=request.user)
    if request.method == "POST":
        page.press()
        if page.done:
            kept_text.forget(request)
            messages.success(request, page.done)
            return redirect("events:place" if page.is_open else "events:detail", event.pk, event.slug)
    return page.response() if page.is_open else redirect(event)


@require_http_methods(["GET", "HEAD", "POST"])
def coming(request, pk, slug):
    """The answer to “are you still coming?”: yes, no, or the recording only."""
    deeds = {
        "yes": services.confirm_coming,
        "no": services.cancel_registration,
        "recording": services.take_recording_only,
    }
    return _act(request, pk, deeds)


@require_http_methods(["GET", "HEAD", "POST"])
def offer(request, pk, slug):
    """Take the offered place, or pass it on; near the start: take one of those that are free."""
    deeds = {
        "accept": services.accept_offer,
        "decline": services.decline_offer,
        "claim": services.claim_place,
    }
    return _act(request, pk, deeds)


def _act(request, pk: int, deeds: dict):
    """Do what the pressed button says; then the panel tells what is the case."""
    event = get_event(request, pk)
    registration = own_registration(event, request.user)
    if request.method != "POST":
        return redirect(event)
    deed = deeds.get(request.POST.get("answer", ""))
    if registration is None or deed is None:
        raise Http404
    try:
        deed(registration=registration, actor=request.user)
    except services.OfferOver:
        messages.warning(request, _("This offer has ended, and the place has gone to the next person."))
        services.promote_waiting(event=event)
    except services.NotYourTurn:
        messages.warning(request, _("The place has just been taken."))
    except (services.TooLate, services.RegistrationClosed):
        messages.warning(request, _("It is too late for that now."))
    return _answer(request, event)


@require_http_methods(["GET", "HEAD", "POST"])
def join(request, pk, slug):
    """The join gate: whoever has a place goes on to the meeting, and is noted as having come; who was silent comes in
    while there is room. GET only shows it."""
    event = get_event(request, pk)
    registration = own_registration(event, request.user)
    if not can_enter(registration):
        return render(request, "events/join.html", place_context(request, event), status=403)
    return pass_gate(request, registration, place_context(request, event))


def pass_gate(request, registration, context):
    """Both gates, the member's and the personal link's."""
    if request.method == "POST":
        try:
            # The page, not a redirect: our policy forbids forms to lead to other sites, also by a detour.
            context["meeting_url"] = services.enter(registration=registration)
        except services.NoRoomYet:
            context["no_room_yet"] = True
        except (services.DoorsClosed, PermissionDenied):
            messages.warning(request, _("The doors are not open."))
            return redirect(request.path)
    response = render(request, "events/join.html", context)
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = (
        "same-origin"  # not no-referrer: then browsers post "Origin: null", refused as forged
    )
    return response
