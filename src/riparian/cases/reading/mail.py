"""What does a mail say that a notice came in: who sent it, when, and its text?

The message is read by the standard library's parser, within bounds that are ours: parts beyond a number are not read,
and that is said; what nests too deep or is too long is refused.  A sender is who the mail says it is; nothing here has
checked that.

Source
------
RFC 5322 (dates, mailboxes), RFC 2045 to 2047 (parts, encodings), RFC 3676 section 4.3 (the line ``-- ``).
"""

import codecs
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import EmailMessage, Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import Final, cast

import lxml.html
from lxml import etree
from lxml.etree import ParserError, XMLSyntaxError

from riparian.cases.facts import Party
from riparian.errors import InputError

PARTS_MAX: Final = 200
MARKED_MAX: Final = 2_000_000
HEADER_MAX: Final = 10_000

_HEADER: Final = re.compile(rb"(?im)^(?:from|received|message-id|mime-version|return-path|delivered-to):[ \t]")
_ATTACHED: Final = frozenset({"text/xml", "application/xml", "application/acns+xml"})
_BREAKS: Final = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "blockquote"})
_UNSAID: Final = frozenset({"script", "style", "head", "title", "meta"})
_NO_CHARSETS: Final = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
)
"""What Python can decode and no letter is written in; some of it takes the square of the time."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was opened.

    Parameters
    ----------
    text
        Its text; from HTML when it has no plain part.
    xml
        Parts of it that are XML.
    replies_to
        The message ids that it answers.
    """

    sender: Party | None
    to: tuple[str, ...]
    dated: datetime | None
    subject: str
    text: str
    xml: tuple[bytes, ...]
    message_id: str = ""
    replies_to: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def is_mail(content: bytes) -> bool:
    """Say whether bytes begin as a mail does: with two or more of its usual headers before the first empty line."""
    head = re.split(rb"\r?\n\r?\n", content[:65_536], maxsplit=1)[0]
    return len(_HEADER.findall(head)) > 1


def opened(content: bytes) -> Mail:
    """Open a mail.

    Returns
    -------
    Mail
        As much as can be read; what cannot is in its remarks.

    Raises
    ------
    InputError
        When its parts nest too deep, or a page in it is too long.
    """
    remarks: list[str] = []
    try:
        message = cast(EmailMessage, message_from_bytes(content, policy=policy.compat32))
        plain, marked, xml = _parts(message, remarks)
    except RecursionError as error:
        raise InputError(
            "the mail has parts in parts, deeper than can be read, wanted a letter", hint="Ask its sender for the text."
        ) from error
    name, address = next(iter(_mailboxes(message, "From")), ("", ""))
    return Mail(
        sender=Party(name, email=address, role="sender") if name or address else None,
        to=tuple(each for _, each in _mailboxes(message, "To") if each),
        dated=_dated(_header(message, "Date")),
        subject=" ".join(_header(message, "Subject").split()),
        text="\n\n".join(plain or [_bare(each) for each in marked]),
        xml=tuple(xml),
        message_id=_header(message, "Message-ID").strip(),
        replies_to=tuple(
            re.findall(r"<[^<>\s]{1,500}>", _header(message, "In-Reply-To") + _header(message, "References"))
        ),
        remarks=tuple(remarks),
    )


def _parts(message: Message, remarks: list[str]) -> tuple[list[str], list[str], list[bytes]]:
    plain: list[str] = []
    marked: list[str] = []
    xml: list[bytes] = []
    for n, part in enumerate(message.walk()):
        if n >= PARTS_MAX:
            remarks.append(f"the mail has more than {PARTS_MAX} parts; the rest was not read")
            break
        if part.is_multipart():
            continue
        raw = part.get_payload(decode=True)
        octets = raw if isinstance(raw, bytes) else str(part.get_payload()).encode("utf-8", "replace")
        kind = part.get_content_type()
        if kind in _ATTACHED or octets[:200].lstrip().startswith(b"<?xml"):
            xml.append(octets)
        elif kind == "text/plain":
            plain.append(_decoded(octets, part.get_content_charset()))
        elif kind == "text/html":
            marked.append(_decoded(octets, part.get_content_charset()))
        elif part.get_filename():
            remarks.append(f"a part of the type {kind[:60]} was not read")
    return plain, marked, xml


def _decoded(octets: bytes, charset: str | None) -> str:
    try:
        named = codecs.lookup(charset or "utf-8").name
        return octets.decode("utf-8" if named in _NO_CHARSETS else named)
    except (LookupError, ValueError):
        return octets.decode("utf-8", "replace") if charset else octets.decode("latin-1")


def _header(message: Message, name: str) -> str:
    """Give a header as far as it is read: no list of mailboxes and no subject is as long as that."""
    value = str(message.get(name, ""))[:HEADER_MAX]
    try:
        words = decode_header(value) if "=?" in value else [(value, None)]
    except (HeaderParseError, ValueError):
        return value
    return "".join(word if isinstance(word, str) else _decoded(word, charset) for word, charset in words)


def _mailboxes(message: Message, name: str) -> list[tuple[str, str]]:
    try:
        return getaddresses([_header(message, name)])
    except RecursionError:  # remarks in remarks
        return []


def _dated(value: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _bare(marked: str) -> str:
    """Turn HTML into text; where a link goes stands after its words."""
    if len(marked) > MARKED_MAX:
        raise InputError(
            f"the mail has a page of {len(marked)} characters, wanted at most {MARKED_MAX}",
            hint="Ask its sender for the text.",
        )
    try:
        root = lxml.html.document_fromstring(marked)
    except (ParserError, XMLSyntaxError, ValueError):
        return ""
    said: list[str] = []
    for step, one in etree.iterwalk(root, events=("start", "end")):
        tag = one.tag if isinstance(one.tag, str) else ""
        if step == "start":
            said += ["\n"] if tag in _BREAKS else []
            said += [one.text or ""] if tag and tag not in _UNSAID else []
        else:
            goes = str(one.get("href", "")) if tag == "a" else ""
            said += [f" {goes} "] if "://" in goes and goes not in (one.text or "") else []
            said += ["\n"] if tag in _BREAKS else []
            said.append(one.tail or "")
    return "".join(said)
