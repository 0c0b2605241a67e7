"""Where are the keys of epochs, and why is none of them ever thrown away?

In a file of the workspace for the owner's eyes only, made on first use.  Each epoch has a key; :meth:`FolderEpochKeys.
rotate` begins a new epoch, and what was made under an old one is read with the old one as long as copies of it may turn
up, which is for ever.
"""

import secrets
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from riparian.codes import SECRET_BYTES, EpochKey
from riparian.stores.files import reaching
from riparian.stores.secret_file import SecretFile

K = TypeVar("K", bound=EpochKey)
_VERSION: Final = 1


class FolderEpochKeys(Generic[K]):
    """Keys of one kind in a file.

    Parameters
    ----------
    file
        Which.
    made
        Makes a key of a secret and an epoch.
    random
        Gives as many random bytes as it is asked for.
    """

    def __init__(
        self, file: SecretFile, made: Callable[[bytes, int], K], random: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._file, self._made, self._random = file, made, random

    def current(self) -> K:
        """Give the key of the last epoch; made if there is none."""
        with reaching(f"reading the {self._file.holds}"):
            if not self._file.exists:
                with self._file.alone():
                    if not self._file.exists:
                        self._keep((self._made(self._random(SECRET_BYTES), 1),))
            return self._file.read(self._epochs)[-1]

    def all(self) -> tuple[K, ...]:
        """Give those of every epoch, the first one first; none before anything was made."""
        with reaching(f"reading the {self._file.holds}"):
            return self._file.read(self._epochs) if self._file.exists else ()

    def rotate(self) -> K:
        """Begin a new epoch."""
        self.current()
        with reaching(f"rotating the {self._file.holds}"), self._file.alone():
            keys = self._file.read(self._epochs)
            fresh = self._made(self._random(SECRET_BYTES), keys[-1].epoch + 1)
            self._keep((*keys, fresh))
        return fresh

    def _keep(self, keys: tuple[K, ...]) -> None:
        said = {"version": _VERSION, "epochs": [{"epoch": key.epoch, "secret": key.secret.hex()} for key in keys]}
        self._file.keep(said)

    def _epochs(self, said: dict[str, Any]) -> tuple[K, ...]:
        keys = tuple(self._made(bytes.fromhex(one["secret"]), int(one["epoch"])) for one in said["epochs"])
        if said["version"] != _VERSION or [key.epoch for key in keys] != list(range(1, len(keys) + 1)) or not keys:
            raise ValueError("another version, or an epoch is missing")
        return keys
