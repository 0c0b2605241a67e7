import asyncio
import random
from collections.abc import Iterator
from typing import Any

import h11
import pytest

from riparian.edges.listen import Bounds, Connection, Listener
from riparian.edges.parse import ALONE, HEAD_MAX_BYTES, HEADERS_MAX, Reader, Refused, Request
from riparian.edges.wire import Wire
from tests.edges.wires import a_door

HOST = b"Host: gate\r\n"


def read(*parts: bytes, body_max_bytes: int = 0) -> list[Request]:
    """Read what arrives in parts, to the last request that is complete."""
    reader = Reader(body_max_bytes, alone=ALONE | {b"x-account"})
    requests = []
    for part in parts:
        reader.feed(part)
        while (request := reader.next()) is not None:
            requests.append(request)
    return requests


def one(raw: bytes, *, body_max_bytes: int = 1 << 16) -> Request:
    [request] = read(raw, body_max_bytes=body_max_bytes)
    return request


def test_a_request_is_read() -> None:
    request = one(b"GET /auth?x=1 HTTP/1.1\r\nHost: gate\r\nX-Riparian-Account: \t a 1 \t\r\nEmpty:\r\n\r\n")
    assert (request.method, request.target, request.is_last, request.body) == (b"GET", b"/auth?x=1", False, b"")
    assert request.headers == {b"host": b"gate", b"x-riparian-account": b"a 1", b"empty": b""}


def test_nothing_is_no_request() -> None:
    assert read(b"") == []


