"""How is each recording heard, and where does it stand among the others?

The bets on order and the report on what left need four things of a recording: its place in the
order of popularity, its place in the order of identifiers, its artist, and its share of all
plays.  They are frozen before the accesses that are bet on (the bits law): a popularity is read
from a catalogue that somebody hands in and is never learnt from the log under test.
"""

import re
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from riparian.codes import RECORDING_KEY, codes_of
from riparian.errors import InputError

_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Popularity:
    """A catalogue as arrays over its recordings, found by code.

    Parameters
    ----------
    codes : np.ndarray [shape=(recordings,), uint64]
        Codes in rising order.
    rank : np.ndarray [shape=(recordings,), int32]
        Place in the order of popularity, 0 for the most played; -1 where the catalogue has no popularity.
    place : np.ndarray [shape=(recordings,), int32]
        Place in the order of identifiers, numbers inside an identifier compared as numbers.
    artist : np.ndarray [shape=(recordings,), int32]
        A number for each artist; -1 where unknown.
    share : np.ndarray [shape=(recordings,), float64]
        Share of all plays, summing to one; equal shares where the catalogue has no popularity.
    index, index_rows : np.ndarray [shape=(a power of two,)]
        Open-addressing table from a code to its row, for kernels; 0 is a free place.
    """

    codes: npt.NDArray[np.uint64]
    rank: npt.NDArray[np.int32]
    place: npt.NDArray[np.int32]
    artist: npt.NDArray[np.int32]
    share: npt.NDArray[np.float64]
    index: npt.NDArray[np.uint64]
    index_rows: npt.NDArray[np.int32]

    @classmethod
    def empty(cls) -> Self:
        """No catalogue: nothing is found, and bets on order abstain."""
        i32 = np.empty(0, np.int32)
        return cls(np.empty(0, np.uint64), i32, i32, i32, np.empty(0, np.float64), np.zeros(1, np.uint64), i32)

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """Take a table with schema ``RECORDING`` (only ``recording`` is required).

        Raises
        ------
        InputError
            When two rows have one identifier, or a popularity is negative.

        Examples
        --------
        >>> import pyarrow as pa
        >>> table = pa.table({"recording": ["r2", "r10"], "popularity": [30.0, 10.0]})
        >>> catalogue = Popularity.of(table)
        >>> row = catalogue.find(codes_of(pa.array(["r2"]), RECORDING_KEY))[0]
        >>> int(catalogue.rank[row]), int(catalogue.place[row]), float(catalogue.share[row])
        (0, 0, 0.75)
        """
        codes = codes_of(table["recording"], RECORDING_KEY)
        order = np.argsort(codes, kind="stable")
        sorted_codes = codes[order]
        twice = np.flatnonzero(sorted_codes[1:] == sorted_codes[:-1])
        if len(twice):
            found = table["recording"][int(order[twice[0]])].as_py()
            raise InputError(
                f"the catalogue has {len(twice)} identifiers more than once, `{found}` among them, wanted one row each",
                hint="Merge the rows of one recording.",
            )
        plays = _plays(table)
        ranks = np.full(len(codes), -1, np.int32)
        share = np.full(len(codes), 1.0 / max(1, len(codes)))
        if plays is not None:
            ranks[np.argsort(-plays, kind="stable")] = np.arange(len(codes), dtype=np.int32)
            share = plays / plays.sum() if plays.sum() > 0 else share
        index = np.zeros(int(2 ** np.ceil(np.log2(max(2, 2 * len(codes))))), np.uint64)
        index_rows = np.full(len(index), -1, np.int32)
        _fill(index, index_rows, sorted_codes)
        places, artists = places_of(table["recording"]), _artists(table)
        return cls(sorted_codes, ranks[order], places[order], artists[order], share[order], index, index_rows)

    @property
    def size(self) -> int:
        """How many recordings we hold."""
        return len(self.codes)

    def find(self, codes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """Rows of these codes; -1 where the catalogue does not hold the recording."""
        if not self.size:
            return np.full(len(codes), -1, np.int32)
        rows = np.minimum(np.searchsorted(self.codes, codes), self.size - 1)
        return np.where(self.codes[rows] == codes, rows, -1).astype(np.int32)


@njit(cache=True, nogil=True)
def _fill(index, index_rows, codes):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(index) - 1)
    for row in range(len(codes)):
        at = codes[row] & mask
        while index[at] != 0:
            at = (at + np.uint64(1)) & mask
        index[at] = codes[row]
        index_rows[at] = row


def _plays(table: pa.Table) -> npt.NDArray[np.float64] | None:
    if "popularity" not in table.column_names or table["popularity"].null_count == len(table):
        return None
    plays = np.nan_to_num(pc.fill_null(table["popularity"].cast(pa.float64()), 0.0).to_numpy())
    if len(plays) and plays.min() < 0:
        raise InputError(
            f"a popularity in the catalogue is {plays.min()}, wanted a number that grows with plays and is 0 or more",
            hint="Give plays or a share of plays; a chart position grows the other way.",
        )
    return np.asarray(plays, np.float64)


def places_of(ids: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Tell the place of each identifier in their order, numbers inside compared as numbers.

    Examples
    --------
    >>> places_of(pa.chunked_array([["r10", "r2"]])).tolist()
    [1, 0]
    """
    keys = [tuple(int(p) if p.isdigit() else p for p in _DIGITS.split(i or "")) for i in ids.to_pylist()]
    places = np.empty(len(keys), np.int32)
    places[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys), dtype=np.int32)
    return places


def _artists(table: pa.Table) -> npt.NDArray[np.int32]:
    if "artist" not in table.column_names:
        return np.full(len(table), -1, np.int32)
    coded = table["artist"].combine_chunks().dictionary_encode()
    coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
    return np.asarray(pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False), np.int32)
