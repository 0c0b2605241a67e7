from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from riparian.creators.deliverers import RECORDINGS_MIN, Dossier, dossiers

START = datetime(2025, 1, 1, tzinfo=UTC)


def catalogue(odd: list[dict[str, Any]], n: int = 40) -> pa.Table:
    """Make a catalogue of ordinary deliverers, and odd rows of one called odd."""
    rng = np.random.default_rng(7)
    rows = [
        {
            "recording": f"r{owner}-{i}",
            "title": f"song {owner} {i} of the river",
            "artist": f"artist {rng.integers(10**6)}",
            "owner": f"label {owner}",
            "duration_ms": int(rng.integers(90_000, 400_000)),
            "popularity": float(rng.pareto(1)),
            "added": START + timedelta(days=int(rng.integers(600))),
        }
        for owner in range(n)
        for i in range(rng.integers(12, 60))
    ]
    ordinary = {"duration_ms": 200_000, "popularity": 1.0, "title": "plain", "artist": "somebody"}
    rows += [
        {**ordinary, "recording": f"odd-{i}", "owner": "odd", "added": START + timedelta(days=7 * i), **row}
        for i, row in enumerate(odd)
    ]
    return pa.Table.from_pylist(rows)


TWENTY = range(20)


def of(found: list[Dossier], name: str) -> Dossier:
    (one,) = (each for each in found if each.deliverer == name)
    return one


@pytest.mark.parametrize(
    ("odd", "way", "count"),
    [
        pytest.param([{"duration_ms": 31_000 + i} for i in TWENTY], "half_minute", 20, id="just over half a minute"),
        pytest.param([{"added": START} for _ in TWENTY], "one_day", 20, id="all on one day"),
        pytest.param(
            [{"title": f"song 3 {i} of the river"} for i in TWENTY],
            "played_titles",
            None,
            id="titles of what is played",
        ),
    ],
)
def test_the_odd_one_is_told_and_why(odd: list[dict[str, Any]], way: str, count: int | None) -> None:
    table = catalogue(odd)
    if way == "played_titles":
        played = [100.0 if str(name).startswith("song 3 ") else 0.1 for name in table["title"].to_pylist()]
        table = table.set_column(table.schema.get_field_index("popularity"), "popularity", pa.array(played))
    told = {one.way.name: one for one in of(dossiers(table), "odd").unusual}
    assert way in told
    assert told[way].rank == pytest.approx(1 / 41)
    if count is not None:
        assert told[way].count == count


def test_names_that_look_like_others_are_told_of_whoever_is_played_less() -> None:
    table = catalogue([{"artist": "Bey0nc\u00e9" if i < 15 else "somebody"} for i in TWENTY])
    famous = [
        {**row, "recording": f"g{i}", "artist": "Beyonc\u00e9", "popularity": 9e9, "owner": "grand"}
        for i, row in enumerate(table.to_pylist()[:20])
    ]
    found = dossiers(pa.concat_tables([table, pa.Table.from_pylist(famous, schema=table.schema)]))
    told = {one.deliverer: {way.way.name: way.count for way in one.unusual} for one in found}
    assert told["odd"]["names_alike"] == 15
    assert "names_alike" not in told.get("grand", {})


def test_sound_of_others_and_of_one_s_own_are_told_apart() -> None:
    table = catalogue([{} for _ in TWENTY])
    twins = [(f"odd-{i}", f"r3-{i}") for i in range(10)] + [("odd-18", "odd-19")]
    told = {way.way.name: way.count for way in of(dossiers(table, twins), "odd").unusual}
    assert (told["others_sound"], told["one_sound"]) == (10, 2)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        pytest.param(catalogue([{"duration_ms": 31_000}] * 20, n=15), "too few to compare with", id="few deliverers"),
        pytest.param(
            catalogue([{"duration_ms": 31_000}] * (RECORDINGS_MIN - 1)), "too few recordings", id="few recordings"
        ),
        pytest.param(pa.table({"recording": ["a"], "title": ["b"]}), "nobody is named", id="no owners"),
    ],
)
def test_nothing_is_told_of_whom_nothing_can_be_said(table: pa.Table, why: str) -> None:
    assert [one for one in dossiers(table) if one.deliverer == "odd"] == [], why


def test_among_ordinary_deliverers_few_are_told_as_the_rank_says() -> None:
    # 40 deliverers, seven ways at most 1 in 20 each: by lot two of forty a way.
    found = dossiers(catalogue([]))
    assert sum(len(one.unusual) for one in found) <= 7 * 2
