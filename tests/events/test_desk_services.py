"""What organisers do with an event besides its places: questions, pictures, copies, who organises it."""

import io
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from events import services
from events.models import Answer, Event, Kind, Status, Visibility
from events.services.pictures import WIDTHS, picture_names
from kmnet.core.models import AuditEntry, DoomedFile
from kmnet.core.uploads import UploadRefused
from tests.factories import make_member
from tests.factories.events import make_event, make_registration, make_session_item
from tests.factories.groups import make_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser():
    return make_member(is_organiser=True)


@pytest.fixture
def event(organiser):
    return make_event(capacity=2, organisers=[organiser])


def line(label, kind="text", **more):
    return {"kind": kind, "label": label, "choices": [], "is_required": False, **more}


def asked(event):
    return list(event.questions.filter(is_asked=True).values_list("label", "kind", "order"))


def drawn(colour="teal"):
    out = io.BytesIO()
    Image.new("RGB", (900, 900), colour).save(out, format="PNG")
    return services.check_picture(SimpleUploadedFile("stage.png", out.getvalue(), "image/png"))


# --- questions ---------------------------------------------------------------------------------------------------------
def test_questions_are_set_in_their_order_and_at_most_ten(event, organiser):
    services.update_event(event=event, actor=organiser, questions=[line(f"Q{n}") for n in range(12)])
    assert asked(event) == [(f"Q{n}", "text", n + 1) for n in range(10)]


def test_question_left_out_goes_and_one_with_answers_is_kept_unasked(event, organiser):
    services.update_event(event=event, actor=organiser, questions=[line("Diet?"), line("Hopes?")])
    diet, hopes = event.questions.order_by("order")
    answer = Answer.objects.create(registration=make_registration(event=event), question=diet, value="none")
    services.update_event(event=event, actor=organiser, questions=[])
    assert list(event.questions.values_list("label", "is_asked")) == [("Diet?", False)]
    assert Answer.objects.get() == answer
    assert not event.questions.filter(pk=hopes.pk).exists()


def test_question_that_changes_its_kind_starts_anew_only_if_it_has_answers(event, organiser):
    services.update_event(event=event, actor=organiser, questions=[line("Diet?"), line("Hopes?")])
    diet, hopes = event.questions.order_by("order")
    Answer.objects.create(registration=make_registration(event=event), question=diet, value="none")
    changed = [
        line("Diet?", "consent", pk=diet.pk),
        line("Hopes?", "choice", choices=["a", "b"], pk=hopes.pk),
    ]
    services.update_event(event=event, actor=organiser, questions=changed)
    assert asked(event) == [("Diet?", "consent", 1), ("Hopes?", "choice", 2)]
    assert event.questions.filter(pk=diet.pk, is_asked=False, kind="text").exists()
    assert event.questions.get(label="Hopes?").pk == hopes.pk


# --- kind --------------------------------------------------------------------------------------------------------------
def test_event_becomes_hybrid_only_while_nobody_is_on_its_lists(event, organiser):
    somebody = make_registration(event=event, status=Status.UNPROVEN, guest_address="a@example.org")
    with pytest.raises(services.ListsTaken) as refused:
        services.update_event(event=event, actor=organiser, kind=Kind.HYBRID, venue="Leeds")
    assert refused.value.count == 1
    somebody.delete()
    changed = services.update_event(event=event, actor=organiser, kind=Kind.HYBRID, venue="Leeds")
    Event.objects.filter(pk=event.pk).update(online_capacity=5, online_overbooking=2)
    assert changed.ways == ("room", "online")
    back = services.update_event(event=event, actor=organiser, kind=Kind.WEBINAR)
    assert (back.online_capacity, back.online_overbooking) == (None, 0)
    services.update_event(event=make_event(organisers=[organiser]), actor=organiser, kind=Kind.WORKSHOP)


def test_a_moved_start_asks_anew_who_comes(event, organiser):
    come = make_registration(event=event, asked_at=event.created_at, said_yes_at=event.created_at)
    services.update_event(event=event, actor=organiser, summary="Other words")
    come.refresh_from_db()
    assert come.said_yes_at is not None
    later = timedelta(days=1)
    services.update_event(
        event=event, actor=organiser, starts_at=event.starts_at + later, ends_at=event.ends_at + later
    )
    come.refresh_from_db()
    assert (come.asked_at, come.said_yes_at, come.called_at) == (None, None, None)


# --- pictures ----------------------------------------------------------------------------------------------------------
def test_picture_is_drawn_in_two_widths_and_seen_by_whom_the_event_is_for(event, organiser):
    event = services.set_picture(event=event, actor=organiser, drawn=drawn(), alt="An empty stage")
    sizes = []
    for name in picture_names(event):
        with default_storage.open(name) as file, Image.open(file) as picture:
            sizes.append(picture.size)
    assert sizes == [(640, 360), (1280, 720)]
    address = reverse("events:picture", args=[event.pk, event.picture_key, WIDTHS[0]])
    response = Client().get(address)
    assert (response.status_code, response["Content-Type"]) == (200, "image/webp")
    assert response["X-Content-Type-Options"] == "nosniff"
    Event.objects.filter(pk=event.pk).update(visibility=Visibility.MEMBERS)
    assert Client().get(address).status_code == 302
    member = Client()
    member.force_login(make_member())
    assert member.get(address).status_code == 200
    for other in (f"{'0' * 32}/640", f"{event.picture_key}/641"):
        assert member.get(f"/events/pictures/{event.pk}/{other}/").status_code == 404


