"""Does it share its devices, or change them, as no declared kind of account does?

A farm has few devices for many accounts, or makes itself a new device whenever it likes.  People have devices of their
own beside those that they share, keep them for months, and a device is of one platform.

Conventions
-----------
* An account is *regular* on a device from its third day on it; a hotel's television is nobody's device.
* What counts of sharing is the account's **least** shared regular device, a week after its first: who has a telephone
  of their own beside the family's speaker, the office's and the gym's shares nothing.
* An address is no device: carriers put thousands behind one, and nothing here looks at it.
* A device is *owned* by the account that was regular on it a day before any other, and whoever comes later does not
  make it shared for its owner: nobody is framed by accounts that take up the identifier of their telephone.
* Devices are counted inside calendar stretches of 28 days.  A pair of account and device that is not regular is
  forgotten 28 days after it was last seen.
* A device with more than :data:`CROWD` accounts is the name of a model, and no device.  Nor is the column one of
  devices when a twentieth of all accounts seem to share theirs by twenty and more: then ``shared`` abstains.

Hypothesis
----------
Null: of honest accounts, no more than the shares declared in ``[devices]`` of the people file ever get so far
(:mod:`riparian.accounts.ladders`).

Fails when
----------
Whoever can give each account a device identifier of its own, kept for good, is invisible here.  Where a school, ward or
library lends the only devices that people have, ``shared`` wants larger shares.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from riparian.accounts import ladders as ladders_
from riparian.accounts.ladders import LEVELS, REACHED, climb, levels_of, levels_table, rung_of
from riparian.accounts.people import People
from riparian.accounts.tally import mask
from riparian.errors import CustodyError
from riparian.evidence import DEVICES, Evidence
from riparian.schema import DAY_US

REGULAR_DAYS: Final = 3
"""Days on which an account was seen on a device, from which on it is regular there."""
STRETCH_DAYS: Final = 28
SETTLED_DAYS: Final = 7
"""Days after an account's first regular device, before which nothing is said of its sharing."""
CROWD: Final = 2_000
"""Accounts on one identifier beyond which it names no device."""
_NO_DEVICES_SHARE: Final = 0.05
_NO_DEVICES_LEVEL: Final = 20
_NO_DEVICES_FROM: Final = 1_000
_DAYS_MAX: Final = 255
_PLATFORM: Final = np.uint64(3)

STATE: Final = np.dtype(
    [
        # What was seen last: the same again changes nothing.
        ("device", np.uint64),
        ("day", np.int32),
        ("platform", np.uint8),
        # The stretch of 28 days that is under way, and devices in it.
        ("stretch", np.int32),
        ("devices", np.int32),
        ("lied", np.int32),
        ("changed", REACHED),
        ("impossible", REACHED),
    ]
)
"""One account: 43 bytes."""

PAIR: Final = np.dtype([("key", np.uint64), ("last", np.uint16), ("days", np.uint8), ("platforms", np.uint8)])
"""One account on one device, 12 bytes: ``mask(account) ^ device``, last day since 1970, days, a bit a platform."""

REGULAR: Final = pa.schema(
    [
        pa.field("device", pa.uint64(), nullable=False),
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("day", pa.int32(), nullable=False),
    ]
)
"""A pair of device and account from the day on which the account became regular on the device."""


@dataclass(slots=True)
class Devices:
    """What one bucket of accounts remembers of its devices.

    Parameters
    ----------
    state : np.ndarray [shape=(accounts,), dtype=STATE]
        By slot of the bucket's tally.
    pairs : np.ndarray [shape=(a power of two,), dtype=PAIR]
        Open-addressing table; a key of 0 is a free place.
    n_pairs
        Pairs in it.
    regular : pa.Table [schema=REGULAR]
        Every pair that ever became regular.
    """

    state: npt.NDArray[np.void]
    pairs: npt.NDArray[np.void]
    n_pairs: int
    regular: pa.Table

    @classmethod
    def empty(cls) -> Self:
        """Make a bucket in which no device has been seen."""
        return cls(np.empty(0, STATE), np.zeros(16, PAIR), 0, REGULAR.empty_table())

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything to keep, as plain arrays; the inverse of :meth:`from_arrays`."""
        pairs = np.sort(self.pairs[self.pairs["key"] != 0], order="key")
        latest = int(pairs["last"].max()) if len(pairs) else 0
        kept = pairs[(pairs["days"] >= REGULAR_DAYS) | (pairs["last"].astype(np.int64) + STRETCH_DAYS >= latest)]
        regular = {f"regular.{name}": self.regular[name].to_numpy() for name in REGULAR.names}
        return {"state": self.state, "pairs": kept, **regular}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Take up where it was left.

        Raises
        ------
        CustodyError
            When the arrays are of another form.
        """
        state, pairs = arrays["state"], arrays["pairs"]
        if state.dtype != STATE or pairs.dtype != PAIR:
            raise CustodyError(
                "what is kept of devices has another form, wanted that of this version",
                hint="Scan the logs again in a new workspace.",
            )
        regular = pa.table([arrays[f"regular.{name}"] for name in REGULAR.names], schema=REGULAR)
        devices = cls(state.copy(), _table_for(len(pairs)), len(pairs), regular)
        _fill(devices.pairs, pairs)
        return devices


