"""What was computed already, and is still so?

What takes long and changes only with a scan or a person's step is computed once for all who look, beside them, and
again when the version of the decisions is another one.  Nobody waits for long: they are told what was so before.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final, Generic, TypeVar

T = TypeVar("T")
PATIENCE_S: Final = 0.3


class Remembered(Generic[T]):
    """The last answer for each workspace, and the one that is being computed.

    Examples
    --------
    >>> answers = Remembered[int]()
    >>> answers.of(Path("w"), 1, lambda: 17), answers.of(Path("w"), 1, lambda: 18), answers.of(Path("w"), 2, lambda: 18)
    ((17, True), (17, True), (18, True))
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hand = ThreadPoolExecutor(1, "remembered")
        self._asked: dict[Path, tuple[Hashable, Future[T], float]] = {}
        self._known: dict[Path, T] = {}

    def of(
        self, workspace: Path, version: Hashable, compute: Callable[[], T], *, patience_s: float = PATIENCE_S
    ) -> tuple[T | None, bool]:
        """Answer from memory, or compute; say whether the answer is of this version.

        Parameters
        ----------
        workspace
            What is asked about.
        version
            Of what the answer depends on.
        compute
            Finds the answer, in another thread.
        patience_s
            How long it is waited for from when it was begun; whoever asks later than that does not wait.

        Returns
        -------
        tuple
            The answer, or the one before it while this one is computed; None where there is neither.
        """
        with self._lock:
            known = self._asked.get(workspace)
            if known is None or known[0] != version:
                known = self._asked[workspace] = version, self._hand.submit(compute), time.monotonic()
        wait([known[1]], max(0.0, known[2] + patience_s - time.monotonic()))
        if not known[1].done():
            return self._known.get(workspace), False
        try:
            self._known[workspace] = known[1].result()
        except BaseException:
            # Whoever asks next tries again.
            with self._lock:
                self._asked.pop(workspace, None)
            raise
        return self._known[workspace], True


class Lately(Generic[T]):
    """The latest answers, each by all that it depends on.

    Examples
    --------
    >>> answers = Lately[int](2)
    >>> [answers.of(one, lambda one=one: one * one) for one in (3, 4, 3)], answers.of(3, lambda: 0)
    ([9, 16, 9], 9)
    """

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._known: OrderedDict[Hashable, T] = OrderedDict()

    def of(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Answer from memory, or compute and remember it in the place of what was not asked for the longest."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        answer = compute()
        with self._lock:
            self._known[key] = answer
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return answer
