"""Every state and every step: what is legal works, and what is not changes nothing."""

from dataclasses import replace
from itertools import product

import pytest

from riparian.cases.case import applied
from riparian.cases.steps import AFTER_SENT, STEPS, State, Step, after
from riparian.errors import LifecycleError, RiparianError
from tests.cases.making import WAY, case_in, drafted, said, stepped

# Read aloud from the laws and from what hosts do, one row a state; the table of the product is held against it.
LEGAL = {
    "draft": "redraft>draft lock>locked withdraw>withdrawn",
    "locked": "redraft>draft review>reviewed withdraw>withdrawn",
    "reviewed": "redraft>draft review>reviewed approve>approved withdraw>withdrawn",
    "approved": "redraft>draft approve>approved send>sent withdraw>withdrawn",
    "sent": "acknowledge>acknowledged ask>needs_info reject>rejected remove>removed counter>countered"
    " retract>retracted close>closed",
    "acknowledged": "ask>needs_info reject>rejected remove>removed counter>countered retract>retracted close>closed",
    "needs_info": "answer>acknowledged reject>rejected remove>removed counter>countered retract>retracted close>closed",
    "rejected": "answer>acknowledged remove>removed retract>retracted close>closed",
    "removed": "counter>countered restore>restored retract>retracted close>closed",
    "countered": "forward>waiting restore>restored file_action>action_filed retract>retracted",
    "waiting": "restore>restored file_action>action_filed retract>retracted",
    "restored": "remove>removed file_action>action_filed retract>retracted close>closed",
    "action_filed": "remove>removed restore>restored retract>retracted close>closed",
    "retracted": "restore>restored close>closed",
    "withdrawn": "",
    "closed": "counter>countered restore>restored retract>retracted",
}
PAIRS = [pytest.param(state, step, id=f"{state} {step}") for state, step in product(State, Step)]


@pytest.mark.parametrize(("state", "step"), PAIRS)
def test_a_legal_step_works_and_an_illegal_one_changes_nothing(state: State, step: Step) -> None:
    leads = dict(pair.split(">") for pair in LEGAL[state].split())
    case = case_in(state)
    assert case.notices["N1"].state == state
    event = drafted(digest="cd" * 32) if step is Step.REDRAFT else stepped(step)
    if step not in leads:
        with pytest.raises(LifecycleError):
            applied(case, event)
        assert case == case_in(state)
        return
    after_it = applied(case, event)
    assert after_it.notices["N1"].state == leads[step]
    assert after_it.notices["N1"].taken[-1].step is step
    assert (after_it.length, after_it.facts) == (case.length + 1, case.facts)


def test_every_state_has_a_row_and_a_way_to_it() -> None:
    assert set(LEGAL) == set(map(str, State)) == set(WAY) == set(map(str, STEPS))


@pytest.mark.parametrize("state", sorted(AFTER_SENT))
def test_what_was_sent_can_always_be_taken_back(state: State) -> None:
    if state is not State.RETRACTED:
        assert after(state, Step.RETRACT) is State.RETRACTED


def test_nothing_leaves_but_what_was_approved() -> None:
    assert [state for state in State if Step.SEND in STEPS[state]] == [State.APPROVED]
    assert {state for state in State if State.APPROVED in STEPS[state].values()} == {State.REVIEWED, State.APPROVED}


@pytest.mark.parametrize("state", list(State))
def test_under_seal_nothing_leaves_and_all_else_goes_on(state: State) -> None:
    case = applied(case_in(state), said("sealed", because="counsel asks"))
    for step in STEPS[state]:
        event = drafted() if step is Step.REDRAFT else stepped(step)
        if step is Step.SEND:
            with pytest.raises(LifecycleError, match="under seal"):
                applied(case, event)
            assert (
                applied(applied(case, said("released", because="counsel agrees")), event).notices["N1"].state == "sent"
            )
        else:
            assert applied(case, event).notices["N1"].state is STEPS[state][step]
    with pytest.raises(LifecycleError, match="under seal"):
        applied(case, said("signalled", signal="indicator--1", action="shared"))
    assert applied(case, said("signalled", signal="indicator--1", action="revoked")).signals[-1].action == "revoked"


@pytest.mark.parametrize(
    ("state", "event"),
    [
        pytest.param("reviewed", stepped(Step.APPROVE, "cd" * 32), id="an approval of another text"),
        pytest.param("approved", stepped(Step.SEND, "cd" * 32), id="another text is sent"),
        pytest.param("approved", stepped(Step.SEND, key="N2"), id="a notice that is not there"),
        pytest.param("approved", said(Step.REDRAFT, notice="N1"), id="a redraft that does not say how"),
        pytest.param(
            "draft", replace(stepped(Step.APPROVE), what={"notice": "N1"}), id="an approval without signature"
        ),
        pytest.param("sent", drafted("N1"), id="a redraft of what was sent"),
    ],
)
def test_what_a_step_needs_is_asked_for(state: str, event: object) -> None:
    case = case_in(state)
    with pytest.raises(RiparianError):
        applied(case, event)  # type: ignore[arg-type]
    assert case == case_in(state)


def test_an_approval_of_what_it_said_before_counts_no_more() -> None:
    case = applied(case_in("approved"), drafted(digest="cd" * 32))
    assert case.notices["N1"].approvals() == ()
    for step in (Step.LOCK, Step.REVIEW, Step.APPROVE):
        case = applied(case, stepped(step, "cd" * 32))
    assert len(case.notices["N1"].approvals()) == 1
