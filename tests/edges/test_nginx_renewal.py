"""A recording that outlasts its grant, at nginx: whoever is welcome plays on, and the gate is asked now and then."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from riparian.edges.nginx import Build, Grants, List, configuration
from riparian.feeds.access_log import ReadOptions, read
from riparian.gate.grants import RENEWED_S, Form, Grant, Rate, issue, verify
from riparian.gate.policy import parse_policy
from riparian.gate.routes import parse_edge
from riparian.schema import Action
from tests.edges.hls_media import SECONDS, played, tone
from tests.edges.nginx import Nginx, Said, nginx, origin
from tests.edges.nginx_gate import PUSH, RING, gate
from tests.edges.test_nginx_grants import ACCOUNT, flipped, stranger, token, unknown
from tests.edges.test_nginx_list import FAR_US, delta, pusher, said
from tests.edges.wires import answer_of
from tests.ports import free_port

ROUTES = [
    {"path": "/media/{recording}/index.m3u8", "kind": "licence"},
    {"path": "/media/{recording}/**", "kind": "media"},
]
POLICY = {"mode": "enforce", "grant_s": 30}
PATH = "/media/r-5512/1.m4s"
SIGNED = [Grants.HMAC, Grants.JWT]


@contextmanager
def house(
    folder: Path, form: Grants, *, policy: dict[str, Any] | None = None, at: int = 0, behind_s: int = 0
) -> Iterator[Nginx]:
    """Start a gate and an nginx in front of an origin."""
    chosen = POLICY | (policy or {})
    with ExitStack() as stack:
        at = at or stack.enter_context(origin())
        asked = stack.enter_context(gate({"route": ROUTES}, chosen, behind_s=behind_s)).address
        port = free_port()
        address = {"origin": f"http://127.0.0.1:{at}", "listen": f"127.0.0.1:{port}", "gates": [asked]}
        about = parse_edge({**address, "route": ROUTES, "device": "header:X-Device"})
        build = Build(form, List.KEYVAL)
        texts = configuration(about, parse_policy(chosen), RING, push_secret=PUSH, build=build)
        texts["nginx.conf"] = texts["nginx.conf"].replace("50ms", "5s").replace("100ms", "5s")
        yield stack.enter_context(nginx(folder, texts, port))


@pytest.fixture(scope="module", params=SIGNED, ids=str)
def edge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Grants, Nginx]]:
    with house(tmp_path_factory.mktemp("nginx"), request.param) as running:
        yield request.param, running


def ended(form: Grants, *, over_s: int = 5, **other: Any) -> str:
    return token(form, until_s=int(time.time()) - over_s, **other)


def asked(edge: Nginx, query: str, path: str = PATH, account: str = ACCOUNT, **fields: str) -> Said:
    return edge.ask(f"{path}?{query}", **({"x_account": account} if account else {}), **fields)


def kept(form: Grants, **other: Any) -> dict[str, str]:
    """Give a cookie with a grant."""
    return {"cookie": "theme=dark; riparian=" + token(form, **other).removeprefix("g=")}


Ask = Callable[[Grants, Nginx], Said]

RENEWED: dict[str, Ask] = {
    "a moment ago": lambda form, edge: asked(edge, ended(form)),
    "this second": lambda form, edge: asked(edge, ended(form, over_s=0)),
    "some hours ago": lambda form, edge: asked(edge, ended(form, over_s=RENEWED_S - 60)),
    "with more in the query": lambda form, edge: asked(edge, f"quality=high&{ended(form)}&G=older"),
    "on its device": lambda form, edge: asked(edge, ended(form, device="d-1"), x_device="d-1"),
    "with a cookie that has ended, too": lambda form, edge: asked(
        edge, ended(form), **kept(form, until_s=int(time.time()) - 1)
    ),
    "with the cookie of another account": lambda form, edge: asked(edge, ended(form), **kept(form, account="b")),
    "with the cookie of another recording": lambda form, edge: asked(edge, ended(form), **kept(form, recording="r-1")),
    "with a cookie that is none": lambda form, edge: asked(edge, ended(form), cookie="riparian=..%00.constructor"),
}
SERVED: dict[str, Ask] = {
    "a grant that holds": lambda form, edge: asked(edge, token(form)),
    "one that has ended, with another in the cookie": lambda form, edge: asked(edge, ended(form), **kept(form)),
    "the same, and nobody else says who asks": lambda form, edge: asked(edge, ended(form), account="", **kept(form)),
}
REFUSED: dict[str, Ask] = {
    "of another account": lambda form, edge: asked(edge, ended(form), account="b"),
    "of whom nothing but the grant names, hours ago": lambda form, edge: asked(
        edge, ended(form, over_s=3600), account=""
    ),
    "of whom nothing but the grant names": lambda form, edge: asked(edge, ended(form), account=""),
    "for another recording": lambda form, edge: asked(edge, ended(form), path="/media/r-1/1.m4s"),
    "bound to a device, on another": lambda form, edge: asked(edge, ended(form, device="d-1"), x_device="d-2"),
    "forged": lambda form, edge: asked(edge, ended(form, ring=stranger())),
    "of a key that is no more": lambda form, edge: asked(edge, ended(form, ring=unknown())),
    "altered": lambda form, edge: asked(edge, flipped(ended(form), -4)),
    "a day ago": lambda form, edge: asked(edge, ended(form, over_s=RENEWED_S)),
    "forged, and a good cookie": lambda form, edge: asked(edge, ended(form, ring=stranger()), **kept(form)),
    "of another recording, and a good cookie": lambda form, edge: asked(
        edge, ended(form, recording="r-1"), **kept(form)
    ),
    "of another account, and a good cookie": lambda form, edge: asked(edge, ended(form, account="b"), **kept(form)),
    "nothing but a good cookie": lambda form, edge: asked(edge, "a=1", **kept(form)),
    "nonsense and a good cookie": lambda form, edge: asked(edge, "g=rg1.x", **kept(form)),
}


@pytest.mark.parametrize("situation", RENEWED)
def test_who_is_still_welcome_is_sent_on_with_a_fresh_grant(edge: tuple[Grants, Nginx], situation: str) -> None:
    form, at = edge
    told = RENEWED[situation](form, at)
    assert (told.status, told["X-Riparian-Because"], told["Cache-Control"]) == (307, "grant", "no-store"), told.body
    path, _, query = told["Location"].partition("?")
    fresh = query.rpartition("g=")[2]
    device = "d-1" if "device" in situation else ""
    assert (path, query.lower().count("g=")) == (PATH, 1)
    found = verify(fresh, RING, account=ACCOUNT, path=PATH, device=device, now_s=int(time.time()) + 20)
    assert isinstance(found, Grant)
    cookie = f"riparian={fresh}; Path=/media/r-5512/; Max-Age=30; HttpOnly; SameSite=Lax"
    assert told["Set-Cookie"] == cookie
    fields = {"x_account": ACCOUNT} | ({"x_device": device} if device else {})
    assert at.ask(told["Location"], **fields).status == 200
    with_cookie = asked(
        at, ended(form, device=device), cookie=f"riparian={fresh}", **({"x_device": device} if device else {})
    )
    assert with_cookie.status == 200, "who keeps cookies is not sent on again"  # fmt: skip


@pytest.mark.parametrize("situation", SERVED)
def test_a_grant_that_holds_asks_nobody(edge: tuple[Grants, Nginx], situation: str) -> None:
    told = SERVED[situation](*edge)
    assert (told.status, told["X-Riparian-Because"], told["X-Riparian-Shard"]) == (200, "none", "")
    assert not told["Set-Cookie"]


@pytest.mark.parametrize("situation", REFUSED)
def test_what_was_never_good_for_this_or_long_ago_is_refused(edge: tuple[Grants, Nginx], situation: str) -> None:
    told = REFUSED[situation](*edge)
    assert (told.status, told["X-Riparian-Because"]) == (403, "grant"), told.body
    assert not told["Location"]


def test_a_hold_is_not_outlived_by_a_grant_in_a_cookie(edge: tuple[Grants, Nginx]) -> None:
    form, at = edge
    told = asked(at, ended(form, account="held"), account="held")
    cookie = told["Set-Cookie"].partition(";")[0]
    assert told.status == 307
    pusher(at).resync(delta(0, 1, said("held", until_us=FAR_US)))
    for query in (ended(form, account="held"), token(form, account="held")):
        after = asked(at, query, account="held", cookie=cookie)
        assert (after.status, after["X-Riparian-Action"], after["Location"]) == (403, "hold", "")
    pusher(at).resync(delta(0, 2))


ADDRESSES = {
    "another server": ("//evil.example/media/r-5512/1.m4s", "", 400),
    "another server, behind a backslash": ("/\\evil.example/1.m4s", "", 400),
    "a line more, encoded": (PATH, "&x=%0d%0aSet-Cookie:%20a=b", 307),
    "quotes and brackets": (PATH, '&x="><script>', 307),
    "an address of its own": (PATH, "&next=https://evil.example/", 307),
    "bytes that are no text": (PATH, "&x=\xff\xfe", 307),
}


@pytest.mark.parametrize("attack", ADDRESSES)
def test_nobody_is_sent_anywhere_else(edge: tuple[Grants, Nginx], attack: str) -> None:
    path, more, status = ADDRESSES[attack]
    lines = [f"GET {path}?{ended(edge[0])}{more} HTTP/1.1", "Host: evil.example", f"X-Account: {ACCOUNT}"]
    with socket.create_connection(("127.0.0.1", edge[1].port), timeout=30) as peer:
        peer.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))
        told = answer_of(b"".join(iter(lambda: peer.recv(1 << 16), b"")))
    assert told.status == status
    where = told.headers.get("Location", f"{PATH}?")
    assert where.startswith(f"{PATH}?")
    assert not set(where) & set('"<>\\ \t')


@pytest.mark.slow
def test_what_is_new_costs_what_it_costs_and_a_repeat_is_free(tmp_path: Path) -> None:
    form = Grants.HMAC
    with house(tmp_path, form, policy={"novelty_burst": 1, "novelty_per_day": 1}) as edge:
        assert [asked(edge, ended(form)).status for _ in range(3)] == [307, 307, 307]
        told = asked(edge, ended(form, recording="r-2"), path="/media/r-2/1.m4s")
        assert (told.status, told["X-Riparian-Because"], told["Location"]) == (429, "novelty", "")
        assert told["Retry-After"]


@pytest.mark.slow
@pytest.mark.parametrize("form", SIGNED, ids=str)
def test_a_preview_in_the_cookie_is_no_more_than_a_preview(tmp_path: Path, form: Grants) -> None:
    with house(tmp_path, form, policy={"novelty_burst": 1, "novelty_per_day": 1, "refused": "preview"}) as edge:
        assert asked(edge, ended(form, recording="r-1"), path="/media/r-1/1.m4s").status == 307
        told = asked(edge, ended(form))
        for after in (
            edge.ask(told["Location"], x_account=ACCOUNT),
            asked(edge, ended(form), cookie=told["Set-Cookie"].partition(";")[0]),
        ):
            assert (after.status, after.letter["headers"]["x-riparian-rate"]) == (200, "preview")
        whole = asked(edge, ended(form, rate=Rate.PREVIEW), **kept(form))
        assert (whole.status, "x-riparian-rate" in whole.letter["headers"]) == (200, False)


@pytest.mark.slow
@pytest.mark.parametrize("form", SIGNED, ids=str)
def test_a_clock_that_is_ahead_sends_nobody_in_a_circle(tmp_path: Path, form: Grants) -> None:
    with house(tmp_path, form, behind_s=40) as edge:
        # By the clock of the gate it has not ended: served, and nobody is sent anywhere.
        told = asked(edge, ended(form))
        assert (told.status, told["X-Riparian-Because"], told["Location"]) == (200, "none", "")
        # The fresh one has ended here before it was issued: it leads nowhere else.
        moved = asked(edge, ended(form, over_s=60))
        assert moved.status == 307
        again = edge.ask(moved["Location"], x_account=ACCOUNT)
        assert (again.status, again["X-Riparian-Because"], again["Location"]) == (200, "none", "")


@pytest.mark.slow
def test_a_link_of_md5_is_not_renewed_for_no_gate_issues_any(tmp_path: Path) -> None:
    with house(tmp_path, Grants.SECURE_LINK) as edge:
        told = asked(edge, ended(Grants.SECURE_LINK))
        assert (told.status, told["X-Riparian-Because"]) == (403, "grant")


class _Slow(SimpleHTTPRequestHandler):
    """Serves files, each segment after a while."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.partition("?")[0].endswith(".ts"):
            time.sleep(0.6)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as it is called there
        """Say nothing."""


