"""What is promised of ``ports.Jobs`` holds in one process, in several, and on Ray, under one ledger.

Workers write down what they did in a file beside the ledger, a line a task: so it is known what was done, and how
often, whoever was killed.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from riparian.engines.clocks import WallClock
from riparian.engines.local import Processes
from riparian.errors import InputError, LifecycleError, OutsideError, RiparianError
from riparian.ports.jobs import ATTEMPTS, Ended, Jobs, State, Task
from riparian.stores.jobs import KEPT_DAYS, NAME, SqlLedger
from riparian.stores.memory import FixedClock

JOB = "print"
DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Work:
    """One thing to do, and where to write down that it was done."""

    n: int
    diary: Path
    how: str = "well"
    seconds: float = 0.0


def do(work: Work) -> bytes:
    with work.diary.open("a") as file:
        file.write(f"{work.n}\n")
    time.sleep(work.seconds)
    if work.how == "dies":
        os._exit(7)
    if work.how == "fails":
        raise ValueError(f"{work.n} is poison")
    if work.how == "cannot be put right":
        raise InputError(f"{work.n} is no sound, wanted sound", hint="Send another.")
    if work.how == "fails once" and done_by(work.diary)[work.n] < 2:
        raise OSError("no space left")
    return b"result of %d" % work.n


def done_by(diary: Path) -> Counter[int]:
    return Counter(map(int, diary.read_text().split())) if diary.exists() else Counter()


def tasks(diary: Path, n: int, seconds: float = 0.0, fingerprint: str = "f", **hows: str) -> list[Task[Work]]:
    works = [Work(i, diary, hows.get(f"of_{i}", "well"), seconds) for i in range(n)]
    return [Task(f"t-{work.n}", fingerprint, work) for work in works]


def results(ended: list[Ended[Work]]) -> list[bytes | None]:
    return [one.result for one in ended]


def well(n: int) -> list[bytes]:
    return [b"result of %d" % i for i in range(n)]


Engine = Callable[[SqlLedger], Jobs]


def alone(ledger: SqlLedger) -> Jobs:
    return Processes(1, ledger)


def several(ledger: SqlLedger) -> Jobs:
    return Processes(2, ledger)


EVERY = [pytest.param(alone, id="one process"), pytest.param(several, id="several processes", marks=pytest.mark.slow)]
APART = EVERY[1:]
"""Those whose workers are other processes than the one that asks."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    made = SqlLedger(tmp_path / "jobs", WallClock())
    yield made
    made.close()


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    return tmp_path / "diary"


@pytest.mark.parametrize("engine", EVERY)
def test_results_come_in_order_and_are_not_made_again(engine: Engine, ledger: SqlLedger, diary: Path) -> None:
    jobs = engine(ledger)
    assert results(list(jobs.finish(JOB, do, tasks(diary, 12)))) == well(12)
    again = list(alone(ledger).finish(JOB, do, tasks(diary, 12)))
    assert results(again) == well(12)
    assert done_by(diary) == Counter(range(12))
    jobs.forget(JOB, [one.task.name for one in again])
    assert ledger.counts(JOB) == {}


@pytest.mark.parametrize("engine", EVERY)
def test_with_nothing_to_do_nothing_is_begun(engine: Engine, ledger: SqlLedger, tmp_path: Path) -> None:
    assert list(engine(ledger).finish(JOB, do, [])) == []
    assert not (tmp_path / "jobs").exists()


@pytest.mark.parametrize("engine", EVERY)
def test_an_input_that_changed_is_done_again_and_no_other(engine: Engine, ledger: SqlLedger, diary: Path) -> None:
    list(alone(ledger).finish(JOB, do, tasks(diary, 4)))
    changed = [Task(t.name, "another" if t.item.n == 2 else t.fingerprint, t.item) for t in tasks(diary, 4)]
    assert results(list(engine(ledger).finish(JOB, do, changed))) == well(4)
    assert done_by(diary) == Counter({0: 1, 1: 1, 2: 2, 3: 1})


