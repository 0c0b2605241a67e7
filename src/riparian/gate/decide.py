"""What is done about an account, why, and until when?

Evidence climbs a ladder: allow, slow, step up, hold.  Each rung wants the bits that follow from the
mistakes tolerated a year (:func:`riparian.gate.policy.threshold_bits`), and nothing else decides.
A budget that ran out slows, too, but as arithmetic: it is no evidence and carries no bits.

Rules
-----
* More bits never mean less restraint.  No bits never restrain.
* Every restraint has a reason and an end.  Once it has ended, by itself or by a person, the same bits
  never bring it back: a new bet is opened where the old one was answered, and only what the account does
  from there on counts (``bits_now - bits_before``: the ratio of an e-process to its own past is an e-process;
  with several questions the past is the weighted sum of all, :mod:`riparian.accounts.join`).
  Bets opened again count among the bets of the year, and so raise every threshold a little.
* What goes on is not begun anew: looking at a running restraint again neither extends nor ends it.
  Only evidence for a higher rung replaces it.
* An exempt account is allowed until the end of its exemption, and says so; but for what a person said of it.
* What a person ended stays ended until a person reinstates it (:mod:`riparian.gate.holds`): no bits end an account, and
  neither fewer of them nor an exemption undo it.
* In shadow mode everything is computed and nothing applied.

Certified bits
--------------
The bits of a claim hold under the *declared* shares of kinds of listener.  How much of them ``n``
accounts believed honest can vouch for is ``-log2((1 + m) / (n + 1))``, where ``m`` of them are at least as extreme;
never more than ``log2(n + 1)``.  With ``certainty = "certified"`` no more than these count, and a
threshold above ``log2(n + 1)`` is then never reached by anybody (:func:`reachable`).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.bets.calibrate import certified_bits as vouched_for
from riparian.errors import InputError
from riparian.evidence import CLAIMS, Evidence
from riparian.gate.exempt import Exemption, Register, day
from riparian.gate.policy import LADDER, Certainty, Mode, Policy, Restraint, threshold_bits
from riparian.schema import DAY_US

__all__ = [
    "DECISION",
    "NEVER_US",
    "PLACED",
    "REFUSAL",
    "Decision",
    "Restraint",
    "certify",
    "decide",
    "decide_table",
    "from_table",
    "reachable",
    "to_table",
]

REFUSAL: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("budget", pa.string(), nullable=False),
        pa.field("refused", pa.int64(), nullable=False),
        pa.field("since_us", pa.int64(), nullable=False),
        pa.field("last_us", pa.int64(), nullable=False),
        pa.field("refused_ever", pa.int64(), nullable=False),
    ]
)
"""What a budget refused, or in shadow would have: ``refused`` in the latest spell, which began at ``since_us``.
``budget`` is ``novelty``, ``parent`` (both count recordings) or ``rows``."""

DECISION: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("restraint", pa.uint8(), nullable=False),
        pa.field("because", pa.list_(pa.string()), nullable=False),
        pa.field("bits", pa.float64(), nullable=False),
        pa.field("threshold_bits", pa.float64(), nullable=False),
        pa.field("declared", pa.float64(), nullable=False),
        pa.field("certified", pa.float64()),
        pa.field("since_us", pa.int64(), nullable=False),
        pa.field("until_us", pa.int64(), nullable=False),
        pa.field("applied", pa.bool_(), nullable=False),
        pa.field("bits_before", pa.float64()),
        pa.field("bits_then", pa.float64()),
    ]
)
"""One row an account that is restrained, exempt, or was so before; the fields are those of :class:`Decision`."""

NEVER_US: Final = 2**62
"""The end of what ends only by a person."""

PLACED: Final = "placed on hold on "
"""How the first reason of a hold begins that a person placed."""

SENTENCES: Final = {
    "novelty": "asked for {n:,} recordings new to it beyond its novelty budget; arithmetic, no evidence",
    "parent": "asked, as a new account, for {n:,} recordings beyond the budget that it shares with the other"
    " new accounts of its household; arithmetic, no evidence",
    "rows": "asked for {n:,} rows of metadata beyond its budget; arithmetic, no evidence",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about one account.

    Parameters
    ----------
    account
        Its pseudonym.
    restraint
        The rung of the ladder.
    because
        Sentences for a person; the first is the reason.
    bits
        Evidence counted since the bet was opened.
    threshold_bits
        What the rung wanted; for ``ALLOW`` and for budgets, what slowing on evidence would have.
    declared
        Chance that an account of a declared kind ever comes this far: ``2**-bits``.
    certified
        The same chance by count of accounts believed honest; None when none were given.
    since_us, until_us
        When it began and when it ends by itself; UTC, and :data:`NEVER_US` for ``END``.  For ``ALLOW``, ``until_us``
        is the time up to which everything is answered for.
    applied
        Whether edges act on it; False in shadow mode.
    bits_before
        Where the bet was opened: ``bits_open`` when the last restraint was decided; None for the first bet.
    bits_then
        Where the next bet will be opened: ``bits_open`` when this was decided.  A budget answers no
        evidence, and leaves the bet as it was: an account does not lose its bits by running into it.
    """

    account: int
    restraint: Restraint
    because: tuple[str, ...]
    bits: float
    threshold_bits: float
    declared: float
    certified: float | None
    since_us: int
    until_us: int
    applied: bool
    bits_before: float | None = None
    bits_then: float | None = None

    @property
    def is_placed(self) -> bool:
        """Whether it is a hold that a person placed (:mod:`riparian.gate.placing`)."""
        return self.restraint is Restraint.HOLD and self.because[0].startswith(PLACED)


