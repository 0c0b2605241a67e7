"""Plain bytes out of plain, gzip or zstd files, told apart by their first bytes and never by their name.

Memory is bounded by construction: decompression stops when a block is full and goes on when the next
one is asked for, so a bomb costs time in proportion to what it holds and no memory.  A compressed file
that breaks off gives everything before the break, then :class:`Broken`.
"""

import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

import zstandard

BLOCK_BYTES: Final = 1 << 20
GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
MAGIC_BYTES: Final = 8
ZSTD_WINDOW_MAX: Final = 1 << 27
_ZSTD_BITE_BYTES: Final = 1 << 10
_GZIP_BITE_BYTES: Final = 1 << 12


class Broken(Exception):  # noqa: N818 -- an end of input, caught in this room
    """The compressed stream ends or fails before its end; what came before it was sound."""


def _is_skippable(magic: bytes) -> bool:
    return len(magic) >= 4 and 0x50 <= magic[0] <= 0x5F and magic[1:4] == b"\x2a\x4d\x18"


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read and are given again."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        data = self._head[: len(view)] if self._head else self._rest.read(len(view))
        self._head = self._head[len(data) :] if self._head else b""
        view[: len(data)] = data
        return len(data)


def _read_head(raw: BinaryIO) -> bytes:
    head = b""
    while len(head) < MAGIC_BYTES:
        more = raw.read(MAGIC_BYTES - len(head))
        if not more:
            break
        head += more
    return head


def peek(raw: BinaryIO) -> tuple[bytes, BinaryIO]:
    """Look at the first bytes of a stream without losing them."""
    head = _read_head(raw)
    if raw.seekable():
        raw.seek(0)
        return head, raw
    return head, cast(BinaryIO, io.BufferedReader(_Rejoined(head, raw), BLOCK_BYTES))


def _gzip_blocks(raw: BinaryIO) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    pending = b""
    begun = False
    while True:
        if not pending:
            # Small bites: what one call gives is lost when it fails.
            pending = raw.read(_GZIP_BITE_BYTES)
            if not pending:
                break
        if inflate.eof:
            # Another member may follow, or padding with zeros, which gzip permits.
            pending = pending.lstrip(b"\0") if not begun else pending
            if not pending:
                continue
            inflate = zlib.decompressobj(wbits=31)
        begun = True
        try:
            block = inflate.decompress(pending, BLOCK_BYTES)
        except zlib.error as error:
            raise Broken(f"is a damaged gzip stream ({error})") from error
        pending = inflate.unconsumed_tail
        if inflate.eof:
            pending = inflate.unused_data
            begun = False
        if block:
            yield block
    while begun and not inflate.eof:
        try:
            block = inflate.decompress(b"", BLOCK_BYTES)
        except zlib.error as error:
            raise Broken(f"is a damaged gzip stream ({error})") from error
        if not block:
            raise Broken("is a gzip stream that breaks off")
        yield block


def _zstd_blocks(raw: BinaryIO) -> Iterator[bytes]:
    frame = None
    while data := raw.read(BLOCK_BYTES):
        place = 0
        while place < len(data):
            if frame is None or frame.eof:
                unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_MAX)
                frame = unpacker.decompressobj(read_across_frames=False)
            # Small bites, since one call gives everything that its input expands to.
            bite = data[place : place + _ZSTD_BITE_BYTES]
            try:
                block = frame.decompress(bite)
            except zstandard.ZstdError as error:
                raise Broken(f"is a damaged zstd stream ({error})") from error
            place += len(bite) - (len(frame.unused_data) if frame.eof else 0)
            if block:
                yield block
    if frame is not None and not frame.eof:
        raise Broken("is a zstd stream that breaks off")


def is_packed(head: bytes) -> bool:
    """Say whether a file with these first bytes is compressed."""
    return head.startswith((GZIP_MAGIC, ZSTD_MAGIC)) or _is_skippable(head)


def blocks(raw: BinaryIO) -> Iterator[bytes]:
    """Give the decompressed bytes in blocks of about 1 MiB.

    Raises
    ------
    Broken
        After the last sound block, when a compressed stream is torn or damaged.
    """
    head, raw = peek(raw)
    if head.startswith(GZIP_MAGIC):
        yield from _gzip_blocks(raw)
    elif head.startswith(ZSTD_MAGIC) or _is_skippable(head):
        yield from _zstd_blocks(raw)
    else:
        while block := raw.read(BLOCK_BYTES):
            yield block
