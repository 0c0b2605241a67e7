"""Which other cases may be the same matter?

A site that is shut comes back under another ending; a release is uploaded again elsewhere, the same files in it.  What
is said here is a suggestion with its reason: a person joins cases, and nothing else does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import tldextract

from riparian.cases.case import Case
from riparian.cases.facts import How

_WORKS_LEAST: Final = 5
_WORKS_SHARE: Final = 0.5
_split = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


@dataclass(frozen=True, slots=True)
class Suggested:
    """Another case, and why it may be the same matter."""

    case: str
    because: str


def suggested(case: Case, others: Iterable[Case]) -> tuple[Suggested, ...]:
    """Give the cases that share what two matters do not share by chance; those joined already are left out.

    Examples
    --------
    >>> from riparian.cases.case import folded
    >>> from riparian.cases.events import Proposed
    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 11, 23, tzinfo=UTC)
    >>> def case(key, url):
    ...     first = Proposed("opened", {"title": key}, at, "ann")
    ...     return folded(key, [first, Proposed("location", {"key": "L1", "url": url}, at, "ann")])
    >>> suggested(case("C2", "https://tunes.example.to/a"), [case("C1", "https://www.example.se/b")])
    (Suggested(case='C1', because='the same name under another ending: example.se, example.to'),)
    """
    found = []
    for other in others:
        because = "" if other.key == case.key or other.key in case.joined else _because(case, other)
        if because:
            found.append(Suggested(other.key, because))
    return tuple(found)


def domain_of(url: str) -> str:
    """Give the domain that somebody registered; empty when the address has none.

    Examples
    --------
    >>> domain_of("https://cdn.tunes.co.uk/a.mp3"), domain_of("urn:btih:" + "0" * 40), domain_of("http://127.0.0.1/")
    ('tunes.co.uk', '', '')
    """
    return _parts(url)[1]


def _parts(url: str) -> tuple[str, str]:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return "", ""
    split = _split(host)
    return (split.domain, split.top_domain_under_public_suffix) if split.suffix else ("", "")


def _because(case: Case, other: Case) -> str:
    for what, ours, theirs in (
        ("the same torrent", _torrents(case), _torrents(other)),
        ("the same file", _digests(case), _digests(other)),
        ("the same domain", _domains(case), _domains(other)),
    ):
        shared = sorted(ours & theirs)
        if shared:
            return f"{what}: {shared[0]}"
    here, there = _names(case), _names(other)
    hopped = sorted(here.keys() & there.keys())
    if hopped:
        both = sorted({here[hopped[0]], there[hopped[0]]})
        return f"the same name under another ending: {', '.join(both)}"
    return _same_release(case, other)


def _same_release(case: Case, other: Case) -> str:
    ours, theirs = ({one.recording for one in each.facts.works} for each in (case, other))
    shared, least = len(ours & theirs), min(len(ours), len(theirs))
    if least >= _WORKS_LEAST and shared >= _WORKS_SHARE * max(len(ours), len(theirs)):
        return f"much the same recordings: {shared} of {len(ours)} and {len(theirs)}"
    return ""


def _torrents(case: Case) -> set[str]:
    return {one.url.lower() for one in case.facts.locations if one.url.lower().startswith("urn:btih:")}


def _digests(case: Case) -> set[str]:
    return {one.digest for one in case.facts.findings if one.digest and one.how in (How.SOUND, How.HASH)}


def _domains(case: Case) -> set[str]:
    return set(_names(case).values())


def _names(case: Case) -> dict[str, str]:
    said = {_parts(one.url): one for one in case.facts.locations}
    return {name: domain for (name, domain), one in said.items() if name and not _is_shared(case, one.addressee)}


def _is_shared(case: Case, addressee: str) -> bool:
    """Tell whether everybody's files are there: a large host's domain says nothing of who put something on it."""
    known = case.facts.addressee(addressee)
    return known is not None and bool(known.web_form)
