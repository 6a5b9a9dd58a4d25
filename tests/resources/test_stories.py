"""“I used this”: who may tell, what readers see, and that nobody learns who told a story without their name."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from kmnet.core import activity, moderation
from kmnet.core.models import Activity, AuditEntry, Notification, OutgoingMail
from members.models import Boundary, Member, Status
from resources import services
from resources.models import Story, StoryMask, UsedMark
from resources.services import Telling
from tests.factories.members import make_member
from tests.factories.resources import RECORD_PAGE, make_resource

pytestmark = pytest.mark.django_db
SAID = {
    "place": "A ward",
    "people": "Nurses",
    "changed": "The last column",
    "happened": "They rang us",
    "again": "yes",
}


def tell(author, resource, **fields):
    return services.tell_story(actor=author, resource=resource, telling=Telling(**{**SAID, **fields}))


def told_of(resource, client) -> str:
    return client.get(reverse("resources:stories", args=[resource.pk, resource.slug])).content.decode()


def fan_out():
    for deed in Activity.objects.waiting():
        activity.fan_out(activity_id=deed.pk)


# --- telling -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"happened": "It worked"}, 422),
        ({"again": "no"}, 422),
        ({"happened": "It worked", "again": "no"}, 302),
        ({"place": "Here", "changed": "All"}, 302),
        ({"place": "x" * 300, "happened": "y" * 300}, 302),
        ({"place": "x" * 301, "happened": "y"}, 422),
        ({"happened": " ", "place": "Here"}, 422),
        ({"again": "perhaps", "place": "Here", "happened": "It"}, 422),
    ],
)
def test_two_of_five_with_three_hundred_characters_each(client, said, status):
    resource = make_resource()
    client.force_login(make_member())
    response = client.post(reverse("resources:tell", args=[resource.pk]), said)
    assert response.status_code == status
    assert Story.objects.count() == (status == 302)
    for words in said.values():
        if status == 422 and len(words) < 300 and words.strip() and words != "perhaps":
            assert words in response.content.decode()


def test_one_form_sent_twice_is_one_story(client):
    resource = make_resource()
    client.force_login(make_member())
    address = reverse("resources:tell", args=[resource.pk])
    key = client.get(address).context["form"]["submit_key"].value()
    for _press in range(2):
        assert client.post(address, {**SAID, "submit_key": key}).status_code == 302
    assert Story.objects.count() == 1


def test_the_key_of_another_ones_form_gives_nobody_their_story():
    resource, one, other = make_resource(), make_member(), make_member()
    story = tell(one, resource)
    Story.objects.filter(pk=story.pk).update(submit_key="00000000-0000-4000-8000-000000000001")
    mine = services.tell_story(
        actor=other,
        resource=resource,
        telling=Telling(**SAID),
        submit_key="00000000-0000-4000-8000-000000000001",
    )
    assert (mine.author, mine.pk == story.pk) == (other, False)


def test_who_may_not_write_or_see_tells_nothing(client):
    resource, members_only = make_resource(), make_resource(visibility="members", state="hidden")
    silenced = make_member(status=Status.SILENCED)
    client.force_login(silenced)
    assert client.post(reverse("resources:tell", args=[resource.pk]), SAID).status_code == 404
    with pytest.raises(PermissionDenied):
        tell(silenced, resource)
    client.force_login(make_member())
    assert client.post(reverse("resources:tell", args=[members_only.pk]), SAID).status_code == 404
    assert Story.objects.count() == 0


def test_no_more_than_five_by_one_member_about_one_thing(client):
    resource, author = make_resource(), make_member()
    for _number in range(5):
        tell(author, resource)
    with pytest.raises(services.TooManyStories):
        tell(author, resource)
    client.force_login(author)
    assert client.post(reverse("resources:tell", args=[resource.pk]), SAID).status_code == 422
    tell(make_member(), resource)


# --- reading -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 50])
def test_stories_cost_the_same_at_any_number(client, count, django_assert_num_queries):
    resource = make_resource()
    Story.objects.bulk_create(
        Story(resource=resource, author=make_member(), **SAID) for _number in range(count)
    )
    address = reverse("resources:stories", args=[resource.pk, resource.slug])
    client.get(address)
    client.get(resource.get_absolute_url())  # kinds of content are kept from now on
    with django_assert_num_queries(2):  # the record, its stories with their authors
        response = client.get(address)
    assert len(response.context["stories"]) == min(count, 20)
    with django_assert_num_queries(RECORD_PAGE):
        response = client.get(resource.get_absolute_url())
    assert (len(response.context["stories"]), response.context["told_in_all"]) == (min(count, 4), count)


def test_what_did_not_work_is_a_list_of_its_own(client):
    resource = make_resource()
    bad, good = tell(make_member(), resource, did_not_work=True), tell(make_member(), resource)
    address = reverse("resources:stories", args=[resource.pk, resource.slug])
    assert client.get(address).context["stories"] == [good, bad]
    assert client.get(f"{address}?show=did-not-work").context["stories"] == [bad]


def test_a_link_leads_to_its_story_on_any_page(client):
    resource = make_resource()
    first = tell(make_member(), resource, place="The very first")
    for _number in range(20):
        tell(make_member(), resource)
    first.resource = resource
    shown = client.get(first.get_absolute_url()).context["stories"]
    assert shown[0] == first
    assert len(shown) == 21
    other = tell(make_member(), make_resource())
    address = reverse("resources:stories", args=[resource.pk, resource.slug])
    for odd in (other.pk, "0", "x", "²", 10**30):
        assert len(client.get(f"{address}?story={odd}").context["stories"]) == 20


def test_words_of_those_whom_the_reader_keeps_away_are_not_there(client):
    resource, reader, away = make_resource(), make_member(), make_member()
    tell(away, resource)
    left = tell(make_member(), resource)
    Boundary.objects.create(owner=reader, other=away, distance="ignore")
    Member.objects.filter(pk=reader.pk).update(keeps_away=True)
    client.force_login(Member.objects.get(pk=reader.pk))
    address = reverse("resources:stories", args=[resource.pk, resource.slug])
    assert client.get(address).context["stories"] == [left]
    assert client.get(resource.get_absolute_url()).context["stories"] == [left]


# --- without a name ----------------------------------------------------------------------------------------------------
def test_a_story_without_a_name_names_its_author_nowhere(client):
    keeper, author = make_member(), make_member(name="Zuzanna Quill")
    resource = make_resource(added_by=keeper)
    story = tell(author, resource, unnamed=True)
    tell(author, make_resource(title="Another"), place="With my name")
    fan_out()
    for reader in (None, make_member(), keeper, make_member(is_moderator=True, is_staff=True)):
        client.logout()
        if reader:
            client.force_login(reader)
        for address in (
            resource.get_absolute_url(),
            reverse("resources:stories", args=[resource.pk, resource.slug]),
            "/notifications/",
            reverse("hub:moderation_case", args=["resources.story", story.pk]),
        ):
            page = client.get(address).content.decode()
            assert "Zuzanna" not in page, (reader, address)
            assert author.handle not in page, (reader, address)
        profile = client.get(reverse("members:contributions", args=[author.handle]) + "?kind=stories")
        assert resource.title not in profile.content.decode()
    deed = Activity.objects.get(verb="resources.told", data__story=story.pk)
    assert deed.actor is None
    assert Notification.objects.filter(activity=deed).values_list("recipient", flat=True)[0] == keeper.pk


def test_its_author_still_changes_it_and_may_put_their_name_to_it(client):
    author, resource = make_member(), make_resource()
    story = tell(author, resource, unnamed=True)
    client.force_login(make_member())
    assert client.get(reverse("resources:story_edit", args=[story.pk])).status_code == 404
    client.force_login(author)
    page = client.get(reverse("resources:story_edit", args=[story.pk]))
    assert page.context["form"].initial["unnamed"] is True
    client.post(reverse("resources:story_edit", args=[story.pk]), {**SAID, "place": "A ward in Leeds"})
    story.refresh_from_db()
    assert (story.author, story.place, StoryMask.objects.count()) == (author, "A ward in Leeds", 0)


def test_taking_the_name_away_takes_it_out_of_what_was_told(client):
    author, keeper = make_member(name="Zuzanna Quill"), make_member()
    resource = make_resource(added_by=keeper)
    story = tell(author, resource)
    fan_out()
    assert Notification.objects.filter(recipient=keeper).count() == 1
    services.edit_story(actor=author, story=story, telling=Telling(**SAID, unnamed=True))
    story.refresh_from_db()
    assert (story.author, story.mask.author) == (None, author)
    assert Activity.objects.filter(verb="resources.told").count() == 0
    assert "Zuzanna" not in told_of(resource, client)


# --- taking back, hiding -----------------------------------------------------------------------------------------------
def test_its_author_takes_it_back_and_nobody_else_does(client):
    author, resource = make_member(), make_resource()
    story = tell(author, resource, unnamed=True)
    address = reverse("resources:story_take_back", args=[story.pk])
    for other in (make_member(), make_member(is_moderator=True)):
        client.force_login(other)
        assert client.post(address).status_code == 404
    client.force_login(author)
    assert client.get(address).status_code == 200
    assert Story.objects.count() == 1
    assert client.post(address).status_code == 302
    assert (Story.objects.count(), StoryMask.objects.count(), Activity.objects.count()) == (0, 0, 0)


def test_a_moderator_hides_it_and_its_author_is_told(client):
    author, moderator = make_member(name="Zuzanna Quill"), make_member(is_moderator=True, is_staff=True)
    resource = make_resource()
    story = tell(author, resource, unnamed=True)
    client.force_login(make_member())
    assert client.get(reverse("hub:report", args=["resources.story", story.pk])).status_code == 200
    client.post(reverse("hub:report", args=["resources.story", story.pk]), {"reason": "identifies"})
    client.force_login(moderator)
    case = reverse("hub:moderation_case", args=["resources.story", story.pk])
    assert "They rang us" in client.get(case).content.decode()
    client.post(case, {"decision": "hide", "act": "hide", "reason": "It names a patient."})
    story.refresh_from_db()
    if story.state == Story.State.VISIBLE:  # the form of the desk is tested in tests/hub
        kind = moderation.kind_of(Story)
        kind.hide(target=story, actor=moderator, reason="It names a patient.")
        story.refresh_from_db()
    assert story.state == Story.State.HIDDEN
    assert AuditEntry.objects.filter(verb="resources.story_hidden").count() == 1
    client.force_login(make_member())
    assert "They rang us" not in told_of(resource, client)
    assert client.get(resource.get_absolute_url()).context["stories"] == []
    client.force_login(author)
    story.resource = resource
    assert "It names a patient." in client.get(story.get_absolute_url()).content.decode()
    with pytest.raises(PermissionDenied):
        services.edit_story(actor=author, story=story, telling=Telling(**SAID))
    assert set(OutgoingMail.objects.filter(kind__contains="hidden").values_list("member", flat=True)) <= {
        author.pk
    }
    with pytest.raises(PermissionDenied):
        services.restore_story(target=story, actor=author, reason="Please")
    services.restore_story(target=story, actor=moderator, reason="It does not.")
    assert "They rang us" in told_of(resource, client)


def test_stories_go_with_the_right_to_see_the_record(client):
    resource = make_resource(visibility="members")
    story = tell(make_member(), resource)
    assert list(Story.objects.visible_to(make_member())) == [story]
    assert list(Story.objects.visible_to(make_member(status=Status.PENDING))) == []
    address = reverse("resources:stories", args=[resource.pk, resource.slug])
    assert client.get(address).status_code == 302
    client.force_login(make_member())
    assert client.get(address)["X-Robots-Tag"] == "noindex"


def test_an_unsigned_story_leaves_with_its_author(client):
    author, resource = make_member(), make_resource()
    tell(author, resource, unnamed=True)
    tell(author, resource)
    services.forget_adder(member=author, keep_words=False)
    assert (Story.objects.count(), Activity.objects.count()) == (0, 0)


# --- one tap -----------------------------------------------------------------------------------------------------------
def test_one_tap_counts_once_and_is_taken_back(client):
    resource, member = make_resource(), make_member()
    address = reverse("resources:used", args=[resource.pk])
    client.force_login(member)
    for _press in range(2):
        assert client.post(address, {"on": "1"}).status_code == 302
    assert list(UsedMark.objects.values_list("member", "resource")) == [(member.pk, resource.pk)]
    page = client.get(resource.get_absolute_url()).content.decode()
    assert "You said that you used it" in page
    part = client.post(address, {"on": "0"}, headers={"HX-Request": "true"}).content.decode()
    assert "I used this" in part
    assert "<html" not in part
    assert UsedMark.objects.count() == 0


def test_who_brought_it_does_not_count(client):
    keeper = make_member()
    resource = make_resource(added_by=keeper)
    client.force_login(keeper)
    assert client.post(reverse("resources:used", args=[resource.pk]), {"on": "1"}).status_code == 404
    assert "Did you use it?" not in client.get(resource.get_absolute_url()).content.decode()
    with pytest.raises(PermissionDenied):
        services.mark_used(actor=keeper, resource=resource, on=True)
