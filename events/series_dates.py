"""The other dates of an event that comes back, for its page."""

from .models import Event

SHOWN = 6


def other_dates(event: Event, reader) -> list[Event]:
    """The next ones that this reader may see; none where it comes once, without asking the database."""
    if event.series_id is None:
        return []
    others = Event.objects.visible_to(reader).upcoming().filter(series=event.series_id).exclude(pk=event.pk)
    return list(others[:SHOWN])
