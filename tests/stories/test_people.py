"""People end a ring, tell its members why, hear them, and take one back; no scan undoes their word."""

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from riparian import assembly
from riparian.cli import app
from riparian.codes import code_of_label
from riparian.errors import InputError, LifecycleError
from riparian.flows.erasing import recordings
from riparian.flows.extraction import scan
from riparian.flows.verdicts import Ledger
from riparian.gate.admit import Kind
from riparian.gate.exempt import Exemption, Register
from riparian.gate.policy import Mode, Policy, Restraint
from riparian.gate.seen import codes_of_pairs
from riparian.schema import DAY_US
from riparian.sim.copiers import parse_ring
from riparian.stores.drawers import read_arrays
from riparian.stores.memory import FixedClock
from riparian.stores.workspace import Workspace
from tests.stories.towns import KEY, Played, played, small

pytestmark = pytest.mark.slow

ADA = ("--person", "Ada", "--reason", "a ring; their cards are one card")
BEN = ("--person", "Ben", "--reason", "looked at all of them")
CLEO = ("--person", "Cleo", "--reason", "heard them")


def now_us() -> int:
    return time.time_ns() // 1000


def told(workspace: Path, *words: str) -> list[dict[str, Any]]:
    """Type a command, and read what a program is told; an error of the house is raised."""
    ended = CliRunner().invoke(app, [*words, "--workspace", str(workspace)])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code == 0, ended.output
    return [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]


def actions(workspace: Path) -> dict[str, str]:
    return {line["account"]: line["action"] for line in told(workspace, "hold", "list", "--json")}


@pytest.fixture(scope="module")
def town() -> Played:
    policy = Policy(mode=Mode.ENFORCE, accounts=20_000)
    return played(small(parse_ring("8x50:queue"), listeners=120, days=17), policy=policy)


@pytest.fixture(scope="module")
def scanned(town: Played, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("town") / "workspace"
    workspace.mkdir()
    (workspace / "secret.key").write_bytes(KEY)
    (workspace / "policy.toml").write_text("mode = 'enforce'\naccounts = 20000\n")
    scan_again(town, workspace)
    return workspace


@pytest.fixture
def workspace(scanned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scanned, tmp_path / "workspace"))


def scan_again(town: Played, workspace: Path, *, at_us: int = 0, exempt: Register | None = None) -> None:
    opened = Workspace.open(workspace)
    known = replace(town.terms.known, exempt=exempt if exempt is not None else Register())
    scan(opened.world(FixedClock(at_us or now_us())), town.chunks, replace(town.terms, known=known))
    opened.close()


def pushed(workspace: Path) -> dict[str, tuple[Restraint, int, str]]:
    """Read what every edge is told."""
    opened = Workspace.open(workspace)
    ledger = Ledger("a run")
    ledger.look(opened.world(FixedClock(now_us())))
    opened.close()
    return {v.account_id: (v.restraint, v.until_us, v.rule) for v in ledger.whole().verdicts}


def ring_of(workspace: Path) -> tuple[str, list[str]]:
    (ring,) = told(workspace, "rings", "--json")
    return ring["ring"], ring["accounts"]


def pairs_of(account: int, workspace: Path) -> NDArray[np.uint64]:
    """Give what gates keep where an account had all recordings that there are."""
    opened = Workspace.open(workspace)
    had = recordings(opened.world(FixedClock(now_us())))
    opened.close()
    return codes_of_pairs(np.full(had.size, account, np.uint64), had)


def known_to_gates(workspace: Path, pairs: NDArray[np.uint64]) -> list[bool]:
    states = sorted(workspace.glob("gates/*/state"))
    return [bool(np.isin(read_arrays(state)["seen.newest"], pairs).any()) for state in states]


