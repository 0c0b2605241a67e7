import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.edges.door import Door
from riparian.edges.hls import Origin
from riparian.edges.m3u8 import BYTES_MAX, LINE_MAX, LINES_MAX, carried, with_argument
from riparian.errors import InputError
from riparian.gate.admit import Rule
from riparian.gate.grants import Grant, Rate, issue, verify
from riparian.gate.policy import Restraint
from tests.edges.hls_media import SECONDS, played, served, tone
from tests.edges.wires import EDGE, NOW_US, RING, Time, a_door

NOW_S = NOW_US // 1_000_000
ROUTES = [
    {"path": "/media/{recording}/keys/**", "kind": "licence"},
    {"path": "/media/{recording}/**", "kind": "media"},
    {"path": "/flat/{recording}.m3u8", "kind": "media"},
]
MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=128000,CODECS="mp4a.40.2"
ts/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=256000,CODECS="mp4a.40.2"
fmp4/index.m3u8
"""


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hls")
    tone(folder / "media/r-1/ts", "mpegts")
    tone(folder / "media/r-1/fmp4", "fmp4")
    tone(folder / "media/r-2/preview", "mpegts", seconds=2, pitch_hz=880)
    tone(folder / "media/r-2/ts", "mpegts")
    tone(folder / "media/r-3/a", "mpegts", pitch_hz=660)
    (folder / "media/r-1/master.m3u8").write_text(MASTER)
    (folder / "media/r-1/keys").mkdir()
    (folder / "media/r-1/keys/1.key").write_bytes(bytes(16))
    (folder / "media/r-1/bad.m3u8").write_text("<html>")
    (folder / "media/r-1/notes.txt").write_text("not media")
    (folder / "media/r-1/way.ts").symlink_to("/etc/hostname")
    (folder / "flat").mkdir()
    (folder / "flat/r-9.m3u8").write_text("#EXTM3U\nr-9.ts\n")
    return folder


def opened(policy: Mapping[str, Any] | None = None, **edge: Any) -> tuple[Door, Time]:
    return a_door(policy, edge={**EDGE, "route": ROUTES, **edge})


def asking(app: Any, *targets: str, **headers: str) -> list[httpx.Response]:
    """Ask an application in this process, one after the other."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            return [await client.get(target, headers=fields) for target in targets]

    return asyncio.run(ask())


def a_grant(path: str = "/media/r-1/", *, account: str = "a-1", until_s: int = NOW_S + 60) -> str:
    return issue(Grant(account, path, "", until_s, Rate.FULL, "k1"), RING)


def hold(door: Door, account: bytes) -> None:
    door.gate.judge(
        np.array([door.accounts.of(account)], np.uint64), [Restraint.HOLD], [NOW_US + 10**12], [Rule.EVIDENCE]
    )


@pytest.mark.slow
@pytest.mark.parametrize("playlist", ["ts/index.m3u8", "fmp4/index.m3u8", "master.m3u8"])
def test_a_player_that_is_not_ours_plays_to_the_end(media: Path, playlist: str) -> None:
    door, _ = opened()
    with served(Origin(media, door)) as url:
        seconds, pitch_hz = played(f"{url}/media/r-1/{playlist}", account="a-1")
    assert seconds == pytest.approx(SECONDS, abs=0.2)
    assert pitch_hz == pytest.approx(440, abs=2)


@pytest.mark.slow
def test_a_player_is_refused_as_the_gate_says(media: Path) -> None:
    door, _ = opened()
    hold(door, b"a-2")
    with served(Origin(media, door)) as url:
        for account in ("", "a-2"):
            with pytest.raises(av.error.HTTPForbiddenError):
                played(f"{url}/media/r-1/ts/index.m3u8", account=account)


