"""Who the accounts are as characters: seeds, countries, devices, habits, tastes, and what is new to each.

This turns the day counts into what :mod:`riparian.sim.playback` plays.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from riparian.sim import dealing, playback, taste
from riparian.sim.holdings import COUNTRY_SHARES, UTC_OFFSETS, Shelf
from riparian.sim.streams import stream
from riparian.sim.taste import ACCOUNT_DAY, CHARACTER
from riparian.sim.town import Days, TownSpec

MUTE_SHARE: Final = 0.003
"""Share of listeners whose player never reports playback."""
DEEP: Final = {"dj": 0.4, "digger": 0.6, "explorer": 0.25, "night-shop": 0.3, "completist": 0.0}
"""Chance by persona that a new recording comes from anywhere, whatever its popularity; others: DEEP_ELSE."""
DEEP_ELSE: Final = 0.05
SKIP: Final = {"sleep": 0.5, "cafe": 0.02, "shop-radio": 0.02, "night-shop": 0.02, "dj": 0.5, "digger": 0.3}
"""Chance by persona that a play is cut short (for sleepers: that the recording is a short one); others: SKIP_ELSE."""
SKIP_ELSE: Final = 0.18
_RHYTHM: Final = {
    "sleep": playback.NIGHT,
    "cafe": playback.OPENING,
    "shop-radio": playback.OPENING,
    "night-shop": playback.OPENING,
}
_NARROW: Final = ("sleep", "child")
_KIND: Final = {"copier": playback.COPIER, "reader": playback.READER, "widget": playback.WIDGET}


def cast_of(spec: TownSpec, counts: Days) -> npt.NDArray[np.void]:
    """Draw the characters of all accounts, listeners first, then each ring from streams of its own."""
    seed = _draws(spec, "seed", lambda rng, n: rng.integers(1 << 63, size=n, dtype=np.uint64))
    country = _draws(spec, "country", lambda rng, n: rng.choice(len(COUNTRY_SHARES), n, p=COUNTRY_SHARES))
    chance = _draws(spec, "player", lambda rng, n: rng.random(n))
    more = _draws(spec, "devices", lambda rng, n: rng.binomial(2, 0.4, n))
    listener = counts.role == "listener"
    devices = np.where(listener, counts.people + more, 1).astype(np.int8)
    device_first = (np.cumsum(devices) - devices).astype(np.int32)
    people = np.empty(counts.accounts, CHARACTER)
    people["seed"] = seed
    people["kind"] = _by_persona(counts, _KIND, playback.LISTENER)
    people["rhythm"] = _by_persona(counts, _RHYTHM, playback.EVENING)
    people["lanes"] = counts.streams
    people["people"] = counts.people
    people["walk"] = counts.walk
    people["offset_h"] = np.array(UTC_OFFSETS)[country]
    people["country"] = country
    people["narrow"] = np.isin(counts.persona, _NARROW)
    people["mute"] = listener & (chance < MUTE_SHARE)
    people["device_first"] = device_first
    people["devices"] = devices
    people["skip"] = _by_persona(counts, SKIP, SKIP_ELSE)
    people["deep"] = _by_persona(counts, DEEP, DEEP_ELSE)
    return people


def _draws(spec: TownSpec, name: str, draw: Callable[[np.random.Generator, int], npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Draw for the listeners and for each ring from a stream of its own, so that none disturbs another."""
    parts = [draw(stream(spec.seed, f"cast/{name}"), spec.listeners)]
    for i, ring in enumerate(spec.copiers):
        parts.append(draw(stream(spec.seed, f"ring/{i}/cast/{name}"), ring.accounts))
    return np.concatenate(parts)


def _by_persona(counts: Days, table: Mapping[str, float], otherwise: float) -> npt.NDArray[np.float64]:
    values = np.full(counts.accounts, otherwise, np.float64)
    for persona, value in table.items():
        values[counts.persona == persona] = value
    return values


def rows_of(counts: Days) -> npt.NDArray[np.void]:
    """Address every account-day in the pool of new recordings, and in the catalogue for readers of metadata."""
    novel = counts.novel.astype(np.int64)
    at = np.cumsum(novel) - novel
    first = np.searchsorted(counts.account, np.arange(counts.accounts + 1))
    history = np.append(at, novel.sum())[first[:-1]]
    rows = np.zeros(len(counts.day), ACCOUNT_DAY)
    for name in ("account", "day", "plays", "novel", "downloads", "rows"):
        rows[name] = getattr(counts, name)
    rows["history"] = history[counts.account]
    rows["at"] = at
    rows["cursor"] = _cursors(counts)
    return rows


def _cursors(counts: Days) -> npt.NDArray[np.int64]:
    """Let each ring of readers go on where it ended the day before, account after account in identifier order."""
    cursor = np.zeros(len(counts.day), np.int64)
    reads = counts.persona[counts.account] == "reader"
    for ring in np.unique(counts.ring[counts.persona == "reader"]):
        mine = np.flatnonzero(reads & (counts.ring[counts.account] == ring))
        mine = mine[np.argsort(counts.day[mine], kind="stable")]
        read = counts.rows[mine].astype(np.int64)
        cursor[mine] = np.cumsum(read) - read
    return cursor


def novelties(spec: TownSpec, counts: Days, shelf: Shelf, people: npt.NDArray[np.void]) -> npt.NDArray[np.int32]:
    """Draw what is new to each account, account after account, in order of time.

    Returns
    -------
    pool : int32 [shape=(sum of novel,)]
        Rows of the catalogue.
    """
    pool = np.empty(int(counts.novel.sum()), np.int32)
    first = np.searchsorted(counts.account, np.arange(counts.accounts + 1))
    taste.listen(shelf, people[: spec.listeners], first, rows_of(counts), pool)
    begin = spec.listeners
    at = np.append(0, np.cumsum(counts.novel.astype(np.int64)))
    for i, ring in enumerate(spec.copiers):
        end = begin + ring.accounts
        low, high = first[begin], first[end]
        novel = np.zeros((spec.days, ring.accounts), np.int64)
        novel[counts.day[low:high], counts.account[low:high] - begin] = counts.novel[low:high]
        work, ends = dealing.work_list(shelf, ring.order, stream(spec.seed, f"ring/{i}/work"))
        seed = stream(spec.seed, f"ring/{i}/deal").integers(1 << 63, dtype=np.uint64)
        starts = at[first[begin:end]] - at[low]
        dealing.deal(
            shelf, people[begin:end], work, ends, novel, ring.duplicates, ring.human, seed, starts,
            pool[at[low] : at[high]],
        )  # fmt: skip
        begin = end
    return pool
