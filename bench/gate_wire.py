"""What does it cost to be asked: our own HTTP, or the same gate behind a framework?

Each server is a process of its own that answers the same question, with the same door and the same gate, over loopback
to the same few connections that are kept open; all ask at once, and again when all are answered, so that a quick server
finds as many requests waiting as a slow one.  Counted is CPU of
the server's process tree, kernel included; not that of whoever asks.  All servers are asked in turn, round after
round, and the median of the rounds is written, so that other work on the machine falls on all of them.  Every account
has asked before: its code is remembered, as it is of whoever listens.

``--requests`` is per server and round.  uvicorn uses httptools where it is installed and h11 elsewhere; the table says
which.
"""

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import fastapi
import uvicorn
from fastapi import FastAPI
from measure import options, write
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from riparian.edges.answers import Answers, Dialect, Told, in_asgi
from riparian.edges.asking import KINDS, Asked
from riparian.edges.door import Clocks, Door, Keys
from riparian.edges.wire import Addresses, Wire, run, serve
from riparian.gate.admit import Gate
from riparian.gate.policy import Policy, parse_policy
from riparian.gate.routes import parse_edge

ACCOUNTS: Final = 10_000
CONNECTIONS: Final = 32
PARSER: Final = "httptools" if importlib.util.find_spec("httptools") else "h11"
WIRE: Final = "wire"
SERVERS: Final = {
    WIRE: "riparian wire",
    "asgi": f"uvicorn ({PARSER}), bare ASGI",
    "starlette": f"uvicorn ({PARSER}) + Starlette",
    "fastapi": f"uvicorn ({PARSER}) + FastAPI",
}

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


