"""Of sound that is not ours, how often is a copy told, and how often was that said to happen?

Every recording of the half that is reported on is left out of the catalogue in turn, with whatever is the same sound,
and stretches of it are matched against all others: half of them as they are, half with their peaks moved, lost and
added as laundering does.  What is told then is wrong.  The null is drawn from recordings of the other half alone.

``claimed`` is a chance of error, ``told`` how many queries got an answer that claims no more, ``observed`` their share,
``low`` and ``high`` its 95 % interval: recordings are drawn anew, not queries, and where none was told about, they are
exact for that many recordings.  ``apart`` leaves recordings out of which a passage, as it is, is in another one too:
there the answer is right, and only its owner is another.

    python bench/prints_honesty.py [--queries 30000] [--k 256]
"""

import concurrent.futures
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import print_sounds
from measure import options, write
from numpy.typing import NDArray
from prints_held import Held, held, of_track
from scipy.stats import beta

from riparian.prints.clusters import has_passage, joined, twins
from riparian.prints.hashes import Asking
from riparian.prints.index import Candidates
from riparian.prints.match import drawn, match
from riparian.prints.null import LENGTHS_S, Draws, Null, fit
from riparian.prints.peaks import STEPS, TICK_S, Peaks
from riparian.prints.search import clip, search

CLAIMED = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
SHARES_OF_LENGTHS = {5.0: 0.5, 10.0: 0.38, 30.0: 0.1, math.inf: 0.02}
KINDS = "real,rendered"
PROCESSES = 2
ROUND = 6
"""Queries of a recording between two tables."""


@dataclass(frozen=True, slots=True, eq=False)
class Without:
    """A catalogue without one cluster."""

    all: Held
    gone: int

    @property
    def recordings(self) -> int:
        """How many are left."""
        return self.all.recordings - int((self.all.labels == self.gone).sum())

    def candidates(self, heard: Peaks, most: int, asking: Asking = Asking.NEAR) -> Candidates:
        """Ask the index, and drop what is left out."""
        found = self.all.candidates(heard, most + 8, asking)
        left = self.all.labels[found.recording] != self.gone
        return Candidates(found.recording[left][:most], found.votes[left][:most], found.hits[left][:most])

    def peaks(self, recording: int) -> Peaks:
        """Give a recording's."""
        return self.all.peaks(recording)

    def cluster(self, recording: int) -> int:
        """Give the least number of those that are the same."""
        return self.all.cluster(recording)


