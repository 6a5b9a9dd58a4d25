"""/members/<handle>/: one person."""

from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.db.models.functions import Lower
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from kmnet.core import activity
from kmnet.core.access import sign_in_first
from kmnet.core.contributions import Given, kinds
from kmnet.core.text import render_markdown

from .. import completeness, hours
from ..models import Member, OldHandle
from ..permissions import can_view_profile, can_write, is_full_member
from ..visibility import Shown

SHOWN_EACH = 3  # of each kind on the profile
LISTED_EACH = 5  # of each kind on the page of contributions


def find_member(user, handle: str) -> Member | None:
    """The member of this handle, or of this former handle, if this person may open their page."""
    visible = Member.objects.profile_visible_to(user).with_level(user).select_related("profile")
    wanted = handle.lower()
    found = visible.alias(low=Lower("handle")).filter(low=wanted).first()
    if found is None:
        former = OldHandle.objects.alias(low=Lower("handle")).filter(low=wanted).values("member_id")
        found = visible.filter(pk__in=former).first()
    return found


def open_page(view):
    """Find the person; a guest is sent to sign in, whether there is such a person or not."""

    @login_not_required
    @require_safe
    @wraps(view)
    def wrapped(request, handle):
        member = find_member(request.user, handle.replace("\x00", "")[:80])
        if member is None or not can_view_profile(request.user, member):
            if request.user.is_authenticated:
                raise Http404
            return sign_in_first(request)
        if member.handle != handle:
            return redirect(f"members:{view.__name__}", member.handle, permanent=True)
        return view(request, member)

    return wrapped


@open_page
def profile(request, member):
    reader = request.user
    shown = Shown.to(reader, member.profile).with_lists(reader)
    own = reader.pk == member.pk
    here = reader.time_zone if reader.is_authenticated and not own else ""
    context = {
        "member": member,
        "shown": shown,
        "own": own,
        "about_html": render_markdown(shown.about) if shown.about else "",
        "hours": hours.in_words(shown.hours, shown.time_zone, here),
        "difference": hours.difference_in_words(shown.time_zone, here) if shown.time_zone and here else "",
        "given": Given(member, reader, SHOWN_EACH),
        "next_thing": completeness.next_thing(shown) if own else None,
        "can_report": not own and can_write(reader),
        "can_message": not own and can_write(reader) and is_full_member(member),
        "can_introduce": not own and can_write(reader) and is_full_member(member),
        "can_keep_away": not own and reader.is_authenticated,
    }
    if reader.is_authenticated and reader.is_host:  # who was told that they are new
        activity.mark_read(member=reader, targets=[member])
    return render(request, "members/profile.html", context)


@open_page
def contributions(request, member):
    """Threads, answers, resources, talks: the newest of each, or all of one kind."""
    kind = next((kind for kind in kinds() if kind.key == request.GET.get("kind")), None)
    context = {"member": member, "own": request.user.pk == member.pk, "kind": kind}
    if kind:
        context["page"] = kind.page(member, request.user, request.GET)
    else:
        context["given"] = Given(member, request.user, LISTED_EACH)
    return render(request, "members/contributions.html", context)
