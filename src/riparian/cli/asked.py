"""When was a program that serves asked to end?"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def asked_to_end(also: Callable[[], None] | None = None) -> Iterator[threading.Event]:
    """Hear SIGTERM and Ctrl-C, by an event that is set; ``also`` is called then, too."""
    ended = threading.Event()

    def end(number: int, frame: Any) -> None:
        del number, frame
        ended.set()
        if also is not None:
            also()

    before: dict[int, Callable[..., Any] | int | None] = {
        number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
