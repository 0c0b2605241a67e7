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

from riparian.errors import LifecycleError, OutsideError, PolicyError
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
    settings_: dict[str, Any] = {"patience": PATIENT, "apart_s": 0} | sharing

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


@pytest.mark.slow
@given(
    policy=POLICIES,
    made=st.lists(MADE, min_size=5, max_size=5),
    restraints=st.lists(RESTRAINTS, max_size=2),
    exempt=st.sampled_from([0, NOW + DAY_US]),
    requests=REQUESTS,
)
@settings(max_examples=60)
def test_several_gates_answer_what_one_gate_would_to_the_last_field(  # noqa: PLR0917 - a column each
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


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_over_a_year_several_gates_answer_what_one_gate_would(server: Server, seed: int) -> None:
    rng, n = np.random.default_rng(seed), 4000
    policy = Policy(
        mode=Mode.ENFORCE,
        novelty_burst=int(rng.integers(2, 9)),
        novelty_per_day=int(rng.integers(1, 3)),
        rows_burst=10,
        rows_per_day=5,
        requests_burst=5,
        requests_per_minute=int(rng.integers(6, 60)),
        refused=Instead.PREVIEW if seed % 2 else Instead.TOO_MANY,
        shadow_rules=["", "parent", "novelty", "", "rows,limit", ""][seed],
    )
    who, rows = rng.integers(1, 24, n), rng.choice([0, 0, 0, 0, 0, -1, 3, 10, 11], n)
    made = np.where(rng.random(24) < 0.2, UNKNOWN_US, NOW + rng.integers(-10, 60, 24) * DAY_US)
    steps = rng.choice([0, 1, 5_000_000, DAY_US // 24, -DAY_US // 48, DAY_US // 12], n)
    requests = [
        (int(who[i]), int(rng.integers(0, 400)), Kind(int(rng.integers(4))), int(at), int(rows[i]))
        for i, at in enumerate(NOW + np.cumsum(steps))
    ]
    one = Gate.open(policy)

    async def work(shared: SharedGate) -> list[Answer]:
        for gate in (one, shared.known):
            # So many accounts to one parent that it runs out, too.
            gate.enrol(np.arange(24, dtype=np.uint64), made, np.arange(24) % 6, np.full(24, 9, np.uint64))
        answers: list[Answer] = []
        for begin in range(0, n, 100):
            answers += await asyncio.gather(*(shared.admit(*request) for request in requests[begin : begin + 100]))
        return answers

    answers = with_gate(server, policy, work)
    wanted = [one.admit(*request) for request in requests]
    assert [(i, requests[i], a, b) for i, (a, b) in enumerate(zip(answers, wanted, strict=True)) if a != b][:1] == []
    seen = {answer.rule for answer in wanted} | {answer.would for answer in wanted}
    assert seen == {Rule.NONE, Rule.NOVELTY, Rule.PARENT, Rule.ROWS, Rule.LIMIT}


def media(gate: SharedGate, account: int, recording: int, now_us: int = NOW) -> Awaitable[Answer]:
    return gate.admit(account, recording, Kind.MEDIA, now_us)


def test_sixty_four_at_once_through_four_gates_get_exactly_the_budget(server: Server) -> None:
    policy = Policy(mode=Mode.ENFORCE, novelty_burst=500, novelty_per_day=1, requests_burst=10_000)

    async def work(gate: SharedGate) -> Counter[int]:
        others = [await SharedGate.open(policy, Sharing(server.url, patience=PATIENT, apart_s=0)) for _ in range(3)]
        gates, statuses = [gate, *others], Counter[int]()

        async def client(n: int) -> None:
            for i in range(16):
                statuses[(await media(gates[n % 4], 7, 1 + 16 * n + i)).status] += 1

        await asyncio.gather(*(client(n) for n in range(64)))
        await asyncio.gather(*(other.close() for other in others))
        return statuses

    assert with_gate(server, policy, work) == {200: 500, 429: 524}


def test_a_request_that_waits_alone_and_many_that_wait_are_one_question_each(server: Server) -> None:
    async def work(gate: SharedGate) -> int:
        await media(gate, 1, 1)
        await asyncio.gather(*(media(gate, n, 1) for n in range(1, 129)))
        with server.client() as client:
            return int(client.info("commandstats")["cmdstat_evalsha"]["calls"])

    with server.client() as client:
        client.config_resetstat()
    assert with_gate(server, TIGHT, work) == 2


def test_what_an_account_had_takes_fourteen_kilobytes_at_3500_recordings(server: Server) -> None:
    async def work(gate: SharedGate) -> int:
        await gate.backfill(np.full(3500, 7, np.uint64), np.arange(1, 3501, dtype=np.uint64))
        assert [(await media(gate, 7, n)).status for n in (1, 3500)] == [200, 200]
        with server.client() as client:
            return sum(int(client.memory_usage(key, samples=0) or 0) for key in client.keys("riparian:*:a:*"))

    assert 10_000 < with_gate(server, TIGHT, work) < 16_000


def test_who_is_idle_is_forgotten_when_every_bucket_is_full_again(server: Server) -> None:
    async def work(gate: SharedGate) -> list[int]:
        gate.known.enrol(codes(7), np.array([NOW - DAY_US]), None, codes(9))
        await media(gate, 7, 1)
        with server.client() as client:
            return sorted(client.ttl(key) // 86_400 for key in client.keys("riparian:{*"))

    assert with_gate(server, TIGHT, work, idle_days=1) == [3, 3]
    assert with_gate(server, TIGHT, work, idle_days=0) == [-1, -1]


def test_whoever_is_forgotten_begins_anew_and_nobody_else_does(server: Server) -> None:
    async def work(gate: SharedGate) -> tuple[list[int], list[bool]]:
        gate.known.enrol(codes(7, 8), np.array([NOW - DAY_US] * 2), None, codes(9, 9))
        for account in (7, 8):
            await media(gate, account, 1)
        found = [await gate.forget(account) for account in (7, 7)]
        with server.client() as client:
            assert client.keys("riparian:*:a:*") == [b"riparian:{00}:a:" + b"0" * 15 + b"8"]
            assert len(client.keys("riparian:*:p:*")) == 1
        return [(await media(gate, account, 1)).status for account in (7, 8)], found

    assert with_gate(server, TIGHT, work) == ([200, 200], [True, False])


def test_nobody_is_forgotten_where_the_server_is_out_of_reach() -> None:
    async def main(url: str) -> None:
        gate = await SharedGate.open(TIGHT, Sharing(url, patience=QUICK))
        with pytest.raises(OutsideError, match=r"out of reach \(\w+\), wanted to tell it"):
            await gate.forget(7)
        await gate.close()

    asyncio.run(main("redis://127.0.0.1:1"))


def test_a_script_that_was_thrown_away_is_sent_again_and_nobody_notices(server: Server) -> None:
    async def work(gate: SharedGate) -> list[int]:
        statuses = [(await media(gate, 7, 1)).status]
        with server.client() as client:
            client.script_flush()
        return [*statuses, (await media(gate, 7, 2)).status, sum(gate.failures.values())]

    assert with_gate(server, TIGHT, work) == [200, 200, 0]


def test_a_clock_that_goes_back_earns_nothing(server: Server) -> None:
    async def work(gate: SharedGate) -> list[int]:
        used = [(await media(gate, 7, n)).status for n in range(1, 5)]
        back = [(await media(gate, 7, 10 + n, NOW - n * DAY_US)).status for n in range(9)]
        return [
            *used,
            *back,
            (await media(gate, 7, 5, NOW + DAY_US // 2)).status,
            (await media(gate, 7, 6, NOW)).status,
        ]

    assert with_gate(server, TIGHT, work) == [200] * 4 + [429] * 9 + [200, 429]


def test_clocks_that_are_apart_decide_nothing(server: Server) -> None:
    async def work(gate: SharedGate) -> tuple[Answer, str, int]:
        answer = await gate.admit(7, 1, Kind.LICENCE, NOW)
        with server.client() as client:
            return answer, gate.ailing or "clock", len(client.keys("riparian:{*"))

    answer, ailing, kept = with_gate(server, TIGHT, work, apart_s=300)
    assert (answer, ailing, kept) == (Undecided(503, retry_after_s=5, cause="clock"), "clock", 0)


DOWN = Policy(mode=Mode.ENFORCE, down_per_minute=2, grant_s=30, media_open_s=0)


@pytest.mark.parametrize(
    ("policy", "kind", "statuses"),
    [
        pytest.param(DOWN, Kind.MEDIA, [200, 200, 200], id="media stay open"),
        pytest.param(DOWN, Kind.LICENCE, [503, 503, 503], id="licences close"),
        pytest.param(DOWN, Kind.METADATA, [200, 200, 429], id="metadata fall to a limit"),
        pytest.param(replace(DOWN, metadata_down=Down.CLOSE), Kind.METADATA, [503] * 3, id="metadata close"),
        pytest.param(DOWN, Kind.BULK, [503, 503, 503], id="bulk closes"),
        pytest.param(replace(DOWN, bulk_down=Down.LIMIT), Kind.BULK, [200, 200, 429], id="bulk falls to a limit"),
        pytest.param(replace(DOWN, mode=Mode.SHADOW), Kind.LICENCE, [200, 200, 200], id="in shadow nothing closes"),
    ],
)
def test_while_nobody_answers_each_kind_has_its_policy_and_all_is_counted(
    policy: Policy, kind: Kind, statuses: list[int]
) -> None:
    async def main() -> tuple[list[Answer], SharedGate]:
        gate = await SharedGate.open(policy, Sharing("unix:///nowhere/s", patience=QUICK))
        gate.known.judge(codes(8), [Restraint.HOLD], [0], [Rule.PERSON])
        answers = [await gate.admit(7, 1, kind, NOW + n) for n in range(3)]
        assert (await gate.admit(8, 1, kind, NOW)).status == (200 if policy.mode is Mode.SHADOW else 403)
        assert gate.ailing == "connection"
        await gate.close()
        return answers, gate

    answers, gate = asyncio.run(main())
    assert [answer.status for answer in answers] == statuses
    assert all(isinstance(answer, Undecided) and answer.cause == "connection" for answer in answers)
    assert gate.let_through[kind, "connection"] == statuses.count(200) + (policy.mode is Mode.SHADOW)
    assert gate.closed[kind, "connection"] == 3 - statuses.count(200)
    assert gate.failures["connection"] >= 1


def test_media_close_when_no_grant_from_before_would_hold_any_more() -> None:
    async def main() -> list[int]:
        gate = await SharedGate.open(DOWN, Sharing("unix:///nowhere/s", patience=QUICK))
        first = await media(gate, 7, 1)
        gate._lines[0]._broken_at_s -= 30
        statuses = [first.status, (await media(gate, 7, 1)).status]
        await gate.close()
        return statuses

    assert asyncio.run(main()) == [200, 503]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what it waits for happens in another process
            await asyncio.sleep(0.02)


def test_a_frozen_server_delays_those_who_wait_once_and_comes_back() -> None:
    async def main(server: Server) -> None:
        gate = await SharedGate.open(DOWN, Sharing(server.url, patience=QUICK, apart_s=0))
        assert type(await media(gate, 7, 1)) is Answer
        loop = asyncio.get_running_loop()
        server.freeze()
        begun_s = loop.time()
        first = await asyncio.gather(*(media(gate, n, 1) for n in range(1, 1001)))
        once_s = loop.time() - begun_s
        later = [await media(gate, n, 1) for n in range(100)]
        assert {type(answer) for answer in [*first, *later]} == {Undecided}
        # Each waiting by itself would wait a thousand times as long; how busy the machine is, is not the question.
        assert QUICK.answer_s <= once_s < 200 * QUICK.answer_s
        assert loop.time() - begun_s - once_s < 50 * QUICK.answer_s
        assert gate.ailing == "timeout"
        server.thaw()
        await until(lambda: not gate.ailing)
        assert type(await media(gate, 7, 2)) is Answer
        assert gate.let_through[Kind.MEDIA, "timeout"] == 1100
        await gate.close()

    with running() as server:
        asyncio.run(main(server))


def test_a_server_that_lost_everything_only_ever_favours_the_listener_and_it_is_told() -> None:
    policy = replace(TIGHT, requests_burst=1000)

    async def main(server: Server) -> None:
        gate = await SharedGate.open(policy, Sharing(server.url, patience=QUICK, apart_s=0))
        gate.known.enrol(codes(7, 8), np.array([NOW - 400 * DAY_US, NOW + 2]))
        await gate.backfill(codes(7), codes(99), since_us=0)
        assert [(await media(gate, 7, n)).status for n in range(1, 7)] == [200] * 4 + [429] * 2
        server.kill()
        assert isinstance(await media(gate, 7, 1), Undecided)
        server.start()
        await until(lambda: not gate.ailing)
        # Its own are repeats that the server knows nothing of any more: served, however many.
        assert [(await media(gate, 7, n, NOW + 1)).status for n in range(1, 40)] == [200] * 39
        assert gate.losses == 1
        # Whoever came afterwards has no history to be spared for.
        assert [(await media(gate, 8, n, NOW + 2)).status for n in range(1, 4)] == [200, 200, 429]
        # Who is told what was had charges what is new again, and serves the rest.
        await gate.backfill(np.full(4, 7, np.uint64), codes(1, 2, 3, 4), since_us=NOW - 28 * DAY_US)
        statuses = [(await media(gate, 7, n, NOW + 3)).status for n in (*range(1, 40), *range(50, 55))]
        assert statuses == [200] * 39 + [200] * 4 + [429]
        await gate.close()

    with running() as server:
        asyncio.run(main(server))


def test_a_server_that_may_throw_keys_away_is_refused() -> None:
    wanted = r"`maxmemory-policy` is `allkeys-lru`, wanted `noeviction`"
    settings_: dict[str, Any] = {"maxmemory": "50mb", "maxmemory-policy": "allkeys-lru"}
    with running(**settings_) as server, pytest.raises(LifecycleError, match=wanted):
        asyncio.run(SharedGate.open(TIGHT, Sharing(server.url)))


def test_without_its_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(LifecycleError, match="`redis` is not installed") as caught:
        asyncio.run(SharedGate.open(TIGHT, Sharing("redis://127.0.0.1")))
    assert "riparian[valkey]" in caught.value.hint


def test_a_bucket_that_a_double_does_not_hold_is_refused() -> None:
    with pytest.raises(PolicyError, match="`rows_burst` is 200000, wanted at most 104249"):
        asyncio.run(SharedGate.open(replace(TIGHT, rows_burst=200_000), Sharing("redis://127.0.0.1")))


def test_in_a_cluster_every_question_has_one_slot_and_a_parent_is_charged_afterwards() -> None:
    policy = replace(TIGHT, requests_burst=1000)

    async def main(url: str) -> list[Answer]:
        gate = await SharedGate.open(policy, Sharing(url, is_cluster=True, patience=PATIENT, apart_s=0))
        spread = np.arange(1, 61, dtype=np.uint64) << np.uint64(58)
        gate.known.enrol(spread, np.full(60, NOW), None, np.full(60, 9, np.uint64))
        await gate.backfill(spread[:1], codes(1), since_us=0)
        answers = [await media(gate, int(account), n) for account in spread for n in (2, 3)]
        assert (gate.ailing, dict(gate.failures)) == ("", {})
        assert all([await gate.forget(int(account)) for account in spread[:2]])
        await gate.close()
        return answers

    one = Gate.open(policy)
    spread = np.arange(1, 61, dtype=np.uint64) << np.uint64(58)
    one.enrol(spread, np.full(60, NOW), None, np.full(60, 9, np.uint64))
    with running(unix=False, **{"cluster-enabled": "yes"}) as server:
        with server.client() as client:
            ask: Any = client.execute_command
            ask("CLUSTER ADDSLOTSRANGE", 0, 16383)
            asyncio.run(until(lambda: ask("CLUSTER INFO")["cluster_state"] == "ok"))
        answers = asyncio.run(main(server.url))
    assert answers == [one.admit(int(account), n, Kind.MEDIA, NOW) for account in spread for n in (2, 3)]
    assert {answer.rule for answer in answers} == {Rule.NONE, Rule.PARENT}
