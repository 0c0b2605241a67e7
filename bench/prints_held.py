"""A catalogue in memory, of the recordings of ``print_sounds``: peaks are found once and kept beside them.

What is kept is found again under a digest of the program that finds peaks, so that another version finds its own.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import print_sounds
from numpy.typing import NDArray
from print_sounds import KEPT, Mono, Track

from riparian.prints import landmarks
from riparian.prints.build import build
from riparian.prints.hashes import Asking
from riparian.prints.index import Candidates, Index
from riparian.prints.keys import PrintKey
from riparian.prints.peaks import Peaks
from riparian.prints.sketch import asked, sketch

KEY = PrintKey(bytes(range(32)))


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A catalogue, as ``riparian.prints.ours`` wants one."""

    prints: tuple[Peaks, ...]
    index: Index
    labels: NDArray[np.int64]
    k: int

    @property
    def recordings(self) -> int:
        """How many there are."""
        return len(self.prints)

    def candidates(self, heard: Peaks, most: int, asking: Asking = Asking.NEAR) -> Candidates:
        """Ask the index."""
        return self.index.candidates(asked(heard, KEY, self.k, asking), most)

    def peaks(self, recording: int) -> Peaks:
        """Give a recording's."""
        return self.prints[recording]

    def cluster(self, recording: int) -> int:
        """Give the least number of those that are the same."""
        return int(self.labels[recording])


def held(prints: Sequence[Peaks], k: int, labels: NDArray[np.int64] | None = None) -> Held:
    """Hold recordings with sketches of ``k`` values."""
    sketches = [sketch(peaks, KEY, k) for peaks in prints]
    whose = np.repeat(np.arange(len(prints)), [one.size for one in sketches])
    index = Index((build(np.concatenate(sketches), whose, KEY, k),))
    return Held(tuple(prints), index, np.arange(len(prints)) if labels is None else labels, k)


def of_track(track: Track) -> Peaks:
    """Give the peaks of a recording."""
    return _kept(track.path.stem, lambda: print_sounds.sound(track))


def of_attacked(name: str, samples: Mono) -> Peaks:
    """Give the peaks of what became of one; the name says what."""
    return _kept(hashlib.blake2b(name.encode(), digest_size=12).hexdigest(), lambda: samples)


def _kept(name: str, sound) -> Peaks:  # type: ignore[no-untyped-def]
    path = _folder() / f"{name}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        found = landmarks.peaks(sound(), KEY)
        part = path.with_suffix(".part.npz")
        np.savez(part, at=found.at, pitch=found.pitch, strength=found.strength, ticks=found.ticks)
        part.rename(path)
    with np.load(path) as kept:
        return Peaks(kept["at"], kept["pitch"], kept["strength"], int(kept["ticks"]))


def _folder() -> Path:
    program = Path(landmarks.__file__).read_bytes()
    return KEPT / "peaks" / hashlib.blake2b(program, digest_size=6).hexdigest()
