"""What every page shows around its matter. Nothing here queries unless the template asks."""

from functools import cache

from django.conf import settings
from django.utils.functional import SimpleLazyObject

from .bounces import returns_mail
from .frame import current_way, menu_for, named_path, things_unread
from .models import CommunitySettings


def frame(request):
    """`community`, `unread_count` (asked only where shown), which of the main ways is current, `demo`."""
    user = getattr(request, "user", None)
    signed_in = bool(user and user.is_authenticated)

    @cache  # the bell asks twice
    def unread_count() -> int:
        return things_unread(user.pk) if signed_in else 0

    @cache
    def account_menu() -> tuple:
        return menu_for(user) if signed_in else ()

    return {
        "community": SimpleLazyObject(CommunitySettings.load),
        "signed_in": signed_in,
        "nav_current": current_way(request),
        "nav_path": named_path(request),
        "unread_count": unread_count,
        "account_menu": account_menu,
        "mail_returned": signed_in and returns_mail(user),
        "theme": getattr(user, "theme", "") if signed_in else "",
        "demo": settings.KMNET_DEMO,
        "demo_mailbox": settings.KMNET_DEMO and not settings.EMAIL_URL,
    }
