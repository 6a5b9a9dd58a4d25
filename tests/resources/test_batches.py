"""Bringing in a list: read and shown, nothing before its sender says so, all or nothing, once."""

import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kmnet.core.activity import fan_out
from kmnet.core.models import Activity
from members.models import GroupMember
from resources import matching, services
from resources.formats import NotReadable
from resources.models import ImportBatch, LibrarySettings, Resource, ResourceTag
from resources.services import batches, bulk
from resources.services.batches import TooManyBatches, begin_batch, carry_out_batch, read_batch, save_batch
from tests.factories.groups import make_group
from tests.factories.members import make_member
from tests.factories.resources import make_resource, make_term, make_upload

LIBRARY = Path(settings.BASE_DIR) / "kmnet/demo/data/library.bib"
pytestmark = pytest.mark.django_db
BIB = """
@article{one, title = {The rise of the knowledge broker}, author = {Meyer, Morgan}, year = 2010,
  doi = {10.1177/1075547009359797}, journal = {Science Communication}, keywords = {brokers; primary care}}
@misc{two, title = {A plain guide}, author = {May, Andr\\'ee}, url = {https://example.org/guide}, year = 2019}
@misc{three, title = {A Plain Guide!}, author = {May, A.}, year = 2020}
@misc{four, author = {Nobody, N.}}
@article{one, title = {Twice the key}}
"""


@pytest.fixture
def member(client):
    member = make_member(is_host=True)  # whose records nobody looks at first
    client.force_login(member)
    return member


def begun(member, text=BIB, name="refs.bib"):
    batch = begin_batch(actor=member, name=name, data=text.encode())
    read_batch(batch_id=batch.pk)
    batch.refresh_from_db()
    return batch


def saved(member, batch, **said):
    said = {"visibility": "public", "group": None, "licence": "unknown", "tags": [], **said}
    save_batch(actor=member, batch=batch, **said)
    carry_out_batch(batch_id=batch.pk)
    batch.refresh_from_db()
    return batch


# --- reading -------------------------------------------------------------------------------------------------------------
def test_a_list_is_read_with_its_remarks_and_likenesses_and_nothing_is_saved(member):
    known = make_resource(title="Other words", doi="10.1177/1075547009359797".upper())
    hidden = make_resource(title="A plain guide", creators=["May, Andrée"], year=2019, state="hidden")
    batch = begun(member)
    assert batch.state == "ready"
    rows = [(row["item"].get("title"), row["line"], row["like"]) for row in batch.rows]
    assert rows == [
        ("The rise of the knowledge broker", 2, [{"id": known.pk, "because": "doi"}]),
        ("A plain guide", 4, []),
        ("A Plain Guide!", 5, [{"row": 1, "because": "title"}]),
        (None, 6, []),
        (None, 7, []),
    ]
    assert batch.rows[3]["problems"] == ["has no title"]
    assert batch.rows[4]["problems"] == ["another entry of this file has the same key"]
    assert batch.source == ""
    assert set(Resource.objects.values_list("pk", flat=True)) == {known.pk, hidden.pk}
    taken = [batches.is_taken(row, number, {}) for number, row in enumerate(batch.rows)]
    assert taken == [False, True, False, False, False]


def test_what_a_member_may_not_see_is_no_likeness(member):
    from tests.factories.groups import make_group

    theirs = make_resource(title="The rise of the knowledge broker", creators=["Meyer, M."], year=2010)
    Resource.objects.filter(pk=theirs.pk).update(visibility="group", group=make_group())
    assert begun(member).rows[0]["like"] == []


def test_nearly_the_same_title_is_alike_unless_a_veto_speaks(member):
    near = make_resource(title="The rise of a knowledge broker", creators=["Meyer, M."], year=2011)
    make_resource(title="The rise of the knowledge brokers", creators=["Meyer, M."], year=2015)
    make_resource(title="The rise of the knowledge brokers", creators=["Other, O."], year=2010)
    assert begun(member).rows[0]["like"] == [{"id": near.pk, "because": "title"}]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the rise of the knowledge broker", "the rise of a knowledge broker"),
        ("a plain guide", "a plain guide to brokering"),
        ("cafe 2019", "cafe 2020"),
        ("same", "same"),
        ("x", "y"),
    ],
)
def test_titles_are_as_alike_as_for_a_single_record(one, other):
    with connection.cursor() as cursor:
        cursor.execute("SELECT similarity(%s, %s)", [one, other])
        assert matching.similarity(one, other) == pytest.approx(cursor.fetchone()[0], abs=1e-6)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("refs.bib", b"<html>Sign in</html>", "There is no BibTeX entry"),
        ("refs.json", b"{broken", "JSON"),
        ("refs.ris", b"TY  - JOUR\n", ""),
    ],
)
def test_a_file_that_cannot_be_read_says_why(member, name, data, words):
    batch = begin_batch(actor=member, name=name, data=data)
    read_batch(batch_id=batch.pk)
    batch.refresh_from_db()
    assert batch.rows == [] or all(not row["item"] for row in batch.rows)
    assert words in batch.reason


