"""/settings/: what a member can change."""

from django.http import Http404


def settings(request):
    raise Http404
