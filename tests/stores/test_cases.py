"""What was written to cases stands: many write at once, somebody is killed, somebody changes the file."""

import multiprocessing
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from riparian import assembly
from riparian.cases.events import PEOPLE, Proposed
from riparian.cases.merkle import consistency, is_consistent, leaf, root
from riparian.errors import CustodyError, InputError, LifecycleError
from riparian.flows import casework
from riparian.ports.cases import Docket
from riparian.stores.cases.log import NAME, Checked, SqlCases
from riparian.stores.cases.people_keys import new_key, read_key
from riparian.stores.memory import FixedClock
from tests.cases.making import AT, FIRST, said
from tests.contracts.test_killed import killed_before, killings

CLOCK = FixedClock(round(AT.timestamp() * 1e6))
WORDS = "correct horse battery"


@pytest.fixture
def cases(tmp_path: Path) -> Iterator[SqlCases]:
    cases = SqlCases(tmp_path / "workspace", CLOCK)
    yield cases
    cases.close()


def docketed(cases: SqlCases, folder: Path) -> Docket:
    with assembly.docket(assembly.Given(folder), clock=CLOCK) as docket:
        return replace(docket, cases=cases)


def noted(text: str) -> Proposed:
    return said("noted", text=text)


def test_what_was_written_is_read_by_whoever_comes_later(cases: SqlCases, tmp_path: Path) -> None:
    assert cases.open(FIRST) == "C1"
    assert cases.open(FIRST[:1]) == "C2"
    (third,) = cases.append("C1", [noted("a")])
    assert (third.number, third.at) == (3, AT)
    later = SqlCases(tmp_path / "workspace", CLOCK)
    assert later.keys() == ("C1", "C2")
    assert later.read("C1", since=3) == (third,)
    assert later.key == cases.key
    assert [event.kind for event in later.read("C1")] == ["opened", "work", "location", "noted"]
    cases.append("C1", [noted("b")])
    assert len(later.read("C1")) == 5  # what it has read is not read again, what came since is
    later.close()


def test_who_judged_by_what_stands_no_more_writes_nothing(cases: SqlCases) -> None:
    cases.open(FIRST)
    assert cases.append("C1", [noted("a")], length=3)
    assert cases.append("C1", [noted("b")], length=3) == ()
    assert len(cases.read("C1")) == 4


@pytest.mark.parametrize("what", ["read", "append"])
def test_a_case_that_is_not_there_is_an_error(cases: SqlCases, what: str) -> None:
    with pytest.raises(InputError, match="is no case here"):
        cases.read("C7") if what == "read" else cases.append("C7", [noted("a")])


def test_all_of_it_is_written_or_nothing(cases: SqlCases) -> None:
    cases.open(FIRST)
    with pytest.raises(InputError):
        cases.append("C1", [noted("a"), said("noted", text={"no": "\ud800"})])
    assert len(cases.read("C1")) == 3
    assert cases.append("C1", [noted("after")])


def test_what_one_has_checked_another_is_spared_as_long_as_its_last_line_stands(tmp_path: Path) -> None:
    known: dict[str, Checked] = {}
    clock = FixedClock(round(AT.timestamp() * 1e6))

    def opened() -> SqlCases:
        return SqlCases(tmp_path, clock, known)

    with closing(opened()) as cases:
        key = cases.open(FIRST[:2])
        events = cases.read(key)
    with closing(opened()) as cases:
        assert cases.read(key) is events
        cases.append(key, [noted("two")])
        assert (cases.read(key)[:2], len(cases.read(key))) == (events, 3)
    connection = sqlite3.connect(tmp_path / NAME)
    with connection:
        connection.execute("UPDATE event SET line = CAST(replace(line, 'two', 'too') AS BLOB) WHERE number = 2")
    connection.close()
    with closing(opened()) as cases, pytest.raises(CustodyError):
        cases.read(key)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        pytest.param("UPDATE event SET line = CAST(replace(line, 'Tide', 'Ebb!') AS BLOB)", True, id="a word"),
        pytest.param("DELETE FROM event WHERE number = 1", True, id="one is missing"),
        pytest.param("UPDATE event SET number = -1 WHERE number = 0", True, id="the first is elsewhere"),
        pytest.param("UPDATE event SET line = x'00' WHERE number = 2", True, id="no event"),
        pytest.param("UPDATE event SET \"case\" = 'C2'", True, id="in another case"),
        pytest.param("DELETE FROM event WHERE number = 2", False, id="the end cut off, which only a head tells"),
    ],
)
def test_whoever_changes_the_file_is_found_out(tmp_path: Path, change: str, *, wrong: bool) -> None:
    cases = SqlCases(tmp_path, CLOCK)
    cases.open(FIRST)
    head = cases.head()
    cases.close()
    with sqlite3.connect(tmp_path / NAME) as database:
        database.execute(change)
    database.close()
    cases = SqlCases(tmp_path, CLOCK)
    if wrong:
        with pytest.raises((CustodyError, InputError)):
            [cases.read(key) for key in (*cases.keys(), "C1")]
    else:
        assert len(cases.read("C1")) == 2
        assert cases.head().root != head.root
    cases.close()


