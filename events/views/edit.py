"""Making and changing an event."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from kmnet.core import kept_text
from members.models import Group, groups_of

from .. import services
from ..forms import EventForm, ProgrammeFormSet, programme_initial, programme_kept
from ..permissions import can_create_event
from .common import get_event, get_own_event


def may_convene_for(request) -> Group | None:
    """`?group=`: an event for a group that the organiser is in."""
    number = request.GET.get("group", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return Group.objects.open().filter(pk=number, pk__in=groups_of(request.user)).first()


@require_http_methods(["GET", "HEAD", "POST"])
def create(request):
    """A draft; nobody else sees it until it is published. `?rehearsal_of=` plans the rehearsal of one's own event."""
    if not can_create_event(request.user):
        raise PermissionDenied
    original = None
    of = request.GET.get("rehearsal_of", "")
    if of.isascii() and of.isdigit() and len(of) < 19:
        original = get_own_event(request, int(of))
    initial = {"time_zone": request.user.time_zone}
    if original is not None:
        initial |= {
            "title": _("Rehearsal: %(title)s") % {"title": original.title},
            "kind": original.kind,
            "time_zone": original.time_zone,
        }
    group = may_convene_for(request)
    if group is not None:
        initial["visibility"] = f"group-{group.pk}"
    if request.method == "POST":
        form, programme = (
            EventForm(request.POST, member=request.user),
            ProgrammeFormSet(request.POST, prefix="programme"),
        )
        if form.is_valid() and programme.is_valid_for(form):
            event = services.create_event(
                actor=request.user,
                rehearsal_of=original,
                sessions=programme.items(form),
                **form.service_fields(),
            )
            kept_text.forget(request)
            messages.success(request, _("This is a draft, seen by you alone. Publish it when it is ready."))
            return redirect("events:organise", pk=event.pk, slug=event.slug)
    else:
        kept = kept_text.take(request)
        form = EventForm(initial=initial | kept, member=request.user)
        programme = ProgrammeFormSet(prefix="programme", initial=programme_kept(kept))
    context = {"form": form, "programme": programme, "original": original}
    return render(request, "events/event_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request, pk, slug):
    event = get_own_event(request, pk)
    sessions = programme_initial(event)
    if request.method == "POST":
        form = EventForm(request.POST, event=event, member=request.user)
        programme = ProgrammeFormSet(request.POST, prefix="programme", initial=sessions)
        if form.is_valid() and programme.is_valid_for(form):
            fields = form.service_fields()
            for name in ("capacity", "submit_key"):
                fields.pop(name, None)
            try:
                event = services.update_event(
                    event=event, actor=request.user, sessions=programme.items(form), **fields
                )
            except services.EventOver:
                form.add_error("starts", _("The time of this event cannot be changed any more."))
            except services.AudienceTooNarrow as error:
                form.add_error(
                    "visibility",
                    ngettext(
                        "%(count)d person who has or awaits a place is not in this group.",
                        "%(count)d people who have or await a place are not in this group.",
                        error.outside,
                    )
                    % {"count": error.outside},
                )
            else:
                kept_text.forget(request)
                messages.success(request, _("Saved."))
                return redirect("events:organise", pk=event.pk, slug=event.slug)
    else:
        kept = kept_text.take(request)
        form = EventForm(event=event, initial=kept, member=request.user)
        programme = ProgrammeFormSet(prefix="programme", initial=programme_kept(kept) or sessions)
    context = {"form": form, "programme": programme, "event": get_event(request, pk)}
    return render(request, "events/event_form.html", context, status=422 if form.errors else 200)
