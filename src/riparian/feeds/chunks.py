"""What reading a log yields: a stretch of it in codes, with what was left out and why.

Nothing that a log holds disappears silently.  Every line ends in exactly one of three places:

* ``Chunk.accesses``: one or more rows;
* ``Chunk.rejects``: the line cannot be read; the reason stands beside it (``Chunk.n_rejected`` counts
  them all, the list stops at :data:`REJECTS_MAX` so that a hostile file cannot fill the memory);
* ``Chunk.dropped``: the line is sound but is no fetch by an account (a refused request, a path that no
  pattern knows, an anonymous visitor); counted by reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.ports import Offsets

Format = Literal[
    "auto",
    "nginx",
    "combined",
    "json",
    "envoy",
    "cloudfront",
    "w3c",
    "ndjson",
    "csv",
    "tsv",
    "parquet",
    "arrow",
    "history",
    "lastfm",
]
FORMATS: Final[tuple[str, ...]] = get_args(Format)

LINE_BYTES_MAX: Final = 1 << 20
"""A longer line is rejected: it is streamed past and never held."""

REJECTS_MAX: Final = 10_000
"""How many rejected lines one chunk describes; beyond that they are only counted."""

TEXT_CHARS_MAX: Final = 200

CHUNK_BYTES: Final = 32 << 20
DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that could not be read.

    Parameters
    ----------
    source
        The file, as it was named.
    line
        Counted from 1; in Parquet and Arrow the row; 0 when the whole source is meant.
    reason
        What was found and what was wanted.
    text
        The beginning of the line.  It is the operator's own and stays in the operator's workspace.
    """

    source: str
    line: int
    reason: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read.

    Parameters
    ----------
    format
        One of :data:`FORMATS`; ``auto`` recognises it.
    map
        Field to column, for what cannot be recognised: ``{"account": "uid"}``.
    patterns
        A TOML file of URL patterns that are tried before the shipped ones.
    sessions
        A table (CSV, Parquet, NDJSON) with a session and an account column.
    chunk_bytes
        Upper limit of a text chunk.  It decides where chunks are cut, so that logs read with
        different values do not recognise one another: leave it alone outside tests.
    columns
        Optional columns of ``ACCESS`` that are wanted; None for all that the log has.
    refusals
        Give refused requests for a recording too (status 429 or 503), with the column ``status``: they were asked for,
        and nothing was delivered.  Whoever counts what was delivered leaves out what has a status of 400 or above.
    places
        Databases in MaxMind's format that tell where addresses are.
    """

    format: str = "auto"
    map: Mapping[str, str] = field(default_factory=dict)
    patterns: str | None = None
    sessions: str | None = None
    chunk_bytes: int = CHUNK_BYTES
    columns: frozenset[str] | None = None
    refusals: bool = False
    places: tuple[str, ...] = ()


def no_ids() -> tuple[npt.NDArray[np.uint64], list[str]]:
    """Give the empty list of new accounts."""
    return np.zeros(0, dtype=np.uint64), []


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of one log.

    Parameters
    ----------
    digest
        16 bytes that know the stretch again, wherever it turns up: over the decompressed bytes of a
        text stretch (:mod:`riparian.feeds.stretches`); over the file's bytes of a Parquet row group,
        and the number of the part in it (:mod:`riparian.feeds.columnar`).
    source
        The file, as it was named.
    offset
        Where the stretch begins: decompressed bytes, or rows.
    n_lines
        Lines (or rows) in it; blank lines and comments included.
    accesses : pa.Table [shape=(rows, columns of ACCESS)]
        ``at_us``, ``account`` and ``recording`` always; optional columns as the log had them.
    ids
        Codes and names of accounts that this reading meets for the first time.
    rejects
        Lines that could not be read, at most :data:`REJECTS_MAX` of them.
    n_rejected
        How many there were.
    dropped
        Sound lines that are no fetch by an account: reason to count.
    offsets
        What it is of a log in partitions; None of any other.
    """

    digest: bytes
    source: str
    offset: int
    n_lines: int
    accesses: pa.Table
    ids: tuple[npt.NDArray[np.uint64], list[str]] = field(default_factory=no_ids)
    rejects: Sequence[Reject] = ()
    n_rejected: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    offsets: Offsets | None = None
