"""When was a list taken?

Rows that were added to a catalogue after a list was taken are not in it.  The share of our rows that is found in the
list, by the day on which each was added, is therefore level up to the taking and nothing after it, but for rows matched
wrongly.  A list of any size is not taken at once: a crawl goes on for days or weeks, reading rows in no order that we
know, and a row that is added while it goes on is in the list with a chance that falls from one to nothing.

A crawl begins at ``begin`` and takes ``length`` days; a row added at ``t`` is read after that with probability
``clip(1 - (t - begin) / length, 0, 1)``, and a day's rows with its mean over the day.  The day on which the crawl was
half done is what is estimated: all pairs of half days and lengths of up to sixty days, at an even pace or with more
read in one part than in another, are weighed by their likelihood (binomial counts on every day), and the interval holds
95 % of it.  The share before is counted over the months before,
the share after over all that follows, both anew for every pair, and the share before is weighed within its own error.
Days differ by more than chance (a release, a playlist), so logarithms of likelihoods are divided by how much more they
do.  What the interval covers on real dates is in ``docs/bench/dump_taken.csv``.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LENGTHS: Final = (0.0, 1.0, 2.0, 4.0, 7.0, 10.0, 14.0, 21.0, 30.0, 45.0, 60.0)
"""Lengths of a crawl that are weighed, in days."""
EVEN: Final = (1.0,)
UNEVEN: Final = (
    (0.6, 0.2, 0.2),
    (0.2, 0.6, 0.2),
    (0.2, 0.2, 0.6),
    (0.45, 0.45, 0.1),
    (0.45, 0.1, 0.45),
    (0.1, 0.45, 0.45),
)
"""What a crawl reads in each third of its time, where it does not go at one pace."""
UNEVEN_FROM_DAYS: Final = 7.0
STEPS_A_DAY: Final = 2
LEVEL_DAYS: Final = 120
"""The share before is that of so many days."""
FEWEST_FOUND: Final = 20
FEWEST_DAYS: Final = 14
INTERVAL: Final = 0.95
_SHARES: Final = np.linspace(-2.0, 2.0, 5)
"""Standard errors of the share before that are weighed."""


@dataclass(frozen=True, slots=True)
class Crawl:
    """How long a crawl takes, in days, and which share it reads in each equal part of that time."""

    length: float
    pace: tuple[float, ...] = EVEN

    @property
    def weight(self) -> float:
        """How likely it is beforehand: even pace as likely as all others of its length together."""
        if self.length < UNEVEN_FROM_DAYS:
            return 1.0
        return 0.5 if self.pace == EVEN else 0.5 / len(UNEVEN)

    @property
    def half_done(self) -> float:
        """Days from its beginning until it has read half."""
        parts = len(self.pace)
        read = np.concatenate([np.zeros(1), np.cumsum(self.pace)])
        return float(np.interp(0.5, read, self.length / parts * np.arange(parts + 1)))

    def in_list(self, begin: Array, day: Array) -> Array:
        """Give the chance that a row added on a day is in a list whose crawl began at ``begin``.

        Parameters
        ----------
        begin, day : np.ndarray
            In days from the same day, broadcast against each other; a day is its first moment.
        """
        part = self.length / len(self.pace)
        each = (share * _ramp(begin + part * i, part, day) for i, share in enumerate(self.pace))
        return np.asarray(sum(each, start=np.zeros(1)))


CRAWLS: Final = tuple(
    Crawl(length, pace) for length in LENGTHS for pace in (EVEN, *(UNEVEN if length >= UNEVEN_FROM_DAYS else ()))
)


@dataclass(frozen=True, slots=True)
class Taken:
    """When a list was taken.

    ``estimate`` is the day on which the crawl was half done, ``low`` and ``high`` the ends of its 95 % interval.
    ``days`` is how long the crawl took at the likeliest.  ``is_open`` if our last dated rows are in the list as often
    as those before: it was taken no earlier than ``low``, and nothing says when.
    """

    estimate: date
    low: date
    high: date
    days: float
    is_open: bool


def taken(ours: Array, found: Array, first: date) -> Taken | None:
    """Estimate when a list was taken.

    Parameters
    ----------
    ours : np.ndarray [shape=(days,), non-negative]
        Rows of ours that were added on each day, in a row of days without gaps.
    found : np.ndarray [shape=(days,), non-negative]
        How many of them are in the list; sums of chances will do.
    first : date
        The first of the days.

    Returns
    -------
    Taken, or None where too few are found, or too few days are dated, to say anything

    Examples
    --------
    >>> ours = np.full(200, 40.0)
    >>> found = np.where(np.arange(200) < 120, 12.0, 0.0)
    >>> taken(ours, found, date(2024, 1, 1)).estimate
    datetime.date(2024, 4, 30)
    """
    if ours.size < FEWEST_DAYS or found.sum() < FEWEST_FOUND:
        return None
    begins = np.arange(STEPS_A_DAY, STEPS_A_DAY * ours.size + 1) / STEPS_A_DAY
    guess = float(begins[_log_likelihood(ours, found, begins, Crawl(0.0)).argmax()])
    since = max(0, int(guess - LEVEL_DAYS))
    begins = begins[begins >= since + 1]
    scores = np.stack([_log_likelihood(ours, found, begins, crawl, since) + np.log(crawl.weight) for crawl in CRAWLS])
    scores = (scores - scores.max()) / _excess(ours[since:], found[since:], float(guess - since))
    weight = np.exp(scores)
    half_done = begins + np.array([crawl.half_done for crawl in CRAWLS])[:, None]
    at, order = half_done.ravel(), np.argsort(half_done.ravel(), kind="stable")
    mass = np.cumsum(weight.ravel()[order]) / weight.sum()
    ends = (0.5, (1 - INTERVAL) / 2, (1 + INTERVAL) / 2)
    middle, low, high = (float(at[order][min(int(np.searchsorted(mass, end)), at.size - 1)]) for end in ends)
    likeliest = CRAWLS[int(weight.sum(axis=1).argmax())].length
    last = float(np.flatnonzero(ours)[-1]) + 1

    def day(of: float) -> date:
        return first + timedelta(days=int(np.floor(of)))

    return Taken(day(middle), day(low - 0.5), day(high + 0.5), likeliest, high >= last)


def by_day(added: NDArray[np.datetime64], chance: Array) -> tuple[Array, Array, date] | None:
    """Count rows of ours, and how many of them are in a list, by the day on which they were added.

    Parameters
    ----------
    added : np.ndarray [shape=(rows,), datetime64]
        When each row of ours was added, NaT where that is not known.
    chance : np.ndarray [shape=(rows,), within [0, 1]]
        How likely it is that the row is in the list.

    Returns
    -------
    ours, found, first, as :func:`taken` wants them; None where no row is dated
    """
    dated = ~np.isnat(added)
    if not dated.any():
        return None
    days = added[dated].astype("datetime64[D]")
    begin = days.min()
    number = (days - begin).astype(np.int64)
    return (
        np.bincount(number).astype(np.float64),
        np.bincount(number, weights=chance[dated]).astype(np.float64),
        begin.astype(date),
    )


def _ramp(begin: Array, length: float, day: Array) -> Array:
    """Give the chance with an even pace."""
    if length == 0:
        return np.clip(begin - day, 0.0, 1.0)
    return _area((day + 1 - begin) / length, length) - _area((day - begin) / length, length)


def _area(x: Array, length: float) -> Array:
    """Integrate the chance up to ``x`` crawls after its beginning, in days."""
    inside = np.clip(x, 0.0, 1.0)
    result: Array = length * (np.minimum(x, 0.0) + inside - inside**2 / 2)
    return result


def _log_likelihood(ours: Array, found: Array, begins: Array, crawl: Crawl, since: int = 0) -> Array:
    """Weigh every beginning of one crawl; binomial counts on each day."""
    n, k = (np.concatenate([np.zeros(1), np.cumsum(of)]) for of in (ours, found))
    before = np.floor(begins).astype(np.int64)
    after = np.minimum(np.ceil(begins + crawl.length).astype(np.int64), ours.size)
    n_level = n[before] - n[since]
    level = (k[before] - k[since] + 0.5) / (n_level + 1)
    error = np.sqrt(level * (1 - np.minimum(level, 0.999)) / (n_level + 1))
    n_after, k_after = n[-1] - n[after], k[-1] - k[after]
    rest = np.minimum((k_after + 0.5) / (n_after + 50), 0.5 * level)
    steps = int(np.ceil(crawl.length)) + 1
    days = np.minimum(before[:, None] + np.arange(steps), ours.size - 1)
    is_ramp = before[:, None] + np.arange(steps) < after[:, None]
    chance = crawl.in_list(begins[:, None], days.astype(np.float64))
    total = np.zeros((_SHARES.size, begins.size))
    for number, off in enumerate(_SHARES):
        share = np.clip(level + off * error, 1e-9, 1 - 1e-9)
        p = np.clip(rest[:, None] + (share - rest)[:, None] * chance, 1e-12, 1 - 1e-12)
        ramp = np.where(is_ramp, _binomial(found[days], ours[days], p), 0.0).sum(axis=1)
        total[number] = ramp + _binomial(k[before] - k[since], n_level, share)
    most = total.max(axis=0)
    best: Array = np.log(np.exp(total - most).mean(axis=0)) + most
    return best + _binomial(k_after, n_after, np.clip(rest, 1e-12, 1))


def _binomial(k: Array, n: Array, p: Array) -> Array:
    result: Array = k * np.log(p) + np.maximum(n - k, 0.0) * np.log1p(-np.minimum(p, 1 - 1e-12))
    return result


def _excess(ours: Array, found: Array, begin: float) -> float:
    """Give by how much counts before a day vary more than chance has them; 1 where they do not."""
    n, k = ours[: int(begin)], found[: int(begin)]
    level = k.sum() / max(1.0, n.sum())
    expected = n * level
    enough = expected > 0
    if not 0 < level < 1 or enough.sum() < 10:
        return 1.0
    squares = (k[enough] - expected[enough]) ** 2 / (expected[enough] * (1 - level))
    return max(1.0, float(squares.mean()))
