"""What is promised of ``ports.Grants`` holds in memory and in a folder."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from riparian.errors import CustodyError, InputError, OutsideError
from riparian.marks.code import Tier
from riparian.marks.grants import START, Fitted, Grant, Version
from riparian.marks.keys import MarkKey
from riparian.marks.layout import Layout
from riparian.stores.grants import NAME, SqlGrants

VERSION = Version("r-1", "m" * 64, 1, Layout.at(44_100, 16), Tier.ONE, 1.0)
OTHER = replace(VERSION, recording="r-2", master="n" * 64)
ANN = Grant(
    "ann@example.org", VERSION, 1_000, "mp3", "mp3 at 128000", "c" * 64, "/masters/r-1.wav", "2026-12-24", "the first"
)
BEN = replace(ANN, account="ben", at_us=2_000, copy="d" * 64, embargo="", note="")
FITTED = Fitted("m" * 64, "mp3", 1.25, 200.0, 49.8, 36.5)


@pytest.fixture(params=["memory", "folder"])
def grants(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlGrants]:
    made = SqlGrants(None if request.param == "memory" else tmp_path / "w")
    yield made
    made.close()


def test_an_empty_ledger_is_sound_and_knows_nobody(grants: SqlGrants) -> None:
    assert grants.verify() == (0, START)
    assert (grants.versions(), list(grants.all()), grants.accounts(VERSION)) == ([], [], [])
    assert grants.fitted("m" * 64, "mp3") is None
    assert grants.traced_since(0) == 0
    assert not grants.knows(ANN.account)


def test_what_was_issued_is_found_by_version_and_by_account(grants: SqlGrants) -> None:
    grants.add(ANN, BEN)
    grants.add(replace(ANN, version=OTHER, path="/masters/r-2.wav"))
    assert grants.versions() == [(VERSION, "/masters/r-1.wav"), (OTHER, "/masters/r-2.wav")]
    assert grants.versions("r-2") == [(OTHER, "/masters/r-2.wav")]
    assert grants.accounts(VERSION) == [ANN.account, "ben"]
    assert grants.accounts(OTHER) == [ANN.account]
    assert grants.of(ANN.account, "r-1") == [ANN]
    assert list(grants.all())[:2] == [ANN, BEN]


def test_a_copy_issued_twice_is_one_candidate(grants: SqlGrants) -> None:
    grants.add(ANN, replace(ANN, form="flac"))
    assert grants.accounts(VERSION) == [ANN.account]
    assert len(grants.of(ANN.account, "r-1")) == 2


def test_another_strength_epoch_or_master_is_another_version(grants: SqlGrants) -> None:
    others = [replace(VERSION, strength=1.25), replace(VERSION, epoch=2), replace(VERSION, master="x" * 64)]
    grants.add(ANN, *(replace(BEN, version=version) for version in others))
    assert [version for version, _ in grants.versions()] == [VERSION, *others]
    assert grants.accounts(VERSION) == [ANN.account]


def test_a_grant_to_nobody_is_refused_and_nothing_is_added(grants: SqlGrants) -> None:
    with pytest.raises(InputError, match="the recipient is empty"):
        grants.add(ANN, replace(BEN, account=""))
    assert grants.verify() == (0, START)


def test_who_is_erased_is_named_no_more_and_the_chain_holds(grants: SqlGrants) -> None:
    grants.add(ANN, BEN)
    n, head = grants.verify()
    assert grants.erase(ANN.account, 3_000)
    assert grants.accounts(VERSION) == ["ben"]
    assert (grants.of(ANN.account, "r-1"), list(grants.all())) == ([], [None, BEN])
    assert grants.verify(head)[0] == n + 1
    assert not grants.erase(ANN.account, 4_000)
    assert not grants.erase("nobody", 4_000)


def test_who_was_erased_may_be_issued_something_again(grants: SqlGrants) -> None:
    grants.add(ANN)
    grants.erase(ANN.account, 3_000)
    grants.add(replace(ANN, at_us=4_000))
    assert [grant.at_us for grant in grants.all() if grant is not None] == [4_000]
    assert grants.verify()[0] == 3


def test_the_last_trial_of_a_master_in_a_form_counts(grants: SqlGrants) -> None:
    grants.keep_fitted(FITTED, 1)
    grants.keep_fitted(replace(FITTED, strength=1.5), 2)
    grants.keep_fitted(replace(FITTED, form="wav"), 3)
    assert grants.fitted("m" * 64, "mp3") == replace(FITTED, strength=1.5)
    assert grants.fitted("x" * 64, "mp3") is None


def test_an_epoch_keeps_the_key_that_it_had_first(grants: SqlGrants) -> None:
    grants.trust(MarkKey(bytes(32), 1), 1)
    grants.trust(MarkKey(bytes(32), 1), 2)
    grants.trust(MarkKey(bytes(range(32)), 2), 3)
    with pytest.raises(CustodyError, match="the key of epoch 1 is not the one"):
        grants.trust(MarkKey(bytes(range(32)), 1), 4)
    assert grants.verify()[0] == 2


def test_copies_that_were_traced_are_counted_from_a_time_on(grants: SqlGrants) -> None:
    grants.keep_trace(1_000, 3, {"recordings": ["r-1"]})
    grants.keep_trace(2_000, 4, {"recordings": []})
    assert [grants.traced_since(at_us) for at_us in (0, 1_000, 2_000)] == [7, 4, 0]


def test_a_head_that_somebody_remembers_is_looked_for(grants: SqlGrants) -> None:
    grants.add(ANN)
    _, head = grants.verify()
    grants.add(BEN)
    assert grants.verify(head)[0] == 2
    with pytest.raises(CustodyError, match="no entry with the digest"):
        grants.verify("f" * 64)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET text = replace(text, 'r-1', 'r-7') WHERE seq = 2",
        "UPDATE entry SET recording = 'r-7' WHERE seq = 2",
        "UPDATE entry SET who = (SELECT who FROM entry WHERE seq = 3) WHERE seq = 2",
        "UPDATE entry SET at_us = 7 WHERE seq = 2",
        "DELETE FROM entry WHERE seq = 1",
        "DELETE FROM entry WHERE seq = 2",
        "UPDATE person SET name = 'cid' WHERE name = 'ben'",
        "UPDATE person SET key = (SELECT key FROM person WHERE name = 'ben')",
        "UPDATE entry SET seq = 9 WHERE seq = 3",
    ],
)
def test_whoever_rewrites_the_file_is_noticed(tmp_path: Path, statement: str) -> None:
    grants = SqlGrants(tmp_path)
    grants.trust(MarkKey(bytes(32), 1), 0)
    grants.add(ANN, BEN)
    grants.close()
    with sqlite3.connect(tmp_path / NAME) as connection:
        connection.execute(statement)
    connection.close()
    again = SqlGrants(tmp_path)
    with pytest.raises(CustodyError):
        again.verify()
    again.close()


def test_what_was_cut_off_is_noticed_by_who_remembers_the_end(tmp_path: Path) -> None:
    grants = SqlGrants(tmp_path)
    grants.add(ANN, BEN)
    _, head = grants.verify()
    grants.close()
    with sqlite3.connect(tmp_path / NAME) as connection:
        connection.execute("DELETE FROM entry WHERE seq = 2")
    connection.close()
    again = SqlGrants(tmp_path)
    assert again.verify()[0] == 1
    with pytest.raises(CustodyError):
        again.verify(head)
    again.close()


def test_an_erased_name_and_its_key_are_in_no_file_of_the_workspace(tmp_path: Path) -> None:
    grants = SqlGrants(tmp_path)
    grants.add(ANN, BEN)
    with sqlite3.connect(tmp_path / NAME) as connection:
        ((key,),) = connection.execute("SELECT key FROM person WHERE name = ?", (ANN.account,)).fetchall()
    connection.close()
    grants.erase(ANN.account, 3_000)
    grants.close()
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert ANN.account.encode() not in left
    assert key not in left


def test_whoever_still_reads_the_ledger_keeps_what_was_erased_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riparian.stores.grants._PATIENCE_S", 0.01)
    grants = SqlGrants(tmp_path)
    grants.add(ANN, BEN)
    reader = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM person").fetchall()
    with pytest.raises(OutsideError, match="is erased, but somebody who reads the ledger keeps it"):
        grants.erase(ANN.account, 3_000)
    assert not grants.knows(ANN.account)
    reader.close()
    assert not grants.erase(ANN.account, 4_000)
    grants.close()
    assert ANN.account.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_the_ledger_is_its_owners_alone(tmp_path: Path) -> None:
    SqlGrants(tmp_path / "w").close()
    assert (tmp_path / "w" / NAME).stat().st_mode & 0o077 == 0


def test_what_was_interrupted_did_not_happen(tmp_path: Path) -> None:
    grants = SqlGrants(tmp_path)
    grants.add(ANN)
    with pytest.raises(KeyboardInterrupt), grants._transaction():  # noqa: PT012  it is interrupted after it added
        grants._append(grants._granted(BEN))
        raise KeyboardInterrupt
    assert grants.verify()[0] == 1
    assert grants.accounts(VERSION) == [ANN.account]
    grants.close()


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / NAME) as connection:
        connection.execute("CREATE TABLE x (y)")
    connection.close()
    with pytest.raises(InputError, match="schema version 0, wanted 2"):
        SqlGrants(tmp_path)
