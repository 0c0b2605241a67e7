import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from riparian.prints import lines
from riparian.prints.align import Query, align, unlikely
from riparian.prints.lines import Line
from riparian.prints.peaks import TICK_S, Peaks
from riparian.prints.search import clip
from tests.prints.catalogues import copied, joined, piece, together

EMPTY = Peaks(np.zeros(0, np.int32), np.zeros(0, np.int16), np.zeros(0, np.uint8), 5_000)

CHANGES = {
    "as it is": {},
    "4 % faster and a semitone higher": {"speed": 1.04, "semitones": 1.0},
    "8 % slower and two semitones lower": {"speed": 0.92, "semitones": -2.0},
    "5 % faster, as a tape": {"speed": 1.05, "semitones": 0.845},
    "half of it lost, as much new": {"kept": 0.5, "new": 0.5},
    "12 % faster, two of five lost": {"speed": 1.12, "kept": 0.6, "new": 0.3},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_copy_is_one_span_along_all_of_it(change: dict[str, float]) -> None:
    ours = piece(1)
    (span,) = align(Query(copied(ours, 0, **change)), ours)
    assert span.score > 60
    assert span.speed == pytest.approx(change.get("speed", 1.0), abs=5e-4)
    assert span.pitch_octaves * 12 == pytest.approx(change.get("semitones", 0.0), abs=0.03)
    assert span.query_from_s < 1
    assert span.query_to_s > 60 / span.speed - 1
    assert span.ours_from_s == pytest.approx(span.query_from_s * span.speed, abs=0.02)


CLIPS = {"3 s": (3, 8), "5 s": (5, 15), "10 s": (10, 40)}


@pytest.mark.parametrize(("seconds", "least"), CLIPS.values(), ids=CLIPS)
@pytest.mark.parametrize("seed", [2, 3])
def test_a_clip_is_found_where_it_is(seconds: int, least: float, seed: int) -> None:
    ours = piece(seed)
    first = round(21.3 / TICK_S)
    query = copied(clip(ours, first, first + round(seconds / TICK_S)), seed, speed=1.03, semitones=-1)
    (span,) = align(Query(query), ours)
    assert span.score > least
    assert span.ours_from_s - span.query_from_s * span.speed == pytest.approx(21.3, abs=0.05)


def test_what_is_another_s_has_one_span_at_most_and_a_low_score() -> None:
    queries = [Query(copied(piece(seed))) for seed in range(10, 16)]
    found = [align(query, piece(seed)) for query in queries for seed in range(16, 24)]
    assert max(len(spans) for spans in found) == 1
    scores = [spans[0].score for spans in found if spans]
    assert max(scores) < 10
    assert np.median(scores) < 4


NOTHING = {
    "nothing in nothing": (EMPTY, EMPTY),
    "nothing in ours": (EMPTY, piece(1)),
    "ours nothing": (piece(1), EMPTY),
}


@pytest.mark.parametrize(("query", "ours"), NOTHING.values(), ids=NOTHING)
def test_nothing_is_found_where_nothing_is(query: Peaks, ours: Peaks) -> None:
    assert align(Query(query), ours) == ()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_a_few_peaks_are_no_find(n: int) -> None:
    few = piece(4).between(0, int(piece(4).at[n]))
    assert all(span.score < 15 for span in align(Query(few), piece(4)))


def test_passages_in_another_order_are_spans_of_their_own() -> None:
    ours = piece(5)
    order = [(30, 42), (5, 20), (45, 55)]
    parts = [clip(ours, round(a / TICK_S), round(b / TICK_S)) for a, b in order]
    spans = align(Query(copied(joined(parts))), ours)
    assert [round(span.ours_from_s) for span in spans] == [a for a, _ in order]
    assert [round(span.ours_to_s) for span in spans] == [b for _, b in order]


def test_a_loop_is_many_spans_of_the_same_passage() -> None:
    ours = piece(6)
    bars = [clip(ours, 5_000, 7_000)] * 5
    spans = align(Query(copied(joined(bars))), ours)
    assert len(spans) == 5
    assert all(span.ours_from_s == pytest.approx(20, abs=0.9) for span in spans)


def test_a_sound_that_repeats_itself_has_as_many_shapes_elsewhere() -> None:
    loop = joined([clip(piece(7), 0, 1_000)] * 12)
    (span, *_) = align(Query(copied(loop)), loop)
    assert span.elsewhere > 0.7 * span.votes
    (alone, *_) = align(Query(copied(piece(7))), piece(7))
    assert alone.elsewhere < 0.1 * alone.votes


def test_two_passages_at_two_speeds_are_two_spans() -> None:
    ours = piece(8)
    query = joined([copied(clip(ours, 0, 5_000), 1, speed=1.06), copied(clip(ours, 6_000, 12_000), 2, speed=0.95)])
    spans = align(Query(query), ours)
    assert [round(span.speed, 2) for span in spans] == [1.06, 0.95]


def test_a_copy_under_another_sound_is_found() -> None:
    spans = align(Query(together(copied(piece(9)), piece(30))), piece(9))
    assert spans[0].score > 100
    assert spans[0].our_hits / spans[0].our_peaks > 0.5
    assert spans[0].share < 0.6


def test_where_no_shape_is_whole_peaks_of_one_pitch_still_tell() -> None:
    ours = piece(31)
    rng = np.random.default_rng(3)
    kept = np.sort(rng.permutation(len(ours))[: len(ours) // 4])
    few = Peaks(ours.at[kept], ours.pitch[kept], ours.strength[kept], ours.ticks)
    (span,) = align(Query(together(few, copied(piece(32), semitones=0.4))), ours)
    assert span.score > 20
    assert span.speed == pytest.approx(1.0, abs=1e-3)


def test_the_same_is_found_each_time() -> None:
    query, ours = Query(copied(piece(33), speed=0.97)), piece(33)
    assert align(query, ours) == align(query, ours)


@pytest.mark.parametrize("chance", [0.002, 0.03, 0.4])
@pytest.mark.parametrize("n", [1, 7, 60, 3_000, 90_000])
def test_the_tail_is_that_of_the_binomial_law(n: int, chance: float) -> None:
    for hits in {0, 1, n // 10, int(n * chance) + 2, n}:
        wanted = -binom.logsf(hits - 1, n, chance) / np.log(10)
        if hits > n * chance and np.isfinite(wanted) and hits <= n:
            assert unlikely(n, hits, chance) == pytest.approx(wanted, rel=1e-6, abs=1e-9)


some = st.integers(0, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 3_000), min_size=n, max_size=n), st.lists(st.integers(0, 900), min_size=n, max_size=n)
    )
)


def _peaks(of: tuple[list[int], list[int]]) -> Peaks:
    at, pitch = np.array(of[0], np.int32), np.array(of[1], np.int16)
    order = np.lexsort((pitch, at))
    return Peaks(at[order], pitch[order], np.full(at.size, 5, np.uint8), 3_001)


@given(theirs=some, ours=some, begin=st.integers(-900, 900), pitch=st.integers(-30, 30))
def test_hits_are_those_that_looking_at_every_pair_finds(
    theirs: tuple[list[int], list[int]], ours: tuple[list[int], list[int]], begin: int, pitch: int
) -> None:
    one, other, line = _peaks(theirs), _peaks(ours), Line(begin, 1.0, pitch)
    inside = line.within(one, other)
    got = lines.hits(one, other, line, inside).grade
    apart = np.abs(line.of_ours(one.at[inside])[:, None] - other.at)
    higher = np.abs(one.pitch[inside][:, None] - pitch - other.pitch)
    wanted = sum(((apart <= t) & (higher <= p)).any(1).astype(int) for t, p in lines.NEAR)
    assert got.tolist() == np.broadcast_to(wanted, got.shape).tolist()


@pytest.mark.parametrize("stretch", [0.9, 1.0, 1.1])
def test_a_line_that_is_a_little_off_moves_to_where_hits_are(stretch: float) -> None:
    ours = piece(34)
    line, worth = lines.fitted(copied(ours, speed=1 / stretch), ours, Line(8.0, stretch * 1.0004, 2.0))
    assert line.begin == pytest.approx(0, abs=1)
    assert line.stretch == pytest.approx(stretch, abs=1e-4)
    assert line.pitch == pytest.approx(0, abs=0.2)
    assert worth > 30
