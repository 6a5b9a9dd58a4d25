"""The organisers' desk: who comes, who waits, what has been written to them."""

import csv

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kmnet.core import audit, kept_text
from kmnet.core.keyset import paginate
from kmnet.core.models import OutgoingMail
from members.models import Member

from .. import mails, services, times
from ..forms import AddPersonForm, CapacityForm, ReasonForm
from ..models import Event, Registration, Status
from ..permissions import is_organiser_of
from .common import get_own_event, meter

PAGE = 50
# name: (label, states, order)
LISTS = {
    "places": (gettext_lazy("With a place"), (Status.CONFIRMED, Status.OFFERED), ["joined_at", "pk"]),
    "waiting": (gettext_lazy("Waiting"), (Status.WAITING,), ["-priority", "joined_at", "pk"]),
    "left": (
        gettext_lazy("Left"),
        (Status.EXPIRED, Status.DECLINED, Status.CANCELLED, Status.REMOVED),
        ["-ended_at", "-pk"],
    ),
}


def _seen_by_admin(request, event: Event) -> None:
    """People’s names and addresses: an admin who is not an organiser of this event leaves a line in the log."""
    if not is_organiser_of(request.user, event):
        audit.record_act(actor=request.user, verb="events.people_seen", target=event)


def _back(event: Event):
    return redirect("events:organise", pk=event.pk, slug=event.slug)


@require_safe
def organise(request, pk, slug):
    event = get_own_event(request, pk)
    _seen_by_admin(request, event)
    return render(request, "events/organise.html", _desk(request, event))


def _desk(request, event: Event, **more) -> dict:
    now = timezone.now()
    name = request.GET.get("show", "places")
    label, states, order = LISTS.get(name, LISTS["places"])
    people = event.registrations.filter(status__in=states).select_related("member")
    page = paginate(people, request.GET, order=order, size=PAGE)
    if name == "waiting" and page.items:
        first = page.items[0].position()
        for number, registration in enumerate(page.items, start=first):
            registration.place_in_line = number
    counts = dict(event.registrations.order_by().values_list("status").annotate(n=Count("pk")))
    occupancy = event.occupancy(now)
    return {
        "event": event,
        "occupancy": occupancy,
        "meter": meter(occupancy),
        "when": times.when(event),
        "when_there": times.when(event, event.zone),
        "page_of": page,
        "show": name if name in LISTS else "places",
        "lists": [
            {
                "label": heading,
                "href": f"?show={key}#people",
                "current": key == (name if name in LISTS else "places"),
                "count": sum(counts.get(state, 0) for state in of_list),
            }
            for key, (heading, of_list, _order) in LISTS.items()
        ],
        "left_count": sum(counts.get(state, 0) for state in LISTS["left"][1]),
        "expired_count": counts.get(Status.EXPIRED, 0) + counts.get(Status.DECLINED, 0),
        "open_offers": event.registrations.filter(status=Status.OFFERED, offer_expires_at__gt=now)
        .select_related("member")
        .order_by("offer_expires_at", "pk")[:PAGE],
        "capacity_form": CapacityForm(
            initial={"capacity": event.capacity, "overbooking": event.overbooking or None}
        ),
        "add_form": AddPersonForm(),
        "messages_sent": message_counts(event),
        "has_begun": event.doors_open_at <= now,
        "is_over": event.is_over(now),
        **more,
    }


def message_counts(event: Event) -> list[dict]:
    """Per kind of mail: sent, still to go, and held back for a reason. One query, by the beginning of the keys."""
    about = Q()
    for kind in mails.KINDS:
        about |= Q(dedupe_key__startswith=f"{kind.key}:{event.pk}.")
    rows = OutgoingMail.objects.filter(about).order_by().values_list("kind", "state").annotate(n=Count("pk"))
    found: dict[str, dict] = {}
    for kind, state, count in rows:
        found.setdefault(kind, {})[state] = count
    return [
        {
            "label": kind.label.partition(": ")[2] or kind.label,
            "sent": found[kind.key].get("sent", 0),
            "to_go": found[kind.key].get("waiting", 0),
            "not_sent": found[kind.key].get("withheld", 0) + found[kind.key].get("failed", 0),
        }
        for kind in mails.KINDS
        if kind.key in found
    ]