def main() -> None:
    """Write ``prints_honesty.csv``."""
    asked = options(__doc__, queries=30_000, k=256)
    os.nice(15)
    tracks = [track for kind in KINDS.split(",") for track in _of(kind)]
    prints = [of_track(track) for track in tracks]
    catalogue = held(prints, asked.k)
    with concurrent.futures.ProcessPoolExecutor(PROCESSES) as pool:
        everybody = range(len(tracks))
        pairs = [pair for found in pool.map(partial(_twins, catalogue), _parts(everybody)) for pair in found]
        catalogue = replace(catalogue, labels=joined(catalogue.labels, pairs))
        chosen = [i for i in everybody if tracks[i].half == "choose"]
        rows = [row for found in pool.map(partial(_drawn, catalogue), _parts(chosen)) for row in found]
        null = fit(Draws.of(rows), len(tracks))
        reported = [i for i in everybody if tracks[i].half == "report"]
        passages = {i for found in pool.map(partial(_with_passages, catalogue), _parts(reported)) for i in found}
        print(
            f"{len(tracks)} recordings, {len(pairs)} twins, {len(rows)} draws, {len(passages)} with a passage",
            flush=True,
        )
        told: list[Told] = []
        # The table is written after every round, so that what was measured is there whenever this is stopped.
        for round_ in range(-(-asked.queries // (ROUND * len(reported)))):
            some = range(round_ * ROUND, (round_ + 1) * ROUND)
            told += [
                one for found in pool.map(partial(_told, catalogue, null, some), _parts(reported)) for one in found
            ]
            write(_rows(told, passages, len(tracks), len(rows)), asked.out, "prints_honesty")


def _of(kind: str) -> Iterator[print_sounds.Track]:
    try:
        yield from print_sounds.recordings(kind)
    except SystemExit as missing:
        print(missing)


def _parts(numbers: Sequence[int]) -> list[list[int]]:
    return [list(numbers[first : first + 16]) for first in range(0, len(numbers), 16)]


def _twins(catalogue: Held, numbers: list[int]) -> list[tuple[int, int]]:
    return [(i, j) for i in numbers for j in twins(i, catalogue)]


def _drawn(catalogue: Held, numbers: list[int]) -> list[tuple[int, float, float, int, float, float]]:
    return [drawn(i, length_s, catalogue) for i in numbers for length_s in LENGTHS_S]


def _with_passages(catalogue: Held, numbers: list[int]) -> list[int]:
    found = ((i, search(catalogue.peaks(i), Without(catalogue, catalogue.cluster(i))).finds) for i in numbers)
    return [i for i, finds in found if any(has_passage(find.spans) for find in finds)]


@dataclass(frozen=True, slots=True)
class Told:
    """What a query that is not ours was told: the least chance of error of a copy, and of shared material."""

    recording: int
    length_s: float
    laundered: bool
    copy: float
    shares: float


def _told(catalogue: Held, null: Null, queries: range, numbers: list[int]) -> list[Told]:
    return [_one(catalogue, null, i, query) for i in numbers for query in queries]


def _one(catalogue: Held, null: Null, recording: int, query: int) -> Told:
    rng = np.random.default_rng([6, recording, query])
    whole = catalogue.peaks(recording)
    length_s = float(rng.choice(list(SHARES_OF_LENGTHS), p=list(SHARES_OF_LENGTHS.values())))
    ticks = whole.ticks if math.isinf(length_s) else min(whole.ticks, round(length_s / TICK_S))
    first = int(rng.integers(0, whole.ticks - ticks + 1))
    laundered = bool(query % 2)
    part = clip(whole, first, first + ticks)
    part = _laundered(part, rng) if laundered else part
    others = Without(catalogue, catalogue.cluster(recording))
    answers = match(part, others, null, subject=query, at_us=0).answers
    copy, shares = (min((one.error for one in answers if one.is_copy == kind), default=1.0) for kind in (True, False))
    return Told(recording, length_s, laundered, copy, shares)


def _laundered(peaks: Peaks, rng: np.random.Generator) -> Peaks:
    """Play faster or slower by 8 %, higher or lower by two semitones; lose a third of the peaks, add as many by lot."""
    stretch, steps = 1 / rng.uniform(0.92, 1.08), rng.uniform(-2, 2) * STEPS / 12
    stay = rng.random(len(peaks)) < 2 / 3
    n, ticks = int((~stay).sum()), round(peaks.ticks * stretch)
    at = np.concatenate([peaks.at[stay] * stretch + rng.normal(0, 1.5, stay.sum()), rng.uniform(0, ticks, n)])
    pitch = np.concatenate([peaks.pitch[stay] + steps + rng.normal(0, 1, stay.sum()), rng.permutation(peaks.pitch)[:n]])
    strength = np.concatenate([peaks.strength[stay], rng.permutation(peaks.strength)[:n]])
    at = np.clip(np.rint(at), 0, ticks - 1).astype(np.int32)
    pitch = np.maximum(np.rint(pitch), 0).astype(np.int16)
    order = np.lexsort((pitch, at))
    return Peaks(at[order], pitch[order], strength[order], ticks)


def _rows(told: Sequence[Told], passages: set[int], catalogue: int, draws: int) -> Iterator[dict[str, object]]:
    recording = np.array([one.recording for one in told])
    apart = ~np.isin(recording, list(passages))
    groups = {
        ("copy", "all"): np.ones(len(told), np.bool_),
        ("copy", "apart"): apart,
        ("copy", "apart, laundered"): apart & np.array([one.laundered for one in told]),
        ("shares", "all"): np.ones(len(told), np.bool_),
        ("shares", "apart"): apart,
    }
    for (claim, which), among in groups.items():
        errors = np.array([getattr(one, claim) for one in told])
        for claimed in CLAIMED:
            wrong = errors[among] <= claimed
            low, high = _interval(wrong, recording[among])
            yield {
                "claim": claim,
                "which": which,
                "claimed": f"{claimed:g}",
                "catalogue": catalogue,
                "draws": draws // len(LENGTHS_S),
                "recordings": np.unique(recording[among]).size,
                "queries": int(among.sum()),
                "told": int(wrong.sum()),
                "of_recordings": np.unique(recording[among][wrong]).size,
                "observed": f"{wrong.mean():.2g}",
                "low": f"{low:.2g}",
                "high": f"{high:.2g}",
                "times": f"{wrong.mean() / claimed:.2f}",
            }


def _interval(wrong: NDArray[np.bool_], recording: NDArray[np.int64]) -> tuple[float, float]:
    _, whose = np.unique(recording, return_inverse=True)
    rate = np.bincount(whose, wrong) / np.bincount(whose)
    n = rate.size
    if not wrong.any():
        return 0.0, float(beta.ppf(0.95, 1, n))
    rng = np.random.default_rng(9)
    means = rng.multinomial(n, np.full(n, 1 / n), 4000) @ rate / n
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


if __name__ == "__main__":
    main()
