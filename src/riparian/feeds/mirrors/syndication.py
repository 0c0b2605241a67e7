"""What does a feed name: RSS of any version, or Atom?

Every entry is a page, and each of its enclosures a file.  A feed that goes on on another page leads there (RFC 5005).

Source
------
RSS 2.0 (and 0.9x, 1.0), RFC 4287 (Atom), the namespaces of iTunes podcasts and Media RSS, Dublin Core's ``creator``.
"""

from collections.abc import Iterator
from typing import Final

from riparian.feeds.mirrors.addresses import joined, what_is
from riparian.feeds.mirrors.amounts import length_us, octets_of, time_us
from riparian.feeds.mirrors.markup import XML_BASE, Element, records, root_of
from riparian.feeds.mirrors.sitemaps import unsqueezed
from riparian.ports.mirrors import Item, Kind, Told

ENTRIES_MAX: Final = 100_000
_RECORDS: Final = frozenset({"item", "entry", "link"})
_ITUNES: Final = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_MEDIA: Final = "http://search.yahoo.com/mrss/"
_DUBLIN_CORE: Final = "http://purl.org/dc/elements/1.1/"


def is_feed(data: bytes) -> bool:
    """Say whether this is RSS or Atom."""
    return root_of(data) in {"rss", "feed", "RDF"}


def read_feed(data: bytes, base: str) -> Told:
    """Read a feed.

    Examples
    --------
    >>> told = read_feed(b'''<rss><channel><item><title>Low Water</title>
    ... <enclosure url="https://a.example/b.mp3" length="9" type="audio/mpeg"/></item></channel></rss>''', "")
    >>> [(item.url, item.title, item.bytes) for item in told.items]
    [('https://a.example/b.mp3', 'Low Water', 9)]
    """
    told = Told(Kind.FEED)
    n = 0
    try:
        for one in records(unsqueezed(data, told.faults), _RECORDS):
            if one.name == "link":
                if one.attributes.get("rel") in {"next", "prev-archive"}:
                    address = joined(_base(one, base), one.attributes.get("href", ""))
                    told.leads += [address] if address else []
                continue
            n += 1
            if n > ENTRIES_MAX:
                told.faults.append(f"it has more than {ENTRIES_MAX:,} entries: the rest was not read")
                break
            told.items += _entry(one, base)
    except ValueError as error:
        told.faults.append(str(error))
    return told


def _entry(one: Element, base: str) -> Iterator[Item]:
    base = _base(one, base)
    title = one.said("title", one.space) or one.said("title")
    artist = one.said("author", _ITUNES) or one.said("creator", _DUBLIN_CORE) or _author(one)
    length = length_us(one.said("duration", _ITUNES))
    names = ("pubDate", "published", "date", "updated")
    changed = next((when for name in names if (when := time_us(one.said(name))) is not None), None)
    known: set[str] = set()
    for address, media_type, size, lasts in _files(one, base):
        if address and address not in known:
            known.add(address)
            what = what_is(address, media_type)
            yield Item(address, what, title, artist, lasts or length, size, changed)
    page = _page(one, base)
    if page and page not in known:
        yield Item(page, what_is(page), title, artist, changed_us=changed)


def _author(one: Element) -> str:
    for author in one.every("author"):
        return author.said("name") or " ".join(author.text.split())
    return ""


def _page(one: Element, base: str) -> str:
    for link in one.every("link"):
        if link.attributes.get("href"):
            if link.attributes.get("rel", "alternate") == "alternate":
                return joined(_base(link, base), link.attributes["href"])
        elif link.text.strip():
            return joined(base, link.text)
    guid = next(one.every("guid"), None)
    is_address = guid is not None and guid.attributes.get("isPermaLink", "true") == "true" and "://" in guid.text
    return joined(base, guid.text) if guid is not None and is_address else ""


def _files(one: Element, base: str) -> Iterator[tuple[str, str, int | None, int | None]]:
    for inside in one.inside:
        said = inside.attributes
        if inside.name == "enclosure":
            yield joined(base, said.get("url", "")), said.get("type", ""), _size(said.get("length", "")), None
        elif inside.name == "link" and said.get("rel") == "enclosure":
            address = joined(_base(inside, base), said.get("href", ""))
            yield address, said.get("type", ""), _size(said.get("length", "")), None
        elif inside.space == _MEDIA and inside.name == "group":
            yield from _files(inside, base)
        elif inside.space == _MEDIA and inside.name == "content":
            is_picture = said.get("medium") == "image" or said.get("type", "").startswith("image/")
            address = "" if is_picture else joined(base, said.get("url", ""))
            yield address, said.get("type", ""), _size(said.get("fileSize", "")), length_us(said.get("duration", ""))


def _size(text: str) -> int | None:
    # Many write 0 for what they do not know.
    return octets_of(text) or None


def _base(one: Element, base: str) -> str:
    return joined(base, one.attributes.get(XML_BASE, "")) or base
