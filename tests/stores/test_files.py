"""What a process does to a database must not cost another connection its log of what was written."""

import subprocess
import sys
from pathlib import Path

from riparian.stores.files import make_private
from riparian.stores.workspace import Workspace

LOOK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM chunk").fetchall()
connection.close()
"""


def test_a_workspace_that_is_opened_twice_keeps_its_log_when_somebody_else_closes_it(tmp_path: Path) -> None:
    first, second = Workspace.open(tmp_path / "w"), Workspace.open(tmp_path / "w")
    subprocess.run([sys.executable, "-c", LOOK, str(tmp_path / "w" / "riparian.sqlite")], check=True)
    assert (tmp_path / "w" / "riparian.sqlite-wal").exists()
    first.close()
    second.close()


def test_a_private_file_is_made_once_and_left_as_it_is(tmp_path: Path) -> None:
    make_private(tmp_path / "file")
    assert (tmp_path / "file").stat().st_mode & 0o077 == 0
    (tmp_path / "file").write_text("kept")
    make_private(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"
