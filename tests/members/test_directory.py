from datetime import timedelta
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from kmnet.core.models import Term
from kmnet.core.search import SearchText
from members import services
from members.finding import KINDS, LABELS_KEY, Finding, by_country, count_countries
from members.finding.limits import PAGE_SIZE
from members.models import DirectoryEntry, Group, GroupMember, Member, Profile, SeenBy
from members.services.directory import COUNTRIES_KEY, forget_counts
from members.visibility import can_see
from tests.factories import make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_counted_yet():
    """What is counted by country is kept beyond a test's end."""
    cache.delete_many([COUNTRIES_KEY, LABELS_KEY])


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
    monkeypatch.setattr("members.finding.limits.PAGE_SIZE", 50)
    roles = list(Term.objects.filter(facet__key="role")[:2])
    for _number in range(count):
        services.update_profile(
            member=make_member(),
            roles=roles,
            can_help=["policy brief", "boards"],
            looking_for=["equity"],
            country="KE",
        )
    viewer = make_member(profile={"is_listed": False})
    services.update_profile(member=viewer, can_help=["equity"], looking_for=["boards"])
    browser = signed_in(viewer)
    browser.get(reverse("members:directory"))  # the settings and the words are in the cache from now on
    assert SearchText("Member").lexemes  # and what Postgres makes of these
    with django_assert_num_queries(8):
        # the member; who is near or away, and own words; whom they fit; the order; people, their words; how many of each
        # kind; the bell
        response = browser.get(reverse("members:directory"))
    assert len(response.context["finding"].people) == count
    with django_assert_num_queries(9):  # and whom the words find
        response = browser.get(
            reverse("members:directory"), {"country": "KE", "help": "boards", "q": "Member"}
        )
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
    assert look(**query).total in ("Nobody found", "A few people")


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


# --- counts ----------------------------------------------------------------------------------------------------------
def counts(finding) -> dict[str, dict[str, str]]:
    return {facet.key: {option.value: option.count for option in facet.options} for facet in finding.facets}


def test_every_facet_filters_and_counts(look, vocabulary):
    role, setting = Term.objects.get(name="knowledge broker"), Term.objects.get(name="hospital")
    interest = Term.objects.get(name="storytelling")
    for _number in range(3):
        services.update_profile(
            member=make_member(),
            roles=[role], work_settings=[setting], interests=[interest], team_size="solo", country="KE",
            languages_work=["sw"], can_help=["boards"], availability=["coffee"],
        )  # fmt: skip
    make_member(name="Other")
    expected = {
        "help": "boards", "free": "coffee", "team": "solo", "role": "knowledge-broker", "setting": "hospital",
        "country": "KE", "language": "sw", "interest": "storytelling",
    }  # fmt: skip
    assert counts(look()) == {key: {value: "3"} for key, value in expected.items()}
    for key, value in expected.items():
        assert len(names(look(**{key: value}))) == 3, key


def test_one_and_two_look_the_same_everywhere(signed_in):
    """Not in the text, not in an attribute, not by the order, not by the sum."""
    for country, people in (("KE", 4), ("NL", 2), ("BR", 1)):
        for _number in range(people):
            services.update_profile(member=make_member(), country=country)
    browser = signed_in(make_member(profile={"is_listed": False}))

    def page(**query) -> str:
        return browser.get(reverse("members:directory"), query).content.decode()

    finding = browser.get(reverse("members:directory")).context["finding"]
    assert counts(finding) == {"country": {"KE": "4", "BR": "few", "NL": "few"}}  # by name among the few
    assert finding.total == "About 5 people"  # seven would tell that three are elsewhere
    assert "A few people" in page(country="NL")
    assert "A few people" in page(country="BR")
    html = browser.get(reverse("members:countries")).content.decode()
    table = html[html.index("<tbody>") : html.index("</tbody>")]
    assert ["Kenya" in table, ">4<" in table, "Brazil, Netherlands" in table, "few each" in table] == [
        True
    ] * 4
    assert html.count("<rect") == 1
    assert "style=" not in html


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "Nobody found"),
        (1, "A few people"),
        (2, "A few people"),
        (3, "About 5 people"),
        (12, "About 10 people"),
    ],
)
def test_the_total_is_never_exact(number, said, look):
    for _number in range(number):
        make_member()
    assert look().total == said


def test_where_not_all_are_looked_at_the_numbers_say_so(look, monkeypatch):
    monkeypatch.setattr("members.finding.limits.LOOKED_AT", 4)
    for _number in range(6):
        services.update_profile(member=make_member(), country="KE")
    finding = look()
    assert (finding.total, counts(finding)) == ("More than 4 people", {"country": {"KE": "4+"}})


