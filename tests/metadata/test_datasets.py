"""What is surely ours is told by what it says; what never was is a measure of mistakes."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from scipy.stats import beta

from riparian.metadata.datasets import LEVELS, Bounds, Sure, controls, mistaken, share

OURS = pa.table(
    {
        "recording": ["4uLU6hMCjMI75M1A2tKUQC", "r-2", "r-3"],
        "title": ["Harbour Lights", "Harbour Lights (Live)", "Tide"],
        "artist": ["The Saltmarsh", "The Saltmarsh", "Ida Lund & Co"],
        "duration_ms": pa.array([205_000, 260_000, None], pa.int32()),
        "isrc": ["GBABC1200001", None, "GB-ABC-12-00003"],
        "mbid": [None, "b1a9c0e9-d987-4042-ae91-78d6a3267d69", None],
        "platform_id": [None, None, "deezer:3135556"],
    }
)
DIGEST = hashlib.sha256(b"a").hexdigest()
CODES = pa.table({"ours": [1], "kind": ["isrc"], "value": ["GBABC1200009"]})
SITUATIONS: dict[str, tuple[dict[str, str | int], int, str]] = {
    "our file": ({"digest": DIGEST, "isrc": "GBABC1200001"}, 2, "hash"),
    "another file": ({"digest": hashlib.sha256(b"b").hexdigest()}, -1, ""),
    "our code with hyphens": ({"isrc": "gb-abc-12-00001"}, 0, "identifier"),
    "another code of ours": ({"isrc": "GBABC1200009"}, 1, "identifier"),
    "our code under a foreign name": ({"isrc": "GBABC1200001", "title": "x", "artist": "y"}, 0, "identifier"),
    "an MBID in an address": (
        {"mbid": "https://musicbrainz.org/recording/B1A9C0E9-D987-4042-AE91-78D6A3267D69"},
        1,
        "identifier",
    ),
    "what we call it ourselves": ({"platform_id": "spotify:track:4uLU6hMCjMI75M1A2tKUQC"}, 0, "identifier"),
    "an address of a service": ({"platform_id": "https://www.deezer.com/track/3135556?x=1"}, 2, "identifier"),
    "a short number of any service": ({"platform_id": "3135556"}, -1, ""),
    "our names in other letters": ({"title": "HARBOUR  LIGHTS", "artist": "the saltmarsh"}, 0, "names"),
    "our first artist": ({"title": "Tide", "artist": "Ida Lund"}, 2, "names"),
    "our live version": ({"title": "Harbour Lights - Live", "artist": "Saltmarsh"}, 1, "names"),
    "a version of nobody's": ({"title": "Harbour Lights (Remix)", "artist": "The Saltmarsh"}, -1, ""),
    "a remaster is the recording": ({"title": "Harbour Lights (2011 Remaster)", "artist": "The Saltmarsh"}, 0, "names"),
    "far longer": ({"title": "Harbour Lights", "artist": "The Saltmarsh", "duration_ms": 300_000}, -1, ""),
    "a little longer": ({"title": "Harbour Lights", "artist": "The Saltmarsh", "duration_ms": 207_000}, 0, "names"),
    "no artist": ({"title": "Harbour Lights"}, -1, ""),
    "nothing": ({}, -1, ""),
}


def items(rows: Sequence[Mapping[str, str | int]]) -> pa.Table:
    columns = ("title", "artist", "isrc", "mbid", "platform_id", "digest")
    made = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in columns}
    return pa.table(made | {"duration_ms": pa.array([row.get("duration_ms") for row in rows], pa.int32())})


@pytest.mark.parametrize("situation", SITUATIONS)
def test_an_item_is_ours_by_what_it_says(situation: str) -> None:
    row, ours, by = SITUATIONS[situation]
    found, levels = Sure(OURS, CODES, {DIGEST: 2}).look(items([row]))
    assert found.tolist() == [ours]
    assert [LEVELS[at] if at >= 0 else "" for at in levels] == [by]


def test_many_items_are_told_as_each_of_them() -> None:
    rows = [row for row, _, _ in SITUATIONS.values()]
    together, _ = Sure(OURS, CODES, {DIGEST: 2}).look(items(rows))
    assert together.tolist() == [ours for _, ours, _ in SITUATIONS.values()]


def test_nothing_is_found_where_nothing_is_ours() -> None:
    found, by = Sure(OURS.slice(0, 0)).look(items([row for row, _, _ in SITUATIONS.values()]))
    assert set(found.tolist()) == set(by.tolist()) == {-1}


def test_controls_are_names_of_ours_that_never_went_together() -> None:
    n = 300
    ours = pa.table(
        {"title": [f"Song number {at}" for at in range(n)], "artist": [f"Band {at % 40}" for at in range(n)]}
    )
    made = controls(ours, 200, np.random.default_rng(1))
    assert made.num_rows == 200
    assert pl.DataFrame(made).is_unique().all()
    assert set(Sure(ours).look(made)[0].tolist()) == {-1}, "none of them is ours"
    assert set(made["title"].to_pylist()) <= set(ours["title"].to_pylist())
    assert controls(ours.slice(0, 1), 9, np.random.default_rng(1)).num_rows == 0


@pytest.mark.parametrize(("found", "n"), [(0, 100), (3, 100), (100, 100)])
def test_mistakes_are_bounded_as_clopper_and_pearson_do(found: int, n: int) -> None:
    bounds = mistaken(found, n, 1_000)
    high = beta.ppf(0.95, found + 1, n - found) if found < n else 1.0
    assert bounds.high == pytest.approx(1_000 * high, abs=0.06)
    assert bounds.estimate == 1_000 * found / n


def test_without_controls_all_may_be_mistaken() -> None:
    assert mistaken(0, 0, 7) == Bounds(0.0, 0.0, 7.0)


def test_a_share_holds_what_it_says() -> None:
    rng = np.random.default_rng(2)
    truth, covered = 300, 0
    for _ in range(400):
        found = rng.hypergeometric(truth, 10_000 - truth, 800)
        bounds = share(int(found), 800, 10_000)
        covered += bounds.low <= truth <= bounds.high
    assert covered >= 0.94 * 400
