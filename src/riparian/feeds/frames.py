"""Where do the frames of MP3, AAC in ADTS and FLAC begin, and what in them is sound?

These three have no container: frame follows frame, and each says how long it is, or where it begins.  Tags that stand
before, between and behind them, and the first frame of an MP3 that only describes the others, are no sound.  Of a frame
what counts is its *body*: headers hold numbers and flags that may be written anew while the sound stays.

Nothing is decoded.  Every function gives ``(body, end)``, the end in seconds from the beginning.  What breaks off is
given as far as it goes.

Source
------
ISO/IEC 11172-3 2.4.1.3 and 13818-3 2.4.2.3 (frames), ISO/IEC 14496-3 1.A.2 (ADTS), RFC 9639 sections 8 and 9 (FLAC),
and the layout of Xing's, LAME's and VBRI's frames as their authors published it.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import BinaryIO, Final, NamedTuple

Packet = tuple[bytes, float]

_LOST_BYTES_MAX: Final = 1 << 20
"""Bytes that belong to no frame: beyond these, what follows is not looked at."""
_WINDOW_BYTES: Final = 1 << 16
_LOST_BYTES_EACH: Final = 64
"""What losing the frames counts as at least, so that a file that does nothing else ends soon."""


class Frame(NamedTuple):
    """What the first bytes of a frame say: how long it and its header are, how long it sounds, what cannot change."""

    length: int
    header: int
    seconds: float
    kind: int
    described_at: int = 0


_MP3_RATES: Final = (44_100, 48_000, 32_000)
_MP3_KBITS: Final = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_AAC_RATES: Final = (
    96_000,
    88_200,
    64_000,
    48_000,
    44_100,
    32_000,
    24_000,
    22_050,
    16_000,
    12_000,
    11_025,
    8_000,
    7350,
)


@lru_cache(maxsize=4096)
def mp3_frame(head: bytes) -> Frame | None:
    r"""Read the first four bytes of a frame of MPEG audio, layer III; None when they are none.

    Examples
    --------
    >>> mp3_frame(bytes.fromhex("fffb9064"))[:2], mp3_frame(b"\xff\xd8\xff\xe0")
    ((417, 4), None)
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, protected = head[1] >> 3 & 3, not head[1] & 1
    kbits_at, rate_at, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or kbits_at in {0, 15} or rate_at == 3:
        return None
    halves = 1 if version == 3 else 2
    rate = _MP3_RATES[rate_at] >> (0 if version == 3 else 1 if version == 2 else 2)
    length = 144_000 * _MP3_KBITS[halves][kbits_at] // (halves * rate) + padding
    is_mono = head[3] >> 6 == 3
    described_at = (17 if halves == 1 else 9) if is_mono else (32 if halves == 1 else 17)
    return Frame(length, 4, 1152 / halves / rate, head[1] & 0x1E | rate_at << 8, described_at + 2 * protected)


def adts_frame(head: bytes) -> Frame | None:
    """Read the first seven bytes of a frame of ADTS; None when they are none.

    Examples
    --------
    >>> adts_frame(bytes.fromhex("fff15080027ffc"))[:2]
    (19, 7)
    """
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 >= len(_AAC_RATES):
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    header = 7 if head[1] & 1 else 9
    seconds = 1024 * ((head[6] & 3) + 1) / _AAC_RATES[head[2] >> 2 & 15]
    return Frame(length, header, seconds, head[1] & 8 | head[2] >> 2 << 8) if length > header else None


def mp3(file: BinaryIO) -> Iterator[Packet]:
    """Give the frames of an MP3 without their headers; the one that only describes the others is left out."""
    return _framed(file, 4, mp3_frame)


def adts(file: BinaryIO) -> Iterator[Packet]:
    """Give the frames of AAC in ADTS without their headers."""
    return _framed(file, 7, adts_frame)


def describes(body: bytes, at: int) -> bool:
    """Say whether a frame without its header is Xing's, LAME's or VBRI's."""
    return body.startswith((b"Xing", b"Info"), at) or body.startswith(b"VBRI", 32)


def _framed(file: BinaryIO, header: int, parse: Callable[[bytes], Frame | None]) -> Iterator[Packet]:
    at, end, lost, kind = 0, 0.0, 0, -1
    while True:
        head = file.read(header)
        frame = parse(head)
        if frame is None or frame.kind != kind:
            found = _synchronised(file, at, header, parse)
            if found is None:
                return
            lost += max(found[1], _LOST_BYTES_EACH)
            if lost > _LOST_BYTES_MAX:
                return
            at = found[0]
            file.seek(at)
            head = file.read(header)
            frame = parse(head)
            if frame is None:
                return
            kind = frame.kind
        rest = file.read(frame.length - header)
        if len(rest) < frame.length - header:
            return
        at += frame.length
        if frame.described_at and describes(rest, frame.described_at):
            continue
        end += frame.seconds
        yield rest[frame.header - header :], end


def _synchronised(
    file: BinaryIO, at: int, header: int, parse: Callable[[bytes], Frame | None]
) -> tuple[int, int] | None:
    """Find the next frame that another one, a tag or the end follows, and how many bytes before it are lost."""
    at = past_tags(file, at)
    begun = at
    while at - begun <= _LOST_BYTES_MAX:
        file.seek(at)
        window = file.read(_WINDOW_BYTES + header)
        for candidate in _SYNC.finditer(window, 0, _WINDOW_BYTES):
            frame = parse(window[candidate.start() : candidate.start() + header])
            if frame is not None and _is_followed(file, at + candidate.start() + frame.length, header, parse, frame):
                return at + candidate.start(), at + candidate.start() - begun
        if len(window) <= _WINDOW_BYTES:
            return None
        at += _WINDOW_BYTES
    return None


