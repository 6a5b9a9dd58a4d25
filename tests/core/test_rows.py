"""One row, one statement: the same row as save() would write."""

from contextlib import suppress

import pytest
from django.db import DataError, connection

from events.models import Registration, RegistrationLog
from kmnet.core import rows
from kmnet.core.models import OutgoingMail
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

pytestmark = pytest.mark.django_db


def columns(row) -> dict:
    row = type(row).objects.get(pk=row.pk)
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key
    }


def test_insert_writes_what_save_writes(django_assert_num_queries):
    registration, actor = make_registration(event=make_event()), make_member()
    fields = {"registration": registration, "actor": actor, "at": registration.joined_at}
    fields |= {"to_status": "confirmed", "why": "100 % “sure”; it's fine"}
    saved, inserted = RegistrationLog(**fields), RegistrationLog(**fields)
    saved.save()
    with django_assert_num_queries(1):
        assert rows.insert(inserted)
    assert inserted.pk == saved.pk + 1
    assert columns(inserted) == columns(saved)
    inserted.why = "and can be saved again"
    inserted.save()
    assert RegistrationLog.objects.filter(registration=registration).count() == 2


def test_insert_unless_known_writes_once():
    key = {"kind": "core.test", "address": "ada@example.org", "dedupe_key": "one", "refs": {"a": [1, "%s"]}}
    mail = OutgoingMail(**key, due_at="2026-11-22T12:00Z", next_try_at="2026-11-22T12:00Z")
    again = OutgoingMail(**key, due_at="2026-11-22T12:00Z", next_try_at="2026-11-22T12:00Z")
    assert rows.insert(mail, unless="dedupe_key")
    assert not rows.insert(again, unless="dedupe_key")
    assert OutgoingMail.objects.get(dedupe_key="one").refs == {"a": [1, "%s"]}
    assert again.pk is None


def test_together_they_go_in_one_message_in_their_order(django_assert_num_queries):
    event, member = make_event(), make_member()
    now = event.created_at
    registration = Registration(pk=2**40, event=event, member=member, status="waiting", joined_at=now)
    step = RegistrationLog(registration=registration, at=now, to_status="waiting", why="registered")
    mail = OutgoingMail(kind="core.test", member=member, dedupe_key="two", due_at=now, next_try_at=now)
    with django_assert_num_queries(1), rows.together():
        assert rows.insert(registration)
        assert rows.insert(step, needs_key=False)
        assert rows.insert(mail, unless="dedupe_key")
    connection.check_constraints()
    assert mail.pk == OutgoingMail.objects.get(dedupe_key="two").pk
    assert columns(registration) == {name: getattr(registration, name) for name in columns(registration)}
    assert list(registration.log.values_list("why", flat=True)) == ["registered"]
    with django_assert_num_queries(1), rows.together():  # nobody came after them
        assert rows.insert(step, needs_key=False)
        assert rows.insert(step, needs_key=False)
    assert registration.log.count() == 3


def test_what_waited_for_an_error_is_not_written_later():
    registration = make_registration(event=make_event())
    step = RegistrationLog(
        registration=registration, at=registration.joined_at, to_status="waiting", why="no"
    )
    with suppress(KeyError), rows.together():
        rows.insert(step, needs_key=False)
        raise KeyError
    assert rows.insert(
        RegistrationLog(registration=registration, at=registration.joined_at, to_status="waiting", why="yes")
    )
    assert list(registration.log.values_list("why", flat=True)) == ["yes"]


@pytest.mark.django_db(transaction=True)
def test_what_is_too_long_is_refused_and_not_cut_also_where_the_statement_stands_ready(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    registration = make_registration(event=make_event())
    fields = {"registration": registration, "at": registration.joined_at, "to_status": "confirmed"}
    connection.close()
    for _time in range(3):
        assert rows.insert(RegistrationLog(**fields, why="x" * 200))
    with pytest.raises(DataError):
        rows.insert(RegistrationLog(**fields, why="x" * 201))
    connection.close()
    assert RegistrationLog.objects.filter(why="x" * 200).count() == 3