@pytest.mark.parametrize("rare", [0, 100])
def test_the_two_ways_of_looking_up_find_the_same(rare, look, monkeypatch):
    """Few are looked up first, many are come across in the order."""
    monkeypatch.setattr("members.finding.limits.RARE", rare)
    for name, country in (("Ann", "KE"), ("Bob", "NL"), ("Cy", "KE")):
        services.update_profile(
            member=make_member(name=name), country=country, headline="falls prevention", can_help=["boards"]
        )
    assert names(look(q="falls", country="KE", sort="name")) == ["Ann", "Cy"]
    assert names(look(q="falls", sort="name")) == ["Ann", "Bob", "Cy"]
    assert names(look(help="boards", country="NL")) == ["Bob"]


def test_those_who_pause_are_not_available(look):
    today = timezone.now().date()
    for name, until in (("Now", None), ("Again", today - timedelta(days=1)), ("Later", today)):
        make_member(name=name, profile={"availability": ["mentor"], "paused_until": until})
    assert names(look(free="mentor", sort="name")) == ["Again", "Now"]
    assert counts(look()) == {"free": {"mentor": "few"}}


# --- who sees whom ---------------------------------------------------------------------------------------------------
LEVELS = [SeenBy.PUBLIC, SeenBy.MEMBERS, SeenBy.GROUPS, SeenBy.ME]
PART_OF = {kind.key: kind.part for kind in KINDS}


def tell_all(member, level, **more):
    parts = {f"{part}_seen_by": level for part in (*PART_OF.values(), "looking_for")}
    services.update_profile(
        member=member,
        roles=Term.objects.filter(name="knowledge broker"),
        work_settings=Term.objects.filter(name="hospital"),
        interests=Term.objects.filter(name="storytelling"),
        team_size="solo", country="KE", languages_work=["sw"], can_help=["boards"], looking_for=["equity"],
        availability=["coffee"], **parts, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("together", "distance"), [(False, ""), (True, ""), (True, "block"), (False, "ignore")]
)
@pytest.mark.parametrize("level", LEVELS)
def test_filters_and_counts_agree_with_the_rule(level, together, distance, vocabulary):
    """For every level and standing between two people: found and counted exactly if it may be seen. That parts of
    different levels do not lend each other theirs is in test_directory_rule."""
    viewer, owner = make_member(profile={"is_listed": False}), make_member()
    services.update_profile(member=viewer, can_help=["equity"])
    tell_all(owner, level)
    if together:
        group = Group.objects.create(slug="us", name="Us")
        GroupMember.objects.create(group=group, member=viewer)
        GroupMember.objects.create(group=group, member=owner)
    if distance:
        services.set_boundary(owner=owner, other=viewer, distance=distance)
    values = {
        "help": "boards", "free": "coffee", "team": "solo", "role": "knowledge-broker", "setting": "hospital",
        "country": "KE", "language": "sw", "interest": "storytelling",
    }  # fmt: skip
    profile = Profile.objects.select_related("member").get(member=owner)
    counted = counts(Finding(QueryDict(), viewer))
    for key, part in PART_OF.items():
        may = can_see(viewer, profile, part)
        found = Finding(QueryDict(f"{key}={values[key]}"), viewer)
        assert (len(found.people) == 1, key in counted) == (may, may), key
    [person] = Finding(QueryDict("sort=match"), viewer).people
    may = can_see(viewer, profile, "looking_for")
    assert bool(person.you_help) is may
    assert [len(rows) for rows in Finding(QueryDict(), viewer).stretches] == ([0, 1, 0] if may else [0, 0, 1])
    [rows, few] = count_countries(viewer)
    assert (rows, few) == ([], ["Kenya"] if can_see(viewer, profile, "place") else [])


@pytest.mark.parametrize("rare", [0, 100])
@pytest.mark.parametrize("level", LEVELS)
def test_words_find_whom_they_show_however_common_they_are(level, rare, monkeypatch):
    monkeypatch.setattr("members.finding.limits.RARE", rare)
    owner = make_member()
    services.update_profile(
        member=owner,
        headline="falls", headline_seen_by=level, looking_for=["equity"], looking_for_seen_by=level,
    )  # fmt: skip
    group = Group.objects.create(slug="us", name="Us")
    viewers = {
        who: make_member(profile={"is_listed": False}) for who in ("member", "mate", "away", "mate away")
    }
    for who in (owner, viewers["mate"], viewers["mate away"]):
        GroupMember.objects.create(group=group, member=who)
    for who in ("away", "mate away"):
        services.set_boundary(owner=owner, other=viewers[who], distance="block")
    profile = Profile.objects.select_related("member").get(member=owner)
    for who, viewer in viewers.items():
        for part, word in (("headline", "falls"), ("looking_for", "equity")):
            finding = Finding(QueryDict(f"q={word}"), viewer)
            found = [person.shown.member for person in finding.people] == [owner]
            may = can_see(viewer, profile, part)
            assert (found, finding.total == "A few people") == (may, may), (who, part)


