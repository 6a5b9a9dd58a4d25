"""How the clock acts on events: each in its own transaction, under its own lock, and one that fails keeps none waiting."""

from collections.abc import Callable
from datetime import datetime

from kmnet.core import jobs

from ..models import Event
from . import places


def each_event(due, deed: Callable[[Event, datetime], int], now: datetime) -> int:
    """Do it for every event of the registrations that are due; return the sum. The deed asks again under the lock what
    is due, so that a second worker, or a person who was faster, leaves it nothing."""
    ids = list(due.order_by("event_id").values_list("event_id", flat=True).distinct())
    return jobs.each(
        ids, lambda pk: deed(places.lock_event(pk), now), what=f"{deed.__name__.strip('_')}, event"
    )
