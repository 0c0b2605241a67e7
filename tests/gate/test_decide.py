"""The ladder: derived, monotone, with a reason, an end and a way back."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.errors import InputError
from riparian.evidence import PERSON, Evidence, Row, Source
from riparian.gate.decide import (
    NEVER_US,
    REFUSAL,
    Decision,
    certify,
    decide,
    decide_table,
    from_table,
    reachable,
    to_table,
)
from riparian.gate.exempt import Exemption, Register
from riparian.gate.holds import release
from riparian.gate.policy import LADDER as RUNGS
from riparian.gate.policy import Certainty, Mode, Policy, Restraint, parse_policy, threshold_bits
from riparian.schema import DAY_US, JOINED

ALLOW, SLOW, STEP_UP, HOLD, _ = Restraint
NOW = 1_700_000_000_000_000
N = 20_000
POLICY = Policy()
CERTIFIED = Policy(certainty=Certainty.CERTIFIED)
ADA = {"person": "ada", "reason": "a DJ; spoke with her"}


def evidence(*rows: tuple[int, float, float]) -> pa.Table:
    """Account, most bits ever, bits now."""
    accounts, bits, now = zip(*rows, strict=True) if rows else ((), (), ())
    n = len(rows)
    return pa.table([accounts, ["person"] * n, bits, now, [NOW] * n, [NOW] * n, now], schema=JOINED)


def refused(account: int, budget: str, n: int, last_us: int) -> pa.Table:
    return pa.table([[account], [budget], [n], [last_us], [last_us], [n]], schema=REFUSAL)


def one(table: pa.Table) -> Decision:
    (decision,) = from_table(table)
    return decision


LADDER = [
    (0.0, ALLOW),
    (11.2, ALLOW),
    (11.3, SLOW),
    (12.2, SLOW),
    (12.3, STEP_UP),
    (13.2, STEP_UP),
    (13.3, HOLD),
    (60.0, HOLD),
]


@pytest.mark.parametrize(("bits", "expected"), LADDER)
def test_each_rung_wants_the_bits_that_follow_from_its_mistakes(bits: float, expected: Restraint) -> None:
    e = Evidence(PERSON, 7, bits, (Row("volume", bits),), NOW, Source("person", "1"))
    assert decide(e, POLICY, NOW, n_accounts=N).restraint is expected
    table = decide_table(evidence((7, bits, bits)), POLICY, NOW, n_accounts=N)
    assert [d.restraint for d in from_table(table)] == ([expected] if expected else [])


bits_pairs = st.tuples(st.floats(-50, 200), st.floats(0, 100))
current = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(list(Restraint)), st.integers(-20, 20), st.one_of(st.none(), st.floats(-50, 50))),
)


@given(bits_pairs, current, st.booleans(), st.one_of(st.none(), st.floats(0, 30)), st.booleans())
def test_more_bits_never_mean_less_restraint(
    bits: tuple[float, float],
    before: tuple[Restraint, int, float | None] | None,
    asked: bool,  # noqa: FBT001  drawn
    certified: float | None,
    counted: bool,  # noqa: FBT001  drawn
) -> None:
    policy = CERTIFIED if counted else POLICY
    now = None
    if before is not None:
        restraint, days, then = before
        now = to_table([replace(_base(), restraint=restraint, until_us=NOW + days * DAY_US, bits_then=then)])
    outcomes = []
    for more in (0.0, bits[1]):
        b = bits[0] + more
        table = decide_table(
            evidence((7, b, b)),
            policy,
            NOW,
            n_accounts=N,
            certified_bits=None if certified is None else np.array([certified]),
            refusals=refused(7, "novelty", 3, NOW) if asked else None,
            current=now,
        )
        outcomes.append(max((d.restraint for d in from_table(table)), default=ALLOW))
    assert outcomes[0] <= outcomes[1]


@given(
    st.floats(-50, 1e9),
    st.one_of(st.none(), st.sampled_from([ALLOW, *RUNGS])),
    st.booleans(),
    st.sampled_from(["", "novelty", "parent", "rows"]),
    st.booleans(),
)
def test_no_machine_ends_an_account_and_none_undoes_that_a_person_did(
    bits: float,
    before: Restraint | None,
    running: bool,  # noqa: FBT001  drawn
    refusal: str,
    exempted: bool,  # noqa: FBT001  drawn
) -> None:
    def decided(was: Decision | None) -> list[Decision]:
        table = decide_table(
            evidence((7, bits, bits)),
            replace(POLICY, mode=Mode.ENFORCE),
            NOW,
            n_accounts=N,
            exempt=Register({7: Exemption(7, NOW + DAY_US, "a partner")}) if exempted else None,
            refusals=refused(7, refusal, 10**6, NOW) if refusal else None,
            current=None if was is None else to_table([was]),
        )
        return from_table(table)

    was = None if before is None else replace(_base(), restraint=before, until_us=NOW + (DAY_US if running else -1))
    assert all(d.restraint < Restraint.END for d in decided(was))
    ended = replace(_base(), restraint=Restraint.END, until_us=NEVER_US, applied=True)
    assert decided(ended) == [ended]


def _base() -> Decision:
    return Decision(7, HOLD, ("x",), 14.0, 13.3, 2.0**-14, None, NOW - DAY_US, NOW + DAY_US, applied=False)


def test_no_evidence_never_restrains() -> None:
    assert decide(None, POLICY, NOW, n_accounts=1).restraint is ALLOW
    assert decide_table(evidence(), POLICY, NOW, n_accounts=0).num_rows == 0
    assert decide_table(evidence((7, 0.0, 0.0), (8, -3.0, -3.0)), POLICY, NOW, n_accounts=1).num_rows == 0


def test_bits_that_are_no_number_are_refused() -> None:
    with pytest.raises(InputError, match="not a number"):
        decide_table(evidence((7, float("nan"), 0.0)), POLICY, NOW, n_accounts=1)


def test_a_restraint_has_a_reason_an_end_and_both_chances() -> None:
    decision = one(
        decide_table(evidence((7, 16.25, 15.0)), POLICY, NOW, n_accounts=N, certified_bits=np.array([np.log2(2001)]))
    )
    assert decision.because == (
        "plays so much, so new, in such an order as no declared kind of listener does (16.2 bits, 13.3 wanted)",
        (
            "an account of a declared kind comes this far with a chance of at most 1 in 77,000 (declared);"
            " accounts believed honest certify 1 in 2,000"
        ),
    )
    assert decision.until_us == NOW + 14 * DAY_US
    assert decision.declared == 2.0**-16.25
    assert decision.certified == pytest.approx(1 / 2001)
    assert (decision.bits_before, decision.bits_then) == (None, 15.0)


def test_shadow_applies_nothing_and_enforcing_does() -> None:
    table = evidence((7, 16.0, 16.0))
    enforcing = parse_policy({"mode": "enforce"})
    assert not one(decide_table(table, POLICY, NOW, n_accounts=N)).applied
    now = decide_table(table, enforcing, NOW, n_accounts=N)
    assert one(now).applied
    assert not one(decide_table(table, POLICY, NOW, n_accounts=N, current=now)).applied


@dataclass(frozen=True)
class Certificate:
    honest: int
    bits: float
    expect: Restraint
    ever: bool


CERTIFICATES = {
    "nobody is known to be honest": Certificate(0, 60.0, ALLOW, ever=False),
    "two thousand honest: never a hold": Certificate(2000, 60.0, ALLOW, ever=False),
    "ten thousand honest": Certificate(10_000, 60.0, HOLD, ever=True),
    "ten thousand honest, few bits": Certificate(10_000, 12.4, STEP_UP, ever=True),
}


@pytest.mark.parametrize("case", CERTIFICATES.values(), ids=CERTIFICATES.keys())
def test_certified_bits_are_those_that_honest_accounts_vouch_for(case: Certificate) -> None:
    certified = certify(np.array([case.bits]), np.zeros(case.honest))
    table = decide_table(evidence((7, case.bits, case.bits)), CERTIFIED, NOW, n_accounts=N, certified_bits=certified)
    assert max((d.restraint for d in from_table(table)), default=ALLOW) is case.expect
    assert reachable(CERTIFIED, HOLD, n_accounts=N, n_honest=case.honest) is case.ever
    assert reachable(POLICY, HOLD, n_accounts=N, n_honest=case.honest)


@given(st.lists(st.integers(-5, 30), max_size=40), st.integers(-5, 40))
def test_certified_bits_are_the_rank_among_the_honest(honest: list[int], bits: int) -> None:
    worse = sum(h >= bits for h in honest)
    (counted,) = certify(np.array([float(bits)]), np.array(honest, float))
    assert counted == pytest.approx(-np.log2((1 + worse) / (len(honest) + 1)))


def test_in_certified_mode_without_honest_accounts_nobody_is_restrained() -> None:
    assert decide_table(evidence((7, 60.0, 60.0)), CERTIFIED, NOW, n_accounts=N).num_rows == 0


def test_an_exempt_account_is_allowed_and_says_until_when_and_why() -> None:
    register = Register({7: Exemption(7, NOW + DAY_US, "the partner's importer")})
    table = evidence((7, 40.0, 38.0))
    decision = one(decide_table(table, POLICY, NOW, n_accounts=N, exempt=register))
    assert (decision.restraint, decision.applied) == (ALLOW, False)
    assert decision.because == ("exempt until 2023-11-15: the partner's importer",)
    later = NOW + 2 * DAY_US
    after = one(decide_table(table, POLICY, later, n_accounts=N, exempt=register, current=to_table([decision])))
    assert after.restraint is ALLOW  # what it did while exempt is not held against it
    more = evidence((7, 60.0, 38.0 + 14.0))
    assert one(decide_table(more, POLICY, later, n_accounts=N, current=to_table([after]))).restraint is HOLD


def test_an_exemption_without_a_reason_is_none() -> None:
    with pytest.raises(InputError):
        Register.of(np.array([7], np.uint64), np.array([NOW]), [" "])


def test_a_budget_slows_and_says_that_it_is_no_evidence() -> None:
    decision = one(
        decide_table(
            evidence((7, 3.0, 2.0)), POLICY, NOW, n_accounts=N, refusals=refused(7, "novelty", 1234, NOW - DAY_US)
        )
    )
    assert decision.restraint is SLOW
    assert decision.because == (
        "asked for 1,234 recordings new to it beyond its novelty budget; arithmetic, no evidence",
    )
    assert (decision.bits, decision.until_us, decision.bits_then) == (3.0, NOW + 6 * DAY_US, None)


def test_an_old_refusal_slows_nobody() -> None:
    old = refused(7, "rows", 9, NOW - 7 * DAY_US)
    assert decide_table(evidence(), POLICY, NOW, n_accounts=N, refusals=old).num_rows == 0


def test_running_into_a_budget_does_not_wash_bits_away() -> None:
    asked = refused(7, "novelty", 3, NOW)
    now = decide_table(evidence((7, 10.0, 10.0)), POLICY, NOW, n_accounts=N, refusals=asked)
    later = NOW + 8 * DAY_US
    assert one(decide_table(evidence((7, 13.5, 13.5)), POLICY, later, n_accounts=N, current=now)).restraint is HOLD


def test_a_running_restraint_is_neither_extended_nor_ended_by_looking_again() -> None:
    now = decide_table(evidence((7, 14.0, 14.0)), POLICY, NOW, n_accounts=N)
    for bits_now in (20.0, 14.0, 1.0):
        later = decide_table(evidence((7, 20.0, bits_now)), POLICY, NOW + DAY_US, n_accounts=N, current=now)
        assert (one(later).since_us, one(later).until_us) == (NOW, NOW + 14 * DAY_US)
        assert one(later).restraint is HOLD


def test_evidence_for_a_higher_rung_replaces_a_running_restraint() -> None:
    now = decide_table(evidence((7, 11.5, 11.5)), POLICY, NOW, n_accounts=N)
    later = decide_table(evidence((7, 14.0, 14.0)), POLICY, NOW + DAY_US, n_accounts=N, current=now)
    assert (one(now).restraint, one(later).restraint) == (SLOW, HOLD)
    assert one(later).until_us == NOW + 15 * DAY_US


def test_the_same_bits_never_bring_a_restraint_back() -> None:
    now = decide_table(evidence((7, 14.0, 14.0)), POLICY, NOW, n_accounts=N)
    over = NOW + 14 * DAY_US
    ended = decide_table(evidence((7, 14.0, 14.0)), POLICY, over, n_accounts=N, current=now)
    assert one(ended).restraint is ALLOW
    assert one(ended).because == ("its restraint ended on 2023-11-28",)
    still = decide_table(evidence((7, 20.0, 20.0)), POLICY, over + DAY_US, n_accounts=N, current=ended)
    assert one(still).restraint is ALLOW
    again = decide_table(evidence((7, 28.0, 28.0)), POLICY, over + DAY_US, n_accounts=N, current=still)
    assert one(again).restraint is HOLD
    assert one(again).bits == 14.0


def test_what_a_held_account_goes_on_doing_counts_when_the_hold_is_over() -> None:
    now = decide_table(evidence((7, 14.0, 14.0)), POLICY, NOW, n_accounts=N)
    running = decide_table(evidence((7, 40.0, 40.0)), POLICY, NOW + DAY_US, n_accounts=N, current=now)
    ended = decide_table(evidence((7, 40.0, 40.0)), POLICY, NOW + 15 * DAY_US, n_accounts=N, current=running)
    assert one(ended).restraint is HOLD
    assert one(ended).since_us == NOW + 15 * DAY_US


def test_a_release_answers_for_all_bits_and_refusals_until_then() -> None:
    asked = refused(7, "novelty", 3, NOW - 1)
    now = decide_table(evidence((7, 30.0, 30.0)), POLICY, NOW, n_accounts=N, refusals=asked)
    freed = to_table([release(one(now), NOW, bits_open=30.0, **ADA).after])
    for bits in (30.0, 40.0):
        later = decide_table(
            evidence((7, bits, bits)), POLICY, NOW + DAY_US, n_accounts=N, refusals=asked, current=freed
        )
        assert one(later).restraint is ALLOW
        assert one(later).because == ("released on 2023-11-14 by ada: a DJ; spoke with her",)
    again = decide_table(evidence((7, 44.0, 44.0)), POLICY, NOW + DAY_US, n_accounts=N, current=freed)
    assert one(again).restraint is HOLD


def test_bets_opened_again_count_among_the_bets_of_the_year() -> None:
    rows = [replace(_base(), account=a, until_us=NOW, bits_then=0.0) for a in range(1, 1001)]
    fresh = evidence((5000, 60.0, 60.0))
    table = decide_table(fresh, POLICY, NOW, n_accounts=1000, current=to_table(rows))
    held = next(d for d in from_table(table) if d.account == 5000)
    assert held.threshold_bits == threshold_bits(POLICY, HOLD, 2000)


def test_a_table_of_decisions_is_in_the_order_of_accounts_and_reads_back() -> None:
    table = decide_table(evidence((2**63 + 5, 60.0, 1.0), (3, 12.5, 1.0)), POLICY, NOW, n_accounts=N)
    assert table["account"].to_pylist() == [3, 2**63 + 5]
    assert to_table(from_table(table)).equals(table)
