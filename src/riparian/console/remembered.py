"""What was computed already, and is still so?

What takes long and changes only with a scan or a person's step is computed once for all who look, and again when the
version of the decisions is another one.
"""

import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """The last answer for each workspace; whoever asks meanwhile waits for it instead of computing it, too.

    Examples
    --------
    >>> answers = Remembered[int]()
    >>> answers.of(Path("w"), 1, lambda: 17), answers.of(Path("w"), 1, lambda: 18), answers.of(Path("w"), 2, lambda: 18)
    (17, 17, 18)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Path, tuple[Hashable, T]] = {}

    def of(self, workspace: Path, version: Hashable, compute: Callable[[], T]) -> T:
        """Answer from memory, or compute."""
        with self._lock:
            known = self._known.get(workspace)
            if known is None or known[0] != version:
                known = self._known[workspace] = version, compute()
            return known[1]
