"""A catalogue as the bets see it: found by code, ordered by plays and by identifier."""

import numpy as np
import pyarrow as pa
import pytest

from riparian.catalogue.popularity import Popularity
from riparian.codes import RECORDING_KEY, codes_of
from riparian.errors import InputError


def row(catalogue: Popularity, identifier: str) -> int:
    return int(catalogue.find(codes_of(pa.array([identifier]), RECORDING_KEY))[0])


def test_an_empty_catalogue_finds_nothing() -> None:
    for catalogue in (Popularity.empty(), Popularity.of(pa.table({"recording": pa.array([], pa.string())}))):
        assert catalogue.size == 0
        assert catalogue.find(np.array([1, 2], np.uint64)).tolist() == [-1, -1]


MALFORMED = {
    "an identifier twice": ({"recording": ["a", "b", "a"]}, "`a` among them"),
    "a chart position below zero": ({"recording": ["a", "b"], "popularity": [1.0, -2.0]}, "-2.0"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_catalogue_is_refused_with_what_was_found(name: str) -> None:
    columns, reason = MALFORMED[name]
    with pytest.raises(InputError, match=reason):
        Popularity.of(pa.table(columns))


def test_ranks_shares_and_places_are_those_of_the_table() -> None:
    table = pa.table({"recording": ["t10", "t9", "t1"], "popularity": [6.0, 3.0, 1.0], "artist": ["x", None, "x"]})
    catalogue = Popularity.of(table)
    rows = [row(catalogue, i) for i in ("t10", "t9", "t1")]
    assert catalogue.rank[rows].tolist() == [0, 1, 2]
    assert catalogue.place[rows].tolist() == [2, 1, 0]
    assert catalogue.share[rows].tolist() == [0.6, 0.3, 0.1]
    assert catalogue.artist[rows[0]] == catalogue.artist[rows[2]] >= 0 > catalogue.artist[rows[1]]


def test_without_popularity_there_is_no_rank_and_all_count_alike() -> None:
    catalogue = Popularity.of(pa.table({"recording": ["a", "b"]}))
    assert catalogue.rank.tolist() == [-1, -1]
    assert catalogue.share.tolist() == [0.5, 0.5]


def test_every_recording_is_found_in_the_table_for_kernels() -> None:
    ids = [f"r{i}" for i in range(5_000)]
    catalogue = Popularity.of(pa.table({"recording": ids}))
    filled = catalogue.index != 0
    assert int(filled.sum()) == 5_000
    assert np.array_equal(catalogue.codes[catalogue.index_rows[filled]], catalogue.index[filled])
