"""Who works at the console, and who else vouches for people?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from riparian.assembly.world import Given, toml_of
from riparian.errors import InputError, PolicyError
from riparian.ports.staff import Staff
from riparian.stores.sessions import SqlSessions

_ISSUER: Final = ("issuer", "client_id", "secret_file")
_MAY: Final = ("acr",)
_UPLOADS: Final = {"upload_mib": 16 << 10, "upload_days": 365}
"""The most that may be written for each."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """How large a file that is brought to the console may be, and for how long it is kept.

    Parameters
    ----------
    mib
        Of 1,048,576 octets.
    days
        After so many it is deleted, and what was found of it, too.
    """

    mib: int = 512
    days: int = 7


@contextmanager
def staff(given: Given) -> Iterator[Staff]:
    """Open the list of who works at the console.

    Raises
    ------
    InputError
        When the workspace was made by another version.
    """
    sessions = SqlSessions(given.workspace)
    try:
        yield sessions
    finally:
        sessions.close()


def read_issuer(given: Given) -> dict[str, str]:
    """Read who issues identities: ``issuer``, ``client_id``, ``client_secret``, ``acr``; nothing where nobody does.

    Raises
    ------
    PolicyError
        When ``console.toml`` is not what it should be.
    InputError
        When the file of the secret cannot be read.
    """
    found = given.workspace / "console.toml"
    if not found.exists():
        return {}
    said = toml_of(found)
    settings = {name: value for name, value in said.items() if name not in _UPLOADS}
    if said and not settings:
        return {}
    odd = sorted({*settings, *_MAY} ^ {*_ISSUER, *_MAY})
    if odd or not all(isinstance(value, str) and value for value in settings.values()):
        raise PolicyError(
            f"`{odd[0] if odd else found.name}` in `{found.name}` is not as wanted, wanted"
            " `issuer`, `client_id` and `secret_file`, each a text, and perhaps `acr`",
            hint="Write these, or remove the file.",
        )
    try:
        secret = (given.workspace / settings["secret_file"]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"`{settings['secret_file']}`, which `{found.name}` names, cannot be read, wanted a secret in one line",
            hint="Write its path as seen from the workspace.",
        ) from error
    named = {name: settings.get(name, "") for name in ("issuer", "client_id", *_MAY)}
    return {**named, "client_secret": secret}


def read_uploads(given: Given) -> Uploads:
    """Read what ``console.toml`` says of files that are brought.

    Raises
    ------
    PolicyError
        When it says something else than a number of each.
    """
    found = given.workspace / "console.toml"
    said: dict[str, Any] = toml_of(found) if found.exists() else {}
    for name, most in _UPLOADS.items():
        value = said.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise PolicyError(f"`{name}` in `{found.name}` is `{value}`, wanted a number from 1 to {most:,}")
    usual = Uploads()
    return Uploads(said.get("upload_mib", usual.mib), said.get("upload_days", usual.days))
