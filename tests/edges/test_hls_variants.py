import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest

from riparian.edges.door import Door
from riparian.edges.hls import Origin
from riparian.errors import PolicyError
from riparian.gate.grants import Grant, Rate, issue, verify
from riparian.marks.keys import MarkKey
from riparian.marks.variants import Variants
from riparian.stores.variants.coding import Coding, decode
from tests.edges.hls_media import served, tone
from tests.edges.marked_media import KEY, coded, expected, marked, usual
from tests.edges.nginx import nginx
from tests.edges.wires import EDGE, NOW_US, RING, a_door
from tests.ports import free_port

NOW_S = NOW_US // 1_000_000
ROUTES = [
    {"path": "/media/{recording}/keys/**", "kind": "licence"},
    {"path": "/media/{recording}/**", "kind": "media"},
]
SEGMENT = "/media/r-1/marked/aac-96/001.m4s"
CODINGS = ("aac:96", "flac")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hls")
    marked(folder / "media/r-1", CODINGS)
    tone(folder / "media/r-1/high", "fmp4", seconds=2)
    tone(folder / "media/r-1/preview", "fmp4", seconds=1)
    (folder / "media/r-1/keys").mkdir()
    (folder / "media/r-1/keys/1.key").write_bytes(bytes(16))
    for name in ("r-2", "r-3", "r-4", "r-5"):
        tone(folder / f"media/{name}/high", "fmp4", seconds=1)
    return folder


def opened(policy: Mapping[str, Any] | None = None) -> Door:
    return a_door(policy, edge={**EDGE, "route": ROUTES})[0]


def an_origin(media: Path, policy: Mapping[str, Any] | None = None, **given: Any) -> Origin:
    return Origin(media, opened(policy), **{"marks": [KEY], **given})


def asking(app: Any, *targets: str, method: str = "GET", **headers: str) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            return [await client.request(method, target, headers=fields) for target in targets]

    return asyncio.run(ask())


def a_grant(account: str = "a-1", path: str = "/media/r-1/") -> str:
    return issue(Grant(account, path, "", NOW_S + 60, Rate.FULL, "k1"), RING)


def variants(media: Path, name: str = "aac-96") -> Variants:
    return Variants.read((media / f"media/r-1/marked/{name}/variants.json").read_bytes())


def as_word(media: Path, account: str, segment: int) -> bytes:
    folder, has = media / "media/r-1/marked/aac-96", variants(media)
    pieces = has.pieces(segment, has.word(KEY, account))
    return b"".join((folder / p.side).read_bytes()[p.first : p.first + p.n_bytes] for p in pieces)


def test_each_account_gets_what_its_word_says_under_one_name_and_one_length(media: Path) -> None:
    app = an_origin(media)
    found = {account: asking(app, f"{SEGMENT}?g={a_grant(account)}")[0] for account in (f"a-{i}" for i in range(12))}
    for account, answer in found.items():
        assert answer.status_code == 200
        assert answer.content == as_word(media, account, 1)
    assert len({answer.content for answer in found.values()}) > 2
    # Nothing but the sound: the same names and values for everybody, and none that a cache could mix up.
    assert len({tuple(answer.headers.multi_items()) for answer in found.values()}) == 1
    (one, *_) = found.values()
    assert one.headers["content-length"] == str(variants(media).n_bytes(1))
    assert one.headers["content-type"] == "audio/mp4"
    assert one.headers["cache-control"] == "private"
    assert not {"etag", "last-modified"} & set(one.headers)


@pytest.mark.parametrize("wanted", ["bytes=0-9", "bytes=5-", "bytes=100-40000", "bytes=30000-", "bytes=7-99999999"])
def test_a_range_of_a_segment_is_that_of_the_whole(media: Path, wanted: str) -> None:
    whole = as_word(media, "a-1", 1)
    (found,) = asking(an_origin(media), f"{SEGMENT}?g={a_grant()}", range=wanted)
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    cut = whole[int(first) : int(last or len(whole)) + 1]
    assert (found.status_code, found.content) == (206, cut)
    assert found.headers["content-range"] == f"bytes {first}-{int(first) + len(cut) - 1}/{len(whole)}"


