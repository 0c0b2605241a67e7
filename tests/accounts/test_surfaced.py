"""Signals by design: exact by the lots, whoever tries to make somebody else look like a follower."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from riparian.accounts.surfaced import (
    SHARES,
    SIGNAL,
    Asked,
    Declared,
    Listings,
    Shown,
    best,
    choose_canaries,
    evidence,
    explain,
    follow,
    handle,
    jitter_order,
    opened,
    owner_of,
    refuses,
    share_link,
)
from riparian.accounts.surfaced.asked import READ_ROWS
from riparian.accounts.surfaced.lots import key_for, lots
from riparian.accounts.surfaced.orders import (
    FRESH,
    GROUP_MAX,
    ISSUERS_MAX,
    _chance,
    issuers,
    price_of_issuer,
    turned_away,
)
from riparian.accounts.surfaced.rates import path as refusal_path
from riparian.accounts.surfaced.shown import blocks
from riparian.schema import DAY_US, HOUR_US, Action

SECRET = bytes(range(32))
LISTING = np.random.default_rng(3).permutation(np.arange(1, 6_001)).astype(np.uint64)
CODES = st.integers(1, 2**64 - 1)
Columns = dict[str, npt.NDArray[Any]]

# --- what is shown --------------------------------------------------------------------------------


def test_an_account_always_sees_the_same_order_and_others_another() -> None:
    one = jitter_order(SECRET, 7, LISTING)
    assert (jitter_order(SECRET, 7, LISTING) == one).all()
    assert (jitter_order(SECRET, 9, LISTING) != one).any()
    assert (jitter_order(bytes(32), 7, LISTING) != one).any()
    assert (np.sort(one) == np.sort(LISTING)).all()


def test_nothing_leaves_its_block_and_the_head_stays() -> None:
    place = {int(code): i for i, code in enumerate(LISTING)}
    block = blocks(len(LISTING))
    seen = jitter_order(SECRET, 7, LISTING)
    assert (seen[:100] == LISTING[:100]).all()
    assert [block[place[int(code)]] for code in seen] == block.tolist()


def test_two_recordings_stand_alike_in_every_listing_of_an_account() -> None:
    other = np.concatenate([np.arange(10_001, 10_051, dtype=np.uint64), LISTING])
    mine, again = jitter_order(SECRET, 7, LISTING), jitter_order(SECRET, 7, other)
    together = set(LISTING[blocks(len(LISTING)) == 5].tolist()) & set(other[blocks(len(other)) == 5].tolist())
    assert len(together) > 100
    assert [c for c in mine.tolist() if c in together] == [c for c in again.tolist() if c in together]


def test_uses_of_one_secret_have_nothing_to_do_with_one_another() -> None:
    assert len({key_for(SECRET, use) for use in ("jitter", "refusal", "canary", "handle")}) == 4
    with pytest.raises(ValueError, match="the secret has 8 bytes, wanted at least 16"):
        lots(bytes(8), "jitter", 1, 2)


def test_a_refusal_is_the_same_at_every_retry_and_as_frequent_as_said() -> None:
    refused = refuses(SECRET, np.arange(1, 201)[:, None], np.arange(1, 501)[None, :])
    assert (refuses(SECRET, np.arange(1, 201)[:, None], np.arange(1, 501)[None, :]) == refused).all()
    assert binomtest(int(refused.sum()), refused.size, 0.02).pvalue > 0.001


def test_canaries_come_from_what_was_eligible() -> None:
    chosen = choose_canaries(SECRET, LISTING[:500], 20)
    assert len(set(chosen.tolist())) == 20
    assert np.isin(chosen, LISTING[:500]).all()
    assert (np.diff(chosen.astype(np.float64)) > 0).all()


# --- handles --------------------------------------------------------------------------------------


@given(CODES, CODES)
def test_a_handle_opens_to_whom_it_was_given_and_a_share_link_to_nobody(account: int, recording: int) -> None:
    given_out, link = handle(SECRET, account, recording), share_link(SECRET, account, recording)
    assert len(given_out) == len(link) == 43
    assert owner_of(SECRET, given_out) == account
    assert owner_of(SECRET, link) is None
    found = opened(SECRET, link)
    assert found is not None
    assert (found.account, found.recording, found.is_share) == (account, recording, True)
    assert opened(bytes(32), given_out) is None


@given(CODES, st.integers(0, 42), st.sampled_from("ABCXYZabcxyz0189-_"))
def test_a_handle_with_one_letter_changed_is_no_handle(account: int, at: int, letter: str) -> None:
    text = handle(SECRET, account, 5)
    changed = text[:at] + letter + text[at + 1 :]
    assert (owner_of(SECRET, changed) == account) is (changed == text)


@given(st.text(max_size=60))
def test_what_is_no_handle_opens_to_nothing(text: str) -> None:
    assert opened(SECRET, text) is None


# --- exactness ------------------------------------------------------------------------------------


def test_bets_on_an_order_are_fair_at_every_place() -> None:
    rng = np.random.default_rng(1)
    for fresh in FRESH:
        batch = np.zeros(GROUP_MAX)
        batch[0] = 1.0
        for places in range(2, 12):
            # Whatever came before, the chances of all places sum to one.
            chances = [_chance(batch.copy(), places, late, fresh) for late in range(places)]
            assert sum(chances) == pytest.approx(1.0)
            _chance(batch, places, int(rng.integers(places)), fresh)


def test_issuers_share_one_unit_however_many_there_are() -> None:
    tiers = range(len(READ_ROWS))
    assert sum(2.0 ** -price_of_issuer(number, tier) for number in range(1, 20_000) for tier in tiers) <= 1
    assert price_of_issuer(1000) < 17


def test_who_reads_most_is_not_crowded_out_by_who_read_early() -> None:
    early = table(
        np.arange(1_500), 10_000 + np.arange(1_500), np.zeros(1_500), action=np.full(1_500, Action.SEARCH),
        rows=np.full(1_500, READ_ROWS[0]),
    )  # fmt: skip
    asked = follow(Asked.empty(), joined(early, reading(50, DAY_US, READ_ROWS[5])), Shown(SECRET))
    looked_at = {int(each["account"]): each for each in issuers(asked)}
    assert len(looked_at) == ISSUERS_MAX + 1
    assert looked_at[50]["price"] == pytest.approx(price_of_issuer(1, 1))
    assert turned_away(asked) == 1_500 - ISSUERS_MAX


@pytest.fixture(scope="module")
def program() -> Iterator[Any]:
    bench = str(Path(__file__).resolve().parents[2] / "bench")
    sys.path.insert(0, bench)
    yield importlib.import_module("guarantee_signals")
    sys.path.remove(bench)


@pytest.mark.slow
def test_false_rates_are_those_of_the_lots(program: Any) -> None:
    for row in (*program.false_jitter(200, 11), *program.false_refusals(100, 12)):
        assert row["p_exact"] > 0.001, row
        assert min(row[f"p_{bits}"] for bits in (3, 6, 9)) > 0.001, row
        assert abs(row["mean_at_stop"] - 1) < 5 * row["standard_error"], row


def test_the_nearest_asker_alone_would_be_no_bet_and_all_of_them_are() -> None:
    # A crowd goes on asking with fresh accounts until one is refused; then somebody asks who knows nothing of it.
    refused = refuses(SECRET, np.arange(1, 301)[:, None], np.arange(1, 401)[None, :])
    until = np.where(refused.any(axis=0), refused.argmax(axis=0) + 1, 300)
    nearest = refused[until - 1, np.arange(400)]
    assert nearest.mean() > 0.9
    one_each = [
        refusal_path(np.full((1, 3), h), np.full((1, 3), n - h), 0.02)[0] for h, n in zip(nearest, until, strict=True)
    ]
    assert np.mean(2.0 ** np.array(one_each)) < 1.5
    assert np.mean(2.0 ** np.array(one_each)) > 0.5


# --- the evidence ---------------------------------------------------------------------------------


def reading(account: int, at_us: int = 0, rows: int = READ_ROWS[0]) -> Columns:
    return table([at_us], [account], [0], action=[int(Action.METADATA)], rows=[rows])


def table(at_us: Any, account: Any, recording: Any, **more: Any) -> Columns:
    n = len(at_us)
    columns: Columns = {
        "at_us": np.asarray(at_us, np.int64),
        "account": np.asarray(account, np.uint64),
        "recording": np.asarray(recording, np.uint64),
        "action": np.full(n, Action.PLAY, np.uint8),
        "rows": np.full(n, -1, np.int32),
        "elevated": np.full(n, -1, np.int8),
        "given_to": np.zeros(n, np.uint64),
        "surfaced": np.full(n, -1, np.int8),
    }
    return columns | {name: np.asarray(values, columns[name].dtype) for name, values in more.items()}


def joined(*parts: Columns) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def one_of(signals: Any, account: int, claim: str) -> dict[str, Any]:
    rows = [row for row in signals.to_pylist() if row["account"] == account and row["claim"] == claim]
    assert len(rows) == 1
    return dict(rows[0])


def town(seed: int) -> tuple[Columns, Shown]:
    """Make a scraper that reads, four workers on its queue, listeners in orders of their own, and each other signal."""
    rng = np.random.default_rng(seed)
    canaries = choose_canaries(SECRET, LISTING[4000:], 40)
    shown = Shown(SECRET, Listings.of([LISTING]), canaries, refused_share=0.1)
    work = jitter_order(SECRET, 50, LISTING)[:400]
    at = np.arange(400) * HOUR_US // 4
    workers = table(at, 100 + np.arange(400) % 4, work, elevated=np.ones(400))
    refused = refuses(SECRET, workers["account"], work, share=0.1)
    again = table(
        at[refused] + HOUR_US,
        100 + (workers["account"][refused] - 99) % 4,
        work[refused],
        elevated=np.ones(refused.sum()),
    )
    listeners = [
        table(
            rng.integers(0, at.max(), 150),
            np.full(150, 200 + i),
            jitter_order(SECRET, 200 + i, LISTING)[rng.permutation(600)[:150]],
            surfaced=np.ones(150),
        )
        for i in range(8)
    ]
    passing = table(np.arange(9) * HOUR_US, np.full(9, 300), LISTING[:9], given_to=np.full(9, 100))
    quiet = table(np.arange(60) * HOUR_US, np.full(60, 301), LISTING[:60], surfaced=np.zeros(60))
    hits = table(np.arange(40) * HOUR_US, np.full(40, 302), np.where(np.arange(40) % 2, canaries[:40], LISTING[:40]))
    return joined(reading(50), reading(51, 5), workers, again, *listeners, passing, quiet, hits), shown


@pytest.fixture(scope="module")
def seen() -> tuple[Any, Columns, Shown]:
    columns, shown = town(1)
    return evidence(follow(Asked.empty(), columns, shown), shown), columns, shown


def test_workers_on_one_queue_are_seen_and_nobody_else(seen: tuple[Any, Columns, Shown]) -> None:
    signals = seen[0]
    for worker in range(100, 104):
        row = one_of(signals, worker, "jitter")
        assert row["issuer"] == 50
        assert row["bits"] > 20
        assert one_of(signals, worker, "refusal")["bits"] > 0
    others = [row for row in best(signals).to_pylist() if 200 <= row["account"] < 300]
    assert all(row["bits"] < 4 for row in others)


@pytest.mark.parametrize(("account", "claim"), [(300, "handle"), (301, "unsurfaced"), (302, "canary")])
def test_each_other_signal_is_seen(seen: tuple[Any, Columns, Shown], account: int, claim: str) -> None:
    assert one_of(seen[0], account, claim)["bits"] > 8


def test_an_account_in_its_own_order_of_a_listing_follows_nobody() -> None:
    columns = joined(reading(7), table(np.arange(300), np.full(300, 7), jitter_order(SECRET, 7, LISTING)[:300]))
    shown = Shown(SECRET, Listings.of([LISTING]))
    assert evidence(follow(Asked.empty(), columns, shown), shown).num_rows == 0


def test_who_was_refused_itself_gets_no_bits_by_asking_again() -> None:
    mine = np.flatnonzero(refuses(SECRET, 7, np.arange(1, 2001)))[:20] + 1
    columns = table(np.arange(40), np.full(40, 7), np.concatenate([mine, mine]), elevated=np.ones(40))
    shown = Shown(SECRET)
    assert evidence(follow(Asked.empty(), columns, shown), shown).num_rows == 0


def test_a_refusal_of_an_account_that_was_not_elevated_says_nothing() -> None:
    recordings = np.flatnonzero(refuses(SECRET, 7, np.arange(1, 2001)))[:20] + 1
    columns = joined(
        table(np.arange(20), np.full(20, 7), recordings), table(np.arange(50, 70), np.full(20, 9), recordings)
    )
    shown = Shown(SECRET)
    assert evidence(follow(Asked.empty(), columns, shown), shown).num_rows == 0


def test_an_order_that_was_read_only_later_was_not_followed() -> None:
    work = jitter_order(SECRET, 50, LISTING)[100:400]
    columns = joined(table(np.arange(300), np.full(300, 100), work), reading(50, at_us=DAY_US))
    shown = Shown(SECRET, Listings.of([LISTING]))
    assert evidence(follow(Asked.empty(), columns, shown), shown).num_rows == 0


def test_occasions_with_handles_pay_for_what_is_declared() -> None:
    declared = Declared(passing=0.02, again=0.5)
    columns = table([0, 1, 2 * HOUR_US], [300] * 3, [1, 2, 3], given_to=[100] * 3)
    shown = Shown(SECRET)
    row = one_of(evidence(follow(Asked.empty(), columns, shown), shown, declared), 300, "handle")
    assert row["hits"] == 2
    assert row["raw"] == pytest.approx(-np.log2(0.02 * 0.5), abs=0.001)


@pytest.mark.parametrize("parts", [2, 7])
def test_batches_one_after_another_say_what_one_says(seen: tuple[Any, Columns, Shown], parts: int) -> None:
    whole, columns, shown = seen
    order = np.argsort(columns["at_us"], kind="stable")
    asked = Asked.empty()
    for rows in np.array_split(order, parts):
        asked = follow(
            Asked.from_arrays(asked.arrays()), {name: values[rows] for name, values in columns.items()}, shown
        )
    assert evidence(asked, shown).equals(whole)


def test_what_was_kept_of_an_account_can_be_forgotten(seen: tuple[Any, Columns, Shown]) -> None:
    _, columns, shown = seen
    asked = follow(Asked.empty(), columns, shown).without(100)
    kept = [values for name, values in asked.arrays().items() if name.endswith((".account", ".giver"))]
    assert not any((values == 100).any() for values in kept)
    assert len(evidence(asked, shown)) > 0


def test_every_explanation_adds_up(seen: tuple[Any, Columns, Shown]) -> None:
    signals = seen[0]
    assert signals.schema == SIGNAL
    assert set(signals["claim"].to_pylist()) == set(SHARES)
    for row in signals.to_pylist():
        told = explain(row)
        assert sum(step.bits for step in told.waterfall) == told.bits == row["bits"]
    follower = explain(one_of(signals, 100, "jitter"))
    assert [step.bits < 0 for step in follower.waterfall] == [False, True, True]


def test_shares_of_the_signals_sum_to_one() -> None:
    assert sum(SHARES.values()) == pytest.approx(1.0)


# --- how soon: a small replay of bench/guarantee_signals.py -----------------------------------------


@pytest.mark.slow
def test_a_queue_from_a_listing_is_seen_within_sixty_recordings_each(program: Any) -> None:
    for batch, ahead in ((1, 1), (10, 1), (5, 5)):
        needed = np.array(program.by_jitter(program.Queue(batch=batch, ahead=ahead), 5, 70))
        assert (needed[:, 0] <= 60).mean() >= 0.9
        assert np.median(needed[:, 1]) <= 60


@pytest.mark.slow
def test_a_shuffled_queue_is_seen_within_four_hundred_by_adopted_refusals(program: Any) -> None:
    needed = np.array(program.by_refusals(program.CRAWL, 5, 400))
    assert (needed[:, 0] <= 400).mean() >= 0.8
    assert np.median(needed[:, 1]) <= 400
