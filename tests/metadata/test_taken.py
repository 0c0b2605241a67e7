"""When a list was taken is read from which of our rows are in it."""

from datetime import date, timedelta

import numpy as np
import pytest

from riparian.metadata.taken import Crawl, by_day, taken

FIRST = date(2024, 1, 1)
DAYS = np.arange(300, dtype=np.float64)

CASES = {
    # name: (rows of ours a day, share in the list, beginning, length of the crawl, share found by mistake, days off)
    "a third of the rows, at once": (100, 0.3, 150.0, 0.0, 0.0, 1),
    "a third of the rows, in the middle of a day": (100, 0.3, 150.5, 0.0, 0.0, 1),
    "a third of the rows, crawled over two weeks": (100, 0.3, 150.0, 14.0, 0.0, 2),
    "a third of the rows, crawled over two months": (100, 0.3, 150.0, 60.0, 0.0, 4),
    "all rows, at once": (30, 1.0, 120.0, 0.0, 0.0, 1),
    "few rows a day": (5, 0.5, 150.0, 0.0, 0.0, 6),
    "a few are found that were added later": (100, 0.3, 150.0, 7.0, 0.003, 3),
    "taken early": (100, 0.3, 30.0, 3.0, 0.0, 2),
}


@pytest.mark.parametrize("case", CASES)
def test_the_middle_of_the_crawl_is_found_and_within_the_interval(case: str) -> None:
    a_day, share, begin, length, mistaken, off = CASES[case]
    rng = np.random.default_rng(5)
    ours = rng.poisson(a_day, DAYS.size).astype(np.float64)
    chance = mistaken + (share - mistaken) * Crawl(length).in_list(np.array(begin), DAYS)
    found = rng.binomial(ours.astype(np.int64), chance).astype(np.float64)
    said = taken(ours, found, FIRST)
    assert said is not None
    middle = FIRST + timedelta(days=int(begin + length / 2))
    assert abs((said.estimate - middle).days) <= off
    assert said.low <= middle <= said.high
    assert not said.is_open


def test_a_list_that_was_taken_after_all_our_dates_is_open() -> None:
    rng = np.random.default_rng(6)
    ours = rng.poisson(100, DAYS.size).astype(np.float64)
    said = taken(ours, rng.binomial(ours.astype(np.int64), 0.3).astype(np.float64), FIRST)
    assert said is not None
    assert said.is_open
    assert (FIRST + timedelta(days=DAYS.size) - said.low).days < 40


def test_too_few_rows_say_nothing() -> None:
    assert taken(np.full(100, 10.0), np.full(100, 0.1), FIRST) is None
    assert taken(np.full(1, 1000.0), np.full(1, 500.0), FIRST) is None


def test_a_day_without_rows_of_ours_changes_nothing() -> None:
    ours = np.where(DAYS % 7 < 5, 60.0, 0.0)
    found = np.where(DAYS < 150, 0.5 * ours, 0.0)
    said = taken(ours, found, FIRST)
    assert said is not None
    assert abs((said.estimate - FIRST).days - 150) <= 2


def test_rows_are_counted_by_the_day_on_which_they_were_added() -> None:
    added = np.array(["2024-01-01T05:00", "2024-01-01T23:59", "NaT", "2024-01-03T00:00"], "datetime64[us]")
    counted = by_day(added, np.array([1.0, 0.5, 1.0, 0.25]))
    assert counted is not None
    ours, found, first = counted
    assert (ours.tolist(), found.tolist(), first) == ([2.0, 0.0, 1.0], [1.5, 0.0, 0.25], date(2024, 1, 1))
    assert by_day(added[2:3], np.array([1.0])) is None


@pytest.mark.parametrize("length", [0.0, 1.0, 14.0])
def test_the_chance_falls_from_one_to_nothing_and_is_its_mean_over_the_day(length: float) -> None:
    chance = Crawl(length).in_list(np.array(10.25), DAYS)
    moments = np.arange(10, 11, 1e-4)
    within = np.mean(np.clip(1 - (moments - 10.25) / max(length, 1e-9), 0, 1))
    assert chance[9] == 1.0
    assert chance[10] == pytest.approx(within, abs=1e-3)
    assert chance[10 + int(np.ceil(length)) + 1] == pytest.approx(0.0, abs=1e-12)
    assert (np.diff(chance) <= 1e-12).all()
