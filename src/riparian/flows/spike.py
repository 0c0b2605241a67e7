"""How much would have left before it was stopped?  Copiers put into a log on purpose, and followed.

The accounts that were put in are known; everybody else in the log is real.  The replay is as
enforced: a recording leaves when it is new to the account, its budget did not refuse it, and no
hold was in force.  Evidence speaks when a day closes, so the day on which a hold is reached counts in full.

Fails when
----------
The copiers are what the simulator or whoever wrote the file imagines.  A real one that knows the
policy takes less a day and stays longer; the budget is what caps that one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.codes import bucket_of
from riparian.flows.findings import timeline_of
from riparian.flows.found import Found
from riparian.gate.policy import LADDER
from riparian.ports import World

NEVER = -1


@dataclass(frozen=True, slots=True)
class Contained:
    """What became of the accounts that were put in, one row each, in the order of ``account``.

    Parameters
    ----------
    account : np.ndarray [shape=(accounts,), uint64]
    days_to_slow, days_to_hold : np.ndarray [shape=(accounts,)]
        Days from an account's first to the day on which its evidence reached the rung; ``NEVER`` where it did not.
    leaked : np.ndarray [shape=(accounts,)]
        Recordings new to the account that it was served before it was held.
    unrestrained : np.ndarray [shape=(accounts,)]
        The same if nobody had restrained it.
    real : dict
        Accounts that were in the log already, by restraint.
    review_minutes_a_day
        For all of them.
    """

    account: npt.NDArray[np.uint64]
    days_to_slow: npt.NDArray[np.int64]
    days_to_hold: npt.NDArray[np.int64]
    leaked: npt.NDArray[np.int64]
    unrestrained: npt.NDArray[np.int64]
    real: Mapping[str, list[int]]
    review_minutes_a_day: float

    def summary(self) -> dict[str, Any]:
        """Gather the figures for a table or a program; kind ``spike``."""
        held, slowed = self.days_to_hold >= 0, self.days_to_slow >= 0
        return {
            "accounts": len(self.account),
            "held": int(held.sum()),
            "slowed": int(slowed.sum()),
            "days_to_slow": _median(self.days_to_slow[slowed]),
            "days_to_hold": _median(self.days_to_hold[held]),
            "leaked": int(self.leaked.sum()),
            "leaked_per_account": _median(self.leaked),
            "leaked_most": int(self.leaked.max(initial=0)),
            "unrestrained": int(self.unrestrained.sum()),
            "real": {name: len(accounts) for name, accounts in self.real.items()},
            "review_minutes_a_day": self.review_minutes_a_day,
        }


def contained(world: World, found: Found, spiked: npt.NDArray[np.uint64]) -> Contained:
    """Follow the accounts that were put in.

    Parameters
    ----------
    world, found
        What a scan of the log with them kept, and what it found.
    spiked
        Codes of the accounts that were put in.
    """
    spiked = np.unique(spiked)
    timeline, novel = timeline_of(world), _novel(world, spiked)
    rungs_at = found.summary["thresholds"]
    rows = [_followed(_of(timeline, code), novel.get(code, 0), rungs_at) for code in spiked.tolist()]
    columns = np.array(rows, np.int64).reshape(-1, 4)
    restrained = found.decisions.filter(pc.greater(found.decisions["restraint"], 0))
    others = restrained.filter(pc.invert(pc.is_in(restrained["account"], value_set=pa.array(spiked, pa.uint64()))))
    rungs = others["restraint"].to_numpy()
    accounts = others["account"].to_numpy()
    real = {r.name.lower(): accounts[rungs == r].tolist() for r in LADDER}
    slow, hold, leaked, unrestrained = columns.T
    return Contained(spiked, slow, hold, leaked, unrestrained, real, found.review_minutes_a_day)


def _of(table: pa.Table, account: int) -> pa.Table:
    return table.filter(pc.equal(table["account"], pa.scalar(account, pa.uint64())))


def _novel(world: World, accounts: npt.NDArray[np.uint64]) -> dict[int, int]:
    """Read off the tallies how many recordings these accounts have had, suspected or not."""
    novel: dict[int, int] = {}
    for bucket in np.unique(bucket_of(accounts)).tolist():
        arrays = world.tallies.load(bucket)
        if arrays is not None:
            here = np.flatnonzero(np.isin(arrays["accounts"], accounts))
            novel |= dict(zip(arrays["accounts"][here].tolist(), arrays["state"]["novel"][here].tolist(), strict=True))
    return novel


def _followed(days: pa.Table, novel_ever: int, thresholds: Mapping[str, float]) -> tuple[int, int, int, int]:
    if not len(days):
        return NEVER, NEVER, novel_ever, novel_ever
    days = days.sort_by("day")
    day, bits = days["day"].to_numpy(), days["bits"].to_numpy()
    served = days["novel"].to_numpy() - days["refused"].to_numpy()
    slow, hold = (_first(bits >= thresholds[name]) for name in ("slow", "hold"))
    leaked = int(served.sum()) if hold == NEVER else int(served[: hold + 1].sum())
    return (
        NEVER if slow == NEVER else int(day[slow] - day[0]) + 1,
        NEVER if hold == NEVER else int(day[hold] - day[0]) + 1,
        leaked,
        max(novel_ever, int(days["novel"].to_numpy().sum())),
    )


def _first(reached: npt.NDArray[np.bool_]) -> int:
    return int(reached.argmax()) if reached.any() else NEVER


def _median(values: npt.NDArray[np.int64]) -> float | None:
    return float(np.median(values)) if len(values) else None
