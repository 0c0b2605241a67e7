"""A log in stretches, so that the same lines are known again wherever they turn up.

A text log is cut at line ends whose place depends on the lines alone, so that a log which was
rotated, compressed, concatenated or has grown falls into the same stretches as before.  Each stretch
has a digest; one that was counted is never parsed again.

Where a cut is made
-------------------
After a line that ends at least ``size / 4`` bytes into the stretch and whose hash is low enough (one
chance in ``size / 4`` per byte), or at ``size`` bytes, or at :data:`LINES_MAX` lines.  A line longer
than 1 MiB is a cut as well: it is streamed past and rejected.

How a log that grows is known again
-----------------------------------
The last stretch of a file is *open*: the file may grow.  It is given in pieces, the first line
alone and then powers of two of lines, the largest first.  A longer version of it is a longer stretch
with another digest; but its first line is known, and the pieces after it are found by trying sizes
from the largest down.  What is left is new.  A compressed file does not grow and is given whole.

An unfinished last line (no line end) is a piece of its own; when it has grown it is another line.

What this cannot do
-------------------
A *shorter* copy of a log that was already read longer (yesterday's backup after today's log) shares
all its closed stretches, but of its last one only what happens to end where an earlier piece ended:
up to one stretch may count twice.  Lines that were edited, filtered or put in another order are new
lines.  Lines that are equal to the last byte in logs of different servers may be taken for one.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.feeds.chunks import DIGEST_BYTES, LINE_BYTES_MAX, TEXT_CHARS_MAX
from riparian.feeds.unpack import Broken

LINES_MAX: Final = 1 << 19
_NEWLINE: Final = 10
_FIRST: Final = b"first line\0"
_BOM: Final = b"\xef\xbb\xbf"

_MORE: Final = 0
_CUT: Final = 1
_LONG: Final = 2

Known = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole lines that follow one another in one log.

    Parameters
    ----------
    data
        The bytes; the last one is a line end.
    ends : np.ndarray [shape=(lines,), int64]
        Where each line ends in ``data``: the place of its line end.
    offset
        Where it begins in the decompressed log, in bytes.
    line
        Number of its first line, from 1.
    is_open
        Whether the log ended here and may go on later.
    rejects
        Lines before it that were too long: number and beginning.
    broken
        Why the log breaks off after it; empty when it does not.
    """

    data: bytes
    ends: npt.NDArray[np.int64]
    offset: int
    line: int
    is_open: bool = False
    rejects: tuple[tuple[int, bytes], ...] = ()
    broken: str = ""

    def digest(self) -> bytes:
        """Know these bytes again."""
        return hashlib.sha256(self.data).digest()[:DIGEST_BYTES]

    def part(self, first: int, last: int) -> "Stretch":
        """Take the lines from ``first`` up to ``last``, without the rejects before them."""
        lo = int(self.ends[first - 1]) + 1 if first else 0
        hi = int(self.ends[last - 1]) + 1 if last else 0
        return Stretch(self.data[lo:hi], self.ends[first:last] - lo, self.offset + lo, self.line + first)


@njit(cache=True, nogil=True)
def _hash_line(data: Any, lo: Any, hi: Any) -> Any:
    # Three windows of eight bytes and the length: cheap, and different on nearly every line.
    h = np.uint64(hi - lo) * np.uint64(0x9E3779B97F4A7C15)
    for quarter in range(1, 4):
        p = lo + (hi - lo) * quarter // 4
        for j in range(min(8, hi - p)):
            h = (h ^ np.uint64(data[p + j])) * np.uint64(0x100000001B3)
    return h ^ (h >> np.uint64(29))


