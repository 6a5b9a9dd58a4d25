"""Plain factories; the objects are as the services would leave them."""

from datetime import timedelta

from django.utils import timezone

from events.models import Event, Registration, Session, Status

from .members import make_member

_count = iter(range(1, 1_000_000))


def make_event(*, organisers=(), published=True, starts_in=timedelta(days=9), **fields) -> Event:
    """A public webinar in nine days, of an hour and a quarter, without limit of places."""
    number = next(_count)
    fields.setdefault("title", f"Webinar {number}")
    fields.setdefault("slug", f"webinar-{number}")
    fields.setdefault("starts_at", timezone.now() + starts_in)
    fields.setdefault("ends_at", fields["starts_at"] + timedelta(minutes=75))
    fields.setdefault("time_zone", "Europe/London")
    fields.setdefault("meeting_url", "https://meet.example.org/room-4471")
    fields.setdefault("published_at", timezone.now() - timedelta(days=30) if published else None)
    event = Event.objects.create(**fields)
    event.organisers.set(organisers)
    return event


def make_registration(*, event=None, member=None, status=Status.CONFIRMED, **fields) -> Registration:
    """A member’s registration, or with `guest_address` a guest’s."""
    if member is None and not fields.get("guest_address"):
        member = make_member()
    now = timezone.now()
    if status == Status.CONFIRMED:
        fields.setdefault("confirmed_at", now)
    if status == Status.OFFERED:
        fields.setdefault("offered_at", now)
        fields.setdefault("offer_expires_at", now + timedelta(hours=24))
    event = event or make_event()
    return Registration.objects.create(event=event, member=member, status=status, **fields)


def make_session_item(*, event=None, title="Multi-professional groups", **fields) -> Session:
    event = event or make_event()
    fields.setdefault("order", event.sessions.count() + 1)
    return Session.objects.create(event=event, title=title, **fields)
