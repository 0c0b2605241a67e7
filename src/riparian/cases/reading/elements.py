"""Which elements has a letter, which has it not, and which may it have?

Each element has two patterns.  The first is the words in which it is usually said: where they stand it is
``present``.  The second is any trace of it: where even that is nowhere, it is ``missing``.  Between the two, in a
language that is not read, and where something was taken out of the text before it came to us, it is ``unknown``, and a
person looks: whoever is told that an element is missing must be able to rely on it.

Source
------
17 U.S.C. 512(c)(3)(A)(i)-(vi) and 512(g)(3)(A)-(D); Regulation (EU) 2022/2065, Article 16(2)(a)-(d); that fair use is
to be considered before a notice is sent: Lenz v. Universal Music, 815 F.3d 1145 (9th Cir. 2016).  Read 2026-11-23 in
reprints.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from riparian.cases.notice import Element, Kind
from riparian.cases.reading.form import STATED
from riparian.cases.reading.plain import REDACTED, either, english, folded, quoted, sentence
from riparian.cases.reading.seen import Answer, Seen, Standing

ASKED: Final[Mapping[tuple[str, Kind], tuple[Element, ...]]] = MappingProxyType(
    {
        ("dmca", Kind.TAKEDOWN): (
            Element.SIGNATURE,
            Element.WORKS,
            Element.LOCATIONS,
            Element.CONTACT,
            Element.GOOD_FAITH,
            Element.ACCURACY,
            Element.AUTHORITY,
            Element.FAIR_USE,
        ),
        ("dmca", Kind.COUNTER): (
            Element.SIGNATURE,
            Element.FORMER_LOCATIONS,
            Element.MISTAKE,
            Element.CONTACT,
            Element.JURISDICTION,
            Element.SERVICE_OF_PROCESS,
        ),
        ("dmca", Kind.RETRACTION): (Element.RETRACTS, Element.LOCATIONS),
        ("dmca", Kind.COUNTER_RETRACTION): (Element.RETRACTS,),
        ("dsa", Kind.TAKEDOWN): (
            Element.EXPLANATION,
            Element.LOCATIONS,
            Element.NAME_AND_EMAIL,
            Element.BONA_FIDE,
        ),
        ("dsa", Kind.RETRACTION): (Element.RETRACTS, Element.LOCATIONS),
    }
)
"""What a letter is asked for, by regime and kind; whatever is not here is asked for nothing."""

_PLACE: Final = (
    r"https?\W+\w",
    r"\bftp://",
    r"\bwww\.",
    r"(?<![a-z0-9-])[a-z0-9-]{1,63}\.(?:com|org|net|io|me|ru|cn|de|dev|gg|to|app|co|info|xyz|site|tv|fm)\b",
    r"urn:btih:",
    r"magnet:\?",
    r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b",
)
_MAIL: Final = r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,60}"
_PHONE: Final = r"(?<!\w)(?:tel|phone|mobile|cell|fax|call)\w{0,12}\W{1,8}\+?[\d(][\d ().-]{6,20}"
_NUMBER: Final = r"(?:\+\d{1,3}[ .-]?)?\(?\d{2,4}\)?[ .-]\d{3,4}[ .-]\d{3,4}"


@dataclass(frozen=True, slots=True)
class _Words:
    """How an element is usually said; of what there is a trace when it is said otherwise."""

    usual: re.Pattern[str]
    trace: re.Pattern[str]
    partly: str = "it is not said in the usual words"


_WORDS: Final[Mapping[Element, _Words]] = MappingProxyType(
    {
        Element.GOOD_FAITH: _Words(
            either(
                "good faith ~14 belie\\w+ ~14 (?:not|never|without|un\\w+|neither|nor)",
                "belie\\w+ ~14 good faith ~14 (?:not|never|without|un\\w+|neither|nor)",
                "good faith ~14 (?:not|never) ~14 authori\\w+",
            ),
            either(
                "faith",
                "belie(?:f|ve|ves|ved|ving)",
                "convinced",
                "bona fide",
                "(?:not|never|without|no) ~14 (?:authori|permi|sanction|approv|licen|allow|consent)\\w*",
            ),
        ),
        Element.ACCURACY: _Words(
            either(
                "(?:information|statements?|notice|notification|complaint|letter|facts|above|herein|contents?|foregoing)"
                " ~14 (?:accura\\w+|correct|true)",
                "(?:accura\\w+|true) ~14 (?:information|statements?|notice|notification|complaint|facts)",
            ),
            either(
                r"\w*accura\w*",
                "true",
                "truth\\w*",
                "correct\\w*",
                "precise\\w*",
                "best of (?:my|our) knowledge",
                "perjury",
                "swear",
            ),
        ),
        Element.AUTHORITY: _Words(
            either(
                "perjury ~40 (?:authori\\w+|owners?|holders?|proprietor|copyright|rights?)",
                "(?:authori\\w+|owners?|holders?) ~40 perjury",
            ),
            either(
                "perjury",
                "perju\\w*",
                "swear",
                "sworn",
                "declare",
                "authori[sz]\\w+",
                "on behal",
                "behal",
                "owners?",
                "owned",
                "own",
                "holders?",
                "represent\\w*",
                "author",
                "creators?",
                "(?:our|my) (?:client|company|code|work|software|book|property|content|repository|project)\\w*",
                "proprietary",
                "copyright\\w*",
            ),
            "it is not said under penalty of perjury, or not of whom the sender acts for",
        ),
        Element.FAIR_USE: _Words(
            either("fair use", "fair dealing", "17 u ?s ?c 107", "fairuse"),
            either(
                "fair",
                "fiar",
                "(?:reasonable|legitimate) use",
                "use into consideration",
                "taken into consideration",
                "section 107",
                "exceptions? and limitations?",
                "limitations? and exceptions?",
            ),
        ),
        Element.MISTAKE: _Words(
            either(
                "(?:good faith|belie\\w+|perjury) ~40 (?:mistake\\w*|misidenti\\w+|erroneous\\w*|error)",
                "(?:mistake\\w*|misidenti\\w+) ~28 (?:good faith|perjury)",
            ),
            either(
                "mis(?:take|taken|takenly|identif\\w+|represent\\w+|understanding|used?|applied)",
                "err(?:or|oneous|oneously)",
                "wrong\\w*",
                "incorrect\\w*",
                "false\\w*",
                "not infring\\w+",
                "infring\\w*",
                "faith",
                "unfounded",
                "dispute\\w*",
                "belie\\w+",
            ),
        ),
        Element.JURISDICTION: _Words(
            either(
                "(?:consent|submit|accept|agree)\\w* ~14 jurisdiction",
                "jurisdiction ~28 (?:court|consent|district)",
            ),
            either("jurisdictions?", "courts?", "judicial"),
        ),
        Element.SERVICE_OF_PROCESS: _Words(
            either("service of (?:legal )?process", "accept ~14 service"),
            either(
                "serv(?:e|ed|ice) (?:of|with|upon|legal|by)",
                "(?:consent|accept|agree|subject)\\w* ~6 serv(?:e|ed|ice)",
                "legal process",
                "process server",
                "of process",
            ),
        ),
        Element.BONA_FIDE: _Words(
            either(
                "(?:good faith|bona fide) ~28 (?:belie\\w+|accura\\w+|complete)",
                "accurate and complete",
                "belie\\w+ ~14 (?:accurate|complete)",
            ),
            either("faith", "bona fide", "accura\\w+", "complete\\w*", "true", "correct", "belie\\w+"),
        ),
        Element.RETRACTS: _Words(
            either(
                "(?:retract|withdraw|withdrawing|rescind|revoke|cancel|withdrew|retracting|rescinding|withdrawn|retracted"
                "|retraction|withdrawal|drop|void|disregard|reinstate|restore|undo)\\w*",
            ),
            either(
                "notices?",
                "take\\W?downs?",
                "dmca",
                "resolved",
                "settled",
                "mistake\\w*",
                "error",
                "please",
                "no longer",
                "agreement",
                "back",
            ),
        ),
        Element.EXPLANATION: _Words(
            either(
                "infring\\w*",
                "copyright\\w*",
                "illegal\\w*",
                "unlawful\\w*",
                "without ~14 (?:authori\\w+|permission|licen[cs]e|consent)",
                "unauthori[sz]ed",
            ),
            either("because", "leak\\w*", "stolen", "rights?", "licen[cs]e\\w*", "law\\w*", "own\\w*"),
        ),
        Element.LOCATIONS: _Words(
            re.compile("|".join(_PLACE), re.IGNORECASE),
            either("urls?", "links?", "repositor\\w+", "repos?", "files?", "gists?", "forks?", "pages?", "sites?"),
            "places are spoken of, but no address is given",
        ),
        Element.WORKS: _Words(
            either(
                "(?:copyright\\w*|original|proprietary|exclusive|our|my|licensed|commercial|protected|own|internal|private)"
                " ~14 (?:works?|content|materials?|software|code|source|books?|files?|images?|photo\\w*|videos?"
                "|music|songs?|tracks?|recordings?|albums?|fonts?|themes?|plugins?|games?|apps?|applications?|website"
                "|program\\w*|courses?|tests?|exams?|questions?|documents?|data\\w*|assets?|products?|projects?|art\\w*"
                "|librar\\w+|scripts?|templates?|designs?|text\\w*|articles?|papers?|films?|movies?|channels?|series"
                "|repositor\\w+|property|solutions?|publications?|platform|service|driver\\w*|firmware|sdk|api|theme|title)"
            ),
            either(r"\w{3,}"),
        ),
        Element.CONTACT: _Words(
            re.compile(f"{_MAIL}|{_PHONE}|{_NUMBER}", re.IGNORECASE),
            either(
                "contact\\w*",
                "e?-?mail\\w*",
                "phone\\w*",
                "tel\\w*",
                "address\\w*",
                "reach (?:me|us)",
                "street",
                "avenue",
                "road",
                "suite",
                "sincerely",
                "regards",
                "signed",
                "name",
            ),
            "no way to reach the sender was found, but words that speak of one",
        ),
        Element.NAME_AND_EMAIL: _Words(
            re.compile(_MAIL),
            either("name\\w*", "e?-?mail\\w*", "contact\\w*", "regards", "sincerely"),
        ),
        Element.SIGNATURE: _Words(
            re.compile(
                r"(?:^|\n)[^\w\n]*/s/|\b(?:electronic(?:ally)?\W+sign\w*|signature\W{1,12}\w|digitally\W+signed)",
                re.IGNORECASE,
            ),
            either(
                "sign\\w*", "sincerely", "regards", "thanks", "thank you", "name", "yours", "cheers", "best", "on behal"
            ),
            "a name at the end may be meant as one",
        ),
    }
)

_REDACTABLE: Final = frozenset(
    {Element.CONTACT, Element.SIGNATURE, Element.NAME_AND_EMAIL, Element.WORKS, Element.LOCATIONS}
)
_NO: Final = re.compile(r"(?:n\W?/?\W?a|none|no|nil|-+|\W*)\W*", re.IGNORECASE)

_FIELDS: Final[Mapping[Element, tuple[str, ...]]] = MappingProxyType(
    {
        Element.WORKS: ("works",),
        Element.LOCATIONS: ("locations", "locations_listed", "forks"),
        Element.FORMER_LOCATIONS: ("former_locations",),
        Element.CONTACT: ("contact",),
        Element.SIGNATURE: ("signature",),
    }
)


def checked(text: str, regime: str, kind: Kind, answers: tuple[Answer, ...] = ()) -> tuple[Seen, ...]:
    """Look for every element that a letter is asked for.

    Parameters
    ----------
    text
        The letter.
    answers
        What was answered, when it came as a form: an answer says which element it is.

    Returns
    -------
    tuple of Seen
        In the order of :data:`ASKED`; empty when the kind is asked for nothing.

    Examples
    --------
    >>> found = checked("https://a.example/1 is not yours; remove it, please.", "dmca", Kind.TAKEDOWN)
    >>> [(one.element.value, one.standing.value) for one in found][2:6]
    [('locations', 'present'), ('contact', 'missing'), ('good_faith', 'missing'), ('accuracy', 'missing')]
    """
    plain = _without_questions(folded(text), answers)
    read = english(plain)
    return tuple(_seen(element, text, plain, answers, read=read) for element in ASKED.get((regime, kind), ()))


def _without_questions(plain: str, answers: tuple[Answer, ...]) -> str:
    """Blank out what a form asks, but not what is stated by sending it.

    A form that asks for a sentence to be typed has the sentence even when nobody typed it; but who copies it with its
    instruction has typed it, so only where it stands first is it what is asked.
    """
    asked: set[str] = set()
    for one in answers:
        words = "".join(filter(str.isalpha, one.question.lower()))
        if one.field not in STATED and (one.field != "to_type" or words not in asked):
            asked.add(words)
            start, end = one.question_span
            plain = plain[:start] + " " * (end - start) + plain[end:]
    return plain


def _seen(element: Element, text: str, plain: str, answers: tuple[Answer, ...], *, read: bool) -> Seen:
    words = _WORDS[_WORDS_OF.get(element, element)]
    asked = [one for one in answers if one.field in _FIELDS.get(element, ())]
    if asked:
        return _answered(element, text, asked, _elsewhere(element, words, text, answers))
    if found := words.usual.search(plain):
        return _at(element, Standing.PRESENT, text, sentence(plain, found.span()))
    if element in _REDACTABLE and (gone := REDACTED.search(text)):
        return _at(element, Standing.UNKNOWN, text, gone.span(), "something was taken out before it came to us")
    if element is Element.SIGNATURE and (last := _last_line(plain)):
        return _at(element, Standing.UNKNOWN, text, last, words.partly)
    if found := words.trace.search(plain):
        return _at(element, Standing.UNKNOWN, text, sentence(plain, found.span()), words.partly)
    if any(words.usual.search(folded(one.question)) for one in answers if one.field == "to_type"):
        return Seen(element, Standing.UNKNOWN, note="it was to be typed, and is not there as it was asked for")
    if not read:
        return Seen(element, Standing.UNKNOWN, note="it is in a language that is not read")
    return Seen(element, Standing.MISSING, note="there is no trace of it")


_WORDS_OF: Final = MappingProxyType({Element.FORMER_LOCATIONS: Element.LOCATIONS})


def _elsewhere(element: Element, words: _Words, text: str, answers: tuple[Answer, ...]) -> re.Match[str] | None:
    """Look in all the answers, at whatever question: people answer where there is room."""
    said = folded(text)
    for one in answers:
        start, end = one.question_span
        said = said[:start] + " " * (end - start) + said[end:]
    return words.usual.search(said) or (REDACTED.search(text) if element in _REDACTABLE else None)


def _answered(element: Element, text: str, asked: list[Answer], elsewhere: re.Match[str] | None) -> Seen:
    said = [one for one in asked if not _NO.fullmatch(one.answer)]
    if said and REDACTED.sub("", said[0].answer).strip(" \n:,.;*_"):
        return _at(element, Standing.PRESENT, text, said[0].span)
    if said:
        return _at(element, Standing.UNKNOWN, text, said[0].span, "it was taken out before it came to us")
    if elsewhere:
        return _at(element, Standing.UNKNOWN, text, elsewhere.span(), "the form asks for it; it may be said elsewhere")
    return _at(element, Standing.MISSING, text, asked[0].question_span, "the form asks for it, and it is not answered")


def _at(element: Element, standing: Standing, text: str, span: tuple[int, int], note: str = "") -> Seen:
    return Seen(element, standing, span, quoted(text, span), note)


def _last_line(plain: str) -> tuple[int, int] | None:
    """Find the last line with words, when it is as short as a name is."""
    ended = plain.rstrip()
    start = ended.rfind("\n") + 1
    words = ended[start:].split()
    return (start, len(ended)) if 0 < len(words) <= 6 else None
