"""How much louder or softer than its master's is each tile of a copy, and how sure is that?

A tile's level is compared in three ways, which err in different places: by its power, which is best where the copy was
stretched; by how much of the master's spectrum is in the copy's, which hears through noise; and by the roots of the
magnitudes, which hears through echo.  They are mixed, band by band, so that least of what is not the mark is left.

Where the copy may be the master's own waveform, a fourth is how much of it is in the copy in phase, which hears a mark
far below noise; but whether it does, only a pilot can say, so levels, waveform and their mixture are given apart.

What changes slowly in a band, an equaliser, and what all bands do at once, a compressor, is no mark and is taken off.
What is left over is as large as the copy is spoilt there: in this band, at this level, at this time.

Conventions
-----------
* A tile's *step* is the logarithm of the copy's level over the master's, in nepers.
* Rows are those that a piece of the copy covers, piece after piece; ``row`` says which of the recording's they are.

Source
------
Graybill, F. and Deal, R. (1959), Combining unbiased estimators, for the mixture.  Rousseeuw, P. and Croux, C. (1993),
Alternatives to the median absolute deviation, section 1, for the constant 1.4826.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import median_filter, uniform_filter1d

from riparian.marks.align import Alignment, Piece
from riparian.marks.heard import RATE, frames, hann, stretch
from riparian.marks.layout import BANDS, Layout, edges_hz

WINDOW: Final = 2048
PER_ROW: Final = 8
_SHARE: Final = np.array([0.4, 0.8, 1, 1, 1, 1, 0.8, 0.4], dtype=np.float32) / np.float32(6.4)
"""How much each frame of a row counts: those at its ends hear the next row, too."""
_WAYS: Final = 3
_STEADY_ROWS: Final = 31
"""Over how many rows, 6 s, the median is taken off; less than 2 s would take the mark with it."""
_ROUGH: Final = 1.0
_CLIP: Final = 2.5
_RIDGE: Final = 0.05
_ALIKE: Final = 51
_MEAN_OF_NORMAL: Final = 0.8
_BLOCK_ROWS: Final = 64
_PARTS: Final = 16
"""A frame is placed to this part of a sample."""
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """The tiles of a recording that a copy holds.

    Parameters
    ----------
    row : np.ndarray [shape=(n,), intp]
        Which of the recording's rows; one that is held twice stands twice.
    step : np.ndarray [shape=(n, bands), float64]
        Nepers.
    noise : np.ndarray [shape=(n, bands), float64]
        How large the step is where there is nothing but noise and a mark; nepers, above 0.
    """

    row: NDArray[np.intp]
    step: NDArray[np.float64]
    noise: NDArray[np.float64]


def compare(
    copy: NDArray[np.float32], master: NDArray[np.float32], alignment: Alignment, layout: Layout
) -> tuple[Held, ...]:
    """Compare a copy with its master, by levels, and where it may be the same waveform, also by that.

    Parameters
    ----------
    copy, master : np.ndarray [shape=(n,), float32]
        Heard ones.
    """
    tuned = stretch(copy, alignment.pitch)
    found = [_measure(tuned, master, piece, alignment.pitch, layout) for piece in alignment.pieces]
    found = [one for one in found if one.row.size]
    if not found:
        return ()
    row = np.concatenate([one.row for one in found])
    level = np.concatenate([one.level for one in found])
    steps = np.concatenate([_steady(one.steps) for one in found], axis=1)
    compared = [_mix(steps)]
    if all(piece.at_s.size == 2 for piece in alignment.pieces):
        by_wave = np.concatenate([_steady(_along(one)[None]) for one in found], axis=1)
        compared += [by_wave[0], _mix(np.concatenate([steps, by_wave]))]
    return tuple(Held(row, step, _noise(step, level)) for step in compared)


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A piece's rows.

    Parameters
    ----------
    row : np.ndarray [shape=(rows,), intp]
        Which of the recording's.
    steps : np.ndarray [shape=(ways, rows, bands), float64]
        Nepers, of levels.
    wave : np.ndarray [shape=(rows, bands), complex128]
        How much of the master's waveform is in the copy's, and turned by how much.
    level : np.ndarray [shape=(rows, bands), float64]
        The logarithm of the master's power.
    """

    row: NDArray[np.intp]
    steps: NDArray[np.float64]
    wave: NDArray[np.complex128]
    level: NDArray[np.float64]


