"""Is this an address, and of what?"""

from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from riparian.feeds.dumps.members import is_sound
from riparian.ports.mirrors import What

LONGEST: Final = 8192
_WEB: Final = ("http", "https")


def joined(base: str, href: str) -> str:
    """Give the address that a reference leads to, without its fragment; empty when it is none that a list may name.

    Examples
    --------
    >>> joined("https://a.example/b/", "c d.mp3"), joined("https://a.example/", "javascript:x"), joined("list", "a/b")
    ('https://a.example/b/c d.mp3', '', 'a/b')
    """
    href = "".join(one for one in href.strip() if one.isprintable())
    if not href or len(href) > LONGEST:
        return ""
    try:
        whole = urljoin(base, href) if "://" in base else href
        parts = urlsplit(whole)
        _ = parts.port
    except ValueError:
        return ""
    if parts.scheme and (parts.scheme.lower() not in _WEB or not parts.hostname):
        return ""
    return whole.partition("#")[0]


def host_of(address: str) -> str:
    """Give the host and port of an address; empty where there is none.

    Examples
    --------
    >>> host_of("HTTPS://A.example:443/b"), host_of("http://a.example:8080"), host_of("b/c")
    ('a.example:443', 'a.example:8080', '')
    """
    try:
        parts = urlsplit(address)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme.lower())
    except ValueError:
        return ""
    return f"{parts.hostname}:{port}" if parts.hostname and port else ""


def name_of(address: str) -> str:
    """Give the name of the file at an address.

    Examples
    --------
    >>> name_of("https://a.example/b/c%20d.mp3?x=1")
    'c d.mp3'
    """
    return unquote(address.partition("?")[0].rstrip("/").rpartition("/")[2])


def what_is(address: str, media_type: str = "") -> What:
    """Say what is at an address, by its name or by the media type that is said of it.

    Examples
    --------
    >>> [str(what_is(one)) for one in ("a.FLAC", "a.torrent?x", "a/", "a.zip", "magnet:?xt=urn:btih:0")]
    ['sound', 'torrent', 'page', 'file', 'magnet']
    >>> str(what_is("https://a.example/get?id=1", "audio/mpeg"))
    'sound'
    """
    name, said = name_of(address).lower(), media_type.partition(";")[0].strip().lower()
    if address.lower().startswith("magnet:"):
        return What.MAGNET
    if name.endswith(".torrent") or said == "application/x-bittorrent":
        return What.TORRENT
    if is_sound(name) or said.startswith("audio/"):
        return What.SOUND
    dot = name.rpartition(".")[2] if "." in name else ""
    if said.startswith(("video/", "image/", "application/zip", "application/octet-stream")):
        return What.FILE
    has_path = urlsplit(address).path.strip("/") != "" if "://" in address else True
    page = dot in {"", "html", "htm", "xhtml", "php", "asp", "aspx", "jsp"} or len(dot) > 5 or not has_path
    return What.PAGE if page or address.endswith("/") else What.FILE
