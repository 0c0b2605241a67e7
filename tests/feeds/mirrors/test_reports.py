"""Reports of vendors: their columns are recognised, and no row is lost in silence."""

import json
from pathlib import Path

import pytest

from riparian.errors import InputError
from riparian.feeds.mirrors.reports import read_report
from riparian.ports.mirrors import Item, What

DAY_US = 1_767_225_600_000_000  # 2026-01-01
SHA = "a" * 64
WANTED = Item(
    "https://mirror.example/a.mp3",
    What.SOUND,
    "Low Water",
    "Marram",
    225_000_000,
    4096,
    DAY_US,
    f"sha256:{SHA}",
    "GBAYE0000001",
)

PLAIN = f"""url,title,artist,isrc,duration,size,detected,sha256
https://mirror.example/a.mp3,Low Water,Marram,GB-AYE-00-00001,3:45,4096,2026-01-01,{SHA}
"""
OTHER = f"""Case ID;Screenshot URL;Infringing URL;Asset;Main Artist;Track ISRC;Length (ms);File Size;Discovery Date;Hash
77;https://vendor.example/77.png;hxxps://mirror[.]example/a.mp3;Low Water;Marram;GBAYE0000001;225000;4 KB;\
2026-01-01 00:00:00;{SHA}
"""
NESTED = json.dumps(
    {
        "results": [
            {
                "asset": {"title": "Low Water", "artist": {"name": "Marram"}, "isrc": "GBAYE0000001"},
                "match": {"page_url": "https://mirror.example/a.mp3", "detected_at": "2026-01-01T00:00:00Z"},
                "file": {"size_bytes": 4096, "duration_ms": 225000, "sha256": SHA},
            }
        ]
    }
)
LINES = json.dumps(
    {
        "link": "https://mirror.example/a.mp3",
        "song": "Low Water",
        "performer": "Marram",
        "isrc_code": "GBAYE0000001",
        "seconds": 225,
        "bytes": 4096,
        "found_on": "2026-01-01",
        "digest": f"sha256:{SHA}",
    }
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("report.csv", PLAIN, id="CSV, called as one would"),
        pytest.param("report.csv", OTHER, id="CSV of semicolons, with a defanged address beside a screenshot"),
        pytest.param("report.json", NESTED.replace('{"name": "Marram"}', '"Marram"'), id="JSON in JSON"),
        pytest.param("report.jsonl", f"{LINES}\n{LINES}\n", id="NDJSON"),
    ],
)
def test_columns_are_recognised(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    found = read_report(tmp_path / name, {})
    assert found.told.items[0] == WANTED
    assert found.told.faults == []


def test_a_column_that_is_not_recognised_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text("a,b,c\nhttps://mirror.example/a.mp3,https://page.example/,x\n")
    assert read_report(path, {}).told.items[0].title == ""
    (item,) = read_report(path, {"url": "b", "title": "c"}).told.items
    assert (item.url, item.title) == ("https://page.example/", "x")


def test_rows_without_an_address_are_told(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text("url,title\nhttps://mirror.example/a.mp3,a\nnone,b\nhttps://mirror.example/c.mp3,c\n,d\n")
    found = read_report(path, {})
    assert [item.title for item in found.told.items] == ["a", "c"]
    assert found.told.faults == ["2 rows name no address: 2, 4"]
    assert found.rows == 4


@pytest.mark.parametrize(
    ("text", "said", "wanted"),
    [
        pytest.param("title,artist\nLow Water,Marram\n", {}, "no column of .* holds addresses", id="no addresses"),
        pytest.param("", {}, "no column of", id="nothing"),
        pytest.param("\0\1\2" * 200, {}, "no column of .*no list of a known kind", id="octets"),
        pytest.param("[" * 50_000, {}, "no column of", id="deep JSON"),
        pytest.param("url\nhttps://a.example/\n", {"url": "x"}, "names no column", id="a column that is not there"),
        pytest.param("url\nhttps://a.example/\n", {"where": "url"}, "names no field", id="a field that is none"),
    ],
)
def test_what_is_no_report_is_one_clear_error(tmp_path: Path, text: str, said: dict[str, str], wanted: str) -> None:
    path = tmp_path / "report.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=wanted):
        read_report(path, said)


def test_a_report_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_report(tmp_path / "none.csv", {})
