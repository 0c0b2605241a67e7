"""Several tracks in one file: is each of them found, and where it begins and ends?

Bar 3.  Files of eight tracks, 25 to 50 seconds of each, as MP3 at 96 kb/s; the tracks are of the half to report on, and
looked for among all.  Every second file joins them hard, so that there is an instant at which one ends and the next
begins; the others fade for four seconds, in which both are heard, and any instant in them is right.

A track is found where an answer names it, or a duplicate of it, for at least half of the time that it plays.

``prints_compilations.csv`` has a row a way of joining.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import prints_held
from measure import write
from print_attacks import Compilation, compilations
from print_sounds import Track, recordings
from prints_side_by_side import mistakes, rate

from riparian.prints.landmarks import peaks
from riparian.prints.match import Answer, match

Row = dict[str, object]

FADE_S: Final = 4.0
LONG_S: Final = 30.0
EDGE_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Part:
    """A track in a file: how long, whether it was found, and how far its edges are from where they should be."""

    seconds: float
    found: bool
    edges_s: tuple[float, ...]


def parts(file: Compilation, answers: Sequence[Answer], number: dict[Track, int], fade_s: float) -> Iterator[Part]:
    """Compare what was answered with what is there."""
    for track, from_s, to_s, _ in file.parts:
        ours = [one for one in answers if number[track] in {one.recording, one.cluster}]
        spans = [span for one in ours for span in one.spans]
        spans = [span for span in spans if span.query_from_s < to_s and span.query_to_s > from_s]
        if not spans:
            yield Part(to_s - from_s, found=False, edges_s=())
            continue
        begin, end = min(span.query_from_s for span in spans), max(span.query_to_s for span in spans)
        covered = min(end, to_s) - max(begin, from_s) >= (to_s - from_s) / 2
        edges = (abs(begin - from_s), abs(end - to_s))
        yield Part(to_s - from_s, covered, tuple(max(0.0, edge - fade_s / 2) for edge in edges))


def summary(joined: str, all_parts: Sequence[Part], wrong: int) -> Row:
    """Count."""
    long_ones = [part for part in all_parts if part.seconds >= LONG_S]
    edges = np.array([edge for part in all_parts if part.found for edge in part.edges_s])
    return {
        "joined": joined,
        "tracks": len(all_parts),
        "found": rate(sum(part.found for part in all_parts), len(all_parts)),
        "long": len(long_ones),
        "long_found": rate(sum(part.found for part in long_ones), len(long_ones)),
        "edges": edges.size,
        "edges_near": rate(int((edges <= EDGE_S).sum()), edges.size),
        "edge_median_s": f"{np.median(edges):.3f}",
        "edge_95_s": f"{np.quantile(edges, 0.95):.2f}",
        "wrong": wrong,
    }


def main() -> None:
    """Measure, and write the table."""
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    words.add_argument("--files", type=int, default=32)
    words.add_argument("--k", type=int, default=64)
    words.add_argument("--out", type=Path, default=None, help="where the CSV goes; default: docs/bench")
    args = words.parse_args()
    tracks = list(recordings("real"))
    number = {track: i for i, track in enumerate(tracks)}
    held = prints_held.held([prints_held.of_track(track) for track in tracks], args.k)
    null = mistakes(held, [i for i, track in enumerate(tracks) if track.half == "choose"])
    told: dict[str, list[Part]] = {"hard": [], "faded": []}
    wrong = dict.fromkeys(told, 0)
    report = [track for track in tracks if track.half == "report" and track.kind == "real"]
    for i, file in enumerate(compilations(report, args.files, fade_s=FADE_S)):
        joined = "faded" if i % 2 else "hard"
        heard = peaks(file.samples, prints_held.KEY)
        answers = [one for one in match(heard, held, null, subject=0, at_us=0).answers if one.error <= 0.01]
        told[joined] += parts(file, answers, number, FADE_S if i % 2 else 0.0)
        there = {number[track] for track, *_ in file.parts}
        wrong[joined] += sum(not there & {one.recording, one.cluster} for one in answers)
        print(*summary(joined, told[joined], wrong[joined]).values(), flush=True)
    write([summary(joined, told[joined], wrong[joined]) for joined in told], args.out, "prints_compilations")


if __name__ == "__main__":
    main()
