"""What is in a workspace's records, row by row, whichever database keeps them; and are two of them the same?

Rows are read a page at a time, in the order of their keys, so that a workspace larger than memory can be moved.  The
digest is over every value of every row, with its type: two records with the same digest are the same to the last bit.
"""

# ruff: noqa: S608  only names of our own tables and columns are put into statements

import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from riparian.stores.recorded import Recorded

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "chunk": (
            "seq", "digest", "source", "lines", "rows", "rejected", "generation", "file", "begins", "offsets",
        ),
        "scan": ("generation", "context", "begun_us", "last_event", "summary"),
        "draft": ("bucket", "file"),
        "kept": ("bucket", "file"),
        "decision": (
            "account", "restraint", "because", "bits", "threshold_bits", "declared", "certified", "since_us",
            "until_us", "applied", "bits_before", "bits_then",
        ),
        "event": ("id", "account", "at_us", "step", "restraint", "until_us", "person", "reason", "ring"),
        "vault": ("part", "n", "batch"),
        "note": ("name", "value"),
    }
)  # fmt: skip
"""The tables, each with its columns, the key first."""

_NAMED: Final = "note"
_PAGE: Final = 5_000
_ONE_BY_ONE: Final = "vault"

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in it.

    Parameters
    ----------
    rows
        How many of each table.
    digest
        Over all of them, SHA-256 in hex.
    """

    rows: Mapping[str, int]
    digest: str


def pages(records: Recorded, table: str) -> Iterator[list[Row]]:
    """Read a table, a page at a time, in the order of its keys."""
    columns = COLUMNS[table]
    chosen = f"SELECT {', '.join(columns)} FROM {table}"
    if table == _NAMED:
        # Databases disagree about the order of texts, and there are few of them.
        yield sorted(records.rows(chosen))
        return
    most = 1 if table == _ONE_BY_ONE else _PAGE
    page = records.rows(f"{chosen} ORDER BY {columns[0]} LIMIT ?", most)
    while page:
        yield page
        page = records.rows(f"{chosen} WHERE {columns[0]} > ? ORDER BY {columns[0]} LIMIT ?", page[-1][0], most)


def contents(records: Recorded) -> Contents:
    """Read everything, and tell what it is."""
    made, rows = hashlib.sha256(), {}
    for table, columns in COLUMNS.items():
        n = 0
        made.update(f"\n{table} {' '.join(columns)}\n".encode())
        for page in pages(records, table):
            n += len(page)
            for row in page:
                for value in row:
                    _fed(made, value)
        rows[table] = n
    return Contents(rows, made.hexdigest())


def _fed(made: Any, value: Any) -> None:
    if value is None:
        kind, octets = b"-", b""
    elif isinstance(value, int):
        kind, octets = b"i", str(value).encode()
    elif isinstance(value, float):
        kind, octets = b"f", struct.pack(">d", value)
    elif isinstance(value, str):
        kind, octets = b"t", value.encode()
    else:
        kind, octets = b"b", bytes(value)
    made.update(kind + len(octets).to_bytes(8, "big"))
    made.update(octets)
