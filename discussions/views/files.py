"""Files in posts, given out only through here: whoever may read the post may have them, and nobody else."""

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.utils.http import http_date, parse_etags, quote_etag
from django.views.decorators.http import require_POST, require_safe

from kmnet.core.access import guests_sign_in
from kmnet.core.files import content_disposition
from kmnet.core.ratelimit import limited
from kmnet.core.text import clean_line
from kmnet.core.uploads import UploadRefused
from members.permissions import is_full_member

from .. import services
from ..models import PostFile
from ..permissions import can_view_post

SHOWN_INSIDE = {"image/png", "image/jpeg", "image/webp"}  # drawn anew by us


@login_not_required
@require_safe
@guests_sign_in
def file(request, key, name):
    """The name is only there to be read; the key is what counts."""
    found = PostFile.objects.select_related("post__thread__space").filter(key=key).first()
    if not may_have(request.user, found):
        raise Http404
    etag = quote_etag(found.sha256)
    if "*" in (asked := parse_etags(request.headers.get("If-None-Match", ""))) or etag in asked:
        return with_headers(HttpResponse(status=304), found, etag)
    try:
        content = found.file.open("rb")
    except OSError as error:  # the row is there and the bytes are not: a restored backup, say
        raise Http404 from error
    response = FileResponse(content)
    response["Content-Length"] = str(found.size)
    return with_headers(response, found, etag)


def may_have(user, found: PostFile | None) -> bool:
    if found is None:
        return False
    if found.post is None:
        return bool(is_full_member(user) and found.uploader_id == user.pk)
    return can_view_post(user, found.post)


def with_headers(response, found: PostFile, etag: str):
    """Never run, never taken for anything but what it is; pictures in a page of ours, all else to be saved."""
    inside = found.content_type in SHOWN_INSIDE
    response["Content-Type"] = found.content_type
    response["Content-Disposition"] = "inline" if inside else content_disposition(found.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    response["ETag"] = etag
    response["Last-Modified"] = http_date(found.created_at.timestamp())
    response["Cache-Control"] = "private, no-cache"  # kept by the reader's browser, and asked for each time
    return response


@require_POST
def upload(request):
    """For the composer's script: the file is kept, and what stands for it in the text comes back."""
    return _upload(request)


@limited("discussions-upload", "60/h")
def _upload(request):
    sent = request.FILES.get("file")
    if sent is None:
        raise Http404
    if not is_full_member(request.user):
        raise PermissionDenied
    try:
        kept = services.keep_file(actor=request.user, upload=sent)
    except UploadRefused as refused:
        return JsonResponse({"words": " ".join(refused.messages)}, status=422)
    words = clean_line(request.POST.get("alt", ""))[:300]
    return JsonResponse({"markdown": services.as_markdown(kept, words), "name": kept.name})
