"""The way of a restraint: an illegal step raises and changes nothing, and people act in fours and sixes of eyes."""

from dataclasses import replace
from typing import TypedDict

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.errors import InputError, LifecycleError
from riparian.evidence import CLAIMS
from riparian.gate.appeals import APPEAL_DAYS, TEXT_MAX, appeal, reinstate, uphold
from riparian.gate.decide import NEVER_US, REFUSAL, SENTENCES, Decision, Restraint, decide_table, from_table, to_table
from riparian.gate.ending import PROPOSAL_DAYS, end, propose, withdraw
from riparian.gate.exempt import Exemption, Register
from riparian.gate.eyes import folded
from riparian.gate.holds import STEPS, Change, Event, History, Place, State, Step, Waits, extend, release, state, steps
from riparian.gate.letter import BUDGETS, FACTS, letter
from riparian.gate.placing import place, prolong
from riparian.gate.policy import LADDER, Mode, Policy
from riparian.schema import DAY_US, JOINED

NOW = 1_700_000_000_000_000


class Said(TypedDict):
    """Who says so, and why."""

    person: str
    reason: str


ADA: Said = {"person": "ada", "reason": "a DJ; spoke with her"}
BEN: Said = {"person": "ben", "reason": "looked at it, too"}
CLEO: Said = {"person": "cleo", "reason": "looked again"}
ENFORCE = Policy(mode=Mode.ENFORCE)
RUNNING = Decision(
    7, Restraint.HOLD, ("x",), 14.0, 13.3, 2.0**-14, None, NOW - DAY_US, NOW + DAY_US, applied=True, bits_then=14.0
)
IN_STATE = {
    State.RUNNING: RUNNING,
    State.OVER: replace(RUNNING, until_us=NOW),
    State.ALLOWED: replace(RUNNING, restraint=Restraint.ALLOW),
    State.ENDED: replace(RUNNING, restraint=Restraint.END, until_us=NEVER_US),
}
WAITING = {
    Waits.NOTHING: (),
    Waits.APPROVAL: (Event(7, NOW - 9, Step.PROPOSED, Restraint.END, NOW + DAY_US, "ada", "a ring"),),
    Waits.REVIEW: (Event(7, NOW - 9, Step.APPEALED, Restraint.HOLD, NOW + DAY_US, "", "it was me"),),
}
PLACES = [
    (stands, waits)
    for stands in State
    for waits in Waits
    if not (waits is Waits.REVIEW and stands in (State.ALLOWED, State.OVER))
    and not (waits is Waits.APPROVAL and stands is State.ENDED)
]
BY_PEOPLE = sorted({step for _, _, step in STEPS})


def take(step: Step, history: History, now_us: int = NOW, said: Said | None = None) -> Change:
    """Take a step as somebody who may."""
    decision = history.decision
    if step is Step.APPEALED:
        return appeal(history, now_us, text="it was me")
    if step is Step.PLACED:
        return place(history, ENFORCE, now_us, until_us=now_us + 3 * DAY_US, **(said or ADA))
    if step is Step.ENDED:
        return end(history, ENFORCE, now_us, **(said or BEN))
    if step in (Step.UPHELD, Step.REINSTATED):
        said = said or CLEO
        if step is Step.UPHELD:
            return uphold(history, now_us, **said)
        return reinstate(history, now_us, bits_open=20.0, **said)
    if step in (Step.PROPOSED, Step.WITHDRAWN):
        return (propose if step is Step.PROPOSED else withdraw)(history, now_us, **(said or ADA))
    if decision is None:
        raise LifecycleError("nothing was decided, wanted a decision")
    if step is Step.EXTENDED:
        return prolong(history, Policy(), now_us, days=3, **(said or ADA))
    return release(decision, now_us, bits_open=20.0, **(said or ADA))


def after(history: History, change: Change) -> History:
    return replace(history, decision=change.after, events=(*history.events, change.event))


