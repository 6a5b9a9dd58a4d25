import re
from pathlib import Path

import pytest
from django.conf import settings

from resources import citing, services
from resources.formats import bibtex, text_of
from tests.factories.resources import make_resource

LIBRARY = Path(settings.BASE_DIR) / "kmnet/demo/data/library.bib"

CITED = {
    "kislov2017dark": {
        "apa": "Kislov, R., Wilson, P., & Boaden, R. (2017). The ‘dark side’ of knowledge brokering. Journal of Health "
        "Services Research & Policy, 22(2), 107–112. https://doi.org/10.1177/1355819616653981",
        "vancouver": "Kislov R, Wilson P, Boaden R. The ‘dark side’ of knowledge brokering. Journal of Health Services "
        "Research & Policy. 2017;22(2):107–12. doi:10.1177/1355819616653981",
        "harvard": "Kislov, R., Wilson, P. and Boaden, R. (2017) “The ‘dark side’ of knowledge brokering”, Journal of "
        "Health Services Research & Policy, 22(2), pp. 107–112. Available at: "
        "https://doi.org/10.1177/1355819616653981.",
    },
    "vanmierlo2014one": {
        "apa": "van Mierlo, T. (2014). The 1% rule in four digital health social networks: an observational study. "
        "Journal of Medical Internet Research, 16(2), e33. https://doi.org/10.2196/jmir.2966",
    },
    "gabbay2004mindlines": {
        "apa": "Gabbay, J., & le May, A. (2004). Evidence based guidelines or collectively constructed “mindlines”? "
        "Ethnographic study of knowledge management in primary care. BMJ, 329(7473), 1013. "
        "https://doi.org/10.1136/bmj.329.7473.1013",
        "vancouver": "Gabbay J, le May A. Evidence based guidelines or collectively constructed “mindlines”? "
        "Ethnographic study of knowledge management in primary care. BMJ. 2004;329(7473):1013. "
        "doi:10.1136/bmj.329.7473.1013",
    },
    "lihnn_rct": {
        "apa": "LIHNN MAP Toolkit. (n.d.). Do Randomised Coffee Trials work? Yes! NHS Library and Information Health "
        "Network North West. https://lihnnhs.info/maptoolkit/?p=3268",
    },
    "davies2015mobilising": {
        "apa": "Davies, H. T. O., Powell, A. E., & Nutley, S. M. (2015). Mobilising knowledge to improve UK health "
        "care: learning from other countries and other sectors – a multimethod mapping study (No. 27; Health Services "
        "and Delivery Research, Vol. 3). NIHR Journals Library. https://doi.org/10.3310/hsdr03270",
    },
    "wenger2002cultivating": {
        "apa": "Wenger, E., McDermott, R., & Snyder, W. M. (2002). Cultivating Communities of Practice: A Guide to "
        "Managing Knowledge. Harvard Business School Press.",
        "harvard": "Wenger, E., McDermott, R. and Snyder, W.M. (2002) Cultivating Communities of Practice: A Guide to "
        "Managing Knowledge. Harvard Business School Press.",
    },
}


@pytest.fixture(scope="module")
def rows():
    return {row.key: row for row in bibtex.read(text_of(LIBRARY.read_bytes()))}


def plain(html):
    import html as codec
    import re

    return codec.unescape(re.sub(r"<[^>]*>", "", html))


@pytest.mark.parametrize(
    ("key", "style"), [(key, style) for key, styles in CITED.items() for style in styles]
)
def test_real_records_are_cited_as_the_styles_say(rows, key, style):
    assert plain(citing.format_item(rows[key].item, style)) == CITED[key][style]


@pytest.mark.parametrize("style", citing.STYLES)
def test_every_record_of_the_library_can_be_cited(rows, style, caplog):
    for row in rows.values():
        text = plain(citing.format_item(row.item, style))
        assert row.item["title"].casefold()[:30].rstrip("?.") in text.casefold(), row.key
        assert "None" not in text
    assert caplog.records == []


def test_markup_in_metadata_stays_text():
    item = {
        "type": "article-journal",
        "title": "<script>alert(1)</script> & <i>x</i>",
        "author": [{"family": "<b>", "given": "A & B"}],
    }
    for style in citing.STYLES:
        html = citing.format_item(item, style)
        assert "<script" not in html
        assert "&lt;script&gt;" in html.lower()


