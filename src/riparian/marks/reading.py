"""What does a copy say, before anybody is asked for?

A reading holds, for each cell of a recording, how strongly the copy speaks for +1 or for -1, and where in the
recording the copy lies.  It is made from the copy, the master and the key; no account has a part in it, and so it can
be scored for a million accounts without any of them having had a say in how.

Conventions
-----------
* A soft value is *half* a log-likelihood ratio, in nats: ``(ln f(copy | +1) - ln f(copy | -1)) / 2``.  A bit read as
  ``l`` is the sign of ``l`` with chance ``1 / (1 + exp(-2 |l|))``.  0 is nothing to tell.
* A copy's second ``t`` of a segment is the master's second ``master_from_s + (t - copy_from_s) * speed``.
* ``pitch`` is a frequency of the copy through the same one of the master: of a tape that runs fast, ``speed`` and
  ``pitch`` are the same; of a time stretch, ``pitch`` is 1.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.marks.keys import MarkKey
from riparian.marks.layout import Layout

SOFT_MAX: Final = 20.0
"""No soft value is farther from 0 than this: no copy makes us surer of one bit than 1 in 2e17."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a copy that is a stretch of its master.

    Parameters
    ----------
    copy_from_s, copy_to_s
        Where in the copy; seconds.
    master_from_s
        Where in the master its begin lies; seconds.
    speed
        Seconds of the master that pass in a second of the copy.
    pitch
        Ratio of frequencies, copy to master.

    Examples
    --------
    >>> Segment(2.0, 12.0, 30.0, 1.04, 1.0).master_to_s
    40.4
    """

    copy_from_s: float
    copy_to_s: float
    master_from_s: float
    speed: float
    pitch: float

    @property
    def seconds(self) -> float:
        """How much of the copy it is."""
        return self.copy_to_s - self.copy_from_s

    @property
    def master_to_s(self) -> float:
        """Where in the master its end lies; seconds."""
        return self.master_from_s + self.seconds * self.speed


@dataclass(frozen=True, slots=True)
class Facts:
    """What was learnt of a copy on the way.

    Parameters
    ----------
    copy_s, master_s
        How long they are; seconds.
    aligned_s
        How much of the copy lies in the master; seconds.
    tiles
        How many tiles were heard well enough to count; a tile heard twice counts twice.
    noise_db
        Median deviation of a tile's level that is not the mark's; dB; 0 where nothing was heard.
    amplitude
        How much of a mark's strength is left in the pilot, 1 where all is.
    """

    copy_s: float
    master_s: float
    aligned_s: float
    tiles: int
    noise_db: float
    amplitude: float

    @property
    def cover(self) -> float:
        """What part of the copy lies in the master, 0 to 1."""
        return self.aligned_s / self.copy_s if self.copy_s else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a copy says of each bit of one recording, under one key.

    Parameters
    ----------
    recording
        Whose master it was compared with.
    epoch
        Of the key.
    layout
        Of the mark.
    soft : np.ndarray [shape=(chunks, groups), float32]
        Half log-likelihood ratios, nats.
    pilot_z
        How well the pilot is heard: of about standard normal distribution where there is no mark of this key.
    segments
        Where the copy lies in the master, in order of the copy; empty where it does not.
    facts
        What was learnt on the way.

    Raises
    ------
    ValueError
        When a soft value is no finite number, or farther from 0 than ``SOFT_MAX``.

    Examples
    --------
    >>> nothing = Reading.nothing("r-1", MarkKey(bytes(32), 1), Layout.at(44_100, 16), 12.0, 1.5)
    >>> nothing.soft.shape, nothing.pilot_z, nothing.segments, nothing.facts.cover
    ((13, 16), 0.0, (), 0.0)
    """

    recording: str
    epoch: int
    layout: Layout
    soft: NDArray[np.float32]
    pilot_z: float
    segments: tuple[Segment, ...]
    facts: Facts

    def __post_init__(self) -> None:
        # Written so that what is no number does not pass.
        if self.soft.ndim != 2 or not bool((np.abs(self.soft) <= SOFT_MAX).all()):
            raise ValueError(f"soft values of shape {self.soft.shape}, wanted chunks by groups within {SOFT_MAX} of 0")

    @classmethod
    def nothing(cls, recording: str, key: MarkKey, layout: Layout, master_s: float, copy_s: float) -> "Reading":
        """Give the reading of a copy that says nothing."""
        soft = np.zeros((layout.chunks(master_s), layout.groups), dtype=np.float32)
        return cls(recording, key.epoch, layout, soft, 0.0, (), Facts(copy_s, master_s, 0.0, 0, 0.0, 0.0))
