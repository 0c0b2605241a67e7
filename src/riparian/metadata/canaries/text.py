"""In which of two ways is a text written that can be written in both?

Each :class:`Variant` knows texts that it can write in two ways, writes them so, and reads which way a text is written
that somebody found: what is left of one that was cleaned may tell nothing, and then nothing is read.  None touches an
identifier, a credit by which somebody is paid, a mark of what is explicit, the first two artists or any word that
carries meaning.

Conventions
-----------
* Variants of one text do not disturb one another: each is known before the others are written, and read after.
* ``of`` is the text beside it that a variant needs: an album's title for the recording's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_MARKS: Final = "'\u2019"
_SMALL: Final = frozenset(re.findall(r"\w+", "of the a an in on to for with or at by from de la le et y"))
_LOW: Final = frozenset(("and", "feat", "feat.", "ft", "ft."))
_APOSTROPHE: Final = re.compile(rf"(?<=\w)[{_MARKS}](?=\w)")
_FEATURED: Final = re.compile(r"\b(feat|ft)\b\.? ", re.IGNORECASE)
_AND: Final = re.compile(r"(?<=\w) (&|and) (?=\w)", re.IGNORECASE)
_TAIL: Final = re.compile(r"^([^()\[\]]*\S) [-\u2013] ([^()\[\]]*?\S)$")
_BRACKETED: Final = re.compile(r"^([^()\[\]]*\S) [(\[]([^()\[\]]+)[)\]]$")
_WORD: Final = re.compile(r"\S+")
_SINGLE: Final = " - Single"
_IS_SINGLE: Final = re.compile(r"[ (\[-]+single[)\]]?$", re.IGNORECASE)
_COMMAS: Final = re.compile(r"(; |, )")
_JOIN: Final = " & "
_ORDERED_FROM: Final = 2
_FEWEST_ORDERED: Final = 4


_Fits = Callable[[str, str], bool]
_Write = Callable[[str, int], str]
_Read = Callable[[str, str], bool | None]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to write a text in two ways.

    Parameters
    ----------
    name
        Of the kind of cell.
    column
        Where such texts stand: ``title``, ``artist`` or ``album``.
    by_text
        Whether a text has one cell wherever it stands, rather than one in every recording.
    fits
        Whether a text of ours can be written in both ways; given the text and the recording's title.
    write
        Writes a text that fits in the first way (False) or in the second (True).
    read
        Says in which way a text is written that was found, given ours; None where it does not tell.
    """

    name: str
    column: str
    by_text: bool
    fits: _Fits
    write: _Write
    read: _Read


def _either(*is_written: bool) -> bool | None:
    first, second = is_written
    return None if first == second else second


def _write_apostrophe(text: str, bit: int) -> str:
    return _APOSTROPHE.sub(_MARKS[bit], text)


def _read_apostrophe(theirs: str, ours: str) -> bool | None:
    del ours
    found = _APOSTROPHE.findall(theirs)
    return _either(_MARKS[0] in found, _MARKS[1] in found)


def _write_featured(text: str, bit: int) -> str:
    return _FEATURED.sub("ft. " if bit else "feat. ", text)


def _read_featured(theirs: str, ours: str) -> bool | None:
    del ours
    found = [word.casefold() for word in _FEATURED.findall(theirs)]
    return _either("feat" in found, "ft" in found)


def _write_and(text: str, bit: int) -> str:
    return _AND.sub(" & " if bit else " and ", text)


def _read_and(theirs: str, ours: str) -> bool | None:
    del ours
    found = [word.casefold() for word in _AND.findall(theirs)]
    return _either("and" in found, "&" in found)


def _write_tail(text: str, bit: int) -> str:
    return _TAIL.sub(r"\1 (\2)" if bit else r"\1 - \2", text)


def _read_tail(theirs: str, ours: str) -> bool | None:
    found = _TAIL.match(ours)
    if found is None:
        return None
    tail = re.escape(found[2].casefold())
    text = theirs.casefold()
    return _either(bool(re.search(rf" [-\u2013] {tail}", text)), bool(re.search(rf"\({tail}\)", text)))


def _write_brackets(text: str, bit: int) -> str:
    return _BRACKETED.sub(r"\1 [\2]" if bit else r"\1 (\2)", text)


def _read_brackets(theirs: str, ours: str) -> bool | None:
    del ours
    return _either("(" in theirs, "[" in theirs)


