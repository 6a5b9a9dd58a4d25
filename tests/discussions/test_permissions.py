"""Who may do what: each refusal beside the success it mirrors; predicate and filter agree."""

import itertools

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from discussions import permissions, services
from discussions.models import Post, Space, Thread
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return {
        "guest": AnonymousUser(),
        "pending": make_member(status="pending"),
        "silenced": make_member(status="silenced"),
        "member": make_member(),
        "host": make_member(is_host=True),
        "moderator": make_member(is_moderator=True),
        "admin": make_member(is_superuser=True, is_staff=True),
        "author": make_member(),
        "suspended moderator": make_member(is_moderator=True, status="suspended", is_active=False),
    }


def test_what_is_seen_is_the_same_rule_one_by_one_and_as_a_filter(people):
    posts = []
    for readers, state, thread_state in itertools.product(
        ("public", "members"), ("visible", "held", "hidden"), ("visible", "held", "hidden")
    ):
        thread = make_thread(author=people["author"], space=make_space(readable_by=readers))
        post = make_post(thread=thread, author=people["author"])
        other = make_post(thread=thread)
        Post.objects.filter(pk__in=[post.pk, other.pk]).update(state=state)
        Thread.objects.filter(pk=thread.pk).update(state=thread_state)
        posts += [post.pk, other.pk]
    for name, user in people.items():
        for space in Space.objects.all():
            seen = Space.objects.visible_to(user).filter(pk=space.pk).exists()
            assert permissions.can_read_space(user, space) is seen, (name, space)
        for thread in Thread.objects.select_related("space"):
            seen = Thread.objects.visible_to(user).filter(pk=thread.pk).exists()
            assert permissions.can_view_thread(user, thread) is seen, (name, thread.space, thread.state)
        for post in Post.objects.filter(pk__in=posts).select_related("thread__space"):
            seen = Post.objects.visible_to(user).filter(pk=post.pk).exists()
            assert permissions.can_view_post(user, post) is seen, (name, post.state, post.thread.state)


WRITERS = {"member", "host", "moderator", "admin", "author"}
MODERATORS = {"moderator", "admin"}


def who_may(people, act):
    """The names of those whom the service lets do it."""
    allowed = set()
    for name, user in people.items():
        if name == "guest":
            continue  # services are for members; views send guests to sign in
        try:
            act(user)
        except PermissionDenied:
            continue
        allowed.add(name)
    return allowed


def test_who_may_start_threads(people):
    open_space, hosts_space = make_space(), make_space(may_start="hosts")

    def start(space, kind="discussion"):
        return lambda user: services.start_thread(
            author=user, space=space, title="A title", source="Words.", kind=kind
        )

    assert who_may(people, start(open_space)) == WRITERS
    assert who_may(people, start(hosts_space)) == {"host", *MODERATORS}
    assert who_may(people, start(open_space, "announcement")) == {"host", *MODERATORS}


def test_who_may_reply(people):
    shown = make_thread(author=people["author"])
    assert who_may(people, lambda user: make_post(thread=shown, author=user)) == WRITERS

    hidden = make_thread(author=people["author"])
    services.hide_post(post=hidden.posts.get(), actor=people["moderator"], reason="It names a patient.")
    assert who_may(people, lambda user: make_post(thread=hidden, author=user)) == set()


def test_nobody_replies_to_a_closed_thread(people):
    thread = make_thread()
    services.close_thread(thread=thread, actor=people["moderator"], reason="Settled.")
    with pytest.raises(services.ThreadClosed):
        make_post(thread=thread, author=people["member"])
    services.reopen_thread(thread=thread, actor=people["moderator"], reason="There is more.")
    assert make_post(thread=thread, author=people["member"]).number == 2


def test_who_may_choose_the_answer(people):
    thread = make_thread(author=people["author"], replies=1)
    reply = thread.posts.get(number=2)
    chosen = who_may(people, lambda user: services.accept_answer(actor=user, post=reply))
    assert chosen == {"author", "host", *MODERATORS}
    opened = who_may(people, lambda user: services.unaccept_answer(actor=user, thread=thread))
    assert opened == {"author", "host", *MODERATORS}


def test_only_replies_to_questions_are_answers(people):
    question, talk = (
        make_thread(author=people["author"]),
        make_thread(author=people["author"], kind="discussion"),
    )
    for post in (question.posts.get(), make_post(thread=talk)):
        with pytest.raises(PermissionDenied):
            services.accept_answer(actor=people["author"], post=post)


def test_who_may_hide_restore_and_close(people):
    thread = make_thread()
    post = make_post(thread=thread)

    def act(service, **what):
        return who_may(people, lambda user: service(actor=user, reason="It names a patient.", **what))

    assert act(services.hide_post, post=post) == MODERATORS
    assert act(services.restore_post, post=post) == MODERATORS
    assert act(services.close_thread, thread=thread) == MODERATORS
    assert act(services.reopen_thread, thread=thread) == MODERATORS


def test_who_may_report(people):
    post = make_post(author=people["author"])
    assert {name for name, user in people.items() if permissions.can_report_post(user, post)} == WRITERS - {
        "author"
    }


def test_who_may_watch(people):
    private = make_thread(space=make_space(readable_by="members"))
    may = who_may(people, lambda user: services.set_watch(member=user, thread=private, level="watching"))
    assert may == {"silenced", *WRITERS}


@pytest.mark.parametrize("service", [services.hide_post, services.restore_post, services.release_post])
def test_nothing_is_hidden_or_restored_without_a_reason(people, service):
    with pytest.raises(services.ReasonMissing):
        service(post=make_post(), actor=people["moderator"], reason="  ")
