"""Who does the tasks of a ledger: this process, or several somewhere?

A crew is given tasks by number and tells what came of each.  It knows nothing of ledgers, leases or attempts
(:mod:`riparian.engines.finishing` does), and has one duty beside the work: of a member that dies it says which task
died with it, and goes on with another member.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from riparian.errors import OutsideError, RiparianError


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt.

    Parameters
    ----------
    result
        None when it failed.
    error
        Why it failed.
    """

    result: bytes | None = field(default=None, repr=False)
    error: RiparianError | None = None


class Crew(Protocol):
    """Some who work at once, each at one task."""

    @property
    def size(self) -> int:
        """How many they are."""
        ...

    def give(self, number: int, item: Any) -> None:
        """Give a task to one who has none; there is one, as long as fewer than ``size`` are unanswered."""
        ...

    def take(self, seconds: float) -> list[tuple[int, Answer]]:
        """Wait for answers, no longer than that, and take what there is."""
        ...

    def close(self) -> None:
        """Send them home; what they are at is dropped."""
        ...


def attempted(do: Callable[[Any], bytes], item: Any) -> Answer:
    """Do a task; whatever fails becomes an error of ours."""
    try:
        return Answer(do(item))
    except RiparianError as error:
        return Answer(error=error)
    except Exception as error:  # noqa: BLE001 -- a stray error of a task is told, and the others go on
        return Answer(error=failed(f"{type(error).__name__}: {error}"))


def failed(what: str) -> OutsideError:
    """Give the error of an attempt that may succeed another time."""
    return OutsideError(f"the task failed: {what}", hint="Look at what it works at; the others went on.")


class Alone:
    """A crew of one: this process, while it waits for the answer."""

    size = 1

    def __init__(self, do: Callable[[Any], bytes]) -> None:
        self._do = do
        self._given: list[tuple[int, Any]] = []

    def give(self, number: int, item: Any) -> None:
        """See :class:`Crew`."""
        self._given.append((number, item))

    def take(self, _seconds: float) -> list[tuple[int, Answer]]:
        """See :class:`Crew`."""
        given, self._given = self._given, []
        return [(number, attempted(self._do, item)) for number, item in given]

    def close(self) -> None:
        """See :class:`Crew`."""
