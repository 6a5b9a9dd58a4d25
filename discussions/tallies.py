"""Counting polls. Pure functions over ballots: lists of options, in a ranked poll the first choice first."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

Ballots = Iterable[Sequence[Hashable]]


def preferences(ballots: Ballots, options: Sequence[Hashable]) -> dict[tuple, int]:
    """For each pair, how many people prefer the first to the second. Who ranks an option prefers it to all that they
    leave out; between two that they leave out they say nothing."""
    preferred = {(one, other): 0 for one in options for other in options if one != other}
    for ballot, times in Counter(tuple(ballot) for ballot in ballots).items():
        rank = {option: place for place, option in enumerate(ballot)}
        last = len(rank)
        for one, other in preferred:
            if rank.get(one, last) < rank.get(other, last):
                preferred[one, other] += times
    return preferred


def strongest_paths(preferred: dict[tuple, int], options: Sequence[Hashable]) -> dict[tuple, int]:
    """For each pair, the strength of the strongest chain of wins that leads from the first to the second: a chain is as
    strong as its weakest win (Floyd and Warshall's algorithm, widest paths)."""
    paths = {pair: votes if votes > preferred[pair[::-1]] else 0 for pair, votes in preferred.items()}
    for between in options:
        for one in options:
            if one == between:
                continue
            for other in options:
                if other not in (one, between):
                    through = min(paths[one, between], paths[between, other])
                    paths[one, other] = max(paths[one, other], through)
    return paths


def schulze_places(ballots: Ballots, options: Sequence[Hashable]) -> dict[Hashable, int]:
    """The place of each option, 1 for the best; two that neither beats share one.

    The Schulze method with winning votes: Markus Schulze, “A new monotonic, clone-independent, reversal symmetric, and
    Condorcet-consistent single-winner election method”, Social Choice and Welfare 36 (2011), 267–303. One option beats
    another where its strongest path to the other is stronger than the other's to it; that relation is transitive, so
    the place is one more than the number of options that beat it. Debian and Wikimedia elect by it. An option that
    beats every other one by one always comes first, and adding a twin of an option changes nothing for the others.
    """
    paths = strongest_paths(preferences(ballots, options), options)
    return {
        one: 1 + sum(paths[other, one] > paths[one, other] for other in options if other != one)
        for one in options
    }


def shares_won(ballots: Ballots, options: Sequence[Hashable]) -> dict[Hashable, int]:
    """In how many of a hundred comparisons with another option somebody preferred this one. For the bar beside it."""
    ballots = [list(ballot) for ballot in ballots]
    comparisons = len(ballots) * (len(options) - 1)
    won = Counter()
    for (one, _other), votes in preferences(ballots, options).items():
        won[one] += votes
    return {option: percent(won[option], comparisons) for option in options}


def percent(part: int, whole: int) -> int:
    """Whole percents, halves up."""
    return (200 * part + whole) // (2 * whole) if whole else 0


def outcome_of(way: str, ballots: Ballots, options: Sequence[int]) -> dict:
    """What is shown of a poll, and what is stored when it closes: JSON, options by their ids in words.

    `voters`; `counts`: who chose it, in a ranked poll as the first choice; `percents`: of the voters, in a ranked poll
    of the comparisons won; `places`: in a ranked poll by Schulze, else by number, equal numbers sharing one."""
    ballots = [list(ballot) for ballot in ballots]
    if way == "ranked":
        counts = Counter(ballot[0] for ballot in ballots)
        percents = shares_won(ballots, options)
        places = schulze_places(ballots, options)
    else:
        counts = Counter(option for ballot in ballots for option in ballot)
        percents = {option: percent(counts[option], len(ballots)) for option in options}
        places = {one: 1 + sum(counts[other] > counts[one] for other in options) for one in options}
    return {
        "voters": len(ballots),
        "counts": {str(option): counts[option] for option in options},
        "percents": {str(option): percents[option] for option in options},
        "places": {str(option): places[option] for option in options},
    }
