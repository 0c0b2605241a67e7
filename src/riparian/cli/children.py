"""Processes beside the one that serves: begun, watched, begun again when they die, and ended together.

A child is told what to do in one line of JSON on its standard input, and keeps that open: when it closes, its parent
is gone, and the child ends as if it was asked to.  A child that dies is begun again after half a second, then
twice as long each time, at most ``LONGEST_S``; one that ran for a minute is forgiven.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final

from riparian.cli.logged import Log

LONGEST_S: Final = 30.0
_FIRST_S: Final = 0.5
_FORGIVEN_S: Final = 60.0


@dataclass(slots=True)
class Child:
    """One of them.

    Parameters
    ----------
    name
        What people call it.
    task
        What it is told.
    log
        Hears how it fares.
    forwards
        Whether its lines on standard output are passed on one by one, so that none is written into another.
    restarts
        How often it was begun again.
    """

    name: str
    task: Mapping[str, Any]
    log: Log = field(default_factory=Log)
    forwards: bool = False
    restarts: int = 0
    _process: "subprocess.Popen[str] | None" = None
    _begun_s: float = 0.0
    _again_s: float = 0.0
    _in_a_row: int = 0

    @property
    def pid(self) -> int:
        """Its process, 0 while it has none."""
        return self._process.pid if self._process is not None else 0

    def begin(self) -> None:
        """Begin it."""
        command = [sys.executable, "-m", "riparian.cli.child"]
        # In a session of its own: Ctrl-C is for the parent, which ends its children in order.
        out = subprocess.PIPE if self.forwards else None
        self._process = subprocess.Popen(  # noqa: S603 -- ours
            command, stdin=subprocess.PIPE, stdout=out, text=True, start_new_session=True
        )
        self._begun_s = time.monotonic()
        if self._process.stdout is not None:
            threading.Thread(target=_forward, args=(self._process.stdout,), daemon=True).start()
        if self._process.stdin is not None:
            try:
                self._process.stdin.write(json.dumps(self.task) + "\n")
                self._process.stdin.flush()
            except BrokenPipeError:
                self.log.say("child_ended", f"{self.name} ended before it began.", child=self.name)

    def look(self) -> bool:
        """Begin it again if it died long enough ago; says whether it runs."""
        now_s = time.monotonic()
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return True
            self._let_go()
            self._in_a_row = 0 if now_s - self._begun_s > _FORGIVEN_S else self._in_a_row + 1
            wait_s = min(LONGEST_S, _FIRST_S * 2.0 ** min(self._in_a_row, 10))
            self._again_s = now_s + wait_s
            self.log.say(
                "child_ended",
                f"{self.name} ended with {code}; it is begun again in {wait_s:.1f} s.",
                child=self.name,
                code=code,
                again_s=wait_s,
            )
        if now_s < self._again_s:
            return False
        self.restarts += 1
        self.begin()
        return True

    def ask_to_end(self) -> None:
        """Ask it to finish what it does, and end."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def end(self, deadline_s: float) -> bool:
        """Wait for it, and no longer than that; False when it had to be killed, or failed."""
        if self._process is None:
            return True
        try:
            code = self._process.wait(max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.log.say("child_killed", f"{self.name} does not end, and is killed.", child=self.name)
            self._process.kill()
            code = self._process.wait()
        self._let_go()
        # Asked before it listened, it ended all the same.
        return code in (0, -signal.SIGTERM)

    def _let_go(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None


def end_all(children: Sequence[Child], *, patience_s: float) -> bool:
    """End all at once; False when one had to be killed, or failed."""
    deadline_s = time.monotonic() + patience_s
    for child in children:
        child.ask_to_end()
    ended = [child.end(deadline_s) for child in children]
    return all(ended)


def told() -> dict[str, Any]:
    """Learn, in a child, what to do; from here on the child ends with its parent."""
    task: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return task


def _forward(out: IO[str]) -> None:
    with out:
        for line in out:
            sys.stdout.write(line)
            sys.stdout.flush()


def _end_with_parent() -> None:
    # Not through `sys.stdin`, whose lock would be held when the interpreter ends.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
