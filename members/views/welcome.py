"""/welcome/: the first steps."""

from django.http import Http404


def welcome(request):
    raise Http404
