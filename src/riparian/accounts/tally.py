"""What has each account done so far, in the fewest numbers that the bets need?

A tally is all the memory that the bets have; :mod:`riparian.accounts.observe` writes it, access by access.
Two things are remembered of each account beside its counts: which recordings it has had (one
64-bit code a pair of account and recording; a collision calls a new recording known, which only
ever favours the listener), and its likelihood under each component of the pools
(:mod:`riparian.accounts.people`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.accounts import people as people_
from riparian.accounts.people import People, Singles
from riparian.errors import CustodyError

BITS: Final = np.dtype(
    [
        # The person bet's volume alone, with newness, and with order; then the other bets, and the mean of all.
        ("volume", np.float64),
        ("newness", np.float64),
        ("person", np.float64),
        ("pace", np.float64),
        ("silence", np.float64),
        ("enumeration", np.float64),
        ("joined", np.float64),
    ]
)

STATE: Final = np.dtype(
    [
        ("first_us", np.int64),
        ("last_us", np.int64),
        ("plays", np.int64),
        ("novel", np.int64),
        ("rows", np.int64),
        ("late", np.int64),
        ("days", np.int32),
        ("streams", np.float32),
        # The day that is open, and its counts; -1 when none is.
        ("day", np.int32),
        ("day_plays", np.int32),
        ("day_novel", np.int32),
        ("day_pairs", np.int32),
        ("day_ascents", np.int32),
        ("day_rows", np.int64),
        ("day_row_pairs", np.int32),
        ("day_row_ascents", np.int32),
        ("day_beats", np.int32),
        ("day_beatless", np.int32),
        ("hour", np.int64),
        ("hour_ms", np.int64),
        ("day_hour_ms", np.int64),
        # The last fetch, the last new one, and the last row of metadata.
        ("last_recording", np.uint64),
        ("last_fetch_us", np.int64),
        ("last_rank", np.int32),
        ("last_artist", np.int32),
        ("last_place", np.int32),
        # The bits today, and as they stood when their joint was largest.
        ("now", BITS),
        ("most", BITS),
        ("reached_us", np.int64),
        # Since which restart of the calendar the bets stand open.
        ("restarts", np.int32),
    ]
)

DAYS: Final = np.dtype(
    [
        ("slot", np.int32),
        ("day", np.int32),
        ("plays_before", np.int64),
        ("plays", np.int32),
        ("novel", np.int32),
        ("pairs", np.int32),
        ("ascents", np.int32),
        ("rows", np.int64),
        ("row_pairs", np.int32),
        ("row_ascents", np.int32),
        ("fast", np.int8),
        ("silent", np.int8),
    ]
)
"""One row for each day of an account that is over.  ``pairs`` counts consecutive new recordings of
different artists and ``ascents`` those that go down the order of popularity; ``fast`` and ``silent``
are 1 for a marked day, 0 for an unmarked one, and -1 where the log cannot tell."""


class Likelihoods(NamedTuple):
    """How well each component of each pool explains an account's past, scaled so that a pool sums to 1.

    Parameters
    ----------
    volume, newness, order, rows, rows_order, fast, silent : np.ndarray [shape=(accounts, components), float32]
        The pools of the person bet, of enumeration, of pace and of silence.
    """

    volume: Singles
    newness: Singles
    order: Singles
    rows: Singles
    rows_order: Singles
    fast: Singles
    silent: Singles

    @classmethod
    def of(cls, people: People, accounts: int) -> Self:
        """Begin: nothing has been seen of any account, and every component explains it alike."""
        pools = people.pools
        orders, flags = pools.order.shape[2], len(pools.flags)
        widths = (pools.volume.shape[1], pools.plays.shape[1], orders, pools.rows.shape[1], orders, flags, flags)
        return cls(*(np.ones((accounts, width), np.float32) for width in widths))

    def followed_by(self, others: Self) -> Self:
        """Append other accounts."""
        return type(self)(*(np.concatenate(both) for both in zip(self, others, strict=True)))


@dataclass(slots=True)
class Tally:
    """The memory of one bucket of accounts.

    Parameters
    ----------
    accounts : np.ndarray [shape=(accounts,), uint64]
        Codes by slot, in the order in which accounts were first seen.
    state : np.ndarray [shape=(accounts,), dtype=STATE]
        Counts.
    likelihoods
        Of each account's past under every component of every pool.
    seen : np.ndarray [shape=(a power of two,), uint64]
        Open-addressing set of pairs of account and recording; 0 is a free place.
    """

    people: People
    accounts: npt.NDArray[np.uint64]
    state: npt.NDArray[np.void]
    likelihoods: Likelihoods
    seen: npt.NDArray[np.uint64]
    n_seen: int

    @classmethod
    def empty(cls, people: People) -> Self:
        """Make a bucket in which nobody has been seen."""
        return cls(
            people,
            np.empty(0, np.uint64),
            np.empty(0, STATE),
            Likelihoods.of(people, 0),
            np.zeros(16, np.uint64),
            0,
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything to keep, as plain arrays; the inverse of :meth:`from_arrays`."""
        return {
            "version": np.array([f"{people_.VERSION}/{self.people.version}"]),
            "accounts": self.accounts,
            "state": self.state,
            **{f"likelihoods.{name}": array for name, array in self.likelihoods._asdict().items()},
            "seen": _pairs(self.seen, np.empty(self.n_seen + 1, np.uint64))[: self.n_seen],
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], people: People) -> Self:
        """Take up a tally where it was left.

        Raises
        ------
        CustodyError
            When it was made by other pools or against other people, or its arrays do not fit together.
        """
        wanted = f"{people_.VERSION}/{people.version}"
        found = str(arrays["version"].item())
        if found != wanted:
            raise CustodyError(
                f"the tally was made against people `{found}`, wanted `{wanted}`",
                hint="Scan the logs again in a new workspace, or restore the people file that this one was made with.",
            )
        accounts, state = arrays["accounts"], arrays["state"]
        likelihoods = Likelihoods(*(arrays[f"likelihoods.{name}"].copy() for name in Likelihoods._fields))
        if {len(state), *map(len, likelihoods)} != {len(accounts)} or state.dtype != STATE:
            raise CustodyError("the tally's arrays do not fit together, wanted one row an account in each")
        pairs = np.ascontiguousarray(arrays["seen"])
        tally = cls(people, accounts.copy(), state.copy(), likelihoods, np.zeros(16, np.uint64), 0)
        tally.seen = _table_for(len(pairs))
        tally.n_seen = int(_fill(tally.seen, pairs))
        return tally