@contextmanager
def files(folder: Path) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Slow, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fetches(log: Path, copy: Path) -> int:
    """Count the segments that a scan of the log takes for fetched."""
    copy.write_text(log.read_text())
    chunks = read([str(copy)], options=ReadOptions(), key=bytes(16))
    rows = [row for chunk in chunks for row in chunk.accesses.to_pylist()]
    return sum(Action(row["action"]) is Action.SEGMENT for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize("form", SIGNED, ids=str)
def test_a_recording_that_outlasts_its_grant_plays_to_its_end(tmp_path: Path, form: Grants) -> None:
    folder = tmp_path / "files/media/r-1"
    tone(folder, "mpegts")
    playlist = folder / "index.m3u8"
    with files(tmp_path / "files") as at, house(tmp_path / "nginx", form, at=at) as edge:
        # It is fetched once, and its grant ends while the second segment is played.
        until_s = int(time.time()) + 2
        grant = issue(Grant(ACCOUNT, "/media/r-1/", "", until_s, Rate.FULL, "k1"), RING, Form(str(form)))
        playlist.write_text(playlist.read_text().replace(".ts\n", f".ts?g={grant}\n"))
        seconds, pitch_hz = played(f"http://127.0.0.1:{edge.port}/media/r-1/index.m3u8", account=ACCOUNT)
        assert time.time() > until_s
        assert seconds == pytest.approx(SECONDS, abs=0.2)
        assert pitch_hz == pytest.approx(440, abs=2)
        lines = [(line["status"], line["because"]) for line in edge.log() if line["kind"] == "media"]
        assert set(lines) == {(200, "none"), (307, "grant")}
        assert lines.count((307, "grant")) == 1, "a player that keeps cookies asks the gate once"
        fetched = fetches(edge.folder / "access.json", tmp_path / "log.json")
        assert fetched == len(list(folder.glob("*.ts"))), "for a scan, who is sent on has fetched nothing yet"
