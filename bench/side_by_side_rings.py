"""What does a ring get away with before its accounts are stopped, by Riparian and by what one would use without it?

One town of 5,000 listeners (heavy ones included) for 40 days and 120,000 recordings.  After a fortnight a ring begins.
Rings do not meet: each is put into the same town alone, so that two of them that walk down the same chart tell nothing
about each other.

Detectors
---------
iforest, ecod
    PyOD's IsolationForest and ECOD on the features of :mod:`side_by_side`, an account at a time.
fraudar, synchrotrap, overlap
    Dense blocks, same actions and naive overlap (:mod:`ring_peers`), on everybody's new fetches so far.
alone, kinship
    Riparian's bits of an account by itself, and those of keeping pace with a ring or clear of it.  Each pays its
    share of the joined budget, so that its threshold is 13.3 bits (2 wrongful holds a year among 20,000 accounts)
    and its price.
riparian
    Whichever of the two comes first, which is how a scan joins them.

The peers are treated as favourably as can be.  Their limits are what hits no honest account of *this* town, with this
ring in it: learnt ones as in :mod:`side_by_side`; the density, similarity or bits of the others at the most that
anything honest had on the *same day*, which no operator could know.  ``hit_elsewhere`` says how many honest accounts
those limits hit in another town of the same kind.  At face value naive overlap accuses: ``pairs_accused`` counts honest
pairs with 13.3 bits after all pairs are paid for, ``accounts_accused`` who is in one of them.  Riparian's thresholds
are derived, and were not tuned on the town.

An account is stopped at the end of the first day on which a detector speaks; peers that compare accounts look on the
days of ``LOOKS``.  ``leaked`` is what was new to the account by then, or in all its days when it never was: the median
over all accounts of the ring and all seeds; ``day`` counts from the ring's first, ``contained`` is the share of
accounts stopped.  No budget is enforced: what a ring leaks under one is less.

    python bench/side_by_side_rings.py [--seeds 3] [--listeners 5000] [--recordings 120000] [--days 40] [--out FILE]
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from guarantee_rings import candidates
from measure import options, people, write
from pyod.models.ecod import ECOD
from pyod.models.iforest import IForest
from ring_peers import dense_blocks, meet_ever, meet_within_a_day, overlap_bits, similarity
from side_by_side import account_bits, learned, looked

from riparian.accounts import kinship
from riparian.accounts.join import ALONE, PRICES
from riparian.accounts.kinship import Kin
from riparian.accounts.people import People
from riparian.catalogue.cells import Cells
from riparian.gate.policy import Policy, Restraint, threshold_bits
from riparian.schema import DAY_US
from riparian.sim.copiers import parse_ring
from riparian.sim.fetches import fetches
from riparian.sim.holdings import recording_table, stock
from riparian.sim.town import Days, TownSpec, days

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

SETTLED_DAYS = 14
"""Days that the town lives before a ring begins."""
ELSEWHERE = 1_000
"""What is added to the seed of a town to get another of its kind."""
HOLD_BITS = threshold_bits(Policy(wrongful_holds_per_year=2), Restraint.HOLD, 20_000)
PEERS = ("iforest", "ecod", "fraudar", "synchrotrap", "overlap")
OURS = ("alone", "kinship", "riparian")
PAIRED = ("synchrotrap", "overlap")
LOOKS = (1, 2, 3, 5, 7, 10, 14, 20, 26)
"""Days of a ring's life at whose end accounts are compared."""
RINGS = (
    ("one queue, the most played first", "50x40:queue"),
    ("one queue, shuffled", "50x40:random"),
    ("one queue, a fifth duplicates", "50x40:queue:dup=0.2"),
    ("one queue, ten accounts", "10x40:queue"),
    ("one queue, five a day", "200x5:queue"),
    ("artist by artist", "50x40:artists"),
    ("one queue, three in ten replays", "50x40:queue:mimic=0.3"),
)


@dataclass(frozen=True)
class Town:
    """Who took what anew in a town, and when.

    Parameters
    ----------
    spec
        Listeners first, then each ring in turn.
    counts
        What everybody did each day.
    account, recording, day
        New fetches in the order of time [each shape=(fetches,)].
    compared
        The same as kinship takes them, of candidates alone (``kinship.FETCH``).
    ring
        Which ring each account belongs to; -1 for listeners [shape=(accounts,)].
    got
        What was new to each by the end of each day [shape=(accounts, days)].
    """

    spec: TownSpec
    counts: Days
    cells: Cells
    account: Ints
    recording: Ints
    day: Ints
    compared: npt.NDArray[np.void]
    ring: Ints
    got: Ints

    @property
    def honest(self) -> Flags:
        """Mark listeners."""
        return self.ring < 0


