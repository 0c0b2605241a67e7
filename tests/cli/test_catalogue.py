import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from riparian.cli import app
from riparian.errors import RiparianError

runner = CliRunner()
TABLE = """recording,title,artist,album,duration_ms,isrc,released,label,plays
r-1,Don't Stop,Björk,Harbour,185000,GBABC1200001,2001-05-01,Quay,5
r-2,"Stop, Me Now",Кино,,200500,GBABC1200002,2011-05-01,Dock,9
r-3,=1+1,Various,,,,,,
"""


def run(*given: object) -> tuple[int, list[dict[str, Any]], str]:
    done = runner.invoke(app, [str(each) for each in given])
    if isinstance(done.exception, RiparianError):
        return 2, [], done.exception.message
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done.exit_code, told, done.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("catalogue")
    (made / "ours.csv").write_text(TABLE, encoding="utf-8")
    code, told, said = run("catalogue", "add", made / "ours.csv", "-w", made / "w", "--as-of", "2026-01-02", "--json")
    assert code == 0, said
    assert {**told[0], "batches": 0} == {
        "kind": "taken", "batches": 0, "recordings": 3, "new": 3, "changed": 0, "unknown": 0, "refused": 0, "again": 0,
    }  # fmt: skip
    return made


def test_a_table_is_added_found_and_shown(folder: Path) -> None:
    at = ("-w", folder / "w", "--json")
    code, told, _ = run("catalogue", "add", folder / "ours.csv", *at)
    assert (code, told[0]["new"], told[0]["again"]) == (0, 0, told[0]["again"])
    assert told[1]["recordings"] == 3
    code, told, _ = run("catalogue", "search", "bjork", "stop", "--released-from", "2001-01-01", *at)
    assert (code, told[0]["recording"], told[1]) == (0, "r-1", {"kind": "page", "total": 1, "page": 1, "rows": 20})
    code, told, _ = run("catalogue", "list", "--sort", "popularity", "--rows", 1, "--page", 2, *at)
    assert (code, told[0]["recording"], told[1]["total"]) == (0, "r-1", 3)
    code, told, _ = run("catalogue", "show", "GBABC1200002", *at)
    assert (code, told[0]["recording"], told[0]["played"]) == (
        0, "r-2", [{"on": "2026-01-02", "measure": "plays", "value": 9.0}],
    )  # fmt: skip
    for given in (("search", "nothing"), ("show", "nothing"), ("remove", "nothing")):
        assert run("catalogue", *given, *at)[0] == 1
    assert "is no ISRC" in run("catalogue", "search", "--isrc", "GB12", *at)[2]


def test_what_is_exported_is_what_is_held(folder: Path) -> None:
    for name in ("all.parquet", "all.csv"):
        code, told, said = run("catalogue", "export", folder / name, "-w", folder / "w", "--json")
        assert (code, told[0]["recordings"]) == (0, 3), said
        code, told, said = run("catalogue", "add", folder / name, "-w", folder / name.replace(".", "-"), "--json")
        assert (code, told[-1]["recordings"]) == (0, 3), said
        run("catalogue", "export", folder / "again.parquet", "-w", folder / name.replace(".", "-"))
        assert pq.read_table(folder / "again.parquet").to_pylist() == pq.read_table(folder / "all.parquet").to_pylist()
    assert run("catalogue", "export", folder / "all.jsonld", "stop", "-w", folder / "w")[0] == 0
    linked = json.loads((folder / "all.jsonld").read_text(encoding="utf-8"))
    assert linked["@context"] == "https://schema.org"
    assert [(each["name"], each["duration"]) for each in linked["@graph"]] == [
        ("Don't Stop", "PT3M5S"), ("Stop, Me Now", "PT3M20.5S"),
    ]  # fmt: skip
    code, _, said = run("catalogue", "export", folder / "all.xls", "-w", folder / "w")
    assert (code, "says no form" in said, (folder / "all.xls").exists()) == (2, True, False)
    code, _, _ = run("catalogue", "export", folder / "none.csv", "nothing", "-w", folder / "w")
    assert code == 1


def test_plays_are_kept_by_day(folder: Path) -> None:
    (folder / "plays.csv").write_text("recording,plays\nr-1,70\nGBABC1200002,80\nr-9,1\n")
    at = ("-w", folder / "w", "--json")
    code, told, said = run("catalogue", "popularity", folder / "plays.csv", "--as-of", "2026-02-01", *at)
    assert (code, told) == (0, [{"kind": "played", "on": "2026-02-01", "recordings": 2, "unknown": 1}]), said
    _, told, _ = run("catalogue", "show", "r-2", *at)
    assert (told[0]["popularity"], [each["on"] for each in told[0]["played"]]) == (80.0, ["2026-01-02", "2026-02-01"])


def test_rot_and_loss_are_told_with_where_a_copy_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sounds = {"a.bin": b"one", "copy.bin": b"one", "b.bin": b"two", "c.bin": b"three"}
    for name, octets in sounds.items():
        (tmp_path / name).write_bytes(octets)
    rows = "\n".join(f"r-{name},T,A,{name},{sha256(octets).hexdigest()}" for name, octets in sounds.items())
    (tmp_path / "masters.csv").write_text(f"recording,title,artist,path,sha256\n{rows}\n")
    code, _, said = run("catalogue", "add", "masters.csv")
    assert code == 0, said
    code, told, said = run("catalogue", "verify", "--json")
    assert (code, told) == (0, [{"kind": "scrub", "files": 4, "amiss": 0, "nowhere": 0}]), said
    (tmp_path / "a.bin").write_bytes(b"0ne")
    (tmp_path / "b.bin").unlink()
    code, told, said = run("catalogue", "verify", "--json")
    assert [(each["path"], each["state"], each["copies"]) for each in told[:-1]] == [
        ("a.bin", "rot", ["copy.bin"]), ("b.bin", "lost", []),
    ], said  # fmt: skip
    assert (code, told[-1]["amiss"]) == (1, 2)
    assert "the same is at copy.bin" in " ".join(run("catalogue", "verify")[2].split())
