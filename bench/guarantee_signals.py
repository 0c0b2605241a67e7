"""Do signals by design wrong nobody more often than the lots say, and how soon do they find a shared queue?

Three tables.  ``signals_false``: followers and platforms that have nothing to do with one another, under many secrets:
how often a bet came true beside the chance that the lots give it (exact two-sided binomial test), how often a number
of bits was ever reached beside ``2**-bits``, and the mean of ``2**bits`` for somebody who stops at one bit.

``signals_jitter``: a ring's scraper reads a listing; its workers take batches from the queue in order, each at its own
pace, go through a batch in order or in any order, and leave some requests for others.  ``signals_refusals``: a queue
that was shuffled or comes from outside; what is refused goes back to the queue, and whoever comes to it takes it.

For each member: after how many of its own recordings it reaches 13.3 bits (20,000 accounts, 2 mistakes a year) and 19.6
(40 million and 50), over the price of the search, of five signals and of signals among the house's questions.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from measure import options, write
from scipy.stats import binomtest

from riparian.accounts.surfaced import SHARES, Asked, Listings, Shown, follow, jitter_order, refuses
from riparian.accounts.surfaced.lots import lots
from riparian.accounts.surfaced.orders import path as jitter_path
from riparian.accounts.surfaced.orders import price_of_issuer
from riparian.accounts.surfaced.rates import handovers
from riparian.accounts.surfaced.rates import path as refusal_path
from riparian.schema import DAY_US

Codes = npt.NDArray[np.uint64]
SCRAPER: Final = 10**6
SIGNALS: Final = 0.1
"""What signals are given of the house's mistakes."""
THRESHOLDS: Final = (13.3, 19.6)
NEVER: Final = 10**9
STOP_BITS: Final = 1.0
"""Whoever stops there or at the end has ``2**bits`` of mean one, if the lots are what they should be."""
GAP_US: Final = DAY_US / 100
"""A worker makes about a hundred requests a day."""


@dataclass(frozen=True, slots=True)
class Queue:
    """How a ring goes through its list of work."""

    workers: int = 50
    batch: int = 1
    shuffled_batches: bool = False
    ahead: int = 1
    """A worker takes any of so many next batches."""
    left_over: float = 0.02
    """Requests that fail of themselves and are put back for anybody."""


Fetches = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Codes]


def fetches(
    work: Codes, queue: Queue, each: int, seed: int, refused: Callable[[int, int], bool] = lambda _w, _x: False
) -> Fetches:
    """Simulate a ring until each worker made so many requests at least: times, workers, recordings."""
    rng = np.random.default_rng(seed)
    pending = [int(code) for code in work[::-1]]  # the next one stands last
    pace = rng.lognormal(0.0, 0.3, queue.workers)
    turns = [(float(rng.random()), worker) for worker in range(queue.workers)]
    heapq.heapify(turns)
    todo: list[list[int]] = [[] for _ in range(queue.workers)]
    log: list[tuple[int, int, int]] = []
    made = np.zeros(queue.workers, np.int64)
    while made.min() < each:
        now, worker = heapq.heappop(turns)
        if not todo[worker]:
            size = int(rng.integers(1, queue.batch + 1))
            end = max(size, len(pending) - size * int(rng.integers(queue.ahead)))
            todo[worker] = pending[end - size : end][::-1]
            del pending[end - size : end]
            if queue.shuffled_batches:
                rng.shuffle(todo[worker])
        if todo[worker]:
            recording = todo[worker].pop(0)
            made[worker] += 1
            log.append((int(now * GAP_US), worker, recording))
            if rng.random() < queue.left_over or refused(worker, recording):
                pending.insert(max(0, len(pending) - int(rng.integers(20 * queue.workers))), recording)
        heapq.heappush(turns, (now + float(rng.exponential()) / pace[worker], worker))
    at_us, worker_of, recording_of = zip(*log, strict=True)
    return np.array(at_us), np.array(worker_of), np.array(recording_of, np.uint64)


def wanted(bits: float, claim: str, price: float = 0.0) -> float:
    """Add the prices that a signal pays before it counts as so many bits of an account."""
    return bits - float(np.log2(SHARES[claim]) + np.log2(SIGNALS)) + price


