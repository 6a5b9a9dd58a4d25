"""How long a sign-in lasts: while it is used, and at most. Shorter for those who can do harm."""

import time
from datetime import timedelta

from django.conf import settings

SIGNED_IN, SEEN = "signed_in_at", "seen_at"
FRESH = 15 * 60  # seconds


def is_staff(member) -> bool:
    return member.is_staff or member.is_superuser or member.is_moderator


def limits_for(member) -> tuple[timedelta, timedelta]:
    """(unused, at most)"""
    return settings.STAFF_SESSION_LIMITS if is_staff(member) else settings.SESSION_LIMITS


def start(session) -> None:
    session[SIGNED_IN] = session[SEEN] = int(time.time())


def is_fresh(session) -> bool:
    """They signed in a moment ago, which is proof enough."""
    return time.time() - session.get(SIGNED_IN, 0) < FRESH


def has_run_out(session, member) -> bool:
    """Unused for too long, or too old. A session from before this was written down starts now."""
    if SIGNED_IN not in session:
        start(session)
        return False
    unused, at_most = limits_for(member)
    now = time.time()
    return now - session[SEEN] > unused.total_seconds() or now - session[SIGNED_IN] > at_most.total_seconds()


def note_use(session, member) -> None:
    """Written down a few times within the limit, not at every page."""
    unused, _at_most = limits_for(member)
    now = int(time.time())
    if now - session[SEEN] > unused.total_seconds() / 24:
        session[SEEN] = now