REFUSED = {
    "two lengths": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    "two lengths in one": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    "a length and a coding": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "a signed length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +3\r\n\r\nabc", 400),
    "a negative length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -3\r\n\r\nabc", 400),
    "a length with an underscore": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1_0\r\n\r\nabc", 400),
    "a length in hexadecimals": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 0x3\r\n\r\nabc", 400),
    "an empty length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length:\r\n\r\nabc", 400),
    "a length of other digits": (b"POST / HTTP/1.1\r\n" + HOST + "Content-Length: ٣\r\n\r\n".encode(), 400),
    "two codings": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        400,
    ),
    "another coding": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    "a coding in quotes": (b"POST / HTTP/1.1\r\n" + HOST + b'Transfer-Encoding: "chunked"\r\n\r\n', 501),
    "a coding with a vertical tab": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding:\x0bchunked\r\n\r\n", 400),
    "a coding in HTTP/1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
    "a bare line feed after the first line": (b"GET / HTTP/1.1\nHost: gate\r\n\r\n", 400),
    "a bare line feed in a field": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\nX-Riparian-Account: c\r\n\r\n", 400),
    "a bare line feed at the end": (b"GET / HTTP/1.1\r\nHost: gate\n\n", 400),
    "a bare carriage return": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\rX-Riparian-Account: c\r\n\r\n", 400),
    "a folded field": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n", 400),
    "a folded first field": (b"GET / HTTP/1.1\r\n Host: gate\r\n\r\n", 400),
    "a space before the colon": (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length : 3\r\n\r\nabc", 400),
    "a field without a colon": (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length\r\n\r\n", 400),
    "a field without a name": (b"GET / HTTP/1.1\r\n" + HOST + b": 3\r\n\r\n", 400),
    "a zero byte in a value": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\x00c\r\n\r\n", 400),
    "a zero byte in a name": (b"GET / HTTP/1.1\r\n" + HOST + b"A\x00: b\r\n\r\n", 400),
    "a zero byte in the path": (b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a whole URL": (b"GET http://elsewhere/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "an authority": (b"CONNECT elsewhere:443 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a tab": (b"GET\t/\tHTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a space in the path": (b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a space at the end of the first line": (b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n", 400),
    "an empty line before": (b"\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a method in small letters": (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "no version": (b"GET /\r\n\r\n", 400),
    "another version": (b"GET / HTTP/2.0\r\n\r\n", 505),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    "two accounts": (
        b"GET / HTTP/1.1\r\n" + HOST + b"X-Riparian-Account: a\r\nx-riparian-account: b\r\n\r\n",
        400,
    ),
    "two of the operator's accounts": (b"GET / HTTP/1.1\r\n" + HOST + b"X-Account: a\r\nX-Account: a\r\n\r\n", 400),
    "a head too long": (b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"b" * HEAD_MAX_BYTES + b"\r\n\r\n", 431),
    "a head too long without an end": (b"GET /" + b"b" * HEAD_MAX_BYTES, 431),
    "too many fields": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * HEADERS_MAX + b"\r\n", 431),
    "a body too long": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 65537\r\n\r\n", 413),
    "a body that is longer than numbers": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n",
        400,
    ),
}

CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
BAD_CHUNKS = {
    "no size": (b"\r\nabc\r\n", 400),
    "a size that is no number": (b"xyz\r\n", 400),
    "a size with a sign": (b"+3\r\nabc\r\n", 400),
    "a size in C's spelling": (b"0x3\r\nabc\r\n", 400),
    "a size with a space": (b"3 \r\nabc\r\n", 400),
    "a size of nine digits": (b"000000003\r\nabc\r\n", 400),
    "a size that ends in a bare line feed": (b"3\nabc\r\n", 400),
    "an extension": (b"3;a=b\r\nabc\r\n", 400),
    "an extension with a bare line feed": (b"3;a\nb\r\nabc\r\n", 400),
    "more than its size": (b"3\r\nabcd\r\n", 400),
    "less than its size": (b"3\r\nab\r\n0\r\n\r\n", 400),
    "no CR at its end": (b"3\r\nabc\n0\r\n\r\n", 400),
    "a trailer": (b"3\r\nabc\r\n0\r\nX-Riparian-Account: b\r\n\r\n", 400),
    "more than the body may have": (b"10001\r\n", 413),
    "more than the body may have, by and by": (b"ffff\r\n" + b"a" * 0xFFFF + b"\r\n2\r\n", 413),
}


@pytest.mark.parametrize(("raw", "status"), REFUSED.values(), ids=REFUSED)
def test_what_two_programs_may_read_in_two_ways_is_refused(raw: bytes, status: int) -> None:
    with pytest.raises(Refused) as refused:
        one(raw)
    assert refused.value.status == status


@pytest.mark.parametrize(("chunks", "status"), BAD_CHUNKS.values(), ids=BAD_CHUNKS)
def test_a_bad_chunk_is_refused(chunks: bytes, status: int) -> None:
    with pytest.raises(Refused) as refused:
        one(CHUNKED + chunks)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("raw", "status"), (REFUSED | {k: (CHUNKED + c, s) for k, (c, s) in BAD_CHUNKS.items()}).values()
)
def test_what_is_refused_whole_is_refused_byte_by_byte(raw: bytes, status: int) -> None:
    step = 1 if len(raw) < 1 << 12 else 1 << 9
    with pytest.raises(Refused) as refused:
        read(*(raw[i : i + step] for i in range(0, len(raw), step)), body_max_bytes=1 << 16)
    assert refused.value.status == status


def test_the_data_listener_takes_no_body() -> None:
    for body in (b"Content-Length: 1\r\n\r\na", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
        with pytest.raises(Refused) as refused:
            read(b"POST /auth HTTP/1.1\r\n" + HOST + body)
        assert refused.value.status == 413
    assert read(b"POST /auth HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n")[0].body == b""


def test_requests_follow_one_another() -> None:
    raw = (
        b"GET /1 HTTP/1.1\r\n"
        + HOST
        + b"\r\n"
        + CHUNKED
        + b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
        + b"GET /3 HTTP/1.0\r\n\r\n"
    )
    told = [(r.target, r.body, r.is_last) for r in read(raw, body_max_bytes=9)]
    assert told == [(b"/1", b"", False), (b"/", b"abcd", False), (b"/3", b"", True)]
    for cut in range(len(raw)):
        assert [(r.target, r.body, r.is_last) for r in read(raw[:cut], raw[cut:], body_max_bytes=9)] == told


@pytest.mark.parametrize(
    ("fields", "is_last"),
    [
        (b"", False),
        (b"Connection: keep-alive\r\n", False),
        (b"Connection: close\r\n", True),
        (b"Connection: Keep-Alive,  CLOSE\r\n", True),
        (b"Connection: x\r\nConnection: close\r\n", True),
        (b"Connection: closed\r\n", False),
    ],
)
def test_the_connection_ends_when_its_peer_says_so(fields: bytes, is_last: bool) -> None:  # noqa: FBT001
    assert one(b"GET / HTTP/1.1\r\n" + HOST + fields + b"\r\n").is_last is is_last


def test_fields_given_twice_are_joined_where_nothing_hangs_on_them() -> None:
    request = one(b"GET / HTTP/1.1\r\n" + HOST + b"Accept: a\r\nCookie: x=1\r\naccept: b\r\ncookie: y=2\r\n\r\n")
    assert (request.headers[b"accept"], request.headers[b"cookie"]) == (b"a, b", b"x=1; y=2")


def test_a_reader_says_whether_it_waits() -> None:
    reader = Reader(10)
    assert not reader.is_waiting
    reader.feed(b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert reader.next() is None
    assert reader.is_waiting
    assert reader.wants_body
    reader.feed(b"ab")
    assert reader.next() is not None
    assert not reader.is_waiting
    assert not reader.wants_body


# --- another program reads the same ------------------------------------------------------------

PIECES = [
    *(b"GET ", b"POST ", b"/auth", b"/check/media/r1/1.ts?g=x", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"Host: gate\r\n"),
    *(b"X-Riparian-Account: a1\r\n", b"Content-Length: 3\r\n", b"Content-Length: 0\r\n", b"Content-Length:3\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: Chunked\r\n", b"Connection: close\r\n", b"\r\n", b"abc"),
    *(
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
        b"A: \t b \r\n",
        b"A:\xe9\r\n",
        b"a",
        b" ",
        b"\t",
        b"\r",
        b"\n",
        b"\x00",
        b":",
        b"\x0b",
    ),
    *(b"Expect: 100-continue\r\n", b"Connection: x, close\r\n", b"\x85", b"Content-Length: 3, 3\r\n", b";x", b"00"),
]
WELL_FORMED = (
    b"GET /auth HTTP/1.1\r\nHost: gate\r\nX-Riparian-Account: a1\r\nX-Riparian-Kind: media\r\n\r\n",
    b"POST /riparian/verdicts HTTP/1.1\r\nHost: gate\r\nContent-Length: 12\r\n\r\na\thold\t0\tx\n\n\n",
    CHUNKED + b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
)


def inputs(n: int) -> Iterator[bytes]:
    """Give well-formed requests, damaged, and sentences of pieces that mean something."""
    rng = random.Random(20261122)  # noqa: S311 -- damage, not secrets
    for i in range(n):
        if i % 2:
            yield b"".join(rng.choices(PIECES, k=rng.randrange(2, 14)))
            continue
        raw = bytearray(rng.choice(WELL_FORMED) + rng.choice(WELL_FORMED))
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(raw))
            raw[at : at + rng.randrange(3)] = rng.choice([rng.randbytes(1), *PIECES])
        yield bytes(raw)


def ours(raw: bytes) -> list[Request]:
    reader, requests = Reader(1 << 16), []
    reader.feed(raw)
    try:
        while (request := reader.next()) is not None:
            requests.append(request)
            if request.is_last:
                break
    except Refused:
        pass
    return requests


def theirs(raw: bytes, n: int) -> list[tuple[bytes, bytes, dict[bytes, bytes], bytes]]:
    """Read so many requests as h11 does."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(raw)
    read_so: list[tuple[bytes, bytes, dict[bytes, bytes], bytes]] = []
    for _ in range(n):
        request: Any = connection.next_event()
        assert isinstance(request, h11.Request), request
        body = b""
        while isinstance(event := connection.next_event(), h11.Data):
            body += event.data
        assert isinstance(event, h11.EndOfMessage), event
        assert not event.headers
        joined: dict[bytes, bytes] = {}
        for name, value in request.headers:
            apart = b"; " if name == b"cookie" else b", "
            joined[name] = joined[name] + apart + value if name in joined else value
        read_so.append((request.method, request.target, joined, body))
        connection.send(h11.Response(status_code=200, headers=[(b"content-length", b"0")]))
        connection.send(h11.EndOfMessage())
        if connection.our_state is h11.MUST_CLOSE:
            break
        connection.start_next_cycle()
    return read_so


class Peer(asyncio.Transport):
    """Takes what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.received = b""
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.received += data

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


def test_whatever_arrives_is_answered_or_waited_for() -> None:
    door, _ = a_door({"requests_burst": 1_000_000})
    wire = Wire(door)
    for raw in inputs(2_000):
        listener = Listener(
            wire.data, Bounds(), alone=wire.alone, refused=wire.metrics.refused, failed=wire.metrics.failed
        )
        connection, peer = Connection(listener), Peer()
        connection.connection_made(peer)
        connection.data_received(raw)
        told = peer.received.split(b"HTTP/1.1 ")
        assert told[0] == b""
        assert {each[:3] for each in told[1:]} <= {b"200", b"400", b"404", b"413", b"431", b"501", b"505"}
        assert peer.is_closed == (b"\r\nConnection: close\r\n" in peer.received)


def test_whatever_is_accepted_is_read_the_same_by_h11() -> None:
    accepted = 0
    for raw in inputs(8_000):
        requests = ours(raw)
        accepted += len(requests)
        told = [(r.method, r.target, dict(r.headers), r.body) for r in requests]
        for request in told:
            if b"transfer-encoding" in request[2]:  # h11 writes it in small letters
                request[2][b"transfer-encoding"] = request[2][b"transfer-encoding"].lower()
        assert theirs(raw, len(told)) == told, raw
    assert accepted > 2000
