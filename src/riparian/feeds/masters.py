"""Is the file of a recording still what it must be?

It is read whole, and its digest compared with the one that its document says.  Where it lies is what a document says,
too: only regular files and object storage are opened, and nothing on the web.
"""

import hashlib
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

import fsspec
from blake3 import blake3

from riparian.ports.catalogue import Looked, Master, State

STORAGE: Final = frozenset({"abfs", "abfss", "az", "file", "gcs", "gs", "hdfs", "local", "memory", "s3", "s3a", "sftp"})
"""File systems of which files are read."""
_BLOCK: Final = 1 << 20
_HASHES: Final[dict[str, Callable[[], Any]]] = {
    "blake3": blake3,
    **{
        name: getattr(hashlib, name)
        for name in ("blake2b", "blake2s", "md5", "sha1", "sha224", "sha256", "sha384", "sha512")
    },
}


def look(master: Master, root: Path | None = None, read: Callable[[int], None] = lambda _: None) -> Looked:
    """Read a file, and say how it is; it never fails.

    Parameters
    ----------
    root
        What a relative path is relative to; None for the current folder.
    read
        Told how many bytes were read, every now and then.
    """
    algorithm = master.algorithm.lower().replace("-", "")
    if algorithm not in _HASHES:
        return Looked(master, State.UNREADABLE, f"`{master.algorithm}` is no digest that is known here")
    try:
        return _compared(master, algorithm, root, read)
    except FileNotFoundError:
        return Looked(master, State.LOST, "there is no such file")
    # Whatever storage and its library may raise: one file that cannot be read does not end a scrub of millions.
    except Exception as error:  # noqa: BLE001
        return Looked(master, State.UNREADABLE, str(error).partition("\n")[0][:200] or type(error).__name__)


def _compared(master: Master, algorithm: str, root: Path | None, read: Callable[[int], None]) -> Looked:
    made, n = _HASHES[algorithm](), 0
    with _opened(master.path, root) as file:
        while block := file.read(_BLOCK):
            made.update(block)
            n += len(block)
            read(len(block))
    found = made.hexdigest()
    if found == master.digest.lower():
        return Looked(master, State.WELL, found)
    if master.bytes is not None and n != master.bytes:
        return Looked(master, State.ROT, f"{n:,} bytes, wanted {master.bytes:,}")
    return Looked(master, State.ROT, found)


def _opened(path: str, root: Path | None) -> BinaryIO:
    scheme, is_address, _ = path.partition("://")
    if is_address and scheme not in {"file", "local"}:
        if scheme not in STORAGE:
            message = f"`{scheme}` is no storage of files, wanted one of {', '.join(sorted(STORAGE))}"
            raise ValueError(message)
        return fsspec.open(path, "rb").open()  # type: ignore[no-any-return]
    place = Path(path.partition("://")[2] if is_address else path)
    whole = place if root is None else root / place
    if not stat.S_ISREG(whole.stat().st_mode):
        message = "it is no regular file"
        raise ValueError(message)
    return whole.open("rb")
