"""`/hosts/replies/`: how the reply promise is kept, and what is owed now."""

from datetime import timedelta

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from discussions.answering import numbers, owed_now
from kmnet.core.keyset import paginate
from kmnet.hub.permissions import can_see_replies

SPAN = timedelta(days=30)


@require_safe
def replies(request):
    if not can_see_replies(request.user):
        raise Http404
    now = timezone.now()
    page = paginate(owed_now(request.user), request.GET, order=["started_at", "pk"], size=30)
    spans = [(now - SPAN, now), (now - 2 * SPAN, now - SPAN)]
    context = {
        "page": page,
        "owed": page.items,
        "rows": [
            {
                "label": label,
                "spans": [numbers(since, until, now=now, first_posts=first) for since, until in spans],
            }
            for label, first in ((_("Questions and first posts"), False), (_("First posts"), True))
        ],
        "now": now,
    }
    return render(request, "hub/replies.html", context)
