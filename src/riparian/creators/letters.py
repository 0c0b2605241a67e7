"""What does a message say: from whom it claims to be, what people read in it, and where its links lead?

A message comes as its octets, whoever wrote them, so everything is bounded: octets, parts, their nesting, links, text.
What people see is kept apart from what is there and not shown.  Nothing is opened, fetched or run.  Messages that were
forwarded are read, too.

Source
------
RFC 5322 (messages), RFC 2045 to 2047 (parts and encoded words), RFC 8601 (Authentication-Results; the topmost is the
receiver's own, what stands below may be anybody's), RFC 3676 (plain text).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parseaddr
from types import MappingProxyType
from typing import Any, Final

from lxml import etree

OCTETS_MAX: Final = 2 << 20
"""What comes after so many octets of a message is not read."""
_TEXT_MAX: Final = 100_000
_PARTS_MAX: Final = 200
_LINKS_MAX: Final = 500
_FORWARDED_MAX: Final = 5
_ATTACHED: Final = "message/rfc822"
_DEEP_MAX: Final = 20
_HEADER_MAX: Final = 4_000
_ADDRESS: Final = re.compile(r"[^\s<>\"',;:()\[\]]+@[^\s<>\"',;:()\[\]]+")
_LINK: Final = re.compile(r"(?:https?://|hxxps?://|www\.)[^\s<>\"'\])}]+", re.IGNORECASE)
_HEAD: Final = re.compile(rb"(?:From |[\x21-\x39\x3b-\x7e]+[ \t]*:)")
_FIELDS: Final = re.compile(
    rb"^(?:from|received|return-path|delivered-to|message-id|mime-version)[ \t]*:", re.IGNORECASE | re.MULTILINE
)
_INLINE: Final = re.compile(
    r"^[>*_\s-]*(?:From|De|Von|Da|Van|Od)\s*:\s*\**(?P<name>[^<\n\[]{0,120}?)\s*[<\[](?:mailto:)?(?P<sender>[^<>\s\]@]+@[^<>\s\]]+)[>\]]"
    r"(?P<more>(?:[^\n]*\n){1,12}?)[>*\s]*(?:Subject|Assunto|Asunto|Betreff|Objet|Oggetto|Onderwerp|Temat)\s*:\**\s*"
    r"(?P<subject>[^\n]*)\n",
    re.MULTILINE,
)
"""How clients begin what somebody forwards to somebody else, within the text."""
_INLINE_WITHIN: Final = 1_500
_RESULT: Final = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*(\w+)", re.IGNORECASE)
_HIDDEN: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*[01](?:\.\d+)?(?:px|pt|em)?\s*(?:[;!\"]|$)"
    r"|mso-hide\s*:\s*all|opacity\s*:\s*0\s*(?:;|$)|line-height\s*:\s*0\s*(?:px)?\s*(?:;|$)",
    re.IGNORECASE,
)
_UNSHOWN: Final = frozenset({"style", "script", "title", "head", "noscript", "template", "select", "object"})
_BREAKS: Final = frozenset({"p", "br", "div", "tr", "li", "h1", "h2", "h3", "td", "table"})


@dataclass(frozen=True, slots=True)
class Link:
    """Where something leads, and what is shown of it: its text, or nothing, where it is text."""

    target: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message, as far as it is looked at.

    Parameters
    ----------
    name, sender
        Whom it claims to be from, and the address, lower case; empty where there is none.
    senders
        How many addresses it claims to be from.
    reply_to, return_path
        Where answers, and failures, go; empty where it does not say.
    recipients
        To whom, lower case.
    subject
        Decoded.
    text
        What people read, without what is hidden.
    hidden
        Letters that are there and are not shown.
    links
        At most 500.
    images
        How many pictures are fetched from elsewhere.
    pictured
        How many links show a picture, and no text.
    has_form
        Whether it asks for something in itself.
    files
        Names of what is attached.
    passed
        What the receiver found of ``spf``, ``dkim`` and ``dmarc``; without what it did not look at.
    headers
        Names of its header fields, lower case.
    stamp
        What stands in the field ``X-Riparian-Message``.
    """

    name: str = ""
    sender: str = ""
    senders: int = 0
    reply_to: str = ""
    return_path: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    text: str = field(default="", repr=False)
    hidden: int = 0
    links: tuple[Link, ...] = ()
    images: int = 0
    pictured: int = 0
    has_form: bool = False
    files: tuple[str, ...] = ()
    passed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    headers: frozenset[str] = frozenset()
    stamp: str = ""


