"""What does a table say that we hold, whatever it is written as?

Columns are known by their names, as everywhere in the house; where the names say nothing, by their values, as those of
lists that were found (:mod:`riparian.feeds.dumps.roles`).  Codes are written in one way, or not at all.  What a
duration is counted in is settled by the first rows.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl
import pyarrow as pa

from riparian.catalogue.holdings import FIXITY, HELD, IDENTIFIER, PLAYED, Document, Holding
from riparian.catalogue.identifiers import normalised
from riparian.feeds.dumps.roles import roles_of
from riparian.feeds.dumps.rows import durations_ms, times
from riparian.feeds.dumps.sheets import Sheet
from riparian.feeds.dumps.values import unit_of
from riparian.feeds.dumps.vocabulary import NOTHING_HELD
from riparian.feeds.tables import columns_named
from riparian.feeds.works import recording_ids

_NAMES: Final = {
    "recording": "recording recordingid trackid track songid itemid assetid contentid mediaid id trackuri",
    "title": "title trackname name tracktitle songname song recordingtitle",
    "artist": "artist artistname artists performer albumartist displayartist",
    "album": "album albumname release releasename releasetitle",
    "duration_ms": "durationms lengthms ms duration length seconds",
    "popularity": "popularity plays playcount streams listeners share rank",
    "released": "released releasedate originalreleasedate date year",
    "markets": "markets availablemarkets territories countries",
    "isrc": "isrc isrccode trackisrc",
    "owner": "owner rightsholder supplier provider licensor distributor",
    "licensed": "licensed licensees licencees alsodeliveredby",
    "upc": "upc ean gtin barcode icpn",
    "iswc": "iswc",
    "mbid": "mbid musicbrainzid musicbrainztrackid recordingmbid",
    "platform_id": "platformid spotifyid spotifytrackid trackuri spotifyuri uri url",
    "label": "label labelname recordlabel imprint",
    "territory": "territory country",
    "added": "added addedat dateadded created createdat",
    "sha256": "sha256 digest fixity checksum",
    "blake3": "blake3",
    "path": "path file filename filepath location",
}
_TEXTS: Final = ("recording", "title", "artist", "album", "markets", "owner", "licensed", "label", "territory")
_CODES: Final = ("isrc", "upc", "iswc", "mbid", "platform_id")
_BY_VALUE: Final = ("title", "artist", "album", "duration_ms", *_CODES)
_DIGEST: Final = r"^[0-9a-f]{64}$"


def holdings_of(sheet: Sheet, document: Document, first: int = 0) -> Iterator[Holding]:
    """Give the rows of a table that was found, batch by batch, numbered from ``first``."""
    reader: _Rows | None = None
    for number, batch in enumerate(sheet.batches, start=first):
        if reader is None and batch.rows.height:
            reader = _Rows(batch.rows, has_names=sheet.has_names)
        refused = [(f"{each.source}:{each.line}", each.reason) for each in batch.rejects]
        if reader is None or not batch.rows.height:
            yield Holding(document, number, refused=refused)
        else:
            yield reader.holding(batch.rows, document, number, refused)


class _Rows:
    """Makes batches of the rows of one table; which column is which is settled by the first of them."""

    def __init__(self, rows: pl.DataFrame, *, has_names: bool) -> None:
        self._columns = columns_named(rows.head(0).to_arrow(), _NAMES) if has_names else {}
        if "label" in self._columns and "owner" not in self._columns:
            # A catalogue that says nothing else of whose a recording is says it so.
            self._columns["owner"] = self._columns["label"]
        if not ({"recording", "isrc"} & set(self._columns) or {"artist", "title"} <= set(self._columns)):
            found = roles_of(rows, NOTHING_HELD, {}, has_names=has_names).of
            self._columns = {name: found[name].column for name in _BY_VALUE if name in found} | self._columns
        column = self._columns.get("duration_ms", "")
        self._unit = 1.0 if column.lower().endswith("ms") else 0.0
        if column and not self._unit:
            numbers = rows[column].cast(pl.Float64, strict=False).drop_nulls()
            self._unit = (unit_of(numbers) if len(numbers) else 0.0) or 1_000.0

    def holding(self, rows: pl.DataFrame, document: Document, number: int, refused: list[tuple[str, str]]) -> Holding:
        made = self._made(rows)
        table = pl.DataFrame(made)
        named = table["recording"].is_not_null()
        if unnamed := int((~named).sum()):
            refused.append((f"batch {number}", f"{unnamed} rows have neither a code nor artist and title"))
        table = table.filter(named)
        here = {name: table[name] for name in table.columns}
        return Holding(
            document,
            number,
            recordings=_whole(here, HELD),
            identifiers=_identifiers(here),
            played=self._played(here),
            fixity=_fixity(here, rows, self._columns, named),
            refused=refused,
        )

    def _made(self, rows: pl.DataFrame) -> dict[str, pl.Series]:
        there = {name: _bare(rows[column]) for name, column in self._columns.items() if column in rows.columns}
        made: dict[str, pl.Series] = {name: there[name] for name in _TEXTS if name in there}
        made |= {name: normalised(name, there[name]) for name in _CODES if name in there}
        if "duration_ms" in there:
            made["duration_ms"] = durations_ms(there["duration_ms"], self._unit)
        if "popularity" in there:
            numbers = there["popularity"].cast(pl.Float64, strict=False)
            # The first rank is the most played: popularity has to grow with plays.
            is_rank = self._columns["popularity"].lower() == "rank"
            made["popularity"] = 1.0 / numbers.clip(1.0) if is_rank else numbers
        if "released" in there:
            made["released"] = _days(there["released"])
        if "added" in there:
            made["added"] = times(there["added"])
        made["recording"] = _recordings(made, rows.height)
        return {name: series.alias(name) for name, series in made.items()}

    def _played(self, here: Mapping[str, pl.Series]) -> pa.Table:
        if "popularity" not in here:
            return PLAYED.empty_table()
        there = pl.DataFrame({"recording": here["recording"], "value": here["popularity"]}).drop_nulls()
        columns = {name: there[name] for name in there.columns}
        columns["measure"] = pl.repeat(self._columns["popularity"], there.height, eager=True)
        return _whole(columns, PLAYED)


def _recordings(made: Mapping[str, pl.Series], n: int) -> pl.Series:
    names = [made[name] for name in ("recording", "isrc", "mbid", "platform_id") if name in made]
    if {"artist", "title"} <= set(made):
        by_name = recording_ids(_chunked(made["artist"]), _chunked(made["title"]))
        names.append(pl.Series(by_name).cast(pl.String))
    if not names:
        return pl.Series([None] * n, dtype=pl.String)
    return pl.select(pl.coalesce(*names)).to_series()


def _chunked(series: pl.Series) -> pa.ChunkedArray:
    return pa.chunked_array([series.to_arrow().cast(pa.string())])


def _bare(values: pl.Series) -> pl.Series:
    bare = values.cast(pl.String).str.strip_chars()
    return bare.set((bare == "").fill_null(value=False), None)


def _days(values: pl.Series) -> pl.Series:
    lengths = values.str.len_chars()
    whole = pl.select(
        pl.when(lengths == 4).then(values + "-01-01").when(lengths == 7).then(values + "-01").otherwise(values)
    ).to_series()
    return whole.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def _whole(columns: Mapping[str, pl.Series], schema: pa.Schema) -> pa.Table:
    n = max((len(series) for series in columns.values()), default=0)
    arrays: list[Any] = [
        columns[each.name].to_arrow().cast(each.type) if each.name in columns else pa.nulls(n, each.type)
        for each in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _identifiers(here: Mapping[str, pl.Series]) -> pa.Table:
    found = [
        pl.DataFrame({"recording": here["recording"], "kind": pl.repeat(kind, len(here[kind]), eager=True)})
        .with_columns(here[kind].alias("value"))
        .drop_nulls()
        for kind in ("isrc", "iswc", "mbid", "platform_id")
        if kind in here
    ]
    if not found:
        return IDENTIFIER.empty_table()
    whole = pl.concat(found)
    return _whole({name: whole[name] for name in whole.columns}, IDENTIFIER)


def _fixity(
    here: Mapping[str, pl.Series], rows: pl.DataFrame, columns: Mapping[str, str], named: pl.Series
) -> pa.Table:
    tables = []
    for kind in ("sha256", "blake3"):
        if kind in columns and columns[kind] in rows.columns:
            digest = _bare(rows[columns[kind]]).str.to_lowercase().filter(named)
            path = columns.get("path", "")
            where = _bare(rows[path]).filter(named) if path in rows.columns else pl.Series([None] * len(digest))
            some = pl.DataFrame({"recording": here["recording"], "path": where.cast(pl.String), "digest": digest})
            some = some.filter(pl.col("digest").str.contains(_DIGEST).fill_null(value=False))
            kinds = pl.repeat(kind, some.height, eager=True)
            tables.append(_whole({**{name: some[name] for name in some.columns}, "algorithm": kinds}, FIXITY))
    return pa.concat_tables(tables) if tables else FIXITY.empty_table()
