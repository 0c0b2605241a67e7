"""How much CPU does it take to make a print, to look it up, and to compare it?

Real recordings of the half to report on, as stereo at 44.1 kHz that is decoded already.  A row a step, in CPU
milliseconds of one core, the best of three, kernels compiled before: of a minute of sound for what is done to every
recording, of a query for what is done to a copy (MP3 at 64 kb/s) that is looked for among all of them.  Programs of
others hear the same as WAV files; theirs is all that they do to put a recording into their index.

    FPCALC=... OLAF=... python bench/prints_speed.py [--queries 40] [--out FILE]
"""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import print_peers
import print_sounds
import soundfile
import soxr
from marking import cpu_s
from measure import options, write
from numpy.typing import NDArray
from print_attacks import query

from riparian.audio.pcm import Sound
from riparian.audio.resample import mono_at
from riparian.prints.align import Query, align
from riparian.prints.build import build
from riparian.prints.index import Index
from riparian.prints.keys import PrintKey
from riparian.prints.landmarks import peaks
from riparian.prints.packing import pack, unpack
from riparian.prints.peaks import RATE
from riparian.prints.sketch import asked, sketch

KEY: Final = PrintKey(hashlib.sha256(b"prints_speed").digest())
K: Final = 64
CD: Final = 44_100
TIMES: Final = 3


def main() -> None:
    """Measure every step on the same recordings, and write the means."""
    given = options(__doc__, queries=40)
    tracks = list(print_sounds.recordings("real", n=given.queries, half="report"))
    stereo = [_stereo(print_sounds.sound(track, print_sounds.WIDE)) for track in tracks]
    minutes = sum(one.seconds for one in stereo) / 60
    heard = [mono_at(one, RATE) for one in stereo]
    prints = [peaks(one, KEY) for one in heard]
    packed = [pack(one) for one in prints]
    sketches = [sketch(one, KEY, K) for one in prints]
    owners = np.repeat(np.arange(len(tracks)), [one.size for one in sketches])
    index = Index((build(np.concatenate(sketches), owners, KEY, K),))
    copies = [peaks(query(track, "mp3 64").samples, KEY) for track in tracks]
    lookups = [asked(one, KEY, K) for one in copies]
    shapes = [Query(one) for one in copies]
    n = len(tracks)
    steps: list[tuple[str, str, Callable[[int], object], float]] = [
        ("mono, at 11,025 Hz", "a minute", lambda i: mono_at(stereo[i], RATE), minutes),
        ("peaks", "a minute", lambda i: peaks(heard[i], KEY), minutes),
        ("sketch of 64", "a minute", lambda i: sketch(prints[i], KEY, K), minutes),
        ("packed", "a minute", lambda i: pack(prints[i]), minutes),
        ("hashes of a query", "a query", lambda i: asked(copies[i], KEY, K), n),
        ("looked up among these", "a query", lambda i: index.candidates(lookups[i], 200), n),
        ("shapes of a query", "a query", lambda i: Query(copies[i]), n),
        ("unpacked", "a pair", lambda i: unpack(packed[i]), n),
        ("aligned with its original", "a pair", lambda i: align(shapes[i], prints[i]), n),
        ("aligned with another", "a pair", lambda i: align(shapes[i], prints[i - 1]), n),
    ]
    rows: list[dict[str, object]] = []
    for what, of, step, among in steps:
        step(0)
        spent = sum(cpu_s(lambda i=i, step=step: step(i), TIMES) for i in range(n))  # type: ignore[misc]
        rows.append({"what": what, "of": of, "cpu_ms": f"{spent / among * 1e3:.1f}"})
    print_ms = sum(float(str(row["cpu_ms"])) for row in rows if row["of"] == "a minute")
    rows.insert(4, {"what": "all of a print", "of": "a minute", "cpu_ms": f"{print_ms:.1f}"})
    write([*rows, *peers(stereo, minutes)], given.out, "prints_speed")


def peers(stereo: list[Sound], minutes: float) -> list[dict[str, object]]:
    """Measure what programs of others take to put the same recordings into their index."""
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / f"{i}.wav" for i in range(len(stereo))]
        for file, sound in zip(files, stereo, strict=True):
            soundfile.write(file, sound.samples.T, CD, subtype="PCM_16")
        for peer in print_peers.peers(Path(name)):
            if peer.name != "audfprint":
                peer.learn(files)
                rows.append({"what": peer.name, "of": "a minute", "cpu_ms": f"{peer.cpu_s / minutes * 1e3:.1f}"})
    return rows


def _stereo(mono: NDArray[np.float32]) -> Sound:
    louder = soxr.resample(mono, print_sounds.WIDE, CD)
    return Sound(np.stack([louder, louder * np.float32(0.8)]), CD)


if __name__ == "__main__":
    main()
