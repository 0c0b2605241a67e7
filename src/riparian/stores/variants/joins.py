"""What is heard of going over from one rendition to the other?

Both are decoded whole, and so are the two in turn, chunk by chunk, once beginning with each: every chunk's beginning is
gone over, in both directions.  What is there then and is neither rendition, nor the one faded into the other, is what
was *added*.  It is compared with what the codec leaves out there anyway, where nobody goes over.

Conventions
-----------
* Of sound, the first ``JOIN_SAMPLES`` of a chunk; root mean square over all channels.  A codec whose noise is below
  that of 16 bits counts as if it had that.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.marks.variants import JOIN_SAMPLES
from riparian.stores.variants.coding import Coded, decode

_FLOOR = 2.0**-17
Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Joins:
    """All joins of two renditions.

    Parameters
    ----------
    added_db : np.ndarray [shape=(joins,), float64]
        What was added at each, over the codec's own noise there; dB.
    noise_db : np.ndarray [shape=(joins,), float64]
        The noise there with the join, over the same without; dB.
    heard
        Side ``a``, decoded.
    """

    added_db: NDArray[np.float64]
    noise_db: NDArray[np.float64]
    heard: Sound

    @property
    def worst_db(self) -> float:
        """The most that was added at any; -120 where nothing was."""
        return float(self.added_db.max(initial=-120.0))


def joins(sides: tuple[Sound, Sound], pair: tuple[Coded, Coded], chunk_samples: int) -> Joins:
    """Listen to every join of two renditions.

    Parameters
    ----------
    sides
        What was encoded.
    pair
        And what became of it.
    chunk_samples
        How long a chunk is.
    """
    first, second = pair
    cuts = list(enumerate(first.chunk_blocks(chunk_samples)))
    turns = [[block for number, cut in cuts for block in pair[(number + odd) % 2].blocks[cut]] for odd in (0, 1)]
    whole = decode(first), decode(second)
    mixed = [decode(first.of(blocks)).samples for blocks in turns]
    told = np.array(list(_told(sides, whole, mixed, chunk_samples))).reshape(-1, 2)
    return Joins(told[:, 0], told[:, 1], whole[0])


def _told(
    sides: tuple[Sound, Sound], whole: tuple[Sound, Sound], mixed: list[Samples], each: int
) -> Iterator[tuple[float, float]]:
    n = sides[0].samples.shape[1]
    for number, begin in enumerate(range(each, n, each), start=1):
        now = slice(begin, min(n, begin + JOIN_SAMPLES))
        away = np.cos(np.pi / 2 * (np.arange(now.stop - begin) + 0.5) / JOIN_SAMPLES) ** 2
        for odd, joined in enumerate(mixed):
            before, after = (number - 1 + odd) % 2, (number + odd) % 2
            left, here = (whole[side].samples[:, now] for side in (before, after))
            noise = max(_rms(whole[side].samples[:, now] - sides[side].samples[:, now]) for side in (before, after))
            added = _rms(joined[:, now] - (left * away + here * (1 - away)))
            with_join = _rms(joined[:, now] - sides[after].samples[:, now])
            yield _db(added / (noise + _FLOOR)), _db((with_join + _FLOOR) / (noise + _FLOOR))


def _rms(samples: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _db(ratio: float) -> float:
    return 20 * float(np.log10(max(ratio, 1e-6)))
