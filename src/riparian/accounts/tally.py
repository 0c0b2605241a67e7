"""What has each account done so far, in the fewest numbers that the bets need?

A tally is all the memory that the bets have.  It takes accesses in the order of time and gives
back one row for each day of an account that is *over*: bets are placed on whole days (UTC), never
on a day that may still grow.  A day is over when the account is seen on a later one, or when
:func:`settle` is told that the log has passed it.  Accesses that arrive for a day already over are
counted as late and are not bet on.

Two things are remembered of each account beside its counts: which recordings it has had (one
64-bit code a pair of account and recording; a collision calls a new recording known, which only
ever favours the listener), and its likelihood under each component of the pools
(:mod:`riparian.accounts.people`).

A *fetch* is what a person would call a play: an access to a recording other than the account's
last one, or to the same one after a pause.  The next segment of the same recording is not a fetch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.accounts import people as people_
from riparian.accounts.people import PAIRS_MAX, People
from riparian.catalogue.popularity import Popularity
from riparian.errors import CustodyError
from riparian.schema import DAY_US, HOUR_US, Action

_SEGMENT_PAUSE_US: Final = 30 * 60 * 1_000_000
_PLAY_PAUSE_US: Final = 10 * 1_000_000
_SILENT_FETCHES_MIN: Final = 10

_PLAY = int(Action.PLAY)
_DOWNLOAD = int(Action.DOWNLOAD)
_METADATA = int(Action.METADATA)
_SEARCH = int(Action.SEARCH)

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


class _Catalogue(NamedTuple):
    keys: npt.NDArray[np.uint64]
    rows: npt.NDArray[np.int32]
    rank: npt.NDArray[np.int32]
    artist: npt.NDArray[np.int32]
    place: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Observed:
    """What a batch of accesses turned out to be.

    Parameters
    ----------
    slot : np.ndarray [shape=(accesses,), int32]
        Where each access's account stands in ``Tally.accounts``.
    fetch, novel, late : np.ndarray [shape=(accesses,), bool]
        Whether it is a fetch; whether its recording is new to the account; whether its day was over.
    days : np.ndarray [shape=(days,), dtype=DAYS]
        Days that ended, in order for each account.
    """

    slot: npt.NDArray[np.int32]
    fetch: npt.NDArray[np.bool_]
    novel: npt.NDArray[np.bool_]
    late: npt.NDArray[np.bool_]
    days: npt.NDArray[np.void]


@dataclass(slots=True)
class Tally:
    """The memory of one bucket of accounts.

    Parameters
    ----------
    accounts : np.ndarray [shape=(accounts,), uint64]
        Codes by slot, in the order in which accounts were first seen.
    state : np.ndarray [shape=(accounts,), dtype=STATE]
        Counts.
    likelihoods : np.ndarray [shape=(accounts, components), float32]
        Likelihood of each account's past under every component of every pool, scaled so that the
        best of each pool is 1.
    seen : np.ndarray [shape=(a power of two,), uint64]
        Open-addressing set of pairs of account and recording; 0 is a free place.
    """

    people: People
    accounts: npt.NDArray[np.uint64]
    state: npt.NDArray[np.void]
    likelihoods: npt.NDArray[np.float32]
    seen: npt.NDArray[np.uint64]
    n_seen: int

    @classmethod
    def empty(cls, people: People) -> Self:
        """Make a bucket in which nobody has been seen."""
        width = sum(pool_widths(people))
        return cls(
            people,
            np.empty(0, np.uint64),
            np.empty(0, STATE),
            np.empty((0, width), np.float32),
            np.zeros(16, np.uint64),
            0,
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything to keep, as plain arrays; the inverse of :meth:`from_arrays`."""
        return {
            "version": np.array([f"{people_.VERSION}/{self.people.version}"]),
            "accounts": self.accounts,
            "state": self.state,
            "likelihoods": self.likelihoods,
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
        accounts, state, likelihoods = arrays["accounts"], arrays["state"], arrays["likelihoods"]
        if not len(accounts) == len(state) == len(likelihoods) or state.dtype != STATE:
            raise CustodyError("the tally's arrays do not fit together, wanted one row an account in each")
        pairs = np.ascontiguousarray(arrays["seen"])
        tally = cls(people, accounts.copy(), state.copy(), likelihoods.copy(), np.zeros(16, np.uint64), 0)
        tally.seen = _table_for(len(pairs))
        tally.n_seen = int(_fill(tally.seen, pairs))
        return tally


def pool_widths(people: People) -> tuple[int, int, int, int, int, int, int]:
    """How many components each pool has: volume, newness, order, rows, rows' order, fast, silent."""
    pools = people.pools
    orders, flags = pools.order.shape[2], len(pools.flags)
    return pools.volume.shape[1], pools.plays.shape[1], orders, pools.rows.shape[1], orders, flags, flags


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
        ones = np.ones((n_new, tally.likelihoods.shape[1]), np.float32)
        tally.likelihoods = np.concatenate([tally.likelihoods, ones])
    return slots


def one_stream(accounts: npt.NDArray[np.uint64]) -> npt.NDArray[np.float32]:
    """Let every plan play one stream at once.

    Examples
    --------
    >>> one_stream(np.array([7, 9], np.uint64)).tolist()
    [1.0, 1.0]
    """
    return np.ones(len(accounts), np.float32)


def observe(
    tally: Tally,
    columns: Mapping[str, npt.NDArray[Any]],
    popularity: Popularity,
    *,
    streams: Callable[[npt.NDArray[np.uint64]], npt.NDArray[np.float32]] = one_stream,
) -> Observed:
    """Count one bucket's accesses, sorted by time.

    Parameters
    ----------
    tally
        Changed in place.
    columns
        Columns of ``ACCESS``: ``at_us``, ``account`` and ``recording``, and any of ``action``,
        ``media_ms``, ``heartbeat`` and ``rows``; one length.
    popularity
        The catalogue, frozen before these accesses.
    streams
        Tells, for codes of accounts, how many streams their plans play at once.

    Returns
    -------
    Observed
        One row an access, and the days that ended.
    """
    at, account, recording = columns["at_us"], columns["account"], columns["recording"]
    n = len(at)
    slot = enrol(tally, account)
    tally.state["streams"] = streams(tally.accounts)
    if 2 * (tally.n_seen + n) > len(tally.seen):
        old = tally.seen
        tally.seen = _table_for(tally.n_seen + n)
        _fill(tally.seen, old[old != 0])
    fetch, novel, late = np.zeros(n, np.bool_), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    days = np.empty(n, DAYS)
    none32 = np.empty(0, np.int32)
    n_days, n_seen = _observe(
        tally.state,
        tally.seen,
        slot,
        at,
        account,
        recording,
        columns.get("action", np.empty(0, np.uint8)),
        columns.get("media_ms", none32),
        columns.get("heartbeat", np.empty(0, np.int8)),
        columns.get("rows", none32),
        _Catalogue(popularity.index, popularity.index_rows, popularity.rank, popularity.artist, popularity.place),
        (fetch, novel, late),
        days,
    )
    tally.n_seen += n_seen
    return Observed(slot, fetch, novel, late, days[:n_days])


def settle(tally: Tally, until_us: int) -> npt.NDArray[np.void]:
    """End every day that the log has passed; returns rows of ``DAYS``.

    Parameters
    ----------
    until_us
        No access before this time will come any more; microseconds since 1970, UTC.
    """
    days = np.empty(len(tally.accounts), DAYS)
    n_days = _settle(tally.state, until_us, days)
    return days[:n_days]


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
def _mask(account):  # type: ignore[no-untyped-def]
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
        masks[i] = _mask(accounts[i])


@njit(cache=True, nogil=True)
def _insert(table, value):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(table) - 1)
    at = _mix(value) & mask
    while table[at] != 0:
        if table[at] == value:
            return False
        at = (at + np.uint64(1)) & mask
    table[at] = value
    return True


