"""A gate in a process of its own, for what kills, freezes and doubles it: HTTP, and gRPC beside it when asked to.

Run as ``python envoy_gate.py '{"edge": {...}, "policy": {...}, "grpc": false, "shard": [0, 1], "behind_s": 0}'``;
it prints its addresses as JSON.
"""

import asyncio
import json
import sys
import time
from typing import Any

from riparian.edges import grpc, wire
from riparian.edges.door import Clocks, Door, Keys
from riparian.gate.admit import Gate
from riparian.gate.keys import Key, KeyRing
from riparian.gate.policy import parse_policy
from riparian.gate.routes import parse_edge

PUSH = "a push secret"
RING = KeyRing(Key("k1", b"1" * 32, 0), Key("k2", b"2" * 32, 0))
ANY = "127.0.0.1:0"


async def serve(said: dict[str, Any]) -> None:
    policy, edge = parse_policy(said["policy"]), parse_edge(said["edge"])
    shard: tuple[int, int] = (said["shard"][0], said["shard"][1])
    clocks = Clocks(lambda: time.time_ns() // 1000 - 1_000_000 * said["behind_s"], time.monotonic)
    door = Door(Gate.open(policy), edge, policy, Keys(bytes(16), PUSH, RING), clocks)
    stop = asyncio.Event()
    found: dict[str, str] = {}

    def bound(addresses: wire.Addresses) -> None:
        found.update(data=addresses.data, control=addresses.control)
        tell()

    def bound_grpc(address: str) -> None:
        found["grpc"] = address
        tell()

    def tell() -> None:
        if len(found) == (3 if said["grpc"] else 2):
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()

    serving = [wire.serve(wire.Wire(door, shard=shard), wire.Addresses(ANY, ANY), stop=stop, ready=bound)]
    if said["grpc"]:
        serving.append(grpc.serve(door, address=ANY, shard=shard, stop=stop, ready=bound_grpc))
    await asyncio.gather(*serving)


if __name__ == "__main__":
    wire.run(serve(json.loads(sys.argv[1])))
