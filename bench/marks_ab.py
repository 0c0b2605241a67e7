"""Who leaked, where an edge chose between two renditions by the second?  One alone, and rings.

``marks_ab.csv`` is of one leaker: tracks of three minutes, two renditions, each coded by itself (AAC, 128 kb/s); of
each second the one that the leaker's word says; then an attack on the whole.  Columns are as of
``marks_robust.csv``.

``marks_rings.csv`` is of rings that mix their copies of several tracks, by a rule, second by second, and code the
result as MP3 at 128 kb/s: by turns (each second is somebody's, by lot), by the mean, by the value that fewest have, by
the toss of a coin where they differ.  A library is caught when one at least of the ring is named.  Larger rings are
simulated: ``bench/guarantee_marks.py``.  ``--library strings,speech --rings 2x2`` chooses tracks, and rings of two that
leak two of them.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import attacks
import marking
import numpy as np
import sounds
from attacks import Attack
from marks_robust import Row, pivot
from measure import write
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.marks.code import Tier
from riparian.marks.embed import embed_pair
from riparian.marks.layout import VARIANT_GROUPS
from riparian.marks.reading import Reading

SECONDS: Final = 180.0
DELIVERY: Final = attacks.coded("aac", "-b:a", "128k")
RULES: Final = ("turns", "mean", "fewest", "coin")
TRACKS: Final = "quiet,drone,strings,bass,harp,speech"
"""Those on which a minute has least bits, or that are changed most."""
REAL: Final = ((2, 3), (5, 15))
"""Rings of so many, with as many tracks each."""
LIBRARY: Final = ",".join(track.name for track in (*sounds.TRACKS, *sounds.FURTHER))


class Delivery:
    """Two renditions of a track, as they come out of a decoder."""

    def __init__(self, name: str, sound: Sound, delivery: Attack) -> None:
        self.master = marking.Master.of(name, sound, VARIANT_GROUPS)
        pair = [delivery(side) for side in embed_pair(sound, self.master.pattern, self.master.layout)]
        n = min(side.samples.shape[1] for side in pair)
        self.rising, self.falling = (side.samples[:, :n] for side in pair)

    def mixed(self, signs: NDArray[np.float64]) -> Sound:
        """Give each second as a mean of the two: +1 is the one, -1 the other; shape of signs=(chunks,)."""
        rate = self.master.sound.rate
        each = self.master.layout.chunk_samples(rate)
        share = np.repeat((signs + 1) / 2, each)[: self.rising.shape[1]].astype(np.float32)
        return Sound(self.falling + share * (self.rising - self.falling), rate)


def mixture(spoken: NDArray[np.int8], rule: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Mix words; shape=(copies, chunks) to shape=(chunks,), -1 to 1."""
    mean: NDArray[np.float64] = spoken.mean(axis=0)
    differ = np.abs(mean) < 1
    if rule == "turns":
        mean = spoken[rng.integers(len(spoken), size=mean.size), np.arange(mean.size)].astype(np.float64)
    elif rule == "fewest":
        mean = np.where(differ & (mean != 0), -np.sign(mean), np.where(mean == 0, spoken[0], mean))
    elif rule == "coin":
        mean = np.where(differ, rng.choice([-1.0, 1.0], mean.size), mean)
    return mean


def alone(name: str, sound: Sound, by: Mapping[str, Attack], delivery: Attack, n: int) -> Iterator[Row]:
    """Leak one track, attacked in each way."""
    guilty = marking.GUILTY
    track = Delivery(name, sound, delivery)
    copy = track.mixed(track.master.word(guilty, Tier.MANY).ravel().astype(np.float64))
    for attack, change in by.items():
        reading = track.master.read(change(copy))
        who = marking.named(marking.traced([reading], marking.candidates(n), Tier.MANY))
        wrong = len(set(who) - {guilty})
        yield {
            "track": name,
            "attack": attack,
            "bits": marking.bits_of([reading], guilty, Tier.MANY),
            "named": guilty in who,
            "wrong": wrong,
        }


def rings(
    tracks: Sequence[tuple[str, Sound]], sizes: Sequence[tuple[int, int]], delivery: Attack, attack: Attack, n: int
) -> Iterator[Row]:
    """Leak libraries of real sound; as many as the tracks make up."""
    made = [Delivery(name, sound, delivery) for name, sound in tracks]
    for ring, n_tracks in sizes:
        libraries = [made[i : i + n_tracks] for i in range(0, len(made) - n_tracks + 1, n_tracks)]
        for rule in RULES:
            told = [_library(library, ring, rule, attack, n) for library in libraries]
            yield _row(ring, n_tracks, rule, told)


def _library(library: Sequence[Delivery], ring: int, rule: str, attack: Attack, n: int) -> tuple[int, int, float]:
    rng = np.random.default_rng(ring)
    guilty = [marking.GUILTY + 7 * i for i in range(ring)]
    readings = []
    for track in library:
        spoken = np.stack([track.master.word(i, Tier.MANY).ravel() for i in guilty])
        readings.append(track.master.read(attack(track.mixed(mixture(spoken, rule, rng)))))
    return _told(readings, guilty, n)


def _told(readings: Sequence[Reading], guilty: Sequence[int], n: int) -> tuple[int, int, float]:
    found = marking.traced(readings, marking.candidates(n), Tier.MANY)
    who = set(marking.named(found))
    return len(who & set(guilty)), len(who - set(guilty)), max((o.evidence.bits for o in found.named), default=0.0)


def _row(ring: int, n_tracks: int, rule: str, told: Sequence[tuple[int, int, float]]) -> Row:
    return {
        "ring": ring,
        "tracks": n_tracks,
        "rule": rule,
        "libraries": len(told),
        "caught": sum(named > 0 for named, _, _ in told),
        "named_least": min(named for named, _, _ in told),
        "named_most": max(named for named, _, _ in told),
        "innocent": sum(wrong for _, wrong, _ in told),
        "bits_least": f"{min(bits for _, _, bits in told):.0f}",
    }


def _alone(job: tuple[str, str]) -> list[Row]:
    name, names = job
    ((_, sound),) = sounds.tracks(SECONDS, name)
    rows = []
    for row in alone(name, sound, attacks.attacks(names), DELIVERY, marking.ACCOUNTS):
        print(*row.values(), flush=True)
        rows.append(row)
    return rows


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tracks", default=TRACKS)
    parser.add_argument("--attacks", default="")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", choices=("alone", "rings"), default=None)
    parser.add_argument("--library", default=LIBRARY)
    parser.add_argument("--rings", default=",".join(f"{ring}x{tracks}" for ring, tracks in REAL))
    parser.add_argument("--out", type=Path, default=None, help="a folder for the CSVs; default: docs/bench")
    args = parser.parse_args()
    if args.only != "rings":
        with ProcessPoolExecutor(args.jobs) as pool:
            parts = pool.map(_alone, [(name, args.attacks) for name in args.tracks.split(",")])
            table = pivot([row for part in parts for row in part], "bits")
        write(table, args.out / "marks_ab.csv" if args.out else None, "marks_ab")
    if args.only != "alone":
        tracks = list(sounds.tracks(SECONDS, args.library))
        sizes = [(int(ring), int(n)) for ring, _, n in (each.partition("x") for each in args.rings.split(","))]
        found = rings(tracks, sizes, DELIVERY, attacks.ATTACKS["MP3 128k"], marking.ACCOUNTS)
        write(found, args.out / "marks_rings.csv" if args.out else None, "marks_rings")


if __name__ == "__main__":
    main()
