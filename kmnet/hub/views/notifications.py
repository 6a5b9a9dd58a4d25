"""`/notifications/`: what others did that concerns the reader, grouped by the thing it is about."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kmnet.core import activity
from kmnet.core.keyset import paginate
from kmnet.core.models import Notification
from kmnet.hub import notices


def notifications(request):
    """The unread ones first, all on the first page; then what was read, page by page.

    Nothing is marked here: a line is read when its thing is opened, or by the button.
    """
    seen = Notification.objects.filter(recipient=request.user, read_at__isnull=False)
    seen = seen.exclude(activity__actor__in=request.user.unwanted)
    page = paginate(notices.with_things(seen, request.user), request.GET, order=["-pk"], size=50)
    first = not page.previous_query
    context = {
        "unread": notices.unread_of(request.user) if first else [],
        "seen": notices.grouped(page.items),
        "page": page,
        "first": first,
        # Every unread row up to here was on the page: the button marks no more than that.
        "newest": Notification.objects.filter(recipient=request.user)
        .order_by("-pk")
        .values_list("pk", flat=True)
        .first()
        if first
        else None,
    }
    return render(request, "hub/notifications.html", context)


@require_POST
def mark_read(request):
    """All that the reader had before them when they pressed; what came meanwhile stays new."""
    newest = request.POST.get("up_to", "")
    known = newest.isascii() and newest.isdigit() and len(newest) < 19
    activity.mark_all_read(member=request.user, up_to=int(newest) if known else None)
    messages.success(request, _("All marked as read."))
    return redirect("hub:notifications")
