"""Sites are read from copies and, with permission, asked for; what they show may be hostile."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from riparian.catalogue.channels.compare import check
from riparian.errors import InputError, OutsideError
from riparian.feeds import sites
from riparian.feeds.sites import AGENT, ask_site, read_copy

NO, YES = b"User-agent: *\nContent-Usage: train-ai=n\n", b"User-agent: *\nContent-Usage: train-ai=y\n"
RESERVED = b'[{"location": "/", "tdm-reservation": 1}]'


def _copy(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def _pairs(folder: Path) -> list[tuple[str, str, str]]:
    found = check(read_copy(folder).site).contradictions
    return [(one.path, one.permits.channel, one.reserves.channel) for one in found]


COPIES: dict[str, tuple[dict[str, bytes], list[tuple[str, str, str]]]] = {
    "files where a site has them": (
        {"robots.txt": YES, ".well-known/tdmrep.json": RESERVED},
        [("/", "robots.txt Content-Usage", "tdmrep.json")],
    ),
    "headers as static hosts take them": (
        {"robots.txt": NO, "_headers": b"/tracks/*\n  Content-Usage: train-ai=y\n"},
        [("/tracks/x", "header Content-Usage", "robots.txt Content-Usage")],
    ),
    "headers of one file as a client writes them": (
        {"robots.txt": NO, "a.mp3": b"", "a.mp3.headers": b"HTTP/1.1 200 OK\r\nContent-Usage: train-ai=y\r\n\r\n"},
        [("/a.mp3", "header Content-Usage", "robots.txt Content-Usage")],
    ),
    "the index of a folder": (
        {".well-known/tdmrep.json": RESERVED, "a/index.html": b'<meta name="tdm-reservation" content="0">'},
        [("/a/", "HTML head tdm-reservation", "tdmrep.json")],
    ),
    "a document of RSL that robots.txt names by its address": (
        {
            "robots.txt": NO + b"License: https://music.example/l/our.xml\n",
            "l/our.xml": b'<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>'
            b'<permits type="usage">ai-train</permits></license></content></rsl>',
        },
        [("/", "RSL", "robots.txt Content-Usage")],
    ),
    "XML that is no document of RSL": ({"robots.txt": NO, "sitemap.xml": b"<urlset/>"}, []),
    "an empty folder": ({}, []),
    "octets that are no text": ({"robots.txt": b"\xff\xfe\x00" * 99, "ai.txt": bytes(range(256))}, []),
}


@pytest.mark.parametrize("situation", COPIES)
def test_a_copy_is_read(tmp_path: Path, situation: str) -> None:
    files, found = COPIES[situation]
    assert _pairs(_copy(tmp_path, files)) == found


def test_no_link_leads_out_of_a_copy(tmp_path: Path) -> None:
    outside = tmp_path / "secret.xml"
    outside.write_bytes(b"https://rslstandard.org/rsl")
    folder = _copy(tmp_path / "copy", {"robots.txt": NO})
    (folder / "license.xml").symlink_to(outside)
    assert read_copy(folder).site.documents == {}


def test_a_copy_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        read_copy(tmp_path / "none")


def test_more_files_than_are_looked_at_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "FILES_MAX", 3)
    shown = read_copy(_copy(tmp_path, {f"{i}.txt": b"" for i in range(9)}))
    assert [fault.why for fault in shown.faults] == ["has more than 3 files: the rest was not looked at"]


Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def _site(answers: Mapping[str, Answer]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["User-Agent"]))
            status, headers, body = answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *of: object) -> None:
            del of

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _no_pause(seconds: float) -> None:
    del seconds


def test_a_site_is_asked_for_what_it_shows_to_machines_and_for_the_pages_that_are_named() -> None:
    answers: dict[str, Answer] = {
        "/robots.txt": (200, {}, YES),
        "/.well-known/tdmrep.json": (200, {}, RESERVED),
        "/ai.txt": (200, {"Content-Type": "text/html"}, b"<html>not found</html>"),
        "/": (200, {"Content-Type": "text/html", "Content-Usage": "train-ai=n"}, b"<p>"),
        "/a.html": (200, {"Content-Type": "text/html"}, b'<meta name="tdm-reservation" content="0">'),
    }
    with _site(answers) as (address, asked):
        shown = ask_site(address, ["/a.html", "gone"], pause=_no_pause)
    found = {(one.permits.channel, one.reserves.channel) for one in check(shown.site).contradictions}
    assert found == {
        ("robots.txt Content-Usage", "tdmrep.json"),
        ("robots.txt Content-Usage", "header Content-Usage"),
        ("HTML head tdm-reservation", "tdmrep.json"),
    }
    assert [path for path, _ in asked] == [
        "/robots.txt",
        "/ai.txt",
        "/.well-known/tdmrep.json",
        "/",
        "/a.html",
        "/gone",
    ]
    assert {agent for _, agent in asked} == {AGENT}
    assert [fault.where for fault in shown.faults] == ["/ai.txt", "/gone"]


def test_no_address_is_followed_to_another_host_and_none_for_ever() -> None:
    answers: dict[str, Answer] = {
        "/robots.txt": (301, {"Location": "http://127.0.0.2:9/robots.txt"}, b""),
        "/ai.txt": (302, {"Location": "/ai.txt"}, b""),
        "/.well-known/tdmrep.json": (301, {"Location": "/tdm.json"}, b""),
        "/tdm.json": (200, {}, RESERVED),
        "/": (200, {}, b""),
    }
    with _site(answers) as (address, _):
        shown = ask_site(address, [], pause=_no_pause)
    assert shown.site.tdmrep == RESERVED
    assert shown.site.robots is None
    assert [fault.where for fault in shown.faults] == ["/robots.txt", "/ai.txt"]


def test_what_a_site_sends_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "_OCTETS_MAX", 1000)
    with _site({"/robots.txt": (200, {}, b"#" * 100_000)}) as (address, _):
        answer = sites.Asker(address, _no_pause).get("/robots.txt", 1000)
    assert answer is not None
    assert len(answer[0]) == 1000


@pytest.mark.parametrize("address", ["ftp://music.example", "https://", "https://u:p@music.example", "music.example"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="is no address"):
        ask_site(address, [])


def test_a_site_that_is_not_there_is_told() -> None:
    with pytest.raises(OutsideError, match="cannot be reached"):
        ask_site("http://127.0.0.1:9", [], pause=_no_pause)
