"""What does a document of RSL say: which uses are licensed, and what do they cost?

Contents, each with paths and one or more licences.  A licence permits and prohibits uses by words, of which some cover
others; who names uses that are permitted prohibits the rest.  **A payment that is not written is free**: a licence that
forgets its price gives away.  The narrower path goes before the wider one, then the narrower word; what is both
permitted and prohibited as narrowly is not licensed, and is a contradiction.

Source
------
RSL 1.0 (RSL-SPEC-1.0, Recommendation of 10 December 2025, with its errata), sections 2.2, 3.1.1 (precedence), 3.3 to
3.7 (elements), 3.4.1 (words), 4.4 and 4.5 (robots.txt and Link).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from riparian.catalogue.channels.says import ANYBODY, TRAINS, Deed, Fault, Rules, Statement
from riparian.catalogue.consent import Stance
from riparian.catalogue.terms import Use

NAMESPACE: Final = "https://rslstandard.org/rsl"
MEDIA_TYPE: Final = "application/rsl+xml"
CHANNEL: Final = "RSL"
OCTETS_MAX: Final = 4 << 20
_DEPTH_MAX: Final = 32
_ELEMENTS_MAX: Final = 200_000
_TEXT_MAX: Final = 65_536
_AI: Final = TRAINS | {Deed.INFERENCE, Deed.INDEX}
WORDS: Final[Mapping[str, frozenset[Deed]]] = MappingProxyType(
    {
        "all": _AI | {Deed.SEARCH, Deed.MINING},
        "ai-all": _AI,
        "ai-train": TRAINS,
        "ai-input": frozenset({Deed.INFERENCE}),
        "ai-index": frozenset({Deed.INDEX}),
        "search": frozenset({Deed.SEARCH}),
    }
)
"""What each word of section 3.4.1 covers."""
_NARROW: Final = {"all": 0, "ai-all": 1}
_OF_LICENSE: Final = frozenset(
    {"permits", "prohibits", "payment", "standard", "custom", "amount", "accepts", "reporting"}
)
_OF_CONTENT: Final = frozenset({"license", "alternate", "schema", "copyright", "terms", "legal"})
_ELEMENTS: Final = _OF_LICENSE | _OF_CONTENT | {"rsl", "content"}
_OF_USE: Final = "usage"


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str]
    line: int
    inside: list["_Element"] = field(default_factory=list)
    text: str = ""

    def all(self, name: str) -> Iterator["_Element"]:
        return (one for one in self.inside if one.name == name)


def _parsed(data: bytes) -> _Element:
    """Parse XML that may be hostile.

    Raises
    ------
    ValueError
        When it is no XML, declares a document type, or has more of anything than such a document has.
    """
    if len(data) > OCTETS_MAX:
        raise ValueError(f"it has more than {OCTETS_MAX >> 20} MiB")
    parser = expat.ParserCreate(namespace_separator=" ")
    top = _Element("", {}, 0)
    open_, n = [top], 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal n
        n += 1
        if n > _ELEMENTS_MAX or len(open_) > _DEPTH_MAX:
            raise ValueError("it has more elements, or deeper ones, than any licence")
        one = _Element(name, attributes, parser.CurrentLineNumber)
        open_[-1].inside.append(one)
        open_.append(one)

    def end(name: str) -> None:
        del name
        open_.pop()

    def text(some: str) -> None:
        if len(open_[-1].text) < _TEXT_MAX:
            open_[-1].text += some[:_TEXT_MAX]

    def refuse(*declared: object) -> None:
        del declared
        raise ValueError("it declares a document type")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)  # noqa: FBT003 -- expat takes it by place
    except expat.ExpatError as error:
        raise ValueError(f"it is no XML, {expat.ErrorString(error.code)} in line {error.lineno}") from error
    return top.inside[0]


@dataclass(frozen=True, slots=True)
class _Said:
    statement: Statement
    narrow: int


class Rsl:
    """A document of RSL, as ``Channel``.

    Examples
    --------
    >>> document = Rsl(b'''<rsl xmlns="https://rslstandard.org/rsl">
    ...   <content url="/"><license><permits type="usage">all</permits></license></content>
    ...   <content url="/articles/"><license><prohibits type="usage">ai-train</prohibits></license></content>
    ... </rsl>''')
    >>> [(said.text, str(said.stance)) for said in document.at("/articles/1") if Deed.GENERATIVE in said.deeds]
    [('prohibits ai-train', 'reserved')]
    >>> [(said.text, str(said.stance)) for said in document.at("/about") if Deed.GENERATIVE in said.deeds]
    [('permits all', 'permitted')]
    """

    agents: tuple[str, ...] = ()

    def __init__(self, data: bytes, where: str = "license.xml") -> None:
        self.faults: list[Fault] = []
        self._where = where
        self._rules: Rules[list[_Said]] = Rules([])
        try:
            root = _parsed(data)
        except ValueError as error:
            self.faults.append(Fault(where, f"cannot be read: {error}; it licenses nothing"))
            return
        if root.name != f"{NAMESPACE} rsl":
            wanted = f"wanted `rsl` of {NAMESPACE}"
            self.faults.append(Fault(where, f"begins with `{root.name[:80]}`, {wanted}"))
            return
        self._plain(root)
        self._rules = Rules([rule for content in root.all("content") for rule in [self._content(content)] if rule])

    @property
    def patterns(self) -> tuple[str, ...]:
        """See ``Channel``."""
        return self._rules.patterns

    def at(self, path: str, agent: str = ANYBODY) -> list[Statement]:
        """See ``Channel``."""
        del agent
        ranked: dict[Deed, tuple[int, int]] = {}
        found = [(len(pattern), one) for pattern, said in self._rules.all(path) for one in said]
        for width, one in found:
            for deed in one.statement.deeds:
                ranked[deed] = max(ranked.get(deed, (-1, -1)), (width, one.narrow))
        said = []
        for width, one in found:
            kept = frozenset(deed for deed in one.statement.deeds if ranked[deed] == (width, one.narrow))
            if kept:
                of = one.statement
                said.append(Statement(of.channel, of.where, of.text, kept, of.stance))
        return said

    def _plain(self, element: _Element) -> None:
        """Take the namespace from names, and tell of what it does not have."""
        space, _, name = element.name.rpartition(" ")
        if space == NAMESPACE:
            element.name = name
            if name not in _ELEMENTS:
                self._fault(element, f"`{name}` is no element of RSL: readers may refuse the document")
        for inner in element.inside:
            self._plain(inner)

    def _fault(self, element: _Element, why: str) -> None:
        self.faults.append(Fault(f"{self._where} line {element.line}", why))

    def _content(self, content: _Element) -> tuple[str, list[_Said]] | None:
        url = content.attributes.get("url")
        if url is None:
            self._fault(content, "`content` has no `url`: it is about nothing")
            return None
        licenses = list(content.all("license"))
        if not licenses:
            self._fault(content, "`content` has no `license`: it says nothing")
        is_gated = bool(content.attributes.get("server"))
        said = [one for each in licenses for one in self._license(each, is_gated=is_gated)]
        named = frozenset(
            deed for one in said if one.statement.stance is not Stance.RESERVED for deed in one.statement.deeds
        )
        rest = frozenset(Deed) - named - {Deed.MINING}
        if named and rest and any(_words(one) for each in licenses for one in _of_type(each, "permits", _OF_USE)):
            where = f"{self._where} line {content.line}"
            said.append(_Said(Statement(CHANNEL, where, "permits only what it names", rest, Stance.RESERVED), -1))
        return _path_of(url), said

    def _license(self, of: _Element, *, is_gated: bool) -> Iterator[_Said]:
        for name in ("permits", "prohibits"):
            kinds = [one.attributes.get("type") for one in of.all(name)]
            for kind in sorted({str(kind) for kind in kinds if kinds.count(kind) > 1}):
                self._fault(of, f"has `{name}` of type `{kind}` twice, wanted one a licence")
        narrowed = any(
            one.attributes.get("type") != _OF_USE for name in ("permits", "prohibits") for one in of.all(name)
        )
        asks = is_gated or narrowed or _costs(of) or any(True for _ in of.all("reporting"))
        for one in _of_type(of, "permits", _OF_USE):
            yield from self._words(one, Stance.CONSTRAINED if asks else Stance.PERMITTED)
        if any(one.attributes.get("type") != _OF_USE for one in of.all("permits")):
            return  # what it prohibits, it prohibits those whom it names
        for one in _of_type(of, "prohibits", _OF_USE):
            yield from self._words(one, Stance.RESERVED)

    def _words(self, element: _Element, stance: Stance) -> Iterator[_Said]:
        if "," in element.text:
            self._fault(element, f"`{element.text.strip()[:60]}` has commas, wanted words separated by spaces")
        for word in _words(element):
            if word in WORDS:
                text = f"{element.name} {word}" + (" on conditions" if stance is Stance.CONSTRAINED else "")
                where = f"{self._where} line {element.line}"
                yield _Said(Statement(CHANNEL, where, text, WORDS[word], stance), _NARROW.get(word, 2))
            elif ":" not in word:
                self._fault(element, f"`{word[:40]}` is no word of RSL for a use: it says nothing")


def _words(element: _Element) -> list[str]:
    return element.text.replace(",", " ").split()


def _of_type(of: _Element, name: str, kind: str) -> Iterable[_Element]:
    return (one for one in of.all(name) if one.attributes.get("type") == kind)


def _costs(of: _Element) -> bool:
    """Say whether something is asked in return; nothing written is free."""
    return any(one.attributes.get("type", "free") != "free" or one.inside for one in of.all("payment"))


def _path_of(url: str) -> str:
    _, has_host, rest = url.partition("://")
    return "/" + rest.partition("/")[2] if has_host else url


def written(contents: Sequence[tuple[str, Mapping[Use, Stance]]], *, holder: str, contact: str, terms: str) -> str:
    """Write a document: of each path, what is permitted to anybody, and all else prohibited.

    What is to be had on conditions is prohibited here, and ``terms`` says where it is to be had.

    Examples
    --------
    >>> stances = {Use.TRAIN: Stance.RESERVED, Use.INFER: Stance.RESERVED, Use.SEARCH: Stance.PERMITTED}
    >>> print(written([("/", stances)], holder="", contact="", terms=""))
    <?xml version="1.0" encoding="UTF-8"?>
    <rsl xmlns="https://rslstandard.org/rsl">
      <content url="/">
        <license>
          <permits type="usage">search</permits>
          <prohibits type="usage">ai-all</prohibits>
        </license>
      </content>
    </rsl>
    <BLANKLINE>
    """
    about = []
    if holder:
        of = f" contact{'Url' if '://' in contact else 'Email'}={quoteattr(contact)}" if contact else ""
        about.append(f'    <copyright type="organization"{of}>{escape(holder)}</copyright>')
    if terms:
        about.append(f"    <terms>{escape(terms)}</terms>")
    # No word is for mining alone, and what `all` says of it would go on to narrower paths: it is said where all agree.
    mines = {said.get(Use.MINE) is Stance.PERMITTED for _, said in contents}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<rsl xmlns="{NAMESPACE}">']
    for path, stances in contents:
        lines += [f"  <content url={quoteattr(path)}>", "    <license>"]
        free = {use for use in _SAYS if stances.get(use) is Stance.PERMITTED}
        for name, meant in (("permits", free), ("prohibits", _SAYS - free)):
            words = ["all"] if meant == _SAYS and len(mines) == 1 else _words_for(meant)
            if words:
                lines.append(f'      <{name} type="usage">{" ".join(words)}</{name}>')
        lines += ["    </license>", *about, "  </content>"]
    return "\n".join([*lines, "</rsl>", ""])


_SAYS: Final = frozenset({Use.TRAIN, Use.INFER, Use.SEARCH, Use.MINE})


def _words_for(meant: AbstractSet[Use]) -> list[str]:
    words = ["ai-train"] if Use.TRAIN in meant else []
    words += ["ai-input", "ai-index"] if Use.INFER in meant else []
    return [*(["ai-all"] if len(words) == 3 else words), *(["search"] if Use.SEARCH in meant else [])]
