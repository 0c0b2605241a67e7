"""Is nobody honest held or slowed beyond the stated rate, in the town of the null and in towns outside it?

Towns of 20,000 listeners for 90 days, ten seeds each, at the level of days.  An operator who tolerates
2 wrongful holds and 8 wrongful slowings a year gets thresholds of log2(20,000 / 2) and log2(20,000 / 8)
bits; every account is one bet.  A row tells what happened, what the stated rate allows in all seeds
together with a chance of 1 % of being exceeded, and the mean of 2**bits, which the law keeps at 1.

``budget_*`` count the accounts of which the novelty budget would have refused a recording: ordinary
listeners, and everybody else (diggers, venues, imports ...).
"""

import time

import numpy as np
import numpy.typing as npt
from measure import allowance, options, people, write

from riparian.accounts import weigh
from riparian.gate.budgets import Budgets, backfilling, charge_served
from riparian.gate.policy import Policy, Restraint, threshold_bits, tolerated
from riparian.schema import DAY_US
from riparian.sim.tallied import ended_days, enrolled
from riparian.sim.town import Days, TownSpec, days
from riparian.sim.worlds import WORLDS


def main() -> None:
    """Run every world and write one row each."""
    given = options(__doc__, listeners=20_000, days=90, seeds=10)
    policy, declared, rows = Policy(), people(), []
    hold = threshold_bits(policy, Restraint.HOLD, given.listeners)
    slow = threshold_bits(policy, Restraint.SLOW, given.listeners)
    for world in WORLDS:
        begun = time.process_time()
        held, slowed, most, means, who = 0, 0, -99.0, [], ""
        budget_ordinary = budget_others = 0
        for seed in range(1, given.seeds + 1):
            town = days(TownSpec(listeners=given.listeners, days=given.days, seed=seed, world=world))
            tally = enrolled(town, declared)
            weigh.weigh(tally, ended_days(town))
            bits = tally.state["most"]["joined"]
            refused = _refused(town, given.days)
            ordinary = town.persona == "ordinary"
            budget_ordinary += int((refused & ordinary).sum())
            budget_others += int((refused & ~ordinary).sum())
            held += int((bits >= hold).sum())
            slowed += int((bits >= slow).sum())
            means.append(float(np.mean(2.0 ** np.minimum(tally.state["now"]["joined"], hold))))
            if bits.max() > most:
                most, who = float(bits.max()), str(town.persona[int(bits.argmax())])
        years = given.days / 365 * given.seeds
        row = {
            "world": world,
            "accounts": given.listeners * given.seeds,
            "days": given.days,
            "held": held,
            "held_allowed": allowance(tolerated(policy, Restraint.HOLD) * years),
            "slowed": slowed,
            "slowed_allowed": allowance(tolerated(policy, Restraint.SLOW) * years),
            "slowed_per_10000": round(slowed / given.listeners / given.seeds * 10_000, 2),
            "budget_ordinary": budget_ordinary,
            "budget_others": budget_others,
            "most_bits": round(most, 1),
            "most_persona": who,
            "mean_of_two_to_bits": round(float(np.mean(means)), 2),
            "cpu_s": round(time.process_time() - begun, 1),
        }
        rows.append(row)
        print(row, flush=True)
    write(rows, given.out, "honest")


def _refused(town: Days, n_days: int) -> npt.NDArray[np.bool_]:
    """Mark the accounts of which the novelty budget refuses anything; new recordings spread evenly over a day."""
    novel = town.matrix("novel", n_days)
    account, day = np.nonzero(novel)
    n = novel[account, day].astype(np.int64)
    within = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    at_us = (np.repeat(day * DAY_US, n) + within * (DAY_US // np.repeat(n, n))).astype(np.int64)
    codes = np.arange(1, town.accounts + 1, dtype=np.uint64)
    budgets = Budgets.empty().joined(codes, town.created_day.astype(np.int64) * DAY_US, town.streams)
    slot = np.repeat(account, n).astype(np.int32)
    novel_now = ~backfilling(budgets, slot, at_us, log_start_us=0)
    refused = charge_served(budgets, slot, at_us, novel=novel_now, policy=Policy())
    return np.bincount(slot[refused], minlength=town.accounts) > 0


if __name__ == "__main__":
    main()
