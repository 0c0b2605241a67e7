"""How far may each tile go up or down without being heard?

Both who embeds and who reads asks here, of the original: the one to change a tile by so much, the other to know how
much was to be heard of it.

A tile may change by a share of the smallest difference that an ear notices at its level: the louder, the smaller.  It
may change by less where its loudness hardly moves by itself, since a tone that stands still betrays what is done to
it; and wherever the sum of all tiles of a moment would be less than 37 dB below the sound, those that make most of it
give way first.

A soft recording is turned up by whoever listens, and what is changed in it is then heard as in a louder one.  So where
it is softer than ``SOFT_DB`` as a whole, every tile changes by as much less, but never by less than half as much.

Conventions
-----------
* Strengths are in nepers: a tile is multiplied by ``1 + strength`` or ``1 - strength``; .01 is .087 dB.
* Power is of full scale and of all channels together, so that all of them change alike.
* A sine at full scale is taken to be heard at 92 dB.

Source
------
ITU-R BS.1387-2 (2023), annex 2, equation 75: the step that is noticed half of the time, by level.
"""

from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.audio.spectra import blocks, frame_count, hop_at
from riparian.marks.layout import BANDS, ROWS_PER_CHUNK, Layout, edges_hz

NEPER_DB: Final = 20 / np.log(10)
SHARE_OF_STEP: Final = 0.5
MOST_DB: Final = 0.5
STEADY: Final = 0.7
"""The share of its strength that is left to a tile whose loudness does not move by itself."""
MOVING_DB: Final = 1.5
BELOW_DB: Final = 37.0
"""How far below the sound what is added stays, in every row."""
FULL_SCALE_DB: Final = 95.0
"""A sine at full scale, of mean power 1/2, is heard at 92."""
SOFT_DB: Final = -25.0
"""The power of a recording, of all channels together and without its silences, from which on it is loud enough."""
SOFT_LEAST: Final = 0.5
_PAUSE: Final = 0.01
"""A row with less than this share of the mean power is not counted to what is heard."""
SILENT: Final = 1e-9
"""The power below which a tile is left as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """What the tiles of a recording are like.

    Parameters
    ----------
    power : np.ndarray [shape=(rows, bands), float64]
        Mean.
    all_power : np.ndarray [shape=(rows,), float64]
        Of all frequencies, also beside the bands.
    moves_db : np.ndarray [shape=(rows, bands), float64]
        The standard deviation of the power of a tile's frames.
    frames : np.ndarray [shape=(frames, bands), float64]
        Power, frame by frame.
    """

    power: NDArray[np.float64]
    all_power: NDArray[np.float64]
    moves_db: NDArray[np.float64]
    frames: NDArray[np.float64]


def band_bins(rate: int) -> NDArray[np.intp]:
    """Give the first bin of each band, and where the last ends, of spectra as of :mod:`riparian.audio.spectra`.

    Returns
    -------
    first : np.ndarray [shape=(bands + 1,), intp]
        Only of bands that lie below half the rate as a whole.
    """
    hop = hop_at(rate)
    edges = edges_hz()
    found: NDArray[np.intp] = np.ceil(edges[edges <= rate / 2] * (2 * hop / rate)).astype(np.intp)
    return found


def rows_of(layout: Layout, seconds: float) -> int:
    """Count the rows of tiles of a recording."""
    return layout.chunks(seconds) * ROWS_PER_CHUNK


def frame_rows(layout: Layout, rate: int, n: int) -> NDArray[np.float64]:
    """Say at which row each frame has its middle, 0.5 being the middle of the first row; shape=(frames,)."""
    hops_a_row = float(layout.row_s) * rate / hop_at(rate)
    return np.arange(frame_count(n, hop_at(rate)), dtype=np.float64) / hops_a_row


def tile_strength(sound: Sound, layout: Layout, *, strength: float = 1.0) -> NDArray[np.float32]:
    """Say how far each tile of an original goes up or down.

    Returns
    -------
    nepers : np.ndarray [shape=(rows, bands), float32]
        0 where there is nothing to mark.
    """
    return strength_of(measure(sound, layout), strength)


def strength_of(tiles: Tiles, strength: float) -> NDArray[np.float32]:
    """Say the same of what was measured."""
    level = 10 * np.log10(np.maximum(tiles.power, SILENT)) + FULL_SCALE_DB
    moving = STEADY + (1 - STEADY) * np.minimum(tiles.moves_db / MOVING_DB, 1)
    share = _share_of_soft(tiles.all_power) * strength / NEPER_DB
    wanted = np.minimum(SHARE_OF_STEP * noticed_db(level) * moving, MOST_DB) * share
    wanted[tiles.power <= SILENT] = 0
    # Strength is a wish of the caller's, and may lift what is added nearer to the sound.
    most = 10 ** (-BELOW_DB / 10) * max(1.0, strength) ** 2 * tiles.all_power
    added = tiles.power * wanted**2
    spared = np.sqrt(_level_off(added, most) / np.maximum(added, 1e-30))
    nepers: NDArray[np.float32] = (wanted * np.minimum(spared, 1)).astype(np.float32)
    return nepers


def noticed_db(level_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the step in level that is noticed half of the time.

    Examples
    --------
    >>> noticed_db(np.array([20.0, 40.0, 60.0, 80.0])).round(2).tolist()
    [1.38, 0.94, 0.64, 0.32]
    """
    level = np.maximum(level_db, 10.0)
    powers = (-0.198719, 0.0550197, -0.00102438, 5.05622e-6, 9.01033e-11)
    step: NDArray[np.float64] = 5.95072 * (6.39468 / level) ** 1.71332 + np.polynomial.polynomial.polyval(level, powers)
    return step


