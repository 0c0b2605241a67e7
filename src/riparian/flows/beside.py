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

    def observe(
        self, columns: Arrays, observed: Observed, tally: Tally, days: npt.NDArray[np.void], terms: Terms
    ) -> dict[str, pa.Table]:
        """Take in new accesses, in the order of time; returns what leaves the bucket.

        Parameters
        ----------
        observed
            What they turned out to be.
        days
            Every day that ended in this scan, in order for each account.

        Returns
        -------
        dict
            ``fetches`` (``FETCHED``), ``regular`` (``devices.REGULAR``) and ``levels`` (``ladders.LEVELS``).
        """
        devices.observe(self.devices, columns, observed.slot, terms.people)
        places.observe(self.places, columns, observed.slot, terms.people)
        levels = [devices.levels(self.devices, tally.accounts), places.levels(self.places, tally.accounts)]
        return {
            "fetches": self._fetches(columns, observed, tally, days, compared=terms.cells.n_works > 0),
            "regular": self.devices.regular,
            "levels": pa.concat_tables(levels).combine_chunks(),
        }

    def _fetches(
        self, columns: Arrays, observed: Observed, tally: Tally, days: npt.NDArray[np.void], *, compared: bool
    ) -> pa.Table:
        # Without a catalogue nobody compares them, and nothing is kept.
        new = np.flatnonzero(observed.novel) if compared else np.empty(0, np.intp)
        waiting = self.waiting.and_then(observed.slot[new], columns["recording"][new], columns["at_us"][new])
        self.waiting, fetches = waiting.released(tally, days, kinship.candidates)
        return fetches


def _under(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
