"""The files of the regimes are whole, and one that is not is refused."""

import tomllib
from datetime import date
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from riparian.cases.calendars import calendar_of
from riparian.cases.facts import Addressee, Layer
from riparian.cases.forms import FORMS
from riparian.cases.notice import Element
from riparian.cases.regimes import REGIMES, Regime, parse_regime, policies_of, regime_of
from riparian.cases.steps import STEPS, Step
from riparian.errors import InputError, PolicyError

GOOD = """
title = "A policy"
law = false
calendar = "US"
zone = "UTC"
asks = ["works"]
counter_asks = []
source = "Somewhere"
read = 2026-11-23
review = 2027-02-23
checked = ""

[[clock]]
name = "reminder"
unit = "days"
most = 3
legal = false
begins = ["send"]
ends = ["remove"]
whose = "we"
what = "look again"
source = "Somewhere"
"""


def said(change: str = "", to: str = "") -> dict[str, Any]:
    assert change in GOOD
    return tomllib.loads(GOOD.replace(change, to) if change else GOOD)


@pytest.mark.parametrize("regime", REGIMES.values(), ids=lambda one: one.key)
def test_a_regime_is_whole(regime: Regime) -> None:
    assert regime.source
    assert regime.read == date(2026, 11, 23) < regime.review
    assert regime.asks
    for key, zone in {regime.calendar: regime.zone, **regime.zones}.items():
        assert calendar_of(key).key == key
        assert ZoneInfo(zone).key == zone
    assert not regime.under or REGIMES[regime.under].law
    for clock in regime.clock:
        assert clock.source
        assert clock.legal <= regime.law
        assert regime.named(clock.name) is clock
        for begins in clock.begins:
            leads = {STEPS[state][begins] for state in STEPS if begins in STEPS[state]}
            assert any(step in STEPS[state] for state in leads for step in clock.ends), (clock.name, begins)


def test_the_laws_and_the_large_hosts_are_there() -> None:
    assert {key for key, one in REGIMES.items() if one.law} == {"dmca", "dsa"}
    assert {"generic", "github", "google", "youtube"} <= set(REGIMES)
    assert {"AT", "DE", "FR", "IE", "SE"} <= set(REGIMES["dsa"].zones)
    assert len(REGIMES["dsa"].zones) == 27


def test_the_laws_ask_what_they_say() -> None:
    e = Element
    assert set(regime_of("dmca").asks) == {
        e.SIGNATURE, e.WORKS, e.LOCATIONS, e.CONTACT, e.GOOD_FAITH, e.ACCURACY, e.AUTHORITY,
    }  # fmt: skip
    assert set(regime_of("dsa").asks) == {e.EXPLANATION, e.LOCATIONS, e.NAME_AND_EMAIL, e.BONA_FIDE}


@pytest.mark.parametrize("form", [one for one in FORMS.values() if one.regime], ids=lambda one: one.name)
def test_forms_ask_under_regimes_that_are_there(form: Any) -> None:
    assert form.regime in REGIMES


def test_a_file_that_says_all_is_read() -> None:
    regime = parse_regime("x", said())
    assert (regime.clock[0].begins, regime.clock[0].ends) == ((Step.SEND,), (Step.REMOVE,))


@pytest.mark.parametrize(
    ("change", "to", "because"),
    [
        ('source = "Somewhere"\nread', "read", "has no `source`"),
        ("read = 2026-11-23\n", "", "has no `read`"),
        ('title = "A policy"', "title = 3", "`title` of the regime `x` is `3`"),
        ("law = false", "law = 0", "`law` of the regime `x` is `0`"),
        ('asks = ["works"]', 'asks = ["works", "a thing"]', "`asks` of the regime `x` is not known"),
        ('asks = ["works"]', 'asks = "works"', "wanted another type"),
        ("review = 2027-02-23", "review = 2026-11-23", "wanted a day after 2026-11-23"),
        ("review = 2027-02-23", 'review = "soon"', "wanted another type"),
        ('checked = ""', 'checked = ""\nsurprise = 1', "has `surprise`"),
        ("legal = false", "legal = true", "is a policy and calls `reminder` legal"),
        ("most = 3", "", "counts from None to None"),
        ("most = 3", "least = 4\nmost = 3", "counts from 4 to 3"),
        ("most = 3", "most = -1", "counts from None to -1"),
        ("most = 3", "most = 3.5", "wanted another type"),
        ("most = 3", "most = true", "wanted another type"),
        ("most = 3", "least = 3\nrolls = true", "rolls and has no end"),
        ('unit = "days"', 'unit = "moons"', "is not known"),
        ('begins = ["send"]', "", "ends with a step and begins with none"),
        ('begins = ["send"]', 'begins = ["sent"]', "is not known"),
        ('whose = "we"', "", "has no `whose`"),
    ],
)
def test_a_file_that_does_not_is_refused(change: str, to: str, because: str) -> None:
    with pytest.raises(PolicyError, match=because):
        parse_regime("x", said(change, to))


def test_a_name_stands_once() -> None:
    twice = said()
    twice["clock"] *= 2
    with pytest.raises(PolicyError, match="has `reminder` twice"):
        parse_regime("x", twice)


def test_a_host_goes_by_its_own_policy_and_everybody_by_ours() -> None:
    assert [one.key for one in policies_of(Addressee("youtube", "YouTube", Layer.STREAMING))] == ["youtube", "generic"]
    assert [one.key for one in policies_of(Addressee("other", "Another", Layer.HOST))] == ["generic"]
    assert [one.key for one in policies_of(None)] == ["generic"]
    with pytest.raises(InputError, match="is no regime"):
        regime_of("elsewhere")


def test_each_file_beside_the_package_is_a_regime() -> None:
    names = {one.name for one in files("riparian.cases.regimes").iterdir() if one.name.endswith(".toml")}
    assert names == {f"{key}.toml" for key in REGIMES}
