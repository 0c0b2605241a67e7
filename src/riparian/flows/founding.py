"""From a file that was found to a case with everything that a notice needs: works, place, evidence, look-ups.

::

    file --match--> recordings --catalogue--> works
      |                                         |--> case --> a person's note, signed --> a draft in every form
    custody        address, who has it     ledger of terms
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from riparian.cases.case import Case
from riparian.cases.events import Proposed
from riparian.cases.facts import Addressee, Check, Checked, Finding, How, Location, Party
from riparian.cases.plain import moment, plain
from riparian.errors import InputError, LifecycleError
from riparian.flows import casework
from riparian.flows.matching import Answer, Looked
from riparian.flows.pursuing import lookups, work_of
from riparian.ports.cases import Docket, Signer
from riparian.ports.catalogue import Holdings

_MEDIA: Final = "application/octet-stream"
_BY: Final = "case found"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file, what of ours is in it, and where it was.

    Parameters
    ----------
    answers
        Copies only, as sure as the policy asks.
    live
        Whether it was seen there just now; None when nobody looked again.
    source
        Who or what came upon it.
    into
        The case that it is put into; a new one where it is empty.
    """

    path: Path
    looked: Looked
    answers: Sequence[Answer]
    url: str
    live: bool | None
    source: str = ""
    into: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name, to whom, and by which documents."""

    owner: Party
    complainant: Party
    to: Addressee
    authority: str = ""
    public_domain: str = ""
    territories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a case a file comes."""

    key: str
    to: Addressee
    at: datetime


def open_found(
    docket: Docket, holdings: Holdings, found: FoundFile, sender: Sender, note: tuple[Signer, str] | None
) -> Case:
    """Open a case from a file that was found, or put the file into one, as a location of its own.

    Parameters
    ----------
    note
        Who considered whether the use is lawful, and in which words; None when nobody did yet.

    Raises
    ------
    InputError
        When nothing of ours is in the file, or there is no such case.
    LifecycleError
        When the case speaks of that address already.
    CustodyError
        When whoever considered it is not known.
    """
    if not found.answers:
        raise InputError(
            f"nothing of ours is in `{found.path}`, wanted a copy", hint="See `riparian match` for what is near."
        )
    at = casework.now(docket.clock)
    if found.into:
        case, place = _joined(docket, holdings, found, sender, at)
    else:
        case, place = _opened(docket, holdings, found, sender, at), "L1"
    if note is None:
        return case
    signer, words = note
    act = casework.act(docket, case.key, "considered", {"note": words, "locations": [place]}, signer)
    return casework.record(docket, case.key, act)


def _opened(docket: Docket, holdings: Holdings, found: FoundFile, sender: Sender, at: datetime) -> Case:
    acts = [
        Proposed("opened", {"title": _title(found), "territories": list(sender.territories)}, at, _BY),
        Proposed("party", {"role": "owner", "party": plain(sender.owner)}, at, _BY),
        Proposed("party", {"role": "complainant", "party": plain(sender.complainant)}, at, _BY),
        *([Proposed("authority", {"document": sender.authority}, at, _BY)] if sender.authority else []),
        Proposed("addressee", plain(sender.to), at, _BY),
        *_placed(docket, holdings, found, _Place("L1", sender.to, at)),
    ]
    return _looked_up(docket, holdings, casework.open_case(docket, acts), sender)


def _joined(docket: Docket, holdings: Holdings, found: FoundFile, sender: Sender, at: datetime) -> tuple[Case, str]:
    case = casework.read(docket, found.into)
    known = next((one.key for one in case.facts.locations if one.url == found.url), None)
    if known is not None:
        raise LifecycleError(f"`{case.key}` speaks of `{found.url}` already, as `{known}`, wanted another address")
    place, is_new = case.next_location(), case.facts.addressee(sender.to.key) is None
    have = {one.recording for one in case.facts.works}
    acts = [
        *([Proposed("addressee", plain(sender.to), at, _BY)] if is_new else []),
        *_placed(docket, holdings, found, _Place(place, sender.to, at), have),
    ]
    # What the ledger of terms says, it says of somebody.
    checked = () if is_new else {(one.check, one.recording) for one in case.facts.checks}
    return _looked_up(docket, holdings, casework.record(docket, case.key, *acts), sender, checked), place


def _placed(
    docket: Docket, holdings: Holdings, found: FoundFile, place: _Place, have: Collection[str] = ()
) -> list[Proposed]:
    """Keep the file, and say where it was and what is in it."""
    at, key = place.at, place.key
    kept = docket.custody.keep(found.path, found.path.name, _MEDIA, at, location=key)
    location = Location(key, found.url, place.to.layer, place.to.key, found.path.name, first_seen=at)
    works = [work_of(holdings, one.recording) for one in found.answers if one.recording not in have]
    acts = [
        Proposed("location", plain(location), at, _BY),
        Proposed("kept", plain(kept), at, _BY),
        *(Proposed("work", plain(one), at, _BY) for one in works),
        *(Proposed("found", plain(_finding(found, one, place, kept.sha256)), at, _BY) for one in found.answers),
    ]
    if found.live is not None:
        acts.append(Proposed("looked", {"location": key, "live": found.live, "at": moment(at)}, at, _BY))
    return acts


def _looked_up(
    docket: Docket, holdings: Holdings, case: Case, sender: Sender, known: Collection[tuple[Check, str]] = ()
) -> Case:
    """Look up what the catalogue and the ledger of terms say of works, but for what is known of them."""
    checks = lookups(case, holdings, sender.to.key, casework.now(docket.clock), _BY)
    new = [_free(one, sender) for one in checks if (one.check, one.recording) not in known]
    if not new:
        return case
    return casework.record(docket, case.key, *(Proposed("checked", plain(one), one.at, _BY) for one in new))


def _finding(found: FoundFile, answer: Answer, place: _Place, digest: str) -> Finding:
    return Finding(
        place.key,
        answer.recording,
        How.HASH if answer.is_exact else How.SOUND,
        error=answer.error,
        bits=answer.bits,
        extrapolated=float(bool(answer.facts.get("extrapolated", False))),
        seconds=round(sum(span["to_s"] - span["from_s"] for span in answer.spans), 3),
        coverage=float(answer.facts["of_ours"]),
        digest=digest,
        source=found.source,
        at=place.at,
    )


def _free(checked: Checked, sender: Sender) -> Checked:
    if checked.check is Check.PUBLIC_DOMAIN and checked.clear is None and sender.public_domain:
        return replace(checked, clear=True, source=sender.public_domain)
    return checked


def _title(found: FoundFile) -> str:
    names = ", ".join(one.recording for one in found.answers[:2])
    more = f" and {len(found.answers) - 2} more" if len(found.answers) > 2 else ""
    return f"{names}{more} at {found.url}"[:200]
