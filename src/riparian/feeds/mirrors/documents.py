"""What kind of document is this, and what does it name?

Told by what is in it, never by its name or by what a server says of it: a sitemap, a feed, a page that lists a folder,
a .torrent, a text of addresses, of magnet links or of files.  Whatever else it is, it names nothing, and that is said.
"""

from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import quote

from riparian.errors import InputError
from riparian.feeds.dumps.listings import Named, form_of, named_files
from riparian.feeds.dumps.torrents import is_torrent
from riparian.feeds.mirrors.addresses import host_of, joined, name_of, what_is
from riparian.feeds.mirrors.amounts import length_us, time_us
from riparian.feeds.mirrors.listings import links_of, read_listing
from riparian.feeds.mirrors.markup import declares_entities
from riparian.feeds.mirrors.sitemaps import is_sitemap, lines_of, read_sitemap, unsqueezed
from riparian.feeds.mirrors.syndication import is_feed, read_feed
from riparian.feeds.mirrors.torrent_lists import magnets, read_torrent
from riparian.ports.mirrors import Item, Kind, Told, What

OCTETS_MAX: Final = 64 << 20
LINES_MAX: Final = 200_000
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_LOOKED_LINES: Final = 200
_LINE_MAX: Final = 4096


def read_document(data: bytes, address: str) -> Told:
    r"""Read a document.

    Parameters
    ----------
    address
        Where it is; what it names beside it is joined to that.

    Examples
    --------
    >>> read_document(b"<urlset/>", "").kind, read_document(b"<rss/>", "").kind, read_document(b"GIF89a\0", "").faults
    (<Kind.SITEMAP: 'sitemap'>, <Kind.FEED: 'feed'>, ['it is of no kind that names anything'])
    """
    faults: list[str] = []
    data = unsqueezed(data[: OCTETS_MAX + 1], faults, OCTETS_MAX)
    told = _read(data, address)
    # Whatever else is wrong with what was cut off comes of that.
    told.faults = faults or told.faults
    # Of a torrent that is on another host it is known that it is there, and no more.
    torrents = [item.url for item in told.items if item.what is What.TORRENT and item.url != address]
    told.leads += [url for url in torrents if host_of(url) and host_of(url) == host_of(address)]
    return told


def read_file(path: Path, address: str = "") -> Told:
    """Read a document that was saved.

    Parameters
    ----------
    address
        Where it was; what it names is relative to its own path where that is not known.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(OCTETS_MAX + 1)
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror}, wanted a list to watch") from error
    told = read_document(data, address or str(path))
    if len(data) > OCTETS_MAX:
        told.faults.append(f"it has more than {OCTETS_MAX >> 20} MiB: the rest was not read")
    return told


def _read(data: bytes, address: str) -> Told:
    start = data.lstrip(_BLANK)
    if is_torrent(data):
        return read_torrent(data, address)
    if is_sitemap(start):
        return read_sitemap(start, address)
    if is_feed(start):
        return read_feed(start, address)
    if start.startswith((b"[", b"{")):
        return read_listing(data, address)
    if declares_entities(start):
        return Told(Kind.LISTING, faults=["it declares entities"])
    if start.startswith(b"<"):
        return _page(data, address)
    if sum(octet < 9 or 13 < octet < 28 for octet in data[:4096]) > len(data[:4096]) // 100:
        return Told(Kind.LISTING, faults=["it is of no kind that names anything"])
    return _text(data, address)


def _page(data: bytes, address: str) -> Told:
    """Read a page: what lies in the folder that it lists, and every torrent that it names."""
    faults: list[str] = []
    page = links_of(data, faults)
    told, more = read_listing(data, address, page), magnets(data)
    told.faults += faults
    known = {item.url for item in told.items}
    for link in page.links:
        at = joined(address, link.href)
        if at and at not in known and what_is(at) is What.TORRENT:
            known.add(at)
            told.items.append(Item(at, What.TORRENT))
    told.items += more.items
    told.faults += more.faults
    if any(item.what in (What.TORRENT, What.MAGNET) for item in told.items):
        told.kind = Kind.TORRENTS
    return told


def _text(data: bytes, address: str) -> Told:
    if b"magnet:?" in data:
        return magnets(data)
    first = list(islice(lines_of(data), _LOOKED_LINES))
    form = form_of(first)
    if form not in {"ls", "dir", "tree", "M3U"} and any("://" in line for line in first):
        return read_sitemap(data, address)
    told = Told(Kind.LISTING)
    if not form:
        told.faults.append("it is of no kind that names anything")
        return told
    lines = lines_of(data)
    for one in named_files(form, (line[:_LINE_MAX] for line in islice(lines, LINES_MAX))):
        item = _named(one, address)
        if item is not None:
            told.items.append(item)
    if next(lines, None) is not None:
        told.faults.append(f"it has more than {LINES_MAX:,} lines: the rest was not read")
    return told


def _named(one: Named, address: str) -> Item | None:
    if "://" in one.path:
        url = joined(address, one.path)
    elif "://" in address:
        url = joined(address, quote(one.path.removeprefix("./")))
    else:
        url = one.path
    what = what_is(url) if url else What.PAGE
    if what not in (What.SOUND, What.TORRENT):
        return None
    title = one.said if one.said != name_of(url) else ""
    return Item(url, what, title, length_us=length_us(one.seconds), changed_us=time_us(one.added))
