"""What may be done with winnings: laws for any input, and guarantees by Monte Carlo with an exact allowance."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import binom

from riparian.bets.bounded import mean_bits, upper_bound_mean
from riparian.bets.calibrate import adjust, calibrate, certified_bits, conformal_p
from riparian.bets.combine import in_turn, mix_bits, price_of_places, price_of_subset
from riparian.evidence import GRID, on_grid

bits = st.floats(-200, 200)


@given(st.lists(bits, min_size=1, max_size=8))
def test_a_mean_never_exceeds_the_best_and_never_falls_below_its_share(values: list[float]) -> None:
    weights = [1 / len(values)] * len(values)
    mixed = mix_bits(values, weights)
    assert max(values) - math.log2(len(values)) - 1e-9 <= mixed <= max(values) + 1e-9


@given(bits, st.integers(1, 8))
def test_repeating_a_source_adds_nothing(value: float, times: int) -> None:
    assert mix_bits([value] * times, [1 / times] * times) == pytest.approx(value, abs=1e-9)


@given(st.lists(bits, max_size=50))
def test_bits_on_the_grid_sum_exactly_in_any_order(values: list[float]) -> None:
    grid = [on_grid(v) for v in values]
    assert sum(grid) == sum(reversed(grid)) == in_turn(grid)
    assert all(v - 1 / GRID <= g <= v for v, g in zip(values, grid, strict=True))


MALFORMED = {
    "weights that do not sum to one": lambda: mix_bits([1.0, 2.0], [0.5, 0.6]),
    "a weight too few": lambda: mix_bits([1.0, 2.0], [1.0]),
    "a negative weight": lambda: mix_bits([1.0, 2.0], [1.5, -0.5]),
    "a p-value of zero": lambda: calibrate(0.0),
    "a p-value above one": lambda: calibrate(1.1),
    "a value above the cap": lambda: mean_bits(np.array([3.0]), 1.0, cap=2.0),
    "a mean outside the range": lambda: mean_bits(np.array([1.0]), 2.0, cap=2.0),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_makes_no_sense_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"wanted|weights"):
        MALFORMED[name]()


def test_a_calibrated_p_value_has_mean_one_under_the_null() -> None:
    mean, _ = quad(lambda p: 2.0 ** calibrate(p), 1e-12, 1, limit=500)
    # The rest of the integral, below 1e-12, is 1 / -ln(1e-12).
    assert mean + 1 / -math.log(1e-12) == pytest.approx(1, abs=1e-3)


def test_an_adjusted_maximum_has_mean_one_when_it_is_as_large_as_ville_allows() -> None:
    # A running maximum M with P(M >= x) = 1/x has density 1/x**2 on [1, oo).
    mean, _ = quad(lambda x: 2.0 ** adjust(math.log2(x)) / x**2, 1, 1e9, limit=500)
    assert mean + 1 / math.log(1e9) == pytest.approx(1, abs=5e-3)


@given(st.floats(0, 900), st.floats(0, 900))
def test_an_adjuster_is_rising_and_takes_something(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert adjust(low) <= adjust(high) + 1e-9
    assert adjust(high) <= high


def test_published_values_of_the_calibrator() -> None:
    # Vovk & Wang (2021), section 2: the mean calibrator at p = 0.01 and 0.001.
    for p in (0.01, 0.001):
        direct, _ = quad(lambda k, p=p: k * p ** (k - 1), 0, 1)
        assert 2.0 ** calibrate(p) == pytest.approx(direct, rel=1e-6)


def test_a_rank_certifies_no_more_than_there_are_nulls() -> None:
    assert certified_bits(0, 85) == pytest.approx(math.log2(86))
    assert certified_bits(85, 85) == 0
    assert conformal_p(0, 0) == 1


def test_a_search_is_paid_for() -> None:
    assert price_of_places(1) == 0
    assert price_of_subset(1000, 1) == pytest.approx(math.log2(1000) + 1)
    # The prior over sizes and subsets sums to at most one.
    n = 12
    assert sum(math.comb(n, k) * 2.0 ** -price_of_subset(n, k) for k in range(1, n + 1)) <= 1


NULLS = {
    "mostly nothing, sometimes the cap": lambda rng: (rng.random(400) < 0.125) * 8.0,
    "a fair coin": lambda rng: (rng.random(400) < 0.5) * 2.0,
    "uniform": lambda rng: rng.random(400) * 2.0,
}


@pytest.mark.parametrize("name", NULLS)
def test_the_fortune_of_a_true_claim_rarely_grows(name: str) -> None:
    rng = np.random.default_rng(5)
    runs, cap = 600, 8.0
    for level in (2, 4):
        crossed = sum(mean_bits(np.asarray(NULLS[name](rng)), 1.0, cap=cap) >= level for _ in range(runs))
        assert crossed <= binom.ppf(0.9999, runs, 2.0**-level)


@pytest.mark.parametrize("name", NULLS)
def test_the_upper_bound_is_rarely_below_the_mean_and_comes_near_it(name: str) -> None:
    rng = np.random.default_rng(6)
    runs = 200
    bounds = [upper_bound_mean(np.asarray(NULLS[name](rng)), cap=8.0) for _ in range(runs)]
    assert sum(b < 1.0 for b in bounds) <= binom.ppf(0.9999, runs, 0.05)
    assert np.median(bounds) < 2.0
