"""What does a list that was found have in each cell?

Its rows come matched: each with the recording of ours that it is, and the chance that it is another.  What it has in a
cell is a soft value, nothing where the cell was lost; several rows that show one cell add up.

Whole kinds of cells may tell nothing: durations that were recomputed from the sound, texts that were put into lower
case.  Such a kind is left out if its values do not follow the chances of the cells' bits, which every list made from
ours does, whoever it was issued to.  How durations were rounded is found the same way.  Neither looks at a tenant's
bits, so neither favours anybody (:mod:`.trace`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riparian.bets.channels import BANK, SIXTEENTHS, SURE_NATS, Cells, Way, log_e
from riparian.errors import InputError
from riparian.metadata.canaries import code, rows, seconds
from riparian.metadata.canaries.code import CanaryKey
from riparian.metadata.canaries.issue import SECONDS, Planted

TOLD_WRONG: Final = 0.015
"""How often a cell is read as the other form although its row is matched right: rounding at an edge, a typing slip."""
MATCH_MOST: Final = 0.2
"""The greatest chance of being another recording with which a row is still read."""
_FEWEST: Final = 12
_LONGEST: Final = 500
_EXPLAINS: Final = tuple(channel for channel in BANK if channel.way is not Way.MEAN and channel.accounts <= 5)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What a found list has in each cell.

    Parameters
    ----------
    cells : np.ndarray [shape=(n,), uint64]
        Codes, each once.
    soft : np.ndarray [shape=(n,), float64]
        Half log-likelihood ratios of True, nats.
    chance : np.ndarray [shape=(n,), uint8]
        That a bit is True; sixteenths.
    kind : np.ndarray [shape=(n,), int64]
        Which of ``kinds``.
    kinds
        Names of kinds of cells; the rows that stand for nothing are :data:`riparian.metadata.canaries.rows.KIND`.
    left_out
        Kinds that were read and tell nothing.
    rows
        How many rows were read.
    recordings
        How many recordings those are.
    coverage
        Share of the issued catalogue that was found, 0 to 1.
    form
        How durations are written; empty where they tell nothing.
    """

    cells: NDArray[np.uint64]
    soft: NDArray[np.float64]
    chance: NDArray[np.uint8]
    kind: NDArray[np.int64]
    kinds: tuple[str, ...]
    left_out: tuple[str, ...]
    rows: int
    recordings: int
    coverage: float
    form: str

    @property
    def are_rows(self) -> NDArray[np.bool_]:
        """Which cells are rows that stand for nothing; shape=(n,)."""
        of_rows = self.kinds.index(rows.KIND) if rows.KIND in self.kinds else -1
        is_row: NDArray[np.bool_] = self.kind == of_rows
        return is_row


def read(key: CanaryKey, of: Planted, found: pa.Table) -> Told:
    """Read a list that was found.

    Parameters
    ----------
    key
        Of the epoch that is tried.
    of
        What was planted in it.
    found : pa.Table
        One row a row that was matched: ``recording``, and of ``error``, ``title``, ``artist``, ``album``,
        ``duration_ms`` what there is.

    Raises
    ------
    InputError
        When there is no column ``recording``.
    """
    if "recording" not in found.column_names:
        raise InputError(
            "the rows have no column `recording`, wanted which recording of ours each is", hint="Match them first."
        )
    seen = _Seen.of(of, found)
    durations, form = _durations(key, of, seen)
    every = [*durations, *_texts(key, of, seen)]
    kept = [part for part in every if part.speaks()]
    left_out = [part.kind for part in every if not part.speaks()]
    return _joined(of, [*kept, *_rows(key, of, seen)], tuple(left_out), seen, form)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The cells of one kind."""

    kind: str
    cells: NDArray[np.uint64]
    soft: NDArray[np.float64]
    chance: NDArray[np.uint8]

    @classmethod
    def of(cls, key: CanaryKey, kind: str, cells: NDArray[np.uint64], soft: NDArray[np.float64]) -> "_Part":
        """Put several sights of one cell together."""
        once, place = np.unique(cells, return_inverse=True)
        summed = np.bincount(place, soft, once.size)
        kept = summed != 0
        clipped = np.clip(summed, -SURE_NATS, SURE_NATS)[kept]
        return cls(kind, once[kept], clipped, code.chances(key, once[kept]))

    def gain(self) -> float:
        """Say how much better the cells' chances explain what is found than one chance for all does; nats."""
        if not self.cells.size:
            return 0.0
        cells = Cells.of(self.soft.astype(np.float32)[:, None], self.chance[:, None])
        follows = max(log_e(channel, cells)[2] for channel in _EXPLAINS)
        alike = max(log_e(_EXPLAINS[0], _all_alike(cells, at))[2] for at in range(1, SIXTEENTHS))
        return follows - alike

    def speaks(self) -> bool:
        return self.cells.size < _FEWEST or self.gain() > 0


