"""Which rows of ours may a row be?

The map of what is ours: every key of every row, in one sorted run, and the rows as they are compared.  A row of a list
is looked up under each of its keys; those of ours that have most in common with it, counted by how rare that is, are
candidates, a dozen at most.

Layout
------
``rest`` and ``row`` lie bucket by bucket: bucket ``b`` holds the keys whose first bits are ``b``, ascending by the 32
bits that follow, which are ``rest``; ``begin`` says where each bucket begins.  All of it can be mapped from files.

Conventions
-----------
* Rows of ours are numbers, in the order of the table that was handed in.
* A key that more than ``FREQUENT`` rows have is not looked up: it says little and costs much.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from riparian.metadata.keys import Vocabulary, Words, asked, keys
from riparian.metadata.normalise import normalise

VERSION: Final = 2
"""Of keys and of what rows are brought to: a map that another version made is made anew."""
FREQUENT: Final = 300
MOST: Final = 12
"""Candidates of a row."""
PARTS: Final = 64
"""Into which keys are divided, by their first bits, so that each is sorted by itself."""
_IN_A_BUCKET: Final = 8
_AT_ONCE: Final = 1 << 18
_FOUND_MOST: Final = 1 << 13


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Rows that may be the same.

    Parameters
    ----------
    theirs : np.ndarray [shape=(n,), int64]
        Which row that was asked about; ascending.
    ours : np.ndarray [shape=(n,), int64]
        Which row of ours; of equal ``theirs`` the likeliest first.
    shared : np.ndarray [shape=(n,), uint8]
        How many keys they have in common.
    """

    theirs: NDArray[np.int64]
    ours: NDArray[np.int64]
    shared: NDArray[np.uint8]

    def __len__(self) -> int:
        return self.theirs.size


@dataclass(frozen=True, slots=True, eq=False)
class Filed:
    """Keys, sorted.

    Parameters
    ----------
    begin : np.ndarray [shape=(2**b + 1,), int64]
    rest : np.ndarray [shape=(n,), uint32]
    row : np.ndarray [shape=(n,), uint32]
    """

    begin: NDArray[np.int64]
    rest: NDArray[np.uint32]
    row: NDArray[np.uint32]

    @property
    def bits(self) -> int:
        """How many first bits of a key say its bucket."""
        return (self.begin.size - 1).bit_length() - 1


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """What is ours, to be looked up.

    Parameters
    ----------
    source
        Our rows as the catalogue has them (``RECORDING``).
    normal
        The same as they are compared (``NORMAL``).
    vocabulary, filed
        Their words and their keys.
    """

    source: pa.Table
    normal: pa.Table
    vocabulary: Vocabulary
    filed: Filed

    @property
    def count(self) -> int:
        """How many rows are ours."""
        return int(self.normal.num_rows)

    def candidates(self, normal: pa.Table, most: int = MOST) -> Pairs:
        """Find what rows may be.

        Parameters
        ----------
        normal
            Rows of ``NORMAL``.
        most
            Candidates of each, at most.
        """
        parts = [
            self._found(normal.slice(first, _AT_ONCE), first, most) for first in range(0, normal.num_rows, _AT_ONCE)
        ]
        if not parts:
            return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8))
        return Pairs(*(np.concatenate([getattr(part, name) for part in parts]) for name in Pairs.__slots__))

    def rows(self, numbers: NDArray[np.int64]) -> pa.Table:
        """Give rows of ours as they are compared, in any order."""
        return self.normal.take(pa.array(numbers))

    def recordings(self, numbers: NDArray[np.int64]) -> pa.Table:
        """Give rows of ours as the catalogue has them."""
        return self.source.take(pa.array(numbers))

    def rarity(self, normal: pa.Table) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Say how rare the rarest word of each title is, and of each artist, in bits."""
        return self.vocabulary.rarity(normal["core"]), self.vocabulary.rarity(normal["artist"])

    def _found(self, normal: pa.Table, first: int, most: int) -> Pairs:
        key, row = asked(normal, self.vocabulary)
        filed = self.filed
        theirs, ours, shared = _candidates(
            key, row, normal.num_rows, filed.begin, filed.rest, filed.row, filed.bits, self.count, most
        )
        return Pairs(theirs + first, ours, shared)


def mapped(recordings: pa.Table) -> Map:
    """Make the map of a table that fits into memory.

    Parameters
    ----------
    recordings
        Of schema ``RECORDING``.

    Examples
    --------
    >>> rows = {"recording": ["a", "b"], "title": ["Harbour Lights", "Salt"], "artist": ["Ann Reed", "Ann Reed"]}
    >>> ours = mapped(pa.table(rows))
    >>> found = ours.candidates(normalise(pa.table({"title": ["harbor lights"], "artist": ["REED, ANN"]})))
    >>> found.ours.tolist()[0], int(found.shared[0]) > 1
    (0, True)
    """
    normal = normalise(recordings).combine_chunks()
    vocabulary = Vocabulary.of_rows([normal])
    key, row = keys(normal, vocabulary)
    parts = [file_part(key[part], row[part].astype(np.uint32)) for part in _by_part(key)]
    return Map(recordings.combine_chunks(), normal, vocabulary, joined(parts, key.size))


def divided(key: Words, row: NDArray[np.int64]) -> Iterator[tuple[int, Words, NDArray[np.uint32]]]:
    """Divide keys by their part: the part's number, its keys, and their rows."""
    for number, part in enumerate(_by_part(key)):
        yield number, key[part], row[part].astype(np.uint32)


