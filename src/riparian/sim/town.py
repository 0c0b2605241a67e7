"""Who lives in a town, and what everybody did each day: counts, no events.

This level is fast (20,000 listeners for 90 days in about two seconds) and is what statistics are tuned on.
:mod:`riparian.sim.events` plays the same counts out.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.errors import InputError
from riparian.schema import DAY_US
from riparian.sim.copiers import CopierSpec, ring_days
from riparian.sim.counts import COUNTS, DayCounts, Ints
from riparian.sim.lives import Lives, live_days, settle_people
from riparian.sim.personas import PERSONA_NAMES, PERSONAS
from riparian.sim.streams import stream
from riparian.sim.worlds import find_world

START_US: Final = 1_772_409_600_000_000
"""Monday, 2 March 2026, 00:00 UTC."""
_MONDAY_OFFSET: Final = 3

Texts = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class TownSpec:
    """Everything that determines a town.

    Parameters
    ----------
    listeners, days
        Accounts of listeners, and length of the period.
    seed
        Same seed, same town, bit for bit.
    world
        Name of a world: ``ordinary`` or one of those outside the null.
    copiers
        Rings; each is drawn independently of the listeners and of the others.
    recordings
        Size of the catalogue.
    start_us
        Midnight UTC at which the period begins, microseconds since 1970.

    Raises
    ------
    InputError
        When a number is out of its range or the world unknown.

    Examples
    --------
    >>> TownSpec(listeners=100, days=7).world
    'ordinary'
    """

    listeners: int = 10_000
    days: int = 60
    seed: int = 1
    world: str = "ordinary"
    copiers: tuple[CopierSpec, ...] = ()
    recordings: int = 120_000
    start_us: int = START_US

    def __post_init__(self) -> None:
        find_world(self.world)
        if self.listeners < 0 or self.days < 1 or self.seed < 0 or self.recordings < self._fewest:
            raise InputError(
                f"a town of {self.listeners} listeners, {self.days} days, seed {self.seed},"
                f" {self.recordings} recordings, wanted at least 0, 1, 0 and {self._fewest}"
            )
        if self.start_us % DAY_US:
            raise InputError(f"`start_us` is {self.start_us}, wanted midnight UTC")
        if self.listeners == 0 and not self.copiers:
            raise InputError("a town of nobody, wanted listeners or copiers")

    @property
    def _fewest(self) -> int:
        """Recordings without which listeners would run out of new ones at once."""
        return 100 if self.listeners else 1

    @property
    def weekday(self) -> int:
        """Weekday of the first day, Monday 0."""
        return (self.start_us // DAY_US + _MONDAY_OFFSET) % 7


@dataclass(frozen=True, slots=True)
class Days:
    """What every account did on every day on which it did anything.

    The first eight arrays have shape (active account-days,), sorted by account, then day.  The others have
    shape (accounts,): listeners first, then each ring in turn.

    Parameters
    ----------
    account, day
        Index of the account; day of the town, a whole UTC day.
    plays, novel, downloads
        Plays, how many of them were new to the account, how many came as an import (these are in both).
    rows
        Metadata rows returned.
    pairs, ascents
        Consecutive new recordings by different artists, and how many of those steps go to a less popular one.
    persona, role, ring
        ``persona`` of listeners, ``copier`` or ``reader`` else; ``listener`` or ``copier``; name of the ring or empty.
    created_day
        Day on which the account was made; negative before the town begins.
    people, streams
        People on the account; streams that its plan allows at once.
    walk
        How the account plays in order: 0 not at all, 1 charts, 2 albums front to back.
    """

    account: Ints
    day: Ints
    plays: Ints
    novel: Ints
    downloads: Ints
    rows: Ints
    pairs: Ints
    ascents: Ints
    persona: Texts
    role: Texts
    ring: Texts
    created_day: Ints
    people: npt.NDArray[np.int8]
    streams: npt.NDArray[np.int8]
    walk: npt.NDArray[np.int8]

    @property
    def accounts(self) -> int:
        """Number of accounts, active or not."""
        return len(self.persona)

    def matrix(self, name: str, days: int) -> Ints:
        """Spread one count over all accounts and days, zero where nothing happened.

        Parameters
        ----------
        name
            One of ``plays``, ``novel``, ``downloads``, ``rows``, ``pairs``, ``ascents``.

        Returns
        -------
        matrix : int32 [shape=(accounts, days)]
        """
        spread = np.zeros((self.accounts, days), np.int32)
        spread[self.account, self.day] = getattr(self, name)
        return spread

    def table(self) -> pa.Table:
        """Account-days as an Arrow table with the columns ``account`` to ``ascents``."""
        return pa.table({name: getattr(self, name) for name in ("account", "day", *COUNTS)})


def people_of(spec: TownSpec) -> Lives:
    """Draw the people of a town and let its world change them."""
    world = find_world(spec.world)
    people = settle_people(spec.seed, spec.listeners, spec.days, shares=dict(world.shares), weekday=spec.weekday)
    if world.change is not None:
        world.change(people, stream(spec.seed, f"world/{spec.world}"), 1.0, spec.weekday)
    return people


def days(spec: TownSpec) -> Days:
    """Count what everybody in the town did each day.

    Examples
    --------
    >>> from riparian.sim.copiers import parse_ring
    >>> town = days(TownSpec(listeners=50, days=10, copiers=(parse_ring("2x300"),)))
    >>> town.accounts, town.ring[-1].item(), bool((town.novel <= town.plays).all())
    (52, 'ring-1', True)
    """
    parts: list[DayCounts] = []
    people = people_of(spec) if spec.listeners else None
    if people is not None:
        parts.append(DayCounts.stack(list(live_days(spec.seed, people, spec.recordings))))
    for i, ring in enumerate(spec.copiers):
        parts.append(ring_days(ring, spec.days, spec.recordings, seed=spec.seed, name=f"ring/{i}"))
    return _town(_active(parts), _roll(spec, people))


def _active(parts: list[DayCounts]) -> dict[str, Ints]:
    """Keep the account-days on which anything happened, sorted by account, then day."""
    columns: dict[str, list[Ints]] = {name: [] for name in ("account", "day", *COUNTS)}
    first = 0
    for part in parts:
        account, day = np.nonzero(((part.plays > 0) | (part.rows > 0)).T)
        columns["account"].append((account + first).astype(np.int32))
        columns["day"].append(day.astype(np.int32))
        for name in COUNTS:
            columns[name].append(getattr(part, name)[day, account])
        first += part.plays.shape[1]
    return {name: np.concatenate(column) for name, column in columns.items()}


@dataclass(frozen=True, slots=True)
class _Roll:
    """Who each account is."""

    persona: list[str]
    role: list[str]
    ring: list[str]
    created_day: list[int]
    people: list[int]
    streams: list[int]
    walk: list[int]


def _roll(spec: TownSpec, lives: Lives | None) -> _Roll:
    roll = _Roll([], [], [], [], [], [], [])
    if lives is not None:
        starts = np.flatnonzero(np.diff(lives.account, prepend=-1))
        persona = lives.persona[starts]
        people = np.diff(np.append(starts, lives.size))
        streams = np.array([p.streams for p in PERSONAS])[persona]
        roll.persona.extend(np.array(PERSONA_NAMES)[persona].tolist())
        roll.role.extend(["listener"] * spec.listeners)
        roll.ring.extend([""] * spec.listeners)
        roll.created_day.extend(lives.created_day[starts].tolist())
        roll.people.extend(people.tolist())
        roll.streams.extend(np.maximum(streams, people).tolist())
        roll.walk.extend(lives.walk[starts].tolist())
    for i, ring in enumerate(spec.copiers):
        roll.persona.extend(["copier" if ring.kind == "media" else "reader"] * ring.accounts)
        roll.role.extend(["copier"] * ring.accounts)
        roll.ring.extend([f"ring-{i + 1}"] * ring.accounts)
        roll.created_day.extend([ring.start_day] * ring.accounts)
        roll.people.extend([1] * ring.accounts)
        roll.streams.extend([1] * ring.accounts)
        roll.walk.extend([0] * ring.accounts)
    return roll


def _town(counts: dict[str, Ints], roll: _Roll) -> Days:
    return Days(
        **counts,
        persona=np.array(roll.persona),
        role=np.array(roll.role),
        ring=np.array(roll.ring),
        created_day=np.array(roll.created_day, np.int32),
        people=np.array(roll.people, np.int8),
        streams=np.array(roll.streams, np.int8),
        walk=np.array(roll.walk, np.int8),
    )
