"""What does a data set say of itself: its name, under which licence it is, and when it was published?

Two forms are read: the card that Hugging Face shows (``README.md``, which begins with lines of YAML between dashes),
and Croissant (JSON-LD).  Of the card's YAML only plain words behind a key are read, as licences are written.

Source
------
Hugging Face Hub, *Dataset cards* (``license``, ``license_name``, ``pretty_name``); MLCommons, *Croissant Format
Specification* 1.0 (``name``, ``license``, ``datePublished``, ``conformsTo``).
"""

import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, Final

from riparian.feeds.messages.resources import date_of

CARD: Final = "README.md"
_BYTES_MAX: Final = 8 << 20
_FRONT: Final = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_LINE: Final = re.compile(r"^(license|licence|license_name|pretty_name):[ \t]*(.*)$", re.MULTILINE)
_TEXT_MAX: Final = 400


@dataclass(frozen=True, slots=True)
class About:
    """What a data set says of itself; texts are empty, and the day None, where it says nothing.

    Parameters
    ----------
    licences
        All that it names, as it writes them.
    sources
        The files that say it.
    """

    name: str = ""
    licences: tuple[str, ...] = ()
    published: date | None = None
    sources: tuple[str, ...] = ()

    def plus(self, other: "About") -> "About":
        """Take what another file adds."""
        return About(
            self.name or other.name,
            tuple(dict.fromkeys(self.licences + other.licences)),
            self.published or other.published,
            self.sources + other.sources,
        )


def about(path: Path) -> About:
    """Read what a data set in a folder, or beside a file, says of itself."""
    folder = path if path.is_dir() else path.parent
    found = About()
    for file in sorted(folder.glob("*.json")) + sorted(folder.glob("*.jsonld")) + [folder / CARD]:
        if file.is_file() and file.stat().st_size <= _BYTES_MAX:
            text = file.read_text(encoding="utf-8", errors="replace")
            said = of_card(text) if file.name == CARD else of_croissant(text)
            if said is not None:
                found = found.plus(About(said.name, said.licences, said.published, (str(PurePosixPath(file)),)))
    return found


def of_card(text: str) -> About | None:
    r"""Read a card; None for a text that is none.

    Examples
    --------
    >>> of_card("---\npretty_name: Songs\nlicense: cc-by-4.0\n---\n# Songs")
    About(name='Songs', licences=('cc-by-4.0',), published=None, sources=())
    >>> of_card("---\nlicense:\n- cc-by-4.0\n- mit\n---\n").licences
    ('cc-by-4.0', 'mit')
    """
    front = _FRONT.match(text)
    if front is None:
        return None
    name, licences = "", []
    for key, value in _LINE.findall(front[1] + "\n"):
        values = [_plain(each) for each in value.strip("[] ").split(",")] if value.strip() else _items(front[1], key)
        if key == "pretty_name":
            name = name or next(filter(None, values), "")
        else:
            licences += [each for each in values if each]
    return About(name, tuple(dict.fromkeys(licences)))


def _items(front: str, key: str) -> list[str]:
    block = re.search(rf"^{key}:[ \t]*\r?\n((?:[ \t]*-[ \t]+.*(?:\r?\n|\Z))*)", front, re.MULTILINE)
    return [_plain(line.strip()[1:]) for line in block[1].splitlines()] if block else []


def _plain(text: str) -> str:
    return text.strip().strip("'\"").strip()[:_TEXT_MAX]


def of_croissant(text: str) -> About | None:
    """Read a Croissant file; None for JSON that is none, and for what is no JSON.

    Examples
    --------
    >>> of_croissant('{"@context": {"cr": "http://mlcommons.org/croissant/"}, "@type": "sc:Dataset",'
    ...              ' "name": "Songs", "license": "https://creativecommons.org/licenses/by/4.0/"}').licences
    ('https://creativecommons.org/licenses/by/4.0/',)
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or "mlcommons.org/croissant" not in text.lower():
        return None
    published = date_of(_first(said.get("datePublished")))
    return About(_first(said.get("name")), tuple(dict.fromkeys(_all(said.get("license")))), published)


def _all(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for each in value for text in _all(each)]
    if isinstance(value, dict):
        return _all(value.get("@id") or value.get("url") or value.get("name") or value.get("@value"))
    return [value.strip()[:_TEXT_MAX]] if isinstance(value, str) and value.strip() else []


def _first(value: Any) -> str:
    return next(iter(_all(value)), "")