def test_somebody_away_is_found_by_name_and_public_words_only(look_as):
    viewer, owner = make_member(), make_member(name="Maren de Wit")
    services.update_profile(
        member=owner, headline="falls prevention", organisation="A public body", organisation_seen_by=10
    )
    services.set_boundary(owner=owner, other=viewer, distance="block")
    found = [names(look_as(viewer, q=q)) for q in ("maren", "falls", "public body")]
    assert found == [["Maren de Wit"], [], ["Maren de Wit"]]


def test_countries_are_counted_for_everybody_once_and_differ_by_what_somebody_shows(
    django_assert_num_queries,
):
    """Who is blocked sees less than others, and who shares a group sees more; what is kept in the cache is neither's."""
    viewers = {who: make_member(profile={"is_listed": False}) for who in ("member", "mate", "blocked")}
    blocks, groups_only, public = (make_member() for _number in range(3))
    services.update_profile(member=blocks, country="KE")
    services.update_profile(member=groups_only, country="NL", place_seen_by=SeenBy.GROUPS)
    services.update_profile(member=public, country="BR", place_seen_by=SeenBy.PUBLIC)
    group = Group.objects.create(slug="us", name="Us")
    for who in (viewers["mate"], groups_only):
        GroupMember.objects.create(group=group, member=who)
    for owner in (blocks, public):
        services.set_boundary(owner=owner, other=viewers["blocked"], distance="block")
    expected = {"member": "Brazil Kenya", "mate": "Brazil Kenya Netherlands", "blocked": "Brazil"}
    for _round in range(2):
        for who, countries in expected.items():
            assert count_countries(viewers[who]) == ([], countries.split()), who
    with django_assert_num_queries(1):  # the circle
        count_countries(viewers["member"])


def test_what_was_counted_before_a_change_is_not_read_after_it(monkeypatch):
    """Somebody counts while somebody else's change is committed."""
    viewer, owner = make_member(profile={"is_listed": False}), make_member()
    services.update_profile(member=owner, country="KE")
    count = by_country._count

    def count_while_it_changes(*arguments):
        counts = count(*arguments)
        monkeypatch.setattr(by_country, "_count", count)
        services.update_profile(member=owner, country="NL")
        forget_counts()  # as on commit, which no test of this kind reaches
        return counts

    monkeypatch.setattr(by_country, "_count", count_while_it_changes)
    assert count_countries(viewer) == ([], ["Kenya"])
    assert count_countries(viewer) == ([], ["Netherlands"])


def test_a_hidden_profile_is_neither_counted_nor_found(look, member):
    moderator = make_member(is_moderator=True, profile={"is_listed": False})
    services.update_profile(member=member, country="KE")
    services.hide_profile(target=member.profile, actor=moderator, reason="Not theirs")
    assert (names(look(country="KE")), counts(look())) == ([], {})


# --- match -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def look_as(signed_in):
    def get(viewer, **query):
        return signed_in(viewer).get(reverse("members:directory"), query).context["finding"]

    return get


@pytest.mark.parametrize("rare", [0, 100])
def test_those_who_fit_come_first_and_it_is_said_why(rare, look_as, vocabulary, monkeypatch):
    monkeypatch.setattr("members.finding.limits.RARE", rare)
    viewer = make_member(name="Me")
    services.update_profile(member=viewer, can_help=["KT planning"], looking_for=["co-creation", "boards"])
    people = {
        "Both ways": {
            "can_help": ["co-production"],
            "looking_for": ["KT planning"],
        },  # co-creation means the same
        "Helps me": {"can_help": ["boards"]},
        "Needs me": {"looking_for": ["KT planning"]},
        "Nothing": {"can_help": ["other things"]},
        "Long ago": {"looking_for": ["KT planning"]},
    }
    for name, told in people.items():
        services.update_profile(member=make_member(name=name), **told)
    Profile.objects.filter(member__name="Long ago").update(
        looking_until=timezone.now().date() - timedelta(days=1)
    )
    services.index_entries()
    found = look_as(viewer)
    assert names(found) == ["Both ways", "Helps me", "Needs me", "Long ago", "Nothing"]
    why = {person.shown.member.name: (person.help_you, person.you_help) for person in found.people}
    assert why["Both ways"] == (["co-production"], ["KT planning"])
    assert (why["Helps me"], why["Needs me"]) == ((["boards"], []), ([], ["KT planning"]))
    assert why["Long ago"] == ([], [])
    # oneself is no match for oneself, but is there for whoever seeks or sorts
    assert "Me" in names(look_as(viewer, sort="active"))
    assert all("Me" in names(look_as(viewer, **query)) for query in ({"q": "Me"}, {"help": "kt-planning"}))


