"""Which sentences may a letter have, given what is known, and what keeps the others out?

A sentence is written when the facts that it states are written down in the case, and it carries the numbers of the
events that prove it (:mod:`riparian.cases.sentences`).  Where a fact is missing the sentence is not written, and where
a law asks for that sentence, the draft says what is missing and what would prove it
(:class:`~riparian.cases.proving.Block`).  Nothing is assumed: not a licence, not an owner, not that somebody looked.

Source
------
17 U.S.C. 512(c)(3)(A)(i)-(vi), and 512(f) on what is not so; Lenz v. Universal Music, 815 F.3d 1145 (9th Cir. 2016);
Regulation (EU) 2022/2065, Articles 16(2)(a)-(d) and 17(3); read 2026-11-23 in reprints.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from riparian.cases import sentences as say
from riparian.cases.facts import Addressee, Facts, How, Location, Party
from riparian.cases.notice import Decision, Element, Kind, Notice, Statement
from riparian.cases.proving import Block
from riparian.errors import InputError

COMPARED: Final = frozenset({How.SOUND, How.HASH, How.MARK})
"""What shows that a recording is at a location: its sound, the same file, or our mark in it; never a name."""

NEEDED: Final[Mapping[str, tuple[Element, ...]]] = MappingProxyType(
    {
        "dmca": (
            *(Element.SIGNATURE, Element.WORKS, Element.LOCATIONS, Element.CONTACT),
            *(Element.GOOD_FAITH, Element.ACCURACY, Element.AUTHORITY, Element.FAIR_USE),
        ),
        "dsa": (Element.EXPLANATION, Element.LOCATIONS, Element.NAME_AND_EMAIL, Element.BONA_FIDE),
    }
)
"""What a takedown notice has to have, by regime; policies of hosts ask for what the DMCA asks for."""

_Said: TypeAlias = Iterator[Statement | Block]
_MAKERS: Final[Mapping[Element, Callable[[Facts, Notice], _Said]]] = MappingProxyType(
    {
        Element.SIGNATURE: say.signature,
        Element.WORKS: say.works,
        Element.LOCATIONS: say.locations,
        Element.CONTACT: say.contact,
        Element.NAME_AND_EMAIL: say.name_and_email,
        Element.AUTHORITY: say.authority,
        Element.GOOD_FAITH: say.good_faith,
        Element.BONA_FIDE: say.bona_fide,
        Element.FAIR_USE: say.fair_use,
        Element.EXPLANATION: say.explanation,
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What letter is asked for.

    Parameters
    ----------
    addressee
        One of the case's, or its key.
    locations
        Keys of locations.
    dated
        When it is drafted; a look-up that has run out by then proves nothing.
    case, key
        Of the case, and of the notice in it.
    sender
        Who writes; the complainant when nobody is named.
    signed_by
        Whose name is to stand under it; the sender's when nobody is named.
    about
        For a retraction: the notice that is taken back.
    because
        For a retraction: why.
    decision
        For a statement of reasons: what was decided.
    """

    kind: Kind
    addressee: Addressee | str
    locations: tuple[str, ...]
    dated: datetime
    case: str = ""
    key: str = ""
    sender: Party | None = None
    signed_by: str = ""
    about: Notice | None = None
    because: str = ""
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """A notice with the sentences that may be written, and what kept the others out."""

    notice: Notice
    blocks: tuple[Block, ...] = ()

    @property
    def is_clear(self) -> bool:
        """Whether nothing is missing that it has to have."""
        return not self.blocks


def needed(kind: Kind, regime: str) -> tuple[Element, ...]:
    """List the elements that a letter of ours has to have.

    Examples
    --------
    >>> [one.value for one in needed(Kind.TAKEDOWN, "dsa")]
    ['explanation', 'locations', 'name_and_email', 'bona_fide']
    """
    if kind is Kind.TAKEDOWN:
        return NEEDED.get(regime, NEEDED["dmca"])
    if kind is Kind.RETRACTION:
        return (Element.RETRACTS, Element.LOCATIONS, Element.SIGNATURE)
    return (Element.EXPLANATION,)


