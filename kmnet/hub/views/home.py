"""`/`: the landing page for guests, today's agenda for members."""

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render


@login_not_required
def home(request):
    if not request.user.is_authenticated:
        return render(request, "hub/landing.html")
    return render(request, "hub/home.html")