def test_a_ring_is_ended_heard_and_reinstated_and_no_scan_undoes_a_word_of_it(town: Played, workspace: Path) -> None:
    ring, members = ring_of(workspace)
    assert set(actions(workspace).values()) == {"hold"}
    one = members[0]

    # Whom would it concern?  Each member, with what there is against itself; nothing happens.
    listed = told(workspace, "hold", "end", "--ring", ring, "--dry-run", "--json")
    assert {line["account"] for line in listed} == set(members)
    assert all(line["proposed"] and line["bits"] > 13 and line["because"] for line in listed)
    assert told(workspace, "hold", "proposals", "--json") == []

    # One proposes, which does nothing; nobody approves what they proposed; somebody else does.
    told(workspace, "hold", "end", "--ring", ring, *ADA)
    assert set(actions(workspace).values()) == {"hold"}
    assert {line["ring"] for line in told(workspace, "hold", "proposals", "--json")} == {ring}
    with pytest.raises(LifecycleError, match="who proposed"):
        told(workspace, "hold", "approve", "--ring", ring, "--person", " ADA", "--reason", "fine")
    assert set(actions(workspace).values()) == {"hold"}
    told(workspace, "hold", "approve", "--ring", ring, *BEN)
    assert actions(workspace) == dict.fromkeys(members, "end")
    assert told(workspace, "hold", "list", "--json")[0]["until"] is None
    assert pushed(workspace) == dict.fromkeys(members, (Restraint.END, 0, "person"))

    # Neither time, nor a scan, nor an exemption ends it.
    (line,) = [line for line in told(workspace, "hold", "list", "--json") if line["account"] == one]
    code = code_of_label(line["pseudonym"])
    exempt = Register({code: Exemption(code, now_us() + 400 * DAY_US, "a partner, says somebody")})
    scan_again(town, workspace, at_us=now_us() + 60 * DAY_US, exempt=exempt)
    assert actions(workspace) == dict.fromkeys(members, "end")

    # The listener is told, and objects; nobody who had a hand in it reviews.
    (letter,) = told(workspace, "hold", "letter", one, "--json")
    assert (letter["action"], letter["until"], letter["applied"]) == ("end", None, True)
    assert "Two people" in letter["text"]
    assert not any(word in letter["text"] for word in ("bits", "Ada", "Ben", "card"))
    told(workspace, "hold", "appeal", one, "--text", "I run a radio show, ask my editor")
    (appeal,) = told(workspace, "hold", "appeals", "--json")
    assert (appeal["account"], appeal["reason"], appeal["late"]) == (one, "I run a radio show, ask my editor", False)
    for hand in (ADA, BEN):
        with pytest.raises(LifecycleError, match="had a hand"):
            told(workspace, "hold", "review", one, "--reinstate", *hand)
    told(workspace, "hold", "review", one, "--reinstate", *CLEO)
    assert actions(workspace) == dict.fromkeys(members[1:], "end")
    assert one not in pushed(workspace)
    with pytest.raises(LifecycleError, match="wanted one that is restrained"):
        told(workspace, "hold", "letter", one)

    # What was answered for stays answered for, and the log tells it all.
    scan_again(town, workspace, at_us=now_us() + 61 * DAY_US)
    assert actions(workspace) == dict.fromkeys(members[1:], "end")
    (explained,) = told(workspace, "explain", "account", one, "--json")
    assert [(e["step"], e["person"]) for e in explained["events"]] == [
        ("decided", ""),
        ("proposed", "Ada"),
        ("ended", "Ben"),
        ("appealed", ""),
        ("reinstated", "Cleo"),
    ]


def test_members_without_evidence_of_their_own_are_named_and_left_out_unless_a_person_insists(workspace: Path) -> None:
    ring, members = ring_of(workspace)
    told(workspace, "hold", "release", members[0], *CLEO)
    told(workspace, "hold", "end", members[1], *ADA)
    told(workspace, "hold", "appeal", members[2], "--text", "it was me")
    dry = ("hold", "end", "--ring", ring, "--dry-run", "--json")
    left = {line["account"]: line["left_out"] for line in told(workspace, *dry) if not line["proposed"]}
    assert left == {
        members[0]: "nothing restrains it now",
        members[1]: "it is proposed already",
        members[2]: "its appeal is to be reviewed first",
    }
    insisted = {line["account"] for line in told(workspace, *dry, "--all") if line["proposed"]}
    assert insisted == set(members) - {members[1], members[2]}
    told(workspace, "hold", "end", "--ring", ring, "--all", *ADA)
    told(workspace, "hold", "withdraw", members[3], *CLEO)
    told(workspace, "hold", "approve", "--ring", ring, *BEN)
    ended = {account for account, action in actions(workspace).items() if action == "end"}
    assert ended == insisted - {members[3]}
    assert [line["account"] for line in told(workspace, "hold", "proposals", "--json")] == [members[1]]


def test_whoever_no_machine_restrained_is_ended_by_people_told_so_and_reinstated(town: Played, workspace: Path) -> None:
    restrained = set(actions(workspace))
    listener = next(name for name in town.chunks[0].ids[1] if name not in restrained)
    told(workspace, "hold", "end", listener, *ADA)
    scan_again(town, workspace)  # which knows of no reason, and leaves the proposal as it is
    told(workspace, "hold", "approve", listener, *BEN)
    scan_again(town, workspace)
    assert actions(workspace)[listener] == "end"
    (letter,) = told(workspace, "hold", "letter", listener, "--json")
    assert letter["facts"] == ["people who looked at how it was used found that it was used to copy our catalogue"]
    (explained,) = told(workspace, "explain", "account", listener, "--json")
    assert (explained["decision"]["action"], explained["decision"]["until"]) == ("end", None)
    assert explained["decision"]["threshold_bits"] > 10
    told(workspace, "hold", "appeal", listener, "--text", "it was not me")
    told(workspace, "hold", "review", listener, "--reinstate", *CLEO)
    scan_again(town, workspace)
    assert set(actions(workspace)) == restrained


