"""Where are the keys of marks, and why is none of them ever thrown away?

``marks.json`` in the workspace, for the owner's eyes only, made on first use; apart from the keys of grants, since the
two are for different people: every edge needs those, and nobody may have these but whoever marks and traces, and an
origin that puts marked renditions together (:mod:`riparian.edges.composed`).  Each epoch has a key;
:meth:`FolderMarkKeys.rotate` begins a new epoch, and what was marked under an old one is read with the old one as long
as copies of it may turn up, which is for ever.

Whoever has the file can find the mark in a copy, remove it, and forge anybody's.  Whoever loses it can trace nothing.
"""

import contextlib
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from riparian.errors import CustodyError
from riparian.marks.keys import SECRET_BYTES, MarkKey
from riparian.stores.files import reaching, write_whole

NAME: Final = "marks.json"
LOCK: Final = "marks.lock"
_VERSION: Final = 1
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class FolderMarkKeys:
    """``ports.MarkKeys`` in a workspace.

    Parameters
    ----------
    folder
        The workspace.
    random
        Gives as many random bytes as it is asked for.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keys = FolderMarkKeys(Path(folder))
    ...     first = keys.current()
    ...     second = keys.rotate()
    ...     first.epoch, second.epoch, keys.current() == second, keys.all() == (first, second)
    (1, 2, True, True)
    """

    def __init__(self, folder: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._folder = folder
        self._random = random

    def current(self) -> MarkKey:
        """See ``ports.MarkKeys``."""
        with reaching("reading the keys of marks"):
            if not (self._folder / NAME).exists():
                with self._alone():
                    if not (self._folder / NAME).exists():
                        self._keep((MarkKey(self._random(SECRET_BYTES), 1),))
            return self._read()[-1]

    def all(self) -> tuple[MarkKey, ...]:
        """See ``ports.MarkKeys``."""
        with reaching("reading the keys of marks"):
            return self._read() if (self._folder / NAME).exists() else ()

    def rotate(self) -> MarkKey:
        """See ``ports.MarkKeys``."""
        self.current()
        with reaching("rotating the keys of marks"), self._alone():
            keys = self._read()
            fresh = MarkKey(self._random(SECRET_BYTES), keys[-1].epoch + 1)
            self._keep((*keys, fresh))
        return fresh

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _keep(self, keys: tuple[MarkKey, ...]) -> None:
        said = {"version": _VERSION, "epochs": [{"epoch": key.epoch, "secret": key.secret.hex()} for key in keys]}
        write_whole(self._folder / NAME, lambda file: file.write(json.dumps(said, indent=1).encode() + b"\n"))

    def _read(self) -> tuple[MarkKey, ...]:
        file = self._folder / NAME
        mode = file.stat().st_mode
        if mode & _OTHERS:
            raise CustodyError(
                f"`{NAME}` can be read by others (its mode is {stat.S_IMODE(mode):o}), wanted 600",
                hint=f"Run `chmod 600 {NAME}`, and if others did read it, `riparian keys rotate --marks`.",
            )
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
            keys = tuple(MarkKey(bytes.fromhex(one["secret"]), int(one["epoch"])) for one in said["epochs"])
        except (ValueError, TypeError, KeyError) as error:
            raise CustodyError(
                f"`{NAME}` holds no keys of marks, wanted them as riparian writes them",
                hint=f"Restore {NAME} from a backup: without it nothing that was marked can be traced.",
            ) from error
        if said["version"] != _VERSION or [key.epoch for key in keys] != list(range(1, len(keys) + 1)) or not keys:
            raise CustodyError(
                f"`{NAME}` is of another version, or lacks an epoch, wanted every epoch from 1",
                hint=f"Restore {NAME} from a backup.",
            )
        return keys
