import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from riparian.cases.stamps import answers, question, stamped
from riparian.errors import CustodyError, InputError, OutsideError
from riparian.stores.timestamps import TimestampAuthority
from tests.cases.authority import Authority

LINE = b"a line of a case"


def test_a_token_of_a_real_authority_says_when_and_over_what(authority: Authority) -> None:
    asking = question(LINE)
    token = authority.answer(asking)
    stamp = stamped(token, [authority.root])
    assert answers(asking, token, LINE, stamp)
    assert not answers(asking, token, LINE + b"!", stamp)
    assert not answers(question(LINE), token, LINE, stamp)  # each question has a number of its own
    assert stamp.at.tzinfo is not None


def test_a_token_counts_only_with_the_certificate_that_is_pinned(authority: Authority, stranger: Authority) -> None:
    token = authority.answer(question(LINE))
    with pytest.raises(CustodyError, match="does not hold"):
        stamped(token, [stranger.root])
    with pytest.raises(CustodyError, match="nobody to vouch"):
        stamped(token, [])
    with pytest.raises(InputError, match="wanted PEM"):
        stamped(token, [b"no certificate"])


def test_what_is_changed_in_a_token_says_nothing_else(authority: Authority) -> None:
    token = authority.answer(question(LINE))
    said = stamped(token, [authority.root])
    for place in range(0, len(token), 7):
        changed = bytearray(token)
        changed[place] ^= 1
        try:
            again = stamped(bytes(changed), [authority.root])
        except CustodyError:
            continue
        assert again == said  # what no signature covers; its SHA-256 in the case does


class _Door(BaseHTTPRequestHandler):
    authority: Authority
    how = "well"

    def do_POST(self) -> None:
        asking = self.rfile.read(int(self.headers["Content-Length"]))
        asking = question(LINE) if self.how == "old" else asking
        body = self.authority.answer(asking) if self.how in {"well", "old"} else b"x" * 100_000
        self.send_response(500 if self.how == "broken" else 200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def door(authority: Authority) -> Iterator[str]:
    _Door.authority, _Door.how = authority, "well"
    server = HTTPServer(("127.0.0.1", 0), _Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/tsr"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_authority_is_asked_over_http(tmp_path: Path, authority: Authority, door: str) -> None:
    ours = TimestampAuthority(tmp_path)
    with pytest.raises(InputError, match="no authority is named"):
        ours.stamp(LINE)
    ours.name(door, authority.root)
    assert stamped(ours.stamp(LINE), [ours.roots]).digest


@pytest.mark.parametrize(
    "case",
    [("broken", OutsideError, "answered 500"), ("large", OutsideError, "octets"), ("old", CustodyError, "question")],
    ids=lambda case: case[0],
)
def test_what_else_comes_over_http_is_refused(
    tmp_path: Path, authority: Authority, door: str, case: tuple[str, type[Exception], str]
) -> None:
    how, error, match = case
    ours = TimestampAuthority(tmp_path)
    ours.name(door, authority.root)
    _Door.how = how
    with pytest.raises(error, match=match):
        ours.stamp(LINE)


def test_another_authority_in_between_is_not_believed(tmp_path: Path, stranger: Authority, door: str) -> None:
    ours = TimestampAuthority(tmp_path)
    ours.name(door, stranger.root)
    with pytest.raises(CustodyError, match="does not hold"):
        ours.stamp(LINE)


def test_nobody_at_the_address(tmp_path: Path, authority: Authority) -> None:
    ours = TimestampAuthority(tmp_path)
    ours.name("http://127.0.0.1:9/", authority.root)
    with pytest.raises(OutsideError, match="cannot be reached"):
        ours.stamp(LINE)


@pytest.mark.parametrize("address", ["ftp://tsa.example", "tsa.example", "http://me:word@tsa.example/", "http://"])
def test_what_is_no_address_is_refused(tmp_path: Path, authority: Authority, address: str) -> None:
    with pytest.raises(InputError, match="no address"):
        TimestampAuthority(tmp_path).name(address, authority.root)
