"""Tunes that differ from one another: notes, a bass and a noise of drums, each drawn from a seed."""

import numpy as np
from numpy.typing import NDArray

from riparian.prints.peaks import RATE


def tune(seed: int, seconds: float = 30.0, rate: int = RATE) -> NDArray[np.float32]:
    """Make a tune; shape=(n,), mono, full scale 1."""
    rng = np.random.default_rng(seed)
    out = np.zeros(round(seconds * rate) + rate, np.float32)
    beat = float(rng.uniform(0.22, 0.42))
    scale = rng.choice(12, 7, replace=False)
    for voice, (lowest, every, loud) in enumerate(((220.0, 1, 0.22), (440.0, 1, 0.16), (110.0, 2, 0.25))):
        at = float(rng.uniform(0, beat))
        while at < seconds:
            lasts = beat * every * float(rng.choice((0.5, 1, 1, 2)))
            pitch = lowest * 2 ** (float(rng.choice(scale)) / 12 + float(rng.integers(0, 2)))
            _play(out, (at, lasts, pitch, loud * float(rng.uniform(0.6, 1))), rate, voice)
            at += lasts
    for at in np.arange(0, seconds, beat):
        n = int(0.05 * rate)
        first = int(at * rate)
        hit = rng.standard_normal(n) * np.exp(-np.arange(n) / (0.012 * rate)) * rng.uniform(0.02, 0.12)
        out[first : first + n] += hit.astype(np.float32)
    return out[: round(seconds * rate)]


def _play(out: NDArray[np.float32], note: tuple[float, float, float, float], rate: int, voice: int) -> None:
    at, lasts, pitch, loud = note
    first, n = int(at * rate), min(int((lasts + 0.2) * rate), out.size - int(at * rate))
    t = np.arange(n) / rate
    shape = np.minimum(t / 0.01, 1) * np.exp(-t / (0.25 + 0.2 * voice))
    sound = sum(np.sin(2 * np.pi * pitch * h * t) / h**1.5 for h in range(1, 6) if pitch * h < rate / 2.2)
    out[first : first + n] += (loud * shape * sound).astype(np.float32)


def changed(sound: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """Change a sound: 5 % ``faster`` and higher, ``noise`` 15 dB below it, an ``echo``, ``squeezed``, ``muffled``."""
    if name == "faster":
        places = np.arange(0, sound.size - 1, 1.05)
        return np.asarray(np.interp(places, np.arange(sound.size), sound), np.float32)
    if name == "noise":
        rng = np.random.default_rng(1)
        level = np.sqrt(np.square(sound).mean()) * 10 ** (-15 / 20)
        noise: NDArray[np.float32] = (level * rng.standard_normal(sound.size)).astype(np.float32)
        return sound + noise
    if name == "echo":
        out = sound.copy()
        for delay_s, share in ((0.023, 0.6), (0.067, 0.4), (0.151, 0.3)):
            lag = int(delay_s * RATE)
            out[lag:] += np.float32(share) * sound[:-lag]
        return out
    if name == "squeezed":
        return np.asarray(np.tanh(8 * sound), np.float32)
    if name == "muffled":
        out = np.convolve(sound, np.hanning(9).astype(np.float32), "same")
        return out.astype(np.float32)
    raise ValueError(f"there is no change called {name!r}")


CHANGES = ("faster", "noise", "echo", "squeezed", "muffled")
