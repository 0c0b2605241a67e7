"""A site of a test's own: what it answers can be changed, and what it was asked is written down."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Shown = tuple[int, Mapping[str, str], bytes]


@dataclass
class Site:
    """A server on this machine.

    Parameters
    ----------
    shows
        By path: status, headers and body; a list of them is answered one after the other, the last for ever.
    asked
        Path, headers and time of every question.
    """

    port: int = 0
    shows: dict[str, Shown | list[Shown]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], float]] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"http://{self.host}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]

    def show(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        self.shows[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)

    def answer(self, path: str) -> Shown:
        shown = self.shows.get(path, (404, {}, b""))
        if isinstance(shown, list):
            return shown.pop(0) if len(shown) > 1 else shown[0]
        return shown


@contextmanager
def served() -> Iterator[Site]:
    """Serve a site with nothing on it."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers), time.monotonic()))
            status, headers, body = site.answer(self.path)
            etag = headers.get("ETag")
            if status == 200 and etag and self.headers.get("If-None-Match") == etag:
                status, body = 304, b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers and "Transfer-Encoding" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
