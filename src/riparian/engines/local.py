"""How are all cores of this machine put to work?

Each process is begun anew and inherits nothing but what it is told: no lock or thread of ours is copied half-way.
Ctrl-C is for the process that asked: it takes back what has not begun, and waits for what has; under a ledger, where
nothing is lost by it, it waits for nothing.
"""

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from riparian.engines.crews import Alone, Crew
from riparian.engines.finishing import Asked, finish
from riparian.engines.spawned import Spawned, one_thread
from riparian.errors import OutsideError
from riparian.ports.jobs import Ended, Ledger, Task, intact

T = TypeVar("T")
R = TypeVar("R")


class Processes:
    """``ports.Jobs`` on this machine.

    Parameters
    ----------
    workers
        How many processes at once; with 1, or for a single thing, there is no other than this one.
    ledger
        Under which tasks are finished.
    """

    def __init__(self, workers: int, ledger: Ledger) -> None:
        self.workers = workers
        self._ledger = ledger

    def run(self, do: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """See ``ports.Jobs``.

        Raises
        ------
        OutsideError
            When a process dies, for want of memory for one.
        """
        things = list(items)
        if self.workers < 2 or len(things) < 2:
            yield from map(do, things)
            return
        with one_thread():
            pool = ProcessPoolExecutor(min(self.workers, len(things)), get_context("spawn"), _begin)
            try:
                yield from (future.result() for future in [pool.submit(do, thing) for thing in things])
            except BrokenProcessPool as error:
                raise OutsideError(
                    "a process that worked for us died, and what it worked at with it",
                    hint="Look at the machine's memory, or take fewer --workers; what is done is not done again.",
                ) from error
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def finish(
        self,
        job: str,
        do: Callable[[T], bytes],
        tasks: Iterable[Task[T]],
        is_there: Callable[[T, bytes], bool] = intact,
    ) -> Iterator[Ended[T]]:
        """See ``ports.Jobs``."""

        def crew(n: int) -> Crew:
            return Alone(do) if self.workers < 2 or n < 2 else Spawned(do, min(self.workers, n))

        return finish(self._ledger, crew, Asked.of(job, do, tasks, is_there))

    def forget(self, job: str, names: Iterable[str]) -> None:
        """See ``ports.Jobs``."""
        self._ledger.forget(job, names)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