_SYNC: Final = re.compile(rb"\xff[\xe0-\xff]")


def _is_followed(file: BinaryIO, at: int, header: int, parse: Callable[[bytes], Frame | None], frame: Frame) -> bool:
    file.seek(at)
    head = file.read(header)
    after = parse(head)
    return (after is not None and after.kind == frame.kind) or not head or head.startswith((b"TAG", b"APE", b"ID3"))


def past_tags(file: BinaryIO, at: int) -> int:
    """Say where the tags that stand at a place end: ID3v1, ID3v2 and APE, one behind another."""
    while True:
        file.seek(at)
        head = file.read(32)
        if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 0x80:
            footer = 10 if head[5] & 0x10 else 0
            at += 10 + footer + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
        elif head[:3] == b"TAG":
            at += 128
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            # Its size leaves the header out that stands here; without a flag for it this is a footer alone.
            at += 32 + (int.from_bytes(head[12:16], "little") if head[23] & 0x20 else 0)
        else:
            return at


def _crc8_table() -> bytes:
    table = []
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = (crc << 1 ^ (0x107 if crc & 0x80 else 0)) & 0x1FF
        table.append(crc & 0xFF)
    return bytes(table)


_CRC8: Final = _crc8_table()
_FLAC_SYNC: Final = re.compile(rb"\xff[\xf8\xf9]")
_FLAC_HEADER_MAX: Final = 16
_FLAC_FRAME_MAX: Final = 4 << 20
_FLAC_BLOCKS: Final = (0, 192, 576, 1152, 2304, 4608, 0, 0, *(256 << k for k in range(8)))


class FlacHeader(NamedTuple):
    """What the header of a frame of FLAC says: its length, its number and the next one's, its samples."""

    length: int
    number: int
    following: int
    samples: int


def flac_header(octets: bytes) -> FlacHeader | None:
    """Read the header of a frame of FLAC; None when there is none, or its checksum is wrong (RFC 9639 9.1)."""
    if len(octets) < 6 or octets[0] != 0xFF or octets[1] & 0xFE != 0xF8:
        return None
    block, rate, channels, depth = octets[2] >> 4, octets[2] & 15, octets[3] >> 4, octets[3] >> 1 & 7
    lead = octets[4]
    ones = 8 - (~lead & 0xFF).bit_length()
    if not block or rate == 15 or channels > 10 or depth == 3 or octets[3] & 1 or ones in {1, 8}:
        return None
    at = 4 + max(1, ones)
    number = lead & (0x7F >> ones)
    for follower in octets[5:at]:
        number = number << 6 | follower & 0x3F
    n_block = {6: 1, 7: 2}.get(block, 0)
    length = at + n_block + {12: 1, 13: 2, 14: 2}.get(rate, 0) + 1
    if len(octets) < length:
        return None
    crc = 0
    for octet in octets[: length - 1]:
        crc = _CRC8[crc ^ octet]
    if crc != octets[length - 1]:
        return None
    samples = int.from_bytes(octets[at : at + n_block]) + 1 if n_block else _FLAC_BLOCKS[block]
    return FlacHeader(length, number, number + (samples if octets[1] & 1 else 1), samples)


def flac_body(frame: bytes) -> tuple[bytes, int] | None:
    """Take header and checksum off a frame of FLAC, which hold its number; and say how many samples it has."""
    header = flac_header(frame[:_FLAC_HEADER_MAX])
    return None if header is None else (frame[header.length : -2], header.samples)


def flac(file: BinaryIO) -> Iterator[Packet]:
    """Give the frames of FLAC without their headers and checksums."""
    at = past_tags(file, 0) + 4
    rate = 0
    is_last = False
    while not is_last:
        file.seek(at)
        head = file.read(4 + 18)
        if len(head) < 4:
            return
        is_last, length = bool(head[0] & 0x80), int.from_bytes(head[1:4])
        if not head[0] & 0x7F:
            rate = int.from_bytes(head[14:17]) >> 4
        at += 4 + length
    end = 0
    for frame in _flac_frames(file, at):
        found = flac_body(frame)
        if found is not None:
            end += found[1]
            yield found[0], end / max(1, rate)


def _flac_frames(file: BinaryIO, at: int) -> Iterator[bytes]:
    """Split at headers that are numbered in turn; at another only when the one behind it is numbered after it."""
    pending = b""
    wanted: int | None = None
    held: tuple[int, FlacHeader] | None = None
    looked = 0
    file.seek(at)
    while True:
        more = file.read(_WINDOW_BYTES)
        pending += more
        most = len(pending) if not more else len(pending) - _FLAC_HEADER_MAX
        cut = 0
        for candidate in _FLAC_SYNC.finditer(pending, looked, max(looked, most)):
            place = candidate.start()
            header = flac_header(pending[place : place + _FLAC_HEADER_MAX])
            if header is None or place < looked:
                continue
            is_due = wanted is None or header.number == wanted
            if not is_due and (held is None or header.number != held[1].following):
                held = place, header
                continue
            if not is_due and held is not None:
                yield pending[cut : held[0]]
                cut = held[0]
            if place > cut:
                yield pending[cut:place]
            cut, wanted, held = place, header.following, None
        looked = max(0, most) - cut
        held = None if held is None or held[0] < cut else (held[0] - cut, held[1])
        pending = pending[cut:]
        if not more or len(pending) > _FLAC_FRAME_MAX:
            break
    if pending:
        yield pending[:-128] if pending[-128:-125] == b"TAG" else pending
