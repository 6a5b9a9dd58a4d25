"""The address for harvesters."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from ..oai import answer


@csrf_exempt  # the protocol asks by POST, too; nothing is changed by it, and nobody's session is asked
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def oai(request):
    params = request.POST if request.method == "POST" else request.GET
    response = HttpResponse(answer(params), content_type="text/xml; charset=UTF-8")
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "no-store"
    return response
