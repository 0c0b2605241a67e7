"""What does a whole scan cost with the search for rings in it, as accounts grow?

10,000, 100,000 and 1,000,000 accounts with 300 accesses each over ten days, as one Parquet file and a catalogue, drawn
from one seed as in ``scan_throughput.py``.  A ring of 50 accounts goes down the chart, one of 200 through a shuffled
list, at 40 a day each.  Each scan is a process of its own with an empty workspace, kernels compiled before; CPU time is
user plus system of that process, and memory its peak resident set.

    python bench/rings_scale.py [--accounts 1000000] [--out FILE]
"""

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from measure import options, write
from scan_throughput import PART, START_US, measure

from riparian.schema import DAY_US

EACH = 300
DAYS = 10
RECORDINGS = 300_000
ARTISTS = 30_000
PER_DAY = 40
RINGS = {"queue": 50, "random": 200}


def main() -> None:
    """Scan towns of growing size, a row each."""
    given = options(__doc__, accounts=1_000_000)
    sizes = [n for n in (10_000, 100_000, 1_000_000) if n <= given.accounts]
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pq.write_table(catalogue(), folder / "catalogue.parquet")
        write_log(folder / "warm.parquet", 2_000, 7)
        scanned(folder, "warm")
        for accounts in sizes:
            write_log(folder / f"{accounts}.parquet", accounts, accounts)
            rows.append(
                {"accounts": accounts, "million_accesses": accounts * EACH / 1e6} | scanned(folder, str(accounts))
            )
            print(rows[-1], flush=True)
            write(rows, given.out, "rings_scale")
            (folder / f"{accounts}.parquet").unlink()


def catalogue() -> pa.Table:
    """Make a catalogue in the order of popularity."""
    rng = np.random.default_rng(1)
    numbers = np.arange(RECORDINGS)
    return pa.table(
        {
            "recording": [f"r-{i:07d}" for i in range(RECORDINGS)],
            "title": [f"Title {i}" for i in range(RECORDINGS)],
            "artist": [f"Artist {a}" for a in rng.integers(0, ARTISTS, RECORDINGS)],
            "popularity": 1.0 / (numbers + 60.0),
        }
    )


def write_log(path: Path, accounts: int, seed: int) -> None:
    """Write one log, in order of time."""
    with pq.ParquetWriter(path, _table(*next(parts(1, 1, seed))).schema) as writer:
        for part in parts(accounts, accounts * EACH, seed):
            writer.write_table(_table(*part))


def parts(accounts: int, n: int, seed: int) -> Iterator[tuple[npt.NDArray[np.int64], ...]]:
    """Yield times, accounts and recordings, some millions at a time; the last accounts are the rings'."""
    rng = np.random.default_rng(seed)
    volume = np.exp(0.8 * rng.standard_normal(accounts))
    plays = np.cumsum(1.0 / (np.arange(RECORDINGS) + 60.0))
    ring = [_ring(name, accounts + 1_000 * (i + 1), rng) for i, name in enumerate(RINGS)]
    copied = [np.concatenate(columns) for columns in zip(*ring, strict=True)]
    for day in range(DAYS):
        # People are as irregular from day to day as they differ from one another, and skip days.
        today = np.cumsum(volume * np.exp(rng.standard_normal(accounts)) * (rng.random(accounts) < 0.7))
        ends = [*range(n * day // DAYS, n * (day + 1) // DAYS, PART), n * (day + 1) // DAYS]
        for first, last in itertools.pairwise(ends):
            size = last - first
            since, until = (START_US + int(DAYS * DAY_US * (k / n)) for k in (first, last))
            who = np.searchsorted(today, rng.random(size) * today[-1])
            everybodys = np.searchsorted(plays, rng.random(size) * plays[-1])
            own = (who * 7919 + (np.exp(np.minimum(rng.exponential(2.0, size), 12)) * 3).astype(np.int64)) % RECORDINGS
            what = np.where(rng.random(size) < 0.3, everybodys, own)
            now = (copied[0] >= since) & (copied[0] < until)
            at_us = np.concatenate([rng.integers(since, until, size), copied[0][now]])
            order = np.argsort(at_us, kind="stable")
            columns = at_us, np.concatenate([who, copied[1][now]]), np.concatenate([what, copied[2][now]])
            yield tuple(column[order] for column in columns)


def _ring(name: str, first: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.int64], ...]:
    n = RINGS[name] * PER_DAY * DAYS
    work = np.arange(300, 300 + n) if name == "queue" else rng.permutation(RECORDINGS)[:n]
    at_us = START_US + (np.arange(n) * (DAYS * DAY_US / n)).astype(np.int64)
    return at_us, first + np.arange(n) % RINGS[name], work


def _table(at_us: npt.NDArray[np.int64], who: npt.NDArray[np.int64], what: npt.NDArray[np.int64]) -> pa.Table:
    def text(prefix: str, numbers: pa.Array) -> pa.Array:
        return pc.binary_join_element_wise(prefix, numbers, "")

    padded = pc.utf8_lpad(pa.array(what).cast(pa.string()), 7, "0")
    columns = {"at": pa.array(at_us, pa.timestamp("us", "UTC")), "account": text("u-", pa.array(who).cast(pa.string()))}
    return pa.table(columns | {"recording": text("r-", padded)})


def scanned(folder: Path, name: str) -> dict[str, object]:
    """Scan one log in a process of its own, and count whom it found."""
    workspace = folder / f"workspace-{name}"
    log, known = folder / f"{name}.parquet", folder / "catalogue.parquet"
    riparian = [sys.executable, "-m", "riparian.cli"]
    where = ["--workspace", str(workspace)]
    cpu_s, wall_s, peak_mib = measure([*riparian, "scan", str(log), "--catalogue", str(known), *where, "--json"])
    told = subprocess.run([*riparian, "rings", *where, "--json"], capture_output=True, text=True, check=False)
    rings = [json.loads(line)["accounts"] for line in told.stdout.splitlines() if '"ring"' in line]
    return {
        "cpu_s": round(cpu_s),
        "wall_s": round(wall_s),
        "peak_mib": round(peak_mib),
        "rings": len(rings),
        "in_rings": sum(len(ring) for ring in rings),
    }


if __name__ == "__main__":
    main()
