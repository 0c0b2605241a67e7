"""The same recordings and the same queries, for prints and for programs of others.

The catalogue is excerpts of 80 seconds; those of its recordings that are asked for are of the half that no parameter
was chosen on.  Recordings that were left out of it say how often each program claims to know what it does not.
Each answers with its best recording where that reaches its own threshold; ours tells what has a chance of error of
``ERROR`` at most, by mistakes that recordings of the catalogue's other half make among each other.

Ours is asked twice: with 64 values of each recording in its index (256 bytes), and with as many as a track of three and
a half minutes has in 4 kB.

``prints_side_by_side.csv`` has a row a condition: how many of the queries are found, with the exact interval that holds
the rate with 95 %.  ``prints_side_by_side_cost.csv`` has a row a program: false answers, bytes and CPU time.
What programs answered is kept in the system's folder for temporary files; one that was asked is not asked again.

    FPCALC=... AUDFPRINT=... OLAF=... python bench/prints_side_by_side.py
"""

import argparse
import csv
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import print_attacks
import print_peers
import prints_held
import soundfile
from measure import write
from print_attacks import CHANGED, LAUNDERED
from print_peers import Answer, Peer
from print_sounds import KEPT, WIDE, Mono, Track, recordings, sound
from scipy.stats import beta

from riparian.prints import landmarks, null
from riparian.prints.match import drawn, match
from riparian.prints.packing import pack
from riparian.prints.peaks import Peaks

Row = dict[str, object]

ERROR: Final = 0.01
SONG_S, EXCERPT_S = 210.0, 80.0
CONDITIONS: Final = (
    *("mp3 64", "opus 32"),
    *LAUNDERED,
    *CHANGED,
    *("clip 30 s", "clip 10 s", "clip 5 s", "together 30 s", "together 10 s", "together 5 s"),
)
LEFT_OUT: Final = ("mp3 64", "clip 10 s")
DRAWN: Final = 100


class Ours:
    """Prints, through the functions of their room."""

    def __init__(self, name: str, k: int) -> None:
        self.name = name
        self.cpu_s = 0.0
        self._k = k
        self._files: list[str] = []
        self._prints: list[Peaks] = []

    def learn(self, files: Sequence[Path]) -> None:
        """Put files into the index."""
        begun = time.process_time()
        self._files = [file.name for file in files]
        self._prints = [_peaks(file) for file in files]
        self._held = prints_held.held(self._prints, self._k)
        self.cpu_s += time.process_time() - begun
        self._null = mistakes(self._held, [i for i, file in enumerate(files) if file.name.startswith("choose")])

    def ask(self, files: Sequence[Path]) -> list[Answer]:
        """Give the best for each file."""
        begun = time.process_time()
        answers = [self._best(_peaks(file)) for file in files]
        self.cpu_s += time.process_time() - begun
        return answers

    def octets(self) -> float:
        """Four bytes a value of a sketch, and packed peaks."""
        return 4.0 * self._k * len(self._prints) + sum(len(pack(one)) for one in self._prints)

    def _best(self, heard: Peaks) -> Answer:
        answers = match(heard, self._held, self._null, subject=0, at_us=0).answers
        if not answers or answers[0].error > ERROR:
            return "", 0.0
        return self._files[answers[0].recording], -float(np.log10(max(answers[0].error, 1e-300)))


def mistakes(held: prints_held.Held, numbers: Sequence[int]) -> null.Null:
    """Look for some of those recordings among the others, whole and for ten seconds of each."""
    rows = [drawn(number, length_s, held) for number in numbers[:DRAWN] for length_s in (math.inf, 10.0)]
    return null.fit(null.Draws(*map(np.array, zip(*rows, strict=True))), held.recordings)


