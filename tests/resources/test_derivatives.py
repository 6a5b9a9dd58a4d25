"""Versions for those who need them differently: records of their own, one step from the original."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from kmnet.core import activity
from kmnet.core.models import Activity, AuditEntry, Notification
from members.models import Group, GroupMember, Standing, Status
from resources import services
from resources.models import Derivative, Resource
from resources.services import Details, Making
from tests.factories.members import make_member
from tests.factories.resources import RECORD_PAGE, make_resource, make_term, make_upload

pytestmark = pytest.mark.django_db
PLAIN = Making("plain-language", "lay", "two neighbours")


def details(title="In plain words", **fields):
    return Details(csl={"type": "document", "title": title}, description="Short words.", **fields)


def derive(actor, parent, making=PLAIN, **fields):
    return services.make_derivative(actor=actor, parent=parent, making=making, details=details(**fields))


def form_of(client, parent, kind="plain-language"):
    page = client.get(reverse("resources:derive", args=[parent.pk]) + f"?kind={kind}")
    form = page.context["form"]
    sent = {
        name: form[name].value() for name in form.fields if form[name].value() not in (None, "", [], False)
    }
    return {name: value for name, value in sent.items() if name not in ("files", "submit_key")}


def test_the_page_of_the_original_leads_with_it_and_shows_its_text(client):
    parent = make_resource(title="The trial", added_by=make_member())
    tie = derive(make_member(), parent)
    derive(make_member(), parent, Making("audio"), title="To listen to")
    page = client.get(parent.get_absolute_url())
    text = page.content.decode()
    assert (
        text.index("Which version do you need?")
        < text.index("In plain language</h2>")
        < text.index("What it is good for")
    )
    assert "Short words." in text
    assert "Checked by lay readers" in text
    assert "Not checked yet" in text
    assert [one.kind for one in page.context["family"].ties] == ["plain-language", "audio"]
    there = client.get(tie.child.get_absolute_url())
    assert there.context["family"].parent == parent
    assert there.context["family"].in_plain_words is None
    assert len(there.context["family"].ties) == 2


def test_the_form_fills_in_what_is_known_and_makes_the_record(client):
    audience, kind = make_term("audience", "carers"), make_term("type", "plain-language version")
    parent = make_resource(
        title="The trial",
        terms=[audience, make_term("type", "review")],
        tags=["mindlines"],
        licence="cc-by-4.0",
    )
    member = make_member(name="Ana da Silva")
    client.force_login(member)
    sent = form_of(client, parent)
    assert (sent["title"], sent["creators"], sent["licence"]) == (
        "The trial, in plain language",
        "Silva, Ana da",
        "cc-by-4.0",
    )
    made = client.post(
        reverse("resources:derive", args=[parent.pk]), {**sent, "text": "Short words.", "checked": "lay"}
    )
    tie = Derivative.objects.select_related("child").get()
    assert made["Location"] == tie.child.get_absolute_url()
    assert (tie.parent, tie.child.keeper, tie.child.description) == (parent, member, "Short words.")
    assert set(tie.child.terms.all()) == {audience, kind}
    assert [tag.name for tag in tie.child.tags.all()] == ["mindlines"]


def test_a_translation_keeps_its_authors(client):
    parent = make_resource(title="The trial", creators=["Kislov, Roman"])
    client.force_login(make_member(name="Ana Silva"))
    sent = {**form_of(client, parent, "translation"), "language": "pt", "url": "https://example.org/pt"}
    client.post(reverse("resources:derive", args=[parent.pk]), sent)
    item = Derivative.objects.get().child.csl
    assert [name["family"] for name in item["author"]] == ["Kislov"]
    assert [name["family"] for name in item["translator"]] == ["Silva"]


def test_a_member_who_made_it_is_linked_and_a_translator_is_not(client):
    parent = make_resource(creators=["Kislov, Roman"])
    andree = make_member(name="Andrée May", handle="andree")
    client.force_login(make_member())
    address = reverse("resources:derive", args=[parent.pk])
    sent = {"text": "x", "creators": "NHS\nle May, Andrée (@andree)"}
    assert client.post(address, {**form_of(client, parent), **sent}).status_code == 302
    child = Derivative.objects.get().child
    assert child.creator_names == ["NHS", "Andrée le May"]
    assert list(child.creator_links.values_list("position", "member")) == [(1, andree.pk)]
    page = client.post(address, {**form_of(client, parent, "translation"), **sent})
    assert page.context["form"].errors == {
        "creators": ["Translators are named without a handle: only authors are linked."]
    }


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"text"}),
        ({"text": "x", "title": ""}, {"title"}),
        ({"text": "x", "kind": "opera"}, {"kind"}),
        ({"text": "x" * 10_001}, {"text"}),
        ({"text": "x", "checked": "nobody", "checked_note": "my neighbour"}, {"checked"}),
        ({"files": "upload"}, {"may_share"}),
        ({"text": "x", "visibility": "group"}, {"visibility"}),
    ],
)
def test_what_is_wrong_stands_at_its_field(client, fields, wrong):
    parent = make_resource()
    client.force_login(make_member())
    sent = {**form_of(client, parent), **fields}
    if sent.get("files"):
        sent["files"] = make_upload("good.pdf")
    page = client.post(reverse("resources:derive", args=[parent.pk]), sent)
    assert page.status_code == 422
    assert set(page.context["form"].errors) == wrong
    assert Derivative.objects.count() == 0


def test_advice_is_given_while_typing_and_by_a_button_and_stops_nothing(client):
    parent, long = make_resource(), "The NHS " + "word " * 30
    client.force_login(make_member())
    part = client.post(reverse("resources:plain_words"), {"text": long}).content.decode()
    assert "more than 20 words" in part
    assert "NHS" in part
    address = reverse("resources:derive", args=[parent.pk])
    page = client.post(address, {**form_of(client, parent), "text": long, "look": "1"})
    assert page.status_code == 200
    assert "more than 20 words" in page.content.decode()
    assert long.strip() in page.content.decode()
    assert Derivative.objects.count() == 0
    assert client.post(address, {**form_of(client, parent), "text": long}).status_code == 302


def test_what_is_there_already_is_told_and_never_blocks(client):
    parent = make_resource(title="The trial", url="https://example.org/trial")
    member = make_member()
    client.force_login(member)
    twin = make_resource(title="In Portuguese", url="https://example.org/pt", visibility="members")
    address = reverse("resources:derive", args=[parent.pk])
    sent = {**form_of(client, parent, "translation"), "url": "https://www.example.org/pt/"}
    page = client.post(address, sent)
    assert page.status_code == 422
    assert [(one.resource, one.reason) for one in page.context["likenesses"]] == [
        (twin, "leads to the same address")
    ]
    assert 'name="anyway"' in page.content.decode()
    assert client.post(address, {**sent, "anyway": "1"}).status_code == 302
    # Of one title with the original and with other translations: that is no look-alike.
    other = {**form_of(client, parent, "translation"), "url": "https://example.org/trial"}
    assert client.post(address, other).status_code == 302


def test_one_form_sent_twice_makes_one(client):
    parent = make_resource()
    client.force_login(make_member())
    address = reverse("resources:derive", args=[parent.pk])
    key = client.get(address).context["form"]["submit_key"].value()
    sent = {**form_of(client, parent), "text": "x", "url": "https://example.org/x", "submit_key": key}
    first, second = (client.post(address, sent) for _press in range(2))
    assert first["Location"] == second["Location"]
    assert Derivative.objects.count() == 1


# --- no chains -----------------------------------------------------------------------------------------------------------
def test_what_was_made_from_another_has_none_of_its_own(client):
    parent, member = make_resource(), make_member()
    tie = derive(member, parent)
    with pytest.raises(services.NoChains):
        derive(member, tie.child)
    client.force_login(member)
    response = client.get(reverse("resources:derive", args=[tie.child.pk]))
    assert response["Location"] == reverse("resources:derive", args=[parent.pk])
    other = make_resource(added_by=member)
    for up, down in ((tie.child, other), (other, parent), (other, tie.child), (parent, parent)):
        with pytest.raises((services.NoChains, PermissionDenied)):
            services.tie_derivative(actor=member, parent=up, child=down, making=PLAIN)
    assert services.derivatives.chains() == 0


def test_two_records_are_tied_by_who_looks_after_one_of_them():
    keeper, other = make_member(), make_member()
    parent, child = make_resource(added_by=keeper), make_resource()
    with pytest.raises(PermissionDenied):
        services.tie_derivative(actor=other, parent=parent, child=child, making=PLAIN)
    tie = services.tie_derivative(actor=keeper, parent=parent, child=child, making=PLAIN)
    assert services.tie_derivative(actor=keeper, parent=parent, child=child, making=PLAIN) == tie


# --- who meets what ------------------------------------------------------------------------------------------------------
def test_only_what_the_reader_meets_stands_in_the_strip(client):
    parent = make_resource(title="The trial")
    open_to_all = derive(make_member(), parent)
    for_members = derive(make_member(), parent, Making("slides"), title="For us", visibility="members")
    hidden = derive(make_member(), parent, Making("video"), title="Hidden")
    Resource.objects.filter(pk=hidden.child_id).update(state="hidden")
    assert client.get(parent.get_absolute_url()).context["family"].ties == [open_to_all]
    client.force_login(make_member())
    page = client.get(parent.get_absolute_url())
    assert page.context["family"].ties == [open_to_all, for_members]
    assert "Hidden" not in page.content.decode()


def test_a_version_tells_nothing_of_an_original_that_the_reader_may_not_see(client):
    parent = make_resource(title="Secret plans")
    tie = derive(make_member(), parent)
    Resource.objects.filter(pk=parent.pk).update(visibility="members")
    page = client.get(tie.child.get_absolute_url())
    assert "Secret plans" not in page.content.decode()
    assert page.context["family"].ties == []


def test_what_a_group_keeps_stays_in_the_group(client):
    member, group = make_member(), Group.objects.create(slug="set", name="Set")
    GroupMember.objects.create(group=group, member=member, standing=Standing.MEMBER)
    parent = services.add_resource(actor=member, details=details("Ours", visibility="group", group=group))
    with pytest.raises(PermissionDenied):
        derive(member, parent)
    with pytest.raises(PermissionDenied):
        derive(make_member(), parent, visibility="group", group=group)
    client.force_login(member)
    client.post(reverse("resources:derive", args=[parent.pk]), {**form_of(client, parent), "text": "x"})
    child = Derivative.objects.get().child
    assert (child.visibility, child.group) == ("group", group)
    client.force_login(make_member())
    assert client.get(reverse("resources:derive", args=[parent.pk])).status_code == 404
    assert client.get(child.get_absolute_url()).status_code == 404


def test_silenced_members_make_none(client):
    parent, silenced = make_resource(), make_member(status=Status.SILENCED)
    client.force_login(silenced)
    assert client.get(reverse("resources:derive", args=[parent.pk])).status_code == 404
    with pytest.raises(PermissionDenied):
        derive(silenced, parent)


# --- afterwards ----------------------------------------------------------------------------------------------------------
def test_who_checked_it_is_said_by_its_keeper_alone(client):
    maker, keeper = make_member(), make_member()
    tie = derive(maker, make_resource(added_by=keeper), Making("plain-language"))
    address = reverse("resources:derivative", args=[tie.pk])
    sent = {"kind": "easy-read", "checked": "professional", "checked_note": "an editor"}
    for other in (keeper, make_member(), make_member(is_moderator=True)):
        client.force_login(other)
        assert client.post(address, sent).status_code == 404
    client.force_login(maker)
    assert client.post(address, {**sent, "checked": ""}).status_code == 422
    assert client.post(address, sent).status_code == 302
    tie.refresh_from_db()
    assert (tie.kind, tie.checked, tie.checked_note) == ("easy-read", "professional", "an editor")


def test_it_is_untied_by_a_keeper_or_by_a_moderator_with_a_reason(client):
    keeper, moderator = make_member(), make_member(is_moderator=True)
    parent = make_resource(added_by=keeper)
    first, second = derive(make_member(), parent), derive(make_member(), parent, Making("audio"), title="B")
    client.force_login(make_member())
    assert client.post(reverse("resources:untie", args=[first.pk])).status_code == 404
    client.force_login(moderator)
    for nothing in ("", " ", "\x00"):
        response = client.post(reverse("resources:untie", args=[first.pk]), {"reason": nothing})
        assert response.status_code == 422
    assert (
        client.post(reverse("resources:untie", args=[first.pk]), {"reason": "Another trial."}).status_code
        == 302
    )
    assert AuditEntry.objects.filter(verb="resources.untied", actor=moderator).count() == 1
    client.force_login(keeper)
    assert client.post(reverse("resources:untie", args=[second.pk])).status_code == 302
    assert Derivative.objects.count() == 0
    assert Resource.objects.count() == 3


def test_who_brought_the_original_is_told(client):
    keeper = make_member()
    tie = derive(make_member(), make_resource(added_by=keeper))
    for deed in Activity.objects.waiting():
        activity.fan_out(activity_id=deed.pk)
    assert list(Notification.objects.values_list("recipient", "activity__target_id")) == [
        (keeper.pk, tie.child_id)
    ]
    client.force_login(keeper)
    assert "made a version of something that you brought" in client.get("/notifications/").content.decode()


@pytest.mark.parametrize("count", [1, 50])
def test_the_strip_costs_the_same_at_any_length(client, count, django_assert_num_queries):
    parent, maker = make_resource(), make_member()
    for number in range(count):
        derive(maker, parent, title=f"Number {number}")
    client.get(parent.get_absolute_url())
    with django_assert_num_queries(RECORD_PAGE):
        response = client.get(parent.get_absolute_url())
    assert len(response.context["family"].ties) == count
