"""Is this candidate right, and where does the query run along it?

Shapes of four peaks that are in both sounds vote for a line (:mod:`riparian.prints.quads`); sound that was neither
stretched nor moved in pitch, but is so reverberant or compressed that no shape is whole, has another way: peaks of one
pitch are paired off, and the most frequent distance is the line.  A line is moved to where its hits are
(:mod:`riparian.prints.lines`).  Stretches of the query in which hits are too many for chance are spans; what no span
explains may lie along another line: a loop, a cut, a second passage at another speed.

Source
------
Ruzzo, W. and Tompa, M. (1999), A linear time algorithm for finding all maximal scoring subsequences; the drop at which
a stretch ends is that of BLAST, Altschul, S. et al. (1990).
"""

from math import lgamma, log
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.prints import lines, quads
from riparian.prints.lines import Line
from riparian.prints.peaks import STEPS, TICK_S, Peaks
from riparian.prints.quads import Table, Votes
from riparian.prints.spans import Span

LINES: Final = 12
"""How many lines are looked for in a pair, at most."""
WORTH_ANOTHER: Final = 6.0
"""Score of a span from which further lines are looked for, and of which further ones are told."""
_DROP: Final = 25.0
_SURE: Final = 60.0
_FEWEST_PEAKS: Final = 4
_ROUNDS: Final = 3


