"""Fuzz the door of the gate: any bytes are read or refused, whole or in pieces, and as h11 reads them.

Run with ``python fuzz/fuzz_wire.py [CORPUS] [-max_total_time=60]``; atheris is among the development dependencies.
The same, with seeded damage, runs as ``tests/edges/test_parse.py``.
"""

import sys
from typing import Any

import atheris
import h11

with atheris.instrument_imports(include=["riparian.edges.parse"]):
    from riparian.edges.parse import HEAD_MAX_BYTES, Reader, Refused, Request

BODY_MAX = 1 << 16


def read(data: bytes, step: int) -> list[Request]:
    """Read requests as they arrive in pieces, until one is the last or refused."""
    reader, requests = Reader(BODY_MAX), []
    try:
        for begin in range(0, len(data), step):
            reader.feed(data[begin : begin + step])
            while (request := reader.next()) is not None:
                requests.append(request)
                if request.is_last:
                    return requests
    except Refused:
        pass
    return requests


def compare(data: bytes, requests: list[Request]) -> None:
    """Raise where h11 finds other requests than we do."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=2 * HEAD_MAX_BYTES)
    connection.receive_data(data)
    for ours in requests:
        theirs: Any = connection.next_event()
        body = b""
        while isinstance(event := connection.next_event(), h11.Data):
            body += event.data
        if (theirs.method, theirs.target, body) != (ours.method, ours.target, ours.body):
            raise AssertionError((ours, theirs))
        names = {name for name, _ in theirs.headers}
        if names != set(ours.headers):
            raise AssertionError((ours, theirs))
        connection.send(h11.Response(status_code=200, headers=[(b"content-length", b"0")]))
        connection.send(h11.EndOfMessage())
        if connection.our_state is h11.MUST_CLOSE:
            return
        connection.start_next_cycle()


def one(data: bytes) -> None:
    """Read one input, whose first byte says in which pieces it arrives."""
    if not data:
        return
    raw = data[1:]
    whole, parts = read(raw, max(1, len(raw))), read(raw, 1 + data[0] % 16)
    if whole != parts:
        raise AssertionError((whole, parts))
    compare(raw, whole)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
