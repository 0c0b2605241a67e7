"""How are names, addresses, times and findings written, so that nothing in them can pass for a line of the letter?

Whatever came from outside, a title or a URL, is one line without control and format characters: nobody writes a
sentence into our letter by naming a file after it, and no right-to-left mark turns an address round.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from riparian.cases.facts import Finding, How, Location, Work
from riparian.cases.notice import Element, Notice

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_NO_CHARACTERS: Final = "\ufffe\uffff"
_PARTS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:)(//[^/?#]*)?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_OF_PATH: Final = "%:/@!$&'()*+,;=~-._"
_OF_QUERY: Final = _OF_PATH + "?"
_IN_BRACKETS: Final = re.compile(r"//([^@\[\]]*@)?\[[0-9A-Fa-f:.]+\](:\d*)?")


def line(said: str) -> str:
    r"""Write a text as one line that shows all that it has.

    Examples
    --------
    >>> line("Low\tTide\u202e \n\nI swear it.")
    'Low Tide I swear it.'
    """
    spaced = re.sub(r"\s", " ", said)
    shown = "".join(one for one in spaced if not _is_unseen(one))
    return " ".join(shown.split())


def address(url: str) -> str:
    r"""Write an address without blanks and without what cannot be seen, its letters as they are.

    Examples
    --------
    >>> address("https://a.example/low tide\n.mp3")
    'https://a.example/low%20tide%0A.mp3'
    """
    return "".join(
        quote(one, safe="", errors="replace") if one.isspace() or _is_unseen(one) else one for one in url.strip()
    )


def _is_unseen(one: str) -> bool:
    return unicodedata.category(one) in _UNSEEN or one in _NO_CHARACTERS


def uri(url: str) -> str:
    """Write an address in ASCII and in the characters that an address may have; RFC 3986, appendix A, RFC 3987, 3.1.

    Examples
    --------
    >>> uri("https://a.example/flûte [1].mp3?at=100%")
    'https://a.example/fl%C3%BBte%20%5B1%5D.mp3?at=100%25'
    """
    parts = _PARTS.fullmatch(address(url))
    if parts is None:
        return quote(address(url), safe=_OF_QUERY)
    scheme, host, path, query, fragment = (one or "" for one in parts.groups())
    of_host = _OF_PATH + "[]" if _IN_BRACKETS.fullmatch(host) else _OF_PATH
    said = scheme + quote(host, safe=of_host) + quote(path, safe=_OF_PATH) + quote(query, safe=_OF_QUERY)
    said += f"#{quote(fragment[1:], safe=_OF_QUERY)}" if fragment else ""
    return re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", said)


def minute(at: datetime | None) -> str:
    """Write a time to the minute, in UTC; empty for none."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""


def own_reference(notice: Notice) -> str:
    """Give what we call a notice: its case and its number there."""
    return f"{notice.case}/{notice.key}" if notice.case and notice.key else notice.key


def named(work: Work) -> str:
    """Write a work in one line.

    Examples
    --------
    >>> named(Work("r1", title="Low Tide", artist="Ember Slate", isrc="QZABC2600001"))
    'Low Tide, by Ember Slate, ISRC QZABC2600001'
    """
    parts = [
        work.title or work.recording,
        work.artist and f"by {work.artist}",
        work.album and f"on {work.album}",
        work.isrc and f"ISRC {work.isrc}",
    ]
    return line(", ".join(one for one in parts if one))


def works_at(notice: Notice, place: Location) -> tuple[Work, ...]:
    """List the works that are at a location; all of the notice when nothing says which are where."""
    if not notice.pairs:
        return notice.works
    return tuple(work for work in notice.works if work.recording in notice.pairs.get(place.key, ()))


def held(notice: Notice, place: Location) -> Iterator[str]:
    """Say of each work at a location how that is known."""
    for work in works_at(notice, place):
        of_it = [one for one in notice.findings if (one.location, one.recording) == (place.key, work.recording)]
        if best := min(of_it, key=lambda one: (one.error, -one.seconds), default=None):
            yield f"{named(work)}: {_how(best)}."


def _how(found: Finding) -> str:
    if found.how is How.HASH:
        said = "the file is the same as ours, octet for octet"
    elif found.how is How.MARK:
        said = "it was identified as a copy of ours"
    else:
        length = f"; {found.seconds:.0f} seconds of it are there" if found.seconds else ""
        share = f", {math.floor(100 * found.coverage)} % of the recording" if found.seconds and found.coverage else ""
        said = f"its sound was compared with ours{length}{share}"
    return (
        f"{said}; the stated chance of a mistake is at most 1 in {one_in(found.error):,}" if found.error < 1 else said
    )


def one_in(error: float) -> int:
    """Round a chance up to one in a power of ten, at best one in 10^12.

    Examples
    --------
    >>> one_in(3e-5), one_in(0.5)
    (10000, 1)
    """
    return int(10 ** min(math.floor(-math.log10(max(error, 1e-300))), 12))


def said(notice: Notice, element: Element) -> str:
    """Give the sentence for an element; empty when the notice has none."""
    found = notice.statement(element)
    return line(found.text) if found else ""


def is_at(url: str, hosts: Sequence[str]) -> bool:
    """Say whether an address is at one of these hosts, or at one under them.

    Examples
    --------
    >>> is_at("https://gist.github.com/a/1", ["github.com"]), is_at("https://notgithub.com/", ["github.com"])
    (True, False)
    """
    rest = url.strip().lower().partition("://")[2]
    host = rest.partition("/")[0].rpartition("@")[2].partition(":")[0]
    return any(host == one or host.endswith(f".{one}") for one in hosts)