@njit(cache=True, nogil=True)
def _next_cut(data: Any, places: Any, first: Any, lo: Any, before: Any, size: Any, line_max: Any) -> Any:
    # ``before``: bytes and lines of the stretch that lie before ``lo``
    low = size // 4
    rate = np.float64(2.0**64) / max(low, 1)
    begin = lo
    for i in range(first, places.size):
        end = places[i]
        if end - begin > line_max:
            return _LONG, i
        length = before[0] + end + 1 - lo
        if length >= size or before[1] + i + 1 - first >= LINES_MAX:
            return _CUT, i
        if length >= low and np.float64(_hash_line(data, begin, end)) < rate * (end - begin):
            return _CUT, i
        begin = end + 1
    return _MORE, places.size


@dataclass(slots=True)
class Cutter:
    r"""Cuts one log into stretches; iterate over it.

    Parameters
    ----------
    size
        Bytes that a stretch holds at most, but for its last line.
    grows
        Whether the log may go on where it ends now.
    line_max
        Bytes of the longest line that is read.
    offset, line
        Where the bytes begin in their log; kept up to date.

    Examples
    --------
    >>> [part.data for part in Cutter(size=1 << 20, grows=True).cut([b"a\nbb", b"b\nc"])]
    [b'a\nbbb\n', b'c\n']
    """

    size: int
    grows: bool
    line_max: int = LINE_BYTES_MAX
    offset: int = 0
    line: int = 1
    _parts: list[memoryview] = field(default_factory=list)
    _ends: list[npt.NDArray[np.int64]] = field(default_factory=list)
    _n_bytes: int = 0
    _n_lines: int = 0
    _rejects: tuple[tuple[int, bytes], ...] = ()
    _rest: bytes = b""
    _may_extend: bool = False
    _extended: Stretch | None = None

    def cut(self, blocks: Iterable[bytes]) -> Iterator[Stretch]:
        """Give the stretches of the decompressed bytes, which come in pieces of any size."""
        broken = ""
        try:
            yield from self._whole_lines(blocks if self.offset else _without_mark(blocks))
        except Broken as error:
            # The line in which the log breaks off goes with the break.
            broken, self._rest = str(error), b""
        if self._n_lines or (not self._rest and (self._rejects or broken)):
            yield self._take(is_open=self.grows, broken=broken)
        if self._rest:
            self._add(memoryview(self._rest + b"\n"), np.array([len(self._rest)]))
            yield self._take(is_open=self.grows)

    def extend(self, rest: Stretch) -> bool:
        """Ask for the end of the stretch just given once more, as the beginning of the next one.

        What was known before the rest acts as a cut.  False when the log does not go on behind it,
        so that the rest has to be taken as it is.
        """
        if self._may_extend:
            self._extended = rest
        return self._may_extend

    def _whole_lines(self, blocks: Iterable[bytes]) -> Iterator[Stretch]:
        skipping = False
        for block in blocks:
            if skipping:
                place = block.find(b"\n") + 1
                self.offset += place or len(block)
                skipping = not place
                text = block[place:] if place else b""
            else:
                text = self._rest + block if self._rest else block
            end = text.rfind(b"\n") + 1
            self._rest = text[end:]
            if end:
                yield from self._lines(text[:end])
            if len(self._rest) > self.line_max:
                yield from self._reject(self._rest, len(self._rest))
                self._rest = b""
                skipping = True

    def _lines(self, text: bytes) -> Iterator[Stretch]:
        view = np.frombuffer(text, dtype=np.uint8)
        places = np.flatnonzero(view == _NEWLINE)
        first = 0
        while first < places.size:
            lo = int(places[first - 1]) + 1 if first else 0
            before = (self._n_bytes, self._n_lines)
            outcome, i = _next_cut(view, places, first, lo, before, self.size, self.line_max)
            stop = i + 1 if outcome == _CUT else i
            hi = int(places[stop - 1]) + 1 if stop > first else lo
            if stop > first:
                self._add(memoryview(text)[lo:hi], places[first:stop] - lo)
            if outcome == _LONG:
                yield from self._reject(text[hi : hi + TEXT_CHARS_MAX], int(places[i]) + 1 - hi)
                stop = i + 1
            elif outcome == _CUT:
                stretch = self._take()
                self._may_extend = True
                yield stretch
                self._may_extend = False
                if self._extended is not None:
                    text = self._extended.data + text[hi:]
                    self.offset, self.line = self._extended.offset, self._extended.line
                    self._extended = None
                    view = np.frombuffer(text, dtype=np.uint8)
                    places = np.flatnonzero(view == _NEWLINE)
                    stop = 0
            first = stop

    def _add(self, data: memoryview, ends: npt.NDArray[np.int64]) -> None:
        self._parts.append(data)
        self._ends.append(ends + self._n_bytes)
        self._n_bytes += len(data)
        self._n_lines += ends.size

    def _take(self, *, is_open: bool = False, broken: str = "") -> Stretch:
        ends = np.concatenate(self._ends) if self._ends else np.zeros(0, np.int64)
        stretch = Stretch(b"".join(self._parts), ends, self.offset, self.line, is_open, self._rejects, broken)
        self.offset += self._n_bytes
        self.line += self._n_lines
        self._parts, self._ends, self._n_bytes, self._n_lines, self._rejects = [], [], 0, 0, ()
        return stretch

    def _reject(self, head: bytes, n_bytes: int) -> Iterator[Stretch]:
        if self._n_lines:
            yield self._take()
        self._rejects = (*self._rejects, (self.line, head[:TEXT_CHARS_MAX]))
        self.line += 1
        self.offset += n_bytes


