"""How do several processes of this machine work, so that one that dies takes only its own task with it?

Each has a pipe of its own, and one task at a time: when it is gone, it is known what it was at.  When the process that
asked is gone, even killed, the pipe closes and they end at once, in the middle of a task too.
"""

import contextlib
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Final

from riparian.engines.crews import Answer, attempted, failed
from riparian.errors import OutsideError

THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
_PATIENCE_S: Final = 5.0


class Spawned:
    """A crew of processes that are begun as they are needed.

    Parameters
    ----------
    do
        What they do; picklable.
    size
        How many at once.
    """

    def __init__(self, do: Callable[[Any], bytes], size: int) -> None:
        self.size = size
        self._do = do
        self._members: dict[Connection, SpawnProcess] = {}
        self._idle: list[Connection] = []
        self._busy: dict[Connection, int] = {}

    def give(self, number: int, item: Any) -> None:
        """See :class:`riparian.engines.crews.Crew`."""
        while True:
            pipe = self._idle.pop() if self._idle else self._begin()
            try:
                pipe.send(item)
            except OSError:  # it died while it had nothing to do
                self._bury(pipe)
                continue
            self._busy[pipe] = number
            return

    def take(self, seconds: float) -> list[tuple[int, Answer]]:
        """See :class:`riparian.engines.crews.Crew`.

        Raises
        ------
        OutsideError
            When a process dies before it could begin: so would the next one.
        """
        answers = []
        for pipe in wait(list(self._busy), seconds):
            if not isinstance(pipe, Connection):
                continue
            try:
                told = pipe.recv()
            except (EOFError, OSError):
                code = self._bury(pipe)
                answers.append((self._busy.pop(pipe), Answer(error=failed(f"the process that did it died, {code}"))))
                continue
            answers.append((self._busy.pop(pipe), told))
            self._idle.append(pipe)
        return answers

    def close(self) -> None:
        """See :class:`riparian.engines.crews.Crew`."""
        for pipe, process in self._members.items():
            process.terminate()
            pipe.close()
        for process in self._members.values():
            process.join(_PATIENCE_S)
            if process.is_alive():
                process.kill()
                process.join()
        self._members, self._idle, self._busy = {}, [], {}

    def _begin(self) -> Connection:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        with one_thread():
            process = context.Process(target=_serve, args=(theirs, self._do), daemon=True)
            process.start()
        theirs.close()
        self._members[ours] = process
        try:
            ours.recv()
        except (EOFError, OSError) as error:
            code = self._bury(ours)
            raise OutsideError(
                f"a process that should work for us ended as it began, {code}",
                hint="Look at what it said above, and at the machine's memory.",
            ) from error
        return ours

    def _bury(self, pipe: Connection) -> str:
        process = self._members.pop(pipe)
        process.join(_PATIENCE_S)
        pipe.close()
        code = process.exitcode or 0
        return f"of {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let kernels of processes that are begun meanwhile have one thread: each reads this before it imports anything."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _serve(pipe: Connection, do: Callable[[Any], bytes]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    items: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def listen() -> None:
        while True:
            try:
                items.put(pipe.recv())
            except (EOFError, OSError):
                os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    pipe.send(True)  # noqa: FBT003 -- ready
    while True:
        pipe.send(attempted(do, items.get()))
