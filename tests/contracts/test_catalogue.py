"""What is promised of ``ports.catalogue.Holdings`` holds in memory and in a file."""

import datetime as dt
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riparian.catalogue.holdings import (
    FIXITY,
    HELD,
    IDENTIFIER,
    PLAYED,
    RELEASE,
    TITLE,
    TRACK,
    Document,
    Holding,
    table_of,
)
from riparian.errors import InputError, LifecycleError, OutsideError
from riparian.ports.catalogue import Looked, Question, Sort, State
from riparian.schema import TERM
from riparian.stores.catalogue import DuckHoldings, file
from riparian.stores.memory import FixedClock
from riparian.stores.workspace import Workspace
from tests.contracts import test_killed
from tests.contracts.test_killed import killed_before, killings

NOW = 1_750_000_000_000_000
MBID = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
ISRC = "GBABC1200001"
Rows = Sequence[Mapping[str, Any]]


def opened(folder: Path | None) -> DuckHoldings:
    return DuckHoldings(folder, FixedClock(NOW), threads=1)


@pytest.fixture(params=["memory", "file"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DuckHoldings]:
    made = opened(None if request.param == "memory" else tmp_path)
    yield made
    made.close()


def said(name: str, recordings: Rows = (), number: int = 0, **parts: Any) -> Holding:
    document = Document(name, "table", digest=f"digest of {name}")
    return Holding(document, number, table_of(recordings, HELD), **parts)


def names(holdings: DuckHoldings) -> list[str]:
    table = holdings.recordings()
    return [] if table is None else table["recording"].to_pylist()


def found(holdings: DuckHoldings, text: str = "", **filters: Any) -> list[str]:
    page = holdings.search(Question(text, **filters))
    assert page.total == len(page.recordings)
    return page.recordings["recording"].to_pylist()  # type: ignore[no-any-return]


def test_an_empty_catalogue_knows_nothing(kept: DuckHoldings) -> None:
    assert kept.recordings() is None
    assert (found(kept), kept.entries("r-1"), kept.remove(["r-1"]), kept.documents(), kept.check()) == (
        [],
        [],
        0,
        [],
        [],
    )
    assert (kept.terms().num_rows, list(kept.whole()), list(kept.refusals()), kept.totals()["recordings"]) == (
        0,
        [],
        [],
        0,
    )
    assert (kept.scrub(1).left, kept.unseen(3), list(kept.amiss())) == (0, [], [])


MEANT: Mapping[str, tuple[list[Rows], list[tuple[str, str | None]]]] = {
    "a name that is there is that recording": (
        [[{"recording": "r-1", "title": "One"}], [{"recording": "r-1", "album": "A"}]],
        [("r-1", "One")],
    ),
    "what a later document does not say stays, what it says replaces": (
        [[{"recording": "r-1", "title": "One", "artist": "X"}], [{"recording": "r-1", "title": "Won"}]],
        [("r-1", "Won")],
    ),
    "a delivery that speaks of an ISRC means whatever has it": (
        [[{"recording": "r-1", "isrc": ISRC}], [{"recording": ISRC, "isrc": ISRC, "title": "One"}]],
        [("r-1", "One")],
    ),
    "an ISRC is the same with hyphens and in lower case": (
        [[{"recording": "r-1", "isrc": "gb-abc-12-00001"}], [{"recording": ISRC, "isrc": ISRC, "title": "One"}]],
        [("r-1", "One")],
    ),
    "whoever names what was known by its ISRC alone names it from then on": (
        [[{"recording": ISRC, "isrc": ISRC, "title": "One"}], [{"recording": "r-1", "isrc": ISRC}]],
        [("r-1", "One")],
    ),
    "two names of one's own are two recordings, whatever they share": (
        [
            [
                {"recording": "r-1", "isrc": ISRC, "title": "One"},
                {"recording": "r-2", "isrc": ISRC, "title": "One (live)"},
            ]
        ],
        [("r-1", "One"), ("r-2", "One (live)")],
    ),
    "of two with one ISRC the first is meant": (
        [
            [{"recording": "r-1", "isrc": ISRC}, {"recording": "r-2", "isrc": ISRC}],
            [{"recording": ISRC, "isrc": ISRC, "title": "One"}],
        ],
        [("r-1", "One"), ("r-2", None)],
    ),
    "of two that name what was known by its ISRC the first does": (
        [
            [{"recording": ISRC, "isrc": ISRC, "title": "One"}],
            [{"recording": "r-1", "isrc": ISRC}, {"recording": "r-2", "isrc": ISRC}],
        ],
        [("r-1", "One"), ("r-2", None)],
    ),
    "MusicBrainz's name leads to ours by the ISRC beside it": (
        [[{"recording": "r-1", "isrc": ISRC}], [{"recording": MBID, "mbid": MBID, "isrc": ISRC, "title": "One"}]],
        [("r-1", "One")],
    ),
    "in one batch, too": (
        [
            [
                {"recording": MBID, "mbid": MBID, "isrc": ISRC, "title": "One"},
                {"recording": ISRC, "isrc": ISRC},
                {"recording": "r-1", "mbid": MBID},
            ]
        ],
        [("r-1", "One")],
    ),
    "a release's code is not a recording's": (
        [[{"recording": "r-1", "upc": "0602557190298"}, {"recording": "r-2", "upc": "0602557190298", "title": "Two"}]],
        [("r-1", None), ("r-2", "Two")],
    ),
    "the last of two rows of one name counts, value by value": (
        [
            [
                {"recording": "r-1", "title": "One"},
                {"recording": "r-1", "title": "Won"},
                {"recording": "r-1", "album": "A"},
            ]
        ],
        [("r-1", "Won")],
    ),
}


@pytest.mark.parametrize("situation", MEANT)
def test_the_recording_is_found_that_is_meant(situation: str) -> None:
    batches, wanted = MEANT[situation]
    kept = opened(None)
    for number, rows in enumerate(batches):
        kept.take(said(f"document {number}", rows))
    rows = [] if (table := kept.recordings()) is None else table.to_pylist()
    assert [(row["recording"], row.get("title")) for row in rows] == wanted
    assert kept.check() == []
    kept.close()


def test_everything_that_is_said_of_a_recording_is_told(kept: DuckHoldings) -> None:
    taken = kept.take(
        said(
            "a.xml",
            [{"recording": ISRC, "isrc": ISRC, "title": "One", "label": "Quay"}],
            identifiers=table_of([{"recording": ISRC, "kind": "own:X", "value": "77"}], IDENTIFIER),
            titles=table_of([{"recording": ISRC, "title": "Eins", "language": "de"}], TITLE),
            releases=table_of([{"release": "0602557190298", "title": "Album"}], RELEASE),
            tracks=table_of([{"release": "0602557190298", "recording": ISRC, "disc": 1, "track": 3}], TRACK),
            played=table_of([{"recording": ISRC, "on": dt.date(2026, 1, 1), "value": 7.0}], PLAYED),
            terms=table_of(
                [
                    {"scope": "recording", "subject": ISRC, "use": "train", "says": "reserved", "document": "a.xml"},
                    {"scope": "label", "subject": "QUAY", "use": "mine", "says": "reserved", "document": "a.xml"},
                ],
                TERM,
            ),
            fixity=table_of(
                [
                    {"recording": ISRC, "path": "/a", "algorithm": "sha256", "digest": "aa"},
                    {"recording": "nobody", "path": "/b", "algorithm": "sha256", "digest": "bb"},
                ],
                FIXITY,
            ),
            refused=[("R9", "`Q` is no ISRC, wanted one")],
        )
    )
    assert (taken.new, taken.unknown, taken.refused) == (1, 1, 1)
    kept.take(said("b.csv", [{"recording": "r-1", "isrc": ISRC}]))
    (entry,) = kept.entries("gb-abc-12-00001")
    assert (entry.recording["recording"], entry.recording["popularity"], entry.is_held) == ("r-1", 7.0, True)
    assert entry.parts["titles"] == [{"title": "Eins", "language": "de"}]
    assert entry.parts["identifiers"] == [{"kind": "isrc", "value": ISRC}, {"kind": "own:X", "value": "77"}]
    assert entry.parts["releases"] == [{"disc": 1, "track": 3, "release": "0602557190298", "title": "Album"}]
    assert entry.parts["played"] == [{"on": dt.date(2026, 1, 1), "measure": "plays", "value": 7.0}]
    assert [term["use"] for term in entry.parts["terms"]] == ["train", "mine"]
    assert [each["path"] for each in entry.parts["fixity"]] == ["/a"]
    assert [each["name"] for each in entry.parts["documents"]] == ["a.xml", "b.csv"]
    assert [(each["place"], each["document"]) for each in kept.refusals()] == [("R9", "a.xml")]
    # The ledger names recordings as they are named now, and says when it was told.
    assert kept.terms()["subject"].to_pylist() == ["r-1", "QUAY"]
    assert {stated.timestamp() * 1e6 for stated in kept.terms()["stated"].to_pylist()} == {NOW}
    assert kept.entries("77")[0].recording["recording"] == kept.entries("r-1")[0].recording["recording"] == "r-1"


def test_the_latest_day_on_which_plays_were_counted_says_how_popular_something_is(kept: DuckHoldings) -> None:
    kept.take(said("a.csv", [{"recording": "r-1"}]))
    for day, value in ((3, 30.0), (1, 10.0), (2, 20.0)):
        rows = [{"recording": "r-1", "on": dt.date(2026, 1, day), "measure": "plays", "value": value}]
        kept.take(said(f"plays {day}", played=table_of(rows, PLAYED)))
    (entry,) = kept.entries("r-1")
    assert entry.recording["popularity"] == 30.0
    assert [each["value"] for each in entry.parts["played"]] == [10.0, 20.0, 30.0]


def test_a_batch_that_was_taken_is_not_taken_again(kept: DuckHoldings) -> None:
    first, second = said("a.csv", [{"recording": "r-1"}]), said("a.csv", [{"recording": "r-2"}], number=1)
    terms = table_of([{"scope": "all", "subject": "", "use": "train", "says": "reserved", "document": "a"}], TERM)
    first = replace(first, terms=terms)
    assert kept.take(first).batches == 1
    state = kept.state
    again = kept.take(first, second)
    assert (again.batches, again.again, names(kept), kept.terms().num_rows) == (1, 1, ["r-1", "r-2"], 1)
    assert kept.state != state
    state = kept.state
    assert (kept.take(first, second, ended=[first.document]).again, kept.state) == (2, state)
    assert kept.forget(["a.csv", "b.csv"]) == 1
    assert kept.take(first).batches == 1


def test_a_document_without_a_digest_is_another_one_once_it_has_ended(kept: DuckHoldings) -> None:
    document = Document("list", "table")
    for taken, ended in ((1, []), (0, []), (0, [document]), (1, [])):
        holding = Holding(document, 0, table_of([{"recording": "r-1"}], HELD))
        assert kept.take(holding, ended=ended).batches == taken


def test_what_a_list_of_all_leaves_out_is_not_held_and_not_forgotten(kept: DuckHoldings) -> None:
    kept.take(said("a.csv", [{"recording": "r-1", "title": "One"}, {"recording": "r-2", "title": "Two"}]))
    kept.keep(pa.table({"recording": ["r-2", "r-3"], "popularity": [1.0, None]}))
    assert (names(kept), found(kept, "one")) == (["r-2", "r-3"], [])
    (gone,) = kept.entries("r-1")
    assert (gone.is_held, gone.recording["title"]) == (False, "One")
    kept.take(said("b.csv", [{"recording": "r-1"}]))
    assert (names(kept), found(kept, "one")) == (["r-1", "r-2", "r-3"], ["r-1"])
    # A column that the list has is as it stands there; others stay.
    kept.keep(pa.table({"recording": ["r-2"], "popularity": pa.array([None], pa.float64())}))
    assert kept.recordings().to_pylist() == [{"recording": "r-2", "title": "Two"}]  # type: ignore[union-attr]
    assert kept.check() == []
    # The list is one document, however often it is given.
    assert [each["name"] for each in kept.documents()].count("a list of all that is held") == 1


def test_what_is_removed_is_gone_and_its_number_is_not_given_again(kept: DuckHoldings) -> None:
    kept.take(said("a.csv", [{"recording": "r-1", "title": "One"}, {"recording": "r-2", "title": "Two"}]))
    assert kept.remove(["r-2", "r-9"]) == 1
    assert (found(kept, "two"), kept.entries("r-2"), kept.check()) == ([], [], [])
    kept.take(said("b.csv", [{"recording": "r-3", "title": "Three"}]))
    assert (names(kept), found(kept, "two"), kept.check()) == (["r-1", "r-3"], [], [])


SHELF: Rows = [
    {"recording": "r-1", "title": "Don't Stop", "artist": "Björk", "album": "Harbour", "isrc": "GBABC1200001",
     "popularity": 5.0, "released": dt.date(2001, 5, 1), "markets": "DE FR", "owner": "Quay Ltd"},
    {"recording": "r-2", "title": "Stop Me Now", "artist": "Кино", "isrc": "GBABC1200002", "popularity": 9.0,
     "released": dt.date(2011, 5, 1), "duration_ms": 200_000, "label": "Dock"},
    {"recording": "r-3", "title": "北京欢迎你", "artist": "Various", "album": "Stop", "duration_ms": 100_000},
    {"recording": "r-4", "title": "Love Love Love", "artist": "Stop Signs", "markets": "", "popularity": 1.0},
]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        pytest.param({"text": "dont stop"}, ["r-1"], id="all words, without apostrophes"),
        pytest.param({"text": "stop dont"}, ["r-1"], id="in any order"),
        pytest.param({"text": "bjork"}, ["r-1"], id="without accents"),
        pytest.param({"text": "BJÖRK"}, ["r-1"], id="or with, in any case"),
        pytest.param({"text": "kino now"}, ["r-2"], id="over fields, in other letters"),
        pytest.param({"text": "北京"}, ["r-3"], id="part of a Chinese title"),
        pytest.param({"text": "beijing"}, ["r-3"], id="as it is read"),
        pytest.param({"text": "har"}, ["r-1"], id="the beginning of the last word"),
        pytest.param({"text": "har "}, [], id="a word that is whole"),
        pytest.param({"text": "ha stop"}, [], id="the beginning of another word"),
        pytest.param({"text": "stop"}, ["r-1", "r-2", "r-4", "r-3"], id="a title before an artist"),
        pytest.param({"text": "stop", "reverse": True}, ["r-3", "r-4", "r-2", "r-1"], id="the other way round"),
        pytest.param({"text": "love stop"}, ["r-4"], id="title and artist"),
        pytest.param({"text": "r-3"}, ["r-3"], id="a name"),
        pytest.param({"text": "gb-abc-12-00002"}, ["r-2"], id="an identifier, however written"),
        pytest.param({"text": "nothing of it"}, [], id="nothing"),
        pytest.param({}, ["r-1", "r-2", "r-3", "r-4"], id="all"),
        pytest.param({"reverse": True}, ["r-4", "r-3", "r-2", "r-1"], id="all, the last one first"),
        pytest.param({"artist": "stop"}, ["r-4"], id="a word of the artist alone"),
        pytest.param({"text": "stop", "owner": "quay"}, ["r-1"], id="of an owner"),
        pytest.param({"owner": "dock"}, ["r-2"], id="or a label"),
        pytest.param({"isrc": "gbabc1200001"}, ["r-1"], id="an ISRC"),
        pytest.param({"released_from": dt.date(2001, 5, 2)}, ["r-2"], id="released later"),
        pytest.param({"released_to": dt.date(2001, 5, 1)}, ["r-1"], id="released before"),
        pytest.param({"territory": "fr"}, ["r-1", "r-2", "r-3", "r-4"], id="in a market, or everywhere"),
        pytest.param({"territory": "GB"}, ["r-2", "r-3", "r-4"], id="not in that market"),
        pytest.param({"term": "train"}, ["r-1", "r-2"], id="of which something is said of training"),
        pytest.param({"term": "train:permitted"}, ["r-2"], id="that it may be done"),
        pytest.param({"term": "mine"}, ["r-1", "r-2", "r-3", "r-4"], id="said of everything"),
        pytest.param({"sort": Sort.TITLE}, ["r-1", "r-4", "r-2", "r-3"], id="by title"),
        pytest.param({"sort": Sort.POPULARITY}, ["r-2", "r-1", "r-4", "r-3"], id="by plays, the most played first"),
        pytest.param({"sort": Sort.DURATION, "reverse": True}, ["r-3", "r-2", "r-1", "r-4"], id="by length"),
        pytest.param({"text": "stop", "sort": Sort.RELEASED}, ["r-2", "r-1", "r-3", "r-4"], id="and by date"),
    ],
)  # fmt: skip
def test_what_is_looked_for_is_found(shelf: DuckHoldings, question: dict[str, Any], wanted: list[str]) -> None:
    assert found(shelf, **question) == wanted
    assert [n for batch in shelf.found(Question(**question)) for n in batch["recording"].to_pylist()] == wanted


