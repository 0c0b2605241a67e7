"""Is this candidate right, and where does the query run along it?

Shapes of four peaks that are in both sounds vote for lines (:mod:`riparian.prints.quads`); sound that kept speed and
pitch, but is so reverberant or compressed that no shape is whole, has a line of its own (:mod:`riparian.prints.modes`).
Each is moved to where its hits are (:mod:`riparian.prints.lines`), and the best is kept.  Stretches of the query in
which hits are too many for chance are spans (:mod:`riparian.prints.stretches`); what no span explains may lie along
another line: a loop, a cut, a second passage at another speed.

Source
------
The chance of so many hits, where displaced alignments of the same pair say how likely each is: as far as we know, ours.
"""

from math import lgamma, log
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.prints import lines, modes, quads
from riparian.prints.lines import GRADES, Hits, Line
from riparian.prints.peaks import STEPS, TICK_S, Peaks
from riparian.prints.quads import Table, Votes
from riparian.prints.spans import Span
from riparian.prints.stretches import stretches

LINES: Final = 12
"""How many lines are looked for in a pair, at most."""
PROMISING: Final = 6.0
"""Of a line's worth (:func:`riparian.prints.lines.fitted`); no wrong pair of 1,700 reached it, and of pairs that are
right none but clips that no alignment tells has less."""
WORTH_ANOTHER: Final = 10.0
"""Score of a span from which further lines are looked for, and of which further ones are told."""
_FEWEST_PEAKS: Final = 4
_TRIED: Final = 4
_LEFT: Final = 16
"""Peaks in a row that no span explains."""
_KNOWN: Final = 300
"""Looks at other lines, as if made elsewhere in the pair."""


class Query:
    """What is worked out once for a query, and used for every candidate.

    Parameters
    ----------
    peaks
        Of the query.
    """

    __slots__ = ("by_pitch", "peaks", "shapes")

    def __init__(self, peaks: Peaks) -> None:
        self.peaks = peaks
        self.shapes: Table = quads.table(peaks)
        self.by_pitch: NDArray[np.intp] = np.argsort(peaks.pitch, kind="stable")


def align(query: Query, ours: Peaks) -> tuple[Span, ...]:
    """Find the stretches of a query that are ours.

    Parameters
    ----------
    query
        Its peaks, and what was worked out of them.
    ours
        Peaks of a candidate.

    Returns
    -------
    spans
        In the order of the query.  A candidate that is wrong has at most one, of a low score: the best that was found.
        Their edges are where something is heard first and last; :func:`riparian.prints.edges.settled` says more.
    """
    pair = _Pair(query, ours)
    spans: list[Span] = []
    for _ in range(LINES):
        line = pair.best_line(first=not spans)
        found = pair.spans(line) if line else []
        told = [(span, among) for span, among in found if span.score >= WORTH_ANOTHER]
        if not told:
            spans = spans or [span for span, _ in sorted(found, key=lambda of: -of[0].score)[:1]]
            break
        for span, among in told:
            spans.append(span)
            pair.free[among] = False
        if not pair.is_open():
            break
    return tuple(sorted(spans, key=lambda span: span.query_from_s))


def is_promising(query: Query, ours: Peaks) -> bool:
    """Say, in a quarter of the time, whether it is worth the time to align a candidate."""
    votes = quads.votes(query.peaks, query.shapes, ours)
    tried = modes.voted(query.peaks, ours, votes, np.ones(len(query.peaks), np.bool_), _TRIED)
    return any(lines.fitted(query.peaks, ours, line)[1] >= PROMISING for line in tried)