class Passing:
    """Lets time pass by what is asked for, and notes it."""

    def __init__(self, app: Any, time: Time, *, seconds: int, ending: str) -> None:
        self.app, self.time, self.seconds, self.ending = app, time, seconds, ending
        self.asked: list[tuple[str, str, int]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.asked.append((scope["path"], scope["query_string"].decode(), message["status"]))
            await send(message)

        if scope["type"] == "http" and scope["path"].endswith(self.ending):
            self.time.now_us += self.seconds * 1_000_000
        await self.app(scope, receive, noting)


@pytest.mark.slow
def test_a_long_recording_plays_on_when_its_grant_has_ended_and_the_account_is_still_welcome(media: Path) -> None:
    door, time = opened({"grant_s": 30})
    passing = Passing(Origin(media, door), time, seconds=25, ending=".ts")
    with served(passing) as url:
        seconds, _ = played(f"{url}/media/r-1/ts/index.m3u8", account="a-1")
    assert seconds == pytest.approx(SECONDS, abs=0.2)
    assert 307 in {status for _, _, status in passing.asked}


class Live:
    """Lengthens a live playlist by a segment each time it is fetched, until it is whole."""

    def __init__(self, app: Any, playlist: Path) -> None:
        self.app, self.playlist, self.fetched = app, playlist, 0
        self.lines = playlist.read_text().replace("#EXT-X-PLAYLIST-TYPE:VOD\n", "").splitlines()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].endswith(".m3u8"):
            self.fetched += 1
            begun = next(i for i, line in enumerate(self.lines) if line.startswith("#EXTINF"))
            shown = self.lines[: begun + 2 * (self.fetched + 1)]
            self.playlist.write_text("\n".join(shown if shown[-1] != "#EXT-X-ENDLIST" else self.lines) + "\n")
        await self.app(scope, receive, send)


@pytest.mark.slow
def test_a_live_stream_is_granted_anew_each_time_its_playlist_is_fetched(tmp_path: Path) -> None:
    tone(tmp_path / "media/r-1", "mpegts", seconds=4)
    door, time = opened({"grant_s": 60})
    live = Live(Origin(tmp_path, door), tmp_path / "media/r-1/index.m3u8")
    passing = Passing(live, time, seconds=45, ending=".m3u8")
    with served(passing) as url:
        seconds, _ = played(f"{url}/media/r-1/index.m3u8", account="a-1", live_start_index="0")
    assert seconds == pytest.approx(4, abs=0.2)
    segments = [(query, status) for path, query, status in passing.asked if path.endswith(".ts")]
    assert {status for _, status in segments} <= {200, 206}
    assert len({query for query, _ in segments}) > 1
    # What the first playlist granted has long ended.
    first = segments[0][0].removeprefix("g=")
    assert time.now_us // 1_000_000 >= int(first.split(".")[2])


@pytest.mark.slow
def test_where_the_gate_says_preview_a_preview_is_heard(media: Path) -> None:
    door, _ = opened({"refused": "preview", "novelty_burst": 1, "novelty_per_day": 1})
    with served(Origin(media, door)) as url:
        assert played(f"{url}/media/r-1/ts/index.m3u8", account="a-1")[1] == pytest.approx(440, abs=2)
        seconds, pitch_hz = played(f"{url}/media/r-2/ts/index.m3u8", account="a-1")
    assert seconds == pytest.approx(2, abs=0.2)
    assert pitch_hz == pytest.approx(880, abs=2)


def test_a_preview_opens_the_preview_only_and_a_recording_without_one_is_refused(media: Path) -> None:
    door, _ = opened({"refused": "preview", "novelty_burst": 1, "novelty_per_day": 1})
    app = Origin(media, door)
    _, preview, none = asking(
        app, "/media/r-1/ts/index.m3u8", "/media/r-2/ts/index.m3u8", "/media/r-3/a/index.m3u8", x_account="a-1"
    )
    assert (preview.status_code, preview.headers["x-riparian-rate"]) == (200, "preview")
    assert (none.status_code, none.headers["x-riparian-because"]) == (429, "novelty")
    address = re.search(r"^\.\./preview/000\.ts\?(g=\S+)$", preview.text, re.MULTILINE)
    assert address is not None
    inside, outside = asking(app, f"/media/r-2/preview/000.ts?{address[1]}", f"/media/r-2/ts/000.ts?{address[1]}")
    assert (inside.status_code, outside.status_code) == (200, 403)


