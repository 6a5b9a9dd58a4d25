"""A space for a group: seen, found, told and counted for those in the group, and for nobody else."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse

from discussions import audiences, permissions, searching, services
from discussions.forms import ThreadForm
from discussions.mails import compose_reply
from discussions.models import Post, Space, Thread
from discussions.tags import TAGS_IN_USE, tags_in_use
from kmnet.core import activity
from kmnet.core.mail import Withhold
from kmnet.core.models import Activity, AuditEntry, Flag, OutgoingMail
from kmnet.core.search import SearchText
from members.models import Group, Standing
from members.services import groups
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.groups import make_group, put_in

pytestmark = pytest.mark.django_db
WORD = "Zwischenraum"


@pytest.fixture
def convenor():
    return make_member(name="Anneke Visser")


@pytest.fixture
def inside():
    return make_member(name="Huda Al-Masri")


@pytest.fixture
def group(convenor, inside):
    return make_group(inside, convenor=convenor, is_listed=False)


@pytest.fixture
def space(group):
    return make_space(name=f"Space {WORD}", readable_by="group", group=group)


@pytest.fixture
def thread(space, convenor):
    return make_thread(author=convenor, space=space, title=f"What about {WORD}?", tags=["secret-tag"])


def people_around(group, convenor, inside):
    """Everybody who could have a reason to be asked for, each with what they should see."""
    asked, invited, left = make_member(), make_member(), make_member()
    put_in(group, asked, Standing.REQUESTED)
    put_in(group, invited, Standing.INVITED)
    put_in(group, left)
    groups.leave_group(member=left, group=group)
    silenced = make_member(status="silenced")
    put_in(group, silenced)
    suspended = make_member(status="suspended", is_active=False)
    put_in(group, suspended)
    return {
        "guest": AnonymousUser(),
        "pending": make_member(status="pending"),
        "member": make_member(),
        "host": make_member(is_host=True),
        "moderator": make_member(is_moderator=True),
        "admin": make_member(is_superuser=True, is_staff=True),
        "asked": asked,
        "invited": invited,
        "left": left,
        "suspended": suspended,
        "silenced": silenced,
        "convenor": convenor,
        "inside": inside,
    }


READERS = {"silenced", "convenor", "inside"}


@pytest.mark.parametrize("closed", [False, True])
def test_predicates_and_filters_agree_for_everybody_around_a_group(
    group, space, thread, convenor, inside, closed
):
    reply = make_post(thread=thread, author=inside)
    hidden = make_post(thread=thread, author=inside)
    Post.objects.filter(pk=hidden.pk).update(state="hidden")
    people = people_around(group, convenor, inside)
    hosts_only = make_space(readable_by="group", group=group, may_start="hosts")
    open_space = make_space()
    if closed:
        groups.close_group(actor=convenor, group=group)
    readers, writers = set(), set()
    for name, user in people.items():
        for place in (space, hosts_only, open_space):
            seen = Space.objects.visible_to(user).filter(pk=place.pk).exists()
            assert permissions.can_read_space(user, place) is seen, (name, place)
            may_start = Space.objects.open_to(user).filter(pk=place.pk).exists()
            assert permissions.can_start_thread(user, place) is may_start, (name, place)
        seen = Thread.objects.visible_to(user).filter(pk=thread.pk).exists()
        assert permissions.can_view_thread(user, Thread.objects.get(pk=thread.pk)) is seen, name
        for post in Post.objects.filter(pk__in=[reply.pk, hidden.pk]):
            shown = Post.objects.visible_to(user).filter(pk=post.pk).exists()
            assert permissions.can_view_post(user, post) is shown, (name, post.state)
        readers |= {name} if seen else set()
        writers |= {name} if permissions.can_reply(user, Thread.objects.get(pk=thread.pk)) else set()
    assert readers == READERS
    assert writers == (set() if closed else {"convenor", "inside"})


def test_only_convenors_start_threads_where_hosts_do(group, convenor, inside):
    space = make_space(readable_by="group", group=group, may_start="hosts")
    host = make_member(is_host=True)
    put_in(group, host)
    services.start_thread(author=convenor, space=space, title="Our next date", source="The ninth?")
    for other in (host, inside):
        with pytest.raises(PermissionDenied):
            services.start_thread(author=other, space=space, title="Our next date", source="The ninth?")


def test_outsiders_find_nothing_of_it_anywhere(client, space, thread, inside):
    outsider = make_member(is_moderator=True, is_host=True)
    client.force_login(outsider)
    for address in (
        space.get_absolute_url(),
        thread.get_absolute_url(),
        f"{thread.get_absolute_url()}reply/",
    ):
        assert client.get(address).status_code == 404, address
    assert client.get(reverse("discussions:ask_in", args=[space.slug])).status_code == 404
    for address in (
        "/discussions/",
        "/discussions/?tag=secret-tag",
        f"/search/?q={WORD}",
        "/",
        "/discussions/ask/",
    ):
        page = client.get(address).content.decode().replace(f'value="{WORD}"', "")
        assert [words for words in (space.name, thread.title) if words in page] == [], address
    assert searching.search(SearchText(WORD), outsider, 5).total == 0
    assert searching.search(SearchText(WORD), inside, 5).total == 1
    cache.delete_many(TAGS_IN_USE.values())  # kept for five minutes, also across tests
    assert tags_in_use(members=True) == []
    client.logout()
    assert client.get(thread.get_absolute_url()).status_code == 302


def test_insiders_read_and_answer(client, space, thread, inside):
    client.force_login(inside)
    assert client.get(thread.get_absolute_url()).status_code == 200
    assert thread.title in client.get("/discussions/").content.decode()
    assert ThreadForm(member=inside).fields["space"].queryset.filter(pk=space.pk).exists()
    response = client.post(f"{thread.get_absolute_url()}reply/", {"body": "We tried it on a Tuesday."})
    assert response.status_code == 302
    assert thread.posts.count() == 2


def test_who_has_left_hears_nothing_more_and_a_mail_that_waits_is_withheld(group, thread, inside, convenor):
    services.set_watch(member=inside, thread=thread, level="watching")
    other = make_member()
    put_in(group, other)
    post = make_post(thread=thread, author=other)
    deed = Activity.objects.get(verb="discussions.replied", target_id=post.pk)
    assert audiences.of_reply(deed) == {convenor.pk, inside.pk}
    mail = OutgoingMail(member=inside, kind="discussions.reply", refs={"activity": deed.pk})
    assert compose_reply(mail).context["post"] == post
    groups.leave_group(member=inside, group=group)
    assert audiences.of_reply(deed) == {convenor.pk}
    with pytest.raises(Withhold):
        compose_reply(mail)


def test_held_posts_do_not_exist_where_no_moderator_looks(thread, inside):
    post = services.add_reply(author=inside, thread=thread, source="My first words.", hold=True)
    assert post.state == "visible"


def test_a_group_space_names_its_group_and_only_then(group):
    for fields in ({"readable_by": "group"}, {"readable_by": "members", "group": group}):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_space(**fields)


def test_a_convenor_opens_the_groups_space_once(client, group, convenor, inside):
    address = reverse("discussions:open_for_group", args=[group.slug])
    client.force_login(inside)
    assert client.get(address).status_code == 403
    client.force_login(make_member(is_moderator=True))
    assert client.get(address).status_code == 404
    client.force_login(convenor)
    assert client.get(address).status_code == 200
    assert not group.spaces.exists()
    for _press in range(2):
        assert client.post(address).status_code == 302
    assert [space.readable_by for space in group.spaces.all()] == ["group"]


def test_admin_pages_hold_nothing_of_it(client, space, thread):
    admin = make_member(is_superuser=True, is_staff=True)
    client.force_login(admin)
    for name in ("space", "thread", "post"):
        page = client.get(reverse(f"admin:discussions_{name}_changelist"))
        assert page.status_code == 200
        assert WORD not in page.content.decode(), name
    assert client.get(reverse("admin:discussions_thread_change", args=[thread.pk])).status_code == 302


@pytest.mark.parametrize("count", [1, 50])
def test_lists_cost_the_same_in_however_many_groups(client, inside, count, django_assert_num_queries):
    author = make_member()
    for number in range(count):
        group = Group.objects.create(slug=f"g{number}", name=f"Group {number}")
        put_in(group, inside)
        put_in(group, author)
        make_thread(author=author, space=make_space(readable_by="group", group=group))
    client.force_login(inside)
    client.get("/discussions/")
    with django_assert_num_queries(PAGE_QUERIES):
        response = client.get("/discussions/")
    assert len(response.context["threads"]) == min(count, 20)


PAGE_QUERIES = 8


def test_a_reported_post_is_read_with_what_it_answers_and_no_more_and_that_is_logged(
    client, thread, inside, convenor
):
    said = [
        make_post(thread=thread, author=convenor, source=f"Said before, {number}.") for number in range(4)
    ]
    post = make_post(thread=thread, author=convenor, parent=said[0], source="Bed fourteen, you know who.")
    after = make_post(thread=thread, author=inside, source="Said after.")
    moderator = make_member(is_moderator=True)
    case = reverse("hub:moderation_case", args=["discussions.post", post.pk])
    client.force_login(moderator)
    assert client.get(case).status_code == 404
    client.force_login(inside)
    report = reverse("hub:report", args=["discussions.post", post.pk])
    assert client.post(report, {"reason": "identifies"}).status_code == 302
    client.force_login(moderator)
    queue = client.get(reverse("hub:moderation")).content.decode()
    assert [words for words in ("Bed fourteen", WORD) if words in queue] == []
    assert not AuditEntry.objects.exists()
    page = client.get(case).content.decode()
    assert "Bed fourteen" in page
    assert [number for number in range(4) if f"Said before, {number}." in page] == [0, 2, 3]
    assert after.source not in page
    assert AuditEntry.objects.values_list("verb", "actor").get() == ("reports.private_read", moderator.pk)
    assert client.get(thread.get_absolute_url()).status_code == 404
    answers = {"decision": "hide", "reason": "It names somebody.", "seen_state": "visible"}
    answers["seen_flags"] = Flag.objects.get().pk
    decide = reverse("hub:moderation_decide", args=["discussions.post", post.pk])
    assert client.post(decide, answers).status_code == 302
    post.refresh_from_db()
    assert post.state == "hidden"
    assert WORD not in client.get(reverse("hub:moderation_settled")).content.decode()


def test_an_admin_who_looks_at_the_outbox_reads_nothing_of_a_group(client, space, inside, convenor):
    """What its receivers get is theirs: it is shown to nobody else."""
    thread = make_thread(author=inside, space=space, title=f"About the {WORD}")
    make_post(thread=thread, author=convenor, source=f"The {WORD} it is.")
    for deed in Activity.objects.order_by("pk"):
        activity.fan_out(activity_id=deed.pk)
    row = OutgoingMail.objects.get(member=inside, kind="discussions.reply")
    client.force_login(make_member(is_staff=True, is_superuser=True, is_moderator=True))
    page = client.get(reverse("admin:core_outgoingmail_preview", args=[row.pk])).content.decode()
    assert WORD not in page
    assert "it is shown to its receiver only" in page
