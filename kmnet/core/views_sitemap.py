"""What search engines ask for first."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from . import sitemap

NOT_FOR_ROBOTS = ("/accounts/", "/admin/", "/mail/", "/search/", "/settings/", "/library/export.")


@login_not_required
@require_safe
def sitemap_index(request):
    return HttpResponse(sitemap.index(), content_type="application/xml; charset=utf-8")


@login_not_required
@require_safe
def sitemap_part(request, key, number):
    mapped = sitemap.get(key)
    if mapped is None or not 1 <= number <= 10**9:
        raise Http404
    return HttpResponse(sitemap.part(mapped, number), content_type="application/xml; charset=utf-8")


@login_not_required
@require_safe
def robots(request):
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in NOT_FOR_ROBOTS)]
    lines += ["", f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
