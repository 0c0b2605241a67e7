"""How is a proxy answered in microseconds?

A gate is one process, one loop, two addresses.  On the **data** address proxies ask:

===================  ===============================================================================
``/auth``            nginx ``auth_request``: ``X-Riparian-Account``, ``-Recording``, ``-Kind``, ``-Rows``, ``-Device``
                     and ``-Path`` say what is asked; told in the dialect of nginx, and without a body
``/grant``           the same; what is served comes with ``X-Riparian-Grant`` for the folder of the path, written as
                     ``X-Riparian-Form`` says: ``hmac``, or ``jwt``
``/check<path>``     Envoy ext_authz over HTTP: account and device as ``edge.toml`` says, the rest from its
                     routes; told in true status codes, with a letter for people
``/late<path>``      the same about media whose grant has ended: 307 to the same path with a fresh one, or why not
                     (:mod:`riparian.edges.renewal`)
===================  ===============================================================================

On the **control** address whoever runs the house asks:

=======================  ===========================================================================
``/healthz``             200 while the loop turns
``/readyz``              200 when requests can be decided; 503 while draining, or before the first list
``/metrics``             Prometheus
``/riparian/verdicts``   where we stand (GET), and the push protocol (POST); both with the push secret
=======================  ===========================================================================

Neither address is for the public: whoever can reach the data address can ask in anybody's name.

Nothing here reads a file, a clock or an environment variable: :class:`Wire` is handed what it needs, and
:func:`serve` listens until it is told to stop.  Most answers are one of a few, and are made once.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from riparian.edges.answers import Answers, Dialect, Told, on_wire, plain
from riparian.edges.asking import KINDS, Asked, Fields, fields_alone, rows_of
from riparian.edges.door import Door
from riparian.edges.listen import Bounds, Listener
from riparian.edges.metrics import CONTENT_TYPE, Metrics
from riparian.edges.parse import ALONE, Request
from riparian.edges.pushed import BODY_MAX_BYTES, PATH
from riparian.edges.renewal import renewed
from riparian.edges.traces import Traces
from riparian.errors import InputError
from riparian.gate.admit import Answer, Rule
from riparian.gate.grants import Form
from riparian.gate.policy import Restraint

try:
    from uvloop import new_event_loop
except ImportError:  # there is none for this system: asyncio's own loop does the same, slower
    from asyncio import new_event_loop  # type: ignore[assignment]

_CHECK: Final = b"/check"
_LATE: Final = b"/late"
_FORMS: Final = {b"": Form.HMAC, b"hmac": Form.HMAC, b"jwt": Form.JWT}
_NO_PAGE: Final = plain(404, {"error": "there is no such page"})


class Wire:
    """A gate that speaks HTTP/1.1.

    Parameters
    ----------
    door
        Answers questions.
    shard
        This gate and of how many, from 0.
    traces
        Spans of pushes and of decisions that a caller samples; None for none.

    Attributes
    ----------
    bounds
        Of the data and of the control address; may be replaced before :func:`serve`.
    """

    def __init__(self, door: Door, *, shard: tuple[int, int] = (0, 1), traces: Traces | None = None) -> None:
        edge = door.edge
        self.door = door
        self.shard = shard
        self.metrics = Metrics(door)
        self.alone = ALONE | fields_alone(edge.account, edge.device)
        self.bounds = (Bounds(), Bounds(most=16, request_s=30, body_max_bytes=BODY_MAX_BYTES))
        self.is_draining = False
        self._traces = traces
        self._to_nginx, self._to_envoy = (
            Answers(dialect, edge.explain, edge.step_up_url, edge.appeal_url, shard)
            for dialect in (Dialect.NGINX, Dialect.PLAIN)
        )
        self._passes = Told(200, (("X-Riparian-Shard", f"{shard[0]}/{shard[1]}"),))
        served = Answer(200)
        self._nginx_served = on_wire(self._to_nginx.told(served))
        self._envoy_served = on_wire(self._to_envoy.told(served))

    def data(self, request: Request) -> bytes:
        """Answer a request on the data address."""
        if self._traces is not None and b"traceparent" in request.headers:
            with self._traces.decision(request.headers):
                return self._decided(request)
        return self._decided(request)

    def control(self, request: Request) -> bytes:
        """Answer a request on the control address."""
        path = request.target.partition(b"?")[0]
        if path == PATH:
            told = self._verdicts(request)
        elif request.method not in {b"GET", b"HEAD"}:
            told = plain(405, {"error": "this is only read"})
        elif path == b"/healthz":
            told = plain(200, {"healthy": True})
        elif path == b"/readyz":
            told = self._ready()
        elif path == b"/metrics":
            told = plain(200, self.metrics.exposed(), media_type=CONTENT_TYPE)
        else:
            told = _NO_PAGE
        return _written(told, request)

    def _decided(self, request: Request) -> bytes:
        path, _, query = request.target.partition(b"?")
        door = self.door
        try:
            if path == b"/auth":
                asked, answers, served = _named(request.headers), self._to_nginx, self._nginx_served
            elif path.startswith(b"/check/"):
                found = door.asked(request.headers, path[len(_CHECK) :], query)
                if found is None:
                    return _written(self._passes, request)
                asked, answers, served = found, self._to_envoy, self._envoy_served
            elif path == b"/grant":
                return self._granted(request)
            elif path.startswith(b"/late/"):
                return self._late(request, path[len(_LATE) :], query)
            else:
                return _written(_NO_PAGE, request)
        except InputError as error:
            return _written(plain(400, {"error": error.message}), request)
        answer, because = door.answer(asked)
        if answer.status == 200 and _is_plain(answer) and not because and not request.is_last:
            return served
        return _written(answers.told(answer, because=because), request)

    def _granted(self, request: Request) -> bytes:
        asked = _named(request.headers)
        asked.path = request.headers.get(b"x-riparian-path", b"").partition(b"?")[0].decode("latin-1")
        form = _FORMS.get(request.headers.get(b"x-riparian-form", b""))
        if form is None:
            raise InputError("`X-Riparian-Form` is unknown, wanted `hmac` or `jwt`")
        may_grant = self.door.may_grant(asked)
        answer, because = self.door.answer(asked)
        grant = self.door.grant(asked, answer, form) if may_grant and answer.status == 200 else ""
        return _written(self._to_nginx.told(answer, because=because, grant=grant), request)

    def _late(self, request: Request, path: bytes, query: bytes) -> bytes:
        asked = self.door.asked(request.headers, path, query)
        # Nobody asks so about what is not ours; and what nobody decided about is not opened.
        told = renewed(self.door, self._to_envoy, asked, query) if asked is not None else _NO_PAGE
        return _written(told, request)

    def _ready(self) -> Told:
        why = "draining" if self.is_draining else self.door.ailing
        is_ready = why in {"", "heartbeat"}
        return plain(200 if is_ready else 503, {"ready": is_ready, "why": why})

    def _verdicts(self, request: Request) -> Told:
        pushed = self.door.pushed
        if self._traces is None or request.method != b"POST":
            return pushed.answer(request.method, request.headers, request.body)
        with self._traces.push(request.headers, len(request.body)) as note:
            told = pushed.answer(request.method, request.headers, request.body)
            note(told.status, pushed.count)
            return told


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a gate listens: ``HOST:PORT`` (0: any that is free) or ``unix:PATH``."""

    data: str
    control: str


