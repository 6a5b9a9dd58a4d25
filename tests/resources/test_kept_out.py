"""What somebody may no longer see, or never might, is told by no side door; what others send breaks no reader."""

import json
import time

import pytest
from django.utils import timezone

from kmnet.core import activity
from kmnet.core.models import Activity, Notification
from kmnet.core.personal_data import parts
from resources import duplicates, fetching, matching, oai, services
from resources.formats import bibtex, csljson, ris
from resources.models import DoiRecord, ImportBatch, LinkRecord, Relation, Resource, SavedResource, UsedMark
from resources.services import batches, doi, handing_on, links, merging
from tests.factories.groups import make_group
from tests.factories.members import make_member
from tests.factories.resources import make_collection, make_resource, make_term

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator():
    return make_member(is_moderator=True)


# --- what was never in the library -----------------------------------------------------------------------------------
def refuse(resource, moderator):
    services.hide_resource(target=resource, actor=moderator, reason="An advertisement.")
    services.take_down(resource=resource, actor=moderator, reason="spam", why="An advertisement.")


def take_down(resource, moderator):
    services.take_down(resource=resource, actor=moderator, reason="spam", why="An advertisement.")


def merge(resource, moderator):
    merging.merge_resources(actor=moderator, kept=make_resource(), gone=resource, reason="The same.")


@pytest.mark.parametrize("end", [refuse, take_down, merge])
def test_what_was_held_and_never_shown_is_told_to_nobody_as_gone(client, moderator, end):
    sender = make_member()
    held = make_resource(title="Words about somebody", added_by=sender, state="held")
    oai.records().delete()  # the factory had it seen first
    end(held, moderator)
    answers = {}
    for name, user in (
        ("guest", None),
        ("member", make_member()),
        ("sender", sender),
        ("moderator", moderator),
    ):
        client.logout()
        if user:
            client.force_login(user)
        answers[name] = client.get(held.get_absolute_url()).status_code
    gone = 301 if end is merge else 410
    assert answers == {"guest": 302, "member": 404, "sender": gone, "moderator": gone}
    assert not oai.records().filter(pk=held.pk).exists()


def test_what_was_refused_and_comes_back_is_new(moderator):
    held = make_resource(added_by=make_member(), state="held")
    services.hide_resource(target=held, actor=moderator, reason="A doubt.")
    services.restore_resource(target=held, actor=moderator, reason="It is fine.")
    assert Resource.objects.published().get().published_at is not None


# --- what was closed to somebody ---------------------------------------------------------------------------------------
@pytest.fixture
def closed():
    """A record that `member` met, saved, used, was asked about; now a group keeps it, and calls it otherwise."""
    keeper, member = make_member(), make_member()
    record = make_resource(title="Known to all", added_by=keeper)
    own = make_resource(title="Of the member", added_by=member)
    make_collection(owner=member, items=[record, own])
    SavedResource.objects.create(member=member, resource=record)
    UsedMark.objects.create(member=member, resource=record)
    services.tell_story(
        actor=member, resource=record, telling=services.Telling(place="Here", people="Them", unnamed=True)
    )
    Relation.objects.create(resource=own, other=record, kind="related", added_by=member)
    handing_on.offer_resource(actor=keeper, resource=record, member=member)
    Resource.objects.filter(pk=record.pk).update(
        visibility="group", group=make_group(keeper), title="Inner words"
    )
    return member


def test_the_copy_of_one_s_data_tells_no_title_that_one_may_not_see(closed):
    copies = {part.key: list(part.export(closed)) for part in parts() if "library" in part.key}
    told = json.dumps(copies)
    assert "Inner words" not in told
    assert copies["library_collections"][0]["resources"] == ["Of the member"]
    assert [row["resource"] for row in copies["library_saved"]] == [""]
    assert len(copies["library_stories"]) == len(copies["library_used"]) == 1


def test_nobody_is_asked_to_look_after_what_they_may_no_longer_see(client, closed):
    for deed in Activity.objects.waiting().filter(verb="resources.offered"):
        activity.fan_out(activity_id=deed.pk)
    assert not Notification.objects.filter(recipient=closed).exists()
    client.force_login(closed)
    page = client.get("/library/kept/")
    assert (b"Inner words" in page.content, page.context["offer_count"]) == (False, 0)


@pytest.mark.parametrize(
    ("was", "wanted", "status"),
    [
        ("group", "members", 422),
        ("group", "public", 422),
        ("members", "public", 422),
        ("public", "members", 302),
    ],
)
def test_stories_are_not_opened_to_more_people_than_they_were_told_to(client, was, wanted, status):
    keeper, teller = make_member(), make_member()
    group = make_group(keeper, teller)
    record = make_resource(title="A guide", added_by=keeper, url="https://example.org/guide")
    Resource.objects.filter(pk=record.pk).update(visibility=was, group=group if was == "group" else None)
    telling = services.Telling(place="Our ward", people="Two of us", unnamed=was == "group")
    services.tell_story(actor=keeper, resource=record, telling=telling)  # one's own is one's own to open
    story = services.tell_story(actor=teller, resource=record, telling=telling)
    client.force_login(keeper)
    said = {
        "title": "A guide", "description": "For all.", "kind": make_term().pk, "language": "en",
        "url": "https://example.org/guide", "licence": "unknown", "visibility": wanted,
    }  # fmt: skip
    address = f"/library/{record.pk}/edit/"
    answer = client.post(address, said)
    assert answer.status_code == status
    record.refresh_from_db()
    assert record.visibility == (wanted if status == 302 else was)
    if status == 422:
        assert list(answer.context["form"].errors) == ["visibility"]
        services.take_back_story(actor=teller, story=story)
        assert client.post(address, said).status_code == 302


