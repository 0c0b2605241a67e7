from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from riparian.prints.align import Query, align
from riparian.prints.edges import line_of, settled
from riparian.prints.peaks import TICK_S, Peaks
from riparian.prints.search import clip
from riparian.prints.spans import Span
from tests.prints.catalogues import copied, joined, piece, together


def _part(seed: int, from_s: float, to_s: float) -> Peaks:
    return clip(piece(seed), round(from_s / TICK_S), round(to_s / TICK_S))


def _found(query: Peaks, seeds: Sequence[int]) -> list[tuple[Span, Peaks]]:
    heard = Query(query)
    return [(span, piece(seed)) for seed in seeds for span in align(heard, piece(seed)) if span.score > 15]


def test_where_one_ends_and_the_next_begins_is_one_place_and_near_the_join() -> None:
    off = []
    for first in range(40, 64, 4):
        seeds = range(first, first + 4)
        lengths = [10.0 + 1.37 * (seed % 5) for seed in seeds]
        query = copied(joined([_part(seed, 7.0, 7.0 + n) for seed, n in zip(seeds, lengths, strict=True)]), first)
        spans = settled(query, _found(query, seeds))
        assert len(spans) == 4
        assert all(a.query_to_s == b.query_from_s for a, b in pairwise(spans))
        off += [span.query_to_s - at for span, at in zip(spans, np.cumsum(lengths), strict=True)]
    assert np.mean(np.abs(off) < 0.1) >= 0.85
    assert np.abs(off).max() < 0.5


def test_the_ends_of_a_file_are_edges() -> None:
    query = copied(_part(50, 10, 30))
    (span,) = settled(query, _found(query, [50]))
    assert (span.query_from_s, span.query_to_s) == (0.0, query.seconds)
    assert (span.ours_from_s, span.ours_to_s) == pytest.approx((10, 30), abs=0.02)


def test_the_ends_of_ours_are_edges_in_the_midst_of_something_else() -> None:
    ours = _part(51, 0, 20)
    query = copied(joined([_part(52, 0, 10), ours, _part(53, 0, 10)]))
    (span, *_) = align(Query(query), ours)
    (span,) = settled(query, [(span, ours)])
    assert (span.ours_from_s, span.ours_to_s) == pytest.approx((0, 20), abs=0.06)


def test_between_two_that_fade_the_edge_is_in_the_fade() -> None:
    def faded(peaks: Peaks, seed: int, *, falls: bool) -> Peaks:
        rng = np.random.default_rng(seed)
        at = peaks.at * TICK_S
        through = (at - (peaks.seconds - 4)) / 4 if falls else (4 - at) / 4
        stay = rng.random(len(peaks)) > np.clip(1.6 * through - 0.3, 0, 1)
        return Peaks(peaks.at[stay], peaks.pitch[stay], peaks.strength[stay], peaks.ticks)

    one, other = faded(_part(54, 0, 20), 1, falls=True), faded(_part(55, 0, 20), 2, falls=False)
    later = Peaks(other.at + np.int32(4_000), other.pitch, other.strength, other.ticks + 4_000)
    query = copied(together(one, later))
    spans = settled(query, _found(query, [54, 55]))
    assert spans[0].query_to_s == spans[1].query_from_s == pytest.approx(18, abs=1.0)


def test_neighbours_that_are_far_apart_say_nothing_of_each_other() -> None:
    query = copied(joined([_part(56, 0, 15), _part(57, 0, 9), _part(58, 20, 35)]))
    spans = settled(query, _found(query, [56, 58]))
    assert spans[0].query_to_s == pytest.approx(15, abs=0.4)
    assert spans[1].query_from_s == pytest.approx(24, abs=0.4)


def test_the_order_in_which_they_are_given_is_kept() -> None:
    query = copied(joined([_part(seed, 5, 17) for seed in (59, 60, 61)]))
    found = _found(query, [59, 60, 61])
    assert settled(query, found[::-1]) == settled(query, found)[::-1]
    assert settled(query, []) == ()


def test_a_moved_edge_stays_on_its_line() -> None:
    query = copied(_part(62, 3, 40), speed=1.05, semitones=1)
    found = _found(query, [62])
    (span,) = settled(query, found)
    before, after = line_of(found[0][0]), line_of(span)
    assert (after.begin, after.stretch, after.pitch) == pytest.approx((before.begin, before.stretch, before.pitch))
