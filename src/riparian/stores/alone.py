"""Who may serve a workspace?

One process at a time: two that push to the same edges would each take the other's list for a loss, and send the whole
of theirs again and again.  And nobody while somebody else changes what gates keep.  The system unlocks ``serve.lock``
when the process dies; so it does the locks of whoever scans, watches or changes prints (:func:`locked_alone`).
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from riparian.errors import LifecycleError
from riparian.stores.files import reaching

LOCK: Final = "serve.lock"
SCAN: Final = "scan.lock"


@contextlib.contextmanager
def locked_alone(path: Path, doing: str, busy: LifecycleError) -> Iterator[None]:
    """Hold a lock that nobody waits for.

    Parameters
    ----------
    path
        The file; its folder is there.
    doing
        What is being done, for the disk's own errors.
    busy
        What somebody is told who comes while it is held.

    Raises
    ------
    LifecycleError
        When somebody holds it.
    OutsideError
        When the disk refuses.
    """
    with reaching(doing):
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def serving_alone(folder: Path) -> Iterator[None]:
    """Lock out everybody who serves this workspace.

    Raises
    ------
    LifecycleError
        When one does.
    OutsideError
        When the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, serving_alone(Path(folder)):
    ...     with serving_alone(Path(folder)):
    ...         pass
    Traceback (most recent call last):
    riparian.errors.LifecycleError: `riparian serve` runs on ...
    """
    doing = "locking the workspace to serve it"
    with reaching(doing):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    busy = LifecycleError(
        f"`riparian serve` runs on `{folder}`, wanted nobody at work there",
        hint="End it first and start it again afterwards, or name another --workspace.",
    )
    with locked_alone(folder / LOCK, doing, busy):
        yield


@contextlib.contextmanager
def scanning_alone(folder: Path) -> Iterator[None]:
    """Lock out everybody who scans this workspace.

    Raises
    ------
    LifecycleError
        When one does.
    OutsideError
        When the disk refuses.
    """
    busy = LifecycleError(f"a scan is running on `{folder}`, wanted it to have ended", hint="Wait until it has ended.")
    with locked_alone(folder / SCAN, "locking the workspace", busy):
        yield
