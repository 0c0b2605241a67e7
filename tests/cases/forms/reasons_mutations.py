"""Statements of reasons that are wrong in one place or two, in an order that never changes; nothing here says which."""

import random
from collections.abc import Iterator
from typing import Any, Final

from riparian.cases.forms.reasons import KNOWN, statement
from tests.cases.told import DECISION

GOOD: Final = statement(DECISION, "en")
CLAUSE: Final = {
    **{name: one for name, one in GOOD.items() if not name.startswith("illegal")},
    "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
    "incompatible_content_ground": "Clause 4",
    "incompatible_content_explanation": "It is another's recording.",
}
FIELDS: Final = tuple(
    sorted(
        {
            *(*KNOWN, *GOOD, *CLAUSE, "decision_visibility_other", "decision_monetary_other", "content_type_other"),
            *("category_specification_other", "decision_ground_reference_url", "source_identity", "content_id"),
            *("end_date_account_restriction", "end_date_monetary_restriction", "end_date_service_restriction"),
            *("end_date_visibility_restriction", "content_id_ean", "no_field_of_it"),
        }
    )
)
ODD: Final[tuple[Any, ...]] = (
    *(
        None,
        "",
        "  ",
        "null",
        "null ",
        [],
        [None],
        [""],
        ["null"],
        {},
        {"a": "b"},
        0,
        1,
        1.5,
        True,
        False,
        -1,
        20261123,
    ),
    *("x", "x" * 500, "x" * 501, "x" * 2001, "x" * 5001, ["x"], ["x"] * 501, [[]], [["x"]], "a\n", "\u00a0", "0"),
    *("2026-11-23", "2026-1-3", "2026-02-30", "0000-00-00", "9999-12-31", "2038-01-01", "2038-01-02", "1999-12-31"),
    *("https://a.example/x", "ftp://a.example", "https://", "https://a b.example", "https://localhost", "a.example"),
    *("Yes", " Yes ", "yes", "1234567890123", "123456789012", {"EAN-13": "1234567890123"}, {"EAN-13": "12"}),
    *({"EAN-13": 5}, {"EAN-13": None}),
)
PAIRS: Final = 1500


def mutations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each group of statements its name, and the statements one after another."""
    for base, good in (("law", GOOD), ("clause", CLAUSE)):
        for name in FIELDS:
            for value in (*ODD, *_known(name)):
                yield f"{base}: {name}", {**good, name: value}
        rng = random.Random(7)  # noqa: S311 -- no secret
        for _ in range(PAIRS):
            changed = {name: rng.choice((*ODD, *_of(name) * 8)) for name in rng.sample(FIELDS, rng.choice((2, 3)))}
            yield f"{base}: two or three", {**good, **changed}


def _of(name: str) -> list[Any]:
    values = list(KNOWN.get(name, ("x",)))
    return [values[0], values[-1], [values[0]], [values[-1]]]


def _known(name: str) -> Iterator[Any]:
    """Give each value of a field alone and in a list, and one of them in ways that may not be its own."""
    if values := KNOWN.get(name):
        first = values[0]
        yield from (first.lower(), f" {first}", {"a": first}, [first, values[-1]], [first, "x"], [first, None])
        yield from ([first, first], [f" {first}"], [[first]])
        for value in values:
            yield from (value, [value])
