"""Counting, held against published examples and against a slow model."""

from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discussions.tallies import outcome_of, percent, preferences, schulze_places, shares_won, strongest_paths


def ballots_of(text: str) -> list[str]:
    """“5 ACBED, 8 BEDAC”: so many ballots of each order."""
    return [
        ballot for part in text.split(", ") for times, ballot in [part.split()] for _time in range(int(times))
    ]


# The worked example that Schulze's papers and the encyclopaedias give: 45 voters, five candidates.
FORTY_FIVE = ballots_of("5 ACBED, 5 ADECB, 8 BEDAC, 3 CABED, 7 CAEBD, 2 CBADE, 7 DCEBA, 8 EBADC")


def table(pairs, options):
    return [[pairs.get((one, other), 0) for other in options] for one in options]


def test_example_of_forty_five_voters():
    preferred = preferences(FORTY_FIVE, "ABCDE")
    assert table(preferred, "ABCDE") == [
        [0, 20, 26, 30, 22],
        [25, 0, 16, 33, 18],
        [19, 29, 0, 17, 24],
        [15, 12, 28, 0, 14],
        [23, 27, 21, 31, 0],
    ]
    assert table(strongest_paths(preferred, "ABCDE"), "ABCDE") == [
        [0, 28, 28, 30, 24],
        [25, 0, 28, 33, 24],
        [25, 29, 0, 29, 24],
        [25, 28, 28, 0, 24],
        [25, 28, 28, 31, 0],
    ]
    places = schulze_places(FORTY_FIVE, "ABCDE")
    assert sorted(places, key=places.get) == list("EACBD")
    assert sorted(places.values()) == [1, 2, 3, 4, 5]


def test_example_of_the_capital_of_tennessee():
    """Memphis has most first choices; Nashville beats every other town one by one."""
    ballots = ballots_of("42 MNCK, 26 NCKM, 15 CKNM, 17 KCNM")
    assert schulze_places(ballots, "MNCK") == {"N": 1, "C": 2, "K": 3, "M": 4}
    assert shares_won(ballots, "MNCK") == {
        "M": 42,
        "N": 65,
        "C": 58,
        "K": 36,
    }  # Borda's 126, 194, 173, 107 of 300


def test_circle_of_three_is_a_tie():
    assert schulze_places(["ABC", "BCA", "CAB"], "ABC") == {"A": 1, "B": 1, "C": 1}


def test_what_is_left_out_comes_after_all_others_and_is_tied_among_itself():
    assert preferences(["A"], "ABC") == {
        ("A", "B"): 1,
        ("A", "C"): 1,
        ("B", "A"): 0,
        ("B", "C"): 0,
        ("C", "A"): 0,
        ("C", "B"): 0,
    }
    assert schulze_places(["A"], "ABC") == {"A": 1, "B": 2, "C": 2}


ballots = st.lists(
    st.permutations("ABCD").flatmap(lambda order: st.integers(1, 4).map(lambda length: order[:length])),
    max_size=12,
)


def strongest_by_trying_all(preferred, one, other):
    """Every path without a repeated stop."""
    between = [option for option in "ABCD" if option not in (one, other)]
    best = 0
    for length in range(3):
        for stops in permutations(between, length):
            path = [one, *stops, other]
            steps = list(zip(path, path[1:], strict=False))
            if all(preferred[step] > preferred[step[::-1]] for step in steps):
                best = max(best, min(preferred[step] for step in steps))
    return best


@given(ballots)
@settings(max_examples=30, deadline=None)
def test_paths_equal_a_search_of_all_paths_and_who_beats_everybody_wins(found):
    preferred = preferences(found, "ABCD")
    paths = strongest_paths(preferred, "ABCD")
    for pair in permutations("ABCD", 2):
        assert paths[pair] == strongest_by_trying_all(preferred, *pair)
    places = schulze_places(found, "ABCD")
    assert min(places.values()) == 1
    for one in "ABCD":
        if all(preferred[one, other] > preferred[other, one] for other in "ABCD" if other != one):
            assert [option for option, place in places.items() if place == 1] == [one]
    for one, other in combinations("ABCD", 2):  # a strict order: who beats another stands before them
        assert (places[one] < places[other]) == (paths[one, other] > paths[other, one]) or places[
            one
        ] != places[other]


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, 0), (0, 3, 0), (1, 3, 33), (2, 3, 67), (1, 2, 50), (1, 200, 1), (3, 3, 100)],
)
def test_percents_are_whole_and_halves_go_up(part, whole, shown):
    assert percent(part, whole) == shown


def test_outcome_of_a_plain_poll():
    assert outcome_of("multiple", [[1, 2], [2], [2, 3]], [1, 2, 3]) == {
        "voters": 3,
        "counts": {"1": 1, "2": 3, "3": 1},
        "percents": {"1": 33, "2": 100, "3": 33},
        "places": {"1": 2, "2": 1, "3": 2},
    }
    assert outcome_of("single", [], [1, 2])["voters"] == 0
