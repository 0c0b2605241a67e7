"""There is no way from a machine to a notice that left but through people's signatures: all that were thought of."""

import ast
import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from riparian.cases.approval import Approved
from riparian.cases.events import PEOPLE, Hand, Proposed, acted
from riparian.cases.facts import Addressee
from riparian.cases.plain import plain
from riparian.cases.steps import State, Step
from riparian.errors import CustodyError, LifecycleError, RiparianError
from riparian.flows import casework, pursuing
from riparian.flows.pursuing import Wish
from riparian.ports.cases import Docket
from riparian.stores.outbox import FolderOutbox
from tests.architecture.source_tree import PACKAGE
from tests.cases.making import ANN, AT, EVE
from tests.cases.sending import ANN_, BEN_, EVE_, HOST, NOTE, Somebody, approved, at, drafted, office

THIEF = Addressee("hostly", "Hostly Inc.", "host", email="thief@else.example")  # type: ignore[arg-type]


def left(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.rglob("left.json"))


def test_what_two_people_approved_leaves_once(tmp_path: Path) -> None:
    with office(tmp_path) as docket:
        key = approved(docket)
        dry = pursuing.send(docket, key, "N1", "cli")
        assert (dry.is_dry, dry.to, left(tmp_path)) == (True, "file", [])
        went = pursuing.send(docket, key, "N1", "cli", really=True)
        assert went.case.notices["N1"].state is State.SENT
        (folder,) = (tmp_path / "outbox").iterdir()
        assert (folder / "C1-N1.dmca_text.txt").read_bytes() == went.rendered.content
        with pytest.raises(LifecycleError):
            pursuing.send(docket, key, "N1", "cli", really=True)
        assert len(left(tmp_path)) == 1


def one_signs(docket: Docket) -> str:
    key = drafted(docket)
    pursuing.approve(docket, key, "N1", ANN_)
    return key


def twice_by_one(docket: Docket) -> str:
    key = one_signs(docket)
    pursuing.approve(docket, key, "N1", ANN_)
    return key


def unsigned(docket: Docket) -> str:
    key = drafted(docket)
    casework.record(docket, key, Proposed(Step.APPROVE, approval_of(docket, key), AT, "Ann"))
    return key


def approval_of(docket: Docket, key: str, **changed: Any) -> dict[str, Any]:
    noted = casework.read(docket, key).notices["N1"]
    return {"notice": "N1", "digest": noted.digest, "to": plain(noted.notice.addressee), "needs": 1, **changed}


def machine_hand(docket: Docket) -> Hand:
    """Give the key of the workspace, which a machine has."""
    return docket.cases._hand  # type: ignore[attr-defined,no-any-return]


def signed_by_machine(docket: Docket) -> str:
    key = drafted(docket)
    what = approval_of(docket, key)
    casework.record(docket, key, acted(key, Proposed(Step.APPROVE, what, AT, "Ann"), machine_hand(docket)))
    return key


def past_the_flow(*whats: dict[str, Any], hand: Callable[[Docket], Hand] = machine_hand) -> Callable[[Docket], str]:
    """Write approvals straight into the log, as a machine that reaches the database can."""

    def attempt(docket: Docket) -> str:
        key = drafted(docket)
        for what in whats or ({},):
            said = Proposed(Step.APPROVE, approval_of(docket, key, **what), AT, "Ann")
            docket.cases.append(key, [acted(key, said, hand(docket))])
        return key

    return attempt


def a_robot_vouches_for_itself(docket: Docket) -> str:
    key = drafted(docket)
    casework.add_person(docket.cases, docket.clock, Somebody("Robot", machine_hand(docket)), "Robot", EVE.key)
    return key


def a_robot_is_written_into_the_log_of_people(docket: Docket) -> str:
    key = drafted(docket)
    robot = machine_hand(docket)
    what = {"name": "Robot", "key": robot.key}
    docket.cases.append(PEOPLE, [acted(PEOPLE, Proposed("person", what, AT, "Robot"), robot)])
    pursuing.approve(docket, key, "N1", Somebody("Robot", robot))
    return key


def somebody_unknown(docket: Docket) -> str:
    key = drafted(docket)
    pursuing.approve(docket, key, "N1", EVE_)
    return key


def somebody_retired(docket: Docket) -> str:
    key = drafted(docket)
    casework.retire_person(docket.cases, docket.clock, ANN_, "Ben")
    pursuing.approve(docket, key, "N1", ANN_)
    pursuing.approve(docket, key, "N1", BEN_)
    return key


def redrafted_after(docket: Docket) -> str:
    key = approved(docket)
    casework.record(docket, key, Proposed("work", {"recording": "r1", "title": "Another Tide"}, AT, "bot"))
    pursuing.draft(docket, key, Wish("hostly", (), again="N1"), "bot")
    return key


def changed_in_custody(docket: Docket) -> str:
    key = approved(docket)
    digest = casework.read(docket, key).notices["N1"].digest
    path = docket.custody._path(digest)  # type: ignore[attr-defined]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"Low Tide", b"High Sea"))
    return key


def to_another_address(docket: Docket) -> str:
    key = drafted(docket)
    for who in (ANN_, BEN_):
        said = Proposed(Step.APPROVE, approval_of(docket, key, to=plain(THIEF), needs=2), AT, who.name)
        docket.cases.append(key, [acted(key, said, who.hand)])
    return key


def of_another_text(docket: Docket) -> str:
    key = drafted(docket)
    for who in (ANN_, BEN_):
        said = Proposed(Step.APPROVE, approval_of(docket, key, digest="cd" * 32), AT, who.name)
        docket.cases.append(key, [acted(key, said, who.hand)])
    return key


