"""How often is a verdict of so many bits wrong, in this list?

Bits say which of two verdicts is the surer one.  How sure either is depends on the list: on how many of its rows are
ours at all, on how strongly it changes them, on how much like ours its other rows are.  So plays of known truth
(:mod:`riparian.metadata.selfplay`) are counted in *cells* of bits, by kind of play; then the list's own rows are
counted in the same cells, and the list is taken for a mixture of the kinds.  How many rows are ours, and what share of
the verdicts in each cell is wrong, follows from the mixture.

Model and decoys
----------------
Two errors are estimated in each cell.  The *model's* is the wrong share of the mixture.  The *decoys'* takes every row
that is not ours for one of the hidden ones of the plays, and asks how many of the list's rows of the cell they would
explain.  What is stated is the larger.  More bits are never stated to be less sure.

Bits that count
---------------
A play that is not ours is a draw of the null.  A verdict that fewer of ``n`` such draws reached has the rank's p-value,
and :func:`riparian.bets.calibrate.calibrate` turns that into bits; ``n`` draws certify no more than ``n`` draws can.
Beyond the best draw the tail is fitted, and its bits are told apart as extrapolated.

Source
------
Saerens, M., Latinne, P. and Decaestecker, C. (2002), *Adjusting the outputs of a classifier to new a priori
probabilities*, equation 2.8 (mixture); Elias, J. and Gygi, S. (2007) (decoys); Barlow et al. (1972) (pooling of
neighbours); Hosking, J. R. M. and Wallis, J. R. (1987), equations 8 and 9 (tail).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.bets.calibrate import calibrate

Array = NDArray[np.float64]
CELLS: Final = 48
NOTHING: Final = -1e6
"""Bits of a row for which nothing was found; it has a cell of its own."""
_TURNS: Final = 300
_LEAST: Final = 1e-7
_DRAWS: Final = 100
_TAIL: Final = 0.1
_TAIL_MIN: Final = 10
_SHAPE_MAX: Final = 0.5


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are, and between which bounds with 95 %."""

    estimate: float
    low: float
    high: float

    def times(self, factor: float) -> "Counted":
        """Scale it.

        Examples
        --------
        >>> Counted(10, 8, 12).times(0.5)
        Counted(estimate=5.0, low=4.0, high=6.0)
        """
        return Counted(self.estimate * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Plays of known truth, counted.

    Parameters
    ----------
    edges : np.ndarray [shape=(CELLS - 1,)]
        Bits at which cells above the first one begin; the first holds rows for which nothing was found.
    all, ours, right : np.ndarray [shape=(kinds, cells)]
        How many plays fell into each cell; of these how many are ours; of these for how many the right one was found.
    foreign : np.ndarray [shape=(kinds,)]
        Of what is not ours, how much is taken to be of each kind when decoys stand for all of it.
    mixed : np.ndarray [shape=(kinds,), bool]
        Of which kinds a list is taken to be mixed; the others are decoys only.
    null : np.ndarray [shape=(n,), rising]
        Bits of plays that are not ours.
    """

    edges: Array
    all: Array
    ours: Array
    right: Array
    foreign: Array
    mixed: NDArray[np.bool_]
    null: Array

    @classmethod
    def of(
        cls,
        bits: NDArray[np.float32],
        kind: NDArray[np.int8],
        ours: NDArray[np.bool_],
        right: NDArray[np.bool_],
        foreign: Sequence[float],
        mixed: Sequence[bool],
    ) -> "Known":
        """Count plays.

        Parameters
        ----------
        bits : np.ndarray [shape=(n,)]
            Of each play's verdict, ``NOTHING`` where nothing was found.
        kind : np.ndarray [shape=(n,)]
        ours, right : np.ndarray [shape=(n,), bool]
            Whether the play is ours, and whether what was found for it is the right one.
        foreign
            Of each kind, its share in what is not ours.
        mixed
            Of each kind, whether a list is taken to be mixed of it.
        """
        found = np.sort(bits[bits > NOTHING]).astype(np.float64)
        edges = found[np.linspace(0, found.size - 1, CELLS).astype(int)] if found.size else np.zeros(CELLS)
        edges[0] = NOTHING / 2
        cells = cells_of(bits, edges)

        kinds = len(foreign)

        def count(which: NDArray[np.bool_]) -> Array:
            at = kind[which].astype(np.int64) * (CELLS + 1) + cells[which]
            return np.bincount(at, minlength=kinds * (CELLS + 1)).reshape(kinds, -1).astype(np.float64)

        everything = np.ones(bits.size, bool)
        null = np.sort(bits[~ours]).astype(np.float64)
        shares, parts = np.asarray(foreign, np.float64), np.asarray(mixed, bool)
        return cls(edges, count(everything), count(ours), count(right), shares, parts, null)

    @property
    def middles(self) -> Array:
        """Bits in the middle of each cell but the first."""
        inner = np.append(self.edges[1:], self.edges[-1] + (self.edges[-1] - self.edges[-2]))
        first = np.append(inner[0] - (inner[1] - inner[0]), inner[:-1])
        return np.asarray((first + inner) / 2 + 1e-9 * np.arange(inner.size), np.float64)

    def cells(self, bits: NDArray[np.float32]) -> Array:
        """Count how many verdicts fall into each cell."""
        return np.bincount(cells_of(bits, self.edges), minlength=CELLS + 1).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What bits mean in one list.

    Parameters
    ----------
    known
        What plays told.
    error, chance : np.ndarray [shape=(cells,)]
        In each cell, the share of verdicts that are wrong, and the share of rows that are ours.
    """

    known: Known
    error: Array
    chance: Array

    @classmethod
    def to(cls, known: Known, listed: Array) -> "Calibrated":
        """Calibrate to a list.

        Parameters
        ----------
        known
            What plays told.
        listed : np.ndarray [shape=(cells,)]
            How many rows of the list fell into each cell.
        """
        rates = _rates(known.all)
        shares = _mixed(rates, listed, known.mixed)
        mixed = shares @ rates
        ours, right = (_within(part, known.all) for part in (known.ours, known.right))
        wrong = 1 - (shares @ (rates * right)) / mixed
        wrong = np.maximum(wrong, _by_decoys(known, shares, listed))
        # Where no row has a candidate, there is nothing by which a mixture could be told.
        chance = (shares @ (rates * ours)) / mixed if listed[1:].any() else np.zeros(mixed.size)
        weight = listed + 1e-3 * listed.sum() * mixed + _LEAST
        return cls(known, _falling(np.clip(wrong, _LEAST, 1), weight), 1 - _falling(1 - chance, weight))

    def stated(self, bits: NDArray[np.float32]) -> tuple[Array, Array]:
        """Give of each verdict the stated error, and the chance that the row is ours.

        Parameters
        ----------
        bits : np.ndarray [shape=(n,)]

        Returns
        -------
        error, chance : np.ndarray [shape=(n,)]
        """
        at, of = np.asarray(bits, np.float64), self.known.middles
        error, chance = (_odds(np.interp(at, of, _bits_of(part[1:]))) for part in (self.error, self.chance))
        nothing = at <= NOTHING
        return np.where(nothing, self.error[0], error), np.where(nothing, self.chance[0], chance)

    def counted(self, listed: Array, rng: np.random.Generator) -> Counted:
        """Count how many rows of a list are ours, found or not, with an interval.

        Plays and rows are drawn again, as often as they were there, and the mixture is made anew.

        Parameters
        ----------
        listed : np.ndarray [shape=(cells,)]
            How many rows of the whole list fell into each cell.
        """
        rows = float(listed.sum())
        if not listed[1:].any():
            # None of so many has a candidate: at most three or so are ours.
            return Counted(0.0, 0.0, rows * (1 - 0.05 ** (1 / max(rows, 1.0))))
        known = self.known
        drawn = []
        for turn in range(_DRAWS + 1):
            plays = known.all if not turn else rng.poisson(known.all).astype(np.float64)
            seen = listed if not turn else rng.multinomial(int(rows), listed / rows).astype(np.float64)
            rates = _rates(plays)
            share = _mixed(rates, seen, known.mixed, _TURNS if not turn else _TURNS // 3)
            drawn.append(rows * float(share @ (rates * _within(known.ours, known.all)).sum(1)))
        low, high = np.quantile(drawn[1:], [0.025, 0.975])
        estimate = drawn[0]
        return Counted(estimate, min(float(low), estimate), max(float(high), estimate))

    def certified(self, bits: NDArray[np.float32]) -> tuple[Array, Array]:
        """Give bits that were counted, and those that the fitted tail adds beyond.

        Parameters
        ----------
        bits : np.ndarray [shape=(n,)]

        Returns
        -------
        bits, extrapolated : np.ndarray [shape=(n,)]
            0 where plays that are not ours reach as much.
        """
        null = self.known.null
        beaten = null.size - np.searchsorted(null, bits, side="left")
        by_rank = np.array([max(0.0, calibrate((k + 1) / (null.size + 1))) for k in range(null.size + 1)])
        counted = np.where(bits > NOTHING, by_rank[beaten], 0.0)
        more = np.zeros(bits.size)
        beyond = np.flatnonzero((beaten == 0) & (bits > NOTHING))
        if beyond.size and null.size >= _TAIL_MIN / _TAIL:
            p = _beyond(null, bits[beyond].astype(np.float64))
            tail = np.array([calibrate(max(1e-30, one)) for one in p])
            more[beyond] = np.maximum(0.0, tail - counted[beyond])
        return counted, more


def cells_of(bits: NDArray[np.float32], edges: Array) -> NDArray[np.int64]:
    """Say into which cell each verdict falls."""
    return np.searchsorted(edges, bits, side="right").astype(np.int64)


def _bits_of(p: Array) -> Array:
    clipped = np.clip(p, 1e-9, 1 - 1e-9)
    return np.asarray(np.log2(clipped / (1 - clipped)), np.float64)


def _odds(bits: Array) -> Array:
    return np.asarray(1 / (1 + np.exp2(-bits)), np.float64)


def _rates(counts: Array) -> Array:
    """Share of each kind's plays by cell, with half a play spread over the cells."""
    cells = counts.shape[1]
    return np.asarray((counts + 0.5 / cells) / (counts.sum(1, keepdims=True) + 0.5), np.float64)


def _within(part: Array, whole: Array) -> Array:
    """Share of the plays of a kind in a cell that are so; that of all its plays where there are too few."""
    overall = (part.sum(1, keepdims=True) + 1e-9) / (whole.sum(1, keepdims=True) + 1e-9)
    return np.asarray((part + 0.2 * overall) / (whole + 0.2), np.float64)


def _mixed(rates: Array, listed: Array, mixed: NDArray[np.bool_], turns: int = _TURNS) -> Array:
    """Shares of the kinds of which the list is most likely mixed."""
    shares = mixed / max(1, int(mixed.sum()))
    rows = listed.sum()
    if not rows:
        return shares
    for _ in range(turns):
        shares = shares * (rates @ (listed / (shares @ rates))) / rows
    return shares


def _by_decoys(known: Known, shares: Array, listed: Array) -> Array:
    """Share of the list's rows of each cell that hidden rows would explain."""
    foreign = known.all - known.ours
    of_kind = foreign.sum(1) / np.maximum(1, known.all.sum(1))
    weight = known.foreign * (of_kind > 0)
    hidden = (weight / max(weight.sum(), 1e-9)) @ _rates(known.all)
    expected = float(shares @ of_kind) * hidden * listed.sum()
    pooled = np.cumsum(expected[::-1])[::-1] / np.maximum(1, np.cumsum(listed[::-1])[::-1])
    return np.minimum(1, np.asarray(pooled, np.float64))


def _falling(values: Array, weight: Array) -> Array:
    """Nearest values that never rise from cell to cell (neighbours that do are pooled)."""
    pools: list[tuple[float, float, int]] = []
    for value, heavy in zip(values, weight, strict=True):
        pool = (float(value), float(heavy), 1)
        while pools and pools[-1][0] < pool[0]:
            last = pools.pop()
            total = last[1] + pool[1]
            pool = ((last[0] * last[1] + pool[0] * pool[1]) / total, total, last[2] + pool[2])
        pools.append(pool)
    return np.concatenate([np.full(number, value) for value, _, number in pools])


def _beyond(null: Array, bits: Array) -> Array:
    """Chance of a mistake at least so good, beyond the best one, by a generalised Pareto tail of shape 0 or more."""
    above = float(np.quantile(null[null > NOTHING], 1 - _TAIL)) if (null > NOTHING).any() else 0.0
    over = np.sort(null[null > above] - above)
    if over.size < _TAIL_MIN:
        return np.ones(bits.size)
    ranks = (over.size - np.arange(1, over.size + 1) + 0.35) / over.size
    mean, weighted = float(over.mean()), float((ranks * over).mean())
    shape = float(np.clip(2 - mean / max(mean - 2 * weighted, 1e-9), 0.0, _SHAPE_MAX))
    scale = mean * (1 - shape)
    share = (over.size + 1) / (null.size + 1)
    excess = (bits - above) / max(scale, 1e-9)
    tail = np.exp(-excess) if shape < 1e-6 else (1 + shape * excess) ** (-1 / shape)
    return np.asarray(share * tail, np.float64)
