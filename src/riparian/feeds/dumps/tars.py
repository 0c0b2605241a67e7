"""What files are in a tar, read once from front to back?

Own reader, since what a header declares (a name of gigabytes, a sparse map without end) must not be believed.

Source
------
POSIX.1-2017, ``pax`` interchange format and ``ustar``; GNU tar's long names (type ``L``) and base-256 sizes.
"""

import re
from collections.abc import Iterator
from typing import Final

from riparian.feeds.dumps.streams import Stream
from riparian.feeds.unpack import BLOCK_BYTES, Broken

_BLOCK: Final = 512
_NAME_BYTES_MAX: Final = 1 << 16
_CHECKSUM: Final = slice(148, 156)
_FILES: Final = b"0\0" + b"7"


def is_tar(head: bytes) -> bool:
    """Say whether these first bytes are a header: told by its checksum, since old ones have no magic."""
    return len(head) >= _BLOCK and head[0] != 0 and _is_header(head[:_BLOCK])


def _is_header(block: bytes) -> bool:
    said = _octal(block[_CHECKSUM])
    return said is not None and said == sum(block) - sum(block[_CHECKSUM]) + 8 * 0x20


def _octal(octets: bytes) -> int | None:
    text = octets.strip(b" \0")
    return int(text, 8) if re.fullmatch(rb"[0-7]{1,12}", text) else None


def _size(octets: bytes) -> int:
    if octets[0] & 0x80:
        return int.from_bytes(octets[1:], "big") & (2**63 - 1)
    return _octal(octets) or 0


def _named(header: bytes) -> str:
    name, prefix = (part.split(b"\0", 1)[0] for part in (header[:100], header[345:500]))
    joined = prefix + b"/" + name if prefix and header[257:262] == b"ustar" else name
    return joined.decode("utf-8", "replace")


def _pax(octets: bytes) -> dict[str, str]:
    found = re.findall(rb"\d+ (path|size)=([^\n]*)\n", octets)
    return {key.decode(): value.decode("utf-8", "replace") for key, value in found}


def tar_members(stream: Stream) -> Iterator[tuple[str, Stream]]:
    """Give every file: its name and its bytes, to be read before the next one is asked for."""
    said: dict[str, str] = {}
    while len(header := stream.read(_BLOCK)) == _BLOCK and header.strip(b"\0"):
        if not _is_header(header):
            stream.broken = "is a damaged tar archive"
            return
        size, kind = _size(header[124:136]), header[156:157]
        if kind in {b"L", b"x"}:
            extra = stream.read(min(size, _NAME_BYTES_MAX))
            stream.pass_over(size - len(extra) + -size % _BLOCK)
            said |= {"path": extra.rstrip(b"\0").decode("utf-8", "replace")} if kind == b"L" else _pax(extra)
            continue
        if said.get("size", "").isdecimal():
            size = int(said["size"][:18])
        left = [size]
        if kind in _FILES or not kind:
            inner = Stream(_taken(stream, left))
            yield said.get("path") or _named(header), inner
        stream.pass_over(left[0] + -size % _BLOCK)
        said = {}


def _taken(stream: Stream, left: list[int]) -> Iterator[bytes]:
    while left[0]:
        block = stream.read(min(left[0], BLOCK_BYTES))
        if not block:
            raise Broken(stream.broken or "is part of a tar archive that breaks off")
        left[0] -= len(block)
        yield block
