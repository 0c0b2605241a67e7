"""Which recordings did restrained accounts take, and how much of all plays is that?

Of each recording, how many accounts that are restrained have had it; and of the catalogue, in the order of plays, how
much of what is played most is among that, and how much of what is hardly played.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.catalogue.popularity import Popularity
from riparian.codes import RECORDING_KEY, bucket_of, codes_of
from riparian.flows.reach import Codes, Recordings, taken
from riparian.gate.policy import Restraint
from riparian.ports import SHARED, World

BANDS: Final = (("half of all plays", 0.5), ("the next 40 %", 0.9), ("the last 10 %", 1.0))
"""The recordings that are played most, which together make so much of all plays."""
_NEARLY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Taken:
    """How many restrained accounts had each recording that any of them had.

    Parameters
    ----------
    codes : np.ndarray [shape=(recordings,), uint64]
        In rising order.
    restrained, held : np.ndarray [shape=(recordings,), int64]
        Accounts that are slowed or more, and those of them that are on hold or more.
    accounts
        How many are restrained at all.
    """

    codes: Codes
    restrained: npt.NDArray[np.int64]
    held: npt.NDArray[np.int64]
    accounts: int

    def of(self, recordings: list[str]) -> list[dict[str, int]]:
        """Tell of some recordings how many restrained accounts took each."""
        wanted = codes_of(pa.array(recordings, pa.string()), RECORDING_KEY)
        at = np.searchsorted(self.codes, wanted)
        known = [place < len(self.codes) and self.codes[place] == code for place, code in zip(at, wanted, strict=True)]
        return [
            {"restrained": int(self.restrained[place]), "held": int(self.held[place])}
            if is_known
            else {"restrained": 0, "held": 0}
            for place, is_known in zip(at, known, strict=True)
        ]


def taken_of_each(world: World) -> Taken:
    """Count which recordings restrained accounts took, as the last scan saw it."""
    decisions = world.decisions.table()
    accounts, restraint = decisions["account"].to_numpy(), decisions["restraint"].to_numpy()
    shared = world.tallies.load(SHARED)
    recordings = Recordings.of(shared["recordings"] if shared is not None else np.empty(0, np.uint64))
    counts = {least: np.zeros(len(recordings.places), np.int64) for least in (Restraint.SLOW, Restraint.HOLD)}
    numbers = bucket_of(accounts)
    for number in np.unique(numbers[restraint >= Restraint.SLOW]):
        arrays = world.tallies.load(int(number))
        if arrays is None:
            continue
        rows = np.flatnonzero((numbers == number) & (restraint >= Restraint.SLOW))
        had = taken(recordings, accounts[rows], arrays["seen"])
        least_of = np.repeat(restraint[rows], np.diff(had.begins))
        for least, count in counts.items():
            np.add.at(count, had.places[least_of >= least], 1)
    some = np.flatnonzero(counts[Restraint.SLOW])
    some = some[np.argsort(recordings.places[some])]
    return Taken(
        recordings.places[some],
        counts[Restraint.SLOW][some],
        counts[Restraint.HOLD][some],
        int((restraint >= Restraint.SLOW).sum()),
    )


def by_plays(taken: Taken, popularity: Popularity) -> list[dict[str, Any]]:
    """Tell of what is played most, of the rest, and of what is hardly played, how much restrained accounts took.

    Nothing where the catalogue does not say how much anything is played.
    """
    if not popularity.size or popularity.rank.min() < 0:
        return []
    order = np.argsort(popularity.rank, kind="stable")
    share = popularity.share[order]
    is_taken = np.isin(popularity.codes[order], taken.codes)
    before = np.cumsum(share) - share
    told, low = [], 0.0
    for name, high in BANDS:
        within = (before >= low - _NEARLY) & (before < high - _NEARLY)
        told.append(
            {
                "played": name,
                "recordings": int(within.sum()),
                "taken": int((within & is_taken).sum()),
                "plays": float(share[within].sum()),
                "plays_taken": float(share[within & is_taken].sum()),
            }
        )
        low = high
    return told


__all__ = ["BANDS", "Taken", "by_plays", "taken_of_each"]
