"""`/notifications/`: what others did that concerns the reader, grouped by the thing it is about."""

from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST


def notifications(request):
    return render(request, "hub/notifications.html")


@require_POST
def mark_read(request):
    return redirect("hub:notifications")
