"""What becomes of a recording before prints see it again: codecs, laundering, rooms, clips and compilations.

Everything is made at 22.05 kHz in mono; so that a codec is not let off by that, it gets half of
the bits that a file in stereo has: "mp3 64" is 32 kb/s here.  Codecs and filters are those of one ffmpeg (with
librubberband); noise and the tail of a room are made here.  What is drawn, is drawn from the condition and the name of
the track, so that everybody who measures has the same queries; what was made once is kept beside the recordings.

    python bench/print_attacks.py            # what each condition costs
"""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import attacks
import numpy as np
import print_sounds
import soxr
from numpy.typing import NDArray
from print_sounds import KEPT, RATE, WIDE, Mono, Track
from scipy.signal import fftconvolve

FORMS: Final = {
    "mp3": "libmp3lame -f mp3",
    "opus": "libopus -f ogg",
    "vorbis": "libvorbis -f ogg",
    "aac": "aac -f adts",
}
LATE: Final = {"mp3": 1105, "aac": 1024}
"""Samples by which a decoder is late that is not told of it; files of the others tell."""
CODEC: Final = "mp3 96"
"""Of compilations."""
COMPRESSOR: Final = "acompressor=threshold=0.06:ratio=12:attack=5:release=80:makeup=4"
DENSE: Final = "aecho=0.8:0.88:23|41|67|97|151:0.6|0.5|0.4|0.35|0.3"
ROOM_S: Final = 1.2
LOUDEST: Final = 0.7


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a recording, in this order.

    Parameters
    ----------
    from_s, seconds
        Which part of it: ``seconds`` of what comes out, the whole for none.
    noise_db
        White noise, so far below the sound as a whole.
    room
        Whether it is played in a room: 60 dB less after 1.2 s, 3 dB below what comes directly.
    semitones, tempo
        By rubberband; ``tempo`` 1.04 plays in 1 / 1.04 of the time.
    speed
        As a record that turns faster: pitch rises with it.
    filters
        Of ffmpeg.
    codec
        And kb/s of a file in stereo: ``mp3 64``.
    """

    from_s: float = 0.0
    seconds: float = 0.0
    noise_db: float = 0.0
    room: bool = False
    semitones: float = 0.0
    tempo: float = 1.0
    speed: float = 1.0
    filters: str = ""
    codec: str = ""

    @property
    def faster(self) -> float:
        """Seconds of ours in a second of what comes out."""
        return self.tempo * self.speed

    @property
    def octaves(self) -> float:
        """How much higher it comes out."""
        return self.semitones / 12 + float(np.log2(self.speed))


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """What prints get to hear, and the truth: at ``t`` seconds it plays ``ours_from_s + t * faster`` of the track.

    ``late`` samples of what is kept are the codec's own, and left out.
    """

    track: Track
    condition: str
    path: Path
    late: int
    ours_from_s: float
    faster: float
    octaves: float

    @property
    def wide(self) -> Mono:
        """The sound at 22.05 kHz."""
        kept: NDArray[np.int16] = np.load(self.path)
        return kept[self.late :].astype(np.float32) / np.float32(32_768)

    @property
    def samples(self) -> Mono:
        """The sound at 11.025 kHz."""
        return lower(self.wide)


def lower(wide: Mono) -> Mono:
    """Make 11.025 kHz of 22.05, quickly, as whoever listens to a million files does."""
    return np.asarray(soxr.resample(wide, WIDE, RATE, quality="QQ"), np.float32)


Drawn = Callable[[np.random.Generator], Change]


def _always(change: Change) -> Drawn:
    return lambda _: change


def _together(rng: np.random.Generator) -> Change:
    """Pitch, tempo, equaliser and MP3 always; a speed that is not 1, and noise, of every second."""
    return Change(
        semitones=float(rng.uniform(-2, 2)),
        tempo=1 + float(rng.uniform(-0.08, 0.08)),
        speed=1 + float(rng.uniform(-0.05, 0.05)) * float(rng.random() < 0.5),
        noise_db=15.0 * float(rng.random() < 0.5),
        filters=attacks.EQ,
        codec="mp3 64",
    )


def _clip(seconds: float, whole: Drawn) -> Drawn:
    return lambda rng: replace(whole(rng), seconds=seconds, from_s=float(rng.random()))


CODECS: Final = ("vorbis 160", "opus 32", "opus 48", "opus 75", "mp3 64", "mp3 96", "mp3 128", "aac 64")
CLIPS_S: Final = (3, 5, 10, 30)
LAUNDER: Final = Change(semitones=1, tempo=1.04, filters=attacks.EQ, codec="mp3 64")
MIRRORED: Final[Mapping[str, Drawn]] = {codec: _always(Change(codec=codec)) for codec in CODECS}
LAUNDERED: Final[Mapping[str, Drawn]] = {
    **{f"pitch {n:+d}": _always(Change(semitones=n)) for n in (-2, -1, 1, 2)},
    **{f"tempo {n:+d} %": _always(Change(tempo=1 + n / 100)) for n in (-8, -4, 4, 8)},
    **{f"speed {n:+d} %": _always(Change(speed=1 + n / 100)) for n in (-5, -3, 3, 5)},
    "equaliser": _always(Change(filters=attacks.EQ)),
    "noise 15 dB": _always(Change(noise_db=15)),
    "launder": _always(LAUNDER),
    "together": _together,
}
CHANGED: Final[Mapping[str, Drawn]] = {
    "compressor 12:1": _always(Change(filters=COMPRESSOR)),
    "reverb, dense": _always(Change(filters=DENSE)),
    "reverb, room": _always(Change(room=True)),
}
CLIPS: Final[Mapping[str, Drawn]] = {
    **{f"clip {n} s": _clip(n, _always(Change())) for n in CLIPS_S},
    **{f"together {n} s": _clip(n, _together) for n in CLIPS_S},
}
CONDITIONS: Final[Mapping[str, Drawn]] = {"as it is": _always(Change()), **MIRRORED, **LAUNDERED, **CHANGED, **CLIPS}
"""By name; a clip's ``from_s`` is the share of what it could begin at."""