@pytest.mark.parametrize("step", BY_PEOPLE)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0]}, waits for {place[1]}")
def test_every_step_is_in_the_table_or_refused(place: Place, step: Step) -> None:
    decision = IN_STATE[place[0]]
    history = History(7, decision, WAITING[place[1]])
    kept = replace(decision)
    assert state(decision, NOW) is place[0]
    assert history.place(NOW) == place
    if (*place, step) in STEPS:
        change = take(step, history)
        assert after(history, change).place(NOW) == STEPS[*place, step]
        assert (change.before, change.event.step, change.event.account) == (decision, step, 7)
    else:
        with pytest.raises(LifecycleError, match=f"`{place[0]}`"):
            take(step, history)
    assert decision == kept


def test_an_extension_adds_days_and_a_release_says_who_and_why() -> None:
    held = History(7, RUNNING)
    assert take(Step.EXTENDED, held).after.until_us == NOW + 4 * DAY_US
    released = take(Step.RELEASED, held)
    assert released.after.because == ("released on 2023-11-14 by ada: a DJ; spoke with her",)
    assert (released.after.bits_before, released.after.bits_then, released.after.applied) == (20.0, 20.0, False)
    assert released.event.restraint is Restraint.HOLD


@pytest.mark.parametrize("days", [0, -1, 15])
def test_nobody_extends_beyond_the_longest_at_once(days: int) -> None:
    with pytest.raises(LifecycleError, match="wanted 1 to 14"):
        extend(RUNNING, Policy(), NOW, days=days, **ADA)


@pytest.mark.parametrize(("person", "reason"), [("", "x"), ("x", " ")])
def test_nobody_acts_without_a_name_and_a_reason(person: str, reason: str) -> None:
    with pytest.raises(LifecycleError, match="wanted both"):
        release(RUNNING, NOW, bits_open=0.0, person=person, reason=reason)
    with pytest.raises(LifecycleError, match="wanted both"):
        extend(RUNNING, Policy(), NOW, days=1, person=person, reason=reason)


def test_a_scan_tells_what_became_of_each() -> None:
    held, ended = replace(RUNNING, account=1), replace(RUNNING, account=2, until_us=NOW - 5)
    slowed = replace(RUNNING, account=3, restraint=Restraint.SLOW)
    before = to_table([held, ended, slowed, replace(ended, account=5)])
    after = to_table(
        [
            held,
            replace(ended, restraint=Restraint.ALLOW),
            replace(slowed, restraint=Restraint.HOLD, since_us=NOW),
            replace(held, account=4, restraint=Restraint.ALLOW, until_us=NOW + DAY_US, because=("exempt until",)),
            replace(held, account=5, since_us=NOW),
        ]
    )
    told = [(e.account, e.step, e.at_us) for e in steps(before, after, NOW)]
    assert told == [
        (2, Step.EXPIRED, NOW - 5),
        (3, Step.DECIDED, NOW),
        (4, Step.EXEMPTED, NOW),
        (5, Step.EXPIRED, NOW - 5),
        (5, Step.DECIDED, NOW),
    ]
    assert steps(after, after, NOW) == []


@pytest.mark.parametrize(
    ("proposed_by", "approved_by"),
    [
        ("ada", "ada"),
        ("Ada Lovelace", "ada lovelace"),
        ("Ada Lovelace", "  ADA\tLove lace\n"),
        ("ada", "a\N{ZERO WIDTH SPACE}da"),
        ("ada", "\N{FULLWIDTH LATIN SMALL LETTER A}da"),
        ("ren\N{LATIN SMALL LETTER E WITH ACUTE}", "Rene\N{COMBINING ACUTE ACCENT}"),
        ("Stra\N{LATIN SMALL LETTER SHARP S}e", "STRASSE"),
        ("a.b.", "A-B"),
    ],
)
def test_four_eyes_are_not_two_under_another_spelling(proposed_by: str, approved_by: str) -> None:
    history = History(7, RUNNING)
    history = after(history, propose(history, NOW, person=proposed_by, reason="a ring"))
    with pytest.raises(LifecycleError, match="who proposed"):
        end(history, ENFORCE, NOW, person=approved_by, reason="yes")
    assert end(history, ENFORCE, NOW, person="somebody else", reason="yes").after.restraint is Restraint.END


