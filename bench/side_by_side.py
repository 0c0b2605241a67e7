"""What does a copier get away with before it is stopped, by Riparian and by what one would use without it?

One town of 5,000 listeners (heavy ones included) for 60 days and the same copiers in it, several seeds, at the
level of counts; every detector looks at the same counts at the end of every day.

Detectors
---------
iforest, ecod
    PyOD's IsolationForest and ECOD on seventeen features of an account's day, its last seven days and all its
    days so far.  They are trained on the honest accounts alone.
plays_limit, novel_limit, week_limit
    So many plays a day; so many new recordings a day; so many new recordings in seven days.  The same limit
    counts rows of metadata with a number of its own.  What comes as an import is not counted.
riparian_evidence
    Held when the bits reach what 2 wrongful holds a year among 20,000 accounts want: 13.3.
riparian
    The same beside the enforced novelty budget and the budget of metadata rows; what the budgets refuse does not
    leak, but was asked for, and is evidence.
riparian_unseen
    The same where evidence sees only what the budgets let through, as it does in logs from which refused requests
    are left out.

The peers are treated as favourably as can be: their limits are the highest that any honest account of *this* town
ever reached, so they hit nobody by construction, and an operator could not know them; ``hit_elsewhere`` says how
many honest accounts the same limits hit in another town of the same kind.  Riparian's threshold is
derived from the policy and was not tuned on this town; that it hits nobody is a result.  ``riparian_same`` is
the evidence with its threshold set as the peers' are: like compared with like.  The columns that end in ``_is``
compare one of ours with the best of the peers in that row, whichever it is.

A copier is stopped on the first day on which a detector speaks; a limit stops it in the middle of that day.
``leaked`` is what was new to it by then (recordings, or rows of metadata), ``day`` the day of its life: medians
over all copiers of the row.  ``never`` is all of the period, and then all that it asked for leaked.

    python bench/side_by_side.py [--seeds 5] [--listeners 5000] [--days 60] [--copiers 4] [--out FILE]
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from guarantee_copiers import DISGUISES, PACES, ROW_PACES
from measure import PRICE, options, people, write
from pyod.models.ecod import ECOD
from pyod.models.iforest import IForest

from riparian.accounts import weigh
from riparian.accounts.people import PAIRS_MAX, People
from riparian.gate.budgets import Budgets, backfilling, charge_enforced, charge_rows
from riparian.gate.policy import Policy, Restraint, threshold_bits
from riparian.schema import DAY_US
from riparian.sim.copiers import PAGE_ROWS, CopierSpec, parse_ring
from riparian.sim.tallied import ended_days, enrolled
from riparian.sim.town import Days, TownSpec, days

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PEERS = ("iforest", "ecod", "plays_limit", "novel_limit", "week_limit")
OURS = ("riparian_same", "riparian_evidence", "riparian", "riparian_unseen")
STANDINGS = {
    "same_is": "riparian_same",
    "evidence_is": "riparian_evidence",
    "riparian_is": "riparian",
    "unseen_is": "riparian_unseen",
}
"""Columns that compare one of ours with the best peer of the row."""
WEEK = 7
ELSEWHERE = 1_000
"""What is added to the seed of a town to get another of its kind."""
CATALOGUE = 100_000_000
"""Recordings; so many that no copier is through before the period ends."""

Row = tuple[str, str]
ROWS: tuple[Row, ...] = (
    *((name, f"{pace}{order}") for name, order in DISGUISES for pace in PACES),
    *(("an API key reading metadata rows in order", f"{pace}:metadata") for pace in ROW_PACES),
)


@dataclass(frozen=True)
class Stopped:
    """What one detector did: for each account the day on which it stopped it, and what was new to it by then.

    Parameters
    ----------
    day
        Counted from 1; 0 where it never did [shape=(accounts,)].
    leaked
        New recordings and rows until then [shape=(accounts,)].
    hit
        Honest accounts stopped.
    hit_elsewhere
        Honest accounts that the same limits stop in another town of the same kind.
    cpu_s
        Of the detector's own work, on all account-days.
    slowed, slowed_ordinary
        Honest accounts of which a budget refused anything; how many of them are of the ordinary kind.
    """

    day: npt.NDArray[np.int64]
    leaked: npt.NDArray[np.int64]
    hit: int
    hit_elsewhere: int
    cpu_s: float
    slowed: int = 0
    slowed_ordinary: int = 0


def main() -> None:
    """Run every seed, then write what leaked, and what each detector cost."""
    given = options(__doc__, seeds=5, listeners=5_000, days=60, copiers=4)
    declared, runs = people(), []
    for seed in range(1, given.seeds + 1):
        spec = town_spec(ROWS, given.listeners, given.days, seed, copiers=given.copiers)
        runs.append(side_by_side(spec, declared))
        print(f"seed {seed}:", {name: (stop.hit, stop.slowed) for name, stop in runs[-1].items()}, flush=True)
    table = leak_rows(ROWS, runs, given.listeners, given.copiers)
    write(table, given.out, "side_by_side")
    beside = given.out.with_name(f"{given.out.stem}_detectors.csv") if given.out else None
    write(detector_rows(runs, table, given.listeners), beside, "side_by_side_detectors")


def town_spec(rows: Sequence[Row], listeners: int, n_days: int, seed: int, *, copiers: int) -> TownSpec:
    """Put the copiers of all rows into one town, so many accounts each."""
    rings: tuple[CopierSpec, ...] = tuple(parse_ring(f"{copiers}x{spec}") for _, spec in rows)
    return TownSpec(listeners, n_days, seed, copiers=rings, recordings=CATALOGUE)


def side_by_side(spec: TownSpec, declared: People) -> dict[str, Stopped]:
    """Let every detector look at one town; its limits are tried on the honest accounts of another town, too."""
    here = looked(days(spec), spec.days)
    there = looked(days(replace(spec, seed=spec.seed + ELSEWHERE, copiers=())), spec.days)
    threshold = threshold_bits(Policy(wrongful_holds_per_year=2), Restraint.HOLD, 20_000)
    return {
        "iforest": learned(IForest(n_estimators=200, max_samples=1024, random_state=spec.seed), here, there),
        "ecod": learned(ECOD(), here, there),
        "plays_limit": _limited(_plays, here, there),
        "novel_limit": _limited(_novel, here, there),
        "week_limit": _limited(_novel_in_a_week, here, there),
        **_riparian(here, there, declared, threshold),
    }


@dataclass(frozen=True)
class Looked:
    """A town as detectors see it, [shape=(accounts, days)] each: what was new by then, activity, and features."""

    town: Days
    n_days: int
    honest: Flags
    got: npt.NDArray[np.int64]
    active: Flags
    features: Floats
    features_s: float


def looked(town: Days, n_days: int) -> Looked:
    """See a town as detectors do."""
    features, active, spent = _features(town, n_days)
    return Looked(town, n_days, town.role == "listener", _got(town, n_days), active, features, spent)


@contextmanager
def _timed() -> Iterator[Callable[[], float]]:
    begun = time.process_time()
    yield lambda: time.process_time() - begun


def _got(town: Days, n_days: int) -> npt.NDArray[np.int64]:
    """Sum what was new to each account by the end of each day [shape=(accounts, days)]."""
    return np.cumsum(town.matrix("novel", n_days) + town.matrix("rows", n_days), axis=1, dtype=np.int64)


def _stopped(
    alarms: Flags, honest: Flags, got: npt.NDArray[np.int64], *, elsewhere: Flags, cpu_s: float = 0.0
) -> Stopped:
    """Stop each account at the end of the first day with an alarm [shape=(accounts, days)]."""
    ever = np.asarray(alarms.any(axis=1), np.bool_)
    day = np.where(ever, alarms.argmax(axis=1) + 1, 0)
    last = np.where(ever, day, got.shape[1])
    leaked = got[np.arange(len(got)), last - 1]
    return Stopped(day, leaked, int(ever[honest].sum()), int(elsewhere.any(axis=1).sum()), cpu_s)


# What an account's days look like to a detector that learns


def _features(town: Days, n_days: int) -> tuple[Floats, Flags, float]:
    """Features of every account on every day [shape=(accounts, days, features)], whether it was active, CPU seconds."""
    with _timed() as cpu_s:
        count = {
            name: town.matrix(name, n_days).astype(float) for name in ("plays", "novel", "rows", "pairs", "ascents")
        }
        active = (count["plays"] > 0) | (count["rows"] > 0)
        seen = np.cumsum(active, axis=1)
        age = np.where(seen > 0, np.arange(n_days) - active.argmax(axis=1)[:, None] + 1, 1)
        total = {name: np.cumsum(of_day, axis=1) for name, of_day in count.items()}
        week = {name: _window(so_far) for name, so_far in total.items()}
        squares = np.cumsum(count["plays"] ** 2, axis=1)
        mean = total["plays"] / age
        deviation = np.sqrt(np.maximum(squares / age - mean**2, 0)) / np.maximum(mean, 1e-9)
        columns = [
            *(np.log1p(of_day[name]) for of_day in (count, week, total) for name in ("plays", "novel", "rows")),
            *(_share(of_day["novel"], of_day["plays"]) for of_day in (count, week, total)),
            *(_share(of_day["ascents"], of_day["pairs"]) for of_day in (week, total)),
            np.log1p(mean),
            deviation,
            seen / age,
        ]
        made = np.stack(columns, axis=2)
    return made, active, cpu_s()


def _window(so_far: Floats) -> Floats:
    """Sum over the last seven days, from running sums."""
    before = np.zeros_like(so_far)
    before[:, WEEK:] = so_far[:, :-WEEK]
    return so_far - before


def _share(part: Floats, whole: Floats) -> Floats:
    return (part + 0.5) / (whole + 1.0)


def learned(model: IForest | ECOD, here: Looked, there: Looked) -> Stopped:
    """Fit a detector on the honest, and stop whoever is stranger than all of them."""
    with _timed() as cpu_s:
        lived = here.active & here.honest[:, None]
        model.fit(here.features[lived])
        limit = float(model.decision_scores_.max())
        copied = here.active & ~here.honest[:, None]
        alarms = np.zeros(here.active.shape, np.bool_)
        alarms[lived] = model.decision_scores_ > limit
        alarms[copied] = model.decision_function(here.features[copied]) > limit
        spent = cpu_s() + here.features_s
    elsewhere = np.zeros(there.active.shape, np.bool_)
    elsewhere[there.active] = model.decision_function(there.features[there.active]) > limit
    return _stopped(alarms, here.honest, here.got, elsewhere=elsewhere, cpu_s=spent)


# Limits: one on plays or new recordings, which come first, and one on rows of metadata.  Imports are let be.


def _plays(look: Looked) -> Floats:
    return np.stack([_counted(look, "plays") - _counted(look, "downloads"), _counted(look, "rows")])


def _novel(look: Looked) -> Floats:
    return np.stack([_counted(look, "novel") - _counted(look, "downloads"), _counted(look, "rows")])


def _novel_in_a_week(look: Looked) -> Floats:
    return np.stack([_window(np.cumsum(count, axis=1)) for count in _novel(look)])


def _counted(look: Looked, name: str) -> Floats:
    return look.town.matrix(name, look.n_days).astype(float)


def _limited(counted: Callable[[Looked], Floats], here: Looked, there: Looked) -> Stopped:
    """Stop who goes beyond the most that any honest account reached, in the middle of the day."""
    with _timed() as cpu_s:
        counts = counted(here)
        limits = counts[:, here.honest].max(axis=(1, 2), keepdims=True)
        over = counts - limits
        alarms, elsewhere = (np.asarray((c > limits).any(axis=0), np.bool_) for c in (counts, counted(there)))
        stop = _stopped(alarms, here.honest, here.got, elsewhere=elsewhere)
        caught = np.flatnonzero(stop.day > 0)
        at = stop.day[caught] - 1
        today = here.got[caught, at] - np.where(at > 0, here.got[caught, at - 1], 0)
        beyond = over[:, caught, at].max(axis=0)
        leaked = stop.leaked.copy()
        leaked[caught] -= np.minimum(beyond, today).astype(np.int64)
        spent = cpu_s()
    return replace(stop, leaked=leaked, cpu_s=spent)


# Riparian


def _riparian(here: Looked, there: Looked, declared: People, threshold: float) -> dict[str, Stopped]:
    town, honest = here.town, here.honest
    with _timed() as cpu_s:
        bits = account_bits(town, declared, here.n_days)
        spent = cpu_s()
    with _timed() as cpu_s:
        served, refused = enforced(town)
        spent_on_budgets = cpu_s()
    let_through = _got(served, here.n_days)
    seen, bits_there = account_bits(served, declared, here.n_days), account_bits(there.town, declared, there.n_days)
    same = bits[honest].max()
    held_there = bits_there >= threshold

    def with_budgets(stop: Stopped) -> Stopped:
        cost = spent + spent_on_budgets
        hit, ordinary = refused & honest, refused & (town.persona == "ordinary")
        return replace(stop, cpu_s=cost, slowed=int(hit.sum()), slowed_ordinary=int(ordinary.sum()))

    return {
        "riparian_same": _stopped(bits > same, honest, here.got, elsewhere=bits_there > same, cpu_s=spent),
        "riparian_evidence": _stopped(bits >= threshold, honest, here.got, elsewhere=held_there, cpu_s=spent),
        "riparian": with_budgets(_stopped(bits >= threshold, honest, let_through, elsewhere=held_there)),
        "riparian_unseen": with_budgets(_stopped(seen >= threshold, honest, let_through, elsewhere=held_there)),
    }


def account_bits(town: Days, declared: People, n_days: int) -> Floats:
    """Bits of every account by itself at the end of each day [shape=(accounts, days)]."""
    tally = enrolled(town, declared)
    rows = _in_order(town, ended_days(town))
    bits = np.full((town.accounts, n_days), -np.inf)
    bits[rows["slot"], rows["day"]] = weigh.weigh(tally, rows) - PRICE
    return bits


def _in_order(town: Days, rows: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Say how pages of metadata follow one another, which counts do not tell: as the accesses of a town would.

    A copier pages in the order of identifiers, an honest programme looks up whatever is popular; who searches
    has no pages.
    """
    pages = -(-rows["rows"] // PAGE_ROWS)
    copies, looks_up = town.role[rows["slot"]] == "copier", town.persona[rows["slot"]] == "widget"
    # The first page of all follows none.
    _, first = np.unique(rows["slot"], return_index=True)
    pages[first] = np.maximum(pages[first] - 1, 0)
    rows["row_pairs"] = np.where(copies | looks_up, np.minimum(pages, PAIRS_MAX), 0)
    half = np.random.default_rng(1).binomial(rows["row_pairs"], 0.5)
    rows["row_ascents"] = np.where(copies, rows["row_pairs"], half)
    return rows


def enforced(town: Days) -> tuple[Days, Flags]:
    """Take out of a town what its budgets refuse; also says of whom they refused anything [shape=(accounts,)].

    New recordings and pages of rows spread evenly over a day.  Refused recordings are not asked for again: others
    are, the next day.
    """
    policy = Policy()
    codes = np.arange(1, town.accounts + 1, dtype=np.uint64)
    budgets = Budgets.empty().joined(codes, town.created_day.astype(np.int64) * DAY_US, town.streams)
    which, at_us = _spread(town.novel, town.day)
    slot = town.account[which]
    novel = ~backfilling(budgets, slot, at_us, log_start_us=0)
    recording = np.arange(1, len(which) + 1, dtype=np.uint64)
    refused, _ = charge_enforced(budgets, slot, at_us, novel=novel, recording=recording, policy=policy)
    less = np.bincount(which[refused], minlength=len(town.novel)).astype(np.int32)
    which_page, page_at_us = _spread(-(-town.rows // PAGE_ROWS), town.day)
    first = np.diff(which_page, prepend=-1) != 0
    rows = np.where(first & (town.rows[which_page] % PAGE_ROWS > 0), town.rows[which_page] % PAGE_ROWS, PAGE_ROWS)
    rows_refused = charge_rows(budgets, town.account[which_page], page_at_us, rows=rows, policy=policy)
    less_rows = np.bincount(which_page, weights=rows * rows_refused, minlength=len(town.rows)).astype(np.int32)
    ratio = (town.novel - less) / np.maximum(town.novel, 1)
    served = replace(
        town,
        plays=town.plays - less,
        novel=town.novel - less,
        downloads=np.minimum(town.downloads, town.novel - less),
        rows=town.rows - less_rows,
        pairs=np.floor(town.pairs * ratio).astype(np.int32),
        ascents=np.floor(town.ascents * ratio).astype(np.int32),
    )
    kept = (served.plays > 0) | (served.rows > 0)
    by_account = ("account", "day", "plays", "novel", "downloads", "rows", "pairs", "ascents")
    served = replace(served, **{name: getattr(served, name)[kept] for name in by_account})
    return served, np.bincount(town.account, less + less_rows, town.accounts) > 0


def _spread(
    counts: npt.NDArray[np.int32], day: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Spread counts evenly over their days: the row of each, and its time."""
    which = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(which)) - np.repeat(np.cumsum(counts, dtype=np.int64) - counts, counts)
    return which, day[which].astype(np.int64) * DAY_US + within * (DAY_US // counts[which].astype(np.int64))


# Tables


def leak_rows(
    rows: Sequence[Row], runs: Sequence[dict[str, Stopped]], listeners: int, copiers: int
) -> list[dict[str, object]]:
    """Tell of each disguise and pace what leaked by the day on which each detector stopped it, and who is ahead."""
    table = []
    for number, (name, spec) in enumerate(rows):
        first = listeners + number * copiers
        row: dict[str, object] = {"disguise": name, "per_day": int(spec.split(":")[0])}
        leaked: dict[str, int] = {}
        for detector in (*PEERS, *OURS):
            each = [(run[detector].day, run[detector].leaked) for run in runs]
            day = np.concatenate([d[first : first + copiers] for d, _ in each])
            leaked[detector] = int(np.median(np.concatenate([k[first : first + copiers] for _, k in each])))
            middle = float(np.median(np.where(day > 0, day, 10**6)))
            row[f"{detector}_leaked"] = leaked[detector]
            row[f"{detector}_day"] = "never" if middle >= 10**5 else round(middle)
        row["best_peer"] = _least({d: leaked[d] for d in PEERS}, row)
        for column, ours in STANDINGS.items():
            row[column] = _standing(leaked[ours], min(leaked[d] for d in PEERS))
        table.append(row)
    return table


def _least(leaked: dict[str, int], row: dict[str, object]) -> str:
    best = min(leaked, key=lambda detector: leaked[detector])
    return "none" if row[f"{best}_day"] == "never" else best


def _standing(ours: int, theirs: int) -> str:
    return "ahead" if ours < theirs else "behind" if ours > theirs else "even"


def detector_rows(
    runs: Sequence[dict[str, Stopped]], table: Sequence[dict[str, object]], listeners: int
) -> list[dict[str, object]]:
    """Tell of each detector whom it hit, what it cost, and in how many rows it leaks less than the best peer."""
    compared = {ours: [row[column] for row in table] for column, ours in STANDINGS.items()}
    return [
        {
            "detector": name,
            "people": people().version if name in OURS else "",
            "seeds": len(runs),
            "honest_accounts": listeners * len(runs),
            "honest_hit": sum(run[name].hit for run in runs),
            "hit_elsewhere": sum(run[name].hit_elsewhere for run in runs),
            "beyond_budget": sum(run[name].slowed for run in runs),
            "ordinary_beyond_budget": sum(run[name].slowed_ordinary for run in runs),
            **{how: compared[name].count(how) if name in compared else "" for how in ("ahead", "even", "behind")},
            "cpu_s": round(float(np.mean([run[name].cpu_s for run in runs])), 2),
        }
        for name in (*PEERS, *OURS)
    ]


if __name__ == "__main__":
    main()
