"""The exports of a record."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from kmnet.core.access import guests_sign_in

from .. import citing
from .access import find_resource


@login_not_required
@require_safe
@guests_sign_in
def export(request, pk, form):
    """The record for a reference manager: .bib, .ris, .json."""
    resource = find_resource(request, pk)
    if form not in citing.EXPORTS:
        raise Http404
    _label, content_type, writer = citing.EXPORTS[form]
    response = HttpResponse(writer(resource), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{citing.cite_key(resource)}.{form}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Robots-Tag"] = "noindex"
    return response
