"""Which parts does a message have, whoever wrote it?

A message is parsed once, in C; of what it holds, only the elements that somebody asks for ever become Python objects,
and what was given is forgotten.  No document type is allowed, so nothing is declared that could be expanded; no address
is followed; no element may hold more than a part of a message can sensibly hold.

Names are compared without their prefixes: some senders qualify everything, some nothing.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from lxml import etree

MESSAGE_BYTES_MAX: Final = 64 << 20
PARTS_MAX: Final = 300_000
PART_BYTES_MAX: Final = 8 << 20
TEXT_MAX: Final = 4096
_STEP: Final = 1 << 16
_TYPED: Final = re.compile(rb"(?>[\s\xef\xbb\xbf\xff\xfe]|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_TYPE: Final = "it declares a document type"
_SAID: Final = {
    "IsSupplemental",
    "LanguageAndScriptCode",
    "Namespace",
    "ReleaseResourceType",
    "TitleType",
    "UserDefinedValue",
}
_CARRIERS: Final = {
    *("AdditionalTitle", "CommercialModelType", "DisplayTitle", "DisplayTitleText", "ProprietaryId"),
    *("ReleaseLabelReference", "ReleaseResourceReference", "Title", "UseType"),
}
"""Elements whose attributes matter."""

Part = dict[str, list[Any]]
"""An element: each child's name to its children of that name, in order: texts, or parts where they have children or
attributes of interest.  A part's own text is under ``""``, an attribute under its name with ``@`` before it."""


def parts(octets: bytes, wanted: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, Part]]:
    """Give the parts of a message in its order, the root first, without children but with its namespace.

    Parameters
    ----------
    octets
        The message.
    wanted
        Name of a part to the names of whatever is wanted inside it, however deep; no part may lie in another one.

    Raises
    ------
    ValueError
        When it is no XML, declares a document type, or is more than a message has to be.

    Examples
    --------
    >>> message = b"<m:M xmlns:m='x'><A><B>1</B><B n='2'>2</B><C/></A></m:M>"
    >>> list(parts(message, {"A": frozenset("B")}))
    [('{x}M', {}), ('A', {'B': ['1', '2']})]
    >>> list(parts(b"<!DOCTYPE x [<!ENTITY e 'ha'>]><M><A>&e;</A></M>", {"A": frozenset()}))
    Traceback (most recent call last):
    ValueError: it declares a document type
    """
    if len(octets) > MESSAGE_BYTES_MAX:
        raise ValueError(f"it has more than {MESSAGE_BYTES_MAX >> 20} MiB")
    if _TYPED.match(octets[:_STEP].replace(b"\0", b"")):
        raise ValueError(_TYPE)
    parser = etree.XMLPullParser(
        events=("start", "end"),
        tag=[f"{{*}}{name}" for name in wanted],
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_blank_text=True,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
    )
    root, last, given = None, 0, 0
    try:
        for place in range(0, len(octets), _STEP):
            parser.feed(octets[place : place + _STEP])
            for event, element in cast(Iterator[tuple[str, Any]], parser.read_events()):
                if root is None:
                    root = _root(element)
                    yield root.tag, _said(root)
                if event == "end":
                    name = plain_name(element.tag)
                    yield name, _said(element) | plain(element, wanted[name])
                    _forget(element)
                    last, given = place, given + 1
            if given > PARTS_MAX:
                raise ValueError(f"it has more than {PARTS_MAX:,} parts")
            if place - last > PART_BYTES_MAX:
                raise ValueError(f"a part of it has more than {PART_BYTES_MAX >> 20} MiB")
        end = parser.close()
    except etree.XMLSyntaxError as error:
        raise ValueError(f"it is no XML, {(error.msg or 'nothing')[:200]}") from error
    if root is None:
        yield _root(end).tag, _said(end)


def _root(element: etree._Element) -> etree._Element:
    tree = element.getroottree()
    # In whatever letters it was written: what it declares is never looked at.
    if tree.docinfo.internalDTD is not None:
        raise ValueError(_TYPE)
    return tree.getroot()


def _forget(element: etree._Element) -> None:
    """Drop a part that was given, and everything before it."""
    element.clear()
    while (parent := element.getparent()) is not None:
        while parent[0] is not element:
            del parent[0]
        element = parent


def plain_name(tag: str) -> str:
    """Give a name without its namespace.

    Examples
    --------
    >>> plain_name("{http://ddex.net/xml/ern/43}NewReleaseMessage")
    'NewReleaseMessage'
    """
    return tag.rpartition("}")[2]


def _said(element: etree._Element) -> Part:
    return {f"@{name}": [text] for name, text in cast(list[tuple[str, str]], element.items()) if name in _SAID}


def plain(element: etree._Element, wanted: frozenset[str]) -> Part:
    """Give of an element what is wanted."""
    found: Part = {}
    for child in element:
        name = child.tag
        if name not in wanted:
            # What is no element (an entity that was not expanded) has a function for a name.
            name = plain_name(str(name))
            if name not in wanted:
                continue
        value: Any = plain(child, wanted) if len(child) else child.text or ""
        if name in _CARRIERS and (more := _said(child)):
            value = more | (value if isinstance(value, dict) else {"": [value]})
        if name in found:
            found[name].append(value)
        else:
            found[name] = [value]
    return found


def all_of(part: Part, *path: str) -> list[Any]:
    """List what lies along a path of names.

    Examples
    --------
    >>> all_of({"A": [{"B": ["1", "2"]}, {"B": ["3"]}]}, "A", "B")
    ['1', '2', '3']
    """
    found: list[Any] = [part]
    for name in path:
        found = [inner for one in found if isinstance(one, dict) for inner in one.get(name, ())]
    return found


def text_of(value: Part | str) -> str:
    """Give the text of an element on one line."""
    text = value if isinstance(value, str) else "".join(value.get("", ()))
    return " ".join(text[:TEXT_MAX].split())


def said(part: Part, name: str, inner: str = "") -> str:
    """Give the first text of a child, or of a child's child, or nothing.

    Examples
    --------
    >>> said({"A": [{"B": ["", "  2  3 "]}]}, "A", "B")
    '2 3'
    """
    for one in part.get(name, ()):
        if not inner:
            text = text_of(one)
        elif isinstance(one, dict):
            text = said(one, inner)
        else:
            continue
        if text:
            return text
    return ""
