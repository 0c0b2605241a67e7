"""Where is what the last commit made visible?

The tally of a bucket and the tables beside it are one file.  Decisions are rows of the database,
because people change them one at a time, while scans run.
"""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from riparian.codes import BUCKETS
from riparian.errors import LifecycleError
from riparian.gate.decide import Decision, from_table, to_table
from riparian.gate.holds import Change, Event, Step
from riparian.gate.policy import Restraint
from riparian.ports import SHARED, Arrays, Place
from riparian.stores.drawers import read_arrays, read_table
from riparian.stores.files import reaching
from riparian.stores.folder import Folder
from riparian.stores.recorded import signed

_IN_FORCE: Final = """WHERE account IN (
    SELECT account FROM decision WHERE -restraint < 0 AND -restraint >= ? AND until_us > ?
    AND (-restraint, -bits, account) > (?, ?, ?) ORDER BY -restraint, -bits, account LIMIT ?)"""
_COUNTED: Final = "SELECT -restraint, count(*) FROM decision WHERE -restraint < 0 AND until_us > ? GROUP BY -restraint"
"""Written as the index ``decision_strongest`` is, so that it answers."""


def joined(tables: list[pa.Table | None]) -> pa.Table | None:
    """Put the tables of all buckets under one another; None where no bucket has one."""
    there = [table for table in tables if table is not None]
    return pa.concat_tables(there) if there else None


def require_current(change: Change, current: Decision | None, logged: int) -> None:
    """Refuse a change that starts from what is no longer so; LifecycleError."""
    if current != change.before or change.logged not in (None, logged):
        raise LifecycleError(
            "the decision is no longer the one that was looked at, wanted the current one",
            hint="Look again with `riparian hold list`.",
        )


class FolderTallies:
    """``ports.Tallies`` in a folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def load(self, bucket: int) -> Arrays | None:
        """See ``ports.Tallies``."""
        return self._folder.visible(bucket, read_arrays)


class FolderFindings:
    """``ports.Findings`` in a folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def table(self, name: str) -> pa.Table | None:
        """See ``ports.Findings``."""
        return joined([self.in_bucket(name, bucket) for bucket in (*range(BUCKETS), SHARED)])

    def in_bucket(self, name: str, bucket: int) -> pa.Table | None:
        """See ``ports.Findings``."""
        return self._folder.visible(bucket, lambda path: read_table(path, name))


class FolderDecisions:
    """``ports.Decisions`` in a folder."""

    def __init__(self, folder: Folder) -> None:
        self._records = folder.records

    def table(self) -> pa.Table:
        """See ``ports.Decisions``."""
        with reaching("reading decisions"):
            return self._records.decisions()

    def of(self, account: int) -> Decision | None:
        """See ``ports.Decisions``."""
        with reaching("reading a decision"):
            found = from_table(self._records.decisions("WHERE account = ?", signed(account)))
            return found[0] if found else None

    def record(self, *changes: Change) -> None:
        """See ``ports.Decisions``."""
        with reaching("recording a change"), self._records.transaction():
            for change in changes:
                account = change.event.account
                logged = self._records.number("SELECT count(*) FROM event WHERE account = ?", signed(account))
                require_current(change, self.of(account), logged)
                self._records.put_decisions(to_table([change.after]))
                self._records.put_events([change.event])

    def in_force(self, now_us: int, *, after: Place | None = None, limit: int) -> list[Decision]:
        """See ``ports.Decisions``."""
        # Nothing has a restraint of more than any.
        restraint, bits, account = after if after is not None else (1 << 8, 0.0, 0)
        place = -restraint, now_us, -restraint, -bits, signed(account)
        with reaching("reading decisions"):
            found = from_table(self._records.decisions(_IN_FORCE, *place, limit))
        return sorted(found, key=lambda d: (-d.restraint, -d.bits, signed(d.account)))

    def counted(self, now_us: int) -> Mapping[Restraint, int]:
        """See ``ports.Decisions``."""
        with reaching("counting decisions"):
            return {Restraint(-restraint): n for restraint, n in self._records.rows(_COUNTED, now_us)}

    def events(self, account: int) -> list[Event]:
        """See ``ports.Decisions``."""
        with reaching("reading events"):
            return self._records.events("WHERE account = ?", signed(account))

    def log(self, *steps: Step) -> list[Event]:
        """See ``ports.Decisions``."""
        where = f"WHERE step IN ({', '.join('?' * len(steps))})" if steps else ""
        with reaching("reading events"):
            return sorted(self._records.events(where, *map(str, steps)), key=lambda event: event.at_us)

    def version(self) -> tuple[int, ...]:
        """See ``ports.Decisions``."""
        # A scan commits a generation, a person's step is an event, and who is erased leaves both tables.
        with reaching("looking at decisions"):
            number = self._records.number
            return (
                number("SELECT max(generation) FROM scan WHERE summary IS NOT NULL"),
                number("SELECT max(id) FROM event"),
                number("SELECT count(*) FROM decision"),
            )
