"""Queries whose SQL is made once say what the ORM says, plain and prepared."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, Value
from django.utils import timezone

from kmnet.core.fixed import Named, fixed, planned_anew, short
from members.models import Member, Profile
from tests.factories import make_member

pytestmark = pytest.mark.usefixtures("compared_each_time")


@fixed
def joined_since(order, *, since, name):
    rule = Q(joined_at__gt=since) & Q(name__icontains="ada") | Q(name=name)
    return Member.objects.filter(rule, status="active").annotate(share=Value("100%")).order_by(order)


@fixed
def profiles_of(*, ids):
    return Profile.objects.filter(member__any_of=ids).select_related("member").annotate(who=F("member__name"))


@contextmanager
def statements():
    """What is sent to the database meanwhile."""
    sent = []

    def note(execute, sql, params, many, context):
        sent.append(sql.split()[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield sent


@pytest.mark.django_db
def test_rows_are_those_of_the_queryset():
    ada, ben, _eve = make_member(name="Ada 5%s"), make_member(name="Ben"), make_member(name="Eve")
    since = timezone.now() - timedelta(days=1)
    found = joined_since("pk", since=since, name="Ben")
    assert found == [ada, ben]
    assert [member.share for member in found] == ["100%"] * 2
    assert joined_since("-pk", since=since, name="Eve ") == [ada]
    assert joined_since.count("pk", since=since, name="Ben") == 2


@pytest.mark.django_db
def test_related_rows_and_annotations_come_along(django_assert_num_queries):
    members = [make_member() for _ in range(3)]
    with django_assert_num_queries(1):
        found = profiles_of(ids=[member.pk for member in members[:2]])
        assert {(p.member.name, p.who) for p in found} == {(m.name, m.name) for m in members[:2]}
    assert profiles_of(ids=[]) == []


@pytest.mark.django_db
def test_values_and_named_columns_work():
    member = make_member(name="Ada")
    names = fixed(lambda *, pk: Member.objects.filter(pk=pk).values_list("name", flat=True))
    pairs = fixed(lambda *, pk: Member.objects.filter(pk=pk).annotate(n=F("name")).values("n", "pk"))
    assert names(pk=member.pk) == ["Ada"]
    assert pairs(pk=member.pk) == [{"n": "Ada", "pk": member.pk}]
    assert fixed(lambda *, pk: Member.objects.none().filter(pk=pk))(pk=member.pk) == []


@pytest.mark.django_db
def test_a_moment_that_was_not_given_is_refused():
    with pytest.raises(TypeError, match="A moment stands in the SQL"):
        fixed(lambda: Member.objects.filter(joined_at__lt=timezone.now()))()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "lost", [lambda *, pk: Member.objects.all(), lambda *, pk: Member.objects.filter(pk=pk + 1)]
)
def test_a_value_that_does_not_reach_the_sql_is_refused(lost):
    with pytest.raises(TypeError, match="on the way into the SQL"):
        fixed(lost)(pk=1)


@pytest.mark.django_db
def test_tests_find_a_query_that_depends_on_something_else():
    wanted = ["Ada"]
    unfixed = fixed(lambda: Member.objects.filter(name=wanted[0]))
    unfixed()
    wanted[0] = "Ben"
    with pytest.raises(AssertionError, match="is not fixed"):
        unfixed()


@pytest.mark.django_db(transaction=True)
def test_on_a_kept_connection_the_second_time_is_prepared(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    ada = make_member(name="Ada 5%s")
    since = timezone.now() - timedelta(days=1)
    connection.close()
    with statements() as sent:
        found = [joined_since("pk", since=since, name="Ada") for _ in range(3)]
        found.append(profiles_of(ids=[ada.pk])[0].member)
        found.append(profiles_of(ids=[ada.pk])[0].member)
    assert found == [[ada], [ada], [ada], ada, ada]
    assert sent == ["SELECT", "PREPARE", "EXECUTE", "EXECUTE", "SELECT", "PREPARE", "EXECUTE"]

    connection.close()  # another connection knows none of it
    with statements() as sent:
        joined_since("pk", since=since, name="Ada")
        joined_since("pk", since=since, name="Ada")
    assert sent == ["SELECT", "PREPARE", "EXECUTE"]


@pytest.mark.django_db(transaction=True)
def test_planned_anew_is_never_prepared(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    ada = make_member(name="Ada")
    named = planned_anew(lambda *, name: Member.objects.filter(name=name))
    connection.close()
    with statements() as sent:
        assert [named(name="Ada"), named(name="Ben"), named(name="Ada")] == [[ada], [], [ada]]
        assert [named.count(name="Ada"), named.count(name="Ada")] == [1, 1]
    assert sent == ["SELECT"] * 5


@pytest.mark.django_db(transaction=True)
def test_sql_of_ours_is_prepared_by_its_names(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    words = Named("SELECT %(word)s, %(number)s + 1, %(word)s || '%%'", word="text", number="bigint")
    connection.close()
    with statements() as sent:
        assert [words.rows(word="a", number=1) for _ in range(3)] == [[("a", 2, "a%")]] * 3
    assert sent == ["SELECT", "PREPARE", "EXECUTE", "EXECUTE"]


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_the_server_forgot_or_that_changed_is_asked_plainly(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    ada = make_member(name="Ada")
    since = timezone.now() - timedelta(days=1)

    def ask():
        return joined_since("pk", since=since, name="Ada")

    connection.close()
    assert [ask(), ask()] == [[ada], [ada]]
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    assert [ask(), ask(), ask()] == [[ada]] * 3
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE members_member ALTER name TYPE varchar(121)")
    try:
        assert [ask(), ask(), ask()] == [[ada]] * 3
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE members_member ALTER name TYPE varchar(120)")
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_nothing_is_prepared_but_what_stands_ready_is_used(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    ada = make_member(name="Ada")
    since = timezone.now() - timedelta(days=1)

    def ask():
        return joined_since("pk", since=since, name="Ada")

    connection.close()
    with statements() as sent, transaction.atomic():
        assert [ask(), ask()] == [[ada]] * 2
    assert sent == ["SELECT", "SELECT"]
    with statements() as sent:
        assert profiles_of(ids=[ada.pk])[0].member == ada
        with transaction.atomic():
            assert [ask(), ask()] == [[ada]] * 2
    assert sent == ["PREPARE", "SELECT", "EXECUTE", "EXECUTE"]


@pytest.mark.django_db(transaction=True)
def test_a_transaction_lost_to_a_forgotten_statement_is_the_only_one(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    ada = make_member(name="Ada")
    since = timezone.now() - timedelta(days=1)

    def ask():
        return joined_since("pk", since=since, name="Ada")

    connection.close()
    assert [ask(), ask()] == [[ada]] * 2
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(DatabaseError), transaction.atomic():
        ask()
    with statements() as sent:
        with transaction.atomic():
            assert ask() == [ada]
        assert [ask(), ask()] == [[ada]] * 2
    assert sent == ["SELECT", "DEALLOCATE", "PREPARE", "EXECUTE", "EXECUTE"]


@fixed
def named_since(*, since, name):
    return Member.objects.filter(joined_at__gt=since, name=name).order_by("pk").values_list("pk", "name")[:2]


@pytest.mark.django_db
def test_many_are_asked_for_in_one_statement(django_assert_num_queries):
    ada, ben, eve = make_member(name="Ada 5%s"), make_member(name="Ben"), make_member(name="Ben")
    now = timezone.now()
    past, future = now - timedelta(days=1), now + timedelta(days=1)
    named_since(since=now, name="x")
    with django_assert_num_queries(1):
        found = named_since.each(since=[past, past, future], name=["Ben", "Ada 5%s", "Ben"])
    assert sorted(found) == [(0, ben.pk, "Ben"), (0, eve.pk, "Ben"), (1, ada.pk, "Ada 5%s")]


@pytest.mark.django_db
def test_a_list_of_numbers_is_sent_as_one_word():
    ids = [make_member().pk for _ in range(3)]
    assert list(Member.objects.filter(pk__any_of=ids).order_by("pk").values_list("pk", flat=True)) == ids
    assert not Member.objects.filter(pk__any_of=[]).exists()
    with connection.cursor() as cursor:
        assert cursor.mogrify("%s %s", [short([1, -2, 3]), short([])]) == b"'{1,-2,3}' '{}'"
        assert cursor.mogrify("%s", [short(["a", "1"])]) == b"ARRAY['a','1']"
        assert cursor.mogrify("%s", [short([True])]) == b"ARRAY[true]"
