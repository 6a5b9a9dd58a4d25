"""What is kept no longer than it is needed goes by itself, and a dry run only counts."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from taggit.models import Tag

from events.models import Registration
from events.models import Status as Place
from kmnet.core import mail, retention
from kmnet.core.models import Activity, DevMail, Notification, OutgoingMail
from kmnet.core.tasks import keep_retention
from members.models import Dormancy, JoinRequest, Leaving, Member, Status
from tests.factories import make_member
from tests.factories.discussions import make_thread
from tests.factories.events import make_event

pytestmark = pytest.mark.django_db


def ago(**delta):
    return timezone.now() - timedelta(**delta)


def run(key: str) -> int:
    """What this job would do, then what it does, then that nothing is left to do."""
    would = retention.run(dry_run=True)[key]
    assert retention.run()[key] == would
    assert retention.run()[key] == 0
    return would


def session_of(member, *, seen, key="k") -> UserSession:
    Session.objects.create(session_key=key, session_data="x", expire_date=timezone.now() + timedelta(days=9))
    made = UserSession.objects.create(
        user=member, session_key=key, ip="203.0.113.9", user_agent="Firefox", data={}
    )
    UserSession.objects.filter(pk=made.pk).update(last_seen_at=seen, created_at=seen)
    return made


def test_accounts_that_nobody_proved_go():
    old = make_member(address_proven=False, joined_at=ago(days=8))
    mail.queue("members.welcome", member=old, dedupe_key="w")
    kept = [
        make_member(address_proven=False, joined_at=ago(days=6)),
        make_member(joined_at=ago(days=400)),
        make_member(address_proven=False, joined_at=ago(days=8), is_staff=True),
    ]
    assert run("unproven_accounts") == 1
    assert set(Member.objects.all()) == set(kept)
    assert not OutgoingMail.objects.exists()


def test_an_unproven_account_that_has_written_is_left_to_a_person():
    member = make_member()
    make_thread(author=member)
    Member.objects.filter(pk=member.pk).update(address_proven_at=None, joined_at=ago(days=8))
    make_member(address_proven=False, joined_at=ago(days=9))
    assert retention.run()["unproven_accounts"] == 1
    assert Member.objects.filter(pk=member.pk).exists()


def test_declined_accounts_go():
    member = make_member(status=Status.PENDING)
    JoinRequest.objects.create(member=member, state="declined", decided_at=ago(days=91))
    waits = make_member(status=Status.PENDING)
    JoinRequest.objects.create(member=waits)
    assert run("join_requests") == 1
    assert list(Member.objects.all()) == [waits]


def test_network_addresses_are_forgotten_and_sessions_go_on():
    member = make_member()
    old, new = session_of(member, seen=ago(days=31)), session_of(member, seen=ago(days=29), key="n")
    assert run("network_addresses") == 1
    old.refresh_from_db(), new.refresh_from_db()
    assert (old.ip, old.user_agent, new.ip) == ("0.0.0.0", "", "203.0.113.9")
    assert Session.objects.count() == 2


def test_sessions_that_ran_out_go_from_the_list_too():
    session_of(make_member(), seen=ago(days=70))
    Session.objects.update(expire_date=ago(days=2))
    assert run("sessions") >= 1
    assert not UserSession.objects.exists()


def test_mails_go_once_they_are_final():
    member = make_member()
    for number in range(3):
        mail.queue("members.welcome", member=member, dedupe_key=str(number))
    OutgoingMail.objects.filter(dedupe_key__in="01").update(created_at=ago(days=91))
    OutgoingMail.objects.filter(dedupe_key__in="02").update(state="withheld", reason="so there")
    assert run("mails") == 1
    assert set(OutgoingMail.objects.values_list("dedupe_key", flat=True)) == {"1", "2"}
    DevMail.objects.create(recipient="a@example.org", raw=b"x")
    DevMail.objects.update(received_at=ago(days=31))
    assert run("demo_mails") == 1


def test_notifications_go_a_year_after_they_were_read():
    member = make_member()
    from kmnet.core import activity

    deed = activity.record("members.joined", actor=member, target=member)
    for read_at in (ago(days=366), ago(days=3), None):
        Notification.objects.create(activity=deed, recipient=make_member(), read_at=read_at)
    assert run("notifications") == 1
    assert (Notification.objects.count(), Activity.objects.count()) == (2, 1)


def test_guests_are_forgotten_a_year_after_the_event():
    event = make_event(starts_at=ago(days=367), ends_at=ago(days=366))
    guest = {"guest_name": "Ana", "status": Place.CONFIRMED, "confirmed_at": ago(days=380)}
    old = Registration.objects.create(event=event, guest_address="ana@example.org", **guest)
    new = Registration.objects.create(event=make_event(), guest_address="ana@example.org", **guest)
    assert run("guest_registrations") == 1
    old.refresh_from_db(), new.refresh_from_db()
    assert (old.guest_address, old.guest_name, old.status) == ("", "", Place.CONFIRMED)
    assert new.guest_address == "ana@example.org"


def test_tags_that_nothing_bears_go():
    member = make_member()
    Tag.objects.create(name="nobody’s")
    member.profile.can_help.add(Tag.objects.create(name="mine"))
    assert run("tags") == 1
    assert list(Tag.objects.values_list("name", flat=True)) == ["mine"]


# --- accounts that sleep ---------------------------------------------------------------------------------------------
@pytest.fixture
def sleeper(settings):
    settings.RETENTION_DAYS = {**settings.RETENTION_DAYS, "dormant_accounts": 730}
    member = make_member()
    Member.objects.filter(pk=member.pk).update(last_seen_on=ago(days=731).date())
    return Member.objects.get(pk=member.pk)


def test_sleeping_accounts_are_left_alone_unless_the_operator_wants_it():
    member = make_member()
    Member.objects.filter(pk=member.pk).update(last_seen_on=ago(days=3000).date())
    assert "dormant_accounts" not in retention.run()


def test_a_sleeper_gets_two_mails_a_month_apart_before_the_account_is_closed(sleeper):
    assert run("dormant_accounts") == 1
    assert run("dormant_accounts") == 0
    Dormancy.objects.update(first_mail_at=ago(days=31))
    assert run("dormant_accounts") == 1
    assert OutgoingMail.objects.filter(kind="members.dormant").count() == 2
    assert not Leaving.objects.exists()
    Dormancy.objects.update(second_mail_at=ago(days=31))
    assert run("dormant_accounts") == 1
    leaving = Leaving.objects.get()
    assert leaving.keep_words
    assert leaving.due_at > timezone.now() + timedelta(days=13)


def test_signing_in_once_is_enough(sleeper):
    run("dormant_accounts")
    Dormancy.objects.update(first_mail_at=ago(days=31))
    Member.objects.update(last_seen_on=ago(days=1).date())
    retention.run()
    assert not Dormancy.objects.exists()
    mail.send_due_mail()
    assert OutgoingMail.objects.get().reason == "they have been here again"


def test_a_sleeper_on_whom_others_count_is_not_closed(sleeper):
    make_event(organisers=[sleeper])
    Dormancy.objects.create(member=sleeper, first_mail_at=ago(days=70), second_mail_at=ago(days=40))
    retention.run()
    assert not Leaving.objects.exists()


# --- the runner ------------------------------------------------------------------------------------------------------
def test_every_time_in_the_settings_has_its_job(settings):
    assert {job.key for job in retention.jobs()} == set(settings.RETENTION_DAYS)


def test_zero_days_switch_a_job_off(settings):
    settings.RETENTION_DAYS = {**settings.RETENTION_DAYS, "unproven_accounts": 0}
    make_member(address_proven=False, joined_at=ago(days=800))
    assert "unproven_accounts" not in retention.run()
    assert Member.objects.count() == 1


def test_one_job_that_fails_stops_no_other(monkeypatch, settings):
    make_member(address_proven=False, joined_at=ago(days=8))

    def fail(before):
        raise RuntimeError("no")

    broken = {**retention._jobs, "mails": retention.Job("mails", "x", fail, fail)}
    monkeypatch.setattr(retention, "_jobs", broken)
    done = retention.run()
    assert "mails" not in done
    assert done["unproven_accounts"] == 1


def test_the_command_tells_and_the_task_does(capsys):
    make_member(address_proven=False, joined_at=ago(days=8))
    call_command("retention", "--dry-run")
    assert "unproven_accounts: 1 would be dealt with" in capsys.readouterr().out
    assert Member.objects.count() == 1
    keep_retention()
    assert Member.objects.count() == 0
    call_command("retention")
    assert "unproven_accounts: 0 were dealt with" in capsys.readouterr().out


def test_the_privacy_page_says_what_the_settings_say(client, settings):
    text = client.get("/about/privacy/").content.decode()
    days = settings.RETENTION_DAYS
    for sentence in (
        f"after {days['unproven_accounts']} days. A request to join that was declined: after {days['join_requests']} days",
        f"{days['network_addresses']} days after its last use",
        f"after {days['mails']} days",
    ):
        assert sentence in text
    assert (days["notifications"], days["guest_registrations"]) == (365, 365)
