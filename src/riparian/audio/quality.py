"""How much of a change could an ear hear?

The change is compared, a twentieth of a second and a quarter of a Bark at a time, with what the sound itself hides:
its noise-to-mask ratio.  Below 0 dB the sound hides it.  The model of the ear is the simpler one of PEAQ; of what PEAQ
derives from it we take this ratio only, and no grade.

Conventions
-----------
* Original and changed have the same rate, channels and length, and begin together.
* A sine at full scale is heard at 92 dB.
* Neighbouring bands count as a quarter of a Bark apart, also where bins are too wide for that.
* Ratios are in decibels, and -120 where nothing was changed.

Source
------
ITU-R BS.1387-2 (2023), annex 2: outer and middle ear, equation 7; bands, 2.1.5; internal noise, 13; spreading, 14-22;
time, 24; masks, 25-26; noise-to-mask ratio, 70; distorted frames, 72.
"""

import math
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.audio.spectra import blocks, hann, hop_at
from riparian.errors import InputError

PASS_NMR_DB: Final = -21.0
PASS_HEARD: Final = 0.001
PASS_SNR_DB: Final = 36.5
"""On twelve real tracks, every mark that is within all three has a PEAQ grade of -0.1 or better: docs/explain/marks.md.
"""
NOTHING_DB: Final = -120.0
_FULL_SCALE_DB: Final = 92.0
_LOWEST_HZ, _HIGHEST_HZ, _BARK = 80.0, 18_000.0, 0.25
_DISTORTED: Final = 10**0.15
"""Noise to mask, as a ratio of powers, from which a frame counts as heard: 1.5 dB in any band."""
_LOWER_DB: Final = 27.0
_TIME_S, _SHORTEST_S = 0.030, 0.008
_LEAST: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Quality:
    """How much a change could be heard.

    Parameters
    ----------
    nmr_db
        Noise to mask, in power, on average over bands, frames and channels.
    worst_db
        The same of the frame that is worst.
    heard
        The share of frames in which it exceeds the mask by 1.5 dB in any band; 0 to 1.
    snr_db
        Sound over change, of the whole; infinite where nothing was changed.
    """

    nmr_db: float
    worst_db: float
    heard: float
    snr_db: float

    @property
    def passes(self) -> bool:
        """Whether what was changed may go out to people who pay for it unchanged."""
        return self.nmr_db <= PASS_NMR_DB and self.heard <= PASS_HEARD and self.snr_db >= PASS_SNR_DB


def quality(original: Sound, changed: Sound) -> Quality:
    """Compare sound with what became of it.

    Raises
    ------
    InputError
        When rate, channels or length differ.

    Examples
    --------
    >>> sound = Sound(np.sin(np.arange(44_100) / 7, dtype=np.float32)[None], 44_100)
    >>> quality(sound, sound)
    Quality(nmr_db=-120.0, worst_db=-120.0, heard=0.0, snr_db=inf)
    >>> softer = Sound(sound.samples * np.float32(0.9), 44_100)
    >>> quality(sound, softer).passes, round(quality(sound, softer).snr_db)
    (False, 20)
    """
    if original.rate != changed.rate or original.samples.shape != changed.samples.shape:
        raise InputError(
            f"sound of {original.samples.shape[1]} samples by {original.channels} at {original.rate} is compared with"
            f" {changed.samples.shape[1]} by {changed.channels} at {changed.rate}, wanted the same of both"
        )
    ratios = np.concatenate([_ratios(*channel, original.rate) for channel in _channels(original, changed)])
    mean = ratios.mean(axis=1)
    return Quality(
        _db(float(mean.mean()) if mean.size else 0.0),
        _db(float(mean.max(initial=0.0))),
        float((ratios > _DISTORTED).any(axis=1).mean()) if mean.size else 0.0,
        _snr_db(original.samples, changed.samples),
    )


def _channels(original: Sound, changed: Sound) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    return [(original.samples[c : c + 1], changed.samples[c : c + 1]) for c in range(original.channels)]


def _db(ratio: float) -> float:
    return max(NOTHING_DB, 10 * math.log10(max(ratio, _LEAST)))


def _snr_db(original: NDArray[np.float32], changed: NDArray[np.float32]) -> float:
    power = float(np.square(original, dtype=np.float64).sum())
    change = float(np.square(changed - original, dtype=np.float64).sum())
    return 10 * math.log10(power / change) if power and change else math.inf


