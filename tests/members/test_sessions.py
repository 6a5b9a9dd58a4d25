"""Sign-ins: seen, ended, and never longer than they should be."""

from datetime import timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.utils import timezone

from members import services
from tests.factories import PASSWORD, make_member

NEW = "four-words-unlike-others"


def sign_in(member, client=None) -> Client:
    client = client or Client()
    client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    assert is_in(client)
    return client


def is_in(client) -> bool:
    return client.get("/settings/").status_code == 200


def test_signing_in_changes_the_sessions_number(client, member):
    client.get("/accounts/login/")
    client.post(
        "/discussions/ask/", {"title": "Typed before", "body": "Some words"}
    )  # a guest's session, with words
    before = client.session.session_key
    sign_in(member, client)
    assert before
    assert client.session.session_key != before


def test_list_shows_each_and_ends_all_others(member):
    here, there = sign_in(member), sign_in(member)
    there.get("/settings/")
    page = here.get("/accounts/sessions/")
    assert page.context["session_count"] == 2
    assert is_in(there)
    here.post("/accounts/sessions/")
    assert is_in(here)
    assert not is_in(there)
    assert UserSession.objects.filter(user=member).count() == 1


def test_nobody_sees_or_ends_anothers_sessions(member):
    mine, theirs = sign_in(member), sign_in(make_member())
    theirs.get("/settings/")
    assert mine.get("/accounts/sessions/").context["session_count"] == 1
    mine.post("/accounts/sessions/")
    assert is_in(theirs)


def test_a_new_password_ends_all_other_sessions(member):
    here, there = sign_in(member), sign_in(member)
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    member.refresh_from_db()
    assert member.check_password(NEW)
    assert (is_in(here), is_in(there)) == (True, False)


def test_a_reset_ends_all_sessions(member, client, mailbox):
    from tests.mailbox import links_in

    there = sign_in(member)
    client.post("/accounts/password/reset/", {"email": member.email})
    link = next(link for link in links_in(mailbox()[-1]) if "/reset/key/" in link)
    page = client.get(link.replace("http://testserver", ""), follow=True)
    client.post(page.request["PATH_INFO"], {"password1": NEW, "password2": NEW})
    assert not is_in(there)


def test_suspension_ends_all_sessions_and_an_old_cookie_stays_dead(member):
    client = sign_in(member)
    cookie = client.cookies["session"].value
    moderator = make_member(is_moderator=True)
    services.suspend_member(member=member, actor=moderator, reason="Harm")
    assert not is_in(client)
    services.restore_member(member=member, actor=moderator, reason="Talked")
    client.cookies["session"] = cookie
    assert not is_in(client)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_meanwhile_is_made_anew(client):
    client.force_login(make_member(), "django.contrib.auth.backends.ModelBackend")
    client.get("/settings/")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()
    assert is_in(client)


def test_signing_out_ends_the_session_on_the_server(member):
    client = sign_in(member)
    cookie = client.cookies["session"].value
    client.post("/accounts/logout/")
    client.cookies["session"] = cookie
    assert not is_in(client)


@pytest.mark.parametrize(
    ("fields", "unused", "at_most"),
    [
        ({}, timedelta(days=30), timedelta(days=60)),
        ({"is_moderator": True}, timedelta(hours=12), timedelta(days=7)),
    ],
)
def test_sessions_run_out_unused_and_in_the_end(fields, unused, at_most, db):
    member = make_member(**fields)
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        client = sign_in(member)
        clock.move_to(start + unused - timedelta(minutes=1))
        assert is_in(client)  # and used again just now
        clock.move_to(start + unused + unused - timedelta(minutes=2))
        assert is_in(client) is (2 * unused < at_most + timedelta(days=1))
        clock.move_to(start + 3 * unused + timedelta(minutes=1))
        assert not is_in(client)

        other = start + timedelta(days=200)
        clock.move_to(other)
        client = sign_in(member)
        passed = timedelta()
        while passed + unused / 2 < at_most:
            passed += unused / 2
            clock.move_to(other + passed)
            assert is_in(client) is (passed < at_most)
        clock.move_to(other + at_most + timedelta(minutes=1))
        assert not is_in(client)


def test_text_sent_after_the_session_ran_out_is_kept_for_its_writer_alone(member):
    client = sign_in(member)
    client.post("/accounts/logout/")
    client.post("/discussions/ask/", {"title": "Typed in a stale tab", "body": "Words of one person"})
    other = make_member()
    sign_in(other, client)
    assert "Typed in a stale tab" not in client.get("/discussions/ask/").content.decode()
    # Whoever wrote it finds it: the same way, but signing in again as themselves.
    back = sign_in(member)
    back.post("/accounts/logout/")
    back.post("/discussions/ask/", {"title": "Typed in a stale tab", "body": "Words of one person"})
    sign_in(member, back)
    assert "Typed in a stale tab" in back.get("/discussions/ask/").content.decode()
