"""The town's days as accesses, with the identifiers that an operator would write.

:func:`events` holds a whole small town; :func:`each_day` yields one day after another, so that a hundred million
accesses never lie in memory together; :func:`each_day_coded` yields them as ``schema.ACCESS`` columns.  Counted
again, the accesses give :func:`riparian.sim.town.days` exactly: the same plays and the same new recordings for every
account on every day.  Counts of order (pairs, ascents) agree in distribution only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.accounts.agents import with_platforms
from riparian.codes import RECORDING_KEY, codes_of
from riparian.schema import ACCESS, DAY_US, Action
from riparian.sim import playback, whereabouts
from riparian.sim.atlas import LANDS
from riparian.sim.cast import cast_of, novelties, rows_of
from riparian.sim.holdings import Shelf, recording_ids, recording_table, stock
from riparian.sim.register import account_ids, account_table, hex_ids, truth_table
from riparian.sim.roaming import WHERE, Wandering, roam
from riparian.sim.town import Days, TownSpec, days

_PLACE_BITS: Final = 36
_ACTIONS: Final = pa.array(["", *(action.name.lower() for action in Action)])


@dataclass(frozen=True, slots=True)
class Town:
    """A whole town, as an operator would hold it.

    Parameters
    ----------
    accesses
        One row an access, in order of time: ``at account recording action session device country media_ms
        heartbeat rows agent network lat lon``.
    catalogue, accounts, truth
        Tables with the schemas ``RECORDING``, ``ACCOUNT``, ``TRUTH``.
    days
        The counts that the accesses realise.
    """

    accesses: pa.Table
    catalogue: pa.Table
    accounts: pa.Table
    truth: pa.Table
    days: Days


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that is needed to play a town day by day; made by :func:`set_stage`."""

    spec: TownSpec
    days: Days
    shelf: Shelf
    pool: npt.NDArray[np.int32]
    rows: npt.NDArray[np.void]
    people: npt.NDArray[np.void]
    by_day: npt.NDArray[np.int64]
    recording_ids: pa.Array
    account_ids: pa.Array
    device_ids: pa.Array
    networks: pa.Array
    wandering: Wandering


def events(spec: TownSpec) -> Town:
    """Play a whole town out.

    Examples
    --------
    >>> town = events(TownSpec(listeners=20, days=3, recordings=2_000))
    >>> town.accesses.column_names[:3], town.catalogue.num_rows, town.truth.num_rows
    (['at', 'account', 'recording'], 2000, 20)
    """
    stage = set_stage(spec)
    return Town(
        accesses=pa.concat_tables(each_day(stage)).unify_dictionaries(),
        catalogue=recording_table(stage.shelf, spec.start_us),
        accounts=account_table(spec, stage.days, stage.account_ids),
        truth=truth_table(stage.days, stage.account_ids),
        days=stage.days,
    )


def set_stage(spec: TownSpec) -> Stage:
    """Draw everything but the accesses: counts, catalogue, tastes, and what is new to whom.

    Memory grows with the new recordings of all accounts, four bytes each, not with the accesses.
    """
    shelf = stock(spec.seed, spec.recordings, days=spec.days, weekday=spec.weekday)
    counts = days(spec)
    people = cast_of(spec, counts)
    somewhere = whereabouts.settle(spec, counts, people)
    return Stage(
        spec=spec,
        days=counts,
        shelf=shelf,
        pool=novelties(spec, counts, shelf, people),
        rows=rows_of(counts),
        people=people,
        by_day=np.argsort(counts.day, kind="stable"),
        recording_ids=recording_ids(spec.recordings),
        account_ids=account_ids(spec.seed, spec.listeners, counts.accounts),
        device_ids=somewhere.device_ids,
        networks=somewhere.networks,
        wandering=somewhere.wandering,
    )


def each_day(stage: Stage) -> Iterator[pa.Table]:
    """Yield the accesses of one day after another, in order of time, with identifiers as dictionaries.

    Yields
    ------
    accesses : pa.Table
        Columns ``at account recording action session device country media_ms heartbeat rows agent network lat lon``.
    """
    for day, sheet, sessions, where in _sheets(stage):
        yield pa.table(
            {
                "at": pa.array(_times(stage.spec, day, sheet), pa.timestamp("us", "UTC")),
                "account": _dictionary(sheet["account"], stage.account_ids),
                "recording": _dictionary(sheet["recording"], stage.recording_ids),
                "action": _dictionary(sheet["action"], _ACTIONS),
                "session": _dictionary(sheet["visit"], sessions),
                "device": _dictionary(where["device"], stage.device_ids),
                "country": _dictionary(where["land"], pa.array(LANDS)),
                "media_ms": _unless(sheet["media_ms"], sheet["heartbeat"] < 0),
                "heartbeat": _unless(sheet["heartbeat"] == 1, sheet["heartbeat"] < 0),
                "rows": _unless(sheet["rows"], sheet["rows"] < 0),
                "agent": _dictionary(where["agent"], whereabouts.AGENTS),
                "network": _dictionary(where["network"], stage.networks),
                "lat": pa.array(where["lat"]),
                "lon": pa.array(where["lon"]),
            }
        )


