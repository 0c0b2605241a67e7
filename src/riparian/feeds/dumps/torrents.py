"""Which files does a .torrent name?

Only the list of files is read; nothing is fetched, and nobody who shares is looked for.

Source
------
BEP 3 (``info.files``, ``name``, infohash), BEP 52 (``file tree``, infohash of version 2), BEP 47 (padding files),
BEP 9 (``urn:btih:`` and ``urn:btmh:``).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_DEPTH_MAX: Final = 64
_BEGINS: Final = re.compile(
    rb"d\d{1,2}:(announce|announce-list|azureus_properties|comment|created by|creation date|encoding|httpseeds|info"
    rb"|nodes|piece layers|publisher|url-list)"
)


def is_torrent(head: bytes) -> bool:
    """Say whether a file with these first bytes is a .torrent."""
    return _BEGINS.match(head) is not None


def decoded(octets: bytes) -> Any:
    """Read bencode: integers, byte strings, lists and dictionaries.

    Raises
    ------
    ValueError
        When it is none, or breaks off.

    Examples
    --------
    >>> decoded(b"d3:numi-3e4:listl1:aee")
    {b'num': -3, b'list': [b'a']}
    """
    value, end = _value(octets, 0, 0)
    if end != len(octets.rstrip(b"\r\n")) and end != len(octets):
        raise ValueError(f"something follows at byte {end}")
    return value


def _value(octets: bytes, place: int, depth: int) -> tuple[Any, int]:
    if depth > _DEPTH_MAX:
        raise ValueError("it is too deep")
    first = octets[place : place + 1]
    if first == b"i":
        end = octets.index(b"e", place, place + 24)
        return int(octets[place + 1 : end]), end + 1
    if first in {b"l", b"d"}:
        parts: list[Any] = []
        place += 1
        while octets[place : place + 1] != b"e":
            part, place = _value(octets, place, depth + 1)
            parts.append(part)
        return (parts if first == b"l" else _pairs(parts)), place + 1
    if first.isdigit():
        colon = octets.index(b":", place, place + 12)
        end = colon + 1 + int(octets[place:colon])
        if end > len(octets):
            raise ValueError("it breaks off")
        return octets[colon + 1 : end], end
    raise ValueError(f"no value at byte {place}")


def _pairs(parts: list[Any]) -> dict[bytes, Any]:
    if len(parts) % 2 or not all(isinstance(key, bytes) for key in parts[::2]):
        raise ValueError("a dictionary with a key that is no text")
    return dict(zip(parts[::2], parts[1::2], strict=True))


def files_of(octets: bytes) -> Iterator[tuple[str, int]]:
    """Give the path and the size of every file.

    Raises
    ------
    ValueError
        When it is no .torrent.

    Examples
    --------
    >>> list(files_of(b"d4:infod4:name5:a.mp36:lengthi9eee"))
    [('a.mp3', 9)]
    """
    top = decoded(octets)
    info = top.get(b"info") if isinstance(top, dict) else None
    if not isinstance(info, dict):
        raise ValueError("it has no `info`")  # noqa: TRY004 -- what was read is wrong, not who called
    name = _text(info.get(b"name.utf-8") or info.get(b"name") or b"")
    if isinstance(info.get(b"files"), list):
        for one in info[b"files"]:
            if isinstance(one, dict) and b"p" not in (one.get(b"attr") or b""):
                parts = one.get(b"path.utf-8") or one.get(b"path") or []
                yield "/".join([name, *map(_text, parts if isinstance(parts, list) else [])]), _size(one)
    elif isinstance(info.get(b"file tree"), dict):
        yield from _tree(info[b"file tree"], name)
    else:
        yield name, _size(info)


def infohash(octets: bytes) -> str:
    """Give the name that a .torrent has where it is shared: ``urn:btih:`` and SHA-1, or ``urn:btmh:`` and SHA-256.

    Raises
    ------
    ValueError
        When it is no .torrent.

    Examples
    --------
    >>> infohash(b"d4:infod4:name5:a.mp36:lengthi9eee")
    'urn:btih:b4432a4691c97863f6eef7c0eb57c82316acad73'
    """
    if octets[:1] != b"d":
        raise ValueError("it is no dictionary")
    place = 1
    while octets[place : place + 1] != b"e":
        key, begins = _value(octets, place, 0)
        value, place = _value(octets, begins, 0)
        if key == b"info" and isinstance(value, dict):
            info = octets[begins:place]
            if b"pieces" in value or b"meta version" not in value:
                return f"urn:btih:{hashlib.sha1(info, usedforsecurity=False).hexdigest()}"
            return f"urn:btmh:1220{hashlib.sha256(info).hexdigest()}"
    raise ValueError("it has no `info`")


def _tree(tree: Mapping[bytes, Any], under: str) -> Iterator[tuple[str, int]]:
    for name, inner in tree.items():
        if name == b"" and isinstance(inner, dict):
            yield under, _size(inner)
        elif isinstance(inner, dict):
            yield from _tree(inner, f"{under}/{_text(name)}")


def _text(octets: object) -> str:
    return octets.decode("utf-8", "replace") if isinstance(octets, bytes) else ""


def _size(of: Mapping[bytes, Any]) -> int:
    size = of.get(b"length", 0)
    return size if isinstance(size, int) else 0
