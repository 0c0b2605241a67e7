import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.errors import LifecycleError, PolicyError
from riparian.gate.admit import Answer, Gate, Kind, Rule
from riparian.gate.policy import Down, Instead, Mode, Policy, Restraint
from riparian.gate.tokens import UNKNOWN_US
from riparian.schema import DAY_US
from riparian.stores.coalesce import Patience
from riparian.stores.valkey import SharedGate, Sharing, Undecided
from tests.stores.servers import Server, running

NOW = 20_000 * DAY_US
PATIENT = Patience(answer_s=5, connect_s=5)
QUICK = Patience(answer_s=0.2, connect_s=0.5, pause_s=0.02)
TIGHT = Policy(mode=Mode.ENFORCE, novelty_burst=4, novelty_per_day=2, rows_burst=10, rows_per_day=5, requests_burst=9)

T = TypeVar("T")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as one:
        yield one


def with_gate(
    server: Server, policy: Policy, work: Callable[[SharedGate], Awaitable[T]], *, since_us: int = 0, **sharing: Any
) -> T:
    """Work with a gate whose server has nothing, and knows all since a time; its clock is what requests say."""
    settings_ = {"patience": PATIENT, "apart_s": 0} | sharing

    async def main() -> T:
        gate = await SharedGate.open(policy, Sharing(server.url, **settings_))
        try:
            return await work(gate)
        finally:
            await gate.close()

    with server.client() as client:
        client.flushall()
        if since_us is not None:
            client.set("riparian:since", since_us)
    return asyncio.run(main())


def codes(*numbers: int) -> Any:
    return np.array(numbers, np.uint64)


def twins(gate: Gate, shared: SharedGate, each: Callable[[Gate], None]) -> None:
    each(gate)
    each(shared.known)


ACCOUNTS = st.integers(1, 5)
REQUESTS = st.lists(
    st.tuples(
        ACCOUNTS,
        st.integers(0, 12),
        st.sampled_from(Kind),
        st.sampled_from([-DAY_US, 0, 1, 99_999, 7 * 60_000_000, DAY_US // 7, DAY_US // 2 + 1, 9 * DAY_US, 80 * DAY_US]),
        st.sampled_from([-1, 0, 0, 3, 11]),
    ),
    min_size=1,
    max_size=60,
)
POLICIES = st.builds(
    Policy,
    mode=st.sampled_from(Mode),
    novelty_burst=st.sampled_from([1, 4, 17_374]),
    novelty_per_day=st.sampled_from([0, 2, 977]),
    rows_burst=st.sampled_from([10, 104_249]),
    rows_per_day=st.sampled_from([0, 7]),
    requests_per_minute=st.sampled_from([7, 600]),
    requests_burst=st.sampled_from([3, 300]),
    refused=st.sampled_from(Instead),
    shadow_rules=st.sampled_from(["", "novelty", "parent", "rows,limit", "evidence"]),
)
MADE = st.sampled_from([UNKNOWN_US, NOW - 400 * DAY_US, NOW - 3 * DAY_US, NOW - 29 * DAY_US, NOW + DAY_US])
RESTRAINTS = st.tuples(
    ACCOUNTS,
    st.sampled_from(Restraint),
    st.sampled_from([0, NOW + DAY_US // 2]),
    st.sampled_from([Rule.EVIDENCE, Rule.PERSON, Rule.NOVELTY]),
)


@given(
    policy=POLICIES,
    made=st.lists(MADE, min_size=5, max_size=5),
    restraints=st.lists(RESTRAINTS, max_size=2),
    exempt=st.sampled_from([0, NOW + DAY_US]),
    requests=REQUESTS,
)
@settings(max_examples=60)
def test_several_gates_answer_what_one_gate_would_to_the_last_field(
    server: Server, policy: Policy, made: list[int], restraints: list[Any], exempt: int, requests: list[Any]
) -> None:
    one = Gate.open(policy)

    async def work(shared: SharedGate) -> list[Answer]:
        for gate in (one, shared.known):
            gate.enrol(codes(1, 2, 3, 4, 5), np.array(made), np.array([1, 3, 5, 1, 1]), codes(0, 9, 9, 9, 8))
            for account, restraint, until_us, rule in restraints:
                gate.judge(codes(account), [restraint], [until_us], [rule])
            gate.exempt(codes(3), [exempt])
        return [await shared.admit(account, what, kind, at, rows) for account, what, kind, at, rows in timed(requests)]

    answers = with_gate(server, policy, work)
    assert answers == [one.admit(*request) for request in timed(requests)]


def timed(requests: list[Any]) -> Iterator[tuple[int, int, Kind, int, int]]:
    now = NOW
    for account, what, kind, step, rows in requests:
        now = max(now + step, NOW - DAY_US)
        yield account, what, kind, now, rows
