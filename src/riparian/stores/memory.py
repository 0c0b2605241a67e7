"""The ports in memory: for tests, for towns, and for whoever keeps nothing.

The same rules as :mod:`riparian.stores.workspace`, without a disk; ``tests/contracts`` runs over both.
"""

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.codes import BUCKETS, bucket_of, codes_of
from riparian.errors import LifecycleError
from riparian.gate.decide import DECISION, Decision, from_table, to_table
from riparian.gate.holds import DECIDING, Change, Event, Step, steps
from riparian.gate.policy import Restraint
from riparian.ports import ABSENT, SHARED, Arrays, Chunk, Clock, Offsets, Place, Reached, Reject, World
from riparian.schema import ACCESS_REQUIRED
from riparian.stores.arrange import Arranged, arranged, dtype_of, plain
from riparian.stores.kept import joined, require_current
from riparian.stores.offsets import goes_on, moved_on
from riparian.stores.recorded import signed
from riparian.stores.scanning import unless_changed
from riparian.stores.vault import unchanged, without


@dataclass(slots=True)
class _Bucket:
    arrays: Arrays
    tables: dict[str, pa.Table]


@dataclass(slots=True)
class Memory:
    """Everything that a store keeps, as plain values that a test may look at.

    Examples
    --------
    >>> world = Memory().world(FixedClock(0))
    >>> with world.scans.alone():
    ...     world.scans.begin(b"").commit(DECISION.empty_table(), {"accounts": 0})
    >>> world.scans.summaries()
    [{'accounts': 0, 'generation': 1, 'begun_us': 0}]
    """

    key: bytes = hashlib.sha256(b"a workspace in memory").digest()[:16]
    known: set[bytes] = field(default_factory=set)
    staged: list[Arranged] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    reached: dict[str, Reached] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    kept: dict[int, _Bucket] = field(default_factory=dict)
    decisions: pa.Table = field(default_factory=DECISION.empty_table)
    events: list[Event] = field(default_factory=list)
    summaries: list[dict[str, Any]] = field(default_factory=list)
    recordings: pa.Table | None = None
    locked: bool = False
    generation: int = 0
    scan: "MemoryScan | None" = None

    def world(self, clock: Clock) -> World:
        """Hand its ports to a flow."""
        return World(
            clock=clock,
            catalogue=MemoryCatalogue(self),
            vault=MemoryVault(self),
            staging=MemoryStaging(self),
            scans=MemoryScans(self, clock),
            tallies=MemoryTallies(self),
            findings=MemoryFindings(self),
            decisions=MemoryDecisions(self),
        )

    def require_lock(self) -> None:
        """Refuse to write outside a scan."""
        if not self.locked:
            raise LifecycleError("the store is not locked, wanted `world.scans.alone()` around a scan")


@dataclass(slots=True)
class FixedClock:
    """A clock that stands until it is set."""

    at_us: int

    def now_us(self) -> int:
        """See ``ports.Clock``."""
        return self.at_us


