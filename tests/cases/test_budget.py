"""Mistakes are counted as what they are, and how much may be sent follows from what is known of them."""

import math

import numpy as np
import pytest

from riparian.cases.budget import Account, accounts_of, is_mistaken, sent_in, wilson_upper
from riparian.cases.case import applied
from riparian.cases.steps import Step
from tests.cases.making import case_in, said, stepped

REJECTED_AS_WRONG = said(Step.REJECT, notice="N1", because="wrong: it is another song")


@pytest.mark.parametrize(
    ("state", "then", "mistaken"),
    [
        pytest.param("sent", (), None, id="nobody has answered"),
        pytest.param("acknowledged", (), None, id="they have it"),
        pytest.param("needs_info", (), None, id="they ask"),
        pytest.param("removed", (), False, id="removed"),
        pytest.param("countered", (), None, id="a counter-notice that nobody has decided"),
        pytest.param("waiting", (), None, id="the days are running"),
        pytest.param("waiting", (stepped(Step.RESTORE),), True, id="a counter-notice that nobody took to court"),
        pytest.param("restored", (), True, id="put back"),
        pytest.param("restored", (stepped(Step.CLOSE),), True, id="put back, and closed"),
        pytest.param("restored", (stepped(Step.REMOVE),), True, id="put back, and removed again"),
        pytest.param("action_filed", (), False, id="in court"),
        pytest.param("retracted", (), True, id="taken back"),
        pytest.param("retracted", (stepped(Step.CLOSE),), True, id="taken back, and closed"),
        pytest.param("sent", (REJECTED_AS_WRONG,), True, id="rejected as wrong"),
        pytest.param("rejected", (), False, id="rejected for its form"),
        pytest.param("closed", (), False, id="closed"),
        pytest.param("closed", (stepped(Step.COUNTER), stepped(Step.RESTORE)), True, id="a late counter-notice"),
    ],
)
def test_what_came_of_a_notice_is_a_mistake_or_not_or_not_decided(
    *, state: str, then: tuple[object, ...], mistaken: bool | None
) -> None:
    case = case_in(state)
    for event in then:
        case = applied(case, event)  # type: ignore[arg-type]
    assert is_mistaken(case.notices["N1"]) is mistaken
    (past,) = sent_in([case, case_in("approved")])
    assert past.mistaken is mistaken
    assert sum(one.decided for one in accounts_of([past]).values()) == len(past.kept_apart) * (mistaken is not None)


@pytest.mark.parametrize(
    ("mistakes", "decided", "slow", "spent", "bulk"),
    [
        pytest.param(0, 0, True, False, False, id="nobody knows anything yet"),
        pytest.param(0, 100, True, False, False, id="a hundred without a mistake are not enough"),
        pytest.param(0, 140, True, False, True, id="bulk, and still slow"),
        pytest.param(0, 300, False, False, True, id="a record"),
        pytest.param(1, 300, True, True, True, id="one mistake in three hundred"),
        pytest.param(3, 300, True, True, False, id="three in three hundred"),
        pytest.param(3, 3000, False, False, True, id="three in three thousand"),
        pytest.param(71, 1000, True, True, False, id="as many as a host counted of invalid addresses"),
    ],
)
def test_how_much_may_be_sent(*, mistakes: int, decided: int, slow: bool, spent: bool, bulk: bool) -> None:
    account = Account("sender:x", decided, mistakes)
    assert (account.is_slow, account.is_spent, account.bulk) == (slow, spent, bulk)


def test_the_upper_bound_is_above_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(8)
    for share, n in ((0.005, 400), (0.02, 400), (0.1, 100)):
        uppers = np.array([wilson_upper(k, n) for k in range(n + 1)])
        held = float(np.mean(uppers[rng.binomial(n, share, 20_000)] >= share))
        # Wilson's interval is about right, not at least right: its coverage swings by a few per cent around 95.
        assert 0.9 <= held <= 1.0
    assert math.isclose(wilson_upper(5, 5), 1.0)
