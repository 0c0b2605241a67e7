"""From text in columns to rows of schema LISTED: numbers as numbers, times as times, nothing invented."""

from collections.abc import Iterator
from typing import Any, Final

import polars as pl
import pyarrow as pa

from riparian.feeds.dumps.naming_files import said_by
from riparian.feeds.dumps.roles import LINE, Roles, halves
from riparian.feeds.dumps.sheets import SHOWN_CHARS, Reject
from riparian.feeds.dumps.values import NOTHING, lit, unit_of
from riparian.schema import LISTED

_TEXTS: Final = ("title", "artist", "album", "upc", "iswc", "mbid", "platform_id", "label", "territory", "path")
_LOOKED_FOR: Final = ("title", "isrc", "upc", "iswc", "mbid", "platform_id")
_MOJIBAKE: Final = r"[\u00c3\u00c2\u00d0\u00d1][\u0080-\u00bf\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122\u0152\u0153\u0160\u0161\u017d\u017e\u0178]|\u00e2\u20ac"  # noqa: E501 -- one class
_LINE_NUMBER: Final = r"^\s*(?:#?\d{1,7}[.):]\s+|[*\u2022\u00b7]\s+)"
_LINE_LENGTH: Final = r"\s*[\[(]?(\d{1,2}:[0-5]\d)[\])]?\s*$"
_DURATION_MAX_MS: Final = 2**31 - 1
_TIMES: Final = (
    "%Y-%m-%d",
    "%d-%b-%Y %H:%M",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
)
_EPOCHS_US: Final = ((2.2e9, 1e6), (2.2e12, 1e3), (2.2e15, 1.0))


class Reader:
    """Makes rows of one sheet: what its roles and its unit of durations are is settled by its first batch.

    Parameters
    ----------
    source
        Of the sheet.
    roles
        Of its columns.
    """

    def __init__(self, source: str, roles: Roles) -> None:
        self._source, self._roles = source, roles
        self._unit: float | None = None
        self._at = 0

    def listed(self, rows: pl.DataFrame, first: int) -> tuple[pa.Table, list[Reject], int]:
        """Give rows of LISTED, numbered from ``first``; what says nothing to look for, and how many of these.

        A column that this batch lacks is null in it.
        """
        made = self._columns(rows)
        frame = (
            pl.DataFrame(made) if made else pl.DataFrame({"title": pl.Series([None] * rows.height, dtype=pl.String)})
        )
        known = [name for name in _LOOKED_FOR if name in frame.columns]
        if not known:
            return self._nothing(rows)
        says = frame.select(pl.any_horizontal(pl.col(known).is_not_null())).to_series()
        begun, self._at = self._at, self._at + rows.height
        rejects: list[Reject] = []
        n_rejected = 0
        if not says.all():
            places = (~says).arg_true()
            n_rejected = len(places)
            some = rows[places.head(50)]
            rejects = [
                Reject(self._source, begun + int(place) + 1, "nothing to look for", _shown(row))
                for place, row in zip(places.head(50), some.iter_rows(), strict=True)
            ]
            frame = frame.filter(says)
        numbers = pl.int_range(first, first + frame.height, eager=True, dtype=pl.Int64)
        absent = {name: None for name in LISTED.names if name not in frame.columns and name != "row"}
        whole = frame.with_columns(numbers.alias("row"), **{name: pl.lit(None) for name in absent})
        table = whole.select(LISTED.names).to_arrow()
        return table.cast(LISTED), rejects, n_rejected

    def _nothing(self, rows: pl.DataFrame) -> tuple[pa.Table, list[Reject], int]:
        there = ", ".join(rows.columns)[:SHOWN_CHARS]
        why = "no column of it is a title or an identifier of recordings"
        rejects = [] if self._at else [Reject(self._source, 0, why, there)]
        self._at += rows.height
        return LISTED.empty_table(), rejects, len(rejects)

    def _columns(self, rows: pl.DataFrame) -> dict[str, pl.Series]:
        at = {field: role.column for field, role in self._roles.of.items() if role.column in rows.columns}
        made = {field: _cleaned(rows[column]) for field, column in at.items() if field in _TEXTS}
        if LINE in at:
            made |= self._cut(_cleaned(rows[at[LINE]]), made)
        if "isrc" in at:
            codes = _cleaned(rows[at["isrc"]]).str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "")
            made["isrc"] = _unless(codes, ~codes.str.contains(r"^[A-Z]{2}[A-Z0-9]{3}\d{7}$"))
        if "duration_ms" in at:
            made["duration_ms"] = self._durations(_cleaned(rows[at["duration_ms"]]))
        if "added" in at:
            made["added"] = times(_cleaned(rows[at["added"]]))
        if "path" in made and "title" not in made:
            made |= _from_paths(made["path"])
        return made

    def _cut(self, lines: pl.Series, made: dict[str, pl.Series]) -> dict[str, pl.Series]:
        bare = lines.str.replace(_LINE_NUMBER, "")
        lengths = bare.str.extract(_LINE_LENGTH)
        left, right = halves(bare.str.replace(_LINE_LENGTH, ""))
        artist, title = (right, left) if self._roles.title_first else (left, right)
        if self._roles.title_first:
            title, artist = pl.select(pl.coalesce(title, artist)).to_series(), _unless(artist, title.is_null())
        found = {"title": _or_null(title), "artist": _or_null(artist)}
        if "duration_ms" not in self._roles.of and lengths.is_not_null().any() and "duration_ms" not in made:
            found["duration_ms"] = self._durations(lengths)
        return found

    def _durations(self, values: pl.Series) -> pl.Series:
        if self._unit is None:
            numbers = lit(values).cast(pl.Float64, strict=False).drop_nulls()
            self._unit = unit_of(numbers) if len(numbers) else None
        return durations_ms(values, self._unit or 1000.0)


