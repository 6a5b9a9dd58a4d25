"""Nothing was heard of somebody for half a year: asked once, then the digest comes once a month, and nobody is cut off."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from kmnet.core.models import MailChoice, OutgoingMail
from kmnet.core.models.mail import MailHabits
from members import services
from members.models import Member, Profile
from members.tasks import keep_in_touch
from tests.factories import make_member
from tests.mailbox import html_of, links_in, send_due, text_of

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 9, tzinfo=timezone.get_default_timezone())


def after(time_machine, days):
    """What the job does on this day, and the mails that go out."""
    time_machine.move_to(START + timedelta(days=days))
    before = set(OutgoingMail.objects.values_list("pk", flat=True))
    keep_in_touch()
    send_due()
    return list(OutgoingMail.objects.exclude(pk__in=before).values_list("kind", "state"))


def rhythm(member):
    return Profile.objects.get(member=member).digest


@pytest.fixture
def silent(time_machine):
    """Somebody who was here on the first day, and has the weekly digest."""
    time_machine.move_to(START)
    return make_member()


ASKED, LOWERED = [("members.still_here", "sent")], [("members.digest_monthly", "sent")]


def test_asked_once_then_monthly_and_then_nothing_more(silent, time_machine):
    told = [after(time_machine, days) for days in (181, 182, 183, 184, 212, 213, 214, 215, 400, 1500)]
    assert told == [[], [], ASKED, [], [], LOWERED, [], [], [], []]
    assert rhythm(silent) == "monthly"
    silent.refresh_from_db()
    assert (silent.status, silent.is_active) == ("active", True)


def test_the_button_of_the_question_keeps_all_as_it_is_for_another_half_year(
    silent, time_machine, client, mailbox
):
    after(time_machine, 183)
    message = mailbox(to=silent.email)[-1]
    path = next(link for link in links_in(message) if "/mail/here/" in link)
    assert path in html_of(message)
    time_machine.move_to(START + timedelta(days=190))
    client.head(path)
    assert client.get(path).status_code == 200
    assert Member.objects.get(pk=silent.pk).last_seen_on == START.date()
    done = client.post(path)
    assert (done.status_code, done.cookies) == (200, {})
    assert [after(time_machine, days) for days in (214, 300, 190 + 182, 190 + 183)] == [[], [], [], ASKED]
    assert rhythm(silent) == "weekly"


@pytest.mark.parametrize("way", ["visit", "note"])
def test_any_sign_is_an_answer(silent, time_machine, client, way):
    after(time_machine, 183)
    time_machine.move_to(START + timedelta(days=200))
    if way == "visit":
        client.force_login(silent, "django.contrib.auth.backends.ModelBackend")
        client.get("/members/")
    else:
        services.note_presence_of(silent.pk)
    assert [after(time_machine, days) for days in (214, 240)] == [[], []]
    assert rhythm(silent) == "weekly"


def test_what_became_monthly_is_undone_by_one_button(silent, time_machine, client, mailbox):
    after(time_machine, 183)
    after(time_machine, 214)
    message = mailbox(to=silent.email)[-1]
    assert "Once a week" in text_of(message)
    path = next(link for link in links_in(message) if "/mail/here/" in link)
    client.get(path)
    assert rhythm(silent) == "monthly"
    for _twice in range(2):
        assert client.post(path).status_code == 200
        assert rhythm(silent) == "weekly"
    assert [after(time_machine, days) for days in (245, 300)] == [[], []]
    Profile.objects.filter(member=silent).update(digest="never")
    client.post(path)
    assert rhythm(silent) == "never"  # what they have chosen since holds


@pytest.mark.parametrize("why", ["never", "monthly", "stopped", "paused", "suspended", "leaving"])
def test_who_is_not_asked(silent, time_machine, why):
    if why in ("never", "monthly"):
        Profile.objects.filter(member=silent).update(digest=why)
    elif why == "stopped":
        MailChoice.objects.create(member=silent, category="digest", how="never")
    elif why == "paused":
        MailHabits.objects.create(member=silent, paused_until=(START + timedelta(days=300)).date())
    else:
        Member.objects.filter(pk=silent.pk).update(status=why, is_active=why != "suspended")
    assert after(time_machine, 183) == []
    assert after(time_machine, 301) == (ASKED if why == "paused" else [])


def test_question_that_waited_is_not_sent_to_somebody_who_came_back(silent, time_machine):
    time_machine.move_to(START + timedelta(days=183))
    keep_in_touch()
    services.note_presence_of(silent.pk)
    send_due()
    row = OutgoingMail.objects.get(kind="members.still_here")
    assert (row.state, row.reason) == ("withheld", "they have been here again")


def test_a_doubled_beat_asks_nobody_twice_and_a_missed_one_nobody_never(silent, time_machine):
    assert after(time_machine, 260) == ASKED
    for _again in range(3):
        keep_in_touch()
    assert OutgoingMail.objects.filter(kind="members.still_here").count() == 1
