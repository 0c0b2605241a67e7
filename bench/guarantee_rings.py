"""Are rings found, and is nobody honest taken for one of them?

Rings that share one list of work are put, a few at a time, into a town of listeners who have lived there for a
month.  New fetches of candidates are followed as a scan follows them (:mod:`riparian.accounts.kinship`), and each
account's own bits are compared with the bits that a hold takes: 2 wrongful holds a year in this town (``town``), and
50 among 100 million accounts (``world``).  ``taken`` is how many recordings the median member had fetched when it had
them; ``by_day`` counts to the end of that day, which is when a daily scan would see it.  ``honest`` counts listeners
with those bits; ``strangers`` are listeners in a cluster, which restrains nobody.

    python bench/guarantee_rings.py [--seeds 20] [--listeners 50000] [--shuffled 1 | --stretch 1] [--quick 1]
"""

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from measure import options, people, write

from riparian.accounts import kinship, weigh
from riparian.accounts.join import PRICES
from riparian.accounts.kinship import FETCH, Kin
from riparian.catalogue.cells import Cells
from riparian.codes import RECORDING_KEY, codes_of
from riparian.schema import DAY_US
from riparian.sim.copiers import parse_ring
from riparian.sim.fetches import fetches
from riparian.sim.holdings import recording_ids, recording_table, stock
from riparian.sim.tallied import ended_days, enrolled
from riparian.sim.town import Days, TownSpec, days

SETTLED_DAYS = 30
SIZES = (5, 10, 50, 200, 500, 1000)
PACES = (5, 40, 200)
STRETCH = (
    "50x40:queue:dup=0.1", "50x40:queue:dup=0.2", "50x40:queue:dup=0.3", "50x40:random:dup=0.1", "50x40:random:dup=0.3",
    "50x40:artists", "50x40:taste", "50x40:queue:mimic=0.3", "50x40:queue:human=0.3", "50x40:random:human=0.3",
)  # fmt: skip


@dataclass(frozen=True)
class Town:
    """What candidates of a town fetched anew, and how many accounts there are."""

    fetches: npt.NDArray[np.void]
    cells: Cells
    n_accounts: int
    start_us: int


def main() -> None:
    """Run the seeds and write a row a ring."""
    given = options(__doc__, seeds=20, listeners=50_000, recordings=1_000_000, shuffled=0, stretch=0, quick=0)
    order = "stretch" if given.stretch else "random" if given.shuffled else "queue"
    rows: list[dict[str, object]] = []
    for seed in range(1, given.seeds + 1):
        rows.extend(measured(seed, given.listeners, given.recordings, rings_of(order, quick=bool(given.quick))))
        write(rows, given.out, f"rings_{order}")


