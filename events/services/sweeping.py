"""How the clock acts on events: each in its own transaction, under its own lock, and one that fails keeps none waiting."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from ..models import Event
from . import places

logger = logging.getLogger(__name__)


def each_event(due, deed: Callable[[Event, datetime], int], now: datetime) -> int:
    """Do it for every event of the registrations that are due; return the sum. The deed asks again under the lock what
    is due, so that a second worker, or a person who was faster, leaves it nothing."""
    done = 0
    for event_id in list(due.order_by("event_id").values_list("event_id", flat=True).distinct()):
        try:
            with transaction.atomic():
                done += deed(places.lock_event(event_id), now)
        except Exception:
            logger.exception("%s for event %s failed", deed.__name__, event_id)
    return done