@dataclass
class Stopped:
    """What one detector did.

    Parameters
    ----------
    day
        On whose end it stopped each account, counted from 1 at the ring's first day; 0 where it never did.
    hit, hit_elsewhere
        Honest accounts stopped, here and in another town of the same kind.
    cpu_s
        Of the detector's own work.
    pairs_accused, accounts_accused
        Honest ones at face value, where a detector has a threshold of its own.
    """

    day: Ints
    hit: int = 0
    hit_elsewhere: int = 0
    cpu_s: float = 0.0
    pairs_accused: int = 0
    accounts_accused: int = 0


def main() -> None:
    """Run every seed, and write the tables anew after each."""
    given = options(__doc__, seeds=3, listeners=5_000, recordings=120_000, days=40, quick=0)
    rings = RINGS[:1] if given.quick else RINGS
    declared, runs = people(), []
    for seed in range(1, given.seeds + 1):
        spec = town_spec(rings, TownSpec(given.listeners, given.days, seed, recordings=given.recordings))
        runs.append(side_by_side(spec, declared))
        write(ring_rows(rings, runs), given.out, "side_by_side_rings")
        beside = given.out.with_name(f"{given.out.stem}_detectors.csv") if given.out else None
        write(detector_rows(runs), beside, "side_by_side_rings_detectors")


def town_spec(rings: Sequence[tuple[str, str]], spec: TownSpec) -> TownSpec:
    """Let rings begin in a town that has lived for a fortnight."""
    return replace(spec, copiers=tuple(parse_ring(f"{ring}:from={SETTLED_DAYS}") for _, ring in rings))


def side_by_side(spec: TownSpec, declared: People) -> tuple[Town, dict[str, Stopped]]:
    """Let every detector look at one town; its limits are tried on the honest accounts of another town, too."""
    here, there = lived(spec), lived(replace(spec, seed=spec.seed + ELSEWHERE, copiers=()))
    return here, _pyod(here, there) | {"fraudar": _fraudar(here, there)} | _pairs(here, there) | _ours(
        here, there, declared
    )


def lived(spec: TownSpec) -> Town:
    """Draw a town and what everybody took anew."""
    counts, taken = days(spec), fetches(spec)
    shelf = stock(spec.seed, spec.recordings, days=spec.days, weekday=spec.weekday)
    cells = Cells.of(recording_table(shelf, spec.start_us))
    sizes = [ring.accounts for ring in spec.copiers]
    ring = np.concatenate((np.full(spec.listeners, -1), np.repeat(np.arange(len(sizes)), sizes))).astype(np.int64)
    return Town(
        spec,
        counts,
        cells,
        taken["account"].astype(np.int64),
        taken["recording"].astype(np.int64),
        (taken["at_us"] - spec.start_us) // DAY_US,
        candidates(taken, counts, spec, cells),
        ring,
        np.cumsum(counts.matrix("novel", spec.days), axis=1, dtype=np.int64),
    )


def _looks(town: Town) -> list[int]:
    """Days of a ring's life on which accounts are compared, as far as the town goes."""
    return [look for look in LOOKS if SETTLED_DAYS + look <= town.spec.days]


def _first(flagged: Flags, looks: Sequence[int]) -> Ints:
    """Say on which day each was flagged first, 0 where never; ``flagged`` has shape (looks, accounts)."""
    return np.where(flagged.any(axis=0), np.array(looks)[flagged.argmax(axis=0)], 0)


# One account at a time


def _pyod(here: Town, there: Town) -> dict[str, Stopped]:
    seen, elsewhere = looked(here.counts, here.spec.days), looked(there.counts, there.spec.days)
    told = {}
    models = {"iforest": IForest(n_estimators=200, max_samples=1024, random_state=here.spec.seed), "ecod": ECOD()}
    for name, model in models.items():
        stop = learned(model, seen, elsewhere)
        day = np.where(stop.day > 0, np.maximum(stop.day - SETTLED_DAYS, 1), 0)
        told[name] = Stopped(day, stop.hit, stop.hit_elsewhere, stop.cpu_s)
    return told


# Dense blocks


def _fraudar(here: Town, there: Town) -> Stopped:
    begun, looks = time.process_time(), _looks(here)
    flagged, hit = np.zeros((len(looks), len(here.ring)), np.bool_), np.zeros(there.spec.listeners, np.bool_)
    for at, look in enumerate(looks):
        limit = max(density for density, _ in _blocks(here, look, here.honest))
        for ring in range(len(here.spec.copiers)):
            for density, who in _blocks(here, look, here.honest | (here.ring == ring)):
                # A block that holds anybody honest raises the limit that hits nobody.
                if density > limit and not here.honest[who].any():
                    flagged[at, who] = True
        for density, who in _blocks(there, look, there.honest):
            hit[who] |= density > limit
    return Stopped(_first(flagged, looks), hit_elsewhere=int(hit.sum()), cpu_s=time.process_time() - begun)


