import re
from pathlib import Path

import pytest
from django.conf import settings

from resources.csl import creators_text, year_of
from resources.formats import NotReadable, bibtex, text_of

LIBRARY = Path(settings.BASE_DIR) / "kmnet/demo/data/library.bib"


@pytest.fixture(scope="module")
def rows():
    return {row.key: row for row in bibtex.read(text_of(LIBRARY.read_bytes()))}


def every_text(value):
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, str):
        yield value
    elif not isinstance(value, int):
        for part in value:
            yield from every_text(part)


def test_all_sixty_records_are_read_and_no_latex_is_left(rows):
    assert len(rows) == 60
    assert all(row.item for row in rows.values())
    for row in rows.values():
        texts = [*every_text(row.item), row.extra["description"], *row.extra["tags"]]
        assert not [text for text in texts if re.search(r"[{}\\]|&amp;|``|''|--", text)], row.key


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("kislov2017dark", "The ‘dark side’ of knowledge brokering"),
        (
            "chew2022bourdieusian",
            "Understanding knowledge brokerage and its transformative potential: a Bourdieusian perspective",
        ),
        ("vanmierlo2014one", "The 1% rule in four digital health social networks: an observational study"),
        (
            "gabbay2004mindlines",
            "Evidence based guidelines or collectively constructed “mindlines”? Ethnographic study of knowledge "
            "management in primary care",
        ),
        (
            "davies2015mobilising",
            "Mobilising knowledge to improve UK health care: learning from other countries and other sectors – a "
            "multimethod mapping study",
        ),
        (
            "oliver2019dos",
            "The dos and don'ts of influencing policy: a systematic review of advice to academics",
        ),
        ("epoc2015taxonomy", "EPOC taxonomy of health systems interventions"),
        (
            "cihr2012guide",
            "Guide to Knowledge Translation Planning at CIHR: Integrated and End-of-Grant Approaches",
        ),
        ("lihnn_rct", "Do Randomised Coffee Trials work? Yes!"),
    ],
)
def test_titles_read_as_printed(rows, key, title):
    assert rows[key].item["title"] == title


@pytest.mark.parametrize(
    ("key", "creators"),
    [
        ("gabbay2004mindlines", "John Gabbay; Andrée le May"),
        ("morris2011seventeen", "Zoë Slote Morris; Steven Wooding; Jonathan Grant"),
        ("vanmierlo2014one", "Trevor van Mierlo"),
        ("michie2011behaviour", "Susan Michie; Maartje M. van Stralen; Robert West"),
        ("wenger2011value", "Etienne Wenger; Beverly Trayner; Maarten de Laat"),
        ("epoc2015taxonomy", "Effective Practice and Organisation of Care (EPOC)"),
        ("nccmt2007registry", "National Collaborating Centre for Methods and Tools"),
        ("hra_plainlanguage", "Health Research Authority"),
        ("cihr2012guide", "Canadian Institutes of Health Research"),
    ],
)
def test_creators_read_as_people_write_them(rows, key, creators):
    assert creators_text(rows[key].item) == creators


def test_particles_bodies_and_double_names_keep_their_parts(rows):
    assert rows["gabbay2004mindlines"].item["author"][1] == {
        "family": "May",
        "given": "Andrée",
        "non-dropping-particle": "le",
    }
    assert rows["vanmierlo2014one"].item["author"] == [
        {"family": "Mierlo", "given": "Trevor", "non-dropping-particle": "van"}
    ]
    authors = rows["newman2020mixed"].item["author"]
    assert authors[2] == {"family": "Van Eerd", "given": "Dwayne"}
    assert rows["damschroder2022updated"].item["author"][2] == {
        "family": "Opra Widerquist",
        "given": "Marilla A.",
    }
    assert rows["lihnn_rct"].item["author"] == [{"literal": "LIHNN MAP Toolkit"}]


def test_one_whole_record(rows):
    row = rows["kislov2017dark"]
    assert row.line == 4
    assert row.item == {
        "type": "article-journal",
        "title": "The ‘dark side’ of knowledge brokering",
        "author": [
            {"family": "Kislov", "given": "Roman"},
            {"family": "Wilson", "given": "Paul"},
            {"family": "Boaden", "given": "Ruth"},
        ],
        "issued": {"date-parts": [[2017]]},
        "container-title": "Journal of Health Services Research & Policy",
        "volume": "22",
        "issue": "2",
        "page": "107-112",
        "DOI": "10.1177/1355819616653981",
    }
    assert row.extra["tags"] == [
        "knowledge brokering",
        "role tensions",
        "isolation",
        "team brokering",
        "health care",
    ]
    assert row.extra["description"].startswith("Sets out three families of tension")
    assert (row.extra["kind"], row.problems) == ("journal article", [])