def test_a_range_behind_the_end_is_none(media: Path) -> None:
    (found,) = asking(an_origin(media), f"{SEGMENT}?g={a_grant()}", range="bytes=99999999-")
    assert found.status_code == 416


def test_head_says_what_get_would(media: Path) -> None:
    app, target = an_origin(media), f"{SEGMENT}?g={a_grant()}"
    (head,), (got,) = asking(app, target, method="HEAD"), asking(app, target)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == got.headers


SERVED: dict[str, tuple[str, int]] = {
    "a segment": ("marked/aac-96/000.m4s", 200),
    "its head": ("marked/aac-96/init.mp4", 200),
    "a segment of another rendition": ("marked/flac-16/004.m4s", 200),
    "a segment behind the last": ("marked/aac-96/005.m4s", 404),
    "a segment by another spelling": ("marked/aac-96/0000.m4s", 404),
    "a segment that is none": ("marked/aac-96/one.m4s", 404),
    "a segment beside a rendition": ("marked/000.m4s", 404),
    "a side": ("marked/aac-96/a", 404),
    "the other side": ("marked/aac-96/b", 404),
    "the list of chunks": ("marked/aac-96/variants.json", 404),
    "an unmarked segment": ("high/000.m4s", 404),
    "an unmarked head": ("high/init.mp4", 404),
    "the preview": ("preview/000.m4s", 200),
    "a key": ("keys/1.key", 200),
}


@pytest.mark.parametrize("situation", SERVED)
def test_beside_marked_renditions_nothing_of_full_length_is_served(media: Path, situation: str) -> None:
    path, status = SERVED[situation]
    (found,) = asking(an_origin(media), f"/media/r-1/{path}?g={a_grant()}")
    assert found.status_code == status


@pytest.mark.parametrize("path", ["high/index.m3u8", "index.m3u8", "marked/index.m3u8", "no/such.m3u8"])
def test_whatever_playlist_is_asked_for_the_marked_one_comes_and_opens_the_marked_only(media: Path, path: str) -> None:
    (found,) = asking(an_origin(media), f"/media/r-1/{path}", x_account="a-1")
    assert found.status_code == 200
    addresses = re.findall(r"^([^#\s][^?\n]*)\?g=(\S+)$", found.text, re.MULTILINE)
    assert [address.split("marked/")[-1] for address, _ in addresses] == ["aac-96/index.m3u8", "flac-16/index.m3u8"]
    granted = verify(addresses[0][1], RING, account="a-1", path="/media/r-1/marked/x", device="", now_s=NOW_S)
    assert isinstance(granted, Grant)
    assert granted.path == "/media/r-1/marked/"


def test_the_playlist_of_a_rendition_names_its_segments_and_no_side(media: Path) -> None:
    (found,) = asking(an_origin(media), "/media/r-1/marked/aac-96/index.m3u8", x_account="a-1")
    names = re.findall(r'^([^#\s?]+)\?|URI="([^?"]+)', found.text, re.MULTILINE)
    assert ["".join(name) for name in names] == ["init.mp4", *(f"{i:03d}.m4s" for i in range(variants(media).segments))]


MARKED_ONLY: dict[str, tuple[dict[str, Any], str, tuple[int, str | None]]] = {
    "a marked recording": ({}, "r-1", (200, "marked")),
    "an unmarked one": ({}, "r-4", (429, "marked")),
    "an unmarked one, previews offered, none there": ({"refused": "preview"}, "r-4", (429, "marked")),
    "an unmarked one, previews offered": ({"refused": "preview"}, "r-5", (200, "preview")),
}


@pytest.mark.parametrize("situation", MARKED_ONLY)
def test_once_half_of_the_budget_is_used_only_what_is_marked_is_served_in_full(media: Path, situation: str) -> None:
    policy, wanted, expect = MARKED_ONLY[situation]
    if "offered" in situation and "none" not in situation:
        tone(media / "media/r-5/preview", "fmp4", seconds=1)
    app = an_origin(media, {"novelty_burst": 4, "novelty_per_day": 1, **policy})
    *before, found = asking(
        app,
        *(f"/media/{r}/high/index.m3u8" for r in ("r-2", "r-3")),
        f"/media/{wanted}/high/index.m3u8",
        x_account="a-1",
    )
    assert [each.status_code for each in before] == [200, 200]
    assert found.status_code == expect[0]
    if expect[0] == 200:
        assert found.headers["x-riparian-rate"] == expect[1]
    else:
        assert found.headers["x-riparian-because"] == "novelty"


