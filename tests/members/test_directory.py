from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from kmnet.core.models import Term
from members import services
from members.finding import PAGE_SIZE
from members.models import Member
from tests.factories import make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def look(signed_in):
    """look(q="...") is what a member (who is not listed) finds."""
    viewer = make_member(profile={"is_listed": False})
    browser = signed_in(viewer)

    def get(**query):
        return browser.get(reverse("members:directory"), query).context["finding"]

    return get


def names(finding) -> list[str]:
    return [person.shown.member.name for person in finding.people]


@pytest.mark.parametrize("count", [1, 50])
def test_directory_costs_the_same_for_1_and_50(
    count, signed_in, vocabulary, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr("members.finding.PAGE_SIZE", 50)
    roles = list(Term.objects.filter(facet__key="role")[:2])
    for _number in range(count):
        services.update_profile(
            member=make_member(),
            roles=roles,
            can_help=["policy brief", "boards"],
            looking_for=["equity"],
            country="KE",
        )
    browser = signed_in(make_member(profile={"is_listed": False}))
    browser.get(reverse("members:directory"))  # the settings and the words are in the cache from now on
    with django_assert_num_queries(8):
        # the member; people, their roles, help, wishes; how many there are, how many of each kind; the bell
        response = browser.get(reverse("members:directory"))
    assert len(response.context["finding"].people) == count


def test_only_full_members_are_listed(look):
    make_member(name="Full")
    make_member(name="Silenced", status="silenced")
    make_member(name="Not onboarded", onboarded_at=None)
    make_member(name="Pending", status="pending")
    make_member(name="Unproven", address_proven=False)
    make_member(name="Suspended", status="suspended", is_active=False)
    make_member(name="Erased", status="erased", is_active=False)
    assert names(look(sort="name")) == ["Full", "Not onboarded", "Silenced"]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("gagnon", ["Étienne Gagnon-Roy"]), ("ETIENNE", ["Étienne Gagnon-Roy"]), ("enne gag", ["Étienne Gagnon-Roy"]),
        ("knowledge broker", ["Maren de Wit"]), ("boundary spanner", ["Maren de Wit"]), ("brokers", ["Maren de Wit"]),
        ("utrecht", ["Maren de Wit"]), ("netherlands", ["Maren de Wit"]), ("nobody-like-this", []), ("!!!", []),
        ("%", []), ("\x00", ["Étienne Gagnon-Roy", "Maren de Wit"]), ("", ["Étienne Gagnon-Roy", "Maren de Wit"]),
        ("'; drop table", []), ("a" * 5000, []),
    ],
)  # fmt: skip
def test_people_are_found_by_name_word_and_synonym(q, found, look, vocabulary):
    make_member(name="Étienne Gagnon-Roy")
    maren = make_member(name="Maren de Wit")
    services.update_profile(
        member=maren, roles=Term.objects.filter(name="knowledge broker"), region="Utrecht", country="NL"
    )
    assert names(look(q=q, sort="name")) == found


def test_filters_join_within_a_facet_and_narrow_between_them(look, vocabulary):
    for name, country, team in (
        ("A", "KE", "solo"),
        ("B", "NL", "solo"),
        ("C", "NL", "small"),
        ("D", "BR", "solo"),
    ):
        services.update_profile(
            member=make_member(name=name * 3), country=country, team_size=team, can_help=["boards"]
        )
    assert names(look(country=["KE", "NL"], sort="name")) == ["AAA", "BBB", "CCC"]
    finding = look(country=["KE", "NL"], team="solo", sort="name")
    assert names(finding) == ["AAA", "BBB"]
    counts = {facet.key: {option.value: option.count for option in facet.options} for facet in finding.facets}
    assert counts["country"] == {"KE": "few", "NL": "few", "BR": "few"}  # as if no country were chosen
    assert counts["help"] == {"boards": "few"}
    assert [item["label"] for item in finding.chosen_labels] == [
        "The only one in their team",
        "Kenya",
        "Netherlands",
    ]


def test_counts_of_three_and_more_are_told(look, vocabulary):
    for _number in range(3):
        services.update_profile(member=make_member(), can_help=["boards"])
    [facet] = look().facets
    assert [(option.label, option.count) for option in facet.options] == [("boards", "3")]


@pytest.mark.parametrize(
    "query", [{"sort": "x"}, {"country": "\x00"}, {"team": "x"}, {"after": "x"}, {"before": "x"}]
)
def test_senseless_addresses_are_no_errors(query, look):
    make_member()
    assert look(**query).total in (0, 1)


def test_recently_active_come_first_then_by_name(look):
    today = timezone.now().date()
    for name, days in (("Zoë", 0), ("Émile", 0), ("Adam", 5)):
        Member.objects.filter(pk=make_member(name=name).pk).update(last_seen_on=today - timedelta(days=days))
    assert names(look()) == ["Émile", "Zoë", "Adam"]
    assert names(look(sort="name")) == ["Adam", "Émile", "Zoë"]


@pytest.mark.parametrize("sort", ["active", "new", "name"])
def test_pages_show_everybody_once(sort, signed_in):
    count = PAGE_SIZE * 2 + 3
    everybody = [make_member().name for _number in range(count)]
    browser = signed_in(make_member(profile={"is_listed": False}))
    seen, query = [], f"?sort={sort}"
    while query:
        page = browser.get(reverse("members:directory") + query).context["finding"]
        seen += names(page)
        query = page.page.next_query
    assert sorted(seen) == sorted(everybody)


def test_htmx_gets_the_part_and_a_browser_the_page(signed_in):
    browser = signed_in(make_member())
    page = browser.get(reverse("members:directory"))
    part = browser.get(reverse("members:directory"), headers={"HX-Request": "true"})
    back = browser.get(
        reverse("members:directory"), headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}
    )
    assert [b"<html" in one.content for one in (page, part, back)] == [True, False, True]
    assert b'id="people"' in part.content
    assert "HX-Request" in page["Vary"]


def test_posting_to_the_directory_is_refused(signed_in):
    assert signed_in(make_member()).post(reverse("members:directory")).status_code == 405
