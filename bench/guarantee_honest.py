"""Is nobody honest held or slowed beyond the stated rate, in the town of the null and in towns outside it?

Towns of 20,000 listeners for 90 days, ten seeds each, at the level of days.  An operator who tolerates
2 wrongful holds and 8 wrongful slowings a year gets thresholds of log2(20,000 / 2) and log2(20,000 / 8)
bits; every account is one bet, and what it did by itself one question of several, which takes off what the
union bound costs.  A row tells what happened, what the stated rate allows in all seeds
together with a chance of 1 % of being exceeded, and the mean of 2**bits, which the law keeps at 1.

``budget_*`` count the accounts of which the novelty budget would have refused a recording: ordinary
listeners, and everybody else (diggers, venues, imports ...).  Of the 85 real people whose year the town's law
was fitted on, none ever had more than 2000 new recordings plus 40 a day of any stretch of days, from the first
day of their logs on (that is how the budget was found).  ``budget_within`` counts the ordinary listeners that
were refused something although they kept to that in every stretch: there the budget's own shape would be at
fault.  The others went where none of the 85 did.

A second table follows the ordinary town for a whole year (``honest_year``), where arithmetic says what no
budget can do: ``above_the_cap`` counts the ordinary listeners touched that had more than 2000 + 40 * 365 new
recordings in the year, which the cap must refuse whatever its shape.  ``chance_of_none_of_85`` is the chance
that 85 people drawn from the town's ordinary listeners of standing all keep to what the real 85 did: where it
is not small, those 85 speak neither for nor against the town's tail.

    python bench/guarantee_honest.py [--seeds 10] [--years 5] [--listeners 20000] [--days 90] [--out FILE]
"""

import time

import numpy as np
import numpy.typing as npt
from measure import PRICE, allowance, options, people, write

from riparian.accounts import weigh
from riparian.gate.budgets import OLDER_DAYS, Budgets, backfilling, charge_served
from riparian.gate.policy import Policy, Restraint, threshold_bits, tolerated
from riparian.schema import DAY_US
from riparian.sim.tallied import ended_days, enrolled
from riparian.sim.town import Days, TownSpec, days
from riparian.sim.worlds import WORLDS

Flags = npt.NDArray[np.bool_]
YEAR = 365


def main() -> None:
    """Run every world and write one row each, then the ordinary one for a year."""
    given = options(__doc__, listeners=20_000, days=90, seeds=10, years=5)
    years = [year_row(given.listeners, seed) for seed in range(1, given.years + 1)]
    write(years, given.out.with_name(f"{given.out.stem}_year.csv") if given.out else None, "honest_year")
    policy, declared, rows = Policy(), people(), []
    hold = threshold_bits(policy, Restraint.HOLD, given.listeners)
    slow = threshold_bits(policy, Restraint.SLOW, given.listeners)
    for world in WORLDS:
        begun = time.process_time()
        held, slowed, most, means, who = 0, 0, -99.0, [], ""
        budget_ordinary = budget_within = budget_others = 0
        for seed in range(1, given.seeds + 1):
            town = days(TownSpec(listeners=given.listeners, days=given.days, seed=seed, world=world))
            tally = enrolled(town, declared)
            weigh.weigh(tally, ended_days(town))
            bits = tally.state["most"]["joined"] - PRICE
            refused, ordinary = _refused(town, given.days), town.persona == "ordinary"
            budget_ordinary += int((refused & ordinary).sum())
            budget_within += int((refused & ordinary & ~beyond_the_85(town, given.days)).sum())
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
            "budget_within": budget_within,
            "budget_others": budget_others,
            "most_bits": round(most, 1),
            "most_persona": who,
            "mean_of_two_to_bits": round(float(np.mean(means)), 2),
            "cpu_s": round(time.process_time() - begun, 1),
        }
        rows.append(row)
        print(row, flush=True)
    write(rows, given.out, "honest")


def year_row(listeners: int, seed: int) -> dict[str, object]:
    """Tell who among the ordinary listeners the budget touches in a year."""
    town = days(TownSpec(listeners=listeners, days=YEAR, seed=seed))
    ordinary = town.persona == "ordinary"
    touched, beyond = _refused(town, YEAR) & ordinary, beyond_the_85(town, YEAR)
    policy, novel = Policy(), town.matrix("novel", YEAR).sum(axis=1)
    standing = ordinary & (town.created_day < -OLDER_DAYS)
    share = float(beyond[standing].mean())
    return {
        "seed": seed,
        "ordinary": int(ordinary.sum()),
        "touched": int(touched.sum()),
        "within": int((touched & ~beyond).sum()),
        "beyond": int((touched & beyond).sum()),
        "above_the_cap": int((touched & (novel > policy.novelty_burst + policy.novelty_per_day * YEAR)).sum()),
        "novel_per_day_median": round(float(np.median(novel[standing])) / YEAR, 1),
        "novel_per_day_p95": round(float(np.percentile(novel[standing], 95)) / YEAR, 1),
        "beyond_of_standing": round(share, 5),
        "chance_of_none_of_85": round((1 - share) ** 85, 2),
    }


def _refused(town: Days, n_days: int) -> Flags:
    """Mark the accounts of which the novelty budget refuses anything."""
    slot, at_us = _novel(town, n_days)
    budgets = Budgets.empty().joined(_codes(town), town.created_day.astype(np.int64) * DAY_US, town.streams)
    return _any_refused(town, budgets, slot, at_us, ~backfilling(budgets, slot, at_us, log_start_us=0))


def beyond_the_85(town: Days, n_days: int) -> Flags:
    """Mark the accounts that in some stretch of days had more that was new than any of 85 people ever had.

    That is what a bucket of 2000 and 40 a day refuses that is full on the first day, charges everything, and
    knows neither new accounts nor plans for several people.
    """
    slot, at_us = _novel(town, n_days)
    return _any_refused(town, Budgets.empty().joined(_codes(town)), slot, at_us, np.ones(slot.size, np.bool_))


def _novel(town: Days, n_days: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Spread each account's new recordings evenly over their day [each shape=(novel,)]."""
    novel = town.matrix("novel", n_days)
    account, day = np.nonzero(novel)
    n = novel[account, day].astype(np.int64)
    within = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    at_us = (np.repeat(day * DAY_US, n) + within * (DAY_US // np.repeat(n, n))).astype(np.int64)
    return np.repeat(account, n).astype(np.int32), at_us


def _codes(town: Days) -> npt.NDArray[np.uint64]:
    return np.arange(1, town.accounts + 1, dtype=np.uint64)


def _any_refused(
    town: Days, budgets: Budgets, slot: npt.NDArray[np.int32], at_us: npt.NDArray[np.int64], charged: Flags
) -> Flags:
    refused = charge_served(budgets, slot, at_us, novel=charged, policy=Policy())
    return np.bincount(slot[refused], minlength=town.accounts) > 0


if __name__ == "__main__":
    main()
