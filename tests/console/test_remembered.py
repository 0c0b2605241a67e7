"""What is computed once, and by whom it is not waited for."""

import threading
from pathlib import Path

import pytest

from riparian import assembly
from riparian.assembly import Given
from riparian.console.remembered import Remembered

W = Path("w")


def test_whoever_asks_while_it_is_computed_is_told_what_was_so_before() -> None:
    answers, go = Remembered[int](), threading.Event()

    def slow() -> int:
        go.wait(10)
        return 2

    assert answers.of(W, 1, slow, patience_s=0) == (None, False)
    go.set()
    assert answers.of(W, 1, slow, patience_s=10) == (2, True)
    go.clear()
    assert answers.of(W, 2, slow, patience_s=0) == (2, False)
    go.set()
    assert answers.of(W, 2, slow, patience_s=10) == (2, True)


def test_what_failed_is_tried_again() -> None:
    answers = Remembered[float]()
    with pytest.raises(ZeroDivisionError):
        answers.of(W, 1, lambda: 1 / 0, patience_s=10)
    assert answers.of(W, 1, lambda: 1.0, patience_s=10) == (1.0, True)


def test_settings_are_read_again_once_they_changed(tmp_path: Path) -> None:
    with assembly.kept_house(Given(tmp_path)) as house:
        assert house.terms.policy.longest_hold_days == 14
        before = house.terms
    with assembly.kept_house(Given(tmp_path)) as house:
        assert house.terms is before
    (tmp_path / "policy.toml").write_text("longest_hold_days = 9")
    with assembly.kept_house(Given(tmp_path)) as house:
        assert house.terms.policy.longest_hold_days == 9
