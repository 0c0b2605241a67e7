"""Is everything as it would have been, when something breaks while a town is watched?

A small town's log is scanned, followed and served, and in each run one thing breaks at a moment drawn from the seed.
Afterwards whatever an operator or a supervisor would start again is started again, nothing else is done, and the rest
of the log arrives.  In the end evidence, tallies, decisions, what was done to whom, and what gates answered have to be
what they are without the fault, to the last bit.

* **scan killed**, **evidence killed**, **gate killed**, **serve killed**, **console killed**: SIGKILL.
* **disk full**: under a scan, and under all of `riparian serve`, for some seconds.  It is a file system of its own
  where one can be mounted, else a limit on what the programs may write to any file; each run says which.
* **broker restarted**: SIGKILL while a worker follows its topic.  The broker of the tests keeps its log in memory: the
  worker stands still while a new one is given the same messages, and then meets a broker with the log that it knows.
* **Valkey flushed**: gates that share budgets find that their server has forgotten everything, and are told again what
  was had.  Nobody may be refused who would have been served, and the loss has to be counted; budgets are full again.
* **snapshot torn**: after a kill one of the three newest files is cut short or altered.  Either the next scan comes to
  the same end, or it says that a file is not what was written, and the workspace is restored from its backup.
* **clock stepped**: by hours or days, forward or back, and set right again.  What is dated by it is compared but for
  its dates.

    python bench/faults.py [--runs 200] [--seed 0] [--out FILE]

Writes docs/bench/faults.csv: kind, runs, how many had nothing lost or counted twice, seconds to recover (median, most).
Each run is printed; where --out says where the table goes, they are written beside it, in faults-runs.csv.
"""

import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import measure
from faulty import House, Log, LostError, State, differences, disk, expected, killed_at_work, simulated, state, torn
from faulty_gates import flushed
from faulty_kafka import broker_restarted
from faulty_serve import Served, console_killed

from riparian.flows.extraction import Ends
from riparian.schema import DAY_US, HOUR_US

AT_WORK_S: Final = 0.6
"""How long a scan of a portion works once it holds its lock."""
STEPS: Final = (-400 * DAY_US, -2 * DAY_US, -5 * HOUR_US, 3 * HOUR_US, 2 * DAY_US, 40 * DAY_US)


@dataclass
class Outcome:
    """What came of a run."""

    what: str
    recovered_s: float
    amiss: list[str] = field(default_factory=list)


@dataclass
class Bench:
    """The town, what is expected of it, and a folder for each run."""

    folder: Path
    log: Log
    _expected: dict[str, State] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, seed: int) -> "Bench":
        """Simulate the town, and scan its first portion once for all runs."""
        log = simulated(folder / "town", seed)
        house = House.made(folder / "first", log.now_us)
        house.done("scan", str(log.portions[0]), "-w", str(house.workspace))
        return cls(folder, log)

    def house(self, folder: Path) -> House:
        """Make a house that has scanned the first portion."""
        house = House.made(folder, self.log.now_us)
        shutil.rmtree(house.workspace)
        shutil.copytree(self.folder / "first" / "w", house.workspace)
        return house

    def expected(self, ends: Ends) -> State:
        """Give what a house says that was not hurt."""
        if ends.name not in self._expected:
            first, *rest = ([portion] for portion in self.log.portions)
            each = [(Ends.WHOLE, first), *((ends, some) for some in rest)]
            self._expected[ends.name] = expected(self.folder / ends.name, self.log, each)
        return self._expected[ends.name]


Hurt = Callable[[Bench, Path, random.Random], Outcome]


# --- a log that is scanned portion by portion ----------------------------------------------------------------------


def _rest(bench: Bench, house: House, *, dated: bool = True) -> list[str]:
    """Scan the last portion, and compare."""
    house.done("scan", str(bench.log.portions[2]), "-w", str(house.workspace))
    return differences(bench.expected(Ends.WHOLE), state(house.given), dated=dated)


def _again(bench: Bench, house: House) -> float:
    begun_s = time.monotonic()
    house.done("scan", str(bench.log.portions[1]), "-w", str(house.workspace))
    return time.monotonic() - begun_s


