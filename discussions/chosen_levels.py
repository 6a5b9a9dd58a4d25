"""What a member has chosen to follow or to mute, as the page of mail settings shows it."""

from django.db.models import Q
from django.utils import timezone

from kmnet.core.keyset import paginate

from .models import Level, Space, SpaceLevel, TagLevel, Thread, ThreadWatch

FOLLOWING = "#following"  # this part of that page


def all_levels(request) -> dict:
    """All of one's own choices. Threads come page by page; spaces and tags are few."""
    member = request.user
    lasting = Q(until__isnull=True) | Q(until__gt=timezone.now())
    spaces = SpaceLevel.objects.filter(lasting, member=member, space__in=Space.objects.visible_to(member))
    tags = TagLevel.objects.filter(lasting, member=member).select_related("tag")
    threads = ThreadWatch.objects.filter(lasting, member=member, thread__in=Thread.objects.visible_to(member))
    page = paginate(threads.select_related("thread__space"), request.GET, order=["-pk"], size=50)
    return {
        "spaces": spaces.select_related("space").order_by("space__position", "pk"),
        "tags": tags.order_by("tag__name")[:200],
        "page": page,
        "next_href": page.next_query and page.next_query + FOLLOWING,
        "previous_href": page.previous_query and page.previous_query + FOLLOWING,
        "levels": Level.choices,
    }