@pytest.mark.parametrize("nobody", ["", " ", "\N{ZERO WIDTH SPACE}", "--"])
def test_nobody_proposes_approves_or_reviews_without_a_name(nobody: str) -> None:
    waiting = History(7, RUNNING, WAITING[Waits.APPROVAL])
    appealed = History(7, RUNNING, WAITING[Waits.REVIEW])
    for step, history in (
        (Step.PROPOSED, History(7, RUNNING)),
        (Step.WITHDRAWN, waiting),
        (Step.ENDED, waiting),
        (Step.UPHELD, appealed),
        (Step.REINSTATED, appealed),
    ):
        with pytest.raises(LifecycleError, match="wanted both"):
            take(step, history, said={"person": nobody, "reason": "x"})
        with pytest.raises(LifecycleError, match="wanted both"):
            take(step, history, said={"person": "dora", "reason": " "})


def test_an_end_says_who_and_why_keeps_its_facts_and_has_no_end_by_time() -> None:
    history = History(7, RUNNING)
    history = after(history, propose(history, NOW, **ADA, ring=9))
    assert (history.decision, history.events[0].until_us) == (RUNNING, NOW + PROPOSAL_DAYS * DAY_US)
    ended = end(history, ENFORCE, NOW + 5, **BEN)
    assert ended.after.because == ("ended on 2023-11-14 by ben, proposed by ada: a DJ; spoke with her", "x")
    assert (ended.after.until_us, ended.after.applied, ended.event.ring) == (NEVER_US, True, 9)
    assert not end(history, Policy(), NOW + 5, **BEN).after.applied  # in shadow
    assert after(history, ended).state(NOW + 10_000 * DAY_US) is State.ENDED


def test_whoever_was_never_restrained_may_be_ended_by_people_and_no_budget_is_answered_by_it() -> None:
    proposal = propose(History(7, None), NOW, **ADA)
    assert (proposal.before, proposal.after.restraint, proposal.after.until_us) == (None, Restraint.ALLOW, 0)
    history = after(History(7, None), proposal)
    assert end(history, ENFORCE, NOW, **BEN).after.because == (
        "ended on 2023-11-14 by ben, proposed by ada: a DJ; spoke with her",
    )


def test_a_proposal_lapses_after_a_week_and_can_be_made_again() -> None:
    history = History(7, replace(RUNNING, until_us=NOW + 99 * DAY_US))
    history = after(history, propose(history, NOW, **ADA))
    late = NOW + PROPOSAL_DAYS * DAY_US
    assert history.place(late - 1) == (State.RUNNING, Waits.APPROVAL)
    with pytest.raises(LifecycleError, match="`running` and was to be `ended`, wanted"):
        end(history, ENFORCE, late, **BEN)
    again = after(history, propose(history, late, **BEN))
    assert end(again, ENFORCE, late, **ADA).after.restraint is Restraint.END


def test_a_person_holds_an_account_for_a_while_and_it_ends_by_itself() -> None:
    history = History(7, None)
    held = place(history, ENFORCE, NOW, until_us=NOW + 14 * DAY_US, **ADA)
    assert held.after.because == ("placed on hold on 2023-11-14 by ada: a DJ; spoke with her",)
    assert (held.after.bits, held.after.applied, held.after.is_placed) == (0.0, True, True)
    assert not place(history, Policy(), NOW, until_us=NOW + DAY_US, **ADA).after.applied, "in shadow"
    history = after(history, held)
    assert history.state(NOW + 14 * DAY_US - 1) is State.RUNNING
    assert history.state(NOW + 14 * DAY_US) is State.OVER
    assert "A person of our staff decided this" in letter(history, NOW).text("anna")
    assert "ada" not in letter(history, NOW).text("anna")


