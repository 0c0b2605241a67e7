"""How much of our catalogue is in a library of found files, when only some of them were heard?

Files are chosen by lot, without putting back, so the number of them that hold something of ours has the hypergeometric
law, and the interval of what it says about all files is exact.  That is all that is asked where every file was heard.

One recording may lie in several files.  How many *different* recordings there are follows from how often two of the
chosen files hold the same one: with M files of R recordings, ``M**2 / (M + 2 P)`` is at most R, where P is the number
of pairs of files with one recording (Cauchy and Schwarz), and it is R where each lies in as many files.  So the lower
bound takes as many pairs as the coincidences among the chosen allow, and the upper bound none but those that were seen.

What a search misses is in no interval: they say what was found, and what would have been found.

Source
------
Buonaccorsi, J. P. (1987), A note on confidence intervals for proportions in finite populations, The American
Statistician 41 (the exact interval); Garwood, F. (1936) (of a Poisson mean).
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, gammaincinv, gammaln

HOLDS: Final = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, and between what the truth lies with a chance of 95 % or more."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimated:
    """What a library holds of ours."""

    files_ours: Interval
    recordings_ours: Interval


def estimate(found: Sequence[Sequence[int]], files: int, ours: int, wrong: float = 0.0) -> Estimated:
    """Estimate how much of ours a library holds.

    Parameters
    ----------
    found
        For each file that was heard, the clusters of ours that are in it.
    files
        How many files the library has; those that were heard are all, or a sample drawn by lot.
    ours
        How many clusters we hold: no more than that are in it.
    wrong
        How many of the files in which something was found are mistakes, in the mean.

    Raises
    ------
    ValueError
        When more were heard than there are.

    Examples
    --------
    >>> every = estimate([[1], [2], [2], []], files=4, ours=100)
    >>> every.files_ours, every.recordings_ours
    (Interval(estimate=3.0, low=3, high=3), Interval(estimate=2.0, low=2, high=2))
    >>> estimate([[i] for i in range(30)] + [[]] * 20, files=1000, ours=10_000).files_ours
    Interval(estimate=600.0, low=437, high=748)
    """
    n, k = len(found), sum(map(bool, found))
    if n > files:
        raise ValueError(f"{n} files were heard, wanted at most {files}")
    times = Counter(cluster for each in found for cluster in set(each))
    mistakes = _most(wrong)
    if n == files:
        return Estimated(_less(k, k, k, mistakes), _less(len(times), len(times), len(times), mistakes))
    # Two statements on the same draw: each gets half of what may be wrong.
    holds = (1 + HOLDS) / 2
    low, high = hypergeometric(k, n, files, holds)
    scale, each = files / max(n, 1), times.total() / max(k, 1)
    pairs = sum(m * (m - 1) // 2 for m in times.values())
    least = _different(low * each, _poisson_high(pairs, holds) * scale**2)
    middle = max(len(times), _different(scale * times.total(), pairs * scale**2))
    most = min(ours, max(len(times), math.ceil(high * each)))
    recordings = _less(min(most, middle), max(len(times), math.floor(least)), most, mistakes * scale)
    return Estimated(_less(scale * k, low, high, mistakes * scale), recordings)


def hypergeometric(k: int, n: int, files: int, holds: float) -> tuple[int, int]:
    """Bound how many of all files hold something, when k of n drawn do.

    Examples
    --------
    >>> hypergeometric(0, 50, 1000, 0.95), hypergeometric(50, 50, 50, 0.95)
    ((0, 69), (50, 50))
    """
    tail = (1 - holds) / 2
    # Totals under which so many, or more, are drawn too seldom are too low; so few, or fewer, too high.
    low = _first(lambda total: 1 - _at_most(k - 1, n, files, total) > tail, k, files - n + k)
    high = _first(lambda total: _at_most(k, n, files, total) <= tail, k, files - n + k + 1) - 1
    return low, high


def _first(is_so: Callable[[int], bool], low: int, high: int) -> int:
    """Give the least number from low for which something holds that holds from there on; high where for none below."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_so(middle) else (middle + 1, high)
    return low


def _at_most(k: int, n: int, files: int, total: int) -> float:
    """Give the chance that at most k of n drawn are among a total."""
    i = np.arange(max(0, n - (files - total)), min(k, total, n) + 1)
    if not i.size:
        return 0.0
    ways = _choices(total, i) + _choices(files - total, n - i) - _choices(files, np.array([n]))
    return float(np.exp(ways).sum())


def _choices(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    out: NDArray[np.float64] = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return out


def _different(whole: float, pairs: float) -> float:
    return whole * whole / (whole + 2 * pairs) if whole > 0 else 0.0


def _poisson_high(seen: int, holds: float) -> float:
    """Bound the mean of which so many were seen."""
    return float(gammaincinv(seen + 1, holds))


def _most(mean: float) -> int:
    """Bound how many there are, where so many are expected."""
    return next(m for m in range(2**31) if gammaincc(m + 1, mean) >= HOLDS) if mean > 0 else 0


def _less(estimate: float, low: float, high: float, mistakes: float) -> Interval:
    """Take mistakes off the lower end."""
    return Interval(float(estimate), max(0, math.floor(low - mistakes)), math.ceil(high))
