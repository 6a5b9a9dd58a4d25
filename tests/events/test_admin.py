"""Admin actions on events: each asks why, tells who is concerned, and stands in the log."""

import pytest
from django.core import mail as sent
from django.test import Client

from events.models import Event, Registration, Status
from kmnet.core.mail import send_due_mail
from kmnet.core.models import AuditEntry
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

pytestmark = pytest.mark.django_db
EVENTS, REGISTRATIONS = "/admin/events/event/", "/admin/events/registration/"


@pytest.fixture
def admin_browser():
    browser_of_admin = Client()
    browser_of_admin.force_login(make_member(is_staff=True, is_superuser=True))
    return browser_of_admin


def press(client, page, action, row, **more):
    return client.post(page, {"action": action, "_selected_action": [row.pk], **more})


@pytest.mark.parametrize(
    ("action", "column", "verb"),
    [("publish", "published_at", "events.published"), ("call_off", "cancelled_at", "events.cancelled")],
)
def test_publishing_and_calling_off_need_a_reason_that_is_logged(admin_browser, action, column, verb):
    event = make_event(published=action != "publish")
    press(admin_browser, EVENTS, action, event, reason=" ")
    assert getattr(Event.objects.get(pk=event.pk), column) is None
    press(admin_browser, EVENTS, action, event, reason="the organiser asked by phone")
    assert getattr(Event.objects.get(pk=event.pk), column) is not None
    assert AuditEntry.objects.get(verb=verb).reason == "the organiser asked by phone"


def test_taking_somebody_off_needs_a_reason_that_they_are_told(admin_browser, mailbox):
    registration = make_registration()
    press(admin_browser, REGISTRATIONS, "remove", registration)
    assert Registration.objects.get(pk=registration.pk).status == Status.CONFIRMED
    press(admin_browser, REGISTRATIONS, "remove", registration, reason="asked us to")
    assert Registration.objects.get(pk=registration.pk).status == Status.REMOVED
    assert AuditEntry.objects.get(verb="events.person_removed").reason == "asked us to"
    send_due_mail()
    assert "asked us to" in sent.outbox[-1].body
