"""What does a structured field of HTTP hold?

A dictionary of RFC 9651: keys in lower case, each with an item (or a list of items) and parameters.  The last of a key
that is there twice is the one that counts; what does not parse to its end is nothing at all.

Source
------
RFC 9651, section 4.2.2 (parsing a dictionary) and those it calls.
"""

import re
from typing import Final, NamedTuple

_KEY: Final = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_TOKEN: Final = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")
_NUMBER: Final = re.compile(r"-?(?:[0-9]{1,12}\.[0-9]{1,3}|[0-9]{1,15})(?![0-9.])")
_STRING: Final = re.compile(r'"(?:[ !#-\[\]-~]|\\["\\])*"')
_BYTES: Final = re.compile(r":[A-Za-z0-9+/=]*:")
_DATE: Final = re.compile(r"@-?[0-9]{1,15}(?![0-9.])")
_DISPLAY: Final = re.compile(r'%"(?:[ !#$&-~]|%[0-9a-f]{2})*"')
_BOOLEAN: Final = re.compile(r"\?[01]")
_OTHERS: Final = (_NUMBER, _STRING, _BYTES, _DATE, _DISPLAY, _BOOLEAN)


class Item(NamedTuple):
    """A value: its text, and whether that is a token (a bare word)."""

    text: str
    is_token: bool


class _Text:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def take(self, wanted: re.Pattern[str]) -> str:
        found = wanted.match(self.text, self.at)
        if found is None:
            raise ValueError(f"character {self.at + 1} is not what a dictionary has there")
        self.at = found.end()
        return found[0]

    def skip(self, chars: str) -> None:
        while self.at < len(self.text) and self.text[self.at] in chars:
            self.at += 1

    def has(self, char: str) -> bool:
        if self.text[self.at : self.at + 1] != char:
            return False
        self.at += 1
        return True

    @property
    def is_done(self) -> bool:
        return self.at >= len(self.text)


def dictionary(text: str) -> dict[str, Item]:
    r"""Parse a dictionary; parameters are read and passed over.

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> {key: item.text for key, item in dictionary("train-ai=n;why=\"ours\", search=y").items()}
    {'train-ai': 'n', 'search': 'y'}
    >>> dictionary("Train-AI=n")
    Traceback (most recent call last):
    ValueError: character 1 is not what a dictionary has there
    """
    source, found = _Text(text.strip(" ")), {}
    while not source.is_done:
        key = source.take(_KEY)
        found[key] = _value(source) if source.has("=") else Item("?1", is_token=False)
        _parameters(source)
        source.skip(" \t")
        if source.is_done:
            break
        if not source.has(","):
            raise ValueError(f"character {source.at + 1} is not the comma that a dictionary has there")
        source.skip(" \t")
        if source.is_done:
            raise ValueError("it ends with a comma")
    return found


def _value(source: _Text) -> Item:
    if not source.has("("):
        return _item(source)
    begun = source.at
    while True:
        source.skip(" ")
        if source.has(")"):
            return Item(source.text[begun : source.at - 1], is_token=False)
        _item(source)
        _parameters(source)
        if source.text[source.at : source.at + 1] not in (" ", ")"):
            raise ValueError(f"character {source.at + 1} is not what a list has there")


def _item(source: _Text) -> Item:
    if _TOKEN.match(source.text, source.at):
        return Item(source.take(_TOKEN), is_token=True)
    other = next((kind for kind in _OTHERS if kind.match(source.text, source.at)), _TOKEN)
    return Item(source.take(other), is_token=False)


def _parameters(source: _Text) -> None:
    while source.has(";"):
        source.skip(" ")
        source.take(_KEY)
        if source.has("="):
            _item(source)
