"""How does a ledger of jobs outlive whoever works by it?

In ``jobs.sqlite``, a row a task; what came of a task stands in its row, beside its SHA-256.  What is written is written
all or not at all.  It is in the hands of the system, not yet on disk, when it counts: a killed process loses nothing
of it, and what a loss of power takes is done again.

A lease has an owner and an end.  The owner renews it while it lives, and holds a lock on a file of its name, which the
system lets go when it dies: so what a killed process was at is free at once, and what one on another machine was at is
free when its lease ends.  An owner whose lease somebody else took writes nothing down any more.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from riparian import errors
from riparian.errors import OutsideError, RiparianError
from riparian.ports import Clock
from riparian.ports.jobs import Entry, State
from riparian.stores.files import reaching
from riparian.stores.one_file import Layout, OneFile

NAME: Final = "jobs.sqlite"
LEASE_S: Final = 60.0
KEPT_DAYS: Final = 30
"""What nobody came back for in so long is struck out."""
_ALIVE: Final = ".alive"
_DAY_US: Final = 86_400_000_000
_TABLES: Final = """
CREATE TABLE task (
    seq INTEGER PRIMARY KEY, job TEXT NOT NULL, name TEXT NOT NULL, fingerprint TEXT NOT NULL, state TEXT NOT NULL,
    at_us INTEGER NOT NULL, owner TEXT, until_us INTEGER, attempts INTEGER NOT NULL DEFAULT 0, error TEXT, digest BLOB,
    result BLOB, UNIQUE (job, name));
