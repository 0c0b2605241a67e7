"""Who sits at the keyboard, when something is done that only a person does?"""

from pathlib import Path
from typing import Annotated, Final

import typer

from riparian.errors import InputError
from riparian.stores.cases.people_keys import PersonKey, read_key

As = Annotated[str, typer.Option("--as", metavar="NAME", help="Who does it: a person of `case person list`.")]
Key = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Your key.", show_default="NAME.pem here")]
Passphrase = Annotated[
    Path | None,
    typer.Option("--passphrase-file", metavar="FILE", help="Where its passphrase is.", show_default="asked for"),
]
_PASSPHRASE_MAX: Final = 4096


def signer(name: str, key: Path | None, passphrase: Path | None) -> PersonKey:
    """Open a person's key.

    Raises
    ------
    InputError
        When there is no such file.
    CustodyError
        When the passphrase does not open it.
    """
    path = key_path(name, key)
    return read_key(path, name, asked(f"Passphrase of {name}", passphrase))


def key_path(name: str, key: Path | None) -> Path:
    """Tell where somebody's key is."""
    if key is None and (not name or "/" in name or name.startswith(".")):
        raise InputError(f"`{name[:80]}` names no file of a key, wanted --key FILE")
    return key if key is not None else Path(f"{name}.pem")


def asked(what: str, passphrase: Path | None, *, twice: bool = False) -> str:
    """Ask for a passphrase, or read it from the file that was named.

    Raises
    ------
    InputError
        When the file is not there, or has no line.
    """
    if passphrase is None:
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=twice, err=True))
    try:
        with passphrase.open(encoding="utf-8") as file:
            line = file.readline(_PASSPHRASE_MAX).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"`{passphrase}` cannot be read, wanted the file of a passphrase") from error
    if not line:
        raise InputError(f"`{passphrase}` is empty, wanted a passphrase in its first line")
    return line
