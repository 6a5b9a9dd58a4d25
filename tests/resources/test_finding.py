"""Finding at any size: words inside files and stories, better spellings, facets that are not of the vocabulary, sorts."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.search import SearchVector
from django.http import QueryDict
from django.utils import timezone

from kmnet.core.search import CONFIG, AnyWords, SearchText, WordsBegun
from kmnet.core.uploads import TYPES
from members.models import Group, GroupMember, Standing
from resources.finding import Finder
from resources.finding import finder as module
from resources.finding.spelling import distance
from resources.hooks import search
from resources.models import LibraryWord, Resource, ResourceFile, ResourceText, ResourceUse, Story
from resources.services.words import gather_words
from tests.factories.members import make_member
from tests.factories.resources import make_resource, make_term

pytestmark = pytest.mark.django_db
GUEST = AnonymousUser()


def look(query="", viewer=GUEST, **more) -> Finder:
    return Finder(QueryDict(query), viewer, **more)


def titles(query="", viewer=GUEST, **more):
    return [resource.title for resource in look(query, viewer, **more).page]


def facet(finder, key):
    found = next((one for one in finder.facets if one.key == key), None)
    return {option.value: option.count for option in found.options} if found else {}


def give_file(resource, text="", *, content_type="application/pdf", state="clean"):
    """A file that was read, as resources.reading leaves it."""
    file = ResourceFile.objects.create(
        resource=resource,
        file="x",
        name="a.pdf",
        content_type=content_type,
        size=1,
        sha256="0" * 64,
        state=state,
    )
    if text:
        body = ResourceText.objects.create(file=file, state="done", text=text)
        vector = SearchVector("text", config=CONFIG, weight="D")
        ResourceText.objects.filter(pk=body.pk).update(search=vector)
    return file


def tell(resource, words, **fields):
    story = Story.objects.create(resource=resource, place="A ward", happened=words, **fields)
    Story.objects.filter(pk=story.pk).update(search=SearchVector("happened", config=CONFIG))
    return story


# --- inside files and stories ------------------------------------------------------------------------------------------
def test_the_words_of_a_file_find_its_record_and_say_where_they_stand():
    give_file(make_resource(title="A report"), "It speaks of hollyhocks in gardens.")
    titled = make_resource(title="Hollyhocks")
    finder = look("q=hollyhock")
    assert [(one.title, one.found_in) for one in finder.page] == [("Hollyhocks", ""), ("A report", "file")]
    assert finder.total == 2
    assert titled.pk in {one.pk for one in finder.found}
    assert search(SearchText("hollyhocks"), GUEST, 5).total == 2


def test_files_are_searched_only_for_those_who_may_open_them():
    resource = make_resource(title="Public page, files for members")
    resource.files_for = "members"
    resource.save(update_fields=["files_for"])
    give_file(resource, "hollyhocks")
    group = Group.objects.create(slug="g", name="G")
    inside, member = make_member(), make_member()
    GroupMember.objects.create(group=group, member=inside, standing=Standing.MEMBER)
    kept = make_resource(title="The group's")
    Resource.objects.filter(pk=kept.pk).update(visibility="group", group=group)
    give_file(kept, "hollyhocks")
    for state in ("pending", "infected"):
        due = {"scan_due_at": timezone.now()} if state == "pending" else {}
        file = give_file(make_resource(title=f"Its file is {state}"), "hollyhocks")
        ResourceFile.objects.filter(pk=file.pk).update(state=state, **due)
    give_file(make_resource(title="Hidden", state="hidden"), "hollyhocks")
    assert titles("q=hollyhocks") == []
    assert titles("q=hollyhocks", member) == ["Public page, files for members"]
    assert set(titles("q=hollyhocks", inside)) == {"Public page, files for members", "The group's"}
    assert search(SearchText("hollyhocks"), GUEST, 5).total == 0


def test_stories_are_found_unless_hidden_and_what_did_not_work_is_a_filter():
    tool, guide, plain = (make_resource(title=title) for title in ("Tool", "Guide", "Plain"))
    tell(tool, "The marigolds convinced the board", did_not_work=False)
    tell(guide, "The marigolds convinced nobody", did_not_work=True)
    tell(plain, "Hidden marigolds", did_not_work=True, state="hidden")
    finder = look("q=marigolds")
    assert {one.title: one.found_in for one in finder.page} == {"Tool": "story", "Guide": "story"}
    assert facet(look(), "stories") == {"told": 2, "did-not-work": 1}
    assert titles("stories=did-not-work") == ["Guide"]
    assert titles("stories=told&sort=title") == ["Guide", "Tool"]


def test_hints_find_by_words_that_are_still_typed_and_by_any_of_several():
    make_resource(title="Brokering between worlds")
    assert [hit.title for hit in search(WordsBegun("broker"), GUEST, 5).hits] == ["Brokering between worlds"]
    assert [hit.title for hit in search(AnyWords("how do you do brokering at all"), GUEST, 5).hits] != []


# --- better spellings --------------------------------------------------------------------------------------------------
def test_nothing_found_shows_what_was_meant_and_a_link_to_it(client):
    make_resource(title="Brokering between worlds", published_at=timezone.now() - module.LATELY * 2)
    gather_words()
    finder = look("q=brokerign+wolrds")
    assert [one.title for one in finder.page] == ["Brokering between worlds"]
    assert (finder.instead, finder.meant_query) == ("brokering worlds", "?q=brokering+worlds")
    page = client.get("/library/?q=brokerign").content.decode()
    assert 'href="?q=brokering"' in page
    assert "Nothing has exactly these words" in page


def test_little_found_asks_whether_something_else_was_meant(client):
    make_resource(title="Mobilisation of words")
    for number in range(3):
        make_resource(title=f"Mobilising {number} mobilization")
    gather_words()
    LibraryWord.objects.filter(word="mobilization").delete()
    page = client.get("/library/?q=mobilization").content.decode()
    assert "Did you mean:" in page
    assert "Did you mean:" not in client.get("/library/?q=words").content.decode()


def test_no_spelling_is_offered_that_finds_nothing_for_this_person():
    make_resource(
        title="Xylographs of members", visibility="members", published_at=timezone.now() - module.LATELY * 2
    )
    gather_words()
    assert LibraryWord.objects.filter(word="xylographs").exists()
    assert (titles("q=xylograpsh"), look("q=xylograpsh").meant) == ([], "")
    assert titles("q=xylograpsh", make_member()) == ["Xylographs of members"]


def test_words_of_a_group_and_of_what_is_hidden_are_not_gathered():
    group = Group.objects.create(slug="g", name="G")
    kept = make_resource(title="Zwischenraum")
    Resource.objects.filter(pk=kept.pk).update(visibility="group", group=group)
    make_resource(title="Verborgen", state="hidden")
    shown = make_resource(title="Sichtbar", tags=["Étiquette"], terms=[make_term("audience", "carers")])
    gather_words()
    words = set(LibraryWord.objects.values_list("word", flat=True))
    assert words >= {"sichtbar", "etiquette", "carers"}
    assert not words & {"zwischenraum", "verborgen"}
    shown.state = "hidden"
    shown.save(update_fields=["state"])
    gather_words()
    assert not LibraryWord.objects.filter(word="sichtbar").exists()


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("word", "word", 0),
        ("wrod", "word", 1),
        ("wolrds", "worlds", 1),
        ("evidnce", "evidence", 1),
        ("abc", "xyz", 3),
    ],
)
def test_slips_of_a_finger_are_counted(one, other, apart):
    assert distance(one, other) == distance(other, one) == apart


def test_what_is_quoted_is_meant_as_it_stands():
    make_resource(title="Brokering", published_at=timezone.now() - module.LATELY * 2)
    gather_words()
    assert titles('q="brokerign"') == []


# --- facets and sorts --------------------------------------------------------------------------------------------------
def test_time_and_format_are_facets_with_counts():
    short, hour, long_, open_end = (make_resource(title=t) for t in ("Short", "Hour", "Long", "Open"))
    for resource, minutes in ((short, 15), (hour, 16), (long_, 300)):
        resource.minutes = minutes
        resource.save(update_fields=["minutes"])
    give_file(short)
    give_file(short)
    give_file(hour, content_type="video/mp4")
    give_file(
        long_,
        state="clean",
        content_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    )
    finder = look()
    assert facet(finder, "time") == {"15": 1, "60": 1, "more": 1}
    assert facet(finder, "format") == {"pdf": 1, "video": 1, "text": 1, "link": 1}
    assert set(titles("time=15&time=60")) == {"Short", "Hour"}
    assert set(titles("format=video&format=link")) == {"Hour", "Open"}
    assert facet(look("time=15"), "format") == {}  # one value: nothing to choose
    assert facet(look("time=15&time=60"), "format") == {"pdf": 1, "video": 1}
    assert facet(look("time=15"), "time") == {"15": 1, "60": 1, "more": 1}
    assert titles("sort=shortest") == ["Short", "Hour", "Long", "Open"]
    Resource.objects.filter(pk=long_.pk).update(popularity=9)
    Resource.objects.filter(pk=open_end.pk).update(popularity=3)
    assert titles("sort=used")[:2] == ["Long", "Open"]


def test_each_kind_of_file_that_is_taken_is_counted_where_it_is_found():
    for name, (_kind, content_type, _how) in TYPES.items():
        give_file(make_resource(title=name), content_type=content_type)
    counts = facet(look(), "format")
    assert counts == {key: look(f"format={key}").total for key in counts}
    assert sum(counts.values()) == len(TYPES)
    assert set(titles("format=table")) == {"xlsx", "ods", "csv"}


def test_terms_and_tags_stand_on_the_record_whoever_changes_them():
    guide, video = make_term("type", "guide"), make_term("type", "video")
    resource = make_resource(terms=[guide], tags=["one", "two"])
    resource.refresh_from_db()
    assert (resource.term_ids, len(resource.tag_ids)) == ([guide.pk], 2)
    resource.resource_terms.update(term=video)
    resource.resource_tags.filter(tag__name="one").delete()
    resource.refresh_from_db()
    assert (resource.term_ids, len(resource.tag_ids)) == ([video.pk], 1)


def test_beyond_many_the_numbers_get_a_plus_and_the_list_goes_on(client, monkeypatch):
    guide = make_term("type", "guide")
    for number in range(7):
        make_resource(title=f"Tools of {number}", terms=[guide])
    monkeypatch.setattr(module, "WHOLE", -1)
    monkeypatch.setattr(module, "MANY", 5)
    monkeypatch.setattr(module, "PAGE_SIZE", 3)
    page = client.get("/library/?sort=title").content.decode()
    assert "More than 5 resources" in page
    assert '<span class="n">5+</span>' in page
    seen, query = [], QueryDict("sort=title")
    while query is not None:
        finder = Finder(query, GUEST)
        seen += [one.title for one in finder.page]
        query = QueryDict(finder.page.next_query[1:]) if finder.page.next_query else None
    assert seen == [f"Tools of {number}" for number in range(7)]
    assert len(titles("q=tools")) == 3  # the best of those that were looked at
    assert Finder(QueryDict("q=tools"), GUEST).found.count() == 7  # for exports


def test_a_library_that_is_not_large_is_looked_at_whole(client, monkeypatch):
    guide, video = make_term("type", "guide"), make_term("type", "video")
    for number in range(9):
        make_resource(title=f"Tools of {number}", terms=[guide if number < 7 else video])
    monkeypatch.setattr(module, "MANY", 2)
    monkeypatch.setattr(module, "PAGE_SIZE", 3)
    assert ">2 resources<" in client.get("/library/?type=video").content.decode()
    assert facet(look("type=video"), "type") == {"guide": 7, "video": 2}
    seen, query = [], QueryDict("q=tools")
    while query is not None:
        finder = Finder(query, GUEST)
        assert (finder.total, finder.many) == (9, False)
        seen += [one.title for one in finder.page]
        query = QueryDict(finder.page.next_query[1:]) if finder.page.next_query else None
    assert sorted(seen) == [f"Tools of {number}" for number in range(9)]


def test_of_a_large_library_each_facet_with_a_choice_looks_at_fewer(monkeypatch):
    guide, carers = make_term("type", "guide"), make_term("audience", "carers")
    for number in range(9):
        make_resource(title=f"Tools of {number}", terms=[guide, carers])
    monkeypatch.setattr(module, "WHOLE", -1)
    monkeypatch.setattr(module, "MANY", 6)
    finder = look("type=guide&audience=carers")
    assert (finder.total, finder.many) == (6, True)
    counts = {one.key: (one.options[0].count, one.at_least) for one in finder.facets}
    assert (counts["type"], counts["audience"]) == ((1, True), (1, True))  # 6 // 2 // 2


@pytest.mark.parametrize("count", [1, 50])
def test_a_look_with_all_of_it_costs_the_same_at_any_length(client, count, django_assert_num_queries):
    guide, carers = make_term("type", "guide"), make_term("audience", "carers")
    for number in range(count):
        resource = make_resource(title=f"Kitchen tables {number}", terms=[guide, carers])
        give_file(resource, "words about hollyhocks")
    gather_words()
    client.get("/library/?q=hollyhocks")  # how Postgres reads the words is kept from now on
    # the vocabulary, what is inside files and stories, what there is to be counted, the records, how many used them
    with django_assert_num_queries(5 if count > 4 else 6):  # little found: what else may be meant
        client.get("/library/?q=hollyhocks&type=guide&audience=carers&language=en&format=pdf")


def test_a_card_says_how_many_used_it(client):
    for title, used in (("Nobody", 0), ("One", 1), ("Two", 2)):
        ResourceUse.objects.create(resource=make_resource(title=title), used=used, read=9)
    page = client.get("/library/?sort=title").content.decode()
    assert re.findall(r"Used by \d+ members?", page) == ["Used by 1 member", "Used by 2 members"]


def test_a_tag_that_nobody_uses_finds_nothing_and_one_is_found_however_it_is_written():
    make_resource(title="Tagged", tags=["Mind Lines"])
    assert titles("tag=mind lines") == ["Tagged"]
    assert titles("tag=nobody uses this") == []
