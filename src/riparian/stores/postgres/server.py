"""How is a server reached, and what is wrong when it is not?

What an error of the server says of rows is not told: its detail holds what was written, which is about people.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final

from pg8000.exceptions import InterfaceError
from pg8000.legacy import Connection as Wire
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from riparian.errors import OutsideError
from riparian.stores.postgres.address import NAME, Address

_TIMEOUT_S: Final = 10.0
"""For a connection to be made."""
_ANSWER_S: Final = 60.0
"""For the answer to a statement, longer than a lock is waited for: a server that stands still is away."""
_IDLE: Final = "300000"  # ms that somebody may hold a transaction without doing anything in it
_AWAY: Final = ("08", "57P01", "57P02", "57P03", "53300", "25006")
"""Connection lost; shutdown; crash; starting up; too many connections; not (yet) the server that is written to."""
_LOCKED: Final = "55P03"
_DENIED: Final = ("28", "42501")


class Away(Exception):  # noqa: N818  it is not told to anybody as it stands
    """The server cannot be reached, or does not take connections at the moment."""


class Refused(Exception):  # noqa: N818  as above
    """The server said no.

    Parameters
    ----------
    code
        What for, as SQLSTATE has it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Wire(Wire):  # type: ignore[misc]
    """A connection that waits so long for an answer and no longer; the other side may be gone when it is closed."""

    def __init__(self, *, answer_s: float, **given: Any) -> None:
        super().__init__(timeout=_TIMEOUT_S, **given)
        self._usock.settimeout(answer_s)

    def close(self) -> None:
        with suppress(InterfaceError, OSError):
            super().close()


def engine_of(address: Address, name: str, **settings: str) -> Engine:
    """Describe how connections are made, one at a time; nothing is connected yet.

    Parameters
    ----------
    name
        By which the server knows the connection.
    settings
        What else is set on each connection.

    Raises
    ------
    InputError
        When the file of the password cannot be read.
    """
    given: dict[str, Any] = {
        "user": address.user,
        "password": address.password() or "",
        "database": address.database,
        "application_name": name,
        "startup_params": {
            "search_path": f"{address.schema}, pg_temp",
            "lock_timeout": str(max(1000, int(address.patience_s * 1000))),
            "idle_in_transaction_session_timeout": _IDLE,
            "extra_float_digits": "1",
            **settings,
        },
    }
    in_folder = address.host.startswith("/")
    if in_folder:
        given["unix_sock"] = f"{address.host}/.s.PGSQL.{address.port}"
    if address.is_encrypted and not in_folder:
        given["ssl_context"] = ssl.create_default_context(cafile=address.authority or None)
    if not in_folder:
        given |= {"host": address.host, "port": address.port}
    make = partial(_Wire, answer_s=address.patience_s + _ANSWER_S, **given)
    return create_engine("postgresql+pg8000://", creator=make, poolclass=NullPool, hide_parameters=True)


def connected(engine: Engine) -> Connection:
    """Connect; what is run is run at once, and transactions are begun by whoever wants one.

    Raises
    ------
    Away, Refused
        As they say.
    """
    with told():
        return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def told() -> Iterator[None]:
    """Turn whatever goes wrong with a server into :class:`Away` or :class:`Refused`, without what was sent."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise _cause(error) from None


def _cause(error: Exception) -> Exception:
    found = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = found.args[0] if found.args else None
    if isinstance(said, dict):
        code, message = str(said.get("C", "")), str(said.get("M", ""))
        return Away(message) if code.startswith(_AWAY) else Refused(code, message)
    if isinstance(found, OSError | InterfaceError):
        return Away(str(found.__cause__ or found))
    return Refused("", type(found).__name__)


@contextmanager
def reported(address: Address, what: str) -> Iterator[None]:
    """Tell whoever asked what went wrong while ``what`` was being done.

    Raises
    ------
    OutsideError
        Whatever it was.
    """
    try:
        yield
    except Away as error:
        raise OutsideError(
            f"{what} failed: {error}",
            hint=f"See that PostgreSQL runs at `{address.url}` (`pg_isready`), then try again.",
        ) from None
    except Refused as error:
        raise OutsideError(f"{what} failed: {error}", hint=_hint(error.code, address)) from None


def _hint(code: str, address: Address) -> str:
    if code == _LOCKED:
        return "Somebody else writes, or holds a lock: look at pg_stat_activity, then try again."
    if code.startswith(_DENIED):
        return f"Look at `{NAME}`, the password, and what the role `{address.user}` may do."
    return "Look at the log of the server, then try again."
