"""Reports and decisions: who may, what happens, what is logged, who is told, and that two cannot decide the same."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core import mail as sent
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from discussions.models import Post
from kmnet.core import moderation as core
from kmnet.core.mail import send_due_mail
from kmnet.core.models import AuditEntry, Flag, OutgoingMail
from kmnet.hub import moderation as desk
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.resources import make_resource
from tests.hub.conftest import signed_in

pytestmark = pytest.mark.django_db
QUEUE, SETTLED = reverse("hub:moderation"), reverse("hub:moderation_settled")
KIND = "discussions.post"


def url(name, post):
    return reverse(f"hub:{name}", args=[KIND, post.pk])


def make_flag(target, *, reporter=None, reason="unkind", note=""):
    return core.report(reporter=reporter or make_member(), target=target, reason=reason, note=note)


def decide(client, post, decision, reason="It names a patient.", seen="visible"):
    flags = Flag.objects.filter(target_id=post.pk).order_by("pk").values_list("pk", flat=True)
    data = {"decision": decision, "reason": reason, "seen_state": seen}
    if seen == "visible":
        data["seen_flags"] = " ".join(str(pk) for pk in flags)
    return client.post(url("moderation_decide", post), data)


def state(post):
    return Post.objects.get(pk=post.pk).state


def deliver_to(member):
    sent.outbox.clear()
    send_due_mail()
    return [message for message in sent.outbox if message.to == [member.email]]


# --- who may ---------------------------------------------------------------------------------------------------------
def test_the_pages_exist_for_moderators_only(client, member_client, moderator_client):
    post = make_post()
    make_flag(post)
    pages = [QUEUE, SETTLED, url("moderation_case", post)]
    for page in pages:
        assert client.get(page).status_code == 302
        assert member_client.get(page).status_code == 404
        assert moderator_client.get(page).status_code == 200
    assert client.post(url("moderation_decide", post)).status_code == 302
    assert decide(member_client, post, "hide").status_code == 404
    assert state(post) == "visible"
    assert decide(moderator_client, post, "hide").status_code == 302
    assert state(post) == "hidden"


def test_a_silenced_moderator_is_none():
    client = signed_in(make_member(is_moderator=True, status="silenced"))
    assert client.get(QUEUE).status_code == 404


def test_nobody_decides_about_their_own(moderator, moderator_client):
    post = make_post(author=moderator)
    make_flag(post)
    assert "Another moderator decides" in moderator_client.get(url("moderation_case", post)).content.decode()
    assert decide(moderator_client, post, "leave").status_code == 403
    with pytest.raises(PermissionDenied):
        desk.decide(
            kind=core.kind_of(Post),
            pk=post.pk,
            actor=moderator,
            decision="leave",
            reason="Fine.",
            seen_state="visible",
            seen_flags=set(),
        )
    assert Flag.objects.get().state == "open"


def test_unknown_kinds_and_things_are_not_there(moderator_client):
    for address in ("members.member/1", "nonsense/1", "discussions.post/999999", "a.b.c/1"):
        kind, pk = address.split("/")
        assert moderator_client.get(reverse("hub:moderation_case", args=[kind, pk])).status_code == 404
        assert moderator_client.get(reverse("hub:report", args=[kind, pk])).status_code == 404


# --- reporting -------------------------------------------------------------------------------------------------------
def test_a_member_reports_what_they_see_and_hears_what_happens_next(member, member_client):
    post = make_post()
    page = url("report", post)
    assert "Tell the moderators" in member_client.get(page).content.decode()
    response = member_client.post(page, {"reason": "identifies", "note": "Bed 14."}, follow=True)
    assert "A moderator looks within a day." in response.content.decode()
    flag = Flag.objects.get()
    assert (flag.target, flag.reporter, flag.reason, flag.note) == (post, member, "identifies", "Bed 14.")
    member_client.post(page, {"reason": "identifies"})
    assert Flag.objects.count() == 1


def test_a_report_needs_a_reason_and_keeps_what_was_typed(member_client):
    page = url("report", make_post())
    response = member_client.post(page, {"note": "I typed this at length."})
    assert response.status_code == 422
    assert "I typed this at length." in response.content.decode()
    assert member_client.post(page, {"reason": "other"}).status_code == 422  # “something else” says what
    assert not Flag.objects.exists()


def test_what_one_may_not_see_cannot_be_reported(client, member_client):
    post = make_post(thread=make_thread(space=make_space(readable_by="members")))
    assert client.get(url("report", post)).status_code == 302
    pending = signed_in(make_member(status="pending"))
    assert pending.post(url("report", post), {"reason": "spam"}).status_code == 302  # to where they wait
    assert not Flag.objects.exists()
    silenced = signed_in(make_member(status="silenced"))
    assert silenced.post(url("report", post), {"reason": "spam"}).status_code == 403
    assert member_client.post(url("report", post), {"reason": "spam"}).status_code == 302
    Post.objects.filter(pk=post.pk).update(state="hidden")
    assert member_client.get(url("report", post)).status_code == 404
    assert Flag.objects.count() == 1


# --- the queue -------------------------------------------------------------------------------------------------------
def test_the_queue_groups_reports_by_thing_and_shows_reasons_and_reporters(moderator_client):
    first = make_post(source="Frankly, if you have to ask this.")
    make_flag(first, reporter=make_member(name="Ana Reporter"), note="Unkind to somebody who asked.")
    make_flag(first, reason="other", note="Would stop me asking.")
    second = make_resource(title="A dashboard that sells itself")
    make_flag(second, reason="spam")
    response = moderator_client.get(QUEUE)
    page = " ".join(response.content.decode().split())
    assert [case.target for case in response.context["cases"]] == [first, second]
    for words in (
        "Two things need a second look",
        "Told by 2 members",
        "Frankly, if you have to ask this.",
        "Unkind to somebody who asked.",
        "Would stop me asking.",
        "Ana Reporter",
        "A dashboard that sells itself",
        "That is the whole queue.",
    ):
        assert words in page


@pytest.mark.parametrize("count", [1, 50])
def test_the_queue_costs_the_same_at_any_length(moderator_client, count, django_assert_max_num_queries):
    thread = make_thread()
    for _number in range(count):
        make_flag(make_post(thread=thread))
        make_flag(make_resource(added_by=make_member()))
    moderator_client.get(QUEUE)
    with django_assert_max_num_queries(12) as captured:
        response = moderator_client.get(QUEUE)
    assert len(response.context["cases"]) == min(2 * count, desk.MOST_CASES)
    assert len(captured.captured_queries) == QUERIES


QUERIES = 11


# --- deciding --------------------------------------------------------------------------------------------------------
def test_hide_and_restore_are_logged_and_told_to_the_author(moderator, moderator_client, member_client):
    author = make_member(name="Graham Ellwood")
    post = make_post(author=author)
    flag = make_flag(post)
    assert decide(moderator_client, post, "hide", "It could identify\na patient.").status_code == 302
    assert state(post) == "hidden"
    flag.refresh_from_db()
    assert (flag.state, flag.resolved_by, flag.resolution) == (
        "upheld",
        moderator,
        "It could identify\na patient.",
    )
    [message] = deliver_to(author)
    assert message.subject.startswith("A moderator has hidden your ")
    assert "It could identify\na patient." in message.body
    assert "Priya Nair" not in message.body

    assert decide(moderator_client, post, "restore", "Mended, thank you.", seen="hidden").status_code == 302
    assert state(post) == "visible"
    [message] = deliver_to(author)
    assert "is shown again" in message.subject
    assert "Mended, thank you." in message.body
    acts = AuditEntry.objects.filter(target_type=ContentType.objects.get_for_model(Post), target_id=post.pk)
    assert list(acts.order_by("pk").values_list("verb", "actor", "reason")) == [
        ("discussions.post_hidden", moderator.pk, "It could identify\na patient."),
        ("reports.upheld", moderator.pk, "It could identify\na patient."),
        ("discussions.post_restored", moderator.pk, "Mended, thank you."),
    ]


def test_a_profile_is_hidden_here_too_and_its_owner_gets_one_mail(moderator_client):
    owner = make_member(name="Impact Score Sales", profile={"headline": "Book a demo before Christmas"})
    make_flag(owner.profile, reason="spam")
    page = reverse("hub:moderation_case", args=["members.profile", owner.profile.pk])
    assert "Book a demo before Christmas" in moderator_client.get(page).content.decode()
    decision = {"decision": "hide", "reason": "This is advertising.", "seen_state": "visible"}
    address = reverse("hub:moderation_decide", args=["members.profile", owner.profile.pk])
    assert moderator_client.post(address, decision).status_code == 302
    owner.profile.refresh_from_db()
    assert owner.profile.state == "hidden"
    assert len(deliver_to(owner)) == 1


def test_leaving_it_settles_the_reports_and_tells_nobody(moderator, moderator_client):
    author = make_member()
    post = make_post(author=author)
    make_flag(post)
    assert decide(moderator_client, post, "leave", "Blunt, but about the method.").status_code == 302
    assert (state(post), Flag.objects.get().state) == ("visible", "dismissed")
    assert AuditEntry.objects.get().verb == "reports.dismissed"
    assert not OutgoingMail.objects.filter(kind__startswith="hub.").exists()
    assert "Blunt, but about the method." in moderator_client.get(SETTLED).content.decode()
    assert moderator_client.get(QUEUE).context["cases"] == []


def test_a_decision_needs_a_reason_and_keeps_what_was_chosen(moderator_client):
    post = make_post()
    make_flag(post)
    response = decide(moderator_client, post, "hide", reason="  ")
    assert response.status_code == 422
    assert "Please say why" in response.content.decode()
    assert state(post) == "visible"
    assert decide(moderator_client, post, "burn").status_code == 422


def test_a_mail_about_hiding_is_not_sent_once_it_was_restored(moderator_client):
    author = make_member()
    post = make_post(author=author)
    decide(moderator_client, post, "hide")
    decide(moderator_client, post, "restore", seen="hidden")
    assert ["is shown again" in message.subject for message in deliver_to(author)] == [True]
    hidden = OutgoingMail.objects.get(kind="hub.hidden")
    assert (hidden.state, hidden.reason) == ("withheld", "decided otherwise before this was sent")


@pytest.mark.parametrize("second", ["hide", "leave"])
def test_who_comes_second_sees_what_the_first_decided(moderator_client, second):
    post = make_post()
    make_flag(post)
    other = signed_in(make_member(name="Georgia Pappas", is_moderator=True))
    other.get(url("moderation_case", post))
    assert decide(other, post, "hide", "Names the ward.").status_code == 302
    response = decide(moderator_client, post, second, "My own long reason.")
    page = response.content.decode()
    assert response.status_code == 409
    for words in (
        "Another moderator has already decided.",
        "Georgia Pappas",
        "Names the ward.",
        "My own long reason.",
    ):
        assert words in page
    assert OutgoingMail.objects.filter(kind="hub.hidden").count() == 1
    assert AuditEntry.objects.filter(verb="discussions.post_hidden").count() == 1


def test_a_report_settled_by_another_cannot_be_settled_again(moderator_client):
    post = make_post()
    make_flag(post)
    decide(moderator_client, post, "leave")
    assert decide(moderator_client, post, "leave").status_code == 409
    assert AuditEntry.objects.count() == 1


def test_what_another_left_as_it_is_is_not_hidden_unawares(moderator_client):
    post = make_post()
    flag = make_flag(post)
    decide(signed_in(make_member(is_moderator=True)), post, "leave", "Blunt, but about the method.")
    response = decide(moderator_client, post, "hide")
    assert (response.status_code, state(post)) == (409, "visible")
    assert "Blunt, but about the method." in response.content.decode()
    # Seen that, they may still decide otherwise; and a report that came while they were writing is settled along.
    make_flag(post)
    address, again = (
        url("moderation_decide", post),
        {"decision": "hide", "reason": "On balance.", "seen_state": "visible"},
    )
    assert moderator_client.post(address, again).status_code == 302
    assert state(post) == "hidden"
    assert set(Flag.objects.values_list("state", flat=True)) == {"dismissed", "upheld"}
    assert Flag.objects.get(pk=flag.pk).state == "dismissed"


def test_held_things_wait_in_the_queue_and_can_appear(moderator_client):
    post = make_post()
    Post.objects.filter(pk=post.pk).update(state="held", number=None, path=None, published_at=None)
    core.report(reporter=make_member(), target=make_post(), reason="spam")
    page = moderator_client.get(QUEUE)
    assert page.context["tabs"][0]["count"] == len(page.context["cases"]) == 2
    [case] = [case for case in page.context["cases"] if case.is_held]
    assert case.target == post
    assert [choice.value for choice in case.choices] == ["release", "hide"]
    assert decide(moderator_client, post, "release", "Welcome.", seen="held").status_code == 302
    assert state(post) == "visible"
    assert decide(moderator_client, post, "release", "Welcome.", seen="held").status_code == 409


def test_the_log_is_shown_with_the_thing(moderator_client):
    post = make_post()
    make_flag(post)
    decide(moderator_client, post, "leave", "Read twice; it is fine.")
    page = moderator_client.get(url("moderation_case", post)).content.decode()
    assert "Looked at the reports, no action" in page
    assert "Read twice; it is fine." in page


def test_an_expired_login_loses_no_reason():
    moderator = make_member(is_moderator=True)
    post = make_post()
    make_flag(post)
    client = Client()
    decide(client, post, "hide", "A reason that took a while to write.")
    client.force_login(moderator)
    page = client.get(url("moderation_case", post)).content.decode()
    assert "A reason that took a while to write." in page
    assert state(post) == "visible"
