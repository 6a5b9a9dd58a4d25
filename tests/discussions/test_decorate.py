import pytest

from discussions import decorate, services
from tests.factories import make_member
from tests.factories.discussions import make_post, make_thread

pytestmark = pytest.mark.django_db


@pytest.fixture
def calls(monkeypatch):
    """A loader beside the others, and what it was called with."""
    seen = []

    def loader(viewer, thread, posts):
        seen.append((viewer, thread, list(posts)))

    monkeypatch.setattr(decorate, "_loaders", list(decorate._loaders))
    assert decorate.register(loader) is loader
    decorate.register(loader)
    return seen


def test_a_loader_is_asked_once_for_all_posts_of_a_page(client, calls):
    thread = make_thread()
    replies = [make_post(thread=thread) for _ in range(3)]
    member = make_member()
    client.force_login(member)
    client.get(thread.get_absolute_url())
    [(viewer, asked, posts)] = calls
    assert (viewer, asked) == (member, thread)
    assert posts == [thread.posts.get(number=1), *replies]


def test_the_chosen_answer_above_is_decorated_too_and_once(client, calls):
    thread = make_thread(kind="question")
    replies = [make_post(thread=thread) for _ in range(30)]
    client.force_login(make_member())
    for chosen in (replies[5], replies[29]):
        calls.clear()
        services.accept_answer(actor=thread.author, post=chosen)
        response = client.get(thread.get_absolute_url())
        [(_viewer, _thread, posts)] = calls
        assert [post.pk for post in posts].count(chosen.pk) == 1
        assert response.context["answer"] in posts


def test_no_posts_no_loader(calls):
    decorate.decorate(make_member(), make_thread(), [])
    assert calls == []
