import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riparian import assembly
from riparian.catalogue.holdings import HELD, Document, Holding, table_of
from riparian.cli.dump import app
from riparian.errors import InputError
from tests.feeds.dumps_drawn import FACTS, zipped

pytestmark = pytest.mark.slow


@pytest.fixture(name="workspace", scope="module")
def _workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house") / "riparian-workspace"
    rows = [{"recording": f"r-{n}", "title": one["title"], "artist": one["artist"]} for n, one in enumerate(FACTS)]
    with assembly.holdings(assembly.Given(folder)) as holdings:
        holdings.take(Holding(Document("ours", "table"), recordings=table_of(rows, HELD)))
    return folder


def asked(workspace: Path, *words: str) -> tuple[int, list[dict[str, object]], BaseException | None]:
    done = CliRunner().invoke(app, ["match", *words, "--workspace", str(workspace), "--json"])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines() if line], done.exception


def test_a_list_in_an_archive_is_told_from_its_rows_to_its_sum(workspace: Path, tmp_path: Path) -> None:
    lines = [f"{one['artist']} - {one['title']}".upper() for one in FACTS[:150]]
    lines += [f"Nobody {n} - Unheard Of {n * 7}" for n in range(150)]
    (tmp_path / "found.zip").write_bytes(zipped(list__txt="\n".join(lines).encode()))
    page, rows = tmp_path / "report.html", tmp_path / "rows.csv"
    code, told, _ = asked(workspace, str(tmp_path / "found.zip"), "--report", str(page), "--rows", str(rows))
    assert code == 0
    assert told[0]["kind"] == "sheet"
    assert told[-1]["kind"] == "summary"
    ours = told[-1]["rows_ours"]
    assert isinstance(ours, dict)
    assert ours["low"] <= 150 <= ours["high"]
    assert "rows are recordings of ours" in page.read_text(encoding="utf-8")
    assert len(rows.read_text(encoding="utf-8").splitlines()) == 301


def test_a_list_of_strangers_ends_with_one(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "found").write_text("\n".join(f"Zyx {n * n} - Qwv {n * 7}" for n in range(300)), encoding="utf-8")
    code, told, _ = asked(workspace, str(tmp_path / "found"))
    assert code == 1
    assert told[-1]["kind"] == "summary"


WRONG = {
    "a share above one": (["--sample", "2"], "wanted a share"),
    "a field without a column": (["--map", "title"], "has no column"),
    "a field that is none": (["--map", "tittle=x"], "is no field"),
    "a file that is not there": (["nowhere.csv"], "does not exist"),
    "rows in a form that is none": (["--rows", "rows.xls"], "ends in none of"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_asked_wrongly_is_refused(what: str, workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "found").write_text("\n".join(f"{one['artist']} - {one['title']}" for one in FACTS), encoding="utf-8")
    words, why = WRONG[what]
    code, _, error = asked(workspace, str(tmp_path / "found"), *words)
    assert code == 1
    assert isinstance(error, InputError)
    assert why in error.message


def test_a_workspace_without_a_catalogue_says_so(tmp_path: Path) -> None:
    (tmp_path / "found").write_text("A - B\n" * 9, encoding="utf-8")
    with assembly.holdings(assembly.Given(tmp_path / "house")):
        pass
    _, _, error = asked(tmp_path / "house", str(tmp_path / "found"))
    assert isinstance(error, InputError)
    assert "no catalogue" in error.message
