"""What did we find, when we looked before: files that our own commands wrote.

Three kinds are told apart by what is in them: lines of ``match --json``, rows of ``dump match --rows``, and items of
``dataset audit --rows``.  Of rows and items those count that are said to be the recording itself.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from riparian.creators.statement import Found
from riparian.errors import InputError
from riparian.feeds.tables import read_table

ERROR_MAX: Final = 0.05
"""Findings with a larger chance of being a mistake are passed over."""
_VIA: Final = {"isrc": "identifier", "exact": "names", "near": "near"}
_LEVELS: Final = frozenset({"hash", "identifier", "names"})


def read_findings(path: Path, *, at_us: int | None = None) -> tuple[str, list[Found]]:
    """Read one file; give its SHA-256 in hex, and what it says.

    Parameters
    ----------
    at_us
        When what it tells of was published or found; None where nobody says.

    Raises
    ------
    InputError
        When it is none of these.
    """
    table = read_table(str(path))
    names = set(table.column_names)
    if {"kind", "recording", "path", "error"} <= names:
        found = _copies(table, path.name, at_us)
    elif {"recording", "level", "error", "via"} <= names:
        found = _rows(table, path.stem, at_us)
    elif {"ours_recording", "by", "error"} <= names:
        found = _items(table, path.stem, at_us)
    else:
        raise InputError(
            f"`{path}` has the columns {', '.join(sorted(names)[:8])}, wanted findings of match, dump match or dataset",
            hint="Write it with `riparian match --json`, or with --rows FILE of dump match or dataset audit.",
        )
    return hashlib.sha256(path.read_bytes()).hexdigest(), list(found)


def _copies(table: pa.Table, source: str, at_us: int | None) -> Iterator[Found]:
    columns = [name for name in ("kind", "recording", "path", "error", "exact") if name in table.column_names]
    for row in table.select(columns).to_pylist():
        if row["kind"] == "copy" and _is_sure(row["error"]):
            yield Found(
                row["recording"], row["path"], "hash" if row.get("exact") else "sound", row["error"], at_us, source
            )


def _rows(table: pa.Table, name: str, at_us: int | None) -> Iterator[Found]:
    for row in table.select(["recording", "level", "error", "via"]).to_pylist():
        error = _number(row["error"])
        if row["recording"] and row["level"] == "recording" and _is_sure(error):
            yield Found(row["recording"], name, _VIA.get(row["via"], "near"), error, at_us, name)


def _items(table: pa.Table, name: str, at_us: int | None) -> Iterator[Found]:
    for row in table.select(["ours_recording", "by", "error"]).to_pylist():
        error = _number(row["error"])
        if row["by"] in _LEVELS or _is_sure(error):
            by = row["by"] if row["by"] in _LEVELS else "near"
            yield Found(row["ours_recording"], name, by, error, at_us, name)


def _number(value: Any) -> float | None:
    return float(value) if value not in {None, ""} else None


def _is_sure(error: float | None) -> bool:
    return error is not None and error <= ERROR_MAX
