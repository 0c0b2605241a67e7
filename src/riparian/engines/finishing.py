"""How are tasks finished under a ledger, whoever does them?

::

    enter --> lease --> a member of the crew does it --> written down --> told, in order
                 ^                                            |
                 +---- failed, and not too often -------------+

Whatever is told is read from the ledger, and checked against its checksum, whether it was made now, before, or by
somebody else meanwhile.  Only what is written down is told, so that whoever acts on it need not ask again.
"""

import contextlib
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from riparian.engines.crews import Answer, Crew
from riparian.errors import InputError, LifecycleError, OutsideError
from riparian.ports.jobs import ATTEMPTS, Ended, Entry, Ledger, State, Task

T = TypeVar("T")
_WRITTEN_S: Final = 0.05
_WRITTEN_AT_ONCE: Final = 64
_AHEAD: Final = 8
_LOOK_S: Final = 0.2
_TERMINATED: Final = 128 + signal.SIGTERM


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """What was asked of an engine: see ``ports.Jobs.finish``."""

    job: str
    do: Callable[[T], bytes]
    tasks: list[Task[T]]
    is_there: Callable[[T, bytes], bool]

    @classmethod
    def of(
        cls, job: str, do: Callable[[T], bytes], tasks: Iterable[Task[T]], is_there: Callable[[T, bytes], bool]
    ) -> "Asked[T]":
        """Look at what is asked.

        Raises
        ------
        InputError
            When two tasks have one name.
        """
        listed = list(tasks)
        seen: set[str] = set()
        for task in listed:
            if task.name in seen:
                raise InputError(f"two tasks of `{job}` are called `{task.name}`, wanted a name for each")
            seen.add(task.name)
        return cls(job, do, listed, is_there)


def finish(ledger: Ledger, crew: Callable[[int], Crew], asked: Asked[T]) -> Iterator[Ended[T]]:
    """Finish tasks by a crew, and tell each in order.

    Parameters
    ----------
    ledger
        Where they are entered.
    crew
        Gives a crew for so many tasks; nobody is called where nothing is left to do.
    asked
        What is to be done.
    """
    if not asked.tasks:
        return
    with _ended_in_order(), ledger.join() as owner, contextlib.ExitStack() as stack:
        ledger.enter(asked.job, [(task.name, task.fingerprint) for task in asked.tasks])
        yield from _Run(ledger, asked, owner, lambda n: stack.enter_context(contextlib.closing(crew(n)))).told()


@dataclass(slots=True)
class _Run(Generic[T]):
    """One who finishes tasks, beside others perhaps."""

    ledger: Ledger
    asked: Asked[T]
    owner: str
    call: Callable[[int], Crew]
    crew: Crew | None = None
    ours: set[str] = field(default_factory=set)
    free: deque[str] = field(default_factory=deque)
    leased: deque[str] = field(default_factory=deque)
    flying: dict[int, str] = field(default_factory=dict)
    unwritten: list[tuple[str, bytes]] = field(default_factory=list)
    written_s: float = field(default_factory=time.monotonic)

    def told(self) -> Iterator[Ended[T]]:
        numbers = {task.name: n for n, task in enumerate(self.asked.tasks)}
        at = 0
        while at < len(self.asked.tasks):
            ended = self._ended(self.asked.tasks[at])
            if ended is not None:
                at += 1
                yield ended
                continue
            self._lease(numbers)
            self._work(numbers)

    def _ended(self, task: Task[T]) -> Ended[T] | None:
        """Look whether a task has come to its end; one whose result is no good begins again."""
        job = self.asked.job
        entry = self.ledger.read(job, task.name)
        if entry is None or entry.fingerprint != task.fingerprint:
            raise LifecycleError(
                f"somebody else began or struck out the task `{task.name}` of `{job}`, wanted it as it was entered",
                hint="Wait until the other is done, and begin again: what is done is not done again.",
            )
        if entry.state is State.GIVEN_UP:
            return Ended(task, None, _given_up(entry), entry.attempts)
        if entry.state is not State.DONE:
            return None
        if entry.result is None or (task.name not in self.ours and not self.asked.is_there(task.item, entry.result)):
            self.ledger.again(job, task.name)
            self.ours.add(task.name)
            self.free.append(task.name)
            return None
        return Ended(task, entry.result, None, entry.attempts)

    def _lease(self, numbers: dict[str, int]) -> None:
        wanted = (self.crew.size if self.crew is not None else 1) * _AHEAD
        if len(self.leased) + len(self.flying) >= max(1, wanted // 2):
            return
        if not self.free:
            self.free.extend(name for name in self.ledger.open(self.asked.job) if name in numbers)
        if not self.free:
            return
        if self.crew is None:
            self.crew = self.call(len(self.free))
        tried = list(self.free)[: self.crew.size * _AHEAD]
        got = self.ledger.lease(self.asked.job, tried, self.owner, len(tried))
        for _ in tried:
            self.free.popleft()
        self.leased.extend(got)

    def _work(self, numbers: dict[str, int]) -> None:
        """Hand tasks out, wait for an answer, and write down what there is."""
        crew = self.crew
        while crew is not None and self.leased and len(self.flying) < crew.size:
            name = self.leased.popleft()
            self.flying[numbers[name]] = name
            crew.give(numbers[name], self.asked.tasks[numbers[name]].item)
        if crew is None or not self.flying:
            self._write()
            # Others are at what is left.
            time.sleep(_LOOK_S if not self.free else 0)
            return
        for number, answer in crew.take(_WRITTEN_S if self.unwritten else _LOOK_S):
            self._heard(self.flying.pop(number), answer)
        waits_s = time.monotonic() - self.written_s
        if len(self.unwritten) >= _WRITTEN_AT_ONCE or waits_s > _WRITTEN_S or not (self.flying or self.leased):
            self._write()

    def _heard(self, name: str, answer: Answer) -> None:
        self.ours.add(name)
        if answer.result is not None:
            self.unwritten.append((name, answer.result))
            return
        error = answer.error or OutsideError("the task gave nothing, wanted bytes")
        most = ATTEMPTS if isinstance(error, OutsideError) else 1
        self.ledger.failed(self.asked.job, self.owner, name, error, most=most)
        if most > 1:
            self.free.append(name)

    def _write(self) -> None:
        if self.unwritten:
            self.ledger.done(self.asked.job, self.owner, self.unwritten)
            self.unwritten = []
        self.written_s = time.monotonic()


def _given_up(entry: Entry) -> Any:
    return entry.error or OutsideError("the task was given up, and nobody wrote down why")


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM end us as Ctrl-C does: what is leased is given back, and those who work for us are sent home."""
    # A program that has plans of its own for the signal keeps them; and only the main thread may have any.
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def end(_number: int, _frame: object) -> None:
        raise SystemExit(_TERMINATED)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