def letters(octets: bytes) -> tuple[Letter, ...]:
    r"""Read a message, and those that are forwarded in it, as an attachment or within the text.

    Whoever forwards may be who wrote what is forwarded, to look like somebody else: none of them stands for the others.

    Parameters
    ----------
    octets
        A message with its header, or text alone.

    Returns
    -------
    tuple
        The message itself first.

    Examples
    --------
    >>> mail = b"From: Reed <help@reed.example>\nSubject: =?utf-8?q?N=C3=A4he?=\n\nSee https://reed.example/a.\n"
    >>> (one,) = letters(mail)
    >>> one.name, one.sender, one.subject, one.links[0].target
    ('Reed', 'help@reed.example', 'Nähe', 'https://reed.example/a')
    >>> letters(b"Only a text, from nobody.")[0].text
    'Only a text, from nobody.'
    >>> fw = b"From: ann@post.example\n\nFrom: Quay <pay@quay.example>\nSent: today\nSubject: Money\n\nSign in.\n"
    >>> [(one.sender, one.subject) for one in letters(fw)]
    [('ann@post.example', ''), ('pay@quay.example', 'Money')]
    """
    whole = _message(octets[:OCTETS_MAX])
    read = [_letter(one) for one in (whole, *_forwarded(whole))]
    within = (_inline(one) for one in read)
    return (*read, *(one for one in within if one is not None))


def _letter(whole: Message) -> Letter:
    body = _Body()
    for part in _parts(whole):
        body.take(part)
    line = _line(whole, "from")
    senders = list(_ADDRESS.findall(line))
    name, address = _named(line)
    address = (senders[-1] if senders else address).lower()
    return Letter(
        name=" ".join((name or line.replace(address, "")).replace("<>", "").split()),
        sender=address if "@" in address else "",
        senders=len(set(senders)),
        reply_to=_first(_line(whole, "reply-to")),
        return_path=_first(_line(whole, "return-path")),
        recipients=tuple(_addresses([_line(whole, "to"), _line(whole, "cc"), _line(whole, "delivered-to")])),
        subject=_line(whole, "subject"),
        text=body.text(),
        hidden=body.hidden,
        links=tuple(dict.fromkeys(body.links))[:_LINKS_MAX],
        images=body.images,
        pictured=body.pictured,
        has_form=body.has_form,
        files=tuple(body.files),
        passed=MappingProxyType(_passed(whole)),
        headers=frozenset(name.lower() for name in whole),
        stamp="".join(_line(whole, "x-riparian-message").split()),
    )


def _inline(read: Letter) -> Letter | None:
    """Give the message that somebody forwarded within the text of another; of its header only what stands there."""
    found = _INLINE.search(read.text[:_INLINE_WITHIN])
    if found is None:
        return None
    return replace(
        read,
        name=found["name"].strip(" *\"'"),
        sender=found["sender"].lower(),
        senders=1,
        reply_to="",
        return_path="",
        recipients=(),
        subject=found["subject"].strip(),
        text=read.text[found.end() :],
        passed=MappingProxyType({}),
        headers=frozenset({"from", "subject"}),
        stamp="",
    )


class _Body:
    """What the parts of a message hold together."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.files: list[str] = []
        self.images = self.pictured = self.hidden = 0
        self.has_form = False
        self._plain: list[str] = []
        self._marked: list[str] = []

    def take(self, part: Message) -> None:
        """Take one part: text, marked up or not, or a file."""
        kind = part.get_content_type()
        if kind == _ATTACHED:
            return
        name = _decoded(str(part.get_filename() or ""))
        if name or part.get_content_disposition() == "attachment" or not kind.startswith("text/"):
            if not kind.startswith("image/") or part.get_content_disposition() == "attachment":
                self.files.append(name or kind)
            return
        text = _text(part)
        if kind == "text/html" or text[:2000].lstrip().lower().startswith(("<html", "<!doctype html", "<body", "<div")):
            page = _page(text)
            self._marked.append(page.text)
            self.links += page.links
            self.images += page.images
            self.pictured += page.pictured
            self.hidden += page.hidden
            self.has_form = self.has_form or page.has_form
        else:
            self._plain.append(text)
            self.links += [Link(found.rstrip(".,;:!?*_")) for found in _LINK.findall(text)[:_LINKS_MAX]]

    def text(self) -> str:
        """Give what people read: the page, where there is one, for it is what is shown."""
        marked = "\n".join(self._marked)
        return (marked if marked.strip() else "\n".join(self._plain))[:_TEXT_MAX]


class _Page:
    """What is shown of a page: lxml tells it element by element."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.images = self.pictured = self.hidden = 0
        self.has_form = False
        self._shown: list[str] = []
        self._size = 0
        self._hides: list[bool] = []
        self._is_unshown: list[bool] = []
        self._link: tuple[str, list[str]] | None = None
        self._has_picture = False

    @property
    def text(self) -> str:
        """Give the text."""
        return "".join(self._shown)

    def start(self, tag: str, attrs: Mapping[str, str]) -> None:
        """Begin an element."""
        if tag in _BREAKS:
            self._shown.append("\n")
        if tag in ("a", "area") and "href" in attrs:
            self._end_link()
            self._has_picture = False
            self._link = (attrs["href"].strip()[:_HEADER_MAX], [])
        elif tag == "img":
            self.images += attrs.get("src", "").lower().startswith(("http:", "https:", "//"))
            self._has_picture = True
        elif tag in ("form", "input") and attrs.get("type", "text").lower() != "hidden":
            self.has_form = True
        hides = "hidden" in attrs or _HIDDEN.search(attrs.get("style", "")) is not None
        self._hides.append(hides or (bool(self._hides) and self._hides[-1]))
        self._is_unshown.append(tag in _UNSHOWN or (bool(self._is_unshown) and self._is_unshown[-1]))

    def end(self, tag: str) -> None:
        """End an element."""
        if tag in ("a", "area"):
            self._end_link()
        if self._hides:
            self._hides.pop()
            self._is_unshown.pop()

    def data(self, data: str) -> None:
        """Take text."""
        if self._hides and (self._is_unshown[-1] or self._hides[-1]):
            self.hidden += 0 if self._is_unshown[-1] else len(data.strip())
            return
        if self._link is not None:
            self._link[1].append(data)
        if self._size < _TEXT_MAX:
            self._shown.append(data)
            self._size += len(data)

    def close(self) -> "_Page":
        """Read what is left."""
        self._end_link()
        return self

    def _end_link(self) -> None:
        if self._link is not None and len(self.links) < _LINKS_MAX:
            target, said = self._link
            shown = " ".join("".join(said).split())[:500]
            self.links.append(Link(target, shown))
            self.pictured += self._has_picture and not shown
        self._link = None