def test_a_file_that_is_chosen_is_served_in_the_place_of_a_segment(media: Path) -> None:
    asked = []

    def choose(account: str, recording: str, segment: str) -> str:
        asked.append((account, recording, segment))
        return segment.replace("ts/", "fmp4/").replace(".ts", ".m4s")

    door, _ = opened()
    (found,) = asking(Origin(media, door, choose=choose), f"/media/r-1/ts/001.ts?g={a_grant()}")
    assert asked == [("a-1", "r-1", "ts/001.ts")]
    assert found.content == (media / "media/r-1/fmp4/001.m4s").read_bytes()


SEGMENT = "/media/r-1/ts/000.ts"
GRANTED: dict[str, tuple[str, dict[str, str], int]] = {
    "with its grant": (f"{SEGMENT}?g={a_grant()}", {}, 200),
    "with its grant, by whom it was granted": (f"{SEGMENT}?g={a_grant()}", {"x_account": "a-1"}, 200),
    "with its grant and more": (f"{SEGMENT}?a=1&g={a_grant()}&b=2", {}, 200),
    "without a grant": (SEGMENT, {"x_account": "a-1"}, 403),
    "with an empty one": (f"{SEGMENT}?g=", {"x_account": "a-1"}, 403),
    "with somebody else's": (f"{SEGMENT}?g={a_grant(account='a-2')}", {"x_account": "a-1"}, 403),
    "with one of another recording": (f"{SEGMENT}?g={a_grant('/media/r-2/')}", {}, 403),
    "with one that has ended": (f"{SEGMENT}?g={a_grant(until_s=NOW_S)}", {}, 403),
    "with one that has ended, by its account": (f"{SEGMENT}?g={a_grant(until_s=NOW_S)}", {"x_account": "a-1"}, 307),
    "with one that has ended, by a held account": (
        f"{SEGMENT}?g={a_grant(until_s=NOW_S, account='a-9')}",
        {"x_account": "a-9"},
        403,
    ),
    "with one that was altered": (f"{SEGMENT}?g={a_grant()[:-1]}_", {}, 403),
    "a key with a grant": (f"/media/r-1/keys/1.key?g={a_grant()}", {}, 200),
    "a key without a grant": ("/media/r-1/keys/1.key", {"x_account": "a-1"}, 403),
    "a key with a grant of a held account": (f"/media/r-1/keys/1.key?g={a_grant(account='a-9')}", {}, 403),
    "a playlist of an account": ("/media/r-1/master.m3u8", {"x_account": "a-1"}, 200),
    "a playlist of nobody": ("/media/r-1/master.m3u8", {}, 403),
    "a playlist of whom a grant names": (f"/media/r-1/ts/index.m3u8?g={a_grant()}", {}, 200),
    "a playlist of a held account": ("/media/r-1/master.m3u8", {"x_account": "a-9"}, 403),
    "a playlist that is none": ("/media/r-1/bad.m3u8", {"x_account": "a-1"}, 500),
    "a playlist that is not there": ("/media/r-1/other.m3u8", {"x_account": "a-1"}, 404),
    "a recording without a folder of its own": ("/flat/r-9.m3u8", {"x_account": "a-1"}, 400),
    "a segment that is not there": (f"/media/r-1/ts/999.ts?g={a_grant()}", {}, 404),
    "a folder": (f"/media/r-1/ts?g={a_grant()}", {}, 404),
    "what is not media": (f"/media/r-1/notes.txt?g={a_grant()}", {}, 404),
    "what no route names": ("/etc/passwd.ts", {}, 404),
    "a link that leads out of the folder": (f"/media/r-1/way.ts?g={a_grant()}", {}, 404),
    "a way up, encoded": (f"/media/r-1/%2e%2e/r-2/ts/000.ts?g={a_grant()}", {}, 400),
    "a slash, encoded": (f"/media/r-1/ts%2f000.ts?g={a_grant()}", {}, 400),
    "two slashes": (f"/media/r-1//ts/000.ts?g={a_grant()}", {}, 400),
    "a name that is no text": (f"/media/r-1/%FF.ts?g={a_grant()}", {}, 404),
}