def query(track: Track, condition: str) -> Query:
    """Give a track as a condition leaves it, of what was made before where it is there."""
    rng = np.random.default_rng([20, *hashlib.blake2b(f"{condition}, {track.name}".encode(), digest_size=8).digest()])
    change = CONDITIONS[condition](rng)
    if change.seconds:
        change = replace(change, from_s=change.from_s * max(0.0, track.seconds - change.seconds * change.faster))
    digest = hashlib.blake2b(repr((WIDE, change, track.path.stem)).encode(), digest_size=12).hexdigest()
    path = KEPT / "attacked" / f"{digest}.npy"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        samples = changed(print_sounds.sound(track, WIDE), change)
        part = path.with_suffix(f".{os.getpid()}.npy")
        np.save(part, np.clip(np.rint(samples * 32_768), -32_768, 32_767).astype(np.int16))
        part.replace(path)
    return Query(track, condition, path, _late(change.codec), change.from_s, change.faster, change.octaves)


def changed(samples: Mono, change: Change) -> Mono:
    """Do to mono sound at 22.05 kHz what a change says, and give it so."""
    first = round(change.from_s * WIDE)
    last = first + round(change.seconds * change.faster * WIDE) if change.seconds else len(samples)
    samples = samples[first:last] * np.float32(LOUDEST / max(1e-6, float(np.abs(samples).max())))
    rng = np.random.default_rng(15)
    if change.noise_db:
        level = np.sqrt(np.mean(np.square(samples, dtype=np.float64))) * 10 ** (-change.noise_db / 20)
        samples += np.float32(level) * rng.standard_normal(len(samples), dtype=np.float32)
    if change.room:
        samples = _in_a_room(samples, rng)
    return _heard(samples, _filters(change), change.codec)


def _in_a_room(samples: Mono, rng: np.random.Generator) -> Mono:
    seconds = np.arange(round(ROOM_S * WIDE)) / WIDE
    tail = rng.standard_normal(len(seconds)) * 10 ** (-3 * seconds / ROOM_S)
    tail *= 10 ** (-3 / 20) / np.sqrt(np.square(tail).sum())
    tail[0] = 1
    wet: Mono = fftconvolve(samples, tail.astype(np.float32))[: len(samples)]
    return wet * np.float32(LOUDEST / max(1e-6, float(np.abs(wet).max())))


def _filters(change: Change) -> str:
    words = []
    if change.semitones or change.tempo != 1:
        words.append(f"rubberband=pitch={2 ** (change.semitones / 12):.8f}:tempo={change.tempo:.8f}")
    if change.speed != 1:
        words.append(f"asetrate={round(WIDE * change.speed)},aresample={WIDE}")
    return ",".join([*words, *filter(None, [change.filters])])


