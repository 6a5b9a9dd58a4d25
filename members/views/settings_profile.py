"""/settings/profile/: what a member tells, and who sees it."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kmnet.core import kept_text
from kmnet.core.uploads import UploadRefused

from .. import services
from ..forms import PictureForm, ProfileForm
from ..models import Member
from ..visibility import Shown, has_something_public
from .settings import fresh_member, posted, reads_and_writes


def page(request, member: Member, form: ProfileForm | None = None, picture_form: PictureForm | None = None):
    refused = form is not None or picture_form is not None
    context = {
        "section": "profile",
        "form": form or ProfileForm(profile=member.profile, initial=kept_text.take(request)),
        "picture_form": picture_form
        or PictureForm(initial={"avatar_seen_by": member.profile.avatar_seen_by}),
        "member": member,
        "shown": Shown.to(request.user, member.profile),
        "is_public": has_something_public(member.profile),
    }
    return render(request, "members/settings_profile.html", context, status=422 if refused else 200)


@reads_and_writes
def profile(request):
    member = fresh_member(request)
    if request.method != "POST":
        return page(request, member)
    form = ProfileForm(posted(request), profile=member.profile)
    if not form.is_valid():
        return page(request, member, form=form)
    services.update_profile(member=member, **form.profile_values())
    kept_text.forget(request)
    messages.success(request, _("Saved."))
    return redirect("members:settings_profile")


@require_POST
def picture(request):
    """A new picture, another audience for it, or none any more."""
    member = fresh_member(request)
    if "remove" in request.POST:
        services.remove_avatar(member=member)
        messages.success(request, _("Your picture is gone."))
        return redirect("members:settings_profile")
    form = PictureForm(request.POST, request.FILES)
    if not form.is_valid():
        return page(request, member, picture_form=form)
    try:
        # Who sees it comes first: no picture is shown to more people than its owner meant, not for a moment.
        services.update_profile(member=member, avatar_seen_by=form.cleaned_data["avatar_seen_by"])
        if form.cleaned_data["picture"]:
            services.set_avatar(member=member, upload=form.cleaned_data["picture"])
    except UploadRefused as error:
        form.add_error("picture", error)
        return page(request, member, picture_form=form)
    messages.success(request, _("Saved."))
    return redirect("members:settings_profile")
