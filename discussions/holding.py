"""What the writer of a held post is told: why it waits, and for how long."""

from datetime import timedelta

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from .models import DiscussionSettings, HeldFor, Post

RECENT = 30  # released posts whose wait says how long it takes
KEPT = 600  # seconds
CACHE_KEY = "discussions-usual-wait"

WHY = {
    HeldFor.NEW: _("A moderator looks at the first words of everybody who is new here."),
    HeldFor.LINKS: _("It links to several other places, and you are new here; a moderator looks first."),
    HeldFor.ASKED: _("A moderator looks at it first."),
    HeldFor.MAIL: _("Nothing proves that the mail came from you, so a moderator looks first."),
}


def usual_wait() -> timedelta | None:
    """The middle one of the latest waits; None where nothing was released yet."""
    found = cache.get(CACHE_KEY)
    if found is None:
        rows = Post.objects.exclude(held_for="").filter(published_at__isnull=False)
        times = rows.order_by("-published_at").values_list("created_at", "published_at")[:RECENT]
        waits = sorted(published - written for written, published in times)
        found = waits[len(waits) // 2] if waits else timedelta(0)
        cache.set(CACHE_KEY, found, KEPT)
    return found or None


def how_long() -> str:
    """“Lately that took 3 hours.” Where there is nothing to go by: what was promised (the settings)."""
    wait = usual_wait()
    if wait is None:
        hours = DiscussionSettings.load().held_alert_hours
        return ngettext(
            "That takes %(count)d hour at most.", "That takes %(count)d hours at most.", hours
        ) % {"count": hours}
    if wait < timedelta(hours=1):
        return _("Lately that took less than an hour.")
    hours = round(wait / timedelta(hours=1))
    if hours < 48:
        return ngettext(
            "Lately that took about %(count)d hour.", "Lately that took about %(count)d hours.", hours
        ) % {"count": hours}
    days = round(hours / 24)
    return ngettext(
        "Lately that took about %(count)d day.", "Lately that took about %(count)d days.", days
    ) % {"count": days}


def why_and_how_long(post: Post) -> str:
    """For its writer: “A moderator looks at the first words of everybody who is new here. Lately …”"""
    return f"{WHY.get(post.held_for, WHY[HeldFor.ASKED])} {how_long()}"
