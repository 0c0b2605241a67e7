"""How is a workspace copied whole while it is in use, and made again from the copy?

One ZIP that every system opens, with a manifest of digests as its last part.  Databases are copied as of one moment by
their own means, whoever writes meanwhile; what a scan is in the middle of is not copied, so a scan that runs is waited
for.  What running gates keep stays out, and that is told: a gate that finds nothing begins with full budgets.
Records that lie on a server are copied as the file that they would be, and are restored as that.

A copy is restored beside its place and put there in one step, when every digest was right: whoever is killed meanwhile
finds no workspace, or all of it.

::

    backup.zip     riparian.sqlite  custody/2d/2d71...  drawers/...  secret.key  ...  manifest.json
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

import duckdb

from riparian.errors import CustodyError, InputError, OutsideError
from riparian.stores.alone import LOCK, scanning_alone
from riparian.stores.chosen import FILE, open_records
from riparian.stores.files import UNFINISHED, reaching, synchronise
from riparian.stores.moving import copy_from
from riparian.stores.postgres.address import NAME as ADDRESS
from riparian.stores.postgres.address import read_address

VERSION: Final = 1
MANIFEST: Final = "manifest.json"
_GATES: Final = "gates"
_PART: Final = 1 << 20
_MANIFEST_MAX: Final = 256 << 20
_SQLITE: Final = b"SQLite format 3\0"
_DUCK: Final = b"DUCK"
_BESIDE: Final = ("-wal", "-shm", "-journal")
_PRIVATE: Final = 0o700
Told = Callable[[str, int, int | None], object]


@dataclass(frozen=True, slots=True)
class Copied:
    """What is in a copy.

    Parameters
    ----------
    files, octets
        How many files, and how long they are together.
    without
        What was left out, and why.
    """

    files: int
    octets: int
    without: tuple[str, ...] = ()


def back_up(workspace: Path, file: Path, at: str, told: Told) -> Copied:
    """Copy a workspace into one file, which is there whole or not at all.

    Parameters
    ----------
    at
        When, as ISO 8601 writes it: it is told, and nothing else.

    Raises
    ------
    InputError
        When there is no workspace, or the file is in it or there already.
    LifecycleError
        When a scan runs.
    OutsideError
        When the disk refuses, or a catalogue is being written.
    """
    if not workspace.is_dir():
        raise InputError(f"there is no workspace at `{workspace}`, wanted a folder")
    if file.exists():
        raise InputError(f"`{file}` is there already, wanted a new file", hint="Nothing is overwritten.")
    if file.resolve().is_relative_to(workspace.resolve()):
        raise InputError(f"`{file}` is in the workspace, wanted a place outside of it")
    unfinished = file.with_name(f"{file.name}{UNFINISHED}")
    with reaching(f"writing `{file}`"), contextlib.ExitStack() as stack:
        stack.callback(unfinished.unlink, missing_ok=True)
        stack.enter_context(scanning_alone(workspace))
        without = _served(workspace, stack)
        records = stack.enter_context(_records_of(workspace))
        if records is not None:
            without = (*without, f"{ADDRESS}: the records are in it as {FILE}, to be moved to a server again")
        handle = os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            copied = _written(workspace, records, (out, at, without), told)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(file)
        synchronise(file.parent)
    return copied


def restore(file: Path, workspace: Path, told: Told) -> Copied:
    """Make a workspace from a copy: all of it, or nothing.

    Raises
    ------
    InputError
        When it is no copy, or one of another version, or a workspace is there already.
    CustodyError
        When the copy is not as it was made.
    OutsideError
        When the disk refuses.
    """
    if workspace.exists() and (not workspace.is_dir() or any(workspace.iterdir())):
        raise InputError(
            f"`{workspace}` is there already, wanted a place for a workspace",
            hint="Nothing is overwritten: move it aside, or name another --workspace.",
        )
    beside = workspace.with_name(f"{workspace.name}{UNFINISHED}")
    with reaching(f"restoring `{workspace}`"), _opened(file) as archive:
        manifest = _manifest(archive, file)
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=_PRIVATE, parents=True)
        try:
            for n, (name, one) in enumerate(manifest["files"].items()):
                told("restoring", n, len(manifest["files"]))
                _extracted(archive, name, one, beside / name)
            if workspace.exists():
                workspace.rmdir()
            beside.replace(workspace)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        synchronise(workspace.parent)
    return _copied(manifest)


def check(file: Path, told: Told) -> Copied:
    """Compute every digest of a copy again.

    Raises
    ------
    InputError
        When it is no copy, or one of another version.
    CustodyError
        When it is not as it was made.
    """
    with reaching(f"reading `{file}`"), _opened(file) as archive:
        manifest = _manifest(archive, file)
        for n, (name, one) in enumerate(manifest["files"].items()):
            told("checking", n, len(manifest["files"]))
            _extracted(archive, name, one, None)
    return _copied(manifest)


def _copied(manifest: Mapping[str, Any]) -> Copied:
    files = manifest["files"].values()
    return Copied(len(files), sum(one["octets"] for one in files), tuple(manifest["without"]))


def _served(workspace: Path, stack: contextlib.ExitStack) -> tuple[str, ...]:
    """Lock out gates, and say what is left out where they run."""
    if not (workspace / _GATES).exists():
        return ()
    handle = os.open(workspace / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    stack.callback(os.close, handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return (f"{_GATES}: gates run",)
    return ()


@contextlib.contextmanager
def _records_of(workspace: Path) -> Iterator[Path | None]:
    """Write the records on a server into a file; None where they are in the workspace."""
    if read_address(workspace) is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / FILE
        # One lock for all of it: people who decide meanwhile wait for it.
        with contextlib.closing(open_records(workspace)) as records, records.transaction():
            copy_from(records, copy)
        yield copy


def _written(workspace: Path, records: Path | None, of: tuple[BinaryIO, str, tuple[str, ...]], told: Told) -> Copied:
    out, at, without = of
    paths = {
        path.relative_to(workspace).as_posix(): path
        for path in sorted(workspace.rglob("*"))
        if _is_part(path, workspace, without)
    }
    if records is not None:
        paths[FILE] = records
    files: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for n, (name, path) in enumerate(paths.items()):
            told("copying", n, len(paths))
            mode = stat.S_IMODE(path.stat().st_mode)
            with _at_rest(path) as source, archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as part:
                digest, octets = _poured(source, part)
            files[name] = {"sha256": digest, "octets": octets, "mode": mode}
        said = {"kind": "backup", "version": VERSION, "at": at, "without": list(without), "files": files}
        archive.writestr(MANIFEST, json.dumps(said, indent=1, ensure_ascii=False))
    return _copied(said)


def _is_part(path: Path, workspace: Path, without: tuple[str, ...]) -> bool:
    name = path.relative_to(workspace).as_posix()
    if path.is_symlink() or not path.is_file() or path.name.endswith((UNFINISHED, ".lock", *_BESIDE)):
        return False
    return not any(f"{name}/".startswith(f"{one.partition(':')[0]}/") for one in without)


@contextlib.contextmanager
def _at_rest(path: Path) -> Iterator[BinaryIO]:
    """Open what a file holds as of one moment, whoever writes to it."""
    with path.open("rb") as file:
        head = file.read(16)
        if head == _SQLITE:
            with _copy_of(path) as copy:
                yield copy
            return
        file.seek(0)
        if head[8:12] == _DUCK:
            with _shut(path):
                yield file
            return
        yield file


@contextlib.contextmanager
def _copy_of(path: Path) -> Iterator[BinaryIO]:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        with (
            contextlib.closing(sqlite3.connect(path, timeout=60)) as source,
            contextlib.closing(sqlite3.connect(copy)) as into,
        ):
            source.backup(into, pages=4096)
            into.execute("PRAGMA journal_mode = DELETE")
        with copy.open("rb") as file:
            yield file


@contextlib.contextmanager
def _shut(path: Path) -> Iterator[None]:
    """Keep a catalogue from being written meanwhile."""
    try:
        connection = duckdb.connect(str(path))
        connection.execute("CHECKPOINT")
    except duckdb.Error as error:
        raise OutsideError(
            f"`{path.name}` is being written by somebody else, wanted it at rest", hint="Try again when it has ended."
        ) from error
    with contextlib.closing(connection):
        yield


def _poured(source: BinaryIO, into: Any) -> tuple[str, int]:
    digest, octets = hashlib.sha256(), 0
    while part := source.read(_PART):
        digest.update(part)
        octets += len(part)
        if into is not None:
            into.write(part)
    return digest.hexdigest(), octets


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    if not file.is_file():
        raise InputError(f"there is no copy at `{file}`, wanted what `riparian backup` wrote")
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        raise CustodyError(
            f"`{file.name}` cannot be read ({error}), wanted what `riparian backup` wrote",
            hint="Take another copy; nothing was restored.",
        ) from error


def _manifest(archive: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    try:
        with archive.open(MANIFEST) as part:
            said = json.loads(part.read(_MANIFEST_MAX))
        files = {
            str(name): (str(one["sha256"]), int(one["octets"]), int(one["mode"])) for name, one in said["files"].items()
        }
        without = [str(one) for one in said["without"]]
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"`{file.name}` has no manifest, wanted what `riparian backup` wrote") from error
    if said.get("kind") != "backup" or said.get("version") != VERSION:
        raise InputError(
            f"`{file.name}` is a copy of version {str(said.get('version'))[:20]}, wanted {VERSION}",
            hint="Use the version of Riparian that made it.",
        )
    names = sorted(archive.namelist())
    strange = [name for name in files if not _is_plain(name)]
    if strange or names != sorted([*files, MANIFEST]):
        raise CustodyError(
            f"`{file.name}` has other parts than its manifest says, wanted each of them once and no other",
            hint="Take another copy; nothing was restored.",
        )
    made = {name: {"sha256": digest, "octets": octets, "mode": mode} for name, (digest, octets, mode) in files.items()}
    return {"files": made, "without": without}


def _is_plain(name: str) -> bool:
    parts = PurePosixPath(name).parts
    is_inside = bool(parts) and not name.startswith("/") and not {"..", "."} & {*parts}
    return is_inside and name == "/".join(parts) and "\\" not in name and "\0" not in name


def _extracted(archive: zipfile.ZipFile, name: str, said: Mapping[str, Any], to: Path | None) -> None:
    with contextlib.ExitStack() as stack:
        part = stack.enter_context(archive.open(name))
        into = None
        if to is not None:
            to.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            mode = said["mode"] & 0o777 & ~(stat.S_IWGRP | stat.S_IWOTH)
            handle = os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            into = stack.enter_context(os.fdopen(handle, "wb"))
            os.fchmod(handle, mode)
        found = _poured(_Bounded(part, said["octets"]), into)  # type: ignore[arg-type]
        if into is not None:
            into.flush()
            os.fsync(into.fileno())
    if found != (said["sha256"], said["octets"]):
        raise CustodyError(
            f"`{name}` is not as it was copied, wanted the SHA-256 `{said['sha256'][:16]}` and so on",
            hint="Take another copy; nothing was restored.",
        )


class _Bounded:
    """What unpacks to more than was said is not unpacked to its end."""

    def __init__(self, part: Any, octets: int) -> None:
        self._part, self._left = part, octets + 1

    def read(self, n: int) -> bytes:
        """Give some more, up to one octet more than was said."""
        read: bytes = self._part.read(min(n, self._left))
        self._left -= len(read)
        return read
