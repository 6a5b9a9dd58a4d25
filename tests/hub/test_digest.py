"""The digest: what it tells, what it never tells, and that each window is told once."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core import mail as sent
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from taggit.models import Tag

from discussions import services as discussions
from discussions.models import DiscussionSettings, Post, ReadState, Thread
from kmnet.core import activity
from kmnet.core.mail import send_due_mail
from kmnet.core.models import Activity, MailChoice, MailHabits, OutgoingMail
from kmnet.hub import services
from kmnet.hub.digest import letters
from kmnet.hub.models import DigestRun, DigestSchedule
from kmnet.hub.tasks import queue_due_digests
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.events import make_event, make_registration
from tests.factories.groups import make_group
from tests.factories.resources import make_resource

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def make_reader(**fields):
    """Somebody who gets the digest every day, whose last one told up to yesterday."""
    fields.setdefault("name", "Rosalind Achebe")
    profile = {"digest": "daily", "digest_hour": timezone.now().hour, **fields.pop("profile", {})}
    reader = make_member(profile=profile, **fields)
    services.refresh_schedules()
    return reader


def make_due(reader, *, told_until=None):
    """Their morning has just come."""
    now = timezone.now()
    DigestSchedule.objects.filter(member=reader).update(
        next_due_at=now - timedelta(minutes=1), covered_until=told_until or now - DAY
    )


def age(minutes=30):
    """What is in the database was written a while ago, so that it has settled."""
    back = timedelta(minutes=minutes)
    for post in Post.objects.all():
        Post.objects.filter(pk=post.pk).update(published_at=post.published_at - back)
    for thread in Thread.objects.all():
        Thread.objects.filter(pk=thread.pk).update(last_post_at=thread.last_post_at - back)


def deliver(reader):
    """Let their morning come; the digest they get, or None."""
    make_due(reader, told_until=DigestSchedule.objects.get(member=reader).covered_until)
    queue_due_digests()
    return send(reader)


def send(reader):
    sent.outbox.clear()
    send_due_mail()
    mine = [
        m for m in sent.outbox if m.to == [reader.email] and "digest" in m.extra_headers.get("List-Id", "")
    ]
    assert len(mine) <= 1
    return mine[0].message() if mine else None


def part(message, subtype):
    return next(p.get_content() for p in parsed(message).walk() if p.get_content_type() == f"text/{subtype}")


def parsed(message):
    return message_from_bytes(message.as_bytes(), policy=policy.default)


def first_digest(reader):
    make_due(reader)
    queue_due_digests()
    return send(reader)


# --- what it tells ---------------------------------------------------------------------------------------------------
def test_a_digest_tells_of_threads_events_and_resources_in_text_and_html():
    reader = make_reader()
    reader.profile.can_help.add(Tag.objects.create(name="boards"))
    make_thread(
        title="What does a board want to read?", tags=["boards"], author=make_member(name="Samina Qureshi")
    )
    own = make_thread(title="My own question", author=reader)
    make_post(
        thread=own, author=make_member(name="Georgia Pappas"), source="Tried **Maren’s** ledger & it works."
    )
    make_thread(title="Something else in the space", kind="discussion")
    make_registration(
        member=reader, event=make_event(title="What a residency leaves behind", starts_in=timedelta(hours=20))
    )
    make_event(title="Open hour", published_at=timezone.now() - timedelta(minutes=30))
    make_resource(title="Contribution ledger", published_at=timezone.now() - timedelta(minutes=30))
    age()
    message = first_digest(reader)
    text, html = part(message, "plain"), part(message, "html")
    for body in (text, html):
        for words in (
            "What does a board want to read?",
            "Samina Qureshi",
            "No answer yet",
            "My own question",
            "Georgia Pappas",
            "Something else in the space",
            "What a residency leaves behind",
            "You have a place.",
            "Open hour",
            "Contribution ledger",
            "You are caught up.",
        ):
            assert words in body
        assert reverse("hub:digest_read", args=["x"]).rpartition("x")[0] in body
    assert "Maren’s ledger & it works." in text
    assert "Maren’s ledger &amp; it works." in html
    assert "One question you could answer, one reply to you, one conversation." in text
    assert message["Subject"] == "Samina is waiting for someone like you"


def test_the_foot_leads_to_less_often_and_to_a_pause_themselves():
    reader = make_reader()
    make_thread()
    age()
    message = first_digest(reader)
    for body in (part(message, "plain"), part(message, "html")):
        ways = re.findall(r"http://testserver(/mail/(?:less-often|pause)/[^\s\"]+)", body)
        assert [Client().post(way).status_code for way in ways] == [200, 200]
    reader.profile.refresh_from_db()
    assert reader.profile.digest == "monthly"
    assert MailHabits.objects.get(member=reader).paused_until


@pytest.mark.parametrize("threads", [1, 30])
def test_what_did_not_fit_is_told_and_it_still_ends(threads):
    reader = make_reader()
    for _thread in range(threads):
        make_thread(source="Some words to be read. " * 60)
    age()
    message = first_digest(reader)
    for body in (part(message, "plain"), part(message, "html")):
        assert ("That is everything. You are caught up." in body) == (threads == 1)
        assert ("That is everything for today. You are caught up." in body) == (threads == 30)
        assert ("There is more in your spaces, for another day" in body) == (threads == 30)


def test_a_digest_carries_the_headers_of_list_mail():
    reader = make_reader()
    make_thread()
    age()
    message = first_digest(reader)
    mail = OutgoingMail.objects.get(kind="hub.digest")
    assert message["Message-ID"] == mail.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"].startswith("<http://testserver/mail/unsubscribe/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "digest" in message["List-Id"]
    assert mail.bulk
    assert "You asked for this letter every morning" in part(message, "plain")
    assert "src=" not in part(message, "html")


def test_the_greeting_and_the_hours_are_the_readers_own():
    reader = make_reader(time_zone="Pacific/Auckland")
    event = make_event(starts_in=timedelta(hours=5), published_at=timezone.now() - timedelta(hours=1))
    message = first_digest(reader)
    assert event.starts_at.astimezone(ZoneInfo("Pacific/Auckland")).strftime("%H:%M") in part(
        message, "plain"
    )


# --- what it never tells ---------------------------------------------------------------------------------------------
def reason():
    return OutgoingMail.objects.get(kind="hub.digest").reason


def test_an_empty_digest_is_never_sent_and_says_why_on_its_row():
    reader = make_reader()
    assert first_digest(reader) is None
    assert reason() == "nothing new"
    assert OutgoingMail.objects.get(kind="hub.digest").state == "withheld"


@pytest.mark.parametrize(
    "what", ["read", "muted", "own", "hidden", "members_only_to_pending", "members_resource"]
)
def test_what_is_read_muted_own_hidden_or_not_theirs_is_never_told(what):
    reader = make_reader()
    if what == "members_resource":
        thread = None
        make_resource(visibility="members", published_at=timezone.now() - timedelta(minutes=30))
    else:
        space = make_space(readable_by="members" if what.startswith("members") else "public")
        thread = make_thread(space=space, author=reader if what == "own" else make_member())
    if what == "read":
        discussions.mark_posts_read(member=reader, thread=thread, posts=thread.posts.all())
    elif what == "muted":
        discussions.set_watch(member=reader, thread=thread, level="muted")
    elif what == "hidden":
        moderator = make_member(is_moderator=True)
        discussions.hide_post(post=thread.posts.get(), actor=moderator, reason="Names a patient.")
    age()
    make_due(reader)
    queue_due_digests()
    if what.startswith(
        "members"
    ):  # approval was withdrawn after the digest was queued: rights are asked at sending
        type(reader).objects.filter(pk=reader.pk).update(status="pending")
    assert send(reader) is None
    assert reason() == "nothing new"


def test_what_is_read_between_queueing_and_sending_is_left_out():
    reader = make_reader()
    gone, stays = make_thread(title="Read meanwhile"), make_thread(title="Still new")
    age()
    make_due(reader)
    queue_due_digests()
    discussions.mark_posts_read(member=reader, thread=gone, posts=gone.posts.all())
    text = part(send(reader), "plain")
    assert "Still new" in text
    assert "Read meanwhile" not in text
    assert stays.title in text


def test_of_a_thread_the_first_unread_post_is_told():
    reader = make_reader()
    thread = make_thread(source="This I have read.")
    make_post(thread=thread, source="And this as well.")
    make_post(thread=thread, source="But not this.")
    discussions.mark_posts_read(member=reader, thread=thread, posts=thread.posts.filter(number__lte=2))
    age()
    text = part(deliver(reader), "plain")
    assert ["This I have read" in text, "And this as well" in text, "But not this" in text] == [
        False,
        False,
        True,
    ]
    assert "?post=3#post-3" in text


def test_what_was_mailed_on_its_own_is_not_told_again():
    reader = make_reader()
    thread = make_thread(author=reader, title="My question")
    make_post(thread=thread, source="This came by mail at once.")
    for pk in Activity.objects.waiting().values_list("pk", flat=True):
        activity.fan_out(activity_id=pk)
    send_due_mail()
    assert [message.to for message in sent.outbox] == [[reader.email]]
    age()
    assert first_digest(reader) is None

    DigestRun.objects.all().delete()
    make_post(thread=thread, source="This was not mailed.")
    age()
    text = part(first_digest(reader), "plain")
    assert "This was not mailed." in text
    assert "This came by mail at once." not in text


class Killed(BaseException):
    """As by kill -9: nobody catches it, and the transaction it hits is gone."""


def test_a_worker_that_is_killed_anywhere_leaves_nobody_out_and_tells_nobody_twice(monkeypatch):
    readers = [make_reader(name=f"Reader {number}") for number in range(7)]
    make_thread(title="Told to all")
    age()
    for reader in readers:
        make_due(reader)
    move_on, prepare, steps = services._move_on, letters.Slice, iter(range(100))

    def sometimes(work):
        def work_or_die(*args, **kwargs):
            if next(steps) % 3 == 1:
                raise Killed
            return work(*args, **kwargs)

        return work_or_die

    monkeypatch.setattr(services, "SLICE", 2)
    monkeypatch.setattr(services, "_move_on", sometimes(move_on))
    for _start in range(9):
        try:
            with transaction.atomic():
                while services.claim_due_digests(limit=2):
                    pass
        except Killed:
            continue
    monkeypatch.setattr(services, "_move_on", move_on)
    while services.claim_due_digests(limit=2):
        pass
    monkeypatch.setattr(letters, "Slice", sometimes(prepare))
    sent.outbox.clear()
    for _start in range(9):
        try:
            with transaction.atomic():
                while send_due_mail(limit=2):
                    pass
        except Killed:
            continue
    monkeypatch.setattr(letters, "Slice", prepare)
    while send_due_mail(limit=2):
        pass
    assert sorted(DigestRun.objects.values_list("member", flat=True)) == [reader.pk for reader in readers]
    states = OutgoingMail.objects.filter(kind="hub.digest").values_list("state", flat=True)
    assert list(states) == ["sent"] * 7


@pytest.mark.parametrize("how", ["suspended", "unsubscribed", "never"])
def test_those_who_may_not_or_would_not_have_it_get_none(how):
    reader = make_reader(profile={"digest": "never"} if how == "never" else {})
    make_thread()
    age()
    make_due(reader) if how != "never" else None
    if how == "suspended":
        type(reader).objects.filter(pk=reader.pk).update(status="suspended", is_active=False)
    if how == "unsubscribed":
        MailChoice.objects.create(member=reader, category="digest", how="never")
    queue_due_digests()
    assert send(reader) is None
    assert DigestRun.objects.filter(member=reader).count() == (1 if how == "unsubscribed" else 0)


def test_who_stops_the_digest_before_it_is_sent_gets_none():
    reader = make_reader()
    make_thread()
    age()
    make_due(reader)
    queue_due_digests()
    type(reader.profile).objects.filter(member=reader).update(digest="never")
    assert send(reader) is None
    assert reason() == "the member wants no digest any more"


def test_one_member_with_a_broken_time_zone_keeps_nobody_waiting():
    broken, reader = make_reader(name="Broken"), make_reader()
    type(broken).objects.filter(pk=broken.pk).update(time_zone="Mars/Olympus_Mons")
    make_thread()
    age()
    services.refresh_schedules()
    make_due(broken)
    assert first_digest(reader) is not None
    assert DigestSchedule.objects.get(member=broken).next_due_at > timezone.now()


# --- once ------------------------------------------------------------------------------------------------------------
def test_a_second_beat_makes_no_second_digest():
    reader = make_reader()
    make_thread()
    age()
    make_due(reader)
    queue_due_digests()
    queue_due_digests()
    assert OutgoingMail.objects.filter(kind="hub.digest", member=reader).count() == 1
    assert send(reader) is not None
    queue_due_digests()
    assert send(reader) is None


def test_a_day_has_one_digest_even_if_the_schedule_says_due_again():
    reader = make_reader()
    make_thread()
    age()
    make_due(reader)
    due = DigestSchedule.objects.get(member=reader)
    queue_due_digests()
    DigestSchedule.objects.filter(member=reader).update(next_due_at=due.next_due_at)
    covered = DigestSchedule.objects.get(member=reader).covered_until
    queue_due_digests()
    assert DigestRun.objects.filter(member=reader).count() == 1
    assert (
        DigestSchedule.objects.get(member=reader).covered_until == covered
    )  # what came since is not skipped


def test_windows_follow_one_another_so_that_nothing_is_told_twice_or_skipped():
    """Beats come on time, twice, late by days, and not at all for a while; each thing is told exactly once."""
    reader = make_reader(time_zone="Europe/London", profile={"digest_hour": 7})
    start = datetime(2026, 3, 20, 12, tzinfo=UTC)  # across the night when the clocks go forward
    DigestSchedule.objects.filter(member=reader).update(
        next_due_at=datetime(2026, 3, 21, 7, tzinfo=UTC), covered_until=start
    )
    for hours in [19.1, 19.2, 43.5, 150, 150.1, 163.01, 170, 300, 400]:
        services.claim_due_digests(now=start + timedelta(hours=hours))
    runs = list(DigestRun.objects.filter(member=reader).order_by("since"))
    assert len(runs) == 6
    assert [run.since for run in runs] == [start, *(run.until for run in runs[:-1])]
    assert [run.ahead_from for run in runs[1:]] == [run.ahead_until for run in runs[:-1]]


def test_nothing_is_told_twice_in_two_digests():
    reader = make_reader()
    make_thread(title="First week")
    make_event(title="Announced once", published_at=timezone.now() - timedelta(minutes=30))
    make_resource(title="Added once", published_at=timezone.now() - timedelta(minutes=30))
    make_registration(member=reader, event=make_event(title="Mine soon", starts_in=timedelta(hours=20)))
    age()
    first = part(first_digest(reader), "plain")
    assert all(words in first for words in ("First week", "Announced once", "Added once", "Mine soon"))
    DigestRun.objects.update(period="yesterday")  # a day goes by
    assert deliver(reader) is None
    assert OutgoingMail.objects.filter(kind="hub.digest").order_by("pk").last().reason == "nothing new"


def test_a_late_digest_tells_of_the_days_that_were_missed():
    reader = make_reader()
    make_thread(title="Six days ago")
    age(minutes=6 * 24 * 60)
    make_due(reader, told_until=timezone.now() - timedelta(days=7))
    queue_due_digests()
    assert "Six days ago" in part(send(reader), "plain")


def test_after_a_long_absence_a_digest_tells_of_a_month_at_most():
    reader = make_reader()
    make_due(reader, told_until=timezone.now() - timedelta(days=400))
    queue_due_digests()
    run = DigestRun.objects.get(member=reader)
    assert run.until - run.since == services.LONGEST_WINDOW


# --- schedules -------------------------------------------------------------------------------------------------------
def test_schedules_follow_what_members_choose():
    reader = make_reader(time_zone="Europe/London")
    before = DigestSchedule.objects.get(member=reader)
    reader.profile.digest, reader.profile.digest_weekday, reader.profile.digest_hour = "weekly", 3, 9
    reader.profile.save()
    type(reader).objects.filter(pk=reader.pk).update(time_zone="Asia/Kathmandu")
    assert services.refresh_schedules() == 1
    assert services.refresh_schedules() == 0
    after = DigestSchedule.objects.get(member=reader)
    local = after.next_due_at.astimezone(ZoneInfo("Asia/Kathmandu"))
    assert (local.weekday(), local.hour, local.minute) == (3, 9, 0)
    assert after.covered_until == before.covered_until


def test_a_pause_puts_the_digest_off_and_its_end_brings_it_back():
    reader = make_reader()
    before = DigestSchedule.objects.get(member=reader)
    habits = MailHabits.objects.create(member=reader, paused_until=timezone.now().date() + timedelta(days=20))
    assert services.refresh_schedules() == 1
    assert services.refresh_schedules() == 0
    paused = DigestSchedule.objects.get(member=reader)
    assert paused.next_due_at.date() >= habits.paused_until
    assert paused.covered_until == before.covered_until  # what comes meanwhile is told afterwards
    habits.paused_until = None
    habits.save()
    assert services.refresh_schedules() == 1
    assert services.refresh_schedules() == 0
    assert DigestSchedule.objects.get(member=reader).next_due_at == before.next_due_at
    habits.delete()
    assert services.refresh_schedules() == 0


@pytest.mark.parametrize("noticed", ["before it is sent", "when it is sent"])
def test_a_digest_that_a_pause_stops_on_its_way_is_told_after_the_pause(noticed):
    reader = make_reader()
    make_thread(title="Told after the pause")
    age()
    make_due(reader)
    queue_due_digests()
    pause = MailHabits.objects.create(member=reader, paused_until=timezone.now().date() + timedelta(days=9))
    if noticed == "when it is sent":
        assert send(reader) is None
    services.refresh_schedules()
    assert send(reader) is None
    mail = OutgoingMail.objects.get(kind="hub.digest")
    assert (mail.state, mail.reason) == ("withheld", f"mail is paused until {pause.paused_until}")
    pause.delete()
    services.refresh_schedules()
    assert "Told after the pause" in part(deliver(reader), "plain")


def test_days_that_a_member_chooses_are_seen():
    reader = make_reader()
    reader.profile.digest, reader.profile.digest_days = "days", [0, 3]
    reader.profile.save()
    assert services.refresh_schedules() == 1
    assert services.refresh_schedules() == 0
    due = DigestSchedule.objects.get(member=reader).next_due_at
    assert due.weekday() in (0, 3)


def test_who_starts_again_gets_one_period_and_not_what_piled_up():
    reader = make_reader()
    DigestSchedule.objects.filter(member=reader).update(covered_until=timezone.now() - timedelta(days=200))
    reader.profile.digest = "never"
    reader.profile.save()
    services.refresh_schedules()
    assert DigestSchedule.objects.get(member=reader).next_due_at is None
    reader.profile.digest = "weekly"
    reader.profile.save()
    now = timezone.now()
    services.refresh_schedules(now=now)
    assert DigestSchedule.objects.get(member=reader).covered_until == now - timedelta(days=7)


def test_a_digest_can_be_brought_forward_once_a_day():
    reader = make_reader(profile={"digest": "weekly"})
    DigestSchedule.objects.all().delete()
    make_thread(title="New this week")
    age()
    call_command("digest_now", reader.email.upper(), stdout=StringIO())
    assert "New this week" in part(send(reader), "plain")
    assert not services.bring_forward(member=reader)
    assert not services.bring_forward(member=make_reader(profile={"digest": "never"}))
    assert DigestRun.objects.count() == 1
    with pytest.raises(CommandError):
        call_command("digest_now", "nobody@example.org")


def test_schedules_are_claimed_in_slices():
    for _number in range(5):
        make_due(make_reader())
    assert services.claim_due_digests(limit=2) == 2
    assert services.claim_due_digests(limit=2) == 2
    assert services.claim_due_digests(limit=2) == 1
    assert services.claim_due_digests(limit=2) == 0
    assert OutgoingMail.objects.filter(kind="hub.digest").count() == 5


def test_one_whose_digest_cannot_be_queued_keeps_nobody_elses(monkeypatch):
    bad, *others = (make_reader() for _number in range(4))
    for reader in (bad, *others):
        make_due(reader)
    key = services.period_key

    def key_of(rhythm, due):
        if due == bad_due:
            raise ValueError("broken")
        return key(rhythm, due)

    bad_due = DigestSchedule.objects.get(member=bad).next_due_at - timedelta(seconds=1)
    DigestSchedule.objects.filter(member=bad).update(next_due_at=bad_due)
    monkeypatch.setattr(services, "period_key", key_of)
    assert services.claim_due_digests() == 3
    assert set(DigestRun.objects.values_list("member", flat=True)) == {reader.pk for reader in others}
    assert list(DigestSchedule.objects.due(timezone.now()).values_list("member", flat=True)) == [bad.pk]
    monkeypatch.undo()
    assert services.claim_due_digests() == 1
    assert DigestRun.objects.filter(member=bad).count() == 1


def test_who_looks_at_the_digest_of_another_sees_nothing_of_groups_or_of_what_they_asked_without_their_name():
    reader = make_reader()
    settings = DiscussionSettings()
    settings.save()
    settings.unmaskers.set([make_member(is_moderator=True), make_member(is_moderator=True)])
    masked = make_thread(author=reader, masked=True, replies=1)
    named = make_thread(author=reader, replies=1)
    convenor = make_member()
    space = make_space(readable_by="group", group=make_group(reader, convenor=convenor))
    in_group = make_thread(author=reader, space=space)
    make_post(thread=in_group, author=convenor)
    age()
    make_due(reader)
    services.claim_due_digests()
    mail = OutgoingMail.objects.get(kind="hub.digest")

    def told(for_others):
        made = letters.Slice(letters.runs_of([mail]).values(), for_others=for_others)
        return {news.talk.pk for plan in made.plans.values() for news in plan.choice.replies}

    assert told(False) == {masked.pk, named.pk, in_group.pk}
    assert told(True) == {named.pk}


# --- marking as read -------------------------------------------------------------------------------------------------
def read_link(message):
    text = part(message, "plain")
    start = text.index("http://testserver/mail/digest-read/")
    return text[start:].split()[0].removeprefix("http://testserver")


def test_the_link_opens_a_page_and_its_button_marks_exactly_this_window(client):
    reader = make_reader()
    thread = make_thread(title="Told of")
    age()
    link = read_link(first_digest(reader))
    later = make_post(thread=thread)
    for _visit in range(3):
        assert client.get(link).status_code == 200
        assert client.head(link).status_code == 200
    assert not ReadState.objects.filter(member=reader).exists()
    response = client.post(link)
    assert "You are caught up" in response.content.decode()
    assert response["Referrer-Policy"] == "no-referrer"
    assert ReadState.objects.get(member=reader).numbers == [(1, 2)]
    assert not ReadState.objects.get(member=reader).has(later.number)
    assert client.post(link).status_code == 200  # a second press does no harm


def test_marking_costs_the_same_for_one_thread_and_for_twenty(django_assert_max_num_queries):
    reader, space, author = make_reader(), make_space(), make_member()
    known = make_thread(space=space, author=author, replies=1)
    discussions.mark_posts_read(member=reader, thread=known, posts=known.posts.filter(number=1))
    for _number in range(20):
        make_thread(space=space, author=author)
    age()
    make_due(reader)
    services.claim_due_digests()
    run = DigestRun.objects.select_related("member").get(member=reader)
    with django_assert_max_num_queries(9):
        assert services.mark_digest_read(run=run) == 21
    assert ReadState.objects.get(member=reader, thread=known).numbers == [(1, 3)]
    assert not Thread.objects.unread_by(type(reader).objects.get(pk=reader.pk)).exists()
    assert services.mark_digest_read(run=run) == 0


def test_a_link_that_is_not_ours_changes_nothing(client):
    assert client.post(reverse("hub:digest_read", args=["made-up"])).status_code == 404