def from_another_case(docket: Docket) -> str:
    """Carry genuine approvals of one case over into another that says the same."""
    first = approved(docket)
    second = drafted(docket, f"{NOTE} It is another mirror, of last week, and much larger: all of its albums are ours.")
    for event in docket.cases.read(first):
        if event.kind == Step.APPROVE:
            docket.cases.append(second, [Proposed(event.kind, event.what, event.at, event.by)])
    return second


def sealed_after(docket: Docket) -> str:
    key = approved(docket)
    casework.record(docket, key, Proposed("sealed", {"because": "counsel"}, AT, "bot"))
    return key


def released_by_a_machine(docket: Docket) -> str:
    key = sealed_after(docket)
    docket.cases.append(key, [acted(key, Proposed("released", {"because": "x"}, AT, "Ann"), machine_hand(docket))])
    return key


def gone_since(docket: Docket) -> str:
    key = approved(docket)
    casework.record(docket, key, Proposed("looked", {"location": "L1", "live": False}, AT, "bot"))
    return key


def licensed_since(docket: Docket) -> str:
    key = approved(docket)
    check = {"check": "licence", "recording": "r1", "clear": False, "source": "deal.pdf", "by": "bot"}
    casework.record(docket, key, Proposed("checked", {**check, "at": "2026-11-23T09:30:00Z"}, AT, "bot"))
    return key


def never_reviewed(docket: Docket) -> str:
    key = drafted(docket)
    pursuing.draft(docket, key, Wish("hostly", (), again="N1"), "bot")
    pursuing.approve(docket, key, "N1", ANN_)
    return key


WAYS = [
    drafted,
    one_signs,
    twice_by_one,
    unsigned,
    signed_by_machine,
    past_the_flow(),
    past_the_flow({"needs": 1}, {"needs": 0}),
    past_the_flow(hand=lambda _: EVE),
    past_the_flow(hand=lambda _: ANN),
    a_robot_vouches_for_itself,
    a_robot_is_written_into_the_log_of_people,
    somebody_unknown,
    somebody_retired,
    redrafted_after,
    changed_in_custody,
    to_another_address,
    of_another_text,
    from_another_case,
    sealed_after,
    released_by_a_machine,
    gone_since,
    licensed_since,
    never_reviewed,
]
NAMES = {5: "straight into the log", 6: "with fewer who are needed", 7: "with a stranger's key", 8: "one person alone"}


@pytest.mark.parametrize(
    "way", [pytest.param(way, id=NAMES.get(n, way.__name__.replace("_", " "))) for n, way in enumerate(WAYS)]
)
def test_no_way_leads_past_people(tmp_path: Path, way: Callable[[Docket], str]) -> None:
    with office(tmp_path) as docket:
        with pytest.raises(RiparianError):
            pursuing.send(docket, way(docket), "N1", "bot", really=True)
        assert left(tmp_path) == []
        assert not list((tmp_path / "outbox").rglob("*.txt")) if (tmp_path / "outbox").exists() else True


def test_what_was_seen_four_days_ago_is_looked_at_again(tmp_path: Path) -> None:
    with office(tmp_path) as docket:
        key = approved(docket)
        with pytest.raises(LifecycleError, match="fresh"):
            pursuing.send(at(docket, days=4), key, "N1", "bot", really=True)


@pytest.fixture
def genuine(tmp_path: Path) -> Approved:
    with office(tmp_path) as docket:
        key = approved(docket)
        return pursuing.approved_of(docket, casework.read(docket, key), "N1")


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param({"acts": ()}, id="no approval"),
        pytest.param({"people": ()}, id="no people"),
        pytest.param({"notice": "N2"}, id="another notice"),
        pytest.param({"case": "C2"}, id="another case"),
        pytest.param({"addressee": THIEF}, id="another address"),
        pytest.param({"addressee": replace(HOST, key="other")}, id="another recipient"),
        pytest.param({"signed_by": "Eve"}, id="another name under it"),
    ],
)
def test_what_is_approved_cannot_be_made_of_anything_else(
    genuine: Approved, forged: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(CustodyError):
        replace(genuine, **forged)
    smuggled = copy.copy(genuine)
    for name, value in forged.items():
        object.__setattr__(smuggled, name, value)
    with pytest.raises(CustodyError):
        FolderOutbox(tmp_path).put(smuggled, AT)
    assert left(tmp_path) == []


def test_another_text_or_one_signature_less_is_refused(genuine: Approved, tmp_path: Path) -> None:
    other = replace(genuine.rendered, content=genuine.rendered.content.replace(b"Low Tide", b"High Sea"))
    for forged in ({"rendered": other}, {"acts": genuine.acts[:1]}, {"acts": genuine.acts[:1] * 2}):
        with pytest.raises(CustodyError):
            replace(genuine, **forged)
    with pytest.raises(CustodyError):
        FolderOutbox(tmp_path).put(genuine.rendered, AT)  # type: ignore[arg-type]


def test_nothing_in_the_house_puts_into_the_outbox_but_sending() -> None:
    """Read the source: one call of `outbox.put`, one maker of `Approved`, and mail only where it is opted into."""
    puts, makers, mailers = set(), set(), set()
    for path in PACKAGE.rglob("*.py"):
        name = str(path.relative_to(PACKAGE))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                puts |= {name} if called.endswith("outbox.put") else set()
                makers |= {name} if called.rpartition(".")[2] == "Approved" else set()
            if isinstance(node, ast.Import):
                mailers |= {name for one in node.names if one.name in ("smtplib", "aiosmtplib")}
    assert puts == {"flows/pursuing.py"}
    assert makers == {"flows/pursuing.py"}
    assert mailers <= {"stores/outbox.py", "stores/replies.py"}  # the second answers who forwards us a mail
