"""Are these two names the same, or meant to be taken for one another?

Names are written in many ways: with other case, accents, spaces and punctuation.  What is left when these are gone is
compared.  Whoever wants a name to be *taken* for another one writes it with letters that look alike, of another
alphabet, or with digits: what a name looks like is compared, too.  Both are kept simple; a person looks at what comes.

Source
------
Unicode Standard Annex 15 (compatibility forms), Unicode Technical Standard 39 section 4 (what looks alike); of its
table the letters that fonts of titles do not tell apart.
"""

import re
import unicodedata
from typing import Final

_ALIKE: Final = str.maketrans(
    {
        other: letter
        for letter, others in {
            "a": "\u0430\u03b14@",
            "b": "\u0432\u044c\u03b28",
            "c": "\u0441\u03c2",
            "d": "\u0501\u0111\u00f0",
            "e": "\u0435\u0454\u03b53",
            "h": "\u04bb\u043d\u0127",
            "i": "\u0456\u03b9\u01311!|",
            "j": "\u0458",
            "k": "\u043a\u03ba",
            "l": "\u04cf\u0142",
            "m": "\u043c",
            "n": "\u043f\u03b7\u0578",
            "o": "\u043e\u03bf\u03c30\u00f8",
            "p": "\u0440\u03c1",
            "q": "\u051b",
            "s": "\u04555$",
            "t": "\u0442\u03c47",
            "u": "\u03c5\u057d\u0446",
            "v": "\u0475\u03bd",
            "w": "\u051d\u03c9",
            "x": "\u0445\u03c7",
            "y": "\u0443\u03b3\u0443",
            "z": "\u02902",
        }.items()
        for other in others
    }
)
"""Letters of Greek, Cyrillic and others, and digits, by the Latin letter that they look like."""
_SAME: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("\u00e6", "ae"), ("\u00df", "ss"))
_JOINTS: Final = re.compile(r"\s*(?:[,;/&+]|\b(?:feat|ft|featuring|with|and|und|et|y|vs|x)\b\.?)\s*", re.IGNORECASE)
_VERSIONS: Final = re.compile(
    r"\b(remaster|remix|live|edit|version|mix|instrumental|acoustic|demo|karaoke|mono|stereo|session|take)(?:ed|es|s)?\b",
    re.IGNORECASE,
)
LETTERS_MIN: Final = 3
"""A name of fewer says nothing."""


def folded(name: str) -> str:
    r"""Give what is compared of a name.

    Examples
    --------
    >>> folded("The Beyoncé!"), folded("BEYONCE"), folded("\uff21BBA")
    ('beyonce', 'beyonce', 'abba')
    """
    plain = unicodedata.normalize("NFKD", name).casefold()
    words = "".join(c for c in plain if not unicodedata.combining(c)).split()
    words = words[1:] if len(words) > 1 and words[0] == "the" else words
    whole = "".join(words)
    return "".join(c for c in whole if c.isalnum()) or whole


def look(name: str) -> str:
    r"""Give what a name looks like, where letters that look alike are one.

    Examples
    --------
    >>> look("B\u0435y\u043enc\u0435") == look("Beyoncé"), look("M3tall1ca") == look("METALLICA")
    (True, True)
    >>> look("Abba") == look("Queen")
    False
    """
    plain = unicodedata.normalize("NFKD", name).casefold()
    seen = folded(plain.translate(_ALIKE))
    for some, other in _SAME:
        seen = seen.replace(some, other)
    # A letter that is there twice is easily taken for one.
    return re.sub(r"(.)\1+", r"\1", seen.replace("i", "l"))


def versions(title: str) -> list[str]:
    """List the words of a title that say which version of a recording it is.

    Examples
    --------
    >>> versions("Harbour Lights (2019 Remastered Version)"), versions("Harbour Lights - Live"), versions("Alive")
    (['remaster', 'version'], ['live'], [])
    """
    return [found.lower() for found in _VERSIONS.findall(title)]


def parts(artist: str) -> list[str]:
    """List whom a line of artists may name: all of it, and each of those who are joined in it.

    Examples
    --------
    >>> parts("Simon & Garfunkel feat. Somebody")
    ['Simon & Garfunkel feat. Somebody', 'Simon', 'Garfunkel', 'Somebody']
    """
    found = [artist.strip(), *(part.strip() for part in _JOINTS.split(artist))]
    return [name for name in dict.fromkeys(found) if len(folded(name)) >= LETTERS_MIN]