def file_part(key: Words, row: NDArray[np.uint32]) -> tuple[Words, NDArray[np.uint32]]:
    """Sort the keys of a part, and of equal keys their rows."""
    order = np.lexsort((row, key))
    return key[order], row[order]


def joined(parts: Iterable[tuple[Words, NDArray[np.uint32]]], n: int) -> Filed:
    """Join sorted parts, in their order, of ``n`` keys in all."""
    bits = bucket_bits(n)
    begin = np.zeros((1 << bits) + 1, np.int64)
    rest, row = np.empty(n, np.uint32), np.empty(n, np.uint32)
    at = 0
    for key, rows in parts:
        rest[at : at + key.size] = rest_of(key, bits)
        row[at : at + key.size] = rows
        count_buckets(key, bits, begin)
        at += key.size
    return Filed(np.cumsum(begin), rest, row)


def bucket_bits(n: int) -> int:
    """Say how many first bits a key's bucket has, among so many keys; at least those that say its part."""
    return min(32, max(PARTS.bit_length() - 1, (n // _IN_A_BUCKET).bit_length()))


def rest_of(key: Words, bits: int) -> NDArray[np.uint32]:
    """Give the 32 bits of each key behind those that say its bucket."""
    return (key >> np.uint64(32 - bits) & np.uint64(0xFFFFFFFF)).astype(np.uint32)


def count_buckets(key: Words, bits: int, begin: NDArray[np.int64]) -> None:
    """Add one behind the bucket of each key."""
    bucket = (key >> np.uint64(64 - bits)).astype(np.int64)
    if bucket.size:
        low, high = int(bucket[0]), int(bucket[-1])
        begin[low + 1 : high + 2] += np.bincount(bucket - low, minlength=high - low + 1)


def _by_part(key: Words) -> Iterator[NDArray[np.intp]]:
    part = (key >> np.uint64(64 - (PARTS.bit_length() - 1))).astype(np.uint8)
    order = np.argsort(part, kind="stable")
    at = np.searchsorted(part[order], np.arange(PARTS + 1))
    for number in range(PARTS):
        yield order[at[number] : at[number + 1]]


@njit(cache=True, nogil=True)
def _first_of(rest: NDArray[np.uint32], low: int, high: int, value: np.uint32) -> int:
    while low < high:
        middle = (low + high) // 2
        if rest[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _candidates(
    key: Words,
    row: NDArray[np.int64],
    n: int,
    begin: NDArray[np.int64],
    rest: NDArray[np.uint32],
    rows: NDArray[np.uint32],
    bits: int,
    count: int,
    most: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    theirs, ours = np.empty(n * most, np.int64), np.empty(n * most, np.int64)
    shared = np.empty(n * most, np.uint8)
    found, weight = np.empty(_FOUND_MOST, np.int64), np.empty(_FOUND_MOST, np.float64)
    made, i = 0, 0
    while i < key.size:
        whose, m = row[i], 0
        while i < key.size and row[i] == whose:
            bucket = np.int64(key[i] >> np.uint64(64 - bits))
            value = np.uint32(key[i] >> np.uint64(32 - bits) & np.uint64(0xFFFFFFFF))
            at, last = _first_of(rest, begin[bucket], begin[bucket + 1], value), begin[bucket + 1]
            end = at
            while end < last and rest[end] == value and end - at <= FREQUENT:
                end += 1
            if 0 < end - at <= FREQUENT:
                worth = max(1.0, np.log2(count / (end - at)))
                for j in range(at, end):
                    if m < _FOUND_MOST:
                        found[m], weight[m] = rows[j], worth
                        m += 1
            i += 1
        made = _best(found[:m], weight[:m], most, whose, theirs, ours, shared, made)
    return theirs[:made].copy(), ours[:made].copy(), shared[:made].copy()


@njit(cache=True, nogil=True)
def _best(
    found: NDArray[np.int64],
    weight: NDArray[np.float64],
    most: int,
    whose: int,
    theirs: NDArray[np.int64],
    ours: NDArray[np.int64],
    shared: NDArray[np.uint8],
    made: int,
) -> int:
    """Add up what each row has in common, and write down the best; how many are written then."""
    order = np.argsort(found)
    each, total, times = np.empty(found.size, np.int64), np.zeros(found.size), np.zeros(found.size, np.int64)
    n = 0
    for k in range(found.size):
        if k == 0 or found[order[k]] != each[n - 1]:
            each[n] = found[order[k]]
            n += 1
        total[n - 1] += weight[order[k]]
        times[n - 1] += 1
    ranked = np.argsort(-total[:n], kind="mergesort")
    for k in range(min(n, most)):
        theirs[made], ours[made], shared[made] = whose, each[ranked[k]], min(times[ranked[k]], 255)
        made += 1
    return made
