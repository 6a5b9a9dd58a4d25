"""The log, deeds and who hears of them, reports, keyset pages, limits, kept text."""

import dataclasses

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.http import QueryDict

from kmnet.core import activity, audit, kept_text, moderation, ratelimit
from kmnet.core.keyset import paginate
from kmnet.core.models import Activity, AuditEntry, Flag, Notification, Term
from kmnet.core.vocabulary import load_vocabulary
from tests.factories import make_member

pytestmark = pytest.mark.django_db


def test_audit_entries_can_be_neither_changed_nor_removed():
    entry = audit.record_act(actor=make_member(), verb="test.act", reason="because")
    for change in (entry.delete, lambda: AuditEntry.objects.update(reason="other")):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert AuditEntry.objects.get().reason == "because"


@pytest.fixture
def told(monkeypatch):
    """A verb whose audience is the list that the test fills."""
    audience = []
    monkeypatch.setattr(activity, "_types", {})
    activity.register(activity.ActivityType("test.done", "x.html", audience=lambda deed: audience))
    activity.register(activity.ActivityType("test.quiet", "x.html"))
    return audience


def test_fan_out_tells_the_audience_once_and_never_the_actor(told):
    actor, *others = (make_member() for _ in range(3))
    told.extend(member.pk for member in (actor, *others))
    deed = activity.record("test.done", actor=actor, target=actor)
    assert activity.fan_out(activity_id=deed.pk) == 2
    assert activity.fan_out(activity_id=deed.pk) == 0
    assert sorted(Notification.objects.values_list("recipient_id", flat=True)) == sorted(m.pk for m in others)


def test_a_deed_without_audience_is_never_waiting(told):
    member = make_member()
    activity.record("test.quiet", actor=member, target=member)
    assert list(Activity.objects.waiting()) == []
    activity.record("test.done", actor=member, target=member)
    assert Activity.objects.waiting().count() == 1


def test_record_refuses_a_verb_nobody_registered(told):
    with pytest.raises(LookupError):
        activity.record("test.unknown", actor=None, target=make_member())


def test_mark_read_reads_only_what_was_seen_by_whom(told):
    actor, seen, unseen = (make_member() for _ in range(3))
    told.append(seen.pk)
    told.append(unseen.pk)
    for target in (actor, seen):
        activity.fan_out(activity_id=activity.record("test.done", actor=actor, target=target).pk)
    assert activity.mark_read(member=seen, targets=[actor]) == 1
    assert Notification.objects.unread().filter(recipient=seen).count() == 1
    assert Notification.objects.unread().filter(recipient=unseen).count() == 2


@pytest.fixture
def reported(monkeypatch):
    hidden = []
    monkeypatch.setattr(moderation, "_kinds", {})
    moderation.register(
        moderation.Moderated(
            model=Term,
            label="term",
            card_template="x.html",
            title=str,
            url=str,
            author_id=lambda term: None,
            hide=lambda **given: hidden.append(given),
            restore=lambda **given: None,
            visible_to=lambda user: Term.objects.all(),
        )
    )
    load_vocabulary()
    return Term.objects.first(), hidden


def test_reports_of_one_thing_are_decided_together_and_logged(reported):
    term, hidden = reported
    reporters, moderator = [make_member() for _ in range(2)], make_member(is_moderator=True)
    for reporter in (*reporters, reporters[0]):
        moderation.report(reporter=reporter, target=term, reason=Flag.Reason.UNKIND)
    assert Flag.objects.count() == 2
    assert moderation.resolve(target=term, actor=moderator, hide=True, reason="It was unkind.") == 2
    assert hidden == [{"target": term, "actor": moderator, "reason": "It was unkind."}]
    assert set(Flag.objects.values_list("state", "resolution")) == {("upheld", "It was unkind.")}
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor, entry.reason) == ("reports.upheld", moderator, "It was unkind.")
    with pytest.raises(moderation.AlreadyDecided):
        moderation.resolve(target=term, actor=moderator, hide=False, reason="again")


def test_a_dismissed_report_hides_nothing(reported):
    term, hidden = reported
    moderation.report(reporter=make_member(), target=term, reason=Flag.Reason.OTHER)
    assert moderation.resolve(target=term, actor=make_member(), hide=False, reason="It is fine.") == 1
    assert (hidden, Flag.objects.get().state) == ([], "dismissed")


def test_what_nobody_registered_cannot_be_reported(reported):
    with pytest.raises(PermissionDenied):
        moderation.report(reporter=make_member(), target=make_member(), reason="other")


@pytest.mark.parametrize("order", [["facet_id", "pk"], ["-name", "-pk"]])
def test_keyset_pages_show_every_row_once_both_ways(order):
    load_vocabulary()
    expected = list(Term.objects.order_by(*order))
    forwards, query, pages = [], "", []
    while True:
        page = paginate(Term.objects.all(), QueryDict(query.lstrip("?")), order=order, size=20)
        forwards += page.items
        pages.append(page)
        if not page.next_query:
            break
        query = page.next_query
    assert forwards == expected
    assert [bool(page.previous_query) for page in pages] == [False] + [True] * (len(pages) - 1)
    back = paginate(Term.objects.all(), QueryDict(pages[2].previous_query.lstrip("?")), order=order, size=20)
    assert (back.items, bool(back.previous_query)) == (pages[1].items, True)
    first = paginate(Term.objects.all(), QueryDict(back.previous_query.lstrip("?")), order=order, size=20)
    assert (first.items, first.previous_query, bool(first.next_query)) == (pages[0].items, "", True)


def test_keyset_keeps_the_other_parameters_and_ignores_a_forged_cursor(django_assert_num_queries):
    load_vocabulary()
    with django_assert_num_queries(1):
        page = paginate(Term.objects.all(), QueryDict("q=é&after=forged"), order=["pk"], size=5)
    assert page.items == list(Term.objects.order_by("pk")[:5])
    assert page.next_query.startswith("?q=%C3%A9&after=")


def test_allow_counts_to_the_limit(settings):
    assert [ratelimit.allow("test-allow", limit=2, seconds=3600) for _ in range(3)] == [True, True, False]
    assert ratelimit.allow("test-other", limit=2, seconds=3600)


def test_allow_counts_in_this_process_without_redis(settings):
    settings.CACHES = {
        "default": {"BACKEND": "kmnet.core.cache.ForgivingRedisCache", "LOCATION": "redis://127.0.0.1:1/1"}
    }
    assert [ratelimit.allow("test-away", limit=1, seconds=3600) for _ in range(3)] == [True, False, False]


def test_text_typed_into_an_expired_login_is_kept_without_secrets(client, rf):
    request = rf.post("/discussions/ask/", {"title": "A", "tags": ["x", "y"], "password": "p", "empty": " "})
    request.session = client.session
    kept_text.keep(request)
    later = rf.get("/discussions/ask/")
    later.session = request.session
    assert kept_text.take(later) == {"title": "A", "tags": ["x", "y"]}
    kept_text.forget(later)
    assert kept_text.take(later) == {}


@pytest.mark.django_db
def test_what_somebody_may_not_see_they_cannot_report(reported, monkeypatch):
    term, _hidden = reported
    kind = moderation.kind_of(term)
    monkeypatch.setitem(
        moderation._kinds, Term, dataclasses.replace(kind, visible_to=lambda user: Term.objects.none())
    )
    with pytest.raises(PermissionDenied):
        moderation.report(reporter=make_member(), target=term, reason="other")
    assert not Flag.objects.exists()
