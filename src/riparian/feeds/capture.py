"""What does an address show, so kept that somebody else can look at it later?

One address, asked once, because somebody named permits it; it is asked as it is, and what it links to is not.  All that
came over the wire is kept as WARC records, question and answer, to the octet.  Pages, pictures and lists of files are
read; of anything else (sound, archives) only the headers are: a leaked file is not fetched to prove that it is there.

Nothing inside a private network is asked unless that was said, not even when a public name or an answer leads there:
the address that was looked at is the address that is connected to.

Source
------
ISO 28500:2017 (WARC 1.1), sections 5 and 6.2 to 6.4; RFC 9110, section 15 (status codes); RFC 6890 (what is private).
"""

import base64
import hashlib
import http.client
import io
import ipaddress
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from riparian.errors import InputError, OutsideError

AGENT: Final = "riparian-evidence (+one page, asked for by a person)"
OCTETS_MAX: Final = 32 << 20
_TIMEOUT_S: Final = 15.0
_WHOLE_S: Final = 90.0
_REDIRECTS_MAX: Final = 5
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_GONE: Final = (404, 410, 451)
_PORTS: Final = {"http": 80, "https": 443}
_READ: Final = (
    *("text/", "image/", "application/xhtml", "application/xml", "application/json", "application/rss"),
    *("application/atom", "application/ld+json", "application/x-bittorrent"),
)

Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Captured:
    """What an address showed.

    Parameters
    ----------
    warc
        Questions and answers, WARC 1.1.
    status
        Of the last answer.
    live
        Whether it is there: a page was shown (2xx: True), or it is said to be gone (404, 410, 451: False); None when
        neither was said.
    address
        The last one that was asked.
    whole
        Whether the last answer was kept to its end.
    """

    warc: bytes
    status: int
    live: bool | None
    address: str
    whole: bool


@dataclass(slots=True)
class _Answer:
    status: int
    location: str
    asked: bytes
    octets: bytes
    ip: str
    truncated: str


def capture(
    address: str, permitted_by: str, at: datetime, *, private: bool = False, resolve: Resolve | None = None
) -> Captured:
    """Ask an address and keep what it shows.

    Parameters
    ----------
    permitted_by
        Who says that we may; it is written into the WARC.
    at
        Now, with a zone.
    private
        Whether addresses of private networks may be asked.
    resolve
        Gives the IP addresses of a name at a port.

    Raises
    ------
    InputError
        When it is no address, nobody permits it, or it is private.
    OutsideError
        When it cannot be reached.
    """
    if not permitted_by.strip():
        raise InputError("nobody permits it, wanted the name of who does", hint="Add --permitted-by WHO.")
    lines = {
        "software": "riparian",
        "format": "WARC File Format 1.1",
        "operator": _line(permitted_by),
        "robots": "none",
    }
    info = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()
    warc = bytearray(_record("warcinfo", at, info, {"Content-Type": "application/warc-fields"}))
    begun = time.monotonic()
    for _ in range(_REDIRECTS_MAX + 1):
        answer = _asked(address, begun, private=private, resolve=resolve or resolved)
        now = at.astimezone(UTC)
        warc += _pair(address, now, answer)
        if answer.status not in _REDIRECTS or not answer.location:
            status = answer.status
            live = True if 200 <= status < 300 else False if status in _GONE else None
            return Captured(bytes(warc), status, live, address, not answer.truncated)
        address = urljoin(address, answer.location)
    raise OutsideError(
        f"`{address[:80]}` is the end of more than {_REDIRECTS_MAX} redirections, wanted a page",
        hint="Look at it in a browser, and import what that saved.",
    )