@dataclass(frozen=True, slots=True)
class _Findings:
    account: int
    claim: str
    bits: float
    bits_now: float
    bits_open: float
    certified_bits: float | None
    refusals: tuple[tuple[str, int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Rules:
    policy: Policy
    now_us: int
    thresholds: tuple[float, float, float]  # slow, step up, hold

    @classmethod
    def of(cls, policy: Policy, now_us: int, n_bets: int) -> "_Rules":
        slow, step_up, hold = (threshold_bits(policy, r, n_bets) for r in LADDER)
        return cls(policy, now_us, (slow, step_up, hold))


def certify(bits: NDArray[np.float64], honest_bits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count what accounts believed honest can vouch for.

    Parameters
    ----------
    bits
        Of the accounts in question [shape=(accounts,)].
    honest_bits
        Of accounts believed honest [shape=(honest,)]; may be empty.

    Returns
    -------
    np.ndarray
        ``-log2((1 + m) / (n + 1))``, where ``m`` of the ``n`` honest accounts have at least as many bits.

    Examples
    --------
    >>> certify(np.array([0.0, 5.0, 50.0]), np.array([0.0, 1.0, 5.0])).round(2).tolist()
    [0.0, 1.0, 2.0]
    """
    n = honest_bits.size
    return vouched_for(n - np.searchsorted(np.sort(honest_bits), bits, side="left"), n)


def reachable(policy: Policy, restraint: Restraint, *, n_accounts: int, n_honest: int) -> bool:
    """Say whether any account could ever reach a restraint, or the answer is "never".

    Examples
    --------
    >>> certified = Policy(certainty=Certainty.CERTIFIED)
    >>> reachable(certified, Restraint.HOLD, n_accounts=20_000, n_honest=2000)
    False
    >>> reachable(certified, Restraint.HOLD, n_accounts=20_000, n_honest=10_000)
    True
    """
    wanted = threshold_bits(policy, restraint, n_accounts)
    return policy.certainty is Certainty.DECLARED or math.log2(n_honest + 1) >= wanted


def decide(
    evidence: Evidence | None,
    policy: Policy,
    now_us: int,
    *,
    n_accounts: int,
    certified_bits: float | None = None,
    exempt: Exemption | None = None,
) -> Decision:
    """Decide about one account of which nothing was decided before.

    Parameters
    ----------
    evidence
        What is known; None when nothing is, which allows.
    policy
        What is tolerated.
    now_us
        UTC.
    n_accounts
        Bets open in the year.
    certified_bits
        Of :func:`certify`; None when no account is believed honest.
    exempt
        The account's exemption in force now.

    Examples
    --------
    >>> from riparian.evidence import PERSON, Row, Source
    >>> e = Evidence(PERSON, 7, 16.25, (Row("volume", 16.25),), 0, Source("person", "1"))
    >>> d = decide(e, Policy(), 0, n_accounts=20_000)
    >>> d.restraint.name, d.applied, d.until_us == 14 * DAY_US
    ('HOLD', False, True)
    >>> for sentence in d.because:
    ...     print(sentence)
    plays so much, so new, in such an order as no declared kind of listener does (16.2 bits, 13.3 wanted)
    an account of a declared kind comes this far with a chance of at most 1 in 77,000 (declared; not
    certified: no account is known to be honest)
    """
    account = evidence.subject if evidence is not None else 0
    claim = evidence.claim.name if evidence is not None else ""
    bits = evidence.bits if evidence is not None else 0.0
    found = _Findings(account, claim, bits, bits, bits, certified_bits)
    return _decide(found, _Rules.of(policy, now_us, n_accounts), None, exempt)


def decide_table(
    evidence: pa.Table,
    policy: Policy,
    now_us: int,
    *,
    n_accounts: int,
    certified_bits: NDArray[np.float64] | None = None,
    exempt: Register | None = None,
    refusals: pa.Table | None = None,
    current: pa.Table | None = None,
) -> pa.Table:
    """Decide about everybody at once.

    Parameters
    ----------
    evidence
        ``schema.JOINED``, one row an account.
    policy
        What is tolerated.
    now_us
        UTC.
    n_accounts
        Accounts seen; those whose bets were opened again are counted on top.
    certified_bits
        Of :func:`certify`, one for each row of the evidence.
    exempt
        Exemptions, whether in force or not.
    refusals
        ``REFUSAL``: what budgets refused.
    current
        ``DECISION``: what was decided before.

    Returns
    -------
    pa.Table
        ``DECISION``, in the order of accounts; an account that is and was simply allowed has no row.

    Raises
    ------
    InputError
        When an account's bits are not a number.
    """
    register = exempt if exempt is not None else Register()
    before = {d.account: d for d in from_table(current)} if current is not None else {}
    reopened = sum(_opened_at(d, now_us) is not None for d in before.values())
    rules = _Rules.of(policy, now_us, n_accounts + reopened)
    asked = _refusals_by_account(refusals)
    exempted = {account for account in register if register.at(account, now_us) is not None}
    found = _findings(evidence, certified_bits, rules, keep={*before, *asked, *exempted})
    accounts = sorted({*found, *asked, *before, *exempted})
    decisions = []
    for account in accounts:
        one = found.get(account, _Findings(account, "", 0.0, 0.0, 0.0, None))
        one = replace(one, refusals=asked.get(account, ()))
        decision = _decide(one, rules, before.get(account), register.at(account, now_us))
        if decision.restraint or account in before or account in exempted:
            decisions.append(decision)
    return to_table(decisions)


def _findings(
    evidence: pa.Table, certified: NDArray[np.float64] | None, rules: _Rules, *, keep: set[int]
) -> dict[int, _Findings]:
    accounts = evidence["account"].to_numpy()
    bits, bits_now, bits_open = (evidence[name].to_numpy() for name in ("bits", "bits_now", "bits_open"))
    if np.isnan(bits).any() or np.isnan(bits_now).any():
        raise InputError("`bits` is not a number, wanted one for every account")
    chosen = bits >= rules.thresholds[0]
    if keep:
        chosen |= np.isin(accounts, np.fromiter(keep, np.uint64, len(keep)))
    rows = np.flatnonzero(chosen)
    claims = evidence["claim"].take(pa.array(rows)).to_pylist()
    return {
        int(accounts[row]): _Findings(
            int(accounts[row]),
            claim,
            float(bits[row]),
            float(bits_now[row]),
            float(bits_open[row]),
            None if certified is None else float(certified[row]),
        )
        for row, claim in zip(rows, claims, strict=True)
    }


def _refusals_by_account(table: pa.Table | None) -> dict[int, tuple[tuple[str, int, int, int], ...]]:
    gathered: dict[int, tuple[tuple[str, int, int, int], ...]] = {}
    for row in table.to_pylist() if table is not None else ():
        spell = (row["budget"], row["refused"], row["since_us"], row["last_us"])
        gathered[row["account"]] = (*gathered.get(row["account"], ()), spell)
    return gathered


def _opened_at(before: Decision | None, now_us: int) -> float | None:
    # An answered restraint opens a new bet where it was decided; a running one goes on with its own.
    if before is None:
        return None
    ended = before.until_us <= now_us
    return before.bits_then if ended or before.restraint is Restraint.ALLOW else before.bits_before


def _decide(found: _Findings, rules: _Rules, before: Decision | None, exempt: Exemption | None) -> Decision:
    if before is not None and before.restraint is Restraint.END:
        return replace(before, applied=rules.policy.mode is Mode.ENFORCE)
    running = before is not None and before.restraint is not Restraint.ALLOW and before.until_us > rules.now_us
    if exempt is not None and not (before is not None and running and before.is_placed):
        return _exempted(found, rules, before, exempt)
    opened = _opened_at(before, rules.now_us)
    # The first bet may look back at its own maximum (Ville); a later one is looked at only now.
    bits = found.bits if opened is None else found.bits_now - opened
    if before is not None and running:
        # What was reached stays reached for as long as the restraint runs.
        bits = max(bits, before.bits)
    fresh = _from_evidence(found, rules, bits, opened)
    if fresh.restraint <= Restraint.SLOW:
        fresh = _from_budget(fresh, found, rules, before)
    if before is not None and running and fresh.restraint <= before.restraint:
        return _goes_on(before, fresh, rules)
    if before is not None and fresh.restraint is Restraint.ALLOW:
        return _stays_allowed(before, fresh, rules)
    return fresh


def _from_evidence(found: _Findings, rules: _Rules, bits: float, opened: float | None) -> Decision:
    slow, step_up, hold = rules.thresholds
    counted = bits
    if rules.policy.certainty is Certainty.CERTIFIED:
        counted = min(bits, found.certified_bits if found.certified_bits is not None else 0.0)
    restraint = Restraint((counted >= slow) + (counted >= step_up) + (counted >= hold))
    wanted = rules.thresholds[max(restraint, Restraint.SLOW) - 1]
    declared = 2.0 ** -max(bits, 0.0)
    certified = None if found.certified_bits is None else 2.0**-found.certified_bits
    if restraint is Restraint.ALLOW:
        because: tuple[str, ...] = (
            f"nothing about it is too unlikely ({bits:.1f} bits, {wanted:.1f} wanted to slow it)",
        )
    else:
        sentence = CLAIMS[found.claim].sentence if found.claim in CLAIMS else found.claim
        because = (f"{sentence} ({counted:.1f} bits, {wanted:.1f} wanted)", _chances(declared, certified))
    days = rules.policy.longest_slow_days if restraint is Restraint.SLOW else rules.policy.longest_hold_days
    return Decision(
        account=found.account,
        restraint=restraint,
        because=because,
        bits=bits,
        threshold_bits=wanted,
        declared=declared,
        certified=certified,
        since_us=rules.now_us,
        until_us=rules.now_us + days * DAY_US if restraint else rules.now_us,
        applied=bool(restraint) and rules.policy.mode is Mode.ENFORCE,
        bits_before=opened,
        bits_then=found.bits_open if restraint else opened,
    )


def _from_budget(fresh: Decision, found: _Findings, rules: _Rules, before: Decision | None) -> Decision:
    answered_us = before.until_us if before is not None and before.restraint is Restraint.ALLOW else -1
    longest_us = rules.policy.longest_slow_days * DAY_US
    recent = [
        (SENTENCES[budget].format(n=n), last_us + longest_us)
        for budget, n, _, last_us in found.refusals
        if last_us > answered_us and last_us + longest_us > rules.now_us
    ]
    if not recent:
        return fresh
    evidence = fresh.because if fresh.restraint else ()
    return replace(
        fresh,
        restraint=Restraint.SLOW,
        because=(*evidence, *(sentence for sentence, _ in recent)),
        until_us=max(fresh.until_us, *(until_us for _, until_us in recent)),
        applied=rules.policy.mode is Mode.ENFORCE,
    )


def _goes_on(before: Decision, fresh: Decision, rules: _Rules) -> Decision:
    return replace(
        before,
        bits=fresh.bits,
        declared=fresh.declared,
        certified=fresh.certified,
        applied=rules.policy.mode is Mode.ENFORCE,
    )


def _stays_allowed(before: Decision, fresh: Decision, rules: _Rules) -> Decision:
    told = before.restraint is Restraint.ALLOW and before.until_us <= rules.now_us
    because = before.because if told else (f"its restraint ended on {day(before.until_us)}",)
    if before.until_us > rules.now_us:
        because = ("its exemption was taken back",)
    return replace(
        fresh,
        because=because,
        since_us=before.since_us if told else min(before.until_us, rules.now_us),
        until_us=min(before.until_us, rules.now_us),
    )


def _exempted(found: _Findings, rules: _Rules, before: Decision | None, exempt: Exemption) -> Decision:
    known = before is not None and before.restraint is Restraint.ALLOW and before.until_us == exempt.until_us
    allowed = _from_evidence(found, rules, found.bits, None)
    return replace(
        allowed,
        restraint=Restraint.ALLOW,
        because=(f"exempt until {day(exempt.until_us)}: {exempt.because}",),
        threshold_bits=rules.thresholds[0],
        since_us=before.since_us if before is not None and known else rules.now_us,
        until_us=exempt.until_us,
        applied=False,
        bits_then=found.bits_open,
    )


def _chances(declared: float, certified: float | None) -> str:
    head = f"an account of a declared kind comes this far with a chance of at most {_one_in(declared)}"
    if certified is None:
        return f"{head} (declared; not certified: no account is known to be honest)"
    return f"{head} (declared); accounts believed honest certify {_one_in(certified)}"


def _one_in(chance: float) -> str:
    # Two figures, rounded towards the larger chance: never more sure than the bits are.
    odds = 1.0 / max(chance, 2.0**-60)
    step = 10.0 ** max(math.floor(math.log10(odds)) - 1, 0)
    return f"1 in {int(odds / step) * int(step):,}"


def to_table(decisions: Iterable[Decision]) -> pa.Table:
    """Gather decisions into a table of schema ``DECISION``."""
    rows = list(decisions)
    columns: Mapping[str, list[Any]] = {
        name: [getattr(d, name) for d in rows] for name in DECISION.names if name not in ("because", "restraint")
    }
    return pa.table(
        {**columns, "because": [list(d.because) for d in rows], "restraint": [int(d.restraint) for d in rows]},
        schema=DECISION,
    )


def from_table(table: pa.Table) -> list[Decision]:
    """Read decisions out of a table of schema ``DECISION``.

    Examples
    --------
    >>> d = decide(None, Policy(), 0, n_accounts=10)
    >>> from_table(to_table([d])) == [d]
    True
    """
    return [
        Decision(**{**row, "restraint": Restraint(row["restraint"]), "because": tuple(row["because"])})
        for row in table.to_pylist()
    ]
