"""Pages behind links in mails: public, without a session, and inert until the button is pressed."""

import zoneinfo
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from kmnet.core import tokens
from kmnet.core.mail_pages import mail_page
from kmnet.core.models import CommunitySettings

from . import services, times
from .mails import links
from .models import Registration, Status
from .views.places import pass_gate


def _zone_of(registration: Registration) -> zoneinfo.ZoneInfo:
    """The page tells the same hours as the mail that led to it, whoever is signed in here, or nobody."""
    name = registration.member.time_zone if registration.member else registration.guest_time_zone
    try:
        return zoneinfo.ZoneInfo(name or CommunitySettings.load().time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def page_of(purpose: str):
    """Read the token, find the registration; what is not ours or has ended gets a page that says so."""

    def decorate(view):
        @mail_page
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def wrapped(request, token):
            try:
                data, ended = tokens.read(purpose, token), False
            except tokens.ExpiredToken as error:
                data, ended = error.data, True
            except tokens.BadToken:
                return render(request, "events/mail/bad_link.html", status=404)
            registration = (
                Registration.objects.select_related("event", "member")
                .filter(pk=data.get("registration"))
                .first()
            )
            if registration is None:
                return render(request, "events/mail/bad_link.html", status=404)
            with timezone.override(_zone_of(registration)):
                return view(request, registration, ended)

        return wrapped

    return decorate


def _page(request, template: str, registration: Registration, *, status: int = 200, **more):
    event = registration.event
    context = {
        "registration": registration,
        "event": event,
        "when": times.when(event),
        "when_there": times.when(event, event.zone),
        "called_off": event.cancelled_at is not None,
        **more,
    }
    return render(request, f"events/mail/{template}.html", context, status=status)


def _afresh(registration: Registration) -> Registration:
    return Registration.objects.select_related("event", "member").get(pk=registration.pk)


@page_of(links.OFFER)
def offer(request, registration, ended):
    """Take the place, or pass it on; afterwards the page says what is the case."""
    if request.method == "POST" and not ended:
        deeds = {"accept": services.accept_offer, "decline": services.decline_offer}
        deed = deeds.get(request.POST.get("answer", ""))
        if deed is not None:
            try:
                deed(registration=registration)
            except services.OfferOver:
                services.promote_waiting(event=registration.event)
            registration = _afresh(registration)
    open_offer = registration.has_open_offer() and registration.event.cancelled_at is None
    more = {"is_open": open_offer, "links": _own_links(registration)}
    if open_offer:
        more["until"] = times.until(registration.offer_expires_at)
    return _page(request, "offer", registration, **more)


def _own_links(registration: Registration) -> dict:
    """For the page after a yes: where to go on, without signing in."""
    if registration.status == Status.CONFIRMED and not registration.event.is_over():
        return {"cancel": links.cancel_url(registration)}
    return {}


@page_of(links.CANCEL)
def cancel(request, registration, ended):
    done = False
    if request.method == "POST" and not ended:
        try:
            services.cancel_registration(registration=registration)
            done = True
        except services.TooLate:
            ended = True
        registration = _afresh(registration)
    may = (
        registration.status in Status.unsettled()
        and not ended
        and not registration.event.is_over()
        and registration.event.cancelled_at is None
    )
    return _page(
        request,
        "cancel",
        registration,
        may_cancel=may,
        done=done,
        ended=ended or registration.event.is_over(),
        waiting_count=registration.event.occupancy().waiting if may else 0,
    )


@page_of(links.PROVE)
def prove(request, registration, ended):
    """The guest's button: from the press on the place counts."""
    closed = False
    if request.method == "POST" and not ended:
        try:
            registration = _afresh(services.prove_guest(registration=registration))
        except (services.RegistrationClosed, PermissionDenied):
            closed = True
    closed = closed or (
        registration.status == Status.UNPROVEN and not registration.event.takes_registrations()
    )
    position = registration.position() if registration.status == Status.WAITING else None
    return _page(request, "prove", registration, ended=ended, closed=closed, position=position)


@page_of(links.JOIN)
def join(request, registration, ended):
    """The personal way in, for guests and members alike."""
    event = registration.event
    if registration.status != Status.CONFIRMED or ended or event.is_over():
        return _page(request, "no_way_in", registration, ended=ended or event.is_over())
    context = {
        "event": event,
        "registration": registration,
        "when": times.when(event),
        "when_there": times.when(event, event.zone),
        "doors_open": event.doors_are_open() and bool(event.meeting_url),
        "state": "confirmed",
        "is_link": True,
    }
    return pass_gate(request, registration, context)
