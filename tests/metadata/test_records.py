"""Rows of a list: which are ours, at which level, how many, and how often what is said is wrong."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom

from riparian.metadata import compare, records
from riparian.metadata.calibrated import Counted
from riparian.metadata.index import mapped
from riparian.metadata.normalise import normalise
from riparian.schema import MATCHED, RECORDING
from tests.metadata import catalogues

SIBLINGS = Path(__file__).with_name("siblings.csv")
NAMED = (
    ("Harbour Lights", "Ann Reed", 201_300),
    ("Harbour Lights (Live)", "Ann Reed", 260_100),
    ("Blue Notes", "Cole Tarn", 180_400),
    ("Blue Notes 2", "Cole Tarn", 192_800),
    ("Synchronised I", "Vela Dorn", 240_000),
    ("Synchronised II", "Vela Dorn", 222_222),
    ("Dang", "Ruth Okoro", 150_050),
    ("Waiting", "Jon Vane", 170_700),
    ("Salt and Iron (feat. Mia Holm)", "Orla Quist", 205_500),
    ("Seven Winters (Tarn Remix)", "Orla Quist", 305_500),
)
SITUATIONS = {
    # what: (title, artist, ms, level, row of ours)
    "as it is": ("Harbour Lights", "Ann Reed", 201_300, "recording", 0),
    "capitals and whole seconds": ("HARBOUR LIGHTS", "ANN REED", 201_000, "recording", 0),
    "a letter wrong, no duration": ("Harbuor Lights", "Ann Reed", None, "recording", 0),
    "columns swapped": ("Ann Reed", "Harbour Lights", 201_300, "recording", 0),
    "a tag of a remaster": ("Harbour Lights - 2011 Remaster", "Ann Reed", 201_900, "recording", 0),
    "the live one": ("Harbour Lights - Live", "Ann Reed", 260_000, "recording", 1),
    "a guest moved": ("Salt and Iron", "Orla Quist ft. Mia Holm", 205_000, "recording", 8),
    "another remix": ("Seven Winters (Okoro Remix)", "Orla Quist", 251_000, "work", 9),
    "a version we do not have": ("Blue Notes (Karaoke Version)", "Cole Tarn", 215_000, "work", None),
    "another title by the artist": ("Copper Kettle Morning", "Ann Reed", 133_000, "artist", None),
    "nobody's": ("Zebra Crossing Blues", "The Unknown Quintet", 99_000, "none", None),
    "a number we do not have": ("Blue Notes 3", "Cole Tarn", 160_000, "artist", None),
    "nothing at all": (None, None, None, "none", None),
}


@cache
def named() -> tuple[pa.Table, dict[str, dict[str, object]]]:
    ours = catalogues.ours().source
    rows = [
        {"recording": f"n{i}", "title": title, "artist": artist, "duration_ms": ms}
        for i, (title, artist, ms) in enumerate(NAMED)
    ]
    known = mapped(pa.concat_tables([pa.Table.from_pylist(rows, RECORDING), ours]))
    listed, _ = catalogues.dump()
    asked = catalogues.listed([(title, artist, ms) for title, artist, ms, *_ in SITUATIONS.values()])
    weigher = records.learn(known, listed, np.random.default_rng(3))
    matched = next(records.Matching(known, iter([asked]), weigher, np.random.default_rng(3)))
    return matched, dict(zip(SITUATIONS, matched.to_pylist(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("what", SITUATIONS)
def test_a_row_is_taken_for_what_it_is(what: str) -> None:
    *_, level, row = SITUATIONS[what]
    found = named()[1][what]
    assert found["level"] == level, found
    if row is not None:
        assert found["ours"] == row


@pytest.mark.slow
def test_matched_rows_have_the_schema_and_are_in_order() -> None:
    matched = named()[0]
    assert matched.schema.equals(MATCHED)
    assert matched["row"].to_pylist() == list(range(len(SITUATIONS)))


@cache
def whole() -> tuple[pa.Table, records.Totals]:
    listed, _ = catalogues.dump()

    def parts() -> Iterator[pa.Table]:
        yield listed.slice(0, 1_700)
        yield listed.slice(1_700)

    matching = records.match(catalogues.ours(), parts, np.random.default_rng(4))
    return pa.concat_tables(list(matching)), matching.counted()


@pytest.mark.slow
def test_stated_errors_are_not_below_the_real_ones() -> None:
    matched, _ = whole()
    truth = np.array(catalogues.dump()[1])
    known = catalogues.ours()
    found, error = matched["ours"].to_numpy(), matched["error"].to_numpy()
    claimed = np.array(matched["level"].to_pylist()) == "recording"
    side = compare.Side.of(known.normal)
    at = np.flatnonzero(claimed & (truth >= 0))
    right = np.zeros(truth.size, bool)
    right[at] = compare.same(side, side, (truth[at], found[at]))[:, 0]
    for low, high in ((0, 0.003), (0.003, 0.03), (0.03, 0.5)):
        these = claimed & (error >= low) & (error < high)
        wrong, allowed = int((these & ~right).sum()), 1.3 * float(error[these].sum())
        # The chance of so many mistakes or more, were the error 1.3 times what is stated.
        chance = binom.sf(wrong - 1, max(1, int(these.sum())), min(1.0, allowed / max(1, int(these.sum()))))
        assert chance > 1e-3, f"{wrong} of {these.sum()} wrong, stated {error[these].mean():.4f}"


@pytest.mark.slow
def test_what_is_ours_is_counted() -> None:
    truth = np.array(catalogues.dump()[1])
    _, totals = whole()
    ours = int((truth >= 0).sum())
    assert totals.rows.low * 0.99 <= ours <= totals.rows.high * 1.01
    assert totals.rows.low <= totals.rows.estimate <= totals.rows.high
    assert totals.recordings.estimate == pytest.approx(ours, rel=0.05)
    assert totals.catalogue.estimate == pytest.approx(totals.recordings.estimate / catalogues.ours().count)
    assert totals.rows.estimate <= totals.works.high


@pytest.mark.slow
def test_most_rows_of_ours_are_found() -> None:
    matched, _ = whole()
    truth = np.array(catalogues.dump()[1])
    sure = (np.array(matched["level"].to_pylist()) == "recording") & (matched["error"].to_numpy() < 0.1)
    assert (sure & (truth >= 0)).sum() > 0.8 * (truth >= 0).sum()


@pytest.mark.slow
def test_kept_rows_are_counted_as_rows_just_weighed() -> None:
    listed, _ = catalogues.dump()
    weigher = records.learn(catalogues.ours(), listed, np.random.default_rng(4))
    one = records.Matching(catalogues.ours(), iter([listed]), weigher, np.random.default_rng(6))
    list(one)
    again = records.Matching(catalogues.ours(), iter(()), weigher, np.random.default_rng(6))
    for first in (0, 900):
        again.add(again.weighed(listed.slice(first, 900 if not first else None)))
    assert again.counted() == one.counted()


@pytest.mark.slow
def test_a_share_of_plays_is_that_of_the_recordings_found() -> None:
    listed, truth = catalogues.dump()
    known = catalogues.ours()
    matching = records.match(known, lambda: iter([listed]), np.random.default_rng(4))
    list(matching)
    popular = np.zeros(known.count)
    popular[[number for number in truth if number >= 0]] = 1.0
    assert matching.share_of_plays(popular).estimate == pytest.approx(1.0, rel=0.1)
    assert matching.share_of_plays(np.zeros(known.count)) == Counted(0.0, 0.0, 0.0)


@pytest.mark.parametrize(("rows", "n"), [(0, 4_000), (5, 0)])
def test_of_nothing_nothing_is_ours(rows: int, n: int) -> None:
    known = catalogues.ours() if n else mapped(catalogues.recordings(6).slice(0, 0))
    listed = catalogues.listed([("Love", "You", 1_000)] * rows)
    matching = records.match(known, lambda: iter([listed]), np.random.default_rng(1))
    (matched,) = list(matching)
    assert matched["level"].to_pylist() == ["none"] * rows
    assert matching.counted().rows == Counted(0.0, 0.0, 0.0)


@pytest.mark.slow
def test_a_waterfall_adds_up() -> None:
    listed, _ = catalogues.dump()
    weigher = records.learn(catalogues.ours(), listed, np.random.default_rng(4))
    assert weigher is not None
    compared = records.compared_with(catalogues.ours(), normalise(listed.slice(0, 50)))
    for weighing in weigher.weighings:
        bits = weighing.bits(compared.codes)
        for codes, total in zip(compared.codes[:40], bits[:40], strict=True):
            assert sum(part for _, part in weighing.waterfall(codes)) == pytest.approx(float(total), abs=1e-3)


def test_a_sample_is_even_and_bounded() -> None:
    rows = catalogues.listed([("a", "b", 1)] * 1_000)
    tables = [rows.set_column(0, "row", pa.array(np.arange(1_000) + 1_000 * i)) for i in range(80)]
    numbers = records.sampled(tables)["row"].to_numpy()
    assert records.SAMPLE <= numbers.size <= 2 * records.SAMPLE
    assert len(set(np.diff(numbers))) == 1


@pytest.mark.slow
def test_siblings_are_never_the_same_recording_above_99_percent() -> None:
    with SIBLINGS.open(encoding="utf-8") as file:
        pairs = list(csv.DictReader(file))
    assert len(pairs) >= 200
    rng = np.random.default_rng(8)
    length = rng.integers(120_000, 320_000, len(pairs))
    rows = [
        {"recording": f"s{i}", "title": pair["title"], "artist": pair["artist"], "duration_ms": int(length[i])}
        for i, pair in enumerate(pairs)
    ]
    known = mapped(pa.concat_tables([pa.Table.from_pylist(rows, RECORDING), catalogues.ours().source]))
    listed, _ = catalogues.dump()
    # Half of the siblings last as long as the recording, within two seconds.
    apart = np.where(rng.random(len(pairs)) < 0.5, rng.integers(-2_000, 2_000, len(pairs)), 45_000)
    siblings = catalogues.listed(
        [
            (pair["their_title"], pair["their_artist"], int(ms) if i % 3 else None)
            for i, (pair, ms) in enumerate(zip(pairs, length + apart, strict=True))
        ]
    )
    weigher = records.learn(known, listed, np.random.default_rng(3))
    matched = next(records.Matching(known, iter([siblings]), weigher, np.random.default_rng(3)))
    taken = [
        (pair, row)
        for i, (pair, row) in enumerate(zip(pairs, matched.to_pylist(), strict=True))
        if row["level"] == "recording" and row["error"] < 0.01 and row["ours"] == i
    ]
    assert not taken
