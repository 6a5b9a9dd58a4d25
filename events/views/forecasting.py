"""How many will come, explained; and the button that offers more places than there are."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from .. import services, times
from ..forecast import RISK
from ..forecasting import forecast_context
from ..forms import MorePlacesForm
from .common import get_own_event


@require_http_methods(["GET", "HEAD", "POST"])
def forecast(request, pk, slug):
    """The forecast with its explanation. A press offers as many places as it says, if nothing has changed meanwhile."""
    event = get_own_event(request, pk)
    context = forecast_context(event)
    forms = {found.way: MorePlacesForm(expected=found) for found in context["forecasts"] if found.may_offer}
    pressed = forms.get(request.POST.get("way", "")) if request.method == "POST" else None
    if pressed is not None:
        form = forms[pressed.expected.way] = MorePlacesForm(request.POST, expected=pressed.expected)
        if form.is_valid():
            return _offer(request, event, **form.cleaned_data)
        context["form"] = form
    elif request.method == "POST":
        return _changed(request, event)
    context |= {"event": event, "offers": forms.values(), "when_there": times.when(event, event.zone)}
    context["risk"] = round(100 * RISK)
    return render(request, "events/forecast.html", context, status=422 if pressed else 200)


def _offer(request, event, *, way: str, count: int, places: int):
    asked = {"event": event, "count": count, "by": request.user, "way": way, "seen_places": places}
    try:
        offered = services.offer_more_places(**asked)
    except (services.RegistrationClosed, services.TooLate):
        offered = 0
    if not offered:
        return _changed(request, event)
    words = ngettext("%(count)d place was offered.", "%(count)d places were offered.", offered)
    messages.success(request, words % {"count": offered})
    return redirect("events:organise", pk=event.pk, slug=event.slug)


def _changed(request, event):
    """Also the second of two presses: it must not offer as many once more."""
    messages.warning(request, _("Things have changed since you looked. Nothing was offered; look again."))
    return redirect("events:forecast", pk=event.pk, slug=event.slug)