def rings_of(order: str, *, quick: bool) -> list[list[tuple[str, int]]]:
    """List the rings of each run, and for how many days they are followed."""
    if quick:
        return [[(f"10x40:{order}", 4)]]
    if order == "stretch":
        return [[(ring, 12)] for ring in STRETCH]
    if order == "random":
        return [[(f"{size}x40:random", 14)] for size in SIZES[1:]]
    # Rings of very different speeds, so that one run tells of three.
    return [
        [(f"{size}x{pace}:queue", min(45, (260 if size == 5 else 130) // pace + 2)) for size in sizes]
        for pace in PACES
        for sizes in ((5, 50, 500), (10, 200, 1000))
    ]


def measured(seed: int, listeners: int, recordings: int, runs: list[list[tuple[str, int]]]) -> list[dict[str, object]]:
    """Live one town, and put each run's rings into it."""
    longest = SETTLED_DAYS + max(n + i for rings in runs for i, (_, n) in enumerate(rings))
    spec = TownSpec(listeners, longest, seed, recordings=recordings)
    shelf = stock(seed, recordings, days=spec.days, weekday=spec.weekday)
    cells = Cells.of(recording_table(shelf, spec.start_us))
    counts = days(spec)
    of_listeners = candidates(fetches(spec), counts, spec, cells)
    del counts
    rows: list[dict[str, object]] = []
    for rings in runs:
        rows.extend(_run(seed, spec, cells, of_listeners, rings))
    return rows


def candidates(taken: npt.NDArray[np.void], counts: Days, spec: TownSpec, cells: Cells) -> npt.NDArray[np.void]:
    """Keep what accounts fetched on days on which they are candidates, with their own bits then, as a scan does."""
    plays, novel = (np.cumsum(counts.matrix(name, spec.days), axis=1) for name in ("plays", "novel"))
    worth = kinship.candidates({"plays": plays, "novel": novel})  # type: ignore[arg-type]
    rows, bits = ended_days(counts), np.zeros(novel.shape, np.float32)
    bits[rows["slot"], rows["day"]] = weigh.weigh(enrolled(counts, people()), rows)
    day = (taken["at_us"] - spec.start_us) // DAY_US
    followed = worth[taken["account"], day]
    table = table_of(taken[followed], cells)
    table["bits"] = bits[taken["account"], day][followed]
    return table


def table_of(taken: npt.NDArray[np.void], cells: Cells) -> npt.NDArray[np.void]:
    """Write a town's fetches as they are followed."""
    table = np.zeros(len(taken), FETCH)
    table["at_us"], table["account"] = taken["at_us"], taken["account"].astype(np.uint64) + 1
    table["work"] = work_of(cells)[taken["recording"]]
    return table


def work_of(cells: Cells) -> npt.NDArray[np.int32]:
    """Works in the order in which the town numbers its recordings."""
    return cells.find(codes_of(recording_ids(len(cells.codes)), RECORDING_KEY))


def _run(
    seed: int, spec: TownSpec, cells: Cells, of_listeners: npt.NDArray[np.void], rings: list[tuple[str, int]]
) -> list[dict[str, object]]:
    n_days = max(n + i for i, (_, n) in enumerate(rings))
    until_us = spec.start_us + (SETTLED_DAYS + n_days) * DAY_US
    parts = [of_listeners[of_listeners["at_us"] < until_us]]
    copied = []
    members: list[npt.NDArray[np.uint64]] = []
    first = spec.listeners + 1
    for i, (text, _) in enumerate(rings):
        ring = parse_ring(f"{text}:from={SETTLED_DAYS + i}")
        alone = TownSpec(0, SETTLED_DAYS + n_days, seed, copiers=(ring,), recordings=spec.recordings)
        taken = fetches(alone)
        taken["account"] += first - 1
        copied.append(table_of(taken, cells))
        taken["account"] -= first - 1
        table = candidates(taken, days(alone), alone, cells)
        table["account"] += np.uint64(first - 1)
        parts.append(table)
        members.append(np.arange(first, first + ring.accounts, dtype=np.uint64))
        first += ring.accounts
    log, every = np.concatenate(parts), np.concatenate(copied)
    log = log[np.argsort(log["at_us"], kind="stable")]
    begun = time.process_time()
    kin = kinship.follow(Kin.empty(), log, cells, first - 1)
    clusters = kinship.rings_table(kin, cells, 100_000_000)
    cpu_s = time.process_time() - begun
    return [
        {"seed": seed, "ring": text, "recordings": spec.recordings, "listeners": spec.listeners}
        | _told(kin, every, who, spec.listeners, cells)
        | _clusters(clusters, who, spec.listeners)
        | {"fetches_compared": len(log), "cpu_s": round(cpu_s, 1)}
        for (text, _), who in zip(rings, members, strict=True)
    ]


def _told(
    kin: Kin, every: npt.NDArray[np.void], members: npt.NDArray[np.uint64], listeners: int, cells: Cells
) -> dict[str, object]:
    told: dict[str, object] = {}
    for name, holds, accounts in (("town", 2, listeners), ("world", 50, 100_000_000)):
        need = np.log2(accounts / holds) + PRICES["kinship"]
        when = kinship.crossed(kin, cells, members, need)
        honest = int(((kin.best["bits"] >= need) & (kin.best["account"] <= listeners)).sum())
        told |= {f"members_{name}": round(float((when > 0).mean()), 3), f"honest_{name}": honest}
        told |= {
            f"taken_{name}": _taken(every, members, when),
            f"by_day_{name}": _taken(every, members, _next_day(when)),
        }
    most = kin.best["bits"][kin.best["account"] <= listeners].max(initial=0)
    return told | {"most_bits_honest": round(float(most), 1)}


def _clusters(clusters: pa.Table, members: npt.NDArray[np.uint64], listeners: int) -> dict[str, object]:
    rows = [r for r in clusters.to_pylist() if np.isin(members, np.array(r["accounts"], np.uint64)).any()]
    return {
        "cluster_bits": max((round(r["bits"]) for r in rows), default=None),
        "cluster_of": max((len(r["accounts"]) for r in rows), default=0),
        "strangers": max((sum(a <= listeners for a in r["accounts"]) for r in rows), default=0),
    }


def _next_day(when: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.where(when > 0, (when // DAY_US + 1) * DAY_US, 0)


def _taken(log: npt.NDArray[np.void], members: npt.NDArray[np.uint64], when: npt.NDArray[np.int64]) -> float | None:
    """Count what the median of those who were stopped had fetched by then."""
    if not when.any():
        return None
    until = dict(zip(members.tolist(), when.tolist(), strict=True))
    mine = log[np.isin(log["account"], members)]
    fetched = dict.fromkeys(members.tolist(), 0)
    for account, at_us in zip(mine["account"].tolist(), mine["at_us"].tolist(), strict=True):
        fetched[account] += at_us <= until[account]
    return float(np.median([fetched[a] for a, us in until.items() if us]))


if __name__ == "__main__":
    main()