@pytest.mark.parametrize("rare", [0, 100])
def test_pages_by_match_show_everybody_once_and_lead_back(rare, signed_in, monkeypatch):
    monkeypatch.setattr("members.finding.limits.PAGE_SIZE", 3)
    monkeypatch.setattr("members.finding.limits.RARE", rare)
    viewer = make_member(profile={"is_listed": False})
    services.update_profile(member=viewer, can_help=["boards"], looking_for=["equity"])
    for number in range(8):
        told = [{"can_help": ["equity"], "looking_for": ["boards"]}, {"looking_for": ["boards"]}, {}][
            number % 3
        ]
        services.update_profile(member=make_member(name=f"P{number}"), **told)
    browser, pages, query = signed_in(viewer), [], "?"
    while query:
        finding = browser.get(reverse("members:directory") + query).context["finding"]
        pages.append(names(finding))
        last, query = finding.page, finding.page.next_query
    assert pages == [["P0", "P3", "P6"], ["P1", "P4", "P7"], ["P2", "P5"]]
    back = browser.get(reverse("members:directory") + last.previous_query).context["finding"]
    assert names(back) == ["P1", "P4", "P7"]


def test_words_that_more_people_have_than_are_looked_up_else_find_them_all(signed_in, monkeypatch):
    """Their ids are known, so that nothing is asked of everybody; the counts look at some of them."""
    monkeypatch.setattr("members.finding.limits.PAGE_SIZE", 2)
    monkeypatch.setattr("members.finding.limits.RARE", 2)
    monkeypatch.setattr("members.finding.limits.LOOKED_AT", 4)
    viewer = make_member(profile={"is_listed": False})
    services.update_profile(member=viewer, can_help=["boards"], looking_for=["equity"])
    for number in range(5):
        told = {} if number == 1 else {"can_help": ["equity"], "looking_for": ["boards"]}
        services.update_profile(member=make_member(name=f"P{number}"), headline="falls", country="KE", **told)
    services.update_profile(member=make_member(name="Unlisted"), headline="falls", is_listed=False)
    browser, pages, query = signed_in(viewer), [], "?q=falls"
    while query:
        finding = browser.get(reverse("members:directory") + query).context["finding"]
        assert (finding.all_are_known, finding.total) == (True, "More than 4 people")
        pages.append(names(finding))
        query = finding.page.next_query
    assert pages == [["P0", "P2"], ["P3", "P4"], ["P1"]]
    assert counts(finding)["country"] == {"KE": "4+"}
    narrowed = browser.get(reverse("members:directory"), {"q": "falls", "help": "equity", "sort": "name"})
    assert names(narrowed.context["finding"]) == ["P0", "P2"]
    services.update_profile(member=make_member(name="Q"), headline="falls")
    assert not browser.get(reverse("members:directory"), {"q": "falls"}).context["finding"].all_are_known


@pytest.mark.parametrize("typed", ["gagnno", "ettiene", "Gagnon Roi", "ganon-roy"])
def test_small_slips_in_a_name_are_forgiven(typed, look):
    make_member(name="Étienne Gagnon-Roy")
    make_member(name="Maren de Wit")
    assert names(look(q=typed)) == ["Étienne Gagnon-Roy"]


def test_a_tag_is_found_under_its_synonym(look, vocabulary):
    services.update_profile(member=make_member(name="Ann"), can_help=["co-production"])
    assert names(look(help="co-creation")) == names(look(help="co-production")) == ["Ann"]


# --- guests, pending -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["directory", "countries"])
def test_the_directory_is_for_members(name, client, signed_in):
    guest = client.get(reverse(f"members:{name}"))
    assert guest.headers["Location"].startswith(reverse("account_login"))
    pending = signed_in(make_member(status="pending")).get(reverse(f"members:{name}"))
    assert pending.headers["Location"] == reverse("members:waiting")
    assert Finding(QueryDict(), make_member(status="pending")).people == []


def test_removing_a_filter_keeps_the_rest_of_the_address(look):
    finding = look(country=["KE", "NL"], team="solo", sort="name", q="x")
    assert finding.chosen_labels[0]["href"] == "?team=solo&country=KE&country=NL&sort=name&q=x".replace(
        "team=solo&", ""
    )
    assert finding.clear_href == "?sort=name&q=x"


def test_entries_are_made_anew_by_the_command(look):
    services.update_profile(member=make_member(name="Ann"), country="KE")
    DirectoryEntry.objects.all().delete()
    assert names(look()) == []
    call_command("reindex_profiles", stdout=StringIO())
    assert names(look(country="KE")) == ["Ann"]
