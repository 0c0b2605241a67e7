"""What is a table that was found, before anybody knows what its columns are?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

CELL_CHARS_MAX: Final = 4096
BATCH_ROWS: Final = 65_536
COLUMNS_MAX: Final = 512
SHOWN_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Reject:
    """Something that was found and could not be read.

    Parameters
    ----------
    source
        The file, and what in it.
    line
        Which line or row of it, from 1; 0 for the whole.
    reason
        Why not.
    text
        How it begins.
    """

    source: str
    line: int
    reason: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a table, all of them text, and what beside them could not be read."""

    rows: pl.DataFrame
    rejects: tuple[Reject, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table that was found.

    Parameters
    ----------
    source
        The file, and what in it: ``a.zip/b.sqlite/tracks``.
    form
        What it is: ``CSV``, ``JSON``, ``SQLite`` ...
    batches
        Its rows, once and in order; a later batch may have other columns than the first.
    has_names
        Whether the columns have names of their own.
    known
        Columns that are what they are called.
    """

    source: str
    form: str
    batches: Iterator[Batch]
    has_names: bool = True
    known: tuple[str, ...] = ()


def framed(columns: Mapping[str, Sequence[str | None]]) -> pl.DataFrame:
    """Make a table of text; every cell is cut to :data:`CELL_CHARS_MAX`.

    Examples
    --------
    >>> framed({"a": ["x", None]}).rows()
    [('x',), (None,)]
    """
    made = pl.DataFrame({name: pl.Series(name, values, dtype=pl.String) for name, values in columns.items()})
    return made.with_columns(pl.all().str.slice(0, CELL_CHARS_MAX))


def names_of(cells: Sequence[str]) -> list[str]:
    """Give every column a name of its own.

    Examples
    --------
    >>> names_of(["title", "", "title"])
    ['title', 'column 2', 'title (3)']
    """
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = cell.strip()[:SHOWN_CHARS] or f"column {place}"
        names.append(f"{name} ({place})" if name in names else name)
    return names
