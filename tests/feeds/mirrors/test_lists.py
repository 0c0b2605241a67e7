"""What sitemaps, listings and folders say, and what hostile ones do not bring down."""

import gzip
import json
from pathlib import Path

import pytest

from riparian.errors import InputError
from riparian.feeds.mirrors import listings, sitemaps
from riparian.feeds.mirrors.folder import items_in
from riparian.feeds.mirrors.listings import read_listing
from riparian.feeds.mirrors.sitemaps import read_sitemap
from riparian.ports.mirrors import Item, What

AT = "https://mirror.example/files/"
NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
DAY_US = 1_767_225_600_000_000  # 2026-01-01
URLSET = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset {NS} xmlns:video="http://www.google.com/schemas/sitemap-video/1.1">
<url><loc>https://mirror.example/a.flac</loc><lastmod>2026-01-01</lastmod></url>
<url><loc>https://mirror.example/page?a=1&amp;b=2</loc><lastmod>2026-01-01T01:00:00+01:00</lastmod>
<video:video><video:title>Low Water</video:title><video:content_loc>/v/low.mp4</video:content_loc>
<video:duration>225</video:duration></video:video></url>
</urlset>""".encode()
INDEX = f"""<sitemapindex {NS}><sitemap><loc>https://mirror.example/1.xml.gz</loc></sitemap>
<sitemap><loc>2.xml</loc></sitemap></sitemapindex>""".encode()


@pytest.mark.parametrize(
    "data",
    [URLSET, gzip.compress(URLSET), gzip.compress(URLSET[:99]) + gzip.compress(URLSET[99:])],
    ids=["plain", "squeezed", "squeezed in two parts"],
)
def test_a_sitemap_says_addresses_times_and_videos(data: bytes) -> None:
    told = read_sitemap(data, "https://mirror.example/sitemap.xml")
    assert told.items == [
        Item("https://mirror.example/a.flac", What.SOUND, changed_us=DAY_US),
        Item("https://mirror.example/page?a=1&b=2", What.PAGE, changed_us=DAY_US),
        Item("https://mirror.example/v/low.mp4", What.FILE, "Low Water", "", 225_000_000, changed_us=DAY_US),
    ]
    assert (told.leads, told.faults) == ([], [])


def test_an_index_of_sitemaps_leads_on() -> None:
    told = read_sitemap(INDEX, "https://mirror.example/sitemap.xml")
    assert told.leads == ["https://mirror.example/1.xml.gz", "https://mirror.example/2.xml"]


def test_a_sitemap_may_be_plain_lines() -> None:
    told = read_sitemap(b"https://mirror.example/a.mp3\r\nftp://mirror.example/b\nno\n", AT)
    assert [item.url for item in told.items] == ["https://mirror.example/a.mp3"]
    assert told.faults == ["2 lines are no addresses"]


BOMB = b"""<?xml version="1.0"?><!DOCTYPE z [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>
<urlset><url><loc>&b;</loc></url></urlset>"""


@pytest.mark.parametrize(
    ("data", "items", "fault"),
    [
        pytest.param(BOMB, 0, "it declares entities", id="entities are declared"),
        pytest.param(
            b'<!DOCTYPE z SYSTEM "file:///etc/passwd"><urlset>&x;</urlset>', 0, "", id="an entity of elsewhere"
        ),
        pytest.param(URLSET[:-200], 1, "it is no XML beyond line", id="it breaks off: what came before counts"),
        pytest.param(gzip.compress(URLSET)[:-12], 3, "it breaks off", id="what is squeezed breaks off"),
        pytest.param(gzip.compress(b"<urlset>" + b" " * (70 << 20)), 0, "more than 64 MiB", id="a bomb of gzip"),
        pytest.param(b"<a>" * 100_000, 0, "more than 64 deep", id="it is deep"),
        pytest.param(b"<url>" + b"<x/>" * 5_000, 0, "more than 2,000 elements", id="one record is endless"),
        pytest.param(b"<urlset><url><loc>javascript:x</loc></url></urlset>", 0, "is no address", id="no address"),
        pytest.param(b"\x1f\x8b\x08nonsense of the kind", 0, "cannot be unpacked", id="gzip, says its head"),
        pytest.param(bytes(range(256)) * 50, 0, "are no addresses", id="octets of any kind"),
    ],
)
def test_a_hostile_sitemap_is_one_clear_fault(data: bytes, items: int, fault: str) -> None:
    told = read_sitemap(data, AT)
    assert len(told.items) == items
    assert fault in " ".join(told.faults)


def test_a_sitemap_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemaps, "ITEMS_MAX", 10)
    told = read_sitemap(b"<urlset>" + b"<url><loc>https://m.example/a</loc></url>" * 50 + b"</urlset>", AT)
    assert len(told.items) == 10
    assert "more than 10 addresses" in told.faults[0]


APACHE = b"""<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN"><html><head><title>Index of /files</title></head>
<body><h1>Index of /files</h1><table><tr><th><a href="?C=N;O=D">Name</a></th>
<th><a href="?C=M;O=A">Last modified</a></th></tr>
<tr><td><a href="/">Parent Directory</a></td><td>&nbsp;</td><td align="right">  - </td></tr>
<tr><td><a href="Album/">Album/</a></td><td align="right">2026-01-01 00:00  </td><td align="right">  - </td></tr>
<tr><td><a href="Low%20Water.mp3">Low Water.mp3</a></td><td align="right">2026-01-01 00:00  </td>
<td align="right">1.5M</td></tr></table></body></html>"""
NGINX = b"""<html><head><title>Index of /files/</title></head><body><h1>Index of /files/</h1><hr><pre>
<a href="../">../</a>
<a href="Album/">Album/</a>                                             01-Jan-2026 00:00                   -
<a href="Low%20Water.mp3">Low Water.mp3</a>                             01-Jan-2026 00:00             1572864
</pre><hr></body></html>"""
LIGHTTPD = b"""<table><tbody><tr class="d"><td class="n"><a href="../">..</a>/</td><td class="m">&nbsp;</td></tr>
<tr class="d"><td class="n"><a href="Album/">Album</a>/</td><td class="m">2026-Jan-01 00:00:00</td><td class="s">-
</td></tr><tr><td class="n"><a href="Low%20Water.mp3">Low Water.mp3</a></td><td class="m">2026-Jan-01 00:00:00</td>
<td class="s">1.5M</td><td class="t">audio/mpeg</td></tr></tbody></table>"""
CADDY = b"""<table><tr class="file"><td></td><td><a href="./Album/"><svg></svg><span class="name">Album/</span></a></td>
<td>&mdash;</td><td class="timestamp"><time datetime="2026-01-01T00:00:00Z">01/01/2026 12:00:00 AM</time></td></tr>
<tr class="file"><td></td><td><a href="./Low%20Water.mp3"><span class="name">Low Water.mp3</span></a></td>
<td class="size" data-order="1572864"><div>1.5 MiB</div></td>
<td class="timestamp"><time datetime="2026-01-01T00:00:00Z">01/01/2026 12:00:00 AM</time></td></tr></table>"""
PYTHON = b"""<h1>Directory listing for /files/</h1><hr><ul><li><a href="Album/">Album/</a></li>
<li><a href="Low%20Water.mp3">Low Water.mp3</a></li></ul>"""
AS_JSON = json.dumps(
    [
        {"name": "Album", "type": "directory", "mtime": "Thu, 01 Jan 2026 00:00:00 GMT"},
        {"name": "Low Water.mp3", "type": "file", "mtime": "Thu, 01 Jan 2026 00:00:00 GMT", "size": 1572864},
        {"name": "../../etc/passwd", "type": "file"},
    ]
).encode()


@pytest.mark.parametrize(
    ("page", "exact"),
    [
        pytest.param(APACHE, True, id="Apache"),
        pytest.param(NGINX, True, id="nginx"),
        pytest.param(LIGHTTPD, True, id="lighttpd"),
        pytest.param(CADDY, True, id="Caddy"),
        pytest.param(AS_JSON, True, id="nginx, as JSON"),
        pytest.param(PYTHON, False, id="Python's server"),
    ],
)
def test_a_listing_says_files_sizes_and_folders(page: bytes, exact: bool) -> None:  # noqa: FBT001 -- a column
    told = read_listing(page, AT)
    size, when = (1_572_864, DAY_US) if exact else (None, None)
    assert told.items == [Item(f"{AT}Low%20Water.mp3", What.SOUND, bytes=size, changed_us=when)]
    assert told.leads == [f"{AT}Album/"]
    assert told.faults == []


@pytest.mark.parametrize(
    ("href", "counts"),
    [
        ("b.mp3", True),
        ("/files/b.mp3", True),
        ("HTTPS://MIRROR.example/files/b.mp3", True),
        ("https://elsewhere.example/files/b.mp3", False),
        ("http://mirror.example/files/b.mp3", False),
        ("/other/b.mp3", False),
        ("../b.mp3", False),
        ("/files/%2e%2e/b.mp3", False),
        ("?C=M;O=A", False),
        ("#top", False),
        ("mailto:a@b.example", False),
        ("http://[::1", False),
    ],
)
def test_only_what_lies_in_the_folder_counts(href: str, counts: bool) -> None:  # noqa: FBT001 -- a column
    told = read_listing(f'<a href="{href}">x</a>'.encode(), AT)
    assert bool(told.items) is counts


def test_a_listing_that_was_saved_names_paths() -> None:
    assert [item.url for item in read_listing(NGINX, "saved.html").items] == ["Low%20Water.mp3"]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        pytest.param(b"[" * 200_000, "no JSON", id="deep JSON"),
        pytest.param(b'{"a": 1}', "lists nothing", id="JSON of another kind"),
        pytest.param(b"<a href=x>" * 30, "20 links more than 10", id="more links than anybody reads"),
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"<" * 100_000, "", id="only brackets"),
        pytest.param(b"<table>" * 50_000, "", id="tables in tables"),
        pytest.param(bytes(range(256)) * 100, "", id="octets of any kind"),
    ],
)
def test_a_hostile_listing_brings_nothing_down(data: bytes, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "LINKS_MAX", 10)
    told = read_listing(data, AT)
    assert len(told.items) <= 10
    assert fault in " ".join(told.faults)


def test_a_folder_names_sound_and_torrents_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name, size in {"b/one.mp3": 3, "a.FLAC": 5, "notes.txt": 2, "c.torrent": 1}.items():
        (tmp_path / name).write_bytes(b"x" * size)
    (tmp_path / "d.mp3").symlink_to(tmp_path / "a.FLAC")
    faults: list[str] = []
    items = list(items_in(tmp_path, faults))
    assert [(Path(item.url).name, item.what, item.bytes) for item in items] == [
        ("a.FLAC", What.SOUND, 5),
        ("c.torrent", What.TORRENT, 1),
        ("one.mp3", What.SOUND, 3),
    ]
    assert faults == [f"`{tmp_path / 'c.torrent'}`: it is no .torrent: it is no dictionary"]
    with pytest.raises(InputError, match="there is no folder"):
        list(items_in(tmp_path / "a.FLAC", faults))
