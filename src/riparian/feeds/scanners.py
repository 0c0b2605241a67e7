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

READ: Final = 0
SLOW: Final = 1
BLANK: Final = 2

_SEED: Final = 0xCBF29CE484222325
_PRIME: Final = 0x100000001B3
_DEPTH_MAX: Final = 8
_SEED_U: Final = np.uint64(_SEED)
_PRIME_U: Final = np.uint64(_PRIME)
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


def path_hash(name: str) -> int:
    """Hash a key, or keys joined by dots, as the scanner of objects does."""
    h = _SEED
    for octet in name.encode():
        h = ((h ^ octet) * _PRIME) & 0xFFFFFFFFFFFFFFFF
    return h


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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _object(data: Any, p: Any, hi: Any, wanted: Any, starts: Any, ends: Any, parents: Any, i: Any) -> Any:
    while p < hi and data[p] <= 32:
        p += 1
    if p == hi:
        return BLANK
    if data[p] != 123:
        return SLOW
    p += 1
    depth = 0
    parents[0] = _SEED_U
    expect = _ANY
    while True:
        while p < hi and data[p] <= 32:
            p += 1
        if p >= hi:
            return SLOW
        c = data[p]
        if c == 125 and expect != _KEY:
            p += 1
            if depth == 0:
                break
            depth -= 1
            expect = _AFTER
            continue
        if expect == _AFTER:
            if c != 44:
                return SLOW
            p += 1
            expect = _KEY
            continue
        if c != 34:
            return SLOW
        p += 1
        h = parents[depth]
        while p < hi and data[p] != 34:
            if data[p] == 92 or data[p] < 32:
                return SLOW
            h = (h ^ np.uint64(data[p])) * _PRIME_U
            p += 1
        p += 1
        while p < hi and data[p] <= 32:
            p += 1
        if p >= hi or data[p] != 58:
            return SLOW
        p += 1
        while p < hi and data[p] <= 32:
            p += 1
        if p >= hi:
            return SLOW
        which = -1
        for j in range(wanted.size):
            if wanted[j] == h:
                which = j
        c = data[p]
        if c == 34:
            p += 1
            begin = p
            escaped = False
            while p < hi and data[p] != 34:
                if data[p] == 92:
                    escaped = True
                    p += 1
                elif data[p] < 32:
                    return SLOW
                p += 1
            if p >= hi:
                return SLOW
            if which >= 0:
                if escaped:
                    return SLOW
                starts[which, i] = begin
                ends[which, i] = p
            p += 1
        elif c == 123:
            if which >= 0 or depth + 1 >= parents.size:
                return SLOW
            depth += 1
            parents[depth] = (h ^ np.uint64(46)) * _PRIME_U
            p += 1
            expect = _ANY
            continue
        elif c == 91:
            if which >= 0:
                return SLOW
            p = _skip_array(data, p, hi)
            if p < 0:
                return SLOW
        else:
            begin = p
            while p < hi and data[p] > 32 and data[p] != 44 and data[p] != 125:
                p += 1
            if p == begin or not _is_literal(data, begin, p):
                return SLOW
            if which >= 0:
                starts[which, i] = -1 if c == 110 else begin
                ends[which, i] = p
        expect = _AFTER
    while p < hi and data[p] <= 32:
        p += 1
    return READ if p == hi else SLOW


@njit(cache=True, nogil=True)
def _objects(data: Any, los: Any, his: Any, wanted: Any, starts: Any, ends: Any, state: Any) -> None:
    parents = np.zeros(_DEPTH_MAX, dtype=np.uint64)
    for i in range(los.size):
        state[i] = _object(data, los[i], his[i], wanted, starts, ends, parents, i)


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
    """Find values of keys in lines of JSON objects.

    Parameters
    ----------
    data
        UTF-8 text, each line ended.
    ends : np.ndarray [shape=(lines,)]
        Places of the line ends.
    names
        Keys; those of nested objects joined by dots.

    Examples
    --------
    >>> text = b'{"a": "x", "b": {"c": 5}}\\nno\\n'
    >>> found = scan_objects(text, np.array([25, 28]), ["b.c"])
    >>> text[found.starts[0, 0]:found.ends[0, 0]], found.state.tolist()
    (b'5', [0, 1])
    """
    spans = _spans(data, len(names), ends.size)
    los, his = _bounds(spans.data, ends)
    wanted = np.array([path_hash(name) for name in names], dtype=np.uint64)
    _objects(spans.data, los, his, wanted, spans.starts, spans.ends, spans.state)
    return spans


def _targets(wanted: list[int], n_cells: int) -> npt.NDArray[np.int64]:
    targets = np.full(n_cells, -1, dtype=np.int64)
    for column, cell in enumerate(wanted):
        targets[cell] = column
    return targets


def scan_cells(
    data: bytes, ends: npt.NDArray[np.int64], wanted: list[int], *, n_cells: int, delimiter: str, quote: str
) -> Spans:
    """Find cells in lines of delimited values; ``quote`` is empty where quotes mean nothing.

    Examples
    --------
    >>> text = b'a,"b c",d\\na,b\\n'
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
    """Find words, quoted and bracketed texts in lines of a combined log.

    Examples
    --------
    >>> text = b'h - ann [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 200\\n'
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
def _gather(data: Any, starts: Any, ends: Any, rows: Any, offsets: Any, out: Any) -> None:
    place = offsets[0]
    for r in range(rows.size):
        for p in range(starts[rows[r]], ends[rows[r]]):
            out[place] = data[p]
            place += 1


def texts_at(spans: Spans, column: int, rows: npt.NDArray[np.int64]) -> pa.Array:
    """Give the values of one column as strings [shape=(rows,)], null where there is none."""
    starts, ends = spans.starts[column], spans.ends[column]
    given = starts[rows] >= 0
    offsets = np.zeros(rows.size + 1, dtype=np.int64)
    np.cumsum(np.where(given, ends[rows] - starts[rows], 0), out=offsets[1:])
    out = np.empty(max(int(offsets[-1]), 1), dtype=np.uint8)
    _gather(spans.data, starts, np.where(starts >= 0, ends, starts), rows, offsets, out)
    bits = None if given.all() else pa.py_buffer(np.packbits(given, bitorder="little"))
    return pa.Array.from_buffers(pa.large_string(), rows.size, [bits, pa.py_buffer(offsets), pa.py_buffer(out)])
