"""How long does the audit of ten million items take, and how much memory; is what it says of them so?

Run with ``python bench/dataset_audit.py [--items 10000000] [--ours 300000] [--out FILE]``.  Recordings and items are
made up of words and names; of the items some are ours with their code, some by their names in other letters, some with
a letter less, and the rest are nobody's.  What was made is known, and is compared with what is said.  Time is that of
the verb as a process of its own, reading included; the catalogue was added before.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from measure import options, write

SHARES: Final = {"code": 0.005, "names": 0.010, "a letter less": 0.005}
ROWS_A_FILE: Final = 1_000_000
_WORDS: Final = 20_000


def words(rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Make words of two to four syllables."""
    begin, end = (*"bdfgklmnprstvz", "br", "st", "tr"), "aeiou"
    syllables = np.array([consonant + vowel for consonant in begin for vowel in end])
    made = ["".join(rng.choice(syllables, rng.integers(2, 5))) for _ in range(_WORDS)]
    return np.array(made, dtype=object)


def rows(n: int, of: np.ndarray[Any, Any], rng: np.random.Generator) -> pl.DataFrame:
    """Make recordings; common words are more common."""
    weight = 1 / (1 + np.arange(len(of)))
    weight /= weight.sum()

    def line(k: int) -> pl.Series:
        picked = [of[rng.choice(len(of), n, p=weight if k > 2 else None)] for _ in range(k)]
        parts = pl.DataFrame({str(at): pl.Series(part, dtype=pl.String) for at, part in enumerate(picked)})
        return parts.select(pl.concat_str(pl.all(), separator=" ")).to_series()

    codes = rng.integers(0, 10**7, n)
    return pl.DataFrame(
        {
            "title": line(3).str.to_titlecase(),
            "artist": line(2).str.to_titlecase(),
            "isrc": pl.Series([f"QZ{at % 1000:03}{code:07}" for at, code in enumerate(codes)]),
            "seconds": rng.integers(120, 400, n),
        }
    )


def dataset(
    folder: Path, ours: pl.DataFrame, n: int, of: np.ndarray[Any, Any], rng: np.random.Generator
) -> dict[str, int]:
    """Write a data set, and tell what of it is ours."""
    truth = dict.fromkeys(SHARES, 0)
    for number, first in enumerate(range(0, n, ROWS_A_FILE)):
        k = min(ROWS_A_FILE, n - first)
        table = rows(k, of, rng).with_columns(pl.lit("cc-by-4.0").alias("license"))
        kind = rng.choice(len(SHARES) + 1, k, p=[*SHARES.values(), 1 - sum(SHARES.values())])
        some = ours[rng.integers(0, ours.height, k)]
        is_ours = pl.Series(kind < len(SHARES))
        less = some["title"].str.slice(0, 4) + some["title"].str.slice(5)
        table = table.with_columns(
            title=pl.when(pl.Series(kind == 1))
            .then(some["title"].str.to_uppercase())
            .when(pl.Series(kind == 2))
            .then(less)
            .otherwise(pl.col("title")),
            artist=pl.when(pl.Series((kind == 1) | (kind == 2))).then(some["artist"]).otherwise(pl.col("artist")),
            seconds=pl.when(is_ours).then(some["seconds"]).otherwise(pl.col("seconds")),
            isrc=pl.when(pl.Series(kind == 0)).then(some["isrc"]).otherwise(None),
        )
        pq.write_table(table.to_arrow(), folder / f"part-{number:05}.parquet")
        for at, name in enumerate(SHARES):
            truth[name] += int((kind == at).sum())
    return truth


def run(*arguments: str) -> tuple[str, float, float, float]:
    """Run the command line: what it says, seconds, CPU-seconds, and its greatest memory in GB."""
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "riparian.cli", *arguments], capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in {0, 1}:
        raise RuntimeError(done.stderr[-2000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, time.perf_counter() - begun, cpu, after.ru_maxrss / 1e6


def main() -> None:
    """Make, audit, compare and write down."""
    given = options(__doc__, items=10_000_000, ours=300_000)
    rng = np.random.default_rng(7)
    of = words(rng)
    os.nice(10)
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        ours = rows(given.ours, of, rng)
        ours.with_row_index("recording").write_csv(at / "ours.csv")
        (at / "set").mkdir()
        truth = dataset(at / "set", ours, given.items, of, rng)
        run("catalogue", "add", str(at / "ours.csv"), "-w", str(at / "ws"))
        said, seconds, cpu, memory = run("dataset", "audit", str(at / "set"), "-w", str(at / "ws"), "--json")
    summary = next(one for one in map(json.loads, said.splitlines()) if one["kind"] == "summary")
    row = {
        "items": given.items,
        "ours": given.ours,
        "seconds": round(seconds, 1),
        "cpu_s": round(cpu, 1),
        "memory_gb": round(memory, 2),
        "items_ours": sum(truth.values()),
        "said": round(summary["ours"]["estimate"]),
        "low": round(summary["ours"]["low"]),
        "high": round(summary["ours"]["high"]),
        "by_code": truth["code"],
        "said_by_code": summary["levels"]["identifier"]["items"],
        "by_names": truth["names"],
        "said_by_names": summary["levels"]["names"]["items"],
    }
    write([row], given.out, "dataset_audit")


if __name__ == "__main__":
    main()
