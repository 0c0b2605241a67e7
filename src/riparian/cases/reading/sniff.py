"""In which form did a letter come?  It is told from its first octets and read; nobody has to say."""

import re
from dataclasses import replace
from typing import Final

from riparian.cases.notice import Kind
from riparian.cases.reading.acns import ROOTS, named, parsed, read_acns
from riparian.cases.reading.fields import read_fields
from riparian.cases.reading.letter import read_letter
from riparian.cases.reading.listed import is_listed, read_listed
from riparian.cases.reading.mail import Mail, is_mail, opened
from riparian.cases.reading.seen import Read
from riparian.errors import InputError

OCTETS_MAX: Final = 4 * 1024 * 1024
"""A letter that is larger is refused."""

LETTER_MAX: Final = 1_000_000
"""A text that is longer is refused, unless it is a list or a message; none that a host published has half of it."""

_XML: Final = re.compile(rb"<\?xml\b|<(?:[\w.-]{1,60}:)?(?:" + "|".join(sorted(ROOTS)).encode() + rb")\b")
_OPENED: Final = re.compile(r"<((?:[\w.-]{1,60}:)?(?:" + "|".join(sorted(ROOTS)) + r"))[\s>]")
_ARMOUR: Final = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----\s*\n(?:[A-Z][\w-]{0,30}: [^\n]{0,200}\n)*\s*\n")


def read(content: bytes) -> Read:
    r"""Read a letter in any form that is known.

    Parameters
    ----------
    content
        The letter as it came: a text, a mail, XML or JSON.

    Raises
    ------
    InputError
        When it is empty, too large, or says by its beginning that it is a form and cannot be read as that.

    Examples
    --------
    >>> found = read(b"# Low Tide\nhttps://a.example/low-tide.mp3\n")
    >>> found.form.value, found.notice.works[0].title, found.notice.locations[0].url
    ('google_txt', 'Low Tide', 'https://a.example/low-tide.mp3')
    """
    if len(content) > OCTETS_MAX:
        raise InputError(
            f"the letter has {len(content)} octets, wanted at most {OCTETS_MAX}", hint="Read it in parts, or by hand."
        )
    begins = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not begins:
        raise InputError("the letter is empty, wanted a text, a mail, XML or JSON", hint="Name another file.")
    if _XML.match(begins):
        return read_acns(begins)
    if begins[:1] in b"{[" and _is_json(begins):
        return read_fields(begins)
    if is_mail(begins):
        return _of_mail(opened(begins))
    return _of_text(_text(content))


def _is_json(begins: bytes) -> bool:
    # A letter may begin with a bracket too, as in `[private]`.
    return re.match(rb"[{\[]\s*[\"{\[\]}]", begins) is not None


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "cp1252"
        return content.decode(encoding, "replace")


def _of_text(text: str) -> Read:
    if is_listed(text):
        return read_listed(text)
    if (inside := _inside(text)) and (inner := _acns(inside.encode())) is not None:
        return replace(inner, remarks=(*inner.remarks, "the message was inside of a letter, which was not read"))
    if len(text) > LETTER_MAX:
        raise InputError(
            f"the letter has {len(text)} characters, wanted at most {LETTER_MAX}", hint="Read it in parts, or by hand."
        )
    return read_letter(_ARMOUR.sub(lambda armour: " " * len(armour[0]), text))


def _inside(text: str) -> str:
    """Cut a message of ACNS out of a text: from the first element that may be one to where it is closed last."""
    found = _OPENED.search(text)
    if found is None:
        return ""
    closed = f"</{found[1]}>"
    end = text.rfind(closed)
    return text[found.start() : end + len(closed)] if end > found.start() else ""


def _of_mail(mail: Mail) -> Read:
    for octets in mail.xml:
        if (inner := _acns(octets)) is not None:
            return _sent(inner, mail)
    inner = _of_text(mail.text)
    if inner.form.value in {"letter", "github"}:
        inner = read_letter(mail.text, sender=mail.sender, dated=mail.dated, subject=mail.subject)
    return _sent(inner, mail)


def _sent(inner: Read, mail: Mail) -> Read:
    notice = inner.notice
    if notice.sender is None or not notice.sender.email:
        notice = replace(notice, sender=notice.sender or mail.sender)
    dated = mail.dated or notice.dated
    about = mail.replies_to if inner.kind is not Kind.TAKEDOWN else ()
    return replace(
        inner,
        notice=replace(notice, dated=dated),
        references=(*inner.references, *about),
        remarks=(*inner.remarks, *mail.remarks),
    )


def _acns(octets: bytes) -> Read | None:
    """Read a message, when it is one of ACNS; None when it is other XML, or none."""
    try:
        if named(parsed(octets)) not in ROOTS:
            return None
    except InputError:
        return None
    return read_acns(octets)
