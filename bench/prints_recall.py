"""How often is the right recording among the candidates, and then recognised?

Bars 1 and 2.  Recordings of the half to report on are changed by the conditions of ``print_attacks`` and looked for
among all: ``first`` says how often the right one has most votes.  A catalogue of ten million has more that may have as
many by chance; it is ``found`` where, asked for near or far, it has more votes than all but the thousand candidates of
ten million foreign recordings that are looked at, by the votes that foreign recordings of this catalogue have for
queries as long.  (Recordings of the same package are no foreign ones, for albums come back to their themes, nor are
those that go together with the right one: neither grow with the catalogue.)  It is ``recognised`` where,
moreover, it is aligned with the query at the right place and speed, and better than anything wrong was.

A sketch of a whole file has the values that the bar allows.  Clips are as likely to hit a sketch as values lie densely
in it, so there an excerpt of 80 seconds has only as many as it would have of a track of three and a half minutes.

    python bench/prints_recall.py --tracks 100 --mirrors 400
"""

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import print_attacks
import prints_held
from measure import write
from numpy.typing import NDArray
from print_attacks import CHANGED, LAUNDERED, MIRRORED
from print_sounds import Track, recordings
from prints_side_by_side import EXCERPT_S, SONG_S, rate

from riparian.prints.align import Query, align
from riparian.prints.hashes import Asking
from riparian.prints.peaks import Peaks
from riparian.prints.search import most
from riparian.prints.sketch import asked

Row = dict[str, object]

RECORDINGS: Final = 10_000_000
ASKED: Final = (Asking.NEAR, Asking.FAR)
SCORE: Final = 20.0
"""No wrong candidate of the programs in this folder has reached it."""
NOTHING: Final = 24.0
"""Votes of a single hit, and less."""
PLACE_S: Final = 0.5
FASTER: Final = 0.005
WHOLE: Final = ("as it is", *MIRRORED, *LAUNDERED, *CHANGED)
BARS: Final = (
    *((condition, 256, False) for condition in WHOLE),
    *((condition, 1024, True) for condition in ("clip 30 s", "together 30 s")),
    *((condition, 4096, True) for condition in ("clip 10 s", "together 10 s", "clip 5 s", "together 5 s", "clip 3 s")),
)
"""Condition, bytes of a sketch of a track, and whether values lie no denser than in three and a half minutes."""


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """What became of the queries of one condition.

    Parameters
    ----------
    octets
        Of a sketch.
    right : np.ndarray [shape=(2, n)]
        Votes for the right recording, asked for near and far.
    first : np.ndarray [shape=(n,), bool]
        Whether nothing has more, asked for near.
    aligned : np.ndarray [shape=(n,), bool]
        Whether the right one is recognised if it is a candidate.
    foreign : two np.ndarray [shape=(m,)]
        Votes above nothing, of foreign recordings.
    pairs
        How many foreign pairs there were.
    lookups, cpu_ms
        Of a query, in the mean, near.
    """

    condition: str
    octets: int
    right: NDArray[np.float64]
    first: NDArray[np.bool_]
    aligned: NDArray[np.bool_]
    foreign: tuple[NDArray[np.float64], NDArray[np.float64]]
    pairs: int
    lookups: float
    cpu_ms: float


class Catalogue:
    """All recordings, their peaks, and an index for each size of sketch."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self.tracks = tuple(tracks)
        self.prints: list[Peaks] = [prints_held.of_track(track) for track in tracks]
        self.packages = np.array([track.name.partition("/")[0] for track in tracks])
        self._held: dict[int, prints_held.Held] = {}
        self._foreign: dict[tuple[int, int], bool] = {}

    def held(self, k: int) -> prints_held.Held:
        """Give the index with sketches of ``k`` values."""
        if k not in self._held:
            self._held[k] = prints_held.held(self.prints, k)
        return self._held[k]

    def foreign(self, number: int, votes: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which recordings are foreign to one; those with few votes are not looked at closely."""
        foreign: NDArray[np.bool_] = self.packages != self.packages[number]
        for other in np.flatnonzero(foreign & (votes > NOTHING)).tolist():
            pair = (number, other)
            if pair not in self._foreign:
                spans = align(Query(self.prints[number]), self.prints[other])
                self._foreign[pair] = all(span.score < SCORE for span in spans)
            foreign[other] = self._foreign[pair]
        return foreign