def a_door() -> Door:
    """Make the door that all servers share the code of."""
    policy: Policy = parse_policy({"mode": "enforce", "requests_burst": 10_000_000, "novelty_burst": 1000})
    edge = parse_edge({"route": [{"path": "/media/{recording}/**", "kind": "media"}]})
    clocks = Clocks(lambda: time.time_ns() // 1000, time.monotonic)
    return Door(Gate.open(policy), edge, policy, Keys(bytes(16)), clocks)


def the_same(door: Door, account: bytes, recording: bytes, kind: bytes) -> Told:
    """Answer what ``/auth`` of the wire answers."""
    answer, because = door.answer(Asked(account, KINDS[kind], recording))
    return Answers(Dialect.NGINX).told(answer, because=because)


def bare(door: Door) -> Any:
    """Answer as plain ASGI."""

    async def app(scope: Message, _receive: object, send: Send) -> None:
        if scope["type"] != "http":
            return
        fields = dict(scope["headers"])
        told = the_same(
            door, fields[b"x-riparian-account"], fields[b"x-riparian-recording"], fields[b"x-riparian-kind"]
        )
        headers = [*in_asgi(told), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": told.status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    return app


def starlette(door: Door) -> Starlette:
    """Answer as an application of Starlette."""

    async def auth(request: Request) -> Response:
        fields = request.headers
        said = (fields[f"x-riparian-{name}"].encode("latin-1") for name in ("account", "recording", "kind"))
        told = the_same(door, *said)
        return Response(status_code=told.status, headers=dict(told.headers))

    return Starlette(routes=[Route("/auth", auth)])


def fast(door: Door) -> FastAPI:
    """Answer as an application of FastAPI."""
    app = FastAPI()

    @app.get("/auth")
    async def auth(
        x_riparian_account: Annotated[str, fastapi.Header()],
        x_riparian_recording: Annotated[str, fastapi.Header()],
        x_riparian_kind: Annotated[str, fastapi.Header()],
    ) -> Response:
        said = (each.encode("latin-1") for each in (x_riparian_account, x_riparian_recording, x_riparian_kind))
        told = the_same(door, *said)
        return Response(status_code=told.status, headers=dict(told.headers))

    return app


def serve_one(name: str) -> None:
    """Be one of the servers; prints the port."""
    door = a_door()
    if name == WIRE:
        run(
            serve(Wire(door), Addresses("127.0.0.1:0", "127.0.0.1:0"), ready=lambda at: say(at.data.rpartition(":")[2]))
        )
        return
    app = {"asgi": bare, "starlette": starlette, "fastapi": fast}[name](door)
    config = uvicorn.Config(
        app, port=0, log_level="critical", access_log=False, loop="uvloop", http=PARSER, lifespan="off"
    )
    server = uvicorn.Server(config)

    async def main() -> None:
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        say(server.servers[0].sockets[0].getsockname()[1])
        await server.main_loop()

    run(main())


def say(port: object) -> None:
    """Tell whoever began us the port."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


class Asking(asyncio.Protocol):
    """One connection: asks when told, and counts what is answered 200."""

    def __init__(self, first: int, answered: Callable[[], None]) -> None:
        self._next = first
        self._answered = answered
        self._received = b""
        self._transport: Any = None
        self.served = 0

    def connection_made(self, transport: Any) -> None:
        """Keep what to write to."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take an answer; none has a body."""
        self._received += data
        if self._received.endswith(b"\r\n\r\n"):
            self.served += self._received.startswith(b"HTTP/1.1 200")
            self._received = b""
            self._answered()

    def ask(self) -> None:
        """Ask for the next account in a walk through all of them in no order that is useful to a cache."""
        self._next = (self._next * 48_271) % 2_147_483_647
        self._transport.write(
            b"GET /auth HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Riparian-Account: acct-%06d\r\n"
            b"X-Riparian-Recording: r-%d\r\nX-Riparian-Kind: media\r\n"
            b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0)\r\nAccept: */*\r\n\r\n"
            % (self._next % ACCOUNTS, self._next % 7)
        )

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


async def ask(port: int, requests: int) -> int:
    """Ask so often in all, on all connections at once and again when all are answered; count what was served."""
    loop, waiting, over = asyncio.get_running_loop(), [0, 0], asyncio.Event()
    askings: list[Asking] = []

    def again() -> None:
        waiting[0] = CONNECTIONS
        for each in askings:
            each.ask()

    def answered() -> None:
        waiting[0] -= 1
        waiting[1] += 1
        if waiting[1] >= requests:
            over.set()
        elif not waiting[0]:
            again()

    for place in range(CONNECTIONS):
        asking = Asking(1 + place * 7919, answered)
        askings.append(asking)
        await loop.create_connection(partial(same, asking), "127.0.0.1", port)
    again()
    await over.wait()
    for asking in askings:
        asking.close()
    return sum(each.served for each in askings)


def same(asking: Asking) -> Asking:
    """Give what was made for this connection."""
    return asking


def cpu_s(pid: int) -> float:
    """Tell the CPU time of a process and of the children that it waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def measure(requests: int, rounds: int) -> list[dict[str, object]]:
    """Ask every server in turn, round after round."""
    begun = {name: subprocess.Popen([sys.executable, __file__, name], stdout=subprocess.PIPE) for name in SERVERS}
    spent: dict[str, list[float]] = {name: [] for name in SERVERS}
    try:
        ports = {name: int(process.stdout.readline()) for name, process in begun.items() if process.stdout}
        for name in SERVERS:
            asyncio.run(ask(ports[name], 2 * ACCOUNTS))
        for _ in range(rounds):
            for name, process in begun.items():
                before = cpu_s(process.pid)
                served = asyncio.run(ask(ports[name], requests))
                spent[name].append((cpu_s(process.pid) - before) / requests * 1e6)
                print(json.dumps({"what": name, "served": served, "us_per_request": round(spent[name][-1], 1)}))
    finally:
        for process in begun.values():
            process.kill()
            process.wait()
    own = median(spent[WIRE])
    return [
        {
            "what": title,
            "us_per_request": round(median(spent[name]), 1),
            "ratio_to_wire": round(median(each / ours for each, ours in zip(spent[name], spent[WIRE], strict=True)), 2)
            if own
            else 0,
        }
        for name, title in SERVERS.items()
    ]


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1] in SERVERS:
        serve_one(sys.argv[1])
    else:
        given = options(__doc__, requests=40_000, rounds=7, quick=0)
        rounds, requests = (1, 800) if given.quick else (given.rounds, given.requests)
        write(measure(requests, rounds), given.out, "gate_wire")
