"""The page on data protection says of the software what is so."""

from pathlib import Path

import pytest

from riparian.flows import erasing
from riparian.flows.recorded import COLUMNS, MEANT
from riparian.gate.policy import Policy, Restraint

PAGE = Path("docs/explain/data-protection.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("sentence", erasing.KEPT)
def test_what_stays_is_what_the_command_says_stays(sentence: str) -> None:
    assert f"- {sentence}\n" in PAGE


def test_nobody_is_kept_or_forgotten_by_another_setting_than_is_named() -> None:
    assert "`forget_after_days`" in PAGE
    assert Policy().forget_after_days == 0
    assert "`wrongful_holds_per_year`" in PAGE


def test_the_record_has_what_the_law_asks_for() -> None:
    assert {"meant", "because", "claim", "null", "chance_declared", "review", "outcome", "until"} <= set(COLUMNS)
    assert set(MEANT) == {Restraint.SLOW, Restraint.STEP_UP, Restraint.HOLD}, "no machine ends an account"
