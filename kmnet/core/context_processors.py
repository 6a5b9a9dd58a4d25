"""What every page shows around its matter."""

from django.conf import settings
from django.utils.functional import SimpleLazyObject

from .models import CommunitySettings, Notification

SECTIONS = {
    "discussions": "discussions",
    "events": "events",
    "resources": "library",
    "members": "people",
    "hub": "home",
}


def frame(request):
    """`community`, `unread_count` (asked only where shown), `nav_current`, `demo`."""
    match = getattr(request, "resolver_match", None)
    user = getattr(request, "user", None)

    def unread() -> int:
        if user is None or not user.is_authenticated:
            return 0
        return Notification.objects.unread().filter(recipient=user).count()

    return {
        "community": SimpleLazyObject(CommunitySettings.load),
        "unread_count": SimpleLazyObject(unread),
        "nav_current": SECTIONS.get(match.app_name, "") if match else "",
        "demo": settings.KMNET_DEMO,
        "demo_mailbox": settings.KMNET_DEMO and not settings.EMAIL_URL,
    }
