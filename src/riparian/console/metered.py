"""How many requests does the console answer, how fast, and is it ready?

=================================================  ===========================================================
``riparian_console_requests_total``                answers, by ``route``, ``method`` and ``status``; a route is
                                                   the page's address without what was asked of it
``riparian_console_seconds{route}``                a histogram of how long they took
``riparian_console_in_flight``                     requests that are being answered
=================================================  ===========================================================

No label holds anything that was sent: a path that no page has is ``(none)``, a method that none takes ``(other)``.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import Metric
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from riparian.edges.health import DRAINING, Kept

NO_ROUTE: Final = "(none)"
OTHER: Final = "(other)"
_METHODS: Final = ("GET", "HEAD", "POST")
_BUCKETS_S: Final = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0)
_CUT: Final = 499


@dataclass(frozen=True, slots=True)
class Answered:
    """One request, without anything that was sent.

    Parameters
    ----------
    route, method
        What was asked for.
    status
        What was answered; 499 where whoever asked had gone.
    seconds
        How long it took.
    """

    route: str
    method: str
    status: int
    seconds: float


class Metered:
    """ASGI: counts what passes through it.

    Parameters
    ----------
    app
        What answers.
    told
        Hears of each answer.
    """

    def __init__(self, app: Starlette, told: Callable[[Answered], None] | None = None) -> None:
        self._app = app
        self._told = told
        routes = [route for route in app.routes if isinstance(route, Route)]
        self._paths = frozenset(route.path for route in routes)
        self._patterns = tuple((route.path_regex, route.path) for route in routes if "{" in route.path)
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "riparian_console_requests", "Answers.", ["route", "method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "riparian_console_seconds", "How long answers took.", ["route"], buckets=_BUCKETS_S, registry=self.registry
        )
        self._in_flight = Gauge("riparian_console_in_flight", "Requests being answered.", registry=self.registry)

    def route_of(self, path: str) -> str:
        """Say which route a path is of, and nothing of the path."""
        if path in self._paths:
            return path
        return next((route for pattern, route in self._patterns if pattern.match(path)), NO_ROUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begun_s = _CUT, time.perf_counter()

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._in_flight.inc()
        try:
            await self._app(scope, receive, sent)
        finally:
            self._in_flight.dec()
            method = scope["method"] if scope["method"] in _METHODS else OTHER
            answered = Answered(self.route_of(scope["path"]), method, status, time.perf_counter() - begun_s)
            self._requests.labels(answered.route, method, str(status)).inc()
            self._seconds.labels(answered.route).observe(answered.seconds)
            if self._told is not None:
                self._told(answered)


class Readiness:
    """What the page for monitors tells of a console (:class:`riparian.edges.health.Reported`).

    Parameters
    ----------
    metered
        What is counted.
    kept
        Says how the workspace stands.
    is_listening, is_draining
        Say whether pages are answered, and whether it was asked to end.
    """

    def __init__(
        self,
        metered: Metered,
        kept: Callable[[], Kept],
        *,
        is_listening: Callable[[], bool],
        is_draining: Callable[[], bool],
    ) -> None:
        self._metered = metered
        self._kept = kept
        self._is_listening = is_listening
        self._is_draining = is_draining

    @property
    def missing(self) -> tuple[str, ...]:
        """See ``Reported``."""
        if self._is_draining():
            return (DRAINING,)
        reasons = (
            (self._is_listening(), "pages are not listened for"),
            (self._kept().is_readable, "workspace cannot be read"),
        )
        return tuple(why for is_well, why in reasons if not is_well)

    def families(self) -> Iterator[Metric]:
        """See ``Reported``."""
        yield from self._metered.registry.collect()
        yield from self._kept().families()
