"""What of sound is compared, where a copy is looked for and read?

Copy and master are both taken at one rate, as one channel, and looked at in two ways: by fine bands of pitch, some
twenty times a second, to find a passage; and by a few broad bands, hundreds of times a second, to place it.

Conventions
-----------
* Sound at ``RATE``, one channel, float32: *heard*.  Its bands reach to 11 kHz, as those of a mark do.
* A frame is named by the sample at its middle; before and after the sound is silence.
* Notes are 24 to the octave.
"""

from functools import cache
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import uniform_filter1d

from riparian.audio.pcm import Sound

RATE: Final = 22_050
NOTE_HOP: Final = 1024
NOTES_PER_OCTAVE: Final = 24
NOTES: Final = 112
BEAT_HOP: Final = 64
BEAT_BANDS: Final = 16

_NOTE_WINDOW: Final = 4096
_LOWEST_HZ: Final = 200.0
_BEAT_WINDOW: Final = 512
_BEAT_HZ: Final = (120.0, 9_000.0)
_FLOOR: Final = 1e-6
"""What is this much below the sound's mean power is as good as silent."""
_SILENT: Final = 7.0
"""A frame whose loudest note is so much below the loudest of all, in nepers (60 dB), is silent."""
_BLOCK: Final = 1024
_STEADY_S: Final = 6.0


def hear(sound: Sound) -> NDArray[np.float32]:
    """Take sound at the one rate, as one channel; shape=(n,)."""
    one = sound.mono()
    if sound.channels > 1 and _power(one) < 0.01 * _power(sound.samples):
        one = sound.samples[0]  # channels that cancel one another
    if sound.rate != RATE:
        one = soxr.resample(one, sound.rate, RATE, quality="HQ")
    return np.ascontiguousarray(one, dtype=np.float32)


def stretch(heard: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """Play sound slower by a ratio, so that it gets longer and lower; shape=(n * ratio,)."""
    slow: NDArray[np.float32] = soxr.resample(heard, 1.0, ratio, quality="HQ") if ratio != 1 else heard
    return slow


def frames(heard: NDArray[np.float32], middles: NDArray[np.intp], length: int) -> NDArray[np.float32]:
    """Cut frames of a length around their middles; shape=(frames, length), a copy."""
    out = np.zeros((middles.size, length), dtype=np.float32)
    first = middles - length // 2
    whole = (first >= 0) & (first + length <= heard.size)
    if heard.size >= length:
        view = np.lib.stride_tricks.sliding_window_view(heard, length)
        out[whole] = view[first[whole]]
    for index in np.flatnonzero(~whole & (first + length > 0) & (first < heard.size)):
        start, stop = max(0, first[index]), min(heard.size, first[index] + length)
        out[index, start - first[index] : stop - first[index]] = heard[start:stop]
    return out


def powers(heard: NDArray[np.float32], middles: NDArray[np.intp], length: int) -> NDArray[np.float32]:
    """Measure the power of each bin of frames under a Hann window; shape=(frames, length // 2 + 1)."""
    spectra = fft.rfft(frames(heard, middles, length) * hann(length), overwrite_x=True)
    power: NDArray[np.float32] = spectra.real**2 + spectra.imag**2
    return power


def notes(heard: NDArray[np.float32]) -> NDArray[np.float32]:
    """Say how strong each note is, against its neighbours and against its own last seconds.

    Returns
    -------
    notes : np.ndarray [shape=(n / 1024 + 1, 112), float32]
        About -2 to 2, 0 where nothing happens.
    """
    levels = _levels(heard, NOTE_HOP, _NOTE_WINDOW, _note_bank())
    silent = levels.max(axis=1) < levels.max(initial=-np.inf) - _SILENT
    levels -= uniform_filter1d(levels, NOTES_PER_OCTAVE + 1, axis=1, mode="nearest")
    levels -= uniform_filter1d(levels, int(_STEADY_S * RATE / NOTE_HOP) | 1, axis=0, mode="nearest")
    levels[silent] = 0
    # An onset falls into one frame or half into two, as it happens: so the next are heard along with each.
    levels[1:-1] = 0.5 * levels[1:-1] + 0.25 * (levels[:-2] + levels[2:])
    return np.clip(levels, -2, 2, out=levels)


def beats(heard: NDArray[np.float32]) -> NDArray[np.float32]:
    """Say how each of a few broad bands rises and falls.

    Returns
    -------
    beats : np.ndarray [shape=(n / 64 + 1, 16), float32]
    """
    levels = _levels(heard, BEAT_HOP, _BEAT_WINDOW, _beat_bank())
    levels -= uniform_filter1d(levels, 101, axis=0, mode="nearest")
    return np.clip(levels, -2, 2, out=levels)


@cache
def hann(length: int) -> NDArray[np.float32]:
    """Give the window; shape=(length,)."""
    window: NDArray[np.float32] = (0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(length) + 0.5) / length)).astype(
        np.float32
    )
    return window


def _levels(heard: NDArray[np.float32], hop: int, length: int, bank: NDArray[np.float32]) -> NDArray[np.float32]:
    middles = np.arange(0, heard.size + hop, hop)
    floor = np.float32(_FLOOR * _power(heard) * length**2 + 1e-20)
    out = np.empty((middles.size, bank.shape[1]), dtype=np.float32)
    for at in range(0, middles.size, _BLOCK):
        now = powers(heard, middles[at : at + _BLOCK], length)
        out[at : at + _BLOCK] = np.log(now @ bank + floor)
    out *= 0.5
    return out


def _power(samples: NDArray[np.float32]) -> float:
    flat = samples.ravel()
    return float(np.vdot(flat, flat)) / flat.size if flat.size else 0.0


@cache
def _note_bank() -> NDArray[np.float32]:
    """Triangles, a note to each side."""
    hz = np.maximum(np.arange(_NOTE_WINDOW // 2 + 1), 0.5) * (RATE / _NOTE_WINDOW)
    note = np.log2(hz / _LOWEST_HZ) * NOTES_PER_OCTAVE
    near = 1 - np.abs(note[:, None] - np.arange(NOTES)) / _half_width(np.arange(NOTES))
    return np.maximum(near, 0).astype(np.float32)


def _half_width(note: NDArray[np.intp]) -> NDArray[np.float64]:
    """How far a triangle reaches, in notes: never less than a bin and a half."""
    hz = _LOWEST_HZ * 2 ** (note / NOTES_PER_OCTAVE)
    bin_notes = 1.5 * RATE / _NOTE_WINDOW / hz * NOTES_PER_OCTAVE / np.log(2)
    width: NDArray[np.float64] = np.maximum(1.0, bin_notes)
    return width


@cache
def _beat_bank() -> NDArray[np.float32]:
    hz = np.arange(_BEAT_WINDOW // 2 + 1) * (RATE / _BEAT_WINDOW)
    low, high = (21.4 * np.log10(1 + 0.00437 * at) for at in _BEAT_HZ)
    band = (21.4 * np.log10(1 + 0.00437 * hz) - low) / (high - low) * BEAT_BANDS
    bank: NDArray[np.float32] = (np.floor(band)[:, None] == np.arange(BEAT_BANDS)).astype(np.float32)
    return bank
