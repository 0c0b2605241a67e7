"""From accesses to decisions: who carries the catalogue off, how sure are we, and what is done?

::

    chunks --> staged --> for each bucket of accounts: counted, weighed, charged --> decided --> committed
                                      (flows.bucket)                              (gate.decide)

A scan may be killed at any point and begun again; a chunk counts once.  Decisions follow from the
evidence of all accounts, so they are made at the end, and everything becomes visible at once.

When is a day over?
-------------------
Bets are placed on whole days (UTC).  A log that is scanned as a whole closes its last day when it
reaches 23:00 of it; a log that is followed waits an hour for stragglers after midnight.  The end of
the log is its last access, unless that is more than a day in the future: such accesses come from a
wrong clock, and are left out and counted.  A clock of our own that was set back leaves out nothing: what is in
the future is told by the latest time at which anything was ever scanned here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa

from riparian.codes import BUCKETS
from riparian.errors import InputError
from riparian.flows import across, signals
from riparian.flows import bucket as bucket_
from riparian.flows.across import Looked
from riparian.flows.findings import Account, about, read
from riparian.flows.found import BY_DAY, EXPOSURE, REVIEW_MINUTES, TIMELINE, Found, Reach
from riparian.flows.joined import evidence_of_all
from riparian.flows.reach import Recordings
from riparian.flows.signals import Elevated
from riparian.flows.summary import Seen, summarise
from riparian.flows.terms import Terms
from riparian.gate import budgets
from riparian.gate.budgets import Draws, Parents
from riparian.gate.decide import certify, decide_table
from riparian.ports import SHARED, Chunk, Scan, World
from riparian.ports.partitioned import Hands
from riparian.schema import DAY_US, HOUR_US

__all__ = [
    "BY_DAY",
    "EXPOSURE",
    "REVIEW_MINUTES",
    "TIMELINE",
    "Account",
    "Ends",
    "Found",
    "Reach",
    "Terms",
    "about",
    "read",
    "scan",
]

GROWING: Final = ("timeline", "days", "totals", *signals.NAMES)


class Ends(IntEnum):
    """How long after midnight a day is over, in hours: a whole log may end an hour early, a followed one waits."""

    WHOLE = -1
    FOLLOWED = 1


@dataclass(frozen=True, slots=True)
class Beside:
    """What several workers make of a scan.

    Parameters
    ----------
    hands
        Who else counts.
    whole_until_us
        Asked once everything is staged: up to when the log was read whole; None for all of it.
    """

    hands: Hands
    whole_until_us: Callable[[], int | None]


class Progress(Protocol):
    """Told how far a scan is: a stage, how many of its steps are done, and of how many if that is known."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Take note."""
        ...


def silent(stage: str, done: int, total: int | None) -> None:
    """Take no note."""
    del stage, done, total


