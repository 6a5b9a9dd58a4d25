import pytest
from django.urls import reverse

from discussions import services
from discussions.models import Post, Thread
from kmnet.core import moderation
from kmnet.core.models import AuditEntry, Flag
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

pytestmark = pytest.mark.django_db
SECRET = "Mrs Miller of ward 7"


@pytest.fixture
def moderator():
    return make_member(is_moderator=True)


def page(client, thread, user=None):
    client.logout()
    if user:
        client.force_login(user)
    return client.get(thread.get_absolute_url()).content.decode()


def test_hidden_reply_leaves_a_stub_and_comes_back(client, moderator):
    thread = make_thread(replies=1)
    post = make_post(thread=thread, source=f"It was {SECRET}.")
    services.hide_post(post=post, actor=moderator, reason="It names a patient.")
    thread.refresh_from_db()

    assert (thread.reply_count, thread.gone_numbers, thread.last_number) == (1, [(3, 4)], 3)
    for reader in (None, make_member(), thread.author):
        html = page(client, thread, reader)
        assert SECRET not in html
        assert 'id="post-3"' in html
        assert "A moderator has hidden this reply" in html
    for reader in (post.author, moderator):
        html = page(client, thread, reader)
        assert SECRET in html
        assert "Hidden from readers" in html
        assert "It names a patient." in html

    services.restore_post(post=post, actor=moderator, reason="The name was made up.")
    thread.refresh_from_db()
    assert (thread.reply_count, thread.gone_numbers) == (2, [])
    assert SECRET in page(client, thread)
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", "reason", "actor")) == [
        ("discussions.post_hidden", "It names a patient.", moderator.pk),
        ("discussions.post_restored", "The name was made up.", moderator.pk),
    ]


def test_hidden_first_post_takes_its_thread_along(client, moderator):
    thread = make_thread(title="About Mrs Miller", replies=1)
    services.hide_post(post=thread.posts.get(number=1), actor=moderator, reason="It names a patient.")
    reader = make_member()

    client.force_login(reader)
    assert client.get(thread.get_absolute_url()).status_code == 404
    assert "Mrs Miller" not in client.get("/discussions/").content.decode()
    assert list(Thread.objects.shown()) == []
    thread.space.refresh_from_db()
    assert thread.space.thread_count == 0
    client.force_login(thread.author)
    assert client.get(thread.get_absolute_url()).status_code == 200

    services.restore_post(post=thread.posts.get(number=1), actor=moderator, reason="Changed.")
    client.force_login(reader)
    assert client.get(thread.get_absolute_url()).status_code == 200
    thread.space.refresh_from_db()
    assert thread.space.thread_count == 1


def test_hidden_answer_makes_the_question_wait_again(moderator):
    thread = make_thread(replies=1)
    answer = thread.posts.get(number=2)
    services.accept_answer(actor=thread.author, post=answer)
    services.hide_post(post=answer, actor=moderator, reason="It could harm somebody.")
    thread.refresh_from_db()
    assert (thread.accepted_post, thread.first_reply_at) == (None, None)
    assert list(Thread.objects.unanswered()) == [thread]


def test_hidden_posts_are_not_unread(moderator):
    member, thread = make_member(), make_thread(replies=2)
    services.hide_post(post=thread.posts.get(number=3), actor=moderator, reason="Spam.")
    assert Thread.objects.with_card(member).get().unread_count == 2


def test_reported_post_is_hidden_and_restored_with_a_reason_and_logged(moderator):
    post, reporter = make_post(), make_member()
    moderation.report(reporter=reporter, target=post, reason="identifies", note="Ward and age.")
    assert moderation.resolve(target=post, actor=moderator, hide=True, reason="It names a patient.") == 1
    post.refresh_from_db()
    assert (post.state, post.hidden_by, post.hidden_reason) == ("hidden", moderator, "It names a patient.")
    assert Flag.objects.get().state == "upheld"

    moderation.kind_of(Post).restore(target=post, actor=moderator, reason="It was made up.")
    post.refresh_from_db()
    assert (post.state, post.hidden_by, post.hidden_reason) == ("visible", None, "")
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == [
        "discussions.post_hidden",
        "reports.upheld",
        "discussions.post_restored",
    ]


def test_report_page_works_without_scripts(client):
    post, member = make_post(), make_member()
    client.force_login(member)
    address = f"/moderation/report/discussions.post/{post.pk}/"
    assert address in client.get(post.thread.get_absolute_url()).content.decode()
    assert client.get(address).status_code == 200
    response = client.post(address, {"reason": "unkind", "note": "See the second line."})
    assert response.status_code == 302
    assert Flag.objects.get().target == post


def test_report_of_what_one_may_not_see_is_not_found(client):
    post = make_post(thread=make_thread(space=make_space(readable_by="members")))
    client.force_login(make_member(status="pending"))
    assert client.get(f"/moderation/report/discussions.post/{post.pk}/").status_code in (302, 404)


def test_moderator_closes_a_thread_with_a_reason(client, moderator):
    thread = make_thread()
    address = reverse("discussions:close", args=[thread.pk])
    client.force_login(moderator)
    assert client.post(address, {"reason": " "}).status_code == 422
    assert client.post(address, {"reason": "Settled elsewhere."}).status_code == 302
    html = client.get(thread.get_absolute_url()).content.decode()
    assert "Settled elsewhere." in html
    assert "<textarea" not in html
    client.force_login(make_member())
    assert client.get(address).status_code == 404


def test_admin_hides_with_a_reason_and_rewrites_nothing(client):
    admin = make_member(is_staff=True, is_superuser=True)
    post = make_post(source="Buy my cream.")
    client.force_login(admin)
    changelist = reverse("admin:discussions_post_changelist")
    chosen = {"action": "hide", "_selected_action": [post.pk]}
    assert "Buy my cream." in client.post(changelist, chosen).content.decode()
    post.refresh_from_db()
    assert post.state == "visible"
    client.post(changelist, {**chosen, "reason": "Advertising."})
    post.refresh_from_db()
    assert (post.state, post.hidden_reason) == ("hidden", "Advertising.")
    client.post(changelist, {**chosen, "action": "restore", "reason": "A mistake."})
    post.refresh_from_db()
    assert post.state == "visible"
    change = reverse("admin:discussions_post_change", args=[post.pk])
    assert 'name="source"' not in client.get(change).content.decode()
    assert client.post(change, {"source": "Rewritten."}).status_code == 403


@pytest.mark.parametrize("name", ["space", "thread", "post"])
def test_admin_pages_open(client, name):
    thread = make_thread(replies=1)
    client.force_login(make_member(is_staff=True, is_superuser=True))
    assert client.get(reverse(f"admin:discussions_{name}_changelist")).status_code == 200
    pk = {"space": thread.space_id, "thread": thread.pk, "post": thread.posts.first().pk}[name]
    assert client.get(reverse(f"admin:discussions_{name}_change", args=[pk])).status_code == 200
