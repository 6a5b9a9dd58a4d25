"""`/moderation/`: what members reported and what is held, decided with a reason; and the form to report something."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_POST

from members.permissions import can_moderate


def queue(request):
    if not can_moderate(request.user):
        raise Http404
    return render(request, "hub/moderation.html")


def settled(request):
    return queue(request)


def case(request, kind, pk):
    return queue(request)


@require_POST
def decide(request, kind, pk):
    return queue(request)


def report(request, kind, pk):
    return queue(request)
