"""Where exactly does a stretch begin and end?

Peaks of ours are heard in the query while the stretch lasts, and beyond it they are not but by chance.  Between the two
lies less than a tenth of a second, in which the window of the analysis hears both sides.  So every place near an edge
has a likelihood, from all peaks of ours around it; an edge is the mean of the places, weighted by it.

What two neighbours say of the edge between them is put together: where one ends, the other begins.  Where neighbours
fade into one another both are heard for a while, or for a while neither well: the edge is put in the middle between
the place where one is lost and the place where the other is found.  How far that is from the middle of the fade hangs
on which is louder.

The ends of a file, and the ends of ours, are edges where nothing speaks against it: files are cut there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from riparian.prints.lines import Line, heard
from riparian.prints.peaks import STEPS, TICK_S, Peaks
from riparian.prints.spans import Span

NEIGHBOUR_S: Final = 5.0
"""Between two neighbours, or over both, at most."""

_GRID: Final = 2.0
_OUTWARD: Final = 1250
_INWARD: Final = 700
_AROUND: Final = 150
"""Ticks: places that are tried beyond and before an edge, and peaks around these."""
_HALF: Final = 1.0
_SOFT: Final = {1: 5.0, -1: 6.0}
_DULL: Final = {1: (0.25, 150.0), -1: (0.15, 90.0)}
"""Ticks from an edge at which a peak is heard half as often, in how many more it is heard well; how much less than
inside that is, and for how many ticks: what was before still masks what begins.  Measured at hard joins in MP3, by
maximum likelihood, as are these:"""
_STRONGER: Final = 0.35
"""Nats by which odds are better that a peak is heard, for each step of its strength."""
_CHANCE: Final = 0.02
_SILENT: Final = (-10, 5, -2.2)
_STRANGE: Final = ((-50, -15, 0.45), (5, 30, 1.6), (30, 40, 1.0), (40, 110, 0.4))
"""Ticks after a hard join within which the query has fewer peaks than elsewhere, and more that neither side has: of the
join itself.  By how many nats each speaks for the place."""
_FADE: Final = 120.0
"""Ticks in which a fade goes from heard to not heard, about its middle."""
_UNHEARD: Final = 15.0
"""Ticks from an end of the query within which nothing can be missed."""
_NATS: Final = 2.0
_NATS_AT_END: Final = 8.0
"""An end of ours, or of the file, is the edge where the likelihood is that near its best."""


@dataclass(frozen=True, slots=True, eq=False)
class _Edge:
    # Of one stretch: +1 where it begins, -1 where it ends; when peaks of ours are heard, how likely and whether they
    # are; when peaks of the query are that ours has not, and how likely these are in a stretch.
    side: int
    at: float
    low: float
    high: float
    peaks: NDArray[np.float64]
    likely_heard: NDArray[np.float64]
    is_heard: NDArray[np.bool_]
    strange: NDArray[np.float64]
    share: float

    def likely(self, place: NDArray[np.float64], fade: float = 0.0) -> NDArray[np.float64]:
        """Give the log likelihood of places of the edge, by what of ours is heard; -inf where it can't be."""
        rate = self._rate(self.peaks - place[:, None], self.likely_heard, fade)
        total = np.where(self.is_heard, np.log(rate), np.log1p(-rate)).sum(1)
        out: NDArray[np.float64] = np.where((place < self.low) | (place > self.high), -np.inf, total)
        return out

    def alone(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the same, where what ours has not speaks for nothing else."""
        against = np.log1p(-self._rate(self.strange - place[:, None], self.share)).sum(1)
        return np.asarray(self.likely(place) + against)

    def _rate(
        self, after: NDArray[np.float64], inside: NDArray[np.float64] | float, fade: float = 0.0
    ) -> NDArray[np.float64]:
        after = self.side * after
        if fade:
            full = 0.5 + 0.5 * np.tanh(after / (2 * fade))
            return np.asarray(_CHANCE + (inside - _CHANCE) * full)
        depth, ticks = _DULL[self.side]
        dull = 1 - depth * np.exp(-np.maximum(after, 0.0) / ticks)
        full = 0.5 + 0.5 * np.tanh((after - _HALF) / (2 * _SOFT[self.side]))
        return np.asarray(_CHANCE + (inside - _CHANCE) * dull * full)


def settled(theirs: Peaks, found: Sequence[tuple[Span, Peaks]]) -> tuple[Span, ...]:
    """Put the edges of stretches where everything together says they are.

    Parameters
    ----------
    theirs
        Peaks of the query.
    found
        Stretches of one query, and the peaks of the recording each is of; of any recordings, in any order.

    Returns
    -------
    spans
        The same, in the same order, with other edges.
    """
    begins = [_edge(theirs, span, ours, 1) for span, ours in found]
    ends = [_edge(theirs, span, ours, -1) for span, ours in found]
    begin_at = [_alone(theirs, edge) for edge in begins]
    end_at = [_alone(theirs, edge) for edge in ends]
    order = sorted(range(len(found)), key=lambda i: begin_at[i])
    for before, after in pairwise(order):
        gap = (begin_at[after] - end_at[before]) * TICK_S
        if abs(gap) < NEIGHBOUR_S and end_at[before] < end_at[after]:
            end_at[before] = begin_at[after] = _between(theirs, ends[before], begins[after])
    return tuple(_moved(span, begin_at[i], end_at[i]) for i, (span, _) in enumerate(found))


def _edge(theirs: Peaks, span: Span, ours: Peaks, side: int) -> _Edge:
    line = line_of(span)
    at = (span.query_from_s if side > 0 else span.query_to_s) / TICK_S
    middle = (span.query_from_s + span.query_to_s) / 2 / TICK_S
    inward = min(at + _INWARD, middle) if side > 0 else max(at - _INWARD, middle)
    low, high = sorted((inward, at - side * _OUTWARD))
    low, high = max(low, 0.0, line.begin), min(high, theirs.ticks, line.begin + line.stretch * ours.ticks)
    reach = np.array([low - _AROUND, high + _AROUND])
    here = slice(*np.searchsorted(ours.at, line.of_ours(reach)).tolist())
    there = slice(*np.searchsorted(theirs.at, reach).tolist())
    peaks = line.of_theirs(ours.at[here])
    known = (peaks > _UNHEARD) & (peaks < theirs.ticks - _UNHEARD)
    share = min(0.95, max(0.2, span.our_hits / max(1, span.our_peaks)))
    return _Edge(
        side=side,
        at=at,
        low=low,
        high=max(low, high),
        peaks=peaks[known],
        likely_heard=_by_strength(ours.strength[here], share)[known],
        is_heard=heard(theirs, ours, line, here)[known],
        strange=theirs.at[there][~heard(ours, theirs, line.back, there)].astype(np.float64),
        share=share,
    )


def _by_strength(strength: NDArray[np.uint8], share: float) -> NDArray[np.float64]:
    odds = np.log(share / (1 - share))
    if strength.size:
        odds = odds + _STRONGER * (strength - strength.mean())
    out: NDArray[np.float64] = np.clip(1 / (1 + np.exp(-odds)), 2 * _CHANCE, 0.98) * np.ones(strength.size)
    return out


def _alone(theirs: Peaks, edge: _Edge) -> float:
    place = np.minimum(np.arange(edge.low, edge.high + _GRID, _GRID), edge.high)
    likely = edge.alone(place)
    limit = edge.low if edge.side > 0 else edge.high
    if abs(limit - edge.at) < _OUTWARD - 1:
        nats = _NATS_AT_END if limit in {0.0, float(theirs.ticks)} else _NATS
        if likely[0 if edge.side > 0 else -1] > likely.max() - nats:
            return limit
    return _mean(place, likely)


def _between(theirs: Peaks, end: _Edge, begin: _Edge) -> float:
    low, high = sorted((end.at, begin.at))
    place = np.arange(low - _AROUND, high + _AROUND, _GRID)
    hard, fade = (end.likely(place, soft) + begin.likely(place, soft) for soft in (0.0, _FADE))
    if hard.max() == -np.inf:
        return (low + high) / 2
    if hard.max() < fade.max():
        return _mean(place, fade)
    hard += _around(theirs.at, place, *_SILENT)
    strange = np.intersect1d(end.strange, begin.strange)
    return _mean(place, hard + sum(_around(strange, place, *mark) for mark in _STRANGE))


def _around(
    at: NDArray[Any], place: NDArray[np.float64], first: float, last: float, nats: float
) -> NDArray[np.float64]:
    n = np.searchsorted(at, place + last) - np.searchsorted(at, place + first)
    return np.asarray(nats * n)


def _mean(place: NDArray[np.float64], likely: NDArray[np.float64]) -> float:
    weight = np.exp(likely - likely.max())
    return float((place * weight).sum() / weight.sum())


def _moved(span: Span, begin: float, end: float) -> Span:
    line = line_of(span)
    ours_from, ours_to = (line.of_ours([begin, end]) * TICK_S).tolist()
    return replace(span, query_from_s=begin * TICK_S, query_to_s=end * TICK_S, ours_from_s=ours_from, ours_to_s=ours_to)


def line_of(span: Span) -> Line:
    """Give the line along which a stretch runs."""
    stretch = 1 / span.speed
    return Line((span.query_from_s - stretch * span.ours_from_s) / TICK_S, stretch, span.pitch_octaves * STEPS)
