"""Sounds of one delivery that are the same form groups; the others stand alone."""

import numpy as np

from riparian.prints.among import Among, groups
from riparian.prints.null import NOBODY
from riparian.prints.peaks import Peaks
from tests.prints.catalogues import KEY, K, copied, piece

NOTHING = Peaks(np.empty(0, np.int32), np.empty(0, np.int16), np.empty(0, np.uint8), 0)


def found(*prints: Peaks, error_max: float = 1e-3) -> list[tuple[int, ...]]:
    told: list[int] = []
    made = groups(Among.of(prints, KEY, K), NOBODY, error_max, told.append)
    assert told == list(range(1, len(prints) + 1))
    assert all(0 <= group.error <= error_max for group in made)
    return [group.members for group in made]


def test_copies_of_one_piece_are_one_group_at_any_speed_and_pitch() -> None:
    same = [piece(1), copied(piece(1), 1, speed=1.04), copied(piece(1), 2, semitones=1.0)]
    assert found(same[0], piece(2), same[1], piece(3), same[2]) == [(0, 2, 4)]


def test_two_pieces_several_times_are_two_groups() -> None:
    assert found(piece(4), piece(5), copied(piece(5), 1), copied(piece(4), 1)) == [(0, 3), (1, 2)]


def test_pieces_that_are_others_are_in_no_group() -> None:
    assert found(*map(piece, range(6, 10))) == []


def test_silence_is_the_same_as_nothing() -> None:
    assert found(NOTHING, piece(1), NOTHING) == []
    assert found() == []
