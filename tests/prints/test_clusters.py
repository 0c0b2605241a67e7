from itertools import permutations

import numpy as np
import pytest

from riparian.prints.align import Query, align
from riparian.prints.clusters import are_twins, has_passage, joined, twins
from riparian.prints.peaks import TICK_S, Peaks
from riparian.prints.search import clip
from tests.prints.catalogues import copied, held, piece, together
from tests.prints.catalogues import joined as one_after_another


def again(peaks: Peaks, seed: int = 0) -> Peaks:
    return copied(peaks, seed, kept=0.95, new=0.05)


def part(seed: int, from_s: float, to_s: float) -> Peaks:
    return clip(piece(seed), round(from_s / TICK_S), round(to_s / TICK_S))


PAIRS = {
    "itself": (piece(1), True, True),
    "encoded anew": (again(piece(1)), True, True),
    "its beginning and end cut": (part(1, 3, 57), True, True),
    "half of it": (part(1, 10, 40), False, True),
    "the same and then something else": (one_after_another([piece(1), piece(900)]), False, True),
    "played faster": (copied(piece(1), speed=1.03), False, False),
    "a semitone higher": (copied(piece(1), semitones=1), False, False),
    "with as much again on top": (together(copied(piece(1), kept=0.4, new=0.0), piece(901)), False, False),
    "another piece": (piece(2), False, False),
    "silence": (Peaks(np.zeros(0, np.int32), np.zeros(0, np.int16), np.zeros(0, np.uint8), 15_000), False, False),
}


@pytest.mark.parametrize("name", PAIRS)
def test_twins_are_the_same_sound_both_ways(name: str) -> None:
    other, are, has = PAIRS[name]
    spans = align(Query(other), piece(1))
    assert are_twins(spans, other.seconds, piece(1).seconds) == are
    assert has_passage(spans) == has


def test_twins_are_found_in_a_catalogue() -> None:
    ours = held([*(piece(i) for i in range(30)), again(piece(4), 1), again(piece(4), 2)])
    assert sorted(twins(31, ours)) == [4, 30]
    assert twins(7, ours) == ()


def test_what_is_known_already_is_not_told_again() -> None:
    prints = [*(piece(i) for i in range(30)), again(piece(4), 1), again(piece(4), 2)]
    assert twins(31, held(prints, labels=[*range(30), 4, 31])) != ()
    assert twins(31, held(prints, labels=[*range(30), 4, 4])) == ()


def test_the_order_of_joining_does_not_matter() -> None:
    pairs = [(1, 5), (5, 3), (2, 6), (6, 2), (7, 7)]
    labels = {tuple(joined(np.arange(9), order).tolist()) for order in permutations(pairs)}
    assert labels == {(0, 1, 2, 1, 4, 1, 2, 7, 8)}


def test_new_recordings_join_clusters_that_stand() -> None:
    before = joined(np.arange(5), [(1, 4)])
    after = joined(np.append(before, [5, 6]), [(5, 4), (6, 0)])
    assert after.tolist() == [0, 1, 2, 3, 1, 1, 0]


def test_a_new_recording_can_join_two_clusters() -> None:
    assert joined(np.array([0, 1, 1, 0, 4]), [(4, 3), (4, 2)]).tolist() == [0, 0, 0, 0, 0]
