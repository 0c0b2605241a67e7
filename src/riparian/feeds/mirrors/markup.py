"""Which records are in XML that anybody may have written?

It is read as a stream, record by record: nothing grows with the document but what is kept of it.  Entities are not
declared by it, nothing is fetched for it, and what stands before a break is kept.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

_DEPTH_MAX: Final = 64
_INSIDE_MAX: Final = 2_000
_TEXT_MAX: Final = 16_384
_BLOCK: Final = 1 << 16
_ENCODING: Final = re.compile(rb"\s{0,64}<\?xml[^>]{1,200}?encoding\s{0,8}=\s{0,8}[\"']([A-Za-z0-9._-]{1,40})[\"']")
_WIDE: Final = frozenset(
    {"shift-jis", "sjis", "cp932", "euc-jp", "iso-2022-jp", "gb2312", "gbk", "gb18030", "big5"}
    | {"big5-hkscs", "euc-kr", "cp949", "ks-c-5601-1987", "iso-2022-kr", "hz"}
)
"""Encodings of several bytes a letter, which expat does not know."""
XML_BASE: Final = "http://www.w3.org/XML/1998/namespace base"


@dataclass(slots=True)
class Element:
    """An element, its name without the namespace, which is ``space``."""

    name: str
    space: str
    attributes: Mapping[str, str]
    inside: list["Element"] = field(default_factory=list)
    text: str = ""

    def every(self, name: str, space: str | None = None) -> Iterator["Element"]:
        """Give the elements of a name that are right inside, in a namespace or in whatever one."""
        return (one for one in self.inside if one.name == name and space in (None, one.space))

    def said(self, name: str, space: str | None = None) -> str:
        """Give the text of the first of these that has any; empty when there is none."""
        return next((text for one in self.every(name, space) if (text := " ".join(one.text.split()))), "")


def root_of(data: bytes) -> str:
    """Give the name of the outermost element; empty where there is none near the beginning.

    Examples
    --------
    >>> root_of(b'<?xml version="1.0"?><urlset><url>'), root_of(b"<"), root_of(b"loc")
    ('urlset', '', '')
    """
    return _prolog(data)[0]


def declares_entities(data: bytes) -> bool:
    """Say whether it declares entities before its outermost element begins.

    Examples
    --------
    >>> declares_entities(b'<!DOCTYPE a [<!ENTITY e "x">]><a/>'), declares_entities(b"<!DOCTYPE html><html>")
    (True, False)
    """
    return _prolog(data)[1]


def _prolog(data: bytes) -> tuple[str, bool]:
    found: list[str] = []
    declared: list[object] = []
    data, encoding = _readable(data[:_BLOCK])
    parser = expat.ParserCreate(encoding, namespace_separator=" ")

    def begin(name: str, _: object) -> None:
        found.append(name.rpartition(" ")[2])
        raise ValueError("that is all")

    def declare(*given: object) -> None:
        declared.append(given)
        raise ValueError("that is all")

    parser.StartElementHandler, parser.EntityDeclHandler = begin, declare
    with suppress(expat.ExpatError, ValueError, LookupError):
        parser.Parse(data, False)  # noqa: FBT003 -- expat takes it by place
    return (found[0] if found else ""), bool(declared)


def records(data: bytes, names: frozenset[str]) -> Iterator[Element]:
    """Give the outermost elements of these names, each when it has ended.

    Raises
    ------
    ValueError
        When it is no XML, breaks off, declares entities, or has more in one record than any has; what came before was
        given.

    Examples
    --------
    >>> [one.said("loc") for one in records(b"<a><url><loc> x </loc></url><url><loc>y</loc></url></a>", {"url"})]
    ['x', 'y']
    """
    reader = _Reader(names)
    data, encoding = _readable(data)
    parser = expat.ParserCreate(encoding, namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = reader.begin, reader.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = reader.say, _refused
    try:
        for place in range(0, len(data), _BLOCK):
            parser.Parse(data[place : place + _BLOCK], False)  # noqa: FBT003 -- expat takes it by place
            yield from reader.taken()
        parser.Parse(b"", True)  # noqa: FBT003 -- expat takes it by place
    except expat.ExpatError as error:
        yield from reader.taken()
        why = expat.ErrorString(error.code)
        raise ValueError(f"it is no XML beyond line {error.lineno}: {why}") from error
    except LookupError as error:
        raise ValueError(f"it is in an {error}") from error
    except ValueError as error:
        yield from reader.taken()
        raise ValueError(f"{error}, in line {parser.CurrentLineNumber}") from error
    yield from reader.taken()


@dataclass(slots=True)
class _Reader:
    names: frozenset[str]
    done: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)
    depth: int = 0
    n_inside: int = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _DEPTH_MAX:
            raise ValueError(f"its elements are more than {_DEPTH_MAX} deep")
        space, _, local = name.rpartition(" ")
        if not self.open and local not in self.names:
            return
        self.n_inside = self.n_inside + 1 if self.open else 0
        if self.n_inside > _INSIDE_MAX:
            raise ValueError(f"one record has more than {_INSIDE_MAX:,} elements")
        one = Element(local, space, {key: value[:_TEXT_MAX] for key, value in attributes.items()})
        if self.open:
            self.open[-1].inside.append(one)
        self.open.append(one)

    def end(self, name: str) -> None:
        del name
        self.depth -= 1
        if self.open:
            one = self.open.pop()
            if not self.open:
                self.done.append(one)

    def say(self, some: str) -> None:
        if self.open and len(self.open[-1].text) < _TEXT_MAX:
            self.open[-1].text += some[:_TEXT_MAX]

    def taken(self) -> list[Element]:
        done, self.done = self.done, []
        return done


def _readable(data: bytes) -> tuple[bytes, str | None]:
    """Give it in an encoding that expat knows; what it says of itself is believed, of those in which feeds are."""
    said = _ENCODING.match(data)
    name = said[1].decode().lower().replace("_", "-") if said else ""
    if name not in _WIDE:
        return data, None
    return data.decode(name, "replace").encode("utf-8", "replace"), "utf-8"


def _refused(*declared: object) -> None:
    del declared
    raise ValueError("it declares entities")
