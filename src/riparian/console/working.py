"""Who looks at what was brought, while people look at something else?

A process for each, two at once, the others wait; it ends with the console, and when somebody cancels it.  What a file
does to whoever reads it, it does there; sound is decoded in a process of its own below that one, as ever.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from riparian.assembly import Given
from riparian.console import finds
from riparian.console.finds import Find

COMMAND: Final[tuple[str, ...]] = (sys.executable, "-P", "-m", "riparian.console.looking")
"""Nothing of the folder where we happen to be is imported (-P)."""
AT_ONCE: Final = 2
LONGEST_S: Final = 3600.0
_GRACE_S: Final = 2.0
_TURN: Final = threading.BoundedSemaphore(AT_ONCE)
_RUNNING: Final[dict[Path, "subprocess.Popen[bytes]"]] = {}
_LOCK: Final = threading.Lock()


def begin(given: Given, find: Find) -> None:
    """Let one be looked at, when its turn has come.

    Raises
    ------
    LifecycleError
        When somebody works on it.
    """
    folder = finds.folder_of(given, find.key).absolute()
    handle = finds.locked(folder)
    finds.cleared(folder)
    task = {
        "folder": str(folder),
        "find": {name: getattr(find, name) for name in Find.__slots__},
        "workspace": str(given.workspace.absolute()),
        "policy": str(given.policy.absolute()) if given.policy is not None else None,
    }
    # A thread that waits for its turn ends with the console, and its lock with it.
    threading.Thread(target=_work, args=(folder, task, handle), daemon=True, name=f"found-{find.key}").start()


def cancel(given: Given, key: str) -> None:
    """Let one be looked at no more."""
    folder = finds.folder_of(given, key).absolute()
    if not finds.waits(finds.state_of(folder)):
        return
    (folder / "cancelled").touch(mode=0o600)
    with _LOCK:
        child = _RUNNING.get(folder)
    if child is not None:
        _end(child)


def _work(folder: Path, task: dict[str, object], handle: int) -> None:
    with _TURN:
        try:
            code = None if (folder / "cancelled").exists() else _run(folder, task, handle)
            if code is not None and not (folder / "result.json").exists() and not (folder / "cancelled").exists():
                told = {"found": f"whoever looked at it ended with {code}", "wanted": "an answer", "to_do": _AGAIN}
                finds.write(folder / "result.json", {"failed": told})
        finally:
            os.close(handle)


_AGAIN: Final = "Look at what the console wrote where it was started, and try again."


def _run(folder: Path, task: dict[str, object], handle: int) -> int:
    # The lock is held by the child as long as it lives.
    child = subprocess.Popen(  # noqa: S603 -- ours
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, pass_fds=(handle,)
    )
    with _LOCK:
        _RUNNING[folder] = child
    late = threading.Timer(LONGEST_S, _end, (child,))
    late.daemon = True
    late.start()
    try:
        assert child.stdin is not None  # noqa: S101 -- a pipe was asked for
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps(task).encode() + b"\n")
            child.stdin.flush()
        # Somebody may have cancelled it between our look and its beginning.
        if (folder / "cancelled").exists():
            _end(child)
        return child.wait()
    finally:
        late.cancel()
        with _LOCK:
            _RUNNING.pop(folder, None)
        _kill(child, signal.SIGKILL)
        if child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()


def _end(child: "subprocess.Popen[bytes]") -> None:
    _kill(child, signal.SIGTERM)
    try:
        child.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        _kill(child, signal.SIGKILL)


def _kill(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    # It began a group of its own, in which decoders are, too.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
