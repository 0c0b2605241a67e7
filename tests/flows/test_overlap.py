"""The overlap of a ring, counted as one would by hand, and beside what lots give."""

import numpy as np
import pyarrow as pa
import pytest

from riparian.accounts.kinship import FETCH
from riparian.catalogue.cells import Cells
from riparian.codes import RECORDING_KEY, codes_of
from riparian.flows.overlap import overlap
from riparian.schema import DAY_US

NAMES = [f"r{n}" for n in range(8)]
CATALOGUE = pa.table(
    {
        "recording": NAMES,
        "title": [f"Song {n}" for n in range(8)],
        "artist": ["One"] * 4 + ["Two"] * 4,
        "popularity": [float(9 - n % 4) for n in range(8)],
    }
)


def fetched(*rows: tuple[int, int, int]) -> np.ndarray:
    """Day, account and number of the recording."""
    days, accounts, numbers = zip(*rows, strict=True)
    made = np.zeros(len(rows), FETCH)
    made["at_us"] = [day * DAY_US + place for place, day in enumerate(days)]
    made["account"] = accounts
    made["work"] = Cells.of(CATALOGUE).find(codes_of(pa.array([NAMES[n] for n in numbers]), RECORDING_KEY))
    return made


def test_each_fetch_is_asked_whether_another_had_had_it() -> None:
    cells = Cells.of(CATALOGUE)
    assert cells.size.tolist() == [4, 4]
    found = overlap(fetched((1, 7, 0), (1, 9, 1), (2, 7, 1), (2, 9, 2), (2, 7, 4)), cells)
    # None of four; one of four; of three that are left one is taken, and it is it; then one of three; another artist.
    assert np.allclose(found.expected, [1 / 4, 1 / 4 + 1 / 3 + 1 / 3])
    assert found.seen.tolist() == [0.0, 1.0]
    assert found.days.tolist() == [1, 2]
    assert np.allclose(found.by_cell, [[11 / 12, 1.0], [0.0, 0.0]])


def test_two_by_two_what_both_have_stands_below_and_what_lots_give_above() -> None:
    found = overlap(fetched((1, 7, 0), (1, 7, 1), (1, 7, 2), (2, 9, 2), (2, 9, 3)), Cells.of(CATALOGUE))
    assert found.accounts == (7, 9)
    assert found.between.tolist() == [[0.0, 3 * 2 / 4], [1.0, 0.0]]


@pytest.mark.slow
def test_who_chooses_by_lot_overlaps_as_lots_do() -> None:
    rng = np.random.default_rng(4)
    seen = expected = 0.0
    for _ in range(200):
        rows = [(1, account, int(n)) for account in (7, 8, 9) for n in rng.permutation(4)[:2]]
        found = overlap(fetched(*(rows[i] for i in rng.permutation(len(rows)))), Cells.of(CATALOGUE))
        seen, expected = seen + found.seen[-1], expected + found.expected[-1]
    assert abs(seen - expected) < 4 * np.sqrt(expected)


def test_nobody_has_no_overlap() -> None:
    found = overlap(np.empty(0, FETCH), Cells.of(CATALOGUE))
    assert found.accounts == ()
    assert len(found.days) == 0
