"""What does a decision cost inside a process, and what memory does a gate need?

Times are CPU time of this process, in rounds in which every way takes its turn; a row gives the median and the least of
the rounds, in nanoseconds a decision.  Accounts are drawn at random; a thousand of them fit into the processor's cache.

``decision`` is the whole of it: restraint, limit, novelty budget with the set of what was had, rows.  ``repeat`` asks
for recordings that the account had, ``new`` for such as are charged (into a set that grows all the while), ``page``
for metadata.  ``limit`` is the limit on requests by itself.  The peers are a Python dictionary with the same
arithmetic, and ``limits`` in memory.

    python bench/gate_decisions.py [--accounts 100000] [--many 10000000] [--rounds 7] [--seed 1] [--quick] [--out FILE]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
from measure import write
from numpy.typing import NDArray

from riparian.gate.admit import Gate, Kind
from riparian.gate.limits import ask
from riparian.gate.policy import Mode, Policy
from riparian.gate.seen import Seen, codes_of_pairs
from riparian.schema import DAY_US

T0 = 1_700_000_000_000_000
NEAR = 1_000
ALONE = 20_000
BATCHES = (64, 1024, 65_536)
INTERVAL, BURST = 100_000, 300
RECORDINGS = 3_500
MOST = 10_000_000
POLICY = Policy(
    mode=Mode.ENFORCE,
    novelty_burst=MOST,
    novelty_per_day=MOST,
    rows_burst=MOST,
    requests_per_minute=MOST,
    requests_burst=MOST,
)

Way = tuple[str, int, int]
"""What, how many at once, and of how many accounts."""
Run = Callable[[int], float]
"""Takes the number of the round, gives nanoseconds a decision."""


@dataclass(frozen=True)
class Town:
    """A gate, who asks it, what each had, and whether something new is asked for."""

    gate: Gate
    who: NDArray[np.uint64]
    had: NDArray[np.uint64]
    kind: Kind
    new: bool

    def asked(self, seed: int) -> NDArray[np.uint64]:
        """Give what is asked for [shape=(requests,)]."""
        return np.random.default_rng(seed).permutation(self.had) if self.new else self.had


def main() -> None:
    """Take times in rounds, then weigh."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--many", type=int, default=10_000_000, help="accounts of the limit by itself")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="two rounds, a hundredth of the accounts")
    parser.add_argument("--out", type=Path, default=None, help="where the CSV goes; default: docs/bench")
    given = parser.parse_args()
    accounts, many, rounds = given.accounts, given.many, given.rounds
    if given.quick:
        accounts, many, rounds = accounts // 100, many // 100, 2
    rng = np.random.default_rng(given.seed)
    ways = {**decisions(rng, NEAR), **decisions(rng, accounts), **limit(rng, many), **peers(rng, accounts)}
    write(times(ways, rounds), given.out, "gate_decisions")
    beside = given.out and given.out.with_name(f"{given.out.stem}_memory.csv")
    write(memory(rng, many, 100 if given.quick else 2000), beside, "gate_decisions_memory")


def times(ways: dict[Way, Run], rounds: int) -> Iterator[dict[str, object]]:
    """Run every way once for its compilation, then in rounds."""
    taken: dict[Way, list[float]] = {way: [] for way in ways}
    for turn in range(rounds + 1):
        for way, run in ways.items():
            taken[way].append(run(turn))
    for (what, batch, accounts), each in taken.items():
        median, least = statistics.median(each[1:]), min(each[1:])
        yield {
            "what": what,
            "batch": batch,
            "accounts": accounts,
            "ns_median": round(median, 1),
            "ns_least": round(least, 1),
        }


def timed(n: int, ask_all: Callable[[], object]) -> float:
    """Give the nanoseconds of CPU that each of so many decisions took."""
    begun = time.process_time_ns()
    ask_all()
    return (time.process_time_ns() - begun) / n


def decisions(rng: np.random.Generator, accounts: int) -> dict[Way, Run]:
    """Give the whole decision, alone and in batches."""
    codes = rng.integers(1, 2**64 - 1, accounts, dtype=np.uint64)
    n = max(BATCHES)
    who, had = codes[rng.integers(0, accounts, n)], rng.integers(1, 2**64 - 1, n, dtype=np.uint64)
    ways: dict[Way, Run] = {}
    for what, kind in (("repeat", Kind.MEDIA), ("new", Kind.MEDIA), ("page", Kind.METADATA)):
        gate = Gate.open(POLICY)
        gate.enrol(codes)
        gate.backfill(who, had)
        town = Town(gate, who, had, kind, new=what == "new")
        ways[f"decision, {what}", 1, accounts] = partial(alone, town)
        for batch in BATCHES:
            ways[f"decision, {what}", batch, accounts] = partial(batched, town, batch)
    return ways


