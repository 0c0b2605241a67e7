"""A sentence is written when what it states is known; take any fact away, and the sentence goes with it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from riparian.cases.facts import Check, Facts, How, Party
from riparian.cases.forms import FORMS, asked_by, fits
from riparian.cases.notice import Element, Kind
from riparian.cases.plain import made, plain
from riparian.cases.regimes.read import REGIMES, Regime
from riparian.cases.statements import Wanted, drafted, needed
from riparian.errors import InputError
from tests.cases.told import AGENT, DECISION, DRAWN, FACTS, HOST, NOW, OWNER, clear, wanted

Change = Callable[[Facts], Facts]


def without_check(check: Check) -> Change:
    return lambda facts: replace(facts, checks=tuple(one for one in facts.checks if one.check is not check))


def with_check(check: Check, **changed: Any) -> Change:
    """Write another look-up down, later than all others."""

    def change(facts: Facts) -> Facts:
        last = replace(facts.checks[0], check=check, at=NOW, event=30)
        return replace(facts, checks=(*facts.checks, replace(last, **changed)))

    return change


def at_locations(**changed: Any) -> Change:
    return lambda facts: replace(facts, locations=tuple(replace(one, **changed) for one in facts.locations))


def of_works(**changed: Any) -> Change:
    return lambda facts: replace(facts, works=tuple(replace(one, **changed) for one in facts.works))


def only(**changed: Any) -> Change:
    return lambda facts: replace(facts, **changed)


E = Element
BELIEF = {"dmca": E.GOOD_FAITH, "dsa": E.BONA_FIDE}

MISSING: dict[str, tuple[Change, str, set[Element]]] = {
    "nobody looked whether it is there": (at_locations(live=None), "dmca", {E.LOCATIONS, E.ACCURACY}),
    "it was gone when somebody looked": (at_locations(live=False), "dmca", {E.LOCATIONS, E.ACCURACY}),
    "gone, under the DSA": (at_locations(live=False), "dsa", {E.LOCATIONS}),
    "only titles were compared": (
        lambda facts: replace(facts, findings=tuple(replace(one, how=How.TITLE) for one in facts.findings)),
        "dmca",
        {E.WORKS, E.GOOD_FAITH, E.AUTHORITY, E.ACCURACY},
    ),
    "only a list of links was given": (
        lambda facts: replace(facts, findings=tuple(replace(one, how=How.LIST) for one in facts.findings)),
        "dsa",
        {E.EXPLANATION, E.BONA_FIDE},
    ),
    "only an ISRC was there": (
        lambda facts: replace(facts, findings=tuple(replace(one, how=How.IDENTIFIER) for one in facts.findings)),
        "dmca",
        {E.WORKS, E.GOOD_FAITH, E.AUTHORITY, E.ACCURACY},
    ),
    "nothing was found at one of the two": (
        lambda facts: replace(facts, findings=facts.findings[:1]),
        "dmca",
        {E.WORKS, E.GOOD_FAITH, E.AUTHORITY, E.ACCURACY},
    ),
    "a work has no title": (of_works(title=""), "dmca", {E.WORKS, E.ACCURACY}),
    "nobody looked for a licence": (without_check(Check.LICENCE), "dmca", {E.GOOD_FAITH, E.ACCURACY}),
    "nobody looked for a licence, under the DSA": (
        without_check(Check.LICENCE),
        "dsa",
        {E.BONA_FIDE, E.EXPLANATION},
    ),
    "a licence was found": (with_check(Check.LICENCE, clear=False), "dmca", {E.GOOD_FAITH, E.ACCURACY}),
    "a licence was found at that place, and none elsewhere since": (
        lambda facts: with_check(Check.LICENCE, clear=True, at=NOW + timedelta(hours=1))(
            with_check(Check.LICENCE, clear=False, location="L1")(facts)
        ),
        "dmca",
        {E.GOOD_FAITH, E.ACCURACY},
    ),
    "it could not be told whether there is a licence": (
        with_check(Check.LICENCE, clear=None),
        "dmca",
        {E.GOOD_FAITH, E.ACCURACY},
    ),
    "the look-up has run out": (
        lambda facts: replace(facts, checks=tuple(replace(one, until=NOW - timedelta(1)) for one in facts.checks)),
        "dmca",
        {E.GOOD_FAITH, E.AUTHORITY, E.ACCURACY},
    ),
    "it is in the public domain": (with_check(Check.PUBLIC_DOMAIN, clear=False), "dmca", {E.GOOD_FAITH, E.ACCURACY}),
    "it is under an open licence": (with_check(Check.OPEN_LICENCE, clear=False), "dsa", {E.BONA_FIDE}),
    "nobody followed the chain of title": (
        without_check(Check.CHAIN_OF_TITLE),
        "dmca",
        {E.AUTHORITY, E.ACCURACY},
    ),
    "the chain of title is broken, under the DSA": (
        with_check(Check.CHAIN_OF_TITLE, clear=False),
        "dsa",
        {E.EXPLANATION},
    ),
    "a work is another's": (of_works(owner="Others Ltd"), "dmca", {E.AUTHORITY, E.ACCURACY}),
    "nobody knows the owner": (only(owner=None), "dmca", {E.AUTHORITY, E.ACCURACY}),
    "no document says that the agent may": (only(authority=""), "dmca", {E.AUTHORITY, E.ACCURACY}),
    "nobody considered fair use": (only(considered=()), "dmca", {E.FAIR_USE, E.GOOD_FAITH, E.ACCURACY}),
    "fair use was considered for the other place": (
        lambda facts: replace(facts, considered=(replace(facts.considered[0], locations=("L2",)),)),
        "dmca",
        {E.FAIR_USE, E.GOOD_FAITH, E.ACCURACY},
    ),
    "a note says nothing": (
        lambda facts: replace(facts, considered=(replace(facts.considered[0], note=" \n"),)),
        "dmca",
        {E.FAIR_USE, E.GOOD_FAITH, E.ACCURACY},
    ),
    "nobody can be reached": (
        only(complainant=replace(AGENT, email="", phone="", address="")),
        "dmca",
        {E.CONTACT, E.ACCURACY},
    ),
    "no e-mail address, under the DSA": (only(complainant=replace(AGENT, email="")), "dsa", {E.NAME_AND_EMAIL}),
    "nobody is named who signs": (
        only(complainant=replace(AGENT, name="")),
        "dmca",
        {E.SIGNATURE, E.CONTACT, E.ACCURACY},
    ),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_not_known_is_not_said(name: str) -> None:
    change, regime, lost = MISSING[name]

    found = drafted(change(FACTS), wanted(addressee=replace(HOST, regime=regime)))

    asked = set(needed(Kind.TAKEDOWN, regime))
    assert {one.element for one in found.blocks} == lost
    assert {one.element for one in found.notice.statements} & asked == asked - lost
    assert all(one.why and one.needs.endswith(".") for one in found.blocks)
    form = FORMS["dmca_text" if regime == "dmca" else "dsa16_text"]
    assert fits(found.notice, form).startswith("it lacks ")


@pytest.mark.parametrize("regime", ["dmca", "dsa", "github"])
def test_what_is_known_is_said_and_says_what_proves_it(regime: str) -> None:
    found = drafted(FACTS, wanted(addressee=replace(HOST, regime=regime)))

    assert found.is_clear
    said = {one.element: one for one in found.notice.statements}
    assert set(needed(Kind.TAKEDOWN, regime)) <= set(said)
    assert said[BELIEF["dsa" if regime == "dsa" else "dmca"]].proven_by == (10, 11, 20)
    assert said[Element.EXPLANATION].proven_by == (7, 8, 9, 10, 11, 12, 13)


@pytest.mark.parametrize("regime", REGIMES.values(), ids=REGIMES)
def test_a_notice_has_to_have_what_its_regime_asks_for(regime: Regime) -> None:
    assert set(regime.asks) <= set(needed(Kind.TAKEDOWN, regime.key))


KEPT = some.fixed_dictionaries(
    {
        name: some.sets(some.sampled_from(range(len(getattr(FACTS, name)))), min_size=0)
        for name in ("findings", "checks", "considered")
    }
)


@settings(max_examples=120, deadline=None)
@given(KEPT, some.sampled_from(["dmca", "dsa"]), some.sets(some.sampled_from(["owner", "complainant", "authority"])))
def test_whatever_is_not_known_no_sentence_stands_without_its_proof(
    kept: dict[str, set[int]], regime: str, unknown: set[str]
) -> None:
    few: dict[str, Any] = {
        name: tuple(getattr(FACTS, name)[n] for n in sorted(some_of)) for name, some_of in kept.items()
    }
    nothing: dict[str, Any] = {name: "" if name == "authority" else None for name in unknown}
    facts = replace(FACTS, **few, **nothing)

    found = drafted(facts, wanted(addressee=replace(HOST, regime=regime)))

    known = {one.event for group in few.values() for one in group}
    known |= {one.event for one in facts.works} | {one.event for one in facts.locations}
    assert all(set(one.proven_by) <= known for one in found.notice.statements)
    assert not {one.element for one in found.blocks} & {one.element for one in found.notice.statements}
    asked = set(needed(Kind.TAKEDOWN, regime))
    assert found.is_clear is (asked <= {one.element for one in found.notice.statements})
    both = {work.recording for work in found.notice.works} == {"r1", "r2"}
    for element, proof in ((E.GOOD_FAITH, {10, 11, 20}), (E.BONA_FIDE, {10, 11, 20}), (E.AUTHORITY, {12, 13})):
        if said := found.notice.statement(element):
            assert set(said.proven_by) == (proof if both else proof - {11, 13})


def test_a_draft_of_the_same_facts_is_the_same_and_goes_into_an_event_and_back() -> None:
    found = clear()

    assert clear() == found
    assert made(type(found), plain(found)) == found
    reasons = drafted(FACTS, wanted(kind=Kind.REASONS, decision=DECISION)).notice
    assert made(type(reasons), plain(reasons)) == reasons


def test_an_owner_who_complains_needs_no_document() -> None:
    own = replace(OWNER, name="Reed")
    found = drafted(replace(FACTS, owner=own, complainant=own, authority=""), wanted())

    assert found.is_clear
    said = found.notice.statement(Element.AUTHORITY)
    assert said is not None
    assert "I am the owner, Reed Records Ltd" in said.text


def test_a_place_may_be_cleared_by_its_own_look_up() -> None:
    unsure = with_check(Check.LICENCE, clear=None)(FACTS)
    told = replace(unsure.checks[-1], clear=True, location="L1", event=31)
    also = replace(unsure.checks[-1], clear=True, location="L2", event=32)

    assert drafted(replace(unsure, checks=(*unsure.checks, told, also)), wanted()).is_clear
    assert not drafted(replace(unsure, checks=(*unsure.checks, told)), wanted()).is_clear


ISSUED: dict[str, tuple[tuple[str, ...], bool]] = {
    "a copy was issued to them": (("Copy 17 was issued to Ember Slate.",), True),
    "in other letters": (("copy 17: EMBER SLATE",), True),
    "none was issued": ((), False),
    "to somebody else": (("Copy 17 was issued to Hazel Quarry.",), False),
    "to somebody whose name only begins like theirs": (("Copy 17 was issued to Ember Slatery.",), False),
}


@pytest.mark.parametrize("name", ISSUED)
def test_only_who_was_issued_a_copy_is_asked_about_it(name: str) -> None:
    issued, may = ISSUED[name]

    found = drafted(replace(FACTS, issued=issued), wanted(kind=Kind.INQUIRY, addressee=DRAWN))

    assert found.is_clear is may
    assert ("Copy 17" in str(found.notice.statements)) is False


def test_a_notice_is_taken_back_by_its_name_and_day() -> None:
    found = drafted(FACTS, wanted(kind=Kind.RETRACTION, about=clear(), because="It was licensed."))

    assert found.is_clear
    said = found.notice.statement(Element.RETRACTS)
    assert said is not None
    assert "C1/N1 of 23 November 2026" in said.text
    assert said.text.endswith("The reason: It was licensed.")
    nameless = replace(clear(), dated=None)
    assert [one.element for one in drafted(FACTS, wanted(kind=Kind.RETRACTION, about=nameless)).blocks] == [
        Element.RETRACTS
    ]


REFUSED: dict[str, tuple[Wanted, str]] = {
    "an addressee of another case": (wanted(addressee="elsewhere"), "`elsewhere` is no addressee of the case"),
    "a location of another case": (wanted(locations=("L1", "L9")), "`L9` is no location of the case"),
    "about nothing": (wanted(locations=()), "about no location"),
    "a counter-notice of ours": (wanted(kind=Kind.COUNTER), "a draft of the kind `counter_notice`"),
    "a retraction of nothing": (wanted(kind=Kind.RETRACTION), "a retraction of nothing"),
    "a retraction of an inquiry": (
        wanted(kind=Kind.RETRACTION, about=replace(clear(), kind=Kind.INQUIRY)),
        "a retraction of nothing",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_drafted_is_refused_with_the_reason(name: str) -> None:
    asked, why = REFUSED[name]

    with pytest.raises(InputError, match=why):
        drafted(FACTS, asked)


def test_reasons_are_given_for_what_was_decided_only() -> None:
    assert drafted(FACTS, wanted(kind=Kind.REASONS, decision=DECISION)).is_clear
    for nothing in (None, replace(DECISION, facts=" ")):
        assert [one.element for one in drafted(FACTS, wanted(kind=Kind.REASONS, decision=nothing)).blocks] == [
            Element.EXPLANATION
        ]


def test_the_form_asks_under_its_own_regime() -> None:
    assert asked_by(FORMS["dsa16"], HOST).regime == "dsa"
    assert asked_by(FORMS["web_youtube"], HOST).form == "web_youtube"
    assert drafted(FACTS, wanted(sender=Party("Jo Reed", email="jo@reed.example"))).notice.signed_by == "Jo Reed"
