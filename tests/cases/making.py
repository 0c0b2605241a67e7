"""Cases to look at: people, their keys, and events that are right unless a test makes them wrong."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from riparian.cases.case import Case, folded
from riparian.cases.events import PEOPLE, PERSONAL, Hand, Person, Proposed, acted
from riparian.cases.facts import Addressee, Layer
from riparian.cases.notice import Kind, Notice
from riparian.cases.plain import plain
from riparian.cases.steps import Step

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DIGEST = "ab" * 32


def hand(seed: int) -> Hand:
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return Hand(key.public_key().public_bytes_raw().hex(), key.sign)


WORKSPACE, ANN, BEN, EVE = hand(1), hand(2), hand(3), hand(4)
HANDS = {"ann": ANN, "ben": BEN, "eve": EVE}
KNOWN: Mapping[str, Person] = {"ann": Person("ann", ANN.key, AT, "ann"), "ben": Person("ben", BEN.key, AT, "ann")}


def said(kind: str, /, *, who: str = "ann", in_case: str = "C1", **what: Any) -> Proposed:
    proposed = Proposed(kind, what, AT, who)
    return acted(in_case, proposed, HANDS[who]) if kind in PERSONAL else proposed


def drafted(key: str = "N1", digest: str = DIGEST) -> Proposed:
    to = Addressee("host", "A Host", Layer.HOST)
    return said("drafted", notice=plain(Notice(Kind.TAKEDOWN, "C1", key, addressee=to)), digest=digest)


def stepped(step: Step, digest: str = DIGEST, key: str = "N1") -> Proposed:
    return said(step, notice=key, digest=digest)


FIRST = (
    said("opened", title="A mirror", territories=["US"]),
    said("work", recording="r1", title="Tide"),
    said("location", key="L1", url="https://mirror-example.to/a.mp3", addressee="host"),
)
WAY: Mapping[str, tuple[Step, ...]] = {
    "draft": (),
    "locked": (Step.LOCK,),
    "reviewed": (Step.LOCK, Step.REVIEW),
    "approved": (Step.LOCK, Step.REVIEW, Step.APPROVE),
    "sent": (Step.LOCK, Step.REVIEW, Step.APPROVE, Step.SEND),
    "withdrawn": (Step.WITHDRAW,),
}
_SENT = WAY["sent"]
WAY = {
    **WAY,
    "acknowledged": (*_SENT, Step.ACKNOWLEDGE),
    "needs_info": (*_SENT, Step.ASK),
    "rejected": (*_SENT, Step.REJECT),
    "removed": (*_SENT, Step.REMOVE),
    "countered": (*_SENT, Step.REMOVE, Step.COUNTER),
    "waiting": (*_SENT, Step.REMOVE, Step.COUNTER, Step.FORWARD),
    "restored": (*_SENT, Step.REMOVE, Step.RESTORE),
    "action_filed": (*_SENT, Step.REMOVE, Step.COUNTER, Step.FILE_ACTION),
    "retracted": (*_SENT, Step.RETRACT),
    "closed": (*_SENT, Step.CLOSE),
}
"""How a notice comes to each state."""


def case_in(state: str) -> Case:
    return folded("C1", [*FIRST, drafted(), *(stepped(step) for step in WAY[state])])


def people_log(*acts: tuple[str, Mapping[str, Any]]) -> list[Proposed]:
    return [
        acted(PEOPLE, Proposed("person", what, AT + timedelta(minutes=n), by), HANDS[by])
        for n, (by, what) in enumerate(acts)
    ]
