"""Where does what happened in cases stand, so that many may write at once and nothing is lost?

One SQLite database in the workspace.  Whoever writes holds it for as long as it takes to look at the last event, sign
the next and synchronise; whoever reads never waits.  A row is the line of one event, and nothing but the line counts.

::

    event    seq    place among everything that was written        "case", number   place in its case
             line   the event, signed; see riparian.cases.events
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from riparian.cases.events import PEOPLE, Event, Hand, Person, Proposed, chained, people_of, read_event, written
from riparian.cases.merkle import Head, leaf, root
from riparian.errors import CustodyError, InputError
from riparian.ports.world import Clock
from riparian.stores.one_file import Layout, OneFile
from riparian.stores.secret_file import SecretFile
from riparian.stores.signing_keys import SigningKey

NAME: Final = "cases.sqlite"
_KEY: Final = "cases.json"
_PATIENCE_S: Final = 120.0
_TABLES: Final = """
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, "case" TEXT NOT NULL, number INTEGER NOT NULL, line BLOB NOT NULL,
    UNIQUE ("case", number))
"""
_LAYOUT: Final = Layout("the cases", NAME, 0x52434153, 1, (_TABLES,))  # RCAS


@dataclass(frozen=True, slots=True)
class Checked:
    """The events of a case that were checked, and the line of the last one."""

    events: tuple[Event, ...]
    line: bytes


class SqlCases:
    """``ports.cases.Cases`` in ``cases.sqlite``.

    Parameters
    ----------
    folder
        The workspace; it is made where it is missing.
    known
        What was checked already, for whoever opens the same file often: what is given out is what was checked, and
        where its last line is another one by now, all of it is checked anew.
    """

    def __init__(self, folder: Path, clock: Clock, known: dict[str, Checked] | None = None) -> None:
        self._clock = clock
        self._file = OneFile(folder, _LAYOUT, patience_s=_PATIENCE_S)
        self._connection, self._rows, self._writing = self._file.connection, self._file.rows, self._file.writing
        self._signing = SigningKey(
            SecretFile(
                folder / _KEY,
                "key of the cases",
                leaked="begin a new workspace, and say in it why.",
                lost=f"Restore {_KEY} from a backup.",
            )
        )
        self._hand = Hand(self._signing.public(), self._signing.sign)
        self._known = known if known is not None else {}

    def close(self) -> None:
        """Close the database."""
        self._file.close()

    @property
    def key(self) -> str:
        """See ``ports.cases.Cases``."""
        return self._hand.key

    def open(self, proposed: Sequence[Proposed]) -> str:
        """See ``ports.cases.Cases``."""
        with self._writing():
            (n_cases,) = self._one('SELECT COUNT(*) FROM event WHERE number = 0 AND "case" != ?', PEOPLE)
            case = f"C{n_cases + 1}"
            self._write(case, proposed)
        return case

    def append(self, case: str, proposed: Sequence[Proposed], *, length: int | None = None) -> tuple[Event, ...]:
        """See ``ports.cases.Cases``."""
        with self._writing():
            stands = self._length(case)
            if stands == 0 and case != PEOPLE:
                raise _no_case(case)
            if length is not None and stands != length:
                return ()
            return self._write(case, proposed)

    def read(self, case: str, *, since: int = 0) -> tuple[Event, ...]:
        """See ``ports.cases.Cases``.  What was checked once by this object is not checked again."""
        known = self._known.get(case)
        lines = self._lines(case, len(known.events) - 1 if known else 0)
        if known and lines[:1] != [known.line]:
            known, lines = None, self._lines(case, 0)
        if not lines and case != PEOPLE:
            raise _no_case(case)
        if known is None:
            events = chained(lines, case, self.key)
        else:
            events = (*known.events, *_following(known.events[-1], lines[1:])) if lines[1:] else known.events
        if lines:
            self._known[case] = Checked(events, lines[-1])
        return events[since:]

    def keys(self) -> tuple[str, ...]:
        """See ``ports.cases.Cases``."""
        rows = self._rows('SELECT "case" FROM event WHERE number = 0 AND "case" != ? ORDER BY seq', PEOPLE)
        return tuple(str(case) for (case,) in rows)

    def people(self) -> Mapping[str, Person]:
        """See ``ports.cases.Cases``."""
        return people_of(self.read(PEOPLE))

    def leaves(self) -> tuple[bytes, ...]:
        """See ``ports.cases.Cases``."""
        return tuple(bytes(line) for (line,) in self._rows("SELECT line FROM event ORDER BY seq"))

    def head(self) -> Head:
        """See ``ports.cases.Cases``."""
        leaves = [leaf(line) for line in self.leaves()]
        at = datetime.fromtimestamp(self._clock.now_us() / 1e6, UTC)
        return Head(len(leaves), root(leaves).hex(), at).signed(self._hand)

    def _write(self, case: str, proposed: Sequence[Proposed]) -> tuple[Event, ...]:
        number = self._length(case)
        previous = ""
        if number:
            (last,) = self._one('SELECT line FROM event WHERE "case" = ? AND number = ?', case, number - 1)
            previous = read_event(bytes(last)).digest
        events = []
        for one in proposed:
            event = written(one, case, number, previous, self._hand)
            line = event.line()
            self._connection.execute('INSERT INTO event ("case", number, line) VALUES (?, ?, ?)', (case, number, line))
            number, previous = number + 1, hashlib.sha256(line).hexdigest()
            events.append(event)
        return tuple(events)

    def _lines(self, case: str, first: int) -> list[bytes]:
        query = 'SELECT line FROM event WHERE "case" = ? AND number >= ? ORDER BY number'
        return [bytes(line) for (line,) in self._rows(query, case, first)]

    def _length(self, case: str) -> int:
        (last,) = self._one('SELECT COALESCE(MAX(number), -1) FROM event WHERE "case" = ?', case)
        return int(last) + 1

    def _one(self, query: str, *given: object) -> tuple[Any, ...]:
        (row,) = self._rows(query, *given)
        return row


def _following(last: Event, lines: Sequence[bytes]) -> Iterator[Event]:
    for line in lines:
        event = read_event(line)
        if (event.case, event.number, event.previous, event.key) != (last.case, last.number + 1, last.digest, last.key):
            raise CustodyError(
                f"event {last.number + 1} of `{last.case}` does not follow the one before it, wanted every event",
                hint="Stop, and compare with a copy that was taken earlier.",
            )
        yield event
        last = event


def _no_case(case: str) -> InputError:
    return InputError(f"`{case[:40]}` is no case here, wanted one of this workspace", hint="See `riparian case list`.")
