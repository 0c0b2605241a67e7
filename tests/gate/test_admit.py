"""The gate's answers in named situations, against the budgets of a scan, and over a restart anywhere."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.errors import CustodyError, InputError
from riparian.gate.admit import RULES, Answer, Gate, Kind, Rule
from riparian.gate.budgets import Budgets, Parents, charge_enforced, charge_rows
from riparian.gate.ledger import PAID_UNTIL
from riparian.gate.policy import Instead, Mode, Policy, Restraint
from riparian.gate.tokens import UNKNOWN_US
from riparian.schema import DAY_US

T0 = 1_700_000_000_000_000
SECOND_US = 1_000_000
A, B = 7, 2**64 - 9
ENFORCED = Policy(
    mode=Mode.ENFORCE, novelty_burst=4, novelty_per_day=2, rows_burst=100, rows_per_day=10, shadow_rules="limit"
)


def codes(*accounts: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(accounts, np.uint64)


@dataclass(frozen=True)
class Asked:
    recording: int = 1
    kind: Kind = Kind.MEDIA
    rows: int = 0
    after_us: int = 0
    account: int = A


def answers(gate: Gate, *asked: Asked) -> list[Answer]:
    return [gate.admit(each.account, each.recording, each.kind, T0 + each.after_us, each.rows) for each in asked]


SERVED = (200, Restraint.ALLOW, Rule.NONE)
NEW = [Asked(recording) for recording in range(1, 6)]
SITUATIONS: dict[str, tuple[list[Asked], list[tuple[int, Restraint, Rule]]]] = {
    "repeats are free": ([Asked()] * 9, [SERVED] * 9),
    "the fifth recording of four": (NEW, [*[SERVED] * 4, (429, Restraint.SLOW, Rule.NOVELTY)]),
    "what was refused is not had": ([*NEW, NEW[4]], [*[SERVED] * 4, *[(429, Restraint.SLOW, Rule.NOVELTY)] * 2]),
    "half a day brings one": (
        [*NEW, Asked(5, after_us=DAY_US // 2)],
        [*[SERVED] * 4, (429, Restraint.SLOW, Rule.NOVELTY), SERVED],
    ),
    "a licence counts as its media do": ([Asked(1, Kind.LICENCE), Asked(1)], [SERVED] * 2),
    "a name on a page is no recording had": ([Asked(r, Kind.METADATA) for r in range(1, 9)], [SERVED] * 8),
    "bulk is charged": (
        [Asked(r, Kind.BULK) for r in range(1, 6)],
        [*[SERVED] * 4, (429, Restraint.SLOW, Rule.NOVELTY)],
    ),
    "rows whole or not at all": (
        [Asked(0, Kind.METADATA, rows) for rows in (60, 50, 40)],
        [SERVED, (429, Restraint.SLOW, Rule.ROWS), SERVED],
    ),
    "more rows than there ever are": ([Asked(0, Kind.BULK, 2**40)], [(429, Restraint.SLOW, Rule.ROWS)]),
    "fewer than no rows are none": ([Asked(0, Kind.METADATA, -5)] * 50, [SERVED] * 50),
    "no recording is none": ([Asked(0)] * 50, [SERVED] * 50),
    "nobody is one account": (
        [Asked(recording, account=0) for recording in range(1, 6)],
        [*[SERVED] * 4, (429, Restraint.SLOW, Rule.NOVELTY)],
    ),
    "an impossible time": ([Asked(1, after_us=-(2**62)), Asked(2, after_us=2**62)], [SERVED] * 2),
    "a clock that goes back earns nothing": (
        [*NEW, Asked(5, after_us=-DAY_US), Asked(5, after_us=DAY_US // 2 - 1), Asked(5, after_us=DAY_US // 2)],
        [*[SERVED] * 4, *[(429, Restraint.SLOW, Rule.NOVELTY)] * 3, SERVED],
    ),
}


@pytest.mark.parametrize(("asked", "expected"), SITUATIONS.values(), ids=SITUATIONS.keys())
def test_a_request_is_answered_so(asked: list[Asked], expected: list[tuple[int, Restraint, Rule]]) -> None:
    gate = Gate.open(ENFORCED)
    assert [(a.status, a.action, a.rule) for a in answers(gate, *asked)] == expected


@pytest.mark.parametrize(
    ("restraint", "by", "status", "rule"),
    [
        (Restraint.HOLD, Rule.EVIDENCE, 403, Rule.EVIDENCE),
        (Restraint.END, Rule.PERSON, 403, Rule.PERSON),
        (Restraint.STEP_UP, Rule.EVIDENCE, 401, Rule.EVIDENCE),
    ],
)
def test_a_restraint_stops_repeats_too_and_ends(restraint: Restraint, by: Rule, status: int, rule: Rule) -> None:
    gate = Gate.open(ENFORCED)
    answers(gate, Asked())
    gate.judge(codes(A), [restraint], [T0 + 90 * SECOND_US], [by])
    (stopped,) = answers(gate, Asked(after_us=500_001))
    assert stopped == Answer(status, restraint, rule, retry_after_s=90, until_us=T0 + 90 * SECOND_US)
    assert [a.status for a in answers(gate, Asked(account=B), Asked(after_us=90 * SECOND_US))] == [200, 200]


def test_a_restraint_without_an_end_stays_until_it_is_lifted() -> None:
    gate = Gate.open(ENFORCED)
    gate.judge(codes(A, B), [Restraint.END, Restraint.HOLD], [0, 0], [Rule.PERSON, Rule.EVIDENCE])
    (ended,) = answers(gate, Asked(after_us=2**60))
    assert (ended.status, ended.retry_after_s, ended.until_us) == (403, 0, 0)
    gate.judge(codes(A), [Restraint.ALLOW], [0], [Rule.NONE])
    assert [a.status for a in answers(gate, Asked(), Asked(account=B))] == [200, 403]
    gate.judge(codes(A), [Restraint.HOLD], [0], ["evidence"], full=True)
    assert [a.status for a in answers(gate, Asked(), Asked(account=B))] == [403, 200]


def test_who_is_slowed_keeps_what_it_had() -> None:
    gate = Gate.open(ENFORCED)
    answers(gate, Asked(1))
    gate.judge(codes(A), [Restraint.SLOW], [T0 + DAY_US], ["evidence"])
    repeat, new, page = answers(gate, Asked(1), Asked(2), Asked(2, Kind.METADATA, 10))
    assert (repeat.status, new.status, page.status) == (200, 429, 200)
    assert (new.rule, new.retry_after_s) == (Rule.EVIDENCE, 86_400)


def test_a_preview_is_offered_of_media_and_never_of_a_licence() -> None:
    gate = Gate.open(Policy(mode=Mode.ENFORCE, novelty_burst=1, novelty_per_day=1, refused=Instead.PREVIEW))
    _, media, licence, again = answers(gate, Asked(1), Asked(2), Asked(2, Kind.LICENCE), Asked(2))
    assert (media.status, media.preview, media.rule, media.action) == (200, True, Rule.NOVELTY, Restraint.SLOW)
    assert (licence.status, licence.preview) == (429, False)
    assert again == media
    gate.judge(codes(B), [Restraint.SLOW], [0], ["evidence"])
    (slowed,) = answers(gate, Asked(2, account=B))
    assert (slowed.status, slowed.preview, slowed.rule) == (200, True, Rule.EVIDENCE)


def test_more_than_half_of_the_budget_leaves_marked_renditions_only() -> None:
    gate = Gate.open(ENFORCED)
    marked = [a.marked_only for a in answers(gate, *NEW[:4], Asked(1), Asked(1, Kind.LICENCE), Asked(0, Kind.METADATA))]
    assert marked == [False, False, True, True, True, True, False]
    assert not answers(gate, Asked(1, after_us=DAY_US))[0].marked_only


def test_a_new_account_draws_on_its_parent_too() -> None:
    gate = Gate.open(Policy(mode=Mode.ENFORCE, novelty_burst=4, novelty_per_day=0))
    family = list(range(100, 120))
    gate.enrol(codes(*family), np.full(20, T0), parents=np.full(20, 5, np.uint64))
    got = [gate.admit(account, recording, Kind.MEDIA, T0).rule for account in family for recording in range(1, 4)]
    # A parent holds six times what an account may on its thirtieth day, which is its whole burst.
    assert got.count(Rule.NONE) == 24
    assert got.count(Rule.NOVELTY) == 12
    assert got.count(Rule.PARENT) == 16 + 8
    assert gate.admit(family[-1], 1, Kind.MEDIA, T0 + 30 * DAY_US).status == 200


def test_the_limit_lets_a_burst_through_and_one_an_interval_from_then_on() -> None:
    gate = Gate.open(Policy(mode=Mode.ENFORCE, requests_per_minute=60, requests_burst=3))
    at_us = [0, 0, 0, 0, SECOND_US - 1, SECOND_US, SECOND_US]
    asked = answers(gate, *(Asked(after_us=at) for at in at_us))
    assert [a.status for a in asked] == [200, 200, 200, 429, 429, 200, 429]
    assert (asked[3].rule, asked[3].retry_after_s, asked[3].until_us) == (Rule.LIMIT, 1, T0 + SECOND_US)


def test_who_is_exempt_is_refused_by_a_person_or_the_limit_only() -> None:
    gate = Gate.open(Policy(mode=Mode.ENFORCE, novelty_burst=1, novelty_per_day=1, rows_burst=1, requests_burst=9))
    gate.exempt(codes(A), [T0 + DAY_US])
    gate.judge(codes(A), [Restraint.HOLD], [0], ["evidence"])
    asked = answers(gate, *(Asked(r, Kind.BULK, 10) for r in range(1, 10)), Asked(1))
    assert [a.rule for a in asked] == [*[Rule.NONE] * 9, Rule.LIMIT]
    assert not any(a.marked_only for a in asked)
    gate.judge(codes(A), [Restraint.END], [0], ["person"])
    assert answers(gate, Asked())[0].status == 403
    gate.judge(codes(A), [Restraint.ALLOW], [0], ["none"])
    later = answers(gate, Asked(1, after_us=DAY_US), Asked(10, after_us=DAY_US), Asked(11, after_us=DAY_US))
    assert [a.status for a in later] == [200, 200, 429]


def test_what_was_known_before_is_no_news() -> None:
    gate = Gate.open(ENFORCED)
    gate.backfill(codes(*[A] * 90), np.arange(90, dtype=np.uint64))
    assert {a.status for a in answers(gate, *(Asked(r) for r in range(90)))} == {200}
    assert [a.status for a in answers(gate, *(Asked(r) for r in range(90, 95)))] == [200, 200, 200, 200, 429]


SHADOWS: dict[str, Policy] = {
    "all": Policy(novelty_burst=1, novelty_per_day=0),
    "novelty": Policy(mode=Mode.ENFORCE, novelty_burst=1, novelty_per_day=0, shadow_rules="novelty"),
}


@pytest.mark.parametrize("policy", SHADOWS.values(), ids=SHADOWS.keys())
def test_in_shadow_everything_is_served_had_and_counted(policy: Policy) -> None:
    gate = Gate.open(policy)
    first, new, had = answers(gate, Asked(1), Asked(2), Asked(2))
    assert (first.would, new.would, had.would) == (Rule.NONE, Rule.NOVELTY, Rule.NONE)
    assert {first.status, new.status, had.status} == {200}
    assert not new.marked_only
    assert gate.counts() == {(Kind.MEDIA, Rule.NONE, True): 2, (Kind.MEDIA, Rule.NOVELTY, False): 1}


def test_a_rule_in_shadow_leaves_the_others_in_force() -> None:
    policy = Policy(mode=Mode.ENFORCE, novelty_burst=1, novelty_per_day=0, shadow_rules="evidence")
    gate = Gate.open(policy)
    gate.judge(codes(A), [Restraint.HOLD], [0], ["evidence"])
    held, new = answers(gate, Asked(1), Asked(2))
    assert (held.status, held.would) == (200, Rule.EVIDENCE)
    assert (new.status, new.rule, new.would) == (429, Rule.NOVELTY, Rule.NONE)
    assert gate.counts() == {(Kind.MEDIA, Rule.EVIDENCE, False): 1, (Kind.MEDIA, Rule.NOVELTY, True): 1}


def test_a_person_is_not_applied_in_shadow_and_counted() -> None:
    gate = Gate.open(Policy())
    gate.judge(codes(A), [Restraint.END], [0], ["person"])
    (answer,) = answers(gate, Asked())
    assert (answer.status, answer.would) == (200, Rule.PERSON)


def test_what_is_no_restraint_and_no_rule_is_refused_and_changes_nothing() -> None:
    gate = Gate.open(ENFORCED)
    with pytest.raises(InputError, match="`restraint` is 5, wanted one from 0 to 4"):
        gate.judge(codes(A), [5], [0], ["evidence"])
    with pytest.raises(InputError, match="`rule` is `spite`, wanted one of `none`, `evidence`"):
        gate.judge(codes(A, B), [3, 3], [0, 0], ["evidence", "spite"])
    assert answers(gate, Asked())[0].status == 200


@pytest.mark.parametrize(("account", "recording", "rows"), [(-1, 1, 0), (2**64, 1, 0), (A, -1, 0), (A, 1, 2**63)])
def test_a_number_that_is_none_of_64_bits_is_refused_and_changes_nothing(
    account: int, recording: int, rows: int
) -> None:
    gate = Gate.open(ENFORCED)
    with pytest.raises(OverflowError):
        gate.admit(account, recording, Kind.BULK, T0, rows)
    assert gate.counts() == {}


def test_a_state_of_another_version_is_not_taken_up() -> None:
    arrays = Gate.open(ENFORCED).arrays()
    with pytest.raises(CustodyError, match="is of version `none`, wanted `gate/1`"):
        Gate.from_arrays({name: array for name, array in arrays.items() if name != "version"}, ENFORCED)


REQUESTS = st.lists(
    st.tuples(
        st.integers(0, 5),  # account
        st.integers(0, 9),  # recording
        st.sampled_from(list(Kind)),
        st.integers(-DAY_US // 2, DAY_US),  # how much later: clocks go back, too
        st.integers(-1, 70),
    ),
    max_size=120,
)
SMALL = Policy(
    mode=Mode.ENFORCE, novelty_burst=4, novelty_per_day=3, rows_burst=100, rows_per_day=10, shadow_rules="limit"
)
ACCOUNTS = codes(1, 2, 3, 2**63, 2**64 - 1, 77)
CREATED_US = np.array([UNKNOWN_US, T0, T0 - 3 * DAY_US, T0 + DAY_US, T0 - 40 * DAY_US, T0])
STREAMS = np.array([1, 1, 3, 5, 1, 1])
PARENTS = codes(0, 5, 5, 5, 5, 2**64 - 1)

Request = tuple[int, int, Kind, int, int]


def enrolled(policy: Policy, *, approximate: bool = False, noting: bool = False) -> Gate:
    gate = Gate.open(policy, approximate=approximate, noting=noting)
    gate.enrol(ACCOUNTS, CREATED_US, STREAMS, PARENTS)
    return gate


def columns(requests: list[Request]) -> tuple[np.ndarray, ...]:
    who = ACCOUNTS[np.array([r[0] for r in requests], np.int64)]
    at_us = T0 + np.cumsum([r[3] for r in requests], dtype=np.int64)
    recording = np.array([r[1] for r in requests], np.uint64)
    kind = np.array([int(r[2]) for r in requests], np.uint8)
    return who, recording, kind, at_us, np.array([r[4] for r in requests], np.int64)


def one_by_one(gate: Gate, requests: list[Request]) -> list[Answer]:
    rows = zip(*(column.tolist() for column in columns(requests)), strict=True)
    return [gate.admit(who, recording, Kind(kind), at_us, n) for who, recording, kind, at_us, n in rows]


@given(REQUESTS)
def test_the_gate_and_a_scan_count_alike(requests: list[Request]) -> None:
    asked = [(a, r, Kind.MEDIA, dt, 0) for a, r, _, dt, _ in requests if r]
    who, recording, kind, at_us, none = columns(asked)
    budgets = Budgets.empty().joined(ACCOUNTS, CREATED_US, STREAMS)
    parents = Parents.empty().joined(PARENTS, np.zeros(0, np.uint64))
    slot = np.array([a for a, *_ in asked], np.int32)
    novel = np.zeros(len(asked), bool)
    novel[np.unique(np.stack((slot.astype(np.uint64), recording)), axis=1, return_index=True)[1]] = True
    refused, _ = charge_enforced(
        budgets, slot, at_us, novel=novel, recording=recording, policy=SMALL, parents=parents, parent=PARENTS
    )
    status, rules = enrolled(SMALL).admit_many(who, recording, kind, at_us, none)
    assert (status == 429).tolist() == refused.tolist()
    assert {RULES[rule] for rule in rules[refused]} <= {Rule.NOVELTY, Rule.PARENT}
    assert [a.status for a in one_by_one(enrolled(SMALL), asked)] == status.tolist()


@given(REQUESTS)
def test_rows_are_counted_as_a_scan_counts_them(requests: list[Request]) -> None:
    asked = [(a, 0, Kind.METADATA, dt, rows) for a, _, _, dt, rows in requests]
    who, recording, kind, at_us, rows = columns(asked)
    budgets = Budgets.empty().joined(ACCOUNTS)
    slot = np.array([a for a, *_ in asked], np.int32)
    refused = charge_rows(budgets, slot, at_us, rows=rows.astype(np.int32), policy=SMALL)
    status, _ = enrolled(SMALL).admit_many(who, recording, kind, at_us, rows)
    assert (status == 429).tolist() == refused.tolist()


POLICIES = {
    "enforced": Policy(mode=Mode.ENFORCE, novelty_burst=4, novelty_per_day=3, rows_burst=100, requests_burst=9),
    "shadow": Policy(novelty_burst=4, novelty_per_day=3, rows_burst=100, requests_burst=9),
    "previews": Policy(mode=Mode.ENFORCE, novelty_burst=2, novelty_per_day=1, refused=Instead.PREVIEW),
    "parents in shadow": Policy(mode=Mode.ENFORCE, novelty_burst=2, novelty_per_day=1, shadow_rules="parent,rows"),
}


def judged(gate: Gate) -> Gate:
    gate.judge(ACCOUNTS[:3], [Restraint.SLOW, Restraint.HOLD, Restraint.STEP_UP], [T0 + DAY_US] * 3, ["evidence"] * 3)
    gate.exempt(ACCOUNTS[2:4], [T0 + DAY_US, T0 + 2 * DAY_US])
    return gate


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES.keys())
@given(requests=REQUESTS)
@settings(max_examples=40)
def test_one_by_one_and_many_at_once_are_the_same(policy: Policy, requests: list[Request]) -> None:
    alone, batched = judged(enrolled(policy)), judged(enrolled(policy))
    answered = one_by_one(alone, requests)
    status, rules = batched.admit_many(*columns(requests))
    assert [(a.status, a.rule) for a in answered] == [(s, RULES[r]) for s, r in zip(status, rules, strict=True)]
    assert alone.counts() == batched.counts()
    assert sum(alone.counts().values()) == len(requests)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES.keys())
@given(requests=REQUESTS)
@settings(max_examples=40)
def test_what_is_refused_leaves_the_gate_as_it_was(policy: Policy, requests: list[Request]) -> None:
    gate = judged(enrolled(policy))
    for request in requests:
        before = gate.arrays()
        (answer,) = one_by_one(gate, [request])
        after = gate.arrays()
        # The clock goes back here, and then whoever had paid for more than a burst has paid for one.
        before["rows"][:, PAID_UNTIL] = np.minimum(before["rows"][:, PAID_UNTIL], after["rows"][:, PAID_UNTIL])
        if answer.status != 200:
            assert all(np.array_equal(array, before[name]) for name, array in after.items())


@pytest.mark.parametrize("approximate", [False, True], ids=["exact", "approximate"])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES.keys())
@given(requests=REQUESTS, cut=st.integers(0, 120))
@settings(max_examples=20)
def test_a_restart_anywhere_changes_nothing(
    policy: Policy, *, approximate: bool, requests: list[Request], cut: int
) -> None:
    whole = judged(enrolled(policy, approximate=approximate))
    first = judged(enrolled(policy, approximate=approximate))
    answered = one_by_one(whole, requests)
    before = one_by_one(first, requests[:cut])
    again = Gate.from_arrays(first.arrays(), policy)
    start = int(sum(r[3] for r in requests[:cut]))
    later = [(a, r, k, dt + (start if i == 0 else 0), n) for i, (a, r, k, dt, n) in enumerate(requests[cut:])]
    assert before + one_by_one(again, later) == answered


@given(requests=REQUESTS, cut=st.integers(0, 120))
def test_charges_bring_a_gate_to_where_another_was(requests: list[Request], cut: int) -> None:
    gate = enrolled(SMALL, noting=True)
    other = Gate.from_arrays(gate.arrays(), SMALL)
    one_by_one(gate, requests[:cut])
    charges = gate.take_charges()
    assert gate.take_charges().size == 0
    other.apply(charges)
    other.apply(charges)
    for name, array in gate.arrays().items():
        if name == "rows":
            # Who was only refused or asked for what it had has a row here and none there; the limit is not noted.
            assert np.array_equal(array[:, 1:8], other.arrays()[name][:, 1:8])
        elif name != "seen.state":
            assert np.array_equal(array, other.arrays()[name])


def test_tables_grow_under_a_crowd_and_lose_nothing() -> None:
    rng, n = np.random.default_rng(3), 60_000
    who = rng.integers(1, 2**64 - 1, n, dtype=np.uint64)
    what = rng.integers(1, 2**64 - 1, n, dtype=np.uint64)
    policy = Policy(mode=Mode.ENFORCE, novelty_burst=1, novelty_per_day=0)
    gate, noted = Gate.open(policy, noting=True), []
    kinds, at_us, none = np.zeros(n, np.uint8), np.full(n, T0), np.zeros(n, np.int64)
    for part in range(0, n, 7_000):
        cut = slice(part, part + 7_000)
        assert (gate.admit_many(who[cut], what[cut], kinds[cut], at_us[cut], none[cut])[0] == 200).all()
        noted.append(gate.take_charges())
    assert (gate.admit_many(who, what, kinds, at_us, none)[0] == 200).all()
    assert (gate.admit_many(who, what ^ np.uint64(1), kinds, at_us, none)[0] == 429).all()
    again = Gate.open(policy)
    again.apply(np.concatenate(noted))
    assert (again.admit_many(who, what, kinds, at_us, none)[0] == 200).all()
    assert (again.admit_many(who, what ^ np.uint64(1), kinds, at_us, none)[0] == 429).all()
    alone = [again.admit(int(a), int(r), Kind.MEDIA, T0).status for a, r in zip(who[:999], what[:999], strict=True)]
    assert set(alone) == {200}


@given(st.lists(st.integers(0, DAY_US), min_size=1, max_size=200), st.integers(1, 5), st.integers(0, 5))
def test_the_cap_holds_exactly_however_it_is_asked_for(gaps: list[int], burst: int, per_day: int) -> None:
    policy = Policy(mode=Mode.ENFORCE, novelty_burst=burst, novelty_per_day=per_day)
    gate, at_us = Gate.open(policy), T0
    served = 0
    for recording, gap in enumerate(gaps, start=1):
        at_us += gap
        served += gate.admit(B, recording, Kind.MEDIA, at_us).status == 200
    assert served <= burst + per_day * sum(gaps[1:]) / DAY_US