def test_a_house_without_marks_refuses_nothing_for_want_of_them(media: Path) -> None:
    app = an_origin(media, {"novelty_burst": 4, "novelty_per_day": 1}, marks=())
    found = asking(app, *(f"/media/{r}/high/index.m3u8" for r in ("r-2", "r-3", "r-4")), x_account="a-1")
    assert [each.status_code for each in found] == [200, 200, 200]


def test_in_shadow_whoever_says_not_who_they_are_gets_the_word_of_nobody(media: Path) -> None:
    (found,) = asking(an_origin(media, {"mode": "shadow"}), SEGMENT)
    assert (found.status_code, found.content) == (200, as_word(media, "\0", 1))


def test_without_the_key_of_the_epoch_nothing_is_put_together(media: Path) -> None:
    with pytest.raises(PolicyError, match="no key of epoch 1"):
        asking(an_origin(media, marks=[MarkKey(bytes(32), 2)]), f"{SEGMENT}?g={a_grant()}")


def test_renditions_that_are_made_anew_are_served_from_then_on(tmp_path: Path) -> None:
    marked(tmp_path / "media/r-1", ["aac:96"])
    app, target = an_origin(tmp_path), f"{SEGMENT}?g={a_grant()}"
    (before,) = asking(app, target)
    marked(tmp_path / "media/r-1", ["aac:96"], segment_chunks=1)
    (after,) = asking(app, target)
    assert len(after.content) < len(before.content)
    assert len(after.content) == variants(tmp_path).n_bytes(1)


@pytest.mark.slow
@pytest.mark.parametrize("name", CODINGS)
def test_a_player_hears_an_account_s_own_word_without_a_gap(media: Path, name: str) -> None:
    both, version = usual()
    coding = Coding.named(name)
    pair = coded(both, coding, version)
    with served(an_origin(media)) as url:
        for account in ("a-1", "a-2"):
            address = f"{url}/media/r-1/marked/{coding.name}/index.m3u8"
            with av.open(address, options={"headers": f"X-Account: {account}\r\n"}, timeout=20) as source:
                even = av.AudioResampler(format="fltp")
                heard = [e.to_ndarray() for f in source.decode(audio=0) for e in even.resample(f)]
            whole = np.concatenate(heard, axis=1)
            has = variants(media, coding.name)
            assert 0 <= whole.shape[1] - has.samples < pair[0].block
            want = decode(expected(pair, has, account)).samples
            np.testing.assert_array_equal(whole[:, : has.samples], want)


NGINX = """
pid nginx.pid;
error_log error.log;
events {}
http {
    access_log off;
    proxy_cache_path cache keys_zone=kept:1m;
    server {
        listen 127.0.0.1:%d;
        location / {
            proxy_pass %s;
            proxy_cache kept;
            proxy_cache_key $uri;
            proxy_cache_valid 200 1m;
            add_header X-Cache $upstream_cache_status;
        }
    }
}
"""


@pytest.mark.slow
def test_a_stock_nginx_keeps_heads_and_never_what_is_one_account_s_own(media: Path, tmp_path: Path) -> None:
    port = free_port()
    with served(an_origin(media)) as url, nginx(tmp_path, {"nginx.conf": NGINX % (port, url)}, port) as edge:
        place = "/media/r-1/marked/aac-96/"
        asked = {
            account: [edge.ask(f"{place}{name}?g={a_grant(account)}") for name in ("001.m4s", "init.mp4")]
            for account in ("a-1", "a-2", "a-3")
        }
        for account, (segment, _) in asked.items():
            assert segment.body == as_word(media, account, 1)
        assert [segment["x-cache"] for segment, _ in asked.values()] == ["MISS", "MISS", "MISS"]
        assert [head["x-cache"] for _, head in asked.values()] == ["MISS", "HIT", "HIT"]
