"""The pictures say what the tables of docs/bench say, and nothing else."""

import csv
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from docs import pictures

DRAWN = pictures.pictures(pictures.BENCH)


@pytest.mark.parametrize("name", DRAWN)
def test_a_committed_picture_is_what_its_table_says_now(name: str) -> None:
    assert (pictures.BENCH / name).read_text(encoding="utf-8") == DRAWN[name], "run `make docs`"


def test_a_table_that_was_never_measured_has_no_picture(tmp_path: Path) -> None:
    assert pictures.pictures(tmp_path) == {}


def test_more_false_answers_are_drawn_higher(tmp_path: Path) -> None:
    table = tmp_path / "prints_honesty.csv"
    rows = [
        {"claim": "copy", "which": "all", "claimed": c, "observed": o, "low": o, "high": o}
        for c, o in (("0.1", "0.05"), ("0.001", "0.0005"), ("0.0001", "0"))
    ]
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    svg = ET.fromstring(pictures.reliability(table))  # noqa: S314 (our own)
    dots = [dot for dot in svg.iter("{http://www.w3.org/2000/svg}circle") if "stroke" in dot.attrib]
    heights = [float(dot.attrib["cy"]) for dot in dots]
    assert heights == sorted(heights)
    assert [dot.attrib["fill"] for dot in dots][-1] == "white"  # none was seen
