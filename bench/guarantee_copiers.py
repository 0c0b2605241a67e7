"""After how many days is a copier held, and what has it got by then?

One account at a time, 20 seeds a row, a year at most, against the people that ship and the policy of the
town of honest listeners (2 wrongful holds a year among 20,000 accounts: 13.3 bits).  Beside it *certified*
mode, which counts no more bits than 20,000 honest accounts vouch for; and a service of 40 million accounts
with 50 wrongful holds a year (19.6 bits).  Days and recordings are medians; ``never`` is within the year.

``cap`` is what the novelty budget lets an account have in a year, counted one fetch after another and no
statistics at all: the least and the most over the seeds.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from measure import PRICE, options, people, write

from riparian.accounts import weigh
from riparian.accounts.observe import observe, settle
from riparian.accounts.people import People
from riparian.accounts.tally import Tally
from riparian.catalogue.popularity import Popularity
from riparian.gate.budgets import Budgets, charge_enforced
from riparian.gate.decide import certify
from riparian.gate.policy import Policy, Restraint, threshold_bits
from riparian.schema import DAY_US
from riparian.sim.copiers import CopierSpec, parse_ring
from riparian.sim.events import each_day_coded, set_stage
from riparian.sim.holdings import recording_table
from riparian.sim.tallied import ended_days, enrolled
from riparian.sim.town import Days, TownSpec, days

PACES = (40, 100, 200, 500)
DISGUISES = (
    ("steady, in order of popularity", ""),
    ("steady, shuffled", ":random"),
    ("steady, artist by artist", ":artists"),
    ("a quarter replays", ":mimic=0.25"),
    ("a quarter replays, shuffled", ":random:mimic=0.25"),
    ("half replays", ":mimic=0.5"),
    ("half replays, shuffled", ":random:mimic=0.5"),
    ("novelty bursts like a person's, a quarter replays", ":bursty:mimic=0.25"),
    ("volume like a person's", ":irregular"),
    ("volume like a person's, shuffled", ":irregular:random"),
    ("volume, bursts and a quarter replays like a person's", ":irregular:bursty:mimic=0.25"),
    ("all that, shuffled", ":irregular:bursty:mimic=0.25:random"),
)
ROW_PACES = (1_000, 5_000, 20_000)
ROWS_HELD = 500_000
"""Recordings in the catalogue that a reader of metadata pages through; the copier stops at its end."""
NEVER = 10_000


def main() -> None:
    """Run every row of the table."""
    given = options(__doc__, seeds=20, days=365, honest=20_000)
    declared = people()
    honest = _honest_bits(declared, given.honest)
    forty_million = Policy(
        wrongful_holds_per_year=50, wrongful_step_ups_per_year=50, wrongful_slows_per_year=50, accounts=40_000_000
    )
    thresholds = (
        threshold_bits(Policy(), Restraint.HOLD, 20_000),
        threshold_bits(forty_million, Restraint.HOLD, 0),
    )
    rows = []
    for name, spec in (*((n, f"{pace}{o}") for n, o in DISGUISES for pace in PACES), *_readers()):
        runs = [_run(spec, seed, given.days, declared) for seed in range(1, given.seeds + 1)]
        row = {"disguise": name, "per_day": int(spec.split(":")[0])}
        row |= _table(runs, thresholds, honest)
        row |= _caps([town for town, _ in runs], given.days)
        rows.append(row)
        print(row, flush=True)
    write(rows, given.out, "copiers")


def _readers() -> list[tuple[str, str]]:
    return [("an API key reading metadata rows in order", f"{pace}:metadata") for pace in ROW_PACES]


def _honest_bits(declared: People, listeners: int) -> npt.NDArray[np.float64]:
    town = days(TownSpec(listeners=listeners, days=90, seed=1))
    tally = enrolled(town, declared)
    weigh.weigh(tally, ended_days(town))
    bits: npt.NDArray[np.float64] = tally.state["most"]["joined"] - PRICE
    return bits


def _run(spec: str, seed: int, n_days: int, declared: People) -> tuple[Days, npt.NDArray[np.float64]]:
    """Return the copier's days, and the most bits it had by the end of each."""
    ring = parse_ring(f"1x{spec}")
    if ring.kind == "metadata":
        return _read(ring, seed, n_days, declared)
    town = days(TownSpec(listeners=0, days=n_days, seed=seed, copiers=(ring,), recordings=2_000_000))
    tally = enrolled(town, declared)
    rows = ended_days(town)
    bits = np.full(n_days, -np.inf)
    bits[rows["day"]] = weigh.weigh(tally, rows)
    return town, np.maximum.accumulate(bits) - PRICE


