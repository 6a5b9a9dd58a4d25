"""What the tests of events share: the mails as their receivers get them, and what is in the database."""

from email import message_from_bytes, policy

from django.core import mail as django_mail
from django.db import connection
from icalendar import Calendar

from events.models import Registration, Status
from kmnet.core import mail
from kmnet.core.models import OutgoingMail
from tests.factories.events import make_registration


def post() -> list:
    """Send what is due; the new messages, parsed from their raw bytes."""
    before = len(django_mail.outbox)
    while mail.send_due_mail(limit=200) == 200:
        pass
    return [
        message_from_bytes(message.message().as_bytes(linesep="\r\n"), policy=policy.default)
        for message in django_mail.outbox[before:]
    ]


def to(messages, address: str) -> list:
    return [message for message in messages if message["To"] == address]


def text_of(message) -> str:
    return message.get_body(("plain",)).get_content()


def html_of(message) -> str:
    return message.get_body(("html",)).get_content()


def links_of(message) -> list[str]:
    """The paths of our own links that act, in the order of the text part."""
    words = [word for word in text_of(message).split() if "/mail/settings/" not in word]
    return [
        word.removeprefix("http://testserver") for word in words if word.startswith("http://testserver/mail/")
    ]


def link_to(message, name: str) -> str:
    return next(link for link in links_of(message) if link.startswith(f"/mail/{name}/"))


def calendar_of(message):
    """(the calendar part's method, the parsed calendar, the raw bytes)"""
    part = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    raw = part.get_payload(decode=True)
    return part.get_param("method"), Calendar.from_ical(raw), raw


def entry_of(calendar):
    return calendar.walk("VEVENT")[0]


def dump() -> dict:
    """Every row of the site's own tables, for comparing: a GET changes nothing."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        for (table,) in cursor.fetchall():
            if table in ("django_session",):
                continue
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            found[table] = cursor.fetchall()
    return found


def kinds_about(registration) -> list[str]:
    """The mails that stand in the outbox about this registration, by kind, the oldest first."""
    about = f":{registration.event_id}.{registration.pk}:"
    found = (
        OutgoingMail.objects.filter(dedupe_key__contains=about).exclude(kind="events.invited").order_by("pk")
    )
    return [kind.removeprefix("events.") for kind in found.values_list("kind", flat=True)]


def steps_of(registration) -> list[str]:
    """Its states as the log tells them, the first first; what changed no state stands as its reason."""
    return [
        step.to_status if step.from_status != step.to_status else step.why for step in registration.log.all()
    ]


def fill(event, count: int, status=Status.CONFIRMED, **fields) -> list:
    """So many people in this state, one after the other."""
    return [make_registration(event=event, status=status, **fields) for _number in range(count)]


def status_of(*registrations) -> list[str]:
    """As they are in the database now."""
    found = dict(
        Registration.objects.filter(pk__in=[row.pk for row in registrations]).values_list("pk", "status")
    )
    return [found[row.pk] for row in registrations]
