"""Live takes, remixes, numbered parts, covers and short titles are not the recording that they resemble."""

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from riparian.metadata.index import mapped
from riparian.metadata.records import match
from riparian.schema import LISTED, RECORDING
from tests.metadata.lists import table

SURE = 0.01
OTHERS = 3000
PAIRS = [*csv.DictReader((Path(__file__).parent / "siblings.csv").read_text().splitlines())]


def _ours() -> pa.Table:
    """Hold one of each pair, and made-up recordings beside them."""
    held: dict[str, list[str]] = {"recording": [f"pair-{i}" for i in range(len(PAIRS))]}
    held |= {name: [pair[name] for pair in PAIRS] for name in ("title", "artist")}
    return pa.concat_tables([_as(pa.table(held), RECORDING), _as(table(OTHERS), RECORDING)])


def _theirs() -> pa.Table:
    """List the others of the pairs, and a third of the made-up recordings as they are."""
    others = table(OTHERS).slice(0, OTHERS // 3)
    listed: dict[str, object] = {"row": range(len(PAIRS) + others.num_rows)}
    listed |= {
        name: [pair[f"their_{name}"] for pair in PAIRS] + others[name].to_pylist() for name in ("title", "artist")
    }
    return _as(pa.table(listed), LISTED)


def _as(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        rows[f.name].cast(f.type) if f.name in rows.column_names else pa.nulls(len(rows), f.type) for f in schema
    ]
    return pa.table(columns, schema=schema)


def test_there_are_at_least_two_hundred_pairs_and_none_twice() -> None:
    assert len({tuple(pair.values()) for pair in PAIRS}) == len(PAIRS) >= 200


@pytest.mark.slow
def test_no_sibling_is_counted_as_the_same_recording_above_99_percent() -> None:
    ours, theirs = _ours(), _theirs()
    matching = match(mapped(ours), lambda: iter([theirs]), np.random.default_rng(3))
    said = pa.concat_tables(list(matching)).slice(0, len(PAIRS))
    held = ours.select(["title", "artist"]).take(pa.array(np.maximum(said["ours"].to_numpy(), 0))).to_pylist()
    sure = [
        (pair["their_title"], pair["their_artist"], of_ours)
        for pair, of_ours, row in zip(PAIRS, held, said.to_pylist(), strict=True)
        if row["level"] == "recording" and row["error"] < SURE
        if (of_ours["title"], of_ours["artist"]) != (pair["their_title"], pair["their_artist"])
    ]
    assert sure == []