def _page(text: str) -> _Page:
    page = _Page()
    target: Any = page
    parser = etree.HTMLParser(target=target, encoding="utf-8")
    try:
        etree.fromstring(f"<html><body>{text[:OCTETS_MAX]}</body></html>".encode(errors="replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        # What was read before it could not go on is what there is.
        return page.close()
    return page


def _message(octets: bytes) -> Message:
    head = octets.lstrip()
    # A text alone would lose its first lines to a header that it does not have.
    is_whole = _HEAD.match(head) is not None and _FIELDS.search(head.partition(b"\n\n")[0][:20_000]) is not None
    try:
        return message_from_bytes(head if is_whole else b"\n" + octets)
    except RecursionError:
        # Parts in parts, as nobody writes them: what there is is text.
        return message_from_bytes(b"\n" + octets)


def _forwarded(message: Message) -> list[Message]:
    found = []
    for part in _parts(message):
        inner = _inner(part)
        if part.get_content_type() == _ATTACHED and inner is not None:
            found += [one for one in inner[:1] if isinstance(one, Message)]
    return found[:_FORWARDED_MAX]


def _parts(message: Message) -> Iterator[Message]:
    todo: list[tuple[Message, int]] = [(message, 0)]
    for _ in range(_PARTS_MAX):
        if not todo:
            return
        part, deep = todo.pop(0)
        inner = _inner(part)
        if part.get_content_type() == _ATTACHED or inner is None:
            yield part
        elif deep < _DEEP_MAX:
            todo += [(one, deep + 1) for one in inner if isinstance(one, Message)]


def _inner(part: Message) -> list[object] | None:
    # Asked of a part that has none, it decodes the text, and some charsets cannot.
    inner = part.get_payload() if part.is_multipart() else None
    return list(inner) if isinstance(inner, list) else None


def _text(part: Message) -> str:
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return ""
    try:
        return octets.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return octets.decode("utf-8", "replace")


def _line(message: Message, name: str) -> str:
    found = [str(value) for field_, value in message.raw_items() if field_.lower() == name]
    return " ".join(_decoded(one) for one in found[:3])


def _decoded(raw: str) -> str:
    """Decode a field: what is encoded, and octets that nobody declared, as mail has them all the same (RFC 6532)."""
    octets = raw[:_HEADER_MAX].encode("utf-8", "surrogateescape")
    try:
        cut = octets.decode("utf-8")
    except UnicodeDecodeError:
        cut = octets.decode("cp1252", "replace")
    try:
        return _plain("".join(_part(part, charset) for part, charset in decode_header(cut)))
    except (ValueError, LookupError, AssertionError, MessageError):
        return _plain(cut)


def _part(part: str | bytes, charset: str | None) -> str:
    if isinstance(part, str):
        return part
    return part.decode(charset, "replace") if charset else part.decode("raw-unicode-escape", "replace")


def _plain(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode("utf-8", "replace").split())


def _named(line: str) -> tuple[str, str]:
    try:
        return parseaddr(line)
    except RecursionError:
        # Comments in comments, as nobody writes them.
        return "", ""


def _addresses(lines: Iterable[str]) -> list[str]:
    try:
        found = getaddresses(list(lines))
    except RecursionError:
        return []
    return [address.lower() for _, address in found if "@" in address][:50]


def _first(line: str) -> str:
    found = _ADDRESS.search(line)
    return found.group().lower() if found else ""


def _passed(message: Message) -> dict[str, str]:
    own = message.get_all("authentication-results") or []
    return (
        {what.lower(): result.lower() for what, result in reversed(_RESULT.findall(str(own[0])[:_HEADER_MAX]))}
        if own
        else {}
    )
