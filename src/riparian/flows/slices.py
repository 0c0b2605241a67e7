"""How are rings and taste followed along the time of the log?

In slices of a week, and only what is whole is kept.  The days since the last whole week are followed again with every
scan, from where that week ended, so that it comes to the same however the log was cut into scans.  A fetch
that comes for a week already kept is late: counted, and not bet on.  What belongs together in taste is learnt every
four weeks from what was fetched before, and used from then on.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.accounts import kinship, taste
from riparian.accounts.join import PRICES
from riparian.accounts.kinship import FETCH, Kin
from riparian.accounts.taste import Embedding, Taste
from riparian.catalogue.cells import Cells
from riparian.evidence import KINSHIP
from riparian.flows.fetches import FETCHED
from riparian.flows.signals import REFUSED
from riparian.ports import Arrays
from riparian.schema import DAY_US

SLICE_US: Final = 7 * DAY_US
LEARN_US: Final = 4 * SLICE_US
DAILY_MAX: Final = 300_000
"""With no more fetches than these, a week is gone through day by day: a timeline says on which day bits grew."""
GREW_BITS: Final = 4.0

GREW: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("day", pa.int32(), nullable=False),
        pa.field("bits", pa.float64(), nullable=False),
    ]
)
"""A day by the end of which kinship had more bits of an account than ever before, the price of the join taken off."""


@dataclass(frozen=True, slots=True)
class Across:
    """What is remembered of rings and taste.

    Parameters
    ----------
    kin, taste
        As of the last whole slice.
    embedding
        What belongs together, as learnt last; None before the first time.
    history
        ``GREW``, up to then.
    waiting
        ``FETCHED`` since then.
    until_us, seen_us
        End of the last whole slice, and of the last day that was followed; 0 before the first scan.
    late
        Fetches that came too late to be bet on.
    cells
        Digest of the cells that ``kin`` is numbered by.
    """

    kin: Kin
    taste: Taste
    embedding: Embedding | None
    history: pa.Table
    waiting: pa.Table
    until_us: int
    seen_us: int
    late: int
    cells: bytes

    @classmethod
    def empty(cls, cells: bytes) -> "Across":
        """Nothing has been compared."""
        return cls(Kin.empty(), Taste.empty(), None, GREW.empty_table(), FETCHED.empty_table(), 0, 0, 0, cells)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]] | None, cells: bytes) -> "Across":
        """Take it up; with another catalogue rings are begun anew, since their works are numbered by it."""
        if arrays is None or "across.cells" not in arrays or arrays["across.cells"].tobytes() != cells:
            return cls.empty(cells)
        waiting = pa.table([arrays[f"across.waiting.{name}"] for name in FETCHED.names], schema=FETCHED)
        history = pa.table([arrays[f"across.history.{name}"] for name in GREW.names], schema=GREW)
        until_us, seen_us, late = arrays["across.clock"].tolist()
        kin, tasted = Kin.from_arrays(under("kin.", arrays)), Taste.from_arrays(under("taste.", arrays))
        learnt = under("embedding.", arrays)
        embedding = Embedding.from_arrays(learnt) if learnt else None
        return cls(kin, tasted, embedding, history, waiting, until_us, seen_us, late, cells)

    def arrays(self) -> Arrays:
        """Lay it down."""
        return {
            **over("kin.", self.kin.arrays()),
            **over("taste.", self.taste.arrays()),
            **over("embedding.", self.embedding.arrays() if self.embedding is not None else {}),
            **over("across.waiting.", {name: self.waiting[name].to_numpy() for name in FETCHED.names}),
            **over("across.history.", {name: self.history[name].to_numpy() for name in GREW.names}),
            "across.clock": np.array([self.until_us, self.seen_us, self.late], np.int64),
            "across.cells": np.frombuffer(self.cells, np.uint8),
        }


def followed(before: Across, new: pa.Table, cells: Cells, until_us: int, among: int) -> tuple[Across, Across]:
    """Follow new fetches: returns what is kept, as of the last whole slice, and how it stands now.

    Parameters
    ----------
    new
        ``FETCHED``, in any order.
    cells
        That works are numbered by.
    until_us
        Fetches before this time are all there.
    among
        Of how many accounts a ring is singled out.
    """
    rows = pa.concat_tables([before.waiting, new]).sort_by(
        [("at_us", "ascending"), ("account", "ascending"), ("recording", "ascending")]
    )
    at_us = rows["at_us"].to_numpy()
    late = int(np.searchsorted(at_us, before.until_us))
    rows, at_us = rows.slice(late), at_us[late:]
    whole_us = max(until_us // SLICE_US * SLICE_US, before.until_us)
    now = kept = before
    begin = 0
    for end_us in _ends(before, at_us, whole_us, until_us):
        end = int(np.searchsorted(at_us, end_us))
        # Whether a week is gone through day by day follows from its fetches, in whatever parts they came.
        daily = len(now.kin.log) + end - begin <= DAILY_MAX
        for upto_us in [*(_day_ends(at_us[begin:end], end_us) if daily else ()), end_us]:
            upto = int(np.searchsorted(at_us, upto_us))
            now = _step(now, rows.slice(begin, upto - begin), cells, upto_us, among)
            begin = upto
        kept = now if end_us <= whole_us else kept
    waiting = rows.slice(int(np.searchsorted(at_us, whole_us))).combine_chunks()
    late += before.late
    return replace(kept, waiting=waiting, until_us=whole_us, seen_us=max(until_us, whole_us), late=late), now


def _ends(before: Across, at_us: npt.NDArray[np.int64], whole_us: int, until_us: int) -> Iterator[int]:
    """Give the end of every week that is not kept yet, also of those without a fetch, and of the days since."""
    if before.until_us or len(at_us):
        begun_us = before.until_us or int(at_us[0]) // SLICE_US * SLICE_US
        yield from range(begun_us + SLICE_US, whole_us + 1, SLICE_US)
    if until_us > whole_us:
        yield until_us


def _day_ends(at_us: npt.NDArray[np.int64], end_us: int) -> list[int]:
    """List the ends of the days on which anything was fetched, but for the last."""
    return [us for us in ((np.unique(at_us // DAY_US) + 1) * DAY_US).tolist() if us < end_us]


def _step(now: Across, rows: pa.Table, cells: Cells, end_us: int, among: int) -> Across:
    """Go through one slice, or what there is of it."""
    if not cells.n_works:
        return now
    fetches = fetches_of(rows, cells)
    if len(fetches):
        who, artists = fetches["account"].copy(), artists_of(cells, fetches["work"])
        tasted = taste.follow(now.taste, now.embedding, who, artists, fetches["at_us"].copy())
        kin = kinship.follow(now.kin, fetches, cells, among)
        history = pa.concat_tables([now.history, _grew(now.kin, kin, end_us)]).combine_chunks()
        now = replace(now, kin=kin, taste=tasted, history=history)
    if end_us % LEARN_US == 0 and len(now.kin.log):
        log = now.kin.log
        learnt = taste.learn(log["account"].copy(), artists_of(cells, log["work"]), as_of_us=end_us)
        now = replace(now, embedding=learnt)
    return now


def _grew(before: Kin, after: Kin, end_us: int) -> pa.Table:
    """Tell whose bits grew, as days go: what a timeline shows of them."""
    best = after.best[after.best["bits"] - PRICES[KINSHIP.name] >= GREW_BITS]
    known = before.best
    at = np.minimum(np.searchsorted(known["account"], best["account"]), max(len(known) - 1, 0))
    if len(known):
        best = best[(known["account"][at] != best["account"]) | (known["bits"][at] < best["bits"])]
    day = np.full(len(best), (end_us - 1) // DAY_US, np.int32)
    return pa.table([best["account"], day, best["bits"] - PRICES[KINSHIP.name]], schema=GREW)


def fetches_of(rows: pa.Table, cells: Cells) -> npt.NDArray[np.void]:
    """Write what was served by numbers of works; records of ``kinship.FETCH``, in the order of ``FETCHED``."""
    rows = rows.filter(pc.equal(pc.bit_wise_and(rows["marks"], REFUSED), 0))
    fetches = np.empty(len(rows), FETCH)
    fetches["at_us"], fetches["account"] = rows["at_us"].to_numpy(), rows["account"].to_numpy()
    fetches["work"], fetches["bits"] = cells.find(rows["recording"].to_numpy()), rows["bits"].to_numpy()
    return fetches[fetches["work"] >= 0]


def artists_of(cells: Cells, works: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    """Give the artists of works as codes; 0 is none."""
    return cells.artist[works].astype(np.uint64) + np.uint64(1)


def digest_of(cells: Cells) -> bytes:
    """Digest what works are numbered by, and the form in which fetches are remembered."""
    made = hashlib.blake2b(kinship.VERSION.encode(), digest_size=16)
    for column in (cells.codes, cells.works, cells.cell):
        made.update(column.tobytes())
    return made.digest()


def over(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Put arrays under a prefix."""
    return {f"{prefix}{name}": array for name, array in arrays.items()}


def under(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Take the arrays out that stand under a prefix."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
