"""How long does a search of the catalogue take, and how long does it take to come into being?

A catalogue of real rows and recombined ones (:mod:`dump_rows`) is added to an empty workspace, as ``catalogue add``
does it, and then searched.  What is asked is drawn from the catalogue itself: words of its titles and artists, as many
as people type, so that frequent words are asked for as often as they occur.  Each kind of question is asked so many
times, in turn with the others, of a file that is open, with as many threads as ``riparian`` has.  ``opening`` is what
a question costs whose file was closed; the process's own start is not in it.

    python bench/catalogue_search.py --data FOLDER [--recordings 1000000] [--asked 100] [--out FILE]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import dump_rows
import numpy as np
import pyarrow as pa
from measure import write

from riparian.catalogue.holdings import Document, Holding, held
from riparian.catalogue.words import asked
from riparian.flows import cataloguing
from riparian.ports.catalogue import Question, Sort
from riparian.stores.catalogue import DuckHoldings
from riparian.stores.memory import FixedClock

SEED: Final = 7
BATCH: Final = 65_536
NOW_US: Final = 1_760_000_000_000_000
Drawn = Callable[[dict[str, Any]], Question]


def main() -> None:
    """Build, ask, and write a row for each kind of question."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of the public collections")
    parser.add_argument("--recordings", type=int, default=1_000_000)
    parser.add_argument("--asked", type=int, default=100)
    parser.add_argument("--out", type=Path, default=None)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        holdings = DuckHoldings(Path(folder), FixedClock(NOW_US))
        table = held(dump_rows.case(args.data, args.recordings).catalogue)
        built = _build(holdings, table)
        rows = _asked(holdings, table, args.asked)
        size = (Path(folder) / "catalogue.duckdb").stat().st_size / len(table)
        shared = {"recordings": len(table), **built, "bytes_a_recording": round(size)}
        write([{**shared, **row} for row in rows], args.out, "catalogue_search")


def _build(holdings: DuckHoldings, table: pa.Table) -> dict[str, Any]:
    document = Document("catalogue.parquet", "table", digest="0" * 64)
    batches = (
        Holding(document, number, table.slice(first, BATCH)) for number, first in enumerate(range(0, len(table), BATCH))
    )
    cpu, wall = time.process_time(), time.perf_counter()
    cataloguing.add(holdings, batches)
    cpu_s, wall_s = time.process_time() - cpu, time.perf_counter() - wall
    return {"build_cpu_s": round(cpu_s, 1), "build_wall_s": round(wall_s, 1)}


def _asked(holdings: DuckHoldings, table: pa.Table, n: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(SEED)
    rows = table.take(rng.integers(0, len(table), n)).to_pylist()
    took: dict[str, list[tuple[float, float]]] = {what: [] for what in _KINDS}
    found: dict[str, list[int]] = {what: [] for what in _KINDS}
    with holdings.open():
        for row in rows:
            for what, ask in _KINDS.items():
                page, wall, cpu = _timed(holdings, ask(row))
                took[what].append((wall, cpu))
                found[what].append(page)
    told = [_row(what, took[what], found[what]) for what in _KINDS]
    everything = [one for each in took.values() for one in each]
    opening = [_timed(holdings, _two_words(row))[1:] for row in rows[:20]]
    return [
        *told,
        _row("all of them", everything, [n for each in found.values() for n in each]),
        _row("two words, with opening the file", opening, found["two words"]),
    ]


def _timed(holdings: DuckHoldings, question: Question) -> tuple[int, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    total = holdings.search(question).total
    return total, time.perf_counter() - wall, time.process_time() - cpu


def _row(what: str, took: list[tuple[float, float]], found: list[int]) -> dict[str, Any]:
    walls, cpus = zip(*took, strict=True)
    return {
        "asked": what,
        "times": len(took),
        "found": round(median(found)),
        "median_ms": round(median(walls) * 1e3, 1),
        "p95_ms": round(float(np.percentile(walls, 95)) * 1e3, 1),
        "most_ms": round(max(walls) * 1e3, 1),
        "cpu_median_ms": round(median(cpus) * 1e3, 1),
    }


def _words(row: dict[str, Any], *columns: str) -> list[str]:
    return [word for column in columns for word in asked(row[column] or "")] or ["love"]


def _two_words(row: dict[str, Any]) -> Question:
    words = _words(row, "title", "artist")
    return Question(" ".join([words[0], words[-1]]))


_KINDS: Final[dict[str, Drawn]] = {
    "one word of the title": lambda row: Question(_words(row, "title")[0]),
    "two words": _two_words,
    "title and artist": lambda row: Question(" ".join(_words(row, "title", "artist"))),
    "title, while it is typed": lambda row: Question(" ".join(_words(row, "title"))[:-2] or "lo"),
    "artist": lambda row: Question(artist=row["artist"] or "love"),
    "an ISRC": lambda row: Question(row["isrc"] or "GBABC1200001"),
    "a word, by popularity": lambda row: Question(_words(row, "title")[0], sort=Sort.POPULARITY),
    "a word, in one country": lambda row: Question(_words(row, "title")[0], territory="DE"),
    "everything, by title": lambda _: Question(sort=Sort.TITLE),
}


if __name__ == "__main__":
    main()
