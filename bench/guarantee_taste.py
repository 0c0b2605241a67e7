"""Do the artists of people belong together, and those of rings not, and is the promise of the ranks kept?

Towns of 5,000 listeners for 60 days, several seeds, at the level of new fetches.  The embedding is learnt from the
first 20 days; rings of 20 accounts, 100 recordings a day, begin on the day after.  Everybody is followed from the first
recording on.  Half of the listeners are believed honest; the promise is counted on the other half.

The first table tells, by kind of account and size: the 1 %, 50 % and 95 % points of coherence, the shares of accounts
beyond the 1 % and 99 % points of listeners and beyond every listener, and the bits that half of the accounts have, as
rank and as declared.  The second counts, for each stated rate, how many of the honest that nobody vouched for were
ranked so far out.  The third counts how many honest accounts ever reached each rung of the ladders.

    python bench/guarantee_taste.py [--seeds 5] [--listeners 5000] [--days 60] [--out FILE]
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from measure import allowance, options, people, write

from riparian.accounts import taste
from riparian.accounts.coherence import SIZES, TAILS, learn
from riparian.accounts.ladders import Ladders
from riparian.accounts.taste import Taste
from riparian.schema import DAY_US
from riparian.sim.copiers import parse_ring
from riparian.sim.fetches import each_day_fetched
from riparian.sim.holdings import stock
from riparian.sim.town import Days, TownSpec, days

LEARN_DAYS = 20
RINGS = ("artists", "random", "queue", "dup=0.3", "human=0.3", "human=0.6", "taste", "taste:human=0.6")
RATES = (0.1, 0.03, 0.01, 0.003, 0.001)
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Run:
    """One town: who its accounts are, which of them are vouched for, and what was seen of their taste."""

    town: Days
    codes: Codes
    vouched: npt.NDArray[np.bool_]
    taste: Taste

    @property
    def who(self) -> npt.NDArray[np.int64]:
        """Index of the account of each look."""
        order = np.argsort(self.codes)
        return np.asarray(order[np.searchsorted(self.codes[order], self.taste.judged["account"])])


def run(seed: int, listeners: int, n_days: int) -> Run:
    """Follow a whole town."""
    rings = tuple(parse_ring(f"20x100:{ring}:from={LEARN_DAYS}") for ring in RINGS)
    spec = TownSpec(listeners=listeners, days=n_days, seed=seed, copiers=rings)
    town = days(spec)
    shelf = stock(seed, spec.recordings, days=n_days, weekday=spec.weekday)
    rng = np.random.default_rng(seed)
    codes = rng.integers(1, 1 << 63, town.accounts, dtype=np.uint64)
    vouched = (rng.random(town.accounts) < 0.5) & (town.role == "listener")
    each = list(each_day_fetched(spec, town))
    artists = [shelf.tracks["artist"][day["recording"]].astype(np.uint64) + np.uint64(1) for day in each]
    accounts = [codes[day["account"]] for day in each]
    learnt = learn(
        np.concatenate(accounts[:LEARN_DAYS]),
        np.concatenate(artists[:LEARN_DAYS]),
        as_of_us=spec.start_us + LEARN_DAYS * DAY_US,
    )
    seen = Taste.empty()
    for i in range(0, n_days, 10):
        part = slice(i, i + 10)
        at_us = np.concatenate([day["at_us"] for day in each[part]])
        seen = taste.follow(seen, learnt, np.concatenate(accounts[part]), np.concatenate(artists[part]), at_us)
    return Run(town, codes, vouched, seen)


def main() -> None:
    """Run every seed and write three tables."""
    given = options(__doc__, seeds=5, listeners=5_000, days=60)
    runs = [run(seed, given.listeners, given.days) for seed in range(1, given.seeds + 1)]
    for name, table in (("taste", kinds), ("taste_rates", rates), ("taste_ladders", ladders)):
        out = given.out.with_name(f"{name}.csv") if given.out else None
        write(table(runs), out, name)


def kinds(runs: list[Run]) -> Iterator[dict[str, object]]:
    """Tell how coherent each kind of account is; points and shares are means over towns."""
    told = people().ladders["taste"]
    names = ["listeners", *sorted(set(np.concatenate([r.town.persona[r.town.role == "listener"] for r in runs])))]
    for name in (*names, *RINGS):
        for size in SIZES:
            found = [row for r in runs if (row := _kind(r, name, size, told)) is not None]
            if not found:
                continue
            line: dict[str, object] = {"who": name, "recordings": size}
            for column in found[0]:
                values = [row[column] for row in found]
                line[column] = int(sum(values)) if column == "accounts" else round(float(np.mean(values)), 3)
            yield line


def _kind(r: Run, name: str, size: int, told: Ladders) -> dict[str, float] | None:
    judged, who = r.taste.judged, r.who
    here = (judged["size"] == size) & ~np.isnan(judged["coherence"])
    honest = here & (r.town.role[who] == "listener")
    if name in RINGS:
        mine = here & (r.town.ring[who] == f"ring-{RINGS.index(name) + 1}")
    else:
        mine = honest & ((r.town.persona[who] == name) | (name == "listeners"))
    if not mine.any():
        return None
    c, all_ = judged["coherence"][mine], judged["coherence"][honest]
    ranks = taste.ranks_of(judged, r.codes[r.vouched])
    ranked, declared = (
        taste.bits_of(judged, _using(ranks, used=used), told).max(axis=1)[mine] for used in (True, False)
    )
    low, high = np.quantile(all_, [0.01, 0.99])
    return {
        "accounts": len(c),
        "q01": float(np.quantile(c, 0.01)),
        "median": float(np.median(c)),
        "q95": float(np.quantile(c, 0.95)),
        "below_1pc": float((c < low).mean()),
        "below_all": float((c < all_.min()).mean()),
        "above_99pc": float((c > high).mean()),
        "above_all": float((c > all_.max()).mean()),
        "bits_ranked": float(np.median(ranked)),
        "bits_declared": float(np.median(declared)),
    }


def _using(ranks: npt.NDArray[np.void], *, used: bool) -> npt.NDArray[np.void]:
    ranks = ranks.copy()
    ranks["used"] = used
    return ranks


def rates(runs: list[Run]) -> Iterator[dict[str, object]]:
    """Count, among honest accounts that nobody vouched for, who is ranked as far out as a stated rate says."""
    places = [_unvouched(r) for r in runs]
    for size in SIZES:
        for tail, name in enumerate(TAILS):
            p = np.concatenate([chance[sizes == size, tail] for chance, sizes in places])
            for rate in RATES:
                seen = int((p <= rate).sum())
                # The rank among n others is itself an estimate: the rule is exact on average over towns.
                yield {
                    "recordings": size,
                    "side": name,
                    "stated": rate,
                    "accounts": len(p),
                    "seen": seen,
                    "allowed": allowance(rate * len(p)),
                    "rate": round(seen / max(len(p), 1), 5),
                }


def _unvouched(r: Run) -> tuple[Floats, npt.NDArray[np.int32]]:
    judged, who = r.taste.judged, r.who
    ranks = taste.ranks_of(judged, r.codes[r.vouched])
    honest = (r.town.role[who] == "listener") & ~r.vouched[who]
    chance = (1 + ranks["extreme"]) / (1 + ranks["honest"][:, None])
    return chance[honest], judged["size"][honest]


def ladders(runs: list[Run]) -> Iterator[dict[str, object]]:
    """Count the honest accounts that ever reach each rung."""
    n = sum(int((r.town.role == "listener").sum()) for r in runs)
    for tail, (name, ladder) in enumerate(people().ladders["taste"].items()):
        for level, share in zip(ladder.levels, ladder.shares, strict=True):
            seen = 0
            for r in runs:
                far = (r.taste.judged["level"][:, tail] >= level) & (r.town.role[r.who] == "listener")
                seen += len(np.unique(r.who[far]))
            yield {
                "ladder": name,
                "level": int(level),
                "declared": f"{share:g}",
                "accounts": n,
                "seen": seen,
                "allowed": allowance(float(share) * n),
                "share": f"{seen / n:.2g}",
            }


if __name__ == "__main__":
    main()
