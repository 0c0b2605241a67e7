"""What becomes of a copy, made with what `pip` installs: codecs and tempo by FFmpeg's libraries, the rest by hand."""

import io
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Final

import av
import numpy as np
import soundfile
import soxr
from av.filter import Graph
from scipy import signal

from riparian.audio.pcm import Sound

Attack = Callable[[Sound], Sound]
SEMITONE: Final = 2 ** (1 / 12)


def coded(codec: str, container: str, bit_rate: int) -> Attack:
    """Encode and decode by FFmpeg's library; whatever delay there is stays."""

    def attack(sound: Sound) -> Sound:
        rate = 48_000 if codec == "libopus" else sound.rate
        held = io.BytesIO()
        with av.open(held, "w", format=container) as out:
            stream = out.add_stream(codec, rate=rate, layout="stereo", bit_rate=bit_rate)
            assert isinstance(stream, av.AudioStream)
            frame = _frame(_at(sound, rate))
            resampler = av.AudioResampler(
                format=stream.format, layout="stereo", rate=rate, frame_size=stream.frame_size
            )
            for part in [*resampler.resample(frame), *resampler.resample(None), None]:
                out.mux(stream.encode(part))
        held.seek(0)
        return _at(_read(held), sound.rate)

    return attack


def vorbis(sound: Sound) -> Sound:
    """Encode at about quality 2 and decode, by libsndfile."""
    held = io.BytesIO()
    soundfile.write(held, sound.samples.T, sound.rate, format="OGG", subtype="VORBIS", compression_level=0.8)
    held.seek(0)
    samples, rate = soundfile.read(held, dtype="float32", always_2d=True)
    return Sound(np.ascontiguousarray(samples.T), rate)


def tempo(ratio: float) -> Attack:
    """Play faster and keep the pitch, by overlapping similar waveforms."""

    def attack(sound: Sound) -> Sound:
        graph = Graph()
        source = graph.add_abuffer(
            format="fltp", sample_rate=sound.rate, layout="stereo", time_base=Fraction(1, sound.rate)
        )
        nodes = (source, graph.add("atempo", f"{ratio:.9f}"), graph.add("aformat", "fltp"), graph.add("abuffersink"))
        for one, following in pairwise(nodes):
            one.link_to(following)
        graph.configure()
        graph.push(_frame(sound))
        graph.push(None)
        return _gathered(graph, sound.rate)

    return attack


def speed(ratio: float) -> Attack:
    """Play faster and higher."""
    return lambda sound: Sound(_resampled(sound.samples, ratio, 1.0), sound.rate)


def pitch(ratio: float) -> Attack:
    """Play higher and keep the tempo."""
    return chain(tempo(1 / ratio), speed(ratio))


def chain(*attacks: Attack) -> Attack:
    """Do one after the other."""

    def attack(sound: Sound) -> Sound:
        for one in attacks:
            sound = one(sound)
        return sound

    return attack


def rate(samples_a_second: int) -> Attack:
    """Change the rate."""
    return lambda sound: _at(sound, samples_a_second)


def noise(snr_db: float) -> Attack:
    """Add white noise."""

    def attack(sound: Sound) -> Sound:
        rng = np.random.default_rng(9)
        size = np.float32(sound.samples.std() * 10 ** (-snr_db / 20))
        return Sound(sound.samples + size * rng.standard_normal(sound.samples.shape, dtype=np.float32), sound.rate)

    return attack


def equalised(sound: Sound) -> Sound:
    """Lift and lower octaves by 6 dB."""
    samples = sound.samples
    for hz, gain_db in ((100, 6), (1000, -6), (4000, 6), (10_000, -6)):
        low, high = signal.iirpeak(hz, 1.4, fs=sound.rate)
        samples = samples + np.float32(10 ** (gain_db / 20) - 1) * signal.lfilter(low, high, samples).astype(np.float32)
    return Sound(np.ascontiguousarray(samples, dtype=np.float32), sound.rate)


def compressed(sound: Sound) -> Sound:
    """Compress 3:1 above -20 dB, as quickly up as 10 ms and down as 150."""
    power = signal.lfilter([0.002], [1, -0.998], np.abs(sound.samples).max(axis=0))
    gain = np.minimum(1, (np.maximum(power, 1e-6) / 0.1) ** (-2 / 3))
    return Sound((sound.samples * gain).astype(np.float32), sound.rate)


def limited(sound: Sound) -> Sound:
    """Drive by 8 dB into a soft limit."""
    return Sound(np.tanh(2.5 * sound.samples).astype(np.float32), sound.rate)