def _read(ring: CopierSpec, seed: int, n_days: int, declared: People) -> tuple[Days, npt.NDArray[np.float64]]:
    """Play a reader of metadata out, since the order of its pages is in its accesses only."""
    stage = set_stage(TownSpec(listeners=0, days=n_days, seed=seed, copiers=(ring,), recordings=ROWS_HELD))
    catalogue = Popularity.of(recording_table(stage.shelf, stage.spec.start_us))
    tally = Tally.empty(declared)
    first = stage.spec.start_us // DAY_US
    bits = np.full(n_days, -np.inf)
    for table in each_day_coded(stage, bytes(16)):
        columns = {name: table[name].to_numpy() for name in ("at_us", "account", "recording", "action", "rows")}
        ended = observe(tally, columns, catalogue).days
        bits[ended["day"] - first] = weigh.weigh(tally, ended)
    ended = settle(tally, (first + n_days) * DAY_US)
    bits[ended["day"] - first] = weigh.weigh(tally, ended)
    return stage.days, np.maximum.accumulate(bits) - PRICE


def _table(
    runs: Sequence[tuple[Days, npt.NDArray[np.float64]]],
    thresholds: tuple[float, float],
    honest: npt.NDArray[np.float64],
) -> dict[str, object]:
    bits = np.stack([b for _, b in runs])
    got = np.stack(
        [np.cumsum(t.matrix("novel", bits.shape[1])[0] + t.matrix("rows", bits.shape[1])[0]) for t, _ in runs]
    )
    certified = np.minimum(bits, certify(bits.ravel(), honest).reshape(bits.shape))
    declared_day = _days(bits >= thresholds[0])
    return {
        "held_day": _told(declared_day),
        "held_in": f"{int((declared_day < NEVER).sum())}/{len(runs)}",
        "leaked": int(np.median(_leak(got, declared_day))),
        "certified_day": _told(_days(certified >= thresholds[0])),
        "forty_million_day": _told(_days(bits >= thresholds[1])),
        "bits_in_a_year": round(float(np.median(bits[:, -1])), 1),
    }


def _days(reached: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return np.asarray(np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, NEVER), np.int64)


def _told(reached: npt.NDArray[np.int64]) -> object:
    middle = float(np.median(reached))
    return "never" if middle >= NEVER / 2 else round(middle)


def _leak(got: npt.NDArray[np.int64], held: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    leaked: npt.NDArray[np.int64] = got[np.arange(len(got)), np.minimum(held, got.shape[1]) - 1]
    return leaked


def _caps(towns: Sequence[Days], n_days: int) -> dict[str, int]:
    """Ask the gate for every new recording of the year, spread evenly over each day."""
    had = []
    for town in towns:
        novel = town.matrix("novel", n_days)[0]
        at_us = np.concatenate([day * DAY_US + (np.arange(n) * DAY_US) // max(n, 1) for day, n in enumerate(novel)])
        budgets = Budgets.empty().joined(np.array([1], np.uint64), np.zeros(1, np.int64))
        refused, _ = charge_enforced(
            budgets,
            np.zeros(len(at_us), np.int32),
            at_us.astype(np.int64),
            novel=np.ones(len(at_us), np.bool_),
            recording=np.arange(1, len(at_us) + 1, dtype=np.uint64),
            policy=Policy(),
        )
        had.append(int((~refused).sum()))
    return {"cap_least": min(had), "cap_most": max(had)}


if __name__ == "__main__":
    main()
