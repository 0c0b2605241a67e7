"""What of ours is in a data set, by what it is known, and what had been said of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from typer.testing import CliRunner

from riparian.cli import app
from riparian.errors import RiparianError
from tests.feeds.dumps_drawn import FACTS

runner = CliRunner()
HELD = 120
"""Of the facts, so many are ours."""


def run(*given: object) -> tuple[int, list[dict[str, Any]], str]:
    done = runner.invoke(app, [str(each) for each in given])
    if isinstance(done.exception, RiparianError):
        return 2, [], done.exception.message
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done.exit_code, told, done.output


def one(told: list[dict[str, Any]], kind: str, **of: object) -> dict[str, Any]:
    return next(each for each in told if each["kind"] == kind and all(each[name] == of[name] for name in of))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("dataset")
    rows = [
        {
            "recording": f"r-{at}",
            "title": fact["title"],
            "artist": fact["artist"],
            "isrc": f"GBABC12{at:05}",
            "label": "Reed" if at % 2 else "North",
        }
        for at, fact in enumerate(FACTS[:HELD])
    ]
    pl.DataFrame(rows).write_csv(made / "ours.csv")
    assert run("catalogue", "add", made / "ours.csv", "-w", made / "w")[0] == 0
    terms = ("terms", "add", "-w", made / "w", "--label")
    assert run(*terms, "Reed", "permitted", "train", "mine", "--document", "deal.pdf")[0] == 0
    assert run(*terms, "North", "reserved", "train", "mine", "--document", "letter.eml")[0] == 0
    (made / "set").mkdir()
    items = [
        {
            "track_title": fact["title"].upper() if at >= 20 else "untitled",
            "artist": fact["artist"],
            "isrc": f"GB-ABC-12-{at:05}" if at < 20 else None,
            "license": "cc-by-4.0" if at % 2 else None,
        }
        for at, fact in enumerate(FACTS[:100])
    ]
    items += [{"track_title": f"Nobody's {at}", "artist": f"Nobody {at}"} for at in range(200)]
    pq.write_table(pa.Table.from_pylist(items), made / "set" / "train.parquet")
    (made / "set" / "README.md").write_text("---\npretty_name: Songs\nlicense: mit\n---\n", encoding="utf-8")
    return made


def test_items_are_ours_by_code_and_by_name(folder: Path) -> None:
    code, told, said = run("dataset", "audit", folder / "set", "-w", folder / "w", "--weigh", "0", "--json")
    assert code == 0, said
    summary = one(told, "summary")
    assert (summary["items"], summary["held"]) == (300, HELD)
    assert summary["levels"]["identifier"]["items"] == 20
    assert summary["levels"]["names"]["items"] == 80
    assert summary["ours"]["estimate"] == 100
    assert summary["ours"]["low"] < 100 == summary["ours"]["high"], "names alone may be mistaken"
    assert summary["control"]["found"] == 0 < summary["control"]["recordings"]


def test_terms_are_those_of_the_ledger(folder: Path) -> None:
    _, told, _ = run("dataset", "audit", folder / "set", "-w", folder / "w", "--weigh", "0", "--json")
    now = one(told, "terms", use="train", as_of_us=None)
    assert now["items"]["permitted"]["estimate"] == now["items"]["reserved"]["estimate"] == 50
    assert now["reserved_by_a_document"] == now["recordings"]["reserved"]


def test_what_was_said_later_was_not_said_when_it_was_published(folder: Path) -> None:
    asked = ("dataset", "audit", folder / "set", "-w", folder / "w", "--weigh", "0", "--published", "2020-01-01")
    _, told, _ = run(*asked, "--json")
    then = next(each for each in told if each["kind"] == "terms" and each["as_of_us"] is not None)
    assert then["items"]["permitted"]["estimate"] == 0, "nobody had permitted it"
    assert then["reserved_by_a_document"] == 0, "and nobody had reserved it"


def test_licences_are_rolled_up_with_the_card_s_where_an_item_says_none(folder: Path) -> None:
    _, told, _ = run("dataset", "audit", folder / "set", "-w", folder / "w", "--weigh", "0", "--json")
    assert one(told, "dataset")["licences"] == ["mit"]
    assert {each["licence"]: (each["items"], each["ours"]) for each in told if each["kind"] == "licence"} == {
        "mit": (250, 50),
        "cc-by-4.0": (50, 50),
    }


def test_items_that_are_ours_are_written(folder: Path) -> None:
    rows = folder / "rows.parquet"
    assert run("dataset", "audit", folder / "set", "-w", folder / "w", "--weigh", "0", "--rows", rows)[0] == 0
    table = pq.read_table(rows)
    assert table.num_rows == 100
    first = table.slice(0, 1).to_pylist()[0]
    assert (first["row"], first["by"], first["ours_recording"], first["licence"]) == (0, "identifier", "r-0", "mit")


@pytest.mark.slow
def test_the_rest_is_weighed(folder: Path) -> None:
    items = [{"title": f"{fact['title']}x", "artist": fact["artist"]} for fact in FACTS[:60]]
    (folder / "near").mkdir()
    pq.write_table(pa.Table.from_pylist(items), folder / "near" / "a.parquet")
    _, told, said = run("dataset", "audit", folder / "near", "-w", folder / "w", "--json")
    assert told, said
    weighed = one(told, "summary")["weighed"]
    assert weighed["asked"] == weighed["left"] > 0
    assert weighed["ours"]["low"] <= weighed["ours"]["estimate"] <= weighed["ours"]["high"]


REFUSED = {
    "nothing there": (("set/none",), "does not exist"),
    "no data set": (("ours.csv/x",), "does not exist"),
    "an odd map": (("set", "--map", "title"), "has no column"),
    "an odd number": (("set", "--weigh", "-1"), "wanted 0 or more"),
    "an odd share": (("set", "--listen", "2"), "wanted a share"),
    "sound without prints": (("set", "--weigh", "0", "--listen", "1"), "has no prints"),
    "rows that are no table": (("set", "--weigh", "0", "--rows", "a.xyz"), "ends in none of"),
}


@pytest.mark.parametrize("situation", REFUSED)
def test_what_cannot_be_audited_is_refused(situation: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    given, why = REFUSED[situation]
    code, _, said = run("dataset", "audit", *given, "-w", folder / "w")
    assert code == 2
    assert why in said


def tones(path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = 220 * 2 ** (rng.integers(0, 30, (2, 100)) / 12)
    times = np.arange(40 * 22_050) / 22_050
    soundfile.write(path, sum(0.2 * np.sin(2 * np.pi * np.repeat(each, 8_820) * times) for each in steps), 22_050)


@pytest.mark.slow
def test_files_are_ours_by_their_octets_and_by_their_sound(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for seed in range(3):
        tones(tmp_path / f"{seed}.flac", seed)
    workspace = ("-w", tmp_path / "w")
    assert run("prints", "add", tmp_path / "0.flac", tmp_path / "1.flac", *workspace)[0] == 0
    assert run("catalogue", "add", tmp_path / "0.flac", tmp_path / "1.flac", *workspace)[0] == 0
    (tmp_path / "set" / "renamed.flac").write_bytes((tmp_path / "0.flac").read_bytes())
    (tmp_path / "set" / "stranger.flac").write_bytes((tmp_path / "2.flac").read_bytes())
    cut, rate = soundfile.read(tmp_path / "1.flac")
    soundfile.write(tmp_path / "set" / "cut.wav", cut[5 * rate :], rate)
    code, told, said = run("dataset", "audit", tmp_path / "set", *workspace, "--weigh", "0", "--listen", "1", "--json")
    assert code == 0, said
    assert one(told, "summary")["levels"]["hash"] == {"items": 1, "recordings": 1}
    assert one(told, "sound")["files_ours"]["estimate"] == 2


def test_nothing_of_ours_ends_with_1(folder: Path) -> None:
    (folder / "none").mkdir()
    pq.write_table(pa.table({"title": ["Nobody's"], "artist": ["Nobody"]}), folder / "none" / "a.parquet")
    code, _, said = run("dataset", "audit", folder / "none", "-w", folder / "w", "--weigh", "0")
    assert code == 1, said
