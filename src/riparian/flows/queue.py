"""Whom should people look at first, and how many of those will turn out to be nobody?

A list, ranked: in the mean at most a given share of it is wrong (:mod:`riparian.bets.ebh`).  It is a promise about
the list and none about an account on it, so that nothing acts on it; what restrains an account is its own bits.
"""

from typing import Any, Final

import numpy as np

from riparian.accounts.join import ANSWER, e_bits, join
from riparian.bets.ebh import list_rates
from riparian.codes import label
from riparian.errors import InputError
from riparian.evidence import CLAIMS
from riparian.flows.found import Queued
from riparian.flows.lines import names_of
from riparian.flows.rings import ring_label, rings_by_account, rings_of
from riparian.ports import World

RATE: Final = 0.05
NOTE: Final = (
    "at most {rate:.0%} of such a list are wrong in the mean over lists; a promise about the list, none about an"
    " account on it: nothing acts on it"
)


def queue(world: World, *, rate: float = RATE) -> list[Queued]:
    """Rank the accounts of the last scan, the surest first.

    Parameters
    ----------
    rate
        Share of wrong entries that is tolerated in the mean, between 0 and 1.

    Raises
    ------
    InputError
        When the rate is no such share, or nothing was ever scanned.
    """
    if not 0 < rate < 1:
        raise InputError(f"the rate is {rate}, wanted a share between 0 and 1", hint="Write --rate 0.05, for one.")
    alone, answers = world.findings.table("alone"), world.findings.table("answers")
    if alone is None:
        raise InputError("the workspace has no scan, wanted one", hint="Run riparian scan LOGS first.")
    answers = answers if answers is not None else ANSWER.empty_table()
    worth = e_bits(alone, answers)
    rates = list_rates(worth)
    rows = np.flatnonzero(rates <= rate)
    rows = rows[np.argsort(-worth[rows], kind="stable")]
    joined = join(alone, answers).select(["account", "bits", "claim"]).take(rows).to_pylist()
    return [Queued(r["account"], r["bits"], float(at), r["claim"]) for r, at in zip(joined, rates[rows], strict=True)]


def queue_lines(world: World, listed: list[Queued]) -> list[dict[str, Any]]:
    """Tell the list to a program; kind ``queued``."""
    names = names_of(world, [one.account for one in listed])
    of = rings_by_account(rings_of(world))
    rings = [of.get(one.account) for one in listed]
    return [
        {
            "kind": "queued",
            "account": name,
            "pseudonym": label(one.account),
            "bits": round(one.bits, 3),
            "listed_at": one.listed_at,
            "claim": one.claim,
            "because": [CLAIMS[one.claim].sentence],
            "ring": None if ring is None else ring_label(ring),
        }
        for name, one, ring in zip(names, listed, rings, strict=True)
    ]
