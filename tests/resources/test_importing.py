from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from kmnet.core.models import Activity
from kmnet.core.vocabulary import load_vocabulary
from resources import services
from resources.models import Resource, ResourceTag, ResourceTerm
from resources.services import importing
from tests.factories.members import make_member
from tests.factories.resources import make_resource

LIBRARY = Path(settings.BASE_DIR) / "kmnet/demo/data/library.bib"
pytestmark = pytest.mark.django_db


def run(path=LIBRARY, **options):
    out = StringIO()
    call_command("import_library", str(path), stdout=out, **options)
    return out.getvalue().splitlines()


def test_the_real_library_loads_whole_and_a_second_run_changes_nothing():
    load_vocabulary()
    first = run()
    assert first == [
        "repaired line 564 wenger2002cultivating: type “book” is no term of the vocabulary",
        "repaired line 713 lamont2021making: type “book” is no term of the vocabulary",
        "repaired line 735 hra_plainlanguage: no year: stays without one",
        "repaired line 745 knowles_drawing: no year: stays without one",
        "repaired line 755 lihnn_rct: no year: stays without one",
        "60 added (5 repaired), 0 unchanged, 0 skipped",
    ]
    before = list(Resource.objects.order_by("pk").values())
    assert run() == ["0 added (0 repaired), 60 unchanged, 0 skipped"]
    assert list(Resource.objects.order_by("pk").values()) == before
    assert Resource.objects.exclude(doi="").count() == 37
    assert Resource.objects.filter(year=None).count() == 3
    assert Activity.objects.count() == 0


def test_keywords_become_tags_and_terms_where_they_match():
    load_vocabulary()
    services.import_bibtex(LIBRARY.read_bytes())

    def words(doi_or_title):
        resource = Resource.objects.get(title__startswith=doi_or_title)
        terms = {(term.facet.key, term.name) for term in resource.terms.select_related("facet")}
        return terms, {tag.name for tag in resource.tags.all()}

    assert words("The ‘dark side’") == (
        {("type", "research paper")},
        {"knowledge brokering", "role tensions", "isolation", "team brokering", "health care"},
    )
    assert words("The Co-produced Pathway") == (
        {("type", "research paper"), ("method", "co-production")},
        {"impact", "logic model", "co-production", "evaluation", "partnerships"},
    )
    assert words("Evidence based guidelines")[0] == {
        ("type", "research paper"),
        ("framework", "mindlines"),
        ("framework", "communities of practice"),
        ("setting", "primary care"),
    }
    assert words("Lone cowboys")[0] == {("type", "blog")}
    assert words("Knowledge Translation Planning Template")[0] == {("type", "tool or template")}
    types = ResourceTerm.objects.filter(term__facet__key="type")
    counted = {}
    for name in types.values_list("term__name", flat=True):
        counted[name] = counted.get(name, 0) + 1
    assert counted == {
        "research paper": 44,
        "blog": 5,
        "guide": 4,
        "tool or template": 3,
        "report": 2,
        "review": 1,
    }
    assert ResourceTag.objects.count() == 262


def test_a_hidden_record_does_not_come_back_by_an_import():
    services.import_bibtex(LIBRARY.read_bytes())
    moderator = make_member(is_moderator=True)
    resource = Resource.objects.get(doi="10.1177/1355819616653981")
    services.hide_resource(target=resource, actor=moderator, reason="A rights claim.")
    report = services.import_bibtex(LIBRARY.read_bytes())
    assert (len(report.added), len(report.unchanged)) == (0, 60)
    resource.refresh_from_db()
    assert resource.state == "hidden"


def test_what_people_added_by_hand_is_recognised():
    make_resource(title="A title of our own", doi="10.1177/1355819616653981".upper())
    make_resource(title="The rise of the Knowledge-Broker", creators=["Meyer, M."], year=2010)
    make_resource(title="The In-Between World of Knowledge Brokering", creators=["Somebody, Else"], year=2007)
    make_resource(title="Why communities of practice succeed and why they fail", creators=[], year=1999)
    report = services.import_bibtex(LIBRARY.read_bytes())
    assert [key for _line, key, _title in report.unchanged] == ["kislov2017dark", "meyer2010rise"]
    assert len(report.added) == 58


def test_the_same_key_in_another_file_is_another_record():
    one = b"@misc{smith2010, title = {One}, year = 2010, author = {Smith, A}}"
    two = b"@misc{smith2010, title = {Two}, year = 2010, author = {Smith, A}}"
    assert len(services.import_bibtex(one).added) == 1
    assert len(services.import_bibtex(two).added) == 1
    assert len(services.import_bibtex(one).added) == 0


def test_nothing_is_half_imported(monkeypatch):
    add, calls = importing.add_resource, []

    def add_then_break(**kwargs):
        calls.append(kwargs)
        if len(calls) == 30:
            raise RuntimeError("the disk is full")
        return add(**kwargs)

    monkeypatch.setattr(importing, "add_resource", add_then_break)
    with pytest.raises(RuntimeError):
        services.import_bibtex(LIBRARY.read_bytes())
    assert Resource.objects.count() == 0


def test_a_truncated_file_imports_what_is_whole_and_tells_the_rest(tmp_path):
    load_vocabulary()
    whole = LIBRARY.read_bytes()
    cut = tmp_path / "cut.bib"
    cut.write_bytes(whole[: whole.index(b"@article{meyer2010rise") + 60])
    assert run(cut)[-2:] == [
        "skipped line 33 meyer2010rise: not well-formed: a brace, a quote or a comma is missing",
        "2 added (0 repaired), 0 unchanged, 1 skipped",
    ]
    assert Resource.objects.count() == 2


def test_a_file_that_is_no_bibliography_imports_nothing(tmp_path):
    page = tmp_path / "page.bib"
    page.write_bytes(b"<html>Sign in to download</html>")
    with pytest.raises(CommandError, match="There is no BibTeX entry in this file. Nothing was imported."):
        run(page)
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "missing.bib")


def test_a_dry_run_saves_nothing():
    load_vocabulary()
    assert run(dry_run=True)[-1] == ("60 added (5 repaired), 0 unchanged, 0 skipped (dry run, nothing saved)")
    assert not Resource.objects.exists()


def test_who_adds_and_who_may_see_can_be_said():
    make_member(email="ada@example.org")
    run(address="Ada@example.org", visibility="members")
    assert Resource.objects.filter(visibility="members", added_by__email="ada@example.org").count() == 60
    make_member(email="quiet@example.org", status="silenced")
    with pytest.raises(CommandError, match="may not add"):
        run(address="quiet@example.org")
    with pytest.raises(CommandError, match="No member has the address nobody@example.org"):
        run(address="nobody@example.org")