def test_a_file_of_another_version_is_an_error(tmp_path: Path) -> None:
    SqlCases(tmp_path, CLOCK).close()
    with sqlite3.connect(tmp_path / NAME) as database:
        database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(InputError, match="schema version 9"):
        SqlCases(tmp_path, CLOCK)


def test_a_head_of_yesterday_is_the_beginning_of_today(cases: SqlCases) -> None:
    cases.open(FIRST)
    older = cases.head()
    cases.append("C1", [noted("a"), noted("b")])
    leaves = [leaf(line) for line in cases.leaves()]
    newer = cases.head()
    assert newer.is_genuine(cases.key)
    assert newer.root == root(leaves).hex()
    proof = consistency(leaves, older.size)
    assert is_consistent(older.size, newer.size, proof, bytes.fromhex(older.root), bytes.fromhex(newer.root))


def test_people_sign_with_keys_of_their_own(cases: SqlCases, tmp_path: Path) -> None:
    ann, ben = (new_key(tmp_path / f"{name}.pem", name, WORDS) for name in ("ann", "ben"))
    with pytest.raises(CustodyError):
        casework.retire_person(cases, CLOCK, ann, "ann")
    casework.add_person(cases, CLOCK, ann, "ann", ann.hand.key)
    with pytest.raises(CustodyError):
        casework.add_person(cases, CLOCK, ben, "ben", ben.hand.key)
    people = casework.add_person(cases, CLOCK, ann, "ben", ben.hand.key)
    assert cases.people() == people
    assert list(people) == ["ann", "ben"]
    docket = docketed(cases, tmp_path)
    casework.open_case(docket, [said("opened", title="x"), said("sealed", because="x")])
    with pytest.raises(LifecycleError, match="begins with"):
        casework.read(docket, PEOPLE)
    eve = new_key(tmp_path / "eve.pem", "eve", WORDS)
    eve.name = "ann"
    for wrong in (eve, new_key(tmp_path / "other.pem", "eve", WORDS)):
        with pytest.raises(CustodyError):
            casework.record(docket, "C1", casework.act(docket, "C1", "released", {"because": "x"}, wrong))
    assert casework.read(docket, "C1").sealed
    assert not casework.record(docket, "C1", casework.act(docket, "C1", "released", {"because": "x"}, ben)).sealed
    later = FixedClock(CLOCK.now_us() + 1)
    casework.retire_person(cases, later, ann, "ben")
    docket = replace(docket, clock=later)
    casework.record(docket, "C1", said("sealed", because="again"))
    with pytest.raises(CustodyError):
        casework.record(docket, "C1", casework.act(docket, "C1", "released", {"because": "x"}, ben))


