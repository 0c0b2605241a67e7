"""What is heard where an edge goes over from one marked rendition to the other?

Each track is marked twice, encoded once as a whole per rendition, and put together in turn, chunk by chunk, so that
each second has a join, in both directions.  A row a codec, the worst track's:

``added_db``    what is there at a join and is neither rendition nor the one faded into the other, over what the codec
                leaves out at the same place anyway; the median of all joins, and the worst
``noise_db``    all that is wrong there with the join, over the same without; the worst
``without_db``  the worst that would be added had the mark not been taken back where chunks meet
``long_ms``     for how long after the worst join anything is off at all

Codecs that are refused are measured with the same sound.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import sounds
from measure import write
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.marks.embed import embed_pair
from riparian.marks.keys import MarkKey
from riparian.marks.layout import VARIANT_GROUPS, Layout, pattern
from riparian.marks.variants import tapered
from riparian.stores.variants.coding import Coding, encode
from riparian.stores.variants.joins import joins

KEY: Final = MarkKey(bytes(range(32)), 1)
OURS: Final = ("aac:64", "aac:128", "aac:256", "flac")
SECONDS: Final = 12.0
_FLOOR: Final = 2.0**-17
_AFTER_S: Final = 0.25
_LAYOUTS: Final = ("mono", "stereo")

Row = dict[str, object]
Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Refused:
    """A codec that is not ours, how it is asked for, and how long its blocks are."""

    name: str
    codec: str
    bit_rate: int
    rate: int
    block: int


REFUSED: Final = (
    Refused("opus-96", "libopus", 96_000, 48_000, 960),
    Refused("mp3-128", "libmp3lame", 128_000, 44_100, 1_152),
)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """All joins of one track in one codec."""

    track: str
    added_db: NDArray[np.float64]
    noise_db: NDArray[np.float64]
    without_db: float
    long_ms: float


def sides(sound: Sound, layout: Layout, *, taper: bool) -> tuple[Sound, Sound]:
    """Mark a track with every bit +1, and with every bit -1."""
    tiles = pattern(KEY, "r-1", layout, layout.chunks(sound.seconds))
    first, second = embed_pair(sound, tiles, layout)
    return (tapered(sound, first, layout), tapered(sound, second, layout)) if taper else (first, second)


def of_ours(track: str, sound: Sound, coding: Coding) -> Measured:
    """Listen to the joins of a codec that is delivered."""
    layout = Layout.at(sound.rate, VARIANT_GROUPS)
    each = layout.chunk_samples(sound.rate)
    found = []
    for taper in (True, False):
        both = sides(sound, layout, taper=taper)
        found.append(joins(both, (encode(both[0], coding, each), encode(both[1], coding, each)), each))
    long_ms = 1000 * 1024 / sound.rate if coding.codec == "aac" else 0.0
    return Measured(track, found[0].added_db, found[0].noise_db, found[1].worst_db, long_ms)


def of_refused(track: str, sound: Sound, how: Refused) -> Measured:
    """Listen to the joins of one that is not."""
    chunk = round(how.rate / how.block) * how.block
    layout = Layout(Fraction(chunk, how.rate), VARIANT_GROUPS)
    worst = []
    found: list[tuple[NDArray[np.float64], NDArray[np.float64], float]] = []
    for taper in (True, False):
        both = sides(sounds.to_rate(sound, how.rate), layout, taper=taper)
        found.append(_heard(both, how, chunk))
        worst.append(float(found[-1][0].max()))
    added, noise, long_ms = found[0]
    return Measured(track, added, noise, worst[1], long_ms)


def _heard(
    both: tuple[Sound, Sound], how: Refused, chunk: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    coded = [_encoded(side, how) for side in both]
    whole = [_decoded(blocks, how, both[0].channels) for blocks in coded]
    n_blocks = min(map(len, coded))
    turn = chunk // how.block
    source = [_laid(side.samples, whole[number]) for number, side in enumerate(both)]
    added, noise, longest = [], [], 0.0
    for odd in (0, 1):
        mixed = [coded[(i // turn + odd) % 2][i] for i in range(n_blocks)]
        joined = _decoded(mixed, how, both[0].channels)
        for number, begin in enumerate(range(chunk, joined.shape[1] - chunk, chunk), start=1):
            now = slice(begin, begin + round(_AFTER_S * how.rate))
            here = whole[(number + odd) % 2][:, now]
            own = _rms(here - source[(number + odd) % 2][:, now]) + _FLOOR
            off = joined[:, now] - here
            # The loudest block of it: what is off for 20 ms is not to be hidden in what is right for the rest.
            loudest = max(_rms(off[:, at : at + how.block]) for at in range(0, off.shape[1] - how.block, how.block))
            added.append(_db(loudest / own))
            noise.append(_db((_rms(joined[:, now] - source[(number + odd) % 2][:, now]) + _FLOOR) / own))
            loud = np.flatnonzero(np.abs(off).max(axis=0) > 2**-15)
            longest = max(longest, 1000 * float(loud[-1] + 1) / how.rate if loud.size else 0.0)
    return np.array(added), np.array(noise), longest


def _encoded(sound: Sound, how: Refused) -> list[bytes]:
    context: Any = av.CodecContext.create(how.codec, "w")
    context.sample_rate, context.layout, context.bit_rate = (
        how.rate,
        _LAYOUTS[sound.channels - 1],
        how.bit_rate,
    )
    context.format, context.time_base = "flt" if how.codec == "libopus" else "fltp", Fraction(1, how.rate)
    context.open()
    blocks: list[bytes] = []
    for at in range(0, sound.samples.shape[1], how.block):
        part = np.ascontiguousarray(sound.samples[:, at : at + how.block])
        if context.format.name == "flt":
            part = np.ascontiguousarray(part.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(part, format=context.format.name, layout=context.layout)
        frame.sample_rate, frame.pts, frame.time_base = how.rate, at, Fraction(1, how.rate)
        blocks += [bytes(packet) for packet in context.encode(frame)]
    return blocks + [bytes(packet) for packet in context.encode(None)]


def _decoded(blocks: list[bytes], how: Refused, channels: int) -> Samples:
    decoder = {"libopus": "libopus", "libmp3lame": "mp3float"}[how.codec]
    context: Any = av.CodecContext.create(decoder, "r")
    context.sample_rate, context.layout = how.rate, _LAYOUTS[channels - 1]
    even = av.AudioResampler(format="fltp")
    parts: list[Samples] = []
    for block in blocks:
        try:
            frames = context.decode(av.Packet(block))
        except av.error.InvalidDataError:
            # A decoder that lacks what an earlier block had to bring gives nothing: silence, to a listener.
            parts.append(np.zeros((channels, how.block), np.float32))
            continue
        parts += [np.asarray(each.to_ndarray(), np.float32) for frame in frames for each in even.resample(frame)]
    return np.concatenate(parts, axis=1)


def _laid(source: Samples, decoded: Samples) -> Samples:
    """Move a source to where a decoder puts it."""
    n = 1 << 17
    spectra = [np.fft.rfft(samples.mean(axis=0)[:n], 2 * n) for samples in (decoded, source)]
    lag = int(np.argmax(np.fft.irfft(spectra[0] * np.conj(spectra[1]))[:8192]))
    out = np.zeros_like(decoded)
    part = source[:, : decoded.shape[1] - lag]
    out[:, lag : lag + part.shape[1]] = part
    return out


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _db(ratio: float) -> float:
    return 20 * float(np.log10(max(ratio, 1e-6)))


def row(name: str, served: str, measured: list[Measured]) -> Row:
    """Tell of the worst track."""
    worst = max(measured, key=lambda one: float(one.added_db.max()))
    return {
        "codec": name,
        "served": served,
        "tracks": len(measured),
        "joins": sum(one.added_db.size for one in measured),
        "added_median_db": f"{np.median(np.concatenate([one.added_db for one in measured])):.1f}",
        "added_worst_db": f"{worst.added_db.max():.1f}",
        "worst_track": worst.track,
        "noise_worst_db": f"{max(float(one.noise_db.max()) for one in measured):.1f}",
        "without_db": f"{max(one.without_db for one in measured):.1f}",
        "long_ms": f"{max(one.long_ms for one in measured):.0f}",
    }


def rows(names: str, seconds: float) -> Iterator[Row]:
    """Measure codec after codec."""
    excerpts = list(sounds.tracks(seconds, names))
    for text in OURS:
        coding = Coding.named(text)
        yield row(coding.name, "yes", [of_ours(track, sound, coding) for track, sound in excerpts])
    for how in REFUSED:
        yield row(how.name, "no", [of_refused(track, sound, how) for track, sound in excerpts])


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tracks", default="", help="names, divided by commas; default: all")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--out", type=Path, default=None, help="where the CSV goes; default: docs/bench")
    args = parser.parse_args()
    write(rows(args.tracks, args.seconds), args.out, "marks_joins")


if __name__ == "__main__":
    main()
