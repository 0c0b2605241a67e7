"""Under which keys is a row filed, so that whatever was done to its names one of them is left?

A key is 64 bits of something that a row says.  Two rows with one in common may be the same.  What a swap of columns, a
guest moved into a title, an artist left out, other letters, a typing mistake or a lost code leave in common differs, so
a row has several:

===========  ======================================================================================================
code         its ISRC
exact        the words of its title and those of its first artist, in any order, and in either column
pair         each two of the four rarest words of title and artists together; six of them
skeleton     the consonants of its title and of its first artist, by what they sound like
at           the consonants of its title, or of its first artist, and how many seconds it lasts; two of them
===========  ======================================================================================================

Only words that our rows have count as rare: what was mistyped in a list does not crowd out what was not.  For a word
that we do not have, those are looked for that one letter more, less or other would make of it.

Conventions
-----------
* Rows are of ``NORMAL``; their words are runs of bytes between spaces.
* Who asks probes neighbours, too: five seconds, more pairs, and words put right.

Source
------
Christen, P. (2012), Data Matching, chapter 4 (keys by which records are filed); Garbe, W. (2012), symmetric deletion
(which words are one letter apart).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

Offsets = NDArray[np.int64]
Octets = NDArray[np.uint8]
Words = NDArray[np.uint64]

RAREST: Final = 4
"""Words of ours that are paired."""
RAREST_ASKED: Final = 5
"""The same of a row that is asked about: a guest or two may be new."""
PUT_RIGHT: Final = 6
"""Words that a word which we do not have may have been, at most."""
SECONDS_OFF: Final = 2
KEYS_MOST: Final = 5 + RAREST * (RAREST - 1) // 2
"""Keys of one of our rows, at most."""
_ASKED_MOST: Final = 128
_WORDS_MOST: Final = 40
_UNKNOWN_MOST: Final = 4
"""Words of a row that are put right."""
_SHORTEST, _LONGEST = 4, 20
"""Letters of words that may be put right."""
_U = np.uint64
_SOUNDS: Final = np.zeros(256, np.uint8)
"""Of each letter, what it sounds like; 0 of those that are left out."""
for _letters in ("bp", "ckqg", "dt", "fv", "w", "j", "l", "mn", "r", "szx", *"0123456789"):
    for _letter in _letters:
        _SOUNDS[ord(_letter)] = ord(_letters[0])
_SOUNDS[ord("w")] = ord("f")


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The words of our rows.

    Parameters
    ----------
    word : np.ndarray [shape=(n,), uint64]
        Ascending.
    rows : np.ndarray [shape=(n,), uint32]
        How many rows have each.
    less : np.ndarray [shape=(m,), uint64]
        What is left of words when one letter is taken out; ascending.
    of : np.ndarray [shape=(m,), uint32]
        Of which word each is.
    count
        How many rows there are.
    """

    word: Words
    rows: NDArray[np.uint32]
    less: Words
    of: NDArray[np.uint32]
    count: int

    @classmethod
    def of_rows(cls, tables: Iterable[pa.Table]) -> "Vocabulary":
        """Count the words of rows, a table of ``NORMAL`` at a time.

        Examples
        --------
        >>> from riparian.metadata.normalise import normalise
        >>> rows = normalise(pa.table({"title": ["One Love", "Love Love"], "artist": ["U2", None]}))
        >>> Vocabulary.of_rows([rows]).rows.tolist()
        [2, 1, 1]
        """
        counted: list[pl.DataFrame] = []
        n = 0
        for table in tables:
            n += table.num_rows
            frame = pl.DataFrame(table.select(["core", "artist"]))
            words = (frame["core"] + " " + frame["artist"]).str.split(" ").list.unique().explode()
            counted.append(words.to_frame("word").filter(pl.col("word") != "").group_by("word").len("rows"))
            if len(counted) > 8:
                counted = [_summed(counted)]
        whole = (
            _summed(counted)
            if counted
            else pl.DataFrame({"word": [], "rows": []}, {"word": pl.String, "rows": pl.UInt32})
        )
        offsets, octets = texts(whole["word"].to_arrow())
        word, less, of = _spelt(offsets, octets)
        order = np.argsort(word)
        place = np.empty(order.size, np.uint32)
        place[order] = np.arange(order.size, dtype=np.uint32)
        by_less = np.argsort(less, kind="stable")
        rows = whole["rows"].to_numpy().astype(np.uint32)
        return cls(word[order], rows[order], less[by_less], place[of[by_less]], n)

    def rarity(self, column: pa.ChunkedArray | pa.Array) -> NDArray[np.float32]:
        """Say how rare the rarest word of each text is, in bits; 0 of no word, and the most of one that is not ours."""
        offsets, octets = texts(column)
        return _rarities(offsets, octets, self.word, self.rows, self.count)


