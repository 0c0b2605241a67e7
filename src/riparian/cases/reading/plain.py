"""How is text compared that came as Markdown, HTML or mail?

:func:`folded` keeps the length of a text, so that a place in it is the same place in what was sent.  A phrase
(:func:`phrase`) is words in their order with anything that is no word between them: line ends, quotation marks, marks
of emphasis.
"""

import re
from datetime import UTC, datetime
from typing import Final

_TAG: Final = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,20}(?:\s[^<>\n]{0,2000})?/?>|<!--[^<>\n]{0,400}-->")
_ENTITY: Final = re.compile(r"&(?:nbsp|amp|quot|lt|gt|#\d{1,6});")
_MARKS: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201b\u02bc\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014", "-"),
        **dict.fromkeys("*_\u00a0\u200b\ufeff\\>|", " "),
    }
)
_PREFACE: Final = re.compile(
    r"\s*[^\n]{0,400}\bthis (?:takedown notice|counter notice|notice)\b(?:[^\n]{0,1000}\n){1,20}?\s{0,20}-{3,}[ \t]*\n",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W\d_]+")
_COMMON: Final = frozenset(
    {
        *("the", "of", "to", "and", "in", "is", "that", "i", "a", "for", "this", "are", "be", "or", "it", "on", "with"),
        *("by", "not", "you", "we", "have", "my", "your", "our", "as", "from", "at", "has", "was", "which", "any"),
        *("an", "please", "if"),
    }
)
_QUOTE: Final = 300
_LANGUAGE_WORDS: Final = 12
_ENGLISH: Final = 0.12

REDACTED: Final = re.compile(
    r"\[\s*(?:private|redacted|omitted|removed|confidential|xxx+)[^\]\n]{0,40}\]", re.IGNORECASE
)
"""Where somebody took something out before it came to us."""


def folded(text: str) -> str:
    """Blank out marks of emphasis, tags and entities, and make quotation marks plain; as long as ``text``.

    Examples
    --------
    >>> folded("**Penalty** of <b>perjury</b>")
    '  Penalty   of    perjury    '
    """
    for blanked in (_TAG, _ENTITY):
        text = blanked.sub(lambda found: " " * len(found[0]), text)
    return text.translate(_MARKS)


def phrase(words: str) -> str:
    r"""Write a pattern of words in their order, with no word between them.

    A word may itself be a pattern.  ``~7`` stands for up to seven words of any kind.

    Examples
    --------
    >>> import re
    >>> bool(re.search(phrase("good faith ~2 belie(?:f|ve)"), "good-faith,\nhonest belief"))
    True
    """
    parts = [rf"(?:\w+\W+){{0,{word[1:]}}}?" if word.startswith("~") else rf"{word}\W+" for word in words.split()]
    return "".join(parts).removesuffix(r"\W+")


def either(*phrases: str) -> re.Pattern[str]:
    """Compile phrases into one pattern that finds any of them as whole words, in capitals or not."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrase(each) for each in phrases)})(?!\w)", re.IGNORECASE)


def body(text: str) -> str:
    r"""Blank out what a publisher put before a letter, up to the rule that ends it; as long as ``text``.

    Examples
    --------
    >>> body("Before acting on this takedown notice, we asked.\n\n---\n\nHello").split()
    ['Hello']
    """
    found = _PREFACE.match(text)
    return text if found is None else re.sub(r"\S", " ", found[0]) + text[found.end() :]


def quoted(text: str, span: tuple[int, int]) -> str:
    """Give what is at a place, on one line and not too long."""
    return " ".join(text[span[0] : span[1]].split())[:_QUOTE]


def sentence(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """Widen a place to the sentence around it, at most 400 characters to either side."""
    start = max(span[0] - 400, 0)
    before = max(text.rfind(end, start, span[0]) + len(end) for end in ("\n\n", ". ", ".\n", "?\n"))
    begin = max(before, start) if before > 1 else start
    ends = [place + 1 for end in (". ", ".\n", "\n\n") if (place := text.find(end, span[1], span[1] + 400)) >= 0]
    end = min(ends) if ends else min(span[1] + 400, len(text))
    while begin < span[0] and text[begin].isspace():
        begin += 1
    return begin, max(end, span[1])


def english(text: str) -> bool:
    """Say whether most of a text is English, by the share of its words that are the commonest ones.

    A text of fewer than a dozen words is taken for English when they are in Latin letters.
    """
    words = [word.lower() for word in _WORD.findall(text[:200_000])]
    if len(words) < _LANGUAGE_WORDS:
        return all(word.isascii() for word in words)
    return sum(word in _COMMON for word in words) >= _ENGLISH * len(words)


def when(text: str) -> datetime | None:
    """Read a time as messages write it, in UTC where it names no zone; None when it is none.

    Examples
    --------
    >>> when("2026-03-03T12:00:00").isoformat(), when("in March")
    ('2026-03-03T12:00:00+00:00', None)
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
