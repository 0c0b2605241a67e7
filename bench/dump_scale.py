"""What does the map of a catalogue take, and a list that is matched against it, at one, five and twenty million rows?

Catalogues hold real rows and recombined ones (``dump_rows``): titles of words of two real titles, by real and by
recombined names.  Each is mapped on disk in a process of its own, so that its peak of memory is its own, and a list of
real rows, written anew as dumps are, is looked up in it: normalising, keys, candidates.  What weighing them takes is in
``dump_side_by_side``; here it is measured a pair, on the real rows.  The last row of the table is arithmetic: building,
normalising and weighing at what they cost at the largest size, looking up at what it would cost if it went on growing
with each doubling as it grew between the smallest and the largest.  It presumes that the map is in memory.

Sizes that are in the table and are not named stay in it; ``--sizes ""`` only does the arithmetic again.

    python bench/dump_scale.py --data FOLDER [--sizes 1000000,5000000,20000000] [--rows 1000000]
"""

import argparse
import csv
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from dump_rows import case, real_rows, recombined
from measure import write

from riparian.metadata.index import mapped
from riparian.metadata.normalise import normalise
from riparian.metadata.records import match
from riparian.stores.maps import open_map

Row = dict[str, object]
AT_ONCE: Final = 500_000
PAPER: Final = 256_000_000
CORES: Final = 2
SEED: Final = 7
NOISES: Final = ("normal", "hard")
KEPT: Final = Path(__file__).parents[1] / "docs" / "bench" / "dump_scale.csv"


def batches(data: Path, size: int) -> Iterator[pa.RecordBatch]:
    """Give a catalogue piece by piece: the real rows, and recombined ones up to its size."""
    held = case(data).catalogue
    yield from held.to_batches()
    rows, made = real_rows(data), held.num_rows
    while made < size:
        n = min(AT_ONCE, size - made)
        piece = recombined(rows, n, SEED, first=made)
        columns = {
            name: piece[name].to_arrow() if name in piece.columns else pa.nulls(piece.height)
            for name in held.column_names
        }
        yield from pa.table(columns).cast(held.schema).to_batches()
        made += n