def test_what_is_no_list_is_refused_at_once(client, member):
    for data in (
        b"\x89PNG\r\n\x1a\n\x00\x00",
        "Grüße".encode("latin-1"),
        b"just words",
        b"@" * (11 * 1024 * 1024),
    ):
        with pytest.raises(NotReadable):
            begin_batch(actor=member, name="file.txt", data=data)
    response = client.post("/library/import/", {"file": make_upload("refs.bib", b"\xff\xff@article")})
    assert response.status_code == 422
    assert response.context["form"].errors["file"][0].startswith("refs.bib: The file is not UTF-8 text")
    assert client.post("/library/import/", {}).status_code == 422
    assert not ImportBatch.objects.exists()


def test_a_reader_that_breaks_is_no_end_of_the_queue(member, monkeypatch):
    batch = begin_batch(actor=member, name="refs.bib", data=BIB.encode())
    monkeypatch.setattr(batches.formats, "read", lambda form, text: 1 / 0)
    read_batch(batch_id=batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.source) == ("failed", "")
    assert "could not be read" in batch.reason


def test_a_file_that_kills_its_readers_is_given_up(member, monkeypatch):
    batch = begin_batch(actor=member, name="refs.bib", data=BIB.encode())
    monkeypatch.setattr(batches.cache, "add", lambda *args: True)  # the mark of the reader has run out

    def killed(form, text):
        raise SystemExit

    monkeypatch.setattr(batches.formats, "read", killed)
    for _time in range(batches.MAX_TRIES):
        with pytest.raises(SystemExit):
            read_batch(batch_id=batch.pk)
    monkeypatch.undo()
    batches.cache.delete(f"import-reading:{batch.pk}")
    read_batch(batch_id=batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.source) == ("failed", "")


def test_a_member_has_a_few_lists_open_at_once(member):
    for _number in range(batches.OPEN_AT_ONCE):
        begin_batch(actor=member, name="refs.bib", data=BIB.encode())
    with pytest.raises(TooManyBatches):
        begin_batch(actor=member, name="refs.bib", data=BIB.encode())
    with pytest.raises(PermissionDenied):
        begin_batch(actor=make_member(status="silenced"), name="refs.bib", data=BIB.encode())


# --- saving --------------------------------------------------------------------------------------------------------------
def test_what_was_chosen_is_saved_with_what_holds_for_all(member):
    make_term("setting", "primary care")
    make_term("type", "research paper")
    batch = begun(member)
    batches.decide(actor=member, batch=batch, numbers=[0, 1, 2, 3], taken={0, 2, 3})
    batch = saved(member, batch, visibility="members", licence="cc-by-4.0", tags=["for us", "Brokers"])
    assert (batch.state, batch.made) == ("saved", 2)
    one, three = Resource.objects.order_by("pk")
    assert (one.title, one.doi, one.year) == (
        "The rise of the knowledge broker",
        "10.1177/1075547009359797",
        2010,
    )
    assert {(r.visibility, r.licence, r.added_by, r.keeper, r.state) for r in (one, three)} == {
        ("members", "cc-by-4.0", member, member, "visible")
    }
    assert sorted(tag.name for tag in one.tags.all()) == ["Brokers", "for us", "primary care"]
    assert sorted(term.name for term in one.terms.all()) == ["primary care", "research paper"]
    assert three.title == "A Plain Guide!"
    assert Activity.objects.count() == 0
    found = Resource.objects.extra(where=["search @@ plainto_tsquery('kmnet', 'meyer broker primary')"])
    assert list(found) == [one]