def scan_killed(bench: Bench, folder: Path, rng: random.Random) -> Outcome:
    """Kill a scan at its work, once or twice in a row."""
    house = bench.house(folder)
    kills = sum(
        killed_at_work(house.scan(bench.log.portions[1]), rng.uniform(0, AT_WORK_S))
        for _ in range(rng.choice((1, 1, 2)))
    )
    took_s = _again(bench, house)
    return Outcome(f"{kills} times", took_s, _rest(bench, house))


def disk_full(bench: Bench, folder: Path, rng: random.Random) -> Outcome:
    """Let the disk be full while a scan works."""
    with disk(folder / "disk") as small:
        house = bench.house(folder / "disk" / "house")
        house.errors = folder / "errors.txt"
        left = rng.choice((0, 0, 20_000, 100_000, 300_000, 600_000))
        small.fill(left, [])
        scan = house.scan(bench.log.portions[1])
        if not small.is_mounted:
            small.fill(rng.choice((0, 1000, 10_000)), [scan.pid])
        code = scan.wait(90)
        if code not in (0, 2) or "Traceback" in house.said():
            raise LostError(f"a scan on a full disk ended with {code}: {house.said()[-2000:]}")
        small.make_room([])
        took_s = _again(bench, house)
        return Outcome(f"{small.kind}, ended with {code}", took_s, _rest(bench, house))


def snapshot_torn(bench: Bench, folder: Path, rng: random.Random) -> Outcome:
    """Cut short or alter a file after a kill."""
    house = bench.house(folder)
    copy, workspace = str(folder / "copy"), str(house.workspace)
    house.done("backup", copy, "-w", workspace)
    if rng.random() < 0.5:
        killed_at_work(house.scan(bench.log.portions[1]), rng.uniform(0, AT_WORK_S))
    else:
        house.done("scan", str(bench.log.portions[1]), "-w", workspace)
    what = torn(house.workspace, rng)
    begun_s = time.monotonic()
    code = house.done("scan", str(bench.log.portions[1]), "-w", workspace, code=None)
    if "Traceback" in house.said():
        raise LostError(house.said()[-2000:])
    amiss = [] if code else differences(bench.expected(Ends.WHOLE), state(house.given))
    if code == 0:
        amiss = _rest(bench, house)
        took_s = time.monotonic() - begun_s
        return Outcome(f"{what}; came to the same end by itself", took_s, amiss)
    shutil.rmtree(house.workspace)
    house.done("restore", copy, "-w", workspace)
    _again(bench, house)
    took_s = time.monotonic() - begun_s
    return Outcome(f"{what}; said so, and was restored", took_s, _rest(bench, house))


def clock_stepped(bench: Bench, folder: Path, rng: random.Random) -> Outcome:
    """Let the clock be wrong while a scan works."""
    house, step_us = bench.house(folder), rng.choice(STEPS)
    house.set_clock(bench.log.now_us + step_us)
    house.done("scan", str(bench.log.portions[1]), "-w", str(house.workspace), code=None)
    house.set_clock(bench.log.now_us)
    took_s = _again(bench, house)
    return Outcome(f"by {step_us / HOUR_US:+.0f} h", took_s, _rest(bench, house, dated=False))


# --- a house that serves -------------------------------------------------------------------------------------------


def _served(bench: Bench, house: House, hurt: Callable[[Served], tuple[str, float]], *, dated: bool = True) -> Outcome:
    served = Served.begun(house, bench.log)
    try:
        what, took_s = hurt(served)
        amiss = served.rest()
    finally:
        house.end()
    return Outcome(what, took_s, amiss + differences(bench.expected(Ends.FOLLOWED), state(house.given), dated=dated))


def serve_killed(bench: Bench, folder: Path, rng: random.Random) -> Outcome:
    """Kill the parent of all, and begin it again as a supervisor does."""
    return _served(bench, bench.house(folder), lambda served: served.kill_parent(rng))


def gate_killed(bench: Bench, folder: Path, rng: random.Random) -> Outcome:
    """Kill a gate while it is asked."""
    return _served(bench, bench.house(folder), lambda served: served.kill_gate(rng))


