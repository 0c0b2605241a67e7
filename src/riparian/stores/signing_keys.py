"""Where are keys that sign, one file each?

A file in the workspace, for the owner's eyes only, has one Ed25519 key, made on first use; its public half is meant to
be published.  ``terms.json`` signs the chain of terms, ``creators.json`` what artists are told, and neither anything
else.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from riparian.stores.files import reaching
from riparian.stores.secret_file import SecretFile

CREATORS: Final = "creators.json"
_VERSION: Final = 1


class SigningKey:
    """The key in one file.

    Parameters
    ----------
    file
        Which.
    random
        Gives as many random bytes as it is asked for.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     key = creators_key(Path(folder))
    ...     len(key.public()), key.public() == creators_key(Path(folder)).public(), len(key.sign(b"x"))
    (64, True, 64)
    """

    def __init__(self, file: SecretFile, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._file, self._random = file, random

    def public(self) -> str:
        """Give the public half, in hexadecimal; the key is made on first use."""
        return self._key().public_key().public_bytes_raw().hex()

    def sign(self, octets: bytes) -> bytes:
        """Sign with Ed25519."""
        return self._key().sign(octets)

    def _key(self) -> Ed25519PrivateKey:
        with reaching(f"reading the {self._file.holds}"):
            if not self._file.exists:
                with self._file.alone():
                    if not self._file.exists:
                        self._file.keep({"version": _VERSION, "seed": self._random(32).hex()})
            return self._file.read(_ed25519)


def creators_key(folder: Path) -> SigningKey:
    """Give the key of what artists are told."""
    file = SecretFile(
        folder / CREATORS,
        "key of what artists are told",
        leaked="remove it, and publish the new key where the old one was.",
        lost=f"Restore {CREATORS} from a backup, or remove it and publish the new key.",
    )
    return SigningKey(file)


def _ed25519(said: dict[str, Any]) -> Ed25519PrivateKey:
    if said["version"] != _VERSION:
        raise ValueError("another version")
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(said["seed"]))
