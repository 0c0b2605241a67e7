"""What feeds and torrents say, and what hostile ones do not bring down."""

import pytest

from riparian.feeds.mirrors import torrent_lists
from riparian.feeds.mirrors.syndication import is_feed, read_feed
from riparian.feeds.mirrors.torrent_lists import magnets, read_torrent
from riparian.ports.mirrors import Item, What

AT = "https://mirror.example/feed"
DAY_US = 1_767_225_600_000_000  # 2026-01-01
FILE, PAGE = "https://mirror.example/a.mp3", "https://mirror.example/a"
BOTH = [
    Item(FILE, What.SOUND, "Low Water", "Marram", 225_000_000, 4096, DAY_US),
    Item(PAGE, What.PAGE, "Low Water", "Marram", changed_us=DAY_US),
]
RSS = b"""<?xml version="1.0"?><rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel>
<title>Channel</title><link>https://mirror.example/</link><image><link>https://mirror.example/</link></image>
<item><title> Low
 Water </title><link>https://mirror.example/a</link><itunes:author>Marram</itunes:author>
<itunes:duration>3:45</itunes:duration><pubDate>Thu, 01 Jan 2026 00:00:00 GMT</pubDate>
<enclosure url="/a.mp3" length="4096" type="audio/mpeg"/></item></channel></rss>"""
OLD = b"""<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"
 "http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel><item><title>Low Water</title>
<link>https://mirror.example/a</link></item></channel></rss>"""
RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><item><title>Low Water</title><link>https://mirror.example/a</link>
<dc:creator>Marram</dc:creator><dc:date>2026-01-01T00:00:00Z</dc:date></item></rdf:RDF>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://elsewhere.example/">
<link rel="next" href="https://mirror.example/feed?page=2"/><link rel="self" href="https://mirror.example/feed"/>
<entry xml:base="https://mirror.example/"><title>Low Water</title><author><name>Marram</name></author>
<updated>2026-01-01T00:00:00Z</updated><link href="a"/>
<link rel="enclosure" href="a.mp3" length="4096" type="audio/mpeg"/></entry></feed>"""
OLDER = b"""<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title>Low Water</title>
<link rel="alternate" type="text/html" href="https://mirror.example/a"/></entry></feed>"""
MEDIA = b"""<rss xmlns:media="http://search.yahoo.com/mrss/"><channel><item><title>Low Water</title>
<author>Marram</author><guid>https://mirror.example/a</guid><pubDate>Thu, 01 Jan 2026 00:00:00 GMT</pubDate>
<media:group><media:content url="/a.mp3" fileSize="4096" duration="225" type="audio/mpeg"/>
<media:content url="/a.jpg" medium="image"/></media:group></item></channel></rss>"""


@pytest.mark.parametrize(
    ("data", "items"),
    [
        pytest.param(RSS, BOTH, id="RSS 2.0 of a podcast"),
        pytest.param(MEDIA, BOTH, id="Media RSS"),
        pytest.param(OLD, [Item(PAGE, What.PAGE, "Low Water")], id="RSS 0.91, with a document type"),
        pytest.param(RDF, [BOTH[1]], id="RSS 1.0"),
        pytest.param(OLDER, [Item(PAGE, What.PAGE, "Low Water")], id="Atom 0.3"),
        pytest.param(ATOM, [Item(FILE, What.SOUND, "Low Water", "Marram", None, 4096, DAY_US), BOTH[1]], id="Atom"),
    ],
)
def test_a_feed_says_what_it_has(data: bytes, items: list[Item]) -> None:
    assert is_feed(data)
    told = read_feed(data, AT)
    assert told.items == items
    assert told.faults == []
    assert told.leads == (["https://mirror.example/feed?page=2"] if data is ATOM else [])


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252", "koi8-r", "shift_jis", "gb2312", "Big5"]
)
def test_a_feed_is_in_whatever_encoding_it_says(encoding: str) -> None:
    title = {"koi8-r": "Вода", "shift_jis": "静かな水", "gb2312": "静水", "Big5": "靜水"}.get(encoding, "Wässer")
    text = f'<?xml version="1.0" encoding="{encoding}"?><rss><item><title>{title}</title><link>https://a.example/</link></item></rss>'
    (item,) = read_feed(text.encode(encoding), AT).items
    assert item.title == title


@pytest.mark.parametrize("encoding", ["utf-6", "zip", "punycode", "rot13", "idna"])
def test_an_encoding_that_nobody_knows_is_a_fault(encoding: str) -> None:
    told = read_feed(f'<?xml version="1.0" encoding="{encoding}"?><rss><item/></rss>'.encode(), AT)
    assert told.items == []
    assert len(told.faults) == 1


@pytest.mark.parametrize(
    ("data", "items", "fault"),
    [
        pytest.param(RSS[:-30], 0, "no XML beyond line", id="it breaks off in the first entry"),
        pytest.param(RSS.replace(b"</channel>", b"<item>"), 2, "no XML beyond line", id="it breaks off in the second"),
        pytest.param(
            b'<!DOCTYPE a [<!ENTITY e "x">]><rss><item><title>&e;</title></item></rss>', 0, "entities", id="e"
        ),
        pytest.param(b"<rss><item><link>data:x</link></item></rss>", 0, "", id="no address"),
        pytest.param(RSS.replace(b"/a.mp3", b"http://[::1"), 1, "", id="an enclosure that is nowhere"),
        pytest.param(b"<feed>" + b"\xff\xfe" * 99, 0, "no XML", id="octets of any kind"),
    ],
)
def test_a_hostile_feed_is_one_clear_fault(data: bytes, items: int, fault: str) -> None:
    told = read_feed(data, AT)
    assert len(told.items) == items
    assert fault in " ".join(told.faults)


TORRENT = (
    b"d8:announce3:x:/4:infod5:filesld6:lengthi5e4:pathl5:Album5:a.mp3eed6:lengthi7e4:pathl9:cover.jpgeee4:name3:Topee"
)


def test_a_torrent_is_itself_and_the_sound_files_it_lists() -> None:
    told = read_torrent(TORRENT, "https://mirror.example/t.torrent")
    torrent, sound = told.items
    assert (torrent.what, torrent.title, torrent.bytes) == (What.TORRENT, "Top", 12)
    assert torrent.digest.startswith("urn:btih:")
    assert (sound.url, sound.bytes) == ("https://mirror.example/t.torrent#Top/Album/a.mp3", 5)
    assert sound.digest == torrent.digest
    assert told.faults == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"d",
        b"l" * 10_000,
        b"d4:infoi3ee",
        b"d4:infod4:name999999999:xee",
        b"i" + b"9" * 5_000 + b"e",
        TORRENT[:-1],
        TORRENT[:60],
        bytes(range(256)),
    ],
)
def test_a_hostile_torrent_is_one_clear_fault(data: bytes) -> None:
    told = read_torrent(data, "t")
    assert told.items == []
    (fault,) = told.faults
    assert fault.startswith("it is no .torrent: ")


def test_a_torrent_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torrent_lists, "FILES_MAX", 1)
    told = read_torrent(TORRENT, "t")
    assert len(told.items) == 2
    assert "more than 1 files" in told.faults[0]


ONE, TWO = "a" * 40, "b" * 40
LINKS = f"""<a href="magnet:?dn=Low%20Water.flac&amp;xt=urn:btih:{ONE.upper()}&amp;xl=4096&amp;tr=udp://t.example">x</a>
magnet:?xt=urn:btih:{ONE} again, magnet:?xt=urn:btmh:1220{"c" * 64}&dn=<b>
magnet:?xt=urn:sha1:{TWO}"""


def test_magnet_links_are_read_as_text_and_each_torrent_counts_once() -> None:
    told = magnets(LINKS.encode())
    assert [(item.url, item.title, item.bytes) for item in told.items] == [
        (f"magnet:?xt=urn:btih:{ONE}", "Low Water.flac", 4096),
        (f"magnet:?xt=urn:btmh:1220{'c' * 64}", "", None),
    ]
    assert told.faults == [f"`magnet:?xt=urn:sha1:{TWO}` names no torrent"]


def test_a_magnet_link_of_many_parameters_is_not_taken_apart() -> None:
    (item,) = magnets(f"magnet:?xt=urn:btih:{ONE}{'&dn=x' * 1000}".encode()).items
    assert (item.title, item.bytes) == ("", None)
