"""The law behind every bit: for a tenant without a part, the mean over its bits is one, whatever the list is."""

import inspect
from itertools import product
from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray

from riparian.bets.channels import SIXTEENTHS, Cells, Fitted, learned, log_e
from riparian.bets.chernoff import log_tail, tilted
from riparian.bets.strategies import fit
from riparian.metadata.canaries import read, seconds, text
from riparian.metadata.canaries.code import bits, cells, chances, seeds
from riparian.metadata.canaries.read import Told
from riparian.metadata.canaries.rows import KIND
from riparian.metadata.canaries.trace import Bets
from tests.metadata.lists import KEY, TENANTS

N = 9
CHANCES = np.array([1, 2, 8, 14, 15, 8, 1, 8, 15], np.uint8)
RNG = np.random.default_rng(3)
LISTS = {
    "nothing is told": np.zeros(N),
    "little is told": 0.2 * RNG.standard_normal(N),
    "all is told": np.where(RNG.random(N) < CHANCES / 16, 2.0, -2.0),
    "one form everywhere": np.full(N, 2.0),
    "the rarer form everywhere": np.where(CHANCES < 8, 2.0, -2.0),
    "made by somebody who knows how we weigh": np.geomspace(1e-6, 4, N) * np.tile([1.0, -1.0], N)[:N],
}


def told(soft: NDArray[np.float64], of_rows: int) -> Told:
    kind = (np.arange(N) >= N - of_rows).astype(np.int64)
    ids = np.arange(N, dtype=np.uint64)
    return Told(ids, soft, CHANCES, kind, ("duration", KIND), (), N, N, 0.5, "")


def every_word() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    is_up = np.array(list(product([0.0, 1.0], repeat=N)))
    p = CHANCES / SIXTEENTHS
    return is_up, np.prod(np.where(is_up > 0, p, 1 - p), axis=1)


@pytest.mark.parametrize("known", [0, 1, 3], ids=["nobody known", "one known", "three known"])
@pytest.mark.parametrize("of_rows", [0, 4, N], ids=["no rows", "rows, too", "rows alone"])
@pytest.mark.parametrize("situation", LISTS)
def test_over_all_bits_of_a_tenant_what_we_call_bits_has_mean_one(situation: str, of_rows: int, known: int) -> None:
    of_known = RNG.random((known, N)) < 0.5
    is_up, chance = every_word()
    for needed in (1.0, 30.0):
        bets = Bets.of(told(LISTS[situation], of_rows), of_known, needed)
        assert chance @ np.exp(bets.each(is_up)).sum(axis=1) == pytest.approx(1, abs=1e-9)
        assert np.exp(bets.log_weights).sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("situation", LISTS)
def test_chernoff_never_claims_less_than_the_chance(situation: str) -> None:
    bets = Bets.of(told(LISTS[situation], 3), np.zeros((0, N), bool), 10.0)
    is_up, chance = every_word()
    of_way = bets.plain[1] - bets.plain[0]
    heights = is_up @ of_way.T + bets.plain[0].sum(axis=1)
    for word in range(0, len(is_up), 97):
        least = bets.log_chance(is_up[word] > 0, CHANCES / SIXTEENTHS)
        # Whoever comes as far in any way, at that way's weight, comes so at most as often as is claimed.
        assert least <= 0
        for i, weight in enumerate(bets.log_weights.tolist()):
            tail = log_tail(bets.plain[0, i], bets.plain[1, i], CHANCES / SIXTEENTHS, float(heights[word, i]))
            assert chance[heights[:, i] >= heights[word, i] - 1e-9].sum() <= np.exp(tail) + 1e-12
            assert least <= min(0.0, tail - weight) + 1e-9


def test_a_tail_is_bounded_where_it_can_be_counted() -> None:
    p = np.full(12, 0.25)
    down, up = np.log(np.full(12, 2 / 3)), np.log(np.full(12, 2.0))
    n_up = np.arange(13)
    of_n = np.array([comb(12, n) for n in n_up.tolist()], dtype=np.float64)
    chance = of_n * 0.25**n_up * 0.75 ** (12 - n_up)
    for n in range(13):
        height = float(n * up[0] + (12 - n) * down[0])
        assert chance[n:].sum() <= np.exp(log_tail(down, up, p, height)) + 1e-12
    sharp = tilted(down, up, p, 8.0)
    assert p * np.exp(sharp[1]) + (1 - p) * np.exp(sharp[0]) == pytest.approx(np.ones(12))


@pytest.mark.parametrize("accounts", [2, 3, 4])
def test_what_is_learned_of_a_way_is_a_fair_bet_too(accounts: int) -> None:
    for soft in LISTS.values():
        of = Cells.of(soft.astype(np.float32)[:, None], CHANCES[:, None])
        down, up, marginal = log_e(fit(of, accounts), of)
        p = CHANCES / SIXTEENTHS
        assert np.abs(p * np.exp(up) + (1 - p) * np.exp(down) - 1).max() < 1e-12
        assert np.isfinite(marginal)


def test_where_more_are_known_than_a_way_has_room_for_it_says_nothing() -> None:
    of_known = np.ones((4, N, 1), np.int8)
    soft = LISTS["all is told"].astype(np.float32)[:, None]
    down, up, _ = log_e(Fitted((0.0, 0.5, 1.0), "two"), Cells.of(soft, CHANCES[:, None], of_known))
    assert np.abs([down, up]).max() < 1e-12


def test_weights_sum_to_one_whatever_is_explained() -> None:
    prior = np.array([0.5, 0.3, 0.2])
    for scale in (0.0, 1.0, 1e4):
        assert np.exp(learned(prior, scale * RNG.standard_normal(3))).sum() == pytest.approx(1, abs=1e-12)


def test_bits_come_as_often_as_their_chance_says() -> None:
    of = cells(KEY, "duration", [f"r-{i}" for i in range(2_000)])
    drawn = bits(KEY, seeds(KEY, TENANTS), of)
    for chance in np.unique(chances(KEY, of)).tolist():
        share = drawn[:, chances(KEY, of) == chance].mean()
        assert share == pytest.approx(chance / SIXTEENTHS, abs=0.005)
    again = np.corrcoef(drawn[:, :50].astype(float).T) - np.eye(50)
    assert np.abs(again).max() < 0.25


def test_nothing_that_reads_a_list_takes_a_tenant() -> None:
    for module in (read, seconds, text):
        for _, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__:
                assert not set(inspect.signature(function).parameters) & {"tenant", "tenants", "seed", "seeds"}
    assert "code.bits" not in inspect.getsource(read)
    assert "code.seeds" not in inspect.getsource(read)
