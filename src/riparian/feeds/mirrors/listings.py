"""Which files does a page that lists a folder name?

As Apache, nginx, lighttpd, Caddy and Python's own server write it: links, each with a date and a size beside it.  Only
what lies in that folder counts: the way up, the ways to sort, and what leads elsewhere do not.  Folders in it lead on.

nginx (``autoindex_format json``) and Caddy write the same as JSON for whoever asks for that; both are read.
"""

import html
import json
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from riparian.feeds.mirrors.addresses import joined, what_is
from riparian.feeds.mirrors.amounts import octets_of, time_us
from riparian.ports.mirrors import Item, Kind, Told, What

OCTETS_MAX: Final = 16 << 20
LINKS_MAX: Final = 100_000
_BESIDE_MAX: Final = 400
_WHEN: Final = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?|\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d(?::\d\d)?"
    r"|\d{4}-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d|\d\d/\d\d/\d{4} \d\d:\d\d [AP]M"
)
_TAG: Final = re.compile(
    r"<(?P<end>/?)(?P<tag>[a-zA-Z][a-zA-Z0-9]{0,15}+)(?P<said>(?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+)>"
)
"""A tag: what it looks at ends where the next one begins, so that no page is looked at twice."""
_ATTRIBUTE: Final = re.compile(r"(?:^|\s)([a-zA-Z-]{1,32}+)\s*+=\s*+(\"[^\"]*+\"|'[^']*+'|[^\s\"'>]++)")
_SAID_MAX: Final = 16_384
_SKIPPED: Final = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "template")}
_SIZE: Final = re.compile(r"(?<![\d:.-])\d[\d,]*(?:\.\d+)? ?(?:[KMGT]i?)?B?(?![\w:/])", re.IGNORECASE)


@dataclass(slots=True)
class _Link:
    href: str
    beside: str = ""
    size: str = ""
    when: str = ""


@dataclass(slots=True)
class Page:
    """The links of a page, and what stands beside each."""

    links: list[_Link] = field(default_factory=list)
    base: str = ""
    n_more: int = 0


def links_of(data: bytes, faults: list[str]) -> Page:
    """Read the links of a page; whatever it is, in time that grows with its length and no faster."""
    page = Page()
    text = _uncommented(data[:OCTETS_MAX].decode("utf-8", "replace").replace("\0", " "))
    if len(data) > OCTETS_MAX:
        faults.append(f"it has more than {OCTETS_MAX >> 20} MiB: the rest was not read")
    place, is_in_link = 0, False
    while (found := _TAG.search(text, place)) is not None:
        _say(page, text[place : min(found.start(), place + _BESIDE_MAX)], is_in_link=is_in_link)
        place = found.end()
        tag = found["tag"].lower()
        if found["end"]:
            is_in_link = is_in_link and tag != "a"
            if tag in {"td", "tr"}:
                _say(page, " ", is_in_link=False)
        elif tag in _SKIPPED:
            # What is no text of the page is passed over, to its end or to that of the page.
            end = _SKIPPED[tag].search(text, place)
            place = end.end() if end else len(text)
        else:
            is_in_link = _begin(page, tag, found["said"][:_SAID_MAX]) or is_in_link
    _say(page, text[place : place + _BESIDE_MAX], is_in_link=is_in_link)
    if page.n_more:
        faults.append(f"it has {page.n_more:,} links more than {LINKS_MAX:,}: those were not read")
    return page


def _uncommented(text: str) -> str:
    parts, place = [], 0
    while (begin := text.find("<!--", place)) >= 0:
        parts.append(text[place:begin])
        end = text.find("-->", begin + 4)
        place = end + 3 if end >= 0 else len(text)
    return "".join([*parts, text[place:]])


def _begin(page: Page, tag: str, said: str) -> bool:
    """Take a tag; whether it begins a link."""
    if tag not in {"a", "base", "time", "td"}:
        return False
    attributes = {name.lower(): html.unescape(value.strip("\"'")) for name, value in _ATTRIBUTE.findall(said)}
    if tag == "base":
        page.base = page.base or attributes.get("href", "")
    elif tag == "a" and "href" in attributes:
        if len(page.links) < LINKS_MAX:
            page.links.append(_Link(attributes["href"]))
            return True
        page.n_more += 1
    elif tag == "time" and page.links:
        page.links[-1].when = page.links[-1].when or attributes.get("datetime", "")
    elif tag == "td" and page.links and attributes.get("data-order", "").isdigit():
        # Caddy says exactly what it shows rounded.
        page.links[-1].size = page.links[-1].size or attributes["data-order"]
    return False


def _say(page: Page, text: str, *, is_in_link: bool) -> None:
    if page.links and not is_in_link:
        link = page.links[-1]
        link.beside += html.unescape(text[: _BESIDE_MAX - len(link.beside)])


def read_listing(data: bytes, base: str, page: Page | None = None) -> Told:
    """Read a page that lists a folder.

    Parameters
    ----------
    page
        Its links, where they were read already.

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
    page = page or links_of(data, told.faults)
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