@pytest.mark.parametrize("until_us", [NOW, NOW - 1, NOW + 14 * DAY_US + 1])
def test_one_person_holds_no_longer_than_evidence_may(until_us: int) -> None:
    with pytest.raises(LifecycleError, match="wanted a time within 14 days"):
        place(History(7, None), ENFORCE, NOW, until_us=until_us, **ADA)


def test_to_go_on_with_a_persons_hold_takes_somebody_else() -> None:
    history = History(7, None)
    history = after(history, place(history, ENFORCE, NOW, until_us=NOW + 3 * DAY_US, **ADA))
    mine: Said = {"person": " A.DA", "reason": "still"}
    later = NOW + 4 * DAY_US
    with pytest.raises(LifecycleError, match="somebody else"):
        prolong(history, ENFORCE, NOW, days=3, **mine)
    for now_us in (NOW, later):
        with pytest.raises(LifecycleError, match="somebody else"):
            place(history, ENFORCE, now_us, until_us=now_us + DAY_US, **mine)
    assert prolong(history, ENFORCE, NOW, days=3, **BEN).after.until_us == NOW + 6 * DAY_US
    assert place(history, ENFORCE, later, until_us=later + DAY_US, **BEN).after.is_placed
    long_after = NOW + 18 * DAY_US
    assert place(history, ENFORCE, long_after, until_us=long_after + DAY_US, **mine).after.is_placed
    released = after(history, take(Step.RELEASED, history, said=BEN))
    assert place(released, ENFORCE, NOW, until_us=NOW + DAY_US, **mine).after.is_placed, (
        "whoever was let go begins anew"
    )


def test_whoever_held_an_account_does_not_review_it_and_a_reinstatement_lets_it_go() -> None:
    history = History(7, None)
    history = after(history, place(history, ENFORCE, NOW, until_us=NOW + 3 * DAY_US, **ADA))
    history = after(history, appeal(history, NOW, text="it was me"))
    with pytest.raises(LifecycleError, match="had a hand"):
        take(Step.REINSTATED, history, said=ADA)
    assert after(history, take(Step.REINSTATED, history)).state(NOW) is State.ALLOWED


@pytest.mark.parametrize("exempted", [False, True], ids=["", "exempt"])
@pytest.mark.parametrize("bits", [0.0, 12.0, 40.0])
def test_no_scan_lifts_a_persons_hold_and_its_end_answers_no_bits(bits: float, exempted: bool) -> None:  # noqa: FBT001
    history = History(7, None)
    history = after(history, place(history, ENFORCE, NOW, until_us=NOW + 3 * DAY_US, **ADA, hold_bits=13.3))
    history = scanned_again(history, NOW + DAY_US, bits, exempted=exempted)
    assert history.decision is not None
    assert (history.decision.is_placed, history.decision.until_us) == (True, NOW + 3 * DAY_US)
    history = scanned_again(history, NOW + 4 * DAY_US, bits, exempted=False)
    assert history.state(NOW + 4 * DAY_US) is (State.RUNNING if bits else State.ALLOWED)
    assert history.decision is not None
    assert not history.decision.is_placed


def test_what_evidence_decided_goes_on_beside_a_persons_hold() -> None:
    held = place(History(7, RUNNING), ENFORCE, NOW, until_us=NOW + 5, **ADA, hold_bits=10.0).after
    assert (held.until_us, held.because[1:], held.threshold_bits) == (RUNNING.until_us, RUNNING.because, 13.3)
    slowed = replace(RUNNING, restraint=Restraint.SLOW, bits_before=1.0)
    raised = place(History(7, slowed), ENFORCE, NOW, until_us=NOW + 5, **ADA, hold_bits=20.0).after
    assert (raised.until_us, raised.bits, raised.threshold_bits) == (NOW + 5, slowed.bits, 20.0)
    assert (raised.bits_before, raised.bits_then) == (1.0, 14.0)


