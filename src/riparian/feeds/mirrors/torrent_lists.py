"""What do .torrent files and magnet links say they hold?

Lists of files are read; nothing is fetched by them, no tracker and nobody who shares is asked, and no swarm is joined.

Source
------
BEP 3, 9, 47, 52, as :mod:`riparian.feeds.dumps.torrents`; the parameters ``xt``, ``dn`` and ``xl`` of magnet links.
"""

import html
import re
from typing import Final
from urllib.parse import parse_qsl, quote

from riparian.feeds.dumps.members import is_sound
from riparian.feeds.dumps.torrents import decoded, files_of, infohash
from riparian.feeds.mirrors.amounts import octets_of
from riparian.ports.mirrors import Item, Kind, Told, What

OCTETS_MAX: Final = 16 << 20
FILES_MAX: Final = 200_000
MAGNETS_MAX: Final = 100_000
_MAGNET: Final = re.compile(r"magnet:\?[^\s\"'<>\\]{1,8192}", re.IGNORECASE)
_HASH: Final = re.compile(r"urn:btih:([0-9a-f]{40}|[a-z2-7]{32})|urn:btmh:1220([0-9a-f]{64})", re.IGNORECASE)


def read_torrent(data: bytes, address: str) -> Told:
    """Read the list of files of a .torrent: the torrent itself, and each sound file in it.

    Examples
    --------
    >>> told = read_torrent(b"d4:infod4:name5:a.mp36:lengthi9eee", "https://a.example/b.torrent")
    >>> [(item.url, str(item.what), item.bytes) for item in told.items]
    [('https://a.example/b.torrent', 'torrent', 9), ('https://a.example/b.torrent#a.mp3', 'sound', 9)]
    """
    told = Told(Kind.TORRENTS)
    if len(data) > OCTETS_MAX:
        told.faults.append(f"it has more than {OCTETS_MAX >> 20} MiB, more than any list of files")
        return told
    try:
        name, digest = infohash(data), _name(data)
        files: list[tuple[str, int]] = []
        for one in files_of(data):
            if len(files) >= FILES_MAX:
                told.faults.append(f"it lists more than {FILES_MAX:,} files: the rest was not read")
                break
            files.append(one)
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        told.faults.append(f"it is no .torrent: {str(error)[:80]}")
        return told
    whole = sum(size for _, size in files if 0 <= size < 1 << 50)
    told.items.append(Item(address, What.TORRENT, digest, bytes=whole, digest=name))
    told.items += [
        Item(f"{address}#{quote(path, safe='/')}", What.SOUND, bytes=size if size >= 0 else None, digest=name)
        for path, size in files
        if is_sound(path)
    ]
    return told


def _name(data: bytes) -> str:
    info = decoded(data)[b"info"]
    name = info.get(b"name.utf-8") or info.get(b"name")
    return " ".join(name.decode("utf-8", "replace").split())[:400] if isinstance(name, bytes) else ""


def magnets(data: bytes) -> Told:
    """Find the magnet links of a text or a page; each torrent once.

    Examples
    --------
    >>> text = b"magnet:?xt=urn:btih:" + b"0" * 40 + b"&dn=Low+Water.flac&xl=4096"
    >>> [(item.title, item.bytes, item.digest[:12]) for item in magnets(text + b" " + text).items]
    [('Low Water.flac', 4096, 'urn:btih:000')]
    """
    told = Told(Kind.TORRENTS)
    known: set[str] = set()
    if len(data) > OCTETS_MAX:
        told.faults.append(f"it has more than {OCTETS_MAX >> 20} MiB: the rest was not read")
    for found in _MAGNET.finditer(data[:OCTETS_MAX].decode("utf-8", "replace")):
        link = html.unescape(found[0])
        said = dict(reversed(parse_qsl(link.partition("?")[2], max_num_fields=200) if link.count("&") < 200 else []))
        names = _HASH.search(link)
        if names is None:
            told.faults.append(f"`{link[:60]}` names no torrent")
        elif (digest := names[0].lower()) not in known:
            if len(known) >= MAGNETS_MAX:
                told.faults.append(f"it has more than {MAGNETS_MAX:,} magnet links: the rest was not read")
                break
            known.add(digest)
            size = octets_of(said.get("xl", ""))
            told.items.append(
                Item(f"magnet:?xt={digest}", What.MAGNET, said.get("dn", "")[:400], bytes=size, digest=digest)
            )
    return told