def _heard(samples: Mono, filters: str, codec: str) -> Mono:
    """Filter, encode and decode, from memory to memory."""
    raw = ["-f", "f32le", "-ac", "1"]
    out = ["-f", "f32le", "-ac", "1", "-ar", str(WIDE), "-"]
    graph = ["-af", filters] if filters else []
    if not codec:
        return _piped(samples.tobytes(), [*raw, "-ar", str(WIDE), "-i", "-", *graph, *out])
    form, kilobits = codec.split()
    coded = ["-c:a", *FORMS[form].split(), "-b:a", f"{float(kilobits) / 2}k", "-write_xing", "0"]
    if form != "mp3":
        coded = coded[:-2]
    if form == "aac":
        coded += ["-aac_coder", "fast"]
    data = _ffmpeg(samples.tobytes(), [*raw, "-ar", str(WIDE), "-i", "-", *graph, *coded, "-"])
    return _piped(data, ["-i", "-", *out])


def _piped(data: bytes, words: list[str]) -> Mono:
    return np.frombuffer(_ffmpeg(data, words), np.float32)


def _ffmpeg(data: bytes, words: list[str]) -> bytes:
    command = [str(shutil.which("ffmpeg")), "-nostdin", "-v", "error", "-threads", "1", *words]
    return subprocess.run(command, input=data, check=True, stdout=subprocess.PIPE).stdout


@dataclass(frozen=True, slots=True, eq=False)
class Compilation:
    """A file with several tracks in it.

    Parameters
    ----------
    wide
        Its sound at 22.05 kHz.
    parts
        Which tracks: from, to, and where in ours that begins, in seconds.
    """

    wide: Mono
    parts: tuple[tuple[Track, float, float, float], ...]

    @property
    def samples(self) -> Mono:
        """Its sound at 11.025 kHz."""
        return lower(self.wide)


def compilations(tracks: list[Track], n: int = 8, each: int = 8, fade_s: float = 4.0) -> Iterator[Compilation]:
    """Put tracks together, 25 to 50 seconds of each, and encode the file as MP3 at 96 kb/s.

    Every second file fades from track to track; the others join them hard.  Where one track fades into the next, both
    are there: a part is told from and to the middle of its fades.
    """
    rng = np.random.default_rng(8)
    order = [tracks[i] for i in rng.permutation(len(tracks)) if tracks[i].seconds >= 52]
    for file in range(n):
        fade = round(fade_s * WIDE) if file % 2 else 0
        whole, parts = np.zeros(0, np.float32), []
        for track in order[file * each : (file + 1) * each]:
            samples = print_sounds.sound(track, WIDE)
            seconds = float(rng.uniform(25, 50))
            first = round(float(rng.uniform(0, track.seconds - seconds)) * WIDE)
            part = samples[first : first + round(seconds * WIDE)]
            part = part * np.float32(LOUDEST / max(1e-6, float(np.abs(part).max())))
            whole, at, over = _joined(whole, part, fade)
            parts.append((track, (at + over / 2) / WIDE, (at + len(part) - fade / 2) / WIDE, (first + over / 2) / WIDE))
        track, from_s, _, ours_from_s = parts[-1]
        parts[-1] = (track, from_s, len(whole) / WIDE, ours_from_s)
        yield Compilation(_heard(whole, "", CODEC)[_late(CODEC) :], tuple(parts))


def _late(codec: str) -> int:
    return LATE.get(codec.partition(" ")[0], 0)


def _joined(whole: Mono, part: Mono, fade: int) -> tuple[Mono, int, int]:
    """Put a part behind a whole; also gives where it begins, and how long both are heard."""
    over = fade if len(whole) else 0
    rising: NDArray[np.float32] = np.sqrt(np.linspace(0, 1, over, dtype=np.float32))
    at = len(whole) - over
    both = whole[at:] * rising[::-1] + part[:over] * rising
    return np.concatenate([whole[:at], both, part[over:]]), at, over


def main() -> None:
    """Say what each condition costs."""
    for track in print_sounds.recordings("real", 1):
        for name in CONDITIONS:
            begun = time.perf_counter()
            got = query(track, name)
            print(f"{name:16} {time.perf_counter() - begun:5.2f} s, {len(got.samples) / RATE:6.2f} s of sound")


if __name__ == "__main__":
    main()
