"""Whom among ordinary listeners does the novelty budget touch?"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riparian.sim.town import Days, TownSpec, days

pytestmark = pytest.mark.slow

BENCH = Path(__file__).resolve().parents[2] / "bench"
N_DAYS = 60


@pytest.fixture(scope="module")
def honest() -> Iterator[Any]:
    """Let the program of bench/ be imported by its name."""
    sys.path.insert(0, str(BENCH))
    yield importlib.import_module("guarantee_honest")
    sys.path.remove(str(BENCH))


@pytest.fixture(scope="module")
def town() -> Days:
    """Draw a town in which a tenth of the accounts is new."""
    return days(TownSpec(listeners=10_000, days=N_DAYS, seed=4))


def test_nobody_ordinary_is_refused_anything_who_keeps_to_what_85_people_did(honest: Any, town: Days) -> None:
    touched, beyond = honest._refused(town, N_DAYS), honest.beyond_the_85(town, N_DAYS)
    ordinary = town.persona == "ordinary"
    assert (touched & ordinary).any()
    assert not (touched & ordinary & ~beyond).any()


def test_beyond_the_85_is_a_stretch_of_days_with_more_than_2000_and_40_a_day(honest: Any, town: Days) -> None:
    novel = town.matrix("novel", N_DAYS).astype(np.int64)
    so_far = np.concatenate((np.zeros((len(novel), 1), np.int64), np.cumsum(novel - 40, axis=1)), axis=1)
    # The most by which any stretch exceeds 40 a day: what it has risen from its lowest point.
    risen = (so_far - np.minimum.accumulate(so_far, axis=1)).max(axis=1)
    beyond = honest.beyond_the_85(town, N_DAYS)
    assert (risen[beyond] > 2000 - 40).all()
    assert beyond[risen > 2000 + 40].all()
