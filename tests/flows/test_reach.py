import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from riparian.accounts.tally import account_mask
from riparian.catalogue.popularity import Popularity
from riparian.flows.reach import Recordings, reach, taken

CODES = st.lists(st.integers(1, 2**64 - 1), max_size=50)


def codes(values: list[int]) -> np.ndarray:
    return np.array(values, np.uint64)


@given(CODES, CODES)
def test_a_set_of_recordings_holds_what_was_put_in_once(first: list[int], second: list[int]) -> None:
    recordings = Recordings.of(codes(first))
    recordings.add(codes([*second, 0]), np.ones(len(second) + 1, np.bool_))
    assert recordings.codes().tolist() == sorted({*first, *second})
    assert recordings.n == len({*first, *second})


def test_a_set_grows_beyond_its_first_room() -> None:
    many = np.unique(account_mask(np.arange(200_000, dtype=np.uint64)))
    recordings = Recordings.of(many)
    assert recordings.n == len(many)
    assert (recordings.codes() == many).all()


@given(st.dictionaries(st.integers(1, 2**64 - 1), st.sets(st.integers(1, 2**64 - 1), max_size=8), max_size=5))
def test_what_an_account_took_is_read_off_the_tally_again(had: dict[int, set[int]]) -> None:
    accounts = codes(list(had))
    masks = account_mask(accounts)
    pairs = [mask ^ np.uint64(code) for mask, own in zip(masks, had.values(), strict=True) for code in own]
    recordings = Recordings.of(codes([code for own in had.values() for code in own]))
    marks = recordings.marks()
    counts = taken(recordings, accounts, np.array(pairs, np.uint64), marks)
    assert counts.tolist() == [len(own) for own in had.values()]
    assert sorted(recordings.places[marks].tolist()) == recordings.codes().tolist()


def test_the_share_of_a_catalogue_is_weighted_by_plays_as_well() -> None:
    catalogue = Popularity.of(pa.table({"recording": ["a", "b", "c", "d"], "popularity": [7.0, 1.0, 1.0, 1.0]}))
    most = catalogue.codes[catalogue.rank == 0]
    recordings = Recordings.of(np.append(most, np.uint64(12345)))
    told = reach(recordings, recordings.places != 0, catalogue, accounts=1)
    assert (told.recordings, told.catalogue_share, told.plays_share) == (2, 0.25, 0.7)