def trials(catalogue: Catalogue, numbers: Sequence[int], condition: str, octets: int, *, dense: bool) -> Trials:
    """Ask for some recordings of a catalogue, as a condition leaves them."""
    k = round(octets / 4 * (EXCERPT_S / SONG_S if dense else 1.0))
    index = catalogue.held(k).index
    right, first, aligned, lookups = [], [], [], []
    foreign: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
    pairs, spent = 0, 0.0
    for number in numbers:
        track = catalogue.tracks[number]
        query = print_attacks.query(track, condition)
        heard = prints_held.of_attacked(f"{condition}, {query.path.stem}", query.samples)
        of_right = []
        for asking, beyond in zip(ASKED, foreign, strict=True):
            begun = time.process_time()
            values = asked(heard, prints_held.KEY, k, asking)
            got = index.candidates(values, len(catalogue.tracks))
            took = time.process_time() - begun
            votes = np.zeros(len(catalogue.tracks))
            votes[got.recording] = got.votes
            others = catalogue.foreign(number, votes)
            of_right.append(votes[number])
            beyond.append(votes[others & (votes > 0)])
            if asking is Asking.NEAR:
                first.append(votes[number] > 0 and votes[number] == votes.max())
                pairs += int(others.sum())
                lookups.append(values.size)
                spent += took
        right.append(of_right)
        aligned.append(_is_recognised(heard, catalogue.prints[number], query))
    return Trials(
        condition,
        octets,
        np.array(right).T,
        np.array(first),
        np.array(aligned),
        (np.concatenate(foreign[0]), np.concatenate(foreign[1])),
        pairs,
        float(np.mean(lookups)),
        1000 * spent / len(numbers),
    )


def _is_recognised(heard: Peaks, ours: Peaks, query: print_attacks.Query) -> bool:
    spans = align(Query(heard), ours)
    if not spans:
        return False
    best = max(spans, key=lambda span: span.score)
    middle = (best.query_from_s + best.query_to_s) / 2
    placed = (best.ours_from_s + best.ours_to_s) / 2 - (query.ours_from_s + middle * query.faster)
    return best.score >= SCORE and abs(placed) <= PLACE_S and abs(math.log(best.speed / query.faster)) <= FASTER


def told(all_of_them: Sequence[Trials]) -> Iterator[Row]:
    """Count, with a level of votes for each kind of query: as long, and as large a sketch."""
    for one in all_of_them:
        alike = [other for other in all_of_them if (other.octets, _length(other)) == (one.octets, _length(one))]
        pairs = sum(other.pairs for other in alike)
        beyond = math.ceil(pairs * most(RECORDINGS) / RECORDINGS)
        levels = []
        for i in range(len(ASKED)):
            foreign = np.sort(np.concatenate([other.foreign[i] for other in alike]))[::-1]
            # Who has no two values in common with the query is not looked at.
            levels.append(max(NOTHING, foreign[beyond - 1] if beyond <= foreign.size else 0.0))
        found = (one.right > np.array(levels)[:, None]).any(0)
        n = found.size
        yield {
            "condition": one.condition,
            "bytes": one.octets,
            "queries": n,
            "first": rate(int(one.first.sum()), n),
            "found": rate(int(found.sum()), n),
            "recognised": rate(int((found & one.aligned).sum()), n),
            "foreign_pairs": pairs,
            "level": f"{levels[0]:.1f}",
            "level_far": f"{levels[1]:.1f}",
            "foreign_beyond": sum(int((other.foreign[0] > NOTHING).sum()) for other in alike),
            "votes": f"{np.median(one.right[0]):.1f}",
            "lookups": round(one.lookups),
            "cpu_ms": f"{one.cpu_ms:.1f}",
        }


def _length(one: Trials) -> str:
    return one.condition.removeprefix("clip ").removeprefix("together ") if " s" in one.condition else "whole"


def main() -> None:
    """Measure, and write the table."""
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    words.add_argument("--tracks", type=int, default=100)
    words.add_argument("--mirrors", type=int, default=1000, help="tracks of which there are mirrored files")
    words.add_argument("--clips", type=int, default=100, help="tracks of which there are clips")
    words.add_argument("--half", choices=["choose", "report"], default="report")
    words.add_argument("--kinds", default="real,rendered", help="of the catalogue; asked for are real ones")
    words.add_argument("--conditions", default="", help="divided by semicolons; default: all")
    words.add_argument("--out", type=Path, default=None, help="where the CSV goes; default: docs/bench")
    args = words.parse_args()
    catalogue = Catalogue(list(recordings(args.kinds)))
    numbers = [i for i, track in enumerate(catalogue.tracks) if track.kind == "real" and track.half == args.half]
    chosen = [bar for bar in BARS if not args.conditions or bar[0] in args.conditions.split(";")]
    done: list[Trials] = []
    # Clips cost least to make, and come first; the table has all of them so far, in the order of the bars.
    for condition, octets, dense in reversed(chosen):
        asked_for = numbers[: args.clips if dense else args.mirrors if condition in MIRRORED else args.tracks]
        done.insert(0, trials(catalogue, asked_for, condition, octets, dense=dense))
        print(*next(told(done)).values(), flush=True)
        write(told(done), args.out, "prints_recall")


if __name__ == "__main__":
    main()