def _middle(text: str) -> list[re.Match[str]]:
    """Give the small words inside a text whose other words begin with capitals."""
    words = list(_WORD.finditer(text))
    inner = words[1:-1]
    small = [word for word in inner if word[0].casefold() in _SMALL and "(" not in words[0][0]]
    others = [word[0] for word in words if word[0].casefold() not in _SMALL | _LOW and word[0][0].isalpha()]
    is_titled = bool(others) and all(word[0].isupper() for word in others) and not text.isupper()
    return small if is_titled else []


def _write_small(text: str, bit: int) -> str:
    for word in _middle(text):
        form = word[0].capitalize() if bit else word[0].lower()
        text = text[: word.start()] + form + text[word.end() :]
    return text


def _read_small(theirs: str, ours: str) -> bool | None:
    del ours
    found = [word[0][0].isupper() for word in _middle(theirs)]
    return _either(False in found, True in found)


def _write_single(text: str, bit: int) -> str:
    return text + _SINGLE if bit else text


def _read_single(theirs: str, ours: str) -> bool | None:
    if _IS_SINGLE.search(theirs):
        return True
    return False if theirs.split() and ours else None


def artists_of(text: str) -> list[str]:
    """Give the artists that a text lists with commas or semicolons.

    Examples
    --------
    >>> artists_of("Ann; Bob; Cy"), artists_of("Ann & Bob")
    (['Ann', 'Bob', 'Cy'], ['Ann & Bob'])
    """
    parts = _COMMAS.split(text)
    return parts[::2]


def _join_of(text: str) -> str:
    found = _COMMAS.search(text)
    return found[0] if found else _JOIN


def _write_join(text: str, bit: int) -> str:
    head, join, last = text.rpartition(_join_of(text))
    return f"{head}{_JOIN if bit else join}{last}"


def _read_join(theirs: str, ours: str) -> bool | None:
    last = sorted(artists_of(ours)[1:], key=len)
    joins = [found[1] for name in last for found in re.finditer(rf"(; |, | & | and ){re.escape(name)}", theirs)]
    return True if _JOIN in joins else False if joins else None


def _write_order(text: str, bit: int) -> str:
    # Of third and later artists only: who is first or second may matter to somebody.
    names, join = artists_of(text), _join_of(text)
    rest = sorted(names[_ORDERED_FROM:], key=str.casefold, reverse=bool(bit))
    return join.join([*names[:_ORDERED_FROM], *rest])


def _read_order(theirs: str, ours: str) -> bool | None:
    rest = sorted(artists_of(ours)[_ORDERED_FROM:], key=str.casefold)
    at = [theirs.casefold().find(name.casefold()) for name in rest]
    if -1 in at:
        return None
    return _either(at == sorted(at), at == sorted(at, reverse=True))


def _has(pattern: re.Pattern[str]) -> _Fits:
    return lambda text, _title: pattern.search(text) is not None


def _of_texts(column: str, *, by_text: bool) -> tuple[Variant, ...]:
    def one(name: str, fits: _Fits, write: _Write, read: _Read) -> Variant:
        return Variant(f"{column}, {name}", column, by_text, fits, write, read)

    return (
        one("apostrophe", _has(_APOSTROPHE), _write_apostrophe, _read_apostrophe),
        one("featured", _has(_FEATURED), _write_featured, _read_featured),
        one("and", _has(_AND), _write_and, _read_and),
        one("tail", _has(_TAIL), _write_tail, _read_tail),
        one("brackets", _has(_BRACKETED), _write_brackets, _read_brackets),
        one("small words", lambda text, _title: bool(_middle(text)), _write_small, _read_small),
    )


SINGLE: Final = Variant(
    "album, single",
    "album",
    by_text=True,
    fits=lambda text, title: text == title and bool(text),
    write=_write_single,
    read=_read_single,
)
JOINED: Final = Variant(
    "artist, last of several",
    "artist",
    by_text=True,
    fits=lambda text, _title: len(artists_of(text)) > 1 and _JOIN not in text,
    write=_write_join,
    read=_read_join,
)
ORDERED: Final = Variant(
    "artist, order from the third",
    "artist",
    by_text=True,
    fits=lambda text, _title: len({name.casefold() for name in artists_of(text)}) >= _FEWEST_ORDERED,
    write=_write_order,
    read=_read_order,
)
# Artists are put in order before their last is joined.
VARIANTS: Final = (*_of_texts("title", by_text=False), *_of_texts("album", by_text=True), SINGLE, ORDERED, JOINED)
"""Every way of writing, in the order in which they are written."""
