"""The forecast against published values, against brute force, and against simulated seasons of events."""

import random
from math import fsum

import pytest

from events import forecast
from events.forecast import (
    Group,
    Past,
    Range,
    attendance,
    drawn,
    known,
    learn,
    overflow,
    range_of,
    safe_number,
)

FOUNDING = Past(came=40, places=100)


@pytest.mark.parametrize(
    ("a", "b", "capacity", "turned_away", "places"),
    [
        (8, 12, 100, 3, 198),
        (2, 3, 100, 3, 155),
        (42, 63, 100, 3, 224),
        (8, 12, 40, 3, 78),
        (8, 12, 40, 1, 93),
        (20, 20, 50, 9, 78),
    ],
)
def test_critical_number_is_that_of_the_literature_and_of_brute_force(a, b, capacity, turned_away, places):
    assert forecast.critical_number(drawn(a, b), capacity, turned_away) == places

    def cost(n):
        chances = forecast.beta_binomial(n, a, b)
        return fsum(
            chance * (max(0, capacity - k) + turned_away * max(0, k - capacity))
            for k, chance in enumerate(chances)
        )

    around = range(max(capacity, places - 12), places + 13)
    assert min(around, key=cost) == places


def test_critical_number_of_a_known_rate():
    assert forecast.critical_number(known(0.96), 16, 100 / 225) == 17  # LINDO's OVERBOOK
    assert forecast.critical_number(known(0.4), 100, 3) == 237


@pytest.mark.parametrize(("a", "b", "places"), [(2, 3, 132), (8, 12, 169), (42, 63, 201)])
def test_safe_number_is_that_of_the_literature_and_of_brute_force(a, b, places):
    assert safe_number(drawn(a, b), 100) == places
    risks = [overflow(forecast.beta_binomial(n, a, b), 100) for n in (places, places + 1)]
    assert [risk <= forecast.RISK for risk in risks] == [True, False]


def test_founding_event_alone():
    rates = learn((FOUNDING,))
    assert range_of(attendance((Group(100, rates),))) == Range(low=15, middle=42, high=73)
    assert (safe_number(rates, 100), safe_number(rates, 100, risk=0.01)) == (137, 114)


@pytest.mark.parametrize(("events", "percent"), [(0, 7.2), (1, 3.3), (4, 0.4)])
def test_all_thirty_who_waited_could_have_been_let_in(events, percent):
    chances = attendance((Group(130, learn((FOUNDING,) * events)),))
    assert round(100 * overflow(chances, 100), 1) == percent


def test_chances_add_up_to_one_also_where_they_are_tiny():
    for n, rates in ((0, learn(())), (1, learn(())), (1000, learn((FOUNDING,) * 12)), (1000, known(0.02))):
        assert fsum(attendance((Group(n, rates),))) == pytest.approx(1, abs=1e-9)


def test_safe_number_of_a_thousand_places_that_hardly_anybody_takes():
    """P(S = C) begins at 10^-1000 here, and must not be lost for that."""
    assert safe_number(known(0.1), 1000, most=20_000) == 9_521
    assert overflow(forecast._mixed(9_521, known(0.1)), 1000) == pytest.approx(0.05, abs=0.0005)


def test_safe_number_rises_with_risk_with_capacity_and_with_a_past_that_agrees():
    of_risk = [safe_number(learn((FOUNDING,)), 100, risk) for risk in (0.001, 0.01, 0.05, 0.1, 0.3)]
    of_capacity = [safe_number(learn((FOUNDING,)), capacity) for capacity in (1, 10, 50, 100, 200)]
    of_past = [safe_number(learn((FOUNDING,) * events), 100) for events in (0, 1, 3, 8, 20)]
    of_shows = [safe_number(learn((Past(came, 100),)), 100) for came in (90, 60, 40, 20)]
    for found in (of_risk, of_capacity, of_past, of_shows):
        assert found == sorted(set(found))
    everybody_comes = learn((Past(100, 100),) * 30)
    assert safe_number(everybody_comes, 100, risk=1e-9) == 100  # never below the places there are


def test_order_of_past_events_does_not_matter_and_an_empty_one_says_nothing():
    past = (Past(40, 100), Past(9, 12), Past(3, 30))
    mean = forecast.mean_rate(learn(past))
    assert forecast.mean_rate(learn(past[::-1])) == pytest.approx(mean)
    assert forecast.mean_rate(learn((*past, Past(0, 0)))) == pytest.approx(mean)


# --- groups ----------------------------------------------------------------------------------------------------------
SAID_YES, SILENT, NEW = drawn(16, 4), drawn(5, 15), drawn(13, 7)


def moments(chances):
    mean = fsum(k * chance for k, chance in enumerate(chances))
    return mean, fsum((k - mean) ** 2 * chance for k, chance in enumerate(chances)) ** 0.5


