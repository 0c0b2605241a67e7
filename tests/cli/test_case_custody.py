"""``riparian case keep|stamp|verify|export``, with a site and an authority of time on this machine."""

import gzip
import io
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from warcio.warcwriter import WARCWriter

from riparian.cli import app
from riparian.errors import CustodyError, InputError
from tests.cases.authority import Authority

PAGE = b"<html><title>Album</title></html>"


class _Machine(BaseHTTPRequestHandler):
    """A page for whoever gets, a token for whoever posts."""

    authority: Authority
    status = 200

    def do_GET(self) -> None:
        self._say(PAGE, "text/html", type(self).status)

    def do_POST(self) -> None:
        asking = self.rfile.read(int(self.headers["Content-Length"]))
        self._say(self.authority.answer(asking), "application/timestamp-reply", 200)

    def _say(self, body: bytes, media_type: str, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    _Machine.authority = Authority.made(tmp_path_factory.mktemp("authority"))
    server = HTTPServer(("127.0.0.1", 0), _Machine)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/page"
    server.shutdown()
    thread.join()
    server.server_close()


def _ran(*words: str, code: int = 0) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["case", *words, "--json"], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def _told(*words: str) -> str:
    result = CliRunner().invoke(app, ["case", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    place = str(tmp_path / "workspace")
    _ran("open", "A mirror", "--by", "ann", "-w", place)
    return place


def test_from_a_page_to_a_bundle_that_somebody_else_checks(workspace: str, machine: str, tmp_path: Path) -> None:
    (kept,) = _ran("keep", "C1", machine, "--permitted-by", "counsel", "--private", "-w", workspace)
    assert (kept["location"], kept["media_type"]) == ("L1", "application/warc")
    _Machine.status = 404
    _ran("keep", "C1", machine, "--permitted-by", "counsel", "--private", "-w", workspace)
    _Machine.status = 200
    (shown,) = _ran("show", "C1", "-w", workspace)
    (location,) = shown["facts"]["locations"]
    assert (location["live"], location["key"], "gone" in location) == (False, "L1", True)
    root = tmp_path / "root.pem"
    root.write_bytes(_Machine.authority.root)
    (stamped,) = _ran("stamp", "--authority", machine, "--root", str(root), "-w", workspace)
    assert stamped["event"] == shown["events"] - 1
    assert _ran("stamp", "-w", workspace, code=1) == []
    case, log = _ran("verify", "-w", workspace)
    assert (case["whole"], case["items"], case["unstamped"], log["stray"]) == (True, 4, 2, [])
    (bundle,) = _ran("export", "C1", "--to", str(tmp_path / "a.zip"), "-w", workspace)
    (checked,) = _ran("verify", str(tmp_path / "a.zip"), "--key", bundle["key"], "--root", str(root))
    assert (checked["whole"], checked["items"], checked["known_key"]) == (True, 4, True)
    _ran("verify", "--head", log["head"], "-w", workspace)
    assert "whole" in _told("verify", str(tmp_path / "a.zip"))
    assert "note both elsewhere" in _told("verify", "-w", workspace)


def test_what_is_hidden_is_shown_again_to_whoever_has_the_salts(workspace: str, tmp_path: Path) -> None:
    letter = tmp_path / "from Ann.eml"
    letter.write_bytes(b"From: ann@reed-example.org\n\nIt is mine.\n")
    _ran("keep", "C1", str(letter), "-w", workspace)
    (bundle,) = _ran("export", "C1", "--to", str(tmp_path / "b.zip"), "--redacted", "-w", workspace)
    assert (bundle["hidden"], bundle["withheld"]) == (1, 1)
    assert b"Ann" not in (tmp_path / "b.zip").read_bytes()
    _ran("verify", str(tmp_path / "b.zip"))
    assert "from Ann.eml" in _told("verify", str(tmp_path / "b.zip"), "--openings", str(tmp_path / "b.openings.json"))
    with pytest.raises(InputError, match="there already"):
        _ran("export", "C1", "--to", str(tmp_path / "b.zip"), "-w", workspace)


def test_openssl_agrees_with_what_a_bundle_says_of_itself(workspace: str, machine: str, tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(_Machine.authority.root)
    _ran("stamp", "--authority", machine, "--root", str(root), "-w", workspace)
    _ran("export", "C1", "--to", str(tmp_path / "a.zip"), "-w", workspace)
    subprocess.run(["unzip", "-q", "a.zip", "-d", "a"], cwd=tmp_path, check=True)
    events = (tmp_path / "a" / "log" / "case.jsonl").read_bytes().splitlines()
    (tmp_path / "line").write_bytes(events[0])
    token = next(json.loads(line)["what"] for line in events if b"timestamp-reply" in line)["item"]
    command = ["openssl", "ts", "-verify", "-data", "line", "-in", f"a/custody/{token}", "-CAfile", "root.pem"]
    assert b"OK" in subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout


def test_one_octet_in_custody_is_told_and_ends_in_an_error(workspace: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(PAGE)
    (kept,) = _ran("keep", "C1", str(tmp_path / "page.html"), "-w", workspace)
    path = Path(workspace) / "custody" / kept["sha256"][:2] / kept["sha256"]
    path.chmod(0o600)
    path.write_bytes(PAGE.replace(b"A", b"a"))
    with pytest.raises(CustodyError, match="not what was kept"):
        _ran("verify", "-w", workspace)
    with pytest.raises(CustodyError, match="not in custody as it was kept"):
        _ran("export", "C1", "--to", str(tmp_path / "a.zip"), "-w", workspace)


def test_a_warc_that_somebody_else_made_comes_in_when_it_is_whole(workspace: str, tmp_path: Path) -> None:
    path = tmp_path / "theirs.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE
        address = "https://mirror-example.to/album"
        writer.write_record(writer.create_warc_record(address, "response", io.BytesIO(body), len(body)))
    (kept,) = _ran("keep", "C1", str(path), "-w", workspace)
    assert (kept["media_type"], kept["location"]) == ("application/warc", "L1")
    (shown,) = _ran("show", "C1", "-w", workspace)
    assert shown["facts"]["locations"][0]["url"] == "https://mirror-example.to/album"
    bare = tmp_path / "changed.warc"
    with path.open("rb") as file:
        bare.write_bytes(gzip.decompress(file.read()).replace(b"Album", b"Alibi"))
    with pytest.raises(InputError, match="digest failed"):
        _ran("keep", "C1", str(bare), "-w", workspace)
    bare.write_bytes(bare.read_bytes()[:-40])
    with pytest.raises(InputError, match="WARC"):
        _ran("keep", "C1", str(bare), "-w", workspace)


def test_of_a_torrent_the_list_is_kept_under_its_name_among_those_who_share_it(workspace: str, tmp_path: Path) -> None:
    path = tmp_path / "album.torrent"
    path.write_bytes(b"d8:announce3:x:/4:infod5:filesld6:lengthi9e4:pathl5:a.mp3eee4:name5:album6:pieces0:ee")
    for name in ("album.torrent", "again.torrent"):
        (tmp_path / name).write_bytes(path.read_bytes())
        (kept,) = _ran("keep", "C1", str(tmp_path / name), "-w", workspace)
        assert (kept["location"], kept["media_type"]) == ("L1", "application/x-bittorrent")
    (shown,) = _ran("show", "C1", "-w", workspace)
    (location,) = shown["facts"]["locations"]
    assert (location["url"][:9], len(location["url"]), location["layer"]) == ("urn:btih:", 49, "indexer")
    path.write_bytes(b"d8:announce3:x:/4:infod")
    with pytest.raises(InputError, match="torrent"):
        _ran("keep", "C1", str(path), "-w", workspace)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("keep", "C1", "https://mirror-example.to/"), "nobody permits"),
        (("keep", "C1", "http://127.0.0.1/", "--permitted-by", "ann"), "private network"),
        (("keep", "C1", "nowhere.html"), "no file"),
        (("keep", "C9", "https://mirror-example.to/", "--permitted-by", "ann"), "no case"),
        (("stamp",), "no authority is named"),
        (("verify", "C9"), "no case"),
        (("verify", "--head", "x"), "ENTRIES:ROOT"),
        (("export", "C1", "--to", "x.zip", "--hide", "kept.sha256"), "no field"),
    ],
)
def test_what_cannot_be_done_says_why(workspace: str, words: tuple[str, ...], match: str) -> None:
    with pytest.raises(InputError, match=match):
        _ran(*words, "-w", workspace)


def test_what_was_asked_for_is_looked_at_again_and_told_by_addressee(
    workspace: str, machine: str, tmp_path: Path
) -> None:
    _ran("keep", "C1", machine, "--permitted-by", "counsel", "--private", "-w", workspace)
    asking = ("again", "--permitted-by", "counsel", "--private", "-w", workspace)
    assert _ran(*asking, code=1) == []
    (one,) = _ran(*asking, "--every", "0")
    assert (one["live"], one["news"]) == (True, "")
    _Machine.status = 410
    (one,) = _ran(*asking, "--every", "0")
    _Machine.status = 200
    assert (one["live"], one["news"]) == (False, "gone")
    assert "back" in _told(*asking, "--every", "0")
    assert _ran("verify", "-w", workspace)[0]["items"] == 4
    assert _ran("removals", "--page", str(tmp_path / "a.html"), "-w", workspace, code=1) == []
    assert "Nobody was asked" in (tmp_path / "a.html").read_text()


def test_that_nobody_answers_is_no_proof(workspace: str) -> None:
    _ran("add", "C1", "location", "url=http://127.0.0.1:9/", "-w", workspace)
    (one,) = _ran("again", "--permitted-by", "counsel", "--private", "-w", workspace)
    assert "cannot be reached" in one["failed"]
    assert one["news"] == ""
    (shown,) = _ran("show", "C1", "-w", workspace)
    assert "seen" not in shown["facts"]["locations"][0]
