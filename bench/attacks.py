"""What becomes of a copy before it is found: the attacks that marks are measured against.

Codecs, and changes of tempo, pitch and loudness, are those of the ffmpeg program (with librubberband); noise, reverb
and the mean of the channels are made here, with fixed seeds.  Each attack is a chain of steps, and gives the sound that
the finder would have, with the codec's delay and whatever else it did.
"""

import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from scipy.signal import fftconvolve

from riparian.audio.pcm import Sound

Attack = Callable[[Sound], Sound]

_FORMS: Final = {
    "mp3": ("mp3", ("-c:a", "libmp3lame")),
    "aac": ("m4a", ("-c:a", "aac")),
    "opus": ("opus", ("-c:a", "libopus")),
    "vorbis": ("ogg", ("-c:a", "libvorbis")),
}


def _ffmpeg(sound: Sound, *stages: tuple[str, ...]) -> Sound:
    """Run ffmpeg once a stage, from file to file; a stage is the ending of its file and its options."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "0.wav"
        soundfile.write(path, sound.samples.T, sound.rate, subtype="FLOAT")
        for i, (ending, *options) in enumerate((*stages, ("wav", "-c:a", "pcm_f32le")), 1):
            after = Path(folder) / f"{i}.{ending}"
            words = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map_metadata", "-1", *options, str(after)]
            subprocess.run(words, check=True)
            path = after
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return Sound(np.ascontiguousarray(samples.T), rate)


def _coded(form: str, *options: str) -> tuple[str, ...]:
    ending, codec = _FORMS[form]
    return (ending, *codec, *options)


def coded(form: str, *options: str) -> Attack:
    """Encode and decode."""
    return lambda sound: _ffmpeg(sound, _coded(form, *options))


def filtered(graph: str) -> Attack:
    """Run a filter of ffmpeg; ``{rate}`` in it is the sound's."""
    return lambda sound: _ffmpeg(
        sound, ("wav", "-c:a", "pcm_f32le", "-af", graph.format(rate=sound.rate), "-ar", str(sound.rate))
    )


def chain(*attacks: Attack) -> Attack:
    """One attack after the other."""

    def all_of_them(sound: Sound) -> Sound:
        for attack in attacks:
            sound = attack(sound)
        return sound

    return all_of_them


def speed(ratio: float) -> Attack:
    """Play faster, so that pitch rises with the tempo."""
    return lambda sound: filtered(f"asetrate={round(sound.rate * ratio)},aresample={sound.rate}")(sound)


def semitones(n: float) -> Attack:
    """Change the pitch and leave the tempo."""
    return filtered(f"rubberband=pitch={2 ** (n / 12):.8f}")


def noise(db: float) -> Attack:
    """Add white noise, so many dB below the sound as a whole."""

    def noisy(sound: Sound) -> Sound:
        level = np.sqrt(np.mean(np.square(sound.samples, dtype=np.float64))) * 10 ** (-db / 20)
        added = np.random.default_rng(20).standard_normal(sound.samples.shape, dtype=np.float32)
        return Sound(sound.samples + np.float32(level) * added, sound.rate)

    return noisy


def reverb(sound: Sound) -> Sound:
    """Add a room: 60 dB less after .8 s, all of it 6 dB below what comes directly."""
    seconds = np.arange(round(0.8 * sound.rate)) / sound.rate
    tail = np.random.default_rng(8).standard_normal((sound.channels, len(seconds))) * 10 ** (-3 * seconds / 0.8)
    tail *= 10 ** (-6 / 20) / np.sqrt((tail**2).sum(axis=1, keepdims=True))
    tail[:, 0] = 1
    wet = fftconvolve(sound.samples, tail, axes=1)[:, : sound.samples.shape[1]]
    return Sound(wet.astype(np.float32), sound.rate)


def mono(sound: Sound) -> Sound:
    """Give the mean of the channels."""
    return Sound(sound.mono()[None], sound.rate)


def lower_rate(sound: Sound) -> Sound:
    """Give it at 22.05 kHz."""
    return _ffmpeg(sound, ("wav", "-c:a", "pcm_f32le", "-ar", "22050"))


def untouched(sound: Sound) -> Sound:
    """Leave it."""
    return sound


EQ: Final = "equalizer=f=100:t=o:w=2:g=6,equalizer=f=500:t=o:w=2:g=-6,equalizer=f=2500:t=o:w=2:g=6,treble=g=-6:f=8000"
LIMIT: Final = "volume=6dB,alimiter=limit=0.9:attack=1:release=50:level=false"
COMPRESS: Final = "acompressor=threshold=0.1:ratio=3:attack=5:release=100:makeup=2"

SINGLE: Final[Mapping[str, Attack]] = {
    "none": untouched,
    "MP3 128k": coded("mp3", "-b:a", "128k"),
    "MP3 64k": coded("mp3", "-b:a", "64k"),
    "AAC 64k": coded("aac", "-b:a", "64k"),
    "Opus 48k": coded("opus", "-b:a", "48k"),
    "Opus 24k": coded("opus", "-b:a", "24k"),
    "Vorbis q2": coded("vorbis", "-q:a", "2"),
    "22.05 kHz": lower_rate,
    **{
        f"tempo {percent:+d} % ({how})": filtered(f"{what}={1 + percent / 100}")
        for percent in (4, -4, 10, -10)
        for how, what in (("WSOLA", "atempo"), ("rubberband", "rubberband=tempo"))
    },
    "speed +4 %": speed(1.04),
    "speed -4 %": speed(1 / 1.04),
    "pitch +1 semitone": semitones(1),
    "pitch -1 semitone": semitones(-1),
    "noise 20 dB": noise(20),
    "equaliser": filtered(EQ),
    "compression 3:1": filtered(COMPRESS),
    "limiter": filtered(LIMIT),
    "mono": mono,
    "loudness -14": filtered("loudnorm=I=-14:TP=-1.5:LRA=7"),
    "reverb": reverb,
    "MP3 128k, then AAC 64k": chain(coded("mp3", "-b:a", "128k"), coded("aac", "-b:a", "64k")),
}
COMBINED: Final = "pitch +1, tempo +4, MP3 64k"
ATTACKS: Final[Mapping[str, Attack]] = {
    **SINGLE,
    COMBINED: chain(filtered(f"rubberband=pitch={2 ** (1 / 12):.8f}:tempo=1.04"), coded("mp3", "-b:a", "64k")),
}
"""All of bar 2, the combined one last."""


def attacks(names: str) -> Mapping[str, Attack]:
    """Give the attacks whose names are given, divided by semicolons; all of them for none."""
    return {name: ATTACKS[name] for name in names.split(";")} if names else ATTACKS
