"""Is whoever leaked named, and nobody else: by simulation of what a detector hears?

A library of marked renditions (one bit a second, tracks of three minutes) leaks, mixed from the copies of some of many
accounts.  Readings are drawn as a detector that is what it says would give them: amplitude ``d``, noise 1.  Bits are
asked for as among a million, at one mistake in 10^9 copies.  ``named`` counts those of the leakers who are named in the
median trial, ``caught`` the trials in which at least one of them is, ``others`` everybody else who was, over all
trials.  ``cpu_s`` is of the median trial, words made on the fly.

    python bench/guarantee_marks.py [--trials 5] [--accounts 100000] [--largest 1000000]
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np
import pyarrow as pa
from measure import options, write
from numpy.typing import NDArray

from riparian.bets.channels import Way
from riparian.marks import code
from riparian.marks.code import Tier
from riparian.marks.keys import MarkKey
from riparian.marks.layout import DIRECT_GROUPS, VARIANT_GROUPS, Layout
from riparian.marks.reading import SOFT_MAX, Facts, Reading
from riparian.marks.search import Heard
from riparian.marks.trace import Candidates, Traced, trace

CHUNKS = 180
MISTAKES = 1e-9
KEY = MarkKey(bytes(range(32)), 1)


@dataclass(frozen=True, slots=True)
class Leak:
    """A library, and how it was mixed."""

    leakers: int
    tracks: int
    way: str
    d: float
    groups: int = VARIANT_GROUPS
    chunks: int = CHUNKS

    @property
    def layout(self) -> Layout:
        """Of every track."""
        return Layout.at(44_100, self.groups)

    @property
    def tier(self) -> Tier:
        """Of every word."""
        return Tier.ONE if self.groups > 1 else Tier.MANY


APART = "a track from each"
STRETCHES: dict[str, int] = {"stretches of ten seconds": 10, "stretches of one second": 1}
WAYS: tuple[str, ...] = (Way.LOT, Way.MEAN, Way.FEWEST, Way.COIN, Way.MOST)
LEAKS = (
    *(Leak(1, 1, "as it is", d) for d in (3.0, 2.0, 1.5, 1.2)),
    *(Leak(c, n, way, d) for c, n in ((2, 3), (5, 15), (10, 50)) for d in (3.0, 2.0) for way in WAYS),
    *(Leak(c, n, "stretches of ten seconds", 2.0) for c, n in ((2, 2), (5, 5))),
    Leak(10, 10, APART, 2.0),
    *(Leak(1, 1, "as it is", d, DIRECT_GROUPS, 60) for d in (0.5, 0.3)),
    *(Leak(c, 1, Way.MEAN, d, DIRECT_GROUPS) for c in (5, 10) for d in (2.0, 1.5, 1.0)),
    *(Leak(10, 1, "stretches of one second", d, DIRECT_GROUPS) for d in (1.0, 0.7)),
)
LARGEST = Leak(45, 1_000, Way.LOT, 3.0)


def main() -> None:
    """Write ``marks_collusion.csv``."""
    asked = options(__doc__, trials=5, accounts=100_000, largest=1_000_000)
    ids = named_by_number(asked.accounts)
    rows = [row(leak, ids, range(asked.trials)) for leak in LEAKS]
    if asked.largest:
        rows.append(row(LARGEST, named_by_number(asked.largest), range(1)))
    write(rows, asked.out, "marks_collusion")


def named_by_number(n: int) -> pa.Array:
    """Give so many accounts."""
    return pa.array([f"a-{i:07d}" for i in range(n)])


def row(leak: Leak, ids: pa.Array, seeds: range) -> dict[str, object]:
    """Trace one kind of leak, trial by trial."""
    named, others, cpu, bits = [], 0, [], []
    for seed in seeds:
        leakers = np.random.default_rng([seed, leak.leakers]).choice(len(ids), leak.leakers, replace=False)
        heard = list(leaked(leak, ids.take(pa.array(leakers)), seed))
        begun = time.process_time()
        traced = traced_to(heard, ids)
        cpu.append(time.process_time() - begun)
        right = {one.candidate for one in traced.named} & set(leakers.tolist())
        named.append(len(right))
        others += len(traced.named) - len(right)
        bits.append(max((one.evidence.bits for one in traced.named), default=traced.runner_up_bits))
    told: dict[str, object] = {
        "tier": leak.tier.value,
        "leakers": leak.leakers,
        "tracks": leak.tracks,
        "seconds": leak.chunks,
        "way": str(leak.way),
        "d": leak.d,
        "trials": len(seeds),
        "caught": sum(n > 0 for n in named),
        "named": median(named),
        "others": others,
        "bits": round(median(bits), 1),
        "cpu_s": round(median(cpu), 2),
    }
    print(told, flush=True)
    return told


def traced_to(heard: list[Heard], ids: pa.Array, *, mistakes: float = MISTAKES) -> Traced:
    """Trace a library, for so many mistakes a copy."""
    seeds = {KEY.epoch: code.seeds(KEY, ids)}
    everybody = Candidates(np.arange(len(ids), dtype=np.uint64) + 1, lambda key: seeds[key.epoch])
    return trace(heard, everybody, needed_bits=math.log2(1e6 / mistakes), at_us=0)


def leaked(leak: Leak, leakers: pa.Array, seed: int, key: MarkKey = KEY) -> Iterator[Heard]:
    """Draw the readings of a library, as one by one they are heard."""
    rng = np.random.default_rng([seed, leak.tracks, leak.leakers])
    of = code.seeds(KEY, leakers)
    for track in range(leak.tracks):
        name = f"r-{track:04d}"
        words = code.words(KEY, name, of, leak.layout, leak.chunks, leak.tier).astype(np.float64)
        y = mixed(leak, words, track, rng)
        soft = np.clip(leak.d**2 * y + leak.d * rng.standard_normal(y.shape), -SOFT_MAX, SOFT_MAX)
        facts = Facts(leak.chunks, leak.chunks, leak.chunks, 0, 0.0, 1.0)
        reading = Reading(name, KEY.epoch, leak.layout, soft.astype(np.float32), 9.0, (), facts)
        yield Heard(reading, key, leak.tier)


def mixed(leak: Leak, words: NDArray[np.float64], track: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Mix the words [shape=(leakers, chunks, groups)] of a track."""
    c, chunks, groups = words.shape
    mean: NDArray[np.float64] = words.mean(axis=0)
    if leak.way == Way.MEAN:
        return mean
    if leak.way in {Way.MOST, Way.FEWEST, Way.COIN}:
        coin = rng.choice([-1.0, 1.0], mean.shape)
        most = np.where(mean == 0, coin, np.sign(mean))
        chosen = {Way.MOST: most, Way.FEWEST: -most, Way.COIN: coin}[Way(leak.way)]
        return np.where(np.abs(mean) == 1, mean, chosen)
    if leak.way == Way.LOT:
        owner = rng.integers(c, size=(chunks, groups))
    else:
        length = STRETCHES.get(str(leak.way)) or chunks
        first = track % c if leak.way == APART else rng.integers(c, size=-(-chunks // length))
        owner = np.repeat(np.broadcast_to(first, -(-chunks // length)), length)[:chunks, None]
    one: NDArray[np.float64] = np.take_along_axis(words, np.broadcast_to(owner, (1, chunks, groups)), axis=0)[0]
    return one


if __name__ == "__main__":
    main()