def _blocks(town: Town, look: int, among: Flags) -> list[tuple[float, Ints]]:
    rows = (town.day < SETTLED_DAYS + look) & among[town.account]
    return dense_blocks(town.account[rows], town.recording[rows])


# Pairs of accounts


@dataclass(frozen=True)
class _Met:
    """Pairs of accounts at the end of a day: similarity of actions, and bits of naive overlap."""

    look: int
    synchrotrap: npt.NDArray[np.float32]
    overlap: npt.NDArray[np.float32]


def _pairs(here: Town, there: Town) -> dict[str, Stopped]:
    looks, n = _looks(here), len(here.ring)
    spent = dict.fromkeys(PAIRED, 0.0)
    flagged = {name: np.zeros((len(looks), n), np.bool_) for name in PAIRED}
    limits: dict[str, list[float]] = {name: [] for name in PAIRED}
    accused: list[Flags] = []
    pairs_accused = 0
    for at, met in enumerate(_met(here, looks, spent)):
        for name in PAIRED:
            alike = getattr(met, name)
            limits[name].append(float(alike[np.ix_(here.honest, here.honest)].max()))
            for ring in range(len(here.spec.copiers)):
                of_ring = here.ring == ring
                # A limit that hits nobody honest also lets pass what is like a member of the ring.
                limit = max(limits[name][-1], float(alike[np.ix_(of_ring, here.honest)].max()))
                flagged[name][at, of_ring] = (alike[np.ix_(of_ring, of_ring)] > limit).any(axis=1)
        honest = met.overlap[np.ix_(here.honest, here.honest)]
        guilty = honest >= HOLD_BITS + np.log2(len(honest) * (len(honest) - 1) / 2)
        pairs_accused = int(guilty.sum()) // 2
        accused.append(guilty.any(axis=1))
    told = {name: Stopped(_first(flagged[name], looks), cpu_s=spent[name]) for name in PAIRED}
    told["overlap"].pairs_accused, told["overlap"].accounts_accused = pairs_accused, int(accused[-1].sum())
    hit = {name: np.zeros(there.spec.listeners, np.bool_) for name in PAIRED}
    for at, met in enumerate(_met(there, looks, dict.fromkeys(PAIRED, 0.0))):
        for name in PAIRED:
            hit[name] |= (getattr(met, name) > limits[name][at]).any(axis=1)
    for name in PAIRED:
        told[name].hit_elsewhere = int(hit[name].sum())
    return told


def _met(town: Town, looks: Sequence[int], spent: dict[str, float]) -> Any:
    """Yield the pairs at the end of each look; adds up the CPU seconds of each peer."""
    n = len(town.ring)
    within, ever = np.zeros((n, n), np.int32), np.zeros((n, n), np.int32)
    chains = (np.full(town.spec.recordings, -1), np.empty(len(town.day), np.int64), np.empty(len(town.day), np.int64))
    edges = np.searchsorted(town.day, np.arange(town.spec.days + 1))
    share = np.bincount(town.recording[town.honest[town.account]], minlength=town.spec.recordings).astype(float)
    share /= share.sum()
    for day in range(SETTLED_DAYS + looks[-1]):
        of_day = slice(edges[day], edges[day + 1])
        account, recording = town.account[of_day], town.recording[of_day]
        order = np.argsort(recording, kind="stable")
        begun = time.process_time()
        meet_within_a_day(account[order], recording[order], within)
        between = time.process_time()
        meet_ever(account, recording, chains, edges[day], ever)
        spent["synchrotrap"] += between - begun
        spent["overlap"] += time.process_time() - between
        if day + 1 - SETTLED_DAYS in looks:
            taken, begun = town.got[:, day], time.process_time()
            alike = similarity(within, taken)
            between = time.process_time()
            bits = overlap_bits(ever, taken, share)
            spent["synchrotrap"] += between - begun
            spent["overlap"] += time.process_time() - between
            yield _Met(day + 1 - SETTLED_DAYS, alike, bits)


# Riparian


def _ours(here: Town, there: Town, declared: People) -> dict[str, Stopped]:
    begun = time.process_time()
    alone = _alone(here, declared)
    between = time.process_time()
    related, hit = _kinship(here)
    spent = time.process_time() - between
    either = np.where((alone > 0) & (related > 0), np.minimum(alone, related), np.maximum(alone, related))
    alone_there = _alone(there, declared) > 0
    related_there = _honest_of_kin(there)
    hit |= (alone > 0) & here.honest
    return {
        "alone": Stopped(alone, int((alone[here.honest] > 0).sum()), int(alone_there.sum()), between - begun),
        "kinship": Stopped(related, int((related[here.honest] > 0).sum()), int(related_there.sum()), spent),
        "riparian": Stopped(either, int(hit.sum()), int((alone_there | related_there).sum()), spent + between - begun),
    }


