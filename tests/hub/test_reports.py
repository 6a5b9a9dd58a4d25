"""Reports cite the agreement; enough of them hide at once; the author mends it and asks again."""

import pytest
from django.utils import timezone

from discussions import services
from discussions.models import DiscussionSettings, Post
from kmnet.core import agreement
from kmnet.core import moderation as core
from kmnet.core.models import AuditEntry, CommunitySettings, Flag, OutgoingMail
from kmnet.hub import moderation as desk
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.groups import make_group
from tests.mailbox import send_due, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator():
    return make_member(is_moderator=True)


def tell(post, reporter=None, **fields):
    fields.setdefault("reason", "unkind")
    return core.report(reporter=reporter or make_member(), target=post, **fields)


def state(post):
    return Post.objects.get(pk=post.pk).state


def decide(post, moderator, decision):
    flags = set(Flag.objects.filter(state="open").values_list("pk", flat=True))
    desk.decide(
        kind=core.kind_of(Post), pk=post.pk, actor=moderator, decision=decision, reason="Looked at it.",
        seen_state=state(post), seen_flags=flags,
    )  # fmt: skip


# --- the agreement -------------------------------------------------------------------------------------------------------
def test_rules_are_named_as_the_agreement_names_them(client):
    html = client.get("/about/how-we-treat-each-other/").content.decode()
    assert len(agreement.rules()) == 7
    for rule in agreement.rules():
        assert rule in html


def test_rules_of_a_communitys_own_text():
    community = CommunitySettings.load()
    community.agreement = "## Be kind\n\nText.\n\n- **No adverts.** At all.\n- plain\n\n### Names ###\n"
    community.save()
    try:
        assert agreement.rules() == ["Be kind", "No adverts.", "Names"]
        assert agreement.usual_rule("unkind") == ""
    finally:
        CommunitySettings().save()


def test_report_stores_which_rule_of_which_version(client):
    post, member = make_post(), make_member()
    client.force_login(member)
    address = f"/moderation/report/discussions.post/{post.pk}/"
    html = client.get(address).content.decode()
    assert "Keep people safe." in html
    assert "Its author asks" not in html
    assert client.post(address, {"reason": "unkind", "rule": "Leave room."}).status_code == 302
    flag = Flag.objects.get()
    assert (flag.rule, flag.agreement_version) == ("Leave room.", 1)
    assert client.post(address, {"reason": "review", "rule": ""}).status_code == 422
    assert client.post(address, {"reason": "spam", "rule": "Made up"}).status_code == 422
    assert tell(make_post(), reason="identifies").rule == "Keep people safe."


# --- hidden at once ------------------------------------------------------------------------------------------------------
def test_two_members_hide_a_post_at_once_and_its_author_hears_why():
    post = make_post()
    first = tell(post)
    assert state(post) == "visible"
    second = tell(post, reason="identifies")
    post.refresh_from_db()
    assert (post.state, post.hidden_by) == ("hidden", None)
    assert post.hidden_reason == "2 members told us about it: Keep people safe."
    entries = AuditEntry.objects.order_by("pk").values_list("verb", "actor", "data__flags")
    flags = [first.pk, second.pk]
    assert list(entries) == [
        ("discussions.post_hidden", None, flags),
        ("reports.hidden_at_once", None, flags),
    ]
    assert OutgoingMail.objects.filter(kind="hub.hidden", member=post.author).count() == 1
    assert list(Flag.objects.values_list("state", flat=True)) == ["open", "open"]  # a moderator still looks


def test_the_stub_and_the_mail_say_who_hid_it(client, moderator):
    thread = make_thread()
    posts = {"members": make_post(thread=thread), "moderator": make_post(thread=thread)}
    tell(posts["members"])
    tell(posts["members"])
    tell(posts["moderator"], moderator)
    page = client.get(thread.get_absolute_url()).content.decode()
    assert page.count("Hidden after members told us about this reply") == 1
    assert page.count("A moderator has hidden this reply") == 1
    mails = {mail["To"]: mail for mail in send_due()}
    by_members, by_moderator = (mails[post.author.email] for post in posts.values())
    assert by_members["Subject"].startswith("Members told us about your post, and it is hidden: ")
    assert "It is hidden until a moderator has looked." in text_of(by_members)
    assert "A moderator has" not in text_of(by_members)
    assert by_moderator["Subject"].startswith("A moderator has hidden your post: ")
    assert "Members told us" not in text_of(by_moderator)