def _shown(row: tuple[str | None, ...]) -> str:
    return "|".join(cell or "" for cell in row)[:SHOWN_CHARS]


def _unless(values: pl.Series, wrong: pl.Series) -> pl.Series:
    return values.set(wrong.fill_null(value=False), None)


def _or_null(values: pl.Series) -> pl.Series:
    bare = values.str.strip_chars()
    return _unless(bare, bare == "")


def _cleaned(values: pl.Series) -> pl.Series:
    bare = values.str.strip_chars()
    bare = _unless(bare, bare.str.to_lowercase().is_in(NOTHING))
    broken = bare.str.contains(_MOJIBAKE).fill_null(value=False)
    if broken.any():
        mended = [mended_text(text) for text in bare.filter(broken).to_list()]
        bare = bare.scatter(broken.arg_true(), mended)
    return bare


def mended_text(text: str) -> str:
    """Undo UTF-8 that was read as Windows-1252 and written again; anything else stays as it is.

    Examples
    --------
    >>> mended_text("BjÃ¶rk"), mended_text("Björk")
    ('Björk', 'Björk')
    """
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode()
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
    return text


def durations_ms(values: pl.Series, unit: float) -> pl.Series:
    """Read durations: numbers in a unit of so many milliseconds, clocks, ISO 8601.

    Examples
    --------
    >>> durations_ms(pl.Series(["3:35", "1:02:03", "PT3M20S", "215", "-4", "long"]), 1000.0).to_list()
    [215000, 3723000, 200000, 215000, None, None]
    """
    clock = values.str.extract_groups(r"^(?:(\d{1,3}):)?(\d{1,3}):([0-5]\d(?:\.\d+)?)$").struct.unnest()
    spelt = values.str.extract_groups(r"^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$").struct.unnest()
    weights = (3_600_000.0, 60_000.0, 1000.0)
    made = [pl.Series("n", values.cast(pl.Float64, strict=False) * unit)]
    for parts in (clock, spelt):
        numbers = [part.cast(pl.Float64, strict=False) for part in parts.get_columns()]
        some = numbers[1].is_not_null() | numbers[2].is_not_null()
        total = sum((n.fill_null(0.0) * w for n, w in zip(numbers, weights, strict=True)), pl.Series([0.0]))
        made.append(_unless(total, ~some))
    first = pl.select(pl.coalesce(*made)).to_series()
    return _unless(first, ~first.is_between(1, _DURATION_MAX_MS)).round().cast(pl.Int32, strict=False)


def times(values: pl.Series) -> pl.Series:
    """Read times: ISO 8601, days in the usual orders, seconds or more since 1970; UTC where nothing else is said.

    Examples
    --------
    >>> [str(at) for at in times(pl.Series(["2021-03-04", "2021-03-04T05:06:07Z", "1614834367", "soon"]))]
    ['2021-03-04 00:00:00+00:00', '2021-03-04 05:06:07+00:00', '2021-03-04 05:06:07+00:00', 'None']
    """
    kind = pl.Datetime("us", "UTC")
    plain = values.str.replace(r"[+-]00:?00$|Z$| UTC$", "").str.replace("T", " ").str.replace(r"\.\d+$", "")
    zoned = values.filter(values.str.contains(r"[+-]\d\d:?\d\d$").fill_null(value=False))
    made = [plain.str.to_datetime(form, strict=False).dt.cast_time_unit("us") for form in _TIMES]
    if len(zoned):
        made.insert(
            0, values.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC").dt.replace_time_zone(None)
        )
    numbers = values.cast(pl.Float64, strict=False)
    micros = pl.select(
        pl.when(numbers < 9e8).then(None).otherwise(
            pl.coalesce(*(pl.when(numbers < most).then(numbers * to) for most, to in _EPOCHS_US))
        )
    ).to_series()  # fmt: skip
    made.append(micros.cast(pl.Int64, strict=False).cast(pl.Datetime("us")))
    return pl.select(pl.coalesce(*made)).to_series().dt.replace_time_zone("UTC").cast(kind)


def _from_paths(paths: pl.Series) -> dict[str, pl.Series]:
    said: list[Any] = [said_by(path) if path else None for path in paths.to_list()]
    return {
        name: pl.Series(name, [(getattr(one, name) or None) if one else None for one in said], dtype=pl.String)
        for name in ("title", "artist", "album")
    }


def path_rows(paths: Iterator[str]) -> pl.DataFrame:
    """Write paths as a column."""
    return pl.DataFrame({"path": pl.Series(list(paths), dtype=pl.String)})
