"""What accounts did in a day, as counts."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
COUNTS: Final = ("plays", "novel", "downloads", "rows", "pairs", "ascents")


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Arrays of one shape: (accounts,) for one day, or (days, accounts).

    Parameters
    ----------
    plays, novel, downloads
        Plays, how many were new to the account, how many came as an import (these are in both).
    rows
        Metadata rows returned.
    pairs, ascents
        Consecutive new recordings by different artists, and how many of those steps go to a less popular one.
    """

    plays: Ints
    novel: Ints
    downloads: Ints
    rows: Ints
    pairs: Ints
    ascents: Ints

    @classmethod
    def stack(cls, each: "list[DayCounts]") -> "DayCounts":
        """Put single days together as (days, accounts)."""
        return cls(*(np.stack([getattr(one, name) for one in each]) for name in COUNTS))