def test_many_at_once_are_as_one_by_one(member):
    """What is written in bulk is what add_resource writes."""
    make_term("type", "research paper")
    batch = begun(member)
    batches.decide(actor=member, batch=batch, numbers=[0], taken={0})
    saved(member, batch, tags=["x"])
    bulked = Resource.objects.get(doi="10.1177/1075547009359797")
    columns = [
        field.attname
        for field in Resource._meta.concrete_fields
        if field.name
        not in ("id", "created_at", "updated_at", "published_at", "import_key", "doi", "search", "tag_ids")
    ]
    Resource.objects.filter(pk=bulked.pk).update(doi="")
    details = services.Details(
        csl=bulked.csl,
        terms=list(bulked.terms.all()),
        tags=["x", "brokers", "primary care"],
        language=bulked.language,
    )
    alone = services.add_resource(actor=member, details=details)
    rows = Resource.objects.filter(pk__in=(bulked.pk, alone.pk)).values(*columns)
    assert rows[0] == rows[1]
    vectors = Resource.objects.filter(pk__in=(bulked.pk, alone.pk)).values_list("search", flat=True)
    weights = [sorted(re.sub(r"\d+", "", lexeme) for lexeme in vector.split()) for vector in vectors]
    assert weights[0] == weights[1]  # the tags may stand in another order


def test_saving_twice_is_once(member):
    batch = begun(member)
    for _time in range(2):
        save_batch(actor=member, batch=batch, visibility="public", group=None, licence="unknown", tags=[])
    for _time in range(3):
        carry_out_batch(batch_id=batch.pk)
    save_batch(actor=member, batch=batch, visibility="members", group=None, licence="unknown", tags=[])
    carry_out_batch(batch_id=batch.pk)
    assert Resource.objects.count() == 2
    assert Resource.objects.filter(visibility="public").count() == 2


def test_all_of_it_or_nothing(member, monkeypatch):
    batch = begun(member)
    monkeypatch.setattr(bulk, "write_vectors", lambda rows: 1 / 0)
    batch = saved(member, batch)
    assert (batch.state, batch.made, Resource.objects.count(), ResourceTag.objects.count()) == (
        "saving",
        0,
        0,
        0,
    )
    monkeypatch.undo()
    batches.sweep_batches()  # not due yet
    assert Resource.objects.count() == 0
    due_now(batch)
    for _time in range(2):
        batches.sweep_batches()
    batch.refresh_from_db()
    assert (batch.state, batch.made, batch.tries, Resource.objects.count()) == ("saved", 2, 2, 2)
    assert not Activity.objects.filter(verb="resources.list_not_saved").exists()


def due_now(batch):
    ImportBatch.objects.filter(pk=batch.pk).update(due_at=timezone.now())


@pytest.mark.parametrize("how", ["fails", "is killed"])
def test_what_cannot_be_saved_is_tried_a_few_times_and_then_told(client, member, monkeypatch, how):
    batch = begun(member)
    tries = []

    def fail(*args, **options):
        tries.append(1)
        raise ZeroDivisionError if how == "fails" else KeyboardInterrupt

    monkeypatch.setattr(batches, "add_many", fail)
    save_batch(actor=member, batch=batch, visibility="public", group=None, licence="unknown", tags=[])
    for _time in range(batches.SAVING_TRIES + 2):
        with suppress(KeyboardInterrupt):
            carry_out_batch(batch_id=batch.pk)
        with suppress(KeyboardInterrupt):
            carry_out_batch(batch_id=batch.pk)  # at once, again: not its turn
        due_now(batch)
    batch.refresh_from_db()
    assert (batch.state, len(tries), Resource.objects.count()) == ("ready", batches.SAVING_TRIES, 0)
    (deed,) = Activity.objects.filter(verb="resources.list_not_saved")
    assert fan_out(activity_id=deed.pk) == 1
    client.force_login(member)
    words = "Your list of references <a href"
    assert words in client.get("/notifications/").content.decode()
    page = client.get(f"/library/import/{batch.pk}/").content.decode()
    for said in (
        "Your list was not saved</h1>",
        "although we tried several times",
        "Your ticks and what you wrote are as you left them",
    ):
        assert said in page
    monkeypatch.undo()
    assert saved(member, batch).made == 2


def test_who_may_not_any_more_is_told_at_once(member):
    group = make_group(member)
    batch = begun(member)
    save_batch(actor=member, batch=batch, visibility="group", group=group, licence="unknown", tags=[])
    GroupMember.objects.filter(member=member).delete()
    carry_out_batch(batch_id=batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.tries, Resource.objects.count()) == ("ready", 1, 0)
    assert "Choose again who may see them." in batch.reason


