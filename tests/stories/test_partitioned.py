"""Same log, same evidence to the last bit: as one file, or in partitions by workers who come, go and are stopped."""

import datetime as dt
import random
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from riparian.flows.across import seen_until_us
from riparian.flows.extraction import Terms
from riparian.flows.helping import buckets_of, help_out
from riparian.ports import SHARED, Scan
from tests.feeds.renderings import START, Fact
from tests.stories.partitioned import PARTITIONS, Log, Stopped, Team, embedded, made, seen, stopped_after, terms, work

ALL = tuple(range(PARTITIONS))


def town(n: int = 1200) -> list[Fact]:
    """One account that takes what is new, and two dozen that listen, for eight days that end at noon."""
    rng = random.Random(5)  # noqa: S311 -- a simulation
    return [
        Fact(
            START + dt.timedelta(minutes=9.7 * i),
            "copier" if rng.random() < 0.4 else f"acct-{rng.randrange(24):02d}",
            f"GBAYE06{rng.randrange(10_000):05d}",
        )
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def on() -> Terms:
    return terms()


@pytest.fixture(scope="module")
def log() -> Log:
    return Log.of(town())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, on: Terms) -> dict[str, Any]:
    return embedded(tmp_path_factory.mktemp("embedded") / "w", town(), on)


def test_one_worker_comes_to_what_a_scan_of_the_file_comes_to(
    tmp_path: Path, log: Log, on: Terms, whole: dict[str, Any]
) -> None:
    assert work(made(tmp_path / "w"), log, ALL, on)
    assert seen(tmp_path / "w") == whole
    assert len(whole["evidence"]) == 25


@pytest.mark.parametrize(
    "shares",
    [
        pytest.param([(0, 1), (2, 3)], id="two workers"),
        pytest.param([(0,), (1,), (2,), (3,)], id="four workers"),
        pytest.param([(0, 1, 2, 3), ()], id="one that reads and one that has nothing to read"),
        pytest.param([(0, 1, 2), (2, 3)], id="two that read the same partition"),
    ],
)
def test_workers_at_the_same_time_come_to_the_same(
    tmp_path: Path, log: Log, on: Terms, whole: dict[str, Any], shares: Sequence[Sequence[int]]
) -> None:
    path, failed = made(tmp_path / "w"), []

    def run(given: Sequence[int]) -> None:
        try:
            work(path, log, given, on)
        except BaseException as error:  # noqa: BLE001 -- told to the test, which runs in another thread
            failed.append(error)

    threads = [threading.Thread(target=run, args=(given,)) for given in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    work(path, log, ALL, on)
    assert seen(path) == whole


@pytest.mark.parametrize("seed", range(3))
def test_workers_that_are_stopped_anywhere_lose_nothing_and_count_nothing_twice(
    tmp_path: Path, log: Log, on: Terms, whole: dict[str, Any], seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 -- a simulation
    path, stops = made(tmp_path / "w"), 0
    for _ in range(6):
        # Whoever comes next reads other partitions, in other portions.
        given = rng.sample(ALL, rng.randrange(1, PARTITIONS + 1))
        try:
            with stopped_after(rng.randrange(1, 120)):
                work(path, log, given, on, turns=4, at_once=rng.choice([80, 300, 900]))
        except Stopped:
            stops += 1
    assert work(path, log, ALL, on)
    assert seen(path) == whole
    assert stops >= 3


def test_the_others_count_their_buckets_while_one_scans(
    tmp_path: Path, log: Log, on: Terms, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "w")
    with Team(path, log, on, [(0,), (1, 2), (3,)]) as (leader, *others):
        helped: list[int] = []
        plain = leader.shares.take

        def take(offer: str, bucket: int, made: Scan) -> bool:
            # In between two buckets of the one who scans, the others are at theirs.
            for other in others if not helped else ():
                own = buckets_of(other.partitions.held(), PARTITIONS)
                helped.append(help_out(other.world, other.shares, on, own))
                assert help_out(other.world, other.shares, on, own) == 0
            return plain(offer, bucket, made)

        monkeypatch.setattr(leader.shares, "take", take)
        for worker in (*others, leader):
            while chunks := worker.partitions.poll(0.0):
                for chunk in chunks:
                    worker.shares.keep(chunk)
        assert leader.scan() is not None
        assert sum(helped) > 8
        assert all(helped)
    assert work(path, log, ALL, on)
    assert seen(path) == whole


def test_hands_on_other_terms_are_not_taken(tmp_path: Path, log: Log, on: Terms) -> None:
    path = made(tmp_path / "w")
    with Team(path, log, on, [ALL]) as (worker,):
        worker.shares.offer(1, b"other terms", {})
        assert help_out(worker.world, worker.shares, on, range(64)) == 0


def test_a_partition_that_lags_keeps_days_open_and_one_that_is_silent_does_not(
    tmp_path: Path, on: Terms, whole: dict[str, Any], log: Log
) -> None:
    path = made(tmp_path / "w")
    with Team(path, log, on, [(0, 1, 2)], at_once=5000) as (worker,):
        worker.turn()
        # Nothing is scanned before the beginning of every partition was read.
        assert not worker.world.scans.summaries()
    with Team(path, log, on, [(3,)], at_once=1) as (behind,):
        behind.turn()
        (summary,) = behind.world.scans.summaries()
        assert summary["accesses"] > 500
        # All but one partition were read to their ends: no day is over all the same.
        assert seen_until_us(behind.world.tallies.load(SHARED)) <= START.timestamp() * 1_000_000
    assert work(path, log, ALL, on)
    assert seen(path) == whole


def test_what_was_read_twice_is_taken_once_whoever_was_first(tmp_path: Path, log: Log, on: Terms) -> None:
    path = made(tmp_path / "w")
    with Team(path, log, on, [ALL, ALL], at_once=100) as (one, other):
        both = [chunk for worker in (one, other, one, one) for chunk in worker.partitions.poll(0.0)]
        for chunk in both:
            one.shares.keep(chunk)
        name = one.partitions.log(1)
        assert one.shares.reached(name, None) == 300
        assert [chunk.offsets.end for chunk in one.shares.goes_on(name, None)] == [100, 200, 300]  # type: ignore[attr-defined]
        one.shares.drop(name, 200)
        assert one.shares.waiting(name) == 1
        assert one.shares.reached(name, 200) == 300
        assert one.shares.reached(name, 250) == 250
