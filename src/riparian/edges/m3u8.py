"""Which addresses does a playlist name, and how is each given something to carry?

A playlist of HLS is lines: addresses, tags that hold addresses in a quoted ``URI``, and everything else, which goes
through as it is.  :func:`carried` gives every address to a function and puts what it returns in its place;
:func:`with_argument` is such a function: it adds an argument to the query, where the address stays at home.

Rules
-----
* A playlist begins with ``#EXTM3U``, is UTF-8 without control characters, and is no larger than it need be: 8 MiB,
  100,000 lines, 8,192 characters each.
* What another host would see carries nothing: addresses with a scheme or a host, and those that lead out of the folder
  that is granted.
* An address with a variable of ``EXT-X-DEFINE`` is left as it is: nobody here knows where it leads.

Source
------
RFC 8216, sections 4.1 to 4.3; draft-pantos-hls-rfc8216bis for parts and hints.
"""

import posixpath
import re
from collections.abc import Callable
from typing import Final

from riparian.errors import InputError

BYTES_MAX: Final = 8 << 20
LINES_MAX: Final = 100_000
LINE_MAX: Final = 8192

_TAGS: Final = frozenset(
    {
        "#EXT-X-I-FRAME-STREAM-INF",
        "#EXT-X-KEY",
        "#EXT-X-MAP",
        "#EXT-X-MEDIA",
        "#EXT-X-PART",
        "#EXT-X-PRELOAD-HINT",
        "#EXT-X-RENDITION-REPORT",
        "#EXT-X-SESSION-DATA",
        "#EXT-X-SESSION-KEY",
    }
)
_ATTRIBUTE: Final = re.compile(r'(?P<name>[A-Z0-9-]+)=(?P<value>"[^"]*"|[^",]*)(?:,|\Z)', re.ASCII)
_ELSEWHERE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:|//", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def carried(raw: bytes, carry: Callable[[str], str]) -> str:
    r"""Give every address of a playlist to a function, and write the playlist with what it returns.

    Parameters
    ----------
    raw
        A master or media playlist.
    carry
        Gives the address that stands in the place of one.

    Returns
    -------
    str
        The playlist, its lines ended by line feeds.

    Raises
    ------
    InputError
        When it is no playlist.

    Examples
    --------
    >>> print(carried(b'#EXTM3U\n#EXT-X-MAP:URI="i.mp4",BYTERANGE="9@0"\n#EXTINF:4,\n1.m4s\n', str.upper), end="")
    #EXTM3U
    #EXT-X-MAP:URI="I.MP4",BYTERANGE="9@0"
    #EXTINF:4,
    1.M4S
    """
    lines = _lines(raw)
    return "".join(f"{_carried(line, carry)}\n" for line in lines)


def with_argument(argument: str, *, home: str, base: str, beside: str = "") -> Callable[[str], str]:
    """Make what adds an argument to addresses that stay at home.

    Parameters
    ----------
    argument
        As in ``g=...``, which replaces one of the same name; empty for none.
    home
        Path of the folder that addresses may lead into; ends in a slash.
    base
        Path of the folder that addresses of this playlist start from; ends in a slash.
    beside
        The same folder as seen from where the playlist is served, where it is served from elsewhere.

    Examples
    --------
    >>> carry = with_argument("g=1", home="/m/r/", base="/m/r/hi/")
    >>> [carry(address) for address in ("1.ts", "../key?k=2#x", "../../s/1.ts", "https://a.example/1.ts", "?g=0&a=1")]
    ['1.ts?g=1', '../key?k=2&g=1#x', '../../s/1.ts', 'https://a.example/1.ts', '?a=1&g=1']
    """
    name = argument.partition("=")[0] + "="

    def carry(address: str) -> str:
        # Browsers leave tabs out and turn backslashes round before they look for a host: so nothing here holds any.
        if _ELSEWHERE.match(address) or "{$" in address or "\\" in address or not address.isprintable():
            return address
        rest, mark, fragment = address.partition("#")
        path, _, query = rest.partition("?")
        seen = path if path.startswith("/") else beside + path
        stays = posixpath.normpath(posixpath.join(base, path)).startswith(home)
        if not stays or not argument:
            return address if seen == path else seen + address[len(path) :]
        kept = [part for part in query.split("&") if part and not part.startswith(name)]
        return f"{seen}?{'&'.join([*kept, argument])}{mark}{fragment}"

    return carry


def _lines(raw: bytes) -> list[str]:
    if len(raw) > BYTES_MAX:
        raise _no_playlist(f"has {len(raw)} bytes, wanted at most {BYTES_MAX}")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _no_playlist("is no UTF-8") from error
    # Not `splitlines`, which ends lines at characters that may stand in a title.
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    if lines[0].rstrip(" \t") != "#EXTM3U":
        raise _no_playlist("begins with something else, wanted `#EXTM3U`")
    if len(lines) > LINES_MAX or max(map(len, lines)) > LINE_MAX:
        raise _no_playlist(f"is longer than {LINES_MAX} lines of {LINE_MAX} characters")
    if _CONTROL.search(text) or any("\r" in line for line in lines):
        raise _no_playlist("holds control characters")
    return lines


def _no_playlist(what: str) -> InputError:
    return InputError(f"the playlist {what}", hint="Look at what the packager wrote.")


def _carried(line: str, carry: Callable[[str], str]) -> str:
    if not line.strip(" \t"):
        return line
    if not line.startswith("#"):
        return carry(line.strip(" \t"))
    tag, colon, attributes = line.partition(":")
    return tag + colon + _attributes(attributes, carry) if tag in _TAGS else line


def _attributes(text: str, carry: Callable[[str], str]) -> str:
    written, at = [], 0
    while at < len(text):
        found = _ATTRIBUTE.match(text, at)
        if found is None:
            raise _no_playlist("has a tag whose attributes cannot be read")
        value = found["value"]
        if found["name"] == "URI" and value.startswith('"'):
            value = f'"{_quotable(carry(value[1:-1]))}"'
        written.append(f"{found['name']}={value}")
        at = found.end()
    return ",".join(written)


def _quotable(address: str) -> str:
    # An argument that ended the quoted address would begin another attribute.
    return address.replace('"', "%22")
