"""The way of a restraint: an illegal step raises and changes nothing."""

from dataclasses import replace

import pytest

from riparian.errors import LifecycleError
from riparian.gate.decide import Decision, Restraint, to_table
from riparian.gate.holds import STEPS, Change, State, Step, extend, release, state, steps
from riparian.gate.policy import Policy
from riparian.schema import DAY_US

NOW = 1_700_000_000_000_000
ADA = {"person": "ada", "reason": "a DJ; spoke with her"}
RUNNING = Decision(
    7, Restraint.HOLD, ("x",), 14.0, 13.3, 2.0**-14, None, NOW - DAY_US, NOW + DAY_US, applied=True, bits_then=14.0
)
IN_STATE = {
    State.RUNNING: RUNNING,
    State.ENDED: replace(RUNNING, until_us=NOW),
    State.ALLOWED: replace(RUNNING, restraint=Restraint.ALLOW),
}


def take(step: Step, decision: Decision) -> Change:
    if step is Step.EXTENDED:
        return extend(decision, Policy(), NOW, days=3, **ADA)
    return release(decision, NOW, bits_open=20.0, **ADA)


@pytest.mark.parametrize("step", [Step.EXTENDED, Step.RELEASED])
@pytest.mark.parametrize("before", list(State))
def test_every_step_is_in_the_table_or_refused(before: State, step: Step) -> None:
    decision = IN_STATE[before]
    kept = replace(decision)
    assert state(decision, NOW) is before
    if (before, step) in STEPS:
        change = take(step, decision)
        assert state(change.after, NOW) is STEPS[before, step]
        assert (change.before, change.event.step, change.event.account) == (decision, step, 7)
    else:
        with pytest.raises(LifecycleError, match=f"`{before}`"):
            take(step, decision)
    assert decision == kept


def test_an_extension_adds_days_and_a_release_says_who_and_why() -> None:
    assert take(Step.EXTENDED, RUNNING).after.until_us == NOW + 4 * DAY_US
    released = take(Step.RELEASED, RUNNING)
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
