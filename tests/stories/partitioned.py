"""A log in partitions without a broker, and workers on it in this process, that may be stopped anywhere.

What a broker adds is tested over real ones; here it is the folder, the locks and the order of things, many times over.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from riparian import assembly
from riparian.feeds.access_log import ReadOptions, door_of, read
from riparian.feeds.chunks import Chunk
from riparian.feeds.kafka.messages import Message, Messages
from riparian.feeds.kafka.publishing import partitions_of
from riparian.flows.extraction import Ends, Terms, scan
from riparian.flows.joined import evidence_of_all
from riparian.flows.workers import Pace, Worker
from riparian.ports import Offsets
from riparian.stores.memory import FixedClock
from riparian.stores.workspace import Workspace
from tests.feeds.renderings import Fact, ndjson

KEY = bytes(range(16))
NOW_US = 1_900_000_000_000_000
PARTITIONS = 4
NAMES = ("alone", "answers", "totals", "levels", "kin", "rings", "refusals")
TOUCHED = ("open", "os.rename", "os.remove", "os.truncate", "os.link", "os.mkdir")


@dataclass
class Log:
    """Partitions of messages, as a broker would keep them."""

    messages: list[list[bytes]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])

    @classmethod
    def of(cls, facts: Sequence[Fact]) -> "Log":
        """Put accesses into the partitions of their accounts' buckets."""
        log = cls()
        chosen = partitions_of(pa.array([fact.account for fact in facts]), KEY, PARTITIONS).tolist()
        for partition, line in zip(chosen, ndjson(facts).splitlines(), strict=True):
            log.messages[partition].append(line)
        return log


@dataclass
class Part:
    """``ports.partitioned.Partitions`` over such a log, by a worker that is given some of them."""

    source: Log
    reader: Messages
    given: Sequence[int]
    stored: Callable[[str], int | None]
    at_once: int
    at: dict[int, int] = field(default_factory=dict)

    def log(self, partition: int) -> str:
        return f"kafka:plays/{partition}"

    def all(self) -> Sequence[int]:
        return range(PARTITIONS)

    def held(self) -> Sequence[int]:
        return self.given

    def ends(self) -> Mapping[int, tuple[int, int]]:
        return {number: (0, len(each)) for number, each in enumerate(self.source.messages)}

    def poll(self, seconds: float, *, rests: bool = False) -> Sequence[Chunk]:
        del seconds
        return [] if rests else [chunk for number in self.given for chunk in self._next(number)]

    def _next(self, number: int) -> list[Chunk]:
        begin = self.at.setdefault(number, self.stored(self.log(number)) or 0)
        values = self.source.messages[number][begin : begin + self.at_once]
        if not values:
            return []
        self.at[number] = begin + len(values)
        offsets = Offsets(self.log(number), begin, self.at[number])
        return [self.reader.chunk(offsets, [Message(begin + i, value) for i, value in enumerate(values)])]


def terms() -> Terms:
    """Give what is shipped."""
    given = assembly.Given(Path("nowhere"))
    return Terms(assembly.read_policy(given), assembly.read_people(given))


def made(path: Path) -> Path:
    """Make a workspace whose pseudonyms are the same in every test."""
    path.mkdir(mode=0o700)
    (path / "secret.key").write_bytes(KEY)
    (path / "secret.key").chmod(0o600)
    return path


def embedded(path: Path, facts: Sequence[Fact], on: Terms) -> dict[str, Any]:
    """Scan the same log as one file, in one go."""
    file = path.with_suffix(".ndjson")
    file.write_bytes(ndjson(facts))
    workspace = Workspace.open(made(path))
    world = workspace.world(FixedClock(NOW_US))
    chunks = read([str(file)], options=ReadOptions(), key=KEY, known=world.staging.known)
    scan(world, chunks, on, ends=Ends.FOLLOWED)
    workspace.close()
    return seen(path)


def seen(path: Path) -> dict[str, Any]:
    """Gather what a workspace says of everybody."""
    workspace = Workspace.open(path)
    world = workspace.world(FixedClock(NOW_US))
    found: dict[str, Any] = {name: world.findings.table(name) for name in NAMES}
    found["evidence"] = evidence_of_all(world.findings.table)
    found["rejected"] = world.staging.rejected()
    found["names"] = sorted(str(name) for name in world.vault.ids_of(found["evidence"]["account"].to_numpy()))
    workspace.close()
    return {name: table.to_pylist() if isinstance(table, pa.Table) else table for name, table in found.items()}


class Team:
    """Workers side by side in this process; each has the workspace to itself."""

    def __init__(self, path: Path, log: Log, on: Terms, shares: Sequence[Sequence[int]], *, at_once: int = 150) -> None:
        self._path, self._log, self._on, self._shares, self._at_once = path, log, on, shares, at_once
        self._open: list[Workspace] = []

    def __enter__(self) -> list[Worker]:
        return [self._worker(given) for given in self._shares]

    def __exit__(self, *error: object) -> None:
        for workspace in self._open:
            workspace.close()

    def _worker(self, given: Sequence[int]) -> Worker:
        workspace = Workspace.open(self._path)
        self._open.append(workspace)
        world, shares = workspace.world(FixedClock(NOW_US)), workspace.shares()

        def stored(name: str) -> int | None:
            reached = world.staging.reached(name)
            return shares.reached(name, None if reached is None else reached.offset)

        options = ReadOptions(format="ndjson")
        sample = shares.learnt("plays", self._log.messages[0][0])
        reader = Messages(options, door_of(options, KEY), lambda: NOW_US, sample)
        part = Part(self._log, reader, given, stored, self._at_once)
        ticks = iter(range(1_000_000))
        return Worker(world, self._on, part, shares, lambda: float(next(ticks)), Pace(0.0, 0.0))


def work(path: Path, log: Log, given: Sequence[int], on: Terms, *, turns: int = 60, at_once: int = 400) -> bool:
    """Be a worker until everything is scanned; says whether it is."""
    with Team(path, log, on, [given], at_once=at_once) as (worker,):
        for _ in range(turns):
            worker.turn()
            if is_done(worker):
                return True
        return False


def is_done(worker: Worker) -> bool:
    """Say whether every message is counted, and every day closed that is over."""
    for number, (_, high) in worker.partitions.ends().items():
        reached = worker.world.staging.reached(worker.partitions.log(number))
        if high and (reached is None or reached.offset < high):
            return False
    return not worker.world.staging.waiting() and worker.is_whole()


class Stopped(BaseException):
    """The worker was stopped."""


_left: list[int] = []


def _heard(event: str, given: tuple[Any, ...]) -> None:
    if _left and event in TOUCHED and (event != "open" or given[2] & (os.O_WRONLY | os.O_RDWR)):
        _left[0] -= 1
        if _left[0] <= 0:
            # From here on nothing more is done to the disk, as if nobody was there to do it.
            raise Stopped


@contextlib.contextmanager
def stopped_after(n: int) -> Iterator[None]:
    """Stop right before the n-th thing that is done to the disk, and before all that would be done to it then."""
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_heard)
    _left[:] = [n]
    try:
        yield
    finally:
        _left.clear()


_hooked: list[bool] = []
