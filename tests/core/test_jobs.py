"""Periodic work: the pattern, the schedule that is made from what is registered, and the page that tells how it goes."""

from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from kmnet.core import jobs, tasks
from kmnet.core.jobs import Job
from kmnet.core.models import DoomedFile, JobState, OutgoingMail
from tests.factories import make_member
from tests.mail_kinds import mail_kind, queue_test_mail

pytestmark = pytest.mark.django_db


numbers = count(1)


class Broken(Exception):
    pass


def due():
    return DoomedFile.objects.order_by("pk")


def make_rows(many: int) -> list[int]:
    return [DoomedFile.objects.create(name=f"file {next(numbers)}").pk for _row in range(many)]


def failing_for(*bad):
    def act(row):
        if row.pk in bad:
            raise Broken(f"{row.name} of ana@example.org")
        row.delete()

    return act


@pytest.fixture
def job(monkeypatch):
    """A registry of its own, with one job: serve the doomed files, by what the test says."""
    monkeypatch.setattr(jobs, "_jobs", {})

    def register(run, **fields):
        jobs.register(Job("test.job", "a test", 60, run, **fields))

    return register


# --- the pattern -----------------------------------------------------------------------------------------------------
def test_one_bad_row_is_noted_and_the_others_are_served(job):
    _first, bad, _last = make_rows(3)
    job(lambda: jobs.serve(due(), failing_for(bad)))
    tally = jobs.run("test.job")
    assert (tally.served, tally.failed) == (2, [f"file to be deleted {bad} (Broken)"])
    assert list(due().values_list("pk", flat=True)) == [bad]
    state = JobState.objects.get()
    assert (state.name, state.served, state.failures) == ("test.job", 2, 1)
    assert state.failure == f"1: file to be deleted {bad} (Broken)"  # what the error says may name people
    assert state.failed_at
    assert state.ended_at >= state.begun_at
    assert state.well_at is None

    jobs.run("test.job")
    assert JobState.objects.get().failures == 2  # in a row
    due().delete()
    jobs.run("test.job")
    state = JobState.objects.get()
    assert (state.failures, state.served) == (0, 0)
    assert state.well_at == state.ended_at
    assert state.failed_at  # when it was last is still told


def test_bad_rows_at_the_head_of_the_line_hold_up_nobody():
    bad = make_rows(4)
    make_rows(3)
    assert jobs.serve(due(), failing_for(*bad), limit=3) == 3
    assert list(due().values_list("pk", flat=True)) == bad


def test_a_run_serves_no_more_than_its_limit():
    make_rows(5)
    assert jobs.serve(due(), failing_for(), limit=2) == 2
    assert due().count() == 3


def test_what_another_was_faster_with_is_left():
    rows = make_rows(2)

    def act(row):
        due().delete()  # somebody else serves all meanwhile
        seen.append(row.pk)

    seen = []
    assert jobs.serve(due(), act) == 1
    assert seen == rows[:1]


def test_a_run_in_which_everything_fails_ends(job):
    rows = make_rows(jobs.PATIENCE + 20)
    tried = []

    def act(row):
        tried.append(row.pk)
        raise Broken

    job(lambda: jobs.serve(due(), act))
    jobs.run("test.job")
    assert tried == rows[: jobs.PATIENCE + 1]
    assert JobState.objects.get().failure.startswith(f"{jobs.PATIENCE + 1}: ")


def test_a_slice_is_served_at_once_and_row_by_row_where_it_fails():
    rows = make_rows(3)
    calls = []

    def act(found):
        calls.append([row.pk for row in found])
        if rows[1] in calls[-1]:
            raise Broken
        DoomedFile.objects.filter(pk__in=calls[-1]).delete()

    assert jobs.serve_slice(due(), act, limit=2) == 1  # the first; the second is the bad one
    assert jobs.serve_slice(due(), act, limit=2) == 1
    assert jobs.serve_slice(due().exclude(pk=rows[1]), act) == 0
    assert calls == [rows[:2], rows[:1], rows[1:2], rows[1:], rows[1:2], rows[2:]]


def test_work_that_claims_in_its_own_way():
    rows = make_rows(3)

    def act(pk):
        if pk == rows[0]:
            DoomedFile.objects.all().delete()
            raise Broken  # and what it did is undone
        return pk == rows[1]  # nothing to do for the last

    assert jobs.each(rows, act, what="row") == 1
    assert due().count() == 3


def test_one_step_that_fails_keeps_none_of_the_others(job):
    def broken():
        raise Broken

    job(lambda: jobs.steps(broken, lambda: jobs.serve(due(), failing_for())) and None)
    make_rows(2)
    tally = jobs.run("test.job")
    assert (tally.served, tally.failed) == (2, ["broken (Broken)"])


def test_a_job_that_raises_is_noted_and_never_raises_itself(job):
    def broken():
        raise Broken("of ana@example.org")

    job(broken)
    jobs.run("test.job")
    assert JobState.objects.get().failure == "1: test.job (Broken)"
    assert jobs.run("of-an-older-schedule").served == 0


