"""Files, given out only through here: the right is asked on every request, of every range of every byte."""

import re

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import http_date, parse_etags, quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from kmnet.core.access import guests_sign_in
from kmnet.core.files import content_disposition

from .. import services, using
from ..models import ResourceFile
from ..permissions import can_edit_resource, can_open_file

CHUNK = 64 * 1024


@login_not_required
@require_safe
@guests_sign_in
def file(request, pk, name):
    """The bytes of a file, or a part of them."""
    found = _find(request, pk)
    etag = quote_etag(found.sha256)
    if _is_known(request, etag):
        not_modified = _with_headers(HttpResponse(status=304), found, etag)
        return using.mark(request, not_modified, found.resource, using.DOWNLOAD)
    wanted = _range(request, found.size, etag)
    if wanted is False:
        response = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{found.size}"
        return _with_headers(response, found, etag)
    try:
        content = found.file.open("rb")
    except OSError as error:  # the row is there and the bytes are not: a restored backup, say
        raise Http404 from error
    start, end = wanted or (0, found.size - 1)
    content.seek(start)
    response = FileResponse(_part(content, end - start + 1), status=206 if wanted else 200)
    response._resource_closers.append(content.close)
    response["Content-Length"] = str(end - start + 1)
    if wanted:
        response["Content-Range"] = f"bytes {start}-{end}/{found.size}"
    return using.mark(request, _with_headers(response, found, etag), found.resource, using.DOWNLOAD)


@login_not_required
@require_safe
def file_page(request, pk):
    """The picture of a file's first page, for whoever may open the file. It stands in pages: nobody is sent to sign in."""
    found = _find(request, pk)
    if not found.thumbnail:
        raise Http404
    etag = quote_etag(found.thumbnail.name.rpartition("/")[2])  # random, and new with each picture
    if _is_known(request, etag):
        response = HttpResponse(status=304)
    else:
        try:
            with found.thumbnail.open("rb") as picture:
                response = HttpResponse(picture.read())
        except OSError as error:
            raise Http404 from error
    _with_headers(response, found, etag)
    response["Content-Type"] = "image/webp"
    response["Content-Disposition"] = "inline"
    del response["Accept-Ranges"]
    return response


def _find(request, pk: int) -> ResourceFile:
    """The file, if this reader may open it now; its record, its state and the reader are asked on every request."""
    files = ResourceFile.objects.select_related("resource").defer("resource__search", "resource__csl")
    found = files.filter(pk=min(pk, 2**63 - 1)).first()
    if found is None or not can_open_file(request.user, found):
        raise Http404
    return found


def _is_known(request, etag: str) -> bool:
    asked = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in asked or etag in asked


def _with_headers(response, found: ResourceFile, etag: str):
    """Never shown inside a page of ours, never taken for anything but what it is, never run."""
    response["Content-Type"] = found.content_type
    response["Content-Disposition"] = content_disposition(found.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Last-Modified"] = http_date(found.created_at.timestamp())
    public = found.resource is not None and found.resource.is_public and not found.resource.files_for
    # Public files may be kept, but not used again without asking; members' files are not kept at all.
    response["Cache-Control"] = "private, no-cache" if public else "private, no-store"
    return response


def _range(request, size: int, etag: str) -> tuple[int, int] | bool | None:
    """(first, last) byte of the one range asked for; None: all of it; False: no such bytes.

    Several ranges at once, units other than bytes and an outdated If-Range give the whole file, as RFC 9110 lets us.
    """
    stated = request.headers.get("Range", "")
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", stated.strip())
    if not found or not any(found.groups()):
        return None
    if request.headers.get("If-Range", etag) != etag:
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size - 1
        return (start, end) if int(last) and size else False
    start, end = int(first), min(int(last) if last else size - 1, size - 1)
    if last and int(last) < int(first):
        return None
    return (start, end) if start < size else False


def _part(content, length: int):
    while length > 0:
        chunk = content.read(min(CHUNK, length))
        if not chunk:
            return
        length -= len(chunk)
        yield chunk


@require_POST
def remove_file(request, pk):
    """The adder takes a file away."""
    found = get_object_or_404(ResourceFile.objects.select_related("resource"), pk=min(pk, 2**63 - 1))
    if found.resource is None or not can_edit_resource(request.user, found.resource):
        raise Http404
    services.remove_file(actor=request.user, file=found)
    messages.success(request, _("The file is gone."))
    return redirect("resources:edit", found.resource_id)
