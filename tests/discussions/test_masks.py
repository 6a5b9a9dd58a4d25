"""Asking without one's name: nobody can tell who asked, but for two, with a reason, in the log."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from discussions import services
from discussions.models import DiscussionSettings, Mask, Mention, OwedReply, Post, Thread
from kmnet.core import activity
from kmnet.core.models import Activity, AuditEntry, Notification, OutgoingMail
from members.models import Member
from members.services import nobody, set_boundary
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.mailbox import html_of, make_bundles_due, send_due, text_of

pytestmark = pytest.mark.django_db
SECRET = "Zqhidden"


@pytest.fixture
def two():
    """Those who may look."""
    pair = [make_member(name=name, is_moderator=True) for name in ("Ana First", "Bo Second")]
    settings = DiscussionSettings()
    settings.save()
    settings.unmaskers.set(pair)
    return pair


@pytest.fixture
def asker(two):
    member = make_member(
        name=f"{SECRET} Person", handle=SECRET.lower(), email=f"{SECRET.lower()}@example.org"
    )
    Member.objects.update(joined_at=timezone.now() - timezone.timedelta(days=60))  # nobody to greet
    return member


@pytest.fixture
def thread(asker):
    return make_thread(
        author=asker, masked=True, title="May I ask this here?", space=make_space(readable_by="members")
    )


def tell():
    for pk in Activity.objects.waiting().values_list("pk", flat=True):
        activity.fan_out(activity_id=pk)


def reply_of(asker, thread, **fields):
    return make_post(thread=thread, author=asker, **fields)


def test_the_rows_carry_nobody_and_one_name(asker, thread):
    reply = reply_of(asker, thread)
    thread.refresh_from_db()
    first = thread.posts.get(number=1)
    assert {thread.author_id, first.author_id, reply.author_id} == {nobody().pk}
    assert first.mask_name == reply.mask_name == thread.mask_name != ""
    assert Mask.objects.get().member == asker
    assert thread.author.name == f"{thread.mask_name} (name withheld)"
    assert first.is_authors_first is False
    other = make_post(thread=thread)
    assert (other.mask_id, other.mask_name) == (None, "")


def test_elsewhere_they_write_under_their_name(asker, thread):
    assert make_post(author=asker).author_id == asker.pk


@pytest.mark.parametrize("kind", ["member", "moderator", "admin", "host"])
def test_no_page_tells_who_asked(client, asker, thread, kind):
    flags = {
        "moderator": {"is_moderator": True},
        "admin": {"is_staff": True, "is_superuser": True, "is_moderator": True},
        "host": {"is_host": True},
    }
    viewer = make_member(**flags.get(kind, {}))
    mine = make_post(thread=thread, author=viewer)
    answer = reply_of(asker, thread, parent=mine, source="Thank you, that helps @" + viewer.handle)
    services.accept_answer(actor=asker, post=mine)
    Post.objects.filter(pk=answer.pk).update(published_at=timezone.now() - timezone.timedelta(hours=1))
    answer.refresh_from_db()
    services.edit_post(editor=asker, post=answer, source="Thank you. That helps.")
    tell()
    client.force_login(viewer)
    pages = [
        thread.get_absolute_url(),
        f"{thread.get_absolute_url()}?post=2",
        reverse("discussions:index"),
        f"{reverse('discussions:index')}?show=unanswered",
        thread.space.get_absolute_url(),
        reverse("hub:home"),
        reverse("hub:search") + "?q=helps",
        reverse("hub:search") + "?q=May+I+ask",
        reverse("hub:notifications"),
        reverse("discussions:history", args=[answer.pk]),
        f"/members/{asker.handle}/contributions/",
    ]
    if kind == "host":
        pages.append(reverse("hub:replies"))
    if kind in ("moderator", "admin"):
        pages.append(f"/moderation/discussions.post/{answer.pk}/")
    if kind == "admin":
        pages += [
            f"/admin/discussions/thread/{thread.pk}/change/",
            f"/admin/discussions/post/{answer.pk}/change/",
            "/admin/discussions/post/",
            "/admin/discussions/thread/",
            "/admin/core/auditentry/",
        ]
    for address in pages:
        response = client.get(address)
        assert response.status_code == 200, address
        page = response.content.decode()
        if "contributions" in address:
            assert "May I ask this here?" not in page
        else:
            assert SECRET.lower() not in page.lower(), address
    for message in send_due(to=viewer.email):
        assert SECRET.lower() not in (text_of(message) + html_of(message) + str(message)).lower()


def test_the_asker_hears_of_replies_and_is_no_other_person(asker, thread):
    reply_of(asker, thread)
    thread.refresh_from_db()
    assert thread.first_reply_at is None  # their own reply is nobody else's
    make_post(thread=thread, source="Have you tried a map?")
    thread.refresh_from_db()
    assert thread.first_reply_at is not None
    tell()
    told = list(Notification.objects.values_list("recipient_id", "activity__verb"))
    assert told == [(asker.pk, "discussions.replied")]
    [message] = send_due(to=asker.email)
    assert "answered your question" in text_of(message)


def test_what_they_may_do_under_the_mask(asker, thread, client):
    reply = make_post(thread=thread)
    services.accept_answer(actor=asker, post=reply)
    thread.refresh_from_db()
    assert thread.accepted_by_id == nobody().pk
    services.edit_post(editor=asker, post=thread.posts.get(number=1), source="Better words.")
    with pytest.raises(PermissionDenied):
        services.edit_post(editor=make_member(), post=thread.posts.get(number=1), source="Not mine.")
    client.force_login(asker)
    page = client.get(thread.get_absolute_url()).content.decode()
    assert "You ask this without your name" in page
    mine = client.get(reverse("discussions:index") + "?show=mine").content.decode()
    assert "May I ask this here?" in mine
    client.force_login(make_member())
    page = client.get(thread.get_absolute_url()).content.decode()
    assert "Somebody asks this without their name" in page
    assert reverse("members:distance", args=[reply.author.handle]) in page
    assert reverse("members:distance", args=[nobody().handle]) not in page  # a page that nobody has
    assert (
        "May I ask this here?" not in client.get(reverse("discussions:index") + "?show=mine").content.decode()
    )


def test_the_form_says_who_may_look_and_a_double_press_makes_one(client, asker, two):
    client.force_login(asker)
    address = reverse("discussions:ask_in", args=[make_space(first_kind="question").slug])
    page = client.get(address).content.decode()
    assert "Ana First and Bo Second" in page
    data = {
        "kind": "question",
        "title": "A question of mine",
        "body": "How?",
        "masked": "on",
        "submit_key": "5f2e9c1e-4b0e-4a39-9d2b-5f3f0c6b9f11",
    }
    first, second = client.post(address, data), client.post(address, data)
    assert first["Location"] == second["Location"]
    [made] = Thread.objects.filter(title="A question of mine")
    assert made.mask.member == asker


def test_where_two_are_not_named_it_is_not_offered(client, asker, two):
    two[0].is_moderator = False
    two[0].save()
    client.force_login(asker)
    space = make_space(first_kind="question")
    assert (
        "without my name" not in client.get(reverse("discussions:ask_in", args=[space.slug])).content.decode()
    )
    with pytest.raises(services.NobodyToUnmask):
        make_thread(author=asker, masked=True)
    assert Thread.objects.count() == 0
    assert Mask.objects.count() == 0


# --- looking behind it -----------------------------------------------------------------------------------------------
def test_one_of_the_two_looks_with_a_reason_and_it_is_logged(client, asker, thread, two):
    client.force_login(two[0])
    address = reverse("discussions:unmask", args=[thread.pk])
    assert SECRET not in client.get(address).content.decode()
    refused = client.post(address, {"reason": " "})
    assert refused.status_code == 422
    assert SECRET not in refused.content.decode()
    assert not AuditEntry.objects.filter(verb="discussions.unmasked").exists()
    told = client.post(address, {"reason": "A patient may be in danger."})
    assert SECRET in told.content.decode()
    assert told["Cache-Control"] == "no-store"
    entry = AuditEntry.objects.get(verb="discussions.unmasked")
    assert (entry.actor, entry.reason, entry.target_id) == (two[0], "A patient may be in danger.", thread.pk)


def test_without_a_reason_nobody_looks(thread, two):
    with pytest.raises(services.ReasonMissing):
        services.unmask(thread=thread, actor=two[0], reason="  ")
    assert not AuditEntry.objects.exists()


def test_nobody_else_does(client, thread):
    address = reverse("discussions:unmask", args=[thread.pk])
    for flags in ({}, {"is_moderator": True}, {"is_staff": True, "is_superuser": True, "is_moderator": True}):
        client.force_login(make_member(**flags))
        assert client.get(address).status_code == 404
        assert client.post(address, {"reason": "I wonder."}).status_code == 404
    assert not AuditEntry.objects.filter(verb="discussions.unmasked").exists()


def test_a_thread_with_a_name_has_nothing_to_find_out(client, two):
    client.force_login(two[0])
    assert client.get(reverse("discussions:unmask", args=[make_thread().pk])).status_code == 404


# --- the rest of its life --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("keep_words", [True, False])
def test_who_leaves_is_behind_no_mask(asker, thread, keep_words):
    make_post(thread=thread)
    reply = reply_of(asker, thread, source="More of my words.")
    services.forget_author(member=asker, keep_words=keep_words)
    kept = Post.objects.filter(pk=reply.pk).first()
    if keep_words:
        assert kept.source == "More of my words."
    else:
        assert kept is None
        assert thread.posts.get(number=1).source == ""


def test_nobody_is_one_account_that_is_nowhere(client, thread):
    assert nobody().pk == nobody().pk
    assert Member.objects.full().filter(pk=nobody().pk).exists() is False
    client.force_login(make_member())
    assert client.get(f"/members/{nobody().handle}/").status_code == 404
    assert client.login(username=nobody().email, password="") is False


def test_the_mask_goes_along_where_posts_are_moved(asker, thread, two):
    other = make_thread(space=thread.space)
    reply = reply_of(asker, thread, source="Mine, too.")
    new = services.split_thread(actor=two[0], thread=thread, numbers=[reply.number], reason="Another matter.")
    new.refresh_from_db()
    assert (new.author.name, new.mask_name) == (f"{thread.mask_name} (name withheld)", thread.mask_name)
    assert reply_of(asker, new).mask_name == thread.mask_name
    services.merge_thread(actor=two[0], thread=new, into=other, reason="The same.")
    assert reply_of(asker, other).mask_name == thread.mask_name
    assert make_post(thread=other).mask_name == ""


# --- what was ticked holds -------------------------------------------------------------------------------------------
def test_a_question_without_a_name_never_comes_out_with_it(client, asker, two):
    """The two were named when the page was made, and are not when it is sent."""
    client.force_login(asker)
    address = reverse("discussions:ask_in", args=[make_space(first_kind="question").slug])
    data = {"kind": "question", "title": "A question of mine", "body": "How?", "masked": "on"}
    two[0].is_moderator = False
    two[0].save()
    refused = client.post(address, data)
    assert refused.status_code == 422
    assert "Nobody can ask without their name at the moment" in refused.content.decode()
    assert "How?" in refused.content.decode()
    assert not Thread.objects.filter(title="A question of mine").exists()


def test_a_draft_keeps_that_it_goes_without_a_name(client, asker, two):
    client.force_login(asker)
    address = reverse("discussions:ask_in", args=[make_space(first_kind="question").slug])
    client.post(address, {"kind": "question", "title": "A question of mine", "masked": "on", "view": "draft"})
    page = client.get(address, {"draft": "0"})
    assert page.context["form"]["masked"].value() == "on"
    assert 'name="masked"' in page.content.decode()
    assert "checked" in str(page.context["form"]["masked"])


def test_a_tick_that_cannot_be_had_now_stays_until_it_is_taken_away(client, asker, two):
    client.force_login(asker)
    address = reverse("discussions:ask_in", args=[make_space(first_kind="question").slug])
    data = {"kind": "question", "title": "A question of mine", "body": "How?", "masked": "on"}
    client.post(address, {**data, "view": "draft"})
    two[0].is_moderator = False
    two[0].save()
    for page in (
        client.get(address, {"draft": "0"}),
        client.post(address, {**data, "view": "preview"}),
        client.post(address, data),
    ):
        assert "checked" in str(page.context["form"]["masked"])
        assert "Take the tick away" in page.content.decode()
    assert "masked" not in client.get(address).context["form"].fields
    del data["masked"]
    assert client.post(address, data).status_code == 302
    assert Thread.objects.get().author == asker


def test_the_language_is_of_the_words_and_not_of_the_asker(asker, two):
    asker.language = "pt"
    asker.save()
    thread = make_thread(author=asker, masked=True, source="Hm?")
    reply = reply_of(asker, thread, source="Eh?")
    services.edit_post(editor=asker, post=reply, source="Oh?")
    reply.refresh_from_db()
    assert {thread.posts.get(number=1).language, reply.language} == {"en"}


def test_the_outbox_shows_no_mail_that_tells_who_asked(client, asker, thread):
    make_post(thread=thread, source="Have you tried a map?")
    tell()
    row = OutgoingMail.objects.get(member=asker)
    client.force_login(make_member(is_staff=True, is_superuser=True, is_moderator=True))
    page = client.get(reverse("admin:core_outgoingmail_preview", args=[row.pk])).content.decode()
    assert "May I ask this here?" not in page
    assert "you asked the question" not in page


def test_words_of_a_merged_thread_go_along(asker, thread, two):
    other = make_thread(space=thread.space)
    services.merge_thread(actor=two[0], thread=thread, into=other, reason="The same.")
    services.forget_author(member=asker, keep_words=False)
    thread.refresh_from_db()
    assert (thread.title, thread.excerpt) == ("", "")


# --- two masks in one thread -----------------------------------------------------------------------------------------
@pytest.fixture
def merged(asker, thread, two):
    """Two asked without their names, and a moderator made one thread of it."""
    other = make_member()
    second = make_thread(author=other, masked=True, space=thread.space)
    services.merge_thread(actor=two[0], thread=second, into=thread, reason="The same.")
    thread.refresh_from_db()
    return thread, other


def is_owed(thread):
    return OwedReply.objects.owed().filter(thread=thread).exists()


def test_what_the_other_mask_wrote_is_a_reply_by_another_person(client, merged, asker, two):
    thread, _other = merged
    assert thread.first_reply_at == max(thread.created_at, thread.posts.get(number=2).published_at)
    assert not Thread.objects.unanswered().filter(pk=thread.pk).exists()
    assert not is_owed(thread)
    services.hide_post(post=thread.posts.get(number=2), actor=two[0], reason="A name.")
    thread.refresh_from_db()
    assert thread.first_reply_at is None
    assert is_owed(thread)


def test_what_the_other_mask_writes_later_is_one_too_and_the_askers_own_is_none(merged, asker, two):
    thread, other = merged
    services.hide_post(post=thread.posts.get(number=2), actor=two[0], reason="A name.")
    own = reply_of(asker, thread)
    thread.refresh_from_db()
    assert (own.mask_id, thread.first_reply_at) == (thread.mask_id, None)
    assert Thread.objects.unanswered().filter(pk=thread.pk).exists()
    reply = reply_of(other, thread)
    thread.refresh_from_db()
    assert reply.mask_id not in (None, thread.mask_id)
    assert thread.first_reply_at == reply.published_at
    assert not Thread.objects.unanswered().filter(pk=thread.pk).exists()
    assert not is_owed(thread)


def test_both_who_asked_hear_of_a_reply_and_nobody_learns_who_they_are(client, merged, asker):
    thread, other = merged
    tell()
    Notification.objects.all().delete()
    make_post(thread=thread, source="Have you tried a map?")
    tell()
    told = set(Notification.objects.values_list("recipient_id", flat=True))
    assert told == {asker.pk, other.pk}
    make_bundles_due()
    [message] = send_due(to=other.email)
    assert "you follow this conversation" in text_of(message)
    client.force_login(other)
    assert "As usual here" in client.get(thread.get_absolute_url()).content.decode()


def test_own_words_under_the_mask_are_nothing_that_another_wrote_meanwhile(client, asker, thread):
    reply_of(asker, thread)
    assert reply_of(asker, thread, seen=1).number == 3
    client.force_login(asker)
    assert client.get(reverse("discussions:since", args=[thread.pk]), {"n": 1}).status_code == 204
    make_post(thread=thread)
    with pytest.raises(services.WrittenMeanwhile):
        reply_of(asker, thread, seen=1)


def test_who_is_here_names_the_mask_or_nobody(client, merged, two):
    thread, other = merged
    client.force_login(make_member())
    response = client.get(thread.get_absolute_url())
    assert [person.name for person in response.context["people"]] == [f"{thread.mask_name} (name withheld)"]
    named = make_thread(space=thread.space)
    reply = reply_of(other, thread)
    services.split_thread(
        actor=two[0], thread=thread, numbers=[reply.number], into=named, reason="It belongs there."
    )
    response = client.get(named.get_absolute_url())
    assert [person.name for person in response.context["people"]] == [named.author.name]
    html = client.get(reverse("discussions:index")).content.decode()
    for page in (response.content.decode(), html):
        assert "Somebody</bdi>" not in page.partition("Who is here")[2]


# --- whoever keeps the asker away ------------------------------------------------------------------------------------
@pytest.mark.parametrize("distance", ["block", "ignore"])
def test_nothing_under_the_mask_reaches_who_keeps_its_wearer_away(asker, two, distance):
    away, near = make_member(handle="away"), make_member(handle="near")
    set_boundary(owner=away, other=asker, distance=distance)
    space = make_space(readable_by="members", default_level="watching")
    thread = make_thread(author=asker, masked=True, space=space, source="@away and @near, have you?")
    answer = make_post(thread=thread, author=away, source="I have.")
    Activity.objects.filter(actor=away).delete()
    reply = reply_of(asker, thread, parent=answer, source="Thank you, @away. And you, @near?")
    services.edit_post(editor=asker, post=reply, source="Thank you, @away. And you, @near, or @away?")
    services.accept_answer(actor=asker, post=answer)
    tell()
    assert not Notification.objects.filter(recipient=away).exists()
    assert not OutgoingMail.objects.filter(member=away).exists()
    assert (
        Notification.objects.filter(recipient=near).count() == 2
    )  # the question, and the reply that names them
    assert Mention.objects.filter(member=away).count() == 2  # the words stand as they were written


def test_who_comes_to_keep_them_away_before_the_mail_goes_gets_none(asker, thread):
    away = make_member(handle="away")
    reply_of(asker, thread, source="@away, have you?")
    tell()
    set_boundary(owner=away, other=asker, distance="block")
    assert send_due(to=away.email) == []
    row = OutgoingMail.objects.get(member=away)
    assert (row.state, row.reason) == ("withheld", "the receiver does not want to hear of it")


def test_a_block_of_somebody_else_keeps_nothing_under_a_mask_away(asker, thread):
    member = make_member(handle="near")
    set_boundary(owner=member, other=make_member(), distance="block")
    set_boundary(owner=asker, other=member, distance="ignore")
    reply_of(asker, thread, source="@near, have you?")
    tell()
    assert Notification.objects.filter(recipient=member).count() == 1
