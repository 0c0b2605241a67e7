"""Which kind of text is this, and what are its columns?  Recognised from the first lines.

==========  ===========================================  ==============================
layout      told by                                      columns
==========  ===========================================  ==============================
objects     most lines are JSON objects                  keys, nested ones joined by dots
combined    a ``[10/Oct/2025:13:55:36 +0000]``           remote_addr, remote_user,
                                                         time_local, request, status,
                                                         body_bytes_sent, http_referer,
                                                         http_user_agent, extra1, ...
w3c         ``#Fields:``                                 as named there
cells       the same delimiter equally often in lines    the header, else 1, 2, 3, ...
==========  ===========================================  ==============================
"""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from riparian.errors import InputError
from riparian.feeds.fields import SAMPLE_ROWS
from riparian.feeds.scanners import Spans, scan_cells, scan_objects, scan_tokens

_FIELDS: Final = b"#Fields:"
_CLF_TIME: Final = re.compile(r"\[\d\d?/[A-Za-z]{3}/\d{4}:\d\d:\d\d:\d\d")
_TOKEN: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|(\S+)')
_LOOKS_LIKE_DATA: Final = re.compile(r"-?\d+(\.\d+)?|\d{4}-\d\d-\d\d.*|.*[@/].*|[0-9a-fA-F-]{32,36}|")
_BEFORE_TIME: Final = ("remote_addr", "ident", "remote_user")
_AFTER_TIME: Final = ("request", "status", "body_bytes_sent", "http_referer", "http_user_agent")
_LASTFM: Final = ("userid", "timestamp", "artist-mbid", "artist-name", "track-mbid", "track-name")
_ISO_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_MBID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|")
_CONTROL_SHARE: Final = 0.1
_SAME_SHARE: Final = 0.8
_DEPTH_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of one log are written.

    Parameters
    ----------
    kind
        ``objects``, ``combined``, ``w3c`` or ``cells``.
    columns
        What there is, in order.
    delimiter, quote
        Of cells.
    header
        The header line of cells, without its end; empty when there is none.
    """

    kind: str
    columns: tuple[str, ...]
    delimiter: str = ","
    quote: str = '"'
    header: bytes = b""

    def scan(self, data: bytes, ends: object, wanted: Sequence[str]) -> Spans:
        """Find the values of some columns in whole lines."""
        if self.kind == "objects":
            return scan_objects(data, ends, list(wanted))  # type: ignore[arg-type]
        places = [self.columns.index(name) for name in wanted]
        if self.kind == "combined":
            return scan_tokens(data, ends, places)  # type: ignore[arg-type]
        return scan_cells(
            data,
            ends,  # type: ignore[arg-type]
            places,
            n_cells=len(self.columns),
            delimiter=self.delimiter,
            quote=self.quote,
        )

    def values(self, line: str, wanted: Sequence[str]) -> list[str | None]:
        """Read one line the slow way.

        Raises
        ------
        ValueError
            Says what was found and what was wanted.
        """
        if self.kind == "objects":
            flat = flatten(parse_object(line))
            return [flat.get(name) for name in wanted]
        cells = self.split(line)
        short = len(cells) <= max((self.columns.index(name) for name in wanted), default=0)
        if (self.kind == "combined" and short) or (self.kind != "combined" and len(cells) != len(self.columns)):
            raise ValueError(f"{len(cells)} values, wanted {len(self.columns)}")
        return [cells[self.columns.index(name)] for name in wanted]

    def split(self, line: str) -> list[str]:
        """Cut one line into its values."""
        if self.kind == "combined":
            return [next((part for part in found.groups() if part is not None), "") for found in _TOKEN.finditer(line)]
        if not self.quote:
            return line.split(self.delimiter)
        try:
            return next(csv.reader([line], delimiter=self.delimiter, strict=True), [])
        except csv.Error as error:
            raise ValueError(f"a quote is out of place ({error}), wanted whole values in one line") from error


def parse_object(line: str) -> dict[str, object]:
    """Read one JSON object, numbers as they are written.

    Raises
    ------
    ValueError
        Says what was found.
    """
    try:
        found = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON ({str(error)[:80]}), wanted one object") from error
    if not isinstance(found, dict):
        raise ValueError(  # noqa: TRY004 -- the value is wrong, not a type in our code
            f"JSON of type {type(found).__name__}, wanted one object"
        )
    return found


def flatten(found: Mapping[str, object], before: str = "", depth: int = 0) -> dict[str, str | None]:
    """Join the keys of nested objects by dots.

    Examples
    --------
    >>> flatten({"a": {"b": "5", "c": None}, "d": True})
    {'a.b': '5', 'a.c': None, 'd': 'true'}
    """
    flat: dict[str, str | None] = {}
    for key, value in found.items():
        if isinstance(value, dict):
            if depth < _DEPTH_MAX:
                flat.update(flatten(value, f"{before}{key}.", depth + 1))
        elif isinstance(value, bool):
            flat[before + key] = "true" if value else "false"
        elif value is None or isinstance(value, str):
            flat[before + key] = value
        else:
            flat[before + key] = json.dumps(value)
    return flat


def _objects(lines: Sequence[str]) -> Layout:
    columns: dict[str, None] = {}
    for line in lines:
        try:
            columns.update(dict.fromkeys(flatten(parse_object(line))))
        except ValueError:
            continue
    return Layout("objects", tuple(columns))


def _combined(lines: Sequence[str]) -> Layout | None:
    plain = Layout("combined", ())
    for line in lines:
        if not _CLF_TIME.search(line):
            continue
        cells = plain.split(line)
        place = next((i for i, cell in enumerate(cells) if _CLF_TIME.match(f"[{cell}")), -1)
        if place < 0:
            continue
        before = [_BEFORE_TIME[i - place] if i >= place - len(_BEFORE_TIME) else f"before{i + 1}" for i in range(place)]
        after = [
            _AFTER_TIME[i] if i < len(_AFTER_TIME) else f"extra{i - len(_AFTER_TIME) + 1}"
            for i in range(len(cells) - place - 1)
        ]
        return Layout("combined", (*before, "time_local", *after))
    return None


def w3c_fields(line: bytes) -> Layout:
    """Read a ``#Fields:`` line.

    Examples
    --------
    >>> w3c_fields(b"#Fields: date time cs(User-Agent)").columns
    ('date', 'time', 'cs(User-Agent)')
    """
    names = line[len(_FIELDS) :].decode("utf-8", "replace").split()
    return Layout("w3c", tuple(names), " ", "")


def w3c_delimiter(lines: Sequence[bytes], default: str) -> str:
    """Tell tabs (CloudFront) from spaces (IIS)."""
    data = [line for line in lines if line and not line.startswith(b"#")]
    if not data:
        return default
    return "\t" if b"\t" in data[0] else " "


def _cells(lines: Sequence[str], delimiters: str) -> Layout | None:
    if not lines:
        return None
    best: tuple[int, int, str] | None = None
    for rank, delimiter in enumerate(delimiters):
        layout = Layout("cells", (), delimiter)
        counts = []
        for line in lines:
            try:
                counts.append(len(layout.split(line)))
            except ValueError:
                counts.append(0)
        usual = max(set(counts), key=counts.count)
        if usual > 1 and counts.count(usual) >= _SAME_SHARE * len(counts):
            found = (usual, -rank, delimiter)
            best = max(best, found) if best else found
    if best is None:
        return None
    n_cells, _, delimiter = best
    layout = Layout("cells", (), delimiter)
    try:
        first = layout.split(lines[0])
    except ValueError:
        first = []
    names = [name.strip().lstrip("#").strip() for name in first]
    is_header = len(first) == n_cells and len(set(names)) == n_cells and not any(map(_LOOKS_LIKE_DATA.fullmatch, names))
    if is_header:
        return Layout("cells", tuple(names), delimiter, '"', lines[0].encode())
    return Layout("cells", tuple(str(i + 1) for i in range(n_cells)), delimiter)


def _lastfm(lines: Sequence[str]) -> Layout | None:
    first = lines[0].split("\t") if lines else []
    if len(first) != len(_LASTFM) or not _ISO_TIME.match(first[1]):
        return None
    return Layout("cells", _LASTFM, "\t", "")


def _is_binary(data: bytes) -> bool:
    odd = sum(data.count(bytes([octet])) for octet in (*range(9), *range(14, 32)))
    return odd > _CONTROL_SHARE * len(data)


def _named(kind: str, lines: Sequence[str], raw: Sequence[bytes]) -> Layout | None:
    starts_object = bool(lines) and lines[0].lstrip().startswith("{")
    if kind in ("json", "envoy", "ndjson") or (kind == "nginx" and starts_object):
        return _objects(lines)
    if kind in ("combined", "nginx"):
        return _combined(lines)
    if kind in ("cloudfront", "w3c"):
        return _w3c(raw)
    if kind == "lastfm":
        return _lastfm(lines)
    return _cells(lines, "\t" if kind == "tsv" else ",;|\t")


def _w3c(raw: Sequence[bytes]) -> Layout | None:
    for line in raw:
        if line.startswith(_FIELDS):
            return Layout("w3c", w3c_fields(line).columns, w3c_delimiter(raw, " "), "")
    return None


def _told(lines: Sequence[str], raw: Sequence[bytes]) -> Layout | None:
    w3c = _w3c(raw)
    if w3c is not None:
        return w3c
    if sum(line.lstrip().startswith("{") for line in lines) * 2 >= len(lines):
        layout = _objects(lines)
        if layout.columns:
            return layout
    if sum(_CLF_TIME.search(line) is not None for line in lines) * 2 >= len(lines):
        return _combined(lines)
    lastfm = _lastfm(lines)
    if lastfm is not None and all(_MBID.fullmatch(line.split("\t")[2]) for line in lines[:10] if line.count("\t") > 1):
        return lastfm
    return _cells(lines, "\t,;|") or _few_good(lines)


def _few_good(lines: Sequence[str]) -> Layout | None:
    # Mostly rubbish, but lines of a known form among it.
    layout = _objects([line for line in lines if line.lstrip().startswith("{")])
    return layout if layout.columns else _combined(lines)


def sample_lines(data: bytes) -> list[bytes]:
    """Take the first lines that are not blank."""
    lines = io.BytesIO(data[: 1 << 22])
    found: list[bytes] = []
    for line in lines:
        if len(found) >= SAMPLE_ROWS:
            break
        text = line.rstrip(b"\r\n")
        if text.strip():
            found.append(text)
    return found


def recognise_layout(data: bytes, *, source: str, wanted: str) -> Layout:
    r"""Say how the lines are written.

    Parameters
    ----------
    data
        The first whole lines.
    source
        Named in the error.
    wanted
        The format that the operator named, or ``auto``.

    Raises
    ------
    InputError
        When it is none of the formats that are read.

    Examples
    --------
    >>> recognise_layout(b"when;who\n2025-01-01;a\n", source="x", wanted="auto").columns
    ('when', 'who')
    """
    raw = sample_lines(data)
    lines = [line.decode("utf-8", "replace") for line in raw if not line.startswith(b"#")]
    if wanted == "auto" and _is_binary(data[:4096]):
        raise InputError(
            f"`{source}` is binary, wanted a log in text, .gz, .zst, Parquet or Arrow",
            hint="Leave it out, or convert it.",
        )
    if lines and lines[0].lstrip().startswith("[") and not _CLF_TIME.search(lines[0]) and wanted == "auto":
        raise InputError(
            f"`{source}` is a JSON array, wanted one object a line",
            hint="Convert it, for example with: jq -c '.[]'",
        )
    layout = (_told(lines, raw) if wanted == "auto" else _named(wanted, lines, raw)) if lines or raw else None
    if layout is None:
        kind = "a log of a known format" if wanted == "auto" else f"`{wanted}`"
        raise InputError(
            f"`{source}` is not recognised, wanted {kind}",
            hint="Name it with --format, or write it as NDJSON or CSV with a header.",
        )
    return layout


def sample_columns(layout: Layout, data: bytes) -> dict[str, list[str | None]]:
    """Give the first values of each column."""
    sample: dict[str, list[str | None]] = {name: [] for name in layout.columns}
    for raw in sample_lines(data):
        if raw.startswith(b"#") or raw == layout.header:
            continue
        try:
            values = layout.values(raw.decode("utf-8", "replace"), layout.columns)
        except ValueError:
            continue
        for name, value in zip(layout.columns, values, strict=True):
            sample[name].append(value)
    return sample
