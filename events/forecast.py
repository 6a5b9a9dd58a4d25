"""How many people will come, and how many more places can be given out: pure functions, the standard library only.

Words. A *rate* is the share of those with a place who come. It differs from event to event: a hundred people of one
launch share its day, its topic and its weather, and are not a hundred independent facts. So nothing here ever adds up
people of several events. Each event has a rate of its own, drawn from Beta(m s, (1 - m) s); what is learnt from past
events is where m lies and how far events scatter (s). The number that comes, of n, is then beta-binomial, and the
forecast is a mixture of those over all (m, s) that the past leaves likely.

Sources. The critical number: Rothstein, Operations Research 33 (1985) 237; Talluri & van Ryzin, The Theory and Practice
of Revenue Management (2004), chapter 4. The beta-binomial: Skellam, J. R. Stat. Soc. B 10 (1948) 257. The hierarchy over
events on a grid: Gelman et al., Bayesian Data Analysis (3rd ed. 2013), section 5.3. The widest way of joining groups, by
one common draw: Dhaene et al., Insurance: Mathematics and Economics 31 (2002) 3.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, chain
from math import exp, inf, lgamma, log, sqrt
from operator import add, mul, truediv
from statistics import NormalDist
from typing import NamedTuple

RISK = 0.05  # of more people coming than there are places: what the organiser is asked to accept
LEVEL = 0.9  # the range that is shown holds the truth nine times in ten
STEPS_OF_M, STEPS_OF_S, LOWEST_S, HIGHEST_S = 24, 12, 3, 60
NEGLIGIBLE = 1e-7  # the weight at which a cell of the grid is left out
KNOWN = 1e9  # a rate that is known is drawn from so narrow a Beta


class Cell(NamedTuple):
    """A rate drawn from Beta(a, b), with this weight in the mixture."""

    weight: float
    a: float
    b: float


Rates = tuple[Cell, ...]


class Past(NamedTuple):
    """One event that is over: of `places` people `came` did."""

    came: int
    places: int


class Prior(NamedTuple):
    """What is believed of m, the mean rate, before the first event: Beta(a, b)."""

    a: float
    b: float


# Where published rates lie (40 of 100 is ordinary), worth ten events; and the same worth for those who were asked three
# days before: who said yes, who said nothing, and who got their place only after that.
ANYBODY, YES, SILENT, NEW = Prior(4.5, 5.5), Prior(8, 2), Prior(2.5, 7.5), Prior(6.5, 3.5)


class Group(NamedTuple):
    """So many people whose rate is drawn from these."""

    size: int
    rates: Rates


# --- rates: what is known of the next event's ------------------------------------------------------------------------
def known(rate: float) -> Rates:
    """As if the rate were no question; the number that comes is then binomial."""
    return (Cell(1.0, rate * KNOWN, (1 - rate) * KNOWN),)


def drawn(a: float, b: float) -> Rates:
    """The rate of an event is drawn from Beta(a, b)."""
    return (Cell(1.0, a, b),)


@lru_cache(maxsize=8)
def _grid(prior: Prior) -> tuple[Cell, ...]:
    """The middles of 24 equal steps of m, weighted by the prior, s at 12 steps even in log s from 3 to 60."""
    cells = []
    for i in range(STEPS_OF_M):
        m = (i + 0.5) / STEPS_OF_M
        weight = exp((prior.a - 1) * log(m) + (prior.b - 1) * log(1 - m))
        for j in range(STEPS_OF_S):
            s = LOWEST_S * (HIGHEST_S / LOWEST_S) ** ((j + 0.5) / STEPS_OF_S)
            cells.append(Cell(weight, m * s, (1 - m) * s))
    return tuple(cells)


@lru_cache(maxsize=256)
def learn(past: tuple[Past, ...], prior: Prior = ANYBODY) -> Rates:
    """What past events leave likely: each cell's prior weight times the chance, under it, of every event as it went.

    The order of `past` does not matter. Events without a place given out say nothing.
    """
    scores = []
    for cell in _grid(prior):
        a, b = cell.a, cell.b
        whole, score = _log_beta(a, b), log(cell.weight)
        for event in past:
            score += _log_beta(a + event.came, b + event.places - event.came) - whole
        scores.append(score)
    best = max(scores)
    weights = [exp(score - best) for score in scores]
    kept = [(weight, cell) for weight, cell in zip(weights, _grid(prior), strict=True) if weight > NEGLIGIBLE]
    total = sum(weight for weight, _cell in kept)
    return tuple(Cell(weight / total, cell.a, cell.b) for weight, cell in kept)


def mean_rate(rates: Rates) -> float:
    return sum(weight * a / (a + b) for weight, a, b in rates)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


# --- one group: exact ------------------------------------------------------------------------------------------------
def beta_binomial(n: int, a: float, b: float) -> list[float]:
    """The chances of 0, 1, … n people coming."""
    return _mixed(n, drawn(a, b))


def _mixed(n: int, rates: Rates) -> list[float]:
    """Each cell outward from its middle, where nothing underflows, by the ratio of each chance to the one before:
    P(k + 1) / P(k) = (n - k) (a + k) / ((k + 1) (b + n - k - 1))."""
    chances = [0.0] * (n + 1)
    of_all = [(n - k) / (k + 1) for k in range(n)]
    for weight, a, b in rates:
        middle, last = min(n, round(n * a / (a + b))), b + n - 1
        log_choose = lgamma(n + 1) - lgamma(middle + 1) - lgamma(n - middle + 1)
        at_middle = weight * exp(log_choose + _log_beta(a + middle, b + n - middle) - _log_beta(a, b))
        ratios = [ratio * (a + k) / (last - k) for k, ratio in enumerate(of_all)]
        up = accumulate(ratios[middle:], mul, initial=at_middle)
        down = [*accumulate(ratios[:middle][::-1], truediv, initial=at_middle)][:0:-1]
        chances = [*map(add, chances, chain(down, up))]
    total = sum(chances)  # 1, but for the rounding of lgamma where a rate is known
    return [chance / total for chance in chances]


def _rising(rates: Rates, capacity: int, most: int):
    """For n = capacity, capacity + 1, … most: the chance that more than `capacity` of n people come.

    One more person makes it overflow if exactly `capacity` came of those before and they come, too:
    P(S_{n+1} > C) = P(S_n > C) + P(S_n = C) (a + C) / (a + b + n), and P(S_n = C) follows from one n to the next.
    """
    of_cells = [_rising_of_cell(cell, capacity, most) for cell in rates]
    for chances in zip(*of_cells, strict=True):
        yield sum(chances)


def _rising_of_cell(cell: Cell, capacity: int, most: int):
    weight, a, b = cell

    def log_exactly(n: int) -> float:
        log_choose = lgamma(n + 1) - lgamma(capacity + 1) - lgamma(n - capacity + 1)
        return log_choose + _log_beta(a + capacity, b + n - capacity) - _log_beta(a, b)

    over, exactly = 0.0, 0.0
    for n in range(capacity, most + 1):
        yield weight * over
        if exactly == 0.0:
            score = log_exactly(n)
            exactly = exp(score) if score > -600 else 0.0  # below that nothing adds up to anything
        over += exactly * (a + capacity) / (a + b + n)
        exactly *= (n + 1) * (b + n - capacity) / ((n + 1 - capacity) * (a + b + n))


@lru_cache(maxsize=256)
def safe_number(rates: Rates, capacity: int, risk: float = RISK, most: int = 100_000) -> int:
    """The most places that can be given out with a chance of at most `risk` that more than `capacity` people come.

    Never below the capacity and never above `most`.
    """
    safe = capacity
    for n, chance in enumerate(_rising(rates, capacity, most), start=capacity):
        if chance > risk:
            break
        safe = n
    return safe


@lru_cache(maxsize=256)
def critical_number(rates: Rates, capacity: int, turned_away: float = 1.0, most: int = 100_000) -> int:
    """How many places cost least, where one person turned away costs `turned_away` times as much as an empty place.

    n* = min{n >= C: P(S_n >= C) >= c_e / (c_e + c_o)} with the rate size-biased, Beta(a + 1, b): one more place costs
    nothing unless its person comes, and those who come say something about the day.
    """
    enough = 1 / (1 + turned_away)
    biased = tuple(Cell(weight * a / (a + b), a + 1, b) for weight, a, b in rates)
    total = sum(cell.weight for cell in biased)
    reached = _rising(tuple(cell._replace(weight=cell.weight / total) for cell in biased), capacity - 1, most)
    next(reached)  # n = capacity - 1
    return next((n for n, chance in enumerate(reached, start=capacity) if chance >= enough), most)


# --- several groups: one common draw ---------------------------------------------------------------------------------
# Strata of the day, from a bad one to a good one: narrow at both ends, where the risk is.
EDGES = tuple(NormalDist().cdf(z / 5) for z in range(-18, 19))
LOGITS = tuple(x / 8 for x in range(-64, 65))


class Strata(NamedTuple):
    """For each kind of day its chance and, group by group, the rate on such a day."""

    weights: tuple[float, ...]
    rates: tuple[tuple[float, ...], ...]


@lru_cache(maxsize=64)
def _by_day(rates: Rates) -> tuple[float, ...]:
    """The mean rate in each stratum of days. On the scale of log odds the Betas of `learn` are smooth, so even steps do."""
    points = [1 / (1 + exp(-x)) for x in LOGITS]
    logs = [(log(p), log(1 - p)) for p in points]
    density = [0.0] * len(points)
    for weight, a, b in rates:
        scale = log(weight) - _log_beta(a, b)
        density = [
            sum_ + exp(scale + a * log_p + b * log_q)
            for sum_, (log_p, log_q) in zip(density, logs, strict=True)
        ]
    total = sum(density)
    return _means_between(EDGES, points, [part / total for part in density])


def _means_between(edges, points, weights) -> tuple[float, ...]:
    """The mean of the points within each slice of their cumulated weight."""
    means, upto, position, left = [], 0.0, 0, weights[0]
    for edge in [*edges, inf]:
        total = taken = 0.0
        while position < len(points) and upto < edge:
            part = min(left, edge - upto)
            total, taken, upto, left = total + part * points[position], taken + part, upto + part, left - part
            if left <= 0:
                position += 1
                left = weights[position] if position < len(points) else 0.0
        means.append(total / taken if taken else means[-1] if means else points[0])
    return tuple(means)


def _days() -> tuple[float, ...]:
    edges = (0.0, *EDGES, 1.0)
    return tuple(high - low for low, high in zip(edges, edges[1:], strict=False))


DAYS = _days()


def _binomial(n: int, p: float) -> tuple[int, list[float]]:
    """The chances around the middle, and where they begin; what is beyond 6.5 standard deviations is left out."""
    spread = 6.5 * sqrt(n * p * (1 - p)) + 3
    low, high = max(0, int(n * p - spread)), min(n, int(n * p + spread) + 1)
    middle = min(high, max(low, round(n * p)))
    log_choose = lgamma(n + 1) - lgamma(middle + 1) - lgamma(n - middle + 1)
    at_middle = exp(log_choose + middle * log(p) + (n - middle) * log(1 - p))
    odds, up, down = p / (1 - p), [at_middle], []
    for k in range(middle, high):
        up.append(up[-1] * (n - k) / (k + 1) * odds)
    chance = at_middle
    for k in range(middle, low, -1):
        chance *= k / (n - k + 1) / odds
        down.append(chance)
    return low, down[::-1] + up


def convolve(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """The chances of the sum of two numbers that know nothing of each other."""
    result = [0.0] * (len(first) + len(second) - 1)
    for offset, chance in enumerate(first):
        if chance:
            for k, other in enumerate(second, start=offset):
                result[k] += chance * other
    return result


def _on_each_day(groups: Sequence[Group]) -> list[tuple[int, list[float]]]:
    """Per stratum of days: how many of all groups come, given the day."""
    by_group = [_by_day(group.rates) for group in groups]
    found = []
    for of_day in zip(*by_group, strict=True):
        low, chances = 0, [1.0]
        for group, rate in zip(groups, of_day, strict=True):
            if group.size:
                offset, more = _binomial(group.size, rate)
                low, chances = low + offset, convolve(chances, more)
        found.append((low, chances))
    return found


@lru_cache(maxsize=256)
def attendance(groups: tuple[Group, ...]) -> tuple[float, ...]:
    """The chances of 0, 1, 2, … people coming.

    One group: exact. Several: their rates are good and bad on the same days (one common draw), the widest that the sum
    can be; independent groups would make the tail look thinner than it is.
    """
    groups = tuple(group for group in groups if group.size)
    if not groups:
        return (1.0,)
    if len(groups) == 1:
        return tuple(_mixed(*groups[0]))
    chances = [0.0] * (sum(group.size for group in groups) + 1)
    for weight, (low, of_day) in zip(DAYS, _on_each_day(groups), strict=True):
        for k, chance in enumerate(of_day, start=low):
            chances[k] += weight * chance
    return tuple(chances)


def overflow(chances: Sequence[float], capacity: int) -> float:
    """The chance that more than `capacity` people come."""
    return sum(chances[capacity + 1 :])


@lru_cache(maxsize=256)
def safe_further(
    groups: tuple[Group, ...], joining: Rates, capacity: int, most: int, risk: float = RISK
) -> int:
    """How many more places, at most `most`, can be given to people of rates `joining` beside these groups, with a chance
    of at most `risk` that more than `capacity` people come. Places that are free now are always among them."""
    if all(group.rates == joining for group in groups):
        held = sum(group.size for group in groups)
        safe = safe_number(joining, capacity, risk, max(capacity, held + most))
        return min(most, max(0, safe - held))
    days, rates = _on_each_day(groups), _by_day(joining)

    def chance_of_overflow(more: int) -> float:
        return sum(
            weight * _over_on_day(low, chances, more, rate, capacity)
            for weight, (low, chances), rate in zip(DAYS, days, rates, strict=True)
        )

    if chance_of_overflow(0) > risk:
        return 0
    safe, unsafe = 0, most + 1  # it rises with every place
    while unsafe - safe > 1:
        middle = (safe + unsafe) // 2
        safe, unsafe = (middle, unsafe) if chance_of_overflow(middle) <= risk else (safe, middle)
    return safe


def _over_on_day(low: int, chances: list[float], more: int, rate: float, capacity: int) -> float:
    """P(first + second > capacity), the first as given, the second binomial."""
    offset, second = _binomial(more, rate) if more else (0, [1.0])
    above = [*accumulate(reversed(second))][::-1]  # above[i]: at least offset + i of them
    over = 0.0
    for k, chance in enumerate(chances, start=low):
        needed = capacity + 1 - k - offset
        if needed <= 0:
            over += chance
        elif needed < len(above):
            over += chance * above[needed]
    return over


class Range(NamedTuple):
    """From where to where, nine times in ten; and as many below `middle` as above."""

    low: int
    middle: int
    high: int


def range_of(chances: Sequence[float], level: float = LEVEL) -> Range:
    tail = (1 - level) / 2
    upto = [*accumulate(chances)]

    def quantile(share: float) -> int:
        return next((k for k, chance in enumerate(upto) if chance >= share), len(upto) - 1)

    return Range(quantile(tail), quantile(0.5), quantile(1 - tail))
