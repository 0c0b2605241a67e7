"""The policy file: what an operator may state, and what follows."""

import math
from dataclasses import fields
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.errors import PolicyError
from riparian.gate.policy import LADDER, Mode, Policy, Restraint, parse_policy, threshold_bits, tolerated

REFUSED: dict[str, dict[str, Any]] = {
    "an unknown key": {"wrongful_hold_per_year": 2},
    "a mode that is none": {"mode": "enforced"},
    "a mode that is a number": {"mode": 1},
    "a number in words": {"novelty_burst": "many"},
    "half a recording": {"novelty_burst": 10.5},
    "yes for a number": {"novelty_burst": True},
    "a number beyond all bounds": {"novelty_burst": 10**400},
    "no tolerance at all": {"wrongful_holds_per_year": 0},
    "endless tolerance": {"wrongful_slows_per_year": math.inf},
    "not a number": {"wrongful_slows_per_year": math.nan},
    "a hold of no time": {"longest_hold_days": 0},
    "a bucket of none": {"novelty_burst": 0},
    "a refill below nothing": {"rows_per_day": -1},
    "holds more freely than step-ups": {"wrongful_holds_per_year": 5},
    "step-ups more freely than slows": {"wrongful_step_ups_per_year": 9},
    "a rule that is none": {"shadow_rules": "novelty, person"},
    "rules that are a number": {"shadow_rules": 3},
    "another answer": {"refused": "lower bitrate"},
    "a limit of nothing": {"requests_per_minute": 0},
    "a grant for a day": {"grant_s": 86_400},
    "a grant of ten seconds": {"grant_s": 10},
    "media that never close": {"media_open_s": 10**6},
    "metadata that fail open": {"metadata_down": "open"},
    "a table": {"novelty_burst": {"new": 500}},
}


@pytest.mark.parametrize("mapping", REFUSED.values(), ids=REFUSED.keys())
def test_a_policy_that_cannot_be_meant_is_refused(mapping: dict[str, Any]) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(mapping)
    assert next(iter(mapping)) in caught.value.message


def test_an_unknown_key_is_answered_with_the_nearest() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy({"wrongful_hold_per_year": 2})
    assert caught.value.hint == "Write wrongful_holds_per_year in the place of wrongful_hold_per_year."
    with pytest.raises(PolicyError) as caught:
        parse_policy({"zzz": 2})
    assert caught.value.hint == "Remove zzz."


def test_an_empty_file_is_the_default_and_every_default_may_be_written_out() -> None:
    written = {f.name: str(f.default) if isinstance(f.default, StrEnum) else f.default for f in fields(Policy)}
    assert parse_policy({}) == Policy() == parse_policy(written)
    assert Policy().mode is Mode.SHADOW


def test_every_key_says_what_it_means_and_in_which_unit() -> None:
    assert all(f.metadata["doc"].endswith(".") and f.metadata["unit"] for f in fields(Policy))


@given(st.integers(1, 2**40), st.sampled_from(LADDER))
def test_mistakes_expected_in_a_year_are_those_tolerated(n: int, restraint: Restraint) -> None:
    wanted = threshold_bits(Policy(), restraint, n)
    assert n * 2.0**-wanted <= tolerated(Policy(), restraint) * (1 + 1e-12)
    assert wanted >= 1.0


def test_no_number_of_bits_ends_an_account() -> None:
    assert tolerated(Policy(), Restraint.END) == 0.0
    assert threshold_bits(Policy(), Restraint.END, 1) == math.inf


def test_stated_accounts_count_where_fewer_were_seen() -> None:
    assert threshold_bits(Policy(accounts=2**21), Restraint.HOLD, 10) == 20.0
    assert threshold_bits(Policy(accounts=10), Restraint.HOLD, 2**21) == 20.0
    assert threshold_bits(Policy(), Restraint.ALLOW, 10) == -math.inf


def test_every_doubling_of_the_restarts_wants_one_bit_more() -> None:
    once, often = (threshold_bits(Policy(restarts_per_year=r), Restraint.HOLD, 2**21) for r in (1, 4))
    assert (once, often) == (20.0, 22.0)
    with pytest.raises(PolicyError, match="`restarts_per_year` is 0, wanted a whole number from 1 to 52"):
        Policy(restarts_per_year=0)
