"""The one page on which an event is made and changed: what it asks, whom it is for, how places are given out."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from events import services
from events.models import Event, Kind, QuestionKind, Status, Visibility
from kmnet.core.vocabulary import load_vocabulary
from members.models import SeenBy
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .test_desk import FORM

pytestmark = pytest.mark.django_db
NEW = "/events/new/"
ASKED = {
    "questions-TOTAL_FORMS": "3",
    "questions-INITIAL_FORMS": "0",
    "questions-0-label": "What do you hope for?",
    "questions-0-kind": "text",
    "questions-1-label": "Which table?",
    "questions-1-kind": "choice",
    "questions-1-choices": "Blue\n Red \nBlue\n",
    "questions-1-is_required": "on",
    "questions-2-label": "",
    "questions-2-kind": "text",
}


def url(name, event):
    return reverse(f"events:{name}", args=[event.pk, event.slug])


@pytest.fixture
def organiser(client):
    organiser = make_member(is_organiser=True, time_zone="Europe/London")
    client.force_login(organiser)
    return organiser


def picture():
    out = io.BytesIO()
    Image.new("RGB", (300, 300), "teal").save(out, format="PNG")
    return SimpleUploadedFile("stage.png", out.getvalue(), "image/png")


def sent(event) -> dict:
    """The form of a change, as a browser sends it untouched."""
    return FORM | {"title": event.title, "programme-INITIAL_FORMS": "1", "submit_key": ""}


def test_everything_is_said_on_one_page(client, organiser):
    friend = make_member(profile={"email_seen_by": SeenBy.MEMBERS})
    whole = ASKED | {
        "kind": "hybrid",
        "venue": "The Old Library, Leeds",
        "capacity": "40",
        "online_capacity": "200",
        "visibility": "3",
        "needs_approval": "on",
        "allows_transfer": "on",
        "asks_reconfirmation": "on",
        "co_organisers": f"@{friend.handle}, {friend.email}",
        "picture": picture(),
        "picture_alt": "An empty stage",
    }
    assert client.post(NEW, FORM | whole).status_code == 302
    event = Event.objects.get()
    assert (event.capacity, event.online_capacity, event.ways) == (40, 200, ("room", "online"))
    assert (event.visibility, event.group) == (Visibility.INVITED, None)
    flags = (event.needs_approval, event.allows_transfer, event.asks_reconfirmation, event.offers_recording)
    assert flags == (True, True, True, False)
    assert set(event.organisers.all()) == {organiser, friend}
    assert (len(event.picture_key), event.picture_alt) == (32, "An empty stage")
    assert list(event.questions.values_list("label", "kind", "choices", "is_required")) == [
        ("What do you hope for?", "text", [], False),
        ("Which table?", "choice", ["Blue", "Red"], True),
    ]


def test_defaults_ask_who_still_comes_and_offer_the_recording(client, organiser):
    form = client.get(NEW).context["form"]
    boxes = ("needs_approval", "allows_transfer", "asks_reconfirmation", "offers_recording")
    assert [bool(form[name].value()) for name in boxes] == [False, False, True, True]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"questions-1-choices": "Only one"}, "Give at least two choices"),
        ({"questions-2-is_required": "on"}, "What is the question?"),
        ({"questions-1-choices": "\n".join(map(str, range(21)))}, "At most 20 choices"),
        ({"questions-0-label": "x" * 241}, "240"),
        ({"co_organisers": "@nobody-here"}, "@nobody-here"),
        ({"picture_alt": "", "picture": 1}, "Say in words what the picture shows."),
        ({"title": "", "picture": 1, "picture_alt": "A stage"}, "Please choose the picture once more"),
        ({"online_capacity": "0", "kind": "hybrid", "venue": "Leeds"}, "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_the_rest_is_kept(client, organiser, change, words):
    change = {name: picture() if name == "picture" else value for name, value in change.items()}
    refused = client.post(NEW, FORM | ASKED | change)
    page = refused.content.decode()
    assert (refused.status_code, words in page, Event.objects.count()) == (422, True, 0)
    assert "Short talks, **long** questions." in page
    assert 'class="error-summary"' in page


def test_places_online_are_for_hybrid_events_only(client, organiser):
    client.post(NEW, FORM | {"online_capacity": "5"})
    assert Event.objects.get().online_capacity is None


def test_questions_are_changed_on_the_page_of_the_event(client, organiser):
    client.post(NEW, FORM | ASKED)
    event = Event.objects.get()
    hopes, table = event.questions.order_by("order")
    shown = client.get(url("edit", event)).context["questions"]
    assert [line["label"].value() or "" for line in shown][:3] == [hopes.label, table.label, ""]
    assert len(shown.forms) == 10
    changed = ASKED | {
        "questions-INITIAL_FORMS": "2",
        "questions-0-pk": hopes.pk,
        "questions-0-label": "",
        "questions-1-pk": table.pk,
        "questions-1-choices": "Blue\nGreen",
    }
    assert client.post(url("edit", event), sent(event) | changed).status_code == 302
    question = event.questions.get()
    assert (question.pk, question.choices, question.kind) == (
        table.pk,
        ["Blue", "Green"],
        QuestionKind.CHOICE,
    )


def test_questions_typed_into_an_expired_login_and_empty_boxes_are_kept(client, organiser):
    client.logout()
    client.post(NEW, FORM | ASKED)
    client.force_login(organiser)
    page = client.get(NEW)
    assert page.context["questions"].forms[1]["choices"].value() == "Blue\n Red \nBlue\n"
    assert not page.context["form"]["asks_reconfirmation"].value()


def test_preview_without_scripts_shows_the_text_and_judges_nothing(client, organiser):
    looked = client.post(NEW, FORM | ASKED | {"title": "", "view": "preview"})
    page = looked.content.decode()
    assert (looked.status_code, "<strong>long</strong>" in page) == (200, True)
    assert ("error-summary" in page, "Which table?" in page, Event.objects.count()) == (False, True, 0)
    looked = client.post("/events/preview/", {"text": "**bold** <script>alert(1)</script>"})
    assert looked.content.decode().count("<strong>bold</strong>") == 1
    assert "<script>" not in looked.content.decode()


def test_kind_cannot_become_hybrid_while_somebody_is_registered(client, organiser):
    client.post(NEW, FORM)
    event = Event.objects.get()
    make_registration(event=event)
    change = sent(event) | {"kind": "hybrid", "venue": "Leeds"}
    refused = client.post(url("edit", event), change)
    assert (refused.status_code, "1 person is registered" in refused.content.decode()) == (422, True)
    event.registrations.all().delete()
    assert client.post(url("edit", event), change).status_code == 302
    event.refresh_from_db()
    assert event.kind == Kind.HYBRID


def test_picture_is_taken_away_again(client, organiser):
    client.post(NEW, FORM | {"picture": picture(), "picture_alt": "A stage"})
    event = Event.objects.get()
    client.post(url("edit", event), sent(event) | {"picture_alt": "A stage with chairs"})
    event.refresh_from_db()
    assert (bool(event.picture_key), event.picture_alt) == (True, "A stage with chairs")
    assert client.post(url("edit", event), sent(event) | {"picture_alt": ""}).status_code == 422
    client.post(url("edit", event), sent(event) | {"no_picture": "on"})
    event.refresh_from_db()
    assert (event.picture_key, event.picture_alt) == ("", "")


# --- who comes first -----------------------------------------------------------------------------------------------------
def test_whoever_was_left_out_comes_first_if_said_before_registration_opens(client, organiser):
    earlier = make_event(organisers=[organiser], starts_in=timedelta(days=-9), capacity=1)
    unlucky = make_registration(event=earlier, status=Status.WAITING).member
    others = make_event(organisers=[make_member()], starts_in=timedelta(days=-9), capacity=1)
    choices = [value for value, _label in client.get(NEW).context["form"].fields["priority_from"].choices]
    assert choices == ["", str(earlier.pk)]
    assert client.post(NEW, FORM | {"priority_from": str(others.pk)}).status_code == 422
    client.post(NEW, FORM | {"priority_from": str(earlier.pk)})
    event = Event.objects.get(title=FORM["title"])
    assert (event.priority_from, [row.member for row in event.priorities.all()]) == (earlier, [unlucky])
    services.publish_event(event=event, actor=organiser)
    page = client.get(url("edit", event))
    assert "priority_from" not in page.context["form"].fields
    client.post(url("edit", event), sent(event) | {"priority_from": ""})
    event.refresh_from_db()
    assert event.priority_from == earlier


def test_tags_are_spelled_as_the_vocabulary_spells_them_and_offered_from_it(client, organiser):
    load_vocabulary()
    client.post(NEW, FORM | {"tags": "Primary CARE, my own word, my own word"})
    event = Event.objects.get()
    assert sorted(event.tags.names()) == ["my own word", "primary care"]
    page = client.get(url("edit", event)).content.decode()
    assert '<option value="primary care"' in page
