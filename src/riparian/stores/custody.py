"""Where does evidence lie?

In ``custody`` in the workspace, each thing under the SHA-256 of its octets, for the owner's eyes only and not to be
written to.  What is there already, and as it was, is not written again; nothing is ever removed.

::

    custody/2d/2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from riparian.cases.custody import is_digest
from riparian.cases.facts import Kept
from riparian.errors import CustodyError, InputError
from riparian.stores.files import UNFINISHED, reaching, synchronise

NAME: Final = "custody"
OCTETS_MAX: Final = 2 << 30
_PART: Final = 1 << 20
_NAME_MAX: Final = 200


class FileCustody:
    """``ports.cases.Custody`` in a folder.

    Parameters
    ----------
    folder
        Of the workspace.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import UTC
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     custody = FileCustody(Path(folder))
    ...     kept = custody.keep(b"x", "page.html", "text/html", datetime(2026, 11, 23, tzinfo=UTC))
    ...     custody.octets(kept), custody.measured(kept.sha256) == (kept.sha256, 1)
    (b'x', True)
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / NAME

    def keep(self, content: bytes | Path, name: str, media_type: str, at: datetime, *, location: str = "") -> Kept:
        """See ``ports.cases.Custody``."""
        if not name or len(name) > _NAME_MAX:
            raise InputError(f"`{name[:80]}` is no name of what is kept, wanted 1 to {_NAME_MAX} characters")
        with reaching("keeping evidence"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = self._folder / f"{secrets.token_hex(8)}{UNFINISHED}"
            try:
                digest, octets = _written(content, unfinished)
                self._place(unfinished, digest)
            finally:
                unfinished.unlink(missing_ok=True)
        return Kept(digest, name, media_type, digest, octets, at, location)

    def octets(self, kept: Kept) -> bytes:
        """See ``ports.cases.Custody``."""
        with self.opened(kept.sha256) as file:
            octets = file.read(kept.octets + 1)
        if hashlib.sha256(octets).hexdigest() != kept.sha256:
            raise CustodyError(
                f"`{kept.name[:80]}` is not what was kept, wanted the SHA-256 `{kept.sha256}`",
                hint="Stop, and look at who had this disk; `riparian case verify` tells what else was changed.",
            )
        return octets

    def measured(self, sha256: str) -> tuple[str, int] | None:
        """See ``cases.custody.Holding``."""
        path = self._path(sha256)
        if not path.is_file():
            return None
        with reaching("reading evidence"), path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return digest, file.tell()

    def opened(self, sha256: str) -> BinaryIO:
        """See ``cases.custody.Holding``."""
        path = self._path(sha256)
        if not path.is_file():
            raise CustodyError(f"`{sha256[:64]}` is not in custody, wanted what was kept there", hint="Stop, and look.")
        with reaching("reading evidence"):
            return path.open("rb")

    def items(self) -> Iterator[str]:
        """See ``ports.cases.Custody``."""
        with reaching("reading evidence"):
            if self._folder.is_dir():
                for path in sorted(self._folder.rglob("*")):
                    if path.is_file() and path.suffix != UNFINISHED:
                        yield path.name if path == self._path(path.name) else str(path.relative_to(self._folder))

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256 if is_digest(sha256) else self._folder / "none"

    def _place(self, unfinished: Path, digest: str) -> None:
        path = self._path(digest)
        if path.is_file() and self.measured(digest) == (digest, unfinished.stat().st_size):
            return
        path.parent.mkdir(mode=0o700, exist_ok=True)
        unfinished.chmod(0o400)
        unfinished.replace(path)
        synchronise(path.parent)
        synchronise(self._folder)


def _written(content: bytes | Path, path: Path) -> tuple[str, int]:
    """Copy what is given; SHA-256 and size of what was written."""
    digest, octets = hashlib.sha256(), 0
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        for part in _parts(content):
            octets += len(part)
            if octets > OCTETS_MAX:
                raise InputError(
                    f"what is to be kept has more than {OCTETS_MAX:,} octets, wanted fewer", hint="Keep a part of it."
                )
            digest.update(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), octets


def _parts(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while part := file.read(_PART):
            yield part