def test_a_hold_is_appealed_and_reviewed_in_the_same_way(town: Played, workspace: Path) -> None:
    _, (one, other, *_) = ring_of(workspace)
    (letter,) = told(workspace, "hold", "letter", one, "--json")
    assert letter["facts"] == ["it worked through one list of recordings together with other accounts"]
    assert letter["decided_by"][0].startswith("Our system decided this by itself, for a limited time")
    told(workspace, "hold", "extend", one, *ADA)
    for account in (one, other):
        told(workspace, "hold", "appeal", account, "--text", "it was me")
    assert [line["account"] for line in told(workspace, "hold", "appeals", "--json")] == [one, other]
    with pytest.raises(LifecycleError, match="had a hand"):
        told(workspace, "hold", "review", one, "--uphold", *ADA)
    told(workspace, "hold", "review", one, "--uphold", *BEN)
    told(workspace, "hold", "review", other, "--reinstate", *ADA)
    assert told(workspace, "hold", "appeals", "--json") == []
    assert (actions(workspace).get(one), actions(workspace).get(other)) == ("hold", None)
    (letter,) = told(workspace, "hold", "letter", one, "--json")
    assert "let it stand" in letter["text"]
    scan_again(town, workspace)
    assert (actions(workspace).get(one), actions(workspace).get(other)) == ("hold", None)


def test_whoever_is_forgotten_is_in_no_file_and_is_told_what_stays(town: Played, workspace: Path) -> None:
    ring, (gone, *rest) = ring_of(workspace)
    (line,) = [line for line in told(workspace, "hold", "list", "--json") if line["account"] == gone]
    code = code_of_label(line["pseudonym"])
    pq.write_table(town.terms.known.table(), workspace / "accounts.parquet")
    told(workspace, "hold", "end", "--ring", ring, *ADA)
    told(workspace, "hold", "approve", "--ring", ring, *BEN)
    with pytest.raises(InputError, match="still there, wanted --yes"):
        told(workspace, "erase", gone)
    assert gone in actions(workspace)
    (workspace / "edge.toml").write_text('[[route]]\npath = "/media/{recording}/**"\nkind = "media"\n')
    gates = [assembly.gate(assembly.Given(workspace), shard=(shard, 2)) for shard in (0, 1)]
    wire, kept = gates[0]
    wire.door.gate.admit(code, 17, Kind.MEDIA, now_us())
    kept.write()
    with pytest.raises(LifecycleError, match="in use by a gate that runs"):
        told(workspace, "erase", gone, "--yes")
    assert gone in actions(workspace)
    pairs = pairs_of(code, workspace)
    assert known_to_gates(workspace, pairs) == [True, True]
    for _, kept in gates:
        kept.close()
    with assembly.alone(assembly.Given(workspace)), pytest.raises(LifecycleError, match="`riparian serve` runs on"):
        told(workspace, "erase", gone, "--yes")
    assert known_to_gates(workspace, pairs) == [True, True]
    (erased,) = told(workspace, "erase", gone, "--yes", "--json")
    assert known_to_gates(workspace, pairs) == [False, False]
    assert (erased["found"], erased["pseudonym"]) == (True, line["pseudonym"])
    assert any("backups" in sentence for sentence in erased["kept"])
    assert actions(workspace) == dict.fromkeys(rest, "end")
    assert ring_of(workspace) == (ring, rest)
    with pytest.raises(InputError, match="no account that a scan has seen"):
        told(workspace, "erase", gone, "--yes")
    marks = gone.encode(), code.to_bytes(8, "little")
    for file in workspace.rglob("*"):
        # The pages of the database keep whole numbers with the highest byte first.
        wanted = (*marks, code.to_bytes(8, "big")) if file.suffix == ".sqlite" else marks
        assert not file.is_file() or not any(mark in file.read_bytes() for mark in wanted), file
    assert code not in pq.read_table(workspace / "accounts.parquet")["account"].to_pylist()


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("end", *ADA), InputError, "neither an account nor a ring is named"),
        (("end", "x", "--ring", "g-s3baqygnsores", *ADA), InputError, "both an account and a ring"),
        (("end", "--ring", "g-s3baqygnsores", *ADA), InputError, "the last scan found no ring"),
        (("end", "nobody", *ADA), InputError, "no account that a scan has seen"),
        (("end", "a-s3baqygnsores", *ADA), InputError, "not in the vault"),
        (("approve", "--ring", "g-s3baqygnsores", *BEN), InputError, "no proposal on ring"),
        (("approve", "MEMBER", *BEN), LifecycleError, "wanted"),
        (("review", "MEMBER", "--uphold", *BEN), LifecycleError, "was to be `upheld`, wanted"),
        (("end", "MEMBER", "--person", "Ada", "--reason", " "), LifecycleError, "without a reason"),
        (("appeal", "MEMBER", "--text", ""), InputError, "0 characters"),
    ],
)
def test_what_cannot_be_is_refused_and_says_what_is_wanted(
    scanned: Path, words: tuple[str, ...], error: type[Exception], says: str
) -> None:
    _, (member, *_) = ring_of(scanned)
    words = tuple(member if word == "MEMBER" else word for word in words)
    with pytest.raises(error, match=says):
        told(scanned, "hold", *words)
