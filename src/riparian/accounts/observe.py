"""What happened on each day of each account, and is the day over?

Accesses come in the order of time.  What comes back is one row for each day of an account that is *over*:
bets are placed on whole days (UTC), never on a day that may still grow.  A day is over when the account is
seen on a later one, or when :func:`settle` is told that the log has passed it.  Accesses that arrive for a
day already over are counted as late and are not bet on.

A *fetch* is what a person would call a play: an access to a recording other than the account's last one, or
to the same one after a pause.  The next segment of the same recording is not a fetch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.accounts.people import PAIRS_MAX
from riparian.accounts.tally import DAYS, Tally, enrol, insert, make_room, mask
from riparian.catalogue.popularity import Popularity
from riparian.schema import DAY_US, HOUR_US, Action

_SEGMENT_PAUSE_US: Final = 30 * 60 * 1_000_000
_PLAY_PAUSE_US: Final = 10 * 1_000_000
_SILENT_FETCHES_MIN: Final = 10

_PLAY = int(Action.PLAY)
_DOWNLOAD = int(Action.DOWNLOAD)
_METADATA = int(Action.METADATA)
_SEARCH = int(Action.SEARCH)


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
    make_room(tally, n)
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
        pair = max(mask(account[i]) ^ code, np.uint64(1))
        day = us // DAY_US
        if s.day >= 0 and day > s.day:
            n_days = _end_day(s, slots[i], days, n_days)
        if day < s.day or (s.day < 0 and s.days > 0 and day <= s.last_us // DAY_US):
            # Counted, and remembered as seen (which favours the listener), but not bet on.
            s.late += 1
            late[i] = True
            n_seen += code != 0 and insert(seen, pair)
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
        if insert(seen, pair):
            n_seen += 1
            novel[i] = True
            _meet(s, code, catalogue)
    return n_days, n_seen
