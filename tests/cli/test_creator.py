import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riparian.cli import app

RUN = CliRunner()
ARTISTS = ("Ember Slate", "North Kelp")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("creators")
    rows = [
        f"r{i},Song {i} Of The River,{ARTISTS[i % 2]},{'Reed' if i % 5 else 'Quick'},{180_000 + i}" for i in range(60)
    ]
    (folder / "ours.csv").write_text("recording,title,artist,owner,duration_ms\n" + "\n".join(rows), encoding="utf-8")
    found = [
        {"kind": "copy", "recording": f"r{i}", "path": f"mirror/{i}.mp3", "error": 10.0**-i, "exact": i == 4}
        for i in range(6)
    ]
    (folder / "found.jsonl").write_text("\n".join(map(json.dumps, found)), encoding="utf-8")
    assert say(folder, "catalogue", "add", str(folder / "ours.csv"))[0] == 0
    return folder


def say(folder: Path, *words: str) -> tuple[int, str]:
    done = RUN.invoke(app, [*words, "-w", str(folder / "workspace")])
    return done.exit_code if not done.exception or isinstance(done.exception, SystemExit) else 2, done.output


def statement(folder: Path, to: Path, *more: str) -> tuple[int, list[dict[str, object]]]:
    words = ("creator", "statement", "--by", "Reed", "--to", str(to), "--json", *more)
    code, text = say(folder, *words)
    return code, [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_a_statement_is_written_in_three_forms_and_each_is_checked(folder: Path, tmp_path: Path) -> None:
    code, (told,) = statement(folder, tmp_path, "--artist", "Ember Slate", "--found", str(folder / "found.jsonl"))
    assert (code, told["totals"]) == (
        0,
        # r0 has a chance of 1 of being wrong and is left out; r2 and r4 remain, r1, r3 and r5 are another's.
        {"findings": 2, "recordings": 2, "expected_mistakes": 0.0101, "without_error": 0},
    )
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["statement.html", "statement.jws", "statement.pdf"]
    for path in sorted(tmp_path.iterdir()):
        done = RUN.invoke(app, ["creator", "verify", str(path), "--key", str(told["key"])])
        assert (path.name, done.exit_code) == (path.name, 0)
        assert "Genuine" in done.output


@pytest.mark.parametrize("name", ["statement.html", "statement.pdf", "statement.jws"])
def test_a_form_that_says_something_else_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    _, (told,) = statement(folder, tmp_path, "--artist", "Ember Slate", "--found", str(folder / "found.jsonl"))
    octets = (tmp_path / name).read_bytes()
    middle = octets.index(b"River") if name == "statement.html" else len(octets) // 2
    (tmp_path / name).write_bytes(octets[:middle] + bytes([octets[middle] ^ 1]) + octets[middle + 1 :])
    done = RUN.invoke(app, ["creator", "verify", str(tmp_path / name), "--key", str(told["key"])])
    assert done.exit_code != 0


def test_who_nothing_was_found_of_is_told_so(folder: Path, tmp_path: Path) -> None:
    code, (told,) = statement(folder, tmp_path, "--label", "Quick")
    assert (code, told["found"]) == (1, [])


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--artist", "Ember Slate", "--label", "Reed"), id="both"),
        pytest.param((), id="neither"),
        pytest.param(("--artist", "Nobody Known"), id="an artist of whom nothing is held"),
    ],
)
def test_a_statement_is_of_one_who_is_held(folder: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert statement(folder, tmp_path, *words)[0] == 2


def test_what_cases_found_is_told_unless_they_are_under_seal(folder: Path, tmp_path: Path) -> None:
    def case(*words: str) -> None:
        assert say(folder, "case", *words)[0] == 0

    for key, recording, more in (("C1", "r6", ()), ("C2", "r8", ("--sealed",))):
        case("open", "A mirror", *more)
        case("add", key, "work", f"recording={recording}")
        case("add", key, "location", "url=https://mirror-example.to/6")
        case("add", key, "finding", "location=L1", f"recording={recording}", "how=sound", "error=1e-9")
        case("add", key, "finding", "location=L1", f"recording={recording}", "how=mark", "error=1e-9")
    _, (told,) = statement(folder, tmp_path, "--artist", "Ember Slate")
    assert [(one["recording"], one["where"], one["source"]) for one in told["found"]] == [  # type: ignore[attr-defined]
        ("r6", "https://mirror-example.to/6", "C1")
    ]
    shutil.rmtree(folder / "workspace" / "custody", ignore_errors=True)
    for file in (folder / "workspace").glob("cases.*"):
        file.unlink()


def test_kits_are_of_every_artist_of_whom_something_was_found(folder: Path, tmp_path: Path) -> None:
    words = ("--by", "Reed", "--to", str(tmp_path), "--contact", "a@b.example", "--key-at", "https://b.example/key")
    code, text = say(folder, "creator", "kit", *words, "--found", str(folder / "found.jsonl"), "--json")
    told = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert code == 0
    assert {one["artist"]: one["findings"] for one in told} == {"Ember Slate": 2, "North Kelp": 2}
    assert len(list((tmp_path / "Ember Slate").iterdir())) == 6


def test_strangers_and_dossiers_are_told_as_json(folder: Path) -> None:
    code, text = say(folder, "creator", "strangers", "Ember Slate", "--json")
    kinds = [json.loads(line)["kind"] for line in text.splitlines() if line.startswith("{")]
    assert (code, kinds) == (0, ["stranger"] * 6 + ["summary"])
    assert say(folder, "creator", "dossier", "--json")[0] == 1