def first_at(bits: npt.NDArray[np.float64], places: npt.NDArray[np.int64], threshold: float) -> int:
    """Tell after how many recordings a threshold is reached."""
    over = np.flatnonzero(bits >= threshold)
    return int(places[over[0]]) + 1 if len(over) else NEVER


def first_requests(worker: npt.NDArray[np.int64], recording: Codes, member: int) -> npt.NDArray[np.intp]:
    """List where a member asked for something for the first time."""
    rows = np.flatnonzero(worker == member)
    _, first = np.unique(recording[rows], return_index=True)
    return rows[np.sort(first)]


def by_jitter(  # noqa: PLR0913 -- one argument a thing that a row of the table changes
    queue: Queue, seed: int, each: int, *, issuers: int = 1_000, head: int = 100, spread: float = 0.5, scrapers: int = 1
) -> list[tuple[int, ...]]:
    """Let a ring copy a listing; for each member, after how many recordings each threshold is reached.

    With several scrapers each reads another stretch of 500 places, in turn.
    """
    secret = np.random.default_rng(seed).bytes(16)
    listing = (
        np.random.default_rng(seed + 1).permutation(np.arange(1, 4 * queue.workers * each + 2_000)).astype(np.uint64)
    )
    where = Listings.of([listing], head=head, spread=spread)
    shown = [jitter_order(secret, SCRAPER + i, listing, head=head, spread=spread) for i in range(scrapers)]
    stretch = (np.arange(len(listing)) // 500) % scrapers
    copied = np.stack(shown)[stretch, np.arange(len(listing))]
    _, first = np.unique(copied, return_index=True)  # stretches of several readers overlap: nothing is fetched twice
    at_us, worker, recording = fetches(copied[np.sort(first)], queue, each, seed)
    out = []
    for member in range(queue.workers):
        mine = first_requests(worker, recording, member)
        block = where.find(recording[mine])
        places = np.flatnonzero(block >= 0)
        rows = mine[places]
        needed = np.full(len(THRESHOLDS), NEVER)
        for i in range(scrapers):
            order = lots(secret, "jitter", SCRAPER + i, recording[rows])
            bits = jitter_path(at_us[rows], block[places], order)
            price = price_of_issuer(issuers + i)
            needed = np.minimum(needed, [first_at(bits, places, wanted(b, "jitter", price)) for b in THRESHOLDS])
        out.append(tuple(needed.tolist()))
    return out


def by_refusals(  # noqa: PLR0913 -- as by_jitter
    queue: Queue, seed: int, each: int, *, share: float = 0.02, elevated: float = 1.0, others: int = 0
) -> list[tuple[int, ...]]:
    """Let a ring go through a shuffled list, of which ``others``, elevated too, ask for 200 recordings each."""
    rng = np.random.default_rng(seed)
    secret = rng.bytes(16)
    work = rng.permutation(np.arange(1, 4 * queue.workers * each)).astype(np.uint64)
    is_elevated = rng.permutation(queue.workers) < round(elevated * queue.workers)
    members = np.arange(queue.workers, dtype=np.uint64)
    lot = refuses(secret, members[:, None] + np.uint64(1), np.arange(work.max() + 1)[None, :], share=share)
    lot = lot.reshape(queue.workers, -1) & is_elevated[:, None]
    at_us, worker, recording = fetches(work, queue, each, seed, lambda w, x: bool(lot[w, x]))
    more = rng.choice(work, (others, 200)).ravel() if others else np.empty(0, np.uint64)
    columns: dict[str, npt.NDArray[Any]] = {
        "at_us": np.concatenate([at_us, rng.integers(0, at_us.max() + 1, len(more))]),
        "account": np.concatenate([worker + 1, SCRAPER + np.repeat(np.arange(others), 200)[: len(more)]]).astype(
            np.uint64
        ),
        "recording": np.concatenate([recording, more]),
        "elevated": np.concatenate([is_elevated[worker], np.ones(len(more), np.bool_)]),
    }
    shown = Shown(secret, refused_share=share)
    asked = follow(Asked.empty(), columns, shown)
    hits, misses = handovers(asked, shown)
    out = []
    for member in range(queue.workers):
        rows = np.flatnonzero(asked.asks["account"] == member + 1)
        bits = refusal_path(hits[rows], misses[rows], share)
        out.append(tuple(first_at(bits, np.arange(len(rows)), wanted(b, "refusal")) for b in THRESHOLDS))
    return out


def told(name: str, runs: list[list[tuple[int, ...]]], within: int, each: int) -> dict[str, object]:
    """Sum up one row: what members needed, over all seeds."""
    needed = np.array([member for run in runs for member in run])
    row: dict[str, object] = {"ring": name, "seeds": len(runs), "members": len(needed), "within": within}
    for i, bits in enumerate(THRESHOLDS):
        ordered = np.sort(needed[:, i])
        for label, quantile in (("half", 0.5), ("nine_tenths", 0.9)):
            at = int(ordered[int(np.ceil(quantile * len(ordered))) - 1])
            row[f"{label}_{int(bits)}"] = at if at <= each else f"over {each}"
        row[f"share_within_{int(bits)}"] = round(float((needed[:, i] <= within).mean()), 3)
        # The slowest seed, not the slowest member: what half of a ring needed where luck was worst.
        worst = max(int(np.median([member[i] for member in run])) for run in runs)
        row[f"worst_seed_half_{int(bits)}"] = worst if worst <= each else f"over {each}"
    return row


JITTER: Final[tuple[tuple[str, Queue, dict[str, Any]], ...]] = (
    ("50, one at a time", Queue(), {}),
    ("50, batches of up to 10 in order", Queue(batch=10), {}),
    ("50, any of the next 5 batches, in order", Queue(batch=5, ahead=5), {}),
    ("50, batches of up to 5 in any order", Queue(batch=5, shuffled_batches=True), {}),
    ("50, batches of up to 10 in any order", Queue(batch=10, shuffled_batches=True), {}),
    ("50, batches of up to 20 in any order", Queue(batch=20, shuffled_batches=True), {}),
    ("50, a tenth left for others", Queue(batch=5, left_over=0.1), {}),
    ("5, batches of up to 5 in order", Queue(workers=5, batch=5), {}),
    ("500, batches of up to 5 in order", Queue(workers=500, batch=5), {}),
    ("50, three scrapers by turns", Queue(batch=5), {"scrapers": 3}),
    ("50, only ten issuers", Queue(batch=5, shuffled_batches=True), {"issuers": 10}),
    ("50, blocks of a quarter of the rank", Queue(batch=5, shuffled_batches=True), {"spread": 0.25}),
    ("50, blocks as wide as the rank", Queue(batch=10, shuffled_batches=True), {"spread": 1.0}),
)
CRAWL: Final = Queue(left_over=0.005)
REFUSALS: Final[tuple[tuple[str, Queue, dict[str, Any]], ...]] = (
    ("50, all elevated, 2 % refused", CRAWL, {}),
    ("the same, batches of up to 10 in any order", Queue(batch=10, shuffled_batches=True, left_over=0.005), {}),
    ("the same, one request in 50 left for others", Queue(), {}),
    ("the same, among 200 other elevated accounts", CRAWL, {"others": 200}),
    ("50, 0.5 % refused", CRAWL, {"share": 0.005}),
    ("50, 1 % refused", CRAWL, {"share": 0.01}),
    ("50, 5 % refused", CRAWL, {"share": 0.05}),
    ("50, four fifths elevated", CRAWL, {"elevated": 0.8}),
    ("50, half elevated", CRAWL, {"elevated": 0.5}),
    ("50, a fifth elevated", CRAWL, {"elevated": 0.2}),
    ("5, all elevated, 2 % refused", Queue(workers=5, left_over=0.005), {}),
)


def false_jitter(secrets: int, seed: int) -> Iterator[dict[str, object]]:
    """Let followers choose by themselves, an issuer and a secret each: is a place as likely as any other?"""
    rng = np.random.default_rng(seed)
    habits: dict[str, Callable[[], npt.NDArray[np.int64]]] = {
        "in order of popularity": lambda: np.arange(60),
        "in any order": lambda: rng.permutation(400)[:60],
        "own order of the same listing": lambda: np.argsort(rng.random(60)),
    }
    for habit, chosen in habits.items():
        pairs = firsts = 0
        most, stopped = np.empty(secrets), np.empty(secrets)
        for i in range(secrets):
            recordings = chosen().astype(np.uint64) + np.uint64(1)
            block = ((recordings - np.uint64(1)) // np.uint64(20)).astype(np.int32)
            order = lots(rng.bytes(16), "jitter", 7, recordings)
            bits = jitter_path(np.arange(60), block, order)
            most[i], stopped[i] = bits.max(), at_stop(bits)
            for which in np.unique(block):
                two = np.flatnonzero(block == which)[:2]
                if len(two) == 2:
                    pairs += 1
                    firsts += int(order[two[0]] < order[two[1]])
        yield _false(f"jitter: follower {habit}", (firsts, pairs), 0.5, most, stopped)


def false_refusals(secrets: int, seed: int) -> Iterator[dict[str, object]]:
    """Let an account ask by itself, after a crowd that asks again with fresh accounts until one is refused."""
    rng = np.random.default_rng(seed)
    for name, crowd in (("one earlier asker each", False), ("askers who go on until one is refused", True)):
        drawn = true = 0
        most, stopped = np.empty(secrets), np.empty(secrets)
        for i in range(secrets):
            lot = refuses(rng.bytes(16), np.arange(1, 41)[:, None], np.arange(1, 31)[None, :]).reshape(40, 30)
            # Of 30 recordings: how many accounts asked before, and how many of those were refused.
            until = np.where(lot.any(axis=0), lot.argmax(axis=0) + 1, 40) if crowd else np.ones(30, np.int64)
            hits = np.array([lot[:n, j].sum() for j, n in enumerate(until)])
            bits = refusal_path(np.tile(hits, (3, 1)).T, np.tile(until - hits, (3, 1)).T, 0.02)
            most[i], stopped[i] = bits.max(), at_stop(bits)
            drawn += int(until.sum())
            true += int(hits.sum())
        yield _false(f"refusals: {name}", (true, drawn), 0.02, most, stopped)


def at_stop(bits: npt.NDArray[np.float64]) -> float:
    """Give the bits at the first time that they reach ``STOP_BITS``, else the last."""
    over = np.flatnonzero(bits >= STOP_BITS)
    return float(bits[over[0]] if len(over) else bits[-1])


def _false(
    name: str, counted: tuple[int, int], chance: float, most: npt.NDArray[np.float64], stopped: npt.NDArray[np.float64]
) -> dict[str, object]:
    true, drawn = counted
    row: dict[str, object] = {
        "bet": name,
        "secrets": len(most),
        "bets": drawn,
        "came_true": true,
        "chance": chance,
        "share": round(true / drawn, 5),
        "p_exact": round(float(binomtest(true, drawn, chance).pvalue), 3),
    }
    for bits in (3, 6, 9):
        reached = int((most >= bits).sum())
        row[f"reached_{int(bits)}"] = reached
        row[f"p_{int(bits)}"] = round(float(binomtest(reached, len(most), 2.0**-bits, alternative="greater").pvalue), 3)
    row["mean_at_stop"] = round(float(np.mean(2.0**stopped)), 3)
    row["standard_error"] = round(float(np.std(2.0**stopped) / np.sqrt(len(stopped))), 3)
    return row


def main() -> None:
    """Run everything."""
    given = options(__doc__, seeds=20, secrets=20_000)
    rows = [*false_jitter(given.secrets, 1), *false_refusals(given.secrets, 2)]
    write(rows, given.out and given.out / "signals_false.csv", "signals_false")
    for name, table, simulate, within, each in (
        ("signals_jitter", JITTER, by_jitter, 60, 90),
        ("signals_refusals", REFUSALS, by_refusals, 400, 400),
    ):
        rows = []
        for label, queue, how in table:
            seeds = range(1, 1 + (given.seeds if queue.workers < 500 else min(given.seeds, 3)))
            rows.append(told(label, [simulate(queue, seed, each, **how) for seed in seeds], within, each))
            print(rows[-1], flush=True)
        write(rows, given.out and given.out / f"{name}.csv", name)


if __name__ == "__main__":
    main()
