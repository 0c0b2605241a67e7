"""What does an address answer, asked once?

Nothing inside a private network is asked unless that was said, not even when a public name leads there: the address
that was looked at is the address that is connected to.  Whatever comes is bounded in octets and in time, and no
redirection is followed: that is for whoever asks to decide.

Source
------
RFC 9110, section 9.3.1 (GET); RFC 6890 (what is private).
"""

import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from riparian.errors import InputError, OutsideError

_TIMEOUT_S: Final = 15.0
_PORTS: Final = {"http": 80, "https": 443}
LONGEST: Final = 8192

Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how much of an answer is taken.

    Parameters
    ----------
    headers
        Besides ``Host``, ``Accept-Encoding`` and ``Connection``.
    until
        On the monotonic clock, when waiting ends.
    octets_max
        Of the answer, headers included.
    into
        Takes the body part by part.
    is_wanted
        Says from the headers whether the body is.
    keep_wire
        Whether the answer is kept as it came over the wire.
    private
        Whether addresses of private networks may be asked.
    resolve
        Gives the IP addresses of a name at a port.
    """

    address: str
    headers: Mapping[str, str]
    until: float
    octets_max: int
    into: Callable[[bytes], object]
    is_wanted: Callable[[int, Message], bool] = field(default=lambda *_: True)
    keep_wire: bool = False
    private: bool = False
    resolve: Resolve | None = None


@dataclass(slots=True)
class Answer:
    """What came.

    Parameters
    ----------
    asked, octets
        Question and answer as they went over the wire; the answer empty where it was not to be kept.
    truncated
        Why it is not whole, in the words of WARC: ``length``, ``time``, ``disconnect``, ``unspecified`` where the body
        was not wanted; empty when it is.
    """

    status: int
    headers: Message
    asked: bytes
    octets: bytes
    ip: str
    truncated: str


def ask_once(question: Question) -> Answer:
    """Ask an address.

    Raises
    ------
    InputError
        When it is no address of a page, or private.
    OutsideError
        When it cannot be reached.
    """
    address = question.address
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not host or parts.username is not None or len(address) > LONGEST:
        raise InputError(f"`{address[:80]}` is no address of a page, wanted one as in https://mirror.example/page")
    try:
        port = parts.port or _PORTS[parts.scheme]
        ips, named = (question.resolve or resolved)(host, port), _host(parts)
    except (OSError, ValueError, UnicodeError) as error:
        raise OutsideError(f"`{host[:80]}` has no address: {error}", hint="Check the name.") from error
    hidden = [ip for ip in ips if not ipaddress.ip_address(ip.partition("%")[0]).is_global]
    if not ips or (hidden and not question.private):
        raise InputError(
            f"`{host[:80]}` is inside a private network, wanted a public page",
            hint="Add --private where you are entitled to ask it.",
        )
    path = quote(urlunsplit(("", "", parts.path or "/", parts.query, "")), safe="/%:=&?~#+!$,;'@()*[]")
    lines = {"Host": named, **question.headers, "Accept-Encoding": "identity", "Connection": "close"}
    text = "".join(f"{name}: {' '.join(value.split())}\r\n" for name, value in lines.items())
    asked = f"GET {path} HTTP/1.1\r\n{text}\r\n".encode("latin-1", "replace")
    try:
        with socket.create_connection((ips[0], port), timeout=_TIMEOUT_S) as plain:
            if parts.scheme == "http":
                return _exchanged(plain, asked, ips[0], question)
            with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as wrapped:
                return _exchanged(wrapped, asked, ips[0], question)
    except (OSError, http.client.HTTPException) as error:
        raise OutsideError(
            f"`{address[:80]}` cannot be reached: {error}",
            hint="Nothing is written down: that nobody answers is no proof that something is gone.",
        ) from error


def resolved(host: str, port: int) -> Sequence[str]:
    """Give the IP addresses of a name."""
    return [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _host(parts: Any) -> str:
    host = str(parts.hostname).encode("idna").decode() if ":" not in parts.hostname else f"[{parts.hostname}]"
    return host if parts.port in (None, _PORTS[parts.scheme]) else f"{host}:{parts.port}"


class _Heard(io.RawIOBase):
    """A socket that keeps what came over it, within bounds."""

    def __init__(self, wire: socket.socket, question: Question) -> None:
        self._wire, self._question = wire, question
        self._n = 0
        self.octets = bytearray()
        self.truncated = ""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        if self._n >= self._question.octets_max or time.monotonic() > self._question.until:
            self.truncated = "length" if self._n >= self._question.octets_max else "time"
            return 0
        n = self._wire.recv_into(into, min(len(into), self._question.octets_max - self._n))
        self._n += n
        if self._question.keep_wire:
            self.octets += into[:n]
        return n


class _Wire:
    """What ``http.client`` takes for a socket."""

    def __init__(self, heard: _Heard) -> None:
        self._heard = heard

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(self._heard)


def _exchanged(wire: socket.socket, asked: bytes, ip: str, question: Question) -> Answer:
    wire.sendall(asked)
    heard = _Heard(wire, question)
    response = http.client.HTTPResponse(_Wire(heard), method="GET")  # type: ignore[arg-type]
    response.begin()
    if question.is_wanted(response.status, response.headers):
        try:
            while part := response.read(1 << 16):
                question.into(part)
            is_cut = bool(response.length)
        except http.client.IncompleteRead as error:
            question.into(error.partial)
            is_cut = True
        heard.truncated = heard.truncated or ("disconnect" if is_cut else "")
    else:
        heard.truncated = "unspecified"
        del heard.octets[end_of_headers(heard.octets) :]
    return Answer(response.status, response.headers, asked, bytes(heard.octets), ip, heard.truncated)


def end_of_headers(octets: bytes | bytearray) -> int:
    r"""Give where the headers of a message end, with the empty line.

    Examples
    --------
    >>> end_of_headers(b"HTTP/1.1 200 OK\r\n\r\nbody")
    19
    """
    ends = [octets.find(mark) + len(mark) for mark in (b"\r\n\r\n", b"\n\n") if mark in octets]
    return min(ends, default=len(octets))
