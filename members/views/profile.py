"""/members/<handle>/: one person."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db.models.functions import Lower
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from kmnet.core.text import render_markdown

from ..models import Member, OldHandle
from ..permissions import can_view_profile, can_write
from ..visibility import Shown


def find_member(user, handle: str) -> Member | None:
    """The member of this handle, or of this former handle, if this person may open their page."""
    visible = Member.objects.profile_visible_to(user).select_related("profile")
    wanted = handle.lower()
    found = visible.alias(low=Lower("handle")).filter(low=wanted).first()
    if found is None:
        former = OldHandle.objects.alias(low=Lower("handle")).filter(low=wanted).values("member_id")
        found = visible.filter(pk__in=former).first()
    return found


@login_not_required
@require_safe
def profile(request, handle):
    member = find_member(request.user, handle.replace("\x00", "")[:80])
    if member is None or not can_view_profile(request.user, member):
        if request.user.is_authenticated:
            raise Http404
        # Whether there is such a person or not, a guest gets the same answer.
        return redirect_to_login(request.get_full_path(), reverse("account_login"))
    if member.handle != handle:
        return redirect(member, permanent=True)
    shown = Shown.to(request.user, member.profile)
    own = request.user.pk == member.pk
    context = {
        "member": member,
        "shown": shown,
        "own": own,
        "about_html": render_markdown(shown.about) if shown.about else "",
        "can_report": not own and can_write(request.user),
    }
    return render(request, "members/profile.html", context)
