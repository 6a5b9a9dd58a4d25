"""/pictures/…: the pictures of members, given out only through here: the right is asked at every request."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.files.storage import default_storage
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from ..models import Member
from ..permissions import can_view_profile
from ..services.pictures import SIZES, stored_name
from ..visibility import can_see

SECONDS = 3600  # a browser may show its copy that long; the address changes with the picture


@login_not_required
@require_safe
def picture(request, pk, key, size):
    owner = _owner(request.user, pk, key) if size in SIZES else None
    if owner is None:
        if request.user.is_authenticated:
            raise Http404
        # Whether there is such a picture or not, a guest gets the same answer.
        return redirect_to_login(request.get_full_path(), reverse("account_login"))
    try:
        with default_storage.open(stored_name(key, size), "rb") as file:
            content = file.read()  # a few kilobytes
    except OSError as error:  # the row is there and the bytes are not: a restored backup, say
        raise Http404 from error
    response = HttpResponse(content, content_type="image/webp")
    response["Content-Disposition"] = "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = f"private, max-age={SECONDS}"
    return response


def _owner(viewer, pk: int, key: str) -> Member | None:
    """Whose picture this is, if this person may see it."""
    found = Member.objects.filter(pk=min(pk, 2**63 - 1)).with_level(viewer).select_related("profile").first()
    if found is None or not key or found.profile.picture_key != key:
        return None
    own = viewer.is_authenticated and viewer.pk == found.pk
    if not own and not can_view_profile(viewer, found):
        return None
    return found if can_see(viewer, found.profile, "avatar") else None
