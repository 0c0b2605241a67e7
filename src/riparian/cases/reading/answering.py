"""Which of our notices does a letter answer, and what does it make of it?

It is told by the number that we gave it, where the letter names it (``C1/N1``); otherwise by the addresses that both
name.  A letter makes a step only where a notice can take it; whatever else it says is for a person.

Source
------
17 U.S.C. 512(g)(2) and (g)(3): a counter-notice answers a removal, and material is restored after it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from riparian.cases.case import Case, Noted
from riparian.cases.notice import Kind
from riparian.cases.reading.seen import Read
from riparian.cases.steps import AFTER_SENT, STEPS, Step

_NUMBERED: Final = re.compile(r"(?<![\w/])(C\d{1,9})[/-](N\d{1,9})(?![\w/])")
_STEPS: Final[Mapping[tuple[Kind, Kind | None], Step]] = MappingProxyType(
    {
        (Kind.COUNTER, Kind.TAKEDOWN): Step.COUNTER,
        (Kind.ACKNOWLEDGEMENT, Kind.TAKEDOWN): Step.ACKNOWLEDGE,
        (Kind.REVERSAL, Kind.TAKEDOWN): Step.RESTORE,
    }
)


class Told(StrEnum):
    """By what it was told which notice a letter answers."""

    NUMBER = "number"
    ADDRESS = "address"
    HAND = "hand"


@dataclass(frozen=True, slots=True)
class Answered:
    """One notice of ours that a letter answers.

    Parameters
    ----------
    step
        What happened to the notice; None when the letter makes none that it can take from where it stands.
    """

    case: str
    notice: str
    told: Told
    step: Step | None


def answered(found: Read, cases: Iterable[Case]) -> tuple[Answered, ...]:
    """Find the notices that a letter answers.

    Parameters
    ----------
    cases
        Those to look in.

    Returns
    -------
    tuple of Answered
        Of those that have left, the ones that it names by their number; when there are none, those with an address in
        common: where it makes a step of some, these alone.
    """
    said = "\n".join((found.text, found.notice.reference, *found.references))
    numbers = {(one[1], one[2]) for one in _NUMBERED.finditer(said)}
    urls = {_plain(one.url) for one in found.notice.locations}
    every = ((case, key, noted) for case in cases for key, noted in case.notices.items())
    known = [(case, key, noted) for case, key, noted in every if noted.state in AFTER_SENT]
    by_number = [(case, key, noted) for case, key, noted in known if (case.key, key) in numbers]
    by_address = [(case, key, noted) for case, key, noted in known if urls & _places(noted)]
    by_address = [one for one in by_address if step_of(found, one[2])] or by_address
    told = Told.NUMBER if by_number else Told.ADDRESS
    return tuple(Answered(case.key, key, told, step_of(found, noted)) for case, key, noted in by_number or by_address)


def step_of(found: Read, noted: Noted) -> Step | None:
    """Say what a letter makes of a notice; None when it makes nothing that the notice can take."""
    step = _STEPS.get((found.kind, found.answers_to))
    return step if step is not None and step in STEPS[noted.state] else None


def _places(noted: Noted) -> set[str]:
    return {_plain(one.url) for one in noted.notice.locations}


def _plain(url: str) -> str:
    """Write an address so that two ways to write it are one: no scheme, no final stroke, the host in lower case."""
    host, stroke, rest = re.sub(r"^[a-z]{3,5}://(?:www\.)?", "", url.strip(), flags=re.IGNORECASE).partition("/")
    return f"{host.lower()}{stroke}{rest}".rstrip("/")