@njit(cache=True, nogil=True)
def _fill(table, values):  # type: ignore[no-untyped-def]
    n = 0
    for value in values:
        n += _insert(table, value)
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


@njit(cache=True, nogil=True)
def _end_day(s, slot, days, n_days):  # type: ignore[no-untyped-def]
    d = days[n_days]
    d.slot = slot
    d.day = s.day
    d.plays_before = s.plays - s.day_plays
    d.plays = s.day_plays
    d.novel = s.day_novel
    d.pairs = s.day_pairs
    d.ascents = s.day_ascents
    d.rows = s.day_rows
    d.row_pairs = s.day_row_pairs
    d.row_ascents = s.day_row_ascents
    hour_ms = max(s.day_hour_ms, s.hour_ms)
    # An hour of sound for each stream, half as much again for skipping and fetching ahead, and ten minutes.
    fast_ms = s.streams * 5_400_000 + 600_000
    d.fast = (1 if hour_ms > fast_ms else 0) if hour_ms > 0 else -1
    heard = s.day_beats + s.day_beatless
    d.silent = (1 if s.day_beatless > s.day_beats else 0) if heard >= _SILENT_FETCHES_MIN else -1
    s.days += 1
    s.day = -1
    s.day_plays = 0
    s.day_novel = 0
    s.day_pairs = 0
    s.day_ascents = 0
    s.day_rows = 0
    s.day_row_pairs = 0
    s.day_row_ascents = 0
    s.day_beats = 0
    s.day_beatless = 0
    s.hour = -1
    s.hour_ms = 0
    s.day_hour_ms = 0
    return n_days + 1