def enrol(tally: Tally, codes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """Give every account a slot, new ones at the end, and return each code's slot."""
    slots = np.empty(len(codes), np.int32)
    new = np.empty(len(codes), np.uint64)
    n_new = _enrol(tally.accounts, codes, slots, new)
    if n_new:
        state = np.zeros(n_new, STATE)
        state["day"] = -1
        for name in ("first_us", "last_fetch_us"):
            state[name] = np.iinfo(np.int64).min // 2
        for name in ("last_rank", "last_artist", "last_place", "hour"):
            state[name] = -1
        tally.accounts = np.concatenate([tally.accounts, new[:n_new]])
        tally.state = np.concatenate([tally.state, state])
        tally.likelihoods = tally.likelihoods.followed_by(Likelihoods.of(tally.people, n_new))
    return slots


def make_room(tally: Tally, pairs: int) -> None:
    """Make room for so many more pairs of account and recording."""
    if 2 * (tally.n_seen + pairs) > len(tally.seen):
        old = tally.seen
        tally.seen = _table_for(tally.n_seen + pairs)
        _fill(tally.seen, old[old != 0])


def _size_for(n: int) -> int:
    return int(2 ** np.ceil(np.log2(max(16, 2 * n))))


def _table_for(n: int) -> npt.NDArray[np.uint64]:
    return np.zeros(_size_for(n), np.uint64)


@njit(cache=True, nogil=True)
def _mix(x: np.uint64) -> np.uint64:  # splitmix64's finaliser
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True)
def mask(account):  # type: ignore[no-untyped-def]
    """Mask an account's recordings with this: ``mask ^ recording`` stands for the pair."""
    return _mix(account + np.uint64(0x9E3779B97F4A7C15))


def account_mask(accounts: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Tell what each account's pairs in ``Tally.seen`` are masked with: ``pair ^ mask`` is the recording's code.

    Examples
    --------
    >>> codes = np.array([7, 9], np.uint64)
    >>> len(set(account_mask(codes).tolist()))
    2
    """
    masks = np.empty(len(accounts), np.uint64)
    _masks(accounts, masks)
    return masks


@njit(cache=True, nogil=True)
def _masks(accounts, masks):  # type: ignore[no-untyped-def]
    for i in range(len(accounts)):
        masks[i] = mask(accounts[i])


@njit(cache=True, nogil=True)
def insert(table, value):  # type: ignore[no-untyped-def]
    """Put a pair into an open-addressing set that has room; False when it was there."""
    last = np.uint64(len(table) - 1)
    at = _mix(value) & last
    while table[at] != 0:
        if table[at] == value:
            return False
        at = (at + np.uint64(1)) & last
    table[at] = value
    return True


@njit(cache=True, nogil=True)
def _fill(table, values):  # type: ignore[no-untyped-def]
    n = 0
    for value in values:
        n += insert(table, value)
    return n


@njit(cache=True, nogil=True)
def _pairs(table, out):  # type: ignore[no-untyped-def]
    n = 0
    for pair in table:
        out[n] = pair
        n += pair != 0
    return out


@njit(cache=True, nogil=True)
def _slots_of(known, new, size):  # type: ignore[no-untyped-def]
    index, places = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    mask = np.uint64(size - 1)
    for i in range(len(known) + len(new)):
        code = known[i] if i < len(known) else new[i - len(known)]
        at = code & mask
        while index[at] != 0:
            at = (at + np.uint64(1)) & mask
        index[at] = code
        places[at] = i
    return index, places


@njit(cache=True, nogil=True)
def _enrol(known, codes, slots, new):  # type: ignore[no-untyped-def]
    # The table follows the number of accounts, not of accesses: a small one stays near the processor.
    size = 1024
    while size < 4 * len(known):
        size *= 2
    index, places = _slots_of(known, new[:0], size)
    n_new = 0
    for i in range(len(codes)):
        code = codes[i]
        mask = np.uint64(size - 1)
        at = code & mask
        while index[at] != 0 and index[at] != code:
            at = (at + np.uint64(1)) & mask
        if index[at] == 0:
            index[at] = code
            places[at] = len(known) + n_new
            new[n_new] = code
            n_new += 1
        slots[i] = places[at]
        if 2 * (len(known) + n_new) > size:
            size *= 4
            index, places = _slots_of(known, new[:n_new], size)
    return n_new
