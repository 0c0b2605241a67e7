"""Is the house that serves well, as a whole?

A page for monitors, apart from those of the gates: ``/healthz`` (it runs), ``/readyz`` (200 once every gate
holds its history and the list of verdicts, 503 with what is missing before, and with ``draining`` once it was asked
to end) and ``/metrics``.  The console has one, too (:mod:`riparian.console.metered`).  No label names an account.

======================================  =======================================================================
``riparian_gates{reach}``           gates of this house that hear of verdicts: in step, behind, out of reach
``riparian_edges{reach}``           the same of the edges that ``push`` in ``edge.toml`` names
``riparian_decisions{action,applied}``  restraints in force; in shadow ``applied="false"``: what would have been
``riparian_verdicts_seq``           the number of the last change
``riparian_pushes_total{edge}``     deltas that an edge took; ``riparian_resyncs_total{edge}`` whole lists
``riparian_restarts_total{child}``  how often a process was begun again
``riparian_workspace_readable``     1 while decisions can be read, 0 when they cannot
``riparian_workspace_free_bytes``   what is left on the disk of the workspace
``riparian_scan_timestamp_seconds``  when the last scan began
``riparian_log_end_timestamp_seconds``  the last access that a scan saw
``riparian_rejected_lines``         lines that could not be read, of all scans
``riparian_waiting{what}``          proposals and appeals that wait for a person
``riparian_late{what}``             how many of these are past their day
``riparian_build_info{version}``    1; beside it ``process_...``: memory, time and open files of the process
======================================  =======================================================================
"""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Protocol

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from riparian import __version__
from riparian.errors import OutsideError

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_US: Final = 1_000_000
DRAINING: Final = "draining"


class Reported(Protocol):
    """What a page tells of whatever it stands for."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What is not ready; nothing when all is."""
        ...

    def families(self) -> Iterator[Metric]:
        """Give its figures to Prometheus' client."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """How the workspace stands, without anybody in it.

    Parameters
    ----------
    is_readable
        Whether decisions could be read just now.
    free_bytes
        What is left on its disk.
    scanned_us, log_end_us
        When the last scan began, and the last access that it saw; 0 for never.
    rejected
        How many lines could not be read.
    waiting, late
        How many proposals and appeals wait for a person, and how many of them are past their day.
    """

    is_readable: bool = False
    free_bytes: int = 0
    scanned_us: int = 0
    log_end_us: int = 0
    rejected: int = 0
    waiting: Mapping[str, int] = field(default_factory=dict)
    late: Mapping[str, int] = field(default_factory=dict)

    def families(self) -> Iterator[Metric]:
        """See ``Reported``."""
        for name, what, value in (
            ("workspace_readable", "Whether decisions can be read.", float(self.is_readable)),
            ("workspace_free_bytes", "What is left on the disk of the workspace.", self.free_bytes),
            ("scan_timestamp_seconds", "When the last scan began; 0 for never.", self.scanned_us / _US),
            ("log_end_timestamp_seconds", "The last access that a scan saw; 0 for none.", self.log_end_us / _US),
            ("rejected_lines", "Lines that could not be read.", self.rejected),
        ):
            yield GaugeMetricFamily(f"riparian_{name}", what, value=value)
        for name, what, counts in (
            ("waiting", "What waits for a person.", self.waiting),
            ("late", "What waits for a person, and is past its day.", self.late),
        ):
            family = GaugeMetricFamily(f"riparian_{name}", what, labels=["what"])
            for key, n in counts.items():
                family.add_metric([key], n)
            yield family


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
    kept
        How the workspace stands.
    """

    gates: Mapping[str, int] = field(default_factory=dict)
    edges: Mapping[str, int] = field(default_factory=dict)
    decisions: Mapping[tuple[str, bool], int] = field(default_factory=dict)
    seq: int = 0
    pushes: Mapping[str, int] = field(default_factory=dict)
    resyncs: Mapping[str, int] = field(default_factory=dict)
    restarts: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ("everything",)
    kept: Kept = Kept()

    def families(self) -> Iterator[Metric]:
        """See ``Reported``."""
        for name, what, reached in (
            ("gates", "Gates of this house, which hear of verdicts.", self.gates),
            ("edges", "Edges that verdicts are pushed to.", self.edges),
        ):
            family = GaugeMetricFamily(f"riparian_{name}", what, labels=["reach"])
            for reach, n in reached.items():
                family.add_metric([reach], n)
            yield family
        decisions = GaugeMetricFamily("riparian_decisions", "Restraints in force.", labels=["action", "applied"])
        for (action, applied), n in self.decisions.items():
            decisions.add_metric([action, str(applied).lower()], n)
        yield decisions
        yield GaugeMetricFamily("riparian_verdicts_seq", "The number of the last change.", value=self.seq)
        for name, what, label, counts in (
            ("pushes", "Deltas that an edge took.", "edge", self.pushes),
            ("resyncs", "Whole lists that an edge took.", "edge", self.resyncs),
            ("restarts", "How often a process was begun again.", "child", self.restarts),
        ):
            counted = CounterMetricFamily(f"riparian_{name}", what, labels=[label])
            for key, n in counts.items():
                counted.add_metric([key], n)
            yield counted
        yield from self.kept.families()


def build() -> Metric:
    """Say which version runs, as a metric."""
    family = GaugeMetricFamily("riparian_build_info", "Which version runs.", labels=["version"])
    family.add_metric([__version__], 1)
    return family


class Health:
    """The page, in a thread of its own.

    Parameters
    ----------
    host, port
        Where it listens; port 0 takes any that is free.
    seen
        What is told, until another is put into its place; that nothing is ready, where it is not given.

    Raises
    ------
    OutsideError
        When it cannot listen there.
    """

    def __init__(self, host: str, port: int, seen: Reported | None = None) -> None:
        self.seen: Reported = Seen() if seen is None else seen
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
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
        yield from self.seen.families()
        yield build()

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