def each_day_coded(stage: Stage, key: bytes) -> Iterator[pa.Table]:
    """Yield the accesses of one day after another as ``ACCESS`` columns, coded as the readers would code them.

    Parameters
    ----------
    key
        The workspace's secret key, 16 bytes; recordings use the public one.
    """
    recordings = np.append(codes_of(stage.recording_ids, RECORDING_KEY), np.uint64(0))
    accounts, devices = codes_of(stage.account_ids, key), codes_of(stage.device_ids, key)
    agents = with_platforms(codes_of(whereabouts.AGENTS, key), whereabouts.AGENTS)
    networks = codes_of(stage.networks, key)
    packed = np.array([int.from_bytes(c.encode(), "big") for c in LANDS], np.uint16)
    for day, sheet, sessions, where in _sheets(stage):
        columns = {
            "at_us": pa.array(_times(stage.spec, day, sheet)),
            "account": pa.array(accounts[sheet["account"]]),
            "recording": pa.array(recordings[sheet["recording"]]),
            "action": pa.array(sheet["action"]),
            "session": pa.array(codes_of(sessions, key)[sheet["visit"]]),
            "heartbeat": _unless(sheet["heartbeat"] == 1, sheet["heartbeat"] < 0),
            "rows": _unless(sheet["rows"], sheet["rows"] < 0),
            "media_ms": _unless(sheet["media_ms"], sheet["heartbeat"] < 0),
            "device": pa.array(devices[where["device"]]),
            "country": pa.array(packed[where["land"]]),
            "agent": pa.array(agents[where["agent"]]),
            "network": pa.array(networks[where["network"]]),
            "lat": pa.array(where["lat"]),
            "lon": pa.array(where["lon"]),
        }
        yield pa.table(columns, schema=pa.schema([ACCESS.field(name) for name in columns]))


def _sheets(stage: Stage) -> Iterator[tuple[int, npt.NDArray[np.void], pa.Array, npt.NDArray[np.void]]]:
    """Play one day after another and put its accesses in order of time.

    With them go the names of the visits, and where each access came from.
    """
    rows, people = stage.rows, stage.people
    sizes = playback.accesses_of(rows, people)
    edges = np.searchsorted(rows["day"][stage.by_day], np.arange(stage.spec.days + 1))
    for day in range(stage.spec.days):
        which = stage.by_day[edges[day] : edges[day + 1]]
        sheet = np.zeros(int(sizes[which].sum()), playback.ENTRY)
        visits = np.zeros(len(sheet) + 1, np.uint64)
        playback.play_day(which, rows, people, stage.shelf, stage.pool, playback.RHYTHMS, sheet, visits)
        # Time above, place below: sorting the numbers themselves is stable and several times faster than argsort.
        order = np.sort(sheet["at_ms"].astype(np.int64) << _PLACE_BITS | np.arange(len(sheet))) & (
            (1 << _PLACE_BITS) - 1
        )
        sheet, visits = sheet[order], visits[1 : int(visits[0]) + 1]
        where = np.zeros(len(sheet), WHERE)
        roam(day, stage.spec.days, (stage.spec.weekday + day) % 7, sheet, visits, stage.wandering, where)
        yield day, sheet, hex_ids("s-", visits), where


def _times(spec: TownSpec, day: int, sheet: npt.NDArray[np.void]) -> npt.NDArray[np.int64]:
    return spec.start_us + day * DAY_US + sheet["at_ms"].astype(np.int64) * 1000


def _dictionary(places: npt.NDArray[Any], values: pa.Array) -> pa.DictionaryArray:
    absent = places < 0 if places.dtype.kind == "i" else None
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32), mask=absent), values)


def _unless(values: npt.NDArray[Any], absent: npt.NDArray[np.bool_]) -> pa.Array:
    return pa.array(values, mask=absent)
