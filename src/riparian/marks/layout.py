"""Which tiles of the sound carry which bit?

Time and frequency are divided into tiles: 53 bands by fifths of a chunk.  A band is half as wide as what the ear takes
together (ERB), so that of two that it hears as one, often one goes up and the other down; but none is narrower than 75
Hz, unless the ear's are, too.  Each tile has a secret sign, its *chip*.  Most tiles belong to a *cell*, which carries
one bit of a code word: the tile is raised where chip and bit agree and lowered where they do not.  Every eighth tile,
chosen secretly, carries no bit: these are the *pilot*, the same in every copy, by which a reader learns how well it
hears without asking for whom it listens.

Conventions
-----------
* A chunk is about a second, and a whole number of blocks of 1,024 samples: where an AAC stream can be cut.  The first
  begins with the recording; chunks are never counted anew within it.
* ``groups`` is how many cells, and so bits, a chunk has: 1 where the edge chooses between two renditions, 16 where
  every copy is marked for itself.
* Signs are -1 and 1.
* All of this is constants of ``VERSION``, which stands in every grant and every rendition; another version is refused.

Source
------
Glasberg, B. and Moore, B. (1990), Derivation of auditory filter shapes from notched-noise data, equation 3 (ERB).
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.errors import InputError
from riparian.marks.keys import MarkKey

VERSION: Final = 1
BANDS: Final = 53
LOWEST_HZ: Final = 200.0
NARROWEST_HZ: Final = 75.0
ROWS_PER_CHUNK: Final = 5
PILOT_ONE_IN: Final = 8
VARIANT_GROUPS: Final = 1
DIRECT_GROUPS: Final = 16
PILOT: Final = -1
"""Stands in :attr:`Pattern.cell` for a tile that carries no bit."""
_BLOCK: Final = 1024


def edges_hz() -> NDArray[np.float64]:
    """Give the 54 edges of the 53 bands, in Hz.

    Examples
    --------
    >>> edges_hz()[[0, 1, 7, 20, -1]].round().tolist()
    [200.0, 246.0, 637.0, 1678.0, 10575.0]
    """
    edges = [LOWEST_HZ]
    for _ in range(BANDS):
        ear = 24.7 * (0.00437 * edges[-1] + 1)
        edges.append(edges[-1] + max(ear / 2, min(ear, NARROWEST_HZ)))
    return np.array(edges)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a recording is divided, as its grant or rendition states it.

    Parameters
    ----------
    chunk_s
        How long a chunk is, in seconds, exactly.
    groups
        Cells a chunk.
    version
        Of all the constants of this module.

    Examples
    --------
    >>> layout = Layout.at(44_100, DIRECT_GROUPS)
    >>> layout.chunk_samples(44_100), layout.chunks(60.0), float(layout.row_s)
    (44032, 61, 0.19969160997732427)
    >>> Layout.at(88_200, DIRECT_GROUPS) == layout
    True
    """

    chunk_s: Fraction
    groups: int
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise InputError(
                f"the mark has layout version {self.version}, wanted {VERSION}",
                hint="Read it with the release that wrote it.",
            )
        if not 1 <= self.groups <= 72 or not Fraction(1, 4) <= self.chunk_s <= 16:
            raise InputError(
                f"a mark has {self.groups} bits per {float(self.chunk_s):.3f} s, wanted 1 to 72 per .25 to 16 s"
            )

    @classmethod
    def at(cls, rate: int, groups: int) -> "Layout":
        """Choose the layout for sound of this rate; samples a second."""
        blocks = max(1, round(rate / _BLOCK))
        while blocks > 64 and blocks % 2 == 0 and rate % 2 == 0:
            blocks, rate = blocks // 2, rate // 2
        return cls(Fraction(blocks * _BLOCK, rate), groups)

    @property
    def row_s(self) -> Fraction:
        """How long a tile is, in seconds."""
        return self.chunk_s / ROWS_PER_CHUNK

    def chunks(self, seconds: float) -> int:
        """Count the chunks that a recording of this length begins."""
        return int(-(-Fraction(seconds) // self.chunk_s))

    def chunk_samples(self, rate: int) -> int:
        """Count the samples of a chunk, where that is a whole number.

        Raises
        ------
        InputError
            When it is not.
        """
        samples = self.chunk_s * rate
        if samples.denominator != 1:
            raise InputError(f"a chunk has {float(samples):.3f} samples at {rate} a second, wanted a whole number")
        return samples.numerator


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """Which tiles carry which bit of one recording, under one key.

    Parameters
    ----------
    chip : np.ndarray [shape=(chunks * 5, 53), int8]
        -1 or 1.
    cell : np.ndarray [shape=(chunks * 5, 53), int8]
        From 0 to ``groups - 1``, within the tile's chunk; ``PILOT`` where there is no bit.
    """

    chip: NDArray[np.int8]
    cell: NDArray[np.int8]

    def signs(self, bits: NDArray[np.int8]) -> NDArray[np.int8]:
        """Say which tiles go up, 1, and which down, -1, for a word.

        Parameters
        ----------
        bits : np.ndarray [shape=(chunks, groups), int8]
            -1 or 1.

        Returns
        -------
        signs : np.ndarray [shape=(chunks * 5, 53), int8]
        """
        chunk = np.arange(self.cell.shape[0])[:, None] // ROWS_PER_CHUNK
        spoken = np.where(self.cell == PILOT, np.int8(1), bits[chunk, np.maximum(self.cell, 0)])
        signs: NDArray[np.int8] = self.chip * spoken
        return signs


def pattern(key: MarkKey, recording: str, layout: Layout, chunks: int) -> Pattern:
    """Give the pattern of a recording.

    Every cell of a chunk has as many tiles as the next, to within one, from all over the chunk.

    Examples
    --------
    >>> found = pattern(MarkKey(bytes(32), 1), "r-1", Layout.at(44_100, DIRECT_GROUPS), 2)
    >>> found.chip.shape, np.unique(found.cell[:5], return_counts=True)[1].tolist()
    ((10, 53), [33, 15, 15, 15, 15, 15, 15, 15, 15, 14, 14, 14, 14, 14, 14, 14, 14])
    """
    tiles = ROWS_PER_CHUNK * BANDS
    of = (recording, str(layout.version), str(layout.chunk_s), str(layout.groups))
    chip = key.signs("chips", *of, n=chunks * tiles).reshape(-1, BANDS)
    order = key.stream("pilot", *of, words=chunks * tiles).reshape(chunks, tiles).argsort(axis=1, kind="stable")
    n_pilot = tiles // PILOT_ONE_IN
    owner = np.full(tiles, PILOT, dtype=np.int8)
    owner[n_pilot:] = np.arange(tiles - n_pilot) % layout.groups
    cell = np.empty((chunks, tiles), dtype=np.int8)
    np.put_along_axis(cell, order, np.broadcast_to(owner, cell.shape), axis=1)
    return Pattern(chip, cell.reshape(-1, BANDS))