def test_a_doi_that_is_held_stays_where_it_is(member):
    holder = make_resource(doi="10.1177/1075547009359797")
    batch = begun(member)
    batches.decide(actor=member, batch=batch, numbers=[0], taken={0})
    saved(member, batch)
    second = Resource.objects.get(title="The rise of the knowledge broker")
    holder.refresh_from_db()
    assert (holder.doi, second.doi, second.cited_doi) == (
        "10.1177/1075547009359797", "", "10.1177/1075547009359797",
    )  # fmt: skip


def test_a_doi_that_somebody_takes_in_that_very_moment_ends_nothing(member, monkeypatch):
    claim, taken = bulk._claim, []

    def claim_then_lose(made, stated):
        claim(made, stated)
        if not taken:
            taken.append(make_resource(doi="10.1177/1075547009359797"))

    monkeypatch.setattr(bulk, "_claim", claim_then_lose)
    assert saved(member, begun(member)).made == 2
    assert Resource.objects.filter(doi="10.1177/1075547009359797").get() == taken[0]


def test_tags_of_the_site_are_used_whatever_their_case_and_new_ones_get_a_slug(member):
    from taggit.models import Tag

    make_resource(tags=["BROKERS", "C"])
    text = "@misc{a, title={A}, keywords={brokers; C++; c#}}\n@misc{b, title={B}, keywords={Brokers; C++}}"
    assert saved(member, begun(member, text)).made == 2
    assert sorted(Tag.objects.values_list("name", flat=True)) == ["BROKERS", "C", "C++", "c#"]
    assert Tag.objects.values("slug").distinct().count() == 4


def test_a_newcomers_list_is_looked_at_first(client, first_looks):
    member = make_member()
    batch = saved(member, begun(member))
    assert set(Resource.objects.values_list("state", flat=True)) == {"held"}
    client.force_login(member)
    assert "A moderator looks at them" in client.get(f"/library/import/{batch.pk}/").content.decode()


def test_a_list_counts_as_one_of_the_day(member, monkeypatch):
    monkeypatch.setattr(LibrarySettings, "load", lambda: LibrarySettings(resources_per_day=2))
    saved(member, begun(member))
    assert batches.added_today(member) == 1
    services.add_resource(actor=member, details=services.Details(csl={"title": "Mine"}))
    with pytest.raises(ValidationError) as caught:
        saved(member, begun(member, "@misc{z, title = {Another}}"))
    assert caught.value.code == "day"


def test_only_its_sender_decides(member):
    batch, other = begun(member), make_member()
    for act in (
        lambda: batches.decide(actor=other, batch=batch, numbers=[0], taken=set()),
        lambda: saved(other, batch),
        lambda: batches.give_up(actor=other, batch=batch),
    ):
        with pytest.raises(PermissionDenied):
            act()
    from tests.factories.groups import make_group

    with pytest.raises(PermissionDenied):
        saved(member, batch, visibility="group", group=make_group())
    assert Resource.objects.count() == 0


def test_what_a_worker_left_is_taken_up_and_what_is_done_is_forgotten(member):
    reading = begin_batch(actor=member, name="refs.bib", data=BIB.encode())
    saving = begun(member, "@misc{z, title = {Another}}")
    save_batch(actor=member, batch=saving, visibility="public", group=None, licence="unknown", tags=[])
    late = timezone.now() - timedelta(minutes=3)
    ImportBatch.objects.update(created_at=late, due_at=late)
    batches.sweep_batches()
    states = dict(ImportBatch.objects.values_list("pk", "state"))
    assert states == {reading.pk: "ready", saving.pk: "saved"}
    ImportBatch.objects.update(created_at=timezone.now() - timedelta(days=8))
    batches.sweep_batches()
    left = ImportBatch.objects.get()
    assert (left.pk, left.rows, left.file_name, left.made) == (saving.pk, [], "", 1)


def test_five_hundred_rows_cost_few_statements(member):
    text = "\n".join(
        f"@article{{k{n}, title = {{Title number {n} of many}}, doi = {{10.1000/x{n}}}, year = 2020,"
        f" author = {{Family{n}, Given}}, keywords = {{tag {n % 40}; shared}}}}"
        for n in range(500)
    )
    batch = begun(member, text)
    save_batch(actor=member, batch=batch, visibility="public", group=None, licence="unknown", tags=[])
    with CaptureQueriesContext(
        connection,
    ) as captured:
        carry_out_batch(batch_id=batch.pk)
    assert Resource.objects.count() == 500
    assert len(captured) < 60


