"""What counting, deciding and holding ask of the outside: see :mod:`riparian.ports`."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.codes import BUCKETS
from riparian.gate.decide import Decision
from riparian.gate.holds import Change, Event, Step
from riparian.gate.policy import Restraint

SHARED: Final = BUCKETS
"""The drawer beside the buckets."""

Arrays = dict[str, NDArray[Any]]
"""Named arrays: the columns of a batch, or the state of a tally."""

ABSENT: Final[Mapping[str, float]] = MappingProxyType(
    {
        "at_us": 0,
        "account": 0,
        "recording": 0,
        "action": 0,
        "session": 0,
        "position_ms": -1,
        "heartbeat": -1,
        "bytes": -1,
        "rows": -1,
        "media_ms": -1,
        "device": 0,
        "agent": 0,
        "network": 0,
        "country": 0,
        "lat": float("nan"),
        "lon": float("nan"),
        "route": 0,
        "status": -1,
        "surfaced": -1,
        "given_to": 0,
        "elevated": -1,
    }
)
"""What stands for a null in the columns of :meth:`Scan.columns`, where arrays have none.  The truth
values, ``heartbeat``, ``surfaced`` and ``elevated``, come as int8: 1 yes, 0 no, -1 not given."""


Place = tuple[int, float, int]
"""Where a decision stands among all, the strongest first: its restraint, its bits, and the account's code."""