def asked(data: Path, rows: int, noise: str) -> pa.Table:
    """Give a list of so many rows: the same dump over and over, as it is long."""
    dump = case(data, noise=noise).dump
    return pa.concat_tables([dump] * -(-rows // dump.num_rows)).slice(0, rows)


def measured(data: Path, size: int, rows: int, folder: Path) -> Row:
    """Map a catalogue, and look a list up in it."""
    spent = {"making rows": 0.0}

    def source() -> Iterator[pa.RecordBatch]:
        every = batches(data, size)
        while True:
            begun = time.process_time()
            batch = next(every, None)
            spent["making rows"] += time.process_time() - begun
            if batch is None:
                return
            yield batch

    taken = {"most": 0}

    def told(*_: object) -> None:
        # Blocks, not sizes: a file of which nothing is written yet takes none.
        now = sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
        taken["most"] = max(taken["most"], now)

    begun = time.process_time()
    ours = open_map(folder, "1", source, told)
    built_s = time.process_time() - begun - spent["making rows"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    octets = {path.name: path.stat().st_size for path in (folder / "map").iterdir()}
    ours.candidates(normalise(asked(data, 1000, "normal")))  # what is compiled is compiled, what is mapped is read
    row: Row = {
        "rows": ours.count,
        "build_cpu_s": round(built_s),
        "build_us_a_row": f"{built_s / ours.count * 1e6:.1f}",
        "build_peak_mb": round(peak / 1e6),
        "bytes_a_row": round(sum(octets.values()) / ours.count),
        "bytes_a_row_at_most": round(taken["most"] / ours.count),
        "bytes_of_keys": round((octets["rest.npy"] + octets["row.npy"] + octets["begin.npy"]) / ours.count),
        "asked": rows,
    }
    for noise in NOISES:
        listed = asked(data, rows, noise)
        begun, since = time.process_time(), time.monotonic()
        normal = normalise(listed)
        normalised_s = time.process_time() - begun
        pairs = ours.candidates(normal)
        row[f"normalise_us_{noise}"] = f"{normalised_s / rows * 1e6:.1f}"
        row[f"look_up_us_{noise}"] = f"{(time.process_time() - begun - normalised_s) / rows * 1e6:.1f}"
        row[f"wall_s_{noise}"] = f"{time.monotonic() - since:.0f}"
        row[f"pairs_{noise}"] = f"{len(pairs) / rows:.1f}"
    return row | {"measured": "measured"}


def weighed(data: Path, noise: str) -> float:
    """Say how many microseconds of CPU a pair takes to weigh, on the real rows, without learning."""
    one = case(data, noise=noise)
    ours = mapped(one.catalogue)
    batches_of = [one.dump.slice(first, 1 << 16) for first in range(0, one.dump.num_rows, 1 << 16)]
    pairs = sum(len(ours.candidates(normalise(batch))) for batch in batches_of)
    matching = match(ours, lambda: iter(batches_of), np.random.default_rng(SEED))
    begun = time.process_time()
    for _ in matching:
        pass
    whole = time.process_time() - begun
    begun = time.process_time()
    for batch in batches_of:
        ours.candidates(normalise(batch))
    return (whole - (time.process_time() - begun)) / pairs * 1e6


def on_paper(rows: list[Row], pair_us: dict[str, float]) -> Row:
    """Say what 256 million rows against as many take, by what rows cost, on two cores."""
    first, last = ({name: float(str(value or 0)) for name, value in row.items() if name != "measured"} for row in rows)
    out: Row = dict.fromkeys(rows[1], "") | {
        "rows": PAPER,
        "build_cpu_s": round(last["build_us_a_row"] * PAPER / 1e6),
        "build_us_a_row": last["build_us_a_row"],
        "bytes_a_row": round(last["bytes_a_row"]),
        "bytes_of_keys": round(last["bytes_of_keys"]),
        "bytes_a_row_at_most": round(last.get("bytes_a_row_at_most", 0) or first.get("bytes_a_row_at_most", 0)) or "",
        "asked": PAPER,
        "measured": f"on paper, from {int(last['rows']):,}",
    }
    doublings, more = math.log2(last["rows"] / first["rows"]), math.log2(PAPER / last["rows"])
    for noise in NOISES:
        name = f"look_up_us_{noise}"
        look_up = last[name] + (last[name] - first[name]) / doublings * more
        weigh = pair_us[noise] * last[f"pairs_{noise}"]
        each = last["build_us_a_row"] + last[f"normalise_us_{noise}"] + look_up + weigh
        out |= {
            f"normalise_us_{noise}": last[f"normalise_us_{noise}"],
            name: f"{look_up:.1f}",
            f"pairs_{noise}": last[f"pairs_{noise}"],
            f"weigh_us_{noise}": f"{weigh:.0f}",
            f"hours_{noise}": f"{each * PAPER / 1e6 / CORES / 3600:.1f}",
        }
    return out


def kept(path: Path) -> dict[int, Row]:
    """Give what was measured before, by size."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {int(row["rows"]): dict(row) for row in csv.DictReader(file) if row["measured"] == "measured"}


def main() -> None:
    """Measure each size in a process of its own, and write the table."""
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    words.add_argument("--data", type=Path, required=True, help="folder of the public collections")
    words.add_argument("--sizes", default="1000000,5000000,20000000")
    words.add_argument("--rows", type=int, default=1_000_000, help="of the list")
    words.add_argument("--one", type=int, default=0, help=argparse.SUPPRESS)
    words.add_argument("--out", type=Path, default=None, help="where the CSV goes; default: docs/bench")
    args = words.parse_args()
    if args.one:
        os.environ["POLARS_MAX_THREADS"] = "1"
        folder = Path(tempfile.mkdtemp(prefix="dump-scale-"))
        try:
            print(json.dumps(measured(args.data, args.one, args.rows, folder)))
        finally:
            shutil.rmtree(folder)
        return
    found = kept(KEPT)
    pair_us = {noise: weighed(args.data, noise) for noise in NOISES}
    for size in map(int, filter(None, args.sizes.split(","))):
        command = [sys.executable, __file__, "--data", str(args.data), "--rows", str(args.rows), "--one", str(size)]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
        row = json.loads(told.stdout.splitlines()[-1])
        found[row["rows"]] = row
        print(*row.values(), flush=True)
        write(table(found, pair_us), args.out, "dump_scale")
    if not args.sizes:
        write(table(found, pair_us), args.out, "dump_scale")


def table(found: dict[int, Row], pair_us: dict[str, float]) -> list[Row]:
    """Give all rows by size, all with the same columns, and the one on paper where two sizes are known."""
    rows = [found[size] for size in sorted(found)]
    every = [*rows, on_paper([rows[0], rows[-1]], pair_us)] if len(rows) > 1 else rows
    names = [name for name in dict.fromkeys(name for row in every for name in row) if name != "measured"]
    return [{name: row.get(name, "") for name in (*names, "measured")} for row in every]


if __name__ == "__main__":
    main()