def mono(sound: Sound) -> Sound:
    """Take the mean of the channels."""
    return Sound(sound.mono()[None].copy(), sound.rate)


def louder(sound: Sound) -> Sound:
    """Make louder by 5 dB."""
    return Sound(sound.samples * np.float32(10 ** (5 / 20)), sound.rate)


def reverberant(sound: Sound) -> Sound:
    """Play in a room that takes .4 s to be silent, 12 dB below the direct sound."""
    rng = np.random.default_rng(8)
    at = np.arange(round(0.4 * sound.rate)) / sound.rate
    room = rng.standard_normal(at.size) * np.exp(-at / 0.06)
    room *= 0.25 / np.sqrt((room**2).sum())
    room[0] = 1
    wet = signal.fftconvolve(sound.samples, room[None], axes=1)[:, : sound.samples.shape[1]]
    return Sound(np.ascontiguousarray(wet, dtype=np.float32), sound.rate)


def drifting(sound: Sound) -> Sound:
    """Play a tape that runs slow by 200 ppm, and faster and slower by half a percent every 20 s."""
    at = np.arange(sound.samples.shape[1])
    there = at * 1.0002 + 0.005 * 20 * sound.rate / (2 * np.pi) * np.sin(2 * np.pi * at / (20 * sound.rate))
    return Sound(np.stack([np.interp(there, at, one) for one in sound.samples]).astype(np.float32), sound.rate)


def joined(*parts: Sound) -> Sound:
    """Put sounds together, one after the other."""
    return Sound(np.concatenate([part.samples for part in parts], axis=1), parts[0].rate)


MP3_64: Final = coded("libmp3lame", "mp3", 64_000)
AAC_64: Final = coded("aac", "mp4", 64_000)

ATTACKS: Final[dict[str, Attack]] = {
    "nothing": chain(),
    "MP3 128": coded("libmp3lame", "mp3", 128_000),
    "MP3 64": MP3_64,
    "AAC 64": AAC_64,
    "Opus 48": coded("libopus", "ogg", 48_000),
    "Opus 24": coded("libopus", "ogg", 24_000),
    "Vorbis q2": vorbis,
    "22.05 kHz": rate(22_050),
    "tempo + 4 %": tempo(1.04),
    "tempo - 4 %": tempo(0.96),
    "tempo + 10 %": tempo(1.1),
    "tempo - 10 %": tempo(0.9),
    "speed + 4 %": speed(1.04),
    "speed - 4 %": speed(0.96),
    "pitch + 1": pitch(SEMITONE),
    "pitch - 1": pitch(1 / SEMITONE),
    "noise at 20 dB": noise(20),
    "equalizer": equalised,
    "compressor": compressed,
    "limiter": limited,
    "mono": mono,
    "louder": louder,
    "reverb": reverberant,
    "two generations": chain(coded("libmp3lame", "mp3", 128_000), AAC_64),
    "drift": drifting,
    "pitch + 1, tempo + 4 %, MP3 64": chain(tempo(1.04 / SEMITONE), speed(SEMITONE), MP3_64),
}


def _frame(sound: Sound) -> av.AudioFrame:
    stereo = np.broadcast_to(sound.samples, (2, sound.samples.shape[1])) if sound.channels == 1 else sound.samples[:2]
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(stereo), format="fltp", layout="stereo")
    frame.sample_rate, frame.time_base, frame.pts = sound.rate, Fraction(1, sound.rate), 0
    return frame


def _read(held: io.BytesIO) -> Sound:
    with av.open(held, "r") as container:
        resampler = av.AudioResampler(format="fltp", layout="stereo")
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return Sound(np.concatenate([frame.to_ndarray() for frame in frames], axis=1), frames[0].sample_rate)


def _gathered(graph: Graph, samples_a_second: int) -> Sound:
    parts = []
    while True:
        try:
            parts.append(graph.pull().to_ndarray())
        except (av.error.EOFError, av.error.BlockingIOError):
            return Sound(np.concatenate(parts, axis=1), samples_a_second)


def _at(sound: Sound, samples_a_second: int) -> Sound:
    if sound.rate == samples_a_second:
        return sound
    return Sound(_resampled(sound.samples, sound.rate, samples_a_second), samples_a_second)


def _resampled(samples: np.ndarray, of: float, to: float) -> np.ndarray:
    return np.ascontiguousarray(soxr.resample(samples.T, of, to).T, dtype=np.float32)