class Clock(Protocol):
    """What time it is."""

    def now_us(self) -> int:
        """Tell the time; microseconds since 1970, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class Offsets:
    """What a chunk is of a log in partitions: the messages of one partition from an offset up to another.

    Parameters
    ----------
    log
        Names the partition for ever.
    begin, end
        The first offset, and the first that is no longer in it.
    latest_us
        When its latest access was, those aside that no clock can have dated; 0 where it has none.
    """

    log: str
    begin: int
    end: int
    latest_us: int = 0


@dataclass(frozen=True, slots=True)
class Reached:
    """How far one partition was read: the offset to go on from, and when its latest access was."""

    offset: int
    latest_us: int


class Reject(Protocol):
    """A line that could not be read, and why."""

    @property
    def source(self) -> str:
        """The file or stream."""
        ...

    @property
    def line(self) -> int:
        """Its number in the source, from 1."""
        ...

    @property
    def reason(self) -> str:
        """What was found, and what was wanted."""
        ...

    @property
    def text(self) -> str:
        """The beginning of the line."""
        ...


class Chunk(Protocol):
    """A stretch of a log, known for ever by the digest of its bytes."""

    @property
    def digest(self) -> bytes:
        """Of the decompressed bytes."""
        ...

    @property
    def source(self) -> str:
        """The file or stream that it was read from."""
        ...

    @property
    def n_lines(self) -> int:
        """Lines read, rejected ones included."""
        ...

    @property
    def accesses(self) -> pa.Table:
        """Columns of ``schema.ACCESS``: the required ones, and those that the log had."""
        ...

    @property
    def ids(self) -> tuple[NDArray[np.uint64], list[str]]:
        """Codes and identifiers of accounts that this run had not seen before, for the vault."""
        ...

    @property
    def rejects(self) -> Sequence[Reject]:
        """Lines that could not be read."""
        ...


class Staging(Protocol):
    """Chunks read and not yet counted."""

    def known(self, digest: bytes) -> bool:
        """Say whether the chunk is staged or was counted by any scan: if so it need not be parsed."""
        ...

    def add(self, chunk: Chunk) -> bool:
        """Keep a chunk's rows, identifiers and rejects, all or nothing; False when it was known already.

        A chunk with ``offsets`` is kept only where its partition goes on, and moves that on in the same step; False
        when the partition stands elsewhere.
        """
        ...

    def reached(self, log: str) -> Reached | None:
        """Tell how far a partition was read; None when nothing of it was."""
        ...

    def waiting(self) -> int:
        """Count the rows staged and not yet committed."""
        ...

    def rejected(self) -> int:
        """Count the lines ever rejected."""
        ...


class Scan(Protocol):
    """A generation in the making; see the top of this module."""

    @property
    def generation(self) -> int:
        """Its number; grows by one with each begun."""
        ...

    @property
    def begun_us(self) -> int:
        """When it began, the same after a resume; microseconds since 1970, UTC."""
        ...

    @property
    def resumed(self) -> bool:
        """Whether an earlier scan was killed on the way and this one goes on where it stopped."""
        ...

    def columns(self, bucket: int, *names: str) -> Arrays:
        """Read the rows not yet counted of one bucket, in the order in which they were staged.

        All columns are read, or those of ``names``.  A column is there for all buckets when any staged chunk has it;
        ``ABSENT`` fills the gaps.
        """
        ...

    def saved(self, bucket: int) -> bool:
        """Say whether this generation already holds the bucket."""
        ...

    def save(self, bucket: int, arrays: Mapping[str, NDArray[Any]], tables: Mapping[str, pa.Table]) -> None:
        """Keep the tally and the named tables of one bucket, all or nothing, not yet visible."""
        ...

    def table(self, name: str) -> pa.Table | None:
        """Read a table as it will be after the commit, all buckets in order; None if no bucket has it."""
        ...

    def commit(self, decisions: pa.Table, summary: Mapping[str, Any]) -> None:
        """Make everything visible at once: chunks counted, tallies, tables, decisions, summary.

        ``decisions`` (``gate.decide.DECISION``) replaces the current ones, but for those that a person
        changed since the scan began; what became of each is logged as an event.  ``summary`` is kept as JSON.

        Raises
        ------
        LifecycleError
            When a bucket has rows and was not saved, or the scan is over; nothing changes.
        """
        ...


class Scans(Protocol):
    """The making of generations, one at a time."""

    def alone(self) -> AbstractContextManager[None]:
        """Lock out every other scan of this store; LifecycleError when one is running."""
        ...

    def begin(self, context: bytes) -> Scan:
        """Freeze the staged chunks into a generation, or resume the one that was killed."""
        ...

    def summaries(self) -> list[dict[str, Any]]:
        """List the summary of every committed scan, oldest first, each with ``generation`` and ``begun_us``."""
        ...


class Tallies(Protocol):
    """What the bets remember, as of the last commit."""

    def load(self, bucket: int) -> Arrays | None:
        """Read the arrays of a bucket, or of ``SHARED``; None before its first commit."""
        ...


class Findings(Protocol):
    """Tables that scans keep beside the tallies (``evidence``, ...), as of the last commit."""

    def table(self, name: str) -> pa.Table | None:
        """Read all buckets, in order; None when no scan has kept such a table."""
        ...

    def in_bucket(self, name: str, bucket: int) -> pa.Table | None:
        """Read one bucket of it."""
        ...


class Decisions(Protocol):
    """Restraints in force, and the log of what was done to whom, by whom and why."""

    def table(self) -> pa.Table:
        """Read the current decisions (``gate.decide.DECISION``) by account; who is simply allowed has no row."""
        ...

    def of(self, account: int) -> Decision | None:
        """Read the current decision on one account."""
        ...

    def record(self, *changes: Change) -> None:
        """Put what people changed in the place of the current decisions, and log the steps; all of them or none.

        A scan that is under way does not undo it: the person's word stands until the next one.

        Raises
        ------
        LifecycleError
            When a change starts from a decision, or a number of events, that is no longer current; nothing changes.
        """
        ...

    def in_force(self, now_us: int, *, after: Place | None = None, limit: int) -> list[Decision]:
        """List what restrains an account now, the strongest first: those after a place, and no more than ``limit``."""
        ...

    def counted(self, now_us: int) -> Mapping[Restraint, int]:
        """Count the accounts that each restraint is in force for now."""
        ...

    def events(self, account: int) -> list[Event]:
        """List what happened to one account, in the order in which it was logged."""
        ...

    def log(self, *steps: Step) -> list[Event]:
        """List what happened to all, oldest first; only these steps, where any are named."""
        ...

    def version(self) -> tuple[int, ...]:
        """Tell, at the price of a look, a value that is another one once a decision was made, changed or erased."""
        ...


class Vault(Protocol):
    """Who is behind a pseudonym; can forget."""

    @property
    def key(self) -> bytes:
        """The secret of this store's pseudonyms: 16 bytes, made on first use."""
        ...

    def remember(self, codes: NDArray[np.uint64], ids: Sequence[str]) -> None:
        """Keep identifiers by code; those known already stay as they are."""
        ...

    def ids_of(self, codes: NDArray[np.uint64]) -> list[str | None]:
        """Name the identifier behind each code; None where unknown or erased."""
        ...

    def code_of(self, identifier: str) -> int | None:
        """Find the code of an identifier that was seen and not erased."""
        ...

    def erase(self, account: int, forget: Callable[[Arrays, Sequence[int]], Arrays]) -> bool:
        """Remove a person: identifier, tally, findings, decisions, events, staged rows.

        A scan that was killed on the way begins anew afterwards.

        ``forget(arrays, accounts)`` takes accounts out of what was saved as the arrays of their
        bucket, and out of those of ``SHARED`` (who made them knows how).  False when nothing was kept of the account.

        Raises
        ------
        LifecycleError
            When a scan is running; nothing changes.
        """
        ...

    def erase_all(self, accounts: Sequence[int], forget: Callable[[Arrays, Sequence[int]], Arrays]) -> bool:
        """Remove several people as :meth:`erase` removes one: all of them or, where it is interrupted, none.

        Raises
        ------
        LifecycleError
            When a scan is running; nothing changes.
        """
        ...


