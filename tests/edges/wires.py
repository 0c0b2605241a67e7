"""A gate on free ports, in a thread of the test, with a clock that the test sets."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from riparian.edges.door import Clocks, Door, Keys
from riparian.edges.listen import Bounds
from riparian.edges.traces import Traces
from riparian.edges.wire import Addresses, Wire, run, serve
from riparian.gate.admit import Gate
from riparian.gate.keys import Key, KeyRing
from riparian.gate.policy import parse_policy
from riparian.gate.routes import parse_edge

PUSH = "push secret"
NOW_US = 1_800_000_000_000_000
RING = KeyRing(Key("k1", bytes(range(32)), 0), Key("k2", bytes(32), 0))
EDGE: Mapping[str, Any] = {
    "account": "header:X-Account",
    "step_up_url": "https://example.org/prove",
    "appeal_url": "https://example.org/appeal",
    "route": [
        {"path": "/media/{recording}/**", "kind": "media"},
        {"path": "/keys/{recording}", "kind": "licence"},
        {"path": "/tracks", "kind": "metadata"},
        {"path": "/tracks/{rows}", "kind": "metadata"},
        {"path": "/dump", "kind": "bulk"},
    ],
}


@dataclass
class Time:
    """Two clocks that move when told to."""

    now_us: int = NOW_US
    steady_s: float = 0.0


@dataclass(frozen=True)
class Told:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def a_door(
    policy: Mapping[str, Any] | None = None, *, push: str = "", edge: Mapping[str, Any] = EDGE
) -> tuple[Door, Time]:
    """Make a door that enforces, and its time."""
    time, terms = Time(), parse_policy({"mode": "enforce", **(policy or {})})
    keys = Keys(bytes(16), push, RING)
    return Door(
        Gate.open(terms), parse_edge(edge), terms, keys, Clocks(lambda: time.now_us, lambda: time.steady_s)
    ), time


@dataclass
class Running:
    """A wire that is served."""

    wire: Wire
    at: Addresses
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    thread: threading.Thread
    kept: list[str] = field(default_factory=list)

    def connect(self, address: str) -> socket.socket:
        if address.startswith("unix:"):
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(address.removeprefix("unix:"))
        else:
            host, _, port = address.rpartition(":")
            peer = socket.create_connection((host, int(port)))
        peer.settimeout(10)
        return peer

    def data(self, target: str, *, method: str = "GET", **fields: str) -> Told:
        return self._ask(self.at.data, method, target, fields, b"")

    def control(self, target: str, *, method: str = "GET", body: bytes = b"", **fields: str) -> Told:
        return self._ask(self.at.control, method, target, fields, body)

    def push(
        self, body: bytes, *, begin: int, end: int, full: bool = False, epoch: str = "e1", secret: str = PUSH
    ) -> Told:
        numbers = {"x_riparian_epoch": epoch, "x_riparian_from": str(begin), "x_riparian_to": str(end)}
        numbers |= {"x_riparian_full": str(int(full)), "authorization": f"Bearer {secret}"}
        return self.control("/riparian/verdicts", method="POST", body=body, **numbers)

    def end(self) -> None:
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(20)
        assert not self.thread.is_alive()

    def _ask(self, address: str, method: str, target: str, fields: Mapping[str, str], body: bytes) -> Told:
        lines = [f"{method} {target} HTTP/1.1", "Host: gate"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        lines += [f"Content-Length: {len(body)}"] if body else []
        with self.connect(address) as peer:
            peer.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
            return answer_of(b"".join(iter(lambda: peer.recv(1 << 16), b"")))


def answer_of(raw: bytes) -> Told:
    """Read an answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    return Told(int(first.split()[1]), fields, body)


@contextmanager
def serving(
    door: Door, *, data: str = "127.0.0.1:0", bounds: tuple[Bounds, Bounds] | None = None, traces: Traces | None = None
) -> Iterator[Running]:
    """Serve a door until the end of the test."""
    wire = Wire(door, shard=(1, 2), traces=traces)
    if bounds is not None:
        wire.bounds = bounds
    begun: list[Running] = []
    is_ready = threading.Event()

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def ready(at: Addresses) -> None:
            begun.append(Running(wire, at, loop, stop, thread))
            is_ready.set()

        await serve(
            wire, Addresses(data, "127.0.0.1:0"), stop=stop, ready=ready, keep=lambda: begun[0].kept.append("kept")
        )

    thread = threading.Thread(target=lambda: run(main()))
    thread.start()
    assert is_ready.wait(60)
    try:
        yield begun[0]
    finally:
        begun[0].end()
