"""What would it cost to mark, and where does it stop being worth it?

Two renditions take twice the room of one.  An edge that composes segments keeps both sides of what is played often,
and one side, if that, of what is played hardly ever.  So what marking costs is told by how popular recordings are,
before anything is encoded: a tier that few plays come from costs as much room as any other, and protects little.

Symbols
-------
l    plays of a recording within the time that an edge keeps things, a day
p    chance that a bit is +1

Model
-----
Plays come one by one (Poisson).  Unmarked, an edge comes to hold a recording with chance ``1 - exp(-l)``, and fetches
as much of it.  Marked, of a chunk whose bit is +1 with chance ``p``, it comes to hold the one side with chance
``1 - exp(-p l)`` and the other with ``1 - exp(-(1 - p) l)``: the mean is over the chances of tier ``many``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riparian.bets.channels import MANY, SIXTEENTHS
from riparian.errors import InputError

TIERS: Final = (0.001, 0.01, 0.1, 1.0)
"""Where tiers end: shares of the recordings, the most popular first."""
USUAL_S: Final = 210.0
"""How long a recording is, where the catalogue does not say."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Recordings from one rank to another.

    Parameters
    ----------
    until
        Where it ends, as a share of all recordings.
    recordings
        How many it has.
    plays_share
        What share of all plays is theirs.
    stored_bytes
        What one rendition takes; two take twice that.
    held_bytes, held_marked_bytes
        What an edge comes to hold of it in a day, unmarked and marked.
    """

    until: float
    recordings: int
    plays_share: float
    stored_bytes: float
    held_bytes: float
    held_marked_bytes: float

    @property
    def fetched_ratio(self) -> float:
        """How much more an edge fetches from behind it."""
        return self.held_marked_bytes / self.held_bytes if self.held_bytes else 1.0


def plan(catalogue: pa.Table, bit_rates: Sequence[float], plays_per_day: float) -> list[Tier]:
    """Say what marking costs, tier by tier.

    Parameters
    ----------
    catalogue
        With schema ``RECORDING``; ``popularity`` is needed, ``duration_ms`` used where it is.
    bit_rates
        Of the renditions that would be marked; bits a second.
    plays_per_day
        Of everything together.

    Raises
    ------
    InputError
        When there is no recording, or no popularity.

    Examples
    --------
    >>> popularity = (1 / np.arange(1, 2001)).tolist()
    >>> catalogue = pa.table({"recording": [f"r-{i}" for i in range(2000)], "popularity": popularity})
    >>> for tier in plan(catalogue, [128_000], 10_000):
    ...     print(f"{tier.recordings:4} {tier.plays_share:.2f} {tier.stored_bytes / 1e9:.2f} {tier.fetched_ratio:.2f}")
       2 0.18 0.01 2.00
      18 0.26 0.06 2.00
     180 0.28 0.60 1.79
    1800 0.28 6.05 1.24
    """
    plays, seconds = _plays(catalogue), _seconds(catalogue)
    order = np.argsort(-plays, kind="stable")
    share, size = plays[order] / plays.sum(), seconds[order] * sum(bit_rates) / 8
    each = share * plays_per_day
    held = size * -np.expm1(-each)
    # Both sides of each chance: the chances of the one are, mirrored, those of the other.
    chances = np.array([*MANY, *(SIXTEENTHS - chance for chance in MANY)]) / SIXTEENTHS
    marked = 2 * size * -np.expm1(-np.multiply.outer(chances, each)).mean(axis=0)
    ends = np.unique(np.maximum(1, np.ceil(np.array(TIERS) * plays.size))).astype(int).tolist()
    tiers, begin = [], 0
    for end in ends:
        now = slice(begin, end)
        sums = [float(each[now].sum()) for each in (share, size, held, marked)]
        tiers.append(Tier(end / plays.size, end - begin, *sums))
        begin = end
    return tiers


def _plays(catalogue: pa.Table) -> NDArray[np.float64]:
    named = "popularity" in catalogue.column_names
    plays = np.nan_to_num(_numbers(catalogue["popularity"])) if named else np.zeros(len(catalogue))
    if not plays.sum() > 0 or plays.min() < 0:
        raise InputError(
            f"the catalogue has {len(catalogue)} recordings and no plays of them, wanted a popularity for each",
            hint="Give plays, or a share of plays, in a column `popularity`.",
        )
    return plays


def _seconds(catalogue: pa.Table) -> NDArray[np.float64]:
    if "duration_ms" not in catalogue.column_names:
        return np.full(len(catalogue), USUAL_S)
    seconds = _numbers(catalogue["duration_ms"]) / 1000
    return np.where(seconds > 0, seconds, USUAL_S)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy(), np.float64)
