"""What a child of ``riparian serve`` does: one gate, or the evidence."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from riparian import assembly
from riparian.cli import exit_with
from riparian.cli.children import told
from riparian.cli.logged import Form, Log, run_logged
from riparian.edges.door import Door
from riparian.edges.wire import Addresses, Wire, run, serve
from riparian.errors import OutsideError, RiparianError
from riparian.stores.gatekept import GateKept

_RENEW_S: Final = 1.0
_NICER: Final = 10
"""Whoever waits for an answer waits less for it than evidence does."""


def main() -> None:
    """Do what the parent says, in one line of JSON on the standard input."""
    task = told()
    role = task["role"]
    log = Log(Form(task["log"]), f"gate {task['shard'][0]}" if role == "gate" else role)
    exit_with(lambda: run_logged(log, lambda: {"gate": _gate, "evidence": _evidence}[role](task, log)))


def _gate(task: Mapping[str, Any], log: Log) -> None:
    given, shard = _given(task["given"]), task["shard"]
    wire, kept = assembly.gate(given, shard=(int(shard[0]), int(shard[1])))
    if kept.lost:
        log.say(
            "charges_lost",
            f"{kept.lost} charges in the journal of gate {shard[0]} were cut short, and are passed over.",
            shard=shard[0],
            charges=kept.lost,
        )
    log.say("gate_began", shard=shard[0], of=shard[1])
    wire.door.written = partial(_write, kept, _Said(log, "write_failed"))
    threading.Thread(target=_renew, args=(wire.door, given, log), daemon=True).start()
    if task["grpc"]:
        run(_speak_grpc(wire, task["listen"], task["control"]))
        kept.close()
    else:
        run(serve(wire, Addresses(task["listen"], task["control"]), keep=kept.close))


async def _speak_grpc(wire: Wire, listen: str, control: str) -> None:
    from riparian.edges import grpc  # noqa: PLC0415 -- an extra, and nobody else needs it

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # The control address belongs to HTTP, whose data address stays with us.
    http = serve(wire, Addresses("127.0.0.1:0", control), stop=stop)
    await asyncio.gather(http, grpc.serve(wire.door, address=listen, stop=stop, shard=wire.shard))


@dataclass(slots=True)
class _Said:
    """What was said last, so that it is said once."""

    log: Log
    event: str
    what: str = ""

    def failed(self, what: str, error: BaseException) -> None:
        if what != self.what:
            self.log.failed(self.event, error, what)
        self.what = what


def _write(kept: GateKept, said: _Said) -> None:
    """Write down what was charged; where the disk refuses, listeners are served all the same."""
    try:
        kept.write()
    except OutsideError as error:
        said.failed(f"What a gate admits is not written down, and is forgotten when it ends: {error.message}.", error)


def _renew(door: Door, given: assembly.Given, log: Log) -> None:
    """Issue with the keys that are in the workspace, also after they were rotated."""
    said = _Said(log, "keys_failed")
    while True:
        time.sleep(_RENEW_S)
        try:
            ring = assembly.read_keys(given)
        except RiparianError as error:
            said.failed(f"Keys of grants cannot be read, those known before are used: {error.message}.", error)
            continue
        said.what = ""
        if ring != door.keys.ring:
            door.keys = replace(door.keys, ring=ring)


def _evidence(task: Mapping[str, Any], log: Log) -> None:
    from riparian.cli.follow import followed  # noqa: PLC0415 -- a gate needs nothing of it
    from riparian.cli.scan import reading  # noqa: PLC0415 -- as above

    os.nice(_NICER)
    read = dict(task["read"])
    for name in ("mapping", "patterns"):
        read[name] = None if read[name] is None else Path(read[name])
    options = reading(read.pop("format_"), read.pop("map_"), **read)
    followed(_given(task["given"]), task["logs"], options, json=task["json"], log=log)


def _given(given: Mapping[str, str | None]) -> assembly.Given:
    paths = {
        name: Path(value) if value is not None and name not in {"catalogue", "accounts"} else value
        for name, value in given.items()
    }
    return assembly.Given(**paths)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
