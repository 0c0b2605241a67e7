"""What a person sees of each kind of error, one golden file a class."""

import inspect
from collections.abc import Callable

import pytest

from riparian import errors
from riparian.cli import exit_with
from riparian.errors import (
    CustodyError,
    InputError,
    LifecycleError,
    OutsideError,
    PolicyError,
    RiparianError,
)

EXAMPLES: dict[type[RiparianError], RiparianError] = {
    InputError: InputError(
        "`access.csv` has no column of times among `uid`, `track`, `ip`; wanted `at`",
        hint="Name the column with --map at=COLUMN.",
    ),
    PolicyError: PolicyError(
        "`wrongful_hold_per_year` is no key of the policy, wanted one of its thirteen",
        hint="Write `wrongful_holds_per_year`.",
    ),
    LifecycleError: LifecycleError("hold `h-12` was released, wanted one in force to extend it"),
    CustodyError: CustodyError(
        "chunk `6f1d…` has another digest than when it was staged",
        hint="Keep the workspace as it is, and look at who could write to it.",
    ),
    OutsideError: OutsideError("`s3://logs/2026/` did not answer within 30 s", hint="Try again; nothing was lost."),
}


def test_every_class_has_an_example() -> None:
    classes = {c for c in vars(errors).values() if inspect.isclass(c)}
    assert set(EXAMPLES) == classes - {RiparianError}


@pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: kind.__name__)
def test_an_error_is_rendered_with_its_hint_and_ends_with_two(
    kind: type[RiparianError], golden: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> None:
        raise EXAMPLES[kind]

    with pytest.raises(SystemExit, match="2"):
        exit_with(run)
    printed = capsys.readouterr()
    assert printed.out == ""
    golden(f"errors/{kind.__name__}.txt", printed.err)