def resolved(host: str, port: int) -> Sequence[str]:
    """Give the IP addresses of a name."""
    return [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _asked(address: str, begun: float, *, private: bool, resolve: Resolve) -> _Answer:
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not host or parts.username is not None or len(address) > 8192:
        raise InputError(f"`{address[:80]}` is no address of a page, wanted one as in https://mirror.example/page")
    try:
        port = parts.port or _PORTS[parts.scheme]
        ips, named = resolve(host, port), _host(parts)
    except (OSError, ValueError, UnicodeError) as error:
        raise OutsideError(f"`{host[:80]}` has no address: {error}", hint="Check the name.") from error
    hidden = [ip for ip in ips if not ipaddress.ip_address(ip.partition("%")[0]).is_global]
    if not ips or (hidden and not private):
        raise InputError(
            f"`{host[:80]}` is inside a private network, wanted a public page",
            hint="Add --private where you are entitled to ask it.",
        )
    path = quote(urlunsplit(("", "", parts.path or "/", parts.query, "")), safe="/%:=&?~#+!$,;'@()*[]")
    asked = (
        f"GET {path} HTTP/1.1\r\nHost: {named}\r\nUser-Agent: {AGENT}\r\nAccept: text/html, */*;q=0.5\r\n"
        "Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
    ).encode("ascii")
    try:
        with socket.create_connection((ips[0], port), timeout=_TIMEOUT_S) as plain:
            if parts.scheme == "http":
                return _exchanged(plain, asked, ips[0], begun)
            with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as wrapped:
                return _exchanged(wrapped, asked, ips[0], begun)
    except (OSError, http.client.HTTPException) as error:
        raise OutsideError(
            f"`{address[:80]}` cannot be reached: {error}",
            hint="Nothing is written down: that nobody answers is no proof that something is gone.",
        ) from error


def _host(parts: Any) -> str:
    host = str(parts.hostname).encode("idna").decode() if ":" not in parts.hostname else f"[{parts.hostname}]"
    return host if parts.port in (None, _PORTS[parts.scheme]) else f"{host}:{parts.port}"


class _Heard(io.RawIOBase):
    """A socket that keeps what came over it, within bounds."""

    def __init__(self, wire: socket.socket, until: float) -> None:
        self._wire, self._until = wire, until
        self.octets = bytearray()
        self.truncated = ""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        if len(self.octets) >= OCTETS_MAX or time.monotonic() > self._until:
            self.truncated = "length" if len(self.octets) >= OCTETS_MAX else "time"
            return 0
        n = self._wire.recv_into(into)
        self.octets += into[:n]
        return n


class _Wire:
    """What ``http.client`` takes for a socket."""

    def __init__(self, heard: _Heard) -> None:
        self._heard = heard

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(self._heard)


def _exchanged(wire: socket.socket, asked: bytes, ip: str, begun: float) -> _Answer:
    wire.sendall(asked)
    heard = _Heard(wire, begun + _WHOLE_S)
    response = http.client.HTTPResponse(_Wire(heard), method="GET")  # type: ignore[arg-type]
    response.begin()
    media_type = response.headers.get_content_type() if "Content-Type" in response.headers else "text/plain"
    if media_type.startswith(_READ):
        try:
            while response.read(1 << 16):
                pass
            is_cut = bool(response.length)
        except http.client.IncompleteRead:
            is_cut = True
        heard.truncated = heard.truncated or ("disconnect" if is_cut else "")
    else:
        heard.truncated = "unspecified"
        del heard.octets[_end_of_headers(heard.octets) :]
    location = response.headers.get("Location", "")
    return _Answer(response.status, location, asked, bytes(heard.octets), ip, heard.truncated)


def _end_of_headers(octets: bytes | bytearray) -> int:
    ends = [octets.find(mark) + len(mark) for mark in (b"\r\n\r\n", b"\n\n") if mark in octets]
    return min(ends, default=len(octets))


def _pair(address: str, at: datetime, answer: _Answer) -> bytes:
    name = f"<urn:uuid:{uuid.uuid4()}>"
    about = {"WARC-Target-URI": address, "WARC-IP-Address": answer.ip}
    body = answer.octets[_end_of_headers(answer.octets) :]
    said = {
        "WARC-Record-ID": name,
        **about,
        "Content-Type": "application/http; msgtype=response",
        "WARC-Payload-Digest": _digest(body),
        **({"WARC-Truncated": answer.truncated} if answer.truncated else {}),
    }
    asking = {**about, "Content-Type": "application/http; msgtype=request", "WARC-Concurrent-To": name}
    return _record("response", at, answer.octets, said) + _record("request", at, answer.asked, asking)


def _record(kind: str, at: datetime, block: bytes, said: dict[str, str]) -> bytes:
    headers = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{uuid.uuid4()}>",
        "WARC-Date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        **said,
        "WARC-Block-Digest": _digest(block),
        "Content-Length": str(len(block)),
    }
    lines = "".join(f"{name}: {_line(value)}\r\n" for name, value in headers.items())
    return b"WARC/1.1\r\n" + lines.encode() + b"\r\n" + block + b"\r\n\r\n"


def _digest(octets: bytes) -> str:
    return f"sha256:{base64.b32encode(hashlib.sha256(octets).digest()).decode()}"


def _line(text: str) -> str:
    return " ".join(text.split())
