"""Out and in again: what the formats of reference managers take and give back."""

import csv
import io
import json
import re
from pathlib import Path

import bibtexparser
import pytest
import rispy
from bibtexparser.model import ParsingFailedBlock
from django.conf import settings
from hypothesis import given
from hypothesis import settings as often
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from resources import citing, formats
from resources.csl import clean_item
from resources.formats import FORMATS, NotReadable, bibtex, csljson, csvfile, ris, tags_in, tags_text, text_of
from resources.models import LibrarySettings, Resource
from resources.services import batches
from tests.factories.members import make_member
from tests.factories.resources import make_resource, make_term
from tests.resources.csl_schema import STRICT

LIBRARY = Path(settings.BASE_DIR) / "kmnet/demo/data/library.bib"
DATA = Path(__file__).parent / "data"
VALIDATOR = Draft202012Validator(STRICT)


@pytest.fixture(scope="module")
def rows():
    return bibtex.read(text_of(LIBRARY.read_bytes()))


def as_item(row) -> dict:
    """A row as our exports give the record that was made of it."""
    custom = {name: row.extra[name] for name in ("kind", "licence", "minutes") if name in row.extra}
    beside = {
        "id": row.key,
        "keyword": tags_text(row.extra.get("tags", [])),
        "abstract": row.extra.get("description"),
        "language": row.extra.get("language"),
        "custom": custom,
    }
    return row.item | {name: value for name, value in beside.items() if value}


def told(rows) -> list:
    """All that was read, without where it stood."""
    return [(row.item, row.extra) for row in rows]


# --- the sixty references --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", FORMATS)
def test_sixty_references_come_back_unchanged(rows, form):
    text = FORMATS[form].module.write(map(as_item, rows))
    again = formats.read(form, text_of(text.encode()))
    assert len(again) == 60
    assert told(again) == told(rows)
    assert [row.problems for row in again] == [
        [words for words in row.problems if words.startswith("no ")] for row in rows
    ]
    assert FORMATS[form].module.write(map(as_item, again)) == text


@pytest.mark.parametrize(("form", "name"), [("ris", "library.ris"), ("json", "library.json")])
def test_the_same_set_as_others_write_it_goes_through_every_format(rows, form, name):
    """The files were written once and are not written anew: a change of our writers does not move them."""
    begun = formats.read(form, text_of((DATA / name).read_bytes()))
    assert told(begun) == told(rows)
    for way in FORMATS.values():
        text = way.module.write(map(as_item, begun))
        begun = way.module.read(text_of(text.encode()))
    assert told(begun) == told(rows)


def test_bibtexparser_reads_our_bibtex(rows):
    library = bibtexparser.parse_string(bibtex.write(map(as_item, rows)))
    assert [block for block in library.blocks if isinstance(block, ParsingFailedBlock)] == []
    assert [entry.key for entry in library.entries] == [row.key for row in rows]
    assert library.entries_dict["kislov2017dark"].fields_dict["author"].value == (
        "Kislov, Roman and Wilson, Paul and Boaden, Ruth"
    )
    assert {entry.entry_type for entry in library.entries} <= {
        *("article", "book", "incollection", "inproceedings", "techreport", "phdthesis", "misc")
    }


def test_rispy_reads_our_ris(rows):
    entries = rispy.loads(ris.write(map(as_item, rows)))
    assert [entry["title"] for entry in entries] == [row.item["title"] for row in rows]
    assert [len(entry.get("authors", [])) for entry in entries] == [
        len(row.item.get("author", [])) for row in rows
    ]
    assert entries[0] == {
        "type_of_reference": "JOUR",
        "title": "The ‘dark side’ of knowledge brokering",
        "authors": ["Kislov, Roman", "Wilson, Paul", "Boaden, Ruth"],
        "year": "2017",
        "secondary_title": "Journal of Health Services Research & Policy",
        "volume": "22",
        "number": "2",
        "start_page": "107",
        "end_page": "112",
        "doi": "10.1177/1355819616653981",
        "abstract": rows[0].extra["description"],
        "custom2": "journal article",
        "id": "kislov2017dark",
        "keywords": rows[0].extra["tags"],
    }


def test_a_strict_schema_takes_our_csl_json(rows):
    written = json.loads(csljson.write(map(as_item, rows)))
    assert [error.message for error in VALIDATOR.iter_errors(written)] == []
    assert len(written) == 60


