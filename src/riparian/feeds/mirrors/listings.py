"""Which files does a page that lists a folder name?

As Apache, nginx, lighttpd, Caddy and Python's own server write it: links, each with a date and a size beside it.  Only
what lies in that folder counts: the way up, the ways to sort, and what leads elsewhere do not.  Folders in it lead on.

nginx (``autoindex_format json``) and Caddy write the same as JSON for whoever asks for that; both are read.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from riparian.feeds.mirrors.addresses import joined, what_is
from riparian.feeds.mirrors.amounts import octets_of, time_us
from riparian.ports.mirrors import Item, Kind, Told, What

OCTETS_MAX: Final = 32 << 20
LINKS_MAX: Final = 100_000
_BESIDE_MAX: Final = 400
_WHEN: Final = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?|\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d(?::\d\d)?"
    r"|\d{4}-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d|\d\d/\d\d/\d{4} \d\d:\d\d [AP]M"
)
_SIZE: Final = re.compile(r"(?<![\d:.-])\d[\d,]*(?:\.\d+)? ?(?:[KMGT]i?)?B?(?![\w:/])", re.IGNORECASE)


@dataclass(slots=True)
class _Link:
    href: str
    text: str = ""
    beside: str = ""
    size: str = ""
    when: str = ""


@dataclass
class _Page:
    """What lxml tells of a page, as it reads it: its links, and what stands beside each."""

    links: list[_Link] = field(default_factory=list)
    base: str = ""
    n_more: int = 0
    _in_link: bool = False
    _in_time: bool = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "base":
            self.base = self.base or attributes.get("href", "")
        elif tag == "a" and "href" in attributes:
            if len(self.links) >= LINKS_MAX:
                self.n_more += 1
                return
            self.links.append(_Link(attributes["href"]))
            self._in_link = True
        elif self.links and (tag == "time" or attributes.get("data-order", "").isdigit()):
            # Caddy says exactly what it shows rounded.
            if tag == "time":
                self.links[-1].when = self.links[-1].when or attributes.get("datetime", "")
            else:
                self.links[-1].size = self.links[-1].size or attributes["data-order"]

    def end(self, tag: str) -> None:
        if tag == "a":
            self._in_link = False
        elif tag in {"td", "tr"} and self.links:
            self.data(" ")

    def data(self, text: str) -> None:
        if not self.links:
            return
        link = self.links[-1]
        if self._in_link:
            link.text += text[: _BESIDE_MAX - len(link.text)]
        else:
            link.beside += text[: _BESIDE_MAX - len(link.beside)]

    def close(self) -> "_Page":
        return self


def links_of(data: bytes, faults: list[str]) -> _Page:
    """Read the links of a page, and what stands beside each."""
    from lxml import etree  # noqa: PLC0415 -- it takes its time to load

    page = _Page()
    told: Any = page
    parser = etree.HTMLParser(target=told, no_network=True, encoding="utf-8", huge_tree=False)
    text = data[:OCTETS_MAX].decode("utf-8", "replace").replace("\0", " ")
    if len(data) > OCTETS_MAX:
        faults.append(f"it has more than {OCTETS_MAX >> 20} MiB: the rest was not read")
    try:
        parser.feed(text.encode())
        parser.close()
    except etree.XMLSyntaxError as error:
        faults.append(f"it is no page beyond line {error.lineno}")
    if page.n_more:
        faults.append(f"it has {page.n_more:,} links more than {LINKS_MAX:,}: those were not read")
    return page


def read_listing(data: bytes, base: str) -> Told:
    """Read a page that lists a folder.

    Examples
    --------
    >>> page = b'<a href="../">../</a><a href="b.mp3">b.mp3</a>  01-Jan-1970 00:01  4096'
    >>> told = read_listing(page + b'<a href="c/">c/</a>', "https://a.example/x/")
    >>> [(item.url, item.bytes, item.changed_us) for item in told.items], told.leads
    ([('https://a.example/x/b.mp3', 4096, 60000000)], ['https://a.example/x/c/'])
    """
    told = Told(Kind.LISTING)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"[", b"{")):
        return _json(data, base, told)
    page = links_of(data, told.faults)
    under = joined(base, page.base) or base
    known: set[str] = set()
    for link in page.links:
        address = joined(under, link.href)
        if address in known or not is_inside(address, base):
            continue
        known.add(address)
        if address.endswith("/"):
            told.leads.append(address)
        else:
            when, size = _beside(link)
            told.items.append(Item(address, _file(address), bytes=size, changed_us=when))
    return told


def is_inside(address: str, folder: str) -> bool:
    """Say whether an address lies in the folder that was listed, and is no way to sort it.

    Examples
    --------
    >>> is_inside("https://a.example/x/b?C=N;O=D", "https://a.example/x/"), is_inside("c.mp3", "saved")
    (False, True)
    """
    if "?" in address or not address:
        return False
    if "://" not in folder:
        return "://" not in address and not address.startswith(("/", "../", "./../")) and address not in {".", "./"}
    of, at = urlsplit(folder), urlsplit(address)
    top = unquote(of.path.rpartition("/")[0]) + "/"
    path = unquote(at.path)
    same = (at.scheme.lower(), at.netloc.lower()) == (of.scheme.lower(), of.netloc.lower())
    return same and path.startswith(top) and len(path) > len(top) and "/../" not in path + "/"


def _beside(link: _Link) -> tuple[int | None, int | None]:
    found = _WHEN.search(link.beside)
    when = time_us(link.when) if link.when else time_us(found[0]) if found else None
    rest = link.beside.replace(found[0], " ", 1) if found else link.beside
    sizes = _SIZE.findall(rest)
    size = octets_of(link.size) if link.size else octets_of(sizes[-1]) if sizes else None
    return when, size


def _file(address: str) -> What:
    # What a folder holds and has no ending is a file there, not a page.
    what = what_is(address)
    is_page = address.lower().endswith((".html", ".htm"))
    return what if what is not What.PAGE or is_page else What.FILE


def _json(data: bytes, base: str, told: Told) -> Told:
    try:
        rows = json.loads(data[: OCTETS_MAX + 1])
    except (ValueError, RecursionError) as error:
        told.faults.append(f"it is no JSON: {str(error)[:80]}")
        return told
    if not isinstance(rows, list):
        told.faults.append("it is JSON, and lists nothing")
        return told
    for row in rows[:LINKS_MAX]:
        name = row.get("name") if isinstance(row, dict) else None
        if not isinstance(name, str) or not name.strip("./"):
            continue
        is_folder = row.get("type") == "directory" or row.get("is_dir") is True
        address = joined(base, "./" + quote(name.rstrip("/")) + ("/" if is_folder else ""))
        if not is_inside(address, base):
            continue
        if is_folder:
            told.leads.append(address)
        else:
            size = row.get("size")
            when = time_us(str(row.get("mtime") or row.get("mod_time") or ""))
            is_size = isinstance(size, int) and not isinstance(size, bool)
            told.items.append(Item(address, _file(address), bytes=size if is_size else None, changed_us=when))
    if len(rows) > LINKS_MAX:
        told.faults.append(f"it lists {len(rows) - LINKS_MAX:,} more than {LINKS_MAX:,}: those were not read")
    return told
