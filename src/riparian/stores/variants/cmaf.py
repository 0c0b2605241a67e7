"""How are blocks of sound packed, so that chunks from two renditions follow one another as if they were of one?

Fragmented MP4, as HLS wants it, of one track of sound.  The *head* says how to decode, and where in what is decoded
the sound begins and ends; it is one for both renditions.  A *chunk* is a ``moof`` and an ``mdat`` that say at what time
they begin, and a ``free`` box that makes it as long as it has to be.  Nothing in a chunk names the rendition.

Source
------
ISO/IEC 14496-12 (boxes), 14496-14 (AAC in MP4), 23000-19 (CMAF); FLAC in ISOBMFF, version 0.0.4 (xiph.org).
"""

import struct
from collections.abc import Sequence
from typing import Final

from riparian.stores.variants.coding import Coded

FREE_BYTES: Final = 8
"""A ``free`` box with nothing in it."""
_MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def head(coded: Coded, bit_rate: int) -> bytes:
    """Write the initialisation segment.

    Parameters
    ----------
    coded
        Either rendition.
    bit_rate
        What is said of both, in bits a second.
    """
    said = _box("ftyp", b"iso6", struct.pack(">I", 0), b"iso6cmfcmp41")
    moving = _box(
        "moov",
        _full("mvhd", 0, 0, struct.pack(">4I", 0, 0, coded.rate, 0), struct.pack(">IH10x", 0x10000, 0x100), _MATRIX,
              bytes(24), struct.pack(">I", 2)),
        _box("trak", _track_head(), _edits(coded), _media(coded, bit_rate)),
        _box("mvex", _full("mehd", 0, 0, struct.pack(">I", coded.samples)),
             _full("trex", 0, 0, struct.pack(">5I", 1, 1, coded.block, 0, 0))),
    )  # fmt: skip
    return said + moving


def chunk(coded: Coded, number: int, blocks: slice) -> bytes:
    """Write a chunk, not padded yet.

    Parameters
    ----------
    coded
        One rendition.
    number
        Of the chunk, from 0.
    blocks
        Which of the rendition's.
    """
    mine = coded.blocks[blocks]
    begin = blocks.start * coded.block
    last = min(coded.block, coded.priming + coded.samples - (begin + (len(mine) - 1) * coded.block))
    sizes = [len(block) for block in mine]
    # Only the last block of all may be shorter than the head says.
    told = [coded.block] * (len(mine) - 1) + [last] if last < coded.block else None
    run = _run(sizes, told, 0)
    before = len(_fragment(number, begin, run))
    return _fragment(number, begin, _run(sizes, told, before + 8)) + _box("mdat", *mine)


def padded(raw: bytes, n_bytes: int) -> bytes:
    r"""Make a chunk as long as it has to be.

    Raises
    ------
    ValueError
        When there is no room for the box that pads it.

    Examples
    --------
    >>> padded(b"chunk", 15)
    b'chunk\x00\x00\x00\nfree\x00\x00'
    """
    room = n_bytes - len(raw)
    if room < FREE_BYTES:
        raise ValueError(f"{len(raw)} bytes do not fit into {n_bytes} with a box behind them")
    return raw + _box("free", bytes(room - FREE_BYTES))


def _fragment(number: int, begin: int, run: bytes) -> bytes:
    track = _full("tfhd", 0, 0x020000, struct.pack(">I", 1))
    return _box(
        "moof",
        _full("mfhd", 0, 0, struct.pack(">I", number + 1)),
        _box("traf", track, _full("tfdt", 1, 0, struct.pack(">Q", begin)), run),
    )


def _run(sizes: Sequence[int], lengths: Sequence[int] | None, offset: int) -> bytes:
    each = sizes if lengths is None else [n for pair in zip(lengths, sizes, strict=True) for n in pair]
    said = struct.pack(f">Ii{len(each)}I", len(sizes), offset, *each)
    return _full("trun", 0, 0x000201 if lengths is None else 0x000301, said)


def _track_head() -> bytes:
    said = struct.pack(">5I8xHHHH", 0, 0, 1, 0, 0, 0, 0, 0x100, 0)
    return _full("tkhd", 0, 7, said, _MATRIX, bytes(8))


def _edits(coded: Coded) -> bytes:
    return _box("edts", _full("elst", 0, 0, struct.pack(">2Ii2H", 1, coded.samples, coded.priming, 1, 0)))


def _media(coded: Coded, bit_rate: int) -> bytes:
    tables = [
        _full("stsd", 0, 0, struct.pack(">I", 1), _entry(coded, bit_rate)),
        *(_full(kind, 0, 0, bytes(4)) for kind in ("stts", "stsc")),
        _full("stsz", 0, 0, bytes(8)),
        _full("stco", 0, 0, bytes(4)),
    ]
    return _box(
        "mdia",
        _full("mdhd", 0, 0, struct.pack(">4I2H", 0, 0, coded.rate, 0, 0x55C4, 0)),
        _full("hdlr", 0, 0, bytes(4), b"soun", bytes(12), b"sound\0"),
        _box(
            "minf",
            _full("smhd", 0, 0, bytes(4)),
            _box("dinf", _full("dref", 0, 0, struct.pack(">I", 1), _full("url ", 0, 1))),
            _box("stbl", *tables),
        ),
    )


def _entry(coded: Coded, bit_rate: int) -> bytes:
    depth = coded.coding.depth or 16
    said = bytes(6) + struct.pack(">H8x2H4xI", 1, coded.channels, depth, (coded.rate << 16) & 0xFFFFFFFF)
    if coded.coding.codec == "flac":
        return _box("fLaC", said, _full("dfLa", 0, 0, struct.pack(">I", 0x80 << 24 | len(coded.config)), coded.config))
    decoder = _descriptor(4, struct.pack(">2B3xII", 0x40, 0x15, bit_rate, bit_rate), _descriptor(5, coded.config))
    return _box("mp4a", said, _full("esds", 0, 0, _descriptor(3, struct.pack(">HB", 1, 0), decoder, b"\x06\x01\x02")))


def _descriptor(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((tag, len(body))) + body


def _full(kind: str, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def _box(kind: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind.encode() + body


def sides_alike(first: Sequence[bytes], second: Sequence[bytes]) -> list[int]:
    """Say how long each chunk has to be, that both renditions' fit.

    Examples
    --------
    >>> sides_alike([b"12345", b"123"], [b"123", b"1234"])
    [13, 12]
    """
    return [max(len(a), len(b)) + FREE_BYTES for a, b in zip(first, second, strict=True)]
