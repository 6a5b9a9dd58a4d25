"""The page behind "mark these as read" at the end of a digest."""

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render


@login_not_required
def digest_read(request, token):
    return render(request, "hub/digest_read.html")
