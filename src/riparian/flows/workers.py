"""How do workers follow a log in partitions, so that it does not matter who of them does what?

::

    each:  poll --> kept under its offsets (Shares)                 help with the scan that is laid out
    one:   what is kept, in the order of offsets --> staged --> scan, with the hands of the others --> commit

Whoever finds that a scan is due and that nobody is at it, scans.  Where a partition goes on is kept in the step that
stages its chunk, so that each message counts once; what a worker has read and not yet handed on lies in the folder,
or is read again by whoever is given its partitions.

When is a day over?
-------------------
Partitions are read at different speeds, and a day is over only when it is over in each: up to an hour after the latest
access of the partition that is furthest behind.  A partition that was read to its end and where nothing came for
``idle_s`` holds nobody back.  Before the first scan the beginning of every partition is waited for.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from riparian.errors import InputError, LifecycleError
from riparian.flows.extraction import Beside, Ends, scan
from riparian.flows.found import Found
from riparian.flows.helping import SharedHands, buckets_of, help_out
from riparian.flows.terms import Terms
from riparian.ports import Chunk, World
from riparian.ports.partitioned import Partitions, Shares

EVERY_S: Final = 10.0
IDLE_S: Final = 60.0
POLL_S: Final = 1.0
WAITING_MAX: Final = 64
"""Chunks of one partition that may wait for a scan; its reader rests when there are more."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a scan is begun, and when a partition that is silent holds nobody back; in seconds."""

    every_s: float = EVERY_S
    idle_s: float = IDLE_S


@dataclass(slots=True)
class Worker:
    """One of the workers of a workspace.

    Parameters
    ----------
    world, terms
        The workspace, and on what terms it is looked at.
    partitions
        The log.
    shares
        What workers lay down for one another.
    clock_s
        A clock that never goes back.
    pace
        How often.
    """

    world: World
    terms: Terms
    partitions: Partitions
    shares: Shares
    clock_s: Callable[[], float]
    pace: Pace = field(default_factory=Pace)
    said: str = ""
    """Why nothing can be scanned yet."""
    _scanned_s: float | None = None
    _whole: int | None = -1
    _still_since: dict[int, tuple[int, float]] = field(default_factory=dict)

    def turn(self) -> Found | None:
        """Read, help, and scan when it is time; gives what this worker has scanned."""
        held = list(self.partitions.held())
        rests = any(self.shares.waiting(self.partitions.log(number)) >= WAITING_MAX for number in held)
        for chunk in self.partitions.poll(POLL_S, rests=rests):
            self.shares.keep(chunk)
        own = buckets_of(self.partitions.held(), len(self.partitions.all()))
        help_out(self.world, self.shares, self.terms, own)
        return self.scan() if self._is_due() else None

    def scan(self) -> Found | None:
        """Scan what all have read; None when somebody else does, when nothing is new, or when it is too soon."""
        ends = self.partitions.ends()
        self._scanned_s = self.clock_s()
        if not self._has_begun(ends) or not self._is_news(ends):
            return None
        own = buckets_of(self.partitions.held(), len(self.partitions.all()))
        hands = SharedHands(self.shares, own)
        try:
            found = scan(
                self.world,
                self._kept(),
                self.terms,
                ends=Ends.FOLLOWED,
                beside=Beside(hands, lambda: self._noted(self._whole_until_us(ends))),
            )
        except LifecycleError:
            # Somebody else is at it.
            return None
        except InputError as error:
            if self.world.scans.summaries():
                raise
            # What follows may be usable.
            self.said = error.message
            return None
        finally:
            if hands.name:
                self.shares.end(hands.name)
        for number in self.partitions.all():
            reached = self.world.staging.reached(self.partitions.log(number))
            if reached is not None:
                self.shares.drop(self.partitions.log(number), reached.offset)
        return found

    def has_kept(self) -> bool:
        """Say whether anything that was read waits for a scan."""
        return any(self.shares.waiting(self.partitions.log(number)) for number in self.partitions.all())

    def is_whole(self) -> bool:
        """Say whether the last scan of this worker found every partition read to its end, and silent."""
        return self._whole is None

    def _is_due(self) -> bool:
        return self._scanned_s is None or self.clock_s() - self._scanned_s >= self.pace.every_s

    def _has_begun(self, ends: Mapping[int, tuple[int, int]]) -> bool:
        if self.world.scans.summaries():
            return True
        return all(low == high or self._at(number) is not None for number, (low, high) in ends.items())

    def _is_news(self, ends: Mapping[int, tuple[int, int]]) -> bool:
        """Say whether anything was read, or whether more of what was read is over."""
        new = self.has_kept() or bool(self.world.staging.waiting())
        return new or (self._whole_until_us(ends) != self._whole and bool(self.world.scans.summaries()))

    def _noted(self, whole_us: int | None) -> int | None:
        self._whole = whole_us
        return whole_us

    def _at(self, number: int) -> int | None:
        log = self.partitions.log(number)
        reached = self.world.staging.reached(log)
        return self.shares.reached(log, None if reached is None else reached.offset)

    def _kept(self) -> Iterator[Chunk]:
        for number in self.partitions.all():
            log = self.partitions.log(number)
            reached = self.world.staging.reached(log)
            yield from self.shares.goes_on(log, None if reached is None else reached.offset)

    def _whole_until_us(self, ends: Mapping[int, tuple[int, int]]) -> int | None:
        """Tell up to when every partition was read; None when nothing is left to be read in any."""
        holds = []
        for number, (low, high) in ends.items():
            reached = self.world.staging.reached(self.partitions.log(number))
            offset = reached.offset if reached is not None else low
            was, since_s = self._still_since.get(number, (-1, 0.0))
            if was != offset:
                was, since_s = self._still_since[number] = offset, self.clock_s()
            if offset < high or self.clock_s() - since_s < self.pace.idle_s:
                holds.append(reached.latest_us if reached is not None else 0)
        return min(holds) if holds else None
