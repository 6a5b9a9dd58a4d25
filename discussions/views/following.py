"""How closely a member follows threads, spaces and tags: one form beside each of them, and all choices on one page,
that of what we tell them."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from taggit.models import Tag

from .. import services
from ..chosen_levels import FOLLOWING
from ..listing import tag_in_use
from ..models import Level, Space, TagLevel
from .access import find_thread

acts = require_http_methods(["GET", "HEAD", "POST"])  # a GET, as after signing in, leads to the thing itself
SPANS = {
    "": gettext_lazy("until I change it"),
    "1": gettext_lazy("for a day"),
    "7": gettext_lazy("for a week"),
    "30": gettext_lazy("for a month"),
}
SAID = {
    Level.WATCHING: gettext_lazy("We tell you about every reply here."),
    Level.TRACKING: gettext_lazy(
        "What is new here stands in your list; we write to you when somebody replies to you."
    ),
    Level.NORMAL: gettext_lazy("We tell you when somebody replies to you here."),
    Level.MUTED: gettext_lazy("You hear nothing more of this. You can change it at any time."),
}


@require_safe
def levels(request):
    """The address that mails have told; what it was about is now a part of the page of settings."""
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return redirect(reverse("members:settings_mail") + query + FOLLOWING)


def asked(request):
    """(level, until) of the form; the level "" takes the choice away."""
    level, span = request.POST.get("level"), request.POST.get("span", "")
    if level not in (*Level.values, "") or span not in SPANS:
        raise Http404
    return level, timezone.now() + timedelta(days=int(span)) if span else None


def answered(request, level: str, fallback):
    said = SAID[level] if level else _("Your choice is taken back; what is usual here holds again.")
    messages.success(request, said)
    back = request.POST.get("next", "")
    if back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        return HttpResponseRedirect(back)
    return redirect(fallback)


@acts
def thread(request, pk):
    found = find_thread(request, pk)
    if request.method != "POST":
        return redirect(found)
    level, until = asked(request)
    if level:
        services.set_watch(member=request.user, thread=found, level=level, until=until)
    else:
        services.unset_watch(member=request.user, thread=found)
    return answered(request, level, found)


@acts
def space(request, pk):
    found = get_object_or_404(Space.objects.visible_to(request.user), pk=pk)
    if request.method != "POST":
        return redirect(found)
    level, until = asked(request)
    if level:
        services.set_space_level(member=request.user, space=found, level=level, until=until)
    else:
        services.unset_space_level(member=request.user, space=found)
    return answered(request, level, found)


@acts
def tag(request, pk):
    """A tag that one may see in use, or follows already."""
    found = (
        tag_in_use(request.user, pk)
        or Tag.objects.filter(
            pk=pk, pk__in=TagLevel.objects.filter(member=request.user).values("tag")
        ).first()
    )
    if found is None:
        raise Http404
    if request.method != "POST":
        return redirect(reverse("members:settings_mail") + FOLLOWING)
    level, until = asked(request)
    if level:
        services.set_tag_level(member=request.user, tag=found, level=level, until=until)
    else:
        services.unset_tag_level(member=request.user, tag=found)
    return answered(request, level, reverse("members:settings_mail") + FOLLOWING)