# --- the schedule ----------------------------------------------------------------------------------------------------
def test_beat_wakes_every_job_that_is_registered():
    from kmnet.celery import app, make_schedule

    make_schedule()
    entries = app.conf.beat_schedule
    assert entries.keys() == {job.key for job in jobs.all_jobs()}
    assert {"core.mail", "events.reminders", "members.leaving", "hub.digests"} <= entries.keys()
    for job in jobs.all_jobs():
        entry = entries[job.key]
        assert (entry["task"], entry["kwargs"]) == (tasks.run_job.name, {"key": job.key})
        assert entry["schedule"] == job.every
        assert entry["options"]["expires"] >= 60  # nobody runs at noon what nobody heard all morning


def test_the_task_runs_the_job():
    tasks.run_job(key="core.beat")
    assert JobState.objects.get().name == "core.beat"


def test_beat_wakes_what_should_have_run_long_ago(monkeypatch):
    """Its own hours begin at its start."""
    woken = []
    monkeypatch.setattr(tasks, "enqueue", lambda task, key: woken.append(key))
    for job in jobs.all_jobs():
        JobState.objects.create(name=job.key, begun_at=timezone.now() - timedelta(seconds=1.2 * job.every))
    JobState.objects.filter(name="members.wishes").delete()
    JobState.objects.filter(name="core.retention").update(begun_at=timezone.now() - timedelta(hours=10))
    JobState.objects.filter(name="core.deeds").update(begun_at=timezone.now() - timedelta(hours=10))
    tasks.note_beat()
    assert woken == ["core.retention", "members.wishes"]  # what comes each minute comes anyway


def test_a_key_is_registered_once_and_rows_need_their_moment(job):
    job(lambda: None)
    with pytest.raises(ValueError, match="twice"):
        jobs.register(Job("test.job", "another", 60, lambda: None))
    with pytest.raises(ValueError, match="belong together"):
        jobs.register(Job("test.lag", "a test", 60, lambda: None, due=lambda now: due()))


# --- the page --------------------------------------------------------------------------------------------------------
def only(report_of: str) -> jobs.Report:
    [report] = [report for report in jobs.reports() if report.job.key == report_of]
    return report


def test_lag_is_the_age_of_the_oldest_row_that_is_due():
    now = timezone.now()
    with mail_kind():
        for hours in (1, 5):
            queue_test_mail(due_at=now - timedelta(hours=hours))
        queue_test_mail(due_at=now + timedelta(hours=1))
    report = only("core.mail")
    assert (report.due, report.since) == (2, now - timedelta(hours=5))
    assert report.is_late
    OutgoingMail.objects.update(due_at=now + timedelta(hours=1), next_try_at=now + timedelta(hours=1))
    report = only("core.mail")
    assert (report.due, report.since, report.is_late) == (0, None, False)


def test_lag_of_every_job_can_be_asked_for():
    assert [report.due for report in jobs.reports() if report.job.due] == [
        0 for job in jobs.all_jobs() if job.due
    ]


def test_a_job_that_is_not_begun_or_does_not_end_is_told():
    assert only("core.beat").is_silent  # never
    jobs.run("core.beat")
    report = only("core.beat")
    assert report.is_well
    assert (report.is_silent, report.is_stuck) == (False, False)

    ago = timezone.now() - timedelta(minutes=11)
    JobState.objects.filter(name="core.beat").update(begun_at=ago, ended_at=ago + timedelta(seconds=1))
    assert (only("core.beat").is_silent, only("core.beat").is_stuck) == (True, False)
    JobState.objects.filter(name="core.beat").update(ended_at=ago - timedelta(seconds=15))
    assert only("core.beat").is_stuck


def test_the_page_tells_in_words(client, django_assert_max_num_queries, monkeypatch):
    client.force_login(make_member(is_staff=True, is_superuser=True))
    page = client.get("/admin/core/jobstate/").content.decode()
    assert "has never been seen: start" in page
    assert page.count("It has never run.") == len(jobs.all_jobs())

    for job in jobs.all_jobs():
        JobState.objects.create(
            name=job.key, begun_at=timezone.now(), ended_at=timezone.now(), seconds=0.25, served=7
        )
    JobState.objects.filter(name="hub.digests").update(
        failures=3, failed_at=timezone.now(), failure="1: schedule 5 (ValueError)"
    )
    jobs.run("core.beat")
    with django_assert_max_num_queries(len(jobs.all_jobs()) + 10):
        page = client.get("/admin/core/jobstate/").content.decode()
    assert "is running" in page
    assert page.count("Well.") == len(jobs.all_jobs()) - 1
    assert "Something failed 3 times in a row" in page
    assert page.index("schedule 5 (ValueError)") < page.index("Well.")  # what is not well comes first
    assert client.get("/admin/core/jobstate/hub.digests/change/").status_code == 200
