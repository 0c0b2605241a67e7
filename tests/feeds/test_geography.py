"""Addresses become places by the operator's own database, and become pseudonyms only then."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from riparian.codes import codes_of
from riparian.errors import InputError
from riparian.feeds.access_log import read
from riparian.feeds.chunks import ReadOptions
from riparian.feeds.geography import NOWHERE, Geography
from tests.feeds.mmdb import write_mmdb

KEY = bytes(range(16))
BERLIN = {"country": {"iso_code": "DE"}, "location": {"latitude": 52.5, "longitude": 13.4}}
LISBON = {"country": "PT", "lat": "38.7", "lng": "-9.1"}
NETWORKS = {
    "203.0.113.0/24": BERLIN,
    "2001:db8:7::/48": LISBON,
    "198.51.100.0/25": BERLIN | {"traits": {"is_anonymous_vpn": True}},
    "198.51.100.128/25": {"traits": {"user_type": "hosting"}, "country": {"iso_code": "NL"}},
    "192.0.2.0/24": {"country": {"iso_code": "??"}, "location": {"latitude": 999.0, "longitude": 1.0}},
}
DE, PT = (ord(a) << 8 | ord(b) for a, b in ("DE", "PT"))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mmdb(tmp_path_factory.mktemp("places") / "city.mmdb", NETWORKS)


SPOTS = {
    "203.0.113.9": (52.5, 13.4, DE),
    "2001:db8:7::1": (38.7, -9.1, PT),
    "198.51.100.7": NOWHERE,
    "198.51.100.200": NOWHERE,
    "192.0.2.1": NOWHERE,
    "10.0.0.1": NOWHERE,
    "n-0123456789abcdef": NOWHERE,
    "": NOWHERE,
}


@pytest.mark.parametrize("address", SPOTS)
def test_an_address_is_where_the_database_says(database: Path, address: str) -> None:
    spot = Geography.opened([str(database)]).spot(address)
    np.testing.assert_equal(tuple(spot), tuple(SPOTS[address]))


def test_what_one_database_does_not_know_the_next_may(database: Path, tmp_path: Path) -> None:
    more = write_mmdb(tmp_path / "more.mmdb", {"10.0.0.0/8": LISBON, "203.0.113.0/28": {"is_tor_exit_node": True}})
    both = Geography.opened([str(database), str(more)])
    assert both.spot("10.0.0.1").country == PT
    assert both.spot("203.0.113.200").country == DE
    np.testing.assert_equal(tuple(both.spot("203.0.113.9")), tuple(NOWHERE))


def test_a_column_is_asked_once_per_address_and_nulls_are_nowhere(database: Path) -> None:
    found = Geography.opened([str(database)])
    spots = found.spots(pa.chunked_array([["203.0.113.9", None], ["203.0.113.9"]]))
    assert spots.country.tolist() == [DE, 0, DE]
    assert np.isnan(spots.lat).tolist() == [False, True, False]
    assert list(found.known) == ["203.0.113.9"]


def accesses_of(log: Path, database: Path) -> pa.Table:
    chunks = read([str(log)], options=ReadOptions(places=(str(database),)), key=KEY)
    return pa.concat_tables([chunk.accesses for chunk in chunks])


def test_the_database_speaks_before_the_columns_of_the_log_and_addresses_stay_outside(
    database: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log.csv"
    lines = [
        f"2026-03-02T10:00:{i:02d}Z,acct-{i % 7},GBAYE06014{i:02d},{address},FR,48.9,2.4"
        for i, address in enumerate(["203.0.113.9", "2001:db8:7::1", "198.51.100.7", "192.0.2.1:443"] * 10)
    ]
    log.write_text("\n".join(["timestamp,account,recording,ip,country,lat,lon", *lines]) + "\n")
    accesses = accesses_of(log, database)
    assert accesses["country"].to_pylist()[:4] == [DE, PT, None, None]
    np.testing.assert_allclose(accesses["lat"].to_numpy()[:4], [52.5, 38.7, np.nan, np.nan], rtol=1e-6)
    assert accesses["network"][0].as_py() == codes_of(pa.array(["203.0.113.9"]), KEY)[0]


def test_a_log_without_addresses_keeps_its_own_places(database: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    lines = [f"2026-03-02T10:00:{i:02d}Z,acct-{i % 7},GBAYE06014{i:02d},48.9,2.4" for i in range(40)]
    log.write_text("\n".join(["timestamp,account,recording,lat,lon", *lines]) + "\n")
    assert accesses_of(log, database)["lon"][0].as_py() == pytest.approx(2.4)


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.mmdb"
    wrong.write_bytes(b"not a database at all")
    with pytest.raises(InputError, match="is no database in MaxMind's format"):
        Geography.opened([str(wrong)])
    with pytest.raises(InputError, match="cannot be read"):
        Geography.opened([str(tmp_path / "none.mmdb")])
