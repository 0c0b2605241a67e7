"""Places: nobody who can have travelled is scattered, and a log in pieces is the log as a whole."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from riparian.accounts import places
from riparian.accounts.people import People
from riparian.accounts.places import Places, kilometres
from riparian.errors import CustodyError
from riparian.schema import HOUR_US

Columns = dict[str, npt.NDArray[Any]]
FIRST_H = 20_020 * 24
"""The first hour of a stretch of 28 days."""
LONDON, BERLIN, TOKYO, SYDNEY = (51.5, -0.1), (52.5, 13.4), (35.7, 139.7), (-33.9, 151.2)


def log(rows: Sequence[tuple[float, tuple[float, float]]], *, countries: Sequence[int] = ()) -> Columns:
    """Write accesses of one account: hours since the beginning, and the place."""
    columns: Columns = {
        "at_us": np.array([(FIRST_H + hour) * HOUR_US for hour, _ in rows], np.int64),
        "lat": np.array([place[0] for _, place in rows], np.float32),
        "lon": np.array([place[1] for _, place in rows], np.float32),
    }
    return columns | ({"country": np.array(countries, np.uint16)} if countries else {})


def followed(people: People, columns: Columns) -> Any:
    found = Places.empty()
    places.observe(found, columns, np.zeros(len(columns["at_us"]), np.int32), people)
    return found.state[0]


def test_an_empty_log_and_one_without_places_say_nothing(people: People) -> None:
    found = Places.empty()
    places.observe(found, {"at_us": np.zeros(3, np.int64)}, np.zeros(3, np.int32), people)
    places.observe(found, log([]), np.empty(0, np.int32), people)
    assert len(found.state) == 0
    assert len(places.answers(places.levels(found, np.empty(0, np.uint64)), people)) == 0


def test_what_was_kept_in_another_form_is_refused() -> None:
    with pytest.raises(CustodyError, match="another form"):
        Places.from_arrays({"state": np.zeros(1, np.int64)})


def test_distances_are_those_of_an_atlas() -> None:
    assert kilometres(*LONDON, *TOKYO) == pytest.approx(9_560, rel=0.01)
    assert kilometres(0.0, 179.9, 0.0, -179.9) == pytest.approx(22.2, rel=0.01)
    assert kilometres(*LONDON, *LONDON) == 0


TRAVELS: dict[str, tuple[list[tuple[float, tuple[float, float]]], int]] = {
    "nowhere": ([(0, LONDON), (1, LONDON)], 0),
    "by air": ([(0, LONDON), (10, TOKYO), (22, SYDNEY)], 0),
    "across the date line by boat": ([(0, (0.0, 179.9)), (1, (0.0, -179.9))], 0),
    "to the next city, at once": ([(0, LONDON), (0.01, (52.5, -1.9))], 0),
    "through a private network and back": ([(0, LONDON), (0.1, TOKYO), (0.2, LONDON), (0.3, TOKYO)], 2),
    "in two places at once for a month": ([(h / 2, (LONDON, BERLIN)[h % 2]) for h in range(600)], 2),
    "with a place that is not known": ([(0, LONDON), (0.1, (np.nan, np.nan)), (0.2, LONDON)], 0),
    "off the map": ([(0, LONDON), (0.1, (500.0, 0.0)), (0.2, LONDON)], 0),
}


@pytest.mark.parametrize("how", TRAVELS)
def test_only_what_no_aircraft_flies_scatters(people: People, how: str) -> None:
    rows, scattered = TRAVELS[how]
    assert followed(people, log(rows))["scattered"]["level"] == scattered


def test_places_are_never_more_than_there_were_and_forgotten_after_a_stretch(people: People) -> None:
    rng = np.random.default_rng(4)
    cities = [
        (float(lat), float(lon)) for lat, lon in zip(rng.uniform(-60, 70, 60), rng.uniform(-180, 180, 60), strict=True)
    ]
    state = followed(people, log([(i / 10, city) for i, city in enumerate(cities)]))
    assert 40 <= state["scattered"]["level"] <= 60
    spread = [(i * 24 * 28 / 10, city) for i, city in enumerate(cities)]
    assert followed(people, log(spread))["scattered"]["level"] <= 10


def test_countries_are_counted_in_a_stretch(people: People) -> None:
    codes = [ord(a) << 8 | ord(b) for a, b in ("GB", "DE", "JP", "AU", "GB")]
    columns = log([(40.0 * i, LONDON) for i in range(5)], countries=codes)
    assert followed(people, columns)["countries"]["level"] == 4


def test_a_night_is_awake_when_each_of_its_hours_is(people: People) -> None:
    tokyo_1am = 16 - 0.3
    whole = [(24 * day + tokyo_1am + hour, TOKYO) for day in range(9) for hour in (0, 1, 2)]
    state = followed(people, log(whole))
    assert (state["nights"]["level"], state["nights"]["rung"]) == (9, 1)
    assert followed(people, log([(hour, LONDON) for hour, _ in whole]))["nights"]["level"] == 0


@pytest.mark.parametrize("seed", range(3))
def test_a_log_in_pieces_is_the_log_as_a_whole(people: People, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 20_000
    cities = rng.uniform([-60, -180], [70, 180], (200, 2))
    rows = sorted(zip((rng.random(n) * 2_000).tolist(), cities[rng.zipf(1.5, n) % 200].tolist(), strict=True))
    columns = log([(hour, (lat, lon)) for hour, (lat, lon) in rows], countries=rng.integers(0, 90, n).tolist())
    slot = rng.integers(0, 50, n).astype(np.int32)
    whole, pieces = Places.empty(), Places.empty()
    places.observe(whole, columns, slot, people)
    for piece in np.array_split(np.arange(n), 7):
        pieces = Places.from_arrays(pieces.arrays())
        places.observe(pieces, {name: column[piece] for name, column in columns.items()}, slot[piece], people)
    assert np.array_equal(whole.state, pieces.state)
    accounts = np.arange(1, 51, dtype=np.uint64)
    reached = places.levels(whole, accounts)
    assert reached.equals(places.levels(pieces, accounts))
    answer = places.answers(reached, people)
    for account, bits in zip(answer["account"].to_pylist(), answer["bits"].to_pylist(), strict=True):
        assert places.explain(reached, people, account).bits == bits
