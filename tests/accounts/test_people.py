"""The declared people: what a people file may say, and that every law is a law."""

import tomllib
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from scipy.stats import betabinom, nbinom

from riparian.accounts.people import AGES, ODD_DAY, PAIRS_MAX, PLAYS_MAX, VOLUME_MAX, People, parse_people
from riparian.errors import PolicyError


def shipped() -> dict[str, Any]:
    return tomllib.loads((files("riparian.accounts") / "people.toml").read_text())


def edit(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    found = shipped()
    change(found)
    return found


MALFORMED = {
    "an unknown key at the top": (lambda f: f.update(colour=1), "unknown key `colour`"),
    "a kind without a share": (lambda f: f["kind"]["listener"].pop("share"), "no key `share`"),
    "a kind with an unknown key": (lambda f: f["kind"]["listener"].update(mood=1), "unknown key `mood`"),
    "shares beyond one": (lambda f: f["kind"]["family"].update(share=0.9), "wanted shares of 0 or more that sum to 1"),
    "evenness short of one": (lambda f: f["kind"]["venue"].update(evenness=[0.1] * 5), "`evenness` of `venue`"),
    "a tireless level not in the pool": (
        lambda f: f["kind"]["digger"].update(tireless=[[0.42, 1.0]]),
        "`tireless` of `digger` has the level 0.42",
    ),
    "a chance not in the pool": (lambda f: f["clients"].update(too_fast=[[0.7, 1.0]]), "`too_fast` has the chance 0.7"),
    "a suspended bet that there is not": (lambda f: f.update(suspended=["colour"]), "`suspended` names `colour`"),
    "a ladder that there is not": (lambda f: f["devices"].update(colour={}), "`devices` has an unknown key `colour`"),
    "a ladder that does not climb": (
        lambda f: f["places"]["nights"].update(ever=[[7, 0.1], [7, 0.05]]),
        "ladder `places.nights` is [[7, 0.1], [7, 0.05]]",
    ),
    "a ladder whose shares rise": (
        lambda f: f["devices"]["shared"].update(ever=[[2, 0.1], [3, 0.2]]),
        "ladder `devices.shared`",
    ),
    "weights of ladders beyond one": (
        lambda f: f["devices"]["shared"].update(weight=1.0),
        "weights of `devices` sum to 1.2",
    ),
    "a word where a number belongs": (lambda f: f["kind"]["family"].update(share="many"), "wanted a number"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_people_file_is_refused_with_a_reason(name: str) -> None:
    change, reason = MALFORMED[name]
    with pytest.raises(PolicyError, match="|".join([reason.replace("[", r"\[")])):
        parse_people(edit(change))


def test_a_suspended_question_has_no_ladders() -> None:
    found = parse_people(edit(lambda f: f.update(suspended=["devices"])))
    assert (found.ladders["devices"], found.version) == ({}, "2026.4 without devices")
    assert found.laws.weights[-1] == 0


def test_every_law_of_a_day_sums_to_one(people: People) -> None:
    pools = people.pools
    np.testing.assert_allclose(pools.volume[1:].sum(axis=0), 1, rtol=1e-4)
    np.testing.assert_allclose(pools.rows.sum(axis=0), 1, rtol=1e-5)
    for pairs in (1, 7, PAIRS_MAX):
        np.testing.assert_allclose(pools.order[pairs, : pairs + 1].sum(axis=0), 1, rtol=1e-4)
    for age in (0, 5, AGES - 1):
        for plays in (1, 40, PLAYS_MAX):
            new = np.arange(plays + 1)
            law = pools.novel[age, new] * pools.known[age, plays - new] * pools.plays[plays]
            np.testing.assert_allclose(law.sum(axis=0), 1, rtol=1e-6)


def test_every_kind_spreads_one_over_each_pool(people: People) -> None:
    laws = people.laws
    for weights in (laws.volume, laws.newness, laws.order, laws.reader_rows, laws.reader_order):
        np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)
        assert (weights >= 0).all()
    for weights in (laws.shares, laws.reader_shares, laws.other_rows, laws.clients_fast, laws.clients_unplayed):
        np.testing.assert_allclose(weights.sum(), 1, rtol=1e-5)


def test_the_tables_are_the_textbook_laws(people: People) -> None:
    pools = people.pools
    # The 33rd component of volume: mean 2**5 with evenness `steady` (shape 5), zero-truncated.
    at = int(np.flatnonzero(np.isclose(np.exp2(np.arange(2.0, 10.51, 0.5)), 32.0))[0]) * 5 + 2
    law = nbinom(5.0, 5.0 / 37.0)
    n = np.array([1, 10, 32, 100])
    odd = 1 / n / (1 / np.arange(1, VOLUME_MAX + 1)).sum()
    wanted = (1 - ODD_DAY) * law.pmf(n) / (1 - law.pmf(0)) + ODD_DAY * odd
    np.testing.assert_allclose(pools.volume[n, at], wanted, rtol=1e-5)
    # The first tireless component of newness: chance .3, dispersion 3.6.
    tireless = 16 * 3
    k = np.arange(41)
    found = pools.novel[4, k, tireless] * pools.known[4, 40 - k, tireless] * pools.plays[40, tireless]
    np.testing.assert_allclose(found, betabinom(40, 0.3 * 3.6, 0.7 * 3.6).pmf(k), rtol=1e-6)
