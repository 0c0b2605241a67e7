"""Rings that share a list of work are known by it, whoever is not of them is not, and the promise holds."""

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom

from riparian.accounts import avoidance, frontier, kinship
from riparian.accounts.kinship import FETCH, Kin
from riparian.catalogue.cells import Cells, cells_of
from riparian.schema import DAY_US

WORKS, ARTISTS = 24_000, 2_400
RING = 10_000
"""Accounts of a ring have numbers from here on."""


def catalogue(seed: int = 0) -> Cells:
    rng = np.random.default_rng(seed)
    artist = rng.permutation(np.repeat(np.arange(ARTISTS), WORKS // ARTISTS)).astype(np.int32)
    cell = cells_of(artist.astype(np.int64))
    place = rng.permutation(WORKS).astype(np.int32)
    numbers = np.arange(WORKS)
    return Cells(
        numbers.astype(np.uint64), numbers.astype(np.int32), place, artist, cell, np.bincount(cell).astype(np.int32)
    )


def fetches(
    at_us: npt.NDArray[np.int64], account: npt.NDArray[np.int64], work: npt.NDArray[np.int64]
) -> npt.NDArray[np.void]:
    table = np.zeros(len(at_us), FETCH)
    table["at_us"], table["account"], table["work"] = at_us, account, work
    return table[np.argsort(table["at_us"], kind="stable")]


def shelves(cells: Cells) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32], int]:
    return cells.artist, cells.cell, cells.places_in_cells(), len(cells.size)


def listeners(cells: Cells, n: int, each: int, days: int, seed: int) -> npt.NDArray[np.void]:
    """People with sixty favourite artists each, and a taste for the head of the chart."""
    rng = np.random.default_rng(seed)
    account = np.repeat(np.arange(1, n + 1), each)
    favourites = rng.integers(0, ARTISTS, (n, 60))
    artist = favourites[account - 1, rng.integers(0, 60, len(account))]
    of_artist = np.argsort(cells.artist, kind="stable").reshape(ARTISTS, -1)
    work = of_artist[artist, (rng.integers(0, of_artist.shape[1], len(account)) * rng.random(len(account))).astype(int)]
    return fetches(1 + np.sort(rng.integers(0, days * DAY_US, len(account))), account, work)


def ring(
    accounts: int, per_day: int, days: int, work: npt.NDArray[np.int64], *, first: int = RING
) -> npt.NDArray[np.void]:
    """Accounts that take turns through a list of work, evenly through the day."""
    n = min(accounts * per_day * days, len(work))
    at_us = 1 + (np.arange(n) * (DAY_US / (accounts * per_day))).astype(np.int64)
    return fetches(at_us, first + np.arange(n) % accounts, work[:n])


def followed(cells: Cells, *parts: npt.NDArray[np.void], n_accounts: int = 50_000) -> Kin:
    table = np.concatenate(parts)
    return kinship.follow(Kin.empty(), table[np.argsort(table["at_us"], kind="stable")], cells, n_accounts)


