"""The programs that measure the gate run, and write the tables that the page shows."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "gate_decisions": ("--quick",),
    "gate_envoy": ("--quick", "1"),
    "gate_grants": ("--quick",),
    "gate_nginx": ("--quick", "1"),
    "gate_valkey": ("--quick",),
    "gate_wire": ("--quick", "1"),
}


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_small_run_writes_the_rows_of_the_page(program: str, tmp_path: Path) -> None:
    out = tmp_path / f"{program}.csv"
    words = [sys.executable, str(ROOT / "bench" / f"{program}.py"), *PROGRAMS[program], "--out", str(out)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    small, whole = whats(out), whats(ROOT / "docs" / "bench" / out.name)
    assert small[0] == whole[0]
    assert set(small) == set(whole)


def whats(table: Path) -> list[tuple[str, ...]]:
    """Read the heading, and what each row is about."""
    with table.open(newline="", encoding="utf-8") as file:
        heading, *rows = list(csv.reader(file))
    n = 2 if heading[0] == "form" else 1
    return [tuple(heading), *(tuple(row[:n]) for row in rows)]
