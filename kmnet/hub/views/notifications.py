"""`/notifications/`: what others did that concerns the reader, grouped by the thing it is about."""

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from kmnet.core import activity, frame
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


MOST_IDS = notices.UNREAD_SHOWN * 20  # characters of one line's ids


@require_POST
def mark_read(request):
    """One line (`only`), or all that the reader had before them when they pressed; what came meanwhile stays new."""
    only = request.POST.get("only", "")
    if only:
        ids = [int(one) for one in only[:MOST_IDS].split() if is_number(one)]
        activity.mark_rows_read(member=request.user, ids=ids)
        messages.success(request, _("Marked as read."))
        return redirect("hub:notifications")
    newest = request.POST.get("up_to", "")
    activity.mark_all_read(member=request.user, up_to=int(newest) if is_number(newest) else None)
    messages.success(request, _("All marked as read."))
    return redirect("hub:notifications")


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


KEPT_SECONDS = 10  # several windows of one person ask for each other


@require_safe
def bell(request):
    """What stands on the bell, for a page that stays open; 204 where it shows just that. It is nobody's visit.

    The number is kept for a few seconds; what is marked as read forgets it (kmnet.core.activity)."""
    count = cache.get_or_set(
        activity.bell_key(request.user.pk), lambda: frame.things_unread(request.user.pk), KEPT_SECONDS
    )
    shown = request.GET.get("shown", "")
    shown = int(shown) if is_number(shown) else 0
    if count == shown:
        return HttpResponse(status=204)
    said = ngettext("%(count)s thing is new to you", "%(count)s things are new to you", count)
    return JsonResponse(
        {
            "count": count,
            "figure": frame.bell_figure(count),
            "label": frame.bell_label(count),
            "said": said % {"count": frame.bell_figure(count)} if count > shown else "",
        }
    )
