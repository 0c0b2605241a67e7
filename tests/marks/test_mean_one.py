"""The law behind every bit: for an account without a part, the mean over its words is one, whatever the copy is."""

import inspect
from itertools import product
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from riparian.bets import channels
from riparian.bets.channels import BANK, Cells, Channel, log_e
from riparian.marks import (
    align,
    code,
    detect,
    layout,
    owners,
    reading,
    search,
    trace,
    weigh,
)
from riparian.marks import heard as hearing
from riparian.marks.code import Tier
from riparian.marks.owners import SPLICES, Splice, log_forward
from riparian.marks.search import Heard
from riparian.marks.weigh import weigh as weighed
from tests.marks.readings import heard

RNG = np.random.default_rng(7)
SOFT = {
    "nothing is heard": np.zeros(600),
    "little is heard": 0.3 * RNG.standard_normal(600),
    "all is heard": 3 * RNG.choice([-1.0, 1.0], 600) + RNG.standard_normal(600),
    "one value everywhere": np.full(600, 2.5),
    "as loud as may be, at odds": np.tile([20.0, -20.0, 0.0, 1e-9], 150),
    "made by somebody who knows how we weigh": np.geomspace(1e-6, 20, 600) * np.tile([1.0, -1.0], 300),
}
CHANCES = np.tile(np.arange(1, 16), 40).astype(np.uint8)


@pytest.mark.parametrize("channel", BANK, ids=lambda channel: channel.name)
@pytest.mark.parametrize("known", [0, 1, 4])
def test_in_each_cell_the_two_bits_have_mean_one(channel: Channel, known: int) -> None:
    of_known = RNG.choice(np.array([-1, 1], np.int8), (known, 600, 1))
    for soft in SOFT.values():
        down, up, marginal = log_e(channel, Cells.of(soft.astype(np.float32)[:, None], CHANCES[:, None], of_known))
        p = CHANCES / 16
        assert np.abs(p * np.exp(up) + (1 - p) * np.exp(down) - 1).max() < 1e-12
        assert np.isfinite([down, up]).all()
        assert np.isfinite(marginal)


@pytest.mark.parametrize("channel", [BANK[0], BANK[10], BANK[-1]], ids=lambda channel: channel.name)
def test_where_all_are_known_nobody_elses_bit_says_anything(channel: Channel) -> None:
    of_known = RNG.choice(np.array([-1, 1], np.int8), (channel.accounts, 600, 1))
    cells = Cells.of(SOFT["all is heard"].astype(np.float32)[:, None], CHANCES[:, None], of_known)
    down, up, _ = log_e(channel, cells)
    assert np.abs([down, up]).max() < 1e-12


def all_words(n: int) -> NDArray[np.float64]:
    return np.array(list(product([0.0, 1.0], repeat=n)))


@pytest.mark.parametrize("splice", SPLICES, ids=lambda splice: splice.name)
@pytest.mark.parametrize("situation", SOFT)
def test_over_all_words_of_six_chunks_every_splice_has_mean_one(splice: Splice, situation: str) -> None:
    soft, chance = SOFT[situation][:12].astype(np.float32).reshape(6, 2), CHANCES[:12].reshape(6, 2)
    is_up, p = all_words(12), chance.ravel() / 16
    told = weigh.told_by_chunk(Cells.of(soft, chance), is_up, 6)
    of_word = np.prod(np.where(is_up > 0, p, 1 - p), axis=1)
    assert of_word @ np.exp(log_forward(told, splice)) == pytest.approx(1, abs=1e-12)


def everybody(readings: list[Heard]) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Find a seed for every word that readings of few cells can have, with the chance of that word."""
    seeds = np.random.default_rng(3).integers(1, 2**63, 200_000).astype(np.uint64)
    cells, chances = [], []
    for one in readings:
        of = code.words(one.key, one.reading.recording, seeds, one.reading.layout, len(one.reading.soft), one.tier)
        cells.append(of.reshape(seeds.size, -1) > 0)
        chances.append(one.chance.ravel() / 16)
    is_up, p = np.concatenate(cells, axis=1), np.concatenate(chances)
    _, first = np.unique(is_up @ (1 << np.arange(p.size)), return_index=True)
    assert first.size == 2**p.size
    return seeds[first], np.prod(np.where(is_up[first], p, 1 - p), axis=1)


@pytest.mark.parametrize("known", [0, 2], ids=["nobody known", "two known"])
@pytest.mark.parametrize(("recordings", "chunks", "groups"), [(1, 7, 1), (1, 3, 2), (2, 3, 1), (3, 2, 1)])
@pytest.mark.parametrize("tier", Tier)
def test_over_all_words_of_a_library_what_we_call_bits_has_mean_one(
    known: int, recordings: int, chunks: int, groups: int, tier: Tier
) -> None:
    y = np.random.default_rng(11).choice([-1.0, 1.0], (recordings, chunks, groups))
    library = [heard(y[i], 2.0, recording=f"r-{i}", tier=tier) for i in range(recordings)]
    seeds, of_word = everybody(library)
    # The known stand at the end of the pool; the mean is over the others' words, which are all the words there are.
    pool = np.arange(seeds.size + known)
    extended = np.concatenate([seeds, np.random.default_rng(5).integers(1, 2**63, known).astype(np.uint64)])
    found = weighed(library, lambda _: extended, pool, pool[seeds.size :])
    assert of_word @ np.exp(found.nats[: seeds.size]) == pytest.approx(1, abs=1e-12)
    for one in found.by_recording:
        assert of_word @ np.exp(one[: seeds.size]) == pytest.approx(1, abs=1e-12)


def test_weights_sum_to_one_whatever_the_copy_says() -> None:
    for scale in (0.0, 1.0, 1e4):
        learned = scale * RNG.standard_normal(len(weigh.HYPOTHESES))
        assert np.exp(weigh.weights(learned)).sum() == pytest.approx(1, abs=1e-12)
        assert (weigh.weights(learned) >= weigh.weights(np.zeros_like(learned)) - np.log(2) - 1e-12).all()
    assert sum(weight for _, weight in weigh.PARTS) + weigh.EACH == pytest.approx(1, abs=1e-15)


READERS = (align, detect, hearing, layout, reading)
WORDED = {module.__name__ for module in (code, channels, owners, search, weigh, trace)}


def modules_behind(module: ModuleType) -> set[str]:
    """Every module of ours that a module reaches."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        one = waiting.pop()
        if one.__name__ in found:
            continue
        found.add(one.__name__)
        for value in vars(one).values():
            home = value if inspect.ismodule(value) else inspect.getmodule(value)
            if home is not None and home.__name__.startswith("riparian."):
                waiting.append(home)
    return found


@pytest.mark.parametrize("module", READERS, ids=lambda module: module.__name__)
def test_nothing_that_reads_a_copy_can_come_by_a_word(module: ModuleType) -> None:
    assert modules_behind(module) & WORDED == set()


def test_no_function_of_detection_takes_a_word_or_an_account() -> None:
    names = {name for function in (detect.detect, align.align) for name in inspect.signature(function).parameters}
    assert names == {"copy", "master", "key", "recording", "layout", "strength"}
