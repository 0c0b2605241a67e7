"""Which files are there to listen to, here or in object storage, and what do they sound like?

A file is named by its path or its address.  What lies elsewhere is brought into a temporary file first, of bounded
size, since it is decoded from an open file by a process that can open nothing else (:mod:`.hearing`).

Rules
-----
* Of a folder every file is looked at.  One that is no sound is passed over, unless its name says that it is some:
  then it is told why it cannot be heard, as is every file that was named.
* Links inside a folder are not followed, so that a folder from outside leads nowhere but into itself.
* Whatever a file does ends in one sentence, and the next one is heard.
"""

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO, Final

from fsspec.core import url_to_fs

from riparian.errors import InputError, OutsideError
from riparian.feeds.hearing import LIMITS, hear
from riparian.feeds.packets import packets
from riparian.feeds.sound_files import opened
from riparian.ports.prints import Enough, SoundFile, Sounding

STDIN: Final = "-"
_SOUNDS: Final = frozenset(
    f".{ending}"
    for ending in "wav wave bwf rf64 aif aiff aifc flac mp3 m4a mp4 aac alac opus ogg oga mka webm".split()  # noqa: SIM905
)
"""How the names of files end that say they are sound."""
_STAMPS: Final = ("size", "ETag", "etag", "md5Hash", "LastModified", "last_modified", "updated", "mtime", "created")
_BLOCK: Final = 1 << 20


def find(sources: Sequence[str]) -> list[SoundFile]:
    """List files behind paths and addresses, in order, each once.

    Raises
    ------
    InputError
        When a source does not exist.
    OutsideError
        When the storage behind an address cannot be reached.
    """
    found: dict[str, SoundFile] = {}
    for source in sources:
        for file in _elsewhere(source) if "://" in source else _here(source):
            found.setdefault(file.name, file)
    return list(found.values())


def _here(source: str) -> Iterator[SoundFile]:
    path = Path(source)
    if not path.is_dir():
        if not path.exists():
            raise InputError(f"there is no file at `{source}`, wanted sound or a folder of it", hint="Check the path.")
        yield _stamped(path.absolute(), is_named=True)
        return
    for at, folders, names in os.walk(path.absolute()):
        folders.sort()
        inside = (Path(at, name) for name in sorted(names) if not _is_aside(name))
        yield from (_stamped(one, is_named=False) for one in inside if one.is_file() and not one.is_symlink())


def _stamped(path: Path, *, is_named: bool) -> SoundFile:
    try:
        about = path.stat()
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror}, wanted a sound file") from error
    return SoundFile(str(path), f"{about.st_size}:{about.st_mtime_ns}", is_named)


def _elsewhere(source: str) -> Iterator[SoundFile]:
    try:
        filesystem, path = url_to_fs(source)
        if "file" in (filesystem.protocol if isinstance(filesystem.protocol, tuple) else (filesystem.protocol,)):
            yield from _here(path)
            return
        is_folder = filesystem.isdir(path)
        listed: dict[str, Any] = filesystem.find(path, detail=True) if is_folder else {path: filesystem.info(path)}
    except FileNotFoundError:
        raise InputError(
            f"there is nothing at `{source}`, wanted sound or a folder of it", hint="Check the address."
        ) from None
    except (OSError, ImportError, ValueError) as error:
        raise OutsideError(f"`{source}` cannot be reached: {error}", hint="Check the address.") from error
    for each in sorted(listed):
        if not _is_aside(PurePosixPath(each).name):
            about = listed[each]
            stamp = hashlib.sha256(repr([about.get(name) for name in _STAMPS]).encode()).hexdigest()[:32]
            yield SoundFile(filesystem.unstrip_protocol(each), stamp, is_named=not is_folder)


def _is_aside(name: str) -> bool:
    # Written beside each file by some systems; they hold no sound, and have the names of files that do.
    return name.startswith("._")


@contextlib.contextmanager
def standard_input() -> Iterator[SoundFile]:
    """Bring the standard input into a file, for as long as it is needed."""
    with NamedTemporaryFile(prefix="riparian-") as file:
        digest = _copied(sys.stdin.buffer, file)
        yield SoundFile(STDIN, digest, at=file.name)


@contextlib.contextmanager
def _brought(file: SoundFile) -> Iterator[Path]:
    if "://" not in file.name:
        yield Path(file.at or file.name)
        return
    try:
        filesystem, path = url_to_fs(file.name)
        with NamedTemporaryFile(prefix="riparian-") as brought:
            with filesystem.open(path, "rb") as there:
                _copied(there, brought)
            yield Path(brought.name)
    except (OSError, ImportError, ValueError) as error:
        raise InputError(f"`{file.name}` cannot be read: {error}, wanted a sound file") from error


def _copied(source: BinaryIO, to: Any) -> str:
    digest = hashlib.sha256()
    n = 0
    while block := source.read(_BLOCK):
        n += len(block)
        if n > LIMITS.file_bytes:
            raise InputError(f"it has more than {LIMITS.file_bytes >> 20} MiB, wanted a smaller file")
        digest.update(block)
        to.write(block)
    to.flush()
    return digest.hexdigest()


def listen(file: SoundFile, enough: Enough) -> Sounding:
    """Hear a file, unless its digests are enough.

    Parameters
    ----------
    file
        As it was found.
    enough
        Is told the digest of the file and of its packets.

    Returns
    -------
    Sounding
        Its ``failed`` says why there is no sound, naming the file as it was found.
    """
    try:
        with _brought(file) as path:
            return _listened(file, path, enough)
    except (InputError, OutsideError) as error:
        return Sounding(file, failed=error.message)


def _listened(file: SoundFile, path: Path, enough: Enough) -> Sounding:
    digest = ""
    try:
        with opened(path, LIMITS) as (octets, _):
            digest = _digest(octets)
        encoded = _encoded(path)
        if enough(digest, encoded):
            return Sounding(file, digest, encoded)
        heard = hear(path)
    except InputError as error:
        says_so = file.is_named or PurePosixPath(file.name).suffix.lower() in _SOUNDS
        told = error.message.replace(str(path), file.name)
        return Sounding(file, digest, failed=told, is_sound=bool(digest) or says_so)
    return Sounding(file, digest, encoded, heard.samples, heard.tags)


def _digest(octets: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := octets.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _encoded(path: Path) -> bytes:
    try:
        found = packets(path, LIMITS)
    except InputError:
        # A decoder may still make something of it.
        return b""
    return found.digest if found is not None and found.tells else b""
