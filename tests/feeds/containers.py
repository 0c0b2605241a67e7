"""Files of every codec and container, written by PyAV: encoded once, and put into other containers as they are."""

import math
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import av
import numpy as np
import soundfile
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

RATE: Final = 48_000
SECONDS: Final = 36
FORMS: Final = {
    "mp3": ("mp3", "libmp3lame"),
    "m4a": ("mp4", "aac"),
    "opus": ("ogg", "libopus"),
    "vorbis": ("ogg", ""),
    "flac": ("flac", "flac"),
    "alac": ("mp4", "alac"),
}


@cache
def song(seed: int = 1, seconds: float = SECONDS) -> np.ndarray:
    """Make notes that fade, over a little noise [shape=(1, n), float32]."""
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE)
    sound = 0.002 * rng.standard_normal(n)
    at = np.arange(RATE) / RATE
    for begins in rng.integers(0, n, 6 * int(seconds)):
        note = 0.2 * np.sin(2 * np.pi * rng.uniform(100, 4000) * at) * np.exp(-4 * at)
        sound[begins : begins + RATE] += note[: n - begins]
    return np.clip(sound, -1, 1).astype(np.float32)[None]


@cache
def encoded(form: str, seed: int = 1, seconds: float = SECONDS) -> bytes:
    """Encode a song."""
    container, codec = FORMS[form]
    file = BytesIO()
    if not codec:
        # PyAV's own encoder of Vorbis is a poor one.
        soundfile.write(file, song(seed, seconds).T, RATE, format="OGG", subtype="VORBIS")
        return file.getvalue()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=RATE)
        assert isinstance(stream, AudioStream)
        stream.layout = "mono"
        wanted = stream.codec_context.format.name
        frame = AudioFrame.from_ndarray(song(seed, seconds), format="fltp", layout="mono")
        frame.sample_rate = RATE
        frame.pts, frame.time_base = 0, Fraction(1, RATE)
        resampler = av.AudioResampler(format=wanted, layout="mono", rate=RATE, frame_size=0)
        fifo = av.AudioFifo()
        for even in resampler.resample(frame):
            fifo.write(even)
        size = stream.codec_context.frame_size or 4096
        while (part := fifo.read(size, partial=True)) is not None:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return file.getvalue()


def remuxed(octets: bytes, container: str, *, from_s: float = -math.inf, options: str = "", **tags: str) -> bytes:
    """Put packets, those from a time on, into another container or another file of the same, with other tags."""
    settings = dict(pair.split("=") for pair in options.split()) if options else {}
    # Some containers are read again while they are written.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        with (
            av.open(BytesIO(octets), "r") as inside,
            av.open(str(path), "w", format=container, options=settings) as out,
        ):
            stream = inside.streams.audio[0]
            into = out.add_stream_from_template(stream)
            out.metadata.update(tags)
            for packet in inside.demux(stream):
                if not packet.size or (packet.dts or 0) * (packet.time_base or 1) < from_s:
                    continue
                packet.stream = into
                out.mux(packet)
        return path.read_bytes()
