"""What has been asked for, as far as signals need to remember it.

For accounts that are watched, the first request for each recording; for everybody, how many rows of listings were
read and in which hours a handle was used that was given to somebody else.  The evidence (:mod:`.bits`) is a function
of nothing but this, so that batches taken one after another say what one batch says.

Conventions
-----------
* A request counts whether or not it was served: a refused one is how a refusal is known.
* Block, canary and elevation are noted when the request comes, as they were then: a bet uses nothing later.
* ``first request`` is the earliest by ``at_us``, whenever it was told of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from riparian.accounts.surfaced.lots import Codes
from riparian.accounts.surfaced.shown import Shown
from riparian.schema import HOUR_US, Action

Arrays = dict[str, npt.NDArray[Any]]

ELEVATED: Final = 1
CANARY: Final = 2
SURFACED: Final = 4
UNSURFACED: Final = 8
READ_ROWS: Final = tuple(2_000 << tier for tier in range(8))
"""Rows of listings at which an account is looked at as one whose order others may follow: tier by tier, so that who
reads most is not crowded out by who read early."""
NEVER_US: Final = int(np.iinfo(np.int64).max)

ASK: Final = np.dtype([("at_us", "i8"), ("account", "u8"), ("recording", "u8"), ("block", "i4"), ("marks", "u1")])
READER: Final = np.dtype([("account", "u8"), ("first_us", "i8"), ("rows", "i8"), ("passed_us", "i8", len(READ_ROWS))])
"""``passed_us`` is when the rows passed each of ``READ_ROWS``; ``NEVER_US`` before."""
OCCASION: Final = np.dtype([("account", "u8"), ("at_us", "i8"), ("giver", "u8")])


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that is kept.

    Parameters
    ----------
    asks : np.ndarray [shape=(n,), dtype=ASK]
        First requests, by account and time.
    readers : np.ndarray [shape=(m,), dtype=READER]
        By account.
    occasions : np.ndarray [shape=(k,), dtype=OCCASION]
        Hours in which an account used a handle given to another; by account and time.
    """

    asks: npt.NDArray[np.void]
    readers: npt.NDArray[np.void]
    occasions: npt.NDArray[np.void]

    @classmethod
    def empty(cls) -> "Asked":
        """Begin with nothing."""
        return cls(np.empty(0, ASK), np.empty(0, READER), np.empty(0, OCCASION))

    def arrays(self) -> Arrays:
        """Give plain arrays, to be kept."""
        return {
            f"{name}.{each}": np.ascontiguousarray(table[each])
            for name, table in (("asks", self.asks), ("readers", self.readers), ("occasions", self.occasions))
            for each in table.dtype.names or ()
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "Asked":
        """Take up what :meth:`arrays` gave."""
        tables = []
        for name, kind in (("asks", ASK), ("readers", READER), ("occasions", OCCASION)):
            table = np.empty(len(arrays[f"{name}.account"]), kind)
            for each in kind.names or ():
                table[each] = arrays[f"{name}.{each}"]
            tables.append(table)
        return cls(*tables)

    def without(self, account: int) -> "Asked":
        """Forget an account, also as the one to whom a handle was given."""
        occasions = self.occasions[self.occasions["account"] != account]
        occasions["giver"][occasions["giver"] == account] = 0
        asks, readers = self.asks, self.readers
        return Asked(asks[asks["account"] != account], readers[readers["account"] != account], occasions)


def follow(asked: Asked, columns: Mapping[str, npt.NDArray[Any]], shown: Shown) -> Asked:
    """Take in a batch of accesses, in any order inside the batch, later ones in later batches.

    Parameters
    ----------
    columns
        Columns of ``ACCESS`` as a scan gives them: ``at_us``, ``account``, ``recording``, and ``action``, ``rows``,
        ``given_to``, ``surfaced`` where the log has them; ``elevated``, whether the account was elevated at that time
        (truth, or 1, 0 and -1 for not known).  Requests for sound of the accounts to be watched, refused ones
        included; readings of listings, and uses of another's handle, of everybody.
    shown
        What the platform drew.

    Examples
    --------
    >>> columns = {name: np.array([value]) for name, value in (("at_us", 5), ("account", 7), ("recording", 9))}
    >>> len(follow(Asked.empty(), columns, Shown(bytes(16))).asks)
    1
    """
    n = len(columns["at_us"])
    action = columns.get("action", np.zeros(n, np.uint8))
    is_reading = (action == Action.METADATA) | (action == Action.SEARCH)
    is_ask = ~is_reading & (columns["recording"] != 0)
    return Asked(
        _first_asks(asked.asks, _asks(columns, np.flatnonzero(is_ask), shown)),
        _readers(asked.readers, columns, np.flatnonzero(is_reading)),
        _occasions(asked.occasions, columns),
    )


def _asks(columns: Mapping[str, npt.NDArray[Any]], rows: npt.NDArray[np.intp], shown: Shown) -> npt.NDArray[np.void]:
    out = np.empty(len(rows), ASK)
    for name in ("at_us", "account", "recording"):
        out[name] = columns[name][rows]
    out["block"] = shown.listings.find(out["recording"])
    out["marks"] = CANARY * _is_in(out["recording"], shown.canaries)
    if "elevated" in columns:
        out["marks"] |= ELEVATED * (columns["elevated"][rows] > 0).astype(np.uint8)
    if "surfaced" in columns:
        was = columns["surfaced"][rows]
        out["marks"] |= (SURFACED * (was == 1) + UNSURFACED * (was == 0)).astype(np.uint8)
    return out


def _first_asks(old: npt.NDArray[np.void], new: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    both = np.concatenate([old, new])
    both = both[np.lexsort((both["at_us"], both["recording"], both["account"]))]
    again = (both["account"][1:] == both["account"][:-1]) & (both["recording"][1:] == both["recording"][:-1])
    both = both[np.concatenate([[True], ~again])] if len(both) else both
    return both[np.lexsort((both["recording"], both["at_us"], both["account"]))]


def _readers(
    old: npt.NDArray[np.void], columns: Mapping[str, npt.NDArray[Any]], rows: npt.NDArray[np.intp]
) -> npt.NDArray[np.void]:
    if not len(rows):
        return old
    given = columns["rows"][rows] if "rows" in columns else np.full(len(rows), -1)
    new = np.zeros(len(rows), READER)
    new["account"], new["first_us"] = columns["account"][rows], columns["at_us"][rows]
    new["rows"], new["passed_us"] = np.where(given < 0, 1, given), NEVER_US
    both = np.concatenate([old, new])
    # What was known of an account comes before each of its new readings.
    is_new = np.arange(len(both)) >= len(old)
    order = np.lexsort((both["first_us"], is_new, both["account"]))
    both, is_new = both[order], is_new[order]
    begin = np.flatnonzero(np.concatenate([[True], both["account"][1:] != both["account"][:-1]]))
    total = np.cumsum(both["rows"])
    so_far = total - np.repeat(total[begin] - both["rows"][begin], np.diff(np.append(begin, len(both))))
    out = both[begin].copy()
    out["rows"] = np.add.reduceat(both["rows"], begin)
    passing = is_new[:, None] & (so_far[:, None] >= np.array(READ_ROWS))
    passed = np.where(passing, both["first_us"][:, None], both["passed_us"])
    out["passed_us"] = np.minimum.reduceat(passed, begin, axis=0)
    out["first_us"] = np.minimum.reduceat(both["first_us"], begin)
    return out


def _occasions(old: npt.NDArray[np.void], columns: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.void]:
    if "given_to" not in columns:
        return old
    rows = np.flatnonzero((columns["given_to"] != 0) & (columns["given_to"] != columns["account"]))
    new = np.empty(len(rows), OCCASION)
    new["account"], new["at_us"] = columns["account"][rows], columns["at_us"][rows]
    new["giver"] = columns["given_to"][rows]
    both = np.concatenate([old, new])
    both = both[np.lexsort((both["giver"], both["at_us"], both["account"]))]
    hour = both["at_us"] // HOUR_US
    again = (both["account"][1:] == both["account"][:-1]) & (hour[1:] == hour[:-1])
    return both[np.concatenate([[True], ~again])] if len(both) else both


def _is_in(recordings: Codes, chosen: Codes) -> npt.NDArray[np.uint8]:
    if not len(chosen):
        return np.zeros(len(recordings), np.uint8)
    at = np.minimum(np.searchsorted(chosen, recordings), len(chosen) - 1)
    return np.asarray(chosen[at] == recordings, np.uint8)
