"""What becomes of a letter that came in: it is read, kept, and written into the case that it is about."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from riparian.cases.case import Case
from riparian.cases.events import Proposed
from riparian.cases.plain import moment, plain
from riparian.cases.reading import Read, read
from riparian.cases.reading.answering import Answered, Told, answered, step_of
from riparian.errors import InputError
from riparian.flows import casework
from riparian.ports.cases import Docket


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it came.

    Parameters
    ----------
    received
        When it did; this is what clocks count from.
    """

    content: bytes
    name: str
    media_type: str
    received: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """What a letter says, which notices it answers, and the case as it stands after it; None when it is in none."""

    read: Read
    answers: tuple[Answered, ...]
    case: Case | None


def hear(docket: Docket, letter: Letter, by: str, *, case: str = "", notice: str = "") -> Heard:
    """Read a letter, and write it into the case that it answers: the letter itself, and the step that it makes.

    Parameters
    ----------
    case, notice
        Which it is about, when a person knows better than the letter says.

    Raises
    ------
    InputError
        When it cannot be read, answers several notices, or there is no such case or notice.
    """
    found = read(letter.content)
    among = (casework.read(docket, case),) if case else casework.every(docket)
    answers = tuple(one for one in answered(found, among) if notice in ("", one.notice))
    if notice and not answers:
        answers = _named(found, among, notice)
    if len(answers) > 1:
        names = ", ".join(f"{one.case}/{one.notice}" for one in answers)
        raise InputError(f"the letter answers {names}, wanted one notice", hint="Say which with --case and --notice.")
    if not answers:
        return Heard(found, (), None)
    (one,) = answers
    at = casework.now(docket.clock)
    kept = docket.custody.keep(letter.content, letter.name, letter.media_type, at)
    told = Proposed(*_told(found, one, letter, kept.item), at, by)
    after = casework.record(docket, one.case, Proposed("kept", plain(kept), at, by), told)
    return Heard(found, answers, after)


def _named(found: Read, among: tuple[Case, ...], notice: str) -> tuple[Answered, ...]:
    holding = [case for case in among if notice in case.notices]
    if len(holding) != 1:
        raise InputError(
            f"`{notice[:20]}` is a notice of {len(holding)} cases, wanted one", hint="Name the case too, with --case."
        )
    return (Answered(holding[0].key, notice, Told.HAND, step_of(found, holding[0].notices[notice])),)


def _told(found: Read, one: Answered, letter: Letter, item: str) -> tuple[str, dict[str, Any]]:
    """Give the kind of event and what it says."""
    kind = found.kind.value.replace("_", " ")
    if one.step is None:
        return "noted", {"text": f"{letter.name} was read as {kind} about {one.notice}; it makes no step"}
    return one.step, {
        "notice": one.notice,
        "because": f"{letter.name}: {kind}",
        "reference": found.notice.reference,
        "received": moment(letter.received),
        "item": item,
    }
