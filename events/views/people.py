"""One person at the organisers' desk, and all of them as a table."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kmnet.core.text import fold

from .. import exports, services, times
from ..forms import AddPersonForm, ReasonForm
from ..models import Event, Registration, Status, Way
from .common import get_own_event
from .desk import back, desk_context, seen_by_admin


@require_http_methods(["GET", "HEAD", "POST"])
def person(request, pk, slug, registration):
    """One registration: its history and answers, and what an organiser can do about it."""
    event = get_own_event(request, pk)
    if registration == 0:
        return _add_person(request, event)
    found = get_object_or_404(_people(event), pk=registration)
    if request.method == "POST":
        return _act_on_person(request, event, found)
    seen_by_admin(request, event)
    return _person_page(request, event, found, ReasonForm())


def _people(event: Event):
    """Whose address is not proven is nobody yet: somebody else may have typed it."""
    found = event.registrations.with_consent().select_related("member")
    return found.exclude(status=Status.UNPROVEN)


def _person_page(request, event: Event, found: Registration, form: ReasonForm, status: int = 200):
    is_coming = not event.is_over() and event.cancelled_at is None
    waits = found.status == Status.WAITING
    context = {
        "event": event,
        "registration": found,
        "way": Way(found.way).label if found.way else "",
        "position": found.position() if waits else None,
        "answers": found.answers.select_related("question"),
        "log": found.log.select_related("actor"),
        "form": form,
        "may_decide": found.status == Status.REQUESTED and is_coming,
        "may_promote": waits
        and is_coming
        and not event.is_postponed
        and timezone.now() < event.last_offer_at,
        "may_remove": found.status in Status.unsettled() and not event.is_over(),
        "may_tick": found.confirmed_at is not None and event.doors_open_at <= timezone.now(),
    }
    return render(request, "events/person.html", context, status=status)


def _act_on_person(request, event: Event, found: Registration):
    act = request.POST.get("act")
    if act in ("came", "did_not_come"):
        try:
            services.mark_attendance(registration=found, came=act == "came", by=request.user)
        except services.DoorsClosed:
            messages.warning(request, _("The doors have not opened: nobody can have come."))
        return back(event, "people") if request.POST.get("from") == "list" else redirect(request.path)
    deed = {"approve": _approve, "promote": _promote, "refuse": _refuse, "remove": _remove}.get(act)
    if deed is None:
        raise Http404
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _person_page(request, event, found, form, status=422)
    try:
        messages.success(request, deed(request, found, form.cleaned_data["reason"]))
    except services.TooLate:
        messages.warning(request, _("It is too late for this."))
    except services.RegistrationClosed:
        messages.warning(
            request, _("The event has begun, was postponed or called off: this is not possible now.")
        )
    return back(event, "people")


def _approve(request, found: Registration, reason: str) -> str:
    services.approve_registration(registration=found, by=request.user)
    return _("Approved, and told so: a place if one was free, else the end of the waiting list.")


def _refuse(request, found: Registration, reason: str) -> str:
    services.refuse_registration(registration=found, by=request.user, reason=reason)
    return _("Refused, and told so.")


def _promote(request, found: Registration, reason: str) -> str:
    services.promote_up_to(registration=found, by=request.user)
    return _("Offered to everyone up to there, in their order.")


def _remove(request, found: Registration, reason: str) -> str:
    services.remove_registration(registration=found, by=request.user, reason=reason)
    return _("Taken off, and told so.")


def _add_person(request, event: Event):
    if request.method != "POST":
        return back(event, "people")
    form = AddPersonForm(request.POST, event=event, viewer=request.user)
    if form.is_valid():
        try:
            services.register_member(
                event=event,
                member=form.cleaned_data["person"],
                way=form.cleaned_data.get("way", ""),
                by=request.user,
            )
        except PermissionDenied:
            form.add_error("person", _("This member cannot be added to this event."))
        except services.WayUnknown:
            form.add_error("way", _("In the room, or online?"))
        except services.RegistrationClosed:
            form.add_error("person", _("The event has begun, or was called off."))
        else:
            messages.success(request, _("Added: a place if one was free, else the end of the waiting list."))
            return back(event, "people")
    seen_by_admin(request, event)
    return render(request, "events/organise.html", desk_context(request, event, add_form=form), status=422)


# --- as a table ----------------------------------------------------------------------------------------------------------
def _file(event: Event, content, content_type: str, ending: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{event.slug}-{ending}"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
def people_csv(request, pk, slug):
    """Everyone who ever registered, with their answers and access needs."""
    event = get_own_event(request, pk)
    seen_by_admin(request, event)
    return _file(event, exports.as_csv(event), "text/csv; charset=utf-8", "people.csv")


@require_safe
def people_xlsx(request, pk, slug):
    event = get_own_event(request, pk)
    seen_by_admin(request, event)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _file(event, exports.as_xlsx(event), kind, "people.xlsx")


@require_safe
def needs_csv(request, pk, slug):
    """What helps people to take part, and no names."""
    event = get_own_event(request, pk)
    seen_by_admin(request, event)
    return _file(event, exports.needs_as_csv(event), "text/csv; charset=utf-8", "access-needs.csv")


@require_safe
def sheet(request, pk, slug):
    """Who has a place, by name, to be ticked with a pen at the door."""
    event = get_own_event(request, pk)
    seen_by_admin(request, event)
    holders = event.registrations.filter(status__in=(Status.CONFIRMED, Status.SOFT)).select_related("member")
    people = sorted(holders, key=lambda one: (fold(one.name), one.pk))
    response = render(
        request,
        "events/sheet.html",
        {"event": event, "people": people, "when_there": times.when(event, event.zone)},
    )
    response["Cache-Control"] = "private, no-store"
    return response