CREATE INDEX task_in_state ON task (job, state, seq);
"""
_LAYOUT: Final = Layout(
    "the ledger of jobs",
    NAME,
    0x5249504A,  # RIPJ
    1,
    tuple(_TABLES.split(";")),
    ("synchronous = NORMAL", "secure_delete = ON"),
)


class SqlLedger:
    """``ports.jobs.Ledger`` in SQLite.

    Parameters
    ----------
    folder
        Where the file is, once anything was entered; None for memory.
    clock
        What time it is; the same one for all who take part.
    lease_s
        How long a lease lasts that nobody renews.

    Whatever it does raises ``InputError`` when another version made the file, and ``OutsideError`` when the disk
    refuses or the file is damaged.
    """

    def __init__(self, folder: Path | None, clock: Clock, *, lease_s: float = LEASE_S) -> None:
        self._folder, self._clock, self._lease_s = folder, clock, lease_s
        self._opened: OneFile | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @property
    def _file(self) -> OneFile:
        # Most verbs run nothing under a ledger, and shall not leave one behind.
        if self._opened is None:
            try:
                self._opened = OneFile(self._folder, _LAYOUT)
            except OutsideError as error:
                raise _torn(self._folder, error) from error
        return self._opened

    def _rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        return self._file.rows(query, *given)

    def _writing(self) -> contextlib.AbstractContextManager[Callable[..., sqlite3.Cursor]]:
        return self._file.writing()

    @contextlib.contextmanager
    def join(self) -> Iterator[str]:
        """See ``ports.jobs.Ledger``."""
        owner = secrets.token_hex(8)
        self._free()
        with contextlib.ExitStack() as stack:
            if self._folder is not None:
                stack.enter_context(_alive(self._folder, owner))
                stack.enter_context(self._renewed(self._folder, owner))
            try:
                yield owner
            finally:
                with contextlib.suppress(OutsideError), self._writing() as run:
                    run("UPDATE task SET state = ?, owner = NULL WHERE owner = ?", (State.WAITING, owner))

    def enter(self, job: str, tasks: Sequence[tuple[str, str]]) -> None:
        """See ``ports.jobs.Ledger``."""
        now_us = self._clock.now_us()
        with self._writing() as run:
            run("DELETE FROM task WHERE at_us < ? AND state <> ?", (now_us - KEPT_DAYS * _DAY_US, State.LEASED))
            for name, fingerprint in tasks:
                run(
                    "INSERT INTO task (job, name, fingerprint, state, at_us) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (job, name) DO UPDATE SET fingerprint = excluded.fingerprint, state = excluded.state,"
                    " at_us = excluded.at_us, owner = NULL, until_us = NULL, attempts = 0, error = NULL, digest = NULL,"
                    " result = NULL WHERE task.fingerprint <> excluded.fingerprint",
                    (job, name, fingerprint, State.WAITING, now_us),
                )

    def open(self, job: str) -> list[str]:
        """See ``ports.jobs.Ledger``."""
        self._free()
        waiting = self._rows("SELECT name FROM task WHERE job = ? AND state = ? ORDER BY seq", job, State.WAITING)
        return [name for (name,) in waiting]

    def lease(self, job: str, names: Iterable[str], owner: str, n: int) -> list[str]:
        """See ``ports.jobs.Ledger``."""
        leased: list[str] = []
        now_us = self._clock.now_us()
        each = iter(names)
        with self._writing() as run:
            while len(leased) < n and (name := next(each, None)) is not None:
                taken = run(
                    "UPDATE task SET state = ?, owner = ?, until_us = ?, at_us = ?"
                    " WHERE job = ? AND name = ? AND state = ?",
                    (State.LEASED, owner, self._until(now_us), now_us, job, name, State.WAITING),
                )
                leased += [name] * taken.rowcount
        return leased

    def done(self, job: str, owner: str, results: Sequence[tuple[str, bytes]]) -> None:
        """See ``ports.jobs.Ledger``."""
        now_us = self._clock.now_us()
        with self._writing() as run:
            for name, result in results:
                run(
                    "UPDATE task SET state = ?, owner = NULL, until_us = NULL, at_us = ?, digest = ?, result = ?"
                    " WHERE job = ? AND name = ? AND owner = ?",
                    (State.DONE, now_us, _digest(result), result, job, name, owner),
                )

    def failed(self, job: str, owner: str, name: str, error: RiparianError, *, most: int) -> None:
        """See ``ports.jobs.Ledger``."""
        told = json.dumps([type(error).__name__, error.message, error.hint])
        with self._writing() as run:
            run(
                "UPDATE task SET state = CASE WHEN attempts + 1 < ? THEN ? ELSE ? END, attempts = attempts + 1,"
                " owner = NULL, until_us = NULL, error = ? WHERE job = ? AND name = ? AND owner = ?",
                (most, State.WAITING, State.GIVEN_UP, told, job, name, owner),
            )

    def again(self, job: str, name: str) -> None:
        """See ``ports.jobs.Ledger``."""
        with self._writing() as run:
            run(
                "UPDATE task SET state = ?, digest = NULL, result = NULL WHERE job = ? AND name = ? AND state = ?",
                (State.WAITING, job, name, State.DONE),
            )

    def read(self, job: str, name: str) -> Entry | None:
        """See ``ports.jobs.Ledger``."""
        rows = self._rows(
            "SELECT fingerprint, state, attempts, digest, result, error FROM task WHERE job = ? AND name = ?", job, name
        )
        if not rows:
            return None
        fingerprint, state, attempts, digest, result, error = rows[0]
        is_whole = isinstance(result, bytes) and _digest(result) == digest
        return Entry(
            fingerprint,
            State(state),
            attempts,
            result if is_whole else None,
            _error(error) if state == State.GIVEN_UP else None,
        )

    def forget(self, job: str, names: Iterable[str]) -> None:
        """See ``ports.jobs.Ledger``."""
        with self._writing() as run:
            for name in names:
                run("DELETE FROM task WHERE job = ? AND name = ?", (job, name))

    def counts(self, job: str) -> dict[State, int]:
        """See ``ports.jobs.Ledger``."""
        rows = self._rows("SELECT state, count(*) FROM task WHERE job = ? GROUP BY state", job)
        return {State(state): n for state, n in rows}

    def _until(self, now_us: int) -> int:
        return now_us + round(self._lease_s * 1e6)

    @contextlib.contextmanager
    def _renewed(self, folder: Path, owner: str) -> Iterator[None]:
        ends = threading.Event()

        def beat() -> None:
            # Not the connection of the one who works, which may be in a transaction.
            with contextlib.ExitStack() as stack:
                file: OneFile | None = None
                while not ends.wait(self._lease_s / 3):
                    with contextlib.suppress(RiparianError):
                        file = file or stack.enter_context(contextlib.closing(OneFile(folder, _LAYOUT)))
                        until_us = self._until(self._clock.now_us())
                        with file.writing() as run:
                            run("UPDATE task SET until_us = ? WHERE owner = ?", (until_us, owner))

        heart = threading.Thread(target=beat, daemon=True)
        heart.start()
        try:
            yield
        finally:
            ends.set()
            heart.join()

    def _free(self) -> None:
        """Give back what is leased to those who are gone."""
        rows = self._rows("SELECT owner, min(until_us) FROM task WHERE state = ? GROUP BY owner", State.LEASED)
        now_us = self._clock.now_us()
        gone = [
            owner
            for owner, until_us in rows
            if until_us < now_us or (self._folder is not None and _is_dead(self._folder, owner))
        ]
        if not gone:
            return
        with self._writing() as run:
            for owner in gone:
                run(
                    "UPDATE task SET state = ?, owner = NULL, until_us = NULL WHERE owner = ? AND state = ?",
                    (State.WAITING, owner, State.LEASED),
                )


@contextlib.contextmanager
def _alive(folder: Path, owner: str) -> Iterator[None]:
    """Hold the lock by which others see that an owner lives; remove what those left who do not."""
    for path in folder.glob(f"*{_ALIVE}"):
        if _is_dead(folder, path.stem):
            path.unlink(missing_ok=True)
    path = folder / f"{owner}{_ALIVE}"
    with reaching("joining the ledger of jobs"):
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _is_dead(folder: Path, owner: str) -> bool:
    """Say whether a process of this machine is known to be gone; of others the end of the lease tells."""
    try:
        handle = os.open(folder / f"{owner}{_ALIVE}", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(handle)


def _digest(result: bytes) -> bytes:
    return hashlib.sha256(result).digest()


def _error(told: str) -> RiparianError:
    kind, message, hint = json.loads(told)
    made: Any = getattr(errors, kind, OutsideError)
    error: RiparianError = made(message, hint=hint)
    return error


def _torn(folder: Path | None, error: OutsideError) -> OutsideError:
    return OutsideError(
        f"the ledger of jobs `{NAME if folder is None else folder / NAME}` cannot be opened: {error.message}",
        hint="Look at the disk; where the file is damaged, remove it: what is done is done again, and nothing is lost.",
    )
