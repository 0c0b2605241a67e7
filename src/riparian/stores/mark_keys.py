"""Where are the keys of marks, and why is none of them ever thrown away?

``marks.json`` in the workspace, for the owner's eyes only, made on first use; apart from the keys of grants, since the
two are for different people: every edge needs those, and nobody may have these but whoever marks and traces, and an
origin that puts marked renditions together (:mod:`riparian.edges.composed`).  Each epoch has a key;
:meth:`FolderMarkKeys.rotate` begins a new epoch, and what was marked under an old one is read with the old one as long
as copies of it may turn up, which is for ever.

Whoever has the file can find the mark in a copy, remove it, and forge anybody's.  Whoever loses it can trace nothing.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from riparian.codes import SECRET_BYTES
from riparian.marks.keys import MarkKey
from riparian.stores.files import reaching
from riparian.stores.secret_file import SecretFile

NAME: Final = "marks.json"
_VERSION: Final = 1


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
        self._random = random
        self._file = SecretFile(
            folder / NAME,
            "keys of marks",
            leaked="`riparian keys rotate --marks`.",
            lost=f"Restore {NAME} from a backup: without it nothing that was marked can be traced.",
        )

    def current(self) -> MarkKey:
        """See ``ports.MarkKeys``."""
        with reaching("reading the keys of marks"):
            if not self._file.exists:
                with self._file.alone():
                    if not self._file.exists:
                        self._keep((MarkKey(self._random(SECRET_BYTES), 1),))
            return self._file.read(_epochs)[-1]

    def all(self) -> tuple[MarkKey, ...]:
        """See ``ports.MarkKeys``."""
        with reaching("reading the keys of marks"):
            return self._file.read(_epochs) if self._file.exists else ()

    def rotate(self) -> MarkKey:
        """See ``ports.MarkKeys``."""
        self.current()
        with reaching("rotating the keys of marks"), self._file.alone():
            keys = self._file.read(_epochs)
            fresh = MarkKey(self._random(SECRET_BYTES), keys[-1].epoch + 1)
            self._keep((*keys, fresh))
        return fresh

    def _keep(self, keys: tuple[MarkKey, ...]) -> None:
        said = {"version": _VERSION, "epochs": [{"epoch": key.epoch, "secret": key.secret.hex()} for key in keys]}
        self._file.keep(said)


def _epochs(said: dict[str, Any]) -> tuple[MarkKey, ...]:
    keys = tuple(MarkKey(bytes.fromhex(one["secret"]), int(one["epoch"])) for one in said["epochs"])
    if said["version"] != _VERSION or [key.epoch for key in keys] != list(range(1, len(keys) + 1)) or not keys:
        raise ValueError("another version, or an epoch is missing")
    return keys
