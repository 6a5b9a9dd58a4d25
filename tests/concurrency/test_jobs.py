"""Every piece of periodic work, begun by two beats at once after none for three hours: each effect is there once.

A job that is new needs its row in WORK: what makes it due, and its effects counted. Real commits, real locks. That the
races are there without the locks is shown by the tests of each."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail as sent
from django.utils import timezone

from discussions import services as discussions
from discussions.models import OwedReply, Poll, Post, QuietThanks, Thread
from discussions.services import thanks
from events.models import Status
from kmnet.core import inbound, jobs
from kmnet.core.inbound.receiving import store
from kmnet.core.models import Activity, DevMail, DoomedFile, Heartbeat, JobState, OutgoingMail
from kmnet.hub.models import DigestRun, DigestSchedule
from kmnet.hub.services import refresh_schedules
from members import services as members
from members.models import DataExport, Introduction, Leaving, Member, Profile
from resources import using
from resources.models import (
    ImportBatch,
    LibraryWord,
    LinkCheck,
    LinkRecord,
    Resource,
    ResourceFile,
    ResourceText,
    ResourceUse,
    SavedResource,
    SavedSearch,
    UsageEvent,
    UsedMark,
)
from tests.factories import make_member
from tests.factories.discussions import make_message, make_post, make_thread
from tests.factories.events import make_event, make_registration
from tests.factories.resources import make_resource
from tests.inbound import message
from tests.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORK: dict[str, Callable] = {}


def work(key):
    """`make` makes three rows due three hours ago, and returns what counts the effects and how many there must be."""

    def register(make):
        WORK[key] = make
        return make

    return register


def ago(**delta):
    return timezone.now() - timedelta(**delta)


def mails(kind, **found):
    return OutgoingMail.objects.filter(kind=kind, **found).count


def deeds(verb):
    return Activity.objects.filter(verb=verb).count


@work("core.beat")
def beat():
    return Heartbeat.objects.filter(name="beat").count, 1


@work("core.deeds")
def untold_deeds():
    for _row in range(3):
        make_post()
    return Activity.objects.waiting().filter(verb="discussions.replied").count, 0


@work("core.files")
def doomed_files():
    DoomedFile.objects.bulk_create([DoomedFile(name=f"gone-{number}") for number in range(3)])
    return DoomedFile.objects.filter(name__startswith="gone-").count, 0


@work("core.guest-pages")
def changes():
    return (lambda: 1), 1


@work("core.retention")
def old_mails():
    DevMail.objects.create(recipient="old@example.org", raw=b"")
    DevMail.objects.update(received_at=ago(days=99))
    return DevMail.objects.count, 0


@work("events.places")
def free_places():
    for _row in range(3):
        event = make_event(capacity=1)
        make_registration(event=event, status=Status.OFFERED, offer_expires_at=ago(hours=3))
        make_registration(event=event, status=Status.WAITING)
    return mails("events.offer"), 3


@work("events.asking")
def to_be_asked():
    event = make_event(capacity=3, starts_in=60 * HOUR)
    for _row in range(3):
        make_registration(event=event, confirmed_at=ago(days=20))
    return mails("events.reconfirm"), 3


@work("events.nudge")
def nudged():
    return (lambda: 1), 1  # the two above, again


@work("events.reminders")
def to_be_reminded():
    event = make_event(starts_in=21 * HOUR)
    for _row in range(3):
        make_registration(event=event, confirmed_at=ago(days=20))
    return mails("events.reminder_24h"), 3


@work("members.invitations")
def invited():
    people = [(f"invited-{number}@example.org", "") for number in range(3)]
    admin = make_member(is_staff=True, is_superuser=True)
    members.bring_in_list(by=admin, name="A list", basis="they asked", promise="I promise", people=people)
    return mails("members.list_invitation"), 3


@work("members.wishes")
def wishes():
    for _row in range(3):
        member = make_member()
        members.update_profile(member=member, looking_for=["boards"], looking_for_text="Who?")
        Profile.objects.filter(member=member).update(looking_until=timezone.now().date() + 7 * DAY)
    return mails("members.wish_ends"), 3


@work("members.introductions")
def introductions():
    for _row in range(3):
        members.propose_introduction(
            proposer=make_member(), one=make_member(), other=make_member(), reason="Both count falls."
        )
    Introduction.objects.update(created_at=ago(days=14, hours=3), expires_at=ago(hours=3))
    return deeds("members.introduction_ended"), 3


@work("members.copies")
def copies():
    for _row in range(3):
        members.ask_for_copy(member=make_member())
    return DataExport.objects.filter(state="ready").count, 3


@work("members.silent")
def silent():
    for _row in range(3):
        make_member(last_seen_on=ago(days=200).date(), joined_at=ago(days=400), profile={"digest": "weekly"})
    return mails("members.still_here"), 3


@work("core.received-mail")
def received_mail():
    for _row in range(3):
        member, thread = make_member(joined_at=ago(days=400)), make_thread()
        address = inbound.reply_address(member=member, purpose="discussions.thread", target=thread)
        store(
            message(member, address, "By mail.\n"),
            recipient=address,
            via="test",
            envelope_sender=member.email,
        )
    return Post.objects.filter(source__contains="By mail.").count, 3


@work("members.leaving")
def leavers():
    for _row in range(3):
        members.start_leaving(member=make_member(), keep_words=True)
    Leaving.objects.update(due_at=ago(hours=3))
    return Member.objects.filter(status="erased").count, 3


@work("discussions.promise")
def owed():
    clocks = OwedReply.objects.filter(thread__in=[make_thread().pk for _row in range(3)])
    clocks.update(ask_at=ago(hours=3), host_at=timezone.now() + DAY)
    return clocks.filter(asked_at__isnull=False).count, 3


@work("discussions.kept")
def kept():
    for _row in range(3):
        discussions.keep_post(member=make_member(), post=make_post(), remind_at=ago(hours=3))
    return mails("discussions.kept"), 3


@work("discussions.polls")
def polls():
    for _row in range(3):
        make_thread(kind="poll", poll=discussions.PollWanted(options=("Monday", "Tuesday")))
    Poll.objects.update(closes_at=ago(hours=3))
    return Poll.objects.filter(closed_at__isnull=False).count, 3


@work("discussions.thanks")
def thanked():
    for _row in range(3):
        discussions.set_quiet_thanks(member=make_member(), post=make_post(), on=True)
    QuietThanks.objects.update(at=ago(days=40))
    return deeds("discussions.helped"), 3


@work("discussions.held")
def held():
    for _row in range(3):
        make_post(hold=True)
    Post.objects.filter(state="held").update(created_at=ago(days=9))
    return deeds("discussions.held_long"), 1  # one of all


@work("discussions.deserted")
def deserted():
    for _row in range(3):
        one, other = make_member(), make_member()
        thread = make_message(one, other).thread
        for person in (one, other):
            discussions.leave_conversation(member=person, thread=thread)
    return Thread.objects.filter(kind="conversation").count, 0


@work("discussions.taken-back")
def taken_back():
    for _row in range(3):
        post = make_post()
        discussions.delete_post(actor=post.author, post=post)
    Post.objects.taken_back().update(deleted_at=ago(hours=3))
    return Post.objects.filter(wiped_at__isnull=False).count, 3


@work("discussions.rendering")
def old_posts():
    Post.objects.filter(number__isnull=False).update(render_version=0)
    return Post.objects.filter(render_version=0).count, 0


@work("resources.words")
def words_of_the_library():
    for number in range(3):
        make_resource(title=f"Hollyhock {number}")
    return LibraryWord.objects.filter(word="hollyhock", number=3).count, 1


@work("resources.searches")
def saved_searches():
    for _row in range(3):
        member = make_member()
        SavedSearch.objects.create(
            member=member, name="Ledgers", query="q=ledger", seen_until=ago(days=1), due_at=ago(hours=3)
        )
    make_resource(title="The ledger", published_at=ago(hours=1))
    return mails("resources.new_found"), 3


@work("resources.files")
def abandoned():
    ResourceFile.objects.bulk_create(
        ResourceFile(file=f"abandoned-{number}", name="a.pdf", size=1, created_at=ago(days=2))
        for number in range(3)
    )
    return ResourceFile.objects.filter(file__startswith="abandoned-").count, 0


@work("resources.pasted")
def pasted_long_ago():
    LinkRecord.objects.bulk_create(
        LinkRecord(url_key=f"key-{number}", url="https://example.org/", asked_at=ago(days=400))
        for number in range(3)
    )
    return LinkRecord.objects.count, 0


@work("resources.lists")
def lists_brought_in():
    """Three that are long saved: their references are forgotten, and that they were there stays."""
    ImportBatch.objects.bulk_create(
        ImportBatch(
            member=make_member(),
            file_name="mine.bib",
            form="bib",
            state="saved",
            rows=[{"item": {}}],
            created_at=ago(days=30),
            saved_at=ago(days=30),
        )
        for _row in range(3)
    )
    return ImportBatch.objects.filter(state="saved", rows=[], file_name="").count, 3


@work("resources.reading")
def unread_files():
    files = [
        ResourceFile.objects.create(file=f"unread-{number}", name="a.pdf", size=1, added_by=make_member())
        for number in range(3)
    ]
    ResourceText.objects.bulk_create(ResourceText(file=file, due_at=ago(hours=3), tries=3) for file in files)
    return ResourceText.objects.filter(state="failed").count, 3  # they have killed three readers


@work("resources.scanning")
def unscanned_files():
    return (lambda: 1), 1  # no scanner


@work("hub.digests")
def digests():
    for _row in range(3):
        make_member(profile={"digest": "daily"})
    refresh_schedules()
    due = DigestSchedule.objects.filter(member__profile__digest="daily")
    due.update(next_due_at=ago(hours=3), covered_until=ago(days=1))
    return DigestRun.objects.count, due.count()


@work("resources.lists")
def lists_that_were_saved():
    for number in range(3):
        ImportBatch.objects.create(
            member=make_member(),
            file_name=f"{number}.bib",
            form="bib",
            state="saved",
            rows=[{}],
            created_at=ago(days=99),
        )
    return ImportBatch.objects.filter(rows=[], file_name="").count, 3


@work("resources.pasted")
def pages_that_were_pasted():
    for number in range(3):
        LinkRecord.objects.create(url_key=f"old {number}", url="https://example.org/", asked_at=ago(days=999))
    return LinkRecord.objects.count, 0


@work("resources.links")
def links():
    for number in range(3):
        resource = make_resource(url=f"http://10.0.0.{number}/")  # refused without a network
        LinkCheck.objects.create(
            url_key=resource.url_key, url=resource.url, host=f"10.0.0.{number}", due_at=ago(hours=3)
        )
    return LinkCheck.objects.filter(failures=1).count, 3


@work("resources.link-list")
def links_that_are_new():
    for number in range(3):
        make_resource(url=f"https://example.org/{number}")
    return LinkCheck.objects.filter(host="example.org").count, 3


@work("resources.merged")
def late_comers():
    kept = make_resource()
    for _row in range(3):
        gone = make_resource(state="hidden", merged_into=kept)
        SavedResource.objects.create(resource=gone, member=make_member())
    return SavedResource.objects.filter(resource=kept).count, 3


@work("core.free-tags")
def tags_of_many():
    for _row in range(5):
        make_resource(tags=["mindlines"])
    for _row in range(3):
        make_member(is_superuser=True, is_staff=True)
    admins = Member.objects.filter(is_superuser=True)
    return (lambda: admins.count() - mails("core.free_tags")()), 0


@work("resources.usage")
def uses():
    for number in range(3):
        event = json.dumps([2**40, "read", f"visitor {number}", int(ago(hours=3).timestamp())])
        using.client().rpush(using.key("events"), event)
    return UsageEvent.objects.filter(resource=2**40).count, 3


@work("resources.usage-days")
def days_of_use():
    for number in range(3):
        UsageEvent.objects.create(
            resource=make_resource(), kind="read", visitor=f"visitor {number}", at=ago(hours=3)
        )
    return ResourceUse.objects.filter(read=1).count, 3


@work("resources.popularity")
def used_a_lot():
    for _row in range(3):
        resource = make_resource()
        UsedMark.objects.create(resource=resource, member=make_member())
        ResourceUse.objects.create(resource=resource, used=1)
    return Resource.objects.filter(popularity=10).count, 3


@work("core.mail")
def due_mail():
    """All that the others have written."""
    return (lambda: max(Counter(message.extra_headers["Message-ID"] for message in sent.outbox).values())), 1


def begin_all():
    """Every job, by two at once; a batch ends, so those that wake themselves are woken."""
    for key in [*WORK, "core.deeds", *["core.mail"] * 3]:
        at_once(*[lambda key=key: jobs.run(key)] * 2)


def effects() -> dict[str, int]:
    return {
        "mails": OutgoingMail.objects.count(),
        "sent": len(sent.outbox),
        "deeds": Activity.objects.count(),
        **{model.__name__: model.objects.count() for model in (DigestRun, Member, Post, Thread)},
    }


def test_two_beats_after_none_for_three_hours_do_everything_once(monkeypatch, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(thanks, "is_time_to_tell", lambda now, zone: True)
    assert WORK.keys() == {job.key for job in jobs.all_jobs()}, "a job without its row here"
    wanted = {key: make() for key, make in WORK.items()}

    begin_all()
    assert {key: count() for key, (count, _number) in wanted.items()} == {
        key: number for key, (_count, number) in wanted.items()
    }
    assert list(JobState.objects.filter(failed_at__isnull=False).values_list("name", "failure")) == []
    assert JobState.objects.count() == len(WORK)
    done = effects()
    assert done["sent"] > 20

    begin_all()  # and once more
    assert effects() == done
