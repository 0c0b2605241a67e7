"""What does a bucket remember for the questions that are asked beside its tally?

Novel fetches whose day is not over, devices and places.  What concerns one account alone is told as it
stands on its ladders; what can only be judged across accounts leaves the bucket (:mod:`riparian.flows.across`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.accounts import devices, kinship, places
from riparian.accounts.devices import Devices
from riparian.accounts.observe import Observed
from riparian.accounts.places import Places
from riparian.accounts.tally import Tally
from riparian.flows.fetches import Waiting
from riparian.flows.terms import Terms

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class New:
    """New accesses of a bucket, in the order of time.

    Parameters
    ----------
    served, refused
        Columns of ``ACCESS``, and ``marks``; what was served, and what was asked for and refused.
    observed
        What the served ones turned out to be.
    days
        Every day that ended in this scan, in order for each account.
    bits
        What each had against it by itself at the end of the day [shape=(days,)].
    """

    served: Arrays
    refused: Arrays
    observed: Observed
    days: npt.NDArray[np.void]
    bits: npt.NDArray[np.float64]


@dataclass(slots=True)
class Beside:
    """Memory of one bucket, changed in place."""

    waiting: Waiting
    devices: Devices
    places: Places

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]] | None) -> Self:
        """Take it up from the arrays of the bucket; empty before its first scan."""
        if arrays is None:
            return cls(Waiting.from_arrays(None), Devices.empty(), Places.empty())
        own = {name: _under(f"{name}.", arrays) for name in ("devices", "places")}
        return cls(Waiting.from_arrays(arrays), Devices.from_arrays(own["devices"]), Places.from_arrays(own["places"]))

    def arrays(self) -> Arrays:
        """Lay it down."""
        return (
            self.waiting.arrays()
            | {f"devices.{name}": array for name, array in self.devices.arrays().items()}
            | {f"places.{name}": array for name, array in self.places.arrays().items()}
        )

    def observe(self, new: New, tally: Tally, terms: Terms) -> dict[str, pa.Table]:
        """Take in new accesses, in the order of time; returns what leaves the bucket.

        Returns
        -------
        dict
            ``fetches`` (``FETCHED``), ``regular`` (``devices.REGULAR``) and ``levels`` (``ladders.LEVELS``).
        """
        devices.observe(self.devices, new.served, new.observed.slot, terms.people)
        places.observe(self.places, new.served, new.observed.slot, terms.people)
        levels = [devices.levels(self.devices, tally.accounts), places.levels(self.places, tally.accounts)]
        # Without a catalogue and signals nobody compares what was fetched, and nothing is kept.
        if terms.cells.n_works or terms.signals is not None:
            self.waiting = self.waiting.and_then(_fetches(new, tally))
        self.waiting, fetches = self.waiting.released(tally, new.days, new.bits, kinship.candidates)
        return {
            "fetches": fetches,
            "regular": self.devices.regular,
            "levels": pa.concat_tables(levels).combine_chunks(),
        }


def _fetches(new: New, tally: Tally) -> Waiting:
    """Pick what was new to its account, and what an account that is known was refused."""
    served, refused = new.served, new.refused
    novel = np.flatnonzero(new.observed.novel)
    order = np.argsort(tally.accounts)
    at = np.searchsorted(tally.accounts[order], refused["account"])
    at = np.minimum(at, max(len(order) - 1, 0))
    slot = order[at] if len(order) else np.empty(0, np.intp)
    rows = np.flatnonzero((tally.accounts[slot] == refused["account"]) & (refused["recording"] != 0))
    both = Waiting(
        np.concatenate([new.observed.slot[novel], slot[rows].astype(np.int32)]),
        *(np.concatenate([served[name][novel], refused[name][rows]]) for name in ("recording", "at_us", "marks")),
    )
    if not len(rows):
        return both
    by_time = np.argsort(both.at_us, kind="stable")
    return Waiting(both.slot[by_time], both.recording[by_time], both.at_us[by_time], both.marks[by_time])


def _under(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
