"""What does a request cost in Envoy: answered at once, with its grant verified, or with a gate asked?

Each row is an Envoy of its own, with the configuration that ``riparian edge envoy`` prints, but for the origin: every
route answers by itself, so that what is compared is what is put before it.  Where a gate is asked, it is the real one,
in a process of its own, and its CPU counts.  Counted is CPU of the whole process tree, kernel included; not that of
whoever asks.  All are asked in turn, round after round; written are medians of the rounds and of their ratios, so that
other work on the machine falls on all of them.

What everything is compared with is Envoy's own answer without any filter, with the log that the printed configuration
has.  That adds, to every request: headers taken off, and the seat belt.  Grants are of 2,000 listeners who ask for 50
segments each.  The rate limit service cannot be asked about an answer of Envoy's own: there an origin answers, another
Envoy, whose CPU does not count.
"""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import uvicorn
from measure import options, write
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from riparian.edges import grpc
from riparian.edges.answers import Answers
from riparian.edges.door import Clocks, Door, Keys
from riparian.edges.envoy import CONFIGURATION, GRANTS, Authz, Place, configuration
from riparian.edges.wire import Addresses, Wire, run, serve
from riparian.gate.admit import Gate
from riparian.gate.grants import Form, Grant, Rate, issue
from riparian.gate.keys import Key, KeyRing
from riparian.gate.policy import parse_policy
from riparian.gate.routes import parse_edge

ENVOY: Final = Path(sysconfig.get_paths()["purelib"]) / "envoy" / "_bin" / "envoy"
ACCOUNTS: Final = 20_000
LISTENERS: Final = 2_000
SEGMENTS: Final = 50
CONNECTIONS: Final = 16
RING: Final = KeyRing(Key("k1", b"1" * 32, 0), Key("k2", b"2" * 32, 0))
POLICY: Final = {
    "mode": "enforce",
    "requests_burst": 2_000_000,
    "requests_per_minute": 1_000_000,
    "novelty_burst": 1_000_000,
}
EDGE: Final = {
    "route": [{"path": "/media/{recording}/**", "kind": "media"}, {"path": "/licence/{recording}", "kind": "licence"}]
}
DIRECT: Final = "direct"
PASSED: Final = "route: {cluster: origin, timeout: 0s, idle_timeout: 60s}"
ANSWERED: Final = "direct_response: {status: 200, body: {inline_string: sound}}"


@dataclass(frozen=True)
class Row:
    """One thing that is measured.

    Parameters
    ----------
    what
        In words, for the table.
    gate
        Which gate stands behind it; empty for none.
    asked
        The requests, one after the other.
    changed
        Makes another configuration of the printed one.
    grants
        The same for the file of grants.
    """

    what: str
    gate: str
    asked: Callable[[], Sequence[bytes]]
    changed: Callable[[str], str] = str
    grants: Callable[[str], str] = str


def requests(path: str) -> list[bytes]:
    """Ask in the name of many accounts, in an order that no cache knows."""
    return [ask(path, f"acct-{i * 7919 % ACCOUNTS:06d}") for i in range(ACCOUNTS)]


def segments() -> list[bytes]:
    """Ask for segments under grants."""
    until_s, found = int(time.time()) + 86_400, []
    for i in range(LISTENERS):
        account, folder = f"acct-{i:06d}", f"/media/r-{i % 97}/"
        grant = issue(Grant(account, folder, "", until_s, Rate.FULL, "k1"), RING, Form.JWT)
        found += [ask(f"{folder}{n}.m4s?g={grant}", account) for n in range(SEGMENTS)]
    return found


def ask(path: str, account: str) -> bytes:
    """Write one request."""
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0)"
    head = f"GET {path} HTTP/1.1\r\nHost: edge\r\nX-Account: {account}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n\r\n"
    return head.encode()


def bare(text: str, filters: str = "", *, is_logged: bool = True) -> str:
    """Leave nothing but Envoy itself, its log, and some filters."""
    head, _, rest = text.partition("          # Before anything else")
    log = rest[rest.index("          access_log:") : rest.index("          local_reply_config:")]
    route = rest[rest.index("          - name: envoy.filters.http.router") :]
    route = re.sub(r" +(?:typed_per_filter_config|response_headers_to_add|riparian\.\w+): ?.*\n", "", route)
    return head + (log if is_logged else "") + f"          http_filters:\n{filters}{route}"


def unlogged(text: str) -> str:
    """Leave nothing at all."""
    return bare(text, is_logged=False)


def only(name: str) -> Callable[[str], str]:
    """Leave nothing but one filter."""

    def changed(text: str) -> str:
        begin = text.index(f"          - name: {name}\n")
        end = text.index("\n          # ", begin)
        filters = text[begin : end + 1].replace("x-riparian-account", "x-account")
        return bare(text, filters)

    return changed


