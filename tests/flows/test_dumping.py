from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riparian.assembly import WallClock
from riparian.catalogue.holdings import HELD, table_of
from riparian.console.dumped import dumped_page
from riparian.errors import InputError
from riparian.feeds.dumps.read import read_dump, state_of
from riparian.flows import dumping
from riparian.flows.dump_slices import Interval
from riparian.flows.told import dumped as told
from riparian.ports.dumps import Desk, Parts, Told
from riparian.schema import MATCHED
from riparian.stores.dumps import FolderShelf, write_rows
from tests.feeds.dumps_drawn import FACTS, LINES, table

LISTS = {"all of ours": 300, "a third is ours": 100}


class Catalogue:
    """Every third recording of the list, or all of them, and as many that are in no list."""

    def __init__(self, n: int) -> None:
        rows = [
            {
                "recording": f"r-{place}",
                "title": one["title"],
                "artist": one["artist"],
                "popularity": 3.0,
                "owner": "North" if place % 2 else "South",
                "markets": "DE FR",
                "added": datetime(2021, 1, 1 + place % 28, tzinfo=UTC),
            }
            for place, one in enumerate(FACTS[:n])
        ]
        rows += [
            {"recording": f"x-{n}", "title": f"Elsewhere {n}", "popularity": 1.0, "owner": "North"} for n in range(n)
        ]
        self.table = table_of(rows, HELD)

    def whole(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        chosen = self.table.select(columns) if columns else self.table
        yield from chosen.to_batches(max_chunksize=70)


class ByName:
    """Knows recordings by their names, and is wrong once in a hundred."""

    def __init__(self, catalogue: Catalogue, progress: Told) -> None:
        del progress
        self.state, self.held, self.asked = "s", catalogue.table.num_rows, 0
        titles, artists = (catalogue.table[name].to_pylist() for name in ("title", "artist"))
        self._known = {(title, artist): n for n, (title, artist) in enumerate(zip(titles, artists, strict=True))}

    def learn(self, parts: Parts, rows: int, progress: Told) -> None:
        assert sum(part.num_rows for part in parts()) == pytest.approx(rows, rel=0.4)
        progress("learning", rows, rows)

    def match(self, rows: pa.Table) -> pa.Table:
        self.asked += rows.num_rows
        found = zip(rows["title"].to_pylist(), rows["artist"].to_pylist(), strict=True)
        ours = np.array([self._known.get(each, -1) for each in found], np.int64)
        is_ours = ours >= 0
        chance = pa.array(np.where(is_ours, 0.99, 0.0).astype(np.float32))
        columns = [
            rows["row"],
            pa.array(ours),
            pa.array(np.where(is_ours, "recording", "none").tolist()),
            pa.array(np.where(is_ours, 0.01, 1.0).astype(np.float32)),
            *(chance, chance, chance),
            pa.array(np.where(is_ours, 6.0, 0.0).astype(np.float32)),
            pa.array(np.zeros(len(ours), np.float32)),
            pa.array(np.where(is_ours, "exact", "").tolist()),
        ]
        return pa.table([pa.chunked_array([c]) if isinstance(c, pa.Array) else c for c in columns], schema=MATCHED)

    def count(self, found: Parts) -> Mapping[str, tuple[float, float, float]]:
        n = sum(float(each["chance"].to_numpy().sum()) for each in found())
        return {"rows_ours": (n, n - 3, n + 3), "recordings_ours": (n, n - 3, n + 3)}


def desk(folder: Path, n: int, matchers: list[ByName] | None = None) -> Desk:
    catalogue = Catalogue(n)

    def made(progress: Told) -> ByName:
        matcher = ByName(catalogue, progress)
        (matchers if matchers is not None else []).append(matcher)
        return matcher

    def shelf(name: str) -> FolderShelf:
        return FolderShelf(folder / "dumps" / name)

    return Desk(WallClock(), catalogue, shelf, made, bytes(16), write_rows)  # type: ignore[arg-type]


def dump(folder: Path, at: Desk, share: float = 1.0) -> tuple[dumping.Dumped, dumping.Pairs]:
    paths = [str(folder / "list")]
    return dumping.dump(at, state_of(paths, {}), partial(read_dump, paths), share)


@pytest.fixture(autouse=True)
def _written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riparian.flows.dumping.PART_ROWS", 64)
    monkeypatch.setattr("riparian.feeds.dumps.delimited.BATCH_ROWS", 64)
    (tmp_path / "list").write_bytes(table())


@pytest.mark.parametrize("name", LISTS)
def test_what_is_ours_is_counted_by_part_of_the_catalogue(name: str, tmp_path: Path) -> None:
    n = LISTS[name]
    found, _ = dump(tmp_path, desk(tmp_path, n))
    assert (found.read["rows"], found.held, found.levels["recording"]) == (300, 2 * n, n)
    assert found.rows_ours.estimate == pytest.approx(0.99 * n)
    assert found.of_catalogue.estimate == pytest.approx(0.495)
    assert found.of_plays is not None
    assert found.of_plays.estimate == pytest.approx(0.99 * 0.75)
    labels = {one.name: (one.held, f"{one.ours.estimate:.1f}") for one in found.slices["label"]}
    expected = f"{n * 0.495:.1f}"
    assert labels == {"North": (n + n // 2, expected), "South": (n // 2, expected)}
    assert {one.name for one in found.slices["territory"]} == {"DE", "FR"}
    assert found.days[1].sum() == n
    assert [one.error for one in found.review] == pytest.approx([0.01] * dumping.REVIEWED_EACH)


def test_rows_drawn_by_lot_tell_of_all_rows(tmp_path: Path) -> None:
    found, _ = dump(tmp_path, desk(tmp_path, 100), 0.5)
    assert 110 < found.looked < 190
    assert found.rows_ours.low < 100 < found.rows_ours.high
    assert found.rows_ours.high - found.rows_ours.low > 20
    assert found.looked == dump(tmp_path, desk(tmp_path, 100), 0.5)[0].looked


def test_what_was_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    whole, _ = dump(tmp_path, desk(tmp_path, 100))
    for path in list((tmp_path / "dumps").rglob("found-0000[2-9].parquet")):
        path.unlink()
    matchers: list[ByName] = []
    again, _ = dump(tmp_path, desk(tmp_path, 100, matchers))
    assert list(told(again)) == list(told(whole))
    assert 0 < matchers[0].asked < 300


def test_what_was_not_read_to_its_end_is_read_again(tmp_path: Path) -> None:
    dump(tmp_path, desk(tmp_path, 100))
    next((tmp_path / "dumps").rglob("read.json")).unlink()
    assert dump(tmp_path, desk(tmp_path, 100))[0].read["rows"] == 300


def test_another_file_is_another_list(tmp_path: Path) -> None:
    before = state_of([str(tmp_path / "list")], {})
    (tmp_path / "list").write_text(LINES, encoding="utf-8")
    assert state_of([str(tmp_path / "list")], {}) != before != state_of([str(tmp_path / "list")], {"title": "x"})


def test_a_list_without_rows_is_told(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"a,b\n1,2\n3,4\n")
    with pytest.raises(InputError, match="no row in it"):
        dump(tmp_path, desk(tmp_path, 100))


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_every_row_is_written_with_what_it_is(ending: str, tmp_path: Path) -> None:
    at = desk(tmp_path, 100)
    _, pairs = dump(tmp_path, at)
    path = tmp_path / f"rows.{ending}"
    assert at.write_rows(path, dumping.named_rows(at, pairs)) == 300
    read = {"parquet": pq.read_table, "csv": pl.read_csv, "jsonl": partial(pl.read_ndjson, infer_schema_length=None)}
    rows = pl.DataFrame(read[ending](path))
    assert rows["recording"].to_list() == [f"r-{n}" for n in range(100)] + [None] * 200
    with pytest.raises(InputError, match="ends in none of"):
        at.write_rows(tmp_path / "rows.xls", iter(()))


def test_the_page_says_what_was_found_and_shows_no_text_as_markup(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(table().replace(b"Silver Harbour,", b"<script>alert(1)</script>,"))
    found, _ = dump(tmp_path, desk(tmp_path, 100))
    page = dumped_page(found)
    assert "are recordings of ours" in page
    assert "<script>" not in page
    assert "South" in page


def test_the_page_of_nothing_is_a_page(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("\n".join(f"Nobody - Song {n}" for n in range(50)), encoding="utf-8")
    found, _ = dump(tmp_path, desk(tmp_path, 100))
    assert "Nothing of ours was found in this list." in dumped_page(found)
    assert found.rows_ours == Interval(0.0, -3.0, 3.0)