# --- any record ------------------------------------------------------------------------------------------------------
words = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Co", "Cn", "Zl", "Zp"))
    | st.sampled_from("{}\\%&$#_~^`'-\"=@+,;<>"),
    min_size=1,
    max_size=30,
)
whole_names = st.fixed_dictionaries(
    {"family": words}, optional={"given": words, "non-dropping-particle": st.sampled_from(["van", "de la"])}
)
names = st.lists(whole_names | st.fixed_dictionaries({"literal": words}), max_size=3)
years = st.lists(st.integers(1500, 2050), min_size=1, max_size=1)
items = st.fixed_dictionaries(
    {"type": st.sampled_from(["article-journal", "book", "report", "webpage", "thesis"]), "title": words},
    optional={
        "author": names,
        "editor": names,
        "issued": st.builds(lambda parts: {"date-parts": [parts]}, years),
        "container-title": words,
        "publisher": words,
        "volume": words,
        "note": words,
    },
).map(clean_item)


@often(max_examples=60, deadline=None)
@given(st.lists(items.filter(lambda item: item.get("title")), min_size=1, max_size=3))
def test_csl_json_and_csv_lose_nothing(given_items):
    expected = [clean_item(item) for item in given_items]
    for module in (csljson, csvfile):
        found = module.read(text_of(module.write(given_items).encode()))
        assert [row.item for row in found] == expected


@often(max_examples=60, deadline=None)
@given(items.filter(lambda item: item.get("title")))
def test_any_text_is_well_formed_in_bibtex_and_ris(item):
    item = {"id": "key", **item}
    (entry,) = bibtexparser.parse_string(bibtex.write([item])).blocks
    assert entry.key == "key"
    (row,) = bibtex.read(text_of(bibtex.write([item]).encode()))
    assert row.item["type"] == item["type"]
    (entry,) = rispy.loads(ris.write([item]))
    (row,) = ris.read(ris.write([item]))
    assert row.item["title"] == item["title"]


@pytest.mark.parametrize("form", ["bib", "json", "csv", "ris"])
def test_awkward_words_and_names_come_back(form):
    item = {
        "type": "report",
        "title": "50% of {braces}, back\\slash & ``quotes'' -- `one' #1 a_b x^y ~ $5",
        "author": [
            {"family": "May", "given": "Andrée", "non-dropping-particle": "le"},
            {"family": "King", "given": "Martin Luther", "suffix": "Jr."},
            {"literal": "Centre for Care, Research and Practice"},
            {"family": "Van Eerd", "given": "Dwayne"},
            {"family": "Sand and Sea", "given": "A."},
            {"literal": "NHS"},
        ],
        "issued": {"date-parts": [[2017, 3, 5]]},
        "publisher": "Sands & Söhne",
        "number": "7",
        "page": "1-9",
        "ISBN": "978-3-16-148410-0",
        "ISSN": "1234-5678",
        "genre": "Technical report",
        "URL": "https://example.org/a_b?c=%20&d=1#e",
        "DOI": "10.1000/x_y(1)&z",
    }
    (row,) = formats.read(form, text_of(FORMATS[form].module.write([{"id": "k", **item}]).encode()))
    assert row.item == item
    assert row.problems == []


@pytest.mark.parametrize("kind", sorted(bibtex.TYPES))
def test_every_kind_comes_back(kind):
    item = {
        "id": "k",
        "type": kind,
        "title": "T",
        "issued": {"date-parts": [[2020]]},
        "URL": "https://example.org/",
    }
    for form in ("bib", "json", "csv"):
        (row,) = formats.read(form, text_of(FORMATS[form].module.write([item]).encode()))
        assert (form, row.item["type"]) == (form, kind)


# --- what others write -----------------------------------------------------------------------------------------------
def test_ris_of_other_programs_is_read_and_what_is_odd_is_told():
    rows = ris.read(
        "1.\nTY  - JOUR\nA1  - Müller, Ana\nA1  - Health Foundation, The,\nT1  - A title that\n  goes on\n"
        "JF  - BMJ\nY1  - 2009/03/05/\nSP  - 12-19\nN2  - Words.\nKW  - one; two\nKW  - three\nUR  - https://e.org/x\n"
        "ER  - \n\nTY  - XXXX\nTI  - Odd\nPY  - last year\nDO  - nonsense\nUR  - javascript:alert(1)\n"
        "TY  - BOOK\nAU  - Doe, Jane, Jr.\nER  -\n"
    )
    assert [(row.line, row.item, row.problems) for row in rows] == [
        (
            2,
            {
                "type": "article-journal",
                "title": "A title that goes on",
                "author": [
                    {"family": "Müller", "given": "Ana"},
                    {"literal": "Health Foundation, The"},
                ],
                "issued": {"date-parts": [[2009, 3, 5]]},
                "container-title": "BMJ",
                "page": "12-19",
                "URL": "https://e.org/x",
            },
            [],
        ),
        (
            16,
            {"type": "document", "title": "Odd"},
            [
                "its end (ER) is missing",
                "type “XXXX” is not known: a document",
                "year “last year” is not a year: left out",
                "doi “nonsense” is not a DOI: left out",
                "url “javascript:alert(1)” is not a web address: left out",
                "no author: stays without one",
                "no year: stays without one",
            ],
        ),
        (21, {}, ["has no title"]),
    ]
    assert rows[0].extra == {"tags": ["one", "two", "three"], "description": "Words."}