class Catalogue(Protocol):
    """The recordings that we hold, as last told."""

    def recordings(self) -> pa.Table | None:
        """Read it (``schema.RECORDING``); None when no catalogue was ever given."""
        ...

    def keep(self, recordings: pa.Table) -> None:
        """Replace it."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What accounts asked for on one day, before anybody answered.

    Parameters
    ----------
    days
        One row of ``accounts.tally.DAYS`` for each account that did anything; ``slot`` is its row in
        :meth:`Reactive.accounts`.
    slot, at_us, recording
        Fetches of recordings new to the account, in the order of time [each shape=(fetches,)].
    """

    days: NDArray[np.void]
    slot: NDArray[np.int32]
    at_us: NDArray[np.int64]
    recording: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it, as whoever asked sees it.

    Parameters
    ----------
    refused
        Which fetches were not served, in the order in which they were asked for [shape=(fetches,)].
    restraint
        What is in force for each account from now on, as ``gate.policy.Restraint`` [shape=(accounts,)].
    """

    refused: NDArray[np.bool_]
    restraint: NDArray[np.uint8]


class Reactive(Protocol):
    """A feed that is handed the decisions on its last day: whoever is in it may adapt."""

    def accounts(self) -> Arrays:
        """List the accounts opened so far, in a fixed order, new ones at the end.

        ``account`` (code), ``created_us``, ``streams``, ``card``, ``device``, ``cohort`` (codes, 0 for none).
        """
        ...

    def live(self, day: int, told: Told | None) -> Asked:
        """Live one more day, knowing what came of the day before; None on the first."""
        ...

    def end(self, told: Told) -> None:
        """Learn what came of the last day."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an edge does about one account.

    Parameters
    ----------
    account_id
        The operator's own identifier: an edge knows no pseudonyms.
    restraint
        What is done; ``ALLOW`` takes back whatever was.
    until_us
        When it ends by itself; UTC, and 0 for never, which only a person says.
    rule
        Whose word it is, evidence's, a budget's or a person's: a value of :class:`riparian.gate.admit.Rule`.
    """

    account_id: str
    restraint: Restraint
    until_us: int
    rule: str


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed in the list of verdicts between two of its numbers.

    Parameters
    ----------
    epoch
        Whose numbers these are: another for each run of whoever publishes.
    from_seq, to_seq
        The number that an edge must stand at, and the one that it then stands at; equal when nothing changed.
    verdicts
        One an account, in no order.
    """

    epoch: str
    from_seq: int
    to_seq: int
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an edge stands: in which epoch, at which number, and how many verdicts it holds."""

    epoch: str
    seq: int
    count: int


class Verdicts(Protocol):
    """The list of verdicts that one edge holds, and acts on without asking anybody.

    An edge may forget at any time; it then stands elsewhere, and says so.
    """

    def publish(self, delta: Delta) -> Standing:
        """Change what changed.

        Raises
        ------
        LifecycleError
            When the edge stands neither in this epoch nor at ``from_seq``; nothing changes there.
        OutsideError
            When it cannot be reached in time; whether anything changed is not known.
        """
        ...

    def resync(self, whole: Delta) -> Standing:
        """Replace the list by this one, wherever the edge stands; ``OutsideError`` as above."""
        ...

    def seen(self) -> Standing:
        """Ask where the edge stands; ``OutsideError`` as above."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside that a flow may reach."""

    clock: Clock
    catalogue: Catalogue
    vault: Vault
    staging: Staging
    scans: Scans
    tallies: Tallies
    findings: Findings
    decisions: Decisions