@pytest.mark.parametrize("engine", EVERY)
@pytest.mark.parametrize(
    ("how", "attempts", "why"),
    [
        pytest.param("fails", ATTEMPTS, OutsideError("ValueError: 2 is poison"), id="a stray error is tried again"),
        pytest.param("cannot be put right", 1, InputError("2 is no sound"), id="an error of ours is told at once"),
    ],
)
def test_a_task_that_always_fails_is_given_up_and_the_others_go_on(
    engine: Engine, tmp_path: Path, how: str, attempts: int, why: RiparianError
) -> None:
    ledger, diary = SqlLedger(tmp_path, WallClock()), tmp_path / "diary"
    ended = list(engine(ledger).finish(JOB, do, tasks(diary, 5, of_2=how)))
    assert results(ended) == [None if i == 2 else b"result of %d" % i for i in range(5)]
    assert isinstance(ended[2].error, type(why))
    assert why.message in str(ended[2].error)
    assert ended[2].attempts == attempts == done_by(diary)[2]
    # It stays given up until it is forgotten.
    assert list(alone(ledger).finish(JOB, do, tasks(diary, 5, of_2=how)))[2].result is None
    assert done_by(diary)[2] == attempts
    ledger.forget(JOB, ["t-2"])
    assert results(list(alone(ledger).finish(JOB, do, tasks(diary, 5)))) == well(5)
    ledger.close()


@pytest.mark.parametrize("engine", EVERY)
def test_a_task_that_fails_once_is_done_the_second_time(engine: Engine, ledger: SqlLedger, diary: Path) -> None:
    ended = list(engine(ledger).finish(JOB, do, tasks(diary, 3, of_1="fails once")))
    assert (results(ended), [one.attempts for one in ended]) == (well(3), [0, 1, 0])


@pytest.mark.parametrize("engine", APART)
def test_a_worker_that_dies_takes_only_its_own_task_with_it(engine: Engine, ledger: SqlLedger, diary: Path) -> None:
    ended = list(engine(ledger).finish(JOB, do, tasks(diary, 8, of_3="dies")))
    assert results(ended) == [None if i == 3 else b"result of %d" % i for i in range(8)]
    assert "died" in str(ended[3].error)
    assert done_by(diary) == Counter({i: ATTEMPTS if i == 3 else 1 for i in range(8)})


@pytest.mark.parametrize("engine", EVERY)
def test_a_damaged_result_is_made_again(engine: Engine, ledger: SqlLedger, diary: Path, tmp_path: Path) -> None:
    list(alone(ledger).finish(JOB, do, tasks(diary, 4)))
    with sqlite3.connect(tmp_path / "jobs" / NAME) as other:
        other.execute("UPDATE task SET result = x'00' WHERE name = 't-1'")
    other.close()
    assert results(list(engine(ledger).finish(JOB, do, tasks(diary, 4)))) == well(4)
    assert done_by(diary) == Counter({0: 1, 1: 2, 2: 1, 3: 1})


@pytest.mark.parametrize("engine", EVERY)
def test_what_a_result_speaks_of_and_is_gone_is_made_again(engine: Engine, ledger: SqlLedger, diary: Path) -> None:
    list(alone(ledger).finish(JOB, do, tasks(diary, 4)))
    ended = list(engine(ledger).finish(JOB, do, tasks(diary, 4), lambda work, _: work.n != 3))
    assert results(ended) == well(4)
    assert done_by(diary) == Counter({0: 1, 1: 1, 2: 1, 3: 2})


@pytest.mark.parametrize("engine", EVERY)
def test_whoever_stops_listening_leaves_nothing_leased(engine: Engine, ledger: SqlLedger, diary: Path) -> None:
    for ended in engine(ledger).finish(JOB, do, tasks(diary, 6)):
        if ended.task.name == "t-1":
            break
    assert State.LEASED not in ledger.counts(JOB)
    assert results(list(alone(ledger).finish(JOB, do, tasks(diary, 6)))) == well(6)