def test_picture_that_is_replaced_or_removed_takes_its_files_along(
    event, organiser, django_capture_on_commit_callbacks
):
    event = services.set_picture(event=event, actor=organiser, drawn=drawn(), alt="One")
    first = picture_names(event)
    with django_capture_on_commit_callbacks(execute=True):
        event = services.set_picture(event=event, actor=organiser, drawn=drawn("red"), alt="Two")
    assert [default_storage.exists(name) for name in first + picture_names(event)] == [
        False,
        False,
        True,
        True,
    ]
    with django_capture_on_commit_callbacks(execute=True):
        bare = services.remove_picture(event=event, actor=organiser)
    assert (bare.picture_key, bare.picture_alt, DoomedFile.objects.count()) == ("", "", 0)
    assert not any(default_storage.exists(name) for name in picture_names(event))


def test_what_is_no_picture_is_refused():
    with pytest.raises(UploadRefused):
        services.check_picture(SimpleUploadedFile("stage.png", b"<svg onload=alert(1)>", "image/png"))


def test_only_organisers_set_pictures(event):
    stranger = make_member(is_organiser=True)
    for deed in (
        lambda: services.set_picture(event=event, actor=stranger, drawn={}, alt="x"),
        lambda: services.remove_picture(event=event, actor=stranger),
    ):
        with pytest.raises(PermissionDenied):
            deed()


# --- once more ---------------------------------------------------------------------------------------------------------
def test_duplicate_has_everything_but_the_people(event, organiser):
    other = make_member()
    event.organisers.add(other)
    event.tags.set(["launch"])
    make_session_item(event=event, starts_at=event.starts_at + timedelta(minutes=10))
    make_registration(event=event)
    services.update_event(
        event=event, actor=organiser, questions=[line("Hopes?")], needs_approval=True, description="**Come**"
    )
    services.set_picture(event=event, actor=organiser, drawn=drawn(), alt="A stage")
    event.refresh_from_db()
    week = event.starts_at + timedelta(days=7)
    key = event.uid.partition("-")[2].partition("@")[0]
    copies = {
        services.duplicate_event(event=event, actor=organiser, starts_at=week, submit_key=key).pk
        for _press in range(2)
    }
    copy = Event.objects.get(pk=copies.pop())
    assert not copies
    assert (copy.title, copy.capacity, copy.needs_approval, copy.published_at) == (event.title, 2, True, None)
    assert copy.ends_at - copy.starts_at == event.ends_at - event.starts_at
    assert (copy.uid != event.uid, copy.sequence, copy.description_html) == (True, 0, event.description_html)
    assert copy.sessions.get().starts_at == week + timedelta(minutes=10)
    assert asked(copy) == [("Hopes?", "text", 1)]
    assert (set(copy.organisers.all()), list(copy.tags.names())) == ({organiser, other}, ["launch"])
    assert copy.registrations.count() == 0
    assert (copy.picture_alt, copy.picture_key != event.picture_key) == ("A stage", True)
    assert default_storage.exists(picture_names(copy)[0])


def test_only_organisers_of_the_event_duplicate_it(event):
    with pytest.raises(PermissionDenied):
        services.duplicate_event(
            event=event, actor=make_member(is_organiser=True), starts_at=event.starts_at + timedelta(days=1)
        )


# --- who organises -----------------------------------------------------------------------------------------------------
def test_organiser_leaves_only_when_somebody_else_is_there(event, organiser):
    with pytest.raises(services.LastOrganiser):
        services.remove_organiser(event=event, by=organiser, member=organiser)
    second = make_member()
    for _press in range(2):
        services.add_organiser(event=event, by=organiser, member=second)
    assert set(event.organisers.all()) == {organiser, second}
    for _press in range(2):
        services.remove_organiser(event=event, by=second, member=organiser)
    assert list(event.organisers.all()) == [second]


@pytest.mark.parametrize(("status", "is_active"), [("leaving", True), ("suspended", False)])
def test_organiser_who_is_away_is_nobody_to_hand_over_to(event, organiser, status, is_active):
    event.organisers.add(make_member(status=status, is_active=is_active))
    with pytest.raises(services.LastOrganiser):
        services.remove_organiser(event=event, by=organiser, member=organiser)


def test_strangers_and_pending_members_do_not_organise(event, organiser):
    with pytest.raises(PermissionDenied):
        services.add_organiser(event=event, by=make_member(is_organiser=True), member=make_member())
    with pytest.raises(PermissionDenied):
        services.add_organiser(event=event, by=organiser, member=make_member(status="pending"))
    with pytest.raises(PermissionDenied):
        services.remove_organiser(event=event, by=make_member(), member=organiser)


def test_organiser_of_a_groups_event_is_in_the_group(organiser):
    mate = make_member()
    group = make_group(mate, convenor=organiser)
    event = make_event(organisers=[organiser], visibility=Visibility.GROUP, group=group)
    with pytest.raises(services.NotInGroup):
        services.add_organiser(event=event, by=organiser, member=make_member())
    services.add_organiser(event=event, by=organiser, member=mate)
    assert set(event.organisers.all()) == {organiser, mate}


def test_what_admins_do_to_an_event_that_is_not_theirs_stands_in_the_log(event):
    admin, member = make_member(is_staff=True, is_superuser=True), make_member()
    services.add_organiser(event=event, by=admin, member=member)
    services.remove_organiser(event=event, by=admin, member=member)
    services.set_picture(event=event, actor=admin, drawn=drawn(), alt="A stage")
    services.postpone_event(event=event, actor=admin, reason="The hall is flooded")
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", "reason")) == [
        ("events.organiser_added", ""),
        ("events.organiser_removed", ""),
        ("events.edited", ""),
        ("events.postponed", "The hall is flooded"),
    ]