def test_whose_report_hides_it_is_thanked_and_led_back(client):
    reply, question = make_post(), make_thread().posts.get()
    for post, back in (
        (reply, reply.get_absolute_url()),
        (question, question.thread.space.get_absolute_url()),
    ):
        address = f"/moderation/report/discussions.post/{post.pk}/"
        tell(post)
        client.force_login(make_member())
        for _press in range(2):  # the second press finds it hidden already
            response = client.post(address, {"reason": "unkind"}, follow=True)
            assert (state(post), response.status_code) == ("hidden", 200)
            html = response.content.decode()
            assert "Thank you. A moderator looks within a day." in html
            assert f'href="{back}"' in html
        assert client.get(back).status_code == 200
        assert Flag.objects.filter(target_id=post.pk).count() == 2
        client.force_login(make_member())
        for answer in (client.get(f"{address}?told"), client.post(address, {"reason": "unkind"})):
            assert answer.status_code == 404


def test_threshold_is_a_setting():
    settings = DiscussionSettings.load()
    settings.hide_at_reports = 3
    settings.save()
    try:
        post = make_post()
        tell(post)
        tell(post)
        assert state(post) == "visible"
        tell(post)
        assert state(post) == "hidden"
    finally:
        DiscussionSettings().save()


def test_one_moderator_hides_at_once_by_their_own_name(moderator):
    post = make_post()
    tell(post, moderator, note="Line two.")
    post.refresh_from_db()
    assert (post.state, post.hidden_by, post.hidden_reason) == (
        "hidden",
        moderator,
        "Disagree with the idea. Line two.",
    )
    assert list(AuditEntry.objects.values_list("verb", "actor")) == [
        ("discussions.post_hidden", moderator.pk)
    ]


@pytest.mark.parametrize("status", ["silenced", "suspended"])
def test_who_may_not_write_does_not_count(status):
    post, first = make_post(), make_member()
    tell(post, first)
    first.status, first.is_active = status, status != "suspended"
    first.save()
    tell(post)
    assert state(post) == "visible"
    tell(post)
    assert state(post) == "hidden"


def test_one_member_counts_once():
    post, member = make_post(), make_member()
    assert tell(post, member) == tell(post, member, reason="spam")
    assert state(post) == "visible"


def test_text_that_a_moderator_showed_again_is_not_hidden_by_reports_until_it_changes(moderator):
    post = make_post()
    tell(post)
    tell(post)
    decide(post, moderator, "restore")
    tell(post)
    tell(post)
    assert state(post) == "visible"
    Post.objects.filter(pk=post.pk).update(edited_at=timezone.now())
    tell(post)
    assert state(post) == "hidden"


def test_text_that_a_moderator_left_is_not_hidden_by_later_reports(moderator):
    post = make_post()
    tell(post)
    decide(post, moderator, "leave")
    tell(post)
    tell(post)
    assert state(post) == "visible"


def test_in_a_group_its_own_people_hide_and_others_cannot_report(moderator):
    convenor, one, other = make_member(), make_member(), make_member()
    group = make_group(one, other, convenor=convenor)
    thread = make_thread(author=convenor, space=make_space(readable_by="group", group=group))
    post = make_post(thread=thread, author=convenor)
    with pytest.raises(core.PermissionDenied):
        tell(post, moderator)
    tell(post, one)
    tell(post, other)
    assert state(post) == "hidden"