def test_csl_json_of_other_programs_is_read_and_what_is_odd_is_told():
    rows = csljson.read(
        '[\n {"id": 1, "type": "journal-article", "title": "<i>A</i> &amp; B", "issued": {"raw": "2020-05"},\n'
        '  "author": [{"name": "WHO"}], "keyword": "a, b", "license": "https://creativecommons.org/licenses/by/4.0/legalcode"},'
        '\n {"type": "nonsense", "title": ["T"], "volume": 3, "DOI": 5},\n "x", {"type": "book"}]'
    )
    assert [(row.line, row.item, row.extra) for row in rows] == [
        (
            2,
            {
                "type": "article-journal",
                "title": "A & B",
                "author": [{"literal": "WHO"}],
                "issued": {"date-parts": [[2020, 5]]},
            },
            {"key": "1", "tags": ["a", "b"], "licence": "cc-by-4.0"},
        ),
        (4, {"type": "document", "title": "T", "volume": "3"}, {}),
        (5, {}, {}),
        (5, {}, {}),
    ]
    assert rows[1].problems[:2] == [
        "type “nonsense” is not known: a document",
        "doi “5” is not a DOI: left out",
    ]
    assert [row.problems for row in rows[2:]] == [["is no item"], ["has no title"]]


def test_a_table_of_zotero_and_one_that_people_keep_are_read():
    zotero = (
        '\ufeff"Key","Item Type","Publication Year","Author","Title","Publication Title","DOI","Url",'
        '"Abstract Note","Manual Tags"\n'
        '"AB","journalArticle","2019","Oliver, Kathryn; Cairney, Paul","The dos\nand don\'ts",'
        '"Palgrave","10.1057/s41599-019-0232-y","","Short.","policy; advice"\n'
    )
    (row,) = csvfile.read(text_of(zotero.encode()))
    assert (row.line, row.item["type"], row.item["title"]) == (2, "article-journal", "The dos and don'ts")
    assert row.item["author"][1] == {"family": "Cairney", "given": "Paul"}
    assert row.extra["tags"] == ["policy", "advice"]
    own = csvfile.read("Title;Authors;Year;Link\nOne;NHS;c. 2010;https://e.org\n;;;\n;Nobody;2010;\n")
    assert [(row.line, row.item.get("title"), row.problems) for row in own] == [
        (2, "One", ["year “c. 2010” read as 2010"]),
        (4, None, ["has no title"]),
    ]
    assert own[0].item["type"] == "webpage"