def drafted(facts: Facts, wanted: Wanted) -> Drafted:
    """Draft a letter from what is known: the same for the same facts, however often it is asked.

    Raises
    ------
    InputError
        When the addressee or a location is not of this case, no location is named, or a letter of this kind is not
        ours to write.
    """
    notice = _begun(facts, wanted)
    if wanted.kind is Kind.TAKEDOWN:
        return _finished(notice, _taking_down(facts, notice))
    if wanted.kind is Kind.RETRACTION:
        return _retraction(facts, notice, wanted.about)
    if wanted.kind is Kind.INQUIRY:
        return _finished(notice, list(say.inquiry(facts, notice)))
    if wanted.kind is Kind.REASONS:
        return _finished(notice, list(say.reasons(facts, notice)))
    raise InputError(
        f"a draft of the kind `{wanted.kind.value}` is asked for, wanted a takedown, a retraction, an inquiry or"
        " reasons",
        hint="Record a letter of the other side with `riparian case letter`.",
    )


def _begun(facts: Facts, wanted: Wanted) -> Notice:
    to = _addressee(facts, wanted.addressee)
    places = _locations(facts, wanted.locations)
    compared = tuple(one for one in facts.findings if one.how in COMPARED and one.location in wanted.locations)
    pairs = {p.key: tuple(dict.fromkeys(one.recording for one in compared if one.location == p.key)) for p in places}
    recordings = dict.fromkeys(recording for named in pairs.values() for recording in named)
    writes = wanted.sender or facts.complainant or facts.owner
    return Notice(
        kind=wanted.kind,
        case=wanted.case,
        key=wanted.key,
        regime=to.regime,
        form=to.form,
        sender=writes,
        owner=facts.owner,
        addressee=to,
        works=tuple(work for recording in recordings if (work := facts.work(recording)) is not None),
        locations=places,
        pairs={name: named for name, named in pairs.items() if named},
        findings=compared,
        dated=wanted.dated,
        signed_by=wanted.signed_by or (writes.name if writes else ""),
        because=wanted.because,
        decision=wanted.decision,
    )


def _addressee(facts: Facts, said: Addressee | str) -> Addressee:
    found = facts.addressee(said) if isinstance(said, str) else said
    if found is None:
        raise InputError(
            f"`{said}` is no addressee of the case, wanted one of {say.listed(one.key for one in facts.addressees)}",
            hint="Add it with `riparian case add CASE addressee`.",
        )
    return found


def _locations(facts: Facts, keys: Sequence[str]) -> tuple[Location, ...]:
    places = []
    for key in dict.fromkeys(keys):
        if (found := facts.location(key)) is None:
            raise InputError(
                f"`{key}` is no location of the case, wanted some of {say.listed(one.key for one in facts.locations)}",
                hint="Add it with `riparian case add CASE location`.",
            )
        places.append(found)
    if not places:
        raise InputError("a letter about no location is asked for, wanted at least one", hint="Name a location.")
    return tuple(places)


def _finished(notice: Notice, said: Sequence[Statement | Block]) -> Drafted:
    """Keep what can be said; an element that is blocked anywhere is said nowhere."""
    blocks = tuple(dict.fromkeys(one for one in said if isinstance(one, Block)))
    blocked = {one.element for one in blocks}
    statements = tuple(one for one in said if isinstance(one, Statement) and one.element not in blocked)
    return Drafted(replace(notice, statements=statements), blocks)


def _taking_down(facts: Facts, notice: Notice) -> list[Statement | Block]:
    """Say what its law asks for; and, where it can be said, how it is known and that fair use was considered."""
    wanted = needed(Kind.TAKEDOWN, notice.regime)
    said = [one for element in wanted if element in _MAKERS for one in _MAKERS[element](facts, notice)]
    if Element.ACCURACY in wanted:
        said += say.accuracy(said)
    for element in (Element.EXPLANATION, Element.FAIR_USE):
        if element not in wanted:
            more = list(_MAKERS[element](facts, notice))
            said += [] if any(isinstance(one, Block) for one in more) else more
    return said


def _retraction(facts: Facts, notice: Notice, about: Notice | None) -> Drafted:
    if about is None or about.kind is not Kind.TAKEDOWN:
        raise InputError("a retraction of nothing is asked for, wanted the notice it takes back", hint="Name it.")
    own = f"{about.case}/{about.key}" if about.case and about.key else about.key
    notice = replace(
        notice, reference=about.reference or own, works=about.works, pairs=about.pairs, findings=about.findings
    )
    said = [*say.retracts(facts, notice, about), *say.signature(facts, notice)]
    return _finished(notice, said)
