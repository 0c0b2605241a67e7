"""A catalogue in memory, and peaks that are made up: what matching needs, without any sound."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from riparian.prints.build import build
from riparian.prints.hashes import Asking
from riparian.prints.index import Candidates, Index
from riparian.prints.keys import PrintKey
from riparian.prints.peaks import TICK_S, Peaks
from riparian.prints.sketch import asked, sketch

KEY = PrintKey(bytes(range(32)))
K = 1024


@dataclass(frozen=True)
class Held:
    """A catalogue of made-up recordings."""

    prints: tuple[Peaks, ...]
    index: Index
    labels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def recordings(self) -> int:
        return len(self.prints)

    def candidates(self, heard: Peaks, most: int, asking: Asking = Asking.NEAR) -> Candidates:
        return self.index.candidates(asked(heard, KEY, K, asking), most)

    def peaks(self, recording: int) -> Peaks:
        return self.prints[recording]

    def cluster(self, recording: int) -> int:
        return int(self.labels[recording]) if self.labels.size else recording


def held(prints: Sequence[Peaks], labels: Sequence[int] = ()) -> Held:
    sketches = [sketch(peaks, KEY, K) for peaks in prints]
    whose = np.repeat(np.arange(len(prints)), [one.size for one in sketches])
    values = np.concatenate(sketches) if sketches else np.zeros(0, np.uint64)
    return Held(tuple(prints), Index((build(values, whose, KEY, K),)), np.array(labels, np.int64))


def of(at_s: NDArray[np.float64], pitch: NDArray[np.float64], seconds: float, rng: np.random.Generator) -> Peaks:
    at = np.rint(at_s / TICK_S).astype(np.int32)
    keep = (at >= 0) & (at < seconds / TICK_S) & (pitch >= 0) & (pitch < 900)
    at, high = at[keep], np.rint(pitch[keep]).astype(np.int16)
    order = np.lexsort((high, at))
    return Peaks(at[order], high[order], rng.integers(2, 15, at.size).astype(np.uint8), round(seconds / TICK_S))


@cache
def piece(seed: int, seconds: float = 60.0) -> Peaks:
    """Make notes of a scale on a grid of eighths, a dozen peaks a second, not quite in time and tune."""
    rng = np.random.default_rng([1, seed])
    eighth = 60 / rng.uniform(80, 140) / 2
    n = int(12 * seconds)
    at = rng.integers(0, int(seconds / eighth), n) * eighth + rng.normal(0, 0.03, n)
    scale = np.array([0, 2, 4, 5, 7, 9, 11]) * 16 + rng.integers(0, 16)
    pitch = scale[rng.integers(0, 7, n)] + 192 * rng.integers(0, 4, n) + rng.normal(0, 1, n)
    return of(at, pitch, seconds, rng)


def copied(
    peaks: Peaks, seed: int = 0, *, speed: float = 1.0, semitones: float = 0.0, kept: float = 0.85, new: float = 0.15
) -> Peaks:
    """Lose some peaks, add some, and move all a little, as a copy does."""
    rng = np.random.default_rng([2, seed])
    stay = rng.random(len(peaks)) < kept
    seconds = peaks.seconds / speed
    n = int(new * len(peaks))
    at = np.concatenate([peaks.at[stay] * TICK_S / speed, rng.uniform(0, seconds, n)])
    pitch = np.concatenate([peaks.pitch[stay] + 16 * semitones, rng.uniform(0, 900, n)])
    return of(at + rng.normal(0, 0.004, at.size), pitch + rng.normal(0, 0.7, at.size), seconds, rng)


def joined(parts: Sequence[Peaks]) -> Peaks:
    """Play one after another."""
    begins = np.cumsum([0, *(part.ticks for part in parts)])
    at = np.concatenate([part.at + np.int32(begin) for part, begin in zip(parts, begins, strict=False)])
    pitch, strength = (np.concatenate([getattr(part, name) for part in parts]) for name in ("pitch", "strength"))
    return Peaks(at.astype(np.int32), pitch, strength, int(begins[-1]))


def together(one: Peaks, other: Peaks) -> Peaks:
    """Play both at once."""
    at = np.concatenate([one.at, other.at])
    pitch, strength = (np.concatenate([getattr(part, name) for part in (one, other)]) for name in ("pitch", "strength"))
    order = np.lexsort((pitch, at))
    return Peaks(at[order], pitch[order], strength[order], max(one.ticks, other.ticks))
