"""/members/<handle>/: one person."""

from django.http import Http404


def profile(request, handle):
    raise Http404
