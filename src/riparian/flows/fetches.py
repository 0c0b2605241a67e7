"""Which fetches are worth comparing with those of other accounts?

Whoever carries a catalogue off meets mostly what is new to it.  Accounts that do are *candidates*,
and their novel fetches leave the bucket when the day is over: what is compared is bounded by the candidates, not
by the log.  Whether an account is one on a day follows from its own counts at the end of that day, so that
it comes to the same however the log was cut into scans; the fetches of a day that is open wait in the bucket.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.accounts.tally import Tally
from riparian.schema import DAY_US

FETCHED: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("recording", pa.uint64(), nullable=False),
        pa.field("at_us", pa.int64(), nullable=False),
        pa.field("marks", pa.uint8(), nullable=False),
        pa.field("bits", pa.float32(), nullable=False),
    ]
)
"""Novel fetches of candidates on days that are over, and what they asked for and were refused; ``marks`` are those of
:mod:`riparian.flows.signals`, ``bits`` what the account had against it by itself when the day was over."""

STANDING: Final = np.dtype([("plays", np.int64), ("novel", np.int64), ("days", np.int32)])
"""How an account stands at the end of a day: the fields of its tally, as they were then."""

Standing = npt.NDArray[np.void]
_NAMES: Final = ("slot", "recording", "at_us", "marks")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Novel fetches whose day is not over.

    Parameters
    ----------
    slot, recording, at_us, marks
        [shape=(fetches,)], by time for each account.
    """

    slot: npt.NDArray[np.int32]
    recording: npt.NDArray[np.uint64]
    at_us: npt.NDArray[np.int64]
    marks: npt.NDArray[np.uint8]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]] | None) -> "Waiting":
        """Take them up from the arrays of their bucket; none before its first scan."""
        if arrays is None or "waiting.slot" not in arrays:
            return cls(np.empty(0, np.int32), np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.uint8))
        return cls(*(arrays[f"waiting.{name}"] for name in _NAMES))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Lay them down."""
        return {f"waiting.{name}": getattr(self, name) for name in _NAMES}

    def and_then(self, later: "Waiting") -> "Waiting":
        """Add later ones."""
        return Waiting(*(np.concatenate([getattr(self, name), getattr(later, name)]) for name in _NAMES))

    def released(
        self,
        tally: Tally,
        days: npt.NDArray[np.void],
        bits: npt.NDArray[np.float64],
        candidates: Callable[[Standing], npt.NDArray[np.bool_]],
    ) -> tuple["Waiting", pa.Table]:
        """Let go those whose day is over: returns who still waits, and the candidates' (``FETCHED``).

        Parameters
        ----------
        days : np.ndarray [shape=(days,), dtype=DAYS]
            Every day that ended in this scan, in order for each account.
        bits : np.ndarray [shape=(days,)]
            What each account had against it by itself at the end of the day.
        candidates
            Tells which standings are worth comparing.
        """
        chosen = candidates(standings(tally, days))
        keys = _key(days["slot"][chosen], days["day"][chosen])
        by_key = np.argsort(keys)
        keys, ended_at = keys[by_key], bits[chosen][by_key].astype(np.float32)
        day = (self.at_us // DAY_US).astype(np.int32)
        waits = day == tally.state["day"][self.slot]
        wanted = _key(self.slot, day)
        # Days of candidates are few among all: most fetches are passed over by their account alone.
        of_candidates = np.zeros(len(tally.accounts), np.bool_)
        of_candidates[days["slot"][chosen]] = True
        rows = np.flatnonzero(of_candidates[self.slot] & ~waits)
        at = np.minimum(np.searchsorted(keys, wanted[rows]), max(len(keys) - 1, 0))
        found = keys[at] == wanted[rows] if len(keys) else np.zeros(len(rows), np.bool_)
        rows, at = rows[found], at[found]
        columns = [tally.accounts[self.slot[rows]], self.recording[rows], self.at_us[rows], self.marks[rows]]
        columns.append(ended_at[at])
        return Waiting(*(getattr(self, name)[waits] for name in _NAMES)), pa.table(columns, schema=FETCHED)


def standings(tally: Tally, days: npt.NDArray[np.void]) -> Standing:
    """Tell how each account stood at the end of each day.

    Parameters
    ----------
    days : np.ndarray [shape=(days,), dtype=DAYS]
        Every day that ended since the tally was taken up, in order for each account.

    Returns
    -------
    np.ndarray [shape=(days,), dtype=STANDING]
    """
    made = np.zeros(len(days), STANDING)
    order = np.argsort(days["slot"], kind="stable")
    slot = days["slot"][order]
    first = np.diff(slot, prepend=-1) != 0
    of_each, begins = np.bincount(slot, minlength=len(tally.accounts)), np.flatnonzero(first)
    state = tally.state
    before = state["novel"] - state["day_novel"] - np.bincount(slot, days["novel"][order], len(tally.accounts))
    running, ordinal = np.cumsum(days["novel"][order]), np.arange(len(days))
    group = np.cumsum(first) - 1
    base = np.where(begins > 0, running[begins - 1], 0) if len(begins) else np.empty(0, np.int64)
    made["novel"][order] = before[slot].astype(np.int64) + running - (base[group] if len(days) else 0)
    made["plays"] = days["plays_before"] + days["plays"]
    earlier = state["days"] - of_each
    made["days"][order] = earlier[slot] + (ordinal - (begins[group] if len(days) else 0)) + 1
    return made


def _key(slot: npt.NDArray[np.int32], day: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    return (slot.astype(np.int64) << 32) | day.astype(np.int64)
