"""Pages behind links in mails: public, without a session, and inert until the button is pressed."""

import zoneinfo
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from kmnet.core import presence, tokens
from kmnet.core.mail_pages import mail_page
from kmnet.core.models import CommunitySettings

from . import services, times
from .forms import InvitedForm
from .mails import links
from .models import EventInvitation, Registration, Status, Way
from .permissions import can_enter, has_soft_place
from .services.persons import find_member
from .services.places import is_first_come
from .views.common import is_asked, posted
from .views.places import pass_gate
from .views.your_place import PlacePage, event_of


def _zone_of(row: Registration | EventInvitation) -> zoneinfo.ZoneInfo:
    """The page tells the same hours as the mail that led to it, whoever is signed in here, or nobody."""
    name = row.member.time_zone if row.member else getattr(row, "guest_time_zone", "")
    try:
        return zoneinfo.ZoneInfo(name or CommunitySettings.load().time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def page_of(purpose: str, find=None):
    """Read the token, find what it is about; what is not ours or has ended gets a page that says so."""
    find = find or _find_registration

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
            found = find(data)
            if found is None:
                return render(request, "events/mail/bad_link.html", status=404)
            presence.note_post(request, found.member_id)
            with timezone.override(_zone_of(found)):
                return view(request, found, ended)

        return wrapped

    return decorate


def _find_registration(data: dict) -> Registration | None:
    rows = Registration.objects.select_related("event", "member")
    return rows.filter(pk=data.get("registration")).first()


def _find_invitation(data: dict) -> EventInvitation | None:
    rows = EventInvitation.objects.select_related("event", "member")
    return rows.filter(pk=data.get("invitation"), event__published_at__isnull=False).first()


def _page(request, template: str, registration: Registration, *, status: int = 200, **more):
    event = registration.event
    context = event_of(event) | {
        "registration": registration,
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
    holds = registration.status in (Status.CONFIRMED, Status.OFFERED)
    return _page(
        request,
        "cancel",
        registration,
        may_cancel=may,
        done=done,
        ended=ended or registration.event.is_over(),
        waiting_count=registration.event.occupancy(way=registration.way).waiting if may and holds else 0,
    )


@page_of(links.PLACE)
def place(request, registration, ended):
    """All that can be done with a place or a turn, without signing in."""
    page = PlacePage(request, registration)
    if request.method == "POST" and not ended:
        page.press()
    if ended or not page.is_open:
        return _page(request, "place_over", page.registration, done=page.done)
    return page.response(cancel_url=links.cancel_url(page.registration))


@page_of(links.RECONFIRM)
def reconfirm(request, registration, ended):
    """Are you still coming? Yes, no, or the recording only; afterwards the page says what is the case."""
    too_late = False
    if request.method == "POST" and not ended:
        deeds = {
            "yes": services.confirm_coming,
            "no": services.cancel_registration,
            "recording": services.take_recording_only,
        }
        deed = deeds.get(request.POST.get("answer", ""))
        if deed is not None:
            try:
                deed(registration=registration)
            except services.OfferOver:
                pass  # answered before: the page says how
            except (services.TooLate, services.RegistrationClosed, PermissionDenied):
                too_late = True
            registration = _afresh(registration)
    event = registration.event
    now = timezone.now()
    asks = registration.status == Status.SOFT or (
        registration.status == Status.CONFIRMED and is_asked(event, registration, now)
    )
    asks = asks and not (ended or too_late or event.is_over(now) or event.cancelled_at or event.is_postponed)
    return _page(
        request,
        "reconfirm",
        registration,
        asks=asks,
        ended=ended or too_late or event.is_over(),
        has_started=event.has_started(),
        position=registration.position() if registration.status == Status.WAITING else None,
        waiting_count=event.occupancy(now, registration.way).waiting if asks else 0,
        may_record=event.offers_recording,
        join_url=links.join_url(registration)
        if has_soft_place(registration) and event.is_online and registration.way != Way.ROOM
        else "",
        cancel_url=links.cancel_url(registration) if registration.is_live else "",
    )


@page_of(links.CLAIM)
def claim(request, registration, ended):
    """Near the start: a free place, for whoever presses first."""
    gone = False
    if request.method == "POST" and not ended:
        try:
            services.claim_place(registration=registration)
        except (services.NotYourTurn, services.TooLate, PermissionDenied):
            gone = True
        registration = _afresh(registration)
    event = registration.event
    over = ended or event.has_started()
    still = registration.status in (Status.WAITING, Status.EXPIRED, Status.SOFT)
    is_free = still and not over and is_first_come(event, timezone.now())
    is_free = is_free and registration.way in event.ways
    is_free = is_free and not event.occupancy(way=registration.way).is_full
    return _page(
        request, "claim", registration, is_free=is_free and not gone, gone=gone, ended=over, still=still
    )


@page_of(links.INVITED, _find_invitation)
def invited(request, invitation, ended):
    """Somebody asked by their address: the button on this page registers them, and the link is the proof."""
    event = invitation.event
    member = invitation.member or find_member(invitation.guest_address)
    theirs = Registration.objects.live().filter(event=event)
    theirs = theirs.for_member(member) if member else theirs.for_address(invitation.guest_address)
    registration = theirs.select_related("event", "member").first()
    form = InvitedForm(posted(request), event=event, initial={"time_zone": event.time_zone})
    closed = ended or not event.takes_registrations()
    if request.method == "POST" and registration is None and not closed and form.is_valid():
        try:
            registration = services.register_invited(invitation=invitation, **form.service_fields())
            registration = _afresh(registration)
        except services.AnswersMissing as error:
            form.add_missing(error.errors)
        except (services.RegistrationClosed, PermissionDenied):
            closed = True
    context = event_of(event) | {
        "invitation": invitation,
        "registration": registration,
        "form": form,
        "closed": closed,
        "called_off": event.cancelled_at is not None,
        "occupancy": event.occupancy(),
        "position": registration.position()
        if registration and registration.status == Status.WAITING
        else None,
        "place_url": links.place_url(registration) if registration else "",
    }
    wrong = registration is None and form.is_bound and form.errors
    return render(request, "events/mail/invited.html", context, status=422 if wrong else 200)


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
    if not can_enter(registration) or ended or event.is_over():
        return _page(request, "no_way_in", registration, ended=ended or event.is_over())
    context = {
        "event": event,
        "registration": registration,
        "when": times.when(event),
        "when_there": times.when(event, event.zone),
        "doors_open": event.doors_are_open() and bool(event.meeting_url),
        "has_way_in": True,
        "is_link": True,
    }
    return pass_gate(request, registration, context)
