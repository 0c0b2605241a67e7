"""How does a list of verdicts reach every edge, though some are slow, dead or begun anew?

:class:`HttpEdge` speaks the push protocol to one edge::

    POST /riparian/verdicts    X-Riparian-Epoch, X-Riparian-From, X-Riparian-To, X-Riparian-Full: 0 | 1
                               Authorization: Bearer SECRET
         account TAB allow|slow|step_up|hold|end TAB until_s TAB rule LF       the account percent-encoded; 0: no end
    -> 200 {"epoch", "seq", "count"}    it now stands at To
    -> 409 {"epoch", "seq", "count"}    it stood elsewhere, nothing changed: the whole list follows
    GET  /riparian/verdicts -> 200 {"epoch", "seq", "count"}

:class:`Pushing` does so for many, each in a thread of its own, so that no edge ever waits for another.

Rules
-----
* An exchange is over after ``timeout_s`` altogether, however slowly an edge drips; every exchange has a connection of
  its own, so that none is ever half open.
* Each second an edge hears something, if only that nothing changed: who hears nothing for five is cut off, and knows.
* An edge that fails is tried again after 0.2 s, then twice as long each time, at most ``LONGEST_S``; what
  it missed meanwhile arrives in one piece.
"""

import http.client
import io
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote, urlsplit

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from riparian.edges.traces import SCOPE
from riparian.errors import InputError, LifecycleError, OutsideError
from riparian.ports import Delta, Standing, Verdict

PATH: Final = "/riparian/verdicts"
HEARTBEAT_S: Final = 1.0
LONGEST_S: Final = 5.0
LATE: Final = 4
_FIRST_S: Final = 0.2
_ANSWER_BYTES: Final = 65_536
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d{1,9}) *(?=\r\n|$)", re.IGNORECASE)
_US: Final = 1_000_000
_HINTS: Final = {
    401: "Its push secret is another one: print its configuration again from this workspace, and load it anew.",
    403: "It lets nobody push from here: print its configuration again with --push-from and our address.",
    404: "Nothing takes verdicts there: name in `push` where an edge listens that holds the list itself.",
}


def body_of(verdicts: Iterable[Verdict]) -> bytes:
    r"""Write verdicts, one a line.

    Examples
    --------
    >>> from riparian.gate.policy import Restraint
    >>> body_of([Verdict("ann@x.org", Restraint.HOLD, 1_500_000, "evidence")])
    b'ann%40x.org\thold\t2\tevidence\n'
    """
    # An end is rounded up: nobody is let go before what they were told.
    lines = (
        f"{quote(v.account_id, safe='')}\t{v.restraint.name.lower()}\t{-(-v.until_us // _US)}\t{v.rule}\n"
        for v in verdicts
    )
    return "".join(lines).encode("ascii")


