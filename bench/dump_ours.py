"""Ours, as the peers of :mod:`dump_peers` are called: map the catalogue, weigh the dump, say what it took.

    python bench/dump_ours.py CASE ANSWERS

ANSWERS has ``row``, ``recording`` (the likeliest of ours), ``score`` (chance that the work is ours),
``score_recording`` (that the recording is), ``level`` and ``error`` as they are stated.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from riparian.metadata.index import mapped
from riparian.metadata.records import match

BATCH = 65_536


def answers(catalogue: pa.Table, dump: pa.Table, seed: int = 1) -> tuple[pl.DataFrame, dict[str, float]]:
    """Match a dump against a catalogue; what was said of each row, and what counts were stated."""
    matching = match(mapped(catalogue), lambda: _batches(dump), np.random.default_rng(seed))
    said = pa.concat_tables(list(matching))
    recordings = catalogue["recording"].take(pa.array(np.maximum(said["ours"].to_numpy(), 0)))
    told = pl.DataFrame(pl.from_arrow(said)).select(
        "row",
        pl.Series("recording", recordings.to_pylist()),
        pl.col("chance_work").cast(pl.Float64).alias("score"),
        pl.col("chance").cast(pl.Float64).alias("score_recording"),
        "level",
        "error",
        "via",
        "ours",
    )
    counted = matching.counted()
    counts = {
        f"{name}_{of}": float(getattr(getattr(counted, name), of))
        for name in ("rows", "recordings")
        for of in ("estimate", "low", "high")
    }
    return told.filter(pl.col("ours") >= 0).drop("ours"), counts


def _batches(dump: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, dump.num_rows, BATCH):
        yield dump.slice(start, BATCH).combine_chunks()


def main() -> None:
    """Match one case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("case", type=Path)
    parser.add_argument("answers", type=Path)
    given = parser.parse_args()
    catalogue, dump = (pq.read_table(given.case / f"{name}.parquet") for name in ("catalogue", "dump"))
    before = time.process_time()
    told, counts = answers(catalogue, dump)
    cpu_s = time.process_time() - before
    told.write_parquet(given.answers)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_s": cpu_s, "memory_mb": memory_mb, **counts}))


if __name__ == "__main__":
    main()
