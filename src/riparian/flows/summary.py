"""What does a scan say of itself: how much it read, what it wanted, what it could not see?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riparian import __version__
from riparian.accounts import weigh
from riparian.flows import across
from riparian.flows.bucket import TOTAL_COUNTS
from riparian.flows.found import REVIEW_MINUTES
from riparian.flows.joined import evidence_of_all
from riparian.flows.terms import Terms
from riparian.gate.budgets import HISTORY_DAYS
from riparian.gate.decide import reachable
from riparian.gate.policy import LADDER, Restraint, threshold_bits, tolerated
from riparian.ports import Scan, World
from riparian.schema import DAY_US

_ALWAYS: Final = (
    "the most played core leaving through many accounts at a person's pace: half of all plays is a small catalogue",
    "a ring that deals whole artists, or repeats a third of what it takes: its accounts are judged by what each does",
    "an account that replays, pauses and wanders as a person does; the novelty budget caps it, nothing here names it",
)
_WITHOUT: Final = {
    "media_ms": "sound taken faster than it plays: the log does not say how much sound a response held",
    "heartbeat": "sound that nobody plays: the log has no heartbeats of playback",
    "rows": "how many rows of metadata a response returned: each response counts as one",
    "action": "what was asked for: every access counts as a play",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a scan saw: the logs' columns, sound lines left out by reason, whether taste was learnt, late fetches."""

    columns: Sequence[str]
    dropped: Mapping[str, int]
    learnt: bool
    late: int


def summarise(world: World, made: Scan, decisions: pa.Table, terms: Terms, seen: Seen) -> dict[str, Any]:
    """Gather the figures of a scan that is about to be committed; all of it can be written as JSON."""
    columns, dropped = seen.columns, seen.dropped
    last = (world.scans.summaries() or [{}])[-1]
    totals = _totals(made.table("totals"))
    evidence = evidence_of_all(made.table)
    n_accounts = max(int(totals["accounts"]), terms.policy.accounts)
    honest_bits = evidence["bits"].to_numpy()[terms.known.find(evidence["account"].to_numpy()).honest]
    reasons = sorted({*dropped, *last.get("dropped", {})})
    names = sorted({*columns, *last.get("columns", ())})
    days = max(1, math.ceil((totals["log_end_us"] - totals["log_start_us"]) / DAY_US)) if totals["accesses"] else 0
    by_restraint = np.bincount(decisions["restraint"].to_numpy(), minlength=len(Restraint))
    # Whom people ended, nobody has to look at every day.
    restrained = int(by_restraint[list(LADDER)].sum())
    ladder = {r.name.lower(): _rung(terms, r, n_accounts, honest_bits) for r in LADDER}
    return {
        "version": __version__,
        "as_of_us": made.begun_us,
        "mode": str(terms.policy.mode),
        "certainty": str(terms.policy.certainty),
        "people": terms.people.version,
        **totals,
        "days": days,
        "rejected": world.staging.rejected(),
        "dropped": {why: last.get("dropped", {}).get(why, 0) + dropped.get(why, 0) for why in reasons},
        "columns": names,
        "recordings_ours": terms.popularity.size or None,
        "honest": len(honest_bits),
        "late_for_rings": seen.late,
        "rings": len(rings) if (rings := made.table("rings")) is not None else 0,
        "restraints": {r.name.lower(): int(by_restraint[r]) for r in LADDER},
        "exempt": sum(terms.known.exempt.at(account, made.begun_us) is not None for account in terms.known.exempt),
        "bets": n_accounts,
        "thresholds": {name: rung["bits"] for name, rung in ladder.items()},
        "tolerated_a_year": {name: rung["wrongful_a_year"] for name, rung in ladder.items()},
        "ladder": ladder,
        "abstained": _abstained(names, terms, learnt=seen.learnt),
        "cannot_see": _cannot_see(names, terms, days),
        "review_minutes_a_day": REVIEW_MINUTES * restrained / max(1, days),
    }


def _abstained(names: Sequence[str], terms: Terms, *, learnt: bool) -> dict[str, str]:
    popular = bool((terms.popularity.rank >= 0).any())
    alone = weigh.abstained(names, catalogue=popular, people=terms.people)
    return alone | across.abstained(names, terms, learnt=learnt)


def _totals(table: pa.Table | None) -> dict[str, int]:
    if table is None or not len(table):
        return dict.fromkeys((*TOTAL_COUNTS, "log_start_us", "log_end_us"), 0)
    sums = {name: int(pc.sum(table[name]).as_py()) for name in TOTAL_COUNTS}
    return sums | {
        "log_start_us": int(pc.min(table["first_us"]).as_py() or 0),
        "log_end_us": int(pc.max(table["last_us"]).as_py() or 0),
    }


def _rung(terms: Terms, restraint: Restraint, n_accounts: int, honest_bits: Any) -> dict[str, Any]:
    """Tell what a rung of the ladder wants, and its chance of a mistake: declared, and certified by head count."""
    wanted = threshold_bits(terms.policy, restraint, n_accounts)
    n, above = len(honest_bits), int((honest_bits >= wanted).sum())
    return {
        "bits": wanted,
        "wrongful_a_year": tolerated(terms.policy, restraint),
        "declared": 2.0**-wanted,
        "certified": chance_max(above, n) if n else None,
        "honest_above": above,
        "reachable": reachable(terms.policy, restraint, n_accounts=n_accounts, n_honest=n),
    }


def chance_max(above: int, n: int, *, alpha: float = 0.05) -> float:
    """Bound the chance of an event that ``above`` of ``n`` met, from above.

    Parameters
    ----------
    above, n
        How many met it, of how many.
    alpha
        Chance that the bound is too low.

    Returns
    -------
    float
        Clopper and Pearson's one-sided bound; near ``3 / n`` when none met it.

    Examples
    --------
    >>> round(chance_max(0, 3000) * 3000, 1)
    3.0
    >>> chance_max(5, 5)
    1.0
    """
    if above >= n:
        return 1.0
    low, high = above / n, 1.0
    for _ in range(60):
        p = (low + high) / 2
        logs = [
            math.lgamma(n + 1)
            - math.lgamma(k + 1)
            - math.lgamma(n - k + 1)
            + k * math.log(p)
            + (n - k) * math.log1p(-p)
            for k in range(above + 1)
        ]
        low, high = (p, high) if sum(map(math.exp, logs)) > alpha else (low, p)
    return high


def _cannot_see(columns: Sequence[str], terms: Terms, days: int) -> list[str]:
    sentences = list(_ALWAYS)
    sentences += [sentence for name, sentence in _WITHOUT.items() if name not in columns]
    if not terms.popularity.size:
        sentences.append(
            "the order in which new recordings are met, and what share of the catalogue left: no catalogue"
        )
    elif not (terms.popularity.rank >= 0).any():
        sentences.append("the order in which new recordings are met: the catalogue has no popularity")
    if not terms.known.parent.any():
        sentences.append("new accounts paid for by one hand: no accounts table names a payment or cohort")
    if days < HISTORY_DAYS:
        sentences.append(
            f"what accounts older than the log had before it: until it is {HISTORY_DAYS} days long they are not charged"
            " for what is new to them, and only accounts that the accounts table calls younger meet the novelty budget"
        )
    if days < 7:
        sentences.append(f"slow copiers: the log spans {days} day{'s' * (days != 1)}, and evidence grows by the day")
    return sentences
