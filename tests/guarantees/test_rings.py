"""One small seed of the programs that measure rings: they run, find the ring, and hit nobody."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.slow

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def program() -> Iterator[Callable[[str], Any]]:
    sys.path.insert(0, str(BENCH))
    yield importlib.import_module
    sys.path.remove(str(BENCH))


def test_a_ring_is_found_before_a_hundred_recordings_an_account_and_nobody_else_is(
    program: Callable[[str], Any],
) -> None:
    rings = program("guarantee_rings")
    row = rings.measured(1, 300, 30_000, rings.rings_of("queue", quick=True))[0]
    assert row["members_town"] == 1
    assert float(str(row["taken_town"])) < 100
    assert row["honest_town"] == row["honest_world"] == row["strangers"] == 0


def test_nobody_is_framed_by_who_fetches_around_their_playlist(program: Callable[[str], Any]) -> None:
    framing = program("guarantee_framing")
    for row in framing.framed(1, 60, 20):
        assert row["framers_held"] == framing.FRAMERS, row["kind"]
        assert row["victims_held"] == row["listeners_held"] == 0, row["kind"]


def test_a_whole_scan_finds_the_ring_that_is_in_the_log(program: Callable[[str], Any], tmp_path: Path) -> None:
    scale = program("rings_scale")
    pq.write_table(scale.catalogue(), tmp_path / "catalogue.parquet")
    scale.write_log(tmp_path / "500.parquet", 500, 1)
    assert scale.scanned(tmp_path, "500")["rings"] == len(scale.RINGS)
