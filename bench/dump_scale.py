"""What does the map of a catalogue take, and a list that is matched against it, at one, five and twenty million rows?

Catalogues hold real rows and recombined ones (``dump_rows``): titles of words of two real titles, by real and by
recombined names.  Each is mapped on disk in a process of its own, so that its peak of memory is its own, and a list of
real rows, written anew as dumps are, is looked up in it: normalising, keys, candidates.  What weighing them takes is in
``dump_side_by_side``.  The last row of the table is arithmetic, from what a row cost at the largest size.

    python bench/dump_scale.py --data FOLDER [--sizes 1000000,5000000,20000000] [--rows 1000000]
"""

import argparse
import json
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

import pyarrow as pa
from dump_rows import case, real_rows, recombined
from measure import write

from riparian.metadata.normalise import normalise
from riparian.stores.maps import open_map

Row = dict[str, object]
AT_ONCE: Final = 500_000
PAPER: Final = 256_000_000
CORES: Final = 2
SEED: Final = 7


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

    begun = time.process_time()
    ours = open_map(folder, "1", source, lambda *_: None)
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
        "bytes_of_keys": round((octets["rest.npy"] + octets["row.npy"] + octets["begin.npy"]) / ours.count),
        "asked": rows,
    }
    for noise in ("normal", "hard"):
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


def on_paper(row: Row) -> Row:
    """Say what 256 million rows against as many take, by what a row cost; on two cores, for parts do not meet."""
    n = int(str(row["rows"]))
    build_s = float(str(row["build_us_a_row"])) * PAPER / 1e6
    out: Row = dict.fromkeys(row, "") | {
        "rows": PAPER,
        "build_cpu_s": round(build_s),
        "build_us_a_row": row["build_us_a_row"],
        "bytes_a_row": row["bytes_a_row"],
        "bytes_of_keys": row["bytes_of_keys"],
        "asked": PAPER,
        "measured": f"on paper, from {n:,}",
    }
    for noise in ("normal", "hard"):
        each = float(str(row[f"normalise_us_{noise}"])) + float(str(row[f"look_up_us_{noise}"]))
        out[f"wall_s_{noise}"] = round((build_s + each * PAPER / 1e6) / CORES)
    return out


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
    found: list[Row] = []
    for size in map(int, args.sizes.split(",")):
        command = [sys.executable, __file__, "--data", str(args.data), "--rows", str(args.rows), "--one", str(size)]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append(json.loads(told.stdout.splitlines()[-1]))
        print(*found[-1].values(), flush=True)
        write([*found, on_paper(found[-1])], args.out, "dump_scale")


if __name__ == "__main__":
    main()
