"""From columns of text to items: which column is which is settled by the first rows of each table."""

from collections.abc import Mapping
from typing import Any, Final

import polars as pl
import pyarrow as pa

from riparian.feeds.dumps.naming_files import said_by
from riparian.feeds.dumps.roles import LINE, Roles, halves, roles_of
from riparian.feeds.dumps.rows import durations_ms, times
from riparian.feeds.dumps.values import unit_of
from riparian.feeds.dumps.vocabulary import Vocabulary
from riparian.feeds.tables import plain_name
from riparian.metadata.datasets import ITEM

_TEXTS: Final = ("title", "artist", "album", "upc", "iswc", "mbid", "platform_id", "label", "territory", "path", "isrc")
_LICENCES: Final = frozenset(
    ["license", "licence", "licenseurl", "licenceurl", "licensename", "licencename", "rights", "usagerights"]
)
_DIGESTS: Final = frozenset(["sha256", "digest", "audiosha256", "filesha256", "checksum"])
_HEX: Final = r"^[0-9a-f]{64}$"


class Items:
    """Makes items of the rows of one table.

    Parameters
    ----------
    rows
        Its first rows, as text.
    vocabulary
        Names of ours, to tell titles from artists.
    has_names
        Whether its columns have names of their own.
    said
        Field to column, as the operator says.
    """

    def __init__(
        self, rows: pl.DataFrame, vocabulary: Vocabulary, said: Mapping[str, str], *, has_names: bool = True
    ) -> None:
        there = {field: column for field, column in said.items() if column in rows.columns}
        names = {plain_name(column.rpartition(".")[2]): column for column in reversed(rows.columns)}
        self.licence = next((names[name] for name in names if name in _LICENCES), "") if has_names else ""
        self.digest = next((names[name] for name in names if name in _DIGESTS), "") if has_names else ""
        others = [column for column in rows.columns if column not in {self.licence, self.digest}]
        empty = Roles({})
        self.roles = roles_of(rows.select(others), vocabulary, there, has_names=has_names) if others else empty
        self._unit = 0.0
        if "duration_ms" in self.roles.of:
            numbers = rows[self.roles.of["duration_ms"].column].cast(pl.Float64, strict=False).drop_nulls()
            self._unit = unit_of(numbers) if len(numbers) else 0.0

    @property
    def columns(self) -> list[str]:
        """Which columns are looked at."""
        named = [role.column for role in self.roles.of.values()]
        return list(dict.fromkeys([*named, *filter(None, (self.licence, self.digest))]))

    def items(self, rows: pl.DataFrame, first: int) -> pa.Table:
        """Give items of schema ``ITEM``, a row each, numbered from ``first``; what the rows lack is null."""
        at = {field: role.column for field, role in self.roles.of.items() if role.column in rows.columns}
        made = {field: _bare(rows[column]) for field, column in at.items() if field in _TEXTS}
        if LINE in at:
            left, right = halves(_bare(rows[at[LINE]]).fill_null(""))
            artist, title = (right, left) if self.roles.title_first else (left, right)
            made |= {"title": title, "artist": artist}
        if "duration_ms" in at:
            made["duration_ms"] = durations_ms(_bare(rows[at["duration_ms"]]), self._unit or 1_000.0)
        if "added" in at:
            made["added"] = times(_bare(rows[at["added"]]))
        if "path" in made and "title" not in made:
            made |= _from_paths(made["path"])
        if self.licence in rows.columns:
            made["licence"] = _bare(rows[self.licence])
        if self.digest in rows.columns:
            digest = _bare(rows[self.digest]).str.to_lowercase()
            made["digest"] = digest.set(~digest.str.contains(_HEX).fill_null(value=False), None)
        return shaped(made, rows.height, first)


def shaped(made: Mapping[str, pl.Series], n: int, first: int) -> pa.Table:
    """Put columns into the schema ``ITEM``."""
    arrays: list[Any] = [pa.array(range(first, first + n), pa.int64()) if n < 2 else _numbers(first, n)]
    for field in list(ITEM)[1:]:
        if field.name in made:
            arrays.append(made[field.name].to_arrow().cast(field.type))
        else:
            arrays.append(pa.nulls(n, field.type))
    return pa.Table.from_arrays(arrays, schema=ITEM)


def _numbers(first: int, n: int) -> pa.Array:
    return pl.int_range(first, first + n, eager=True, dtype=pl.Int64).to_arrow()


def _bare(values: pl.Series) -> pl.Series:
    bare = values.cast(pl.String).str.strip_chars()
    return bare.set((bare == "").fill_null(value=False), None)


def _from_paths(paths: pl.Series) -> dict[str, pl.Series]:
    said = [said_by(path) if path else None for path in paths.to_list()]
    return {
        name: pl.Series(name, [(getattr(one, name) or None) if one else None for one in said], dtype=pl.String)
        for name in ("title", "artist", "album")
    }