# --- asking again --------------------------------------------------------------------------------------------------------
def test_author_mends_it_and_asks_again_and_a_moderator_sees_what_changed(client, moderator):
    author = make_member()
    post = make_post(author=author, source="It was Mrs Miller of ward 7.")
    tell(post)
    tell(post)
    again = f"/moderation/again/discussions.post/{post.pk}/"
    client.force_login(author)
    assert again in client.get(post.thread.get_absolute_url()).content.decode()
    html = client.get(again).content.decode()
    assert "2 members told us about it" in html
    edit = f"/discussions/posts/{post.pk}/edit/"
    assert edit in html
    assert client.post(edit, {"body": "It was a patient of ours."}).status_code == 302
    assert state(post) == "hidden"
    assert client.post(again, {"note": " "}).status_code == 422
    assert client.post(again, {"note": "I took the name out."}).status_code == 302
    assert client.post(again, {"note": "I took the name and the ward out."}).status_code == 302
    assert Flag.objects.filter(reason="review").count() == 1

    client.force_login(moderator)
    html = client.get("/moderation/").content.decode()
    assert "Its author asks for another look" in html
    assert "I took the name and the ward out." in html
    assert "Told by 2 members" in html
    assert "Miller" in html[html.index("What its author changed") :]
    decide(post, moderator, "restore")
    assert state(post) == "visible"
    assert OutgoingMail.objects.filter(kind="hub.restored", member=author).count() == 1
    assert not Flag.objects.filter(state="open").exists()
    history = f"/discussions/posts/{post.pk}/history/"
    for user, shown in (
        (author, True),
        (moderator, True),
        (make_member(), False),
    ):  # mended, so not in the history
        client.force_login(user)
        response = client.get(history)
        assert response.status_code == 200
        assert ("Miller" in response.content.decode()) is shown


def test_author_hears_when_it_stays_hidden_and_may_ask_anew(client, moderator):
    post = make_post()
    services.hide_post(post=post, actor=moderator, reason="Names.")
    core.ask_again(author=post.author, target=post, note="Why?")
    decide(post, moderator, "leave")
    assert (state(post), Flag.objects.get().state) == ("hidden", "upheld")
    assert OutgoingMail.objects.filter(kind="hub.hidden", member=post.author).count() == 1
    core.ask_again(author=post.author, target=post, note="Changed now.")
    assert Flag.objects.filter(state="open").count() == 1


def test_only_the_author_asks_and_only_about_what_is_hidden(client, moderator):
    post = make_post()
    again = f"/moderation/again/discussions.post/{post.pk}/"
    client.force_login(post.author)
    assert client.get(again).status_code == 404
    with pytest.raises(core.NotHidden):
        core.ask_again(author=post.author, target=post, note="Why?")
    services.hide_post(post=post, actor=moderator, reason="Names.")
    assert client.get(again).status_code == 200
    for user in (make_member(), moderator):
        client.force_login(user)
        assert client.get(again).status_code == 404
        with pytest.raises(core.PermissionDenied):
            core.ask_again(author=user, target=post, note="Why?")
    assert Flag.objects.count() == 0


# --- edits in the first minutes ------------------------------------------------------------------------------------------
def test_an_edit_in_the_first_minutes_is_new_text_for_reports(client, settings, moderator):
    settings.POST_GRACE_MINUTES = 5
    author = make_member()
    post = make_post(author=author, source="It was bad of you.")
    tell(post)
    decide(post, moderator, "leave")
    tell(post)
    tell(post)
    assert state(post) == "visible"  # a moderator let this very text stand
    services.edit_post(editor=author, post=post, source="It was Mrs Miller of ward 7.")
    tell(post)
    assert state(post) == "hidden"
    post.refresh_from_db()
    assert post.edited_at is None
    assert list(post.versions.values_list("source", "withheld")) == [("It was bad of you.", True)]

    services.edit_post(editor=author, post=post, source="It was a patient of ours.")
    core.ask_again(author=author, target=post, note="I took the name out.")
    client.force_login(moderator)
    html = client.get("/moderation/").content.decode()
    changed = html[html.index("What its author changed") :]
    assert "Miller" in changed
    assert "patient" in changed


def test_the_first_minutes_tell_no_author_of_a_report(client, settings, moderator):
    settings.POST_GRACE_MINUTES = 5
    author = make_member()
    post, untold = make_post(author=author, source="One."), make_post(author=author, source="One.")
    tell(post)
    for one in (post, untold):
        services.edit_post(editor=author, post=one, source="Two.")
    assert (post.versions.count(), untold.versions.count()) == (1, 0)
    seen = {}
    for who in (author, make_member(), moderator):
        client.force_login(who)
        for one in (post, untold):
            assert "edited</a>" not in client.get(one.thread.get_absolute_url()).content.decode()
            steps = client.get(f"/discussions/posts/{one.pk}/history/").context["steps"]
            seen[who, one] = [step["source"] for step in steps if "source" in step], len(steps)
        assert seen[who, untold] == (["Two."], 1)
        assert seen[who, post] == ((["One."], 2) if who == moderator else (["Two."], 1))