def _without_mark(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for place, block in enumerate(blocks):
        yield block if place else block.removeprefix(_BOM)


def _first_digest(stretch: Stretch) -> bytes:
    line = memoryview(stretch.data)[: int(stretch.ends[0]) + 1]
    return hashlib.sha256(_FIRST + line).digest()[:DIGEST_BYTES]


def _sizes(stretch: Stretch) -> Iterable[int]:
    return reversed(range(max(stretch.ends.size - 1, 1).bit_length()))


def _known_lines(stretch: Stretch, known: Known) -> int:
    if not known(_first_digest(stretch)):
        return 0
    n = stretch.ends.size
    place = 1
    for k in _sizes(stretch):
        if place + (1 << k) <= n and known(stretch.part(place, place + (1 << k)).digest()):
            place += 1 << k
    return place


def _no_more(rest: Stretch) -> bool:
    del rest
    return False


def new_parts(
    stretch: Stretch, known: Known, extend: Callable[[Stretch], bool] = _no_more
) -> Iterator[tuple[bytes, Stretch]]:
    r"""Give the parts of a stretch that were not counted before, each with the digest to keep.

    Parameters
    ----------
    stretch
        As a :class:`Cutter` gave it.
    known
        Whether a digest was counted before.
    extend
        The cutter's :meth:`Cutter.extend`.

    Examples
    --------
    >>> short, long = (next(Cutter(1 << 20, True).cut([text])) for text in (b"a\nb\nc\n", b"a\nb\nc\nd\ne\n"))
    >>> counted = {digest for digest, part in new_parts(short, lambda digest: False)}
    >>> [part.data for digest, part in new_parts(long, counted.__contains__)]
    [b'd\n', b'e\n']
    """
    rest = stretch
    while rest.ends.size:
        whole = rest.digest()
        if known(whole):
            return
        place = _known_lines(rest, known)
        if not place:
            break
        rest = replace(rest.part(place, rest.ends.size), is_open=stretch.is_open)
    if not rest.ends.size or (rest is not stretch and extend(rest)):
        return
    if not rest.is_open:
        yield whole, rest
        return
    yield _first_digest(rest), rest.part(0, 1)
    place = 1
    for k in _sizes(rest):
        if (rest.ends.size - place) & (1 << k):
            piece = rest.part(place, place + (1 << k))
            yield piece.digest(), piece
            place += 1 << k
