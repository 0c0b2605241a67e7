"""Where do the records of a workspace lie, when they lie on a server?

``records.toml`` in the workspace says so::

    url = "postgresql://riparian@db.example.org/riparian"
    schema = "riparian"
    password_file = "/run/credentials/riparian/postgres"
    patience_s = 60

A password stands in no address and on no command line, where others would read it: it is in a file of its own, or in
the environment as ``RIPARIAN_POSTGRES_PASSWORD``.  Beyond this machine a connection is encrypted, and the server shows
a certificate for its name (``?sslmode=verify-full``, which need not be said); ``?sslmode=disable`` says otherwise.
A socket is named by its folder: ``postgresql://riparian@/riparian?host=/run/postgresql``.
"""

import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from riparian.errors import InputError, PolicyError
from riparian.stores.files import write_whole

NAME: Final = "records.toml"
PASSWORD: Final = "RIPARIAN_POSTGRES_PASSWORD"  # noqa: S105  the name of a variable
PATIENCE_S: Final = 60.0
_KEYS: Final = frozenset({"url", "schema", "password_file", "patience_s"})
_QUERY: Final = frozenset({"host", "sslmode", "sslrootcert"})
_MODES: Final = ("verify-full", "disable")
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_HERE: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})
_LONGEST_S: Final = 3600.0
_PORT: Final = 5432


@dataclass(frozen=True, slots=True)
class Address:
    """Which server, and as whom.

    Parameters
    ----------
    user, host, port, database
        As an address has them; the host is a folder where the server is asked through a socket.
    schema
        In which the tables are.
    is_encrypted
        Whether the server has to show a certificate for its name.
    authority
        A file of certificates that it is checked against; empty for those of the system.
    password_file
        Whose first line is the password; empty for the environment.
    patience_s
        How long a server that is away is waited for.
    """

    user: str
    host: str
    port: int
    database: str
    schema: str = "riparian"
    is_encrypted: bool = False
    authority: str = ""
    password_file: str = ""
    patience_s: float = PATIENCE_S

    @property
    def url(self) -> str:
        """As it is written, without any password.

        Examples
        --------
        >>> parse_address({"url": "postgresql://riparian@/records?host=/run/postgresql"}).url
        'postgresql://riparian@/records?host=/run/postgresql'
        """
        user, database = quote(self.user, safe=""), quote(self.database, safe="")
        if self.host.startswith("/"):
            port = f":{self.port}" if self.port != _PORT else ""
            return f"postgresql://{user}@{port}/{database}?host={quote(self.host)}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        said = []
        if self.is_encrypted != (self.host not in _HERE):
            said.append(f"sslmode={_MODES[not self.is_encrypted]}")
        if self.authority:
            said.append(f"sslrootcert={quote(self.authority)}")
        return f"postgresql://{user}@{host}:{self.port}/{database}{'?' * bool(said)}{'&'.join(said)}"

    def password(self) -> str | None:
        """Read the password; None where none is given.

        Raises
        ------
        InputError
            When its file cannot be read.
        """
        if not self.password_file:
            return os.environ.get(PASSWORD)
        try:
            return Path(self.password_file).read_text(encoding="utf-8").partition("\n")[0]
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"`{self.password_file}` cannot be read, wanted the password of `{self.user}` as its first line",
                hint=f"Look at `password_file` in {NAME}.",
            ) from error


def parse_address(said: Mapping[str, Any], where: str = NAME) -> Address:
    """Read what the file says.

    Raises
    ------
    PolicyError
        When a key is unknown, or what it says is not what it should be.

    Examples
    --------
    >>> parse_address({"url": "postgresql://riparian@db.example.org/riparian"}).is_encrypted
    True
    """
    odd = sorted(set(said) - _KEYS)
    if odd:
        wanted = ", ".join(f"`{key}`" for key in sorted(_KEYS))
        raise PolicyError(f"`{odd[0]}` is no key of `{where}`, wanted some of {wanted}", hint=f"Remove {odd[0]}.")
    schema, file, patience = said.get("schema", "riparian"), said.get("password_file", ""), said.get("patience_s", 60)
    if not isinstance(schema, str) or not _NAME.fullmatch(schema):
        raise PolicyError(f"`schema` in `{where}` is `{schema}`, wanted small letters, digits and `_`")
    if not isinstance(file, str):
        raise PolicyError(f"`password_file` in `{where}` is `{file}`, wanted a path")
    if isinstance(patience, bool) or not isinstance(patience, int | float) or not 0 <= patience <= _LONGEST_S:
        raise PolicyError(f"`patience_s` in `{where}` is `{patience}`, wanted seconds, no more than {_LONGEST_S:g}")
    return _parsed(said.get("url"), where, schema=schema, password_file=file, patience_s=float(patience))


def _parsed(url: object, where: str, **more: Any) -> Address:
    wanted = PolicyError(
        f"`url` in `{where}` is no address of PostgreSQL, wanted postgresql://USER@HOST[:PORT]/DATABASE",
        hint=f"A password is in `password_file`, or in {PASSWORD}; behind `?` stand host, sslmode, sslrootcert.",
    )
    if not isinstance(url, str):
        raise wanted
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        port = parts.port or _PORT
    except ValueError:
        raise wanted from None
    if parts.password is not None:
        # It is not shown: whoever reads the error may be anybody.
        raise PolicyError(
            f"`url` in `{where}` has a password in it, wanted none: others read addresses",
            hint=f"Put it into a file and name that as `password_file`, or into {PASSWORD}.",
        )
    database, host = unquote(parts.path.removeprefix("/")), query.get("host", parts.hostname or "")
    mode = query.get("sslmode", _MODES[host in _HERE or host.startswith("/")])
    if (
        parts.scheme not in {"postgresql", "postgres"}
        or not (parts.username and database and host)
        or "/" in database
        or not set(query) <= _QUERY
        or mode not in _MODES
        or parts.fragment
    ):
        raise wanted
    is_encrypted, authority = mode == _MODES[0], query.get("sslrootcert", "")
    user = unquote(parts.username)
    return Address(user, host, port, database, is_encrypted=is_encrypted, authority=authority, **more)


def read_address(workspace: Path) -> Address | None:
    """Read on which server the records of a workspace lie; None where they lie in its folder.

    Raises
    ------
    InputError
        When the file cannot be read.
    PolicyError
        When it is not what it should be.
    """
    try:
        text = (workspace / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"`{NAME}` cannot be read, wanted the address of the records") from error
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"`{NAME}` is no TOML: {error}, wanted lines of key = value") from error
    return parse_address(said)


def write_address(workspace: Path, address: Address) -> None:
    """Say from now on that the records lie there."""
    said: dict[str, str] = {"url": address.url, "schema": address.schema}
    if address.password_file:
        said["password_file"] = address.password_file
    text = "".join(f'{key} = "{_escaped(value)}"\n' for key, value in said.items())
    if not math.isclose(address.patience_s, PATIENCE_S):
        text += f"patience_s = {address.patience_s:g}\n"
    write_whole(workspace / NAME, lambda file: file.write(text.encode()))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
