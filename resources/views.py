"""The pages of the library."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import get_object_or_404, render

from .models import Resource


@login_not_required
def index(request):
    return render(
        request, "resources/index.html", {"resources": Resource.objects.visible_to(request.user)[:20]}
    )


@login_not_required
def detail(request, pk, slug):
    resource = get_object_or_404(Resource.objects.readable_by(request.user), pk=pk)
    return render(request, "resources/detail.html", {"resource": resource})


def add(request):
    raise Http404


def file(request, pk, name):
    raise Http404