def _measure(
    copy: NDArray[np.float32], master: NDArray[np.float32], piece: Piece, pitch: float, layout: Layout
) -> _Measured:
    row_s = float(layout.row_s)
    last = int(min(piece.segment.master_to_s, master.size / RATE) / row_s)
    rows = np.arange(max(0, int(np.ceil(piece.segment.master_from_s / row_s))), last)
    bins = np.minimum(np.ceil(edges_hz() * (WINDOW / RATE)).astype(np.intp), WINDOW // 2)
    steps, level = np.empty((_WAYS, rows.size, BANDS)), np.empty((rows.size, BANDS))
    wave = np.empty((rows.size, BANDS), dtype=np.complex128)
    for first in range(0, rows.size, _BLOCK_ROWS):
        here = slice(first, min(first + _BLOCK_ROWS, rows.size))
        at = np.rint((rows[here, None] + (np.arange(PER_ROW) + 0.5) / PER_ROW) * (row_s * RATE)).ravel()
        x, y = _spectra(master, at), _spectra(copy, piece.copy_at(at / RATE) * (pitch * RATE))
        a, b = np.abs(x), np.abs(y)
        aa, bb, ab, rr, ra = (_tiles(of, bins) + _TINY for of in (a * a, b * b, a * b, np.sqrt(a * b), a))
        steps[:, here] = 0.5 * np.log(bb / aa), np.log(ab / aa), 2 * np.log(rr / ra)
        wave[here] = _tiles(y * np.conj(x), bins) / aa
        level[here] = np.log(aa)
    return _Measured(rows, steps, wave, level)


def _spectra(heard: NDArray[np.float32], middles: NDArray[np.float64]) -> NDArray[np.complex64]:
    """Give spectra of frames, whose middles may lie between samples; shape=(frames, bins)."""
    whole = np.rint(middles)
    cut = frames(heard, whole.astype(np.intp), WINDOW)
    cut *= hann(WINDOW)
    found: NDArray[np.complex64] = fft.rfft(cut, overwrite_x=True)
    parts = np.rint((middles - whole) * _PARTS).astype(np.intp)
    if parts.any():
        found *= _turns()[parts + _PARTS // 2]
    return found


@cache
def _turns() -> NDArray[np.complex64]:
    """Say by what to multiply the spectrum of a frame to have it begin later, by -1/2 to 1/2 of a sample."""
    later = np.arange(-(_PARTS // 2), _PARTS // 2 + 1) / _PARTS
    turns: NDArray[np.complex64] = np.exp(np.outer(later, 2j * np.pi / WINDOW * np.arange(WINDOW // 2 + 1))).astype(
        np.complex64
    )
    return turns


def _along(found: _Measured) -> NDArray[np.float64]:
    """Give steps of the part of the waveform that is in phase with that of the seconds around it."""
    # Loud tiles say best what a filter did to the band.
    power = np.exp(found.level - found.level.max())
    around = uniform_filter1d(found.wave * power, _STEADY_ROWS, axis=0, mode="nearest")
    around /= uniform_filter1d(power, _STEADY_ROWS, axis=0, mode="nearest") + _TINY
    size = np.abs(around) ** 2
    step: NDArray[np.float64] = (found.wave * np.conj(around)).real / np.maximum(size, _TINY) - 1
    return np.where(size > _TINY, step, 0.0)


def _tiles(values: NDArray[Any], bins: NDArray[np.intp]) -> NDArray[Any]:
    """Add up bins to bands and frames to rows; shape=(rows, bands)."""
    rows = _SHARE @ values.reshape(-1, PER_ROW, values.shape[1])
    bands: NDArray[Any] = np.add.reduceat(rows[:, bins[0] : bins[-1]], bins[:-1] - bins[0], axis=1)
    return bands.astype(np.result_type(bands, np.float64))


def _steady(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take off what a band keeps for seconds, and what a row does as a whole."""
    off = steps - median_filter(steps, (1, _STEADY_ROWS, 1), mode="nearest")
    together = np.clip(off, -_ROUGH, _ROUGH).mean(axis=2, keepdims=True)
    left: NDArray[np.float64] = off - together
    return left


def _spread(step: NDArray[np.float64]) -> NDArray[np.float64]:
    """Estimate the deviation of each band; the last axis but one is time."""
    deviation: NDArray[np.float64] = 1.4826 * np.median(np.abs(step), axis=-2, keepdims=True) + 1e-4
    return deviation


def _mix(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mix the ways of comparing, by weights that sum to one, so that least is left; shape=(rows, bands)."""
    most = _CLIP * _spread(steps)
    clipped = np.clip(steps, -most, most)
    covariance = np.einsum("irb,jrb->bij", clipped, clipped) / steps.shape[1]
    trace = np.trace(covariance, axis1=1, axis2=2)[:, None, None]
    ways = steps.shape[0]
    ridge = np.eye(ways) * (_RIDGE / ways * trace + _TINY)
    weights = np.linalg.solve(covariance + ridge, np.ones((BANDS, ways, 1)))
    weights = np.maximum(weights[..., 0], 0)
    weights /= weights.sum(axis=1, keepdims=True)
    mixed: NDArray[np.float64] = np.einsum("bi,irb->rb", weights, steps)
    return mixed


def _noise(step: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how large a step is wont to be in this band, at this level of the master, and at this time."""
    band = _spread(step)
    size = np.minimum(np.abs(step) / band, 4) / _MEAN_OF_NORMAL
    order = np.argsort(levels, axis=0, kind="stable")
    by_level, by_time = np.ones_like(step), np.ones((step.shape[0], 1))
    for _ in range(2):
        ranked = np.take_along_axis(size / by_time, order, axis=0)
        np.put_along_axis(by_level, order, uniform_filter1d(ranked, _ALIKE, axis=0, mode="nearest"), axis=0)
        by_level = np.maximum(by_level, 0.1)
        by_time = np.maximum(uniform_filter1d((size / by_level).mean(axis=1, keepdims=True), 3, axis=0), 0.2)
    found: NDArray[np.float64] = band * by_level * by_time
    return found
