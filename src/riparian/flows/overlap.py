"""How much do the accounts of a ring overlap, and how much would they by lot?

Each fetch asks one question: had another member had this work before?  By lot the answer is yes as often as
the others have had works of its cell.  People of one taste say yes more often than that; who shares a list of
work, never.  Here it is counted once more for people to look at, over time, cell by cell and account by
account; the bits are :mod:`riparian.accounts.kinship`'s.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from riparian.catalogue.cells import Cells
from riparian.schema import DAY_US

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Overlap by lot, and as it was.

    Parameters
    ----------
    days : np.ndarray [shape=(days,), int64]
        Days since 1970 (UTC) on which a member fetched something.
    expected, seen : np.ndarray [shape=(days,)]
        Fetches of what another member had had before, summed up to the end of each day.
    cells, by_cell : np.ndarray [shape=(cells,)], [shape=(cells, 2)]
        Cells, and expected and seen in each; the most expected first.
    accounts : tuple of int
        Members, those with the most fetches first.
    between : np.ndarray [shape=(accounts, accounts)]
        Above the diagonal the works that two members would both have had by lot, below it those that both have had.
    """

    days: npt.NDArray[np.int64]
    expected: Array
    seen: Array
    cells: npt.NDArray[np.int64]
    by_cell: Array
    accounts: tuple[int, ...]
    between: Array


def overlap(fetches: npt.NDArray[np.void], cells: Cells, *, drawn: int = 24) -> Overlap:
    """Count the overlap of a few accounts.

    Parameters
    ----------
    fetches : np.ndarray [dtype=kinship.FETCH]
        What the members of a ring fetched, each of works new to it.
    cells
        That works are numbered by.
    drawn
        How many members to compare two by two.
    """
    at_us, account, work = fetches["at_us"], fetches["account"], fetches["work"]
    order = np.lexsort((account, at_us))
    at_us, account, work = at_us[order], account[order], work[order]
    cell = cells.cell[work]
    met = _met(account.tolist(), work.tolist(), cell.tolist(), cells.size)
    days, day = np.unique(at_us // DAY_US, return_inverse=True)
    found, at = np.unique(cell, return_inverse=True)
    by_cell = np.stack([np.bincount(at, column, len(found)) for column in met.T], axis=1).astype(np.float64)
    most = np.argsort(-by_cell[:, 0], kind="stable")
    names, n = np.unique(account, return_counts=True)
    chosen = names[np.argsort(-n, kind="stable")][:drawn]
    return Overlap(
        days,
        _summed(day, met[:, 0], len(days)),
        _summed(day, met[:, 1], len(days)),
        found[most].astype(np.int64),
        by_cell[most],
        tuple(chosen.tolist()),
        _between(account, work, chosen, cells),
    )


def _summed(day: npt.NDArray[np.intp], met: Array, n: int) -> Array:
    return np.asarray(np.cumsum(np.bincount(day, met, n)), np.float64)


def _met(accounts: list[int], works: list[int], cells: list[int], size: npt.NDArray[np.int32]) -> Array:
    """Tell of each fetch how likely it was to meet what another had had, and whether it did."""
    taken: set[int] = set()
    in_cell: dict[int, int] = {}
    had: set[tuple[int, int]] = set()
    own: dict[tuple[int, int], int] = {}
    met = np.zeros((len(works), 2))
    for i, (account, work, cell) in enumerate(zip(accounts, works, cells, strict=True)):
        if (account, work) in had:
            # Another version of what it has already.
            continue
        mine = own.get((account, cell), 0)
        # What is new to an account is drawn from what it has not had, and others have had some of that.
        met[i] = (in_cell.get(cell, 0) - mine) / (size[cell] - mine), work in taken
        had.add((account, work))
        own[account, cell] = mine + 1
        if work not in taken:
            taken.add(work)
            in_cell[cell] = in_cell.get(cell, 0) + 1
    return met


def _between(
    account: npt.NDArray[np.uint64], work: npt.NDArray[np.int32], chosen: npt.NDArray[np.uint64], cells: Cells
) -> Array:
    between = np.zeros((len(chosen), len(chosen)))
    works = [np.unique(work[account == one]) for one in chosen]
    counts = [np.unique(cells.cell[own], return_counts=True) for own in works]
    for i in range(len(chosen)):
        for j in range(i):
            between[i, j] = len(np.intersect1d(works[i], works[j], assume_unique=True))
            common, a, b = np.intersect1d(counts[i][0], counts[j][0], return_indices=True)
            between[j, i] = (counts[i][1][a] * counts[j][1][b] / cells.size[common]).sum()
    return between