def test_an_appeal_is_heard_before_an_account_is_ended() -> None:
    history = History(7, RUNNING, WAITING[Waits.APPROVAL])
    history = after(history, appeal(history, NOW, text="it was me"))
    with pytest.raises(LifecycleError, match="waits for `review`"):
        end(history, ENFORCE, NOW, **BEN)
    history = after(history, uphold(history, NOW, **CLEO))
    assert history.place(NOW) == (State.RUNNING, Waits.NOTHING)  # the proposal has to be made again


@pytest.mark.parametrize("ended", [True, False], ids=["of an end", "of a hold that was extended"])
def test_nobody_reviews_what_they_had_a_hand_in(ended: bool) -> None:  # noqa: FBT001  a row of the table
    history = History(7, RUNNING)
    for step, said in ((Step.PROPOSED, ADA), (Step.ENDED, BEN)) if ended else ((Step.EXTENDED, ADA),):
        history = after(history, take(step, history, said=said))
    history = after(history, appeal(history, NOW, text="it was me"))
    assert history.events[-1].until_us == NOW + APPEAL_DAYS * DAY_US
    for involved in ("ada", " ADA", "Ben") if ended else ("a da",):
        for step in (Step.UPHELD, Step.REINSTATED):
            with pytest.raises(LifecycleError, match="had a hand"):
                take(step, history, said={"person": involved, "reason": "fine"})
    freed = take(Step.REINSTATED, history)
    assert freed.after.because == ("reinstated on 2023-11-14 by cleo: looked again",)
    assert (freed.after.restraint, freed.after.bits_then, freed.after.applied) == (Restraint.ALLOW, 20.0, False)
    # Whoever was let go by a person begins anew, with everybody.
    assert after(history, freed).hands() == frozenset()


@pytest.mark.parametrize("text", ["", " \n", "x" * (TEXT_MAX + 1)])
def test_an_appeal_says_something_and_not_everything(text: str) -> None:
    with pytest.raises(InputError, match="characters, wanted 1 to"):
        appeal(History(7, RUNNING), NOW, text=text)


def test_an_appeal_falls_when_nothing_is_left_to_appeal() -> None:
    history = History(7, RUNNING)
    history = after(history, appeal(history, NOW, text="it was me"))
    over = NOW + 2 * DAY_US
    assert history.place(over) == (State.OVER, Waits.NOTHING)
    expired = Event(7, RUNNING.until_us, Step.EXPIRED, Restraint.HOLD, RUNNING.until_us, "", "its time")
    held_again = History(7, replace(RUNNING, since_us=over, until_us=over + DAY_US), (*history.events, expired))
    assert held_again.place(over) == (State.RUNNING, Waits.NOTHING)


walks = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(BY_PEOPLE), st.sampled_from(["scan", "scan, exempt"])),
        st.sampled_from(["ada", "Ben", "cleo", "dora "]),
        st.sampled_from([1, DAY_US, 8 * DAY_US]),
        st.sampled_from([0.0, 12.0, 40.0]),
    ),
    max_size=25,
)


@given(walks)
def test_no_walk_leaves_the_table_and_no_scan_undoes_what_people_ended(
    walk: list[tuple[Step | str, str, int, float]],
) -> None:
    history, now_us = History(7, None), NOW
    for step, person, wait_us, bits in walk:
        now_us += wait_us
        was, place = history, history.place(now_us)
        assert place in PLACES
        if not isinstance(step, Step):
            history = scanned_again(history, now_us, bits, exempted=step.endswith("exempt"))
            assert (place[0] is State.ENDED) == (history.state(now_us) is State.ENDED)
            continue
        allowed = (*place, step) in STEPS
        try:
            history = after(history, take(step, history, now_us, {"person": person, "reason": "looked at it"}))
        except LifecycleError:
            assert history == was
            proposal = history.proposal(now_us)
            same = proposal is not None and folded(proposal.person) == folded(person)
            by_whom = (step is Step.ENDED and same) or folded(person) in history.hands() or step is Step.PLACED
            assert not allowed or by_whom
        else:
            assert allowed
            assert history.place(now_us) == STEPS[*place, step]
            assert history.events[:-1] == was.events


