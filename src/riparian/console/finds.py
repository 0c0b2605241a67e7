"""What was brought, what became of it, and until when is it kept?

::

    found/KEY/job.json        what was brought, by whom, and what was asked of it
    found/KEY/brought.SUFFIX  the file itself; the suffix is one of ours, and what it was called stands in job.json
    found/KEY/lock            held by whoever works on it, for as long as that lives
    found/KEY/progress.json   how far that is
    found/KEY/cancelled       somebody asked that it ends
    found/KEY/result.json     what was found, or why nothing was; beside it sound and pictures that pages show

No state is written down that can be false: whoever works holds the lock, and a console that was started again finds
what nobody works on any more, and says that it was interrupted.
"""

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from riparian import assembly
from riparian.assembly import Given
from riparian.console.forms import Brought, Room
from riparian.errors import InputError, LifecycleError
from riparian.schema import DAY_US

FOLDER: Final = "found"
KINDS: Final = ("guess", "sound", "list", "dataset")
KEPT_MAX: Final = 200
_KEY: Final = re.compile(r"[0-9a-f]{24}")
_PART: Final = re.compile(r"(pair-\d{1,2}-(found|ours|both)\.wav|picture-\d{1,2}\.png)")
_KINDS_OF_PARTS: Final = {".wav": "audio/wav", ".png": "image/png"}
_SUFFIXES: Final = frozenset(
    {
        *("csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "arrow", "feather", "xml", "sql", "torrent"),
        *("db", "sqlite", "sqlite3", "tar", "tgz", "zip", "gz", "zst", "bz2", "xz", "wav", "flac", "mp3", "m4a"),
        *("mp4", "aac", "ogg", "oga", "opus", "aif", "aiff", "webm", "mka"),
    }
)
_HOUR_S: Final = 3600.0
_WAITS: Final = frozenset({"waiting", "running"})


@dataclass(frozen=True, slots=True)
class Find:
    """One file that was brought.

    Parameters
    ----------
    key
        Its folder; those that came later have greater ones.
    name
        As whoever brought it calls it.
    suffix
        What its file ends with, dot included; empty for none of ours.
    kind
        What it is said to be, one of ``KINDS``.
    traces
        Whether it is asked to whom it was issued.
    by, at_us
        Who brought it, and when.
    """

    key: str
    name: str
    suffix: str
    kind: str
    traces: bool
    by: str
    at_us: int
    octets: int
    sha256: str


def room(given: Given) -> Room:
    """Say where what comes may lie, and how large it may be.

    Raises
    ------
    LifecycleError
        When as many are kept as may be.
    """
    sweep(given)
    if len(_keys(given)) >= KEPT_MAX:
        raise LifecycleError(f"{KEPT_MAX} files are kept, wanted fewer", hint="Delete some of them first.")
    return Room(given.workspace / FOLDER, assembly.read_uploads(given).mib << 20)


def keep(given: Given, brought: Brought, *, kind: str, traces: bool, by: str) -> Find:
    """Keep a file that came."""
    at_us = assembly.WallClock().now_us()
    key = f"{at_us:016x}{secrets.token_hex(4)}"
    find = Find(key, brought.name, _suffix(brought.name), kind, traces, by, at_us, brought.octets, brought.sha256)
    folder = given.workspace / FOLDER / key
    folder.mkdir(mode=0o700, parents=True)
    brought.path.rename(folder / f"brought{find.suffix}")
    write(folder / "job.json", asdict(find))
    return find


def asked_again(given: Given, find: Find, *, kind: str, traces: bool) -> Find:
    """Note that something else is asked of a file."""
    changed = Find(**{**asdict(find), "kind": kind, "traces": traces})
    write(folder_of(given, find.key) / "job.json", asdict(changed))
    return changed


def is_key(key: str) -> bool:
    """Say whether a text may name one."""
    return _KEY.fullmatch(key) is not None


def folder_of(given: Given, key: str) -> Path:
    """Give the folder of one.

    Raises
    ------
    InputError
        When there is none of this key.
    """
    folder = given.workspace / FOLDER / key
    if _KEY.fullmatch(key) is None or not (folder / "job.json").is_file():
        raise InputError(
            f"nothing was brought as `{key[:40]}`, wanted what stands on the page Found",
            hint="What is old was deleted: bring it once more.",
        )
    return folder


def read(given: Given, key: str) -> Find:
    """Read what is known of one; ``InputError`` when there is none."""
    told = read_json(folder_of(given, key) / "job.json")
    return Find(**told)


def listed(given: Given, *, after: str, limit: int) -> list[Find]:
    """List what was brought, the latest first, beginning behind a key."""
    keys = [key for key in sorted(_keys(given), reverse=True) if not after or key < after]
    found = []
    for key in keys[:limit]:
        with contextlib.suppress(InputError):
            found.append(read(given, key))
    return found


def file_of(given: Given, find: Find) -> Path:
    """Give where the file itself is."""
    return folder_of(given, find.key) / f"brought{find.suffix}"


def part_of(given: Given, key: str, name: str) -> tuple[Path, str]:
    """Give a piece of sound or a picture that a page shows, and of what kind it is.

    Raises
    ------
    InputError
        When there is none of this name.
    """
    path = folder_of(given, key) / name if _PART.fullmatch(name) else None
    if path is None or not path.is_file():
        raise InputError(f"`{name[:40]}` is no part of what was found, wanted one that its page names")
    return path, _KINDS_OF_PARTS[path.suffix]


def state_of(folder: Path) -> str:
    """Say where one stands: waiting, running, done, failed, cancelled or interrupted."""
    is_worked_on = _is_locked(folder / "lock")
    result = read_json(folder / "result.json")
    if result and not is_worked_on:
        return "failed" if result.get("failed") else "done"
    if is_worked_on:
        return "running" if (folder / "progress.json").exists() else "waiting"
    return "cancelled" if (folder / "cancelled").exists() else "interrupted"


def waits(state: str) -> bool:
    """Say whether something still comes of it."""
    return state in _WAITS


def locked(folder: Path) -> int:
    """Take the lock of one; whoever lets go of the file, or dies, gives it back.

    Raises
    ------
    LifecycleError
        When somebody works on it.
    """
    handle = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise LifecycleError("it is being looked at, wanted that it is not", hint="Wait, or cancel that.") from None
    return handle


def cleared(folder: Path) -> None:
    """Remove what was found of one, so that it is looked at again."""
    for path in folder.iterdir():
        if path.name in {"result.json", "progress.json", "cancelled"} or _PART.fullmatch(path.name):
            path.unlink(missing_ok=True)


def delete(given: Given, key: str) -> None:
    """Delete a file and all that was found of it.

    Raises
    ------
    LifecycleError
        When somebody works on it.
    """
    folder = folder_of(given, key)
    os.close(locked(folder))
    shutil.rmtree(folder, ignore_errors=True)


def ends_us(given: Given, find: Find) -> int:
    """Say when one is deleted."""
    return find.at_us + assembly.read_uploads(given).days * DAY_US


def sweep(given: Given) -> int:
    """Delete what is old, and what came and was never kept; give how many there were."""
    folder = given.workspace / FOLDER
    if not folder.is_dir():
        return 0
    keep_us = assembly.read_uploads(given).days * DAY_US
    now_us = assembly.WallClock().now_us()
    old = [key for key in _keys(given) if int(key[:16], 16) + keep_us <= now_us]
    for key in old:
        with contextlib.suppress(LifecycleError, InputError):
            delete(given, key)
    for path in folder.glob("coming-*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _HOUR_S:
                path.unlink(missing_ok=True)
    return len(old)


def write(path: Path, told: Mapping[str, Any]) -> None:
    """Write an object; whoever reads sees all of it or what was before."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    unfinished.write_text(json.dumps(told, ensure_ascii=False, default=str), encoding="utf-8", errors="replace")
    unfinished.chmod(0o600)
    unfinished.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Read an object that was written; empty where there is none."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _keys(given: Given) -> list[str]:
    folder = given.workspace / FOLDER
    return [path.name for path in _inside(folder) if _KEY.fullmatch(path.name)]


def _inside(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(FileNotFoundError):
        yield from folder.iterdir()


def _is_locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _suffix(name: str) -> str:
    """Keep of a name what it ends with, where that is one of ours.

    Examples
    --------
    >>> _suffix("a/b.CSV"), _suffix("dump.json.gz"), _suffix("x.<script>"), _suffix("../.."), _suffix("wav")
    ('.csv', '.json.gz', '', '', '')
    """
    ends = name.lower().rpartition("/")[2].split(".")[1:][-2:]
    known = [end for end in ends if end in _SUFFIXES]
    return "".join(f".{end}" for end in known) if ends and ends[-1] in _SUFFIXES else ""
