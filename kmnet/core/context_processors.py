"""What every page shows around its matter. Nothing here queries unless the template asks."""

from functools import cache

from django.conf import settings
from django.utils.functional import SimpleLazyObject

from .frame import MAIN_WAYS, current_way, menu_for
from .models import CommunitySettings, Notification


def frame(request):
    """`community`, `unread_count` (asked only where shown), the ways and which of them is current, `demo`."""
    user = getattr(request, "user", None)
    signed_in = bool(user and user.is_authenticated)

    @cache  # the bell asks twice
    def unread_count() -> int:
        """At most 100: the bell says “99+”."""
        if not signed_in:
            return 0
        return Notification.objects.unread().filter(recipient=user).order_by()[:100].count()

    @cache
    def account_menu() -> list:
        return menu_for(user) if signed_in else []

    return {
        "community": SimpleLazyObject(CommunitySettings.load),
        "signed_in": signed_in,
        "main_ways": MAIN_WAYS if signed_in else [way for way in MAIN_WAYS if way.for_guests],
        "nav_current": current_way(request),
        "unread_count": unread_count,
        "account_menu": account_menu,
        "theme": getattr(user, "theme", "") if signed_in else "",
        "demo": settings.KMNET_DEMO,
        "demo_mailbox": settings.KMNET_DEMO and not settings.EMAIL_URL,
    }
