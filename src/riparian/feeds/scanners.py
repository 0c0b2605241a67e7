"""Where in a stretch of text does each wanted value stand?

Three scanners go over the bytes once and note where each wanted value begins and ends; nothing is
copied and nothing becomes a Python object.  A line that a scanner does not like (an escape in a
wanted value, a quote out of place, anything that is not well-formed) is left to the slow path, which
reads it with the standard library and either gets its values or says what is wrong with it.

===========  =======================================================
scanner      reads
===========  =======================================================
objects      one JSON object a line; nested keys are joined by dots
cells        values between delimiters, perhaps in double quotes
tokens       the combined log format: words, "quoted", [bracketed]
===========  =======================================================
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from riparian.codes import words_at

READ: Final = 0
SLOW: Final = 1
BLANK: Final = 2

_SEED: Final = 0xCBF29CE484222325
_FACTOR: Final = 0x9E3779B97F4A7C15
_MASK: Final = 0xFFFFFFFFFFFFFFFF
_DEPTH_MAX: Final = 8
_DOTS_MAX: Final = 4
_VALUES_MAX: Final = 65
_SEED_U: Final = np.uint64(_SEED)
_FACTOR_U: Final = np.uint64(_FACTOR)
_ONES: Final = np.uint64(0x0101010101010101)
_HIGHS: Final = np.uint64(0x8080808080808080)
_QUOTES: Final = np.uint64(0x2222222222222222)
_SLASHES: Final = np.uint64(0x5C5C5C5C5C5C5C5C)
_SPACES: Final = np.uint64(0x2020202020202020)
_ANY: Final = 0
_KEY: Final = 1
_AFTER: Final = 2


@dataclass(slots=True)
class Spans:
    """Values as places in a buffer.

    Parameters
    ----------
    data : np.ndarray [shape=(bytes,), uint8]
        UTF-8.
    starts, ends : np.ndarray [shape=(columns, lines), int64]
        ``starts`` is -1 where a line has no such value.
    state : np.ndarray [shape=(lines,), uint8]
        ``READ``, ``SLOW`` or ``BLANK``.
    """

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    state: npt.NDArray[np.uint8]


def key_hash(key: bytes, parent: int = _SEED) -> int:
    """Hash a key below the object whose hash is ``parent``, as the scanner of objects does."""
    h = parent
    for place in range(0, len(key), 8):
        h = ((h ^ int.from_bytes(key[place : place + 8], "little")) * _FACTOR) & _MASK
        h ^= h >> 32
    return ((h ^ len(key)) * _FACTOR) & _MASK


def path_hashes(name: str) -> list[int]:
    """Hash every way to write a column: ``a.b`` is a key, or ``b`` below ``a``."""
    parts = name.encode().split(b".")
    if len(parts) - 1 > _DOTS_MAX:
        return [key_hash(name.encode())]
    hashes = []
    for cuts in range(1 << (len(parts) - 1)):
        h, key = _SEED, parts[0]
        for i, part in enumerate(parts[1:]):
            if cuts >> i & 1:
                h, key = key_hash(key, h), part
            else:
                key += b"." + part
        hashes.append(key_hash(key, h))
    return hashes


@njit(cache=True, nogil=True, forceinline=True)
def _hash_key(words: Any, lo: Any, hi: Any, parent: Any) -> Any:
    h = parent
    p = lo
    while p + 8 <= hi:
        h = (h ^ words[p]) * _FACTOR_U
        h ^= h >> np.uint64(32)
        p += 8
    if p < hi:
        h = (h ^ (words[p] & ((np.uint64(1) << np.uint64(8 * (hi - p))) - np.uint64(1)))) * _FACTOR_U
        h ^= h >> np.uint64(32)
    return (h ^ np.uint64(hi - lo)) * _FACTOR_U


@njit(cache=True, nogil=True, forceinline=True)
def _odd_byte(words: Any, p: Any) -> Any:
    # The next quote, backslash or control character.  Mycroft (1987): the lowest byte flagged is right.
    while True:
        x = words[p]
        quotes = x ^ _QUOTES
        slashes = x ^ _SLASHES
        found = (((quotes - _ONES) & ~quotes) | ((slashes - _ONES) & ~slashes) | ((x - _SPACES) & ~x)) & _HIGHS
        if found:
            below = ((found & (~found + np.uint64(1))) >> np.uint64(7)) - np.uint64(1)
            return p + np.int64(((below & _ONES) * _ONES) >> np.uint64(56))
        p += 8


@njit(cache=True, nogil=True)
def _skip_array(data: Any, p: Any, hi: Any) -> Any:
    # From the opening bracket to after the closing one; -1 when there is none.
    depth = 0
    quoted = False
    while p < hi:
        c = data[p]
        if quoted:
            if c == 92:
                p += 1
            elif c == 34:
                quoted = False
        elif c == 34:
            quoted = True
        elif c == 91 or c == 123:
            depth += 1
        elif c == 93 or c == 125:
            depth -= 1
            if depth == 0:
                return p + 1
        p += 1
    return -1


@njit(cache=True, nogil=True, forceinline=True)
def _is_literal(data: Any, lo: Any, hi: Any) -> Any:
    c = data[lo]
    n = hi - lo
    if c == 116:
        return n == 4 and data[lo + 1] == 114 and data[lo + 2] == 117 and data[lo + 3] == 101
    if c == 102:
        return n == 5 and data[lo + 1] == 97 and data[lo + 2] == 108 and data[lo + 3] == 115 and data[lo + 4] == 101
    if c == 110:
        return n == 4 and data[lo + 1] == 117 and data[lo + 2] == 108 and data[lo + 3] == 108
    if c != 45 and (c < 48 or c > 57):
        return False
    for p in range(lo + 1, hi):
        c = data[p]
        if not (48 <= c <= 57 or c == 43 or c == 45 or c == 46 or c == 69 or c == 101):
            return False
    return True


@njit(cache=True, nogil=True, forceinline=True)
def _next(data: Any, p: Any, hi: Any) -> Any:
    while p < hi and data[p] <= 32:
        p += 1
    return p


@njit(cache=True, nogil=True, forceinline=True)
def _value_end(data: Any, words: Any, p: Any, hi: Any) -> Any:
    # The end of the string, array or literal at ``p``, -1 when malformed; and whether it can be taken as it stands.
    c = data[p]
    plain = True
    if c == 34:
        p = _odd_byte(words, p + 1)
        while p < hi and data[p] == 92:
            plain = False
            p = _odd_byte(words, p + 2) if p + 2 < hi else hi
        return (p + 1 if p < hi and data[p] == 34 else -1), plain
    if c == 91:
        return _skip_array(data, p, hi), False
    begin = p
    while p < hi and data[p] > 32 and data[p] != 44 and data[p] != 125:
        p += 1
    return (p if p > begin and _is_literal(data, begin, p) else -1), plain


@njit(cache=True, nogil=True)
def _object(  # noqa: C901, PLR0911, PLR0912, PLR0915 -- a state machine reads best in one piece
    data: Any,
    words: Any,
    lo: Any,
    hi: Any,
    wanted: Any,
    columns: Any,
    starts: Any,
    ends: Any,
    parents: Any,
    form: Any,
    i: Any,
) -> Any:
    form[0, 0] = -1
    edge = lo
    n_values = 0
    p = _next(data, lo, hi)
    if p == hi:
        return BLANK
    if data[p] != 123 or hi >= words.size:
        return SLOW
    p += 1
    depth = 0
    parents[0] = _SEED_U
    expect = _ANY
    while True:
        p = _next(data, p, hi)
        if p >= hi:
            return SLOW
        c = data[p]
        p += 1
        if c == 125 and expect != _KEY:
            depth -= 1
            expect = _AFTER
            if depth < 0:
                break
            continue
        if expect == _AFTER:
            if c != 44:
                return SLOW
            expect = _KEY
            continue
        end = _odd_byte(words, p)
        if c != 34 or end >= hi or data[end] != 34:
            return SLOW
        h = _hash_key(words, p, end, parents[depth])
        p = _next(data, end + 1, hi)
        if p >= hi or data[p] != 58:
            return SLOW
        p = _next(data, p + 1, hi)
        if p >= hi:
            return SLOW
        column = -1
        for j in range(wanted.size):
            if wanted[j] == h:
                column = columns[j]
        if data[p] == 123:
            depth += 1
            if column >= 0 or depth >= parents.size:
                return SLOW
            parents[depth] = h
            p += 1
            expect = _ANY
            continue
        end, plain = _value_end(data, words, p, hi)
        if end < 0 or (column >= 0 and not plain):
            return SLOW
        quoted = data[p] == 34
        begin = p + 1 if quoted else p
        if column >= 0:
            starts[column, i] = -1 if data[p] == 110 else begin
            ends[column, i] = end - 1 if quoted else end
        n_values += 1
        if n_values < form.shape[0] and data[p] != 91:
            form[n_values, 0] = edge
            form[n_values, 1] = begin - edge
            form[n_values, 2] = quoted
            form[n_values, 3] = column
        else:
            n_values = form.shape[0]
        edge = end - 1 if quoted else end
        p = end
        expect = _AFTER
    if _next(data, p, hi) != hi:
        return SLOW
    if n_values < form.shape[0]:
        form[0, 0] = n_values
        form[0, 1] = edge
        form[0, 2] = hi - edge
    return READ


@njit(cache=True, nogil=True, forceinline=True)
def _same(words: Any, p: Any, q: Any, n: Any) -> Any:
    while n >= 8:
        if words[p] != words[q]:
            return False
        p += 8
        q += 8
        n -= 8
    return n == 0 or (words[p] ^ words[q]) << np.uint64(64 - 8 * n) == np.uint64(0)


@njit(cache=True, nogil=True)
def _like_the_last(data: Any, words: Any, p: Any, hi: Any, starts: Any, ends: Any, form: Any, i: Any) -> Any:
    # Writers of logs write the same keys in the same order: what stands between the values is compared, not read.
    for t in range(1, form[0, 0] + 1):
        if hi - p <= form[t, 1] or not _same(words, p, form[t, 0], form[t, 1]):
            return False
        p += form[t, 1]
        column = form[t, 3]
        begin = p
        if form[t, 2]:
            p = _odd_byte(words, p)
            if p >= hi or data[p] != 34:
                return False
        else:
            while p < hi and data[p] > 32 and data[p] != 44 and data[p] != 125:
                p += 1
            if p == begin or not _is_literal(data, begin, p):
                return False
        if column >= 0:
            starts[column, i] = -1 if not form[t, 2] and data[begin] == 110 else begin
            ends[column, i] = p
    return hi - p == form[0, 2] and _same(words, p, form[0, 1], form[0, 2])


@njit(cache=True, nogil=True)
def _objects(
    data: Any, words: Any, los: Any, his: Any, wanted: Any, columns: Any, starts: Any, ends: Any, state: Any
) -> None:
    parents = np.zeros(_DEPTH_MAX, dtype=np.uint64)
    # Row 0: values, and what stands behind the last; then for each value what stands before it, whether it is
    # quoted, and its column.
    form = np.full((_VALUES_MAX, 4), -1, dtype=np.int64)
    for i in range(los.size):
        if (
            form[0, 0] > 0
            and his[i] < words.size
            and _like_the_last(data, words, los[i], his[i], starts, ends, form, i)
        ):
            state[i] = READ
            continue
        starts[:, i] = -1
        state[i] = _object(data, words, los[i], his[i], wanted, columns, starts, ends, parents, form, i)


@njit(cache=True, nogil=True)
def _cells(
    data: Any,
    los: Any,
    his: Any,
    delimiter: Any,
    quote: Any,
    n_cells: Any,
    wanted: Any,
    starts: Any,
    ends: Any,
    state: Any,
) -> None:
    # wanted: for each cell the column that it goes to, or -1
    for i in range(los.size):
        p = los[i]
        hi = his[i]
        if p == hi:
            state[i] = BLANK
            continue
        cell = 0
        good = True
        while True:
            begin = p
            if p < hi and quote > 0 and data[p] == quote:
                p += 1
                begin = p
                while p < hi and data[p] != quote:
                    p += 1
                end = p
                p += 1
                if end >= hi or (p < hi and data[p] != delimiter):
                    good = False
                    break
            else:
                while p < hi and data[p] != delimiter:
                    if quote > 0 and data[p] == quote:
                        good = False
                    p += 1
                end = p
            if cell < n_cells and wanted[cell] >= 0:
                starts[wanted[cell], i] = begin
                ends[wanted[cell], i] = end
            cell += 1
            if p >= hi:
                break
            p += 1
        state[i] = READ if good and cell == n_cells else SLOW


@njit(cache=True, nogil=True)
def _tokens(data: Any, los: Any, his: Any, n_needed: Any, wanted: Any, starts: Any, ends: Any, state: Any) -> None:
    for i in range(los.size):
        p = los[i]
        hi = his[i]
        token = 0
        good = True
        while True:
            while p < hi and data[p] == 32:
                p += 1
            if p >= hi:
                break
            c = data[p]
            if c == 34 or c == 91:
                close = 34 if c == 34 else 93
                p += 1
                begin = p
                while p < hi and data[p] != close:
                    if data[p] == 92 and c == 34:
                        p += 1
                    p += 1
                end = p
                if p >= hi:
                    good = False
                    break
                p += 1
            else:
                begin = p
                while p < hi and data[p] != 32:
                    p += 1
                end = p
            if token < wanted.size and wanted[token] >= 0:
                starts[wanted[token], i] = begin
                ends[wanted[token], i] = end
            token += 1
        state[i] = BLANK if token == 0 and good else READ if good and token >= n_needed else SLOW


def _bounds(data: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> tuple[Any, Any]:
    los = np.empty(ends.size, dtype=np.int64)
    los[:1] = 0
    los[1:] = ends[:-1] + 1
    his = ends - ((ends > los) & (data[ends - 1] == 13))
    return los, his


def _spans(data: bytes, n_columns: int, n_lines: int) -> Spans:
    shape = (n_columns, n_lines)
    return Spans(
        np.frombuffer(data, dtype=np.uint8),
        np.full(shape, -1, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.zeros(n_lines, dtype=np.uint8),
    )


def scan_objects(data: bytes, ends: npt.NDArray[np.int64], names: list[str]) -> Spans:
    r"""Find values of keys in lines of JSON objects.

    Parameters
    ----------
    data
        UTF-8 text, each line ended.  A line within eight bytes of the end of it is left to the slow path.
    ends : np.ndarray [shape=(lines,)]
        Places of the line ends.
    names
        Keys; those of nested objects joined by dots.

    Examples
    --------
    >>> text = b'{"a": "x", "b": {"c": 5}}\nno\n' + bytes(8)
    >>> found = scan_objects(text, np.array([25, 28]), ["b.c"])
    >>> text[found.starts[0, 0]:found.ends[0, 0]], found.state.tolist()
    (b'5', [0, 1])
    """
    spans = _spans(data, len(names), ends.size)
    los, his = _bounds(spans.data, ends)
    pairs = [(each, column) for column, name in enumerate(names) for each in path_hashes(name)]
    wanted = np.array([each for each, _ in pairs], dtype=np.uint64)
    columns = np.array([column for _, column in pairs], dtype=np.int64)
    words = words_at(spans.data)
    _objects(spans.data, words, los, his, wanted, columns, spans.starts, spans.ends, spans.state)
    return spans


def _targets(wanted: list[int], n_cells: int) -> npt.NDArray[np.int64]:
    targets = np.full(n_cells, -1, dtype=np.int64)
    for column, cell in enumerate(wanted):
        targets[cell] = column
    return targets


def scan_cells(
    data: bytes, ends: npt.NDArray[np.int64], wanted: list[int], *, n_cells: int, delimiter: str, quote: str
) -> Spans:
    r"""Find cells in lines of delimited values; ``quote`` is empty where quotes mean nothing.

    Examples
    --------
    >>> text = b'a,"b c",d\na,b\n'
    >>> found = scan_cells(text, np.array([9, 13]), [1], n_cells=3, delimiter=",", quote='"')
    >>> text[found.starts[0, 0]:found.ends[0, 0]], found.state.tolist()
    (b'b c', [0, 1])
    """
    spans = _spans(data, len(wanted), ends.size)
    los, his = _bounds(spans.data, ends)
    mark = ord(quote) if quote else -1
    targets = _targets(wanted, n_cells)
    _cells(spans.data, los, his, ord(delimiter), mark, n_cells, targets, spans.starts, spans.ends, spans.state)
    return spans


def scan_tokens(data: bytes, ends: npt.NDArray[np.int64], wanted: list[int]) -> Spans:
    r"""Find words, quoted and bracketed texts in lines of a combined log.

    Examples
    --------
    >>> text = b'h - ann [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 200\n'
    >>> found = scan_tokens(text, np.array([len(text) - 1]), [2, 4])
    >>> text[found.starts[1, 0]:found.ends[1, 0]]
    b'GET / HTTP/1.1'
    """
    spans = _spans(data, len(wanted), ends.size)
    los, his = _bounds(spans.data, ends)
    needed = max(wanted, default=0) + 1
    _tokens(spans.data, los, his, needed, _targets(wanted, needed), spans.starts, spans.ends, spans.state)
    return spans


@njit(cache=True, nogil=True)
def _gather(data: Any, words: Any, starts: Any, ends: Any, rows: Any, offsets: Any, out: Any) -> None:
    # Eight bytes at a time; what is written beyond a value is overwritten by the next.
    for r in range(rows.size):
        p = starts[rows[r]]
        end = ends[rows[r]] if p >= 0 else p
        place = offsets[r]
        while p < end:
            if p < words.size:
                out[place] = words[p]
                p += 8
                place += 8
            else:
                left = np.uint64(0)
                for j in range(end - p):
                    left |= np.uint64(data[p + j]) << np.uint64(8 * j)
                    if j == 7:
                        break
                out[place] = left
                p += 8
                place += 8


def texts_at(spans: Spans, column: int, rows: npt.NDArray[np.int64]) -> pa.Array:
    """Give the values of one column as strings [shape=(rows,)], null where there is none."""
    starts, ends = spans.starts[column], spans.ends[column]
    given = starts[rows] >= 0
    offsets = np.zeros(rows.size + 1, dtype=np.int64)
    np.cumsum(np.where(given, ends[rows] - starts[rows], 0), out=offsets[1:])
    out = np.empty(int(offsets[-1]) + 16, dtype=np.uint8)
    _gather(spans.data, words_at(spans.data), starts, ends, rows, offsets, words_at(out))
    bits = None if given.all() else pa.py_buffer(np.packbits(given, bitorder="little"))
    return pa.Array.from_buffers(pa.large_string(), rows.size, [bits, pa.py_buffer(offsets), pa.py_buffer(out)])
