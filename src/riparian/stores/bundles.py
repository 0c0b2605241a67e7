"""How is a case written into one file, of which not one octet can be anything else?

As a ZIP that every system opens, of which there is one spelling: parts in the order of their names, not compressed,
with one date and nothing besides.  Whoever reads it computes every octet between the parts again, so that a change
there is seen as well; what the parts say is :mod:`riparian.cases.bundle`'s.

Source
------
PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7 (local file header), 4.3.12 (central directory), 4.3.16 (its end); without
ZIP64: four gibioctets and 65,534 parts at most.
"""

import hashlib
import io
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from riparian.cases.custody import Holding
from riparian.errors import CustodyError, InputError
from riparian.stores.files import reaching, write_whole

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_VERSION: Final = 20
_UTF8: Final = 0x800
_DATE: Final = 0x21  # 1980-01-01, at midnight
_OCTETS_MAX: Final = (1 << 32) - 1
_PARTS_MAX: Final = 65_534
_NAME_MAX: Final = 200
_PART: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    crc: int
    octets: int
    at: int

    def local(self) -> bytes:
        sizes = (self.crc, self.octets, self.octets)
        return _LOCAL.pack(b"PK\3\4", _VERSION, _UTF8, 0, 0, _DATE, *sizes, len(self.name), 0) + self.name

    def central(self) -> bytes:
        sizes = (self.crc, self.octets, self.octets)
        made = (_VERSION, _VERSION, _UTF8, 0, 0, _DATE)
        return _CENTRAL.pack(b"PK\1\2", *made, *sizes, len(self.name), 0, 0, 0, 0, 0, self.at) + self.name

    @property
    def end(self) -> int:
        return self.at + _LOCAL.size + len(self.name) + self.octets


def write_bundle(path: Path, parts: Mapping[str, bytes | str], holding: Holding) -> int:
    """Write a bundle; nothing is overwritten.

    Parameters
    ----------
    parts
        By name: the octets, or the SHA-256 under which they lie.

    Returns
    -------
    octets
        How large it is.

    Raises
    ------
    InputError
        When the file is there already, or would be too large.
    OutsideError
        When the disk refuses.
    """
    if path.exists():
        raise InputError(f"`{path}` is there already, wanted a new file", hint="Name another.")
    with reaching(f"writing `{path}`"):
        write_whole(path, lambda file: _write(file, parts, holding))
        return path.stat().st_size


def _write(file: BinaryIO, parts: Mapping[str, bytes | str], holding: Holding) -> None:
    entries: list[_Entry] = []
    at = 0
    for name in sorted(parts):
        with _open(parts[name], holding) as source:
            crc, octets = 0, 0
            for part in _chunks(source):
                crc, octets = zlib.crc32(part, crc), octets + len(part)
            entry = _Entry(name.encode(), crc, octets, at)
            if entry.end > _OCTETS_MAX or len(entries) >= _PARTS_MAX or len(entry.name) > _NAME_MAX:
                raise InputError(
                    f"the bundle would have more than {_OCTETS_MAX:,} octets or {_PARTS_MAX:,} parts, wanted fewer",
                    hint="Leave evidence out with --redacted, and hand it over apart: its SHA-256 stays in the bundle.",
                )
            file.write(entry.local())
            source.seek(0)
            for part in _chunks(source):
                file.write(part)
        entries.append(entry)
        at = entry.end
    file.write(_directory(entries))


def _open(part: bytes | str, holding: Holding) -> BinaryIO:
    return io.BytesIO(part) if isinstance(part, bytes) else holding.opened(part)


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while part := source.read(_PART):
        yield part


def _directory(entries: Sequence[_Entry]) -> bytes:
    central = b"".join(entry.central() for entry in entries)
    at, n = (entries[-1].end if entries else 0), len(entries)
    return central + _END.pack(b"PK\5\6", 0, 0, n, n, len(central), at, 0)


@dataclass(slots=True)
class Bundle:
    """``cases.bundle.Parts`` of a file.

    Parameters
    ----------
    path
        Of the file.

    Raises
    ------
    CustodyError
        When it is no bundle, or an octet between its parts is not what it was.
    """

    path: Path
    _entries: dict[str, _Entry] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        with reaching(f"reading `{self.path}`"), self.path.open("rb") as file:
            self._entries = dict(_entries(file))

    def names(self) -> Sequence[str]:
        """See ``cases.bundle.Parts``."""
        return list(self._entries)

    def measured(self, name: str) -> tuple[str, int] | None:
        """See ``cases.bundle.Parts``."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        digest = hashlib.sha256()
        with reaching(f"reading `{self.path}`"), self.path.open("rb") as file:
            for part in _within(file, entry):
                digest.update(part)
        return digest.hexdigest(), entry.octets

    def opened(self, name: str) -> BinaryIO:
        """See ``cases.bundle.Parts``."""
        entry = self._entries.get(name)
        if entry is None:
            raise CustodyError(f"the bundle has no `{name[:100]}`, wanted every part", hint="Ask for another copy.")
        with reaching(f"reading `{self.path}`"), self.path.open("rb") as file:
            return io.BytesIO(b"".join(_within(file, entry)))


def _within(file: BinaryIO, entry: _Entry) -> Iterator[bytes]:
    left = entry.octets
    file.seek(entry.end - left)
    while left:
        part = file.read(min(_PART, left))
        if not part:
            return
        left -= len(part)
        yield part


def _entries(file: BinaryIO) -> Iterator[tuple[str, _Entry]]:
    """Walk the parts from the first on, and compare all that is between them with what we would write."""
    size = file.seek(0, io.SEEK_END)
    entries: list[_Entry] = []
    at = 0
    while True:
        file.seek(at)
        head = file.read(_LOCAL.size)
        if head[:4] != b"PK\3\4" or len(head) < _LOCAL.size or len(entries) > _PARTS_MAX:
            break
        said = _LOCAL.unpack(head)
        name, octets = file.read(min(said[9], _NAME_MAX)), said[7]
        entry = _Entry(name, said[6], octets, at)
        crc = 0
        for part in _within(file, entry) if entry.end <= size else ():
            crc = zlib.crc32(part, crc)
        if head + name != entry.local() or crc != entry.crc or entry.end > size:
            raise _altered(f"part {len(entries) + 1} of the bundle is not as it was written")
        entries.append(entry)
        at = entry.end
    names = [entry.name for entry in entries]
    file.seek(at)
    if not entries or file.read(size - at) != _directory(entries) or names != sorted(set(names)):
        raise _altered("the directory of the bundle is not as it was written")
    for entry in entries:
        try:
            yield entry.name.decode(), entry
        except UnicodeDecodeError as error:
            raise _altered("a name in the bundle is no text") from error


def _altered(found: str) -> CustodyError:
    return CustodyError(
        f"{found}, wanted a file that `riparian case export` wrote", hint="Ask whoever exported it for another copy."
    )
