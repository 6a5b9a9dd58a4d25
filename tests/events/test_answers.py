"""What those who register are asked, and what they need in order to take part."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from events import services
from events.models import Answer, Question, QuestionKind
from kmnet.core import retention
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .helpers import steps_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    return make_event()


@pytest.fixture
def questions(event):
    """(a text, a choice, several, an agreement); text and agreement must be answered."""
    words = {"choices": ["Tea", "Coffee"]}
    return [
        Question.objects.create(event=event, order=order, kind=kind, label=kind, **fields)
        for order, (kind, fields) in enumerate(
            [
                (QuestionKind.TEXT, {"is_required": True}),
                (QuestionKind.CHOICE, words),
                (QuestionKind.SEVERAL, words),
                (QuestionKind.CONSENT, {"is_required": True}),
            ]
        )
    ]


def full(questions) -> dict:
    text, choice, several, consent = (question.pk for question in questions)
    return {text: "  A clinic ", choice: "Tea", several: ["Coffee", "Tea"], consent: True}


def stored(registration) -> list:
    return list(registration.answers.order_by("question__order").values_list("value", flat=True))


def test_answers_are_stored_with_the_registration(event, questions):
    needs = {"answers": full(questions), "access_needs": " Captions, please. "}
    mine = services.register_member(event=event, member=make_member(), **needs)
    assert stored(mine) == ["A clinic", "Tea", ["Tea", "Coffee"], True]
    assert mine.access_needs == "Captions, please."


def test_what_must_be_answered_is_named_and_nobody_is_registered(event, questions):
    text, _choice, _several, consent = questions
    for answers in (None, {}, {text.pk: " ", consent.pk: False}):
        with pytest.raises(services.AnswersMissing) as refusal:
            services.register_member(event=event, member=make_member(), answers=answers)
        assert sorted(refusal.value.errors) == [text.pk, consent.pk]
    assert not event.registrations.exists()


def test_only_the_words_that_are_offered_and_no_more_than_a_thousand_characters(event, questions):
    text, choice, several, _consent = questions
    wrong = {text.pk: "x" * 1001, choice.pk: "Beer", several.pk: ["Tea", "Beer"]}
    with pytest.raises(services.AnswersMissing) as refusal:
        services.register_member(event=event, member=make_member(), answers=full(questions) | wrong)
    assert sorted(refusal.value.errors) == [text.pk, choice.pk, several.pk]
    fits = full(questions) | {text.pk: "x" * 1000}
    mine = services.register_member(event=event, member=make_member(), answers=fits)
    assert len(stored(mine)[0]) == 1000


def test_what_is_not_asked_any_more_is_not_missed_and_what_is_not_ours_is_left_alone(event, questions):
    Question.objects.filter(event=event).update(is_asked=False)
    other = Question.objects.create(event=make_event(), kind=QuestionKind.TEXT, label="Elsewhere")
    mine = services.register_member(event=event, member=make_member(), answers={other.pk: "No"})
    assert (mine.status, stored(mine)) == ("confirmed", [])


def test_added_by_hand_needs_no_answers_and_registered_is_not_asked_again(event, questions):
    organiser = make_member(is_organiser=True)
    event.organisers.add(organiser)
    mine = services.register_member(event=event, member=make_member(), by=organiser)
    assert services.register_member(event=event, member=mine.member) == mine


def test_a_guests_answers_wait_with_the_address_and_the_last_ones_count(event, questions):
    guest = {"event": event, "name": "Ada", "address": "ada@example.org"}
    with pytest.raises(services.AnswersMissing):
        services.request_guest_place(**guest)
    services.request_guest_place(**guest, answers=full(questions), access_needs="A ramp")
    changed = full(questions) | {questions[0].pk: "A library"}
    services.request_guest_place(**guest, answers=changed, access_needs="A ramp")
    mine = services.prove_guest(registration=event.registrations.get())
    assert (stored(mine)[0], mine.access_needs, Answer.objects.count()) == ("A library", "A ramp", 4)


def test_a_known_address_is_refused_like_an_unknown_one(event, questions):
    there = make_registration(event=event)
    for address in (there.member.email, "nobody@example.org"):
        with pytest.raises(services.AnswersMissing):
            services.request_guest_place(event=event, name="X", address=address)


def test_answers_are_changed_until_the_end_and_the_same_again_is_no_change(event, questions):
    fields = {"answers": full(questions), "access_needs": "A ramp"}
    mine = services.register_member(event=event, member=make_member(), **fields)
    change = {"registration": mine, "actor": mine.member}
    services.change_answers(**change, **fields)
    assert steps_of(mine) == ["confirmed"]
    without = full(questions) | {questions[1].pk: "", questions[0].pk: "A ward"}
    services.change_answers(**change, answers=without, access_needs="")
    mine.refresh_from_db()
    assert (stored(mine), mine.access_needs) == (["A ward", ["Tea", "Coffee"], True], "")
    assert steps_of(mine) == ["confirmed", "changed the answers"]
    with pytest.raises(services.AnswersMissing):
        services.change_answers(**change, answers={}, access_needs="Lost?")
    mine.refresh_from_db()
    assert mine.access_needs == ""  # nothing is half written


def test_answers_are_ones_own_and_not_changed_when_all_is_over(event):
    mine = make_registration(event=event)
    with pytest.raises(PermissionDenied):
        services.change_answers(registration=mine, answers={}, access_needs="", actor=make_member())
    past = make_registration(event=make_event(starts_in=timedelta(days=-2)))
    gone = make_registration(event=event, status="cancelled")
    for row in (past, gone):
        with pytest.raises(services.TooLate):
            services.change_answers(registration=row, answers={}, access_needs="")


def test_access_needs_go_thirty_days_after_the_event(clock):
    event = make_event(starts_in=timedelta(days=1))
    postponed = make_event(starts_in=timedelta(days=1))
    postponed.postponed_at = event.starts_at
    postponed.save()
    mine, kept = (make_registration(event=one, access_needs="A ramp") for one in (event, postponed))
    clock.shift(timedelta(days=31))
    assert retention.run(dry_run=True)["access_needs"] == 0
    clock.shift(timedelta(days=1))
    assert (retention.run()["access_needs"], retention.run()["access_needs"]) == (1, 0)
    for row in (mine, kept):
        row.refresh_from_db()
    assert (mine.access_needs, kept.access_needs) == ("", "A ramp")


def test_a_guests_answers_go_with_the_name_and_those_who_waited_in_vain_are_forgotten_too(clock):
    event = make_event(starts_in=timedelta(days=1))
    question = Question.objects.create(event=event, kind=QuestionKind.TEXT, label="Where?")
    came = make_registration(event=event, guest_address="ada@example.org", guest_name="Ada")
    waited = make_registration(event=event, guest_address="bo@example.org", status="waiting")
    member = make_registration(event=event)
    for row in (came, member):
        Answer.objects.create(registration=row, question=question, value="Here")
    clock.shift(timedelta(days=368))
    retention.run()
    assert list(Answer.objects.values_list("registration", flat=True)) == [member.pk]
    for row in (came, waited):
        row.refresh_from_db()
    assert [(row.status, row.guest_address) for row in (came, waited)] == [("confirmed", ""), ("expired", "")]
    assert steps_of(waited) == ["expired"]


@pytest.mark.parametrize("way", ["cancels", "declines", "is removed"])
def test_who_does_not_come_leaves_no_needs_and_no_answers(client, questions, event, way):
    organiser = make_member(is_organiser=True)
    event.organisers.add(organiser)
    needs = {"access_needs": "A quiet corner"}
    mine = services.register_member(event=event, member=make_member(), answers=full(questions), **needs)
    stays = services.register_member(
        event=event, member=make_member(), answers=full(questions), access_needs="A ramp"
    )
    if way == "cancels":
        services.cancel_registration(registration=mine, actor=mine.member)
    elif way == "declines":
        ends = timezone.now() + timedelta(hours=9)
        offered = {"status": "offered", "offered_at": timezone.now(), "offer_expires_at": ends}
        event.registrations.filter(pk=mine.pk).update(**offered)
        services.decline_offer(registration=mine, actor=mine.member)
    else:
        services.remove_registration(registration=mine, by=organiser, reason="Asked by phone")
    mine.refresh_from_db()
    assert (mine.access_needs, stored(mine)) == ("", [])
    client.force_login(organiser)
    for page in ("people_csv", "needs_csv"):
        words = client.get(reverse(f"events:{page}", args=[event.pk, event.slug])).content.decode()
        assert ("A quiet corner" in words, "A ramp" in words) == (False, True)
    stays.refresh_from_db()
    assert len(stored(stays)) == 4
    again = services.register_member(event=event, member=mine.member, answers=full(questions), **needs)
    assert (again.access_needs, len(stored(again))) == ("A quiet corner", 4)