class _Pair:
    def __init__(self, query: Query, ours: Peaks) -> None:
        self.query, self.theirs, self.ours = query, query.peaks, ours
        self.free = np.ones(len(query.peaks), np.bool_)
        self.votes: Votes = quads.votes(query.peaks, query.shapes, ours)

    def best_line(self, *, first: bool) -> Line | None:
        """Try what is worth trying among peaks that are free, and give the line with most hits for its chance."""
        tried = modes.voted(self.theirs, self.ours, self.votes, self.free, _TRIED if first else 1)
        if first:
            tried += modes.paired(self.theirs, self.query.by_pitch, self.ours, self.free)
        fitted = [lines.fitted(self.theirs, self.ours, line) for line in tried]
        return max(fitted, key=lambda of: of[1])[0] if fitted else None

    def is_open(self) -> bool:
        """Say whether something is left that may lie along another line."""
        taken = np.flatnonzero(~self.free)
        return bool(np.diff(np.concatenate([[-1], taken, [self.free.size]])).max() > _LEFT)

    def spans(self, line: Line) -> list[tuple[Span, slice]]:
        """Give the spans along a line, and which peaks of the query each explains."""
        inside = line.within(self.theirs, self.ours)
        if inside.stop - inside.start < _FEWEST_PEAKS:
            return []
        found = lines.hits(self.theirs, self.ours, line, inside)
        free = self.free[inside]
        chance = (found.chance[:, free].sum(1) + 1) / (found.lines * max(1, int(free.sum())) + 2)
        there = slice(*np.searchsorted(self.ours.at, line.of_ours([0, self.theirs.ticks])).tolist())
        heard = lines.heard(self.theirs, self.ours, line, there)
        runs = stretches(
            self.theirs.at[inside],
            np.where(free, found.grade, np.int8(-1)),
            chance,
            line.of_theirs(self.ours.at[there][~heard]),
        )
        out = []
        for (begin, end), edges in zip(runs.peaks.tolist(), runs.edges, strict=True):
            here = slice(begin, end)
            hits = Hits(found.grade[here], found.chance[:, here], found.lines)
            among = slice(inside.start + begin, inside.start + end)
            out.append((self._span(line, among, hits, chance, edges), among))
        return out

    def _span(
        self, line: Line, among: slice, found: Hits, chance: NDArray[np.float64], edges: NDArray[np.float64]
    ) -> Span:
        n = among.stop - among.start
        expected = (found.chance.sum(1) + _KNOWN * chance) / (found.lines * n + _KNOWN)
        hits = np.array([np.count_nonzero(found.grade >= GRADES - g) for g in range(GRADES)])
        scores = [unlikely(n, int(h), float(q)) for h, q in zip(hits, expected, strict=True)]
        grade = int(np.argmax(scores))
        time = edges[1:3]
        ours_at = line.of_ours(time)
        there = slice(*np.searchsorted(self.ours.at, ours_at + np.array([0, 1])).tolist())
        along, elsewhere = self._shapes(line, among)
        return Span(
            query_from_s=float(time[0]) * TICK_S,
            query_to_s=float(time[1]) * TICK_S,
            ours_from_s=float(ours_at[0]) * TICK_S,
            ours_to_s=float(ours_at[1]) * TICK_S,
            speed=1 / line.stretch,
            pitch_octaves=line.pitch / STEPS,
            peaks=n,
            hits=int(hits[grade]),
            expected=float(expected[grade] * n),
            score=max(0.0, scores[grade] - log(GRADES) / log(10)),
            our_peaks=there.stop - there.start,
            our_hits=int(lines.heard(self.theirs, self.ours, line, there).sum()),
            votes=along,
            elsewhere=elsewhere,
        )

    def _shapes(self, line: Line, among: slice) -> tuple[int, int]:
        votes = self.votes
        use = (votes.theirs >= among.start) & (votes.theirs < among.stop) & (np.abs(votes.pitch - line.pitch) < 6)
        use &= np.abs(votes.ratio + np.log(1 / line.stretch)) < 0.03
        off = self.ours.at[votes.ours[use]] - line.of_ours(self.theirs.at[votes.theirs[use]])
        along, elsewhere = _along(off, self.ours.ticks)
        return int(along), int(elsewhere)


def unlikely(n: int, hits: int, chance: float) -> float:
    """Say how unlikely so many hits are: the negative decimal logarithm of a binomial tail.

    Examples
    --------
    >>> round(unlikely(10, 10, 0.1), 6), unlikely(10, 0, 0.1), round(unlikely(100_000, 60_000, 0.5))
    (10.0, 0.0, 877)
    """
    if hits <= n * chance:
        return 0.0
    term = lgamma(n + 1) - lgamma(hits + 1) - lgamma(n - hits + 1) + hits * log(chance) + (n - hits) * log(1 - chance)
    total, ratio = 1.0, 1.0
    for k in range(hits, n):
        ratio *= (n - k) / (k + 1) * chance / (1 - chance)
        total += ratio
        if ratio < 1e-9:
            break
    return max(0.0, -(term + log(total)) / log(10))


_WIDE: Final = 25


@njit(cache=True, nogil=True)
def _along(off: NDArray[np.float64], ticks: int) -> tuple[int, int]:
    middle = int(ticks) // _WIDE + 2
    count = np.zeros(2 * middle + 1, np.int64)
    for o in off:
        place = middle + int(np.round(o / _WIDE))
        if 0 <= place < count.size:
            count[place] += 1
    along, elsewhere = count[middle - 1 : middle + 2].sum(), 0
    for k in range(count.size - 1):
        if abs(k - middle) > 3:
            elsewhere = max(elsewhere, count[k] + count[k + 1])
    return along, elsewhere