def test_independent_groups_are_those_of_the_literature():
    both = forecast.convolve(forecast.beta_binomial(45, 16, 4), forecast.beta_binomial(40, 5, 15))
    assert [round(value, 1) for value in moments(both)] == [46.0, 6.6]
    risks = [overflow(forecast.convolve(both, forecast.beta_binomial(n, 13, 7)), 100) for n in (59, 60)]
    assert [risk <= 0.05 for risk in risks] == [True, False]


def test_common_draw_keeps_the_mean_and_widens_the_range():
    groups = (Group(45, SAID_YES), Group(40, SILENT))
    mean, deviation = moments(attendance(groups))
    assert (round(mean, 1), round(deviation, 1)) == (46.0, 8.5)
    assert forecast.safe_further(groups, NEW, 100, most=100) == 50  # and not 59, as if they were independent


def test_common_draw_of_one_group_is_that_group():
    """Cut in two, the same people have the same forecast: the strata lose nothing that shows."""
    for rates in (learn(()), learn((FOUNDING,) * 3), SAID_YES):
        whole = attendance((Group(100, rates),))
        halves = attendance((Group(50, rates), Group(50, rates)))
        for level in (0.5, 0.9, 0.98):
            differences = [
                abs(a - b) for a, b in zip(range_of(whole, level), range_of(halves, level), strict=True)
            ]
            assert max(differences) <= 1


def test_safe_further_is_brute_force():
    groups = (Group(45, SAID_YES), Group(40, SILENT))
    risks = [overflow(attendance((*groups, Group(more, NEW))), 100) for more in (50, 51)]
    assert [risk <= 0.05 for risk in risks] == [True, False]
    assert forecast.safe_further(groups, NEW, 100, most=10) == 10
    assert forecast.safe_further((Group(300, SAID_YES),), NEW, 100, most=10) == 0


def test_safe_further_of_one_group_is_its_safe_number():
    rates = learn((FOUNDING,))
    assert forecast.safe_further((Group(100, rates),), rates, 100, most=200) == 37
    assert forecast.safe_further((Group(90, rates),), rates, 100, most=200) == 47
    assert forecast.safe_further((), rates, 100, most=200) == 137
    assert forecast.safe_further((Group(140, rates),), rates, 100, most=200) == 0


# --- seasons: what it is for -----------------------------------------------------------------------------------------
def season(chance, events, m=0.42, s=12.0, places=100):
    """Past events, each with a rate of its own."""
    return tuple(
        Past(came(chance, places, chance.betavariate(m * s, (1 - m) * s)), places) for _ in range(events)
    )


def came(chance, places, rate):
    return sum(chance.random() < rate for _place in range(places))


def pooled(past):
    """What must never be done: all people of all events as if they were independent of each other."""
    return safe_number(known(sum(event.came for event in past) / sum(event.places for event in past)), 100)


def test_in_simulated_seasons_the_range_holds_and_overflow_is_rare_where_pooling_overflows():
    """True rates are drawn from Beta(5, 7), which nobody tells the forecast. 3 standard errors are 3.6 points at 5 %."""
    chance, runs = random.Random(5), 320
    inside = over = over_pooled = 0
    for run in range(runs):
        past = season(chance, events=(1, 3, 8, 20)[run % 4])
        rates = learn(past)
        low, _middle, high = range_of(attendance((Group(100, rates),)))
        rate = chance.betavariate(5.04, 6.96)
        inside += low <= came(chance, 100, rate) <= high
        over += came(chance, safe_number(rates, 100), rate) > 100
        over_pooled += came(chance, pooled(past), rate) > 100
    assert 0.85 <= inside / runs <= 0.95
    assert over / runs <= 0.05 + 0.036
    assert over_pooled / runs > 0.25


def test_in_simulated_seasons_groups_with_a_day_in_common_hold_too():
    """Those who said yes and those who were silent share a good or a bad day."""
    chance, runs, inside, over = random.Random(8), 100, 0, 0

    def one_event():
        day = chance.gauss(0, 1)
        rates = [1 / (1 + 2.718281828 ** -(centre + 0.6 * day)) for centre in (1.4, -1.1, 0.7)]
        sizes = (45, 40, 15)
        return rates, [Past(came(chance, size, rate), size) for size, rate in zip(sizes, rates, strict=True)]

    priors = (forecast.YES, forecast.SILENT, forecast.NEW)
    for _run in range(runs):
        past = [one_event()[1] for _event in range(4)]
        of_groups = [learn(tuple(event[i] for event in past), prior) for i, prior in enumerate(priors)]
        groups = tuple(Group(size, rates) for size, rates in zip((45, 40, 15), of_groups, strict=True))
        rates, now = one_event()
        low, _middle, high = range_of(attendance(groups))
        inside += low <= sum(group.came for group in now) <= high
        more = forecast.safe_further(groups, of_groups[2], 100, most=200)
        over += sum(group.came for group in now) + came(chance, more, rates[2]) > 100
    assert 0.85 <= inside / runs <= 0.99  # the common draw is the widest there is
    assert over / runs <= 0.05 + 0.066