# --- what others send --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "item",
    [
        r'{"title": "A", "type": "\ud800"}',
        r'{"title": "A", "type": []}',
        r'{"title": "A", "custom": {"kind": "\udc00", "minutes": 1000000}}',
        r'{"title": "A", "id": "\u0000\ud800", "custom": {"minutes": -5}}',
    ],
)
def test_odd_csl_json_is_brought_in_all_the_same(item):
    member = make_member(is_host=True)
    batch = batches.begin_batch(actor=member, name="refs.json", data=f"[{item}]".encode())
    batches.read_batch(batch_id=batch.pk)
    batches.save_batch(actor=member, batch=batch, visibility="public", group=None, licence="unknown", tags=[])
    batches.carry_out_batch(batch_id=batch.pk)
    assert (Resource.objects.get().title, ImportBatch.objects.get().state) == ("A", "saved")


def test_a_type_that_is_not_stated_is_no_remark():
    assert not any("type" in words for words in csljson.read('[{"title": "A"}]')[0].problems)


def test_one_list_that_breaks_its_reader_keeps_no_other_from_being_read(monkeypatch):
    member, read = make_member(), []

    def reads(*, batch_id):
        read.append(batch_id)
        raise ValueError

    made = [batches.begin_batch(actor=member, name="a.json", data=b'[{"title": "A"}]').pk for _ in range(2)]
    ImportBatch.objects.update(created_at=timezone.now() - 2 * batches.TAKES_OVER)
    monkeypatch.setattr(batches, "read_batch", reads)
    batches.sweep_batches()
    assert sorted(read) == made


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (b'{"title": "A", "n": NaN, "m": 1e999}', "found"),
        (b'{"title": "A", "n": "\\ud800\\u0000"}', "found"),
        (b'{"title": "A", "n": ' + b"9" * 3000 + b"}", "found"),
        (b'{"title": "A", "n": ' + b"[" * 400 + b"]" * 400 + b"}", "failed"),
    ],
)
def test_what_an_agency_sends_is_kept_as_far_as_it_can_be(monkeypatch, body, state):
    answer = fetching.Answer(200, "application/vnd.citationstyles.csl+json", body)
    monkeypatch.setattr(fetching, "get", lambda *_args, **_how: answer)
    record = doi.ask_about(doi="10.1234/abc")
    doi.answer_doi(record_id=record.pk)
    assert DoiRecord.objects.get().state == state


def test_a_kind_of_content_that_is_none_is_a_failure_like_others(monkeypatch):
    answer = fetching.Answer(200, "te\0xt/\ud800", b"")
    monkeypatch.setattr(fetching, "fetch", lambda *_args, **_how: answer)
    monkeypatch.setattr(fetching, "get", lambda *_args, **_how: answer)
    doi.answer_doi(record_id=doi.ask_about(doi="10.1234/abc").pk)
    links.answer_link(record_id=links.ask_link(actor=make_member(), url="https://example.org/a").pk)
    assert (DoiRecord.objects.get().state, LinkRecord.objects.get().state) == ("failed", "failed")


@pytest.mark.parametrize("digits", ["9" * 18, "9" * 19, "9" * 5000, "²"])
def test_numbers_that_are_none_are_no_fault_of_ours(client, digits):
    member, record = make_member(), make_resource()
    client.force_login(member)
    assert client.get(f"/library/collections/new/?resource={digits}").status_code in (200, 404)
    stories = f"{record.get_absolute_url()}stories/?story={digits}"
    assert client.get(stories).status_code == 200


def test_thousands_of_editorials_are_compared_with_a_few():
    """Each of another author: every one would be compared with all before it, and with all of the library."""
    items = [
        {"title": "Editorial", "author": [{"family": f"Name{number}"}], "issued": {"date-parts": [[2010]]}}
        for number in range(400)
    ]
    items[399]["author"] = items[0]["author"]
    for number in range(60):
        make_resource(title="Editorial", creators=[f"Other {number}, A."], year=2010)
    vetoes, veto = [], duplicates.Marks.veto
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates.Marks, "veto", lambda *both: vetoes.append(1) or veto(*both))
        found = matching.find_many(viewer=make_member(), items=items)
    assert len(vetoes) <= 2 * matching.SAME * len(items)
    assert [number for number, like in enumerate(found) if like] == [399]
    assert found[399] == [{"row": 0, "because": "title"}]


def test_a_reference_of_very_many_lines_is_read_in_one_go():
    words = "x" * 60
    text = "TY  - JOUR\nTI  - A\nN2  - begins\n" + f"{words}\n" * 30_000 + "ER  - \n"
    begun = time.process_time()
    [row] = ris.read(text)
    assert row.extra["description"].startswith(f"begins {words} {words}")
    assert time.process_time() - begun < 2  # it was a copy of all before for each line


def test_a_month_that_is_no_number_is_left_out():
    [row] = bibtex.read("@article{a, title = {A}, year = 2010, month = {²}}")
    assert row.item["issued"] == {"date-parts": [[2010]]}
