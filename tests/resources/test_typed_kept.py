"""What was typed on the care pages of the library outlives a login that ran out, and is forgotten once it is sent."""

import pytest
from django.urls import reverse

from resources.models import ResourceEdit
from resources.services import taking_down
from resources.services.batches import begin_batch, read_batch
from tests.factories.members import make_member
from tests.factories.resources import make_resource

pytestmark = pytest.mark.django_db
WHY = "A letter came, with reasons."


@pytest.fixture
def moderator():
    return make_member(is_moderator=True)


def comes_back(client, member, address: str, sent: dict):
    """The page that is met after signing in again, having sent this as a guest."""
    client.logout()
    asked = client.post(address, sent)
    assert asked["Location"].startswith("/accounts/login/?next=/library/")
    client.force_login(member)
    page = client.get(address, follow=True)
    assert WHY in page.content.decode()
    return page


@pytest.mark.parametrize(
    ("route", "field"),
    [
        ("take_down", "why"),
        ("redact", "reason"),
        ("merge", "reason"),
        ("delete_own", "note"),
        ("keeper", "handle"),
    ],
)
def test_words_come_back_after_signing_in_again(client, moderator, route, field):
    resource, other = (make_resource(added_by=moderator) for _count in range(2))
    if route in ("merge", "take_down"):  # reasons are asked where it is somebody else's
        resource.keeper = resource.added_by = make_member()
        resource.save()
    edit = ResourceEdit.objects.create(resource=resource, editor=moderator, before={"title": "Old"})
    numbers = [resource.pk, edit.pk] if route == "redact" else [resource.pk]
    query = f"?with={other.pk}" if route == "merge" else ""
    page = comes_back(client, moderator, reverse(f"resources:{route}", args=numbers) + query, {field: WHY})
    assert page.context["form"][field].value() == WHY


def test_the_reason_for_putting_back_comes_back_and_goes_once_sent(client, moderator):
    resource = make_resource()
    taking_down.take_down(resource=resource, actor=moderator, reason="spam", why="Why")
    undo = reverse("resources:undo_take_down", args=[resource.pk])
    assert comes_back(client, moderator, undo, {"reason": WHY}).status_code == 410
    assert client.post(undo, {"reason": WHY}, follow=True).status_code == 200
    taking_down.take_down(resource=resource, actor=moderator, reason="spam", why="Why")
    assert WHY not in client.get(resource.get_absolute_url()).content.decode()


def test_ticks_and_words_of_a_list_come_back(client):
    member = make_member()
    rows = b"title,author,year\nOne,Ana Silva,2020\nTwo,Ben Okri,2021\n"
    batch = begin_batch(actor=member, name="refs.csv", data=rows)
    read_batch(batch_id=batch.pk)
    address = reverse("resources:list", args=[batch.pk])
    sent = {
        "go": "save",
        "row": ["0", "1"],
        "take": "1",
        "tags": WHY,
        "visibility": "members",
        "licence": "cc0",
    }
    page = comes_back(client, member, address, sent)
    assert [row["taken"] for row in page.context["rows"]] == [False, True]
    batch.refresh_from_db()
    assert "taken" not in batch.chosen  # a GET changes nothing
    client.post(address, {**sent, "go": "keep", "tags": "other"})
    page = client.get(address)
    assert [row["taken"] for row in page.context["rows"]] == [False, True]
    assert page.context["form"]["tags"].value() == "other"
