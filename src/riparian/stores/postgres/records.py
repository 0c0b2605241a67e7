"""How are records kept on a server that may restart at any moment, so that nothing is lost and nothing is there twice?

A connection that breaks is made again, with patience and up to a bound.  A question is then asked again.  Of a
transaction every statement is done again, in its order, in a new one; when one of them is answered otherwise than the
first time, somebody else was quicker, and it ends without anything written.  Where the answer to a ``COMMIT`` was
lost, the server is asked what became of it, so that what was written is not written again: with each transaction its
writer leaves the name of it in the table ``writer``.  (The number that the server gives a transaction would not do:
after a crash it may be given to another one.)

One writes at a time: transactions wait for one another at a lock of the schema.
"""

import contextlib
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine

from riparian.errors import InputError, OutsideError
from riparian.stores.postgres.address import Address
from riparian.stores.postgres.server import Away, Refused, connected, engine_of, reported, told
from riparian.stores.recorded import SCHEMA_VERSION, Recorded

_FIRST_S: Final = 0.05
_MOST_S: Final = 2.0
_VALUES: Final = 20_000
"""No more of them go to one statement: the protocol counts them in 15 bits."""
_GROUP: Final = re.compile(r"VALUES \((\?(?:, \?)*)\)")
_ERASED: Final = ("vault", "decision", "event", "chunk")
_WRITES: Final = """WITH old AS (DELETE FROM writer WHERE at < now() - interval '7 days' AND name <> %s)
    INSERT INTO writer (name, last) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET last = excluded.last, at = now()"""
_UNDEFINED: Final = ("42P01", "3F000")

_ABANDONED: Final[list[tuple[Engine, Connection | None]]] = []

T = TypeVar("T")
_Answer = tuple[int, list[tuple[Any, ...]]]


@dataclass(slots=True)
class _Step:
    """A statement of a transaction, and the digest of what it was answered."""

    sql: str
    values: tuple[Any, ...]
    answer: bytes


@dataclass(slots=True)
class _Transaction:
    """What was done in it so far, and by which name it is known."""

    name: str = field(default_factory=lambda: secrets.token_hex(8))
    steps: list[_Step] = field(default_factory=list)


