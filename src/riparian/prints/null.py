"""How good a find does a search give when nothing of the sound is ours?

A catalogue tells that by itself.  Each recording is looked for among the others, with its own cluster of duplicates
left out, as if it were a stranger's; the best that is found is a mistake, and what mistakes look like is all that the
chance of one needs.  The search is the one that will be made: the candidates that the sketches give, all the stretches
that are aligned, and of these the best.  So how many recordings there are to be mistaken for, and that they were
selected for being alike, is inside.

A *copy* is compared with recordings looked for forwards.  What is common to two recordings of ours, a loop or a
backing track, is no mistake about *shares*; there they are played backwards, which leaves their rhythm and their notes
and makes everything else chance.

Strata
------
Draws are of a few lengths, and of each length half are dense in peaks and half are not.  A sound of another length gets
the larger chance of the lengths next to it; one that is longer than all pays for how many times it is longer.

Beyond the data
---------------
Above the tenth part that is best, excesses follow a generalised Pareto law (Pickands).  Its shape is at least 0, so
that it never ends; what is told is the larger of the fitted chance and that of the 95 % bound of the shape, times the
95 % bound of the share above.  Beyond the best draw it is said to be extrapolated.

Where fewer than ten recordings gave a mistake that passes for a copy, there is nothing to fit.  Then the chance beyond
the best of them is at most the 95 % bound of what was not seen once, and falls as that of recordings played backwards.

With fewer than ``DRAWS_MIN`` draws of a length no law is fitted: the chance is that of ``SHIPPED``, measured on
catalogues of ours, and nothing is bet.

Source
------
Hosking, J. R. M. and Wallis, J. R. (1987), Parameter and quantile estimation for the generalized Pareto distribution,
equations 8 and 9; Clopper, C. J. and Pearson, E. S. (1934).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

DRAWS_MIN: Final = 100
"""Recordings drawn at a length, from which on a law is fitted."""
LENGTHS_S: Final = (5.0, 10.0, 30.0, math.inf)
"""How long draws are; the last are whole recordings."""
SHARE_OURS: Final = 0.5
"""Of what is asked about, how much is thought to be ours and found, unless an operator says otherwise."""
LEAST: Final = 1e-12
"""No smaller chance is told: before that, a catalogue is wrong about what it holds."""
_EXCESSES_MAX: Final = 400
_EXCESSES_MIN: Final = 10
_CONFIDENCE: Final = 0.95
_Z: Final = 1.6448536269514722
_SHAPE_MAX: Final = 0.5


class Kind(StrEnum):
    """What a find is claimed to be."""

    COPY = "copy"
    SHARES = "shares"


@dataclass(frozen=True, slots=True)
class Law:
    """How likely a mistake is at least so good, beyond a threshold.

    Parameters
    ----------
    above
        From where on it holds.
    share
        The chance to be above; an upper bound.
    scale, shape
        Of the excess, as fitted; the shape is 0 or more.
    shape_max
        The upper bound of the shape; the mean stays.
    """

    above: float
    share: float
    scale: float
    shape: float
    shape_max: float

    def chance(self, score: float) -> float:
        """Give the chance of a mistake at least so good.

        Examples
        --------
        >>> law = Law(above=2.0, share=0.1, scale=1.0, shape=0.0, shape_max=0.0)
        >>> round(law.chance(2 + math.log(10)), 9)
        0.01
        """
        over = max(0.0, score - self.above)
        mean = self.scale / (1 - self.shape)
        return self.share * max(
            _survival(over, self.scale, self.shape), _survival(over, mean * (1 - self.shape_max), self.shape_max)
        )


SHIPPED: Final = Law(above=6.0, share=1.0, scale=1.6, shape=0.1, shape_max=0.1)
"""What is said where a catalogue is too small to tell by itself: above what 200 recordings of game music gave."""
SHIPPED_RECORDINGS: Final = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """What searches for recordings of ours gave, with their own clusters left out: all that a null is made of.

    Parameters
    ----------
    recording : np.ndarray [shape=(n,), int64]
        Which was looked for; several draws of one recording count as one.
    seconds : np.ndarray [shape=(n,), float32]
        How long the stretch was, or for whole recordings infinity.
    lasted_s : np.ndarray [shape=(n,), float32]
        How long it was in seconds.
    peaks : np.ndarray [shape=(n,), int32]
        How many peaks it had.
    copy : np.ndarray [shape=(n,), float32]
        The best that passed for a copy; 0 for none.
    shares : np.ndarray [shape=(n,), float32]
        The best that was found for it played backwards; 0 for none.

    Raises
    ------
    ValueError
        When lengths differ.
    """

    recording: NDArray[np.int64]
    seconds: NDArray[np.float32]
    lasted_s: NDArray[np.float32]
    peaks: NDArray[np.int32]
    copy: NDArray[np.float32]
    shares: NDArray[np.float32]

    def __post_init__(self) -> None:
        n = {x.size for x in (self.recording, self.seconds, self.lasted_s, self.peaks, self.copy, self.shares)}
        if len(n) != 1:
            raise ValueError(f"columns of draws have {sorted(n)} values, wanted as many of each")

    def __len__(self) -> int:
        return self.recording.size

    @classmethod
    def of(cls, rows: Iterable[tuple[int, float, float, int, float, float]]) -> "Draws":
        """Put draws together, in the order of the columns.

        Examples
        --------
        >>> draws = Draws.of([(7, 5.0, 5.0, 55, 0.0, 6.1), (8, 5.0, 5.0, 61, 7.5, 5.9)])
        >>> len(draws), draws.copy.tolist()
        (2, [0.0, 7.5])
        """
        kinds = (np.int64, np.float32, np.float32, np.int32, np.float32, np.float32)
        columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
        return cls(*(np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True)))


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely a mistake is at least as good as a find.

    Parameters
    ----------
    p
        The chance, of the whole search; in (0, 1].
    as_good, draws
        How many recordings drawn gave a mistake at least as good, of how many.
    extrapolated
        Whether the find lies beyond all draws, or there are none.
    stretched
        By how much the chance was raised because the sound is longer, or the catalogue larger, than was drawn.
    """

    p: float
    as_good: int
    draws: int
    extrapolated: bool
    stretched: float

    @property
    def rank(self) -> float:
        """Give the chance that the draws vouch for: ``(1 + as_good) / (1 + draws)``."""
        return (1 + self.as_good) / (1 + self.draws)


