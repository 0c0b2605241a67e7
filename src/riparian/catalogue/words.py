"""By which words is a name found, however it is written?

By what is left of each word without case, accents and apostrophes, in the letters of a keyboard: who types ``bjork``
or ``kino`` finds Björk and Кино.  Chinese characters are a word each, and the run of them together is one more, so
that part of a title is found whether somebody types it as it is written or as it is read.

Source
------
Unicode Standard Annex 15 (compatibility forms); the letters are those of anyascii.
"""

import re
import unicodedata
from typing import Final

from anyascii import anyascii

LETTERS_MAX: Final = 48
"""Of a word; what is longer is cut."""
WORDS_MAX: Final = 64
"""Of a text; by more nobody looks for it."""
_APOSTROPHES: Final = str.maketrans("", "", "'`")
_PLAIN: Final = re.compile(r"[a-z0-9]+")
_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


def words(text: str) -> list[str]:
    r"""List the words under which a text is filed, in its order.

    Examples
    --------
    >>> words("Don\u2019t Stop Me Now (2011 Remaster)"), words("Bj\u00f6rk"), words("\u041a\u0438\u043d\u043e")
    (['dont', 'stop', 'me', 'now', '2011', 'remaster'], ['bjork'], ['kino'])
    >>> words("\u5317\u4eac!")
    ['bei', 'jing', 'beijing']
    """
    return _words(text, joined=True)


def asked(text: str) -> list[str]:
    r"""List the words that somebody who types a text looks for, each once.

    Examples
    --------
    >>> asked("Love, love me"), asked("\u5317\u4eac")
    (['love', 'me'], ['bei', 'jing'])
    """
    return list(dict.fromkeys(_words(text, joined=False)))


def _words(text: str, *, joined: bool) -> list[str]:
    # Nobody knows a text by what stands after its first few thousand letters.
    plain = text[: LETTERS_MAX * WORDS_MAX]
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", plain)
        plain = anyascii(_HAN.sub(lambda run: _read(run[0], joined=joined), plain))
    found = _PLAIN.findall(plain.translate(_APOSTROPHES).lower())
    return [word[:LETTERS_MAX] for word in found[:WORDS_MAX]]


def _read(signs: str, *, joined: bool) -> str:
    read = [anyascii(sign) for sign in signs]
    return f" {' '.join(read)} {''.join(read) if joined and len(read) > 1 else ''} "


__all__ = ["LETTERS_MAX", "WORDS_MAX", "asked", "words"]