def evidence_killed(bench: Bench, folder: Path, rng: random.Random) -> Outcome:
    """Kill what scans the log."""
    return _served(bench, bench.house(folder), lambda served: served.kill_evidence(rng))


def disk_full_serving(bench: Bench, folder: Path, rng: random.Random) -> Outcome:
    """Let the disk be full under everything, while gates are asked and the log is scanned."""
    with disk(folder / "disk") as small:
        house = bench.house(folder / "disk" / "house")
        house.errors = folder / "errors.txt"
        return _served(bench, house, lambda served: served.fill_disk(small, rng))


def clock_stepped_serving(bench: Bench, folder: Path, rng: random.Random) -> Outcome:
    """Let the clock be wrong for some seconds under everything."""
    return _served(bench, bench.house(folder), lambda served: served.step_clock(rng, rng.choice(STEPS)), dated=False)


def console(bench: Bench, folder: Path, rng: random.Random) -> Outcome:
    """Kill the console while somebody decides there."""
    house = bench.house(folder)
    try:
        return Outcome(*console_killed(house, bench.log, rng))
    finally:
        house.end()


def broker(bench: Bench, folder: Path, rng: random.Random) -> Outcome:
    """Kill the broker while a worker reads."""
    house = House.made(folder, bench.log.now_us)
    try:
        return Outcome(*broker_restarted(house, bench.log, rng, bench.folder / "kafka"))
    finally:
        house.end()


def valkey(bench: Bench, folder: Path, rng: random.Random) -> Outcome:
    """Empty the server that gates share."""
    del folder
    return Outcome(*flushed(bench.log, rng))


KINDS: Final[dict[str, Hurt]] = {
    "scan killed": scan_killed,
    "evidence killed": evidence_killed,
    "gate killed": gate_killed,
    "serve killed": serve_killed,
    "console killed": console,
    "disk full, scan": disk_full,
    "disk full, serve": disk_full_serving,
    "broker restarted": broker,
    "Valkey flushed": valkey,
    "snapshot torn": snapshot_torn,
    "clock stepped, scan": clock_stepped,
    "clock stepped, serve": clock_stepped_serving,
}


def run(bench: Bench, kind: str, seed: int) -> Outcome:
    """Let one thing break; what is lost is told, and not raised."""
    rng = random.Random(seed)  # noqa: S311 -- a simulation
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        try:
            return KINDS[kind](bench, Path(folder), rng)
        except LostError as error:
            return Outcome("", 0.0, [str(error)])


def summed(runs: Sequence[tuple[str, Outcome]]) -> list[dict[str, object]]:
    """Sum up by kind, and all."""
    rows: list[dict[str, object]] = []
    for kind in [*KINDS, "all"]:
        some = [outcome for one, outcome in runs if kind in ("all", one)]
        if some:
            times = [outcome.recovered_s for outcome in some if not outcome.amiss] or [0.0]
            rows.append(
                {
                    "kind": kind,
                    "runs": len(some),
                    "same": sum(not outcome.amiss for outcome in some),
                    "median_s": f"{statistics.median(times):.1f}",
                    "most_s": f"{max(times):.1f}",
                }
            )
    return rows


def main() -> None:
    """Run, print and write the table."""
    given = measure.options(__doc__, runs=200, seed=0)
    runs: list[tuple[str, Outcome]] = []
    each: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        bench = Bench.of(Path(folder), given.seed)
        for number in range(given.runs):
            kind, seed = list(KINDS)[number % len(KINDS)], given.seed + number
            outcome = run(bench, kind, seed)
            runs.append((kind, outcome))
            each.append(
                {
                    "run": number,
                    "kind": kind,
                    "what": outcome.what,
                    "seconds_to_recover": f"{outcome.recovered_s:.1f}",
                    "same": "no" if outcome.amiss else "yes",
                }
            )
            print(*each[-1].values(), *outcome.amiss[:8], sep=" | ", flush=True)
    if given.out:
        measure.write(each, given.out.with_name("faults-runs.csv"), "faults-runs")
    measure.write(summed(runs), given.out, "faults")
    if any(outcome.amiss for _, outcome in runs):
        sys.exit(1)


if __name__ == "__main__":
    main()
