"""How fast is `riparian scan`, from file to decisions, and what does it hold in memory?

Logs of 1, 10 and 30 million accesses of 200,000 accounts over 14 days, as Parquet, and 1 and 10 million as NDJSON,
are drawn from one seed. The volume of accounts is skewed as people's is (log-normal); half of all plays follow a Zipf
law over all 300,000 recordings, the others a steep one over the account's own corner of them. Each scan is its own
process with its own workspace, after warm-up scans that compile; its CPU time is user plus system of that process,
and its memory the peak resident set. `scan` includes what a process costs to start: modules imported, compiled kernels
loaded. `scan_warm` is the same scan in a process that has scanned the small warm-up log before, as a service has.
The yardstick runs on the same file in the same run: Polars, group_by(account) with a count and the number of distinct
recordings.

    python bench/scan_throughput.py [--quick] [--out docs/bench/scan_throughput.csv]
"""

import argparse
import csv
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ACCOUNTS = 200_000
RECORDINGS = 300_000
DAYS = 14
PART = 1 << 20
START_US = 1_772_409_600_000_000
DAY_US = 86_400_000_000

POLARS = """
import sys, polars as pl
scan = pl.scan_parquet if sys.argv[1].endswith("parquet") else pl.scan_ndjson
print(len(scan(sys.argv[1]).group_by("account").agg(pl.len(), pl.col("recording").n_unique()).collect()))
"""

WARM = """
import io, json, sys, time, contextlib
from riparian.cli import app
def scan(log, workspace):
    with contextlib.redirect_stdout(io.StringIO()):
        app(["scan", log, "--workspace", workspace, "--json"], standalone_mode=False)
scan(sys.argv[1], sys.argv[2])
begun, begun_wall = time.process_time(), time.monotonic()
scan(sys.argv[3], sys.argv[4])
print(json.dumps([time.process_time() - begun, time.monotonic() - begun_wall]), file=sys.stderr)
"""


def parts(n: int, seed: int) -> Iterator[pa.Table]:
    """Draw a log in order of time, a part at a time."""
    rng = np.random.default_rng(seed)
    accounts = pa.array([f"u-{x:012x}" for x in rng.permutation(ACCOUNTS).astype(np.uint64) * 2654435761 % (1 << 44)])
    recordings = pa.array([f"r-{i:07d}" for i in range(RECORDINGS)])
    volume = np.cumsum(np.exp(1.2 * rng.standard_normal(ACCOUNTS)))
    plays = np.cumsum(1.0 / (np.arange(RECORDINGS) + 60.0))
    for first in range(0, n, PART):
        size = min(PART, n - first)
        at_us = START_US + (np.sort(rng.random(size)) * size + first) / n * (DAYS * DAY_US)
        who = np.searchsorted(volume, rng.random(size) * volume[-1])
        everybodys = np.searchsorted(plays, rng.random(size) * plays[-1])
        own = (who * 7919 + (np.exp(rng.exponential(2.0, size)) * 3).astype(np.int64)) % RECORDINGS
        what = np.where(rng.random(size) < 0.5, everybodys, own)
        yield pa.table(
            {
                "at": pa.array(at_us.astype(np.int64), pa.timestamp("us", "UTC")),
                "account": accounts.take(pa.array(who)),
                "recording": recordings.take(pa.array(what)),
                "media_ms": pa.array(rng.integers(30_000, 300_000, size), pa.int32()),
            }
        )


def write_parquet(path: Path, n: int, seed: int) -> None:
    """Write a log as Parquet."""
    writer = None
    for part in parts(n, seed):
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()


def write_ndjson(path: Path, n: int, seed: int) -> None:
    """Write a log as lines of JSON."""
    with path.open("w", encoding="utf-8") as file:
        for part in parts(n, seed):
            at = np.datetime_as_string(part["at"].to_numpy().astype("datetime64[ms]"))
            rows = zip(at, *(part[name].to_pylist() for name in part.column_names[1:]), strict=True)
            file.writelines(
                f'{{"at":"{a}Z","account":"{who}","recording":"{what}","media_ms":{ms}}}\n' for a, who, what, ms in rows
            )