def _peaks(file: Path) -> Peaks:
    wide, _ = soundfile.read(file, dtype="float32")
    return landmarks.peaks(print_attacks.lower(wide), prints_held.KEY)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked: conditions on tracks of the catalogue, and on tracks that were left out of it."""

    catalogue: tuple[Track, ...]
    asked: tuple[tuple[str, Track], ...]

    @classmethod
    def of(cls, catalogue: int, tracks: int, left_out: int) -> "Trial":
        """Take the first recordings, and ask for the first of them that are to report on."""
        real = list(recordings("real"))
        known, unknown = real[:catalogue], real[catalogue : catalogue + left_out]
        report = [track for track in known if track.half == "report"][:tracks]
        asked = [(condition, track) for condition in CONDITIONS for track in report]
        return cls(tuple(known), (*asked, *((condition, track) for condition in LEFT_OUT for track in unknown)))


def answers(peer: Peer, trial: Trial) -> Iterator[Row]:
    """Let a program learn the catalogue, and ask it everything."""
    minutes = sum(track.seconds for track in trial.catalogue) / 60
    with tempfile.TemporaryDirectory(dir=KEPT) as name:
        folder = Path(name)
        ours = [_written(folder / f"{_file(track)}.wav", sound(track, WIDE)) for track in trial.catalogue]
        peer.learn(ours)
        learn_ms = 1000 * peer.cpu_s / minutes
        for file in ours:
            file.unlink()
        peer.cpu_s = 0.0
        for condition in dict.fromkeys(condition for condition, _ in trial.asked):
            queries = [print_attacks.query(track, condition) for c, track in trial.asked if c == condition]
            files = [_written(folder / f"{i}.wav", query.wide) for i, query in enumerate(queries)]
            before = peer.cpu_s
            got = peer.ask(files)
            spent = 1000 * (peer.cpu_s - before) / (sum(soundfile.info(file).duration for file in files) / 60)
            learnt = {"octets": peer.octets() / len(ours), "learn_ms": learn_ms}
            for query, (found, score) in zip(queries, got, strict=True):
                is_ours = query.track in trial.catalogue
                right = found == f"{_file(query.track)}.wav"
                row = {"program": peer.name, "condition": condition, "ours": is_ours, "track": query.track.name}
                yield row | {"found": bool(found), "right": right, "score": score, "ask_ms": spent} | learnt


def _file(track: Track) -> str:
    return f"{track.half}-{track.path.stem}"


def _written(path: Path, samples: Mono) -> Path:
    soundfile.write(path, np.clip(samples, -1, 1), WIDE, subtype="PCM_16")
    return path


def rate(hits: int, n: int) -> str:
    """Write a rate with its exact interval (Clopper and Pearson, 95 %).

    Examples
    --------
    >>> rate(20, 20), rate(0, 72)
    ('1.00 (0.83-1.00)', '0.00 (0.00-0.05)')
    """
    low = beta.ppf(0.025, hits, n - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1.0
    return f"{hits / n:.2f} ({low:.2f}-{high:.2f})"


def by_condition(rows: Sequence[Row]) -> Iterator[Row]:
    """Count what each program found."""
    programs = list(dict.fromkeys(str(row["program"]) for row in rows))
    for condition in CONDITIONS:
        these = [row for row in rows if row["condition"] == condition and row["ours"] == "True"]
        n = len({row["track"] for row in these})
        right = {name: sum(row["right"] == "True" for row in these if row["program"] == name) for name in programs}
        yield {"condition": condition, "queries": n, **{name: rate(right[name], n) for name in programs}}


def by_program(rows: Sequence[Row]) -> Iterator[Row]:
    """Say what each program costs, and how often it claims to know what it does not."""
    for name in dict.fromkeys(str(row["program"]) for row in rows):
        these = [row for row in rows if row["program"] == name]
        false = {}
        for condition in LEFT_OUT:
            unknown = [row for row in these if row["ours"] != "True" and row["condition"] == condition]
            false[f"false_{condition.replace(' ', '_')}"] = rate(
                sum(row["found"] == "True" for row in unknown), len(unknown)
            )
        wrong = sum(row["found"] == "True" and row["right"] != "True" for row in these if row["ours"] == "True")
        asked = [float(str(row["ask_ms"])) for row in these if row["condition"] == "mp3 64" and row["ours"] == "True"]
        yield {
            "program": name,
            **false,
            "another": wrong,
            "bytes": round(float(str(these[-1]["octets"]))),
            "learn_ms": round(float(str(these[-1]["learn_ms"]))),
            "ask_ms": round(float(np.mean(asked))),
        }


def _kept(name: str) -> Path:
    return KEPT / "side_by_side" / f"{name}.csv"


def main() -> None:
    """Ask those that were not asked before, and write the tables."""
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    words.add_argument("--catalogue", type=int, default=400)
    words.add_argument("--tracks", type=int, default=34)
    words.add_argument("--left-out", type=int, default=72)
    words.add_argument("--programs", default="", help="to ask now, divided by commas; default: all")
    words.add_argument("--out", type=Path, default=None, help="a folder for the CSVs; default: docs/bench")
    args = words.parse_args()
    trial = Trial.of(args.catalogue, args.tracks, args.left_out)
    _kept("all").parent.mkdir(exist_ok=True)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        ours = [Ours("ours 256 B", 64), Ours("ours 4 kB", round(1024 * EXCERPT_S / SONG_S))]
        for peer in [*ours, *print_peers.peers(Path(folder))]:
            wanted = not args.programs or peer.name.partition(" ")[0] in args.programs.split(",")
            if wanted and not _kept(peer.name).exists():
                write(answers(peer, trial), _kept(peer.name), peer.name)
            if not _kept(peer.name).exists():
                continue
            with _kept(peer.name).open(newline="", encoding="utf-8") as file:
                rows += list(csv.DictReader(file))
    for table, made in (("prints_side_by_side", by_condition(rows)), ("prints_side_by_side_cost", by_program(rows))):
        write(made, args.out / f"{table}.csv" if args.out else None, table)


if __name__ == "__main__":
    main()
