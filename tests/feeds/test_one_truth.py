"""The same accesses come out the same, whoever wrote them down; and once, however often they are read."""

import gzip
import io
import sys
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from riparian.codes import codes_of
from riparian.schema import ACCESS, Action
from tests.feeds.renderings import KEY, RENDERINGS, accesses, arrow_table, chunks, coded, combined, ndjson, truth

pytestmark = pytest.mark.slow

FACTS = truth()


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_every_rendering_gives_the_same_coded_accesses(rendering: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(RENDERINGS[rendering](FACTS))
    found = chunks(path)
    assert accesses(found) == coded(FACTS)
    assert not [reject for chunk in found for reject in chunk.rejects]
    for chunk in found:
        for field in chunk.accesses.schema:
            assert field.type == ACCESS.field(field.name).type


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_new_accounts_are_named_once(rendering: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(RENDERINGS[rendering](FACTS))
    pairs = [pair for chunk in chunks(path) for pair in zip(chunk.ids[0].tolist(), chunk.ids[1], strict=True)]
    names = {fact.account for fact in FACTS}
    assert sorted(name for _, name in pairs) == sorted(names)

    assert dict(pairs) == dict(zip(codes_of(pa.array(sorted(names)), KEY).tolist(), sorted(names), strict=True))


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_a_log_read_twice_is_read_once(rendering: str, tmp_path: Path) -> None:
    data = RENDERINGS[rendering](FACTS)
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(data)
    assert accesses(chunks(tmp_path)) == coded(FACTS)
    counted = frozenset(chunk.digest for chunk in chunks(tmp_path / "one"))
    assert chunks(tmp_path, known=counted) == []


def test_rotation_and_compression_change_nothing(tmp_path: Path) -> None:
    text = combined(FACTS)
    first = tmp_path / "access.log"
    first.write_bytes(text)
    counted = frozenset(chunk.digest for chunk in chunks(first))
    for name, data in {
        "access.log.1": text,
        "access.log.2.gz": gzip.compress(text),
        "misnamed.txt": zstandard.compress(text),
    }.items():
        path = tmp_path / name
        path.write_bytes(data)
        assert chunks(path, known=counted) == [], name


@pytest.mark.parametrize("cuts", [(50, 120, 121, 122, 300), (1, 2, 3, 4, 5, 300), (299, 300), (7, 300)])
def test_a_log_that_grows_gives_only_what_is_new(cuts: tuple[int, ...], tmp_path: Path) -> None:
    lines = combined(FACTS).splitlines(keepends=True)
    path = tmp_path / "access.log"
    counted: frozenset[bytes] = frozenset()
    rows: list[tuple[int, int, int]] = []
    for cut in cuts:
        path.write_bytes(b"".join(lines[:cut]))
        found = chunks(path, known=counted)
        rows += accesses(found)
        assert sorted(rows) == coded(FACTS[:cut])
        counted |= {chunk.digest for chunk in found}
    whole = tmp_path / "access.log.1.gz"
    whole.write_bytes(gzip.compress(b"".join(lines)))
    assert chunks(whole, known=counted) == []


def test_an_unfinished_line_counts_when_it_is_finished(tmp_path: Path) -> None:
    text = ndjson(FACTS[:20])
    path = tmp_path / "log"
    path.write_bytes(text[:-30])
    found = chunks(path)
    assert accesses(found) == coded(FACTS[:19])
    assert [reject.line for chunk in found for reject in chunk.rejects] == [20]
    counted = frozenset(chunk.digest for chunk in found)
    path.write_bytes(text)
    assert accesses(chunks(path, known=counted)) == coded(FACTS[19:20])


def test_a_last_line_without_an_end_is_the_line_with_its_end(tmp_path: Path) -> None:
    text = ndjson(FACTS[:20])
    path = tmp_path / "log"
    path.write_bytes(text[:-1])
    counted = frozenset(chunk.digest for chunk in chunks(path))
    path.write_bytes(text)
    assert chunks(path, known=counted) == []


def test_logs_put_together_are_known_again(tmp_path: Path) -> None:
    facts = truth(3_000)
    lines = combined(facts).splitlines(keepends=True)
    old, new, both = (tmp_path / name for name in ("old", "new", "both"))
    old.write_bytes(b"".join(lines[:1_800]))
    new.write_bytes(b"".join(lines[1_800:]))
    both.write_bytes(b"".join(lines))
    counted = frozenset(chunk.digest for chunk in chunks(old, new))
    assert accesses(chunks(both, known=counted)) == []


def test_a_shorter_copy_may_count_its_last_stretch_again(tmp_path: Path) -> None:
    # What we do not catch: see riparian.feeds.stretches.
    facts = truth(3_000)
    lines = combined(facts).splitlines(keepends=True)
    path = tmp_path / "log"
    path.write_bytes(b"".join(lines))
    counted = frozenset(chunk.digest for chunk in chunks(path))
    path.write_bytes(b"".join(lines[:1_800]))
    again = accesses(chunks(path, known=counted))
    assert 0 < len(again) < 100


def test_a_scan_that_was_killed_resumes(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(combined(FACTS))
    found = chunks(path)
    for done in range(len(found)):
        counted = frozenset(chunk.digest for chunk in found[:done])
        rest = chunks(path, known=counted)
        assert accesses([*found[:done], *rest]) == coded(FACTS)


def test_folders_globs_and_storage_are_places(tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "day=1"
    folder.mkdir(parents=True)
    (folder / "a.parquet").write_bytes(RENDERINGS["Parquet"](FACTS[:100]))
    (folder / "_SUCCESS").write_bytes(b"")
    (folder / ".hidden").write_bytes(b"\0\1\2")
    (tmp_path / "logs" / "b.gz").write_bytes(RENDERINGS["NDJSON in two gzip members"](FACTS[100:]))
    assert accesses(chunks(tmp_path / "logs")) == coded(FACTS)
    assert accesses(chunks(tmp_path / "logs" / "**" / "*.parquet")) == coded(FACTS[:100])
    store = fsspec.filesystem("memory")
    store.pipe({"/bucket/x/1.log": combined(FACTS[:100]), "/bucket/x/2.log": ndjson(FACTS[100:])})
    assert accesses(chunks("memory://bucket/x")) == coded(FACTS)
    assert accesses(chunks("memory://bucket/x/*.log")) == coded(FACTS)
    assert accesses(chunks("memory://bucket/x/2.log")) == coded(FACTS[100:])
    assert accesses(chunks(f"file://{tmp_path}/logs")) == coded(FACTS)


def test_the_standard_input_is_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    class Stdin:
        buffer = Pipe(gzip.compress(combined(FACTS)))

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert accesses(chunks("-")) == coded(FACTS)


def test_large_row_groups_come_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riparian.feeds.columnar.ROWS_MAX", 64)
    path = tmp_path / "log.parquet"
    pq.write_table(arrow_table(FACTS), path)
    found = chunks(path)
    assert [chunk.n_lines for chunk in found] == [64, 64, 64, 64, 44]
    assert accesses(found) == coded(FACTS)
    counted = frozenset(chunk.digest for chunk in found[:2])
    assert accesses(chunks(path, known=counted)) == accesses(found[2:])


def test_paths_become_actions(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(combined(FACTS))
    actions = {value for chunk in chunks(path) for value in chunk.accesses["action"].to_pylist()}
    assert actions == {Action.PLAY}