def _alone(town: Town, declared: People) -> Ints:
    """Day of the ring's life on which each account has the bits by itself; 0 where never [shape=(accounts,)]."""
    held = account_bits(town.counts, declared, town.spec.days) >= HOLD_BITS + PRICES[ALONE]
    return np.where(held.any(axis=1), np.maximum(held.argmax(axis=1) + 1 - SETTLED_DAYS, 1), 0)


def _kinship(town: Town) -> tuple[Ints, Flags]:
    """Follow each ring in the town alone: on which day each account has the bits, and who honest has them."""
    day, hit = np.zeros(len(town.ring), np.int64), np.zeros(len(town.ring), np.bool_)
    for ring in range(len(town.spec.copiers)):
        among = town.honest | (town.ring == ring)
        when = _crossed(town, among)
        since = np.where(when > 0, np.maximum((when - town.spec.start_us) // DAY_US + 1 - SETTLED_DAYS, 1), 0)
        day[town.ring == ring] = since[town.ring == ring]
        hit |= (when > 0) & town.honest
    day[hit] = 1
    return day, hit


def _crossed(town: Town, among: Flags) -> Ints:
    """When each account had the bits of a hold by kinship; 0 where never [shape=(accounts,)]."""
    taken = town.compared[among[town.compared["account"].astype(np.int64) - 1]]
    kin = kinship.follow(Kin.empty(), taken, town.cells, int(among.sum()))
    codes = np.arange(1, len(town.ring) + 1, dtype=np.uint64)
    return kinship.crossed(kin, town.cells, codes, HOLD_BITS + PRICES["kinship"])


def _honest_of_kin(town: Town) -> Flags:
    return np.asarray(_crossed(town, town.honest) > 0, np.bool_)


# Tables


def ring_rows(
    rings: Sequence[tuple[str, str]], runs: Sequence[tuple[Town, dict[str, Stopped]]]
) -> list[dict[str, object]]:
    """Tell of each ring what leaked by the day on which each detector stopped its accounts, and who is ahead."""
    table = []
    for number, (name, spec) in enumerate(rings):
        row: dict[str, object] = {"ring": name, "spec": spec, "seeds": len(runs)}
        leaked: dict[str, int] = {}
        for detector in (*PEERS, *OURS):
            day = np.concatenate([told[detector].day[town.ring == number] for town, told in runs])
            got = np.concatenate([town.got[town.ring == number] for town, _ in runs])
            until = np.where(day > 0, SETTLED_DAYS + day, got.shape[1])
            leaked[detector] = int(np.median(got[np.arange(len(got)), until - 1]))
            middle = float(np.median(np.where(day > 0, day, 10**6)))
            row[f"{detector}_leaked"] = leaked[detector]
            row[f"{detector}_day"] = "never" if middle >= 10**5 else round(middle)
            row[f"{detector}_contained"] = round(float((day > 0).mean()), 3)
        least = min(leaked[peer] for peer in PEERS)
        ours = leaked["riparian"]
        standing = "ahead" if ours < least else "behind" if ours > least else "even"
        # Peers hit nobody honest by construction: whoever does is not compared with them as an equal.
        hits = any(told["riparian"].hit for _, told in runs)
        row["riparian_is"] = f"{standing}, hitting honest people" if hits else standing
        table.append(row)
    return table


def detector_rows(runs: Sequence[tuple[Town, dict[str, Stopped]]]) -> list[dict[str, object]]:
    """Tell of each detector whom it hit, here and elsewhere, and what it cost."""
    listeners = sum(town.spec.listeners for town, _ in runs)
    return [
        {
            "detector": name,
            "people": people().version if name in OURS else "",
            "seeds": len(runs),
            "honest_accounts": listeners,
            "honest_hit": sum(told[name].hit for _, told in runs),
            "hit_elsewhere": sum(told[name].hit_elsewhere for _, told in runs),
            "pairs_accused": sum(told[name].pairs_accused for _, told in runs) if name == "overlap" else "",
            "accounts_accused": sum(told[name].accounts_accused for _, told in runs) if name == "overlap" else "",
            "cpu_s": round(float(np.mean([told[name].cpu_s for _, told in runs])), 1),
        }
        for name in (*PEERS, *OURS)
    ]


if __name__ == "__main__":
    main()