def _all_alike(cells: Cells, sixteenths: int) -> Cells:
    """Give the same cells as if all had one chance."""
    return replace(cells, chance=np.full(cells.chance.size, sixteenths, np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """The rows of a found list that are ours: which rows of ours they are, and how surely."""

    found: pa.Table
    ours: NDArray[np.int64]
    soft: NDArray[np.float64]

    @classmethod
    def of(cls, of: Planted, found: pa.Table) -> "_Seen":
        index = pc.index_in(found["recording"], of.table["recording"])
        ours = pc.fill_null(index, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        error = np.zeros(ours.size)
        if "error" in found.column_names:
            error = pc.fill_null(found["error"], 1.0).to_numpy(zero_copy_only=False).astype(np.float64)
        kept = (ours >= 0) & (error <= MATCH_MOST)
        wrong = TOLD_WRONG + error[kept] / 2
        return cls(found.filter(pa.array(kept)), ours[kept], np.log((1 - wrong) / wrong) / 2)

    def texts(self, column: str) -> Sequence[str]:
        if column not in self.found.column_names:
            return ()
        return [(text or "")[:_LONGEST] for text in self.found[column].to_pylist()]


def _durations(key: CanaryKey, of: Planted, seen: _Seen) -> tuple[list[_Part], str]:
    if "duration_ms" not in seen.found.column_names or not (of.boundaries >= 0).any():
        return [], ""
    theirs = pc.fill_null(seen.found["duration_ms"], 0).to_numpy(zero_copy_only=False).astype(np.int64)
    at = of.boundaries[seen.ours]
    parts = []
    for form in seconds.forms(theirs):
        side = seconds.read(theirs, at, form, of.plan.reach_ms)
        told = np.flatnonzero((side != 0) & (theirs > 0))
        cells = code.cells(key, SECONDS, [of.recordings[i] for i in seen.ours[told].tolist()])
        parts.append((form, _Part.of(key, SECONDS, cells, side[told] * seen.soft[told])))
    form, part = max(parts, key=lambda one: one[1].gain())
    return [part], str(form) if part.speaks() else ""


def _texts(key: CanaryKey, of: Planted, seen: _Seen) -> Iterator[_Part]:
    among = np.unique(seen.ours)
    columns = {name: seen.texts(name) for name in ("title", "artist", "album")}
    for variant in of.plan.variants():
        theirs = columns[variant.column]
        if not theirs:
            continue
        fitting, named = of.fitting(variant, among)
        name_of = dict(zip(fitting.tolist(), named, strict=True))
        ours = of.originals(variant.column)
        things, soft = [], []
        for row, i in enumerate(seen.ours.tolist()):
            bit = variant.read(theirs[row], ours[i]) if i in name_of else None
            if bit is not None:
                things.append(name_of[i])
                soft.append(seen.soft[row] if bit else -seen.soft[row])
        if things:
            yield _Part.of(key, variant.name, code.cells(key, variant.name, things), np.array(soft))


def _rows(key: CanaryKey, of: Planted, seen: _Seen) -> list[_Part]:
    if not of.canaries.size:
        return []
    is_there = np.isin(of.canaries, seen.ours)
    cells = code.cells(key, rows.KIND, [of.recordings[i] for i in of.canaries.tolist()])
    return [_Part.of(key, rows.KIND, cells, np.where(is_there, SURE_NATS, -SURE_NATS))]


def _joined(of: Planted, parts: Sequence[_Part], left_out: tuple[str, ...], seen: _Seen, form: str) -> Told:
    kinds = tuple(part.kind for part in parts)
    sizes = [part.cells.size for part in parts]
    issued = ~np.isin(np.arange(of.table.num_rows), of.canaries)
    found = np.unique(seen.ours)
    empty = np.zeros(0)
    return Told(
        np.concatenate([empty.astype(np.uint64), *(part.cells for part in parts)]),
        np.concatenate([empty, *(part.soft for part in parts)]),
        np.concatenate([empty.astype(np.uint8), *(part.chance for part in parts)]),
        np.repeat(np.arange(len(parts)), sizes),
        kinds,
        left_out,
        seen.ours.size,
        found.size,
        float(issued[found].sum() / max(issued.sum(), 1)),
        form,
    )
