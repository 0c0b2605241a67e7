import os
import signal
import time

import pytest

from riparian.engines.local import Processes
from riparian.errors import InputError, OutsideError
from riparian.stores.jobs import SqlLedger
from riparian.stores.memory import FixedClock


def processes(workers: int) -> Processes:
    return Processes(workers, SqlLedger(None, FixedClock(0)))


def where(thing: int) -> tuple[int, int]:
    return thing, os.getpid()


def threads(_: int) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


def refused(thing: int) -> int:
    if thing == 2:
        raise InputError("two is no good, wanted another", hint="Take three.")
    return thing


def dies(thing: int) -> int:
    if thing == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return thing


def test_with_one_worker_or_one_thing_nothing_is_begun() -> None:
    assert list(processes(1).run(where, range(3))) == [(n, os.getpid()) for n in range(3)]
    assert list(processes(4).run(where, [7])) == [(7, os.getpid())]
    assert list(processes(4).run(where, [])) == []


@pytest.mark.slow
def test_things_come_back_in_their_order_from_other_processes_of_one_thread() -> None:
    done = list(processes(2).run(where, range(8)))
    assert [thing for thing, _ in done] == list(range(8))
    assert os.getpid() not in {process for _, process in done}
    before = os.environ.get("OMP_NUM_THREADS")
    assert set(processes(2).run(threads, range(2))) == {"1"}
    assert os.environ.get("OMP_NUM_THREADS") == before


@pytest.mark.slow
def test_an_error_of_ours_comes_back_as_it_was_raised() -> None:
    with pytest.raises(InputError) as caught:
        list(processes(2).run(refused, range(4)))
    assert (caught.value.message, caught.value.hint) == ("two is no good, wanted another", "Take three.")


@pytest.mark.slow
def test_a_process_that_dies_is_an_error_of_the_outside() -> None:
    with pytest.raises(OutsideError, match="died"):
        list(processes(2).run(dies, range(4)))
