"""What was computed already, and is still so?

What takes long and changes only with a scan or a person's step is computed once for all who look, beside them, and
again when the version of the decisions is another one.  Nobody waits for long: they are told what was so before.
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final, Generic, TypeVar

T = TypeVar("T")
PATIENCE_S: Final = 0.5


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
        self._asked: dict[Path, tuple[Hashable, Future[T]]] = {}
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
            How long whoever asks waits for it.

        Returns
        -------
        tuple
            The answer, or the one before it while this one is computed; None where there is neither.
        """
        with self._lock:
            known = self._asked.get(workspace)
            if known is None or known[0] != version:
                known = self._asked[workspace] = version, self._hand.submit(compute)
        wait([known[1]], patience_s)
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
