"""A real Envoy, with what it is told by us, in front of a real origin and real gates; each on a port that was free."""

import contextlib
import json
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from riparian.edges.envoy import CONFIGURATION, Authz, Place, configuration
from riparian.gate.grants import Form, Grant, Rate, issue
from riparian.gate.keys import Key, KeyRing
from riparian.gate.policy import parse_policy
from riparian.gate.routes import parse_edge
from tests.ports import free_port

BINARY = Path(sysconfig.get_paths()["purelib"]) / "envoy" / "_bin" / "envoy"
GATE = Path(__file__).with_name("envoy_gate.py")
PUSH = "a push secret"
DEADLINE_S = 30.0
RING = KeyRing(Key("k1", b"1" * 32, 0), Key("k2", b"2" * 32, 0))
ROUTES = [
    {"path": "/media/{recording}/**", "kind": "media"},
    {"path": "/licence/{recording}", "kind": "licence"},
    {"path": "/api/tracks/{rows}", "kind": "metadata"},
    {"path": "/api/**", "kind": "metadata"},
    {"path": "/dump/**", "kind": "bulk"},
]
ENFORCED = {"mode": "enforce"}


def until(true: Callable[[], bool], *, what: str) -> None:
    """Wait for something, with a deadline."""
    ends = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < ends, f"{what}: not within {DEADLINE_S} s"
        time.sleep(0.02)


def patient(text: str) -> str:
    """Give gates more time than a busy machine takes from them, where it is not time that is tested."""
    return text.replace("0.05s", "5s")


class Origin:
    """Serves everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        origin = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                origin.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(200)
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"sound")

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- as http.server names it
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class GateProcess:
    """A gate: can be frozen, thawed and killed, and told verdicts."""

    process: subprocess.Popen[str]
    data: str
    control: str
    grpc: str = ""
    _seq: int = 0

    def judge(self, *lines: str) -> None:
        """Push verdicts: ``a1 hold``, ``a1 allow``."""
        body = "".join(f"{account}\t{restraint}\t0\tperson\n" for account, restraint in map(str.split, lines))
        headers = {
            "Authorization": f"Bearer {PUSH}",
            "X-Riparian-Epoch": "e1",
            "X-Riparian-Full": "0" if self._seq else "1",
            "X-Riparian-From": str(self._seq),
            "X-Riparian-To": str(self._seq + 1),
        }
        told = httpx.post(f"http://{self.control}/riparian/verdicts", content=body, headers=headers)
        assert told.status_code == 200, told.text
        self._seq += 1

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def start_gate(
    policy: Mapping[str, Any],
    edge: Mapping[str, Any],
    *,
    shard: tuple[int, int] = (0, 1),
    grpc: bool = False,
    behind_s: int = 0,
) -> GateProcess:
    said = json.dumps({"policy": dict(policy), "edge": dict(edge), "shard": shard, "grpc": grpc, "behind_s": behind_s})
    process = subprocess.Popen([sys.executable, str(GATE), said], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the gate ended with {process.wait()}"
    gate = GateProcess(process, **json.loads(line))
    gate.judge()  # nothing is in force; before it is told so, a gate closes
    first = httpx.get(f"http://{gate.data}/check/licence/r0", headers={"X-Account": "first"}, timeout=DEADLINE_S)
    assert first.status_code == 200, first.text
    return gate


@dataclass
class Running:
    """Envoy in front of everything."""

    url: str
    admin: str
    folder: Path
    origin: Origin
    gates: Sequence[GateProcess]
    policy: Mapping[str, Any]
    ring: KeyRing = RING
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10.0))

    def get(self, path: str, account: str = "", **headers: str) -> httpx.Response:
        """Ask; names of headers with underscores for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.client.cookies.clear()
        return self.client.get(self.url + path, headers={"X-Account": account, **named} if account else named)

    def grant(
        self, account: str = "a1", path: str = "/media/r1/", *, over_s: int = 60, form: Form = Form.JWT, **changed: Any
    ) -> str:
        """Issue a grant that ends so many seconds from now."""
        said = {"device": "", "rate": Rate.FULL, "key": self.ring.current.id, "until_s": int(time.time()) + over_s}
        return issue(Grant(account=account, path=path, **{**said, **changed}), self.ring, form)

    def stat(self, name: str) -> int:
        """Sum what Envoy counted under names that end so."""
        lines = httpx.get(f"{self.admin}/stats", params={"usedonly": ""}).text.splitlines()
        return sum(int(value) for key, _, value in (line.partition(": ") for line in lines) if key.endswith(name))

    def log(self, n_lines: int) -> list[dict[str, Any]]:
        """Read the access log, once it has so many lines."""
        file = self.folder / "access.log"
        until(lambda: len(file.read_text().splitlines()) >= n_lines, what=f"{n_lines} lines in the access log")
        return [json.loads(line) for line in file.read_text().splitlines()]


@contextlib.contextmanager
def running(
    folder: Path,
    *,
    policy: Mapping[str, Any] | None = None,
    edge: Mapping[str, Any] | None = None,
    n_gates: int = 1,
    authz: Authz = "http",
    changed: Callable[[str], str] = str,
    files: str = "",
    behind_s: int = 0,
) -> Iterator[Running]:
    """Start gates, an origin and an Envoy that is told about them; stop all of it in the end.

    Parameters
    ----------
    folder
        Of Envoy's files.
    policy, edge
        Keys that differ from a policy that enforces, and from ``ROUTES``.
    n_gates
        How many share the accounts.
    authz
        How Envoy asks them.
    changed
        Changes the configuration before Envoy reads it.
    files
        URL of what is asked in the place of an origin that serves everything.
    behind_s
        How far the clocks of the gates are behind Envoy's.
    """
    said = {**ENFORCED, **(policy or {})}
    routed: dict[str, Any] = {"route": ROUTES, **(edge or {})}
    with contextlib.ExitStack() as stack:
        origin = Origin()
        stack.callback(origin.close)
        gates = []
        for i in range(n_gates):
            gates.append(start_gate(said, routed, shard=(i, n_gates), grpc=authz == "grpc", behind_s=behind_s))
            stack.callback(gates[-1].kill)
        port, admin = free_port(), free_port()
        asked = [gate.grpc if authz == "grpc" else gate.data for gate in gates]
        told = parse_edge({**routed, "origin": files or origin.url, "gates": asked, "listen": f"127.0.0.1:{port}"})
        place = Place(str(folder), str(folder / "access.log"), f"127.0.0.1:{admin}")
        for name, text in configuration(told, parse_policy(said), RING, authz=authz, place=place).items():
            (folder / name).write_text(changed(text) if name == CONFIGURATION else text)
        stack.enter_context(started(folder / CONFIGURATION, f"http://127.0.0.1:{admin}"))
        edge_ = Running(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin}", folder, origin, gates, said)
        stack.callback(edge_.client.close)
        yield edge_


@contextlib.contextmanager
def started(configuration_file: Path, admin: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start Envoy, and wait until it is ready."""
    log = configuration_file.with_name("envoy.log")
    arguments = ["--use-dynamic-base-id", "--concurrency", "1", "--log-path", str(log), "-l", "warning"]
    arguments += ["--file-flush-interval-msec", "50", "--disable-hot-restart"]
    process = subprocess.Popen([BINARY, "-c", configuration_file, *arguments])
    try:
        until(lambda: process.poll() is not None or _is_ready(admin), what="Envoy is ready")
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.kill()
        process.wait()


def _is_ready(admin: str) -> bool:
    try:
        return httpx.get(f"{admin}/ready").status_code == 200
    except httpx.HTTPError:
        return False
