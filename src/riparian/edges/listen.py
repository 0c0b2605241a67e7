"""How are many connections served, some of them slow, some hostile, and all of them let go in the end?

One :class:`Listener` is one address, TCP or unix.  What a request is answered is handed in, as a function from
request to bytes; this module knows of bytes and time only.

Bounds
------
* At most ``most`` connections; who comes beyond that is told 503 at once.
* A request that has begun is whole within ``request_s``, or it is told 408: whoever drips, drips no longer.
* A connection on which nothing begins is closed after ``idle_s``, later than a proxy's own 60 seconds.
* Who does not read is not read from; after ``request_s`` of that the connection is cut.
* Time is counted in ticks of a second by one timer for all connections, so that a request costs no clock.
* Whatever goes wrong in an answer is told as 500, the last of its connection, and handed to whoever counts; the others
  are answered as ever.
* Draining: nobody new is let in, whoever waits for nothing is let go, every answer is the last of its
  connection, and who is still there after ``drain_s`` is cut.
"""

import asyncio
import contextlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from riparian.edges.answers import on_wire, plain
from riparian.edges.parse import Lines, Reader, Refused, Request
from riparian.errors import OutsideError, PolicyError

UNIX: Final = "unix:"
TICK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one listener grants its peers.

    Parameters
    ----------
    most
        Connections at once.
    request_s
        From the first byte of a request to its last, and as long for somebody to read an answer; seconds.
    idle_s
        Between requests; seconds.
    drain_s
        How long an end is waited for; seconds.
    body_max_bytes
        The longest body; 0 for none.
    """

    most: int = 4096
    request_s: int = 5
    idle_s: int = 120
    drain_s: float = 5.0
    body_max_bytes: int = 0


Answering = Callable[[Request], bytes]

_FULL: Final = on_wire(plain(503, {"error": "there are too many connections"}), is_last=True)
_LATE: Final = on_wire(plain(408, {"error": "the request did not end in time"}), is_last=True)
_FAILED: Final = on_wire(plain(500, {"error": "the gate failed to answer"}), is_last=True)
_GO_ON: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Listener:
    """One address and its connections.

    Parameters
    ----------
    answer
        Gives the bytes of an answer.  Whether the connection ends with it is for the request to say.
    bounds
        What peers are granted.
    alone
        Names of fields that may be given once.
    refused
        Told each time that bytes were no request, or one came too late, or had no place; by status.
    failed
        Told what went wrong where a request could not be answered.
    """

    def __init__(
        self,
        answer: Answering,
        bounds: Bounds,
        *,
        alone: frozenset[bytes],
        refused: Callable[[int], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self.answer = answer
        self.bounds = bounds
        self.alone = alone
        self.lines = Lines()
        self.refused = refused
        self.failed = failed
        self.connections: set[Connection] = set()
        self.tick = 0
        self.is_draining = False
        self._emptied = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._ticking: asyncio.Task[None] | None = None

    async def open(self, address: str) -> str:
        """Listen, and give the address with the port that was found free.

        Parameters
        ----------
        address
            ``HOST:PORT`` (0: any that is free), or ``unix:PATH``.

        Raises
        ------
        PolicyError
            When the address is none.
        OutsideError
            When it cannot be listened on.
        """
        loop = asyncio.get_running_loop()
        try:
            if address.startswith(UNIX):
                path = address.removeprefix(UNIX)
                _remove_socket(path)
                self._server = await loop.create_unix_server(lambda: Connection(self), path, backlog=1024)
                bound = address
            else:
                host, port = split(address)
                self._server = await loop.create_server(lambda: Connection(self), host, port, backlog=1024)
                name = self._server.sockets[0].getsockname()
                bound = f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
        except OSError as error:
            raise OutsideError(f"`{address}` cannot be listened on ({error}), wanted a free address") from error
        self._ticking = loop.create_task(self._tick())
        return bound

    async def close(self) -> None:
        """Drain, then be gone."""
        self.is_draining = True
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.let_go()
        if self.connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), self.bounds.drain_s)
        for connection in list(self.connections):
            connection.cut()
        if self._ticking is not None:
            self._ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticking

    def leave(self, connection: "Connection") -> None:
        """Let go of a connection that is lost."""
        self.connections.discard(connection)
        if self.is_draining and not self.connections:
            self._emptied.set()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.tick += 1
            for connection in list(self.connections):
                connection.age(self.tick)


class Connection(asyncio.Protocol):
    """One peer."""

    __slots__ = ("_is_stuck", "_listener", "_reader", "_since", "_transport")

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._reader = Reader(listener.bounds.body_max_bytes, alone=listener.alone, lines=listener.lines)
        self._transport: asyncio.Transport | None = None
        self._since = listener.tick  # of the last request, or of the beginning of this one
        self._is_stuck = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        listener = self._listener
        self._transport = transport  # type: ignore[assignment]  # a stream: the servers above make no other
        if len(listener.connections) >= listener.bounds.most or listener.is_draining:
            listener.refused(503)
            self._end(_FULL)
        else:
            listener.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        del exc
        self._listener.leave(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        transport, reader, listener = self._transport, self._reader, self._listener
        if transport is None or transport.is_closing():
            return
        had_begun, had_asked = reader.is_waiting, reader.wants_body
        reader.feed(data)
        answers = []
        try:
            while (request := reader.next()) is not None:
                had_begun = False
                request.is_last |= listener.is_draining
                answers.append(listener.answer(request))
                if request.is_last:
                    self._end(b"".join(answers))
                    return
        except Refused as refused:
            listener.refused(refused.status)
            answers.append(on_wire(plain(refused.status, {"error": refused.message}), is_last=True))
            self._end(b"".join(answers))
            return
        except Exception as error:  # noqa: BLE001 -- one request that nobody foresaw must not look like a dead gate
            listener.failed(error)
            self._end(b"".join([*answers, _FAILED]))
            return
        if not had_begun:
            self._since = listener.tick
        if reader.wants_body and not had_asked:
            answers.append(_GO_ON)
        if answers:
            transport.write(answers[0] if len(answers) == 1 else b"".join(answers))

    def pause_writing(self) -> None:
        """See ``asyncio.Protocol``: the peer does not read, so it is not read from."""
        self._is_stuck = True
        self._since = self._listener.tick
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        self._is_stuck = False
        self._since = self._listener.tick
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def age(self, tick: int) -> None:
        """See whether the time is over for what the peer is about."""
        waited, bounds = (tick - self._since) * TICK_S, self._listener.bounds
        if self._transport is None:
            return
        if self._transport.is_closing() or self._is_stuck:
            if waited > bounds.request_s:
                self.cut()
        elif self._reader.is_waiting:
            if waited > bounds.request_s:
                self._listener.refused(408)
                self._end(_LATE)
        elif waited > bounds.idle_s:
            self._transport.close()

    def let_go(self) -> None:
        """Close, unless a request is under way: its answer will be the last."""
        if self._transport is not None and not self._reader.is_waiting:
            self._transport.close()

    def cut(self) -> None:
        """Close without regard for what was not sent."""
        if self._transport is not None:
            self._transport.abort()

    def _end(self, last: bytes) -> None:
        if self._transport is not None:
            self._since = self._listener.tick
            self._transport.write(last)
            self._transport.close()


def split(address: str) -> tuple[str, int]:
    """Read ``HOST:PORT``.

    Raises
    ------
    PolicyError
        When it is none.

    Examples
    --------
    >>> split("127.0.0.1:9101"), split("[::1]:0")
    (('127.0.0.1', 9101), ('::1', 0))
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise PolicyError(f"`{address}` is no address, wanted one as in 127.0.0.1:9101 or unix:/run/gate.socket")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _remove_socket(path: str) -> None:
    # What a gate that was killed left behind; never a file that is something else.
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.stat(path).st_mode):  # noqa: PTH116 -- a socket is no path that is read
            Path(path).unlink()
