"""`/`: the landing page for guests, today's agenda for members."""

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers

from kmnet.hub import home as gather
from kmnet.hub import words


@login_not_required
def home(request):
    if not request.user.is_authenticated:
        return landing(request)
    agenda = gather.agenda_for(request.user)
    now = timezone.localtime()
    context = {
        "agenda": agenda,
        "today": now,
        "greeting": words.greeting(now, request.user.get_short_name()),
    }
    return render(request, "hub/home.html", context)


def landing(request):
    """The same for every guest, so a cache in front may keep it for a minute; a browser asks again, or somebody who has
    just signed in would see it still."""
    response = render(request, "hub/landing.html", vars(gather.landing()))
    if not request.COOKIES:
        patch_cache_control(response, public=True, max_age=0, s_maxage=60)
    patch_vary_headers(response, ["Accept-Language"])
    return response