async def serve(
    wire: Wire,
    at: Addresses,
    *,
    stop: asyncio.Event | None = None,
    ready: Callable[[Addresses], None] | None = None,
    keep: Callable[[], None] | None = None,
) -> None:
    """Listen until told to stop, by the event or by SIGTERM or SIGINT; then drain, and keep what is known.

    Parameters
    ----------
    wire
        Answers.
    at
        Where to listen.
    stop
        Ends it from within; the signals are taken only where there is none.
    ready
        Told the addresses once both are open.
    keep
        Writes down the state of the gate, when nothing is asked any more.

    Raises
    ------
    PolicyError, OutsideError
        When an address is none, or cannot be listened on.
    """
    ends = stop if stop is not None else _on_signals()
    refused, failed = wire.metrics.refused, wire.metrics.failed
    listeners = (
        Listener(wire.data, wire.bounds[0], alone=wire.alone, refused=refused, failed=failed),
        Listener(wire.control, wire.bounds[1], alone=wire.alone, refused=refused, failed=failed),
    )
    try:
        bound = Addresses(await listeners[0].open(at.data), await listeners[1].open(at.control))
        if ready is not None:
            ready(bound)
        await ends.wait()
        # Monitors are told first, so that nobody sends more; they are let go last.
        wire.is_draining = True
        await listeners[0].close()
    finally:
        await asyncio.gather(*(listener.close() for listener in listeners))
    if keep is not None:
        keep()


def run(serving: Coroutine[Any, Any, None]) -> None:
    """Run :func:`serve` to its end, on uvloop where that is installed."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serving)


def _on_signals() -> asyncio.Event:
    loop, ends = asyncio.get_running_loop(), asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, ends.set)
    return ends


def _named(fields: Fields) -> Asked:
    # What a proxy was configured to tell; a kind that it does not know is a mistake there, not a listener's.
    said = fields.get
    kind = KINDS.get(said(b"x-riparian-kind", b"media"))
    rows = rows_of(said(b"x-riparian-rows", b""))
    if kind is None or rows is None:
        raise InputError("`X-Riparian-Kind` or `X-Riparian-Rows` is unknown, wanted a kind of request and a number")
    return Asked(
        said(b"x-riparian-account", b""),
        kind,
        said(b"x-riparian-recording", b""),
        rows=rows,
        device=said(b"x-riparian-device", b""),
    )


def _is_plain(answer: Answer) -> bool:
    return answer.action is Restraint.ALLOW and answer.would is Rule.NONE and not (answer.preview or answer.marked_only)


def _written(told: Told, request: Request) -> bytes:
    return on_wire(told, is_last=request.is_last, is_head=request.method == b"HEAD")