@pytest.mark.parametrize("situation", GRANTED)
def test_a_request_is_answered(media: Path, situation: str) -> None:
    target, headers, status = GRANTED[situation]
    door, _ = opened()
    hold(door, b"a-9")
    (found,) = asking(Origin(media, door), target, **headers)
    assert found.status_code == status
    if "with one" in situation and status == 403:
        assert found.headers["x-riparian-because"] in {"grant", "evidence"}


def test_what_follows_a_grant_that_has_ended_is_good(media: Path) -> None:
    door, _ = opened()
    app = Origin(media, door)
    (moved,) = asking(app, f"{SEGMENT}?a=1&g={a_grant(until_s=NOW_S)}", x_account="a-1")
    assert moved.headers["location"].startswith("000.ts?a=1&g=rg1.")
    (found,) = asking(app, "/media/r-1/ts/" + moved.headers["location"])
    assert found.content == (media / SEGMENT[1:]).read_bytes()


def test_every_address_of_a_playlist_carries_one_fresh_grant_for_the_recording(media: Path) -> None:
    door, _ = opened()
    master, variant = asking(
        Origin(media, door), "/media/r-1/master.m3u8", "/media/r-1/fmp4/index.m3u8", x_account="a-1"
    )
    assert master.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert master.headers["cache-control"] == "no-store"
    for text, n in ((master.text, 2), (variant.text, SECONDS + 1)):
        tokens = re.findall(r'\?g=([^"\s]+)', text)
        assert len(tokens) == n
        assert len(set(tokens)) == 1
        granted = verify(tokens[0], RING, account="a-1", path="/media/r-1/ts/1.ts", device="", now_s=NOW_S + 59)
        assert isinstance(granted, Grant)
        assert granted.path == "/media/r-1/"


RANGES = {
    "the first bytes": ("bytes=0-9", 206, slice(10)),
    "bytes within": ("bytes=100-199", 206, slice(100, 200)),
    "from there on": ("bytes=100-", 206, slice(100, None)),
    "more than there is": ("bytes=100-999999999", 206, slice(100, None)),
    "what is not there": ("bytes=999999999-", 416, slice(0)),
    "nothing that we understand": ("bytes=-5,1-2", 200, slice(None)),
}


@pytest.mark.parametrize("situation", RANGES)
def test_a_piece_of_a_segment_is_served(media: Path, situation: str) -> None:
    wanted, status, piece = RANGES[situation]
    door, _ = opened()
    (found,) = asking(Origin(media, door), f"{SEGMENT}?g={a_grant()}", range=wanted)
    assert (found.status_code, found.content) == (status, (media / SEGMENT[1:]).read_bytes()[piece])


def test_in_shadow_everything_is_served(media: Path) -> None:
    door, _ = opened({"mode": "shadow"})
    for target in (SEGMENT, f"{SEGMENT}?g={a_grant(until_s=NOW_S)}", "/media/r-1/ts/index.m3u8"):
        (found,) = asking(Origin(media, door), target)
        assert found.status_code == 200
    assert "g=" not in found.text
    assert sum(door.let_through.values()) == 3


def test_only_get_and_head_are_answered(media: Path) -> None:
    door, _ = opened()

    async def ask(method: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Origin(media, door)), base_url="http://o") as client:
            return await client.request(method, f"{SEGMENT}?g={a_grant()}")

    head = asyncio.run(ask("HEAD"))
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == (media / SEGMENT[1:]).stat().st_size
    assert asyncio.run(ask("POST")).status_code == 405