def _share_of_soft(row_power: NDArray[np.float64]) -> float:
    """Say what share of its strength is left to a recording: a decibel less for each by which it is too soft."""
    heard = row_power[row_power > _PAUSE * (row_power.sum() / max(row_power.size, 1))]
    power = float(heard.sum() / max(heard.size, 1))
    return float(np.clip(np.sqrt(power / 10 ** (SOFT_DB / 10)), SOFT_LEAST, 1.0))


def _level_off(added: NDArray[np.float64], most: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut the highest of each row down to one height, at which they sum to no more than is allowed."""
    ordered = np.sort(added, axis=1)
    left = np.arange(added.shape[1], 0, -1)
    before = np.cumsum(ordered, axis=1) - ordered
    # The first place where cutting all from there on to its own height would exceed what is allowed.
    cut = np.argmax(before + ordered * left > most[:, None], axis=1)
    row = np.arange(added.shape[0])
    height = (most - before[row, cut]) / left[cut]
    over = added.sum(axis=1) > most
    return np.where(over[:, None], np.minimum(added, height[:, None]), added)


def measure(sound: Sound, layout: Layout) -> Tiles:
    """Measure each tile of sound."""
    hop, bins = hop_at(sound.rate), band_bins(sound.rate)
    frames = np.zeros((frame_count(sound.samples.shape[1], hop), BANDS + 1))
    for first, spectra in blocks(sound.samples, hop):
        _powers(spectra, bins, frames[first : first + spectra.shape[1]])
    # A frame's squared window sums to one hop, and each bin stands for itself and its mirror.
    frames *= 1 / (hop * hop * sound.channels)
    rows = rows_of(layout, sound.seconds)
    of = np.minimum(frame_rows(layout, sound.rate, sound.samples.shape[1]).astype(np.intp), rows - 1)
    count = np.maximum(np.bincount(of, minlength=rows), 1)[:, None]
    power = _sums(frames, of, rows) / count
    levels = 10 * np.log10(frames[:, :BANDS] + SILENT)
    mean = _sums(levels, of, rows) / count
    moves = np.sqrt(_sums((levels - mean[of]) ** 2, of, rows) / count)
    return Tiles(power[:, :BANDS], power[:, BANDS], moves, frames[:, :BANDS])


def _sums(values: NDArray[np.float64], of: NDArray[np.intp], rows: int) -> NDArray[np.float64]:
    out = np.zeros((rows, values.shape[1]))
    np.add.at(out, of, values)
    return out


@numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def _powers(spectra: NDArray[np.complex64], bins: NDArray[np.intp], out: NDArray[np.float64]) -> None:
    """Sum the power of each frame's bands over channels, and in the last column that of all bins."""
    for channel in range(spectra.shape[0]):
        for frame in range(spectra.shape[1]):
            for band in range(bins.size + 1):
                start = 0 if band == 0 else bins[band - 1]
                stop = spectra.shape[2] if band == bins.size else bins[band]
                power = np.float32(0)
                for k in range(start, stop):
                    value = spectra[channel, frame, k]
                    power += value.real * value.real + value.imag * value.imag
                out[frame, out.shape[1] - 1] += power
                if 0 < band < bins.size:
                    out[frame, band - 1] += power
