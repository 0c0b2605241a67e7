"""What of ours goes together with this sound, and where?

Candidates come from the sketches, the likeliest first; each is aligned until many in a row give nothing, and then those
that look promising.  Where all give nothing, the sketches are asked once more, for more values.  Of a cluster of
duplicates one is enough.  A long sound is searched as a whole and then window by window, as long as something of it
is not explained: so the tracks of a compilation are found each by its own stretch.

Where several recordings go together with the same stretch, the better one explains it.  The others are its rivals.

Nothing here says whether a find is right: :mod:`riparian.prints.match` does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.prints.align import WORTH_ANOTHER, Query, align, is_promising
from riparian.prints.hashes import Asking
from riparian.prints.ours import Ours
from riparian.prints.peaks import TICK_S, Peaks
from riparian.prints.spans import Span

MOST: Final = (200, 1000)
"""Candidates of a window that are looked at, at most: in a small catalogue, and in one of millions."""
RECORDINGS_EACH: Final = 10_000
"""Recordings, one of which has two values in common with a query by chance: one more candidate for each so many."""
PATIENCE: Final = 24
"""Candidates in a row that give nothing much, after which only those are aligned that look promising."""
WHOLE_S: Final = 600.0
"""Up to here a sound is searched as a whole; a longer one in windows of this length first."""
WINDOW_S: Final = 120.0
_HOP: Final = 0.75
_EXPLAINED: Final = 0.9
"""Of a window; then it is not searched again."""
_OVERLAP: Final = 0.5
"""Of a stretch that a better one explains; then it is its rival."""
_RIVAL: Final = 0.5
"""Of the score of what explains it; a rival that is worse is not told."""
_FOUND: Final = 5.0
"""A stretch that is worse is nothing: the best of a search is as good where nothing is ours."""
_HITS: Final = 2
"""Values in common with a candidate that is no longer aligned unseen."""
_MUCH: Final = 15.0
"""A stretch that is as good makes patient, and is looked at beyond its window."""
_AROUND: Final = 1.25
"""How many times its own length a recording may lie beyond a window."""


@dataclass(frozen=True, slots=True)
class Find:
    """A recording that goes together with stretches of the sound.

    Parameters
    ----------
    recording
        Of ours.
    cluster
        Its duplicates'.
    spans
        At least one, by time.
    """

    recording: int
    cluster: int
    spans: tuple[Span, ...]

    @property
    def best(self) -> Span:
        """The surest stretch."""
        return max(self.spans, key=lambda span: span.score)


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search gave.

    Parameters
    ----------
    finds
        The surest first; of each stretch the best, and no two of one cluster.
    rivals
        For each find, recordings that go together with the same stretches, but less well; the best first.
    candidates, aligned
        How many there were, and how many of them were aligned.
    """

    finds: tuple[Find, ...]
    rivals: tuple[tuple[int, ...], ...]
    candidates: int
    aligned: int


def search(query: Peaks, ours: Ours, *, without: int = -1) -> Searched:
    """Look for everything of ours in a sound.

    Parameters
    ----------
    query
        Of any length.
    ours
        The catalogue.
    without
        A cluster that is left out, as if it were not ours.
    """
    hunt = _Hunt(query, ours, without)
    for first, last in _windows(query.ticks):
        hunt.look(first, last)
    finds = sorted(hunt.found.values(), key=lambda find: -find.best.score)
    kept, rivals = _explained(finds)
    return Searched(kept, rivals, len(hunt.seen), hunt.aligned)


