"""How are bytes that may never end read without holding more of them than needed?

A stream is given in blocks, can be looked into ahead, and counts against a budget: what one file on the disk unpacks
to, through however many layers, is at most :data:`RATIO_MAX` times its size, or :data:`FREE_BYTES`.  A stream that
fails gives everything before, ends, and says why in :attr:`Stream.broken`.
"""

import bz2
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Protocol, cast

from riparian.feeds.unpack import BLOCK_BYTES, Broken, blocks, is_packed

HEAD_BYTES: Final = 1 << 16
FREE_BYTES: Final = 4 << 30
RATIO_MAX: Final = 200
_BZIP2_MAGIC: Final = b"BZh"
_XZ_MAGIC: Final = b"\xfd7zXZ\x00"
_XZ_MEMORY_BYTES: Final = 256 << 20


@dataclass(slots=True)
class Budget:
    """How many more bytes one file on the disk may unpack to."""

    left_bytes: int

    def spend(self, n: int) -> None:
        """Count bytes that were unpacked.

        Raises
        ------
        Broken
            When there are more than any honest list has.
        """
        self.left_bytes -= n
        if self.left_bytes < 0:
            raise Broken("unpacks to far more than any list: a bomb")


def budget_of(size_bytes: int) -> Budget:
    """Say how much a file of a size may unpack to."""
    return Budget(max(FREE_BYTES, RATIO_MAX * size_bytes))


@dataclass(slots=True)
class Stream:
    """Bytes, once and in order.

    Parameters
    ----------
    source
        Its blocks.
    broken
        Why it ended before its end; empty when it did not.

    Examples
    --------
    >>> stream = Stream(iter([b"ab", b"cdef"]))
    >>> stream.head(3), stream.read(5), stream.read(5)
    (b'abc', b'abcde', b'f')
    """

    source: Iterator[bytes]
    broken: str = ""
    _ahead: bytearray = field(default_factory=bytearray)

    def head(self, n: int = HEAD_BYTES) -> bytes:
        """Look at the first bytes, or at all when there are fewer."""
        while len(self._ahead) < n:
            block = self._next()
            if not block:
                break
            self._ahead += block
        return bytes(self._ahead[:n])

    def read(self, n: int = -1) -> bytes:
        """Take the next bytes; fewer only at the end.  Without a number, the next block, whatever its size."""
        if n < 0:
            block = bytes(self._ahead) if self._ahead else self._next()
            self._ahead.clear()
            return block
        found = self.head(n)
        del self._ahead[:n]
        return found

    def pass_over(self, n: int) -> int:
        """Drop bytes; gives how many there were."""
        passed = 0
        while passed < n:
            some = len(self.read(min(n - passed, BLOCK_BYTES)))
            if not some:
                break
            passed += some
        return passed

    def blocks(self) -> Iterator[bytes]:
        """Give all that is left."""
        while block := self.read():
            yield block

    def _next(self) -> bytes:
        try:
            return next((block for block in self.source if block), b"")
        except Broken as error:
            self.broken = str(error)
        except (OSError, EOFError, ValueError) as error:
            self.broken = f"cannot be read further ({_short(error)})"
        self.source = iter(())
        return b""


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


class _Inflate(Protocol):
    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def opened(raw: BinaryIO) -> Stream:
    """Open a file as it lies; what is packed in it is unpacked by :func:`unpacked`."""
    return Stream(iter(lambda: raw.read(BLOCK_BYTES), b""))


def is_squeezed(head: bytes) -> bool:
    """Say whether a stream with these first bytes is one compressed file."""
    return is_packed(head) or head.startswith((_BZIP2_MAGIC, _XZ_MAGIC))


def unpacked(stream: Stream, budget: Budget) -> Stream:
    """Unpack gzip, zstd, bzip2 or xz, told apart by the first bytes."""
    head = stream.head(8)
    if head.startswith(_BZIP2_MAGIC):
        made: Iterator[bytes] = _inflated(stream, bz2.BZ2Decompressor, "bzip2")
    elif head.startswith(_XZ_MAGIC):
        made = _inflated(stream, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES), "xz")
    else:
        made = blocks(cast(BinaryIO, _Readable(stream)))
    return Stream(_counted(made, stream, budget))


class _Readable:
    # What `unpack.blocks` needs of a file.
    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, n: int) -> bytes:
        return self._stream.read(n)


def _counted(made: Iterator[bytes], under: Stream, budget: Budget) -> Iterator[bytes]:
    for block in made:
        budget.spend(len(block))
        yield block
    if under.broken:
        raise Broken(under.broken)


def _inflated(stream: Stream, fresh: Callable[[], object], name: str) -> Iterator[bytes]:
    inflate: _Inflate | None = None
    pending = b""
    while True:
        if not pending and (inflate is None or inflate.eof or inflate.needs_input):
            pending = stream.read(BLOCK_BYTES)
            if not pending:
                break
        if inflate is None or inflate.eof:
            pending = pending.lstrip(b"\0")  # padding between streams
            if not pending:
                continue
            inflate = cast(_Inflate, fresh())
        try:
            block = inflate.decompress(pending, BLOCK_BYTES)
        except (OSError, lzma.LZMAError, ValueError, EOFError) as error:
            raise Broken(f"is a damaged {name} stream ({_short(error)})") from error
        pending = inflate.unused_data if inflate.eof else b""
        yield block
    if inflate is not None and not inflate.eof:
        raise Broken(f"is a {name} stream that breaks off")
