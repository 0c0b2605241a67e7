"""Which notice of ours a letter answers, and which step it makes: in every state, and none that the table forbids."""

from dataclasses import replace

import pytest

from riparian.cases.case import Case
from riparian.cases.facts import Location
from riparian.cases.reading import read
from riparian.cases.reading.answering import Answered, Told, answered
from riparian.cases.steps import AFTER_SENT, STEPS, State, Step
from tests.cases.making import case_in
from tests.cases.reading import letters

PLACE = "https://files.example/d/low-tide.mp3"
COUNTER = read(letters.COUNTER.encode())


def standing(state: str, *places: str) -> Case:
    case = case_in(state)
    locations = tuple(Location(f"L{n}", place) for n, place in enumerate(places or (PLACE,), 1))
    notes = {
        key: replace(noted, notice=replace(noted.notice, locations=locations)) for key, noted in case.notices.items()
    }
    return replace(case, notices=notes)


def answers(text: str, *cases: Case) -> tuple[Answered, ...]:
    return answered(read(text.encode()), cases)


@pytest.mark.parametrize("state", sorted(AFTER_SENT))
def test_a_counter_notice_makes_its_step_where_there_is_one(state: State) -> None:
    (found,) = answered(COUNTER, [standing(state.value)])
    assert found.step is (Step.COUNTER if Step.COUNTER in STEPS[state] else None)


@pytest.mark.parametrize("state", sorted(set(State) - AFTER_SENT))
def test_nobody_answers_what_has_not_left(state: State) -> None:
    assert answered(COUNTER, [standing(state.value)]) == ()


def test_of_drafts_and_letters_about_one_place_the_one_is_answered_of_which_it_makes_a_step() -> None:
    """As `case found` leaves them: a draft in every form, of which one was sent."""
    notes = {}
    for n, state in enumerate(("draft", "removed", "withdrawn", "needs_info", "retracted"), 1):
        (noted,) = standing(state).notices.values()
        notes[f"N{n}"] = noted
    case = replace(standing("sent"), notices=notes)
    told = [(one.notice, one.step) for one in answered(COUNTER, [case])]
    assert told == [("N2", Step.COUNTER), ("N4", Step.COUNTER)]


SAID = {
    "by our number": ("Re C1/N1: thank you for your notice, which we have received.", Told.NUMBER, Step.ACKNOWLEDGE),
    "by the address": (
        f"Thank you for your notice about {PLACE}, which we have received.",
        Told.ADDRESS,
        Step.ACKNOWLEDGE,
    ),
    "by the address, written otherwise": (
        letters.COUNTER.replace(PLACE, "http://www.FILES.example/d/low-tide.mp3/"),
        Told.ADDRESS,
        Step.COUNTER,
    ),
    "a retraction of somebody's": (letters.RETRACTION, Told.ADDRESS, None),
}


@pytest.mark.parametrize("case", SAID)
def test_how_it_is_told(case: str) -> None:
    text, told, step = SAID[case]
    assert answers(text, standing("sent")) == (Answered("C1", "N1", told, step),)


NOT_ANSWERED = {
    "another number": "Re C1/N17: thank you for your notice.",
    "part of a longer number": "Re XC1/N1: thank you for your notice.",
    "another address": letters.COUNTER.replace(PLACE, "https://files.example/d/other.mp3"),
    "the host alone": letters.COUNTER.replace(PLACE, "https://files.example/"),
}


@pytest.mark.parametrize("case", NOT_ANSWERED)
def test_what_answers_nothing_of_ours(case: str) -> None:
    assert answers(NOT_ANSWERED[case], standing("sent")) == ()


def test_a_number_counts_more_than_an_address_that_two_have_in_common() -> None:
    one, two = standing("removed"), replace(standing("removed"), key="C2")
    assert [found.case for found in answered(COUNTER, [one, two])] == ["C1", "C2"]
    assert answers(letters.COUNTER + "\nYour reference: C2/N1", one, two) == (
        Answered("C2", "N1", Told.NUMBER, Step.COUNTER),
    )


def test_a_reversal_restores_only_after_a_removal() -> None:
    text = f"We have reversed the takedown notice C1/N1 about {PLACE}."
    assert answers(text, standing("removed"))[0].step is Step.RESTORE
    assert answers(text, standing("sent"))[0].step is None
