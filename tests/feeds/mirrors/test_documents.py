"""What a document is, is told by what is in it; and whatever is done to one, nothing comes down."""

import gzip
import random
import time
from pathlib import Path

import pytest

from riparian.errors import InputError
from riparian.feeds.mirrors.documents import read_document, read_file
from riparian.ports.mirrors import Kind, What
from tests.feeds.mirrors.test_lists import APACHE, AS_JSON, CADDY, INDEX, LIGHTTPD, NGINX, PYTHON, URLSET
from tests.feeds.mirrors.test_syndication import ATOM, LINKS, MEDIA, OLD, RDF, RSS, TORRENT

AT = "https://mirror.example/files/"
LS = b"./Album:\ntotal 8\n-rw-r--r-- 1 me me 5 Jan  2 2020 Low Water.mp3\n-rw-r--r-- 1 me me 5 Jan  2 2020 notes.txt\n"
M3U = b"#EXTM3U\n#EXTINF:225,Marram - Low Water\nhttps://mirror.example/s/1.mp3\n"
TORRENTS = b"""<html><body><a href="/t/1.torrent">one</a> <a href="https://elsewhere.example/2.torrent">two</a>
<a href="magnet:?xt=urn:btih:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&amp;dn=three">three</a></body></html>"""


@pytest.mark.parametrize(
    ("data", "kind", "items", "leads"),
    [
        pytest.param(URLSET, Kind.SITEMAP, 3, 0, id="a sitemap"),
        pytest.param(b"\xef\xbb\xbf\n" + gzip.decompress(gzip.compress(URLSET)), Kind.SITEMAP, 3, 0, id="with a mark"),
        pytest.param(gzip.compress(INDEX), Kind.SITEMAP, 0, 2, id="an index of sitemaps, squeezed"),
        pytest.param(b"https://mirror.example/a\n", Kind.SITEMAP, 1, 0, id="a text of addresses"),
        pytest.param(RSS, Kind.FEED, 2, 0, id="RSS"),
        pytest.param(ATOM, Kind.FEED, 2, 1, id="Atom"),
        pytest.param(NGINX, Kind.LISTING, 1, 1, id="a listing"),
        pytest.param(AS_JSON, Kind.LISTING, 1, 1, id="a listing as JSON"),
        pytest.param(TORRENT, Kind.TORRENTS, 2, 0, id="a torrent"),
        pytest.param(TORRENTS, Kind.TORRENTS, 3, 1, id="a page of torrents"),
        pytest.param(
            b'<rss><item><enclosure url="https://mirror.example/1.torrent"/></item><item><enclosure url="/2" '
            b'type="application/x-bittorrent"/></item></rss>',
            *(Kind.FEED, 2, 2),
            id="a feed of torrents",
        ),
        pytest.param(
            b"https://mirror.example/1.torrent\nhttps://b.example/2.torrent\n", Kind.SITEMAP, 2, 1, id="a text"
        ),
        pytest.param(LINKS.encode(), Kind.TORRENTS, 2, 0, id="a page of magnet links"),
        pytest.param(b"magnet:?xt=urn:btih:" + b"a" * 40 + b"\n", Kind.TORRENTS, 1, 0, id="a text of magnet links"),
        pytest.param(LS, Kind.LISTING, 1, 0, id="what ls prints"),
        pytest.param(M3U, Kind.LISTING, 1, 0, id="a playlist"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", Kind.LISTING, 0, 0, id="a picture"),
        pytest.param(b"hello", Kind.LISTING, 0, 0, id="a word"),
        pytest.param(b"", Kind.LISTING, 0, 0, id="nothing"),
    ],
)
def test_a_document_is_what_is_in_it(data: bytes, kind: Kind, items: int, leads: int) -> None:
    told = read_document(data, AT)
    assert (told.kind, len(told.items), len(told.leads)) == (kind, items, leads)
    assert bool(told.faults) is (not items and not leads) or kind is Kind.TORRENTS


def test_what_a_playlist_says_of_a_file_is_kept() -> None:
    (item,) = read_document(M3U, AT).items
    assert (item.title, item.length_us, item.what) == ("Marram - Low Water", 225_000_000, What.SOUND)


def test_a_text_of_files_is_joined_to_where_it_was() -> None:
    assert [item.url for item in read_document(LS, AT).items] == [f"{AT}Album/Low%20Water.mp3"]
    assert [item.url for item in read_document(LS, "saved.txt").items] == ["./Album/Low Water.mp3"]


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_file(tmp_path / "none.xml")


@pytest.mark.parametrize(
    ("head", "unit"),
    [
        (b"", b"<table>"),
        (b"", b"<a href=x>"),
        (b"", b"<a href='"),
        (b"", b"<"),
        (b"<p>", b"<!--"),
        (b"<p>", b"<script>"),
        (b"<a ", b"href "),
        (b"", b"magnet:?xt=urn:"),
        (b"<urlset>", b"<a>"),
        (b"<urlset ", b"a='x' "),
        (b"<urlset><url><loc>", b"&#65;"),
        (b"d4:info", b"le"),
        (b"", b"["),
        (b"", b"\n"),
        (b"", b"http://a "),
        (b"", "├── ".encode()),
        (b"", b"-rw-r--r-- 1 a a 5 Jan  2 2020 "),
        (gzip.compress(b"", mtime=0), gzip.compress(b"", mtime=0)),
    ],
)
def test_a_document_of_one_thing_again_and_again_takes_no_longer_than_others(head: bytes, unit: bytes) -> None:
    data = head + unit * ((1 << 20) // len(unit))
    begun = time.process_time()
    read_document(data, AT)
    assert time.process_time() - begun < 12.0  # what is looked at twice takes minutes


WHOLE = (URLSET, INDEX, RSS, OLD, RDF, ATOM, MEDIA, APACHE, NGINX, LIGHTTPD, CADDY, PYTHON, AS_JSON, TORRENT, TORRENTS)


@pytest.mark.parametrize("seed", range(len(WHOLE)))
def test_whatever_is_done_to_a_document_it_is_read_as_far_as_it_goes(seed: int) -> None:
    lot = random.Random(seed)  # noqa: S311 -- the same damage every time
    whole = WHOLE[seed]
    for _ in range(120):
        data = bytearray(whole if lot.random() < 0.8 else gzip.compress(whole))
        for _ in range(lot.randint(1, 8)):
            at = lot.randrange(len(data) + 1)
            deed = lot.randrange(5)
            if deed == 0:
                del data[at:]
            elif deed == 1:
                data[at:at] = lot.randbytes(lot.randint(1, 40))
            elif deed == 2:
                del data[at : at + lot.randint(1, 60)]
            elif deed == 3:
                other = WHOLE[lot.randrange(len(WHOLE))]
                data[at:at] = other[lot.randrange(len(other)) :][:200]
            else:
                data[at:at] = bytes(data[:at])[-lot.randint(1, 300) :] * lot.randint(1, 20)
        told = read_document(bytes(data), AT)
        for item in told.items:
            assert item.url
            assert item.url.isprintable()
            assert item.what in What
            assert item.bytes is None or item.bytes >= 0
        assert all(lead.startswith("http") for lead in told.leads)
