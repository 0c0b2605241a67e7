"""Signals that are kept: pages that skip nothing, tokens that are not kept, versions, several writers, a kill."""

import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riparian.errors import InputError, LifecycleError
from riparian.exchange.policy import Move, Worth
from riparian.exchange.taxii import Question
from riparian.ports.exchange import Collection, Incident, Peer
from riparian.stores.signals import NAME, SqlSignals

SHELF = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
DAY = 86_400_000_000


@pytest.fixture
def signals(tmp_path: Path) -> Iterator[SqlSignals]:
    held = SqlSignals(tmp_path)
    held.keep_collection(Collection(SHELF, "Reed", alias="ours"))
    yield held
    held.close()


def one(n: int, version: int = 0, kind: str = "indicator", **more: Any) -> dict[str, Any]:
    at = f"2026-11-{version + 1:02}T00:00:00.000Z"
    ident = f"{kind}--00000000-0000-4000-8000-{n:012}"
    return {"type": kind, "spec_version": "2.1", "id": ident, "created": at, "modified": at, **more}


def idents(signals: SqlSignals, **asked: Any) -> list[str]:
    return [row.ident[-3:] for row in signals.page(SHELF, Question(**asked)).rows]


def test_pages_skip_nothing_and_repeat_nothing_whatever_is_added_and_removed_meanwhile(signals: SqlSignals) -> None:
    signals.add(SHELF, [one(n) for n in range(10)], 5)
    first = signals.page(SHELF, Question(limit=4))
    assert first.more
    signals.remove(SHELF, Question(idents=(one(2)["id"],), versions=("all",)))
    signals.add(SHELF, [one(11)], 0)
    rest = signals.page(SHELF, Question(limit=100, after_us=first.rows[-1].added_us))
    assert [row.ident[-3:] for row in (*first.rows, *rest.rows)] == [f"{n:03}" for n in (*range(10), 11)]
    assert not rest.more


def test_what_is_added_has_a_time_of_its_own_though_the_clock_stands(signals: SqlSignals) -> None:
    for n in range(3):
        signals.add(SHELF, [one(10 * n), one(10 * n + 1)], 7)
    times = [row.added_us for row in signals.page(SHELF, Question()).rows]
    assert times == sorted(set(times)) == list(range(7, 13))


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        pytest.param({}, ["001", "002", "003"], id="the last version of each"),
        pytest.param({"versions": ("first",)}, ["001", "002", "003"], id="the first"),
        pytest.param({"versions": ("all",)}, ["001", "002", "003", "001"], id="all"),
        pytest.param({"versions": ("2026-11-01T00:00:00.000Z",)}, ["001", "002", "003"], id="one by its time"),
        pytest.param({"versions": ("first", "last")}, ["001", "002", "003", "001"], id="first and last"),
        pytest.param({"kinds": ("sighting",)}, ["003"], id="by type"),
        pytest.param({"specs": ("2.0",)}, [], id="by another standard"),
        pytest.param({"idents": (one(2)["id"],)}, ["002"], id="by identifier"),
        pytest.param({"added_after_us": 1}, ["003", "001"], id="what was added later"),
    ],
)
def test_what_is_asked_for(signals: SqlSignals, asked: dict[str, Any], wanted: list[str]) -> None:
    signals.add(SHELF, [one(1), one(2), one(3, kind="sighting")], 0)
    signals.add(SHELF, [one(1, 1)], 3)
    assert sorted(idents(signals, **asked)) == sorted(wanted)


def test_a_version_that_is_there_is_left_as_it_was(signals: SqlSignals) -> None:
    signals.add(SHELF, [one(1, name="first")], 0)
    signals.add(SHELF, [one(1, name="other")], 1)
    (row,) = signals.page(SHELF, Question(versions=("all",))).rows
    assert (row.body["name"], row.added_us) == ("first", 0)


def test_all_are_added_or_none(signals: SqlSignals) -> None:
    with pytest.raises(InputError):
        signals.add(SHELF, [one(1), {"type": "indicator", "id": "sighting--1"}], 0)
    assert idents(signals) == []


def test_a_collection_is_found_by_its_alias_too_and_by_nothing_else(signals: SqlSignals) -> None:
    assert signals.collection("ours") == signals.collection(SHELF)
    assert (signals.collection(""), signals.collection("theirs")) == (None, None)


