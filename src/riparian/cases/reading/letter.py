"""What does a letter in plain text say, whether it is free text or came as a form with questions?"""

import re
from datetime import datetime
from typing import Final

from riparian.cases.facts import Location, Party, Work
from riparian.cases.notice import Kind, Notice, Statement
from riparian.cases.reading.elements import checked
from riparian.cases.reading.form import answered
from riparian.cases.reading.kinds import kind_of
from riparian.cases.reading.places import Role, addresses, places
from riparian.cases.reading.plain import REDACTED, body, folded
from riparian.cases.reading.seen import Answer, Form, Read, Standing

_MAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,60}[\w]")
_PHONE: Final = re.compile(r"(?:tel|phone|mobile|telephone)[^\w+(\n]{0,6}([+(]?\d[\d ().-]{6,20}\d)", re.IGNORECASE)
_ON_BEHALF: Final = re.compile(
    r"(?:on\s+behalf\s+of|agents?\s+(?:of|for)|representing|represents?)\s+(?:the\s+)?(?:copyright\s+)?(?:owner,?\s+)?"
    r"(?:our\s+client,?\s+)?(?:(?:\w+\s+)?company,?\s+)?"
    r"((?-i:[A-Z\"'])[\w&.'\"-]*"
    r"(?:[ ,]+(?:(?:of|the|and|for|de|la|der|des|du|und|et)\s+){0,3}(?-i:[A-Z&(])[\w&.'()-]*){0,8})",
    re.IGNORECASE,
)
_ENDED: Final = re.compile(r"(?<!\bInc)(?<!\bLtd)(?<!\bCo)(?<!\bCorp)(?<!\bB\.V)(?<!\b[A-Z])\.\s")
_NAMED: Final = re.compile(
    r"^[ \t>*_-]*(?:name|full name|my name is|contact name|signed|signature|electronic signature|/s/)"
    r"[ \t*_]*[:.]?[ \t*_]+([^\n\[\]:]{2,80}?)[ \t*_.]{0,40}$",
    re.IGNORECASE | re.MULTILINE,
)
_COMPANY: Final = re.compile(
    r"^[ \t>*_-]*(?:company|organi[sz]ation|company name|organi[sz]ation name|entity)[ \t*_]*:"
    r"[ \t*_]+([^\n\[\]]{2,120}?)[ \t*_.]{0,40}$",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS: Final = re.compile(
    r"^[ \t>*_-]*(?:mailing |postal |physical |street )?address[ \t*_]*:[ \t*_]*([^\n]{5,200})$",
    re.IGNORECASE | re.MULTILINE,
)
_TITLED: Final = re.compile(
    r"^[ \t>*_-]*(?:title|work|original work|copyrighted work|song|track|album|recording|name of (?:the )?work|works?"
    r"|book|software|product|work title|recording title)s?[ \t*_]*(?:#?\d+)?[ \t*_]*:"
    r"[ \t*_]+([^\n]{2,300}?)[ \t*_]{0,40}$",
    re.IGNORECASE | re.MULTILINE,
)
_ARTIST: Final = re.compile(
    r"^[ \t>*_-]*(?:artists?|performers?|author)[ \t*_]*:[ \t*_]+([^\n]{2,200}?)[ \t*_]{0,40}$",
    re.IGNORECASE | re.MULTILINE,
)
_LISTED: Final = re.compile(r"^[ \t]*\d{1,3}[.)][ \t]+([^\n]{2,2000})$", re.MULTILINE)
_ISRC: Final = re.compile(r"\b[A-Z]{2}-?[A-Z0-9]{3}-?\d{2}-?\d{5}\b")
_NUMBERED: Final = re.compile(
    r"(?:ticket|reference|case|notice|complaint|claim)\s*(?:id|no|number|#|ref)?\.?\s*[:#]\s*([A-Z0-9][\w./-]{2,60}[\w])",
    re.IGNORECASE,
)
_DSA: Final = re.compile(r"\b(?:Digital Services Act|DSA|2022/2065)\b")
_DMCA: Final = re.compile(r"\b(?:DMCA|512\s*\(|Digital Millennium|penalty of perjury)", re.IGNORECASE)
_WORKS_MAX: Final = 500
_TITLE_CHARS: Final = 300


def read_letter(text: str, *, sender: Party | None = None, dated: datetime | None = None, subject: str = "") -> Read:
    r"""Read a letter.

    Parameters
    ----------
    text
        The letter; spans count in it.
    sender, dated, subject
        What the mail says in which it came, if it came in one.

    Examples
    --------
    >>> found = read_letter("We hereby retract our notice. Please restore https://a.example/1\n\nJo Doe")
    >>> found.kind.value, [one.url for one in found.notice.locations]
    ('retraction', ['https://a.example/1'])
    """
    answers = answered(text)
    kind, about = kind_of(f"{subject}\n{text}" if subject else text, answers)
    regime = "dsa" if _DSA.search(text) and not _DMCA.search(text) else "dmca"
    elements = checked(body(text), regime, kind, answers)
    complained, originals, references = _addresses(text, answers, kind)
    notice = Notice(
        kind=kind,
        regime=regime,
        form="github" if answers else "letter",
        sender=_sender(text, answers, sender),
        owner=_owner(text),
        works=_works(text, answers),
        locations=tuple(Location(f"L{n}", url) for n, url in enumerate(complained, 1)),
        statements=tuple(Statement(one.element, one.quote) for one in elements if one.standing is Standing.PRESENT),
        dated=dated,
        signed_by=_signed(answers),
        reference=next(iter(references), ""),
    )
    return Read(
        notice,
        Form.GITHUB if answers else Form.LETTER,
        elements,
        text,
        answers=answers,
        answers_to=about,
        references=references,
        originals=originals,
    )


def _addresses(
    text: str, answers: tuple[Answer, ...], kind: Kind
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    found = places(body(text))
    references = tuple(one.url for one in found if one.role is Role.REFERENCE) + _numbers(text, answers)
    if answers:
        asked = {"locations", "locations_listed", "forks", "former_locations"}
        complained = _all_addresses([one for one in answers if one.field in asked])
        originals = _all_addresses([one for one in answers if one.field in {"works", "originals", "nature"}])
        if complained:
            return complained, tuple(one for one in originals if one not in complained), references
    of_original = kind is Kind.TAKEDOWN and any(one.role is Role.COMPLAINED for one in found)
    originals = tuple(one.url for one in found if one.role is Role.ORIGINAL)
    complained = tuple(one.url for one in found if one.role is Role.COMPLAINED)
    return (complained, originals, references) if of_original else (complained + originals, (), references)


def _all_addresses(answers: list[Answer]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(url for one in answers for url in addresses(one.answer)))


def _numbers(text: str, answers: tuple[Answer, ...]) -> tuple[str, ...]:
    given = [one.answer for one in answers if one.field == "reference" and 0 < len(one.answer) < 80]
    return tuple(
        dict.fromkeys([*given, *(found[1] for found in _NUMBERED.finditer(text) if any(map(str.isdigit, found[1])))])
    )


def _sender(text: str, answers: tuple[Answer, ...], sender: Party | None) -> Party | None:
    known = sender or Party("")
    named = _signed(answers) or _first(_NAMED, text)
    party = Party(
        name=known.name or named,
        organisation=known.organisation or _first(_COMPANY, text),
        address=_first(_ADDRESS, text),
        email=known.email or _first_of(_MAIL, text),
        phone=_first(_PHONE, text),
        role="sender",
    )
    return party if any((party.name, party.organisation, party.address, party.email, party.phone)) else None


def _owner(text: str) -> Party | None:
    found = _ON_BEHALF.search(folded(text))
    name = " ".join(_ENDED.split(found[1], maxsplit=1)[0].split()).strip(" \"'.,(") if found else ""
    return Party(name, role="owner") if len(name) > 1 else None


def _works(text: str, answers: tuple[Answer, ...]) -> tuple[Work, ...]:
    artist = _first(_ARTIST, text)
    isrc = next(iter(_ISRC.findall(text)), "").replace("-", "")
    said = [one.answer for one in answers if one.field == "works" and one.answer]
    listed = _LISTED.findall(said[0]) if said else []
    if len(listed) > 1:
        titles = [" ".join(one.split())[:_TITLE_CHARS] for one in listed]
    else:
        titles = [" ".join(said[0].split())[:_TITLE_CHARS]] if said else [one[1] for one in _TITLED.finditer(text)]
    clean = dict.fromkeys(" ".join(REDACTED.sub("", one).split()).strip() for one in titles)
    return tuple(
        Work(f"W{n}", title=title, artist=artist, isrc=isrc if len(clean) == 1 else "")
        for n, title in enumerate([one for one in clean if one][:_WORKS_MAX], 1)
    )


def _signed(answers: tuple[Answer, ...]) -> str:
    given = next((one.answer for one in answers if one.field == "signature"), "")
    return "" if REDACTED.search(given) else (given.splitlines() or [""])[0].strip()


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = next((one for one in pattern.finditer(text) if not REDACTED.search(one[1])), None)
    return found[1].strip() if found else ""


def _first_of(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[0] if found else ""
