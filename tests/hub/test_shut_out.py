"""Suspended, leaving or deleted: sessions, links in mails, downloads and waiting work end at once."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from events import services as events
from events.mails import links
from events.models import Status as Place
from kmnet.core import mail, tokens
from kmnet.core.models import OutgoingMail
from kmnet.hub.models import DigestRun
from members import services
from members.models import DataExport, Leaving
from tests.factories import make_member
from tests.factories.events import make_event
from tests.factories.members import PASSWORD

pytestmark = pytest.mark.django_db


def suspend(member):
    services.suspend_member(member=member, actor=make_member(is_staff=True, is_superuser=True), reason="spam")


def leave(member):
    services.start_leaving(member=member, keep_words=True)


def erase(member):
    leave(member)
    Leaving.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    services.erase_due()


@pytest.mark.parametrize("shut_out", [suspend, leave, erase])
def test_everything_ends_at_once(shut_out, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    member = make_member()
    at_home = Client()
    at_home.login(username=member.email, password=PASSWORD)
    assert at_home.get("/members/").status_code == 200
    registration = events.register_member(event=make_event(), member=member)
    services.ask_for_copy(member=member)
    services.build_waiting_copies()
    copy = reverse("members:copy", args=[DataExport.objects.get().pk])
    now = timezone.now()
    run = DigestRun.objects.create(
        member=member, period="2026-01-01", since=now - timedelta(days=7), until=now, due_at=now,
        ahead_from=now, ahead_until=now,
    )  # fmt: skip
    digest = reverse("hub:digest_read", args=[tokens.make("digest-read", run=run.pk)])
    mail.queue("hub.digest", member=member, dedupe_key="d", refs={"run": run.pk})
    assert Client().get(digest).status_code == 200

    shut_out(member)

    assert at_home.get("/members/").status_code == 302  # to the sign-in
    assert at_home.get(copy).status_code == 302
    registration.refresh_from_db()
    assert registration.status == Place.CANCELLED
    way_in = Client().get(links.join_url(registration).removeprefix(settings.SITE_URL))
    assert "meet.example.org" not in way_in.content.decode()
    mail.send_due_mail()
    assert not OutgoingMail.objects.filter(dedupe_key="d", state="sent").exists()
    if shut_out is not leave:  # who leaves may still sign in, to undo it
        assert Client().get(digest).status_code == 404
        assert not Client().login(username=member.email, password=PASSWORD)


def test_the_links_for_choosing_mails_of_a_deleted_account_lead_nowhere():
    member = make_member()
    token = tokens.make("mail-settings", m=member.pk)
    assert Client().get(reverse("mail:settings", args=[token])).status_code == 200
    erase(member)
    assert Client().get(reverse("mail:settings", args=[token])).status_code == 404
    assert Client().post(reverse("mail:settings", args=[token]), {}).status_code == 404