def alone(town: Town, turn: int) -> float:
    """Ask one by one."""
    asked = list(zip(town.who[:ALONE].tolist(), town.asked(turn)[:ALONE].tolist(), strict=True))
    admit, kind, now_us = town.gate.admit, town.kind, T0 + 2 * turn * DAY_US

    def ask_all() -> None:
        for account, recording in asked:
            admit(account, recording, kind, now_us)

    return timed(ALONE, ask_all)


def batched(town: Town, batch: int, turn: int) -> float:
    """Ask for so many at once."""
    n, recordings = town.who.size, town.asked(1000 * turn + batch)
    kinds, rows = np.full(n, town.kind, np.uint8), np.zeros(n, np.int64)
    at_us = np.full(n, T0 + (2 * turn + 1) * DAY_US)
    cuts = [slice(i, i + batch) for i in range(0, n, batch)]
    asked = [(town.who[cut], recordings[cut], kinds[cut], at_us[cut], rows[cut]) for cut in cuts]

    def ask_all() -> None:
        for columns in asked:
            town.gate.admit_many(*columns)

    return timed(n, ask_all)


def limit(rng: np.random.Generator, accounts: int) -> dict[Way, Run]:
    """Give the limit on requests by itself."""
    paid_us, slot = np.zeros(accounts, np.int64), rng.integers(0, accounts, max(BATCHES)).astype(np.int32)

    def run(batch: int, turn: int) -> float:
        at_us = np.full(slot.size, T0 + turn * DAY_US)
        cuts = [slice(i, i + batch) for i in range(0, slot.size, batch)]
        asked = [(slot[cut], at_us[cut]) for cut in cuts]
        return timed(slot.size, lambda: [ask(paid_us, *columns, INTERVAL, BURST) for columns in asked])

    return {("limit", batch, accounts): partial(run, batch) for batch in BATCHES}


def peers(rng: np.random.Generator, accounts: int) -> dict[Way, Run]:
    """Give what else limits requests in a process."""
    who = rng.integers(0, accounts, ALONE).tolist()
    named = [f"a-{account}" for account in who]
    paid_us: dict[int, int] = {}

    def plain(turn: int) -> float:
        now_us = T0 + turn * DAY_US

        def ask_all() -> None:
            for account in who:
                paid = max(paid_us.get(account, 0), now_us) + INTERVAL
                if paid - now_us <= BURST * INTERVAL:
                    paid_us[account] = paid

        return timed(ALONE, ask_all)

    def library(strategy: Any, _turn: int) -> float:
        item = RateLimitItemPerMinute(600)
        return timed(ALONE, lambda: [strategy.hit(item, name) for name in named])

    return {
        ("Python dictionary, limit", 1, accounts): plain,
        ("limits 5.8 in memory, fixed window", 1, accounts): partial(library, FixedWindowRateLimiter(MemoryStorage())),
        ("limits 5.8 in memory, moving window", 1, accounts): partial(
            library, MovingWindowRateLimiter(MemoryStorage())
        ),
    }


def memory(rng: np.random.Generator, many: int, accounts: int) -> Iterator[dict[str, object]]:
    """Give the bytes that an account takes."""
    each = np.zeros(many, np.int64).nbytes / many
    yield _weight("limit", many, each, each)
    gate = Gate.open(POLICY)
    gate.enrol(rng.integers(1, 2**64 - 1, many // 10, dtype=np.uint64))
    each = (gate.n_bytes - Seen.empty().n_bytes) / (many // 10)
    yield _weight("restraint, budgets and limit", many // 10, each, 1.5 * each)
    codes = rng.integers(1, 2**64 - 1, accounts, dtype=np.uint64)
    recordings = rng.integers(1, 2**64 - 1, 10 * RECORDINGS, dtype=np.uint64)
    for approximate in (False, True):
        seen, weights = Seen.empty(approximate=approximate), list[float]()
        for n, account in enumerate(codes, start=1):
            seen.add(codes_of_pairs(np.full(RECORDINGS, account), rng.choice(recordings, RECORDINGS, replace=False)))
            seen.settle()
            weights.append(seen.n_bytes / n)
        # Over the last time that a table grew and filled up again.
        form, last = "approximate" if approximate else "exact", weights[accounts // 2 :]
        yield _weight(f"{RECORDINGS} recordings had, {form}", accounts, min(last), max(last))


def _weight(what: str, accounts: int, least: float, most: float) -> dict[str, object]:
    return {
        "what": what,
        "accounts": accounts,
        "bytes_account_least": round(least, 1),
        "bytes_account_most": round(most, 1),
    }


if __name__ == "__main__":
    main()
