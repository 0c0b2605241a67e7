"""What does matching ask of a catalogue?

Candidates for a sound, the peaks of a recording, and which recordings are one and the same.  A store answers from its
files; so does anything in memory, for tests and measurements.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from riparian.prints.peaks import Peaks


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Recordings that a sound may be of, the likeliest first.

    Parameters
    ----------
    recording : np.ndarray [shape=(m,), int64]
        Each once.
    votes : np.ndarray [shape=(m,), float32]
        How much of their sketches was heard, descending; rarer values count more.
    """

    recording: NDArray[np.int64]
    votes: NDArray[np.float32]


class Ours(Protocol):
    """A catalogue, as matching sees it."""

    @property
    def recordings(self) -> int:
        """How many there are, deleted ones left out."""
        ...

    def candidates(self, values: NDArray[np.uint64], most: int) -> Candidates:
        """Find recordings in whose sketches values of hashes lie; shape=(n,), any order, perhaps several times."""
        ...

    def peaks(self, recording: int) -> Peaks:
        """Give all that is kept of a recording's sound."""
        ...

    def cluster(self, recording: int) -> int:
        """Say which recordings are the same: their cluster is the least number among them."""
        ...
