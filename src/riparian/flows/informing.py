"""From what is known here to what an artist or a label is told: a signed statement, a page looked at, dossiers.

::

    catalogue --name--> what is theirs --+
    findings and cases ------------------+--> statement --sign--> one file that anybody can check
    ledger of terms ---------------------'
    catalogue --name--> their page --> what strangers put there
    catalogue, prints --> deliverers unlike all others --> dossiers, for a person
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from riparian.cases.case import Case
from riparian.cases.facts import How
from riparian.catalogue.consent import Ledger
from riparian.catalogue.names import folded, parts
from riparian.creators.deliverers import Dossier, dossiers
from riparian.creators.statement import Asking, Found, Looked, Ours, Statement, signed, stated
from riparian.creators.strangers import Page, page
from riparian.errors import InputError
from riparian.flows import casework
from riparian.ports import Clock
from riparian.ports.cases import Docket
from riparian.ports.catalogue import Holdings
from riparian.ports.prints import Held

WHATS: Final = ("artist", "label")
_SORTS: Final = {
    How.SOUND: "sound",
    How.HASH: "hash",
    How.IDENTIFIER: "identifier",
    How.LIST: "names",
    How.TITLE: "near",
}
"""How a case says that it was found, to how a statement says it.  A mark says to whom a copy was issued: no finding."""
_OURS: Final = ("recording", "title", "artist", "isrc", "label", "owner")


@dataclass(frozen=True, slots=True)
class Bureau:
    """Everything outside that telling creators may reach.

    Parameters
    ----------
    holdings
        What is held, and the ledger of terms.
    clock
        What time it is.
    head
        The last digest of the chain of terms; empty where there is none.
    key
        The public key of whoever signs, in hex.
    sign
        Ed25519, with its private half.
    """

    holdings: Holdings
    clock: Clock
    head: str
    key: str
    sign: Callable[[bytes], bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """One file or case that was looked at: its name, its SHA-256 in hex, and what was found."""

    name: str
    sha256: str
    found: Sequence[Found]


def state(bureau: Bureau, what: str, name: str, by: str, seen: Iterable[Seen]) -> tuple[Statement, str]:
    """Make a statement for an artist or a label; give it, and the same signed.

    Raises
    ------
    InputError
        When nothing of theirs is held.
    """
    ours = list(_theirs(bureau.holdings, what, name))
    names = {one.recording for one in ours}
    looked, found = [], []
    for one in seen:
        of_them = [each for each in one.found if each.recording in names]
        looked.append(Looked(one.name, one.sha256, len(of_them)))
        found += of_them
    ledger = Ledger.of(bureau.holdings.terms(), as_said=bureau.holdings.terms(as_said=True))
    asking = Asking(what, name, by, bureau.clock.now_us(), bureau.head)
    statement = stated(asking, ours, found, ledger, looked)
    return statement, signed(statement, bureau.key, bureau.sign)


def seen_in_cases(docket: Docket) -> list[Seen]:
    """List what cases found, those under seal excepted."""
    return [_seen_in(docket, case) for case in casework.every(docket) if not case.sealed]


def _seen_in(docket: Docket, case: Case) -> Seen:
    where = {one.key: one for one in case.facts.locations}
    found = []
    for one in case.facts.findings:
        location, by = where[one.location], _SORTS.get(one.how)
        at = location.first_seen or location.seen
        if by is not None:
            error = one.error if one.error < 1 else None  # a chance of 1 is one that nobody stated
            at_us = round(at.timestamp() * 1e6) if at else None
            found.append(Found(one.recording, location.url, by, error, at_us, case.key))
    return Seen(case.key, docket.cases.read(case.key)[-1].digest, found)


def _theirs(holdings: Holdings, what: str, name: str) -> Iterator[Ours]:
    wanted = folded(name)
    for batch in holdings.whole(_OURS):
        for row in batch.to_pylist():
            said = {key: value or "" for key, value in row.items()}
            named = parts(said["artist"]) if what == "artist" else [said["label"], said["owner"]]
            if wanted and wanted in {folded(one) for one in named}:
                label = said["label"] or said["owner"]
                yield Ours(said["recording"], said["title"], said["artist"], said["isrc"], label)


def names_in(holdings: Holdings, recordings: Iterable[str]) -> list[str]:
    """List the artists of some recordings, as the catalogue writes them, those with most first."""
    wanted, counts = set(recordings), dict[str, int]()
    for batch in holdings.whole(["recording", "artist"]):
        for row in batch.to_pylist():
            if row["recording"] in wanted and row["artist"]:
                counts[row["artist"]] = counts.get(row["artist"], 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))


def look_at_page(holdings: Holdings, name: str, own: Sequence[str] = ()) -> Page:
    """Look at everything in the catalogue that bears an artist's name.

    Raises
    ------
    InputError
        When nothing does.
    """
    seen = page(name, _whole(holdings), tuple(own))
    if not seen.recordings:
        raise InputError(
            f"nothing is held under `{name}`, wanted an artist's name", hint="Write it as the catalogue does."
        )
    return seen


def compare_deliverers(holdings: Holdings, prints: Held | None, *, most: float) -> list[Dossier]:
    """Say which deliverers are unlike all others, by the catalogue and, where there are prints, by sound.

    Raises
    ------
    InputError
        When nothing is held.
    """
    held = _whole(holdings)
    if not held.num_rows:
        raise InputError("nothing is held, wanted a catalogue", hint="Add one with `riparian catalogue add`.")
    return dossiers(held, list(_twins(prints)) if prints is not None else None, most=most)


def is_called(dossier: Dossier, name: str) -> bool:
    """Say whether a dossier is of the deliverer whom a person names."""
    return folded(dossier.deliverer) == folded(name)


def _twins(prints: Held) -> Iterator[tuple[str, str]]:
    for number in prints.numbers().tolist():
        own = prints.known(number).recording
        for other in prints.alike(number):
            if other > number and (theirs := prints.known(other).recording) != own:
                yield own, theirs


def _whole(holdings: Holdings) -> pa.Table:
    batches = list(holdings.whole())
    return pa.Table.from_batches(batches) if batches else pa.table({"recording": pa.array([], pa.string())})
