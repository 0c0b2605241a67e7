"""Rows are found again whatever was done to their names; the map gives what comparing all keys gives."""

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.metadata.index import FREQUENT, Map, mapped
from riparian.metadata.keys import Vocabulary, asked, keys
from riparian.metadata.normalise import normalise

Row = tuple[str, str, int | None, str | None]
OURS: list[Row] = [
    ("Harbour Lights", "Ann Reed", 200_000, "GBABC1200001"),
    ("Harbour Lights - Live", "Ann Reed", 251_000, "GBABC1200002"),
    ("Salt and Sand", "The Pier; Bo Marten", 180_400, None),
    ("Confucius", "Wintermute", 301_000, None),
    ("Part 1", "Long Suite", 100_000, None),
    ("Part 2", "Long Suite", 120_000, None),
    *((f"Filler number{i}", f"Somebody{i}", 1_000 * i, None) for i in range(300)),
]
SITUATIONS: dict[str, tuple[Row, int]] = {
    "as it is": (OURS[0], 0),
    "another case, no accents": (("HARBOUR LIGHTS", "ann reed", None, None), 0),
    "the columns are swapped": (("Ann Reed", "Harbour Lights", None, None), 0),
    "a letter is missing": (("Harbor Lights", "Ann Reed", None, None), 0),
    "a letter is wrong": (("Hatbour Lights", "Ann Reed", None, None), 0),
    "two letters are swapped": (("Harbour Lihgts", "Ann Reed", None, None), 0),
    "a letter too many in both": (("Harrbour Lights", "Anne Reed", None, None), 0),
    "a tag of a remaster": (("Harbour Lights (2011 Remaster)", "Ann Reed", None, None), 0),
    "the name before the first name": (("Harbour Lights", "Reed, Ann", None, None), 0),
    "a guest that we do not have": (("Harbour Lights (feat. Zed Omega)", "Ann Reed", None, None), 0),
    "the first artist alone": (("Salt & Sand", "The Pier", None, None), 2),
    "the second artist alone": (("Salt and Sand", "Bo Marten", None, None), 2),
    "no artist, the duration is there": (("Salt and Sand", "", 180_000, None), 2),
    "no artist, two seconds off": (("Salt and Sand", "", 182_000, None), 2),
    "no artist, rare words": (("Salt and Sand", "", None, None), 2),
    "the code alone": (("?", "?", None, "GBABC1200001"), 0),
    "written in another alphabet": (("Харбоур Лигхтс", "Анн Реед", None, None), 0),  # noqa: RUF001 -- it is the point
    "the words run together": (("HarbourLights", "AnnReed", 200_000, None), 0),
    "cut short": (("Harbour Li", "Ann Reed", None, None), 0),
}


def table(rows: list[Row]) -> pa.Table:
    titles, artists, durations, codes = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table(
        {
            "title": pa.array(titles, pa.string()),
            "artist": pa.array(artists, pa.string()),
            "duration_ms": pa.array(durations, pa.int32()),
            "isrc": pa.array(codes, pa.string()),
        }
    )


@pytest.fixture(scope="module")
def ours() -> Map:
    return mapped(table(OURS))


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_row_is_among_the_candidates(name: str, ours: Map) -> None:
    row, right = SITUATIONS[name]
    assert right in ours.candidates(normalise(table([row]))).ours.tolist()


def test_a_foreign_row_has_few_candidates(ours: Map) -> None:
    found = ours.candidates(normalise(table([("Quiet Zebra", "Kangaroo Xylophone", 77_000, None)])))
    assert len(found) <= 2


def test_candidates_come_row_by_row_the_likeliest_first(ours: Map) -> None:
    found = ours.candidates(normalise(table(OURS)), 3)
    assert (np.diff(found.theirs) >= 0).all()
    assert (np.bincount(found.theirs) <= 3).all()
    firsts = np.flatnonzero(np.diff(found.theirs, prepend=-1))
    assert found.ours[firsts].tolist() == list(range(len(OURS)))


def test_an_empty_map_and_an_empty_list_have_nothing(ours: Map) -> None:
    assert len(mapped(table([])).candidates(normalise(table(OURS)))) == 0
    assert len(ours.candidates(normalise(table([])))) == 0


def test_a_key_that_too_many_rows_have_is_not_looked_up() -> None:
    # Titles that sound alike, by one artist: only words that few have tell them apart.
    many = mapped(table([("Same Old Song", "Everybody", 200_000, None)] * (FREQUENT + 1)))
    assert len(many.candidates(normalise(table([("Same Old Song", "Everybody", 200_000, None)])))) == 0


def test_rarity_is_that_of_the_rarest_word(ours: Map) -> None:
    titles, artists = ours.rarity(normalise(table([("Harbour Filler", "Nobody", None, None), ("", "", None, None)])))
    assert titles[0] == pytest.approx(np.log2((len(OURS) + 1) / 2))
    assert artists[0] == pytest.approx(np.log2(len(OURS) + 1))
    assert (titles[1], artists[1]) == (0, 0)


def plain(rows: list[Row], query: list[Row], most: int) -> list[list[tuple[int, int]]]:
    """Compare every key of each row with every key of each row of ours: what the map is to give."""
    normal = normalise(table(rows))
    vocabulary = Vocabulary.of_rows([normal])
    held: dict[int, list[int]] = defaultdict(list)
    for key, row in zip(*(a.tolist() for a in keys(normal, vocabulary)), strict=True):
        held[key].append(row)
    out: list[list[tuple[int, int]]] = []
    key_of, row_of = (a.tolist() for a in asked(normalise(table(query)), vocabulary))
    for i in range(len(query)):
        total: Counter[int] = Counter()
        times: Counter[int] = Counter()
        for key in (key for key, row in zip(key_of, row_of, strict=True) if row == i):
            found = held.get(key, [])
            if len(found) <= FREQUENT:
                for row in found:
                    total[row] += max(1.0, float(np.log2(len(rows) / len(found))))  # type: ignore[assignment]
                    times[row] += 1
        ranked = sorted(total, key=lambda row: (-total[row], row))[:most]
        out.append([(row, times[row]) for row in ranked])
    return out


WORDS = st.sampled_from(["amber", "birch", "cedar", "ember", "embers", "amper", "one", "two", ""])
NAMES = st.lists(WORDS, max_size=4).map(" ".join)
ROWS = st.lists(st.tuples(NAMES, NAMES, st.none() | st.integers(0, 9_000), st.none()), max_size=12)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, query=ROWS)
def test_the_map_gives_what_comparing_all_keys_gives(rows: list[Row], query: list[Row]) -> None:
    if not rows or not query:
        return
    found = mapped(table(rows)).candidates(normalise(table(query)), 5)
    given_ = [
        [
            (o, s)
            for t, o, s in zip(found.theirs.tolist(), found.ours.tolist(), found.shared.tolist(), strict=True)
            if t == i
        ]
        for i in range(len(query))
    ]
    expected = plain(rows, query, 5)
    assert [sorted(times for _, times in one) for one in given_] == [
        sorted(times for _, times in one) for one in expected
    ]
    assert [set(one) for one in given_ if len(one) < 5] == [set(one) for one in expected if len(one) < 5]