class HttpEdge:
    """``ports.Verdicts`` at the other end of a URL.

    Parameters
    ----------
    url
        Where the edge listens, as in ``http://127.0.0.1:9201``.
    secret
        What the edge knows its pusher by.
    timeout_s
        How long an exchange may take, from first to last.
    tracer
        Makes a span of each push that tells something; the one that is set for the process where None is given.

    Raises
    ------
    InputError
        When the URL is none.
    """

    def __init__(self, url: str, secret: str, *, timeout_s: float = 5.0, tracer: Tracer | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"`{url}` is no URL of an edge, wanted one as in http://127.0.0.1:8080")
        self.url = url
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._path = parts.path.rstrip("/") + PATH
        self._secret = secret
        self._timeout_s = timeout_s
        self._tracer = tracer if tracer is not None else trace.get_tracer(SCOPE)

    def publish(self, delta: Delta) -> Standing:
        """See ``ports.Verdicts``."""
        return self._post(delta, full=False)

    def resync(self, whole: Delta) -> Standing:
        """See ``ports.Verdicts``."""
        return self._post(whole, full=True)

    def seen(self) -> Standing:
        """See ``ports.Verdicts``."""
        status, answer = self._exchange("GET", {}, b"")
        return self._standing(status, answer)

    def _post(self, delta: Delta, *, full: bool) -> Standing:
        headers = {
            "X-Riparian-Epoch": delta.epoch,
            "X-Riparian-From": str(delta.from_seq),
            "X-Riparian-To": str(delta.to_seq),
            "X-Riparian-Full": str(int(full)),
            "Content-Type": "text/plain",
        }
        with self._span(delta, full=full) as carried:
            status, answer = self._exchange("POST", headers | carried, body_of(delta.verdicts))
        if status == http.client.CONFLICT and not full:
            raise LifecycleError(f"`{self.url}` stands elsewhere (`{_shown(answer)}`), wanted `{delta.from_seq}`")
        return self._standing(status, answer)

    @contextmanager
    def _span(self, delta: Delta, *, full: bool) -> Iterator[dict[str, str]]:
        """Make a span of what tells something, and give the headers that carry it; heartbeats are none."""
        carried: dict[str, str] = {}
        if not (delta.verdicts or full):
            yield carried
            return
        with self._tracer.start_as_current_span("riparian.push", kind=SpanKind.CLIENT) as span:
            span.set_attribute("server.address", f"{self._host}:{self._port}")
            span.set_attribute("riparian.full", full)
            span.set_attribute("riparian.verdicts", len(delta.verdicts))
            TraceContextTextMapPropagator().inject(carried)
            yield carried

    def _standing(self, status: int, answer: bytes) -> Standing:
        if status != http.client.OK:
            hint = _HINTS.get(status, "")
            raise OutsideError(f"`{self.url}` answers {status} to a push of verdicts, wanted 200", hint=hint)
        try:
            told = json.loads(answer)
            return Standing(str(told["epoch"]), int(told["seq"]), int(told["count"]))
        except (ValueError, KeyError, TypeError) as error:
            raise OutsideError(f"`{self.url}` answers `{_shown(answer)}`, wanted epoch, seq and count") from error

    def _exchange(self, method: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        lines = {
            "Host": f"{self._host}:{self._port}",
            "Authorization": f"Bearer {self._secret}",
            "Connection": "close",
            "Content-Length": str(len(body)),
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        try:
            raw = self._sent(f"{method} {self._path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
            response = http.client.HTTPResponse(_Received(raw), method=method)  # type: ignore[arg-type]
            response.begin()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            told = str(error) or type(error).__name__
            raise OutsideError(f"`{self.url}` is out of reach: {told}, wanted an answer") from error

    def _sent(self, request: bytes) -> bytes:
        """Send a request and take all that is answered, within one deadline."""
        deadline = time.monotonic() + self._timeout_s
        with socket.create_connection((self._host, self._port), timeout=self._timeout_s) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=self._host)
            with stream:
                stream.settimeout(_left(deadline))
                stream.sendall(request)
                received = bytearray()
                while len(received) < _ANSWER_BYTES and not _is_whole(received):
                    stream.settimeout(_left(deadline))
                    block = stream.recv(_ANSWER_BYTES)
                    if not block:
                        break
                    received += block
                return bytes(received)


@dataclass(frozen=True, slots=True)
class _Received:
    """What ``http.client`` takes for a socket."""

    raw: bytes

    def makefile(self, mode: str) -> io.BytesIO:
        del mode
        return io.BytesIO(self.raw)


def _is_whole(received: bytearray) -> bool:
    # Not every edge hangs up, though it is asked to.
    head, ends, body = bytes(received).partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return bool(ends) and length is not None and len(body) >= int(length[1])


def _shown(answer: bytes) -> str:
    return answer[:100].decode("ascii", "backslashreplace")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("too slow")
    return left


class Reach(StrEnum):
    """How an edge is doing."""

    IN_STEP = "in step"
    BEHIND = "behind"
    OUT_OF_REACH = "out of reach"


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one edge: how it is doing, since when, how often in a row it failed, why, and what to do."""

    reach: Reach = Reach.BEHIND
    since_s: float = 0.0
    failures: int = 0
    why: str = ""
    hint: str = ""


class Pushing:
    """A thread for each edge, each at its own pace.

    Parameters
    ----------
    steps
        By edge: brings it to where the ledger is, and says whether it is there and whole; raises ``OutsideError``.
    told
        Called when an edge does better or worse than before, from the edge's own thread; of one that has never
        answered, after ``LATE`` failures: it may be starting, too.
    """

    def __init__(
        self,
        steps: Mapping[str, Callable[[], bool]],
        *,
        told: Callable[[str, State], None],
    ) -> None:
        self._told = told
        self._ended = threading.Event()
        self._woken = {edge: threading.Event() for edge in steps}
        self._states = {edge: State(since_s=time.monotonic()) for edge in steps}
        self._said: dict[str, Reach] = {}
        self._threads = [
            threading.Thread(target=self._keep, args=(edge, step), name=f"push to {edge}", daemon=True)
            for edge, step in steps.items()
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that something changed: who is in reach hears of it at once."""
        for woken in self._woken.values():
            woken.set()

    def states(self) -> dict[str, State]:
        """Tell how every edge is doing."""
        return dict(self._states)

    def close(self, timeout_s: float = 1.0) -> None:
        """Let go; an exchange that is under way is waited for, but not for long."""
        self._ended.set()
        self.wake()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _keep(self, edge: str, step: Callable[[], bool]) -> None:
        failures = 0
        while not self._ended.is_set():
            self._woken[edge].clear()
            try:
                reach, why, hint, failures = (Reach.IN_STEP if step() else Reach.BEHIND), "", "", 0
            except OutsideError as error:
                reach, why, hint, failures = Reach.OUT_OF_REACH, error.message, error.hint, failures + 1
            self._note(edge, State(reach, time.monotonic(), failures, why, hint))
            if failures:
                # Not woken by changes: who is down is not asked more often because there is more to tell.
                self._ended.wait(min(LONGEST_S, _FIRST_S * 2.0 ** min(failures - 1, 10)))
            else:
                self._woken[edge].wait(HEARTBEAT_S)

    def _note(self, edge: str, state: State) -> None:
        before = self._states[edge]
        if state.reach is before.reach:
            state = replace(state, since_s=before.since_s)
        self._states[edge] = state
        is_starting = edge not in self._said and 0 < state.failures < LATE
        if state.reach is not self._said.get(edge) and not is_starting:
            self._said[edge] = state.reach
            self._told(edge, state)


def status_line(states: Mapping[str, State]) -> dict[str, Any]:
    """Count edges by how they are doing.

    Examples
    --------
    >>> status_line({"a": State(Reach.IN_STEP), "b": State(Reach.IN_STEP), "c": State(Reach.OUT_OF_REACH)})
    {'in step': 2, 'behind': 0, 'out of reach': 1}
    """
    return {str(reach): sum(state.reach is reach for state in states.values()) for reach in Reach}
