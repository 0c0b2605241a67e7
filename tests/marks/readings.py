"""Readings as a detector gives them that is what it says: amplitude ``d`` over noise 1."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.marks import code
from riparian.marks.code import Tier
from riparian.marks.keys import MarkKey
from riparian.marks.layout import Layout
from riparian.marks.reading import SOFT_MAX, Facts, Reading
from riparian.marks.search import Heard
from riparian.marks.trace import Candidates

KEY: Final = MarkKey(bytes(range(32)), 1)


def accounts(n: int) -> pa.Array:
    return pa.array([f"a-{i:07d}" for i in range(n)])


def candidates(n: int, key: MarkKey = KEY) -> Candidates:
    """Everybody of ``accounts``; a seed is asked for under each reading's key."""
    found = {key.epoch: code.seeds(key, accounts(n))}
    return Candidates(np.arange(n, dtype=np.uint64) + 1, lambda of: found[of.epoch])


def heard(
    y: NDArray[np.float64],
    d: float,
    *,
    recording: str = "r-1",
    tier: Tier = Tier.ONE,
    key: MarkKey = KEY,
    seed: int = 0,
) -> Heard:
    """Hear what a copy has in each cell [shape=(chunks, groups)]."""
    noise = np.random.default_rng([seed, *recording.encode()]).standard_normal(y.shape)
    soft = np.clip(d * d * y + d * noise, -SOFT_MAX, SOFT_MAX).astype(np.float32)
    layout = Layout.at(44_100, y.shape[1])
    facts = Facts(float(len(y)), float(len(y)), float(len(y)), 0, 0.0, 1.0)
    return Heard(Reading(recording, key.epoch, layout, soft, 9.0, (), facts), key, tier)


def words(
    of: Sequence[int], chunks: int, groups: int, *, recording: str = "r-1", tier: Tier = Tier.ONE
) -> NDArray[np.float64]:
    """Give the words of some of ``accounts``; shape=(n, chunks, groups)."""
    seeds = code.seeds(KEY, pa.array([f"a-{i:07d}" for i in of]))
    return code.words(KEY, recording, seeds, Layout.at(44_100, groups), chunks, tier).astype(np.float64)
