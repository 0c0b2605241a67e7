"""Which files does a listing of folders name?

Known are what ``ls -lR``, ``ls -R``, ``tree``, ``find`` and ``dir /s`` print, web pages that list a folder (Apache,
nginx and their kin), and playlists (M3U).  Each gives paths; what else stands on the line (a size, a date) is taken
where it is in a known place.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from riparian.feeds.dumps.members import is_sound

_LONG: Final = re.compile(
    r"(?P<mode>[-dlbcps][-rwxsStT]{9})[.+@]?\s+\d+\s+\S+\s+\S+\s+\d[\d,.]*[KMGT]?\s+"
    r"(?P<when>\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: [-+]\d{4})?"
    r"|[A-Z][a-z]{2}\s+\d+\s+(?:\d\d:\d\d|\d{4}))\s"
    r"(?P<name>.+)"
)
_TREE_MARK: Final = re.compile(r"(?:├──|└──|\|-- |`-- |\+---|\\---)")
_DIR: Final = re.compile(
    r"(?P<when>\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\s+\d{1,2}:\d{2}(?:\s?[AP]M)?)\s+(?P<size><DIR>|[\d.,\u00a0]+)\s+(?P<name>.+)"
)
_DIR_OF: Final = re.compile(r"\s*(?:Directory of|Verzeichnis von|Répertoire de|Directorio de)\s+(?P<folder>.+)")
_LINK: Final = re.compile(r"<a\s[^>]*?href\s*=\s*[\"']([^\"'<>]{1,4096})[\"'][^>]{0,4096}>", re.IGNORECASE)
_WHEN: Final = re.compile(r"(\d{4}-\d\d-\d\d|\d\d-[A-Z][a-z]{2}-\d{4})[ T](\d\d:\d\d)")
_EXTINF: Final = re.compile(r"#EXTINF:\s*(?P<seconds>-?\d+)[^,]{0,1024},(?P<name>.*)")
_PAGE: Final = re.compile(
    r"\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype html|html|head|body|pre|title)", re.IGNORECASE | re.DOTALL
)
_FORMS_ALIKE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Named:
    """A file that a listing names.

    Parameters
    ----------
    path
        Where it lies, with folders where they are known.
    added
        When the listing says that it was changed, as written there; empty when it does not.
    seconds
        How long it lasts, as written there; empty when it is not said.
    said
        What a playlist calls it; empty when nothing does.
    """

    path: str
    added: str = ""
    seconds: str = ""
    said: str = ""


def form_of(lines: Sequence[str]) -> str:
    """Say what kind of listing these first lines are of; empty when of none.

    Examples
    --------
    >>> form_of(["#EXTM3U"]), form_of(["music", "├── A", "│   └── b.mp3"]), form_of(["./a/b.mp3", "./a/c.flac"])
    ('M3U', 'tree', 'paths')
    >>> form_of(["./a:", "total 8", "-rw-r--r-- 1 me me 5 Jan  2 2020 b.mp3"]), form_of(["Adele - Hello"])
    ('ls', '')
    """
    some = [line for line in lines if line.strip()]
    if not some:
        return ""
    if some[0].startswith("#EXTM3U") or any(line.startswith("#EXTINF:") for line in some[:5]):
        return "M3U"
    tests = {
        "ls": lambda line: _LONG.match(line.strip()) is not None,
        "dir": lambda line: _DIR.match(line.strip()) is not None,
        "tree": lambda line: _TREE_MARK.search(line[:200]) is not None,
        "paths": lambda line: not _LONG.match(line) and (is_sound(line.strip()) or line.startswith(("./", "/", "../"))),
    }
    shares = {name: sum(map(test, some)) / len(some) for name, test in tests.items()}
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] >= _FORMS_ALIKE else ""


def named_files(form: str, lines: Iterable[str]) -> Iterator[Named]:
    """Give what a listing of a form names.

    Examples
    --------
    >>> [one.path for one in named_files("tree", ["music", "├── A", "│   └── b.mp3", "└── c.mp3"])]
    ['music/A', 'music/A/b.mp3', 'music/c.mp3']
    >>> next(named_files("M3U", ["#EXTINF:215,Adele - Hello", "x.mp3"]))
    Named(path='x.mp3', added='', seconds='215', said='Adele - Hello')
    """
    return {"ls": _ls, "dir": _dir, "tree": _tree, "M3U": _m3u}.get(form, _paths)(lines)


def _paths(lines: Iterable[str]) -> Iterator[Named]:
    folder = ""
    for line in lines:
        name = line.strip()
        if name.endswith(":") and not is_sound(name):
            folder = name[:-1]
        elif name:
            yield Named(f"{folder}/{name}" if folder and "/" not in name else name)


def _ls(lines: Iterable[str]) -> Iterator[Named]:
    folder = ""
    for line in lines:
        bare = line.strip()
        found = _LONG.match(bare)
        if found and found["mode"][0] == "-":
            yield Named(f"{folder}/{found['name']}" if folder else found["name"], found["when"])
        elif not found and bare.endswith(":"):
            folder = bare[:-1].strip("'\"")


def _dir(lines: Iterable[str]) -> Iterator[Named]:
    folder = ""
    for line in lines:
        at = _DIR_OF.match(line)
        if at:
            folder = at["folder"].strip().replace("\\", "/")
        found = None if at else _DIR.match(line.strip())
        if found and found["size"] != "<DIR>":
            yield Named(f"{folder}/{found['name']}" if folder else found["name"], found["when"])


def _tree(lines: Iterable[str]) -> Iterator[Named]:
    above: list[str] = []
    for line in lines:
        mark = _TREE_MARK.search(line[:4096])
        if mark is None:
            if line.strip() and not re.match(r"\d+ director", line):
                above = [line.strip().rstrip("/")]
            continue
        depth = 1 + mark.start() // 4
        name = line[mark.end() :].strip()
        del above[depth:]
        above += [""] * (depth - len(above))
        above.append(name)
        yield Named("/".join(part for part in above if part))


def _m3u(lines: Iterable[str]) -> Iterator[Named]:
    said = seconds = ""
    for line in lines:
        found = _EXTINF.match(line)
        if found:
            said, seconds = found["name"].strip(), found["seconds"] if not found["seconds"].startswith("-") else ""
        elif line.strip() and not line.startswith("#"):
            yield Named(line.strip(), "", seconds, said)
            said = seconds = ""
    if said:
        yield Named("", "", seconds, said)


def is_page(head: str) -> bool:
    """Say whether a text begins as a web page does."""
    return _PAGE.match(head) is not None


def linked_files(lines: Iterable[str], folder: str = "") -> Iterator[Named]:
    """Give what a web page that lists a folder links to; links upwards and to other orders are none.

    Examples
    --------
    >>> list(linked_files(['<a href="../">up</a>', '<a href="A%20-%20B.mp3">A</a>  02-Jan-2020 10:11  5M']))
    [Named(path='A - B.mp3', added='02-Jan-2020 10:11', seconds='', said='')]
    """
    for line in lines:
        for found in _LINK.finditer(line):
            href = html.unescape(found[1])
            if href.startswith(("?", "#", "../", "javascript:", "mailto:")) or href in {"/", ".", "./"}:
                continue
            when = _WHEN.search(line, found.end())
            path = unquote(href.split("?", 1)[0].split("#", 1)[0])
            yield Named(f"{folder}{path}", f"{when[1]} {when[2]}" if when else "")
