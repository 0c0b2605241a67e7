"""Which addresses does a letter name, and what does it say is at each?

An address counts as a place that the letter complains of, or as the place where the original is, by the nearest words
before it that say one or the other; by the question, in a form.  Addresses of laws, guides and published notices are
neither: the last are what the letter is about.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from riparian.cases.reading.plain import either, folded

PLACES_MAX: Final = 20_000
"""How many addresses of one letter are read; the longest notice ever published by a host names some 2,000."""

ADDRESS: Final = re.compile(
    r"(?:https?|ftp|hxxps?)://[^\s<>\"'`|\\\]\[)(*]{2,2000}(?:\([^\s<>()]{0,200}\)[^\s<>\"'`|\\\]\[)(*]{0,500})?"
    r"|(?<![\w@./:-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,4}"
    r"(?:com|org|net|io|me|ru|cn|de|dev|gg|to|app|co|info|xyz|site|tv|fm|uk|fr|nl|eu|example)/[^\s<>\"'`|\\\]\[)(*]{1,2000}"
    r"|urn:btih:[0-9a-z]{32,64}|magnet:\?[^\s<>\"']{10,2000}",
    re.IGNORECASE,
)
"""What is read as an address: with a scheme; without one, when a path follows; and the names of torrents."""

_END: Final = ".,;:!?'\"*_~"
_GUIDES: Final = re.compile(
    r"(?:help|docs|support)\.github\.com|github\.com/(?:contact|site/)|lumendatabase\.org|copyright\.gov|chillingeffects"
    r"|law\.cornell\.edu|eur-lex\.europa\.eu|zendesk\.com",
    re.IGNORECASE,
)
_PUBLISHED: Final = re.compile(r"github\.com/github/dmca/|lumendatabase\.org/notices/", re.IGNORECASE)
_ORIGINAL: Final = either(
    "original\\w*",
    "genuine",
    "our (?:site|website|web site|product|page|store|home page|repository|copyrighted|own|work)\\w*",
    "my (?:site|website|web site|product|page|store|home page|repository|copyrighted|own|work)\\w*",
    "copyrighted works?",
    "official(?:ly)?",
    "licen[cs]ed? (?:agreement|terms)",
    "(?:sold|purchased?|published|distributed) (?:at|on|from|by)",
)
_COMPLAINED: Final = either(
    "infring\\w*",
    "unauthori[sz]ed",
    "illegal\\w*",
    "remove[ds]?",
    "removal",
    "take\\W?down",
    "taken down",
    "disabled?",
    "delet\\w+",
    "block\\w*",
    "retract\\w*",
    "rescind\\w*",
    "withdraw\\w*",
    "re\\W?enable\\w*",
    "reinstate\\w*",
    "restore\\w*",
    "leak\\w*",
    "stolen",
    "cop(?:y|ies|ied) (?:of|at|found|located)",
    "found at",
    "located at",
    "hosted",
    "hosting",
    "violat\\w+",
    "breach\\w*",
    "unlawful\\w*",
    "alleged\\w*",
    "following (?:locations?|repositor\\w+|urls?|links?|files?|pages?)",
    "repositor\\w+ (?:that|which|where|is|are|at|in)",
)


class Role(StrEnum):
    """What a letter says is at an address."""

    COMPLAINED = "complained"
    ORIGINAL = "original"
    REFERENCE = "reference"
    GUIDE = "guide"


@dataclass(frozen=True, slots=True)
class Place:
    """One address in a letter, and what is said to be there."""

    url: str
    role: Role
    at: int


def places(text: str) -> tuple[Place, ...]:
    """List addresses, each once, in their order.

    Examples
    --------
    >>> found = places("The original is at https://a.example/x. It is infringed at https://b.example/y and c.example/z")
    >>> [(one.url, one.role.value) for one in found]
    [('https://a.example/x', 'original'), ('https://b.example/y', 'complained'), ('c.example/z', 'complained')]
    """
    bare = _bare(text)
    cues = sorted(
        [(found.start(), Role.ORIGINAL) for found in _ORIGINAL.finditer(bare)]
        + [(found.start(), Role.COMPLAINED) for found in _COMPLAINED.finditer(bare)]
    )
    seen: dict[str, Place] = {}
    role, next_cue = Role.COMPLAINED, 0
    for found in ADDRESS.finditer(text):
        while next_cue < len(cues) and cues[next_cue][0] < found.start():
            role = cues[next_cue][1]
            next_cue += 1
        url = cleaned(found[0])
        if url not in seen:
            seen[url] = Place(url, _special(url) or role, found.start())
        if len(seen) == PLACES_MAX:
            break
    return tuple(seen.values())


def addresses(text: str) -> tuple[str, ...]:
    """List the addresses of a text, each once, but those of guides and published notices."""
    found = dict.fromkeys(cleaned(one[0]) for one in ADDRESS.finditer(text))
    return tuple(one for one in found if _special(one) is None)[:PLACES_MAX]


def cleaned(address: str) -> str:
    """Take off what the sentence around an address put at its end, and make ``hxxp`` what it stands for."""
    address = address.rstrip(_END)
    if address.endswith(")") and "(" not in address:
        address = address[:-1].rstrip(_END)
    return re.sub(r"^hxxp", "http", address, flags=re.IGNORECASE)


def _bare(text: str) -> str:
    # Words inside of an address are no words about it.
    return ADDRESS.sub(lambda found: " " * len(found[0]), folded(text))


def _special(url: str) -> Role | None:
    if _PUBLISHED.search(url):
        return Role.REFERENCE
    return Role.GUIDE if _GUIDES.search(url) else None
