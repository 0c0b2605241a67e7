"""Which packets does an Ogg file hold?

Packets are cut into pages, and pages carry numbers, checksums and positions of their own: all of that may be written
anew while the packets stay.  Of the first stream of sound, and of those that follow it in a chain, the packets are
given that are sound: those with which a codec introduces itself, and its comments, are not.

Source
------
RFC 3533 (pages), RFC 7845 section 3 (Opus), Vorbis I section 4.2 (headers), RFC 9639 section 10.1 (FLAC).
"""

import struct
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, Final, NamedTuple

from riparian.feeds.frames import Packet, flac_body, past_tags

PACKET_BYTES_MAX: Final = 4 << 20
_PAGE: Final = struct.Struct("<4sBBqIIIB")
_BEGINS: Final = 2
_GOES_ON: Final = 1
_LOST_BYTES_MAX: Final = 1 << 20
_PAGES_MAX: Final = 10_000_000
_STREAM_S_MAX: Final = 1e7


class Page(NamedTuple):
    """A page: flags, the position at which its last packet ends, whose it is, how packets lie in it, its octets."""

    flags: int
    position: int
    serial: int
    lacing: bytes
    body: bytes


class _Codec(NamedTuple):
    name: str
    rate: int
    headers: int
    """How many packets introduce it; for FLAC those that are no frames."""


def pages(file: BinaryIO) -> Iterator[Page]:
    """Give the pages of a file; between them a megabyte may be anything else."""
    lost = 0
    for _ in range(_PAGES_MAX):
        head = file.read(_PAGE.size)
        if len(head) < _PAGE.size:
            return
        magic, version, flags, position, serial, _, _, n = _PAGE.unpack(head)
        if magic != b"OggS" or version:
            rest = head[1:] + file.read(4096)
            found = rest.find(b"OggS")
            step = 1 + (found if found >= 0 else max(0, len(rest) - 3))
            lost += step
            if lost > _LOST_BYTES_MAX or len(rest) < _PAGE.size:
                return
            file.seek(step - 1 - len(rest), 1)
            continue
        lacing = file.read(n)
        body = file.read(sum(lacing))
        yield Page(flags, position, serial, lacing, body)


def introduced(packet: bytes) -> _Codec | None:
    r"""Know a codec of sound by its first packet.

    Examples
    --------
    >>> introduced(b"OpusHead" + bytes(11)).name, introduced(b"\x80theora")
    ('opus', None)
    """
    if packet.startswith(b"OpusHead"):
        return _Codec("opus", 48_000, 2)
    if packet.startswith(b"\x01vorbis") and len(packet) >= 16:
        return _Codec("vorbis", max(1, int.from_bytes(packet[12:16], "little")), 3)
    if packet.startswith(b"\x7fFLAC") and len(packet) >= 30:
        return _Codec("flac", max(1, int.from_bytes(packet[27:30]) >> 4), 0)
    return None


def read(file: BinaryIO) -> tuple[str, Iterator[Packet]]:
    """Say which codec a file holds, and give its packets.

    Raises
    ------
    ValueError
        When no stream of sound begins in it.
    """
    file.seek(past_tags(file, 0))
    found = pages(file)
    for page in found:
        codec = introduced(page.body) if page.flags & _BEGINS else None
        if codec is not None:
            return codec.name, _packets(chain([page], found), codec.name)
    raise ValueError("it has no stream of sound")


def _packets(found: Iterator[Page], name: str) -> Iterator[Packet]:
    codec: _Codec | None = None
    serial, seen, begun_s, end_s, position = -1, 0, 0.0, 0.0, 0
    partial = b""
    for page in found:
        if page.flags & _BEGINS:
            begins = introduced(page.body)
            # Another stream of the same codec follows in a chain; one that sounds at the same time is not ours.
            if begins is None or begins.name != name or (codec is not None and seen <= codec.headers):
                continue
            codec, serial, seen, begun_s, position, partial = begins, page.serial, 0, end_s, 0, b""
        if codec is None or page.serial != serial:
            continue
        whole, partial = _split(page, partial)
        sound = [packet for packet in whole[max(0, codec.headers - seen) :] if _is_sound(packet, codec)]
        seen += len(whole)
        step = max(0, page.position - position) / codec.rate if page.position >= 0 else 0.0
        position = max(position, page.position)
        for k, packet in enumerate(sound, start=1):
            end_s = min(max(end_s, begun_s + position / codec.rate - step * (1 - k / len(sound))), _STREAM_S_MAX)
            if codec.name != "flac":
                yield packet, end_s
            elif (body := flac_body(packet)) is not None:
                yield body[0], end_s


def _is_sound(packet: bytes, codec: _Codec) -> bool:
    return bool(packet) and (codec.name != "flac" or packet[0] == 0xFF)


def _split(page: Page, partial: bytes) -> tuple[list[bytes], bytes]:
    """Cut a page into the packets that end in it and what goes on in the next."""
    if not page.flags & _GOES_ON:
        partial = b""
    whole: list[bytes] = []
    at, length = 0, 0
    for lace in page.lacing:
        length += lace
        if lace < 255:
            # What a page promises and does not hold is left out.
            if at + length > len(page.body):
                return whole, b""
            whole.append(partial + page.body[at : at + length])
            partial, at, length = b"", at + length, 0
    if len(partial) > PACKET_BYTES_MAX:
        raise ValueError(f"one of its packets has more than {PACKET_BYTES_MAX >> 20} MiB")
    return whole, partial + page.body[at:]