@pytest.mark.parametrize(
    ("octets", "passphrase", "error"),
    [
        pytest.param(None, WORDS, InputError, id="no file"),
        pytest.param(b"", WORDS, InputError, id="an empty file"),
        pytest.param(
            b"-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n", WORDS, CustodyError, id="plain"
        ),
        pytest.param(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n", WORDS, CustodyError, id="damaged"),
        pytest.param(b"same", "another passphrase", CustodyError, id="another passphrase"),
    ],
)
def test_a_key_that_is_none_is_refused(
    tmp_path: Path, octets: bytes | None, passphrase: str, error: type[Exception]
) -> None:
    path = tmp_path / "ann.pem"
    if octets == b"same":
        new_key(path, "ann", WORDS)
    elif octets is not None:
        path.write_bytes(octets)
    with pytest.raises(error):
        read_key(path, "ann", passphrase)


def test_a_key_is_for_its_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    new_key(tmp_path / "ann.pem", "ann", WORDS)
    assert (tmp_path / "ann.pem").stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match="is there already"):
        new_key(tmp_path / "ann.pem", "ann", WORDS)
    with pytest.raises(InputError, match="12 or more"):
        new_key(tmp_path / "ben.pem", "ben", "short")


def _write(folder: Path, who: int, n: int) -> None:
    cases = SqlCases(folder, CLOCK)
    docket = docketed(cases, folder)
    for number in range(n):
        if number % 25:
            cases.append(f"C{(who + number) % 4 + 1}", [noted(f"{who}/{number}")])
        else:  # what is judged by what stands, and judged again when that has changed meanwhile
            casework.record(docket, "C5", noted(f"{who}/{number}"))
    cases.close()


@pytest.mark.parametrize(
    "n", [pytest.param(625, marks=pytest.mark.slow, id="ten thousand events"), pytest.param(10, id="a few")]
)
def test_sixteen_processes_write_and_nothing_is_lost(tmp_path: Path, n: int) -> None:
    cases = SqlCases(tmp_path, CLOCK)
    for _ in range(5):
        cases.open(FIRST[:1])
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(tmp_path, who, n)) for who in range(16)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert [one.exitcode for one in writers] == [0] * 16
    texts = [event.what["text"] for key in cases.keys() for event in cases.read(key) if event.kind == "noted"]  # noqa: SIM118
    assert sorted(texts) == sorted(f"{who}/{number}" for who in range(16) for number in range(n))
    assert cases.head().size == 16 * n + 5
    cases.close()


def _follow(folder: Path) -> None:
    cases = SqlCases(folder, CLOCK)
    docket = docketed(cases, folder)
    ann = read_key(folder / "ann.pem", "ann", WORDS)
    case = casework.open_case(docket, FIRST)
    casework.record(docket, case.key, noted("a"), said("sealed", because="x"))
    casework.record(docket, case.key, casework.act(docket, case.key, "released", {"because": "y"}, ann))
    cases.close()


def test_whoever_is_killed_at_any_point_leaves_whole_events(tmp_path: Path) -> None:
    first = tmp_path / "first"
    cases = SqlCases(first, CLOCK)
    ann = new_key(first / "ann.pem", "ann", WORDS)
    casework.add_person(cases, CLOCK, ann, "ann", ann.hand.key)
    cases.close()
    lengths = set()
    for n in killings(1):
        folder = tmp_path / str(n)
        shutil.copytree(first, folder)
        dead = killed_before(n, lambda folder=folder: _follow(folder))  # type: ignore[misc]
        cases = SqlCases(folder, CLOCK)
        lengths |= {len(cases.read(key)) for key in cases.keys()}  # noqa: SIM118 -- no mapping
        cases.close()
        _follow(folder)  # whoever comes next goes on as if nothing had been
        if not dead:
            break
    assert n > 15
    assert lengths == {3, 5, 6}  # never the half of what was written at once


def test_a_workspace_killed_while_it_is_made_can_be_opened(tmp_path: Path) -> None:
    for n in killings(1):
        folder = tmp_path / str(n)
        dead = killed_before(n, lambda folder=folder: SqlCases(folder, CLOCK).close())  # type: ignore[misc]
        cases = SqlCases(folder, CLOCK)
        assert cases.open(FIRST) == "C1"
        assert {file.stat().st_mode & 0o077 for file in folder.iterdir()} == {0}
        cases.close()
        if not dead:
            break
    assert n > 6
