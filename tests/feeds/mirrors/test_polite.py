"""Sites are asked as their owners want: robots.txt, pauses, conditions, waiting, and nobody who is not listed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from riparian.feeds.mirrors import polite
from riparian.feeds.mirrors.polite import AGENT, Visitor
from riparian.ports.mirrors import RefusedError
from tests.feeds.mirrors.served import Site, served

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as one:
        one.show("/list", b"hello", ETag='"1"', Last_Modified="Mon, 23 Nov 2026 09:00:00 GMT", Content_Type="text/html")
        yield one


@dataclass
class Clock:
    """Time that passes only when somebody waits."""

    at: float = 0.0
    waited: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += seconds


def visitor(site: Site, clock: Clock | None = None, *more: str, pause_s: float = 2.0) -> Visitor:
    clock = clock or Clock()
    hosts = frozenset({site.host, *more})
    return Visitor(
        hosts, pause_s, private=True, wait=clock.wait, monotonic=lambda: clock.at, now=lambda: NOW + timedelta(0)
    )


def test_what_is_asked_says_who_asks_and_brings_what_to_say_next_time(site: Site) -> None:
    got = visitor(site).get(f"{site.address}/list")
    assert (got.status, got.body, got.media_type, got.etag) == (200, b"hello", "text/html", '"1"')
    assert got.modified == "Mon, 23 Nov 2026 09:00:00 GMT"
    assert site.paths == ["/robots.txt", "/list"]
    assert site.asked[1][1]["User-Agent"].startswith(f"{AGENT} (+")


def test_what_did_not_change_is_not_sent_again(site: Site) -> None:
    got = visitor(site).get(f"{site.address}/list", '"1"', "Mon, 23 Nov 2026 09:00:00 GMT")
    assert (got.status, got.body) == (304, b"")
    assert site.asked[1][1]["If-Modified-Since"] == "Mon, 23 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    ("robots", "path", "why"),
    [
        pytest.param((200, b"User-agent: *\nDisallow: /list"), "/list", "does not permit", id="nobody may"),
        pytest.param((200, b"User-agent: riparian-watch\nDisallow: /"), "/list", "does not permit", id="we may not"),
        pytest.param((200, b"User-agent: other\nDisallow: /"), "/list", "", id="another may not"),
        pytest.param((200, b"User-agent: *\nDisallow: /\nAllow: /list"), "/list", "", id="the longer rule counts"),
        pytest.param((404, b""), "/list", "", id="there is none"),
        pytest.param((403, b""), "/list", "", id="it may not be read"),
        pytest.param((500, b""), "/list", "robots.txt is answered with 500", id="it cannot be read"),
        pytest.param((429, b""), "/list", "robots.txt is answered with 429", id="it was asked too often"),
        pytest.param((200, bytes(range(256)) * 4000), "/list", "", id="octets of any kind"),
        pytest.param((200, b"User-agent: *\nCrawl-delay: 9999"), "/list", "9,999 s", id="hardly ever"),
    ],
)
def test_robots_txt_is_obeyed(site: Site, robots: tuple[int, bytes], path: str, why: str) -> None:
    site.show("/robots.txt", robots[1], robots[0])
    if not why:
        assert visitor(site).get(site.address + path).body == b"hello"
        return
    with pytest.raises(RefusedError, match=why):
        visitor(site).get(site.address + path)
    assert set(site.paths) == {"/robots.txt"}


@pytest.mark.parametrize(("asks", "waited"), [("", 2.0), ("Crawl-delay: 7", 7.0), ("Request-rate: 1/10", 10.0)])
def test_there_is_a_pause_between_two_questions(site: Site, asks: str, waited: float) -> None:
    site.show("/robots.txt", f"User-agent: *\n{asks}\n".encode())
    clock = Clock()
    one = visitor(site, clock)
    for _ in range(3):
        one.get(f"{site.address}/list")
    assert clock.waited == [waited] * 3
    assert site.paths == ["/robots.txt", "/list", "/list", "/list"]


def test_robots_txt_is_asked_for_again_after_a_day(site: Site) -> None:
    clock = Clock()
    one = visitor(site, clock)
    one.get(f"{site.address}/list")
    clock.at += 90_000
    site.show("/robots.txt", b"User-agent: *\nDisallow: /")
    with pytest.raises(RefusedError, match="does not permit"):
        one.get(f"{site.address}/list")


@pytest.mark.parametrize(
    ("says", "waited"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": format_datetime(NOW + timedelta(seconds=45), usegmt=True)}, 45.0),
        ({"Retry-After": "soon"}, 4.0),
        ({}, 4.0),
    ],
)
def test_who_is_told_to_wait_waits_and_asks_again(site: Site, says: dict[str, str], waited: float) -> None:
    site.shows["/list"] = [(503, says, b"busy"), (200, {}, b"hello")]
    clock = Clock()
    assert visitor(site, clock).get(f"{site.address}/list").body == b"hello"
    assert clock.waited == [2.0, waited]


def test_who_is_told_to_wait_long_asks_nothing_more_of_that_host(site: Site) -> None:
    site.show("/busy", b"", 429, Retry_After="7200")
    one = visitor(site)
    with pytest.raises(RefusedError, match="left alone for 7,200 s") as raised:
        one.get(f"{site.address}/busy")
    assert raised.value.until_s == 7200
    with pytest.raises(RefusedError, match="left alone"):
        one.get(f"{site.address}/list")
    assert site.paths == ["/robots.txt", "/busy"]


def test_a_site_that_stays_busy_is_given_up_with_growing_pauses(site: Site) -> None:
    site.show("/list", b"", 502)
    clock = Clock()
    with pytest.raises(RefusedError, match="answered with 502"):
        visitor(site, clock).get(f"{site.address}/list")
    assert clock.waited == [2.0, 4.0, 8.0]
    assert site.paths == ["/robots.txt", "/list", "/list", "/list"]


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("/list", ""),
        ("http://elsewhere.example/list", "`elsewhere.example:80`, which is not listed"),
        ("/hidden", "does not permit"),
        ("file:///etc/passwd", "not listed"),
        ("http://[::1", "no address"),
        ("/round", "from one address to the next"),
    ],
)
def test_a_redirection_leads_only_where_we_may_ask(site: Site, to: str, why: str) -> None:
    site.show("/robots.txt", b"User-agent: *\nDisallow: /hidden")
    site.show("/round", b"", 302, Location=to)
    if why:
        with pytest.raises(RefusedError, match=why):
            visitor(site).get(f"{site.address}/round")
    else:
        assert visitor(site).get(f"{site.address}/round").address == f"{site.address}/list"


@pytest.mark.parametrize(("path", "status"), [("/gone", 404), ("/taken", 451), ("/made", 201)])
def test_what_is_not_there_is_said(site: Site, path: str, status: int) -> None:
    site.show(path, b"", status)
    with pytest.raises(RefusedError, match=f"answered with {status}"):
        visitor(site).get(site.address + path)


def test_an_answer_without_end_is_cut_and_says_so(site: Site) -> None:
    site.show("/long", b"x" * 300_000)
    got = visitor(site).get(f"{site.address}/long", most=100_000)
    assert got.why_cut == "it is longer than is read"
    assert 90_000 < len(got.body) <= 100_000


def test_an_answer_that_breaks_off_says_so(site: Site) -> None:
    site.show("/short", b"hello", Content_Length="9", Connection="close")
    got = visitor(site).get(f"{site.address}/short")
    assert (got.body, got.why_cut) == (b"hello", "it breaks off")


def test_what_is_private_is_not_asked_unless_that_was_said(site: Site) -> None:
    one = visitor(site)
    one.private = False
    with pytest.raises(RefusedError, match="private network"):
        one.get(f"{site.address}/list")
    assert site.asked == []


def test_nobody_there_is_asked_thrice() -> None:
    clock = Clock()
    one = Visitor(frozenset({"127.0.0.1:9"}), private=True, wait=clock.wait, monotonic=lambda: clock.at)
    with pytest.raises(RefusedError, match="cannot be reached"):
        one.get("http://127.0.0.1:9/")
    assert one.asked == polite._TRIES
