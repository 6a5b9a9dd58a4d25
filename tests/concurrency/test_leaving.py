"""Leaving, undoing and erasing at the same moment; two organisers who leave at once. Real commits, real locks."""

from datetime import timedelta
from threading import Event

import pytest
from django.utils import timezone

from events import receivers
from members import services
from members.models import DataExport, Erasure, Leaving, Member, Status
from members.services import exporting, leaving
from tests import together
from tests.factories import make_member
from tests.factories.events import make_event
from tests.together import Meeting, meet_after, until

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*deeds):
    """Run these side by side; the result of each, or the exception it raised."""
    return together.at_once(*deeds, errors=lambda error: error)


def due_leaver() -> Member:
    member = make_member()
    services.start_leaving(member=member, keep_words=True)
    Leaving.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    return member


def test_who_undoes_while_the_account_is_being_erased_is_too_late(monkeypatch):
    """Without the lock on the leaving both would think that they did it."""
    member, begun, undone = due_leaver(), Event(), Event()
    erase = leaving.erase_member

    def erase_slowly(**options):
        begun.set()
        until(undone)
        return erase(**options)

    def undo():
        until(begun)
        try:
            return services.undo_leaving(member=member)
        finally:
            undone.set()

    monkeypatch.setattr(leaving, "erase_member", erase_slowly)
    erased, answer = at_once(services.erase_due, undo)
    assert (erased, type(answer)) == (1, services.TooLate)
    assert Member.objects.get(pk=member.pk).status == Status.ERASED


def test_an_account_that_is_being_brought_back_is_not_erased(monkeypatch):
    member, begun, swept = due_leaver(), Event(), Event()
    note = leaving.audit.record_act

    def note_slowly(**options):
        begun.set()
        until(swept)
        return note(**options)

    def sweep():
        until(begun)
        try:
            return services.erase_due()
        finally:
            swept.set()

    monkeypatch.setattr(leaving.audit, "record_act", note_slowly)
    undone, erased = at_once(lambda: services.undo_leaving(member=member), sweep)
    assert (type(undone), erased) == (Member, 0)
    found = Member.objects.get(pk=member.pk)
    assert (found.status, found.email) == (Status.ACTIVE, member.email)
    assert not Erasure.objects.exists()


def test_two_sweeps_erase_once():
    due_leaver()
    assert sorted(at_once(services.erase_due, services.erase_due)) in ([0, 1], [1, 1])
    assert Erasure.objects.count() == 1


def test_two_organisers_who_leave_at_once_cannot_both(monkeypatch):
    """Each looks, before the other has left, whether somebody else organises the event. The event's lock lets one in."""
    one, other = make_member(is_organiser=True), make_member(is_organiser=True)
    event = make_event(organisers=[one, other])
    meet_after(monkeypatch, receivers, "events_alone")
    results = at_once(
        lambda: services.start_leaving(member=one, keep_words=True),
        lambda: services.start_leaving(member=other, keep_words=True),
    )
    assert sorted(type(result).__name__ for result in results) == ["Leaving", "MustHandOver"]
    assert event.organisers.filter(status=Status.ACTIVE).count() == 1


def test_two_workers_build_a_copy_once(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    member = make_member()
    services.ask_for_copy(member=member)
    both, built, store = Meeting(), [], exporting.store

    def store_slowly(export):
        built.append(export.pk)
        both.come()
        return store(export)

    monkeypatch.setattr(exporting, "store", store_slowly)
    at_once(services.build_waiting_copies, services.build_waiting_copies)
    assert len(built) == 1
    assert DataExport.objects.get().state == DataExport.State.READY


def test_a_copy_asked_for_twice_at_once_is_one(settings, tmp_path):
    member = make_member()
    asked = at_once(*[lambda: services.ask_for_copy(member=member)] * 3)
    assert len({export.pk for export in asked}) == 1
