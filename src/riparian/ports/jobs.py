"""What work that is long, or runs in several places at once, asks of the outside: see :mod:`riparian.ports`.

Two ways to have it done
------------------------
::

    jobs.run(do, things)             what comes of them, in their order; what was done is forgotten with the process
    jobs.finish(job, do, tasks)      the same under a ledger: whoever is killed begins again where he was

Under a ledger a task has a name and a fingerprint of all that its result depends on.  It is leased, done, and its
result written down, whole, with its checksum.  A result comes back to those who ask in the order of their tasks; they
put it where it belongs, and then :meth:`Jobs.forget` it.  Several processes may ask for the same tasks at once: each
task is done by one of them, and every one of them is told.

A task that fails is tried again, at most ``ATTEMPTS`` times, and then given up and told; the others go on.  An error of
ours that trying again cannot help (:mod:`riparian.errors`: all but ``OutsideError``) is told at once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Generic, Protocol, TypeVar

from riparian.errors import RiparianError

T = TypeVar("T")
R = TypeVar("R")
ATTEMPTS: Final = 3
"""How often a task may fail before it is given up."""


@dataclass(frozen=True, slots=True)
class Task(Generic[T]):
    """One thing to be done under a ledger.

    Parameters
    ----------
    name
        No two tasks of a job have the same one.
    fingerprint
        Another one when the result would be another.
    item
        What is handed to whoever does it; picklable, and not written down.
    """

    name: str
    fingerprint: str
    item: T = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ended(Generic[T]):
    """A task that is done, or given up.

    Parameters
    ----------
    task
        Which.
    result
        What came of it; None when it was given up.
    error
        Why it was given up; None when it is done.
    attempts
        How often it failed before.
    """

    task: Task[T]
    result: bytes | None = field(repr=False)
    error: RiparianError | None = None
    attempts: int = 0


class State(StrEnum):
    """Where a task stands in a ledger."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a ledger says of a task.

    Parameters
    ----------
    fingerprint, state, attempts
        As above.
    result
        Of a task that is done; None where what is written is not what was written: then it has to be done again.
    error
        Of one that was given up.
    """

    fingerprint: str
    state: State
    attempts: int = 0
    result: bytes | None = field(default=None, repr=False)
    error: RiparianError | None = None


class Ledger(Protocol):
    """What was done, by whom, and what came of it; several processes may write to it at once."""

    def join(self) -> AbstractContextManager[str]:
        """Take part, under a name that nobody else has, until the end; leases are renewed meanwhile, and given back."""
        ...

    def enter(self, job: str, tasks: Sequence[tuple[str, str]]) -> None:
        """Enter tasks by name and fingerprint; one that is known with another fingerprint begins anew."""
        ...

    def open(self, job: str) -> list[str]:
        """List the tasks that nobody is at: waiting, or leased by somebody who is gone."""
        ...

    def lease(self, job: str, names: Iterable[str], owner: str, n: int) -> list[str]:
        """Lease the first so many of these that nobody is at; they are the owner's alone."""
        ...

    def done(self, job: str, owner: str, results: Sequence[tuple[str, bytes]]) -> None:
        """Write down what came of tasks, all or none; what is no longer leased to this owner is passed over."""
        ...

    def failed(self, job: str, owner: str, name: str, error: RiparianError, *, most: int) -> None:
        """Count a failure; the task waits again, or is given up after so many."""
        ...

    def again(self, job: str, name: str) -> None:
        """Let a task that is done be done again: its result is damaged, or what it speaks of is no longer there."""
        ...

    def read(self, job: str, name: str) -> Entry | None:
        """Look a task up; None when nobody entered it, or it was forgotten."""
        ...

    def forget(self, job: str, names: Iterable[str]) -> None:
        """Strike tasks out."""
        ...

    def counts(self, job: str) -> dict[State, int]:
        """Count the tasks in each state."""
        ...


def intact(_item: Any, _result: bytes) -> bool:
    """Say that a result speaks of nothing that could have gone."""
    return True


class Jobs(Protocol):
    """Where work runs that may run in several places at once."""

    def run(self, do: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Do the same with many things, and give what comes of them in their order.

        ``do`` and the things have to be picklable: a function of a module, or a ``partial`` of one.
        """
        ...

    def finish(
        self,
        job: str,
        do: Callable[[T], bytes],
        tasks: Iterable[Task[T]],
        is_there: Callable[[T, bytes], bool] = intact,
    ) -> Iterator[Ended[T]]:
        """Do tasks under the ledger, and tell each in their order; what the ledger has is not done again.

        Parameters
        ----------
        job
            By what its tasks are known again.
        do
            As of :meth:`run`; what it gives is written down.
        tasks
            What is to be done.
        is_there
            Says of a result that was found whether what it speaks of, such as files, is still there.

        Raises
        ------
        InputError
            When two tasks have one name.
        LifecycleError
            When somebody else began one of these tasks anew with another fingerprint.
        """
        ...

    def forget(self, job: str, names: Iterable[str]) -> None:
        """Strike tasks out of the ledger: their results are where they belong."""
        ...
