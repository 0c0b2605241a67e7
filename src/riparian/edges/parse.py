"""Where does one request end and the next begin?

Two programs that disagree about that can be played against each other: the second request hides in
the first.  The peers of the gate are proxies on the same machine, and trusted; the bytes that they
pass on come from anybody.  So this parser reads a small, strict part of HTTP/1.1 and refuses the rest:

* A head is at most ``HEAD_MAX_BYTES`` with ``HEADERS_MAX`` fields; each line ends in CR LF, no other
  CR, LF or control character is in it; the first line is ``METHOD /path HTTP/1.1`` (or 1.0) with single spaces.
* A field has a name of token characters with the colon right behind it, and stands on one line.
* HTTP/1.1 names its host, once.  ``Content-Length`` is decimal digits, once.  ``Transfer-Encoding`` is
  ``chunked``, once, in HTTP/1.1, and never beside ``Content-Length``.
* A field that something is decided by is given once; the names are handed in.  Others are joined by commas.
* HTTP/1.0 and ``Connection: close`` end the connection after the answer.
* A body is at most as long as the listener says; the data listener takes none.  A chunk has a size of
  up to eight hexadecimal digits and no extension; trailers are refused.

Whatever is accepted is read the same by h11 (``tests/edges/test_parse.py``, ``fuzz/fuzz_wire.py``).

Source
------
RFC 9112 (2022), HTTP/1.1, sections 2 to 7 and 11.2.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from riparian.errors import InputError

HEAD_MAX_BYTES: Final = 16_384
HEADERS_MAX: Final = 100
LINES_MAX: Final = 1 << 15
_LINE_BYTES: Final = 256
ALONE: Final = frozenset(
    {
        b"authorization",
        b"content-length",
        b"host",
        b"transfer-encoding",
        b"traceparent",
        b"x-riparian-account",
        b"x-riparian-device",
        b"x-riparian-epoch",
        b"x-riparian-from",
        b"x-riparian-full",
        b"x-riparian-kind",
        b"x-riparian-path",
        b"x-riparian-recording",
        b"x-riparian-rows",
        b"x-riparian-to",
    }
)
"""Fields that something is decided by: given twice, nobody knows which one the peer meant."""

_REQUEST: Final = re.compile(rb"([A-Z]{1,16}) (/[!-~]*+) HTTP/1\.([01])\r\n")
_FIELD: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++):[ \t]*+([^\x00-\x08\x0a-\x1f\x7f]*+)")
_STRAY: Final = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DIGITS: Final = re.compile(rb"[0-9]{1,15}")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_CHUNK_LINE_MAX: Final = 10


class Refused(InputError):  # noqa: N818 -- what became of the request
    """A request that is not read, with the status that says so; the connection ends with it.

    Parameters
    ----------
    message
        What was found, and what was wanted.
    status
        400, 413 (body), 431 (head), 501 (coding) or 505 (version).
    """

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Request:
    """One request, read.

    Parameters
    ----------
    method
        As sent, in capitals.
    target
        From the slash on, query included.
    headers
        By name in small letters; values without the space around them.
    is_last
        Whether the connection ends with the answer.
    body
        Without its chunks; empty where there is none.
    """

    method: bytes
    target: bytes
    headers: Mapping[bytes, bytes]
    is_last: bool
    body: bytes = b""


class Lines:
    """Fields by the line that they stood on: a proxy sends the same lines again and again, and each is read once.

    The last tens of thousands are remembered, but for long ones.
    """

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[bytes, tuple[bytes, bytes]] = {}

    def read(self, line: bytes) -> tuple[bytes, bytes]:
        """Read a line that is not known; name in small letters, and value."""
        found = _FIELD.fullmatch(line)
        if found is None:
            raise Refused("the head has a line that is no field, wanted `name: value` and CR LF")
        field = found[1].lower(), found[2].rstrip(b" \t")
        if len(line) <= _LINE_BYTES:
            if len(self.known) >= LINES_MAX:
                self.known.clear()
            self.known[line] = field
        return field


def again(fields: Mapping[bytes, bytes], name: bytes, value: bytes, alone: frozenset[bytes]) -> bytes:
    """Give the value of a field that is given once more: joined by a comma, cookies by a semicolon.

    Parameters
    ----------
    fields
        What was given so far, names in small letters.
    name, value
        What is given now.
    alone
        Fields that may be given once.

    Raises
    ------
    Refused
        When this is one of them.

    Examples
    --------
    >>> nothing = frozenset()
    >>> again({b"via": b"a"}, b"via", b"b", nothing), again({b"cookie": b"x=1"}, b"cookie", b"y=2", nothing)
    (b'a, b', b'x=1; y=2')
    """
    if name in alone:
        raise Refused(f"`{name.decode('latin-1').title()}` is given twice, wanted it once")
    return fields[name] + (b"; " if name == b"cookie" else b", ") + value


class Reader:
    r"""Cuts the bytes of one connection into requests.

    It holds no more than a head and a body of the largest size, and what arrived with them.

    Parameters
    ----------
    body_max_bytes
        The longest body taken; 0 takes none.
    alone
        Names, in small letters, of fields that may be given once.
    lines
        What is remembered of other connections.

    Examples
    --------
    >>> reader = Reader()
    >>> reader.feed(b"GET /auth HTTP/1.1\r\nHost: gate\r\nX-Riparian-Acc")
    >>> reader.next() is None
    True
    >>> reader.feed(b"ount: a1\r\n\r\n")
    >>> reader.next().headers
    {b'host': b'gate', b'x-riparian-account': b'a1'}
    >>> reader.feed(b"PUT / HTTP/1.1\r\nHost: gate\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n")
    >>> reader.next()
    Traceback (most recent call last):
    riparian.edges.parse.Refused: `Content-Length` stands beside `Transfer-Encoding`, wanted one of them
    """

    __slots__ = ("_alone", "_at", "_body", "_body_max_bytes", "_buffer", "_head", "_left", "_lines", "_new")

    def __init__(self, body_max_bytes: int = 0, *, alone: frozenset[bytes] = ALONE, lines: Lines | None = None) -> None:
        self._alone = alone
        self._lines = lines if lines is not None else Lines()
        self._body_max_bytes = body_max_bytes
        self._buffer = b""
        self._at = 0  # where in the buffer the unread bytes begin
        self._new = 0  # where what was not looked at before begins, less the CR LF CR that may precede it
        self._head: Request | None = None  # read, its body still to come
        self._left = 0  # bytes of the body or chunk to come; below 0 where a chunk size is to come
        self._body = bytearray()

    @property
    def is_waiting(self) -> bool:
        """Whether a request has begun and not ended."""
        return self._at < len(self._buffer) or self._head is not None

    @property
    def wants_body(self) -> bool:
        """Whether a head was read that asks to be told to go on with its body."""
        return self._head is not None and self._head.headers.get(b"expect", b"").lower() == b"100-continue"

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        rest = self._buffer[self._at :] if self._at < len(self._buffer) else b""
        self._buffer = rest + data if rest else data
        self._at, self._new = 0, max(0, len(rest) - 3)

    def next(self) -> Request | None:
        """Give the next request that is complete, None where bytes are missing.

        Raises
        ------
        Refused
            When the bytes are not what this module reads; the connection is of no more use then.
        """
        if self._head is None:
            request = self._read_head()
            if request is None or self._head is None:
                return request
        return self._read_chunks() if b"transfer-encoding" in self._head.headers else self._read_length()

    def _read_head(self) -> Request | None:
        # Sets `_head` when a body follows; else the request is complete.
        buffer, at = self._buffer, self._at
        if at == len(buffer):
            return None
        # From what is new on: whoever sends a head byte by byte shall not have it read as often.
        end = buffer.find(b"\r\n\r\n", max(at, self._new), at + HEAD_MAX_BYTES)
        if end < 0:
            _check_begun(buffer, at, max(at, self._new))
            return None
        first = _REQUEST.match(buffer, at, end + 2)
        if first is None:
            raise _bad_first_line(buffer[at : end + 2])
        headers = self._fields(buffer[first.end() : end].split(b"\r\n")) if first.end() < end else {}
        method, target, minor = first.groups()
        is_last = minor == b"0" or (b"connection" in headers and _closes(headers[b"connection"]))
        if minor == b"1" and b"host" not in headers:
            raise Refused("`Host` is not given, wanted it in HTTP/1.1")
        self._at = end + 4
        request = Request(method, target, headers, is_last)
        if b"content-length" in headers or b"transfer-encoding" in headers:
            self._begin_body(request, is_old=minor == b"0")
        return request

    def _fields(self, lines: list[bytes]) -> dict[bytes, bytes]:
        if len(lines) > HEADERS_MAX:
            raise Refused(f"the head has {len(lines)} fields, wanted at most {HEADERS_MAX}", status=431)
        headers: dict[bytes, bytes] = {}
        known = self._lines.known
        for line in lines:
            name, value = known.get(line) or self._lines.read(line)
            headers[name] = again(headers, name, value, self._alone) if name in headers else value
        return headers

    def _begin_body(self, request: Request, *, is_old: bool) -> None:
        length, coding = (request.headers.get(name) for name in (b"content-length", b"transfer-encoding"))
        if length is not None and coding is not None:
            raise Refused("`Content-Length` stands beside `Transfer-Encoding`, wanted one of them")
        if coding is not None and (is_old or coding.lower() != b"chunked"):
            raise Refused("`Transfer-Encoding` is another one than `chunked` of HTTP/1.1, wanted that", status=501)
        if length is not None and not _DIGITS.fullmatch(length):
            raise Refused("`Content-Length` is no decimal number, wanted digits only")
        left = int(length) if length is not None else -1
        if left == 0:
            return
        if left > self._body_max_bytes or not self._body_max_bytes:
            raise self._too_long()
        self._head, self._left, self._body = request, left, bytearray()

    def _too_long(self) -> Refused:
        return Refused(f"the body is too long, wanted at most {self._body_max_bytes} bytes", status=413)

    def _read_length(self) -> Request | None:
        self._take()
        return None if self._left else self._finish()

    def _read_chunks(self) -> Request | None:
        while True:
            if self._left < 0:
                line = _CHUNK.match(self._buffer, self._at)
                if line is None:
                    _check_chunk_begun(self._buffer[self._at : self._at + _CHUNK_LINE_MAX])
                    return None
                size = int(line[1], 16)
                if size + len(self._body) > self._body_max_bytes:
                    raise self._too_long()
                if size == 0:
                    return self._end_chunks(line.end())
                self._at, self._left = line.end(), size + 2
            self._take()
            if self._left:
                return None
            if self._body[-2:] != b"\r\n":
                raise Refused("a chunk does not end where it says, wanted CR LF there")
            del self._body[-2:]
            self._left = -1

    def _end_chunks(self, begin: int) -> Request | None:
        # A trailer could carry a field that was checked in the head; none is taken.
        ending = self._buffer[begin : begin + 2]
        if ending == b"\r\n":
            self._at = begin + 2
            return self._finish()
        if not b"\r\n".startswith(ending):
            raise Refused("the last chunk is followed by a trailer, wanted CR LF")
        return None

    def _take(self) -> None:
        part = self._buffer[self._at : self._at + self._left]
        self._body += part
        self._left -= len(part)
        self._at += len(part)

    def _finish(self) -> Request | None:
        request = self._head
        if request is not None:
            request.body = bytes(self._body)
        self._head, self._body = None, bytearray()
        return request


def _check_begun(buffer: bytes, at: int, new: int) -> None:
    # The end of the head has not come: refuse what no continuation can make good.
    if len(buffer) - at >= HEAD_MAX_BYTES:
        raise Refused(f"the head is longer than {HEAD_MAX_BYTES} bytes, wanted at most that", status=431)
    if not b"A" <= buffer[at : at + 1] <= b"Z":
        raise Refused("the first line does not begin with a method, wanted one in capitals")
    if _STRAY.search(buffer, new):
        raise Refused("the head has a control character, wanted lines that end in CR LF")


def _bad_first_line(buffer: bytes) -> Refused:
    line = buffer[: buffer.find(b"\r\n")]
    if re.fullmatch(rb"[A-Z]+ \S+ HTTP/[0-9]\.[0-9]", line) and not line.endswith((b"/1.1", b"/1.0")):
        return Refused("the version is not spoken here, wanted HTTP/1.1", status=505)
    return Refused("the first line is no request for a path, wanted `METHOD /path HTTP/1.1`")


def _closes(connection: bytes) -> bool:
    return b"close" in [option.strip(b" \t") for option in connection.lower().split(b",")]


def _check_chunk_begun(begun: bytes) -> None:
    if not re.fullmatch(rb"[0-9A-Fa-f]{0,8}|[0-9A-Fa-f]{1,8}\r", begun):
        raise Refused("a chunk has no size of up to eight hexadecimal digits, wanted one and CR LF")
