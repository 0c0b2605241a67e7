"""Where is the secret of the index, and what if it is lost?

``prints/key.json``, for its owner's eyes only.  Whoever has it can look for changes that hide a copy from the index.
Whoever loses it has an index of which nothing can be asked, and adds everything again.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from riparian.errors import CustodyError
from riparian.prints.keys import SECRET_BYTES, VERSION, PrintKey
from riparian.stores.files import reaching
from riparian.stores.prints.ledger import Ledger
from riparian.stores.secret_file import SecretFile

NAME: Final = "key.json"
_LOST: Final = "Restore prints/key.json from a backup, or remove the folder `prints` and add every recording again."


def print_key(folder: Path | None, ledger: Ledger, random: Callable[[int], bytes] = secrets.token_bytes) -> PrintKey:
    """Give the secret; made if there is none and never was.

    Raises
    ------
    CustodyError
        When it is missing, another one than the index was made with, or others can read it.
    """
    key = PrintKey(random(SECRET_BYTES)) if folder is None else _kept(folder, ledger, random)
    check = ledger.setting("key")
    if check is None:
        ledger.set("key", key.check)
        ledger.set("version", VERSION)
    elif check != key.check:
        raise CustodyError("the key of prints is not the one that the index was made with, wanted that", hint=_LOST)
    return key


def _kept(folder: Path, ledger: Ledger, random: Callable[[int], bytes]) -> PrintKey:
    file = SecretFile(folder / NAME, "key of prints", leaked="add every recording again under a new key.", lost=_LOST)
    with reaching("reading the key of prints"):
        if not file.exists:
            with file.alone():
                if not file.exists:
                    if ledger.setting("key") is not None:
                        raise CustodyError("`prints/key.json` is missing, wanted the key of the index", hint=_LOST)
                    file.keep({"version": VERSION, "secret": random(SECRET_BYTES).hex()})
        return file.read(_understood)


def _understood(said: dict[str, Any]) -> PrintKey:
    if said["version"] != VERSION:
        raise ValueError("another version")
    return PrintKey(bytes.fromhex(said["secret"]))