def without_cache(text: str) -> str:
    """Have every grant verified anew."""
    said = json.loads(text)
    del said["resources"][0]["typed_config"]["providers"]["grant"]["jwt_cache_config"]
    return json.dumps(said)


RATE_LIMIT: Final = """\
          - name: envoy.filters.http.ratelimit
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit
              domain: riparian
              failure_mode_deny: true
              timeout: 0.25s
              rate_limit_service:
                transport_api_version: V3
                grpc_service: {envoy_grpc: {cluster_name: riparian_gates}}
              rate_limits:
              - actions:
                - {request_headers: {header_name: x-account, descriptor_key: account}}
                - {request_headers: {header_name: ":path", descriptor_key: path}}
"""


def rate_limited(text: str) -> str:
    """Ask as a rate limit service is asked."""
    return bare(text, RATE_LIMIT).replace("header_name: x-riparian-account", "header_name: x-account")


def passed(changed: Callable[[str], str]) -> Callable[[str], str]:
    """Let an origin answer: Envoy limits no answer of its own."""
    return lambda text: changed(text).replace(ANSWERED, PASSED)


LICENCE: Final = "/licence/r-1"
ROWS: Final = {
    DIRECT: Row("Envoy's own answer, one line in the log", "", lambda: requests(LICENCE), bare),
    "unlogged": Row("the same without the log", "", lambda: requests(LICENCE), unlogged),
    "belt": Row("a limit for each account", "", lambda: requests(LICENCE), only("riparian.seat_belt")),
    "printed": Row("the printed configuration: a path that is not ours", "", lambda: requests("/about")),
    "grant": Row("the printed configuration: a grant, verified before", "", segments),
    "afresh": Row("the printed configuration: a grant, verified each time", "", segments, grants=without_cache),
    "http": Row("the printed configuration: the gate asked over HTTP", "http", lambda: requests(LICENCE)),
    "starlette": Row("the same gate behind uvicorn + Starlette", "starlette", lambda: requests(LICENCE)),
    "grpc": Row("the same gate asked over gRPC", "grpc", lambda: requests(LICENCE)),
    "passed": Row("passed on to an origin", "", lambda: requests(LICENCE), passed(bare)),
    "rls": Row(
        "passed on, the gate asked as rate limit service", "grpc", lambda: requests(LICENCE), passed(rate_limited)
    ),
}


