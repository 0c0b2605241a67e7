"""What a catalogue holds: recordings with title, artist, duration and popularity.

``recording`` must be the identifier that the access logs use.  A table without one but with artist and
title names its recordings as personal exports do (:mod:`riparian.feeds.works`).
"""

from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from riparian.errors import InputError
from riparian.feeds.tables import columns_named, need, read_table
from riparian.feeds.works import recording_ids
from riparian.schema import RECORDING

_NAMES: Final = {
    "recording": "recording recordingid trackid track songid isrc itemid assetid contentid mediaid id trackuri",
    "title": "title trackname name trackttitle songname song",
    "artist": "artist artistname artists performer albumartist",
    "album": "album albumname release releasename",
    "duration_ms": "durationms lengthms ms duration length",
    "popularity": "popularity plays playcount streams listeners share rank",
    "released": "released releasedate date year",
    "markets": "markets availablemarkets territories countries",
    "isrc": "isrc isrccode",
    "owner": "owner rightsholder label supplier provider licensor distributor",
    "licensed": "licensed licensees licencees alsodeliveredby",
}
_SECONDS_BELOW: Final = 20_000


def _duration_ms(values: pa.ChunkedArray, column: str) -> pl.Series:
    numbers = pl.Series(values).cast(pl.Float64, strict=False)
    middle: Any = numbers.median()
    # A column that does not say its unit and has no value like a recording's milliseconds is in seconds.
    if not column.lower().endswith("ms") and middle is not None and middle < _SECONDS_BELOW:
        numbers = numbers * 1_000
    return numbers.clip(0, 2**31 - 1).round().cast(pl.Int32, strict=False)


def _popularity(values: pa.ChunkedArray, column: str) -> pl.Series:
    numbers = pl.Series(values).cast(pl.Float64, strict=False)
    # The first rank is the most played: popularity has to grow with plays.
    return 1.0 / numbers.clip(1.0) if column.lower() == "rank" else numbers


def _released(values: pa.ChunkedArray) -> pl.Series:
    dates = pl.Series(values)
    if dates.dtype in (pl.Date, pl.Datetime):
        return dates.cast(pl.Date)
    texts = dates.cast(pl.String)
    whole = texts + pl.Series(["-01-01"])
    longest = pl.select(
        pl.when(texts.str.len_chars() == 4)
        .then(whole)
        .when(texts.str.len_chars() == 7)
        .then(texts + "-01")
        .otherwise(texts)
    ).to_series()
    return longest.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def catalogue_of(table: pa.Table, *, source: str = "catalogue") -> pa.Table:
    """Bring a table to schema ``RECORDING``; columns that it lacks stay away.

    Raises
    ------
    InputError
        When it has neither a recording column nor artist and title.

    Examples
    --------
    >>> found = catalogue_of(pa.table({"track_id": ["r1"], "plays": [7], "duration": [180.5]}))
    >>> found.to_pylist()
    [{'recording': 'r1', 'duration_ms': 180500, 'popularity': 7.0}]
    """
    columns = columns_named(table, _NAMES)
    if "recording" not in columns and not {"artist", "title"} <= set(columns):
        need(columns, ("recording",), table, source)
    arrays: dict[str, Any] = {}
    if "recording" in columns:
        arrays["recording"] = pc.cast(table.column(columns["recording"]), pa.string())
    else:
        named = recording_ids(table.column(columns["artist"]), table.column(columns["title"]))
        arrays["recording"] = pc.cast(named, pa.string())
    for name in ("title", "artist", "album", "markets", "isrc", "owner", "licensed"):
        if name in columns:
            arrays[name] = pl.Series(table.column(columns[name])).cast(pl.String).to_arrow().cast(pa.string())
    if "duration_ms" in columns:
        arrays["duration_ms"] = _duration_ms(table.column(columns["duration_ms"]), columns["duration_ms"]).to_arrow()
    if "popularity" in columns:
        arrays["popularity"] = _popularity(table.column(columns["popularity"]), columns["popularity"]).to_arrow()
    if "released" in columns:
        arrays["released"] = _released(table.column(columns["released"])).to_arrow()
    schema = pa.schema([RECORDING.field(name) for name in RECORDING.names if name in arrays])
    out = pa.table([arrays[name] for name in schema.names], names=schema.names)
    out = out.filter(pc.and_kleene(pc.is_valid(out["recording"]), pc.not_equal(out["recording"], "")))
    if not out.num_rows:
        raise InputError(f"`{source}` names no recording, wanted at least one", hint="Check the recording column.")
    return out.cast(schema)


def read_catalogue(source: str) -> pa.Table:
    """Read a catalogue from CSV, NDJSON, Parquet or Arrow.

    Raises
    ------
    InputError
        When it does not exist, is no table, or names no recording.
    """
    return catalogue_of(read_table(source), source=source)
