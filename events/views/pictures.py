"""/events/pictures/…: the pictures of events, given out only through here: the right is asked at every request."""

from django.contrib.auth.decorators import login_not_required
from django.core.files.storage import default_storage
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from kmnet.core.access import guests_sign_in

from ..services.pictures import WIDTHS, stored_name
from .common import get_event

SECONDS = 3600  # a browser may show its copy that long; the address changes with the picture


@login_not_required
@guests_sign_in
@require_safe
def picture(request, pk, key, width):
    event = get_event(request, pk)
    if width not in WIDTHS or key != event.picture_key:
        raise Http404
    try:
        with default_storage.open(stored_name(key, width), "rb") as file:
            content = file.read()  # some kilobytes
    except OSError as error:  # the row is there and the bytes are not: a restored backup, say
        raise Http404 from error
    response = HttpResponse(content, content_type="image/webp")
    response["Content-Disposition"] = "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = f"private, max-age={SECONDS}"
    return response
