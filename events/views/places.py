"""Registering, answering an offer, leaving, and the way in."""

import hashlib

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kmnet.core.access import guests_sign_in
from kmnet.core.ratelimit import allow, limited

from .. import services
from ..forms import GuestForm
from ..models import Status
from .common import get_event, own_registration, place_context


def _answer(request, event):
    """The panel for htmx; the whole page, by a redirect, for everybody else."""
    if request.htmx:
        return render(request, "events/_place.html", place_context(request, event))
    return redirect(event)


@login_not_required
@guests_sign_in
@require_http_methods(["GET", "HEAD", "POST"])
@limited("register", "60/h")
def register(request, pk, slug):
    """One press for members; guests give an address, which a mail then proves. Pressed twice it is once."""
    event = get_event(request, pk)
    if not request.user.is_authenticated:
        return _register_guest(request, event)
    if request.method == "POST":
        try:
            services.register_member(event=event, member=request.user)
        except services.RegistrationClosed:
            messages.warning(request, _("Registration for this event is closed."))
        return _answer(request, event)
    return render(request, "events/register.html", place_context(request, event))


def _register_guest(request, event):
    form = GuestForm(request.POST or None, initial={"time_zone": event.time_zone})
    if request.method == "POST" and form.is_valid():
        try:
            if _may_write_to(form.cleaned_data["address"]):  # the page is the same if not: it tells nothing
                services.request_guest_place(event=event, **form.cleaned_data)
        except services.RegistrationClosed:
            messages.warning(request, _("Registration for this event is closed."))
            return redirect(event)
        return render(request, "events/look_in_your_mail.html", {"event": event})
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
def offer(request, pk, slug):
    """Take the offered place, or pass it on; near the start: take one of those that are free."""
    event = get_event(request, pk)
    registration = own_registration(event, request.user)
    if request.method != "POST":
        return redirect(event)
    if registration is None:
        raise Http404
    deeds = {
        "accept": services.accept_offer,
        "decline": services.decline_offer,
        "claim": services.claim_place,
    }
    deed = deeds.get(request.POST.get("answer", ""))
    if deed is None:
        raise Http404
    try:
        deed(registration=registration, actor=request.user)
    except services.OfferOver:
        messages.warning(request, _("This offer has ended, and the place has gone to the next person."))
        services.promote_waiting(event=event)
    except services.NotYourTurn:
        messages.warning(request, _("The place has just been taken."))
    return _answer(request, event)


@require_http_methods(["GET", "HEAD", "POST"])
def join(request, pk, slug):
    """The join gate: whoever has a place goes on to the meeting, and is noted as having come. GET only shows it."""
    event = get_event(request, pk)
    registration = own_registration(event, request.user)
    if registration is None or registration.status != Status.CONFIRMED:
        return render(request, "events/join.html", place_context(request, event), status=403)
    return pass_gate(request, registration, place_context(request, event))


def pass_gate(request, registration, context):
    """Both gates, the member's and the personal link's."""
    if request.method == "POST":
        try:
            # The page, not a redirect: our policy forbids forms to lead to other sites, also by a detour.
            context["meeting_url"] = services.enter(registration=registration)
        except (services.DoorsClosed, PermissionDenied):
            messages.warning(request, _("The doors are not open."))
            return redirect(request.path)
    response = render(request, "events/join.html", context)
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = (
        "same-origin"  # not no-referrer: then browsers post "Origin: null", refused as forged
    )
    return response