def test_odd_records_are_cited_somehow(caplog):
    for item in (
        {"type": "document", "title": "Only a title"},
        {"type": "thesis", "title": "T", "author": [{"family": "X"}], "issued": {"date-parts": [[2020, 13]]}},
        {"type": "article-journal", "title": "T", "page": "x–y-z", "volume": "iv", "issue": "–"},
    ):
        for style in citing.STYLES:
            assert item["title"] in plain(citing.format_item(item, style))


@pytest.mark.django_db
def test_what_has_no_address_of_its_own_is_cited_with_ours():
    resource = make_resource(title="A sheet", creators=["Wit, Maren"], csl={"type": "document"})
    (apa, *_others) = citing.citations(resource)
    assert apa["text"].endswith(f"http://testserver{resource.get_absolute_url()}")


@pytest.mark.django_db
def test_a_changed_record_is_cited_anew():
    from tests.factories.members import make_member

    member = make_member()
    resource = make_resource(title="Before", added_by=member)
    assert "Before" in citing.citations(resource)[0]["text"]
    details = services.Details(csl={**resource.csl, "title": "After"}, description="x")
    resource = services.edit_resource(actor=member, resource=resource, details=details)
    assert "After" in citing.citations(resource)[0]["text"]


@pytest.mark.parametrize("style", ["apa", "vancouver", "harvard"])
def test_a_title_in_the_place_of_a_name_stands_there_once(style):
    item = {"type": "document", "title": "Why (not) ask? And how", "URL": "https://example.org/ask"}
    assert citing.format_item(item, style).count("And how") == 1


@pytest.mark.parametrize(
    ("date", "said"), [([2020, 3], "2020 Mar;3"), ([2020, 3, 14], "2020 Mar 14;3"), ([2020], "2020;3")]
)
def test_a_date_does_not_run_together(date, said):
    link = "https://example.org/2020Mar14"
    item = {
        "type": "article-journal",
        "title": "On asking",
        "container-title": "BMJ",
        "volume": "3",
        "URL": link,
    }
    assert link in citing.format_item(item, "vancouver")
    assert said in citing.format_item({**item, "issued": {"date-parts": [date]}}, "vancouver")


@pytest.mark.django_db
def test_references_of_one_year_by_the_same_people_are_told_apart_in_a_list_and_not_alone():
    beta, alpha = (make_resource(title=title, creators=["Kislov, Roman"]) for title in ("Beta", "Alpha"))
    initials = make_resource(title="Gamma", creators=["Kislov, R."])
    others = [
        make_resource(title="Delta", creators=["Kislov, Roman"], year=2018),
        make_resource(title="Epsilon", creators=["Kislov, Roman", "May, A."]),
        make_resource(title="Zeta", creators=["Kislov, Susan"]),
        make_resource(title="Eta", creators=[]),
    ]
    rows = [beta, initials, *others, alpha]

    def years(style):
        found = citing.bibliography(rows, style)
        return {one["resource"]: re.search(r"\b20\d\d[a-z]*", one["text"]).group() for one in found}

    apart = {alpha: "2017a", beta: "2017b", initials: "2017c"}
    plain_years = {one: str(one.year) for one in rows}
    assert years("apa") == years("harvard") == {**plain_years, **apart}
    assert years("vancouver") == plain_years
    assert "2017a" not in str(citing.citations(alpha))


@pytest.mark.django_db
def test_those_without_a_year_or_a_name_are_told_apart_too():
    nobody = [make_resource(title="The same", creators=[]) for _number in range(2)]
    undated = [make_resource(title=title, creators=["NHS"], year=None) for title in ("One", "Two")]
    said = [one["text"].partition(". http")[0] for one in citing.bibliography([*nobody, *undated], "apa")]
    assert said == ["NHS. (n.d.-a). One", "NHS. (n.d.-b). Two", "The same. (2017a)", "The same. (2017b)"]


def test_there_are_letters_enough():
    assert [citing._letters(place) for place in (0, 25, 26, 701, 702)] == ["a", "z", "aa", "zz", "aaa"]
