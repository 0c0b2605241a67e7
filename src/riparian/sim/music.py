"""What does a recording of the simulated catalogue sound like?

Each has music that follows from its name: a tempo, a key, four chords, a bass, a tune that comes back, and drums, as
sums of sines and shaped noise.  It is nobody's, it is as full as a produced song (a mark needs sound to lie under), and
no two are alike (a print needs something to tell them by).  Only what somebody listens to is ever made.
"""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft

from riparian.audio.pcm import Sound
from riparian.sim.streams import stream

RATE: Final = 44_100
_SCALES: Final = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10))
"""Semitones above the keynote: major, minor, dorian."""
_CHORDS: Final = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 3), (0, 2, 5, 4))
"""Degrees of the scale that a round of four bars stands on."""
_STEPS: Final = 16
"""Steps a bar."""
_PEAK: Final = 0.7

Samples = npt.NDArray[np.float64]


def song(recording: str, seconds: float, *, seed: int = 1) -> Sound:
    """Play a recording of a town: one channel, 44,100 samples a second, peaks of 0.7 [shape=(1, n)].

    Parameters
    ----------
    recording
        Its name in the catalogue.
    seconds
        How much of it.
    seed
        Of the town.

    Examples
    --------
    >>> one, again, other = song("r-1", 2.0), song("r-1", 2.0), song("r-2", 2.0)
    >>> one.samples.shape, bool((one.samples == again.samples).all()), bool((one.samples == other.samples).all())
    ((1, 88200), True, False)
    """
    rng = stream(seed, f"music/{recording}")
    beat_s = 60 / rng.uniform(76, 148)
    step_s = beat_s / 4
    n = round(seconds * RATE)
    keynote, scale = 110 * 2 ** (rng.integers(-5, 7) / 12), _SCALES[rng.integers(len(_SCALES))]
    round_of_chords = _CHORDS[rng.integers(len(_CHORDS))]
    tune = rng.integers(0, 10, 2 * _STEPS), rng.random(2 * _STEPS) < rng.uniform(0.35, 0.7)
    kicks, snares = _hits(rng, (0, 4, 8, 12), 0.2), _hits(rng, (4, 12), 0.08)
    voice = rng.uniform(0.5, 1.4)

    hats = [_noise(rng, length_s, 6000) for length_s in (0.14, 0.05, 0.06, 0.05)]
    snare, kick = _noise(rng, 0.16, 900), _kick()

    @cache
    def tone(degree: int, octave: int, beats: float, partials: int, fall: float, rise_s: float) -> Samples:
        hertz = float(keynote * 2 ** (octave + degree // 7 + scale[degree % 7] / 12))
        return _tone(hertz, beats * beat_s, partials, fall, rise_s=rise_s)

    mixed = np.zeros(n + RATE * 4)
    for step in range(int(seconds / step_s) + 1):
        at, bar = round(step * step_s * RATE), step // _STEPS
        chord = round_of_chords[bar % 4]
        if step % _STEPS == 0:
            for degree in (0, 2, 4, 7):
                _lay(mixed, at, tone(chord + degree, 0, 4, 14, 0.9, 0.08), 0.09)
        if step % 2 == 0 and rng.random() < 0.8:
            _lay(mixed, at, tone(chord, -1, 0.6, 9, 1.2, 0.005), 0.25)
        note = step % (2 * _STEPS)
        if tune[1][note] and bar % 8 < 6:
            _lay(mixed, at, tone(int(tune[0][note]), 1, 0.75, 12, voice, 0.01), 0.16)
        if kicks[step % _STEPS]:
            _lay(mixed, at, kick, 0.6)
        if snares[step % _STEPS]:
            _lay(mixed, at, snare, 0.3)
        _lay(mixed, at, hats[step % 4], 0.1)
    mixed = np.tanh(_hall(mixed, rng)[:n] * 1.4)
    return Sound((mixed * (_PEAK / np.abs(mixed).max())).astype(np.float32)[None], RATE)


def _hits(rng: np.random.Generator, on: tuple[int, ...], more: float) -> npt.NDArray[np.bool_]:
    hits = rng.random(_STEPS) < more
    hits[list(on)] = True
    return hits


def _lay(mixed: Samples, at: int, sound: Samples, loudness: float) -> None:
    room = min(len(sound), len(mixed) - at)
    mixed[at : at + room] += sound[:room] * loudness


def _tone(hertz: float, seconds: float, partials: int, fall: float, *, rise_s: float) -> Samples:
    """Sum sines, the nth of them ``n ** -fall`` as loud, a little out of tune as strings are."""
    t = np.arange(round(seconds * RATE)) / RATE
    each = np.arange(1, 1 + min(partials, int(0.45 * RATE / hertz)))
    stretched = hertz * each * np.sqrt(1 + 3e-4 * each**2)
    waves = np.sin(2 * np.pi * np.outer(stretched, t) + each[:, None])
    envelope = np.minimum(t / rise_s, 1) * np.exp(-2.2 * t / seconds) * np.minimum((seconds - t) / 0.02, 1)
    return np.asarray((each**-fall / 1.5) @ waves * envelope, np.float64)


def _kick() -> Samples:
    t = np.arange(round(0.22 * RATE)) / RATE
    return np.asarray(np.sin(2 * np.pi * (48 * t + 4.2 * (1 - np.exp(-t * 38)))) * np.exp(-t * 16), np.float64)


def _noise(rng: np.random.Generator, seconds: float, above: float) -> Samples:
    n = round(seconds * RATE)
    spectrum = rfft(rng.standard_normal(n))
    spectrum *= np.minimum(np.fft.rfftfreq(n, 1 / RATE) / above, 1) ** 2
    return np.asarray(irfft(spectrum, n) * np.exp(-5 * np.arange(n) / n), np.float64)


def _hall(mixed: Samples, rng: np.random.Generator) -> Samples:
    """Let it ring for half a second: noise that dies away, laid under all of it."""
    n = RATE // 2
    size = next_fast_len(len(mixed) + n, real=True)
    ring = rng.standard_normal(n) * np.exp(-7 * np.arange(n) / n) * 0.012
    return np.asarray(mixed + irfft(rfft(mixed, size) * rfft(ring, size), size)[: len(mixed)], np.float64)