def own_bits(kin: Kin, accounts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    bits = dict(zip(kin.best["account"].tolist(), kin.best["bits"].tolist(), strict=True))
    return np.array([bits.get(a, 0.0) for a in accounts.tolist()])


Order = tuple[Callable[[Cells], npt.NDArray[np.int64]], int, int, int]
ORDERS: dict[str, Order] = {
    "down the chart": (lambda _: np.arange(200, WORKS), 10, 40, 4),
    "by identifier": (lambda cells: np.argsort(cells.place)[200:], 10, 40, 4),
    "five accounts, five a day": (lambda _: np.arange(200, WORKS), 5, 5, 30),
    "shuffled": (lambda _: np.random.default_rng(3).permutation(WORKS), 40, 40, 11),
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_ring_is_found_by_each_of_its_members_and_nobody_else_is(order: str) -> None:
    cells = catalogue()
    work, accounts, per_day, days = ORDERS[order]
    kin = followed(cells, listeners(cells, 400, 6 * days, days, 1), ring(accounts, per_day, days, work(cells)))
    assert (own_bits(kin, RING + np.arange(accounts)) > 18).mean() >= 0.9
    assert own_bits(kin, np.arange(1, 401)).max() < 12
    rings = kinship.rings_table(kin, cells, 100_000_000).to_pylist()
    assert len(rings) == 1
    assert rings[0]["bits"] > 20
    assert min(rings[0]["accounts"]) >= RING


@pytest.mark.parametrize(("bits", "found"), [(9.0, 1), (-1.0, 0)], ids=["suspected", "least suspected"])
@pytest.mark.slow
def test_a_shuffled_ring_among_too_many_to_compare_is_found_by_what_is_against_its_members(
    monkeypatch: pytest.MonkeyPatch, bits: float, found: int
) -> None:
    monkeypatch.setattr(avoidance, "ACCOUNTS_MAX", 256)
    monkeypatch.setattr(avoidance, "_FIRST_AMONG", (16, 64, 256))
    cells = catalogue()
    shuffled = ring(40, 40, 11, np.random.default_rng(3).permutation(WORKS))
    shuffled["bits"] = bits
    # Everybody fetches more than a member does.
    rng = np.random.default_rng(4)
    at_us = 1 + rng.integers(0, 11 * DAY_US, 400 * 600)
    others = fetches(at_us, 1 + np.arange(400 * 600) % 400, rng.integers(0, WORKS, 400 * 600))
    kin = followed(cells, others, shuffled)
    members = kin.core(0) if len(kin.cores) else np.empty(0, np.uint64)
    assert len(kin.cores) >= found
    assert set(members.tolist()) == (set(range(RING, RING + 40)) if found else set())


def test_a_pair_is_never_a_ring() -> None:
    cells = catalogue()
    kin = followed(cells, listeners(cells, 200, 40, 6, 1), ring(2, 60, 6, np.arange(200, WORKS)))
    assert len(kin.cores) == 0
    assert len(kin.best) == 0


def test_a_ring_that_replaces_its_accounts_is_followed() -> None:
    cells = catalogue()
    # Ten accounts at a time, each of which lives for two days; the list goes on.
    lives = [ring(10, 40, 2, np.arange(200 + 800 * k, 1_000 + 800 * k), first=RING + 10 * k) for k in range(6)]
    for k, life in enumerate(lives):
        life["at_us"] += 2 * k * DAY_US
    kin = followed(cells, listeners(cells, 200, 60, 12, 1), *lives)
    assert (own_bits(kin, RING + np.arange(60)) > 18).mean() >= 0.9
    assert own_bits(kin, np.arange(1, 201)).max() < 12


def test_who_is_added_to_a_ring_by_mistake_gets_no_bits() -> None:
    cells = catalogue()
    people = listeners(cells, 200, 60, 8, 2)
    members = np.concatenate([RING + np.arange(10), np.arange(1, 6)]).astype(np.uint64)
    table = np.concatenate([people, ring(10, 40, 8, np.arange(200, WORKS))])
    table = table[np.argsort(table["at_us"], kind="stable")]
    accounts, slot = np.unique(table["account"], return_inverse=True)
    core = np.isin(accounts, members)
    key = table["work"].astype(np.int64)
    _, told = frontier.bet(
        table["at_us"].copy(), slot, key, cells.artist[key].astype(np.int64), WORKS, len(accounts), core, 0, 1 << 16,
        np.inf, frontier.NEAR, frontier.NEAR_WEIGHTS,
    )  # fmt: skip
    strangers = np.isin(accounts, members) & (accounts < RING)
    assert told[strangers, 0].max() < 8
    assert told[core & ~strangers, 0].min() > 20


def test_bits_are_the_same_however_the_log_is_cut() -> None:
    cells = catalogue()
    table = np.concatenate([listeners(cells, 200, 60, 6, 1), ring(10, 40, 6, np.arange(200, WORKS))])
    table = table[np.argsort(table["at_us"], kind="stable")]
    whole = kinship.follow(Kin.empty(), table, cells, 10_000)
    pieces = Kin.empty()
    for day in range(6):
        today = table[(table["at_us"] >= day * DAY_US) & (table["at_us"] < (day + 1) * DAY_US)]
        pieces = Kin.from_arrays(kinship.follow(pieces, today, cells, 10_000).arrays())
    assert whole.best.tobytes() == pieces.best.tobytes()
    assert whole.cores.tobytes() == pieces.cores.tobytes()


def test_explanations_sum_and_name_the_price() -> None:
    cells = catalogue()
    kin = followed(cells, listeners(cells, 200, 60, 6, 1), ring(10, 40, 6, np.arange(200, WORKS)))
    member = kinship.explain_member(kin, RING)
    assert member is not None
    assert member.waterfall[-1].bits < 0
    assert cast(int, member.facts["seen"]) > cast(float, member.facts["expected"])
    found = kinship.explain_ring(kinship.rings_table(kin, cells, 10_000).to_pylist()[0])
    assert found.bits == sum(row.bits for row in found.waterfall)
    assert len(cast(list[int], found.facts["accounts"])) == 10
    assert kinship.explain_member(kin, 1) is None


def test_without_a_catalogue_nothing_is_compared() -> None:
    kin = kinship.follow(Kin.empty(), ring(10, 40, 6, np.arange(WORKS)), Cells.empty(), 1_000)
    assert len(kin.best) == 0
    assert len(kinship.rings_table(kin, Cells.empty(), 1_000)) == 0


def _never_more_often(bits: npt.NDArray[np.float64], level: float) -> None:
    n, above = len(bits), int((bits >= level).sum())
    assert above <= binom.ppf(0.999, n, 2.0**-level), f"{above} of {n} reach {level} bits"


@pytest.mark.parametrize("popular", [0.0, 0.7])
def test_who_chooses_by_lot_or_by_popularity_keeps_clear_no_more_often_than_said(popular: float) -> None:
    # The null at its edge: a choice by lot inside each cell, against a core that shuffles.
    cells = catalogue()
    rng = np.random.default_rng(5)
    people = np.unique(
        np.stack([np.repeat(np.arange(3_000), 60), (WORKS * rng.random(180_000) ** (1 + popular)).astype(int)]), axis=1
    )
    core = rng.permutation(WORKS)[:8_000]
    account = np.concatenate([people[0], np.full(len(core), 3_000)])
    work = np.concatenate([people[1], core])
    at_us = np.concatenate([rng.integers(0, DAY_US, len(people[0])), rng.integers(0, DAY_US, len(core))])
    order = np.argsort(at_us, kind="stable")
    members = np.arange(3_001) == 3_000
    _, told = avoidance.bet(
        at_us[order], account[order], work[order], *shelves(cells), 3_001, members, 0, 1 << 19, np.inf,
        avoidance.MEETS, avoidance.MEETS_WEIGHTS,
    )  # fmt: skip
    for level in (2.0, 4.0, 7.0):
        _never_more_often(told[:3_000, 0], level)


@pytest.mark.slow
def test_who_chooses_by_popularity_is_at_the_frontier_no_more_often_than_said() -> None:
    cells = catalogue()
    rng = np.random.default_rng(6)
    list_of_work = ring(10, 400, 5, np.arange(200, WORKS))
    account = np.repeat(np.arange(3_000), 120)
    work = np.minimum((WORKS * rng.random(len(account)) ** 1.5).astype(np.int64), WORKS - 1)
    people = fetches(rng.integers(0, 5 * DAY_US, len(account)), account + 1, work)
    kin = followed(cells, people, list_of_work, n_accounts=3_010)
    assert len(kin.cores) >= 1
    bits = own_bits(kin, account[::120] + 1)
    for level in (2.0, 4.0, 7.0):
        _never_more_often(bits, level)


def test_popularity_over_the_whole_catalogue_accuses_strangers_and_cells_do_not() -> None:
    # Two scenes that never meet: by popularity alone their listeners ought to, and thousands of bits say a ring.
    cells = catalogue()
    rng = np.random.default_rng(7)
    side = cells.artist % 2
    chosen = [rng.choice(np.flatnonzero(side == k)[:6_000], 800, replace=False) for k in (0, 1)]
    share = 1 / (np.arange(WORKS) + 61.0)
    share /= share.sum()
    expected = float((-np.expm1(800 * np.log1p(-share)) * -np.expm1(800 * np.log1p(-share))).sum())
    assert not np.intersect1d(chosen[0], chosen[1]).size
    assert expected / np.log(2) > 50
    account = np.repeat([0, 1], 800)
    at_us = np.arange(1_600)
    order = rng.permutation(1_600)
    told = avoidance.bet(
        at_us, account[order], np.concatenate(chosen)[order], *shelves(cells), 2, np.array([True, False]), 0,
        1 << 12, np.inf, avoidance.MEETS, avoidance.MEETS_WEIGHTS,
    )[1]  # fmt: skip
    assert told[1, 0] == 0
