"""Data sets in every form give the same items; what they say of themselves is read; what is hostile is bounded."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riparian.feeds.datasets.about import about, of_card, of_croissant
from riparian.feeds.datasets.read import read_items
from riparian.feeds.dumps.sheets import Reject
from riparian.metadata.datasets import ITEM
from tests.feeds.mutate import mutate
from tests.feeds.test_holdings import wav

SOUND = b"RIFF sound of mine"
ROWS = [
    {"track_name": f"Song {at}", "artist_name": f"Band {at % 3}", "isrc": f"GBABC12{at:05}", "license": "cc-by-4.0"}
    for at in range(20)
]


def parquet(folder: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "train-00000.parquet")


def hugging_face(folder: Path) -> None:
    rows = [
        {"audio": {"bytes": SOUND if at else None, "path": f"{at}.wav"}, "vector": [0.5] * 9, "meta": row}
        for at, row in enumerate(ROWS)
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "train-00000.parquet")


def manifest(folder: Path) -> None:
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")


def table(folder: Path) -> None:
    pl.DataFrame(ROWS).write_csv(folder / "train.csv")


def web_dataset(folder: Path, rows: Sequence[Mapping[str, str]] = ROWS) -> None:
    with tarfile.open(folder / "shard-000000.tar", "w") as archive:
        for at, row in enumerate(rows):
            for ending, octets in (("json", json.dumps(row).encode()), ("wav", SOUND), ("npy", bytes(99))):
                info = tarfile.TarInfo(f"data/{at:06}.{ending}")
                info.size = len(octets)
                archive.addfile(info, io.BytesIO(octets))


FORMS: dict[str, Callable[[Path], None]] = {
    "Parquet": parquet,
    "Parquet with sound in it": hugging_face,
    "JSON lines": manifest,
    "CSV": table,
    "WebDataset": web_dataset,
}


def read(
    folder: Path, said: Mapping[str, str] | None = None, *, with_digests: bool = True
) -> tuple[pa.Table, list[Reject]]:
    parts = list(read_items([str(folder)], said=said, with_digests=with_digests))
    return pa.concat_tables([part.items for part in parts]), [one for part in parts for one in part.rejects]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_items(form: str, tmp_path: Path) -> None:
    FORMS[form](tmp_path)
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n# It\n", encoding="utf-8")
    items, rejects = read(tmp_path)
    assert not rejects
    assert items.schema == ITEM
    assert items["row"].to_pylist() == list(range(20))
    assert items["title"].to_pylist() == [row["track_name"] for row in ROWS]
    assert items["artist"].to_pylist() == [row["artist_name"] for row in ROWS]
    assert items["isrc"].to_pylist() == [row["isrc"] for row in ROWS]
    assert set(items["licence"].to_pylist()) == {"cc-by-4.0"}


@pytest.mark.parametrize("form", ["Parquet with sound in it", "WebDataset"])
def test_sound_in_a_file_gives_its_digest(form: str, tmp_path: Path) -> None:
    FORMS[form](tmp_path)
    digest = hashlib.sha256(SOUND).hexdigest()
    assert read(tmp_path)[0]["digest"].to_pylist()[1] == digest
    assert set(read(tmp_path, with_digests=False)[0]["digest"].to_pylist()) == {None}


def test_a_folder_of_sound_gives_names_and_digests(tmp_path: Path) -> None:
    (tmp_path / "The Saltmarsh" / "Harbours").mkdir(parents=True)
    wav(tmp_path / "The Saltmarsh" / "Harbours" / "01 - Harbour Lights.wav")
    items, _ = read(tmp_path)
    (row,) = items.to_pylist()
    assert (row["title"], row["artist"], row["album"]) == ("Harbour Lights", "The Saltmarsh", "Harbours")
    assert row["digest"] == hashlib.sha256(Path(row["path"]).read_bytes()).hexdigest()


def test_items_are_numbered_over_all_files(tmp_path: Path) -> None:
    parquet(tmp_path)
    manifest(tmp_path)
    web_dataset(tmp_path)
    assert read(tmp_path)[0]["row"].to_pylist() == list(range(60))


def test_columns_may_be_named_by_the_operator(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["x y", "z"], "b": ["p", "q r"]}), tmp_path / "a.parquet")
    items, _ = read(tmp_path, said={"title": "b", "artist": "a"})
    assert items["title"].to_pylist() == ["p", "q r"]


CARDS = {
    "one licence": ("---\nlicense: cc-by-4.0\npretty_name: It\n---\n", ("cc-by-4.0",), "It"),
    "a list": ("---\nlicense:\n- cc-by-4.0\n- other\ntags:\n- audio\n---\n", ("cc-by-4.0", "other"), ""),
    "in brackets": ("---\nlicense: [mit, 'cc0-1.0']\n---\n", ("mit", "cc0-1.0"), ""),
    "another with a name": ("---\nlicense: other\nlicense_name: my-own\n---\n", ("other", "my-own"), ""),
    "none": ("---\ntags:\n- audio\n---\n", (), ""),
    "Windows": ("---\r\nlicense: mit\r\n---\r\n", ("mit",), ""),
}


@pytest.mark.parametrize("situation", CARDS)
def test_cards_say_licences(situation: str) -> None:
    text, licences, name = CARDS[situation]
    card = of_card(text)
    assert card is not None
    assert (card.licences, card.name) == (licences, name)


def test_a_text_without_front_matter_is_no_card() -> None:
    assert of_card("# License: mit\n") is None


def test_croissant_says_licence_and_day(tmp_path: Path) -> None:
    said = {
        "@context": {"@language": "en", "cr": "http://mlcommons.org/croissant/"},
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "Songs",
        "license": ["https://creativecommons.org/licenses/by/4.0/", {"@id": "https://example.com/own"}],
        "datePublished": "2024-05-01",
    }
    (tmp_path / "croissant.json").write_text(json.dumps(said), encoding="utf-8")
    (tmp_path / "other.json").write_text('[{"title": "Song", "artist": "Band"}]', encoding="utf-8")
    found = about(tmp_path)
    assert found.licences == ("https://creativecommons.org/licenses/by/4.0/", "https://example.com/own")
    assert (found.name, str(found.published)) == ("Songs", "2024-05-01")
    assert read(tmp_path)[0]["title"].to_pylist() == ["Song"], "the file itself is no item"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"license": 1}', "[" * 100_000])
def test_what_is_no_croissant_says_nothing(text: str) -> None:
    assert of_croissant(text) is None


@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_data_set_is_read_as_far_as_it_goes(form: str, tmp_path: Path) -> None:
    FORMS[form](tmp_path)
    (path,) = tmp_path.iterdir()
    sound = path.read_bytes()
    for seed in range(25):
        path.write_bytes(mutate(sound, seed))
        items, _ = read(tmp_path)
        items.validate(full=True)


def test_a_tar_of_one_endless_item_is_bounded(tmp_path: Path) -> None:
    rows = [{f"key {at}": "x" * 9_000 for at in range(2_000)}]
    web_dataset(tmp_path, rows)
    items, _ = read(tmp_path)
    assert items.num_rows == 1
    assert items.nbytes < 1 << 20


def test_large_files_come_in_batches(tmp_path: Path) -> None:
    n = 300_000
    numbers = np.arange(n)
    pq.write_table(pa.table({"title": numbers.astype(str), "artist": ["x"] * n}), tmp_path / "a.parquet")
    assert max(part.items.num_rows for part in read_items([str(tmp_path)])) <= 1 << 17
