"""A town's days as the bets take them, without playing the accesses out.

Statistics are tuned and guaranteed on hundreds of thousands of accounts; only counts are needed for
that.  What a tally makes of the accesses themselves is the same by construction for plays and new
plays, and agrees in distribution for order (:mod:`riparian.sim.events`).
"""

import numpy as np
import numpy.typing as npt

from riparian.accounts.people import PAIRS_MAX, People
from riparian.accounts.tally import DAYS, Tally, enrol
from riparian.sim.town import Days


def ended_days(town: Days, *, first_day: int = 0) -> npt.NDArray[np.void]:
    """Rows of ``DAYS`` for every day of a town, in order of time.

    Parameters
    ----------
    first_day
        Days since 1970 on which the town begins.

    Returns
    -------
    days : np.ndarray [shape=(account-days,), dtype=DAYS]
        ``slot`` is the town's account index; pace and silence cannot be judged from counts.

    Examples
    --------
    >>> from riparian.sim.town import TownSpec, days
    >>> rows = ended_days(days(TownSpec(listeners=20, days=5)))
    >>> bool((rows["novel"] <= rows["plays"]).all())
    True
    """
    rows = np.zeros(len(town.account), DAYS)
    rows["slot"], rows["day"] = town.account, town.day + first_day
    for name in ("plays", "novel", "rows"):
        rows[name] = getattr(town, name)
    rows["plays_before"] = _before(town)
    rows["pairs"] = np.minimum(town.pairs, PAIRS_MAX)
    rows["ascents"] = np.round(town.ascents * rows["pairs"] / np.maximum(town.pairs, 1))
    rows["fast"] = rows["silent"] = -1
    return rows[np.argsort(rows["day"], kind="stable")]


def enrolled(town: Days, people: People) -> Tally:
    """Make a tally in which the town's accounts have their index as slot.

    Examples
    --------
    >>> import tomllib
    >>> from importlib.resources import files
    >>> from riparian.accounts.people import parse_people
    >>> from riparian.sim.town import TownSpec, days
    >>> people = parse_people(tomllib.loads((files("riparian.accounts") / "people.toml").read_text()))
    >>> len(enrolled(days(TownSpec(listeners=20, days=5)), people).accounts)
    20
    """
    tally = Tally.empty(people)
    enrol(tally, np.arange(1, town.accounts + 1, dtype=np.uint64))
    return tally


def _before(town: Days) -> npt.NDArray[np.int64]:
    so_far = np.cumsum(town.plays.astype(np.int64)) - town.plays
    first = np.diff(town.account, prepend=-1) != 0
    return so_far - np.maximum.accumulate(np.where(first, so_far, 0))