@require_POST
def capacity(request, pk, slug):
    event = get_own_event(request, pk)
    form = CapacityForm(request.POST)
    if form.is_valid():
        try:
            services.change_capacity(event=event, actor=request.user, **form.cleaned_data)
        except services.CapacityTooLow as error:
            form.add_error(
                "capacity",
                ngettext(
                    "%(held)d places are held. %(count)d must be freed first.",
                    "%(held)d places are held. %(count)d must be freed first.",
                    error.to_free,
                )
                % {"held": error.held, "count": error.to_free},
            )
        else:
            messages.success(request, _("Saved. Free places are offered to those who wait, in their order."))
            return _back(event)
    return render(request, "events/organise.html", _desk(request, event, capacity_form=form), status=422)


@require_POST
def publish(request, pk, slug):
    event = get_own_event(request, pk)
    services.publish_event(event=event, actor=request.user)
    messages.success(request, _("Published. People can find it now."))
    return _back(event)


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
    return render(request, "events/call_off.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def person(request, pk, slug, registration):
    """One registration: its history, the tick for having come, and taking somebody off."""
    event = get_own_event(request, pk)
    if registration == 0:
        return _add_person(request, event)
    found = get_object_or_404(event.registrations.select_related("member"), pk=registration)
    if request.method == "POST":
        return _act_on_person(request, event, found)
    _seen_by_admin(request, event)
    return _person_page(request, event, found, ReasonForm())


def _person_page(request, event: Event, found: Registration, form: ReasonForm):
    context = {
        "event": event,
        "registration": found,
        "position": found.position() if found.status == Status.WAITING else None,
        "log": found.log.select_related("actor"),
        "form": form,
        "may_remove": found.status in Status.unsettled() and not event.is_over(),
        "may_tick": found.confirmed_at is not None and event.doors_open_at <= timezone.now(),
    }
    return render(request, "events/person.html", context)


def _act_on_person(request, event: Event, found: Registration):
    act = request.POST.get("act")
    if act in ("came", "did_not_come"):
        services.mark_attendance(registration=found, came=act == "came", by=request.user)
        return redirect(_desk_url(event) if request.POST.get("from") == "list" else request.path)
    if act == "remove":
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return _person_page(request, event, found, form)
        try:
            services.remove_registration(
                registration=found, by=request.user, reason=form.cleaned_data["reason"]
            )
        except services.TooLate:
            messages.warning(request, _("The event is over."))
        else:
            messages.success(request, _("Taken off, and told so."))
        return _back(event)
    raise Http404


def _desk_url(event: Event) -> str:
    return reverse("events:organise", args=[event.pk, event.slug]) + "#people"


def _add_person(request, event: Event):
    form = AddPersonForm(request.POST or None)
    if request.method != "POST":
        return _back(event)
    if form.is_valid():
        text = form.cleaned_data["person"].lstrip("@")
        member = Member.objects.filter(Q(email__iexact=text) | Q(handle__iexact=text)).first()
        try:
            if member is None:
                raise PermissionDenied
            services.register_member(event=event, member=member, by=request.user)
        except PermissionDenied:
            form.add_error("person", _("There is no member with this address or handle."))
        except services.RegistrationClosed:
            form.add_error("person", _("The event has begun, or was called off."))
        else:
            messages.success(request, _("Added: a place if one was free, else the end of the waiting list."))
            return _back(event)
    return render(request, "events/organise.html", _desk(request, event, add_form=form), status=422)


@require_safe
def people_csv(request, pk, slug):
    """Everyone who ever registered. Cells that a spreadsheet would run as a formula are made text."""
    event = get_own_event(request, pk)
    _seen_by_admin(request, event)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{event.slug}-people.csv"'
    response["Cache-Control"] = "private, no-store"
    response.write("\ufeff")  # or Excel reads the accents wrongly
    writer = csv.writer(response, quoting=csv.QUOTE_ALL)
    writer.writerow(["name", "e-mail", "state", "joined (UTC)", "place (UTC)", "came (UTC)"])
    for row in event.registrations.select_related("member").order_by("joined_at", "pk"):
        writer.writerow(
            [safe_cell(cell) for cell in (row.name, row.address, row.status)]
            + [_utc(row.joined_at), _utc(row.confirmed_at), _utc(row.attended_at)]
        )
    return response


def safe_cell(text: str) -> str:
    """An apostrophe before what a spreadsheet takes for a formula; it shows the rest as it is."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠") else text


def _utc(moment) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""
