"""Can somebody get a listener restrained by fetching around their playlist?

Ten accounts go down the chart as a ring, so that there is a core to be compared with.  Each day they also fetch around
the playlists of victims, the listeners who meet most that is new: of every artist that a victim has come to on the days
before, what the victim has not taken, so that the victim seems to keep clear of them.  In ``strangers``, listeners are
put into the ring's own core from the beginning, as a search that errs would do.  Nobody may reach the bits of a hold.

    python bench/guarantee_framing.py [--seeds 20] [--listeners 400] [--days 90] [--out FILE]
"""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from measure import options, write

from riparian.accounts import kinship
from riparian.accounts.join import PRICES
from riparian.accounts.kinship import CORE, FETCH, Kin, Order
from riparian.catalogue.cells import Cells
from riparian.codes import RECORDING_KEY, codes_of
from riparian.schema import DAY_US
from riparian.sim.fetches import fetches
from riparian.sim.holdings import recording_ids, recording_table, stock
from riparian.sim.town import TownSpec

RECORDINGS = 100_000
FRAMERS = 10
PER_DAY = 60
VICTIMS = 20
FIRST = 1_000_000
"""Accounts of the ring have numbers from here on."""


def main() -> None:
    """Run the seeds and write two rows a seed."""
    given = options(__doc__, seeds=20, listeners=300, days=90)
    rows: list[dict[str, object]] = []
    for seed in range(1, given.seeds + 1):
        rows.extend(framed(seed, given.listeners, given.days))
        write(rows, given.out, "framing")


def framed(seed: int, listeners: int, n_days: int) -> list[dict[str, object]]:
    """Frame the victims of one town, once around their playlists and once as members of a core."""
    spec = TownSpec(listeners, n_days, seed, recordings=RECORDINGS)
    cells = Cells.of(recording_table(stock(seed, RECORDINGS, days=n_days, weekday=spec.weekday), spec.start_us))
    people = _table(fetches(spec), cells)
    counted = np.bincount(people["account"].astype(np.int64))
    victims = np.argsort(-counted)[:VICTIMS].astype(np.uint64)
    need = float(np.log2(listeners / 2) + PRICES["kinship"])
    around = _around(people, victims, cells, spec, seed)
    log = np.concatenate([people, around])
    log = log[np.argsort(log["at_us"], kind="stable")]
    followed = kinship.follow(Kin.empty(), log, cells, listeners + FRAMERS)
    members = np.concatenate([FIRST + np.arange(FRAMERS), victims[:5]]).astype(np.uint64)
    core = np.array(
        [(1, Order.POPULARITY, spec.start_us, len(members)), (2, Order.NONE, spec.start_us, len(members))], CORE
    )
    clock = np.array([log["at_us"][-1], len(log), 2])
    erred = replace(Kin.empty(), cores=core, members=np.tile(members, 2), clock=clock)
    erred = kinship.follow(erred, log, cells, listeners + FRAMERS)
    return [_told(seed, kind, kin, victims, need) for kind, kin in (("around", followed), ("strangers", erred))]


def _told(seed: int, kind: str, kin: Kin, victims: npt.NDArray[np.uint64], need: float) -> dict[str, object]:
    best = kin.best
    framers, of_victims = best["account"] >= FIRST, np.isin(best["account"], victims)
    return {
        "seed": seed,
        "kind": kind,
        "victims": len(victims),
        "cores": len(kin.cores),
        "framers_held": int((framers & (best["bits"] >= need)).sum()),
        "victims_held": int((of_victims & (best["bits"] >= need)).sum()),
        "listeners_held": int((~framers & (best["bits"] >= need)).sum()),
        "most_bits_of_a_victim": round(float(best["bits"][of_victims].max(initial=0)), 1),
        "bits_of_a_hold": round(need, 1),
    }


def _table(taken: npt.NDArray[np.void], cells: Cells) -> npt.NDArray[np.void]:
    works = cells.find(codes_of(recording_ids(len(cells.codes)), RECORDING_KEY))
    table = np.zeros(len(taken), FETCH)
    table["at_us"], table["account"], table["work"] = taken["at_us"], taken["account"], works[taken["recording"]]
    return table


def _around(
    people: npt.NDArray[np.void], victims: npt.NDArray[np.uint64], cells: Cells, spec: TownSpec, seed: int
) -> npt.NDArray[np.void]:
    """Half of the ring's fetches go down the chart, half around the victims."""
    rng = np.random.default_rng(seed)
    of_artist: dict[int, list[int]] = defaultdict(list)
    for work, artist in enumerate(cells.artist.tolist()):
        of_artist[artist].append(work)
    theirs = people[np.isin(people["account"], victims)]
    day = (theirs["at_us"] - spec.start_us) // DAY_US
    had, artists, down = set[int](), set[int](), 300
    rows: list[tuple[int, int, int, float]] = []
    fetched: set[int] = set()
    for today in range(spec.days):
        open_works = [w for a in sorted(artists) for w in of_artist[a] if w not in had and w not in fetched]
        n = FRAMERS * PER_DAY
        chosen = rng.permutation(open_works)[: n // 2].astype(int).tolist() if open_works else []
        queue = [w for w in range(down, down + n) if w not in fetched][: n - len(chosen)]
        down = queue[-1] + 1
        fetched.update(chosen, queue)
        mixed = _mixed(queue, chosen)
        step = DAY_US / len(mixed)
        at = spec.start_us + today * DAY_US
        rows.extend((at + int(i * step), FIRST + i % FRAMERS, work, 0.0) for i, work in enumerate(mixed))
        works = theirs["work"][day == today].tolist()
        had.update(works)
        artists.update(cells.artist[works].tolist())
    return np.array(rows, FETCH)


def _mixed(queue: list[int], chosen: list[int]) -> list[int]:
    """Take from both in turn while both last."""
    both = [work for pair in zip(queue, chosen, strict=False) for work in pair]
    return both + queue[len(chosen) :] + chosen[len(queue) :]


if __name__ == "__main__":
    main()
