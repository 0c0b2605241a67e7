"""An archive holds what was issued, and nothing that was left on the way."""

import zipfile
from pathlib import Path

from riparian.stores.parcels import digests, pack


def test_what_was_left_unfinished_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "song.mp3").write_bytes(b"issued")
    (tmp_path / "ann" / "song.flac.unfinished").write_bytes(b"in no ledger")
    pack(tmp_path / "ann", tmp_path / "ann.zip")
    with zipfile.ZipFile(tmp_path / "ann.zip") as archive:
        assert archive.namelist() == ["song.mp3"]
    assert not (tmp_path / "ann").exists()
    assert len(digests(tmp_path / "ann.zip")) == 1


def test_a_torn_archive_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04")
    assert digests(tmp_path / "torn.zip") == digests(tmp_path / "none.zip") == frozenset()
