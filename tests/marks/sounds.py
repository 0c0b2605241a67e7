"""Sound that is made: whatever music and speech do to a mark, without anybody's recording.

Conventions
-----------
* Every maker takes seconds and a rate, and gives mono, float32, the same each time; peaks are at about -3 dB of full
  scale unless it says otherwise.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from riparian.audio.pcm import Sound

Mono = NDArray[np.float32]
_PEAK: Final = 0.7
_CHORDS: Final = ((57, 60, 64, 69), (53, 57, 60, 65), (48, 55, 60, 64), (55, 59, 62, 67))


def chords(seconds: float, rate: int = 44_100) -> Mono:
    """Sustain chords of sawtooth-like voices, detuned against one another: an organ, a pad."""
    rng = np.random.default_rng(1)
    at = _at(seconds, rate)
    out = np.zeros_like(at)
    for part, notes in enumerate(_CHORDS):
        inside = (at // 2).astype(int) % len(_CHORDS) == part
        for note in notes:
            out += inside * _voice(at, _hz(note) * (1 + rng.normal(0, 0.002)), 0.9, rate, rng)
    return _scaled(out)


def plucked(seconds: float, rate: int = 44_100) -> Mono:
    """Pluck notes that die away, three a second: a guitar, a harp; much of it is nearly silent."""
    rng = np.random.default_rng(2)
    at = _at(seconds, rate)
    out = np.zeros_like(at)
    for start in np.arange(0, seconds, 1 / 3):
        first, length = int(start * rate), int(1.5 * rate)
        part = at[first : first + length] - start
        note = _voice(part, _hz(int(rng.choice([45, 52, 57, 60, 64, 67, 72]))), 1.2, rate, rng)
        out[first : first + length] += note * np.exp(-4 * part)
    return _scaled(out)


def bursts(seconds: float, rate: int = 44_100) -> Mono:
    """Make bursts of noise, with silence between them: applause, breath, a hi-hat."""
    rng = np.random.default_rng(3)
    at = _at(seconds, rate)
    return _scaled(rng.standard_normal(at.size) * np.exp(-12 * (at % 0.35)) * (at % 1.4 < 1.05))


def drums(seconds: float, rate: int = 44_100) -> Mono:
    """Repeat a loop of drums exactly, every two seconds: a kick, a snare, a hat, and a bass below them."""
    rng = np.random.default_rng(4)
    at = _at(2.0, rate)
    kick, snare, hat = at % 0.5, (at - 0.5) % 1.0, at % 0.25
    noise = rng.standard_normal(at.size)
    loop = np.sin(2 * np.pi * (50 * kick + 8 * (1 - np.exp(-20 * kick)))) * np.exp(-9 * kick)
    loop += 0.4 * noise * np.exp(-18 * snare) + 0.25 * np.diff(noise, prepend=0) * np.exp(-50 * hat)
    loop += 0.3 * _voice(at, 55.0, 1.5, rate, rng)
    return _scaled(np.tile(loop, int(seconds / 2) + 1)[: round(seconds * rate)])


def speech(seconds: float, rate: int = 44_100) -> Mono:
    """Speak syllables: pulses through three resonances that wander, hisses, and pauses."""
    rng = np.random.default_rng(5)
    at = _at(seconds, rate)
    pitch = 110 * 2 ** (0.3 * np.sin(2 * np.pi * 0.4 * at) + 0.05 * np.sin(2 * np.pi * 4.7 * at))
    pulses = np.diff(np.floor(np.cumsum(pitch) / rate), prepend=0)
    hiss = 0.05 * rng.standard_normal(at.size)
    out = np.zeros_like(at)
    length = round(0.18 * rate)
    for start in range(0, at.size, length):
        source = (hiss if rng.random() < 0.25 else pulses)[start : start + length]
        if rng.random() < 0.15:
            continue
        for low, high in ((300, 800), (900, 2300), (2400, 3200)):
            pole = np.exp(-np.pi * 90 / rate + 2j * np.pi * rng.uniform(low, high) / rate)
            voiced = signal.lfilter([1 - abs(pole)], [1, -2 * pole.real, abs(pole) ** 2], source)
            out[start : start + length] += voiced * np.hanning(source.size)
    return _scaled(out)


def sustained(seconds: float, rate: int = 44_100) -> Mono:
    """Hold few pure tones that hardly change, softly: the hardest to mark unheard."""
    at = _at(seconds, rate)
    out = sum(
        np.sin(2 * np.pi * hz * at + np.sin(2 * np.pi * 0.1 * at)) / (1 + i)
        for i, hz in enumerate((220.0, 330.5, 441.0, 881.0, 1320.0, 2640.0))
    )
    return 0.1 * _scaled(np.asarray(out))


def noise(seconds: float, rate: int = 44_100) -> Mono:
    """Make pink noise: the sea, a synthesiser's sweep, distortion."""
    rng = np.random.default_rng(6)
    white = np.fft.rfft(rng.standard_normal(max(2, round(seconds * rate))))
    white[1:] /= np.sqrt(np.arange(1, white.size))
    return _scaled(np.fft.irfft(white, max(2, round(seconds * rate))))


def song(seconds: float, rate: int = 44_100) -> Mono:
    """Play drums, chords, plucked notes and a voice together."""
    parts = (drums(seconds, rate), chords(seconds, rate), plucked(seconds, rate), speech(seconds, rate))
    return _scaled(np.sum([share * part for share, part in zip((0.6, 0.5, 0.7, 0.6), parts, strict=True)], axis=0))


def silence(seconds: float, rate: int = 44_100) -> Mono:
    """Be silent."""
    return np.zeros(round(seconds * rate), dtype=np.float32)


def clipped(seconds: float, rate: int = 44_100) -> Mono:
    """Drive a song into full scale, as squarely as anything that was ever sold."""
    return np.clip(3 * song(seconds, rate), -1, 1).astype(np.float32)


MAKERS: Final[dict[str, Callable[[float, int], Mono]]] = {
    "chords": chords,
    "plucked": plucked,
    "bursts": bursts,
    "drums": drums,
    "speech": speech,
    "sustained": sustained,
    "noise": noise,
    "song": song,
    "clipped": clipped,
}


def sound(name: str, seconds: float, rate: int = 44_100, channels: int = 1) -> Sound:
    """Make sound by its maker's name; further channels are quieter and later copies."""
    one = MAKERS[name](seconds, rate) if name != "silence" else silence(seconds, rate)
    return Sound(np.stack([np.roll(one, 7 * c) * np.float32(1 - 0.1 * c) for c in range(channels)]), rate)


def _at(seconds: float, rate: int) -> NDArray[np.float64]:
    return np.arange(round(seconds * rate)) / rate


def _hz(note: int) -> float:
    return float(440 * 2 ** ((note - 69) / 12))


def _voice(at: NDArray[np.float64], hz: float, fall: float, rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Give a tone and its harmonics below 12 kHz, each softer than the last by ``harmonic ** -fall``."""
    harmonics = np.arange(1, int(min(12_000, 0.45 * rate) / hz) + 1)
    period = np.zeros(4097, dtype=np.complex128)
    period[harmonics] = np.exp(2j * np.pi * rng.random(harmonics.size)) / harmonics**fall
    table = 4096 * np.fft.irfft(period)
    voice: NDArray[np.float64] = np.interp(
        hz * at % 1, np.arange(table.size + 1) / table.size, np.append(table, table[0])
    )
    return voice


def _scaled(out: NDArray[np.float64]) -> Mono:
    return (out * (_PEAK / max(1e-9, float(np.abs(out).max(initial=0))))).astype(np.float32)