def test_tokens_are_not_kept_and_a_new_one_ends_the_old_one(signals: SqlSignals, tmp_path: Path) -> None:
    first = signals.allow("quay", [SHELF], [])
    second = signals.allow("quay", [SHELF], [SHELF])
    allowed = signals.allowed(second)
    assert allowed is not None
    assert (allowed.name, allowed.read, allowed.write) == ("quay", frozenset({SHELF}), frozenset({SHELF}))
    assert (signals.allowed(first), signals.allowed(""), signals.allowed("\ud800")) == (None, None, None)
    octets = b"".join(path.read_bytes() for path in tmp_path.glob(f"{NAME}*"))
    assert second.encode() not in octets
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


def test_peers_and_incidents_are_kept(signals: SqlSignals) -> None:
    for peer in (Peer("b"), Peer("a", "https://a.example/", "t", since="x"), Peer("b", mistakes=2, sent_us=7)):
        signals.keep_peer(peer)
    assert [(one.name, one.mistakes, one.sent_us) for one in signals.peers()] == [("a", 0, -1), ("b", 2, 7)]
    for incident in (Incident("x", 0, DAY, "ann", "y"), Incident("z", DAY, 2 * DAY, "ann", "y")):
        signals.keep_incident(incident)
    assert [one.name for one in signals.incidents()] == ["z", "x"]


def test_what_a_peer_said_moves_and_is_another_peers_own_matter(signals: SqlSignals) -> None:
    signals.hear("a", one(1), Move.HEAR, 1)
    signals.hear("b", one(1), Move.HEAR, 2)
    signals.hear("a", one(1), Move.CONFIRM, 3, "C1")
    signals.hear("a", one(1, 1), Move.REVOKE, 4)
    assert [(it.peer, it.worth, it.case, it.heard_us) for it in signals.heard()] == [
        ("a", Worth.REVOKED, "C1", 1),
        ("b", Worth.HEARD, "", 2),
    ]
    with pytest.raises(LifecycleError):
        signals.hear("a", one(1), Move.CONFIRM, 5)
    assert signals.find("a", one(1)["id"]) == next(signals.heard("a"))
    assert signals.find("c", one(1)["id"]) is None


def test_what_became_of_an_addition_is_kept(signals: SqlSignals) -> None:
    signals.keep_status("x", {"status": "complete"})
    assert (signals.status("x"), signals.status("y")) == ({"status": "complete"}, None)


def _add(folder: str, of: int) -> None:
    held = SqlSignals(Path(folder))
    for n in range(25):
        held.add(SHELF, [one(1000 * of + 2 * n), one(1000 * of + 2 * n + 1)], 0)
    held.close()


def test_several_write_at_once_and_nothing_is_lost(signals: SqlSignals, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add, args=(str(tmp_path), n)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * 4
    rows = signals.page(SHELF, Question(limit=1000)).rows
    assert (len(rows), len({row.added_us for row in rows})) == (200, 200)


KILLED = """
import os, signal, sys
from pathlib import Path
from riparian.stores import signals
from tests.stores.test_signals import SHELF, one
held = signals.SqlSignals(Path(sys.argv[1]))
added = 0
def row_of(said, at_us, of=signals.row_of):
    global added
    added += 1
    if added == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return of(said, at_us)
signals.row_of = row_of
held.add(SHELF, [one(1), one(2), one(3), one(4)], 0)
"""


def test_killed_while_adding_adds_nothing(signals: SqlSignals, tmp_path: Path) -> None:
    root = Path(__file__).parent.parent.parent
    words = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(words, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=False, timeout=120)
    assert done.returncode == -9
    assert idents(signals) == []
    signals.add(SHELF, [one(1)], 0)
    assert idents(signals) == ["001"]


@pytest.mark.parametrize(
    "made",
    [
        pytest.param("PRAGMA user_version = 99", id="of another version"),
        pytest.param("PRAGMA application_id = 7", id="of another application"),
    ],
)
def test_another_database_is_refused(signals: SqlSignals, tmp_path: Path, made: str) -> None:
    signals.close()
    with sqlite3.connect(tmp_path / NAME) as connection:
        connection.execute(made)
    with pytest.raises(InputError):
        SqlSignals(tmp_path)
