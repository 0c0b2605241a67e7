"""Whoever leaked is named and nobody else is: small replays of bench/guarantee_marks.py, and of its law."""

import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, poisson

from riparian.bets.channels import Way
from riparian.marks.code import Tier
from riparian.marks.keys import MarkKey
from riparian.marks.search import Heard, search
from riparian.marks.trace import trace
from tests.marks.readings import KEY, candidates, heard, words

pytestmark = pytest.mark.slow

BENCH = Path(__file__).resolve().parents[2] / "bench"
NEEDED_BITS = math.log2(1e6 / 1e-9)


@pytest.fixture(scope="module")
def program() -> Iterator[Any]:
    sys.path.insert(0, str(BENCH))
    yield importlib.import_module("guarantee_marks")
    sys.path.remove(str(BENCH))


COLLUSION = [
    *((2, 3, way) for way in (Way.LOT, Way.MEAN, Way.FEWEST, Way.COIN)),
    *((5, 15, way) for way in (Way.LOT, Way.MEAN, Way.FEWEST, Way.COIN)),
    (10, 50, Way.LOT),
]


@pytest.mark.parametrize(("leakers", "tracks", "way"), COLLUSION)
def test_of_a_few_who_mix_their_copies_somebody_is_named_and_nobody_else(
    program: Any, leakers: int, tracks: int, way: Way
) -> None:
    told = program.row(program.Leak(leakers, tracks, way, 2.0), program.named_by_number(5_000), range(1))
    assert told["caught"] == 1
    assert told["others"] == 0


MILLION = {
    "a file, one minute": lambda: heard(words([417], 61, 16)[0], 0.6),
    "one track of a rendition": lambda: heard(words([417], 180, 1, tier=Tier.MANY)[0], 2.0, tier=Tier.MANY),
    "a file that is the mean of ten": lambda: heard(words(list(range(10)), 180, 16).mean(axis=0), 1.0),
}


@pytest.mark.parametrize("copy", MILLION)
def test_a_million_without_a_part_lie_as_words_by_lot_do(copy: str) -> None:
    everybody = candidates(1_000_000)
    found = trace([MILLION[copy]()], everybody, needed_bits=NEEDED_BITS, at_us=0)
    assert {one.candidate for one in found.named} <= {417}
    assert found.runner_up_bits < NEEDED_BITS
    others = np.delete(found.crowd.deviations, [*range(10), 417])
    assert float(others.std(dtype=np.float64)) == pytest.approx(1, abs=0.02)
    assert float(others.mean(dtype=np.float64)) == pytest.approx(0, abs=0.005)
    for far in (2.0, 3.0, 4.0):
        # Sums of a few hundred bounded terms are narrower than a normal distribution; wider they are not.
        assert (others > far).sum() <= poisson.ppf(1 - 1e-4, 1.1 * norm.sf(far) * others.size)


def test_bits_are_reached_no_more_often_than_they_say() -> None:
    # Twenty copies, 100,000 accounts each: whoever has b bits without a part is one of 2**b.
    bits = []
    for seed in range(20):
        copy = heard(words([seed], 61, 16)[0], 0.5, seed=seed)
        found = trace([copy], candidates(100_000), needed_bits=40, at_us=0)
        bits.append(found.runner_up_bits)
    for b in (17, 20, 23):
        assert (np.array(bits) >= b).sum() <= poisson.ppf(1 - 1e-4, 20 * 100_000 * 2.0**-b)


@pytest.mark.parametrize("copy", MILLION)
def test_a_wrong_key_finds_nothing(copy: str) -> None:
    wrong = MarkKey(bytes(32), KEY.epoch)
    one = MILLION[copy]()
    everybody = candidates(100_000, wrong)
    found = trace([Heard(one.reading, wrong, one.tier)], everybody, needed_bits=30, at_us=0)
    assert found.named == ()
    crowd = search([Heard(one.reading, wrong, one.tier)], everybody.seeds_of, 100_000).crowd
    assert abs(float(crowd.deviations[417])) < 5
