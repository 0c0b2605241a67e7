"""What is asked of a workspace's records, whichever database keeps them?

The statements are those that SQLite and PostgreSQL read alike, with ``?`` for each value; what a database has of its
own is in its adapter: :mod:`riparian.stores.records` and :mod:`riparian.stores.postgres`.
"""

# ruff: noqa: S608  only names of our own columns are put into statements

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import numpy as np
import pyarrow as pa

from riparian.gate.decide import DECISION, Decision, from_table
from riparian.gate.holds import Event, Step
from riparian.gate.policy import Restraint

SCHEMA_VERSION: Final = 3
"""Of the tables, in every database."""


def signed(code: int) -> int:
    """Fold a code into the signed 64 bits that databases have.

    Examples
    --------
    >>> signed(2**63), unsigned(signed(2**63)) == 2**63
    (-9223372036854775808, True)
    """
    return code - (1 << 64) if code >= 1 << 63 else code


def unsigned(number: int) -> int:
    """Unfold what :func:`signed` folded."""
    return number + (1 << 64) if number < 0 else number


class Recorded(ABC):
    """One connection to the database of a workspace.

    Parameters
    ----------
    place
        Where it is, for whoever keeps what was read of it.
    """

    def __init__(self, place: str) -> None:
        self.place = place

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All of what is done inside, or nothing; nobody else writes meanwhile."""

    @abstractmethod
    def run(self, sql: str, *values: Any) -> int:
        """Do one statement; the number of rows it changed."""

    @abstractmethod
    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Do one statement for each row of values."""

    @abstractmethod
    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask for rows."""

    @abstractmethod
    def checkpoint(self) -> None:
        """See that what was erased is in no file of the database."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    def number(self, sql: str, *values: Any) -> int:
        """Ask for one whole number; 0 where there is none."""
        rows = self.rows(sql, *values)
        return int(rows[0][0]) if rows and rows[0][0] is not None else 0

    def note(self, name: str) -> bytes | None:
        """Read a single value."""
        found = self.rows("SELECT value FROM note WHERE name = ?", name)
        return bytes(found[0][0]) if found else None

    def keep_note(self, name: str, value: bytes) -> None:
        """Write a single value."""
        self.run("INSERT INTO note VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)

    def forget_drafts(self) -> None:
        """Throw the generation in the making away; its chunks stay staged.  Inside a transaction."""
        self.run("DELETE FROM draft")
        self.run("DELETE FROM scan WHERE summary IS NULL")
        self.run("UPDATE chunk SET generation = NULL WHERE file IS NOT NULL")

    def decisions(self, where: str = "", *values: Any) -> pa.Table:
        """Read current decisions, in the order of accounts."""
        names = ", ".join(DECISION.names)
        rows = self.rows(f"SELECT {names} FROM decision {where}", *values)
        # Column by column: there may be a hundred thousand, and they are read whenever one has changed.
        columns: dict[str, Any] = dict(
            zip(DECISION.names, zip(*rows, strict=True) if rows else [()] * len(DECISION), strict=True)
        )
        columns["account"] = np.array(columns["account"], np.int64).view(np.uint64)
        columns["because"] = [json.loads(because) for because in columns["because"]]
        columns["applied"] = np.array(columns["applied"], np.bool_)
        return pa.table(columns, schema=DECISION).sort_by("account")

    def put_decisions(self, decisions: pa.Table) -> None:
        """Write decisions over those of the same accounts."""
        rows = [[_plain(d, name) for name in DECISION.names] for d in from_table(decisions)]
        marks = ", ".join("?" * len(DECISION.names))
        anew = ", ".join(f"{name} = excluded.{name}" for name in DECISION.names)
        self.run_many(
            f"INSERT INTO decision ({', '.join(DECISION.names)}) VALUES ({marks})"
            f" ON CONFLICT (account) DO UPDATE SET {anew}",
            rows,
        )

    def events(self, where: str = "", *values: Any) -> list[Event]:
        """Read the log, in the order in which it was written."""
        rows = self.rows(
            f"SELECT account, at_us, step, restraint, until_us, person, reason, ring FROM event {where} ORDER BY id",
            *values,
        )
        return [
            Event(unsigned(account), at_us, Step(step), Restraint(restraint), until_us, person, reason, unsigned(ring))
            for account, at_us, step, restraint, until_us, person, reason, ring in rows
        ]

    def put_events(self, events: Sequence[Event]) -> None:
        """Add to the log."""
        rows = [
            (signed(e.account), e.at_us, str(e.step), int(e.restraint), e.until_us, e.person, e.reason, signed(e.ring))
            for e in events
        ]
        self.run_many(
            "INSERT INTO event (account, at_us, step, restraint, until_us, person, reason, ring)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def _plain(decision: Decision, name: str) -> object:
    if name == "account":
        return signed(decision.account)
    if name == "because":
        return json.dumps(decision.because)
    value = getattr(decision, name)
    return int(value) if isinstance(value, bool | Restraint) else value