class MemoryStaging:
    """``ports.Staging`` in memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def known(self, digest: bytes) -> bool:
        """See ``ports.Staging``."""
        return digest in self._memory.known

    def add(self, chunk: Chunk) -> bool:
        """See ``ports.Staging``."""
        self._memory.require_lock()
        offsets: Offsets | None = getattr(chunk, "offsets", None)
        if self.known(chunk.digest) or (offsets is not None and not goes_on(self.reached(offsets.log), offsets)):
            return False
        self._memory.staged.append(arranged(plain(chunk.accesses)))
        if offsets is not None:
            self._memory.reached[offsets.log] = moved_on(self.reached(offsets.log), offsets)
        self._memory.known.add(chunk.digest)
        self._memory.rejects += chunk.rejects
        _remember(self._memory, *chunk.ids)
        return True

    def reached(self, log: str) -> Reached | None:
        """See ``ports.Staging``."""
        return self._memory.reached.get(log)

    def waiting(self) -> int:
        """See ``ports.Staging``."""
        return sum(int(rows.offsets[-1]) for rows in self._memory.staged)

    def rejected(self) -> int:
        """See ``ports.Staging``."""
        return len(self._memory.rejects)


class MemoryScans:
    """``ports.Scans`` in memory."""

    def __init__(self, memory: Memory, clock: Clock) -> None:
        self._memory = memory
        self._clock = clock

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """See ``ports.Scans``."""
        if self._memory.locked:
            raise LifecycleError("another scan is running, wanted one at a time")
        self._memory.locked = True
        try:
            yield
        finally:
            self._memory.locked = False

    def begin(self, context: bytes) -> "MemoryScan":
        """See ``ports.Scans``."""
        self._memory.require_lock()
        last, staged = self._memory.scan, self._memory.staged
        if last is not None and last.goes_on(context, staged):
            last.resumed = True
            return last
        self._memory.generation += 1
        scan = MemoryScan(self._memory, self._memory.generation, context, self._clock.now_us())
        self._memory.scan = scan
        return scan

    def summaries(self) -> list[dict[str, Any]]:
        """See ``ports.Scans``."""
        return [dict(summary) for summary in self._memory.summaries]


class MemoryScan:
    """``ports.Scan`` in memory."""

    def __init__(self, memory: Memory, generation: int, context: bytes, begun_us: int) -> None:
        self._memory = memory
        self._context = context
        self._chunks = list(memory.staged)
        self._drafts: dict[int, _Bucket] = {}
        self._events_before = len(memory.events)
        self.generation = generation
        self.begun_us = begun_us
        self.resumed = False

    def goes_on(self, context: bytes, staged: list[Arranged]) -> bool:
        """Say whether it may be resumed."""
        return context == self._context and [id(c) for c in staged] == [id(c) for c in self._chunks]

    def columns(self, bucket: int, *names: str) -> Arrays:
        """See ``ports.Scan``."""
        there = [name for name in ABSENT if any(name in chunk.columns for chunk in self._chunks)]
        parts = [chunk.bucket(bucket) for chunk in self._chunks]
        return {name: _stacked(name, parts) for name in names or there or ACCESS_REQUIRED}

    def saved(self, bucket: int) -> bool:
        """See ``ports.Scan``."""
        return bucket in self._drafts

    def save(self, bucket: int, arrays: Mapping[str, NDArray[Any]], tables: Mapping[str, pa.Table]) -> None:
        """See ``ports.Scan``."""
        self._require_open()
        self._drafts[bucket] = _Bucket({name: array.copy() for name, array in arrays.items()}, dict(tables))

    def table(self, name: str) -> pa.Table | None:
        """See ``ports.Scan``."""
        return _table({**self._memory.kept, **self._drafts}, name)

    def commit(self, decisions: pa.Table, summary: Mapping[str, Any]) -> None:
        """See ``ports.Scan``."""
        told = json.loads(json.dumps(dict(summary), allow_nan=False))
        self._require_open()
        for bucket in set(range(BUCKETS)) - set(self._drafts):
            rows = sum(int(chunk.offsets[bucket + 1] - chunk.offsets[bucket]) for chunk in self._chunks)
            if rows:
                raise LifecycleError(
                    f"bucket {bucket} has {rows} rows and was not saved, wanted every such bucket saved"
                )
        memory = self._memory
        people = {event.account for event in memory.events[self._events_before :] if event.step in DECIDING}
        after = unless_changed(memory.decisions, decisions, people)
        memory.events += steps(memory.decisions, after, self.begun_us)
        memory.decisions = after
        memory.kept.update(self._drafts)
        memory.staged.clear()
        memory.summaries.append({**told, "generation": self.generation, "begun_us": self.begun_us})
        memory.scan = None

    def _require_open(self) -> None:
        self._memory.require_lock()
        if self._memory.scan is not self:
            raise LifecycleError("the scan is over, wanted one in the making", hint="Begin another scan.")


class MemoryTallies:
    """``ports.Tallies`` in memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def load(self, bucket: int) -> Arrays | None:
        """See ``ports.Tallies``."""
        kept = self._memory.kept.get(bucket)
        return None if kept is None else {name: array.copy() for name, array in kept.arrays.items()}


class MemoryFindings:
    """``ports.Findings`` in memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def table(self, name: str) -> pa.Table | None:
        """See ``ports.Findings``."""
        return _table(self._memory.kept, name)

    def in_bucket(self, name: str, bucket: int) -> pa.Table | None:
        """See ``ports.Findings``."""
        kept = self._memory.kept.get(bucket)
        return None if kept is None else kept.tables.get(name)


class MemoryDecisions:
    """``ports.Decisions`` in memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def table(self) -> pa.Table:
        """See ``ports.Decisions``."""
        return self._memory.decisions

    def of(self, account: int) -> Decision | None:
        """See ``ports.Decisions``."""
        return next((d for d in from_table(self._memory.decisions) if d.account == account), None)

    def in_force(self, now_us: int, *, after: Place | None = None, limit: int) -> list[Decision]:
        """See ``ports.Decisions``."""
        running = [d for d in from_table(self._memory.decisions) if d.restraint > 0 and d.until_us > now_us]
        placed = sorted(((-d.restraint, -d.bits, signed(d.account)), d) for d in running)
        since = (-after[0], -after[1], signed(after[2])) if after is not None else None
        return [d for place, d in placed if since is None or place > since][:limit]

    def counted(self, now_us: int) -> Mapping[Restraint, int]:
        """See ``ports.Decisions``."""
        return Counter(d.restraint for d in self.in_force(now_us, limit=len(self._memory.decisions)))

    def record(self, *changes: Change) -> None:
        """See ``ports.Decisions``."""
        before = self._memory.decisions, list(self._memory.events)
        try:
            for change in changes:
                self._record(change)
        except LifecycleError:
            self._memory.decisions, self._memory.events = before
            raise

    def _record(self, change: Change) -> None:
        account = change.event.account
        require_current(change, self.of(account), len(self.events(account)))
        others = _left(self._memory.decisions, account)
        self._memory.decisions = pa.concat_tables([others, to_table([change.after])]).sort_by("account")
        self._memory.events.append(change.event)

    def events(self, account: int) -> list[Event]:
        """See ``ports.Decisions``."""
        return [event for event in self._memory.events if event.account == account]

    def log(self, *steps: Step) -> list[Event]:
        """See ``ports.Decisions``."""
        chosen = [event for event in self._memory.events if not steps or event.step in steps]
        return sorted(chosen, key=lambda event: event.at_us)

    def version(self) -> tuple[int, ...]:
        """See ``ports.Decisions``."""
        return len(self._memory.summaries), len(self._memory.events), len(self._memory.decisions)


