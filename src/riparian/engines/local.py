"""How are all cores of this machine put to work?

Each process is begun anew and inherits nothing but what it is told: no lock or thread of ours is copied half-way.
Ctrl-C is for the process that asked: it takes back what has not begun, and waits for what has.
"""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from riparian.errors import OutsideError

T = TypeVar("T")
R = TypeVar("R")


class Processes:
    """``ports.Jobs`` on this machine.

    Parameters
    ----------
    workers
        How many processes at once; with 1, or for a single thing, there is no other than this one.

    Examples
    --------
    >>> list(Processes(1).run(len, ["a", "bc"]))
    [1, 2]
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

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
        # Spawned, each of them reads this before anything is imported: a kernel of theirs has one thread.
        before = {name: os.environ.get(name) for name in _THREADS}
        os.environ.update(dict.fromkeys(_THREADS, "1"))
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
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
