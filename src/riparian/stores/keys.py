"""Where are the keys of grants, and how are they changed while people listen?

``keys.json`` in the workspace, for the owner's eyes only, made on first use; ``keys.lock`` beside it is held for as
long as it takes to replace it.  It is replaced whole: whoever reads meanwhile reads the ring before or the ring after,
and both verify what either of them issues (:mod:`riparian.gate.keys`).

Whoever has the file can issue grants.  A backup of it is as good as the file; after a leak, and after a backup was
lost, :meth:`FolderKeys.replace`.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from riparian.gate.keys import Key, KeyRing
from riparian.stores.files import reaching
from riparian.stores.secret_file import SecretFile

NAME: Final = "keys.json"
_VERSION: Final = 1


class FolderKeys:
    """The ring of a workspace.

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
    ...     keys = FolderKeys(Path(folder))
    ...     before, after = keys.ring(1_800_000_000), keys.rotate(1_800_000_000)
    ...     after.current == before.next, after.earlier[0].id == before.current.id, keys.ring(1_800_000_000) == after
    (True, True, True)
    """

    def __init__(self, folder: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._random = random
        self._file = SecretFile(
            folder / NAME,
            "ring of keys",
            leaked="`riparian keys rotate --leaked`.",
            lost=f"Restore {NAME} from a backup, or make new keys with `riparian keys rotate --leaked`.",
        )

    def ring(self, now_s: int) -> KeyRing:
        """Read the ring, without keys that have retired; made if there is none.

        Raises
        ------
        CustodyError
            When the file can be read by others, or holds something else.
        OutsideError
            When the disk refuses.
        """
        with reaching("reading the keys of grants"):
            if not self._file.exists:
                with self._file.alone():
                    if not self._file.exists:
                        self._keep(KeyRing.fresh(self._random, now_s))
            ring = self._file.read(_ring)
        return KeyRing(ring.current, ring.next, tuple(key for key in ring.earlier if ring.find(key.id, now_s)))

    def rotate(self, now_s: int, *, open_s: int = 0) -> KeyRing:
        """Let the next key issue from now on; the one that did holds until its last grant has ended.

        Parameters
        ----------
        now_s
            UTC.
        open_s
            The policy's ``media_open_s``.

        Raises
        ------
        CustodyError, OutsideError
            As :meth:`ring`.
        """
        self.ring(now_s)
        with reaching("rotating the keys of grants"), self._file.alone():
            # Read again: somebody else may have rotated while we waited, and theirs is not to be lost.
            after = self._file.read(_ring).rotated(Key.fresh(self._random, now_s), now_s, open_s=open_s)
            self._keep(after)
        return after

    def replace(self, now_s: int) -> KeyRing:
        """Replace every key: no grant that was ever issued is good any more.

        Raises
        ------
        OutsideError
            When the disk refuses.
        """
        with reaching("replacing the keys of grants"), self._file.alone():
            ring = KeyRing.fresh(self._random, now_s)
            self._keep(ring)
        return ring

    def _keep(self, ring: KeyRing) -> None:
        said = {
            "version": _VERSION,
            "current": _written(ring.current),
            "next": _written(ring.next),
            "earlier": [_written(key) for key in ring.earlier],
        }
        self._file.keep(said)


def _written(key: Key) -> dict[str, Any]:
    return {"id": key.id, "secret": key.secret.hex(), "made_s": key.made_s, "retires_s": key.retires_s}


def _key(said: dict[str, Any]) -> Key:
    return Key(str(said["id"]), bytes.fromhex(said["secret"]), int(said["made_s"]), int(said["retires_s"]))


def _ring(said: dict[str, Any]) -> KeyRing:
    if said["version"] != _VERSION:
        raise ValueError("another version")
    return KeyRing(_key(said["current"]), _key(said["next"]), tuple(_key(key) for key in said["earlier"]))
