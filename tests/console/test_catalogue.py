"""The catalogue as people and programs get it: what the commands say, what may be done, and what left of it."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from riparian import assembly
from riparian.assembly import Given
from riparian.catalogue.popularity import Popularity
from riparian.console.pages import catalogue
from riparian.console.site import console_app
from riparian.flows.findings import left
from tests.console.asking import Browser
from tests.console.hostile import HARM, harm_in, run
from tests.console.known import Known

SAID: Final = """recording,title,artist,album,released,popularity,label,isrc,markets
r-1,Harbour lights,Björk,Sea,2002-05-01,900,North,GBABC1200001,
r-2,Harbour <script>alert(1)</script>,Saltmarsh,Sea,2010-01-01,90,North,GBABC1200002,DE FR
r-3,Paper boats,Saltmarsh,Rivers,2020-06-01,10,South,GBABC1200003,
r-4,,,,,,,,
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hand out four recordings, terms of some of them, and a file of one that is lost."""
    folder = tmp_path_factory.mktemp("held")
    (folder / "ours.csv").write_text(SAID, encoding="utf-8")
    files = f"recording,path,sha256\nr-1,{folder / 'gone.wav'},{'ab' * 32}\n"
    (folder / "masters.csv").write_text(files, encoding="utf-8")
    made = folder / "workspace"
    run("catalogue", "add", folder / "ours.csv", folder / "masters.csv", "-w", made, "--as-of", "2026-01-01")
    return made


@pytest.fixture(scope="module")
def spoken(workspace: Path) -> Path:
    words = ("-w", workspace, "--document", "deal.pdf")
    run("terms", "add", "permitted", "stream", "--all", *words)
    run("terms", "add", "permitted", "train", "--recording", "r-2", "--in", "DE", *words)
    run("terms", "add", "reserved", "mine", "--label", "North", *words)
    return workspace


@pytest.fixture(scope="module")
def client(workspace: Path) -> Browser:
    return Browser(console_app(Given(workspace), Known()))


def told(*words: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words).splitlines()]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        pytest.param({}, (), id="all"),
        pytest.param({"text": "harbour"}, ("harbour",), id="a word"),
        pytest.param({"text": "GB-ABC-12-00003"}, ("GB-ABC-12-00003",), id="an identifier"),
        pytest.param({"artist": "saltmarsh", "sort": "title"}, ("--artist", "saltmarsh", "--sort", "title"), id="by"),
        pytest.param({"released_from": "2005-01-01"}, ("--released-from", "2005-01-01"), id="released"),
        pytest.param({"territory": "DE", "reverse": "1"}, ("--territory", "DE", "--reverse"), id="in a country"),
        pytest.param({"owner": "south", "sort": "added"}, ("--owner", "south", "--sort", "added"), id="a label"),
    ],
)
def test_a_search_finds_what_the_command_finds(
    client: Browser, workspace: Path, asked: dict[str, str], words: tuple[str, ...]
) -> None:
    page = client.get("/catalogue", params={**asked, "json": ""}).json()
    *rows, last = told("catalogue", "search", *words, "-w", workspace, "--json")
    shown = [
        {**{k: v for k, v in row.items() if k not in {"terms", "taken"}}, "kind": "recording"}
        for row in page["recordings"]
    ]
    assert (shown, page["found"]) == (rows, last["total"])
    assert client.get("/catalogue", params=asked).status_code == 200


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param({"territory": "Germany"}, "no country", id="no country"),
        pytest.param({"released_from": "may"}, "no day", id="no day"),
        pytest.param({"term": "sell"}, "no term", id="no use"),
        pytest.param({"sort": "length"}, "no order", id="no order"),
        pytest.param({"isrc": "x"}, "no ISRC", id="no ISRC"),
        pytest.param({"text": "..."}, "neither letters", id="no word"),
        pytest.param({"after": "r-99"}, "begins nowhere", id="a page that begins nowhere"),
    ],
)
def test_what_cannot_be_asked_is_told(client: Browser, asked: dict[str, str], found: str) -> None:
    answer = client.get("/catalogue", params={**asked, "json": ""})
    assert (answer.status_code, found in answer.json()["found"]) == (404, True)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"sort": sort, "reverse": reverse}, id=f"{sort}{' reversed' if reverse else ''}")
        for sort in (
            "relevance",
            "added",
            "album",
            "artist",
            "duration",
            "popularity",
            "recording",
            "released",
            "title",
        )
        for reverse in ("", "1")
    ]
    + [pytest.param({"text": "harbour"}, id="words")],
)
def test_pages_are_the_whole_and_each_recording_once(
    client: Browser, monkeypatch: pytest.MonkeyPatch, asked: dict[str, str]
) -> None:
    whole = [row["recording"] for row in client.get("/catalogue", params={**asked, "json": ""}).json()["recordings"]]
    monkeypatch.setattr(catalogue, "ROWS", 1)
    found: list[str] = []
    after = ""
    while after or not found:
        page = client.get("/catalogue", params={**asked, "after": after, "json": ""}).json()
        found += [row["recording"] for row in page["recordings"]]
        after = page["after"]
    assert len(whole) >= 2
    assert found == whole


def test_a_recording_is_told_as_the_command_tells_it(client: Browser, workspace: Path) -> None:
    page = client.get("/recording?id=gb-abc-12-00001&json").json()
    (whole,) = told("catalogue", "show", "gb-abc-12-00001", "-w", workspace, "--json")
    (one,) = page["recordings"]
    assert {name: one[name] for name in whole if name != "fixity"} == {k: v for k, v in whole.items() if k != "fixity"}
    assert client.get("/recording").status_code == client.get("/recording?id=r-9").status_code == 404


def test_terms_are_decided_as_the_command_decides_them(client: Browser, spoken: Path) -> None:
    (one,) = client.get("/recording?id=r-2&json").json()["recordings"]
    assert [place["territory"] for place in one["decided"]] == ["", "DE"]
    for place in one["decided"]:
        where = ("--in", place["territory"]) if place["territory"] else ()
        for use, held in place["uses"].items():
            (said,) = told("terms", "show", "--recording", "r-2", "--use", use, *where, "-w", spoken, "--json")
            assert (held["stance"], held["document"] or "nobody") == (said["stance"], said["document"] or "nobody")
    row = next(row for row in client.get("/catalogue?json").json()["recordings"] if row["recording"] == "r-3")
    assert row["terms"] == {
        "stream": "permitted",
        "download": "nothing said",
        "train": "nothing said",
        "mine": "nothing said",
    }
    reserved = client.get("/catalogue?term=mine:reserved&json").json()["recordings"]
    assert {row["recording"] for row in reserved} == {"r-1", "r-2"}


def test_what_a_scrub_found_of_files_is_told(client: Browser, workspace: Path) -> None:
    assert "not known: riparian catalogue verify" in client.get("/recording?id=r-1").text
    with pytest.raises(AssertionError):
        run("catalogue", "verify", "-w", workspace)
    (one,) = client.get("/recording?id=r-1&json").json()["recordings"]
    assert [file["state"] for file in one["fixity"]] == ["lost"]
    assert "1 of them amiss" in client.get("/catalogue").text


def test_no_text_of_the_catalogue_is_more_than_text(client: Browser) -> None:
    asked = [f"/recording?id={name}" for name in ("r-1", "r-2", "r-4")]
    for path in ["/catalogue", "/catalogue?text=harbour", *asked]:
        assert harm_in(client.get(path).text) == []
    for harm in HARM:
        for name in ("text", "artist", "owner", "isrc", "territory", "term", "sort", "after", "released_from"):
            assert harm_in(client.get("/catalogue", params={name: harm}).text) == []


def test_an_empty_workspace_names_the_command_that_fills_it(tmp_path: Path) -> None:
    client = Browser(console_app(Given(tmp_path), Known()))
    assert "riparian catalogue add FILE" in client.get("/catalogue").text
    assert not (tmp_path / "catalogue.duckdb").exists()
    assert "Nothing was scanned yet" not in client.get("/catalogue").text


# --- what left -----------------------------------------------------------------------------------------------------


def test_what_restrained_accounts_took_adds_up(town: Path) -> None:
    client = Browser(console_app(Given(town), Known()))
    page = client.get("/catalogue?sort=popularity&json").json()
    while not page["exposed_is_current"]:
        page = client.get("/catalogue?sort=popularity&json").json()
    with assembly.kept_house(Given(town)) as house:
        reached = left(house.world, house.terms)
        recordings = house.world.catalogue.recordings()
    assert [row["recordings"] for row in page["exposed"]["left"]] == [one["recordings"] for one in reached.values()]
    bands = page["exposed"]["by_plays"]
    assert sum(band["recordings"] for band in bands) == Popularity.of(recordings).size
    assert sum(band["taken"] for band in bands) == reached["restrained"]["recordings"]
    assert sum(band["plays_taken"] for band in bands) == pytest.approx(reached["restrained"]["plays"])
    assert [round(band["plays"], 1) for band in bands] == [0.5, 0.4, 0.1]
    taken = [row["taken"] for row in page["recordings"]]
    assert all(0 <= one["held"] <= one["restrained"] <= page["exposed"]["accounts"] for one in taken)
    assert any(one["restrained"] for one in taken)


def test_a_catalogue_that_no_log_was_scanned_for_says_so(client: Browser) -> None:
    assert "Nothing was scanned yet" in client.get("/catalogue").text
