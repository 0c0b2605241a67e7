"""Which recording does the name of a file name?

``Artist/Album/07 - Title.flac``, ``Artist - Title.mp3``, ``01. Artist - Album - Title [320].mp3`` and the like.  The
folders above are read when the name itself does not name an artist.
"""

import re
from dataclasses import dataclass
from typing import Final

from riparian.feeds.dumps.members import is_sound

DASH: Final = re.compile(r"\s+[-\u2010-\u2015\u2212~]\s+|\s+[|]\s+")
_NUMBER: Final = re.compile(r"(?:(?:cd|disc|disk)?\s*\d{1,2}[-_. ]+)?\d{1,3}(?:\s*[-._)]+\s*|\s+(?=\D))", re.IGNORECASE)
_TAIL: Final = re.compile(
    r"\s*[\[({](?:flac|mp3|m4a|aac|ogg|opus|wav|alac|(?:128|160|192|224|256|320)\s*(?:k(?:bps)?)?|\d{2}-\d{2,3}|v0|v2|cbr|vbr|web|cd|vinyl"
    r"|official (?:music |lyric |hd )?(?:video|audio)|audio|lyrics?|hq|hd|4k|[a-zA-Z0-9_-]{11})[\])}]\s*$",
    re.IGNORECASE,
)
_YEAR: Final = re.compile(r"^\s*[\[(]?(?:19|20)\d{2}[\])]?\s*[-.]?\s+|\s*[\[(](?:19|20)\d{2}[\])]")
_DISC: Final = re.compile(r"(?:cd|disc|disk|part|vol)\W*\d{1,2}", re.IGNORECASE)
_PLACES: Final = "music musik audio songs tracks mp3 flac downloads media library data files home mnt"
_FOLDERS: Final = frozenset(_PLACES.split())


@dataclass(frozen=True, slots=True)
class Said:
    """What a name says; empty where it says nothing."""

    title: str
    artist: str = ""
    album: str = ""


def said_by(path: str) -> Said | None:
    """Read a path; None when it is not that of a sound file.

    Examples
    --------
    >>> said_by("Music/Adele/25 (2015)/01 - Hello.flac")
    Said(title='Hello', artist='Adele', album='25')
    >>> said_by("x/Adele - Hello (Official Video) [320].mp3"), said_by("cover.jpg")
    (Said(title='Hello', artist='Adele', album=''), None)
    >>> said_by("Adele - 25/Adele - 25 - 01 Hello.mp3")
    Said(title='Hello', artist='Adele', album='25')
    """
    if not is_sound(path):
        return None
    *folders, name = [part for part in re.split(r"[/\\]", path) if part.strip(" .")]
    parts = cut_name(name[: name.rindex(".")])
    folders = [_without_year(folder) for folder in folders if not _is_no_name(folder)]
    if len(parts) == 1:
        return Said(parts[0], *_above(folders))
    if len(parts) == 2:
        _, album = _above(folders)
        return Said(parts[1], parts[0], album if album != parts[0] else "")
    return Said(parts[-1], parts[0], parts[1])


def cut_name(name: str) -> list[str]:
    """Cut a name without its ending into what it says, numbers and technical notes left out.

    Examples
    --------
    >>> cut_name("07_-_Mot\u00f6rhead_-_Ace_of_Spades"), cut_name("99 Problems"), cut_name("01 Hello")
    (['Motörhead', 'Ace of Spades'], ['99 Problems'], ['Hello'])
    """
    if " " not in name:
        name = name.replace("_", " ")
    while (cut := _TAIL.sub("", name)) != name and cut.strip():
        name = cut
    parts = [part.strip() for part in DASH.split(name) if part.strip()]
    if len(parts) > 1 and re.fullmatch(r"\d{1,3}", parts[0]):
        parts = parts[1:]
    parts = [_without_number(part, is_alone=len(parts) == 1) if place in {0, len(parts) - 1} else part
             for place, part in enumerate(parts)]  # fmt: skip
    return [part for part in parts if not re.fullmatch(r"\d{1,3}", part)] or parts or [name.strip()]


def _without_number(part: str, *, is_alone: bool) -> str:
    found = _NUMBER.match(part)
    if not found or found.end() == len(part):
        return part
    # "99 Problems" and "50 Cent" are names, "01 Hello" and "7. Hello" are numbered.
    marked = found[0].strip() != found[0].strip(" -._)") or found[0].startswith("0")
    return part[found.end() :] if marked or (is_alone and found[0].strip().startswith("0")) else part


def _is_no_name(folder: str) -> bool:
    return folder.lower() in _FOLDERS or _DISC.fullmatch(folder) is not None or folder.endswith(":")


def _without_year(folder: str) -> str:
    bare = _TAIL.sub("", _YEAR.sub("", folder.replace("_", " ") if " " not in folder else folder)).strip()
    return bare or folder


def _above(folders: list[str]) -> tuple[str, str]:
    if not folders:
        return "", ""
    parts = [part.strip() for part in DASH.split(folders[-1]) if part.strip()]
    if len(parts) >= 2:
        return parts[0], parts[1]
    return (folders[-2], folders[-1]) if len(folders) >= 2 else (folders[-1], "")