class ServerRecords(Recorded):
    """One connection to the records on a server.

    Parameters
    ----------
    address
        Which.

    Raises
    ------
    InputError
        When there are none, or another version made them.
    OutsideError
        When the server cannot be reached in time, or refuses.
    """

    def __init__(self, address: Address) -> None:
        super().__init__(f"{address.url} {address.schema}")
        self._address = address
        self._begin_anew()
        self._transaction: _Transaction | None = None
        try:
            require_version(self._version(), address)
        except BaseException:
            self.close()
            raise

    def _begin_anew(self) -> None:
        self._name = f"riparian-{secrets.token_hex(8)}"
        self._engine = engine_of(self._address, self._name)
        self._connection: Connection | None = None
        self._process = os.getpid()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """See :class:`riparian.stores.recorded.Recorded`."""
        self._transaction = made = _Transaction()
        try:
            with reported(self._address, "writing to the records"):
                self._patiently(lambda: self._begin(made))
            yield
            with reported(self._address, "writing to the records"):
                self._commit(made)
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._transaction = None

    def run(self, sql: str, *values: Any) -> int:
        """See :class:`riparian.stores.recorded.Recorded`."""
        if self._transaction is None:
            with self.transaction():
                return self.run(sql, *values)
        return self._done(sql, values)[0]

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """See :class:`riparian.stores.recorded.Recorded`."""
        if not rows:
            return
        most = max(1, _VALUES // len(rows[0]))
        for first in range(0, len(rows), most):
            part = rows[first : first + most]
            marks = ", ".join(["(" + ", ".join("?" * len(part[0])) + ")"] * len(part))
            self.run(_GROUP.sub(f"VALUES {marks}", sql, count=1), *(value for row in part for value in row))

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """See :class:`riparian.stores.recorded.Recorded`."""
        return self._done(sql, values)[1]

    def checkpoint(self) -> None:
        """Write the tables anew without what was deleted, where their owner asks for it; others are only told."""
        with reported(self._address, "clearing away what was erased"):
            self._patiently(lambda: self._executed(f"VACUUM (FULL) {', '.join(_ERASED)}", ()))

    def close(self) -> None:
        """See :class:`riparian.stores.recorded.Recorded`."""
        self._let_go()

    def _version(self) -> str | None:
        with reported(self._address, "opening the records"):
            try:
                rows = self._patiently(lambda: self._executed("SELECT version_num FROM alembic_version", ()))[1]
            except Refused as error:
                if error.code not in _UNDEFINED:
                    raise
                return None
        return str(rows[0][0]) if rows else None

    def _done(self, sql: str, values: tuple[Any, ...]) -> _Answer:
        statement, given = sql.replace("?", "%s"), tuple(map(_sent, values))
        with reported(self._address, "reaching the records"):
            made = self._transaction
            if made is None:
                return self._patiently(lambda: self._executed(statement, given))
            try:
                answer = self._in_it(statement, given)
            except Away:
                self._let_go()
                answer = self._patiently(lambda: self._anew(made, statement, given))
            made.steps.append(_Step(statement, given, _digest(answer)))
            return answer

    def _patiently(self, do: Callable[[], T]) -> T:
        """Do it, again while the server is away."""
        until_s, wait_s = time.monotonic() + self._address.patience_s, _FIRST_S
        while True:
            try:
                return do()
            except Away as error:
                self._let_go()
                if time.monotonic() + wait_s > until_s:
                    raise Away(f"{error}, for {self._address.patience_s:g} seconds") from None
                time.sleep(wait_s)
                wait_s = min(2 * wait_s, _MOST_S)

    def _begin(self, made: _Transaction) -> None:
        """Begin a transaction, and do again what was done in it before the connection was lost."""
        self._locked()
        self._do_again(made)

    def _anew(self, made: _Transaction, statement: str, given: tuple[Any, ...]) -> _Answer:
        self._begin(made)
        return self._executed(statement, given)

    def _locked(self) -> None:
        self._executed("BEGIN ISOLATION LEVEL READ COMMITTED", ())
        # Whoever writes waits here; the oid of a table is another one in each schema.
        self._executed("SELECT pg_advisory_xact_lock('note'::regclass::oid::bigint)", ())

    def _do_again(self, made: _Transaction) -> None:
        self._executed(_WRITES, (self._name, self._name, made.name))
        for step in made.steps:
            if _digest(self._executed(step.sql, step.values)) != step.answer:
                raise OutsideError(
                    "the server was away, and somebody else wrote to the records meanwhile, wanted nobody to",
                    hint="Nothing of this was written: try again.",
                )

    def _commit(self, made: _Transaction) -> None:
        try:
            self._in_it("COMMIT", ())
        except Away:
            self._let_go()
            self._patiently(lambda: self._commit_once(made))

    def _commit_once(self, made: _Transaction) -> None:
        """Commit what may be committed already; at the lock, whoever was in the middle of it has ended."""
        self._locked()
        written = self._executed("SELECT 1 FROM writer WHERE name = %s AND last = %s", (self._name, made.name))[1]
        if not written:
            self._do_again(made)
        self._executed("COMMIT", ())

    def _roll_back(self) -> None:
        if self._connection is not None:
            try:
                self._executed("ROLLBACK", ())
            except (Away, Refused):
                self._let_go()

    def _in_it(self, statement: str, values: tuple[Any, ...]) -> _Answer:
        # What is run on a new connection would be in no transaction.
        if self._connection is None or self._process != os.getpid():
            raise Away("the connection was lost")
        return self._executed(statement, values)

    def _executed(self, statement: str, values: tuple[Any, ...]) -> _Answer:
        connection = self._connected()
        with told():
            result = connection.exec_driver_sql(statement, values)
            rows = [tuple(row) for row in result] if result.returns_rows else []
            return result.rowcount, rows

    def _connected(self) -> Connection:
        if self._process != os.getpid():
            # Of the process that we are a copy of, where it is still in use: it is not even closed here.
            _ABANDONED.append((self._engine, self._connection))
            self._begin_anew()
        if self._connection is None:
            self._connection = connected(self._engine)
            # A connection that was lost on the way may live on over there, and hold the lock.
            self._executed(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = %s AND pid <> pg_backend_pid()",
                (self._name,),
            )
        return self._connection

    def _let_go(self) -> None:
        if self._connection is not None and self._process == os.getpid():
            connection, self._connection = self._connection, None
            with contextlib.suppress(Away, Refused), told():
                connection.invalidate()
                connection.close()


def require_version(version: str | None, address: Address) -> None:
    """Refuse records of another version than ours; InputError."""
    if version is None:
        raise InputError(
            f"`{address.url}` has no records in the schema `{address.schema}`, wanted those of this workspace",
            hint="Move them there with `riparian records move`, or restore them from a backup of the server.",
        )
    if version != str(SCHEMA_VERSION):
        raise InputError(
            f"the records have schema version {version}, wanted {SCHEMA_VERSION}",
            hint="Run `riparian records upgrade`, or use the version of Riparian that made them.",
        )


def _sent(value: Any) -> Any:
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, str) and "\0" in value:
        raise InputError(
            "a text holds the character NUL, wanted one that PostgreSQL can keep", hint="Write it without."
        )
    return value


def _digest(answer: _Answer) -> bytes:
    made = hashlib.blake2b(str(answer[0]).encode(), digest_size=16)
    for row in answer[1]:
        for value in row:
            made.update(value if isinstance(value, bytes) else repr(value).encode())
            made.update(b"\x1f")
    return made.digest()