def measure(command: list[str]) -> tuple[float, float, float]:
    """Run a process alone; return its CPU seconds, its wall seconds, and its peak memory in MiB."""
    report = (
        "import json, resource, subprocess, sys, time\n"
        "t = time.monotonic()\n"
        "ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)\n"
        "u = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "s = time.monotonic() - t\n"
        "told = [ended.returncode, u.ru_utime + u.ru_stime, s, u.ru_maxrss / 1024, ended.stderr.decode()]\n"
        "print(json.dumps(told))\n"
    )
    # Modules are compiled once, as an installed package's are.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    measured = [sys.executable, "-c", report, *command]
    told = subprocess.run(measured, check=True, capture_output=True, text=True, env=environ)
    code, cpu_s, wall_s, peak_mib, said = json.loads(told.stdout)
    if code != 0:
        raise SystemExit(f"{' '.join(command)} ended with {code}\n{said}")
    if WARM in command:
        cpu_s, wall_s = json.loads(said.splitlines()[-1])
    return cpu_s, wall_s, peak_mib


@dataclass(frozen=True)
class Row:
    """One process measured."""

    what: str
    format: str
    millions: int
    cpu_s: float
    wall_s: float
    peak_mib: float

    def cells(self) -> tuple[object, ...]:
        """Write it as a row of the table."""
        per_cpu_s = self.millions / self.cpu_s
        figures = (f"{self.cpu_s:.2f}", f"{self.wall_s:.2f}", f"{per_cpu_s:.2f}", f"{self.peak_mib:.0f}")
        return (self.what, self.format, self.millions, *figures)


COLUMNS = ("what", "format", "million_accesses", "cpu_s", "wall_s", "million_per_cpu_s", "peak_mib")


def scan_command(log: Path, workspace: Path) -> list[str]:
    """Scan a log, as an operator would."""
    return [sys.executable, "-m", "riparian.cli", "scan", str(log), "--workspace", str(workspace), "--json"]


def warm_command(folder: Path, kind: str, log: Path) -> list[str]:
    """Scan the warm-up log, then the log, in one process; the second is measured."""
    workspaces = (folder / f"warm-again-{log.name}", folder / f"warm-workspace-{log.name}")
    words = (folder / f"warm.{kind}", workspaces[0], log, workspaces[1])
    return [sys.executable, "-c", WARM, *map(str, words)]


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one million accesses only")
    parser.add_argument("--out", type=Path, default=Path("bench/out/scan_throughput.csv"))
    given = parser.parse_args()
    sizes = (("parquet", 1), ("ndjson", 1)) if given.quick else (
        ("parquet", 1), ("parquet", 10), ("parquet", 30), ("ndjson", 1), ("ndjson", 10),
    )  # fmt: skip
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_parquet(folder / "warm.parquet", 100_000, 7)
        write_ndjson(folder / "warm.ndjson", 100_000, 7)
        for kind in ("parquet", "ndjson"):
            measure(scan_command(folder / f"warm.{kind}", folder / f"warm-{kind}"))
        for kind, millions in sizes:
            log = folder / f"{millions}.{kind}"
            (write_parquet if kind == "parquet" else write_ndjson)(log, millions * 1_000_000, millions)
            for what, command in (
                ("scan", scan_command(log, folder / f"workspace-{kind}-{millions}")),
                ("scan_warm", warm_command(folder, kind, log)),
                ("polars", [sys.executable, "-c", POLARS, str(log)]),
            ):
                cpu, wall, peak = measure(command)
                rows.append(Row(what, kind, millions, cpu_s=cpu, wall_s=wall, peak_mib=peak))
                print(*rows[-1].cells(), flush=True)
            log.unlink()
    cpu_s = {row.millions: row.cpu_s for row in rows if (row.what, row.format) == ("scan", "parquet")}
    if len(cpu_s) > 1:
        least, most = min(cpu_s), max(cpu_s)
        print(f"one more million costs {(cpu_s[most] - cpu_s[least]) / (most - least):.3f} CPU seconds")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with given.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(row.cells() for row in rows)
    print(f"{given.out}: Python {platform.python_version()}, {os.cpu_count()} cores, own peak"
          f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")  # fmt: skip


if __name__ == "__main__":
    main()
