"""How is each element of a notice said, and what has to be known before it may be?

Each function here gives the sentence for one element, and blocks for what is not known; a sentence is dropped when
anything blocks its element (:mod:`riparian.cases.statements`).

Source
------
17 U.S.C. 512(c)(3)(A)(i)-(vi); Lenz v. Universal Music, 815 F.3d 1145 (9th Cir. 2016), on fair use; Regulation (EU)
2022/2065, Article 16(2)(a)-(d); Directive 2001/29/EC, Article 2(c); read 2026-11-23 in reprints.  Article 3(2)(b) of
that Directive: not re-checked at the source.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from riparian.cases.facts import Check, Checked, Facts, Party
from riparian.cases.notice import Element, Notice, Statement
from riparian.cases.proving import Block, events, looked_up, noted, unshown

_ARTICLES: Final = "Articles 2(c) and 3(2)(b) of Directive 2001/29/EC"


def signature(_facts: Facts, notice: Notice) -> Iterator[Statement | Block]:
    """Give the line with the name of the person who signs; 17 U.S.C. 512(c)(3)(A)(i)."""
    if notice.signed_by:
        yield Statement(Element.SIGNATURE, f"/s/ {notice.signed_by}")
    else:
        yield Block(Element.SIGNATURE, "nobody is named who signs", "Name the person who signs.")


def works(facts: Facts, notice: Notice) -> Iterator[Statement | Block]:
    """Say that the works are identified: each with a title, and one at each location; 512(c)(3)(A)(ii)."""
    for place in notice.locations:
        if place.key not in notice.pairs:
            yield unshown(place, Element.WORKS)
    for recording in dict.fromkeys(one.recording for one in notice.findings):
        work = facts.work(recording)
        if work is None or not work.title:
            yield Block(
                Element.WORKS,
                f"the title of the recording `{recording}` is not known",
                "Add it with `riparian case add CASE work`.",
            )
    count = len(notice.works)
    yield Statement(
        Element.WORKS,
        f"The copyrighted {_many('work', count)} claimed to have been infringed {'is' if count == 1 else 'are'} listed"
        " in this notice.",
        events(notice.works),
    )


def locations(_facts: Facts, notice: Notice) -> Iterator[Statement | Block]:
    """Say where the material is: only where somebody looked, and it was there; 512(c)(3)(A)(iii), Article 16(2)(b)."""
    for place in notice.locations:
        if place.live is None or place.seen is None:
            yield Block(
                Element.LOCATIONS,
                f"nobody has looked whether {place.key} is there",
                "Look at it, and say so with `riparian case looked`.",
            )
        elif not place.live:
            yield Block(
                Element.LOCATIONS, f"{place.key} was not there when it was last looked at", "Leave the location out."
            )
    yield Statement(
        Element.LOCATIONS,
        "The material that is claimed to be infringing is at the addresses listed in this notice; each was there when"
        " it was last looked at.",
        events(notice.locations),
    )


def contact(_facts: Facts, notice: Notice) -> Iterator[Statement | Block]:
    """Say how whoever complains can be reached; 512(c)(3)(A)(iv)."""
    party = notice.sender
    if party is None or not party.name:
        yield Block(Element.CONTACT, "it is not known who complains", "Add the complainant.")
    elif not (party.email and (party.address or party.phone)):
        yield Block(
            Element.CONTACT,
            "of who complains, an e-mail address and an address or a telephone number are not both known",
            "Add them to the complainant.",
        )
    else:
        yield Statement(Element.CONTACT, "I can be reached as stated in this notice.")


def name_and_email(_facts: Facts, notice: Notice) -> Iterator[Statement | Block]:
    """Say who gives notice; Article 16(2)(c)."""
    party = notice.sender
    if party is None or not party.name or not party.email:
        yield Block(
            Element.NAME_AND_EMAIL,
            "the name and the e-mail address of who gives notice are not both known",
            "Add them to the complainant.",
        )
    else:
        yield Statement(Element.NAME_AND_EMAIL, f"This notice is given by {party.name}, {party.email}.")


def authority(facts: Facts, notice: Notice) -> Iterator[Statement | Block]:
    """Say for whom whoever complains acts: only with a chain of title, and a document unless they own it; (A)(vi)."""
    owner = notice.owner
    if owner is None or not (owner.name or owner.organisation):
        yield Block(Element.AUTHORITY, "it is not known who owns the works", "Add the owner.")
        return
    yield from _owned_by_others(notice, Element.AUTHORITY)
    is_owner = notice.sender is not None and _same(notice.sender, owner)
    if not is_owner and not facts.authority:
        yield Block(
            Element.AUTHORITY,
            "nothing says that who complains may act for the owner",
            "Record the document that says so.",
        )
    proof = list(looked_up(facts, notice, Check.CHAIN_OF_TITLE, Element.AUTHORITY))
    yield from (one for one in proof if isinstance(one, Block))
    named = owner.organisation or owner.name
    yield Statement(
        Element.AUTHORITY,
        f"Under penalty of perjury: I am {'the owner' if is_owner else 'authorized to act on behalf of the owner'},"
        f" {named}, of an exclusive right that is allegedly infringed.",
        events([one for one in proof if isinstance(one, Checked)]),
    )


def good_faith(facts: Facts, notice: Notice) -> Iterator[Statement | Block]:
    """Say what is believed of the use; 512(c)(3)(A)(v)."""
    return _belief(facts, notice, Element.GOOD_FAITH)


def bona_fide(facts: Facts, notice: Notice) -> Iterator[Statement | Block]:
    """Say what is believed of the notice; Article 16(2)(d)."""
    return _belief(facts, notice, Element.BONA_FIDE)


def _belief(facts: Facts, notice: Notice, element: Element) -> Iterator[Statement | Block]:
    """State what is believed: only when a licence was looked for, and a person asked whether the law allows it."""
    proof = list(looked_up(facts, notice, Check.LICENCE, element))
    for check in (Check.PUBLIC_DOMAIN, Check.OPEN_LICENCE):
        proof += [one for one in looked_up(facts, notice, check, element, asked=False) if isinstance(one, Block)]
    notes, unconsidered = noted(facts, notice)
    for place in unconsidered:
        proof.append(
            Block(
                element,
                f"nobody has asked whether the law allows the use at {place.key}",
                "Write down what you considered with `riparian case consider`.",
            )
        )
    yield from (one for one in proof if isinstance(one, Block))
    yield Statement(
        element,
        _BELIEVED[element],
        events([*[one for one in proof if isinstance(one, Checked)], *notes]),
    )


_BELIEVED: Final = {
    Element.GOOD_FAITH: "I have a good faith belief that use of the material in the manner complained of is not"
    " authorized by the copyright owner, its agent, or the law.",
    Element.BONA_FIDE: "I confirm my bona fide belief that the information and allegations in this notice are accurate"
    " and complete.",
}


def fair_use(facts: Facts, notice: Notice) -> Iterator[Statement | Block]:
    """Say that a person considered whether the law allows the use, and when; Lenz v. Universal Music."""
    notes, unconsidered = noted(facts, notice)
    for place in unconsidered:
        yield Block(
            Element.FAIR_USE,
            f"nobody has considered whether the use at {place.key} may be lawful",
            "Write down what you considered with `riparian case consider`.",
        )
    if notes and not unconsidered:
        last = max(one.at for one in notes)
        yield Statement(
            Element.FAIR_USE,
            f"Before this notice was sent a person considered, on {day(last)}, whether the use may be permitted by law,"
            " fair use included.",
            events(notes),
        )


def accuracy(said: Sequence[Statement | Block]) -> Iterator[Statement | Block]:
    """Say that the notice is accurate: only when nothing that it states is open; 512(c)(3)(A)(vi)."""
    if unsure := [one for one in said if isinstance(one, Block)]:
        yield Block(
            Element.ACCURACY,
            f"what the notice states is not all known: {listed(dict.fromkeys(one.element.value for one in unsure))}",
            "Settle these first.",
        )
    proof = sorted({n for one in said if isinstance(one, Statement) for n in one.proven_by})
    yield Statement(Element.ACCURACY, "The information in this notification is accurate.", tuple(proof))


def explanation(facts: Facts, notice: Notice) -> Iterator[Statement | Block]:
    """Say why the material is illegal, from what was compared and looked up; Article 16(2)(a)."""
    owner = notice.owner
    titles = list(looked_up(facts, notice, Check.CHAIN_OF_TITLE, Element.EXPLANATION))
    licences = list(looked_up(facts, notice, Check.LICENCE, Element.EXPLANATION))
    yield from (one for one in (*titles, *licences) if isinstance(one, Block))
    if owner is None or not (owner.name or owner.organisation):
        yield Block(Element.EXPLANATION, "it is not known who owns the works", "Add the owner.")
        return
    yield from _owned_by_others(notice, Element.EXPLANATION)
    law = f" ({_ARTICLES})" if notice.regime == "dsa" else ""
    proof = [one for one in (*titles, *licences) if isinstance(one, Checked)]
    yield Statement(
        Element.EXPLANATION,
        f"The exclusive rights in the recordings listed in this notice, to reproduce them and to make them available to"
        f" the public{law}, are held by {owner.organisation or owner.name}. The recordings were found at the addresses"
        f" listed by comparing what is there with ours, not by name; no licence for these uses was found.",
        events([*notice.findings, *proof]),
    )


def retracts(_facts: Facts, notice: Notice, about: Notice) -> Iterator[Statement | Block]:
    """Say that a notice is taken back, which one, about what, and why."""
    if about.dated is None or not notice.reference:
        yield Block(
            Element.RETRACTS,
            "neither when the notice was given nor what it is called is known",
            "Take back one of this case.",
        )
        return
    why = f" The reason: {notice.because.rstrip('. ')}." if notice.because else ""
    yield Statement(
        Element.RETRACTS,
        f"I withdraw our notice {notice.reference} of {day(about.dated)} about the addresses listed here. Please"
        f" restore what was removed because of it, and do not count it against whoever put it there.{why}",
    )
    yield Statement(Element.LOCATIONS, "The retraction is about the addresses listed here, and no others.")


def inquiry(facts: Facts, notice: Notice) -> Iterator[Statement | Block]:
    """Say what is asked of somebody to whom a copy was issued: only when the case says that one was."""
    to = notice.addressee
    if to is None or not to.name or not any(_is_named(to.name, one) for one in facts.issued):
        yield Block(
            Element.EXPLANATION,
            "nothing in the case says that a copy was issued to who is asked",
            "Trace the file first, or ask somebody else.",
        )
    if not notice.works or any(not one.title for one in notice.works):
        yield Block(
            Element.EXPLANATION, "it is not known which recording was found", "Match the file, and add its title."
        )
    yield Statement(
        Element.EXPLANATION,
        f"Our records say that a copy was issued to you. {'Each' if notice.works[1:] else 'The'} recording named here"
        " has been found elsewhere. This is a question; how it came there is not known.",
        events([*notice.works, *notice.findings]),
    )


def reasons(_facts: Facts, notice: Notice) -> Iterator[Statement | Block]:
    """Give the facts that a decision relies on; Article 17(3)(b)."""
    if notice.decision is None or not notice.decision.facts.strip():
        yield Block(Element.EXPLANATION, "it is not known what was decided, and on which facts", "Give the decision.")
    else:
        yield Statement(Element.EXPLANATION, notice.decision.facts)


def _owned_by_others(notice: Notice, element: Element) -> Iterator[Block]:
    owner = notice.owner or Party("")
    names = {name.casefold() for name in (owner.name, owner.organisation) if name}
    for work in notice.works:
        if work.owner and work.owner.casefold() not in names:
            yield Block(
                element,
                f"`{work.title}` is owned by another than the owner of the case",
                "Open a case for its owner, or leave the work out.",
            )


def _is_named(name: str, said: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said, re.IGNORECASE) is not None


def _same(one: Party, other: Party) -> bool:
    return one.name.casefold() == other.name.casefold() and one.organisation.casefold() == other.organisation.casefold()


def listed(names: Iterable[str]) -> str:
    """Write names one after the other; ``none`` for no name."""
    return ", ".join(names) or "none"


def _many(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def day(at: datetime) -> str:
    """Write a day so that nobody takes the month for the day.

    Examples
    --------
    >>> day(datetime(2026, 11, 3))
    '3 November 2026'
    """
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
