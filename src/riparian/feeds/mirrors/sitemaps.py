"""Which addresses does a sitemap name?

As XML (an index leads to others), as text with one address a line, or as either squeezed by gzip.  What stands before
damage counts.

Source
------
sitemaps.org protocol 0.9 (50,000 addresses and 50 MiB a sitemap, which many exceed and nobody hundredfold), and the
extension for videos, which says titles, lengths and where the file lies.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Final

from riparian.feeds.mirrors.addresses import joined, what_is
from riparian.feeds.mirrors.amounts import length_us, time_us
from riparian.feeds.mirrors.markup import Element, records, root_of
from riparian.ports.mirrors import Item, Kind, Told

OCTETS_MAX: Final = 64 << 20
ITEMS_MAX: Final = 200_000
_RECORDS: Final = frozenset({"url", "sitemap"})
_VIDEO: Final = "http://www.google.com/schemas/sitemap-video/1.1"
GZIP: Final = b"\x1f\x8b"
_LINE: Final = re.compile(rb"[^\r\n]{1,16384}")
_MEMBERS_MAX: Final = 10_000
_BLOCK: Final = 1 << 16


def is_sitemap(data: bytes) -> bool:
    """Say whether this is a sitemap in XML."""
    return root_of(data) in {"urlset", "sitemapindex"}


def read_sitemap(data: bytes, base: str) -> Told:
    """Read a sitemap, or an index of them.

    Examples
    --------
    >>> told = read_sitemap(b"<urlset><url><loc>https://a.example/b.mp3</loc></url></urlset>", "https://a.example/")
    >>> [(item.url, str(item.what)) for item in told.items]
    [('https://a.example/b.mp3', 'sound')]
    """
    told = Told(Kind.SITEMAP)
    data = unsqueezed(data, told.faults)
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _lines(data, base, told)
    try:
        for one in records(data, _RECORDS):
            if len(told.items) + len(told.leads) >= ITEMS_MAX:
                told.faults.append(f"it names more than {ITEMS_MAX:,} addresses: the rest was not read")
                break
            _record(one, base, told)
    except ValueError as error:
        told.faults.append(str(error))
    return told


def unsqueezed(data: bytes, faults: list[str], most: int = OCTETS_MAX) -> bytes:
    """Unpack what gzip squeezed, up to a bound; what is damaged is given as far as it goes.

    Examples
    --------
    >>> faults = []
    >>> unsqueezed(b"plain", faults), faults
    (b'plain', [])
    """
    if not data.startswith(GZIP):
        return data
    out, place = bytearray(), 0
    try:
        for _ in range(_MEMBERS_MAX):
            if data[place : place + 2] != GZIP:
                return bytes(out)
            place = _member(data, place, out, most)
            if len(out) > most:
                faults.append(f"it unpacks to more than {most >> 20} MiB: the rest was not read")
                return bytes(out[:most])
            if place < 0:
                faults.append("it breaks off")
                return bytes(out)
        faults.append(f"it is squeezed in more than {_MEMBERS_MAX:,} parts: the rest was not read")
    except zlib.error as error:
        faults.append(f"it cannot be unpacked: {error}")
    return bytes(out)


def _member(data: bytes, place: int, out: bytearray, most: int) -> int:
    """Unpack one part, and give where the next one begins; -1 when it breaks off."""
    unpacker = zlib.decompressobj(wbits=31)
    while place < len(data) and not unpacker.eof and len(out) <= most:
        block = data[place : place + _BLOCK]
        place += len(block)
        out += unpacker.decompress(block, most + 1 - len(out))
        # What a bound kept back is asked for before more is given.
        while unpacker.unconsumed_tail and len(out) <= most:
            out += unpacker.decompress(unpacker.unconsumed_tail, most + 1 - len(out))
    return place - len(unpacker.unused_data) if unpacker.eof else -1


def lines_of(data: bytes) -> Iterator[str]:
    r"""Give the lines of a text that are not empty, each cut where no address is that long.

    Examples
    --------
    >>> list(lines_of(b"a\r\n\r\nb"))
    ['a', 'b']
    """
    for found in _LINE.finditer(data):
        yield found[0].decode("utf-8-sig", "replace")


def _record(one: Element, base: str, told: Told) -> None:
    address = joined(base, one.said("loc", one.space))
    if not address:
        told.faults.append(f"`{one.said('loc')[:80]}` is no address")
    elif one.name == "sitemap":
        told.leads.append(address)
    else:
        changed = time_us(one.said("lastmod", one.space))
        told.items.append(Item(address, what_is(address), changed_us=changed))
        for video in one.every("video", _VIDEO):
            file = joined(base, video.said("content_loc"))
            if file:
                title, length = video.said("title"), length_us(video.said("duration"))
                told.items.append(Item(file, what_is(file), title, "", length, changed_us=changed))


def _lines(data: bytes, base: str, told: Told) -> Told:
    n_bad = 0
    for line in lines_of(data):
        if len(told.items) >= ITEMS_MAX:
            told.faults.append(f"it names more than {ITEMS_MAX:,} addresses: the rest was not read")
            break
        address = joined(base, line) if "://" in line else ""
        if address:
            told.items.append(Item(address, what_is(address)))
        elif line.strip():
            n_bad += 1
    if n_bad:
        told.faults.append(f"{n_bad:,} lines are no addresses")
    return told