@pytest.fixture(scope="module")
def shelf() -> Iterator[DuckHoldings]:
    made = opened(None)
    rows = [
        {"scope": "recording", "subject": "r-1", "use": "train", "says": "reserved", "document": "d"},
        {"scope": "label", "subject": "dock", "use": "train", "says": "permitted", "document": "d"},
        {"scope": "all", "subject": "", "use": "mine", "says": "reserved", "document": "d"},
    ]
    made.take(said("a.csv", SHELF, terms=table_of(rows, TERM)))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ({"text": "?!"}, "neither letters nor digits"),
        ({"artist": "-"}, "word of the artist"),
        ({"isrc": "GB12"}, "no ISRC"),
        ({"territory": "Germany"}, "no country"),
        ({"term": "sing"}, "no term"),
        ({"term": "train:maybe"}, "no term"),
    ],
)
def test_a_filter_that_is_none_is_refused(shelf: DuckHoldings, question: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        shelf.search(Question(**question))


def test_pages_go_on_where_the_last_one_ended(kept: DuckHoldings) -> None:
    kept.take(said("a.csv", [{"recording": f"r-{n:02}", "title": "Same"} for n in range(25)]))
    for question in (Question("same"), Question(), Question(sort=Sort.TITLE)):
        pages = [kept.search(question, first=first, rows=10) for first in (0, 10, 20, 30)]
        assert [(page.total, len(page.recordings)) for page in pages] == [(25, 10), (25, 10), (25, 5), (25, 0)]
        assert sorted(n for page in pages for n in page.recordings["recording"].to_pylist()) == names(kept)
    rows = [batch.num_rows for batch in kept.whole(["recording", "added"])]
    assert (sum(rows), next(iter(kept.whole())).schema) == (25, HELD)


@pytest.mark.parametrize("order", ["as it is", "reversed"])
@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("text", ["", "same"], ids=["all", "by a word"])
def test_a_page_begins_after_a_recording_in_any_order(kept: DuckHoldings, text: str, sort: Sort, order: str) -> None:
    rows = [
        {"recording": f"r-{n}", "title": f"Same {n % 3}", "popularity": float(n % 4)}
        | ({"album": "A"} if n % 2 else {})
        for n in range(9)
    ]
    kept.take(said("a.csv", [{**row, "popularity": None} if n == 3 else row for n, row in enumerate(rows)]))
    question = Question(text, sort=sort, reverse=order == "reversed")
    whole = kept.search(question, rows=20).recordings["recording"].to_pylist()
    following = [kept.search(question, after=name, rows=20) for name in whole]
    assert len(whole) == 9
    assert [page.recordings["recording"].to_pylist() for page in following] == [whole[n + 1 :] for n in range(9)]
    assert {page.total for page in following} == {9}
    with pytest.raises(InputError, match="begins nowhere"):
        kept.search(question, after="r-99")


def test_terms_are_told_of_some_recordings_and_of_no_single_one(kept: DuckHoldings) -> None:
    kept.take(said("a.csv", [{"recording": f"r-{n}"} for n in range(3)]))
    spoken = [("recording", "r-1"), ("recording", "r-2"), ("recording", "r-9"), ("label", "North"), ("all", "")]
    terms = [{"scope": scope, "subject": of, "use": "train", "says": "reserved"} for scope, of in spoken]
    kept.take(said("b.csv", terms=table_of([{**term, "document": "b.csv"} for term in terms], TERM)))
    for about, subjects in (
        (None, ["r-1", "r-2", "r-9", "North", ""]),
        (["r-2"], ["r-2", "North", ""]),
        ([], ["North", ""]),
    ):
        assert kept.terms(about=about)["subject"].to_pylist() == subjects
        assert kept.terms(as_said=True, about=about)["subject"].to_pylist() == subjects


def test_words_that_were_put_in_order_are_found_as_before(kept: DuckHoldings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riparian.stores.catalogue.wording.SETTLE_MIN", 1)
    for number in range(3):
        kept.take(said(f"{number}.csv", [{"recording": f"r-{number}", "title": f"Song {number}"}]))
    before = found(kept, "song")
    kept.settle()
    assert (found(kept, "song"), found(kept, "song 1"), kept.check()) == (before, ["r-1"], [])


def test_a_scrub_goes_on_where_it_was_left_and_begins_anew_when_it_is_done(kept: DuckHoldings) -> None:
    files = [{"recording": "r-1", "path": f"/{n}", "algorithm": "sha256", "digest": "aa"} for n in range(3)]
    nowhere = {"recording": "r-1", "path": None, "algorithm": "sha256", "digest": "cc"}
    kept.take(said("a.csv", [{"recording": "r-1"}], fixity=table_of([*files, nowhere], FIXITY)))
    scrub = kept.scrub(100)
    assert (scrub.done, scrub.left, scrub.nowhere) == (0, 3, 1)
    well, *rest = kept.unseen(2)
    kept.keep_looked([Looked(well, State.WELL, "aa"), Looked(rest[0], State.LOST, "gone")], 50)  # a clock set back
    left = kept.scrub(200)
    assert (left.begun_us, left.done, left.left) == (100, 2, 1)
    assert [one.path for one in kept.unseen(9)] == ["/2"]
    assert [(looked.master.path, looked.state, copies) for looked, copies in kept.amiss()] == [
        ("/1", State.LOST, ["/0"])
    ]
    assert kept.scrub(200, anew=True).left == 3
    kept.keep_looked([Looked(one, State.WELL, "aa") for one in kept.unseen(9)], 201)
    assert list(kept.amiss()) == []
    assert (kept.unseen(1), kept.scrub(300).begun_us, kept.scrub(300).left) == ([], 300, 3)
    # What must come to something else now was not looked at yet.
    kept.take(said("b.csv", fixity=table_of([{**files[0], "digest": "dd"}], FIXITY)))
    assert [(one.path, one.digest) for one in kept.unseen(9)][-1] == ("/0", "dd")


def test_the_catalogue_of_an_older_workspace_is_taken_over(tmp_path: Path) -> None:
    old = pa.table({"recording": ["b", "a"], "title": ["B", "A"], "popularity": [1.0, None]})
    Workspace.open(tmp_path).close()
    pq.write_table(old, tmp_path / file.OLD)
    (tmp_path / f"{file.NAME}.1234.unfinished").write_bytes(b"of somebody who was killed")
    workspace = Workspace.open(tmp_path)
    taken_over = workspace.world(FixedClock(NOW)).catalogue.recordings()
    assert taken_over is not None
    assert (taken_over.column_names, taken_over.to_pylist()) == (old.column_names, old.to_pylist())
    workspace.close()
    assert sorted(path.name for path in tmp_path.glob("catalogue*")) == [file.NAME, file.LOCK]
    assert (tmp_path / file.NAME).stat().st_mode & 0o077 == 0
    # A file that reappears beside the new one is nobody's.
    pq.write_table(old.slice(1), tmp_path / file.OLD)
    assert names(opened(tmp_path)) == ["b", "a"]


class Counted:
    """A connection that says what it is about to change."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def execute(self, statement: str, *values: Any) -> Any:
        if not statement.lstrip().startswith("SELECT") and "TEMP TABLE" not in statement:
            test_killed.Connection.about_to()
        return self._real.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def take_all(folder: Path) -> None:
    kept = opened(folder)
    files = table_of([{"recording": "r-1", "path": "/1", "algorithm": "sha256", "digest": "aa"}], FIXITY)
    for number, rows in enumerate(([{"recording": "r-1", "title": "One"}], [{"recording": "r-2", "title": "Two"}])):
        kept.take(said("a.csv", rows, number=number, fixity=files))
    kept.take(said("b.csv", [{"recording": "r-1", "isrc": ISRC}]), ended=[said("a.csv").document])
    kept.settle()


def counting(folder: Path) -> None:
    plain = duckdb.connect
    duckdb.connect = lambda *a, **k: Counted(plain(*a, **k))  # type: ignore[assignment]
    take_all(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.slow
def test_an_addition_killed_at_any_point_comes_to_the_same_end(tmp_path: Path) -> None:
    points = 0
    for n in killings(23):
        folder = tmp_path / str(n)
        folder.mkdir()
        pq.write_table(pa.table({"recording": ["r-0"], "title": ["None"]}), folder / file.OLD)
        dead = killed_before(n, lambda folder=folder: counting(folder))  # type: ignore[misc]
        kept = opened(folder)
        assert names(kept) in (["r-0"], ["r-0", "r-1"], ["r-0", "r-1", "r-2"])
        assert kept.check() == []
        take_all(folder)
        assert (names(kept), found(kept, "two"), kept.check()) == (["r-0", "r-1", "r-2"], ["r-2"], [])
        assert [(each["name"], each["batches"]) for each in kept.documents()][1:] == [("a.csv", 2), ("b.csv", 1)]
        assert kept.totals()["files"] == 1
        assert {path.name for path in folder.iterdir()} - {f"{file.NAME}.wal"} == {file.NAME, file.LOCK}
        shutil.rmtree(folder)
        points += 1
        if not dead:
            break
    assert points > 5


def test_whoever_loses_power_has_what_was_written_and_nothing_in_between(tmp_path: Path) -> None:
    kept = opened(tmp_path / "a")
    (tmp_path / "a").mkdir()
    kept.take(said("a.csv", [{"recording": "r-1", "title": "One"}]))
    with kept._file.reading():
        pass
    # As after a death: what was written last stands in the log beside the file.
    script = (
        "import os, sys; from pathlib import Path; from tests.contracts.test_catalogue import opened, said;"
        "k = opened(Path(sys.argv[1])); w = k._file.writing(); c = w.__enter__();"
        "c.execute('COMMIT'); c.execute('BEGIN'); from riparian.stores.catalogue.taking import take;"
        "take(c, [(7, said('b', [{'recording': 'r-2', 'title': 'Two'}]))], 1); c.execute('COMMIT'); os._exit(0)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "a")], check=True, cwd=root)
    log = tmp_path / "a" / f"{file.NAME}.wal"
    whole = log.read_bytes()
    assert len(whole) > 100
    for length in (0, 1, len(whole) // 2, len(whole) - 1, len(whole)):
        folder = tmp_path / str(length)
        shutil.copytree(tmp_path / "a", folder)
        (folder / log.name).write_bytes(whole[:length])
        torn = opened(folder)
        assert names(torn) == (["r-1", "r-2"] if length == len(whole) else ["r-1"]), length
        assert torn.check() == []


def test_somebody_elses_writing_is_waited_for_and_then_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, other = opened(tmp_path), opened(tmp_path)
    kept.take(said("a.csv", [{"recording": "r-1"}]))
    monkeypatch.setattr(file, "PATIENCE_S", 0.2)
    with kept.open():
        assert names(other) == ["r-1"]  # many may read
        with pytest.raises(LifecycleError, match="open"):
            other.take(said("b.csv", [{"recording": "r-2"}]))
        with pytest.raises(LifecycleError, match="open to be read"):
            kept.take(said("b.csv", [{"recording": "r-2"}]))
    other.take(said("b.csv", [{"recording": "r-2"}]))
    assert names(kept) == ["r-1", "r-2"]


def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    (tmp_path / file.NAME).write_bytes(b"not a database" * 1_000)
    with pytest.raises(OutsideError, match="reading the catalogue failed"):
        kept.recordings()
    (tmp_path / file.NAME).unlink()
    with duckdb.connect(tmp_path / file.NAME) as connection:
        connection.execute("CREATE TABLE setting (name VARCHAR, value BIGINT)")
        connection.execute("INSERT INTO setting VALUES ('version', 99)")
    with pytest.raises(InputError, match="has version 99, wanted 1"):
        kept.recordings()


def test_a_page_that_rotted_is_told(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    kept.take(said("a.csv", [{"recording": f"r-{n}", "title": f"Song {n * 7919}"} for n in range(3_000)]))
    path = tmp_path / file.NAME
    octets = bytearray(path.read_bytes())
    for place in range(20_000, len(octets), 50_000):
        octets[place] ^= 0xFF
    path.write_bytes(octets)
    told: list[str] = []
    try:
        told = kept.check()
    except OutsideError as error:
        told = [error.message]
    assert told
