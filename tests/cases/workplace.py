"""A workspace with a case in which everything happened: evidence, tokens, a notice that two people signed."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path

from riparian.cases.events import Hand, Proposed
from riparian.cases.facts import Addressee, Layer
from riparian.cases.notice import Kind, Notice
from riparian.cases.plain import plain
from riparian.feeds.ask_once import Answer
from riparian.feeds.capture import _pair
from riparian.flows import casework, keeping
from riparian.flows.keeping import Page
from riparian.ports.cases import Docket
from riparian.stores.cases.log import SqlCases
from riparian.stores.custody import FileCustody
from riparian.stores.outbox import FolderOutbox
from riparian.stores.timestamps import TimestampAuthority
from tests.cases.authority import Authority
from tests.cases.making import ANN, BEN

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
URL = "https://mirror-example.to/album"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 22\r\n\r\n<title>Album</title>\r\n"


@dataclass
class Ticking:
    """A clock that goes on by a second whenever it is read."""

    us: int = field(default_factory=lambda: int(START.timestamp() * 1e6))

    def now_us(self) -> int:
        self.us += 1_000_000
        return self.us


@dataclass(frozen=True)
class Person:
    name: str
    hand: Hand


def docket_of(folder: Path, authority: Authority) -> Docket:
    clock = Ticking()
    return Docket(
        SqlCases(folder, clock),
        clock,
        FileCustody(folder),
        TimestampAuthority(folder, authority.ask),
        FolderOutbox(folder),
    )


def page(url: str = URL, body: bytes = PAGE) -> Page:
    warc = _pair(url, START, Answer(200, Message(), b"GET /album HTTP/1.1\r\n\r\n", body, "192.0.2.1", ""))
    return Page(url, warc, live=True, permitted_by="counsel")


def lived(docket: Docket, authority: Authority) -> str:
    """Let everything happen in a case."""
    ann, ben = Person("ann", ANN), Person("ben", BEN)
    if not docket.cases.people():
        casework.add_person(docket.cases, docket.clock, ann, "ann", ANN.key)
        casework.add_person(docket.cases, docket.clock, ann, "ben", BEN.key)
    docket.timestamps.name("http://tsa.example/", authority.root)

    def said(kind: str, **what: object) -> Proposed:
        return Proposed(kind, what, casework.now(docket.clock), "ann")

    key = casework.open_case(docket, [said("opened", title="A mirror", territories=["US"])]).key
    casework.record(
        docket,
        key,
        said("party", role="owner", party={"name": "Ann Reed", "email": "ann@reed-example.org"}),
        said("work", recording="r1", title="Tide"),
        said("issued", text="to press, PROMO-17"),
        said("noted", text="Ann Reed called."),
    )
    keeping.keep_page(docket, key, page(), "ann")
    kept = docket.custody.keep(b"From: host\n\nRemoved.\n", "letter.eml", "message/rfc822", casework.now(docket.clock))
    keeping.keep(docket, key, kept, "ann")
    keeping.stamp(docket, key, "cli")
    text = docket.custody.keep(b"Remove it.", "N1.txt", "text/plain", casework.now(docket.clock))
    notice = Notice(Kind.TAKEDOWN, key, "N1", addressee=Addressee("host", "A Host", Layer.HOST))
    casework.record(docket, key, said("drafted", notice=plain(notice), digest=text.sha256, item=text.item))
    casework.record(docket, key, casework.act(docket, key, "considered", {"note": "It is the whole album."}, ann))
    casework.record(docket, key, said("lock", notice="N1"), said("review", notice="N1"))
    approve = {"notice": "N1", "digest": text.sha256}
    casework.record(docket, key, casework.act(docket, key, "approve", approve, ben))
    keeping.stamp(docket, key, "cli")
    return key
