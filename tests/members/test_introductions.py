"""Introductions: both are asked, both must want it, and who did not is told to nobody."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from kmnet.core import activity
from kmnet.core.mail import send_due_mail
from kmnet.core.models import Activity, Notification, OutgoingMail
from members import services
from members.models import Introduction, Member
from members.permissions import can_view_introduction
from members.tasks import sweep_introductions
from tests.factories import make_member
from tests.mailbox import html_of, text_of

pytestmark = pytest.mark.django_db
WEEK, DAY = timedelta(days=7), timedelta(days=1)


@pytest.fixture
def people():
    """Who proposes, and the two."""
    return make_member(name="Pia Proposer"), make_member(name="Ann Abara"), make_member(name="Bob Berg")


def propose(people, **fields) -> Introduction:
    proposer, one, other = people
    fields.setdefault("reason", "You both count falls.")
    return services.propose_introduction(proposer=proposer, one=one, other=other, **fields)


def answer(introduction, *answers: tuple):
    for member, yes in answers:
        services.answer_introduction(introduction=introduction, member=member, yes=yes)
    introduction.refresh_from_db()


def tell():
    for deed in Activity.objects.waiting().order_by("pk"):
        activity.fan_out(activity_id=deed.pk)


def told() -> set[tuple]:
    tell()
    return set(Notification.objects.values_list("recipient__name", "activity__verb"))


def later(introduction, ago: timedelta):
    moment = timezone.now() - ago
    Introduction.objects.filter(pk=introduction.pk).update(
        created_at=moment, expires_at=moment + timedelta(days=14)
    )


# --- asking ----------------------------------------------------------------------------------------------------------
def test_both_are_asked_and_see_no_way_to_each_other(people, mailbox):
    _proposer, one, other = people
    introduction = propose(people)
    assert told() == {
        ("Ann Abara", "members.introduction_proposed"), ("Bob Berg", "members.introduction_proposed"),
    }  # fmt: skip
    messages = {message["To"]: message for message in mailbox()}
    assert set(messages) == {one.email, other.email}
    assert messages[one.email]["Subject"] == "Would you like to meet Bob Berg?"
    for mine, theirs in ((one, other), (other, one)):
        words = text_of(messages[mine.email]) + html_of(messages[mine.email])
        assert theirs.email not in words
        assert "You both count falls." in words
    assert (introduction.state, introduction.expires_at - introduction.created_at) == (
        "open",
        timedelta(days=14),
    )


def test_after_two_yeses_both_get_the_address_and_the_proposer_hears_of_it(people, mailbox):
    proposer, one, other = people
    introduction = propose(people)
    answer(introduction, (one, True))
    assert introduction.state == "open"
    answer(introduction, (other, True))
    assert introduction.state == "made"
    tell()
    OutgoingMail.objects.filter(kind="members.introduction").delete()
    got = {
        message["To"]: [email in text_of(message) for email in (one.email, other.email)]
        for message in mailbox()
    }
    assert got == {one.email: [False, True], other.email: [True, False]}
    assert ("Pia Proposer", "members.introduction_came_about") in told()
    assert OutgoingMail.objects.filter(member=proposer).count() == 0


@pytest.mark.parametrize("who_says_no", [1, 2])
def test_a_no_is_told_to_nobody_and_looks_like_silence(who_says_no, people, signed_in):
    proposer, *two = people
    introduction = propose(people)
    tell()
    page = reverse("members:introduction", args=[introduction.pk])
    yes, no = people[3 - who_says_no], people[who_says_no]
    answer(introduction, (yes, True))
    before = {member: words_of(signed_in, member, page) for member in (proposer, yes)}
    answer(introduction, (no, False))
    assert {member: words_of(signed_in, member, page) for member in (proposer, yes)} == before
    assert introduction.state == "open"
    with pytest.raises(services.AlreadyProposed):  # that the pair is free again would tell, too
        propose((make_member(), *two))
    later(introduction, timedelta(days=15))
    sweep_introductions()
    introduction.refresh_from_db()
    assert introduction.state == "ended"
    ended = {name for name, verb in told() if verb == "members.introduction_ended"}
    assert ended == {"Pia Proposer", yes.name}


def words_of(signed_in, member, page) -> str:
    html = signed_in(member).get(page).content.decode()
    return re.sub(r'value="[^"]{40,}"', "", html[html.index("<main") : html.index("</main>")])


def test_answers_come_once_and_in_time(people):
    _proposer, one, other = people
    introduction = propose(people)
    answer(introduction, (one, False))
    with pytest.raises(services.IntroductionOver):
        answer(introduction, (one, True))
    with pytest.raises(PermissionDenied):
        answer(introduction, (make_member(), True))
    later(introduction, timedelta(days=14))
    with pytest.raises(services.IntroductionOver):
        answer(introduction, (other, True))


def test_only_full_members_answer_and_are_brought_together(people):
    """Suspending withdraws what is open; whatever else makes somebody no full member, nobody gets their address."""
    _proposer, one, other = people
    introduction = propose(people)
    answer(introduction, (one, True))
    Member.objects.filter(pk=one.pk).update(status="pending")
    answer(introduction, (other, True))
    assert introduction.state == "open"
    third = make_member()
    introduction = propose((make_member(), other, third))
    Member.objects.filter(pk=third.pk).update(status="pending")
    with pytest.raises(PermissionDenied):
        answer(introduction, (third, True))


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_reason_is_needed(reason, people):
    with pytest.raises(ValidationError):
        propose(people, reason=reason)


def test_who_may_propose_and_whom(people):
    proposer, one, other = people
    for trio in ((proposer, proposer, one), (proposer, one, one)):
        with pytest.raises(ValidationError):
            propose(trio)
    for trio in (
        (make_member(status="silenced"), one, other),
        (proposer, one, make_member(status="pending")),
    ):
        with pytest.raises(PermissionDenied):
            propose(trio)
    assert Introduction.objects.count() == 0


def test_a_pair_has_one_open_introduction_whoever_proposes_and_in_whatever_order(people):
    proposer, one, other = people
    introduction = propose(people)
    with pytest.raises(services.AlreadyProposed):
        propose((make_member(), other, one))
    answer(introduction, (one, True), (other, True))
    propose((make_member(), other, one))  # the first one is settled
    with pytest.raises(IntegrityError), transaction.atomic():
        Introduction.objects.create(
            proposer=proposer, first=min(one, other, key=lambda m: m.pk), second=max(one, other, key=lambda m: m.pk),
            reason="x", expires_at=timezone.now(),
        )  # fmt: skip


def test_five_a_day(people):
    proposer, one, _other = people
    for _number in range(5):
        propose((proposer, one, make_member()))
    with pytest.raises(services.TooMany):
        propose((proposer, one, make_member()))
    Introduction.objects.update(created_at=timezone.now() - DAY)
    propose((proposer, one, make_member()))


# --- boundaries ------------------------------------------------------------------------------------------------------
PAIRS = {
    "one blocks the other": (1, 2, "block"), "the other blocks one": (2, 1, "block"),
    "one blocks the proposer": (1, 0, "block"), "one ignores the proposer": (1, 0, "ignore"),
    "the proposer blocks one": (0, 1, "block"),
}  # fmt: skip


@pytest.mark.parametrize("who", PAIRS)
def test_between_those_who_keep_apart_it_goes_nowhere_and_looks_the_same(who, people, signed_in):
    owner, other, distance = PAIRS[who]
    free = (people[0], make_member(name="Ann Abara"), make_member(name="Bob Berg"))
    services.set_boundary(owner=people[owner], other=people[other], distance=distance)
    tell()
    pages = []
    for trio in (free, people):
        browser, (_proposer, one, two) = signed_in(trio[0]), trio
        form = {"other": two.handle, "reason": "You both count falls."}
        response = browser.post(reverse("members:introduce", args=[one.handle]), form, follow=True)
        main = response.content.decode()
        main = main[main.index("<main") : main.index("</main>")]
        pages.append(re.sub(r"/members/[\w-]+/|tint-\d", "", main))
    assert pages[0] == pages[1]
    silent = Introduction.objects.get(first__in=people)
    assert silent.goes_nowhere
    tell()
    assert not Notification.objects.filter(recipient__in=people[1:]).exists()
    assert not OutgoingMail.objects.filter(member__in=people[1:]).exists()
    for member in people[1:]:
        assert signed_in(member).get(silent.get_absolute_url()).status_code == 404
        with pytest.raises(services.IntroductionOver):
            answer(silent, (member, True))
    with pytest.raises(services.AlreadyProposed):
        propose(people)
    later(silent, WEEK)
    sweep_introductions()
    assert not OutgoingMail.objects.filter(member__in=people[1:]).exists()  # no reminder either
    later(silent, timedelta(days=15))
    sweep_introductions()
    assert [(name) for name, verb in told() if verb == "members.introduction_ended"] == ["Pia Proposer"]


def test_a_block_after_the_question_keeps_them_apart(people):
    _proposer, one, other = people
    introduction = propose(people)
    answer(introduction, (one, True))
    services.set_boundary(owner=one, other=other, distance="block")
    answer(introduction, (other, True))
    assert introduction.state == "open"
    tell()
    assert not OutgoingMail.objects.filter(kind="members.introduced").exists()


def test_a_block_before_the_mail_goes_holds_it_back(people):
    _proposer, one, other = people
    propose(people)
    tell()
    services.set_boundary(owner=other, other=one, distance="block")
    send_due_mail()
    assert set(OutgoingMail.objects.values_list("state", "reason")) == {
        ("withheld", "the introduction goes nowhere")
    }


def test_a_block_after_the_meeting_takes_the_address_back(people, signed_in):
    _proposer, one, other = people
    introduction = propose(people)
    answer(introduction, (one, True), (other, True))
    assert one.email in words_of(signed_in, other, introduction.get_absolute_url())
    services.set_boundary(owner=one, other=other, distance="block")
    assert one.email not in words_of(signed_in, other, introduction.get_absolute_url())
    tell()
    send_due_mail()
    introduced = OutgoingMail.objects.filter(kind="members.introduced", state="sent")
    assert not introduced.exists()


# --- time ------------------------------------------------------------------------------------------------------------
def test_one_reminder_after_a_week_to_whoever_has_not_answered(people):
    _proposer, one, other = people
    introduction = propose(people)
    answer(introduction, (one, True))
    sweep_introductions()
    later(introduction, WEEK)
    sweep_introductions()
    sweep_introductions()
    reminders = OutgoingMail.objects.filter(kind="members.introduction_reminder")
    assert list(reminders.values_list("member", flat=True)) == [other.pk]


def test_nobody_is_reminded_of_what_the_other_declined(people):
    introduction = propose(people)
    answer(introduction, (people[1], False))
    later(introduction, WEEK)
    sweep_introductions()
    assert not OutgoingMail.objects.filter(kind="members.introduction_reminder").exists()


def test_whoever_is_out_is_introduced_no_more(people, signed_in):
    _proposer, one, other = people
    introduction = propose(people)
    services.suspend_member(member=one, actor=make_member(is_moderator=True), reason="Spam")
    introduction.refresh_from_db()
    assert introduction.state == "withdrawn"
    tell()
    send_due_mail()
    assert not OutgoingMail.objects.filter(kind="members.introduction", state="sent").exists()
    assert signed_in(other).get(introduction.get_absolute_url()).status_code == 404


# --- pages -----------------------------------------------------------------------------------------------------------
def test_finding_somebody_keeps_what_was_written(people, signed_in):
    proposer, one, other = people
    browser, page = signed_in(proposer), reverse("members:introduce", args=[one.handle])
    said = {"q": "berg", "reason": "Both count falls.", "find": "1"}
    html = browser.post(page, said).content.decode()
    assert [other.handle in html, one.email in html, "Both count falls." in html] == [True, False, True]
    assert Introduction.objects.count() == 0
    refused = browser.post(page, {"q": "berg", "reason": ""})
    assert refused.status_code == 422
    browser.post(page, {"q": "berg", "other": other.handle, "reason": "Both count falls."})
    assert Introduction.objects.get().pair == tuple(sorted((one.pk, other.pk)))


def test_whoever_is_not_listed_is_found_by_the_whole_handle_only(people, signed_in):
    proposer, one, _other = people
    hidden = make_member(name="Quiet Person", profile={"is_listed": False})
    browser, page = signed_in(proposer), reverse("members:introduce", args=[one.handle])
    assert hidden.handle not in browser.post(page, {"q": "quiet per", "find": "1"}).content.decode()
    assert hidden.handle in browser.post(page, {"q": hidden.handle, "find": "1"}).content.decode()


def test_the_link_in_the_mail_opens_a_page_whose_button_answers(people, client, mailbox):
    _proposer, one, _other = people
    introduction = propose(people)
    tell()
    [message] = mailbox(to=one.email)
    link = re.search(r"https?://\S+(/mail/introduction/\S+)", text_of(message))[1]
    assert client.get(link).status_code == 200
    introduction.refresh_from_db()
    assert introduction.answer_of(one) == ""
    assert client.post(link, {"answer": "yes"}).status_code == 200
    introduction.refresh_from_db()
    assert introduction.answer_of(one) == "yes"
    assert client.get("/mail/introduction/nonsense/").status_code == 404


def test_who_may_open_it_is_one_rule(people, signed_in):
    introduction = propose(people)
    moderator = make_member(is_moderator=True)
    for member, may in (*((member, True) for member in people), (moderator, False), (make_member(), False)):
        found = Introduction.objects.visible_to(member).filter(pk=introduction.pk).exists()
        opened = signed_in(member).get(introduction.get_absolute_url()).status_code
        assert (found, can_view_introduction(member, introduction), opened) == (may, may, 200 if may else 404)
    assert signed_in(people[0]).post(introduction.get_absolute_url(), {"answer": "yes"}).status_code == 403


def test_the_proposer_never_sees_an_address(people, signed_in):
    proposer, one, other = people
    introduction = propose(people)
    answer(introduction, (one, True), (other, True))
    html = signed_in(proposer).get(introduction.get_absolute_url()).content.decode()
    assert [one.email in html, other.email in html] == [False, False]
    assert other.email in signed_in(one).get(introduction.get_absolute_url()).content.decode()


@pytest.mark.parametrize("count", [1, 50])
def test_the_list_costs_the_same_for_1_and_50(count, people, signed_in, django_assert_num_queries):
    proposer, one, _other = people
    for _number in range(count):
        propose((proposer, one, make_member()))
        Introduction.objects.update(created_at=timezone.now() - DAY)
    browser = signed_in(proposer)
    browser.get(reverse("members:introductions"))
    with django_assert_num_queries(3):  # the member, the list, the bell
        assert len(browser.get(reverse("members:introductions")).context["rows"]) == count
