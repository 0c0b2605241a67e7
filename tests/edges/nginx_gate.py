"""A gate in a process of its own, for an nginx to ask: killed, frozen and begun anew by a test.

Run as ``python nginx_gate.py '{"edge": {...}, "policy": {...}, "shard": [0, 1], "at": "127.0.0.1:0",
"behind_s": 0}'``; it prints its
addresses as JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riparian.edges import wire
from riparian.edges.door import Clocks, Door, Keys
from riparian.gate.admit import Gate
from riparian.gate.keys import Key, KeyRing
from riparian.gate.policy import parse_policy
from riparian.gate.routes import parse_edge

PUSH = "a push secret"
RING = KeyRing(Key("k1", bytes(range(32)), 0), Key("k2", bytes(range(32, 64)), 0))


async def serve(said: Mapping[str, Any]) -> None:
    policy, edge = parse_policy(said["policy"]), parse_edge(said["edge"])
    clocks = Clocks(lambda: time.time_ns() // 1000 - 1_000_000 * said["behind_s"], time.monotonic)
    # Nobody pushes to it: what is in force is pushed to nginx, and this gate counts.
    door = Door(Gate.open(policy), edge, policy, Keys(bytes(16), ring=RING), clocks)
    first, n = said["shard"]

    def bound(at: wire.Addresses) -> None:
        print(json.dumps({"data": at.data, "control": at.control}), flush=True)  # noqa: T201 -- whoever started it reads this

    await wire.serve(wire.Wire(door, shard=(first, n)), wire.Addresses(said["at"], "127.0.0.1:0"), ready=bound)


@dataclass(slots=True)
class Running:
    """A gate, and the address that it is asked at."""

    process: subprocess.Popen[str]
    address: str


@contextmanager
def gate(
    edge: Mapping[str, Any],
    policy: Mapping[str, Any],
    *,
    shard: tuple[int, int] = (0, 1),
    at: str = "127.0.0.1:0",
    behind_s: int = 0,
) -> Iterator[Running]:
    said = json.dumps({"edge": edge, "policy": policy, "shard": shard, "at": at, "behind_s": behind_s})
    process = subprocess.Popen([sys.executable, str(Path(__file__)), said], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the gate did not start"
        yield Running(process, json.loads(line)["data"])
    finally:
        # Killed, not asked: it may be frozen, and knows nothing that anybody needs.
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    wire.run(serve(json.loads(sys.argv[1])))
