"""Is the house that serves well, as a whole?

A page for monitors, apart from those of the gates: ``/healthz`` (it runs), ``/readyz`` (200 once every gate
holds its history and the list of verdicts, 503 with what is missing before) and ``/metrics``.

==================================  =======================================================================
``riparian_gates{reach}``           gates of this house that hear of verdicts: in step, behind, out of reach
``riparian_edges{reach}``           the same of the edges that ``push`` in ``edge.toml`` names
``riparian_decisions{action,applied}``  restraints in force; in shadow ``applied="false"``: what would have been
``riparian_verdicts_seq``           the number of the last change
``riparian_pushes_total{edge}``     deltas that an edge took; ``riparian_resyncs_total{edge}`` whole lists
``riparian_restarts_total{child}``  how often a process was begun again
==================================  =======================================================================
"""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from riparian.errors import OutsideError

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the house at one time.

    Parameters
    ----------
    gates, edges
        How many gates of our own, and edges that are told besides, are in step, behind, out of reach.
    decisions
        How many restraints of each kind are in force, by action and whether they are applied.
    seq
        The number of the last change.
    pushes, resyncs
        By edge.
    restarts
        By process.
    missing
        What is not ready yet; nothing when all is.
    """

    gates: Mapping[str, int] = field(default_factory=dict)
    edges: Mapping[str, int] = field(default_factory=dict)
    decisions: Mapping[tuple[str, bool], int] = field(default_factory=dict)
    seq: int = 0
    pushes: Mapping[str, int] = field(default_factory=dict)
    resyncs: Mapping[str, int] = field(default_factory=dict)
    restarts: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ("everything",)


class Health:
    """The page, in a thread of its own.

    Parameters
    ----------
    host, port
        Where it listens; port 0 takes any that is free.

    Raises
    ------
    OutsideError
        When it cannot listen there.
    """

    def __init__(self, host: str, port: int) -> None:
        self.seen = Seen()
        self._registry = CollectorRegistry()
        self._registry.register(self)
        page = self

        class Page(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                status, kind, body = page.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- as http.server names it
                del format, args

        try:
            self._server = ThreadingHTTPServer((host, port), Page)
        except OSError as error:
            raise OutsideError(f"`{host}:{port}` cannot be listened on ({error}), wanted a free address") from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def collect(self) -> Iterator[Metric]:
        """Give what is known to Prometheus' client."""
        seen = self.seen
        for name, what, reached in (
            ("gates", "Gates of this house, which hear of verdicts.", seen.gates),
            ("edges", "Edges that verdicts are pushed to.", seen.edges),
        ):
            family = GaugeMetricFamily(f"riparian_{name}", what, labels=["reach"])
            for reach, n in reached.items():
                family.add_metric([reach], n)
            yield family
        decisions = GaugeMetricFamily("riparian_decisions", "Restraints in force.", labels=["action", "applied"])
        for (action, applied), n in seen.decisions.items():
            decisions.add_metric([action, str(applied).lower()], n)
        yield decisions
        yield GaugeMetricFamily("riparian_verdicts_seq", "The number of the last change.", value=seen.seq)
        for name, what, label, counts in (
            ("pushes", "Deltas that an edge took.", "edge", seen.pushes),
            ("resyncs", "Whole lists that an edge took.", "edge", seen.resyncs),
            ("restarts", "How often a process was begun again.", "child", seen.restarts),
        ):
            counted = CounterMetricFamily(f"riparian_{name}", what, labels=[label])
            for key, n in counts.items():
                counted.add_metric([key], n)
            yield counted

    def answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        """Answer a request for a page: its status, type and body."""
        page = path.partition("?")[0]
        if page == "/metrics":
            return HTTPStatus.OK, _TEXT, generate_latest(self._registry)
        if page == "/healthz":
            return HTTPStatus.OK, "application/json", b'{"healthy": true}'
        if page == "/readyz":
            missing = self.seen.missing
            body = json.dumps({"ready": not missing, "missing": missing}).encode()
            status = HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK
            return status, "application/json", body
        return HTTPStatus.NOT_FOUND, "application/json", b'{"error": "no such page"}'

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