def test_two_tasks_of_one_name_are_refused(ledger: SqlLedger, diary: Path) -> None:
    with pytest.raises(InputError, match="`t-0`"):
        list(alone(ledger).finish(JOB, do, [*tasks(diary, 1), *tasks(diary, 1)]))


@pytest.mark.parametrize("engine", EVERY)
def test_a_thousand_tiny_tasks_cost_little(engine: Engine, ledger: SqlLedger, diary: Path) -> None:
    before = time.process_time()
    assert results(list(engine(ledger).finish(JOB, do, tasks(diary, 1_000)))) == well(1_000)
    # About 0.3 ms a task; the bound is for machines that are slower or busy.
    assert time.process_time() - before < 3


def test_a_ledger_in_memory_keeps_the_same_promises(diary: Path) -> None:
    ledger = SqlLedger(None, FixedClock(0))
    assert results(list(Processes(1, ledger).finish(JOB, do, tasks(diary, 3)))) == well(3)
    assert ledger.counts(JOB) == {State.DONE: 3}
    ledger.close()


PROGRAM = """
import sys
from pathlib import Path
from riparian.engines.clocks import WallClock
from riparian.stores.jobs import SqlLedger
from tests.contracts import test_jobs as t

if __name__ == "__main__":
    engine, folder, diary, n, seconds = sys.argv[1:]
    ledger = SqlLedger(Path(folder), WallClock())
    for ended in getattr(t, engine)(ledger).finish(t.JOB, t.do, t.tasks(Path(diary), int(n), float(seconds))):
        print(ended.task.name, (ended.result or b"").decode(), flush=True)
"""
ROOT = Path(__file__).parents[2]


def begin(engine: Engine, folder: Path, n: int, seconds: float) -> "subprocess.Popen[str]":
    """Start a process of its own that finishes tasks."""
    program = folder / "program.py"
    program.write_text(PROGRAM)
    given = [engine.__name__, str(folder / "jobs"), str(folder / "diary"), str(n), str(seconds)]
    return subprocess.Popen(
        [sys.executable, str(program), *given],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    until_s = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("engine", EVERY)
def test_whoever_is_killed_in_the_middle_begins_again_where_he_was(engine: Engine, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    process = begin(engine, tmp_path, 30, 0.05)
    wait_until(lambda: done_by(diary).total() >= 10)
    process.kill()
    process.communicate()
    ledger = SqlLedger(tmp_path / "jobs", WallClock())
    had = ledger.counts(JOB)[State.DONE]
    # What the dead was at is free at once: nobody waits for the end of a lease.
    began_s = time.monotonic()
    assert results(list(alone(ledger).finish(JOB, do, tasks(diary, 30)))) == well(30)
    assert time.monotonic() - began_s < 20
    ledger.close()
    twice = [n for n, times in done_by(diary).items() if times > 1]
    assert had >= 6
    # At most what was being done, or was done and not written down within a twentieth of a second.
    assert len(twice) <= 4
    assert all(int(n) >= had - 4 for n in twice)


@pytest.mark.slow
@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGTERM, id="TERM")])
@pytest.mark.parametrize("engine", EVERY)
def test_whoever_is_cancelled_gives_back_what_he_leased(engine: Engine, number: int, tmp_path: Path) -> None:
    process = begin(engine, tmp_path, 30, 0.05)
    wait_until(lambda: done_by(tmp_path / "diary").total() >= 6)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode != 0
    ledger = SqlLedger(tmp_path / "jobs", WallClock())
    counts = ledger.counts(JOB)
    ledger.close()
    assert State.LEASED not in counts
    assert counts[State.DONE] >= 3
    assert not list((tmp_path / "jobs").glob("*.alive"))


