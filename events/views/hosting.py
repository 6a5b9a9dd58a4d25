"""Who organises an event, and who is invited to it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from kmnet.core import kept_text
from kmnet.core.keyset import paginate
from members.models import Member

from .. import services
from ..forms import InviteForm, OrganiserForm
from ..models import Event, Visibility
from .common import get_own_event
from .desk import seen_by_admin

PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def organisers(request, pk, slug):
    """Add somebody, step down, or take somebody off; always somebody stays."""
    event = get_own_event(request, pk)
    form = OrganiserForm(request.POST if request.POST.get("act") == "add" else None, viewer=request.user)
    if request.method == "POST":
        if request.POST.get("act") == "remove":
            return _remove(request, event)
        if form.is_valid() and _add(request, event, form):
            return redirect(request.path)
    context = {
        "event": event,
        "form": form,
        "organisers": Member.objects.filter(organised_events=event).order_by("name", "pk"),
    }
    return render(request, "events/organisers.html", context, status=422 if form.errors else 200)


def _add(request, event: Event, form: OrganiserForm) -> bool:
    try:
        services.add_organiser(event=event, by=request.user, member=form.cleaned_data["person"])
    except services.NotInGroup:
        form.add_error("person", _("They are not in the group that this event is for."))
    except PermissionDenied:
        form.add_error("person", _("This member cannot organise events now."))
    else:
        messages.success(request, _("Added. They find the event among those they organise."))
        return True
    return False


def _remove(request, event: Event):
    number = request.POST.get("member", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Http404
    member = get_object_or_404(Member.objects.filter(organised_events=event), pk=number)
    try:
        services.remove_organiser(event=event, by=request.user, member=member)
    except services.LastOrganiser:
        messages.warning(
            request, _("Nobody else organises this event. Add somebody first, who takes it over.")
        )
        return redirect(request.path)
    if member == request.user:
        messages.success(request, _("You no longer organise this event."))
        return redirect("events:index")
    messages.success(request, _("Done."))
    return redirect(request.path)


@require_http_methods(["GET", "HEAD", "POST"])
def invitations(request, pk, slug):
    """Whom the event is open to by name. The mail of each goes out with the press of the button."""
    event = get_own_event(request, pk)
    posted = request.POST if request.POST.get("act") == "invite" else None
    form = InviteForm(posted, initial=kept_text.take(request), viewer=request.user)
    if request.method == "POST":
        if request.POST.get("act") == "withdraw":
            return _withdraw(request, event)
        if form.is_valid() and _invite(request, event, form):
            kept_text.forget(request)
            return redirect(request.path)
    seen_by_admin(request, event)
    asked = event.invitations.select_related("member")
    context = {
        "event": event,
        "form": form,
        "page_of": paginate(asked, request.GET, order=["-invited_at", "-pk"], size=PAGE),
        "by_invitation": event.visibility == Visibility.INVITED,
        "is_coming": event.published_at is not None
        and event.cancelled_at is None
        and not event.has_started(),
    }
    return render(request, "events/invitations.html", context, status=422 if form.errors else 200)


def _invite(request, event: Event, form: InviteForm) -> bool:
    members, addresses = form.cleaned_data["people"]
    try:
        new = services.invite_people(event=event, by=request.user, members=members, addresses=addresses)
    except services.RegistrationClosed:
        form.add_error(
            "people", _("Nobody can be invited now: the event is a draft, has begun, or has no day.")
        )
        return False
    except services.TooManyInvited:
        form.add_error(
            "people", _("So many addresses are not invited in one day. Invite the others tomorrow.")
        )
        return False
    except PermissionDenied:
        form.add_error("people", _("The event is open to more people: first change in its form who sees it."))
        return False
    words = ngettext("%(count)d person is invited.", "%(count)d people are invited.", len(new))
    known = _("Everybody on the list was invited before.")
    spared = _left_out(event, addresses)
    if new or not spared:
        messages.success(request, words % {"count": len(new)} if new else known)
    if spared:
        often = _("We wrote to these several times today, and do so again tomorrow at the earliest: %(who)s")
        messages.warning(request, often % {"who": ", ".join(spared)})
    return True


def _left_out(event: Event, addresses: list[str]) -> list[str]:
    asked = {address.lower() for address in event.invitations.values_list("guest_address", flat=True)}
    return [address for address in addresses if address.lower() not in asked]


def _withdraw(request, event: Event):
    number = request.POST.get("invitation", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Http404
    invitation = get_object_or_404(event.invitations, pk=number)
    services.withdraw_invitation(invitation=invitation, by=request.user)
    messages.success(request, _("Withdrawn. Who is registered by now stays so."))
    return redirect(request.path)
