"""An answer chosen at the moment of another deed: real commits, real locks; and the race itself, seen without them."""

from contextlib import suppress
from threading import Event

import pytest
from django.core.exceptions import PermissionDenied

from discussions import services
from discussions.models.thread import ThreadQuerySet
from kmnet.core.models import Activity
from tests.concurrency.test_posts import at_once
from tests.factories import make_member
from tests.factories.discussions import make_post, make_thread
from tests.together import Meeting, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[True, False], ids=["locked", "without the lock"])
def locked(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(ThreadQuerySet, "select_for_update", lambda self, **kwargs: self)
    return request.param


def accept(thread, post):
    def run():
        with suppress(PermissionDenied):
            services.accept_answer(actor=thread.author, post=post)

    return run


def after_asking(monkeypatch, wait):
    may = services.answers.can_accept_answer

    def ask_then_wait(actor, post):
        found = may(actor, post)
        wait()
        return found

    monkeypatch.setattr(services.answers, "can_accept_answer", ask_then_wait)


def test_chosen_twice_at_once_is_told_once(locked, monkeypatch):
    thread = make_thread(kind="question")
    post = make_post(thread=thread)
    after_asking(monkeypatch, Meeting().come)
    at_once(accept(thread, post), accept(thread, post))
    thread.refresh_from_db()
    assert thread.accepted_post == post
    assert Activity.objects.filter(verb="discussions.accepted").count() == (1 if locked else 2)


def test_no_answer_is_hidden_while_it_is_chosen(locked, monkeypatch):
    thread, moderator = make_thread(kind="question"), make_member(is_moderator=True)
    post = make_post(thread=thread)
    asked, hidden = Event(), Event()

    def wait():
        asked.set()
        until(hidden)

    def hide():
        until(asked)
        services.hide_post(post=post, actor=moderator, reason="It names a patient.")
        hidden.set()

    after_asking(monkeypatch, wait)
    at_once(accept(thread, post), hide)
    thread.refresh_from_db()
    assert thread.accepted_post == (None if locked else post)
