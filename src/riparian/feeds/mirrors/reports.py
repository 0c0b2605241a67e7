"""What does the report of a monitoring vendor say it saw?

Every vendor has columns of its own: they are recognised by their values first and by their names second, and what is
not recognised right can be said.  A row without an address is no sighting; it is told, with its number.  Addresses are
often written so that nobody follows them by accident (``hxxps://mirror[.]example``); that is taken back.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from riparian.catalogue.identifiers import isrc
from riparian.errors import InputError
from riparian.feeds.dumps.read import sheets
from riparian.feeds.dumps.sheets import Reject, Sheet
from riparian.feeds.mirrors.addresses import joined, what_is
from riparian.feeds.mirrors.amounts import length_us, octets_of, time_us
from riparian.feeds.places import expand
from riparian.feeds.tables import plain_name
from riparian.ports.mirrors import Item, Kind, Told

ROWS_MAX: Final = 1_000_000
_SAMPLE: Final = 500
_LIKE: Final = 0.6
_CALLED: Final = 0.5
_LEAST: Final = 0.45
_SHOWN: Final = 8
_PAUSES: Final = re.compile(r"[\[({]\s*(\.|dot|:|://)\s*[\])}]", re.IGNORECASE)
_HEX: Final = re.compile(r"(?:sha-?256:)?([0-9a-f]{64})|(?:urn:btih:)?([0-9a-f]{40})", re.IGNORECASE)

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "url": "url infringingurl infringementurl detectedurl contenturl fileurl targeturl pageurl sourceurl link"
        " locationurl infringinglink address uri location href page foundat",
        "title": "title tracktitle trackname track songtitle song recordingtitle recording assettitle asset worktitle"
        " work contenttitle name",
        "artist": "artist artistname trackartist performer mainartist artists creator author band",
        "isrc": "isrc isrccode trackisrc",
        "length": "duration length lengthms durationms durationseconds lengthseconds runtime playtime seconds",
        "bytes": "bytes size filesize sizebytes filesizebytes contentlength",
        "changed": "detectedat detected detectiondate datedetected discoveredat discovered discoverydate firstseen"
        " founddate datefound foundon found uploadedat uploaded uploaddate published publishedat date timestamp"
        " lastseen reportedat created createdat verifiedat",
        "digest": "sha256 hash filehash contenthash digest infohash torrenthash btih checksum",
    }
)
"""Field to the names that vendors give it, the surest first."""
_NOT_IT: Final = re.compile(r"screenshot|evidence|thumb|image|referr?er|icon|logo|notice|profile|ticket|our|official")


@dataclass(slots=True)
class _Columns:
    of: dict[str, str]
    scale: float = 1.0


@dataclass(slots=True)
class Imported:
    """What a report says, and which of its columns was taken for what."""

    told: Told
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0


def read_report(path: Path, said: Mapping[str, str]) -> Imported:
    """Read a report: CSV, JSON, NDJSON, or whatever else holds a table.

    Parameters
    ----------
    said
        Field to column, as the operator says; believed.

    Raises
    ------
    InputError
        When there is no such file, field or column, or no column of it holds addresses.
    """
    odd = [name for name in said if name not in NAMES]
    if odd:
        raise InputError(f"`--map {odd[0]}=...` names no field, wanted one of {', '.join(NAMES)}")
    if not path.is_file():
        raise InputError(f"there is no file at `{path}`, wanted the report of a vendor")
    out = Imported(Told(Kind.REPORT))
    is_one = False
    for place in expand([str(path)]):
        for sheet in sheets(place):
            if isinstance(sheet, Reject):
                out.told.faults.append(f"{sheet.reason}{f', in row {sheet.line}' if sheet.line else ''}")
            else:
                is_one = _read_sheet(sheet, said, out) or is_one
    if not is_one:
        faults = f": {out.told.faults[0]}" if out.told.faults else ""
        raise InputError(
            f"no column of `{path}` holds addresses{faults}, wanted a report of where things were seen",
            hint="Say which one does, as in --map url=COLUMN.",
        )
    return out


def _read_sheet(sheet: Sheet, said: Mapping[str, str], out: Imported) -> bool:
    columns: _Columns | None = None
    without: list[int] = []
    first = 1
    for batch in sheet.batches:
        out.told.faults += [f"{one.reason}, in row {one.line}" for one in batch.rejects]
        if columns is None:
            columns = _columns(batch.rows, said)
            if "url" not in columns.of:
                return False
            out.columns = {**out.columns, **columns.of}
        there = {name: column for name, column in columns.of.items() if column in batch.rows.columns}
        texts = {name: batch.rows[column].to_list() for name, column in there.items()}
        for place in range(batch.rows.height):
            if out.rows >= ROWS_MAX:
                out.told.faults.append(f"it has more than {ROWS_MAX:,} rows: the rest was not read")
                return True
            out.rows += 1
            item = _item({name: (column[place] or "").strip() for name, column in texts.items()}, columns.scale)
            if item is None:
                without.append(first + place)
            else:
                out.told.items.append(item)
        first += batch.rows.height
    if without:
        rows = ", ".join(map(str, without[:_SHOWN])) + (" ..." if len(without) > _SHOWN else "")
        what = "row names" if len(without) == 1 else "rows name"
        out.told.faults.append(f"{len(without):,} {what} no address: {rows}")
    return columns is not None


def _item(row: Mapping[str, str], scale: float) -> Item | None:
    address = whole(row.get("url", ""))
    if not address:
        return None
    length = length_us(row.get("length", ""))
    return Item(
        address,
        what_is(address),
        " ".join(row.get("title", "").split())[:400],
        " ".join(row.get("artist", "").split())[:400],
        round(length * scale) if length is not None else None,
        octets_of(row.get("bytes", "")),
        time_us(row.get("changed", "")),
        _digest(row.get("digest", "")),
        isrc(row.get("isrc", "")),
    )


def whole(text: str) -> str:
    """Give an address as it was before somebody made sure that nobody follows it; empty when it is none.

    Examples
    --------
    >>> whole("hxxps://mirror[.]example/a.mp3"), whole("mirror(dot)example"), whole("see page 3")
    ('https://mirror.example/a.mp3', '', '')
    """
    text = _PAUSES.sub(lambda found: "." if found[1].lower() == "dot" else found[1], text.strip())
    if text[:4].lower() == "hxxp":
        text = f"http{text[4:]}"
    if text[:8].lower() == "magnet:?":
        return text if len(text) < 8192 and text.isprintable() else ""
    return joined("", text) if "://" in text[:12] and " " not in text else ""


def _digest(text: str) -> str:
    found = _HEX.fullmatch(text.strip())
    if found is None:
        return ""
    return f"sha256:{found[1].lower()}" if found[1] else f"urn:btih:{found[2].lower()}"


_LIKENESS: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {
        "url": lambda text: bool(whole(text)),
        "title": lambda text: any(map(str.isalpha, text)) and not whole(text),
        "artist": lambda text: any(map(str.isalpha, text)) and not whole(text),
        "isrc": lambda text: bool(isrc(text)),
        "length": lambda text: length_us(text) is not None,
        "bytes": lambda text: octets_of(text) is not None,
        "changed": lambda text: time_us(text) is not None and not text.strip().isdigit(),
        "digest": lambda text: bool(_digest(text)),
    }
)
_BY_VALUE: Final = frozenset({"url", "isrc", "digest"})


def _columns(rows: pl.DataFrame, said: Mapping[str, str]) -> _Columns:
    """Give every field the column that is most like it."""
    for name, column in said.items():
        if column not in rows.columns:
            there = ", ".join(f"`{one}`" for one in rows.columns[:20])
            raise InputError(f"`--map {name}={column}` names no column, wanted one of {there}")
    columns = [name for name in rows.columns if name not in said.values()]
    fields = [name for name in NAMES if name not in said]
    values = {name: _lit(rows[name].head(_SAMPLE).to_list()) for name in columns}
    worth = np.array([[_worth(name, column, values[column]) for name in fields] for column in columns])
    of = dict(said)
    if columns and fields:
        for row, place in zip(*linear_sum_assignment(-worth), strict=True):
            if worth[row, place] > _LEAST:
                of[fields[place]] = columns[row]
    return _Columns(of, _scale(of.get("length", ""), rows))


def _lit(values: Sequence[str | None]) -> list[str]:
    return [text for text in values if text and text.strip()]


def _worth(name: str, column: str, values: Sequence[str]) -> float:
    alike = sum(map(_LIKENESS[name], values)) / len(values) if values else 0.0
    called = _called(name, column)
    if name in _BY_VALUE:
        # What is called so and is not like it is something else.
        worth = (1 + called) * alike if alike >= _LIKE or (called and alike > 0) else 0.0
        return worth / 2 if name == "url" and _NOT_IT.search(plain_name(column)) else worth
    return alike * called if called else 0.0


def _called(name: str, column: str) -> float:
    """Say how surely a column is called like a field; of a path of names, its end says it."""
    names = NAMES[name].split()
    parts = column.split(".")
    ends = [plain_name("".join(parts[place:])) for place in range(len(parts))]
    return max((_CALLED + 0.5 * (1 - names.index(end) / len(names)) for end in ends if end in names), default=0.0)


def _scale(column: str, rows: pl.DataFrame) -> float:
    """Say what a number of a column of lengths is worth in seconds: a thousandth where it counts milliseconds."""
    if not column:
        return 1.0
    numbers = [float(text) for text in _lit(rows[column].head(_SAMPLE).to_list()) if text.strip().isdigit()]
    is_ms = plain_name(column).endswith(("ms", "msec", "milliseconds"))
    return 0.001 if is_ms or (numbers and float(np.median(numbers)) > 10_000) else 1.0
