"""Where does a person keep the key that they sign with?

In a file of their own, PKCS #8 in PEM, encrypted with a passphrase that is nowhere written down: whoever has the file,
a machine or a thief, cannot sign without the person.

Source
------
RFC 5958 (PKCS #8), RFC 8018 (PBES2), RFC 8410 (Ed25519 in it).
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from riparian.cases.events import Hand
from riparian.errors import CustodyError, InputError
from riparian.stores.files import reaching

_SHORTEST: Final = 12
_FILE_MAX: Final = 65536


class PersonKey:
    """``ports.cases.Signer`` of a file."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self.name = name
        self.hand = Hand(key.public_key().public_bytes_raw().hex(), key.sign)


def new_key(path: Path, name: str, passphrase: str, random: Callable[[int], bytes] = os.urandom) -> PersonKey:
    """Make a key, and write its file; nothing is overwritten.

    Raises
    ------
    InputError
        When the passphrase has fewer than twelve characters, or the file is there.
    OutsideError
        When the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = new_key(Path(folder) / "ann.pem", "ann", "correct horse battery")
    ...     read = read_key(Path(folder) / "ann.pem", "ann", "correct horse battery")
    >>> made.hand.key == read.hand.key
    True
    """
    if len(passphrase) < _SHORTEST:
        raise InputError(f"the passphrase has {len(passphrase)} characters, wanted {_SHORTEST} or more")
    if path.exists():
        raise InputError(
            f"`{path}` is there already, wanted a new file", hint="Name another, or remove it if nobody signs with it."
        )
    key = Ed25519PrivateKey.from_private_bytes(random(32))
    octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    with reaching("writing the key of a person"):
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
    return PersonKey(name, key)


def read_key(path: Path, name: str, passphrase: str) -> PersonKey:
    """Read a key from its file.

    Raises
    ------
    InputError
        When it is no such file.
    CustodyError
        When it is not encrypted, or the passphrase does not open it.
    """
    with reaching("reading the key of a person"):
        octets = path.read_bytes() if path.is_file() and path.stat().st_size < _FILE_MAX else b""
    if b"ENCRYPTED PRIVATE KEY" not in octets:
        if b"PRIVATE KEY" in octets:
            raise CustodyError(
                f"`{path}` can be used by whoever reads it, wanted a key under a passphrase",
                hint="Make another with `riparian case person add`, and retire this one.",
            )
        raise InputError(
            f"`{path}` holds no key, wanted the file of a person's key", hint="`riparian case person add` makes one."
        )
    try:
        key = load_pem_private_key(octets, passphrase.encode())
    except (ValueError, TypeError) as error:
        raise CustodyError(f"`{path}` is not opened by this passphrase, wanted the one it was made with") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"`{path}` holds another kind of key, wanted Ed25519")
    return PersonKey(name, key)
