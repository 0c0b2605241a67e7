"""What must not leave does not leave, and the rail that stops it has a name."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from riparian.cases.budget import Past
from riparian.cases.case import Case, Noted
from riparian.cases.facts import Check, Checked, Considered, Facts, How
from riparian.cases.notice import Kind
from riparian.cases.rails import RAILS, Asked, Limits, asked_of, rails, second_person
from riparian.cases.statements import drafted
from riparian.cases.steps import State
from tests.cases.told import FACTS, HOST, NOW, wanted

NOTE = "The whole recording of ours, offered for download by a stranger, with nothing added or said of it."
PAST = Past("C0", "N1", "hostly", NOW - timedelta(days=9), State.CLOSED, (), frozenset(), mistaken=False)
GOOD = Facts(
    **{
        **{name: getattr(FACTS, name) for name in FACTS.__dataclass_fields__},
        "checks": (
            *FACTS.checks,
            *(
                Checked(check, recording, clear=True, source="policy-2026.pdf", at=NOW, by="Ada Finch")
                for check in (Check.PUBLIC_DOMAIN, Check.OPEN_LICENCE)
                for recording in ("r1", "r2")
            ),
        ),
        "considered": (Considered("Ada Finch", NOW, NOTE, event=20),),
        "findings": tuple(replace(one, source="watch", at=NOW) for one in FACTS.findings),
    }
)
Change = Callable[[Facts], Facts]


def asked(facts: Facts = GOOD, **given: Any) -> Asked:
    """Ask about a notice that was drafted when all was known, and of which something else is known by now."""
    made = drafted(GOOD, wanted(signed_by="Ada Finch")).notice
    noted = Noted(given.pop("notice", made), State.REVIEWED, "ab" * 32)
    case = Case("C1", "A mirror", NOW, ("US",), facts, {"N1": noted}, sealed=given.pop("sealed", False))
    return Asked(case, noted, NOW, **{"past": (PAST,), **given})


def stopped(it: Asked) -> set[str]:
    return {rail.name for rail in rails(it) if not rail.passed}


def every(part: str, **changed: Any) -> Change:
    def change(facts: Facts) -> Facts:
        others: dict[str, Any] = {part: tuple(replace(one, **changed) for one in getattr(facts, part))}
        return replace(facts, **others)

    return change


def looked_up(check: Check, **changed: Any) -> Change:
    later = Checked(check, "r1", clear=False, source="a contract", at=NOW, by="Ada Finch", event=40)
    return lambda facts: replace(facts, checks=(*facts.checks, replace(later, **changed)))


def noted(*notes: Considered) -> Change:
    return lambda facts: replace(facts, considered=notes)


def in_turn(*changes: Change) -> Change:
    def change(facts: Facts) -> Facts:
        for one in changes:
            facts = one(facts)
        return facts

    return change


# What research calls the poisoned set, and what is near it: each is a copy that somebody thought they had found.
POISONED = [
    pytest.param(every("findings", how=How.LIST), "sound", id="a pasted list of links"),
    pytest.param(every("findings", how=How.TITLE), "sound", id="the word `hide` in a title"),
    pytest.param(every("findings", how=How.IDENTIFIER), "sound", id="a code that anybody can write down"),
    pytest.param(every("findings", how=How.MARK), "sound", id="a mark alone, which says to whom and not what"),
    pytest.param(every("findings", how=How.SOUND, error=1.0), "sound", id="a match that states no chance"),
    pytest.param(lambda facts: replace(facts, findings=()), "sound", id="nothing was found"),
    pytest.param(every("locations", live=False), "fresh", id="dead addresses"),
    pytest.param(every("locations", live=None), "fresh", id="addresses that nobody has looked at"),
    pytest.param(every("locations", seen=NOW - timedelta(hours=73)), "fresh", id="looked at four days ago"),
    pytest.param(
        in_turn(every("findings", how=How.TITLE), every("locations", title="Ember Slate releases Low Tide")),
        "sound",
        id="a news article that names the song",
    ),
    pytest.param(every("findings", flags=("commentary",)), "fair use", id="a news item that plays some of it"),
    pytest.param(every("findings", flags=("parody",)), "fair use", id="a parody"),
    pytest.param(looked_up(Check.LICENCE), "licence", id="a licensed partner"),
    pytest.param(looked_up(Check.LICENCE, location="L1"), "licence", id="a partner licensed for this place only"),
    pytest.param(looked_up(Check.LICENCE, clear=None), "licence", id="a licence that nobody could tell"),
    pytest.param(every("findings", seconds=12.0, coverage=0.05), "fair use", id="a short clip"),
    pytest.param(every("findings", flags=("cover",)), "fair use", id="a cover"),
    pytest.param(every("findings", flags=("remix",)), "fair use", id="a remix"),
    pytest.param(every("findings", flags=("live",)), "fair use", id="a concert"),
    pytest.param(
        in_turn(every("findings", flags=("cover",)), every("findings", how=How.TITLE)), "sound", id="a cover, by title"
    ),
    pytest.param(looked_up(Check.CHAIN_OF_TITLE), "chain of title", id="a recording of somebody else's"),
    pytest.param(looked_up(Check.PUBLIC_DOMAIN), "public domain", id="a recording of 1915"),
    pytest.param(looked_up(Check.OPEN_LICENCE), "open licence", id="a recording that everybody may share"),
    pytest.param(lambda facts: replace(facts, checks=()), "licence", id="nothing was looked up"),
    pytest.param(every("checks", until=NOW - timedelta(days=1)), "licence", id="what was looked up has run out since"),
    pytest.param(noted(), "fair use", id="nobody considered it"),
    pytest.param(noted(Considered("Ada Finch", NOW, "  ")), "fair use", id="an empty note"),
    pytest.param(noted(Considered("Ada Finch", NOW, "Not fair use.")), "fair use", id="a note of three words"),
    pytest.param(noted(Considered("Ada Finch", NOW, NOTE, ("L1",))), "fair use", id="a note on the other place only"),
    pytest.param(lambda facts: replace(facts, authority=""), "elements", id="nobody authorised the sender"),
    pytest.param(lambda facts: replace(facts, owner=None), "elements", id="nobody knows whose it is"),
]


def test_a_notice_of_which_all_is_known_passes() -> None:
    it = asked()
    assert stopped(it) == set()
    assert second_person(it) == ()
    assert [rail.name for rail in rails(it)] == list(RAILS)


@pytest.mark.parametrize(("change", "rail"), POISONED)
def test_what_must_not_leave_is_stopped_by_a_rail_with_a_name(change: Change, rail: str) -> None:
    it = asked(change(GOOD))
    assert rail in stopped(it)
    (said,) = (one for one in rails(it) if one.name == rail)
    assert said.why
    assert said.needs.endswith((".", "`."))


@pytest.mark.parametrize("flag", ["parody", "commentary", "cover", "remix", "live", "short"])
def test_what_needs_care_passes_with_a_note_on_it_alone_and_two_people(flag: str) -> None:
    facts = every("findings", flags=(flag,))(GOOD)
    notes = tuple(Considered("Ada Finch", NOW, f"{NOTE} At {key}.", (key,)) for key in ("L1", "L2"))
    it = asked(replace(facts, considered=notes))
    assert stopped(it) == set()
    assert second_person(it) == (f"something there is {flag}",)


@pytest.mark.parametrize(
    ("given", "rail"),
    [
        pytest.param({"sealed": True}, "seal", id="under seal"),
        pytest.param({"notes": (NOTE,)}, "fair use", id="a note that was written for another case"),
        pytest.param({"notes": (NOTE.replace("stranger", "someone"),)}, "fair use", id="the same with a word changed"),
        pytest.param(
            {"past": (replace(PAST, state=State.SENT, pairs=frozenset({("https://hostly.example/f/two.zip", "r1")})),)},
            "duplicate",
            id="they were told of it already",
        ),
        pytest.param(
            {"past": tuple(replace(PAST, notice=f"N{n}", at=NOW - timedelta(hours=1)) for n in range(10))},
            "rate",
            id="ten in a day, from a sender without a record",
        ),
        pytest.param({"limits": Limits(bulk=1)}, "bulk", id="bulk without a record"),
        pytest.param({"found": {"watch": (NOW,) * 60}}, "flood", id="a source that found nothing before floods"),
        pytest.param(
            {"found": {"watch": (NOW - timedelta(days=3),) * 15 + (NOW,) * 80}}, "flood", id="five times what is usual"
        ),
    ],
)
def test_what_was_there_before_stops_a_notice(given: dict[str, Any], rail: str) -> None:
    assert stopped(asked(**given)) == {rail}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            {
                "past": (
                    replace(PAST, state=State.CLOSED, pairs=frozenset({("https://hostly.example/f/two.zip", "r1")})),
                )
            },
            id="they were told, and it has come to its end",
        ),
        pytest.param(
            {
                "past": (
                    replace(
                        PAST,
                        addressee="b",
                        state=State.SENT,
                        pairs=frozenset({("https://hostly.example/f/two.zip", "r1")}),
                    ),
                    PAST,
                )
            },
            id="somebody else was told",
        ),
        pytest.param({"found": {"watch": (NOW - timedelta(days=3),) * 30 + (NOW,) * 80}}, id="much, as usual"),
        pytest.param({"found": {"watch": (NOW,) * 40}}, id="a few more than ever"),
        pytest.param(
            {
                "limits": Limits(bulk=1),
                "past": tuple(
                    replace(
                        PAST, notice=f"N{n}", kept_apart=("sender:Ada Finch", "source:watch", "rule:sound", "rule:hash")
                    )
                    for n in range(300)
                ),
            },
            id="bulk, with a record",
        ),
    ],
)
def test_what_is_as_it_should_be_is_not_stopped(given: dict[str, Any]) -> None:
    assert stopped(asked(**given)) == set()


def test_a_flood_that_a_person_looked_at_goes_on() -> None:
    sampled = Checked(Check.SAMPLE, "watch", clear=True, source="20 of 60 looked at", at=NOW, by="Ada Finch")
    facts = replace(GOOD, checks=(*GOOD.checks, sampled))
    assert stopped(asked(facts, found={"watch": (NOW,) * 60})) == set()


@pytest.mark.parametrize(
    ("facts", "given", "because"),
    [
        pytest.param(GOOD, {"past": ()}, "never written to", id="somebody new"),
        pytest.param(GOOD, {"limits": Limits(bulk=1)}, "names 2 locations", id="many locations"),
        pytest.param(every("findings", how=How.SOUND, error=0.06)(GOOD), {}, "chance of more than 5%", id="not sure"),
        pytest.param(
            GOOD,
            {"past": (replace(PAST, mistaken=True, kept_apart=("sender:Ada Finch",)),)},
            "mistakes were made before: sender:Ada Finch",
            id="mistakes before",
        ),
    ],
)
def test_a_second_person_is_asked(facts: Facts, given: dict[str, Any], because: str) -> None:
    (said,) = second_person(asked(facts, **given))
    assert because in said


@pytest.mark.parametrize("kind", ["news", "library", "education", "government", "archive"])
def test_a_second_person_is_asked_about_some_recipients(kind: str) -> None:
    to = replace(HOST, kinds=(kind,))
    notice = drafted(GOOD, wanted(addressee=to, signed_by="Ada Finch")).notice
    assert second_person(asked(notice=notice)) == (f"the recipient is of the kind {kind}",)


def test_taking_back_is_stopped_by_a_seal_alone() -> None:
    notice = drafted(GOOD, wanted()).notice
    back = drafted(GOOD, wanted(kind=Kind.RETRACTION, about=notice, because="It was licensed.")).notice
    it = asked(replace(GOOD, checks=(), findings=()), notice=back)
    assert stopped(it) == set()
    assert second_person(it) == ()


def test_what_is_asked_is_put_together_from_all_cases() -> None:
    it = asked()
    other = replace(it.case, key="C2", facts=replace(GOOD, considered=(Considered("Ben", NOW, "Another note."),)))
    both = asked_of(it.case, "N1", NOW, [it.case, other], (PAST,))
    assert both.notes == ("Another note.",)
    assert both.found == {"watch": (NOW,) * 6}


def test_every_rail_is_on_the_page_about_rails() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "explain" / "rails.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z ]+)` \|", page, re.MULTILINE) == list(RAILS)
