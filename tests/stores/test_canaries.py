"""What was planted and issued is kept, and cannot be rewritten."""

import sqlite3
import stat
from pathlib import Path

import pyarrow as pa
import pytest

from riparian.errors import CustodyError, InputError
from riparian.stores.canaries import FolderCanaries, FolderCanaryKeys


def test_entries_are_found_by_kind_in_their_order(tmp_path: Path) -> None:
    issues = FolderCanaries(tmp_path)
    for n in range(3):
        issues.add({"kind": "issued", "tenant": f"t-{n}"})
    issues.add({"kind": "epoch", "epoch": 1})
    assert [said["tenant"] for said in issues.entries("issued")] == ["t-0", "t-1", "t-2"]
    length, head = issues.verify()
    issues.close()
    assert FolderCanaries(tmp_path).verify(head) == (length, head) == (4, head)


TAMPERED = {
    "an entry was altered": "UPDATE entry SET text = replace(text, 't-1', 't-2') WHERE seq = 2",
    "an entry was taken out": "DELETE FROM entry WHERE seq = 2",
    "the end was cut off": "DELETE FROM entry WHERE seq = 3",
}


@pytest.mark.parametrize("situation", TAMPERED)
def test_what_was_rewritten_is_noticed(situation: str, tmp_path: Path) -> None:
    issues = FolderCanaries(tmp_path)
    for n in range(3):
        issues.add({"kind": "issued", "tenant": f"t-{n}"})
    _, head = issues.verify()
    issues.close()
    connection = sqlite3.connect(tmp_path / "canaries.sqlite")
    connection.execute(TAMPERED[situation])
    connection.commit()
    connection.close()
    with pytest.raises(CustodyError, match="wanted"):
        FolderCanaries(tmp_path).verify(head)


def test_what_was_planted_is_what_is_read(tmp_path: Path) -> None:
    issues, table = FolderCanaries(tmp_path), pa.table({"recording": ["a", "b"]})
    digest = issues.keep(table)
    assert issues.keep(table) == digest
    assert issues.planted(digest) == table
    path = tmp_path / "canaries" / f"{digest}.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    for one in (digest, "0" * 64):
        with pytest.raises(CustodyError, match="wanted the catalogue of that day"):
            issues.planted(one)


def test_nobody_else_may_read_any_of_it(tmp_path: Path) -> None:
    issues = FolderCanaries(tmp_path / "w")
    FolderCanaryKeys(tmp_path / "w").current()
    issues.keep(pa.table({"recording": ["a"]}))
    for path in (tmp_path / "w").rglob("*"):
        if path.suffix in {".json", ".sqlite", ".parquet"} or path.is_dir():
            assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path


def test_a_ledger_of_another_version_is_refused(tmp_path: Path) -> None:
    FolderCanaries(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "canaries.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(InputError, match="schema version 99"):
        FolderCanaries(tmp_path)


def test_keys_of_epochs_are_kept_and_committed_to(tmp_path: Path) -> None:
    keys = FolderCanaryKeys(tmp_path)
    first = keys.current()
    second = keys.rotate()
    assert FolderCanaryKeys(tmp_path).all() == (first, second)
    assert first.commitment != second.commitment
    assert first.secret.hex() not in first.commitment
