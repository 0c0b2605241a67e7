"""Which packets does a Matroska or WebM file hold?

Elements hold elements.  Clusters hold blocks, and a block one packet or several, laced together.  Those of the first
track of sound are given, with what its track says was taken off each of them put back.

Source
------
RFC 8794 (EBML), RFC 9559 sections 5 and 10 (Matroska; lacing in 10.3).
"""

import os
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from riparian.feeds.boxes import body_of
from riparian.feeds.frames import Packet

_SEGMENT, _CLUSTER, _GROUP = 0x18538067, 0x1F43B675, 0xA0
_SIMPLE, _BLOCK, _TIME, _TRACKS, _TRACK = 0xA3, 0xA1, 0xE7, 0x1654AE6B, 0xAE
_INFO, _SCALE = 0x1549A966, 0x2AD7B1
_NUMBER, _KIND, _CODEC, _ENCODINGS = 0xD7, 0x83, 0x86, 0x6D80
_ENCODING, _COMPRESSION, _ENCRYPTION, _METHOD, _SETTINGS = 0x6240, 0x5034, 0x5035, 0x4254, 0x4255
_OPENED: Final = frozenset({_SEGMENT, _CLUSTER, _GROUP})
_TABLES_BYTES_MAX: Final = 16 << 20
_BLOCK_BYTES_MAX: Final = 16 << 20
_ELEMENTS_MAX: Final = 20_000_000
_CODECS: Final = {"A_VORBIS": "vorbis", "A_OPUS": "opus", "A_FLAC": "flac", "A_MPEG/L3": "mp3", "A_ALAC": "alac"}
_SOUND: Final = 2
_STRIPPED: Final = 3


class _Track(NamedTuple):
    number: int
    codec: str
    before: bytes
    """What was taken off the beginning of each packet."""


def read(file: BinaryIO) -> tuple[str, Iterator[Packet]]:
    """Say which codec a file holds, known or not, and give its packets.

    Raises
    ------
    ValueError
        When it has no track of sound, or packs or encrypts it in a way that is not known.
    """
    size = file.seek(0, os.SEEK_END)
    scale_s = 1e-3
    elements = _elements(file, size)
    for kind, octets in elements:
        if kind == _INFO:
            said = dict(_inside(octets)).get(_SCALE, b"")
            scale_s = (int.from_bytes(said) or 1_000_000) / 1e9 if len(said) <= 8 else scale_s
        elif kind == _TRACKS:
            track = _track(octets)
            return track.codec, _packets(elements, track, scale_s)
    raise ValueError("it has no stream of sound")


def _number(octets: bytes, at: int, *, keeps_marker: bool) -> tuple[int, int]:
    """Read a number of one to eight octets, and say how many it took; 0 of them where there is none."""
    if at >= len(octets) or not octets[at]:
        return 0, 0
    n = 9 - octets[at].bit_length()
    if at + n > len(octets):
        return 0, 0
    value = int.from_bytes(octets[at : at + n])
    return (value if keeps_marker else value & ((1 << 7 * n) - 1)), n


def _elements(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """Give elements with their contents; those that hold the others are entered, what is of no use passed over."""
    at = 0
    for _ in range(_ELEMENTS_MAX):
        if at >= size:
            return
        file.seek(at)
        head = file.read(12)
        kind, n_kind = _number(head, 0, keeps_marker=True)
        length, n_length = _number(head, n_kind, keeps_marker=False)
        if not n_kind or not n_length:
            return
        at += n_kind + n_length
        if kind in _OPENED:
            continue
        if kind in {_SIMPLE, _BLOCK, _TIME, _TRACKS, _INFO}:
            if length > (_BLOCK_BYTES_MAX if kind in {_SIMPLE, _BLOCK} else _TABLES_BYTES_MAX):
                return
            file.seek(at)
            octets = file.read(length)
            if len(octets) < length:
                return
            yield kind, octets
        at += length


def _inside(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(octets):
        kind, n_kind = _number(octets, at, keeps_marker=True)
        length, n_length = _number(octets, at + n_kind, keeps_marker=False)
        if not n_kind or not n_length:
            return
        at += n_kind + n_length
        yield kind, octets[at : at + length]
        at += length


def _track(octets: bytes) -> _Track:
    for kind, entry in _inside(octets):
        said = dict(_inside(entry)) if kind == _TRACK else {}
        if int.from_bytes(said.get(_KIND, b"")[:8]) != _SOUND:
            continue
        name = said.get(_CODEC, b"").rstrip(b"\0").decode("ascii", "replace")[:32]
        codec = "aac" if name.startswith("A_AAC") else _CODECS.get(name, name)
        return _Track(int.from_bytes(said.get(_NUMBER, b"")[:8]), codec, _before(said.get(_ENCODINGS, b"")))
    raise ValueError("it has no stream of sound")


def _before(encodings: bytes) -> bytes:
    before = b""
    for _, encoding in _inside(encodings):
        said = dict(_inside(encoding))
        if _ENCRYPTION in said:
            raise ValueError("its sound is encrypted")
        how = dict(_inside(said.get(_COMPRESSION, b"")))
        if int.from_bytes(how.get(_METHOD, b"")[:8]) != _STRIPPED:
            raise ValueError("its packets are compressed once more")
        before = how.get(_SETTINGS, b"")[:64] + before
    return before


def _packets(elements: Iterator[tuple[int, bytes]], track: _Track, scale_s: float) -> Iterator[Packet]:
    cluster, end_s = 0, 0.0
    for kind, octets in elements:
        if kind == _TIME:
            cluster = int.from_bytes(octets[:8])
            continue
        number, n = _number(octets, 0, keeps_marker=False) if kind in {_SIMPLE, _BLOCK} else (0, 0)
        if not n or number != track.number or len(octets) < n + 3:
            continue
        end_s = max(end_s, (cluster + int.from_bytes(octets[n : n + 2], signed=True)) * scale_s)
        for packet in _laced(octets[n + 3 :], octets[n + 2] >> 1 & 3):
            body = body_of(track.codec, track.before + packet)
            if body:
                yield body, end_s


def _laced(octets: bytes, lacing: int) -> list[bytes]:
    """Cut a block into its packets: 0 one, 1 as Xiph does, 2 of one length, 3 by differences of lengths."""
    if not lacing or not octets:
        return [octets]
    n, at = octets[0] + 1, 1
    if lacing == 2:
        each = (len(octets) - 1) // n
        return [octets[1 + k * each : 1 + (k + 1) * each] for k in range(n)] if each else []
    lengths: list[int] = []
    for k in range(n - 1):
        if lacing == 1:
            begun = at
            while at < len(octets) and octets[at] == 255:
                at += 1
            length = 255 * (at - begun) + (octets[at] if at < len(octets) else 0)
            at += 1
        else:
            value, width = _number(octets, at, keeps_marker=False)
            length = value if k == 0 else lengths[-1] + value - ((1 << max(0, 7 * width - 1)) - 1)
            at += width
        lengths.append(length)
    if min(lengths, default=0) < 0 or at + sum(lengths) > len(octets):
        return []
    packets = []
    for length in lengths:
        packets.append(octets[at : at + length])
        at += length
    return [*packets, octets[at:]]
