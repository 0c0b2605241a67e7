"""What does matching ask of a catalogue?

Candidates for a sound, the peaks of a recording, and which recordings are one and the same.  A store answers from its
files; so does anything in memory, for tests and measurements.
"""

from typing import Protocol

from riparian.prints.hashes import Asking
from riparian.prints.index import Candidates
from riparian.prints.peaks import Peaks


class Ours(Protocol):
    """A catalogue, as matching sees it."""

    @property
    def recordings(self) -> int:
        """How many there are, deleted ones left out."""
        ...

    def candidates(self, heard: Peaks, most: int, asking: Asking = Asking.NEAR) -> Candidates:
        """Find recordings that a stretch of sound may be of, looking them up near or far."""
        ...

    def peaks(self, recording: int) -> Peaks:
        """Give all that is kept of a recording's sound."""
        ...

    def cluster(self, recording: int) -> int:
        """Say which recordings are the same: their cluster is the least number among them."""
        ...
