"""Which files lie in a folder, in an order that stays?

Links are not followed, and what cannot be looked at is said.  Of a .torrent the list of its files is read.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from riparian.errors import InputError
from riparian.feeds.mirrors.addresses import what_is
from riparian.feeds.mirrors.torrent_lists import OCTETS_MAX, read_torrent
from riparian.ports.mirrors import Item, What


def items_in(folder: Path, faults: list[str]) -> Iterator[Item]:
    """Give every sound file and every torrent of a folder and of those in it; each as soon as it is seen.

    Raises
    ------
    InputError
        When it is no folder.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder at `{folder}`, wanted one to watch")

    def failed(error: OSError) -> None:
        faults.append(f"`{error.filename}` cannot be looked into: {error.strerror}")

    for place, names, files in os.walk(folder, onerror=failed):
        names.sort()
        for name in sorted(files):
            item = _item(Path(place) / name, faults)
            if item is not None:
                yield item
            if item is not None and item.what is What.TORRENT:
                yield from _listed(Path(place) / name, item, faults)


def _item(path: Path, faults: list[str]) -> Item | None:
    what = what_is(path.name)
    if what not in (What.SOUND, What.TORRENT):
        return None
    try:
        if path.is_symlink() or not path.is_file():
            return None
        stat = path.stat()
    except OSError as error:
        faults.append(f"`{path}` cannot be looked at: {error.strerror}")
        return None
    url = str(path).encode("utf-8", "replace").decode()
    return Item(url, what, bytes=stat.st_size, changed_us=stat.st_mtime_ns // 1000)


def _listed(path: Path, torrent: Item, faults: list[str]) -> Iterator[Item]:
    try:
        with path.open("rb") as file:
            told = read_torrent(file.read(OCTETS_MAX + 1), torrent.url)
    except OSError as error:
        faults.append(f"`{path}` cannot be read: {error.strerror}")
        return
    faults += [f"`{path}`: {fault}" for fault in told.faults]
    yield from told.items[1:]
