import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from riparian.accounts.tally import account_mask
from riparian.catalogue.popularity import Popularity
from riparian.flows.reach import Plays, Recordings, taken

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
    found = taken(recordings, accounts, codes([int(pair) for pair in pairs]))
    for row, own in enumerate(had.values()):
        assert found.of(row).tolist() == sorted(found.of(row).tolist())
        assert sorted(recordings.places[found.of(row)].tolist()) == sorted(own)


def test_what_a_thousand_accounts_took_is_read_off_one_tally() -> None:
    random = np.random.default_rng(7)
    catalogue = np.unique(random.integers(1, 2**64 - 1, 50_000, dtype=np.uint64))
    accounts = random.integers(1, 2**64 - 1, 1_000, dtype=np.uint64)
    own = [np.unique(random.choice(catalogue, random.integers(0, 60))) for _ in accounts]
    pairs = np.concatenate([codes ^ mask for codes, mask in zip(own, account_mask(accounts), strict=True)])
    recordings = Recordings.of(catalogue)
    found = taken(recordings, accounts[::2], random.permutation(pairs))
    assert [sorted(recordings.places[found.of(row)].tolist()) for row in range(500)] == [
        codes.tolist() for codes in own[::2]
    ]


def test_the_share_of_a_catalogue_is_weighted_by_plays_as_well() -> None:
    catalogue = Popularity.of(pa.table({"recording": ["a", "b", "c", "d"], "popularity": [7.0, 1.0, 1.0, 1.0]}))
    most = catalogue.codes[catalogue.rank == 0]
    recordings = Recordings.of(np.append(most, np.uint64(12345)))
    told = Plays.of(recordings, catalogue).reach(np.flatnonzero(recordings.places), accounts=1)
    assert (told.recordings, told.catalogue_share, told.plays_share) == (2, 0.25, 0.7)