CARRY = with_argument("g=T", home="/m/r/", base="/m/r/hi/")
LINES = {
    "a segment": ("1.ts", "1.ts?g=T"),
    "a segment with an argument": ("1.ts?a=1", "1.ts?a=1&g=T"),
    "a segment with an old grant": ("1.ts?g=old&a=1", "1.ts?a=1&g=T"),
    "a segment with a place in it": ("1.ts#t=3", "1.ts?g=T#t=3"),
    "a segment elsewhere in the recording": ("../lo/1.ts", "../lo/1.ts?g=T"),
    "a segment by its whole path": ("/m/r/1.ts", "/m/r/1.ts?g=T"),
    "a segment of another recording": ("../../s/1.ts", "../../s/1.ts"),
    "a recording whose name begins the same": ("/m/r2/1.ts", "/m/r2/1.ts"),
    "another host": ("https://cdn.example/m/r/1.ts", "https://cdn.example/m/r/1.ts"),
    "another host, in its short form": ("//cdn.example/m/r/1.ts", "//cdn.example/m/r/1.ts"),
    "another host, for browsers that leave out tabs": ("ht\ttps://cdn.example/1.ts", "ht\ttps://cdn.example/1.ts"),
    "another host, for browsers that turn slashes round": ("/\\cdn.example/1.ts", "/\\cdn.example/1.ts"),
    "data": ("data:text/plain,x", "data:text/plain,x"),
    "a variable": ("{$host}/1.ts", "{$host}/1.ts"),
    "a comment": ("# 1.ts", "# 1.ts"),
    "a tag without an address": ("#EXTINF:4.0,a, b", "#EXTINF:4.0,a, b"),
    "a tag of the future": ('#EXT-X-NEW:URI="1.ts"', '#EXT-X-NEW:URI="1.ts"'),
    "a key": (
        '#EXT-X-KEY:METHOD=AES-128,URI="../k/1.key",IV=0x1',
        '#EXT-X-KEY:METHOD=AES-128,URI="../k/1.key?g=T",IV=0x1',
    ),
    "a key in a licence system": (
        '#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="skd://1"',
        '#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="skd://1"',
    ),
    "no key": ("#EXT-X-KEY:METHOD=NONE", "#EXT-X-KEY:METHOD=NONE"),
    "a map": ('#EXT-X-MAP:URI="i.mp4",BYTERANGE="9@0"', '#EXT-X-MAP:URI="i.mp4?g=T",BYTERANGE="9@0"'),
    "another rendition": (
        '#EXT-X-MEDIA:TYPE=AUDIO,NAME="a, URI=b",URI="a.m3u8"',
        '#EXT-X-MEDIA:TYPE=AUDIO,NAME="a, URI=b",URI="a.m3u8?g=T"',
    ),
    "a part": ('#EXT-X-PART:DURATION=1,URI="1.1.m4s"', '#EXT-X-PART:DURATION=1,URI="1.1.m4s?g=T"'),
    "a blank line": ("", ""),
    "blanks around an address": (" 1.ts ", "1.ts?g=T"),
}


@pytest.mark.parametrize("situation", LINES)
def test_a_line_of_a_playlist_is_written_again(situation: str) -> None:
    line, wanted = LINES[situation]
    assert carried(f"#EXTM3U\r\n{line}\r\n#EXT-X-ENDLIST".encode(), CARRY) == f"#EXTM3U\n{wanted}\n#EXT-X-ENDLIST\n"


NO_PLAYLISTS = {
    "nothing": b"",
    "a page": b"<html>",
    "a playlist with something before it": b"\xef\xbb\xbf#EXTM3U\n",
    "no UTF-8": b"#EXTM3U\n\xff.ts\n",
    "a zero byte": b"#EXTM3U\n1\x00.ts\n",
    "a carriage return within": b"#EXTM3U\n1.ts\r2.ts\n",
    "too many lines": b"#EXTM3U\n" + b"\n" * LINES_MAX + b"1.ts",
    "a line without end": b"#EXTM3U\n" + b"a" * (LINE_MAX + 1),
    "more than there is": b"#EXTM3U\n" + b"#\n" * (BYTES_MAX // 2),
    "attributes that cannot be read": b'#EXTM3U\n#EXT-X-MAP:URI="i.mp4\n',
}


@pytest.mark.parametrize("situation", NO_PLAYLISTS)
def test_what_is_no_playlist_is_not_served_as_one(situation: str) -> None:
    with pytest.raises(InputError, match="the playlist"):
        carried(NO_PLAYLISTS[situation], CARRY)


@given(lines=st.lists(st.text(alphabet='#EXTMAPKURI=",-:/.?&g%{$\\ 1a', max_size=30), max_size=6))
def test_no_playlist_hands_a_grant_to_another_host(lines: list[str]) -> None:
    try:
        text = carried("\n".join(["#EXTM3U", *lines]).encode(), CARRY)
    except InputError:
        return
    for line in text.splitlines():
        if "g=T" in line and not line.startswith("#"):
            assert not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//|\\", line)