def _ratios(original: NDArray[np.float32], changed: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Give noise to mask, in power, of one channel; shape=(frames, bands)."""
    hop = hop_at(rate)
    ear = _Ear.at(rate, hop)
    window = hann(hop)
    found = []
    before = np.zeros(ear.hz.size)
    for (_, one), (_, other) in zip(blocks(original, hop, window), blocks(changed, hop, window), strict=True):
        loud, louder = (np.abs(spectra[0]).astype(np.float64) * ear.weight for spectra in (one, other))
        noise = np.add.reduceat((loud - louder) ** 2, ear.bins, axis=1)
        heard = _spread(np.add.reduceat(loud**2, ear.bins, axis=1) + ear.noise, ear.hz, ear.plain)
        before = _lasting(heard, before, ear.lasts)
        found.append(noise / np.maximum(heard, _LEAST) * ear.below)
    return np.concatenate(found) if found else np.zeros((0, ear.hz.size))


@dataclass(frozen=True, slots=True, eq=False)
class _Ear:
    """What is the same in every frame; all but ``weight`` and ``bins`` by band."""

    weight: NDArray[np.float64]
    bins: NDArray[np.intp]
    hz: NDArray[np.float64]
    noise: NDArray[np.float64]
    plain: NDArray[np.float64]
    lasts: NDArray[np.float64]
    below: NDArray[np.float64]

    @classmethod
    def at(cls, rate: int, hop: int) -> "_Ear":
        hz = np.arange(hop + 1) * (rate / (2 * hop))
        khz = np.maximum(hz, 1.0) / 1000
        outer_db = -2.184 * khz**-0.8 + 6.5 * np.exp(-0.6 * (khz - 3.3) ** 2) - 1e-3 * khz**3.6
        # A sine of amplitude 1 has a peak of half a hop under the window.
        weight = 10 ** ((np.maximum(outer_db, -200) + _FULL_SCALE_DB) / 20) * (2 / hop)
        edges = np.arange(_bark(_LOWEST_HZ), _bark(min(_HIGHEST_HZ, rate / 2)), _BARK)
        bins = np.unique(np.ceil(650 * np.sinh(edges / 7) * (2 * hop / rate)).astype(np.intp))
        middle = (bins + np.append(bins[1:], bins[-1] + max(1, bins[-1] - bins[-2]))) * (rate / (4 * hop))
        weight[min(weight.size - 1, round(_HIGHEST_HZ * 2 * hop / rate)) :] = 0
        below_db = np.maximum(3.0, 0.25 * 7 * np.arcsinh(middle / 650))
        lasts = np.exp(-(hop / rate) / (_SHORTEST_S + 100 / middle * (_TIME_S - _SHORTEST_S)))
        plain = _spread(np.ones((1, middle.size)), middle, np.ones(middle.size))[0]
        noise = 10 ** (0.1456 * (middle / 1000) ** -0.8)
        return cls(weight, bins, middle, noise, plain, lasts, 10 ** (below_db / 10))


def _bark(hz: float) -> float:
    return 7 * math.asinh(hz / 650)


@numba.njit(cache=True, nogil=True)
def _spread(power: NDArray[np.float64], hz: NDArray[np.float64], plain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let each band hide its neighbours, those above the farther the louder it is; shape=(frames, bands)."""
    frames, bands = power.shape
    lower = 10 ** (-_LOWER_DB * _BARK / 10)
    out = np.zeros((frames, bands))
    for frame in range(frames):
        for j in range(bands):
            level = 10 * np.log10(power[frame, j])
            upper = 10 ** (min(0.0, -24 - 230 / hz[j] + 0.2 * level) * _BARK / 10)
            # What goes to all bands, a geometric series on either side, sums to the band's power.
            whole = (1 - lower ** (j + 1)) / (1 - lower)
            whole += (bands - 1 - j) if upper == 1 else (1 - upper ** (bands - j)) / (1 - upper) - 1
            own = (power[frame, j] / whole) ** 0.4
            step, share = lower**0.4, own
            for k in range(j, -1, -1):
                out[frame, k] += share
                share *= step
            step, share = upper**0.4, own * upper**0.4
            for k in range(j + 1, bands):
                out[frame, k] += share
                share *= step
        for k in range(bands):
            out[frame, k] = out[frame, k] ** 2.5 / plain[k]
    return out


@numba.njit(cache=True, nogil=True)
def _lasting(
    heard: NDArray[np.float64], before: NDArray[np.float64], lasts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Let each frame hide what comes after it, in place; gives what the last one leaves."""
    after = before.copy()
    for frame in range(heard.shape[0]):
        for k in range(heard.shape[1]):
            after[k] = lasts[k] * after[k] + (1 - lasts[k]) * heard[frame, k]
            heard[frame, k] = max(after[k], heard[frame, k])
    return after
