"""Among what does somebody choose who has chosen an artist, a popularity and a market?

Two people of one taste overlap, and two of different tastes do not, whatever they know of one another:
compared over a whole catalogue, a fifth of honest pairs look guilty.  Compared inside *cells* they do not.  A cell
holds a few works of one artist, of about one popularity, sold in the same markets; inside it nothing but the
person's own choice is left, and people choose at least as alike as by lot.

Versions of one work (a remaster, a live take) count once: who has one does not need the other.
Everything here follows from the catalogue alone, so that it is frozen before any access it is used on.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from numba import njit

from riparian.catalogue.popularity import places_of
from riparian.codes import RECORDING_KEY, codes_of

SIZE_MAX: Final = 16
"""Works of one cell, at most."""
RATIO_MAX: Final = 4.0
"""How many times as far down the chart the last work of a cell may stand as its first."""
_HEAD: Final = 64
_VERSION: Final = re.compile(r"\s*[(\[][^)\]]*[)\]]|\s+-\s+.*$")

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Cells:
    """Works of a catalogue, and the cells that they lie in.

    Parameters
    ----------
    codes : np.ndarray [shape=(recordings,), uint64]
        Codes of recordings in rising order.
    works : np.ndarray [shape=(recordings,), int32]
        The work of each recording; works are numbered from the most played one on.
    place : np.ndarray [shape=(works,), int32]
        Place of each work in the order of identifiers.
    artist, cell : np.ndarray [shape=(works,), int32]
        Numbers of the artist and of the cell.
    size : np.ndarray [shape=(cells,), int32]
        Works in each cell, at most ``SIZE_MAX``.
    """

    codes: npt.NDArray[np.uint64]
    works: Ints
    place: Ints
    artist: Ints
    cell: Ints
    size: Ints

    @classmethod
    def empty(cls) -> Self:
        """No catalogue: nothing is found, and kinship abstains."""
        none = np.empty(0, np.int32)
        return cls(np.empty(0, np.uint64), none, none, none, none, none)

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """Take a table with schema ``RECORDING``; without artists and popularity there are no cells.

        Examples
        --------
        >>> table = pa.table({"recording": ["a", "b", "c"], "artist": ["X", "X", "X"], "title": ["One", "Two (Live)",
        ...     "Two"], "popularity": [9.0, 8.0, 1.0]})
        >>> cells = Cells.of(table)
        >>> cells.n_works, cells.size.tolist()
        (2, [2])
        """
        if not {"artist", "popularity"} <= set(table.column_names):
            return cls.empty()
        rows = _rows(table)
        works = (
            rows.group_by("artist", "work", "markets")
            .agg(pl.col("popularity").max(), pl.col("place").min())
            .sort("popularity", "place", descending=[True, False])
            .with_row_index("number")
        )
        numbered = rows.join(works, on=["artist", "work", "markets"], how="left", maintain_order="left")
        cell = cells_of(_shelves(works))
        codes = codes_of(table["recording"], RECORDING_KEY)
        order = np.argsort(codes, kind="stable")
        return cls(
            codes[order],
            numbered["number"].to_numpy().astype(np.int32)[order],
            works["place"].to_numpy().astype(np.int32),
            works["artist"].rank("dense").to_numpy().astype(np.int32) - 1,
            cell,
            np.bincount(cell).astype(np.int32),
        )

    @property
    def n_works(self) -> int:
        """How many works there are."""
        return len(self.cell)

    def places_in_cells(self) -> Ints:
        """Tell the place of each work in its cell, 0 for the most played one [shape=(works,)]."""
        order = np.argsort(self.cell, kind="stable")
        places = np.empty(self.n_works, np.int32)
        places[order] = np.arange(self.n_works) - (np.cumsum(self.size) - self.size)[self.cell[order]]
        return places

    def find(self, codes: npt.NDArray[np.uint64]) -> Ints:
        """Works of these recordings; -1 where the catalogue does not hold the recording."""
        if not len(self.codes):
            return np.full(len(codes), -1, np.int32)
        rows = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return np.where(self.codes[rows] == codes, self.works[rows], -1).astype(np.int32)


def _rows(table: pa.Table) -> pl.DataFrame:
    n = len(table)
    names = table.column_names
    title = pl.Series(table["title"] if "title" in names else pa.nulls(n, pa.string()))
    works = {t: _VERSION.sub("", t).casefold().strip() or t for t in title.drop_nulls().unique()}
    # A recording without a title is a work of its own.
    own = pl.Series(table["recording"]).cast(pl.String)
    work = title.replace_strict(works, default=None, return_dtype=pl.String)
    return pl.DataFrame(
        {
            "artist": pl.Series(table["artist"]).cast(pl.String).fill_null(""),
            "work": pl.select(pl.coalesce(work, "\0" + own)).to_series(),
            "markets": pl.Series(table["markets"] if "markets" in names else pa.nulls(n, pa.string())).fill_null(""),
            "popularity": pl.Series(table["popularity"]).cast(pl.Float64).fill_null(0.0).fill_nan(0.0),
            "place": places_of(table["recording"]),
        }
    )


def _shelves(works: pl.DataFrame) -> npt.NDArray[np.int64]:
    shelf = works.select(pl.struct("artist", "markets").rank("dense")).to_series()
    return shelf.to_numpy().astype(np.int64)


def cells_of(shelf: npt.NDArray[np.int64]) -> Ints:
    """Cut shelves into cells.

    Parameters
    ----------
    shelf
        For each work, most played first, the number of its shelf: one artist in one choice of markets [shape=(works,)].

    Returns
    -------
    cells : np.ndarray [shape=(works,), int32]

    Examples
    --------
    >>> cells_of(np.array([5, 7, 5, 5])).tolist()
    [0, 1, 0, 0]
    """
    order = np.argsort(shelf, kind="stable")
    cells = np.empty(len(shelf), np.int32)
    _cut(shelf, order, cells)
    return cells


@njit(cache=True, nogil=True)
def _cut(shelf, order, cells):  # type: ignore[no-untyped-def]
    cell, size, first, at = -1, 0, 0.0, -1
    for rank in order:
        if shelf[rank] != at or size >= SIZE_MAX or rank + _HEAD > first * RATIO_MAX:
            cell, size, first, at = cell + 1, 0, rank + _HEAD, shelf[rank]
        cells[rank] = cell
        size += 1
