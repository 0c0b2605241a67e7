"""What do the headers of a response, and the head of a page, say?

Headers are for what they come with, whatever it is; the head of a page of HTML is for the page alone, not for the sound
that it plays.  Both may say ``Content-Usage`` (headers only), TDMRep, ``noai`` to robots, and which document of RSL is
theirs.

Source
------
draft-ietf-aipref-attach-05 section 2; TDM Reservation Protocol, sections "TDM Header Field in HTTP Responses" and "TDM
Metadata in HTML Content"; RSL 1.0 sections 4.5 and 4.6; RFC 8288 section 3 (Link).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from riparian.catalogue.channels import aipref, rsl, tdmrep
from riparian.catalogue.channels.says import ANYBODY, TRAINS, Fault, Rules, Statement, limited
from riparian.catalogue.consent import Stance

HEADER: Final = "header"
META: Final = "HTML head"
HEAD_OCTETS_MAX: Final = 256 << 10
_NOAI: Final = frozenset({"noai", "noimageai"})
_LINK: Final = re.compile(r"<([^>]{1,2000})>([^<]{0,2000})")
_HEADS_MAX: Final = 4 << 20


def _noai(value: str, channel: str, where: str) -> list[Statement]:
    words = {word.strip().lower() for word in value.split(",")}
    if not words & _NOAI:
        return []
    return [Statement(channel, where, ", ".join(sorted(words & _NOAI)), TRAINS, Stance.RESERVED)]


class Headers:
    """Headers of responses, by path, as ``Channel``.

    Parameters
    ----------
    said
        Patterns of paths, and names and values of headers there.

    Examples
    --------
    >>> headers = Headers([("/a$", [("Content-Usage", "train-ai=n"), ("tdm-reservation", "1")])])
    >>> [(said.channel, said.text) for said in headers.at("/a")]
    [('header Content-Usage', 'train-ai=n'), ('header tdm-reservation', 'tdm-reservation: 1')]
    """

    agents: tuple[str, ...] = ()

    def __init__(self, said: Iterable[tuple[str, Sequence[tuple[str, str]]]]) -> None:
        self.faults: list[Fault] = []
        self.licenses: list[str] = []
        self._rules = Rules([(pattern, self._statements(pattern, headers)) for pattern, headers in said])

    @property
    def patterns(self) -> tuple[str, ...]:
        """See ``Channel``."""
        return self._rules.patterns

    def at(self, path: str, agent: str = ANYBODY) -> list[Statement]:
        """See ``Channel``."""
        del agent
        return [statement for _, said in self._rules.all(path) for statement in said]

    def _statements(self, pattern: str, headers: Sequence[tuple[str, str]]) -> list[Statement]:
        where, plain = f"headers of {pattern}", [(name.lower(), value.strip()) for name, value in headers]
        said = []
        usage = ", ".join(value for name, value in plain if name == "content-usage")
        if usage:
            try:
                said += aipref.statements(usage, f"{HEADER} {aipref.HEADER}", where)
            except ValueError as error:
                self.faults.append(Fault(where, f"`{usage[:60]}` is no statement of preference ({error})"))
        policy = next((value for name, value in plain if name == tdmrep.POLICY), "")
        for name, value in plain:
            if name == tdmrep.RESERVATION:
                one = tdmrep.statement(value, policy, f"{HEADER} {name}", where)
                said += [one] if one is not None else []
                if one is None:
                    self.faults.append(Fault(where, f"`{name}` is `{value[:40]}`, wanted 1 or 0: it says nothing"))
            elif name == "x-robots-tag":
                said += _noai(value, f"{HEADER} X-Robots-Tag", where)
            elif name == "link":
                self.licenses += [url for url, rest in _LINK.findall(value) if _is_license(rest)]
        return said


def _is_license(parameters: str) -> bool:
    plain = parameters.replace(" ", "").replace('"', "").lower()
    return "rel=license" in plain and f"type={rsl.MEDIA_TYPE}" in plain


def headers_of(data: bytes, where: str, faults: list[Fault]) -> list[tuple[str, list[tuple[str, str]]]]:
    r"""Read headers as static hosts take them: a path, then indented ``Name: value`` lines; ``*`` stands for anything.

    Examples
    --------
    >>> headers_of(b"/tracks/*\n  Content-Usage: train-ai=n\n", "_headers", [])
    [('/tracks/*$', [('Content-Usage', 'train-ai=n')])]
    """
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for number, line in enumerate(limited(data, _HEADS_MAX, where, faults).splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0] not in " \t":
            found.append((line.strip() + "$", []))
            continue
        name, colon, value = line.strip().partition(":")
        if not colon or not found:
            faults.append(Fault(f"{where} line {number}", "is no header of a path: it says nothing"))
        else:
            found[-1][1].append((name.strip(), value.strip()))
    return found


@dataclass
class _Head:
    """What lxml tells of a page, as it reads it; a page is whatever anybody made of it."""

    metas: list[tuple[str, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    _is_rsl: bool = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "meta" and attributes.get("name"):
            self.metas.append((attributes["name"].strip().lower(), attributes.get("content", "")))
        elif tag == "link" and "license" in attributes.get("rel", "").lower().split():
            if attributes.get("type", "").strip().lower() == rsl.MEDIA_TYPE and attributes.get("href"):
                self.links.append(attributes["href"])
        elif tag == "script" and attributes.get("type", "").strip().lower() == rsl.MEDIA_TYPE:
            self._is_rsl = True
            self.scripts.append("")

    def end(self, tag: str) -> None:
        if tag == "script":
            self._is_rsl = False

    def data(self, text: str) -> None:
        if self._is_rsl:
            self.scripts[-1] += text

    def close(self) -> "_Head":
        return self


def _head_of(data: bytes) -> _Head:
    from lxml import etree  # noqa: PLC0415 -- it takes its time to load, and few need it

    head = _Head()
    text = data[:HEAD_OCTETS_MAX].decode("utf-8", "replace").replace("\0", " ")
    told: Any = head
    parser = etree.HTMLParser(target=told, no_network=True, encoding="utf-8")
    try:
        parser.feed(text.encode())
        parser.close()
    except etree.XMLSyntaxError:
        # What was told before the parser gave up is what the page says.
        return head
    return head


class Pages:
    """Heads of pages of HTML, as ``Channel``: each of its own page alone.

    Parameters
    ----------
    pages
        Path to octets; of each the first 256 KiB are read.

    Examples
    --------
    >>> pages = Pages({"/a.html": b'<meta name="tdm-reservation" content="1"><meta name="robots" content="noai">'})
    >>> [(said.channel, said.text) for said in pages.at("/a.html")]
    [('HTML head tdm-reservation', 'tdm-reservation: 1'), ('HTML head robots', 'noai')]
    """

    agents: tuple[str, ...] = ()

    def __init__(self, pages: Mapping[str, bytes]) -> None:
        self.faults: list[Fault] = []
        self.licenses: list[str] = []
        self._said: dict[str, list[Statement]] = {}
        self._inline: dict[str, list[rsl.Rsl]] = {}
        for path, data in pages.items():
            head = _head_of(data)
            self.licenses += head.links
            said = self._statements(path, head)
            inline = [rsl.Rsl(text.strip().encode(), f"script in {path}") for text in head.scripts]
            self.faults += [fault for document in inline for fault in document.faults]
            if said or inline:
                self._said[path] = said
                self._inline[path] = inline

    @property
    def patterns(self) -> tuple[str, ...]:
        """See ``Channel``."""
        return tuple(self._said)

    def at(self, path: str, agent: str = ANYBODY) -> list[Statement]:
        """See ``Channel``."""
        del agent
        inline = [statement for document in self._inline.get(path, ()) for statement in document.at(path)]
        return [*self._said.get(path, ()), *inline]

    def _statements(self, path: str, head: _Head) -> list[Statement]:
        said = []
        policy = next((value for name, value in head.metas if name == tdmrep.POLICY), "")
        for name, value in head.metas:
            if name == tdmrep.RESERVATION:
                one = tdmrep.statement(value, policy, f"{META} {name}", path)
                said += [one] if one is not None else []
                if one is None:
                    self.faults.append(Fault(path, f"`{name}` is `{value[:40]}`, wanted 1 or 0: it says nothing"))
            elif name == "robots":
                said += _noai(value, f"{META} robots", path)
        return said