def scanned_again(history: History, now_us: int, bits: float, *, exempted: bool) -> History:
    row = {"account": 7, "claim": "person", "bits": bits, "bits_now": bits, "reached_us": 0, "as_of_us": 0}
    before = to_table([] if history.decision is None else [history.decision])
    register = Register({7: Exemption(7, now_us + DAY_US, "a partner")}) if exempted else None
    table = decide_table(
        pa.Table.from_pylist([row | {"bits_open": bits}], schema=JOINED),
        ENFORCE,
        now_us,
        n_accounts=20_000,
        refusals=REFUSAL.empty_table(),
        exempt=register,
        current=before,
    )
    found = from_table(table)
    events = (*history.events, *steps(before, table, now_us))
    return replace(history, decision=found[0] if found else None, events=events)


DECIDED = {
    "by evidence": (
        "plays so much, so new, in such an order as no declared kind of listener does (16.2 bits, 13.3 wanted)",
    ),
    "by a signal that works unseen": ("takes recordings that are shown to nobody (16.2 bits, 13.3 wanted)",),
    "by a budget": ("asked for 1,234 recordings new to it beyond its novelty budget; arithmetic, no evidence",),
    "by people alone": ("ended on 2023-11-14 by ben, proposed by ada: a DJ",),
}


@pytest.mark.parametrize("restraint", [*LADDER, Restraint.END])
@pytest.mark.parametrize("because", DECIDED.values(), ids=DECIDED)
def test_a_letter_tells_what_was_decided_on_what_facts_by_whom_and_how_to_object(
    because: tuple[str, ...], restraint: Restraint
) -> None:
    until_us = NEVER_US if restraint is Restraint.END else NOW + DAY_US
    history = History(7, replace(RUNNING, restraint=restraint, because=because, until_us=until_us))
    told = letter(history, NOW, appeal_url="https://example.org/appeal")
    text = told.text("anna")
    assert "the account anna" in text
    assert "Since 2023-11-13 your account" in text
    assert ("It has no end by itself." if restraint is Restraint.END else "by itself on 2023-11-15") in text
    assert ("Two people of our staff" if restraint is Restraint.END else "Our system") in text
    assert "at https://example.org/appeal, for as long as this lasts" in text
    assert "within 14 days" in text
    assert told.facts
    for secret in ("bits", "wanted", "1,234", "shown to nobody", "canary", "ada", "ben", "arithmetic"):
        assert secret not in text


def test_a_letter_follows_what_became_of_an_appeal() -> None:
    history = History(7, RUNNING)
    history = after(history, extend(RUNNING, Policy(), NOW, days=3, **ADA))
    assert "looked at it and let it last longer" in letter(history, NOW).text("anna")
    assert "by answering this letter" in letter(history, NOW).text("anna")
    history = after(history, appeal(history, NOW, text="it was me"))
    told = letter(history, NOW)
    assert (told.appealed_us, told.due_us) == (NOW, NOW + APPEAL_DAYS * DAY_US)
    assert "You appealed on 2023-11-14" in told.text("anna")
    assert "by 2023-11-28" in told.text("anna")
    history = after(history, uphold(history, NOW, **CLEO))
    assert "let it stand. If this is a mistake, you can appeal again" in letter(history, NOW).text("anna")
    for nothing in (History(7, None), History(7, IN_STATE[State.ALLOWED]), History(7, IN_STATE[State.OVER])):
        with pytest.raises(LifecycleError, match="wanted one that is restrained or ended"):
            letter(nothing, NOW)


def test_every_claim_and_every_budget_has_words_for_a_listener() -> None:
    assert set(FACTS) == set(CLAIMS)
    for sentence in SENTENCES.values():
        assert sum(mark in sentence.format(n=3) for mark in BUDGETS) == 1
    for claim in CLAIMS.values():
        told = letter(History(7, replace(RUNNING, because=(f"{claim.sentence} (14.0 bits, 13.3 wanted)",))), NOW)
        assert told.facts == (FACTS[claim.name],)