@dataclass(frozen=True, slots=True, eq=False)
class _Stratum:
    best: NDArray[np.float32]
    law: Law


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """What mistakes of a catalogue look like; made by :func:`fit`.

    Parameters
    ----------
    recordings
        How many were in the catalogue when it was drawn.
    """

    recordings: int
    _strata: dict[tuple[Kind, float, bool], _Stratum]
    _lasted_s: dict[float, float]
    _dense: dict[float, float]

    def chance(self, kind: Kind, score: float, *, seconds: float, density: float, recordings: int) -> Chance:
        """Say how likely a mistake is at least so good.

        Parameters
        ----------
        kind
            What it is claimed to be.
        score
            Of the best stretch.
        seconds
            How long the sound is that was searched for.
        density
            Peaks a second in it.
        recordings
            How many are searched now.
        """
        grown = max(1.0, recordings / max(self.recordings, 1)) if self._lasted_s else 1.0
        asked = [self._in(kind, score, length, density) for length in self._next_to(seconds)]
        if not asked:
            return Chance(_shipped(score, recordings), 0, 0, extrapolated=True, stretched=1.0)
        worst = max(asked, key=lambda one: one.p)
        ranked = max(asked, key=lambda one: one.rank)
        stretched = grown * max(1.0, seconds / max(self._lasted_s.values()))
        return Chance(
            _told(worst.p * stretched), ranked.as_good, ranked.draws, any(one.extrapolated for one in asked), stretched
        )

    def _next_to(self, seconds: float) -> list[float]:
        lengths = sorted(self._lasted_s, key=lambda length: self._lasted_s[length])
        below = [length for length in lengths if self._lasted_s[length] <= seconds]
        above = [length for length in lengths if self._lasted_s[length] > seconds]
        return below[-1:] + above[:1]

    def _in(self, kind: Kind, score: float, length: float, density: float) -> Chance:
        stratum = self._strata[kind, length, density >= self._dense[length]]
        draws = stratum.best.size
        as_good = draws - int(np.searchsorted(stratum.best, score))
        rank = (1 + as_good) / (1 + draws)
        by_law = stratum.law.chance(score)
        p = by_law if score > stratum.law.above else max(rank, by_law)
        return Chance(p, as_good, draws, extrapolated=not as_good, stretched=1.0)


