"""Which reminders there are, and when each is due: always worked out from the event as it is now."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Reminder:
    kind: str
    before: timedelta
    grace: timedelta  # so late it may still go out; later it would only puzzle people

    def due_at(self, starts_at: datetime) -> datetime:
        return starts_at - self.before

    def too_late_at(self, starts_at: datetime) -> datetime:
        return min(self.due_at(starts_at) + self.grace, starts_at)


REMINDERS = (
    Reminder("events.reminder_24h", timedelta(hours=24), timedelta(hours=12)),
    Reminder("events.reminder_1h", timedelta(hours=1), timedelta(minutes=45)),
)

# --- whether they still come ---------------------------------------------------------------------------------------------
ASKED_BEFORE = timedelta(hours=72)
SILENT_BEFORE = timedelta(hours=24)
TIME_TO_ANSWER = timedelta(hours=12)  # at least so long after the question


def silent_until(starts_at: datetime, asked_at: datetime) -> datetime:
    """Until then somebody who was asked keeps the place without an answer."""
    return max(starts_at - SILENT_BEFORE, asked_at + TIME_TO_ANSWER)