def scan(  # noqa: PLR0913 -- how it is told of, and who is beside it, have nothing in common
    world: World,
    chunks: Iterable[Chunk],
    terms: Terms,
    *,
    ends: Ends = Ends.WHOLE,
    progress: Progress = silent,
    beside: Beside | None = None,
) -> Found:
    """Count new accesses, weigh every account, decide, and commit.

    Parameters
    ----------
    world
        Where everything is kept.
    chunks
        Stretches of logs; those known already are passed over.
    terms
        Policy, people, catalogue and what is known of accounts.
    ends
        Whether the log is whole or still grows.
    progress
        Told the stages ``reading``, ``weighing`` and ``deciding``.
    beside
        Who else reads and counts; nobody, unless a log in partitions is followed.

    Raises
    ------
    InputError
        When there is nothing to weigh, neither in the logs nor from an earlier scan.
    LifecycleError
        When another scan of the same store is running.
    """
    with world.scans.alone():
        dropped = _stage(world, chunks, progress)
        earlier = world.scans.summaries()
        if not world.staging.waiting() and not earlier:
            raise InputError(
                f"the logs hold no access that can be used ({_told(world, dropped)}), wanted at least one",
                hint="Look at the rejected lines in the workspace, or name the columns with --map field=column.",
            )
        whole_us = beside.whole_until_us() if beside is not None else None
        context = terms.digest() + bytes([ends + 1]) + (b"" if whole_us is None else whole_us.to_bytes(8, "big"))
        made = world.scans.begin(context)
        moment = _moment(made, earlier, ends, Elevated.of(world.decisions.table()))
        if whole_us is not None:
            moment = _held_back(moment, (whole_us - ends * HOUR_US) // DAY_US * DAY_US, world)
        if beside is not None:
            beside.hands.offer(made, terms.digest(), moment.arrays())
        names, looked = _weigh(world, made, terms, moment, (beside.hands if beside is not None else None, progress))
        progress("deciding", 0, 1)
        decisions = _decide(world, made, terms)
        made.commit(
            decisions, summarise(world, made, decisions, terms, Seen(names, dropped, looked.learnt, looked.late))
        )
        progress("deciding", 1, 1)
    return read(world, terms)


def _stage(world: World, chunks: Iterable[Chunk], progress: Progress) -> dict[str, int]:
    n_lines = 0
    dropped: dict[str, int] = {}
    for chunk in chunks:
        n_lines += chunk.n_lines
        if world.staging.add(chunk):
            for reason, n in getattr(chunk, "dropped", {}).items():
                dropped[reason] = dropped.get(reason, 0) + n
        progress("reading", n_lines, None)
    return dropped


def _told(world: World, dropped: dict[str, int]) -> str:
    parts = [f"{world.staging.rejected():,} lines rejected", *(f"{n:,} dropped: {why}" for why, n in dropped.items())]
    return "; ".join(parts)


def _moment(made: Scan, earlier: Sequence[dict[str, Any]], ends: Ends, elevated: Elevated) -> bucket_.Moment:
    last = earlier[-1] if earlier else {}
    latest_us = max(made.begun_us, *(int(each["begun_us"]) for each in earlier), 0) + DAY_US
    end_us = int(last.get("log_end_us") or 0)
    starts = [int(last["log_start_us"])] if last else []
    for number in range(BUCKETS):
        at_us = made.columns(number, "at_us")["at_us"]
        if len(at_us):
            in_time = at_us if int(at_us.max()) <= latest_us else at_us[at_us <= latest_us]
            end_us = max(end_us, int(in_time.max(initial=end_us)))
            if not last:
                starts.append(int(at_us.min()))
    until_us = (end_us - ends * HOUR_US) // DAY_US * DAY_US
    return bucket_.Moment(until_us, latest_us, min(starts, default=end_us), elevated)


def _held_back(moment: bucket_.Moment, until_us: int, world: World) -> bucket_.Moment:
    """Close no day of which somebody may still read; what was closed stays closed."""
    closed_us = across.seen_until_us(world.tallies.load(SHARED))
    return replace(moment, until_us=max(min(moment.until_us, until_us), closed_us))


def _weigh(
    world: World, made: Scan, terms: Terms, moment: bucket_.Moment, how: tuple[Hands | None, Progress]
) -> tuple[list[str], Looked]:
    """Go through the buckets, then look across them; returns the log's columns, and what was seen there."""
    hands, progress = how
    shared = world.tallies.load(SHARED)
    recordings = Recordings.of(shared["recordings"] if shared is not None else np.empty(0, np.uint64))
    names: list[str] = []
    for done, number in enumerate(range(BUCKETS) if hands is None else hands.order()):
        progress("weighing", done, BUCKETS)
        columns = made.columns(number)
        names = list(columns)
        if made.saved(number) or (hands is not None and hands.take(made, number)):
            # By the scan that was killed, or by somebody beside us; what it saw fetched is read off again.
            recordings.add(columns["recording"], bucket_.media(columns, moment))
            continue
        before = bucket_.Before(
            world.tallies.load(number), {name: world.findings.in_bucket(name, number) for name in GROWING}
        )
        if before.arrays is None and not len(columns["at_us"]):
            continue
        counted = bucket_.count(before, columns, terms, moment)
        recordings.add(counted.recordings, counted.new)
        made.save(number, counted.arrays, counted.tables)
    looked = _share(world, made, terms, recordings, moment)
    progress("weighing", BUCKETS, BUCKETS)
    return names, looked


def _share(world: World, made: Scan, terms: Terms, recordings: Recordings, moment: bucket_.Moment) -> Looked:
    shared = world.tallies.load(SHARED)

    def last(name: str) -> pa.Table | None:
        return world.findings.in_bucket(name, SHARED)

    looked = across.look(shared, last, made.table, terms, moment.until_us)
    parents = Parents.empty()
    if shared is not None:
        parents = Parents.from_arrays(
            {n.removeprefix("parents."): a for n, a in shared.items() if n.startswith("parents.")}
        )
    drawn = made.table("draws")
    if drawn is not None and len(drawn):
        gathered = Draws(*(drawn[name].to_numpy() for name in ("account", "parent", "at_us")))
        parents, _ = budgets.charge_parents(parents, [gathered], policy=terms.policy)
    arrays = {f"parents.{name}": array for name, array in parents.arrays().items()}
    arrays |= looked.arrays | {"recordings": recordings.codes()}
    made.save(SHARED, arrays, looked.tables | {"refusals": budgets.parent_refusals(parents)})
    return looked


def _decide(world: World, made: Scan, terms: Terms) -> pa.Table:
    evidence = evidence_of_all(made.table)
    if not len(evidence):
        return world.decisions.table()
    bits = evidence["bits"].to_numpy()
    honest = terms.known.find(evidence["account"].to_numpy()).honest
    return decide_table(
        evidence,
        terms.policy,
        made.begun_us,
        n_accounts=len(evidence),
        certified_bits=certify(bits, bits[honest]) if honest.any() else None,
        exempt=terms.known.exempt,
        refusals=made.table("refusals"),
        current=world.decisions.table(),
    )