NOBODY: Final = Null(0, {}, {}, {})
"""Of a catalogue that was never drawn from."""


def fit(draws: Draws, recordings: int) -> Null:
    """Fit what mistakes look like.

    Parameters
    ----------
    draws
        Of any lengths; a length with fewer than ``DRAWS_MIN`` recordings is left out.
    recordings
        How many the catalogue had.
    """
    strata: dict[tuple[Kind, float, bool], _Stratum] = {}
    lasted_s: dict[float, float] = {}
    dense: dict[float, float] = {}
    for length in np.unique(draws.seconds).tolist():
        of_length = draws.seconds == length
        if np.unique(draws.recording[of_length]).size < DRAWS_MIN:
            continue
        density = draws.peaks / np.maximum(draws.lasted_s, 1e-3)
        lasted_s[length] = float(np.median(draws.lasted_s[of_length]))
        dense[length] = float(np.median(density[of_length]))
        for is_dense in (False, True):
            among = of_length & ((density >= dense[length]) == is_dense)
            fitted = SHIPPED
            for kind, column in ((Kind.SHARES, draws.shares), (Kind.COPY, draws.copy)):
                best = _best_of_each(draws.recording[among], column[among])
                fitted = law(best, fitted)
                strata[kind, length, is_dense] = _Stratum(best, fitted)
    return Null(recordings, strata, lasted_s, dense)


def law(best: NDArray[np.float32], like: Law) -> Law:
    """Fit a law to what lies above the best tenth.

    Parameters
    ----------
    best : np.ndarray [shape=(n,), float32]
        Ascending, one of each recording; 0 for none.
    like
        Whose excesses are taken where fewer than ten draws found anything: above the best of these, and for as many
        more as there may be unseen.
    """
    n = best.size
    m = min(int((best > 0).sum()), _EXCESSES_MAX, max(_EXCESSES_MIN, n // 10))
    above = float(best[-m - 1]) if m < n else 0.0
    excess = best[n - m :].astype(np.float64) - above
    if m < _EXCESSES_MIN or excess.mean() <= 0:
        highest = max(float(best.max(initial=0.0)), like.above)
        return replace(like, above=highest, share=float(betaincinv(1, max(n, 1), _CONFIDENCE)))
    share = float(betaincinv(m + 1, n - m, _CONFIDENCE)) if m < n else 1.0
    scale, shape = _moments(excess)
    shape_max = min(_SHAPE_MAX, shape + _Z * math.sqrt(4 / (3 * m)))
    return Law(above, share, scale, shape, shape_max)


def posterior(p: float, share_ours: float = SHARE_OURS) -> float:
    """Give the chance that a find is wrong: of finds at least as good, how many are mistakes.

    Parameters
    ----------
    p
        The chance of a mistake at least as good where nothing is ours.
    share_ours
        Of all that is asked about, how much is ours and found; between 0 and 1.

    Examples
    --------
    >>> round(posterior(1e-4), 6), round(posterior(1e-4, share_ours=0.01), 4)
    (0.0001, 0.0098)
    """
    return (1 - share_ours) * p / ((1 - share_ours) * p + share_ours)


def _best_of_each(recording: NDArray[np.int64], column: NDArray[np.float32]) -> NDArray[np.float32]:
    _, whose = np.unique(recording, return_inverse=True)
    best = np.zeros(int(whose.max(initial=-1)) + 1, dtype=np.float32)
    np.maximum.at(best, whose, column)
    best.sort()
    return best


def _moments(excess: NDArray[np.float64]) -> tuple[float, float]:
    """Fit by probability-weighted moments; ``excess`` ascends."""
    m = excess.size
    first = float(excess.mean())
    second = float((excess * (1 - (np.arange(1, m + 1) - 0.35) / m)).mean())
    shape = min(_SHAPE_MAX, max(0.0, 2 - first / (first - 2 * second))) if first > 2 * second else _SHAPE_MAX
    return first * (1 - shape), shape


def _survival(over: float, scale: float, shape: float) -> float:
    if shape < 1e-9:
        return math.exp(-over / scale)
    return float((1 + shape * over / scale) ** (-1 / shape))


def _shipped(score: float, recordings: int) -> float:
    return _told(SHIPPED.chance(score) * max(1.0, recordings / SHIPPED_RECORDINGS))


def _told(p: float) -> float:
    return min(1.0, max(LEAST, p))
