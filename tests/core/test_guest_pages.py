"""Pages kept for guests: the same page, cheaper, and never one that has something in it that was taken back."""

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from discussions.models import Readers, Space
from kmnet.core import guest_pages, public_changes
from kmnet.core.models import CommunitySettings
from members import services as members_services
from members.models import SeenBy
from members.services import index_profile
from tests.factories import make_member
from tests.factories.discussions import make_space, make_thread
from tests.factories.events import make_event
from tests.factories.resources import make_resource

pytestmark = pytest.mark.django_db(transaction=True)  # what is not committed has not changed


@pytest.fixture(autouse=True)
def kept(settings):
    settings.KEEP_GUEST_PAGES = True


@pytest.fixture
def guest():
    """Whoever has looked before, so that there is something to be stale."""
    return Client()


@contextmanager
def asked():
    """The statements that are sent to the database meanwhile."""
    sent = []

    def note(execute, sql, params, many, context):
        sent.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield sent


def open_thread(**fields):
    return make_thread(space=make_space(readable_by=Readers.PUBLIC), **fields)


def words_at(guest, address) -> str:
    return guest.get(address).content.decode()


def test_a_kept_page_is_the_page_and_costs_one_question(guest):
    address = open_thread(title="Open to all").get_absolute_url()
    first = guest.get(address)
    guest.get(address)
    with asked() as sent:
        again = guest.get(address)
    assert "Open to all" in first.content.decode()
    assert (again.status_code, again.content) == (200, first.content)
    assert dict(again.items()) == dict(first.items())
    assert "Content-Security-Policy" in again.headers
    assert len(sent) == 1


def test_what_was_hidden_is_gone_at_once(guest):
    thread = open_thread(title="Open to all")
    address, listed = thread.get_absolute_url(), reverse("discussions:index")
    for page in (address, listed):
        assert "Open to all" in words_at(guest, page)
        assert "Open to all" in words_at(guest, page)
    thread.state = thread.State.HIDDEN
    thread.save()
    assert guest.get(address).status_code == 302
    assert "Open to all" not in words_at(guest, listed)


def test_a_space_that_closes_closes_its_threads(guest):
    thread = open_thread(title="Open to all")
    assert "Open to all" in words_at(guest, thread.get_absolute_url())
    Space.objects.filter(pk=thread.space_id).update(readable_by=Readers.MEMBERS)
    assert guest.get(thread.get_absolute_url()).status_code == 302


def test_a_profile_that_is_public_no_more_and_somebody_who_is_suspended(guest):
    moderator = make_member(is_moderator=True)
    ada, ben = make_member(name="Ada Open"), make_member(name="Ben Open")
    for member in (ada, ben):
        member.profile.headline, member.profile.headline_seen_by = "Links research", SeenBy.PUBLIC
        member.profile.save()
        index_profile(member.profile)
        assert "Links research" in words_at(guest, member.get_absolute_url())
    ada.profile.headline_seen_by = SeenBy.MEMBERS
    ada.profile.save()
    members_services.suspend_member(member=ben, actor=moderator, reason="Harm")
    for member in (ada, ben):
        assert "Links research" not in words_at(guest, member.get_absolute_url())


def test_a_change_counts_when_it_is_committed_also_one_that_began_before(guest):
    before = public_changes.version()
    with transaction.atomic():
        make_member()
        make_member()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM core_publicchange")
            inside = cursor.fetchone()[0]
    after = public_changes.version()
    assert inside == before[0] + 1  # one row, however much is written
    assert after != before
    with transaction.atomic():
        make_member()
        transaction.set_rollback(True)
    assert public_changes.version() == after
    public_changes.sweep()
    assert public_changes.version()[0] == 1


def test_each_page_of_guests_reads_only_tables_whose_changes_are_noted(guest, settings):
    settings.KEEP_GUEST_PAGES = False
    thread, event, resource = open_thread(), make_event(), make_resource()
    with asked() as sent:
        for address in (
            *("/", "/discussions/", "/events/", "/library/", "/about/contact/"),
            *(thread.get_absolute_url(), event.get_absolute_url(), resource.get_absolute_url()),
            thread.author.get_absolute_url(),
        ):
            guest.get(address)
    sql = " ".join(sent)
    read = set(re.findall(r'(?:FROM|JOIN) "?(\w+)"?', sql)) - set(re.findall(r"WITH (\w+) AS", sql))
    assert read - public_changes.noted_tables() == {"django_content_type"}  # written by migrations only
    assert {"discussions_post", "events_event", "resources_resource", "members_member"} <= read
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'public_change'")
        assert {name for (name,) in cursor.fetchall()} == public_changes.noted_tables()


def test_words_of_the_hour_are_not_old_for_long(guest, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(guest_pages.time, "monotonic", lambda: clock[0])
    thread = open_thread(title="Open to all")
    address = reverse("discussions:index")
    assert "just now" in words_at(guest, address)
    with time_machine.travel(timezone.now() + timedelta(hours=3), tick=False):
        clock[0] += guest_pages.SECONDS - 1
        assert "just now" in words_at(guest, address)
        clock[0] += 2
        assert "3 hours ago" in words_at(guest, address)
    assert thread.is_shown


def test_who_brings_a_cookie_or_a_question_gets_a_page_of_their_own(guest):
    address = open_thread(title="Open to all").get_absolute_url()
    guest.get(address)
    member = Client()
    member.force_login(make_member(name="Ada Reader"))
    assert "Ada Reader" in words_at(member, address)
    assert "Ada Reader" not in words_at(guest, address)
    for sent in ({"headers": {"hx-request": "true"}}, {"query_params": {"show": "all"}}):
        with asked() as questions:
            guest.get("/discussions/", **sent)
            guest.get("/discussions/", **sent)
        assert not any("core_publicchange" in sql for sql in questions)


def test_a_page_that_sets_a_cookie_is_not_kept():
    first, second = Client(), Client()
    tokens = [client.get("/accounts/login/").cookies["csrf"].value for client in (first, second)]
    assert tokens[0] != tokens[1]


def test_each_language_and_host_has_its_own_page(guest, settings):
    settings.LANGUAGES = [("en", "English"), ("ar", "Arabic")]
    for language, direction in (("en", "ltr"), ("ar", "rtl"), ("en", "ltr"), ("ar", "rtl")):
        page = guest.get("/about/contact/", headers={"accept-language": language})
        assert f'<html lang="{language}" dir="{direction}"' in page.content.decode()
        assert "Accept-Language" in page["Vary"]
    assert guest.get("/about/contact/", headers={"host": "elsewhere.example"}).status_code == 400


def test_the_communitys_words_change_at_once_where_they_are_changed(guest):
    assert "new@community.example" not in words_at(guest, "/about/contact/")
    CommunitySettings(contact_email="new@community.example").save()
    assert "new@community.example" in words_at(guest, "/about/contact/")


def test_without_the_database_the_site_says_so_in_its_own_way(guest, monkeypatch):
    def away():
        raise OperationalError

    monkeypatch.setattr(public_changes, "version", away)
    assert "Contact" in words_at(guest, "/about/contact/")