@njit(cache=True, nogil=True)
def _settle(state, until_us, days):  # type: ignore[no-untyped-def]
    n_days = 0
    for i in range(len(state)):
        s = state[i]
        if s.day >= 0 and (np.int64(s.day) + 1) * DAY_US <= until_us:
            n_days = _end_day(s, i, days, n_days)
    return n_days


@njit(cache=True, nogil=True)
def _find(index, index_rows, code):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(index) - 1)
    at = code & mask
    while index[at] != 0:
        if index[at] == code:
            return index_rows[at]
        at = (at + np.uint64(1)) & mask
    return -1


@njit(cache=True, nogil=True)
def _read(s, n_rows, code, names, catalogue):  # type: ignore[no-untyped-def]
    s.rows += n_rows
    s.day_rows += n_rows
    if not names or code == 0 or s.day_row_pairs >= PAIRS_MAX or len(catalogue.keys) < 2:
        return
    row = _find(catalogue.keys, catalogue.rows, code)
    if row < 0:
        return
    place = catalogue.place[row]
    if s.last_place >= 0 and place != s.last_place:
        s.day_row_pairs += 1
        s.day_row_ascents += place > s.last_place
    s.last_place = place


@njit(cache=True, nogil=True)
def _receive(s, us, ms):  # type: ignore[no-untyped-def]
    hour = us // HOUR_US
    if hour != s.hour:
        s.day_hour_ms = max(s.day_hour_ms, s.hour_ms)
        s.hour = hour
        s.hour_ms = 0
    s.hour_ms += ms


@njit(cache=True, nogil=True)
def _meet(s, code, catalogue):  # type: ignore[no-untyped-def]
    s.novel += 1
    s.day_novel += 1
    if s.day_pairs >= PAIRS_MAX or len(catalogue.keys) < 2:
        return
    row = _find(catalogue.keys, catalogue.rows, code)
    if row < 0 or catalogue.rank[row] < 0:
        return
    rank, artist = catalogue.rank[row], catalogue.artist[row]
    if s.last_rank >= 0 and (artist < 0 or artist != s.last_artist):
        s.day_pairs += 1
        s.day_ascents += rank > s.last_rank
    s.last_rank = rank
    s.last_artist = artist


@njit(cache=True, nogil=True)
def _fetches(s, us, code, act):  # type: ignore[no-untyped-def]
    if code == 0:
        return False
    pause = _PLAY_PAUSE_US if act in (_PLAY, _DOWNLOAD) else _SEGMENT_PAUSE_US
    again = code == s.last_recording and us - s.last_fetch_us < pause
    s.last_recording = code
    s.last_fetch_us = us
    return not again


@njit(cache=True, nogil=True)
def _observe(  # type: ignore[no-untyped-def]
    state, seen, slots, at, account, recording, action, media_ms, heartbeat, rows, catalogue, marks, days
):
    fetch, novel, late = marks
    n_days, n_seen = 0, 0
    for i in range(len(at)):
        s, us, code = state[slots[i]], at[i], recording[i]
        act = action[i] if len(action) else _PLAY
        pair = max(_mask(account[i]) ^ code, np.uint64(1))
        day = us // DAY_US
        if s.day >= 0 and day > s.day:
            n_days = _end_day(s, slots[i], days, n_days)
        if day < s.day or (s.day < 0 and s.days > 0 and day <= s.last_us // DAY_US):
            # Counted, and remembered as seen (which favours the listener), but not bet on.
            s.late += 1
            late[i] = True
            n_seen += code != 0 and _insert(seen, pair)
            continue
        s.day = day
        s.first_us = us if s.first_us < 0 else s.first_us
        s.last_us = max(s.last_us, us)
        if act in (_METADATA, _SEARCH):
            _read(s, max(1, rows[i]) if len(rows) else 1, code, act == _METADATA, catalogue)
            continue
        if len(media_ms) and act != _DOWNLOAD and media_ms[i] > 0:
            _receive(s, us, media_ms[i])
        if not _fetches(s, us, code, act):
            continue
        fetch[i] = True
        s.plays += 1
        s.day_plays += 1
        if len(heartbeat):
            s.day_beats += heartbeat[i] == 1
            s.day_beatless += heartbeat[i] == 0
        if _insert(seen, pair):
            n_seen += 1
            novel[i] = True
            _meet(s, code, catalogue)
    return n_days, n_seen
