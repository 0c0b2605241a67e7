"""What the programs of marks share: a key, a million accounts, one to whom a copy is issued, and how it is traced.

A copy is traced to the one it was issued to when that account has ``NEEDED_BITS``: with a million candidates that
names anybody else with chance 1e-9 at most, whatever was done to the copy.
"""

import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.marks import align
from riparian.marks.code import Tier, bits, seeds
from riparian.marks.detect import Compared, compare, read
from riparian.marks.embed import embed
from riparian.marks.keys import MarkKey
from riparian.marks.layout import DIRECT_GROUPS, Layout, Pattern, pattern
from riparian.marks.reading import Reading
from riparian.marks.search import Heard
from riparian.marks.trace import Candidates, Traced, trace

KEY: Final = MarkKey(bytes(range(32)), 1)
OTHER_KEY: Final = MarkKey(bytes(range(1, 33)), 1)
ACCOUNTS: Final = 1_000_000
NEEDED_BITS: Final = math.log2(1_000_000 / 1e-9)
"""Bits for a chance of 1e-9 that any of a million is named who had no part."""
GUILTY: Final = 417
AT_US: Final = 0


def account(i: int) -> str:
    """Name an account."""
    return f"a-{i:07}"


@functools.cache
def all_seeds(key: MarkKey, n: int) -> NDArray[np.uint64]:
    """Give the seeds of accounts 0 to n - 1."""
    return seeds(key, pa.array([account(i) for i in range(n)]))


def all_of(who: Sequence[int]) -> NDArray[np.uint64]:
    """Give the seeds of a few accounts."""
    return seeds(KEY, pa.array([account(i) for i in who]))


def candidates(n: int) -> Candidates:
    """Give accounts 0 to n - 1 as candidates."""
    return Candidates(np.arange(n, dtype=np.uint64), lambda key: all_seeds(key, n))


def only(i: int) -> Candidates:
    """Give one account as the only candidate."""
    return Candidates(np.array([i], dtype=np.uint64), lambda _: all_of([i]))


@dataclass(frozen=True, slots=True, eq=False)
class Master:
    """A recording that is marked for many."""

    name: str
    sound: Sound
    layout: Layout
    pattern: Pattern
    known: align.Master
    strength: float = 1.0

    @classmethod
    def of(cls, name: str, sound: Sound, groups: int = DIRECT_GROUPS, strength: float = 1.0) -> "Master":
        """Lay a recording out."""
        layout = Layout.at(sound.rate, groups)
        chunks = layout.chunks(sound.seconds)
        return cls(name, sound, layout, pattern(KEY, name, layout, chunks), align.Master(sound), strength)

    def word(self, i: int, tier: Tier = Tier.ONE) -> NDArray[np.int8]:
        """Give the word of an account."""
        return bits(KEY, self.name, account(i), self.layout, self.layout.chunks(self.sound.seconds), tier)

    def copy_of(self, i: int, tier: Tier = Tier.ONE) -> Sound:
        """Mark it for an account."""
        return embed(self.sound, self.pattern, self.layout, self.word(i, tier), strength=self.strength)

    def compared(self, copy: Sound) -> Compared:
        """Find a copy in it."""
        return compare(copy, self.known, self.layout)

    def read(self, copy: Sound | Compared, key: MarkKey = KEY) -> Reading:
        """Read a copy."""
        found = copy if isinstance(copy, Compared) else self.compared(copy)
        return read(found, self.known, key, self.name, self.layout, strength=self.strength)


def traced(readings: Sequence[Reading], who: Candidates, tier: Tier = Tier.ONE) -> Traced:
    """Trace copies of different recordings, under the one key."""
    heard = [Heard(reading, KEY, tier) for reading in readings]
    return trace(heard, who, needed_bits=NEEDED_BITS, at_us=AT_US)


def bits_of(readings: Sequence[Reading], i: int, tier: Tier = Tier.ONE) -> float:
    """Give the bits of an account, whether or not it is named."""
    found = traced(readings, only(i), tier)
    return found.named[0].evidence.bits if found.named else found.runner_up_bits


def named(found: Traced) -> list[int]:
    """List the accounts that are named."""
    return [one.candidate for one in found.named]


def cpu_s(what: Callable[[], object], times: int = 1) -> float:
    """CPU seconds of the fastest of several runs."""
    took = []
    for _ in range(times):
        begun = time.process_time()
        what()
        took.append(time.process_time() - begun)
    return min(took)
