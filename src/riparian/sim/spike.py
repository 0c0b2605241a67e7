"""Copiers that draw on somebody's own catalogue, to be put into that somebody's own log.

They are the simulator's rings, alone in a town, whose k-th most played recording is the k-th
most played of the catalogue at hand.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.codes import RECORDING_KEY, codes_of
from riparian.errors import InputError
from riparian.schema import DAY_US
from riparian.sim.copiers import CopierSpec
from riparian.sim.events import each_day_coded, set_stage
from riparian.sim.holdings import recording_ids
from riparian.sim.town import TownSpec

RECORDINGS_MIN: Final = 100
RECORDINGS_MAX: Final = 500_000
"""Copiers begin with the most played; none gets further than this in a log of a year."""


def spike(
    rings: tuple[CopierSpec, ...], catalogue: npt.NDArray[np.uint64], span_us: tuple[int, int], key: bytes, *, seed: int
) -> Iterator[pa.Table]:
    """Yield the copiers' accesses of one day after another, as ``ACCESS`` columns.

    Parameters
    ----------
    rings
        Who.
    catalogue
        Codes of recordings, the most played first [shape=(recordings,)].
    span_us
        First and last access of the log.
    key
        The workspace's secret key, 16 bytes.
    seed
        Same seed, same copiers.

    Raises
    ------
    InputError
        When there are fewer than a hundred recordings to copy.
    """
    catalogue = catalogue[:RECORDINGS_MAX]
    if len(catalogue) < RECORDINGS_MIN:
        raise InputError(
            f"the log and its catalogue have {len(catalogue)} recordings, wanted {RECORDINGS_MIN} or more to copy from",
            hint="Give the recordings that you hold with --catalogue FILE.",
        )
    start_us = span_us[0] // DAY_US * DAY_US
    days = max(1, -(-(span_us[1] + 1 - start_us) // DAY_US))
    stage = set_stage(TownSpec(0, days, seed, copiers=rings, recordings=len(catalogue), start_us=start_us))
    ours = codes_of(recording_ids(len(catalogue)), RECORDING_KEY)
    by_rank = np.empty(len(catalogue), np.uint64)
    by_rank[stage.shelf.chart["recording"]] = catalogue
    order = np.argsort(ours)
    codes, meant = ours[order], by_rank[order]
    for accesses in each_day_coded(stage, key):
        found = accesses["recording"].to_numpy()
        at = np.minimum(np.searchsorted(codes, found), len(codes) - 1)
        recordings = np.where(codes[at] == found, meant[at], np.uint64(0))
        place = accesses.schema.get_field_index("recording")
        yield accesses.set_column(place, accesses.schema.field(place), pa.array(recordings))
