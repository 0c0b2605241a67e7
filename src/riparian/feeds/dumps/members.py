"""What lies in these files, through archives in archives?

A zip, a tar and a compressed file are opened on the way; nothing is written to disk, so no name inside an archive can
lead anywhere: names are only labels.  What can only be read with its end at hand (a zip, a database, a Parquet file)
inside something else is held in memory, up to :data:`HELD_BYTES`.  Sound files are not opened: their names are rows.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from riparian.feeds.dumps.sheets import Reject
from riparian.feeds.dumps.streams import Budget, Stream, budget_of, is_squeezed, opened, unpacked
from riparian.feeds.dumps.tars import is_tar, tar_members
from riparian.feeds.places import Place
from riparian.feeds.unpack import BLOCK_BYTES, Broken

HELD_BYTES: Final = 512 << 20
DEPTH_MAX: Final = 4
_ZIP_MAGICS: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OTHER_ARCHIVES: Final = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
    b"\x04\x22\x4d\x18": "LZ4",
    b"!<arch>": "ar",
    b"MSCF": "CAB",
}
_ENDINGS: Final = (
    ".aac .ac3 .aif .aiff .alac .amr .ape .caf .dff .dsf .dts .flac .m4a .m4b .mka .mp1 .mp2 .mp3 .mpc .oga .ogg .opus"
    " .ra .spx .tak .tta .wav .webm .wma .wv"
)
SOUND: Final = frozenset(_ENDINGS.split())


@dataclass(slots=True)
class Member:
    """One file, wherever it lies; its stream is read before the next one is asked for.

    Parameters
    ----------
    name
        Where it lies: ``dump.zip/tracks.csv``.
    stream
        Its bytes.
    path
        Where it lies on the disk, when it does.
    budget
        What it may still unpack to.
    """

    name: str
    stream: Stream
    path: Path | None
    budget: Budget

    def whole(self) -> bytes:
        """Read all of it into memory.

        Raises
        ------
        Broken
            When it is larger than :data:`HELD_BYTES`, or breaks off.
        """
        parts, size = [], 0
        for block in self.stream.blocks():
            parts.append(block)
            size += len(block)
            if size > HELD_BYTES:
                raise Broken(f"has more than {HELD_BYTES >> 20} MiB and lies in an archive: unpack it first")
        if self.stream.broken:
            raise Broken(self.stream.broken)
        return b"".join(parts)


def is_sound(name: str) -> bool:
    """Say whether a name is that of a sound file.

    Examples
    --------
    >>> is_sound("a/B.FLAC"), is_sound("a.csv")
    (True, False)
    """
    dot = name.rfind(".")
    return dot >= 0 and name[dot:].lower() in SOUND


def members(place: Place) -> Iterator[Member | Reject]:
    """Give every file in a place that is no archive, and what cannot be opened; sound files unread.

    Raises
    ------
    OutsideError
        When the storage behind an address fails.
    """
    if is_sound(place.name):
        yield Member(place.name, Stream(iter(())), None, Budget(0))
        return
    try:
        raw = place.open()
    except OSError as error:
        yield Reject(place.name, 0, f"cannot be opened: {error.strerror}")
        return
    with raw:
        path = Path(place.name) if place.seekable and Path(place.name).is_file() else None
        budget = budget_of(path.stat().st_size if path else 1 << 30)
        yield from _inside(Member(place.name, opened(raw), path, budget), 0)


def _inside(member: Member, depth: int) -> Iterator[Member | Reject]:
    head = member.stream.head(1024)
    packed = next((name for magic, name in _OTHER_ARCHIVES.items() if head.startswith(magic)), "")
    if packed:
        yield Reject(member.name, 0, f"is packed with {packed}, wanted zip, tar, gzip, zstd, bzip2 or xz")
    elif depth > DEPTH_MAX:
        yield Reject(member.name, 0, f"lies in more than {DEPTH_MAX} archives, one in another")
    elif is_squeezed(head):
        inner = Member(_bare(member.name), unpacked(member.stream, member.budget), None, member.budget)
        yield from _inside(inner, depth + 1)
    elif head.startswith(_ZIP_MAGICS):
        yield from _zip(member, depth)
    elif is_tar(head):
        for name, stream in tar_members(member.stream):
            yield from _each(member, name, stream, depth)
        if member.stream.broken:
            yield Reject(member.name, 0, member.stream.broken)
    else:
        yield member


def _bare(name: str) -> str:
    bare = name.removesuffix(".gz").removesuffix(".zst").removesuffix(".bz2").removesuffix(".xz")
    return f"{bare[:-4]}.tar" if bare.endswith((".tgz", ".tbz", ".txz")) else bare


def _each(member: Member, name: str, stream: Stream, depth: int) -> Iterator[Member | Reject]:
    if is_sound(name):
        yield Member(f"{member.name}/{name}", Stream(iter(())), None, Budget(0))
    elif name.rpartition("/")[2] != ".DS_Store" and "__MACOSX/" not in name:
        yield from _inside(Member(f"{member.name}/{name}", stream, None, member.budget), depth + 1)


def _zip(member: Member, depth: int) -> Iterator[Member | Reject]:
    try:
        raw: BinaryIO = member.path.open("rb") if member.path else io.BytesIO(member.whole())
        with raw, zipfile.ZipFile(raw) as archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                if info.flag_bits & 1 and not is_sound(info.filename):
                    yield Reject(f"{member.name}/{info.filename}", 0, "is encrypted")
                    continue
                yield from _each(member, info.filename, Stream(_unzipped(archive, info, member.budget)), depth)
    except (zipfile.BadZipFile, Broken, OSError, NotImplementedError, ValueError) as error:
        yield Reject(member.name, 0, f"is a damaged zip archive ({str(error)[:120]})")


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> Iterator[bytes]:
    try:
        with archive.open(info) as inner:
            while block := inner.read(BLOCK_BYTES):
                budget.spend(len(block))
                yield block
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise Broken(f"is a damaged part of a zip archive ({str(error)[:120]})") from error