def _summed(counted: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(counted).group_by("word").agg(pl.col("rows").sum().cast(pl.UInt32))


def texts(column: pa.ChunkedArray | pa.Array) -> tuple[Offsets, Octets]:
    """Give the octets of a column of texts, and where each begins and the last one ends; no text may be null."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], pa.large_string())
    if not pa.types.is_large_string(whole.type):
        whole = whole.cast(pa.large_string())
    _, offsets, octets = whole.buffers()
    at = (
        np.frombuffer(offsets, np.int64)[whole.offset : whole.offset + len(whole) + 1]
        if offsets
        else np.zeros(1, np.int64)
    )
    return at, np.frombuffer(octets, np.uint8) if octets else np.zeros(0, np.uint8)


def keys(normal: pa.Table, vocabulary: Vocabulary) -> tuple[Words, NDArray[np.int64]]:
    """Give the keys of our rows.

    Returns
    -------
    key : np.ndarray [shape=(n,), uint64]
    row : np.ndarray [shape=(n,), int64]
        Ascending; of the table.
    """
    return _keys(*_columns(normal), *_of(vocabulary), 0)


def asked(normal: pa.Table, vocabulary: Vocabulary) -> tuple[Words, NDArray[np.int64]]:
    """Give the keys under which to look rows up: theirs, and those that they may have had.

    What comes back is that of :func:`keys`.
    """
    return _keys(*_columns(normal), *_of(vocabulary), 1)


def _of(vocabulary: Vocabulary) -> tuple[Words, NDArray[np.uint32], Words, NDArray[np.uint32]]:
    return vocabulary.word, vocabulary.rows, vocabulary.less, vocabulary.of


def _columns(
    normal: pa.Table,
) -> tuple[Offsets, Octets, Offsets, Octets, Offsets, Octets, Offsets, Octets, NDArray[np.int32]]:
    durations = normal["duration_ms"].fill_null(-1).to_numpy().astype(np.int32)
    return (
        *texts(normal["core"]),
        *texts(normal["artist"]),
        *texts(normal["main"]),
        *texts(normal["isrc"].fill_null("")),
        durations,
    )


@njit(cache=True, nogil=True)
def _mixed(word: np.uint64) -> np.uint64:
    word = (word ^ (word >> _U(30))) * _U(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> _U(27))) * _U(0x94D049BB133111EB)
    return word ^ (word >> _U(31))


@njit(cache=True, nogil=True)
def _hash(octets: Octets, begin: int, end: int, without: int) -> np.uint64:
    """Hash a word, without one of its letters or, for -1, whole."""
    word = _U(0xCBF29CE484222325)
    for i in range(begin, end):
        if i != without:
            word = (word ^ _U(octets[i])) * _U(0x100000001B3)
    return _mixed(word)


@njit(cache=True, nogil=True)
def _spelt(offsets: Offsets, octets: Octets) -> tuple[Words, Words, NDArray[np.uint32]]:
    n = offsets.size - 1
    word = np.empty(n, np.uint64)
    room = 0
    for i in range(n):
        size = offsets[i + 1] - offsets[i]
        word[i] = _hash(octets, offsets[i], offsets[i + 1], -1)
        room += size if _SHORTEST <= size <= _LONGEST else 0
    less, of = np.empty(room, np.uint64), np.empty(room, np.uint32)
    m = 0
    for i in range(n):
        begin, end = offsets[i], offsets[i + 1]
        if not _SHORTEST <= end - begin <= _LONGEST:
            continue
        for j in range(begin, end):
            # Of two equal letters in a row it does not matter which is taken out.
            if j == begin or octets[j] != octets[j - 1]:
                less[m], of[m] = _hash(octets, begin, end, j), i
                m += 1
    return word, less[:m], of[:m]


@njit(cache=True, nogil=True)
def _place(sorted_: Words, value: np.uint64) -> int:
    """Find where a value stands, or -1."""
    low, high = 0, sorted_.size
    while low < high:
        middle = (low + high) // 2
        if sorted_[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low if low < sorted_.size and sorted_[low] == value else -1


@njit(cache=True, nogil=True)
def _rarities(
    offsets: Offsets, octets: Octets, word: Words, rows: NDArray[np.uint32], count: int
) -> NDArray[np.float32]:
    out = np.zeros(offsets.size - 1, np.float32)
    begins, ends = np.empty(_WORDS_MOST, np.int64), np.empty(_WORDS_MOST, np.int64)
    for i in range(out.size):
        n = _split(octets, offsets[i], offsets[i + 1], begins, ends, 0)
        for j in range(n):
            at = _place(word, _hash(octets, begins[j], ends[j], -1))
            bits = np.log2((count + 1) / (rows[at] if at >= 0 else 1))
            out[i] = max(out[i], bits)
    return out


@njit(cache=True, nogil=True)
def _split(octets: Octets, begin: int, end: int, begins: Offsets, ends: Offsets, n: int) -> int:
    """Say where words begin and end, after ``n`` that are known; how many there are then."""
    since = begin
    for i in range(begin, end + 1):
        if i == end or octets[i] == 32:
            if i > since and n < begins.size:
                begins[n], ends[n] = since, i
                n += 1
            since = i + 1
    return n


@njit(cache=True, nogil=True)
def _unordered(octets: Octets, begin: int, end: int) -> np.uint64:
    """Hash words in any order."""
    total = _U(0)
    since = begin
    for i in range(begin, end + 1):
        if i == end or octets[i] == 32:
            if i > since:
                total += _hash(octets, since, i, -1)
            since = i + 1
    return _mixed(total) if total else total


@njit(cache=True, nogil=True)
def _skeleton(octets: Octets, begin: int, end: int, sounds: Octets) -> np.uint64:
    """Hash consonants by what they sound like, of equal ones in a row one; 0 where there are fewer than two."""
    word = _U(0x9AE16A3B2F90404F)
    n, last = 0, 0
    for i in range(begin, end):
        sound = sounds[octets[i]]
        if sound != 0 and sound != last:
            word = (word ^ _U(sound)) * _U(0x100000001B3)
            n += 1
        last = sound if sound != 0 or octets[i] != 32 else last
    return _mixed(word) if n > 1 else _U(0)


@njit(cache=True, nogil=True)
def _put_right(
    octets: Octets, begin: int, end: int, word: Words, less: Words, of: NDArray[np.uint32], out: Offsets
) -> int:
    """List the words of ours that are one letter from another; how many."""
    n = 0
    if not _SHORTEST <= end - begin <= _LONGEST + 1:
        return n
    for i in range(begin - 1, end):
        if i > begin and octets[i] == octets[i - 1]:
            continue
        value = _hash(octets, begin, end, i)
        if i >= begin:
            at = _place(word, value)
            n = _with(out, n, at)
        at = _place(less, value)
        while at >= 0 and at < less.size and less[at] == value and n < out.size:
            n = _with(out, n, int(of[at]))
            at += 1
    return n


@njit(cache=True, nogil=True)
def _with(out: Offsets, n: int, at: int) -> int:
    if at < 0 or n == out.size:
        return n
    for i in range(n):
        if out[i] == at:
            return n
    out[n] = at
    return n + 1


@njit(cache=True, nogil=True)
def _rarest(known: Offsets, n: int, rows: NDArray[np.uint32], most: int) -> int:
    """Bring the rarest words to the front, of equals the one of the lower number; how many."""
    for i in range(min(n, most)):
        least = i
        for j in range(i + 1, n):
            a, b = rows[known[j]], rows[known[least]]
            if a < b or (a == b and known[j] < known[least]):
                least = j
        known[i], known[least] = known[least], known[i]
    return min(n, most)


@njit(cache=True, nogil=True)
def _paired(word: Words, a: int, b: int) -> np.uint64:
    return _mixed(word[a] + word[b] + _U(0x51ED270B))


@njit(cache=True, nogil=True)
def _of_names(
    core: Octets, title_at: Offsets, main: Octets, who_at: Offsets, duration_ms: int, asks: int, now: Words, m: int
) -> int:
    """Add the keys of a title and of who is named first, after ``m`` that there are; how many there are then.

    ``title_at`` and ``who_at`` say where each begins and ends.
    """
    title, who = _unordered(core, title_at[0], title_at[1]), _unordered(main, who_at[0], who_at[1])
    if title and who:
        now[m] = _mixed(title + who + _U(2))
        m += 1
    title = _skeleton(core, title_at[0], title_at[1], _SOUNDS)
    who = _skeleton(main, who_at[0], who_at[1], _SOUNDS)
    if title and who:
        now[m] = _mixed(title + who + _U(3))
        m += 1
    if duration_ms < 0:
        return m
    second = (duration_ms + 500) // 1000
    for off in range(-SECONDS_OFF, SECONDS_OFF + 1):
        if off != 0 and not asks:
            continue
        for of_what in (title, who):
            if of_what:
                now[m] = _mixed(of_what ^ _mixed(_U(second + off + 4)))
                m += 1
    return m


@njit(cache=True, nogil=True)
def _of_pairs(
    word: Words, known: Offsets, n_known: int, maybe: Offsets, whose: Offsets, n_maybe: int, now: Words, m: int
) -> int:
    """Add the keys of pairs of words; ``maybe`` has words put right, and ``whose`` the words that they may be."""
    for a in range(n_known):
        for b in range(a):
            now[m] = _paired(word, known[a], known[b])
            m += 1
    for a in range(n_maybe):
        for b in range(min(n_known, RAREST)):
            if m < now.size and known[b] != maybe[a]:
                now[m] = _paired(word, known[b], maybe[a])
                m += 1
        for b in range(a):
            if m < now.size and whose[a] != whose[b] and maybe[a] != maybe[b]:
                now[m] = _paired(word, maybe[a], maybe[b])
                m += 1
    return m


@njit(cache=True, nogil=True)
def _keys(
    core_at: Offsets,
    core: Octets,
    artist_at: Offsets,
    artist: Octets,
    main_at: Offsets,
    main: Octets,
    isrc_at: Offsets,
    isrc: Octets,
    duration_ms: NDArray[np.int32],
    word: Words,
    rows: NDArray[np.uint32],
    less: Words,
    of: NDArray[np.uint32],
    asks: int,
) -> tuple[Words, Offsets]:
    n = duration_ms.size
    key, row = np.empty(n * KEYS_MOST, np.uint64), np.empty(n * KEYS_MOST, np.int64)
    made = 0
    now = np.empty(_ASKED_MOST, np.uint64)
    begins, ends = np.empty(_WORDS_MOST, np.int64), np.empty(_WORDS_MOST, np.int64)
    known, right = np.empty(2 * _WORDS_MOST, np.int64), np.empty(PUT_RIGHT, np.int64)
    maybe, whose = np.empty(_UNKNOWN_MOST * PUT_RIGHT, np.int64), np.empty(_UNKNOWN_MOST * PUT_RIGHT, np.int64)
    for i in range(n):
        m = 0
        if isrc_at[i + 1] > isrc_at[i]:
            now[m] = _hash(isrc, isrc_at[i], isrc_at[i + 1], -1) + _U(1)
            m += 1
        m = _of_names(core, core_at[i : i + 2], main, main_at[i : i + 2], duration_ms[i], asks, now, m)
        n_known, n_maybe, n_unknown = 0, 0, 0
        for part in range(2):
            at, octets = (core_at, core) if part == 0 else (artist_at, artist)
            for j in range(_split(octets, at[i], at[i + 1], begins, ends, 0)):
                place = _place(word, _hash(octets, begins[j], ends[j], -1))
                if place >= 0:
                    n_known = _with(known, n_known, place)
                elif asks and n_unknown < _UNKNOWN_MOST:
                    for r in range(_put_right(octets, begins[j], ends[j], word, less, of, right)):
                        maybe[n_maybe], whose[n_maybe] = right[r], n_unknown
                        n_maybe += 1
                    n_unknown += 1
        n_known = _rarest(known, n_known, rows, RAREST_ASKED if asks else RAREST)
        m = _of_pairs(word, known, n_known, maybe, whose, n_maybe, now, m)
        if made + m > key.size:
            more = max(made, m)
            key, row = np.concatenate((key, np.empty(more, np.uint64))), np.concatenate((row, np.empty(more, np.int64)))
        key[made : made + m] = now[:m]
        row[made : made + m] = i
        made += m
    return key[:made].copy(), row[:made].copy()