class MemoryVault:
    """``ports.Vault`` in memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    @property
    def key(self) -> bytes:
        """See ``ports.Vault``."""
        return self._memory.key

    def remember(self, codes: NDArray[np.uint64], ids: Sequence[str]) -> None:
        """See ``ports.Vault``."""
        _remember(self._memory, codes, ids)

    def ids_of(self, codes: NDArray[np.uint64]) -> list[str | None]:
        """See ``ports.Vault``."""
        return [self._memory.ids.get(code) for code in codes.tolist()]

    def code_of(self, identifier: str) -> int | None:
        """See ``ports.Vault``."""
        (code,) = codes_of(pa.array([identifier], pa.string()), self.key).tolist()
        return code if self._memory.ids.get(code) == identifier else None

    def erase(self, account: int, forget: Callable[[Arrays, Sequence[int]], Arrays]) -> bool:
        """See ``ports.Vault``."""
        memory = self._memory
        if memory.locked:
            raise LifecycleError("a scan is running, wanted none")
        before = (len(memory.ids), len(memory.events), memory.decisions.num_rows)
        memory.ids.pop(account, None)
        memory.events = [event for event in memory.events if event.account != account]
        memory.decisions = _left(memory.decisions, account)
        found = before != (len(memory.ids), len(memory.events), memory.decisions.num_rows)
        rows = MemoryStaging(memory).waiting()
        memory.staged = [chunk.without(account) for chunk in memory.staged]
        memory.scan = None
        found |= rows != MemoryStaging(memory).waiting()
        for drawer in (int(bucket_of(np.array([account], np.uint64))[0]), SHARED):
            if drawer in memory.kept:
                found |= _forget(memory.kept[drawer], account, forget)
        return found

    def erase_all(self, accounts: Sequence[int], forget: Callable[[Arrays, Sequence[int]], Arrays]) -> bool:
        """See ``ports.Vault``."""
        found = [self.erase(account, forget) for account in accounts]
        return any(found)


def _forget(kept: _Bucket, account: int, forget: Callable[[Arrays, Sequence[int]], Arrays]) -> bool:
    old, rows = kept.arrays, sum(table.num_rows for table in kept.tables.values())
    kept.arrays = forget({name: array.copy() for name, array in old.items()}, [account])
    kept.tables = {name: _left(table, account) for name, table in kept.tables.items()}
    same = unchanged(old, kept.arrays)
    return not same or rows != sum(table.num_rows for table in kept.tables.values())


def _left(table: pa.Table, account: int) -> pa.Table:
    left = without(table, [account])
    return table if left is None else left


class MemoryCatalogue:
    """``ports.Catalogue`` in memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def recordings(self) -> pa.Table | None:
        """See ``ports.Catalogue``."""
        return self._memory.recordings

    def keep(self, recordings: pa.Table) -> None:
        """See ``ports.Catalogue``."""
        self._memory.recordings = recordings


def _remember(memory: Memory, codes: NDArray[np.uint64], ids: Sequence[str]) -> None:
    for code, identifier in zip(codes.tolist(), ids, strict=True):
        memory.ids.setdefault(code, identifier)


def _stacked(name: str, parts: list[Arrays]) -> NDArray[Any]:
    kind, required = dtype_of(name), "account"
    gaps = [part.get(name, np.full(part[required].size, ABSENT[name], kind)) for part in parts]
    return np.concatenate(gaps) if gaps else np.zeros(0, kind)


def _table(kept: Mapping[int, _Bucket], name: str) -> pa.Table | None:
    return joined([kept[bucket].tables.get(name) for bucket in sorted(kept)])
