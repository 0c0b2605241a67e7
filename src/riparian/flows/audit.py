"""Do the laws hold on accounts believed honest?

For every bet the mean of ``min(2**bits, 2**cap)`` over honest accounts at the end of the log must not
exceed one: that is what makes bits mean anything (Ville).  Capping can only lower the mean, so a capped
mean above one refutes the null; an upper bound below one plus ``delta`` vouches for it as far as it goes.

Fails when
----------
The accounts are not honest, or were chosen knowing their bits.  A bet that speaks of events rarer than
``1 / n`` cannot be vouched for by ``n`` accounts; that part stays declared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.accounts.join import ANSWER
from riparian.accounts.weigh import SOURCES
from riparian.bets.bounded import mean_bits, upper_bound_mean
from riparian.bets.calibrate import adjust
from riparian.codes import BUCKETS
from riparian.errors import InputError
from riparian.flows.findings import table_of
from riparian.flows.joined import evidence_of_all
from riparian.flows.summary import chance_max
from riparian.flows.terms import Terms
from riparian.gate.policy import Restraint, threshold_bits
from riparian.ports import World

CAP_BITS: Final = 8.0
DELTA: Final = 0.1
"""A null is refuted when its mean is shown to be above one plus this."""
REFUTED_BITS: Final = 10.0
ALPHA: Final = 0.05


@dataclass(frozen=True, slots=True)
class Audited:
    """One bet over all honest accounts.

    Parameters
    ----------
    bet
        Its claim, or ``joined`` of what an account does alone; or another question.
    accounts
        How many.
    mean, mean_max
        Mean of ``min(2**bits, 2**cap)`` and its upper bound, wrong with chance 0.05.
    refuted_bits
        Bits against a mean of at most ``1 + delta``.
    worst, worst_bits
        The account with the most bits now.
    """

    bet: str
    accounts: int
    mean: float
    mean_max: float
    refuted_bits: float
    worst: int
    worst_bits: float

    @property
    def holds(self) -> bool:
        """Whether the bet may go on: its null is not refuted."""
        return self.refuted_bits < REFUTED_BITS


@dataclass(frozen=True, slots=True)
class Audit:
    """Every bet, and each rung of the ladder with its chance of a mistake: declared, and by count."""

    bets: tuple[Audited, ...]
    ladder: Mapping[str, Mapping[str, Any]]

    @property
    def holds(self) -> bool:
        """Whether no null is refuted, and no more honest accounts reach a rung than is declared, by count."""
        return all(bet.holds for bet in self.bets) and all(rung["holds"] for rung in self.ladder.values())


def audit(world: World, terms: Terms, honest: npt.NDArray[np.uint64]) -> Audit:
    """Check the bets on these accounts, as of the last scan.

    Parameters
    ----------
    honest
        Codes of accounts believed honest; those that no scan has seen are passed over.

    Raises
    ------
    InputError
        When no scan has seen any of them.
    """
    accounts, now = _bits(world, honest)
    if not len(accounts):
        raise InputError(
            f"none of {len(honest)} accounts believed honest is in the logs, wanted at least one",
            hint="Give --honest FILE with an account a line, or --accounts with a column `honest`.",
        )
    evidence = evidence_of_all(world.findings.table)
    most = evidence["bits"].to_numpy()[np.isin(evidence["account"].to_numpy(), accounts)]
    rungs = (Restraint.SLOW, Restraint.STEP_UP, Restraint.HOLD)
    bets = [_audited(name, accounts, bits) for name, bits in now.items() if name not in terms.people.suspended]
    return Audit(
        (*bets, *_others(table_of(world, "answers", ANSWER), accounts)),
        {r.name.lower(): _rung(threshold_bits(terms.policy, r, len(evidence)), most) for r in rungs},
    )


def _bits(
    world: World, honest: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.uint64], dict[str, npt.NDArray[np.float64]]]:
    accounts, states = [], []
    for number in range(BUCKETS):
        arrays = world.tallies.load(number)
        if arrays is not None:
            chosen = np.isin(arrays["accounts"], honest)
            accounts.append(arrays["accounts"][chosen])
            states.append(arrays["state"][chosen])
    if not accounts:
        return np.empty(0, np.uint64), {}
    found, state = np.concatenate(accounts), np.concatenate(states)
    # In an order that is fixed and has nothing to do with anybody's bits.
    order = np.argsort(found)
    found, state = found[order], state[order]
    now = {name: state["now"][name] for name in ("joined", *(claim.name for claim in SOURCES))}
    return found, now


def _others(answers: pa.Table, accounts: npt.NDArray[np.uint64]) -> Iterator[Audited]:
    """Audit the questions that are asked across accounts, and have answered anything at all.

    Of these only the most ever is known, so that it passes an adjuster: the mean of what remains is at most one.
    """
    for question in answers["question"].unique().to_pylist():
        said = answers.filter(pc.equal(answers["question"], question))
        most = dict(zip(said["account"].to_pylist(), said["bits"].to_pylist(), strict=True))
        raw = np.array([most.get(account, 0.0) for account in accounts.tolist()])
        told = _audited(question, accounts, np.array([adjust(bits) for bits in raw.tolist()]))
        yield replace(told, worst=int(accounts[int(np.argmax(raw))]), worst_bits=float(raw.max()))


def _audited(name: str, accounts: npt.NDArray[np.uint64], bits: npt.NDArray[np.float64]) -> Audited:
    capped = np.exp2(np.minimum(bits, CAP_BITS))
    worst = int(np.argmax(bits))
    return Audited(
        bet=name,
        accounts=len(accounts),
        mean=float(capped.mean()),
        mean_max=upper_bound_mean(capped, cap=2.0**CAP_BITS, alpha=ALPHA),
        refuted_bits=mean_bits(capped, 1.0 + DELTA, cap=2.0**CAP_BITS),
        worst=int(accounts[worst]),
        worst_bits=float(bits[worst]),
    )


def _rung(wanted: float, most: npt.NDArray[np.float64]) -> dict[str, Any]:
    above, n = int((most >= wanted).sum()), len(most)
    declared = 2.0**-wanted
    return {
        "bits": wanted,
        "declared": declared,
        "certified": chance_max(above, n),
        "honest_above": above,
        "holds": _at_least(above, n, declared) >= ALPHA,
    }


def _at_least(above: int, n: int, chance: float) -> float:
    """Chance that so many or more of ``n`` reach a rung that each reaches with ``chance``."""
    below = 0.0
    term = (1.0 - chance) ** n
    for k in range(above):
        below += term
        term *= (n - k) / (k + 1) * chance / (1.0 - chance)
    return max(0.0, 1.0 - below)
