"""What proves a sentence of a notice, and what keeps it out?

A look-up counts for the recording and the place that it was about, or for all places when it names none, until it runs
out.  The last one counts; where the last of the place and the last of all places disagree, what stands in the way wins.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from riparian.cases.facts import Check, Checked, Considered, Facts, Finding, Location, Work
from riparian.cases.notice import Element, Notice


@dataclass(frozen=True, slots=True)
class Block:
    """What keeps an element out of a draft.

    Parameters
    ----------
    why
        What is not known, as a sentence without its stop.
    needs
        What to do about it, as an imperative sentence.
    """

    element: Element
    why: str
    needs: str


def unshown(place: Location, element: Element) -> Block:
    """Say that nothing shows a recording of ours at a location."""
    return Block(
        element,
        f"nothing that was compared shows a recording of ours at {place.key}",
        "Match the file, or leave the location out.",
    )


def looked_up(
    facts: Facts, notice: Notice, check: Check, element: Element, *, asked: bool = True
) -> Iterator[Checked | Block]:
    """Give, for each recording at each location, what was looked up of it; or why nothing may be said."""
    for place in notice.locations:
        if asked and place.key not in notice.pairs:
            yield unshown(place, element)
        for recording in notice.pairs.get(place.key, ()):
            last = _last(facts.checks, check, recording, place.key, notice.dated)
            if last is None and asked:
                yield Block(
                    element,
                    f"{_CHECKED[check]} was not looked up for `{recording}` at {place.key}",
                    f"Look it up, and record it with `riparian case add CASE check check={check.value}`.",
                )
            elif last is not None and last.clear is None and asked:
                yield Block(
                    element,
                    f"{_CHECKED[check]} could not be told for `{recording}` at {place.key}",
                    "Ask who would know, and record what they say.",
                )
            elif last is not None and last.clear is False:
                yield Block(
                    element,
                    f"{_CHECKED[check]} stands in the way for `{recording}` at {place.key}, by `{last.source}`",
                    "Leave the location out.",
                )
            elif last is not None:
                yield last


_CHECKED: Final = {
    Check.LICENCE: "a licence",
    Check.CHAIN_OF_TITLE: "the chain of title",
    Check.PUBLIC_DOMAIN: "the public domain",
    Check.OPEN_LICENCE: "an open licence",
}


def _last(
    checks: Sequence[Checked], check: Check, recording: str, location: str, dated: datetime | None
) -> Checked | None:
    """Find the look-up that decides: what stands in the way anywhere, then that of the place, then that of all."""
    standing = [
        one
        for one in checks
        if one.check is check
        and one.recording == recording
        and (dated is None or one.until is None or dated <= one.until)
    ]
    newest = [
        max((one for one in standing if one.location == place), key=lambda one: (one.at, one.event), default=None)
        for place in (location, "")
    ]
    found = [one for one in newest if one is not None]
    return next((one for one in found if one.clear is False), found[0] if found else None)


def noted(facts: Facts, notice: Notice) -> tuple[list[Considered], list[Location]]:
    """Give the notes that are about its locations, and the locations that no note is about."""
    notes = [one for one in facts.considered if one.note.strip()]
    about = [
        one for one in notes if not one.locations or {place.key for place in notice.locations} & set(one.locations)
    ]
    left = [
        place for place in notice.locations if not any(not one.locations or place.key in one.locations for one in about)
    ]
    return about, left


def events(proof: Iterable[Work | Location | Finding | Checked | Considered]) -> tuple[int, ...]:
    """List the numbers of the events that wrote these down."""
    return tuple(sorted({one.event for one in proof if one.event >= 0}))
