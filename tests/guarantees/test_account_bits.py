"""The law of bits, on accounts drawn from the null itself, from the town, and from towns outside it."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom

from riparian.accounts import weigh
from riparian.accounts.people import PAIRS_MAX, People
from riparian.accounts.tally import DAYS, Tally, enrol
from riparian.sim.tallied import ended_days, enrolled
from riparian.sim.town import TownSpec, days

pytestmark = pytest.mark.slow

Array = npt.NDArray[np.float64]


def draw(rng: np.random.Generator, law: Array) -> npt.NDArray[np.int64]:
    """One draw from each row of unnormalised laws."""
    ladder = np.cumsum(law, axis=1)
    drawn: npt.NDArray[np.int64] = (ladder < rng.random((len(law), 1)) * ladder[:, -1:]).sum(axis=1)
    return drawn


def live_by_the_null(rng: np.random.Generator, people: People, accounts: int, n_days: int) -> Tally:
    """Draw whole people from the declared mixture, then their days from their components' laws."""
    laws, pools = people.laws, people.pools
    kind = rng.choice(len(laws.shares), accounts, p=laws.shares.astype(float) / laws.shares.sum(dtype=float))
    volume, newness, order = (draw(rng, w[kind].astype(float)) for w in (laws.volume, laws.newness, laws.order))
    reader = rng.choice(
        len(laws.reader_shares), accounts, p=laws.reader_shares.astype(float) / laws.reader_shares.sum(dtype=float)
    )
    reads, reads_order = (
        draw(rng, laws.reader_rows[reader].astype(float)),
        draw(rng, laws.reader_order[reader].astype(float)),
    )
    fast, silent = (
        pools.flags[draw(rng, np.tile(w.astype(float), (accounts, 1)))]
        for w in (laws.clients_fast, laws.clients_unplayed)
    )
    tally = Tally.empty(people)
    enrol(tally, np.arange(1, accounts + 1, dtype=np.uint64))
    before = np.zeros(accounts, np.int64)
    odd = 0.03
    for day in range(n_days):
        rows = np.zeros(accounts, DAYS)
        rows["slot"], rows["day"], rows["plays_before"] = np.arange(accounts), day, before
        plays = 1 + draw(rng, pools.volume[1:1025].T[volume].astype(float))
        age = np.minimum(np.log2(before + 32).astype(int) - 5, len(pools.novel) - 1)
        for i in range(accounts):
            n = plays[i]
            new = np.arange(n + 1)
            law = pools.novel[age[i], new, newness[i]] * pools.known[age[i], n - new, newness[i]]
            law = (1 - odd) * law * pools.plays[n, newness[i]] + odd / (n + 1)
            rows["novel"][i] = np.searchsorted(np.cumsum(law), rng.random() * law.sum())
        rows["plays"] = plays
        rows["pairs"] = np.minimum(np.maximum(rows["novel"] - 1, 0), PAIRS_MAX)
        rows["ascents"] = draw(rng, pools.order[rows["pairs"], :, order].astype(float))
        rows["rows"] = 2 ** draw(rng, pools.rows.T[reads].astype(float)) - 1
        rows["row_pairs"] = np.where(rows["rows"] > 10, 10, 0)
        rows["row_ascents"] = np.where(
            rows["row_pairs"] > 0, draw(rng, pools.order[rows["row_pairs"], :, reads_order].astype(float)), 0
        )
        rows["fast"], rows["silent"] = rng.random(accounts) < fast, rng.random(accounts) < silent
        weigh.weigh(tally, rows)
        before += plays
    return tally


def test_an_account_of_the_null_rarely_ever_reaches_b_bits(people: People) -> None:
    accounts = 4_000
    tally = live_by_the_null(np.random.default_rng(11), people, accounts, 12)
    most = tally.state["most"]
    for name in ("joined", "person", "pace", "silence", "enumeration"):
        for bits in (2, 4, 6, 8):
            crossed = int((most["joined" if name == "joined" else name] >= bits).sum())
            assert crossed <= binom.ppf(0.9999, accounts, 2.0**-bits), f"{name} reached {bits} bits {crossed} times"


def test_the_mean_of_two_to_the_bits_is_at_most_one_at_a_fixed_date(people: People) -> None:
    accounts = 4_000
    tally = live_by_the_null(np.random.default_rng(12), people, accounts, 8)
    e = 2.0 ** np.minimum(tally.state["now"]["joined"], 8)
    allowance = 4 * e.std() / np.sqrt(accounts)
    assert e.mean() <= 1 + allowance


@pytest.mark.parametrize("world", ["ordinary", "heavy-tails", "night-shops", "mixed"])
def test_nobody_honest_is_held_in_a_small_town(world: str, people: People) -> None:
    town = days(TownSpec(listeners=2_000, days=45, seed=21, world=world))
    tally = enrolled(town, people)
    weigh.weigh(tally, ended_days(town))
    assert (weigh.evidence(tally)["bits"].to_numpy() >= np.log2(20_000 / 2)).sum() == 0
