import io
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from warcio.archiveiterator import ArchiveIterator

from riparian.cases.warcs import is_warc, records_of
from riparian.errors import InputError, OutsideError
from riparian.feeds import capture as capturing
from riparian.feeds.capture import capture

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PAGE = "<title>Ïe</title>".encode() * 100
ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/page": (200, {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(PAGE))}, PAGE),
    "/endless": (200, {"Content-Type": "text/html"}, PAGE),
    "/chunked": (200, {"Content-Type": "text/html", "Transfer-Encoding": "chunked"}, b"5\r\nhello\r\n0\r\n\r\n"),
    "/short": (200, {"Content-Type": "text/html", "Content-Length": "9999"}, PAGE),
    "/song": (200, {"Content-Type": "audio/mpeg", "Content-Length": "4000000"}, b"\xff\xfb" * 2_000_000),
    "/gone": (404, {"Content-Type": "text/html", "Content-Length": "2"}, b"no"),
    "/taken": (451, {"Content-Length": "0"}, b""),
    "/broken": (503, {"Content-Length": "0"}, b""),
    "/moved": (302, {"Location": "/page", "Content-Length": "0"}, b""),
    "/inside": (302, {"Location": "http://private.example/page", "Content-Length": "0"}, b""),
    "/round": (302, {"Location": "/round", "Content-Length": "0"}, b""),
    "/away": (302, {"Location": "file:///etc/passwd", "Content-Length": "0"}, b""),
}


class _Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str]] = []  # noqa: RUF012 -- the test's own

    def do_GET(self) -> None:
        self.asked.append((self.headers["Host"], self.path))
        status, headers, body = ANSWERS[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "shows",
    [
        ("/page", 200, True, True),
        ("/page?q=ü&x=1", 200, True, True),
        ("/endless", 200, True, True),
        ("/chunked", 200, True, True),
        ("/short", 200, True, False),
        ("/song", 200, True, False),
        ("/gone", 404, False, True),
        ("/taken", 451, False, True),
        ("/broken", 503, None, True),
        ("/moved", 200, True, True),
    ],
    ids=lambda shows: shows[0],
)
def test_what_an_address_shows_is_kept(site: str, shows: tuple[str, int, bool | None, bool]) -> None:
    path, status, live, whole = shows
    shown = capture(site + path, "counsel", AT, private=True)
    assert (shown.status, shown.live, shown.whole) == (status, live, whole)
    assert is_warc(shown.warc)
    records = records_of(io.BytesIO(shown.warc))
    assert (records.n_bare, records.faults) == (0, ())
    assert records.n == (5 if path == "/moved" else 3)


def test_another_reader_of_warcs_reads_the_page(site: str) -> None:
    warc = capture(f"{site}/chunked", "counsel", AT, private=True).warc
    bodies = {one.rec_type: one.content_stream().read() for one in ArchiveIterator(io.BytesIO(warc))}
    assert bodies["response"] == b"hello"
    assert b"operator: counsel" in bodies["warcinfo"]
    assert b"5\r\nhello" in warc  # as it came over the wire


def test_of_sound_only_the_headers_are_kept(site: str) -> None:
    shown = capture(f"{site}/song", "counsel", AT, private=True)
    assert len(shown.warc) < 5_000
    assert b"WARC-Truncated: unspecified" in shown.warc
    assert b"\xff\xfb" not in shown.warc


def test_a_page_without_end_is_cut(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capturing, "OCTETS_MAX", 1000)
    shown = capture(f"{site}/endless", "counsel", AT, private=True)
    assert not shown.whole
    assert b"WARC-Truncated: length" in shown.warc
    assert records_of(io.BytesIO(shown.warc)).faults == ()


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/", "http://169.254.169.254/", "http://0/"]
)
def test_what_is_private_is_not_asked(address: str) -> None:
    with pytest.raises(InputError, match="private network"):
        capture(address, "counsel", AT)


def test_a_public_name_of_a_private_address_is_not_asked() -> None:
    with pytest.raises(InputError, match="private network"):
        capture("http://public.example/", "counsel", AT, resolve=lambda *_: ["93.184.215.14", "192.168.0.1"])


def test_an_answer_that_leads_inside_is_not_followed(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site itself is taken for a public one: every name but that of the private host is."""
    connect, port = socket.create_connection, int(site.rpartition(":")[2])
    monkeypatch.setattr(socket, "create_connection", lambda _, **given: connect(("127.0.0.1", port), **given))
    ips = {"public.example": ["93.184.215.14"], "private.example": ["10.0.0.1"]}
    asked = len(_Site.asked)
    with pytest.raises(InputError, match="private network"):
        capture("http://public.example/inside", "counsel", AT, resolve=lambda host, _: ips[host])
    assert _Site.asked[asked:] == [("public.example", "/inside")]


def test_an_answer_that_leads_to_a_file_is_not_followed(site: str) -> None:
    with pytest.raises(InputError, match="no address of a page"):
        capture(f"{site}/away", "counsel", AT, private=True)


def test_who_asks_round_in_a_circle_is_left(site: str) -> None:
    with pytest.raises(OutsideError, match="redirections"):
        capture(f"{site}/round", "counsel", AT, private=True)


@pytest.mark.parametrize(
    "address", ["mirror.example", "file:///etc/passwd", "ftp://x.example/", "http://me:p@x.example/"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="no address"):
        capture(address, "counsel", AT)


def test_nothing_is_asked_without_permission(site: str) -> None:
    with pytest.raises(InputError, match="permits"):
        capture(f"{site}/page", " ", AT, private=True)


def test_nobody_there_proves_nothing() -> None:
    with pytest.raises(OutsideError, match="cannot be reached"):
        capture("http://127.0.0.1:9/", "counsel", AT, private=True)