class Query:
    """What is worked out once for a query, and used for every candidate.

    Parameters
    ----------
    peaks
        Of the query.
    """

    __slots__ = ("pairs", "peaks", "shapes")

    def __init__(self, peaks: Peaks) -> None:
        self.peaks = peaks
        self.shapes: Table = quads.table(peaks)
        self.pairs: NDArray[np.intp] = np.argsort(peaks.pitch, kind="stable")


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
    """
    theirs = query.peaks
    free = np.ones(len(theirs), np.bool_)
    votes = quads.votes(theirs, query.shapes, ours)
    spans: list[Span] = []
    for _ in range(LINES):
        found = _best(query, ours, votes, free)
        told = [(span, among) for span, among in found if span.score >= WORTH_ANOTHER]
        if not told:
            if not spans and found:
                spans = [max((span for span, _ in found), key=lambda span: span.score)]
            break
        for span, among in told:
            spans.append(span)
            free[among] = False
    return tuple(sorted(spans, key=lambda span: span.query_from_s))


def _best(query: Query, ours: Peaks, votes: Votes, free: NDArray[np.bool_]) -> list[tuple[Span, slice]]:
    theirs = query.peaks
    best: list[tuple[Span, slice]] = []
    line = voted(theirs, ours, votes, free)
    if line is not None:
        best = _spans(theirs, ours, votes, lines.fitted(theirs, ours, line), free)
    if sum(span.score for span, _ in best) < _SURE:
        plain = paired(query, ours, free)
        if plain is not None:
            other = _spans(theirs, ours, votes, lines.fitted(theirs, ours, plain), free)
            best = max(best, other, key=lambda spans: sum(span.score for span, _ in spans))
    return best


def _spans(theirs: Peaks, ours: Peaks, votes: Votes, line: Line, free: NDArray[np.bool_]) -> list[tuple[Span, slice]]:
    inside = line.within(theirs, ours)
    if inside.stop - inside.start < _FEWEST_PEAKS:
        return []
    found = lines.hits(theirs, ours, line, inside)
    open_ = free[inside]
    grade = found.hit.sum(0).astype(np.int8)  # 0 none, 1 coarse, 2 fine
    grade[~open_] = -1
    n = max(1, int(open_.sum()))
    chance = [(float(c[open_].sum()) + 1) / (lines.DISPLACED * n + 2) for c in found.chance]
    out = []
    for begin, end in _stretches(grade, *chance):
        among = slice(inside.start + int(begin), inside.start + int(end))
        here = slice(int(begin), int(end))
        span = _span(theirs, ours, votes, line, among, lines.Hits(found.hit[:, here], found.chance[:, here]))
        out.append((span, among))
    return out


def _span(theirs: Peaks, ours: Peaks, votes: Votes, line: Line, among: slice, found: lines.Hits) -> Span:
    n = among.stop - among.start
    expected = (found.chance.sum(1) + 1) / (lines.DISPLACED * n + 2) * n
    hits = found.hit.sum(1)
    scores = [unlikely(n, int(h), float(e) / n) for h, e in zip(hits, expected, strict=True)]
    grade = int(np.argmax(scores))
    from_, to = float(theirs.at[among.start]), float(theirs.at[among.stop - 1])
    our_from, our_to = ((time - line.begin) / line.stretch for time in (from_, to))
    there = slice(*np.searchsorted(ours.at, (our_from, our_to + 1)).tolist())
    back = lines.back(theirs, ours, line, there)
    along, elsewhere = _along(
        theirs.at,
        ours.at,
        votes.theirs,
        votes.ours,
        votes.ratio,
        votes.pitch,
        np.array([line.begin, line.stretch, line.pitch]),
        among.start,
        among.stop,
    )
    return Span(
        query_from_s=from_ * TICK_S,
        query_to_s=to * TICK_S,
        ours_from_s=our_from * TICK_S,
        ours_to_s=our_to * TICK_S,
        speed=1 / line.stretch,
        pitch_octaves=line.pitch / STEPS,
        peaks=n,
        hits=int(hits[grade]),
        expected=float(expected[grade]),
        score=max(0.0, scores[grade] - log(len(scores)) / log(10)),
        our_peaks=there.stop - there.start,
        our_hits=int(back.sum()),
        votes=int(along),
        elsewhere=int(elsewhere),
    )


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


def voted(theirs: Peaks, ours: Peaks, votes: Votes, free: NDArray[np.bool_]) -> Line | None:
    """Give the line that most shapes vote for, among peaks that are free."""
    use = free[votes.theirs]
    theirs_at = theirs.at[votes.theirs][use].astype(np.float64)
    ours_at = ours.at[votes.ours][use].astype(np.float64)
    found = _mode(theirs_at, ours_at, votes.ratio[use], votes.pitch[use], theirs.ticks, ours.ticks)
    return Line(float(found[1]), float(found[2]), float(found[3])) if found[0] else None


def paired(query: Query, ours: Peaks, free: NDArray[np.bool_]) -> Line | None:
    """Give the line of the most frequent distance of peaks of one pitch, at the same speed."""
    order = query.pairs[free[query.pairs]]
    theirs = query.peaks
    if not order.size or not len(ours):
        return None
    first = np.searchsorted(theirs.pitch[order], ours.pitch.astype(np.int64) - 2)
    last = np.searchsorted(theirs.pitch[order], ours.pitch.astype(np.int64) + 3)
    return Line(float(_distance(theirs.at[order], ours.at, first, last, theirs.ticks, ours.ticks)), 1.0, 0.0)


_BIN: Final = 6


@njit(cache=True, nogil=True)
def _distance(at: Any, our_at: Any, first: Any, last: Any, ticks: Any, our_ticks: Any) -> Any:
    count = np.zeros((ticks + our_ticks) // _BIN + 3, np.int32)
    for i in range(our_at.size):
        for j in range(first[i], last[i]):
            count[(at[j] - our_at[i] + our_ticks) // _BIN] += 1
    best, which = 0, 0
    for k in range(count.size - 1):
        if count[k] + count[k + 1] > best:
            best, which = count[k] + count[k + 1], k
    return (which + 1) * _BIN - our_ticks


_RATIO_CELL: Final = 0.01
_PITCH_CELL: Final = 4
_BLOCK: Final = 4_000
_PLACE: Final = 25
_MODES: Final = 3


@njit(cache=True, nogil=True)
def _mode(  # noqa: C901, PLR0912 -- loops of a kernel read best in one piece
    theirs: Any, ours: Any, ratio: Any, pitch: Any, ticks: Any, our_ticks: Any
) -> Any:
    n = theirs.size
    none = (False, 0.0, 1.0, 0.0)
    if n < 3:
        return none
    across, up = int(2 * quads.SLOWEST / _RATIO_CELL) + 3, 2 * quads.HIGHEST // _PITCH_CELL + 3
    count = np.zeros((across, up), np.int32)
    x, y = np.empty(n, np.int32), np.empty(n, np.int32)
    for v in range(n):
        x[v] = int((ratio[v] + quads.SLOWEST) / _RATIO_CELL) + 1
        y[v] = (pitch[v] + quads.HIGHEST) // _PITCH_CELL + 1
        count[x[v], y[v]] += 1
    smooth = np.zeros((across, up), np.int32)
    for a in range(1, across - 1):
        for b in range(1, up - 1):
            smooth[a, b] = count[a - 1 : a + 2, b - 1 : b + 2].sum()
    blocks, places = ticks // _BLOCK + 1, our_ticks // _PLACE + 2
    best, seed = 0, none
    for _ in range(_MODES):
        top, a0, b0 = 0, 0, 0
        for a in range(1, across - 1):
            for b in range(1, up - 1):
                if smooth[a, b] > top:
                    top, a0, b0 = smooth[a, b], a, b
        if top <= best or top < 3:
            break
        stretch = np.exp((a0 - 0.5) * _RATIO_CELL - quads.SLOWEST)
        placed = np.zeros((blocks, places), np.int32)
        where = np.full(n, -1, np.int32)
        block = np.empty(n, np.int32)
        for v in range(n):
            if abs(x[v] - a0) > 1 or abs(y[v] - b0) > 1:
                continue
            block[v] = int(theirs[v]) // _BLOCK
            centre = (block[v] + 0.5) * _BLOCK
            place = int((ours[v] + (centre - theirs[v]) / stretch) // _PLACE)
            # Blocks at an edge of ours have their centre outside it.
            place = place % places
            where[v] = place
            placed[block[v], place] += 1
        most, at_block, at_place = 0, 0, 0
        for k in range(blocks):
            for p in range(places):
                both = placed[k, p] + placed[k, (p + 1) % places]
                if both > most:
                    most, at_block, at_place = both, k, p
        if most > best and most >= 3:
            best = most
            chosen = np.zeros(n, np.bool_)
            for v in range(n):
                if where[v] >= 0 and block[v] == at_block:
                    chosen[v] = where[v] == at_place or where[v] == (at_place + 1) % places
            seed = _through(theirs, ours, pitch, chosen, stretch)
        for a in range(max(0, a0 - 2), min(across, a0 + 3)):
            for b in range(max(0, b0 - 2), min(up, b0 + 3)):
                smooth[a, b] = 0
    if not seed[0]:
        return none
    for round_ in range(3):
        wide = 30.0 if round_ == 0 else 15.0
        chosen = np.zeros(n, np.bool_)
        for v in range(n):
            off = theirs[v] - seed[1] - seed[2] * ours[v]
            chosen[v] = abs(off) < wide and abs(pitch[v] - seed[3]) < 8 and abs(ratio[v] - np.log(seed[2])) < 0.04
        better = _through(theirs, ours, pitch, chosen, seed[2])
        if not better[0]:
            break
        seed = better
    return seed


@njit(cache=True, nogil=True)
def _through(theirs: Any, ours: Any, pitch: Any, chosen: Any, stretch: Any) -> Any:
    n, sx, sy, sz = 0, 0.0, 0.0, 0.0
    for v in range(theirs.size):
        if chosen[v]:
            n += 1
            sx += ours[v]
            sy += theirs[v]
            sz += pitch[v]
    if n < 3:
        return False, 0.0, 1.0, 0.0
    mx, my = sx / n, sy / n
    sxx, sxy = 0.0, 0.0
    for v in range(theirs.size):
        if chosen[v]:
            sxx += (ours[v] - mx) ** 2
            sxy += (ours[v] - mx) * (theirs[v] - my)
    # A stretch that is known beforehand to some 1 %, with noise of 3 ticks a vote.
    prior = (3.0 / 0.01) ** 2
    slope = (sxy + prior * stretch) / (sxx + prior)
    return True, my - slope * mx, slope, sz / n


@njit(cache=True, nogil=True)
def _along(
    at: Any, our_at: Any, theirs: Any, ours: Any, ratio: Any, pitch: Any, line: Any, begin: Any, end: Any
) -> Any:
    wide = 25
    ends = our_at[-1] if our_at.size else 0
    count = np.zeros(2 * (int(ends) // wide + 2) + 1, np.int32)
    middle = count.size // 2
    for v in range(theirs.size):
        if theirs[v] < begin or theirs[v] >= end:
            continue
        if abs(ratio[v] - np.log(line[1])) > 0.03 or abs(pitch[v] - line[2]) > 6:
            continue
        off = our_at[ours[v]] - (at[theirs[v]] - line[0]) / line[1]
        place = middle + int(np.round(off / wide))
        if 0 <= place < count.size:
            count[place] += 1
    along = count[middle - 1 : middle + 2].sum()
    elsewhere = 0
    for k in range(count.size - 1):
        if abs(k - middle) > 3:
            elsewhere = max(elsewhere, count[k] + count[k + 1])
    return along, elsewhere


@njit(cache=True, nogil=True)
def _stretches(grade: Any, coarse_chance: Any, fine_chance: Any) -> Any:
    q2 = min(max(fine_chance, 0.002), 0.5)
    q1 = min(max(coarse_chance, q2 + 0.004), 0.7)
    p2, p1 = 0.4, 0.6
    out = np.empty((0, 2), np.int64)
    for round_ in range(_ROUNDS):
        p2 = min(max(p2, q2 + 0.08), 0.97)
        p1 = min(max(p1, p2 + 0.01, q1 + 0.1), 0.98)
        worth = np.array([np.log((1 - p1) / (1 - q1)), np.log((p1 - p2) / (q1 - q2)), np.log(p2 / q2)])
        out = _dropped(grade, worth)
        if round_ == _ROUNDS - 1 or not out.shape[0]:
            break
        seen, hits = np.zeros(2), 2.0
        seen[0], seen[1] = 0.6 * hits, 0.4 * hits
        for s in range(out.shape[0]):
            for i in range(out[s, 0], out[s, 1]):
                if grade[i] >= 0:
                    hits += 1
                    seen[0] += grade[i] >= 1
                    seen[1] += grade[i] == 2
        p1, p2 = seen[0] / hits, seen[1] / hits
    return out


@njit(cache=True, nogil=True)
def _dropped(grade: Any, worth: Any) -> Any:
    found = np.empty((grade.size // 2 + 1, 2), np.int64)
    n, total, top, begin, end = 0, 0.0, 0.0, 0, 0
    best, best_begin, best_end = 0.0, 0, 0
    for i in range(grade.size):
        if grade[i] >= 0:
            if total <= 0:
                total, begin, top = 0.0, i, 0.0
            total += worth[grade[i]]
            if total > top:
                top, end = total, i + 1
                if top > best:
                    best, best_begin, best_end = top, begin, end
        if top > 0 and (total < top - _DROP or total <= 0 or i == grade.size - 1):
            if top > 12.0:
                found[n, 0], found[n, 1] = begin, end
                n += 1
            total, top = 0.0, 0.0
    if n == 0 and best > 0:
        found[0, 0], found[0, 1] = best_begin, best_end
        n = 1
    return found[:n].copy()