def most(recordings: int) -> int:
    """Say how many candidates are looked at in a catalogue of so many recordings.

    Examples
    --------
    >>> [most(10**n) for n in (3, 6, 7)]
    [200, 200, 1000]
    """
    return min(max(MOST[0], recordings // RECORDINGS_EACH), MOST[1])


def clip(peaks: Peaks, first: int, last: int) -> Peaks:
    """Give the peaks from one tick to before another, on a clock that begins at the first.

    Examples
    --------
    >>> whole = Peaks(np.array([5, 250], np.int32), np.array([0, 192], np.int16), np.array([3, 15], np.uint8), 500)
    >>> part = clip(whole, 200, 900)
    >>> part.at.tolist(), part.ticks
    ([50], 300)
    """
    among = slice(*np.searchsorted(peaks.at, (first, last)))
    at = peaks.at[among] - np.int32(first)
    return Peaks(at, peaks.pitch[among], peaks.strength[among], max(0, min(last, peaks.ticks) - first))


def backwards(peaks: Peaks) -> Peaks:
    """Give the peaks of the sound played backwards."""
    at = (peaks.ticks - peaks.at).astype(np.int32)
    order = np.lexsort((peaks.pitch, at))
    return Peaks(at[order], peaks.pitch[order], peaks.strength[order], peaks.ticks)


def covered_s(spans: Sequence[Span], first_s: float, last_s: float) -> float:
    """Say how many seconds between two times lie in stretches of the sound."""
    total, reached = 0.0, first_s
    for span in sorted(spans, key=lambda one: one.query_from_s):
        begin, end = max(reached, span.query_from_s), min(last_s, span.query_to_s)
        if end > begin:
            total += end - begin
            reached = end
    return total


class _Hunt:
    """What was found so far."""

    def __init__(self, query: Peaks, ours: Ours, without: int) -> None:
        self.query = query
        self.ours = ours
        self.without = without
        self.found: dict[int, Find] = {}
        self.seen: set[int] = set()
        self.aligned = 0

    def look(self, first: int, last: int) -> None:
        """Align the candidates of a window."""
        spans = [span for find in self.found.values() for span in find.spans]
        if covered_s(spans, first * TICK_S, last * TICK_S) >= _EXPLAINED * (last - first) * TICK_S:
            return
        heard = clip(self.query, first, last)
        if not len(heard):
            return
        window = Query(heard)
        tried: set[int] = set()
        for asking in (Asking.NEAR, Asking.FAR):
            idle, is_found = 0, False
            for recording, hits in self._candidates(heard, asking):
                cluster = self.ours.cluster(recording)
                if cluster == self.without or cluster in tried:
                    continue
                if (asking is Asking.FAR or idle >= PATIENCE) and (
                    hits < _HITS or not is_promising(window, self.ours.peaks(recording))
                ):
                    continue
                tried.add(cluster)
                self.seen.add(cluster)
                spans_here = self._aligned(window, recording)
                much = any(span.score >= _MUCH for span in spans_here)
                idle, is_found = 0 if much else idle + 1, is_found or much
                if spans_here:
                    self._keep(Find(recording, cluster, _moved(spans_here, first)), first, last)
            if is_found:
                break

    def _candidates(self, heard: Peaks, asking: Asking) -> Iterator[tuple[int, int]]:
        ranked = self.ours.candidates(heard, most(self.ours.recordings), asking)
        yield from zip(ranked.recording.tolist(), ranked.hits.tolist(), strict=True)

    def _aligned(self, window: Query, recording: int) -> tuple[Span, ...]:
        self.aligned += 1
        spans = align(window, self.ours.peaks(recording))
        return tuple(span for span in spans if span.score >= _FOUND and span.seconds > 0)

    def _keep(self, find: Find, first: int, last: int) -> None:
        """Keep a find, after looking at where it begins and ends beyond its window."""
        reach = round(_AROUND * self.ours.peaks(find.recording).ticks)
        begin, end = max(0, first - reach), min(self.query.ticks, last + reach)
        if find.best.score >= _MUCH and (begin, end) != (first, last):
            wider = self._aligned(Query(clip(self.query, begin, end)), find.recording)
            if wider and max(span.score for span in wider) > find.best.score:
                find = replace(find, spans=_moved(wider, begin))
        before = self.found.get(find.cluster)
        if before is not None:
            find = (
                max(before, find, key=lambda one: one.best.score)
                if before.recording != find.recording
                else replace(find, spans=_together(before.spans, find.spans))
            )
        self.found[find.cluster] = find


def _windows(ticks: int) -> Iterator[tuple[int, int]]:
    for length_s in (WHOLE_S, WINDOW_S):
        length = round(length_s / TICK_S)
        if ticks <= length:
            if length_s == WHOLE_S:
                yield 0, ticks
            continue
        n = -(-(ticks - length) // round(_HOP * length)) + 1
        for first in np.linspace(0, ticks - length, n).round().astype(int).tolist():
            yield first, first + length


def _moved(spans: Sequence[Span], first: int) -> tuple[Span, ...]:
    by_s = first * TICK_S
    moved = (replace(s, query_from_s=s.query_from_s + by_s, query_to_s=s.query_to_s + by_s) for s in spans)
    return tuple(sorted(moved, key=lambda span: span.query_from_s))


def _together(before: Sequence[Span], new: Sequence[Span]) -> tuple[Span, ...]:
    """Join stretches of two windows; of those that overlap the surer, and none that chance may have given beside it."""
    kept: list[Span] = []
    for span in sorted((*before, *new), key=lambda one: -one.score):
        if kept and span.score < WORTH_ANOTHER:
            break
        if covered_s(kept, span.query_from_s, span.query_to_s) < _OVERLAP * (span.query_to_s - span.query_from_s):
            kept.append(span)
    return tuple(sorted(kept, key=lambda one: one.query_from_s))


def _explained(finds: Sequence[Find]) -> tuple[tuple[Find, ...], tuple[tuple[int, ...], ...]]:
    """Give each stretch to the best, and say who its rivals are."""
    kept: list[Find] = []
    rivals: list[list[int]] = []
    for find in finds:
        left = []
        for span in find.spans:
            owner = next((i for i, one in enumerate(kept) if _hides(one.spans, span)), None)
            if owner is None:
                left.append(span)
            elif find.recording not in rivals[owner] and span.score >= _RIVAL * kept[owner].best.score:
                rivals[owner].append(find.recording)
        if left:
            kept.append(replace(find, spans=tuple(left)))
            rivals.append([])
    order: NDArray[np.intp] = np.argsort([-find.best.score for find in kept], kind="stable")
    return tuple(kept[i] for i in order), tuple(tuple(rivals[i]) for i in order)


def _hides(spans: Sequence[Span], span: Span) -> bool:
    return covered_s(spans, span.query_from_s, span.query_to_s) >= _OVERLAP * (span.query_to_s - span.query_from_s)
