"""What a member keeps for later."""

from django.contrib import messages
from django.db.models import Exists, OuterRef, Prefetch
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from kmnet.core.keyset import paginate
from kmnet.core.ratelimit import limited

from .. import services
from ..models import Resource, SavedResource
from .access import find_resource

PAGE_SIZE = 20


@require_POST
@limited("library-save", "240/h")
def save(request, pk):
    """Keep a record, or no longer: the button says which, so that a second press changes nothing."""
    wanted = request.POST.get("set")
    if wanted not in ("on", "off"):
        raise Http404
    back = request.POST.get("next", "")
    if wanted == "off" and back:  # from the list: what may not be opened any more can go, too
        services.set_saved(member=request.user, resource=Resource(pk=pk), on=False)
        messages.success(request, _("You keep it no longer."))
        return redirect(back if url_has_allowed_host_and_scheme(back, None) else "resources:saved")
    resource = find_resource(request, pk)
    services.set_saved(member=request.user, resource=resource, on=wanted == "on")
    if wanted == "on":
        messages.success(
            request, _("Saved. You find it under “Saved” in the library; nobody else sees that.")
        )
    else:
        messages.success(request, _("You keep it no longer."))
    return redirect(resource)


@require_safe
def saved(request):
    """All that the reader keeps, the latest first. What is gone or hidden meanwhile says so, without its words."""
    there = Resource.objects.visible_to(request.user).filter(pk=OuterRef("resource"))
    kept = SavedResource.objects.filter(member=request.user).annotate(is_there=Exists(there))
    kept = kept.prefetch_related(Prefetch("resource", queryset=Resource.objects.with_card()))
    page = paginate(kept, request.GET, order=["-created_at", "-id"], size=PAGE_SIZE)
    return render(request, "resources/saved.html", {"page": page})
