"""What if recordings that a gate refused counted as asked for?

An edge that enforces answers 429, and who is slowed gets nothing new; so a copier that is slowed adds no evidence.
Here honest listeners are refused everything new from the thirtieth day on, all of them, and what their players ask for
is weighed as if it had been played: distinct recordings, the first asking of each only.  The rows differ in what a
player does when a recording is refused: it tries nothing else, it tries some others, or it runs through a queue of new
ones.  The order of what is asked for, which a queue would add, is left out; so is everything but the person bet.

    python bench/asked_for.py [--seeds 5] [--listeners 20000] [--days 60] [--out FILE]
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from measure import PRICE, allowance, options, people, write

from riparian.accounts import weigh
from riparian.accounts.people import VOLUME_MAX
from riparian.gate.policy import Policy, Restraint, threshold_bits, tolerated
from riparian.sim.tallied import ended_days, enrolled
from riparian.sim.town import TownSpec, days

Rows = npt.NDArray[np.void]
Asked = Callable[[npt.NDArray[np.int32]], npt.NDArray[np.int32]]
REFUSED_FROM = 30

PLAYERS: Mapping[str, Asked] = {
    "tries nothing else": lambda novel: novel,
    "tries two others": lambda novel: 3 * novel,
    "tries four others": lambda novel: 5 * novel,
    "tries nine others": lambda novel: 10 * novel,
    "runs through a queue of 50 each day": lambda novel: np.full_like(novel, 50),
    "runs through a queue of 200 each day": lambda novel: np.full_like(novel, 200),
}


def asked_for(rows: Rows, asked: Asked) -> Rows:
    """Put what was asked for in the place of what was new, on days on which everything new was refused."""
    made = rows[np.lexsort((rows["day"], rows["slot"]))]
    refused = (made["day"] >= REFUSED_FROM) & (made["novel"] > 0)
    known = made["plays"] - made["novel"]
    made["novel"][refused] = asked(made["novel"][refused])
    made["plays"] = np.minimum(known + made["novel"], VOLUME_MAX)
    made["novel"] = np.minimum(made["novel"], made["plays"])
    so_far = np.cumsum(made["plays"], dtype=np.int64) - made["plays"]
    begins = np.r_[True, made["slot"][1:] != made["slot"][:-1]]
    made["plays_before"] = so_far - np.maximum.accumulate(np.where(begins, so_far, 0))
    made["pairs"][refused] = made["ascents"][refused] = 0
    return made[np.argsort(made["day"], kind="stable")]


def main() -> None:
    """Weigh the same towns with every kind of player."""
    given = options(__doc__, listeners=20_000, days=60, seeds=5)
    policy, declared = Policy(), people()
    hold, slow = (threshold_bits(policy, r, given.listeners) for r in (Restraint.HOLD, Restraint.SLOW))
    years = given.days / 365 * given.seeds
    counts = {name: np.zeros(2, np.int64) for name in PLAYERS}
    for seed in range(1, given.seeds + 1):
        town = days(TownSpec(listeners=given.listeners, days=given.days, seed=seed))
        rows = ended_days(town)
        for name, asked in PLAYERS.items():
            tally = enrolled(town, declared)
            weigh.weigh(tally, asked_for(rows, asked))
            bits = tally.state["most"]["joined"] - PRICE
            counts[name] += [(bits >= hold).sum(), (bits >= slow).sum()]
    allowed = [allowance(tolerated(policy, r) * years) for r in (Restraint.HOLD, Restraint.SLOW)]
    result = [
        {
            "player": name,
            "accounts": given.listeners * given.seeds,
            "held": int(held),
            "held_allowed": allowed[0],
            "slowed": int(slowed),
            "slowed_allowed": allowed[1],
        }
        for name, (held, slowed) in counts.items()
    ]
    for row in result:
        print(row)
    write(result, given.out, "asked_for")


if __name__ == "__main__":
    main()
