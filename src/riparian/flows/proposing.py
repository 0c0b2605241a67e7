"""What would another policy have decided about everybody, on what was scanned already?

Both policies decide anew, side by side, as of the last scan: on the evidence that it kept, with the same exemptions and
with the same refusals by budgets.  What people decided stays as they decided it.  A restraint that the gate began is
asked for again, since one that runs says what an earlier policy wanted.

What budgets would have refused under other allowances is not in the evidence: only a scan of the logs tells that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.codes import label
from riparian.errors import InputError
from riparian.flows.joined import evidence_of_all
from riparian.flows.lines import names_of
from riparian.flows.terms import Terms
from riparian.gate.decide import Decision, certify, decide_table, from_table, reachable, to_table
from riparian.gate.policy import LADDER, Policy, Restraint, threshold_bits, tolerated
from riparian.ports import World

REPLAYED: Final = frozenset(
    {
        "mode",
        "wrongful_holds_per_year",
        "wrongful_step_ups_per_year",
        "wrongful_slows_per_year",
        "accounts",
        "restarts_per_year",
        "certainty",
        "longest_hold_days",
        "longest_slow_days",
    }
)
"""What the evidence that is kept can answer for; the rest wants the logs."""

_ALLOWED: Final = int(Restraint.ALLOW)


@dataclass(frozen=True, slots=True)
class Turned:
    """An account about which the two decide differently; ``before`` or ``after`` is None where it is allowed."""

    account: int
    before: Decision | None
    after: Decision | None

    @property
    def place(self) -> tuple[int, float, int]:
        """Where it stands in the list: what is hardest first."""
        both = [one for one in (self.before, self.after) if one is not None]
        return -max(int(one.restraint) for one in both), -max(one.bits for one in both), self.account


@dataclass(frozen=True, slots=True)
class Compared:
    """What two policies decide on the same evidence.

    Parameters
    ----------
    as_of_us
        When both decide; UTC.
    accounts
        Seen by the scan.
    honest
        Of them believed honest.
    rungs
        For each rung of the ladder, the highest first: what each wants, and how many it restrains.
    turned
        The accounts that change, what is hardest first.
    """

    as_of_us: int
    accounts: int
    honest: int
    rungs: tuple[Mapping[str, Any], ...]
    turned: tuple[Turned, ...]


def settings_changed(now: Policy, then: Policy) -> list[dict[str, Any]]:
    """List the settings that differ, and whether the evidence that is kept can answer for each."""
    return [
        {
            "name": one.name,
            "now": getattr(now, one.name),
            "proposed": getattr(then, one.name),
            "doc": one.metadata["doc"],
            "is_replayed": one.name in REPLAYED,
        }
        for one in fields(Policy)
        if getattr(now, one.name) != getattr(then, one.name)
    ]


def compared(world: World, terms: Terms, proposed: Policy) -> Compared:
    """Let the policy at hand and a proposed one decide on what the last scan kept.

    Raises
    ------
    InputError
        When nothing was ever scanned.
    """
    summaries = world.scans.summaries()
    if not summaries:
        raise InputError("the workspace has no scan, wanted one", hint="Run riparian scan LOGS first.")
    as_of_us = int(summaries[-1]["as_of_us"])
    evidence = evidence_of_all(world.findings.table)
    believed = terms.known.find(evidence["account"].to_numpy()).honest
    standing = _standing(world.decisions.table(), as_of_us)
    refusals = world.findings.table("refusals")

    def decided(policy: Policy) -> dict[int, Decision]:
        bits = evidence["bits"].to_numpy()
        table = decide_table(
            evidence,
            policy,
            as_of_us,
            n_accounts=len(evidence),
            certified_bits=certify(bits, bits[believed]) if believed.any() else None,
            exempt=terms.known.exempt,
            refusals=refusals,
            current=standing,
        )
        return {one.account: one for one in from_table(table) if one.restraint is not Restraint.ALLOW}

    now, then = decided(terms.policy), decided(proposed)
    honest = set(evidence["account"].to_numpy()[believed].tolist())
    sides = [_Side(policy, found, len(evidence), honest) for policy, found in ((terms.policy, now), (proposed, then))]
    rungs = tuple(_rung(restraint, sides) for restraint in reversed(LADDER))
    turned = [
        Turned(account, now.get(account), then.get(account))
        for account in {*now, *then}
        if _what(now.get(account)) != _what(then.get(account))
    ]
    return Compared(as_of_us, len(evidence), len(honest), rungs, tuple(sorted(turned, key=lambda one: one.place)))


def turned_lines(world: World, turned: Sequence[Turned]) -> list[dict[str, Any]]:
    """Tell of accounts that change what is decided about each, now and under the proposal; kind ``turned``."""
    names = names_of(world, [one.account for one in turned])
    return [
        {
            "kind": "turned",
            "account": name,
            "pseudonym": label(one.account),
            "bits": round(-one.place[1], 3),
            "now": _told(one.before),
            "proposed": _told(one.after),
        }
        for name, one in zip(names, turned, strict=True)
    ]


def _told(decision: Decision | None) -> dict[str, Any]:
    if decision is None:
        return {"action": "allow", "because": []}
    return {"action": decision.restraint.name.lower(), "because": list(decision.because)}


def _what(decision: Decision | None) -> int:
    return _ALLOWED if decision is None else int(decision.restraint)


def _standing(decisions: pa.Table, as_of_us: int) -> pa.Table:
    """Take what people decided, and which bets were opened again; what the gate itself began is asked for anew."""
    kept = []
    for one in from_table(decisions):
        if one.restraint in LADDER and one.until_us > as_of_us and not one.is_placed:
            if one.bits_before is not None:
                opened = replace(one, restraint=Restraint.ALLOW, until_us=0, bits_then=one.bits_before, applied=False)
                kept.append(opened)
            continue
        kept.append(one)
    return to_table(kept)


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two: a policy, whom it restrains, of how many, and who of all is believed honest."""

    policy: Policy
    found: Mapping[int, Decision]
    accounts: int
    honest: set[int]

    def of(self, restraint: Restraint) -> dict[str, Any]:
        wanted = threshold_bits(self.policy, restraint, self.accounts)
        chosen = [one for one in self.found.values() if one.restraint is restraint]
        proved = np.array([_is_proved(one) for one in chosen], np.bool_)
        return {
            "wants": wanted,
            "wrongful_a_year": tolerated(self.policy, restraint),
            "declared": 2.0**-wanted,
            "accounts": len(chosen),
            "on_evidence": _count(proved),
            "by_budget": len(chosen) - _count(proved),
            "honest": sum(one.account in self.honest for one in chosen),
            "reachable": reachable(self.policy, restraint, n_accounts=self.accounts, n_honest=len(self.honest)),
        }


def _is_proved(decision: Decision) -> bool:
    return decision.is_placed or decision.bits >= decision.threshold_bits


def _count(where: npt.NDArray[np.bool_]) -> int:
    return int(where.sum())


def _rung(restraint: Restraint, sides: Sequence[_Side]) -> dict[str, Any]:
    now, then = (side.of(restraint) for side in sides)
    return {"action": restraint.name.lower(), "now": now, "proposed": then}
