"""What does a program say while it serves, to people or to whoever collects logs, and what may never stand in it?

::

    Log.TEXT   sentences on stderr, for a person at a terminal
    Log.JSON   one JSON object a line on stderr: at, process, pid, event, and the fields of that event

Rules
-----
* Events and their fields are a closed list, ``EVENTS``: what stands in no field is not logged.
* No field names an account, a person or an address of theirs: accounts are pseudonyms, counts are counts.  What was
  typed, read or sent by anybody is in no field either, so the words of an error are left out: its kind and the place
  in our own code where it was raised say which it was.
* One line is one write, so that lines of several processes never mix.
"""

import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final

from riparian.cli import terminal
from riparian.errors import RiparianError

EVENTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "serving": ("mode", "gates", "controls", "health", "logs"),
        "status": ("gates", "edges", "decisions", "seq", "restarts", "ready", "pids"),
        "edge": ("edge", "reach"),
        "waiting": ("error", "where"),
        "look_failed": ("error", "where"),
        "child_ended": ("child", "code", "again_s"),
        "child_killed": ("child",),
        "gate_began": ("shard", "of"),
        "charges_lost": ("shard", "charges"),
        "write_failed": ("error", "where"),
        "keys_failed": ("error", "where"),
        "following": ("logs",),
        "scanned": ("accesses", "accounts", "rejected", "rings", "decided", "as_of_us"),
        "decided": ("pseudonym", "action", "applied", "bits", "until"),
        "ring_found": ("ring", "accounts", "bits"),
        "no_longer_following": ("whole",),
        "answered": ("route", "method", "status", "ms"),
        "draining": (),
        "ended": ("clean",),
        "refused": ("error", "where"),
        "crashed": ("error", "where"),
        "logged": ("logger", "level", "says", "error", "where"),
    }
)
"""Every event, with all the fields that it may have."""

_PACKAGE: Final = Path(__file__).resolve().parents[1]


class Form(StrEnum):
    """Who reads it."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Log:
    """Says what happens.

    Parameters
    ----------
    form
        To whom.
    process
        Who says it: ``serve``, ``gate 0``, ``evidence``, ``console``.
    """

    form: Form = Form.TEXT
    process: str = "serve"

    @property
    def is_json(self) -> bool:
        """Whether programs read it."""
        return self.form is Form.JSON

    def say(self, event: str, text: str = "", **fields: Any) -> None:
        """Say one thing: its sentence to people, where it has one; its fields to programs."""
        if not self.is_json:
            if text:
                terminal.say(text)
            return
        kept = {name: fields[name] for name in EVENTS[event] if name in fields}
        line = {
            "at": datetime.now(UTC).isoformat(timespec="microseconds"),
            "process": self.process,
            "pid": os.getpid(),
            "event": event,
            **kept,
        }
        _write(json.dumps(line, default=str) + "\n")

    def failed(self, event: str, error: BaseException, text: str = "") -> None:
        """Say that something went wrong."""
        self.say(event, text, error=type(error).__name__, where=place(error.__traceback__))

    def take_over(self) -> None:
        """Say, where programs read, what else would be written to stderr: faults, and what libraries log."""
        if not self.is_json:
            return
        root = logging.getLogger()
        root.handlers = [_Libraries(self)]
        root.setLevel(logging.WARNING)
        logging.captureWarnings(capture=True)

        def crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
            del error
            self.say("crashed", error=kind.__name__, where=place(trace))

        def crashed_in_thread(args: threading.ExceptHookArgs) -> None:
            self.say("crashed", error=args.exc_type.__name__, where=place(args.exc_traceback))

        sys.excepthook = crashed
        threading.excepthook = crashed_in_thread


class _Libraries(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        # What others log may hold anything; of our own words only those that stand in the code.
        fields: dict[str, Any] = {"logger": record.name, "level": record.levelname.lower()}
        if record.name.startswith("riparian."):
            fields["says"] = str(record.msg)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            fields |= {"error": type(error).__name__, "where": place(error.__traceback__)}
        else:
            fields["where"] = f"{Path(record.pathname).name}:{record.lineno}"
        self._log.say("logged", **fields)


def place(trace: TracebackType | None) -> str:
    """Say where something was raised: the last of our own lines, or the last of all.

    Examples
    --------
    >>> place(None)
    ''
    """
    steps = traceback.extract_tb(trace)
    ours = [step for step in steps if Path(step.filename).resolve().is_relative_to(_PACKAGE)]
    last = (ours or steps)[-1:]
    return "".join(f"{Path(step.filename).name}:{step.lineno}" for step in last)


def run_logged(log: Log, run: Any) -> None:
    """Run, and where programs read, say in a line of theirs that it was refused: exit code 2."""
    log.take_over()
    if not log.is_json:
        run()
        return
    try:
        run()
    except RiparianError as error:
        log.failed("refused", error)
        raise SystemExit(2) from None


def _write(line: str) -> None:
    sys.stderr.flush()
    octets = line.encode()
    try:
        while octets:
            octets = octets[os.write(2, octets) :]
    except OSError:
        # Whoever collected logs has gone: what is served is worth more than what is said of it.
        return
