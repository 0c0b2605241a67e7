"""Which candidates does a search look at, and when does it ask further?"""

from dataclasses import dataclass, field

import numpy as np
import pytest

from riparian.prints.align import Query, is_promising
from riparian.prints.hashes import Asking
from riparian.prints.index import Candidates
from riparian.prints.peaks import Peaks
from riparian.prints.search import PATIENCE, most, search
from tests.prints.catalogues import copied, held, piece

OURS = 40
RIGHT = 39


@dataclass
class Ranked:
    """A catalogue that says itself which candidates there are: near, and far."""

    near: tuple[int, ...]
    far: tuple[int, ...] = ()
    hits: int = 2
    asked: list[Asking] = field(default_factory=list)
    read: list[int] = field(default_factory=list)

    @property
    def recordings(self) -> int:
        return OURS

    def candidates(self, heard: Peaks, most: int, asking: Asking = Asking.NEAR) -> Candidates:
        del heard
        self.asked.append(asking)
        given = np.array((self.near if asking is Asking.NEAR else self.far)[:most], np.int64)
        return Candidates(given, np.ones(given.size, np.float32), np.full(given.size, self.hits, np.int32))

    def peaks(self, recording: int) -> Peaks:
        self.read.append(recording)
        return piece(recording, 20.0)

    def cluster(self, recording: int) -> int:
        return recording


WRONG = tuple(range(RIGHT))
HEARD = copied(piece(RIGHT, 20.0), seed=5, speed=1.03)
SITUATIONS = {
    "the right one comes first": (Ranked((RIGHT, *WRONG)), True, [Asking.NEAR]),
    "it comes after many that give nothing": (Ranked((*WRONG, RIGHT)), True, [Asking.NEAR]),
    "it has one value in common, as many have": (Ranked((*WRONG, RIGHT), hits=1), False, [Asking.NEAR, Asking.FAR]),
    "near finds nothing, far does": (Ranked((), (RIGHT,)), True, [Asking.NEAR, Asking.FAR]),
    "near finds others, far does": (Ranked(WRONG[:5], (*WRONG, RIGHT)), True, [Asking.NEAR, Asking.FAR]),
    "it is not there": (Ranked(WRONG, WRONG), False, [Asking.NEAR, Asking.FAR]),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_search_goes_on_as_long_as_it_may_find_something(name: str) -> None:
    ours, is_found, asked = SITUATIONS[name]
    found = search(HEARD, ours)
    assert [find.recording for find in found.finds if find.best.score > 15] == [RIGHT] * is_found
    assert ours.asked == asked


def test_beyond_its_patience_a_search_aligns_only_what_looks_promising() -> None:
    found = search(HEARD, Ranked(WRONG, WRONG))
    assert found.aligned == PATIENCE


def test_a_sound_without_peaks_is_looked_up_nowhere() -> None:
    ours = Ranked((RIGHT,))
    nothing = Peaks(np.empty(0, np.int32), np.empty(0, np.int16), np.empty(0, np.uint8), 5000)
    assert search(nothing, ours).finds == ()
    assert ours.asked == []


@pytest.mark.parametrize("seed", range(6))
def test_a_copy_looks_promising_and_another_piece_does_not(seed: int) -> None:
    heard = Query(copied(piece(seed, 20.0), seed=seed, speed=1.05, semitones=1.0, kept=0.7, new=0.4))
    assert is_promising(heard, piece(seed, 20.0))
    assert not any(is_promising(heard, piece(other, 20.0)) for other in range(10, 20))


def test_a_greater_catalogue_is_looked_at_further() -> None:
    assert [most(n) for n in (0, 10**5, 5 * 10**6, 10**8)] == [200, 200, 500, 1000]


def test_what_near_lookups_miss_far_ones_find() -> None:
    ours = held([piece(seed) for seed in range(5)])
    theirs = [copied(piece(seed), seed=9, speed=1.09, semitones=1.4, kept=0.6, new=0.5) for seed in range(5)]
    hits = {
        asking: sum(int(ours.candidates(one, 5, asking).hits[:1].sum()) for one in theirs)
        for asking in (Asking.NEAR, Asking.FAR)
    }
    assert hits[Asking.FAR] > hits[Asking.NEAR] > 50
