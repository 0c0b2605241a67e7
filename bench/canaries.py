"""To whom was a leaked list issued: how many rows does it take, by channel, leakers and what they did to it?

The catalogue is the 73,364 real rows of ``spotify_playlist_archive.parquet`` (MIT; its durations are whole seconds, so
fractions are drawn).  Lists are issued to some of 10,000 tenants, leaked in part, and traced among all of them for one
mistake in 10^9 lists.  ``leaked`` is how many rows a leak had before half of them were lost; 1 % of those that are left
are matched to another recording, but for rows of ``matched`` "really", where everything but texts and durations is
stripped and matching does what it does.  Leakers who mix choose field by field.  ``named`` is the mean number of
leakers who are named, ``caught`` the trials with one at least, ``others`` everybody else who was named, over all
trials; ``bits`` and ``chernoff`` (``-log10`` of Chernoff's bound for anybody at all) are of the surest, in the median
trial.

    python bench/canaries.py --data FOLDER [--trials 8]
"""

import argparse
import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
import pyarrow as pa
from measure import write
from numpy.typing import NDArray

from riparian.flows.canarying import matched
from riparian.metadata.canaries import rows
from riparian.metadata.canaries.code import CanaryKey
from riparian.metadata.canaries.issue import Plan, Planted, issue, planted
from riparian.metadata.canaries.read import read
from riparian.metadata.canaries.trace import trace
from riparian.schema import LISTED

KEY = CanaryKey(bytes(range(32)), 1)
TENANTS = [f"tenant-{i:04d}" for i in range(10_000)]
MISTAKES = 1e-9
NEEDED = math.log2(len(TENANTS) / MISTAKES)
LEAKERS = (17, 4711, 815, 2_020, 9_999)
FIELDS = ("title", "artist", "album", "duration_ms")


@dataclass(frozen=True, slots=True)
class Leak:
    """What leaked, and what was done to it."""

    leaked: int
    leakers: int = 1
    way: str = "as it is"
    durations: str = "rounded"
    texts: str = "kept"
    matched: str = "1 % wrong"
    nothing: int = 300
    trials: int = 0


def leaks() -> list[Leak]:
    """List what is measured."""
    alone = [Leak(n, durations=d, texts=t) for n, d, t in (
        (150, "rounded", "kept"), (250, "rounded", "kept"), (250, "cut", "kept"), (250, "none", "kept"),
        (250, "recomputed", "kept"), (400, "rounded", "none"), (600, "rounded", "none"), (800, "rounded", "none"),
        (800, "cut", "none"), (250, "full", "none"))]  # fmt: skip
    ways = ("by lot", "what most have", "what fewest have", "by a coin")
    three = [
        *(Leak(3_000, 3, way) for way in ways),
        *(Leak(3_000, 3, way, "none") for way in ways[:2]),
        *(Leak(8_000, 3, way, texts="none", trials=5) for way in ways),
    ]
    five = [Leak(8_000, 5, "by lot", trials=3)]
    real = [Leak(250, matched="really", trials=3), Leak(3_000, 3, "by lot", matched="really", trials=2)]
    everything = 73_364
    # Durations gone, every text in one form and artists in order: what rows that stand for nothing say by themselves.
    bare = [
        Leak(everything, c, "by lot" if c > 1 else "as it is", "none", "none", nothing=n, trials=6 if c == 1 else 3)
        for c, n in ((1, 100), (1, 200), (1, 300), (3, 1_000))
    ]
    bare.append(Leak(8_000, durations="none", texts="cleaned", trials=5))
    return [*alone, *three, *five, *real, *bare]


def catalogue(folder: Path) -> pa.Table:
    """Read the real rows, with fractions of seconds drawn."""
    real = pl.read_parquet(folder / "spotify_playlist_archive.parquet")
    drawn = np.random.default_rng(1).integers(0, 1000, real.height)
    return real.select(
        recording="track_id",
        title="title",
        artist="artists",
        album="album",
        duration_ms=(pl.col("dur_s") * 1000 + pl.Series(drawn)).cast(pl.Int32),
        isrc=pl.lit(None, pl.String),
    ).to_arrow()


def leaked(of: Planted, lists: Sequence[pa.Table], leak: Leak, rng: np.random.Generator) -> pa.Table:
    """Make what turned up."""
    everybody = np.array(of.recordings, dtype=object)
    places = {name: i for i, name in enumerate(of.recordings)}
    # What each leaker has of each row of the catalogue, by place; -1 where a row is not in that list.
    at = np.full((len(lists), everybody.size), -1)
    for k, one in enumerate(lists):
        at[k, [places[name] for name in one["recording"].to_pylist()]] = np.arange(one.num_rows)
    some = rng.choice(everybody.size, min(leak.leaked, everybody.size), replace=False)
    some = some[rng.random(some.size) < 0.5]
    owner = rng.integers(len(lists), size=some.size)
    some, owner = some[at[owner, some] >= 0], owner[at[owner, some] >= 0]
    texts = [{name: one[name].to_pylist() for name in FIELDS} for one in lists]
    found = {name: [_chosen(leak, [t[name] for t in texts], at[:, i], k, rng) for i, k in zip(some, owner, strict=True)]
             for name in FIELDS}  # fmt: skip
    ids = everybody[some]
    wrong = rng.random(ids.size) < 0.01
    ids[wrong] = rng.choice(everybody, int(wrong.sum()))
    table = pa.table({"recording": pa.array(ids.tolist(), pa.string()), **found})
    return _cleaned(_timed(table, leak, of.ms[some]), leak)