@pytest.mark.slow
@pytest.mark.parametrize("engine", EVERY)
def test_two_at_once_over_one_ledger_do_no_task_twice(engine: Engine, tmp_path: Path) -> None:
    processes = [begin(engine, tmp_path, 40, 0.05) for _ in range(2)]
    told = [process.communicate(timeout=60)[0].split("\n") for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert told[0] == told[1] == [*(f"t-{i} result of {i}" for i in range(40)), ""]
    assert done_by(tmp_path / "diary") == Counter(range(40))


def test_a_lease_that_ended_is_free_and_its_owner_writes_nothing_down(tmp_path: Path) -> None:
    clock = FixedClock(0)
    slow, other = (SqlLedger(tmp_path, clock, lease_s=60) for _ in range(2))
    slow.enter(JOB, [("t", "f")])
    with slow.join() as late, other.join() as quick:
        assert slow.lease(JOB, ["t"], late, 1) == ["t"]
        assert (other.open(JOB), other.lease(JOB, ["t"], quick, 1)) == ([], [])
        clock.at_us += 61_000_000
        assert other.open(JOB) == ["t"]
        assert other.lease(JOB, ["t"], quick, 1) == ["t"]
        slow.done(JOB, late, [("t", b"late")])
        other.done(JOB, quick, [("t", b"in time")])
        slow.failed(JOB, late, "t", OutsideError("late"), most=1)
    entry = slow.read(JOB, "t")
    assert entry is not None
    assert (entry.state, entry.result) == (State.DONE, b"in time")
    slow.close()
    other.close()


def test_a_lease_is_renewed_while_its_owner_lives(tmp_path: Path) -> None:
    ledger = SqlLedger(tmp_path, WallClock(), lease_s=0.15)
    ledger.enter(JOB, [("t", "f")])
    with ledger.join() as owner:
        ledger.lease(JOB, ["t"], owner, 1)
        time.sleep(0.5)
        assert ledger.open(JOB) == []
    assert ledger.open(JOB) == ["t"]
    ledger.close()


def test_a_task_begun_anew_by_somebody_else_is_not_told_as_ours(ledger: SqlLedger, diary: Path) -> None:
    ended = alone(ledger).finish(JOB, do, tasks(diary, 3))
    next(ended)
    ledger.enter(JOB, [("t-2", "another")])
    with pytest.raises(LifecycleError, match="`t-2`"):
        list(ended)


def test_what_nobody_came_back_for_is_struck_out(tmp_path: Path) -> None:
    clock = FixedClock(0)
    ledger = SqlLedger(tmp_path, clock)
    ledger.enter(JOB, [("old", "f")])
    clock.at_us = KEPT_DAYS * DAY_US + 1
    ledger.enter(JOB, [("new", "f")])
    assert (ledger.read(JOB, "old"), ledger.open(JOB)) == (None, ["new"])
    ledger.close()


def test_a_torn_end_of_the_ledger_is_done_again(ledger: SqlLedger, diary: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    torn.mkdir()
    list(alone(ledger).finish(JOB, do, tasks(diary, 6)))
    for name in (NAME, f"{NAME}-wal"):
        (torn / name).write_bytes((tmp_path / "jobs" / name).read_bytes())
    with (torn / f"{NAME}-wal").open("r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) * 2 // 3)
    other = SqlLedger(torn, WallClock())
    assert results(list(alone(other).finish(JOB, do, tasks(diary, 6)))) == well(6)
    other.close()


@pytest.mark.parametrize(
    "found", [pytest.param(b"not a database, " * 400, id="something else"), pytest.param(None, id="a page of it")]
)
def test_a_damaged_ledger_is_one_clear_error(found: bytes | None, diary: Path, tmp_path: Path) -> None:
    ledger = SqlLedger(tmp_path, WallClock())
    list(alone(ledger).finish(JOB, do, tasks(diary, 6)))
    ledger.close()
    path = tmp_path / NAME
    whole = path.read_bytes()
    path.write_bytes(found if found is not None else whole[:100] + bytes(len(whole) - 100))
    other = SqlLedger(tmp_path, WallClock())
    with pytest.raises(OutsideError, match="ledger of jobs") as caught:
        list(alone(other).finish(JOB, do, tasks(diary, 6)))
    assert "remove it" in caught.value.hint
    other.close()
    path.unlink()
    fresh = SqlLedger(tmp_path, WallClock())
    assert results(list(alone(fresh).finish(JOB, do, tasks(diary, 6)))) == well(6)
    fresh.close()
