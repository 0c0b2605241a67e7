"""From a file that was found to a case with everything that a notice needs: works, place, evidence, look-ups.

::

    file --match--> recordings --catalogue--> works
      |                                         |--> case --> a person's note, signed --> a draft in every form
    custody        address, who has it     ledger of terms
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from riparian.cases.case import Case
from riparian.cases.events import Proposed
from riparian.cases.facts import Addressee, Check, Checked, Finding, How, Location, Party
from riparian.cases.plain import moment, plain
from riparian.errors import InputError
from riparian.flows import casework
from riparian.flows.matching import Answer, Looked
from riparian.flows.pursuing import lookups, work_of
from riparian.ports.cases import Docket, Signer
from riparian.ports.catalogue import Holdings

_MEDIA: Final = "application/octet-stream"


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
    """

    path: Path
    looked: Looked
    answers: Sequence[Answer]
    url: str
    live: bool | None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name, to whom, and by which documents."""

    owner: Party
    complainant: Party
    to: Addressee
    authority: str = ""
    public_domain: str = ""
    territories: tuple[str, ...] = ()


def open_found(
    docket: Docket, holdings: Holdings, found: FoundFile, sender: Sender, note: tuple[Signer, str] | None
) -> Case:
    """Open a case from a file that was found.

    Parameters
    ----------
    note
        Who considered whether the use is lawful, and in which words; None when nobody did yet.

    Raises
    ------
    InputError
        When nothing of ours is in the file.
    CustodyError
        When whoever considered it is not known.
    """
    if not found.answers:
        raise InputError(
            f"nothing of ours is in `{found.path}`, wanted a copy", hint="See `riparian match` for what is near."
        )
    at, by = casework.now(docket.clock), "case found"
    kept = docket.custody.keep(found.path, found.path.name, _MEDIA, at, location="L1")
    place = Location("L1", found.url, sender.to.layer, sender.to.key, found.path.name, first_seen=at)
    acts = [
        Proposed("opened", {"title": _title(found), "territories": list(sender.territories)}, at, by),
        Proposed("party", {"role": "owner", "party": plain(sender.owner)}, at, by),
        Proposed("party", {"role": "complainant", "party": plain(sender.complainant)}, at, by),
        *([Proposed("authority", {"document": sender.authority}, at, by)] if sender.authority else []),
        Proposed("addressee", plain(sender.to), at, by),
        Proposed("location", plain(place), at, by),
        Proposed("kept", plain(kept), at, by),
        *(Proposed("work", plain(work_of(holdings, one.recording)), at, by) for one in found.answers),
        *(Proposed("found", plain(_finding(found, one, kept.sha256, at)), at, by) for one in found.answers),
    ]
    if found.live is not None:
        acts.append(Proposed("looked", {"location": "L1", "live": found.live, "at": moment(at)}, at, by))
    case = casework.open_case(docket, acts)
    checks = [_free(one, sender) for one in lookups(case, holdings, sender.to.key, at, by)]
    case = casework.record(docket, case.key, *(Proposed("checked", plain(one), at, by) for one in checks))
    if note is None:
        return case
    signer, words = note
    act = casework.act(docket, case.key, "considered", {"note": words, "locations": ["L1"]}, signer)
    return casework.record(docket, case.key, act)


def _finding(found: FoundFile, answer: Answer, digest: str, at: datetime) -> Finding:
    return Finding(
        "L1",
        answer.recording,
        How.HASH if answer.is_exact else How.SOUND,
        error=answer.error,
        bits=answer.bits,
        extrapolated=float(bool(answer.facts.get("extrapolated", False))),
        seconds=round(sum(span["to_s"] - span["from_s"] for span in answer.spans), 3),
        coverage=float(answer.facts["of_ours"]),
        digest=digest,
        source=found.source,
        at=at,
    )


def _free(checked: Checked, sender: Sender) -> Checked:
    if checked.check is Check.PUBLIC_DOMAIN and checked.clear is None and sender.public_domain:
        return replace(checked, clear=True, source=sender.public_domain)
    return checked


def _title(found: FoundFile) -> str:
    names = ", ".join(one.recording for one in found.answers[:2])
    more = f" and {len(found.answers) - 2} more" if len(found.answers) > 2 else ""
    return f"{names}{more} at {found.url}"[:200]