def test_three_records_have_no_year_and_say_so(rows):
    without = {key: row.problems for key, row in rows.items() if year_of(row.item) is None}
    assert without == {
        key: ["no year: stays without one"] for key in ("hra_plainlanguage", "knowles_drawing", "lihnn_rct")
    }


def test_identifiers_are_counted_and_percent_in_an_address_is_no_comment(rows):
    assert sum("DOI" in row.item for row in rows.values()) == 37
    assert sum("URL" in row.item for row in rows.values()) == 32
    assert rows["joyce2006predicting"].item["URL"] == (
        "http://curtis.ml.cmu.edu/w/courses/index.php/Joyce_%26_Kraut,_JCMC_2006"
    )
    assert [key for key, row in rows.items() if "DOI" not in row.item and "URL" not in row.item] == [
        "wenger2002cultivating",
        "breckon2016using",
    ]


def read_one(text):
    (row,) = bibtex.read(text)
    return row


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"Caf\'e \"uber stra{\ss}e \c{c}a \v{S} {\o}re", "Café über straße ça Š øre"),
        (r"R\&D at 50\% of {NHS} \#1 a\_b", "R&D at 50% of NHS #1 a_b"),
        (r"\emph{Emphasis} and \textbf{weight}", "Emphasis and weight"),
        (r"\enquote{quoted}", "“quoted”"),
        (r"pages 3--4 --- and on", "pages 3–4 — and on"),
        ("मराठी and العربية", "मराठी and العربية"),
    ],
)
def test_latex_becomes_text(latex, text):
    assert read_one(f"@misc{{k, title = {{{latex}}}, year = 2020, author = {{A, B}}}}").item["title"] == text


def test_repairs_are_told():
    row = read_one(
        "@article{k, title = {50% of it is here}, author = {Doe, Jane and others}, year = {c. 1999?}, "
        "doi = {https://doi.org/10.1000/xyz.}, url = {javascript:alert(1)}}"
    )
    assert row.item == {
        "type": "article-journal",
        "title": "50% of it is here",
        "author": [{"family": "Doe", "given": "Jane"}],
        "issued": {"date-parts": [[1999]]},
        "DOI": "10.1000/xyz",
    }
    assert row.problems == [
        "title: a bare % would have hidden the rest; kept",
        "author: “and others” was left out",
        "year “c. 1999?” read as 1999",
        "doi “https://doi.org/10.1000/xyz.” read as 10.1000/xyz",
        "url “javascript:alert(1)” is not a web address: left out",
    ]


def test_markup_in_a_file_stays_text():
    row = read_one("@misc{k, title = {<script>alert(1)</script> & <b>x</b>}, author = {<i>, A}, year = 2020}")
    assert row.item["title"] == "<script>alert(1)</script> & <b>x</b>"


def test_broken_rows_are_skipped_with_line_and_reason():
    rows = bibtex.read(
        "@misc{good, title = {Good}, year = 2020, author = {A, B}}\n"
        "@misc{untitled, year = 2020}\n"
        "@misc{open, title = {never closed, year = 2020}\n\n"
        "@misc{good, title = {Again}, year = 2020}\n"
        "@misc{twice, title = {One}, title = {Two}}\n"
    )
    assert [(bool(row.item), row.key, row.line) for row in rows] == [
        (True, "good", 1),
        (False, "untitled", 2),
        (False, "open", 3),
        (False, "good", 5),
        (False, "twice", 6),
    ]
    assert [row.problems for row in rows[1:]] == [
        ["has no title"],
        ["not well-formed: a brace, a quote or a comma is missing"],
        ["another entry of this file has the same key"],
        ["a field stands twice: title"],
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "There is no BibTeX entry in this file."),
        (b"\x89PNG\r\n\x1a\n\x00", "The file is not UTF-8 text (line 1). Save it again as UTF-8."),
        (b"<html><body>Sign in</body></html>", "There is no BibTeX entry in this file."),
        (b"@misc{a, title = {caf\xe9}}", "The file is not UTF-8 text (line 1). Save it again as UTF-8."),
        (b"x" * (10 * 1024 * 1024 + 1), "The file is larger than 10 MB."),
    ],
    ids=["empty", "picture", "web page", "latin-1", "too large"],
)
def test_a_file_that_is_no_bibliography_is_refused(data, words):
    with pytest.raises(NotReadable) as refused:
        bibtex.read(text_of(data))
    assert str(refused.value) == words