# --- on the pages --------------------------------------------------------------------------------------------------------
def test_from_the_file_to_the_library_without_scripts(client, member):
    started = client.post("/library/import/", {"file": make_upload("refs.bib", BIB.encode())})
    batch = ImportBatch.objects.get()
    page = f"/library/import/{batch.pk}/"
    assert (started.status_code, started["Location"]) == (302, page)
    assert "is being read" in client.get(page).content.decode()
    read_batch(batch_id=batch.pk)
    status = client.get(f"{page}status/")
    assert status["HX-Refresh"] == "true"
    shown = client.get(page)
    assert shown.context["tabs"] == [
        ("all", "All", 5), ("new", "New here", 2), ("known", "Here already, or twice in the file", 1),
        ("odd", "With a remark", 2),
    ]  # fmt: skip
    content = shown.content.decode()
    assert shown.context["taken_elsewhere"] == 0
    assert "Line 4 of this file has nearly the same title" in content
    kept = client.post(
        page, {"go": "show-known", "row": ["0", "1", "2"], "take": ["0", "2"], "tags": "mine", "visibility": "members",
               "licence": "cc0"}
    )  # fmt: skip
    assert kept["Location"] == f"{page}?page=1&show=known"
    shown = client.get(kept["Location"])
    assert [row["number"] for row in shown.context["rows"]] == [2]
    assert "1 more is ticked that is not shown here." in shown.content.decode()
    assert shown.context["form"]["tags"].value() == "mine"
    assert Resource.objects.count() == 0
    wrong = client.post(page, {"go": "save", "visibility": "members", "licence": "mine", "tags": "x" * 70})
    assert (wrong.status_code, sorted(wrong.context["form"].errors)) == (422, ["licence", "tags"])
    saving = client.post(page, {"go": "save", "visibility": "members", "licence": "cc0", "tags": "mine"})
    assert saving["Location"] == page
    assert "all of what you chose, or nothing" in client.get(page).content.decode()
    carry_out_batch(batch_id=batch.pk)
    assert "2 references are in the library" in client.get(page).content.decode()
    titles = set(Resource.objects.values_list("title", "visibility", "licence"))
    assert titles == {
        ("The rise of the knowledge broker", "members", "cc0"),
        ("A Plain Guide!", "members", "cc0"),
    }


def test_nobody_else_meets_a_list(client, member):
    batch = begun(member)
    for other in (
        make_member(),
        make_member(is_moderator=True),
        make_member(is_superuser=True, is_staff=True),
    ):
        client.force_login(other)
        for way in ("", "status/"):
            assert client.get(f"/library/import/{batch.pk}/{way}").status_code == 404
        assert client.post(f"/library/import/{batch.pk}/", {"go": "save"}).status_code == 404
        assert "refs.bib" not in client.get("/library/import/").content.decode()


def test_a_list_that_nobody_wants_is_forgotten(client, member):
    batch = begun(member)
    assert client.post(f"/library/import/{batch.pk}/", {"go": "give-up"}).status_code == 302
    assert not ImportBatch.objects.exists()


def test_a_list_dropped_into_the_first_field_is_taken_as_one(client, member):
    response = client.post(
        "/library/add/look-up/", {"files": make_upload("refs.ris", b"TY  - JOUR\nTI  - A\nER  - \n")}
    )
    batch = ImportBatch.objects.get()
    assert (response["Location"], batch.form) == (f"/library/import/{batch.pk}/", "ris")


@pytest.mark.parametrize("count", [1, 50])
def test_the_preview_costs_the_same_at_any_length(client, member, count, django_assert_num_queries):
    for number in range(count):
        make_resource(title=f"Known number {number} and so on", doi=f"10.1000/k{number}")
    text = "\n".join(f"@misc{{k{n}, title = {{Any {n}}}, doi = {{10.1000/k{n}}}}}" for n in range(count))
    batch = begun(member, text)
    client.get(f"/library/import/{batch.pk}/")
    with django_assert_num_queries(6):
        client.get(f"/library/import/{batch.pk}/")


def test_the_real_library_is_brought_in_whole(member):
    from kmnet.core.vocabulary import load_vocabulary

    load_vocabulary()
    assert saved(member, begun(member, LIBRARY.read_text())).made == 60
    again = begun(member, LIBRARY.read_text())
    assert [row for row in again.rows if not row["like"]] == []
