"""Which packets do MP4 and its kin hold?

Boxes hold boxes.  One of them, or one before each fragment, says of every packet how long it is and where it lies;
those of the first track of sound are given.  Tables may say anything: no more octets are read than the file has, since
packets of one track do not overlap.

Source
------
ISO/IEC 14496-12 sections 8.3 to 8.8 (tables, fragments), 14496-1 7.2.6.6 (what MPEG-4 calls a codec), Opus and FLAC in
ISO base media as their projects describe it.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from riparian.feeds.frames import Packet, describes, flac_body, mp3_frame

_TABLES_BYTES_MAX: Final = 64 << 20
_BOXES_MAX: Final = 1 << 16
PACKETS_MAX: Final = 10_000_000
_FRAGMENT_PACKETS_MAX: Final = 1 << 20
_CODECS: Final = {b"Opus": "opus", b"fLaC": "flac", b"alac": "alac", b".mp3": "mp3"}
_OBJECTS: Final = {0x40: "aac", 0x66: "aac", 0x67: "aac", 0x68: "aac", 0x69: "mp3", 0x6B: "mp3"}


@dataclass(slots=True)
class _Track:
    """What is known of the track; its packets as lengths, durations and the places where runs of them lie."""

    number: int
    codec: str
    scale: int
    lengths: NDArray[np.int64]
    durations: NDArray[np.int64]
    runs: list[tuple[int, int]] = field(default_factory=list)
    usual: tuple[int, int] = (0, 0)
    """Duration and length where a fragment does not say them."""


def read(file: BinaryIO) -> tuple[str, Iterator[Packet]]:
    """Say which codec a file holds, known or not, and give its packets.

    Raises
    ------
    ValueError
        When it has no track of sound, the track is encrypted, or its tables contradict the file.
    """
    size = file.seek(0, os.SEEK_END)
    whole = [box for box in _top(file, size) if box[0] in {b"moov", b"moof"}]
    movie = next((box for box in whole if box[0] == b"moov"), None)
    if movie is None:
        raise ValueError("it has no table of its packets")
    track = _track(_octets(file, movie))
    fragments = [box for box in whole if box[0] == b"moof"]
    return track.codec, _packets(file, size, track, fragments)


def _top(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Give kind, beginning and end of the contents of each box of a file."""
    at = 0
    for _ in range(_BOXES_MAX):
        file.seek(min(at, size))
        head = file.read(16)
        if len(head) < 8:
            return
        length, kind, begins = int.from_bytes(head[:4]), head[4:8], 8
        if length == 1 and len(head) == 16:
            length, begins = int.from_bytes(head[8:]), 16
        end = size if length == 0 else at + length
        if length and length < begins:
            return
        yield kind, at + begins, min(end, size)
        at = end


def _octets(file: BinaryIO, box: tuple[bytes, int, int]) -> bytes:
    if box[2] - box[1] > _TABLES_BYTES_MAX:
        raise ValueError("its tables are larger than any")
    file.seek(box[1])
    return file.read(box[2] - box[1])


def _inside(octets: bytes, kind: bytes) -> Iterator[bytes]:
    """Give the contents of every box of a kind that lies directly in another's contents."""
    at = 0
    while at + 8 <= len(octets):
        length, begins = int.from_bytes(octets[at : at + 4]), 8
        if length == 1:
            length, begins = int.from_bytes(octets[at + 8 : at + 16]), 16
        end = len(octets) if length == 0 else at + length
        if end < at + begins:
            return
        if octets[at + 4 : at + 8] == kind:
            yield octets[at + begins : end]
        at = end


def _first(octets: bytes, *kinds: bytes) -> bytes:
    for kind in kinds:
        octets = next(_inside(octets, kind), b"")
    return octets


