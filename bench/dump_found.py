"""Lists of songs that others wrote, as dumps that were found: each from another source, none with codes of ours.

``lines``: text lines of playlists over time (--data, MIT-style); the catalogue is the other collection's tracks.
``charts``: the weekly Hot 100 from 1997 on, one row a song (utdata/rwd-billboard-data, MIT).  ``radio``: songs that
classic rock stations played (fivethirtyeight/data, classic-rock/classic-rock-song-list.csv, CC BY 4.0).  ``sets``:
tracks that a disc jockey played, typed by hand (TangentFoxy/FindingMusic, music.json, no licence: nothing of it is kept
here).  ``--found FOLDER`` has ``charts/*.csv``, ``radio.csv`` and ``sets.json``; what is missing is left out.
"""

import csv
import re
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
from dump_rows import as_schema, real_rows

from riparian.schema import LISTED, RECORDING

FOUND: Final = ("lines", "charts", "radio", "sets")


def found(name: str, data: Path, folder: Path) -> tuple[pa.Table, pa.Table] | None:
    """Give a catalogue (RECORDING) and a dump (LISTED); None where its file is missing."""
    real = _real(data)
    if name == "lines":
        ours = real.filter(pl.col("owner") == "playlists")
        return as_schema(ours, RECORDING), _listed(_lines(data))
    ours = real.filter(pl.col("owner") != "free")
    rows = {"charts": _charts, "radio": _radio, "sets": _sets}[name](folder)
    return (as_schema(ours, RECORDING), _listed(rows)) if rows else None


@cache
def _real(data: Path) -> pl.DataFrame:
    return real_rows(data)


def _listed(rows: list[tuple[str, str]]) -> pa.Table:
    table = pl.DataFrame(rows, schema=["title", "artist"], orient="row").filter(pl.col("title") != "")
    return as_schema(table.unique(maintain_order=True).with_row_index("row"), LISTED)


def _lines(data: Path) -> list[tuple[str, str]]:
    lines = pl.read_parquet(data / "harisekhon_lines.parquet")["line"].to_list()
    return [(title, artist) for artist, _, title in (line.partition(" - ") for line in lines)]


def _charts(folder: Path) -> list[tuple[str, str]]:
    files = sorted((folder / "charts").glob("*.csv"))
    rows = [row for file in files for row in csv.DictReader(file.read_text(errors="replace").splitlines())]
    return [(row["title"], row.get("performer") or row.get("artist") or "") for row in rows]


def _radio(folder: Path) -> list[tuple[str, str]]:
    file = folder / "radio.csv"
    if not file.exists():
        return []
    rows = csv.DictReader(file.read_text("latin-1").splitlines())
    return [(row["Song Clean"], row["ARTIST CLEAN"]) for row in rows]


def _sets(folder: Path) -> list[tuple[str, str]]:
    file = folder / "sets.json"
    if not file.exists():
        return []
    first = re.findall(r'"names":\["((?:[^"\\]|\\.)*)"', file.read_text(errors="replace"))
    split = (re.split(r"\s+[-\u2013]\s+", name.replace('\\"', '"'), maxsplit=1) for name in first)
    return [(two[1], two[0]) for two in split if len(two) == 2]