def _chosen(
    leak: Leak, texts: list[list[object]], at: NDArray[np.int64], owner: int, rng: np.random.Generator
) -> object:
    if leak.way in {"as it is", "by lot"}:
        return texts[owner][at[owner]] if leak.leakers == 1 else _by_lot(texts, at, rng)
    had = [texts[k][i] for k, i in enumerate(at.tolist()) if i >= 0]
    forms = sorted(set(had), key=had.count)
    if leak.way == "by a coin":
        return forms[rng.integers(len(forms))]
    return forms[-1] if leak.way == "what most have" else forms[0]


def _by_lot(texts: list[list[object]], at: NDArray[np.int64], rng: np.random.Generator) -> object:
    has = np.flatnonzero(at >= 0)
    k = int(rng.choice(has))
    return texts[k][at[k]]


def _timed(table: pa.Table, leak: Leak, ours: NDArray[np.int64]) -> pa.Table:
    place = table.column_names.index("duration_ms")
    if leak.durations == "none":
        return table.remove_column(place)
    ms = ours if leak.durations == "recomputed" else table["duration_ms"].to_numpy()
    half = 0 if leak.durations == "cut" else 500
    whole = ms if leak.durations == "full" else (ms + half) // 1000 * 1000
    return table.set_column(place, "duration_ms", pa.array(whole))


def _cleaned(table: pa.Table, leak: Leak) -> pa.Table:
    if leak.texts == "none":
        return table.drop_columns(["title", "artist", "album"])
    if leak.texts == "cleaned":
        for name in ("title", "artist", "album"):
            clean = [" ".join(re.findall(r"\w+", text.casefold())) for text in table[name].to_pylist()]
            clean = [re.sub(r" single$|\b(feat|ft|and) ", "", text) for text in clean]
            table = table.set_column(table.column_names.index(name), name, pa.array(clean))
    return table


def _listed(found: pa.Table) -> pa.Table:
    """Strip what turned up of identifiers."""
    columns = {"row": pa.array(range(found.num_rows), pa.int64())} | {name: found[name] for name in FIELDS}
    return pa.table(
        {
            field.name: columns[field.name].cast(field.type)
            if field.name in columns
            else pa.nulls(found.num_rows, field.type)
            for field in LISTED
        }
    )


def row(of: Planted, lists: Sequence[pa.Table], leak: Leak) -> dict[str, object]:
    """Trace one kind of leak, trial by trial."""
    named, others, bits, chances, cells, read_rows, cpu = [], 0, [], [], [], [], []
    for seed in range(leak.trials):
        rng = np.random.default_rng([seed, leak.leaked, leak.leakers])
        found = leaked(of, lists[: leak.leakers], leak, rng)
        if leak.matched == "really":
            found = matched(of.table, [_listed(found)], rng)
        begun = time.process_time()
        told = read(KEY, of, found)
        traced = trace(KEY, told, TENANTS, np.arange(len(TENANTS), dtype=np.uint64) + 1, needed_bits=NEEDED, at_us=0)
        cpu.append(time.process_time() - begun)
        right = {one.tenant for one in traced.named} & set(LEAKERS[: leak.leakers])
        named.append(len(right))
        others += len(traced.named) - len(right)
        bits.append(max((one.evidence.bits for one in traced.named), default=traced.runner_up_bits))
        chances.append(min((one.log2_chance for one in traced.named), default=0.0))
        cells.append(told.cells.size)
        read_rows.append(told.rows)
    surest = -(median(chances) + math.log2(len(TENANTS))) * math.log10(2)
    told_row: dict[str, object] = {
        "leaked": leak.leaked, "leakers": leak.leakers, "way": leak.way, "durations": leak.durations,
        "texts": leak.texts, "matched": leak.matched, "rows_for_nothing": leak.nothing,
        "rows_read": round(median(read_rows)), "cells": round(median(cells)), "trials": leak.trials,
        "caught": sum(n > 0 for n in named), "named": round(sum(named) / len(named), 2), "others": others,
        "bits": round(median(bits), 1), "chernoff": round(max(surest, 0.0), 1), "cpu_s": round(median(cpu), 2),
    }  # fmt: skip
    print(told_row, flush=True)
    return told_row


def main() -> None:
    """Write ``canaries.csv``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with spotify_playlist_archive.parquet")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--out", type=Path, default=None, help="where the CSV goes; default: docs/bench")
    asked = parser.parse_args()
    ours = catalogue(asked.data)
    told = []
    for nothing in sorted({leak.nothing for leak in leaks()}):
        of = planted(ours, Plan(), rows.made(KEY, ours, nothing, "QZ9ZZ", 2026))
        here = [replace(leak, trials=leak.trials or asked.trials) for leak in leaks() if leak.nothing == nothing]
        lists = [issue(KEY, of, TENANTS[i]) for i in LEAKERS[: max(leak.leakers for leak in here)]]
        told += [row(of, lists, leak) for leak in here]
    write(told, asked.out, "canaries")


if __name__ == "__main__":
    main()
