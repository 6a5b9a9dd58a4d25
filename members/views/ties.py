"""Keeping somebody at a distance: the page that says what it means, and the list with its undo."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from .. import services
from ..models import Boundary, Distance
from .profile import find_member


def back_to(request) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe and wanted.startswith("/") else ""


@require_http_methods(["GET", "HEAD", "POST"])
def distance(request, handle):
    """Block, ignore, or neither. The other one never hears of it."""
    other = find_other(request, handle)
    if request.method == "POST":
        wanted = request.POST.get("distance", "")
        name = other.get_short_name()
        if wanted in Distance.values:
            services.set_boundary(owner=request.user, other=other, distance=wanted)
            said = _("%(name)s is blocked.") if wanted == Distance.BLOCK else _("You ignore %(name)s.")
            messages.success(request, said % {"name": name})
        elif wanted == "none":
            services.lift_boundary(owner=request.user, other=other)
            messages.success(request, _("Everything with %(name)s is as before.") % {"name": name})
        return redirect(back_to(request) or "members:settings_privacy")
    now = Boundary.objects.filter(owner=request.user, other=other).values_list("distance", flat=True).first()
    context = {"other": other, "now": now or "", "next": back_to(request)}
    return render(request, "members/distance.html", context)


def find_other(request, handle):
    """Somebody whose page this person may open; or whom they keep at a distance already, whatever has become of them."""
    handle = handle.replace("\x00", "")[:80]
    other = find_member(request.user, handle)
    if other is None:
        kept = Boundary.objects.filter(owner=request.user, other__handle__iexact=handle).select_related(
            "other"
        )
        other = kept[0].other if kept else None
    if other is None or other.pk == request.user.pk:
        raise Http404
    return other


@require_safe
def privacy(request):
    """Whom one has blocked or ignores."""
    boundaries = (
        Boundary.objects.filter(owner=request.user).select_related("other").order_by("other__name_key", "pk")
    )
    context = {
        "section": "privacy",
        "blocked": [boundary for boundary in boundaries if boundary.distance == Distance.BLOCK],
        "ignored": [boundary for boundary in boundaries if boundary.distance == Distance.IGNORE],
    }
    return render(request, "members/settings_privacy.html", context)