@pytest.mark.parametrize(
    ("form", "text", "says"),
    [
        ("ris", "", "There is no RIS reference in this file."),
        ("ris", "<html>", "There is no RIS reference in this file."),
        ("json", "", "This is not well-formed JSON (line 1)."),
        ("json", '[{"a": 1},\n', "This is not well-formed JSON (line 2)."),
        ("json", "[" * 100_000, "This is not well-formed JSON."),
        ("json", "[]", "There is no item in this file."),
        ("json", "5", "There is no item in this file."),
        ("csv", "", "The first line must name the columns, and one of them must be “title”."),
        ("csv", "a,b\n1,2\n", "The first line must name the columns, and one of them must be “title”."),
        ("csv", "title,year\n", "There is no row in this table."),
        ("csv", f'title\n"{"x" * 200_000}"\n', "The table cannot be read (line 2)."),
        ("bib", "x", "There is no BibTeX entry in this file."),
        ("ris", "TY  - JOUR\nTI  - T\nER  - \n" * 5001, "The file has more than 5000 entries."),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(form, text, says):
    with pytest.raises(NotReadable) as refused:
        formats.read(form, text)
    assert str(refused.value) == says


@pytest.mark.parametrize(
    ("form", "begins", "row"),
    [("ris", "", "TY  - JOUR\n"), ("json", "[1", ",1"), ("csv", "title\n", "t\n"), ("bib", "", "@a{b,}\n")],
)
def test_of_millions_of_rows_no_more_are_held_than_tell_that_there_are_too_many(
    form, begins, row, monkeypatch
):
    module, made = formats.FORMATS[form].module, []
    one_row = module._row
    monkeypatch.setattr(module, "_row", lambda *args: made.append(1) or one_row(*args))
    with pytest.raises(NotReadable, match="more than 5000 entries"):
        formats.read(form, begins + row * 20_001 + ("]" if form == "json" else ""))
    assert len(made) <= 5001


@pytest.mark.parametrize(
    ("name", "start", "form"),
    [
        ("refs.txt", "TY  - JOUR\n", "ris"),
        ("refs.txt", "% from JabRef\n@book{a,}", "bib"),
        ("export.json", '[{"type": "book"}]', "json"),
        ("list.csv", "title,year\n", "csv"),
        ("list.tsv", "title\tyear\n", "csv"),
        ("photo.png", "x", ""),
        ("notes.txt", "Dear all", ""),
    ],
)
def test_a_file_is_known_by_what_it_holds(name, start, form):
    assert formats.form_of(name, start) == form


def test_other_encodings_are_read_or_refused_never_guessed():
    assert text_of("\ufeffmüde\r\n".encode()) == "müde\n"
    assert text_of("müde".encode("utf-16")) == "müde"
    for data in ("müde".encode("latin-1"), b"a\0b"):
        with pytest.raises(NotReadable):
            text_of(data)


def test_no_cell_is_a_formula_for_a_spreadsheet():
    item = {
        "id": "=1",
        "type": "report",
        "title": '=HYPERLINK("https://evil.example")',
        "author": [{"literal": "@SUM(A1)"}],
        "note": "'=quoted",
        "publisher": "-1",
        "volume": "'t Hart",
    }
    text = csvfile.write([item])
    cells = [cell for line in csv.reader(io.StringIO(text.removeprefix("\ufeff"))) for cell in line]
    assert [cell for cell in cells if re.match(r"[=+\-@\t\r]", cell)] == []
    (row,) = csvfile.read(text_of(text.encode()))
    assert {name: row.item[name] for name in item if name != "id"} == {
        name: value for name, value in item.items() if name != "id"
    }


def test_tags_keep_their_commas():
    for tags in (["a"], ["a", "b"], ["a, b"], ["a, b", "c"], []):
        assert tags_in(tags_text(tags)) == tags


# --- the library -----------------------------------------------------------------------------------------------------
def take_in(member, name: str, data: bytes) -> list[Resource]:
    """All of a file, by the way of the page; in the order of its rows."""
    batch = batches.begin_batch(actor=member, name=name, data=data)
    batches.read_batch(batch_id=batch.pk)
    batches.save_batch(actor=member, batch=batch, visibility="public", group=None, licence="unknown", tags=[])
    batches.carry_out_batch(batch_id=batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.made) == ("saved", 60)
    return list(Resource.objects.order_by("pk").prefetch_related("tags"))


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["library.ris", "library.json", "library.bib"])
def test_sixty_references_go_in_and_out_and_in_again(client, name):
    member = make_member()
    LibrarySettings(reviewed_first=0).save()
    path = LIBRARY if name == "library.bib" else DATA / name
    first = take_in(member, name, path.read_bytes())
    out = client.get(f"/library/export.{path.suffix[1:]}").content
    said = {r.title: (r.csl, r.description, r.language, sorted(t.name for t in r.tags.all())) for r in first}
    Resource.objects.all().delete()
    again = take_in(member, name, out)
    assert said == {
        r.title: (r.csl, r.description, r.language, sorted(t.name for t in r.tags.all())) for r in again
    }
    assert len(said) == 60


@pytest.mark.django_db
def test_the_whole_library_goes_out_in_every_format(client):
    take_in(make_member(), "library.bib", LIBRARY.read_bytes())
    Resource.objects.update(state="visible")
    resources = list(Resource.objects.order_by("title_key", "pk").prefetch_related("tags"))
    for form in FORMATS:
        rows = formats.read(form, text_of(client.get(f"/library/export.{form}?sort=title").content))
        assert [row.item for row in rows] == [resource.csl for resource in resources]
        assert [row.key for row in rows] == [citing.cite_key(resource) for resource in resources]
        for row, resource in zip(rows, resources, strict=True):
            assert sorted(row.extra.get("tags", [])) == sorted(tag.name for tag in resource.tags.all())
            assert (row.extra.get("description"), row.extra["language"]) == (
                resource.description,
                resource.language,
            )


@pytest.mark.django_db
def test_what_the_library_knows_beside_the_reference_goes_along():
    resource = make_resource(
        terms=[make_term("type", "guide")],
        tags=["care, at home", "x"],
        licence="cc-by-sa-4.0",
        description="Two\n\nparagraphs.",
        minutes=15,
        language="fr",
    )
    for form, module in FORMATS.items():
        (row,) = formats.read(form, text_of(module.module.write([citing.export_item(resource)]).encode()))
        assert row.extra["kind"] == "guide"
        assert sorted(row.extra["tags"]) == ["care, at home", "x"]
        assert (row.extra["licence"], row.extra["language"]) == ("cc-by-sa-4.0", "fr")
        assert row.extra.get("minutes") == (15 if form != "ris" else None)
        assert row.extra["description"].split() == ["Two", "paragraphs."]
