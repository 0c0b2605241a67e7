"""A workspace with a notice that may leave as soon as people have approved it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from riparian.cases.events import Hand, Proposed
from riparian.cases.facts import Addressee, Check, Checked, Finding, How, Location, Party, Work
from riparian.cases.plain import moment, plain
from riparian.flows import casework, pursuing
from riparian.flows.pursuing import Wish
from riparian.ports.cases import Docket
from riparian.stores.cases.log import SqlCases
from riparian.stores.custody import FileCustody
from riparian.stores.memory import FixedClock
from riparian.stores.outbox import FolderOutbox
from riparian.stores.timestamps import TimestampAuthority
from tests.cases.making import ANN, AT, BEN, EVE

NOTE = "The whole recording of ours, offered for download by a stranger, with nothing added or said of it."
HOST = Addressee("hostly", "Hostly Inc.", "host", email="abuse@hostly.example")  # type: ignore[arg-type]
OWNER = Party("Ann", "Reed Records", "1 Quay", "ann@reed.example", "+1 503 555 0100", "US", "owner")


@dataclass(frozen=True)
class Somebody:
    name: str
    hand: Hand


ANN_, BEN_, EVE_ = Somebody("Ann", ANN), Somebody("Ben", BEN), Somebody("Eve", EVE)


@contextmanager
def office(folder: Path, outbox: FolderOutbox | None = None) -> Iterator[Docket]:
    """Open a workspace in which Ann and Ben may sign."""
    clock = FixedClock(round(AT.timestamp() * 1e6))
    cases = SqlCases(folder, clock)
    docket = Docket(cases, clock, FileCustody(folder), TimestampAuthority(folder), outbox or FolderOutbox(folder))
    if not cases.people():
        casework.add_person(cases, clock, ANN_, "Ann", ANN.key)
        casework.add_person(cases, clock, ANN_, "Ben", BEN.key)
    yield docket
    cases.close()


def facts_of(n: int = 1, to: Addressee = HOST) -> list[Proposed]:
    """Say everything that a notice about one recording at some places needs."""
    places = [Location(f"L{k}", f"https://hostly.example/{k}", to.layer, to.key) for k in range(1, n + 1)]
    found = [Finding(p.key, "r1", How.SOUND, 1e-12, 40, seconds=180, coverage=1, digest="ab" * 32) for p in places]
    checks = [
        Checked(check, "r1", clear=True, source="ledger", at=AT - timedelta(hours=1), by="Ann")
        for check in Check
        if check is not Check.SAMPLE
    ]

    def said(kind: str, **what: Any) -> Proposed:
        return Proposed(kind, what, AT, "Ann")

    return [
        said("opened", title="A mirror", territories=["US"]),
        said("party", role="owner", party=plain(OWNER)),
        said("authority", document="register.pdf"),
        said("addressee", **plain(to)),
        said("work", **plain(Work("r1", "Low Tide", "Ember Slate", "Reed Records"))),
        *(said("location", **plain(one)) for one in places),
        *(said("looked", location=one.key, live=True, at=moment(AT)) for one in places),
        *(said("found", **plain(one)) for one in found),
        *(said("checked", **plain(one)) for one in checks),
    ]


def drafted(docket: Docket, note: str = NOTE, to: Addressee = HOST) -> str:
    """Open a case with a notice N1, and let the rails look at it; give the key of the case."""
    key = casework.open_case(docket, facts_of(to=to)).key
    casework.record(docket, key, casework.act(docket, key, "considered", {"note": note}, ANN_))
    pursuing.draft(docket, key, Wish(to.key, ()), "cli")
    assert pursuing.review(docket, key, "N1", "cli").passed
    return key


def approved(docket: Docket, note: str = NOTE, to: Addressee = HOST) -> str:
    """Do the same, and let two people approve it."""
    key = drafted(docket, note, to)
    for who in (ANN_, BEN_):
        pursuing.approve(docket, key, "N1", who)
    return key


def at(docket: Docket, **later: Any) -> Docket:
    """Let time pass."""
    return replace(docket, clock=FixedClock(round((AT + timedelta(**later)).timestamp() * 1e6)))