def serve_one(name: str) -> None:
    """Be one of the gates; prints the address."""
    edge, policy = parse_edge(EDGE), parse_policy(POLICY)
    clocks = Clocks(lambda: time.time_ns() // 1000, time.monotonic)
    door = Door(Gate.open(policy), edge, policy, Keys(bytes(16)), clocks)
    if name == "http":
        run(serve(Wire(door), Addresses("127.0.0.1:0", "127.0.0.1:0"), ready=lambda at: say(at.data)))
    elif name == "grpc":
        run(grpc.serve(door, address="127.0.0.1:0", stop=asyncio.Event(), ready=say))
    else:
        asyncio.run(framed(door))


async def framed(door: Door) -> None:
    """Answer as an application of Starlette."""

    async def check(request: Request) -> Response:
        fields = dict(request.scope["headers"])
        asked = door.asked(fields, request.scope["raw_path"].removeprefix(b"/check"), b"")
        if asked is None:
            return Response(status_code=200)
        answer, because = door.answer(asked)
        told = Answers().told(answer, because=because)
        return Response(told.body, told.status, dict(told.headers))

    app = Starlette(routes=[Route("/check/{path:path}", check)])
    config = uvicorn.Config(app, port=0, log_level="critical", access_log=False, loop="uvloop", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 -- uvicorn has nothing to wait for
        await asyncio.sleep(0.01)
    say(f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}")
    await serving


def say(address: str) -> None:
    """Tell whoever began us."""
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


class Asking(asyncio.Protocol):
    """Asks one thing after the other, and counts what is answered 200."""

    def __init__(self, asked: Sequence[bytes], over: "asyncio.Future[int]") -> None:
        self._asked = asked
        self._at = 0
        self._over = over
        self._served = 0
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        """Ask the first."""
        self._transport = transport
        transport.write(self._asked[0])

    def data_received(self, data: bytes) -> None:
        """Ask the next once the last is answered: every answer has a length."""
        self._received += data
        head, ended, body = self._received.partition(b"\r\n\r\n")
        if not ended or len(body) < int(head.partition(b"content-length: ")[2].split(b"\r\n", 1)[0] or 0):
            return
        self._served += head.startswith(b"HTTP/1.1 200")
        self._received = b""
        self._at += 1
        if self._transport is not None and self._at < len(self._asked):
            self._transport.write(self._asked[self._at])
        elif self._transport is not None:
            self._over.set_result(self._served)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that it is over, however it ended."""
        if not self._over.done():
            self._over.set_exception(exc or ConnectionError("the server hung up"))


async def ask_all(port: int, asked: Sequence[bytes]) -> int:
    """Ask all of it, over all connections; count what was served."""
    loop, each = asyncio.get_running_loop(), len(asked) // CONNECTIONS
    overs: list[asyncio.Future[int]] = [loop.create_future() for _ in range(CONNECTIONS)]
    for i, over in enumerate(overs):
        await loop.create_connection(partial(Asking, asked[i * each : (i + 1) * each], over), "127.0.0.1", port)
    return sum(await asyncio.gather(*overs))


@dataclass
class Begun:
    """A row whose processes run."""

    row: Row
    port: int
    pids: list[int]
    asked: Sequence[bytes]
    at: int = 0

    def share(self, n: int) -> Sequence[bytes]:
        """Give the next requests."""
        begin = self.at % len(self.asked)
        self.at += n
        doubled = [*self.asked[begin:], *self.asked[:begin]]
        return (doubled * (n // len(doubled) + 1))[:n]


def free_port() -> int:
    """Find a port that is free."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def begin(name: str, row: Row, folder: Path, stack: ExitStack, *, origin: int = 9) -> Begun:
    """Start the gate and the Envoy of a row, in front of an origin."""
    pids, gates = [], ["127.0.0.1:9"]
    if row.gate:
        gate = subprocess.Popen([sys.executable, __file__, row.gate], stdout=subprocess.PIPE, text=True)
        stack.callback(gate.wait)
        stack.callback(gate.kill)
        pids.append(gate.pid)
        gates = [gate.stdout.readline().strip()] if gate.stdout else []
    port, admin = free_port(), free_port()
    edge = parse_edge({**EDGE, "gates": gates, "listen": f"127.0.0.1:{port}", "origin": f"http://127.0.0.1:{origin}"})
    authz: Authz = "grpc" if row.gate == "grpc" else "http"
    place = Place(str(folder), "/dev/null", f"127.0.0.1:{admin}")
    texts = configuration(edge, parse_policy(POLICY), RING, authz=authz, place=place)
    printed = texts[CONFIGURATION].replace(PASSED, ANSWERED)
    printed = printed.replace("timeout: 0.05s", "timeout: 5s")  # of a machine that does other things, too
    (folder / f"{name}.yaml").write_text(row.changed(printed))
    (folder / GRANTS).write_text(row.grants(texts[GRANTS]))
    arguments = ["--use-dynamic-base-id", "--concurrency", "1", "-l", "error", "--disable-hot-restart"]
    envoy = subprocess.Popen([ENVOY, "-c", folder / f"{name}.yaml", *arguments])
    stack.callback(envoy.wait)
    stack.callback(envoy.kill)
    pids.append(envoy.pid)
    wait(f"http://127.0.0.1:{admin}/ready")
    return Begun(row, port, pids, row.asked())


def wait(url: str) -> None:
    """Wait until an Envoy is ready."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(url) as answer:  # noqa: S310 -- our own, on loopback
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(url)


def cpu_s(pids: Sequence[int]) -> float:
    """Tell the CPU time of processes and of the children that they waited for."""
    spent = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        spent += sum(int(each) for each in fields[11:15])
    return spent / os.sysconf("SC_CLK_TCK")


def measure(n: int, rounds: int) -> list[dict[str, object]]:
    """Ask every Envoy in turn, round after round."""
    spent: dict[str, list[float]] = {name: [] for name in ROWS}
    with ExitStack() as stack:
        begun: dict[str, Begun] = {}
        for name, row in ROWS.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            origin = begun[DIRECT].port if begun else 9
            begun[name] = begin(name, row, folder, stack, origin=origin)
            served = asyncio.run(ask_all(begun[name].port, begun[name].share(n)))
            print(json.dumps({"what": name, "warm": served}))
        for _ in range(rounds):
            for name, each in begun.items():
                share, before = each.share(n), cpu_s(each.pids)
                served = asyncio.run(ask_all(each.port, share))
                spent[name].append((cpu_s(each.pids) - before) / served * 1e6)
                print(json.dumps({"what": name, "served": served, "us_per_request": round(spent[name][-1], 1)}))
    return [
        {
            "what": row.what,
            "us_per_request": round(median(spent[name]), 1),
            "ratio_to_direct": round(median(a / b for a, b in zip(spent[name], spent[DIRECT], strict=True)), 2),
        }
        for name, row in ROWS.items()
    ]


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1] in {"http", "grpc", "starlette"}:
        serve_one(sys.argv[1])
    else:
        given = options(__doc__, requests=20_000, rounds=7, quick=0)
        rounds, n = (1, 600) if given.quick else (given.rounds, given.requests)
        write(measure(n, rounds), given.out, "gate_envoy")
