"""Where logs lie: files, globs, folders, object storage and the standard input.

A place is named as the operator named it.  Folders are walked; names that begin with a dot or an
underscore are passed over, as writers of partitioned tables leave such files beside their data.
Anything with ``://`` in it goes to the file system that fsspec knows under that scheme.
"""

import glob
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

import fsspec
from fsspec.core import url_to_fs

from riparian.errors import InputError, OutsideError

STDIN: Final = "-"
_GLOB_CHARS: Final = "*?["


@dataclass(frozen=True, slots=True)
class Place:
    """One readable thing: its name, the folder it was found under, and how to open it.

    ``under`` is the path from the folder that the operator named to the file, and the name alone
    when the operator named the file itself.
    """

    name: str
    under: str
    open: Callable[[], BinaryIO]
    seekable: bool = True


def _hidden(path: str) -> bool:
    return any(part.startswith((".", "_")) for part in path.split("/"))


def _local_place(path: Path, under: str) -> Place:
    return Place(str(path), under, lambda: path.open("rb"))


def _local(source: str) -> Iterator[Place]:
    paths = [Path(source)]
    if not paths[0].exists() and any(char in source for char in _GLOB_CHARS):
        found = sorted(glob.glob(source, recursive=True))  # noqa: PTH207 -- Path.glob takes no absolute pattern
        paths = [Path(each) for each in found]
    if not paths or not paths[0].exists():
        raise InputError(f"`{source}` does not exist, wanted a file, a folder or a glob", hint="Check the path.")
    for path in paths:
        if not path.is_dir():
            yield _local_place(path, path.name)
            continue
        for each in sorted(path.rglob("*")):
            under = each.relative_to(path).as_posix()
            if each.is_file() and not _hidden(under):
                yield _local_place(each, under)


def _remote_place(filesystem: fsspec.AbstractFileSystem, path: str, under: str) -> Place:
    name = filesystem.unstrip_protocol(path)
    return Place(name, under, lambda: cast(BinaryIO, filesystem.open(path, "rb")))


def _remote(source: str) -> Iterator[Place]:
    try:
        filesystem, path = url_to_fs(source)
        if any(char in path for char in _GLOB_CHARS):
            found = [(each, each.rpartition("/")[2]) for each in sorted(filesystem.glob(path))]
        elif filesystem.isdir(path):
            root = path.rstrip("/") + "/"
            found = [(each, each.removeprefix(root)) for each in sorted(filesystem.find(path))]
            found = [(each, under) for each, under in found if not _hidden(under)]
        else:
            found = [(path, path.rpartition("/")[2])] if filesystem.exists(path) else []
    except (OSError, ImportError, ValueError) as error:
        raise OutsideError(f"`{source}` cannot be reached: {error}", hint="Check the address.") from error
    if not found:
        raise InputError(f"`{source}` does not exist, wanted an object, a folder or a glob", hint="Check the address.")
    for each, under in found:
        yield _remote_place(filesystem, each, under)


def expand(sources: Sequence[str]) -> Iterator[Place]:
    """Give every readable place behind the sources, in order.

    Raises
    ------
    InputError
        When a source does not exist.
    OutsideError
        When the storage behind an address cannot be reached.
    """
    for source in sources:
        if source == STDIN:
            yield Place(STDIN, STDIN, lambda: sys.stdin.buffer, seekable=False)
        elif "://" in source:
            yield from _remote(source)
        else:
            yield from _local(source)