def observe(
    devices: Devices, columns: Mapping[str, npt.NDArray[Any]], slot: npt.NDArray[np.int32], people: People
) -> None:
    """Count one bucket's accesses, sorted by time; nothing happens without the column ``device``.

    Parameters
    ----------
    devices
        Changed in place.
    columns
        Columns of ``ACCESS``: ``at_us``, ``account``, ``device``, and ``agent`` where the log has it.
    slot : np.ndarray [shape=(accesses,), int32]
        Where each access's account stands in the bucket's tally.
    """
    if "device" not in columns or not len(slot):
        return
    device, account, at = columns["device"], columns["account"], columns["at_us"]
    devices.state = _for_slots(devices.state, int(slot.max()) + 1)
    found = np.zeros(len(slot), np.bool_)
    agent = columns.get("agent", np.empty(0, np.uint64))
    own = people.ladders["devices"]
    changed, impossible = levels_of(own, "changed"), levels_of(own, "impossible")
    done = 0
    while done < len(slot):
        done, devices.n_pairs = _observe(
            devices.state, devices.pairs, devices.n_pairs, slot, at, account, device, agent,
            changed, impossible, found, done,
        )  # fmt: skip
        if done < len(slot):
            pairs = devices.pairs
            devices.pairs = _table_for(2 * devices.n_pairs)
            _fill(devices.pairs, pairs)
    rows = np.flatnonzero(found)
    if len(rows):
        new = pa.table([device[rows], account[rows], (at[rows] // DAY_US).astype(np.int32)], schema=REGULAR)
        devices.regular = pa.concat_tables([devices.regular, new]).combine_chunks()


def levels(devices: Devices, accounts: npt.NDArray[np.uint64]) -> pa.Table:
    """Tell how far the bucket's accounts got on the ladders that need no other bucket.

    Parameters
    ----------
    accounts : np.ndarray [uint64]
        Codes by slot, as in the bucket's tally.

    Returns
    -------
    pa.Table [schema=LEVELS]
        Ladders ``changed`` and ``impossible``.
    """
    own = accounts[: len(devices.state)]
    return pa.concat_tables([levels_table(name, own, devices.state[name]) for name in ("changed", "impossible")])


def share(regular: pa.Table, people: People, *, until_us: int) -> pa.Table:
    """Tell by how many accounts everybody's least shared device is used: the step across buckets.

    Parameters
    ----------
    regular
        ``REGULAR`` of all buckets, in any order.
    until_us
        Days that ended by then are judged; microseconds since 1970, UTC.

    Returns
    -------
    pa.Table [schema=LEVELS]
        Ladder ``shared``.

    Examples
    --------
    >>> import tomllib
    >>> from importlib.resources import files
    >>> from riparian.accounts.people import parse_people
    >>> people = parse_people(tomllib.loads((files("riparian.accounts") / "people.toml").read_text()))
    >>> pairs = pa.table([[5, 5, 5, 6], [1, 2, 3, 3], [10, 11, 12, 13]], schema=REGULAR)
    >>> share(pairs, people, until_us=40 * DAY_US).select(["account", "level"]).to_pylist()
    [{'account': 2, 'level': 3}]
    """
    rungs = levels_of(people.ladders["devices"], "shared")
    device, account, day = (regular[name].to_numpy() for name in REGULAR.names)
    _, of_device, on = np.unique(device, return_inverse=True, return_counts=True)
    kept = on[of_device] <= CROWD
    device, account, day, of_device = device[kept], account[kept], day[kept], of_device[kept]
    if not len(device) or not len(rungs):
        return LEVELS.empty_table()
    codes, of_account = np.unique(account, return_inverse=True)
    by_device, by_account = np.lexsort((day, of_device)), np.lexsort((day, of_account))
    first_of_device = np.searchsorted(of_device[by_device], np.arange(len(on) + 1))
    first_of_account = np.searchsorted(of_account[by_account], np.arange(len(codes) + 1))
    reached = np.zeros(len(codes), REACHED)
    last_day = until_us // DAY_US - 1
    _share(
        first_of_account,
        of_device[by_account],
        day[by_account],
        first_of_device,
        day[by_device],
        last_day,
        rungs,
        reached,
    )
    crowded = int((reached["level"] >= _NO_DEVICES_LEVEL).sum())
    if len(codes) >= _NO_DEVICES_FROM and crowded > _NO_DEVICES_SHARE * len(codes):
        return LEVELS.empty_table()
    return levels_table("shared", codes, reached)


def answers(reached: pa.Table, people: People) -> pa.Table:
    """Tell the bits of every account that has any, as :func:`riparian.accounts.join.join` takes them.

    Parameters
    ----------
    reached
        ``LEVELS`` of :func:`levels` and :func:`share`, one after the other.
    """
    return ladders_.answers(DEVICES, reached, people.ladders["devices"])


def explain(reached: pa.Table, people: People, account: int) -> Evidence:
    """Explain the bits of one account that :func:`answers` knows, in rows that sum to the total exactly."""
    return ladders_.explain(DEVICES, account, reached, people.ladders["devices"], people.version)


def _for_slots(state: npt.NDArray[np.void], slots: int) -> npt.NDArray[np.void]:
    if slots <= len(state):
        return state
    new = np.zeros(slots - len(state), STATE)
    new["stretch"] = new["day"] = -1
    return np.concatenate([state, new])


def _table_for(n: int) -> npt.NDArray[np.void]:
    return np.zeros(int(2 ** np.ceil(np.log2(max(16, 2 * n)))), PAIR)


@njit(cache=True, nogil=True)
def _place(pairs, key):  # type: ignore[no-untyped-def]
    last = np.uint64(len(pairs) - 1)
    at = (key ^ (key >> np.uint64(29))) & last
    while pairs[at].key != 0 and pairs[at].key != key:
        at = (at + np.uint64(1)) & last
    return at


@njit(cache=True, nogil=True)
def _fill(pairs, kept):  # type: ignore[no-untyped-def]
    for i in range(len(kept)):
        if kept[i].key != 0:
            pairs[_place(pairs, kept[i].key)] = kept[i]


@njit(cache=True, nogil=True)
def _again(pair, day):  # type: ignore[no-untyped-def]
    """Begin anew with a pair that was never seen, or not for a stretch."""
    if pair.days < REGULAR_DAYS and day > np.int64(pair.last) + STRETCH_DAYS:
        pair.days = 0
        pair.platforms = 0


@njit(cache=True, nogil=True)
def _on_a_day(s, pair, day, changed):  # type: ignore[no-untyped-def]
    """Count a day on which an account is on a device; says whether it is now regular there."""
    stretch = day // STRETCH_DAYS
    if stretch > s.stretch:
        s.stretch = stretch
        s.devices = 0
    if stretch == s.stretch and (pair.days == 0 or np.int64(pair.last) // STRETCH_DAYS != stretch):
        s.devices += 1
        climb(s.changed, changed, s.devices, day)
    pair.last = day
    pair.days = min(np.int64(pair.days) + 1, _DAYS_MAX)
    return pair.days == REGULAR_DAYS


@njit(cache=True, nogil=True)
def _names_platform(s, pair, platform, day, impossible):  # type: ignore[no-untyped-def]
    before = np.int64(pair.platforms)
    after = before | (1 << platform)
    pair.platforms = after
    # It lies once: from the second platform on, and not again with the third.
    if after != before and before != 0 and before & (before - 1) == 0:
        s.lied += 1
        climb(s.impossible, impossible, s.lied, day)


@njit(cache=True, nogil=True)
def _observe(  # type: ignore[no-untyped-def]
    state, pairs, n_pairs, slots, at, account, device, agent, changed, impossible, found, begin
):
    """Go on from access ``begin`` until the end, or until the table is half full; returns how far."""
    for i in range(begin, len(slots)):
        if device[i] == 0:
            continue
        s, day = state[slots[i]], at[i] // DAY_US
        platform = np.int64(agent[i] & _PLATFORM) if len(agent) else 0
        if s.device == device[i] and s.day == day and s.platform == platform:
            continue
        if 2 * (n_pairs + 1) > len(pairs):
            return i, n_pairs
        s.device = device[i]
        s.day = day
        s.platform = platform
        key = max(mask(account[i]) ^ device[i], np.uint64(1))
        pair = pairs[_place(pairs, key)]
        if pair.key == 0:
            pair.key = key
            n_pairs += 1
        _again(pair, day)
        if day > pair.last or pair.days == 0:
            found[i] = _on_a_day(s, pair, day, changed)
        if platform > 0:
            _names_platform(s, pair, platform, day, impossible)
    return len(slots), n_pairs


@njit(cache=True, nogil=True)
def _share(firsts, devices, days, of_device, device_days, last_day, rungs, reached):  # type: ignore[no-untyped-def]
    """Judge every account at the end of each time in which it had the same regular devices.

    Between two devices of its own an account's level only grows, so that its most is found there.
    """
    for a in range(len(firsts) - 1):
        begin, end = firsts[a], firsts[a + 1]
        settled = days[begin] + SETTLED_DAYS
        for k in range(begin, end):
            until = min(days[k + 1] - 1, last_day) if k + 1 < end else last_day
            if until < max(settled, days[k]):
                continue
            level = CROWD
            for j in range(begin, k + 1):
                others = device_days[of_device[devices[j]] : of_device[devices[j] + 1]]
                owned = days[j] == others[0] and (len(others) == 1 or others[1] > others[0])
                level = min(level, 1 if owned else np.searchsorted(others, until, side="right"))
            if level <= reached[a].level:
                continue
            rung = rung_of(rungs, level)
            reached[a].level = level
            if rung > reached[a].rung:
                reached[a].rung = rung
                since = max(settled, days[k])
                for j in range(begin, k + 1):
                    since = max(since, device_days[of_device[devices[j]] + rungs[rung - 1] - 1])
                reached[a].day = since