def _numbers(octets: bytes, at: int, n: int, kind: str) -> NDArray[np.int64]:
    width = np.dtype(kind).itemsize
    n = max(0, min(n, (len(octets) - at) // width))
    return np.frombuffer(octets, kind, n, min(at, len(octets))).astype(np.int64)


def _word(octets: bytes, at: int) -> int:
    return int.from_bytes(octets[at : at + 4]) if at + 4 <= len(octets) else 0


def _track(movie: bytes) -> _Track:
    for octets in _inside(movie, b"trak"):
        media = _first(octets, b"mdia")
        if _first(media, b"hdlr")[8:12] != b"soun":
            continue
        head, table = _first(octets, b"tkhd"), _first(media, b"minf", b"stbl")
        number = _word(head, 20 if head[:1] == b"\x01" else 12)
        codec = _codec(_first(table, b"stsd"))
        about = _first(media, b"mdhd")
        scale = _word(about, 20 if about[:1] == b"\x01" else 12)
        lengths = _lengths(table)
        track = _Track(number, codec, max(1, scale), lengths, _durations(_first(table, b"stts"), lengths.size))
        track.runs = _runs(table, lengths)
        for extends in _inside(_first(movie, b"mvex"), b"trex"):
            if _word(extends, 4) == number:
                track.usual = _word(extends, 12), _word(extends, 16)
        return track
    raise ValueError("it has no stream of sound")


def _codec(described: bytes) -> str:
    # Past the version and the count stands one entry: its length, what it is, and what is in it.
    kind = described[12:16]
    if kind in {b"enca", b"drms"}:
        raise ValueError("its sound is encrypted")
    if kind in _CODECS:
        return _CODECS[kind]
    at = described.find(b"esds")
    if kind != b"mp4a" or at < 0:
        return kind.decode("ascii", "replace")
    # The descriptor of the decoder begins with the kind of object, behind a tag and a length of one to four octets.
    found = described.find(b"\x04", at + 8)
    begins = found + 1
    while begins < len(described) and described[begins] & 0x80:
        begins += 1
    kind_of_object = described[begins + 1] if found >= 0 and begins + 1 < len(described) else 0
    return _OBJECTS.get(kind_of_object, f"MPEG-4 {kind_of_object:02x}")


def _lengths(table: bytes) -> NDArray[np.int64]:
    sizes = _first(table, b"stsz")
    if not sizes:
        return np.empty(0, np.int64)
    same, n = _word(sizes, 4), _word(sizes, 8)
    if n > PACKETS_MAX:
        raise ValueError(f"it says that it has {n} packets")
    return np.full(n, same, np.int64) if same else _numbers(sizes, 12, n, ">u4")


def _durations(octets: bytes, n: int) -> NDArray[np.int64]:
    pairs = _numbers(octets, 8, 2 * _word(octets, 4), ">u4")
    pairs = pairs[: pairs.size // 2 * 2].reshape(-1, 2)
    # How often a duration holds is cut to how many packets there are before it is written out.
    before = np.minimum(np.cumsum(pairs[:, 0]), n)
    found = np.repeat(pairs[:, 1], np.diff(before, prepend=0))
    return np.concatenate([found, np.zeros(n - found.size, np.int64)])


def _runs(table: bytes, lengths: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Say where each chunk lies, and how many packets it holds."""
    wide = _first(table, b"co64")
    places = _first(table, b"stco")
    offsets = _numbers(wide, 8, _word(wide, 4), ">u8") if wide else _numbers(places, 8, _word(places, 4), ">u4")
    steps = _first(table, b"stsc")
    rows = _numbers(steps, 8, 3 * _word(steps, 4), ">u4")
    rows = rows[: rows.size // 3 * 3].reshape(-1, 3)
    if not rows.size or (np.diff(rows[:, 0]) <= 0).any():
        return []
    row = np.searchsorted(rows[:, 0], np.arange(1, offsets.size + 1), "right") - 1
    held = np.where(row >= 0, rows[np.maximum(row, 0), 1], 0)
    held = np.diff(np.minimum(np.cumsum(np.minimum(held, lengths.size)), lengths.size), prepend=0)
    return [(int(offset), int(n)) for offset, n in zip(offsets, held, strict=True) if n and offset >= 0]


def _packets(file: BinaryIO, size: int, track: _Track, fragments: list[tuple[bytes, int, int]]) -> Iterator[Packet]:
    left, ticks = size, 0
    groups = [(track.runs, track.lengths, track.durations)]
    # One fragment at a time: each may say that it has many.
    for group in chain(groups, (_fragment(file, box, track) for box in fragments)):
        runs, lengths, durations = group
        k = 0
        for place_said, n in runs:
            place = min(max(0, place_said), size)
            total = min(int(lengths[k : k + n].sum()), size - place)
            left -= total
            if left < 0:
                raise ValueError("its tables say more than it holds")
            file.seek(place)
            octets = file.read(total)
            at = 0
            for length, duration in zip(lengths[k : k + n].tolist(), durations[k : k + n].tolist(), strict=True):
                ticks += duration
                packet = octets[at : at + length]
                at += length
                body = body_of(track.codec, packet) if len(packet) == length else b""
                if body:
                    yield body, ticks / track.scale
            k += n


def body_of(codec: str, packet: bytes) -> bytes:
    """Take off a packet what its file form would write anew, as :mod:`.frames` does; empty when it is no sound."""
    if codec == "flac":
        found = flac_body(packet)
        return b"" if found is None else found[0]
    if codec == "mp3":
        frame = mp3_frame(packet[:4])
        return b"" if frame is None or describes(packet[4:], frame.described_at) else packet[4 : frame.length]
    return packet


_TFHD: Final = ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4))


def _fragment(
    file: BinaryIO, box: tuple[bytes, int, int], track: _Track
) -> tuple[list[tuple[int, int]], NDArray[np.int64], NDArray[np.int64]]:
    octets = _octets(file, box)
    packets = 0
    runs: list[tuple[int, int]] = []
    lengths: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    durations: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    for part in _inside(octets, b"traf"):
        head = _first(part, b"tfhd")
        if _word(head, 4) != track.number:
            continue
        flags, at, said = _word(head, 0), 8, {}
        for flag, width in _TFHD:
            if flags & flag:
                said[flag] = int.from_bytes(head[at : at + width])
                at += width
        # Places count from the beginning of the fragment's own box, eight octets before its contents.
        base = said.get(1, box[1] - 8)
        usual = said.get(8, track.usual[0]), said.get(16, track.usual[1])
        for run in _inside(part, b"trun"):
            place, found = _run(run, usual)
            packets += len(found)
            if packets > _FRAGMENT_PACKETS_MAX or len(runs) > _BOXES_MAX:
                raise ValueError("it says that a fragment has more packets than any")
            runs.append((base + place, len(found)))
            durations.append(found[:, 0])
            lengths.append(found[:, 1])
    return runs, np.concatenate(lengths), np.concatenate(durations)


def _run(octets: bytes, usual: tuple[int, int]) -> tuple[int, NDArray[np.int64]]:
    """Say where a run of packets lies, and duration and length of each [shape=(n, 2)]."""
    flags, n, at, place = _word(octets, 0), _word(octets, 4), 8, 0
    if flags & 1 and len(octets) >= at + 4:
        place = struct.unpack_from(">i", octets, at)[0]
    at += (4 if flags & 1 else 0) + (4 if flags & 4 else 0)
    width = sum(4 for flag in (0x100, 0x200, 0x400, 0x800) if flags & flag)
    if not width and n > _BOXES_MAX:
        raise ValueError(f"it says that a fragment has {n} packets")
    n = min(n, max(0, len(octets) - at) // width) if width else n
    rows = _numbers(octets, at, n * width // 4, ">u4").reshape(n, -1) if width else np.empty((n, 0), np.int64)
    found = np.tile(np.array(usual, np.int64), (n, 1))
    column = 0
    for flag, into in ((0x100, 0), (0x200, 1), (0x400, -1), (0x800, -1)):
        if flags & flag:
            if into >= 0:
                found[:, into] = rows[:, column]
            column += 1
    return place, found
