import ast
from collections.abc import Iterator

import pytest

from riparian import errors
from tests.architecture.source_tree import PACKAGE, Source, sources

OURS = {name for name, value in vars(errors).items() if isinstance(value, type)}
MAY_CATCH_ALL = {"assembly", "cli", "console", "edges", "engines", "feeds", "stores"}
"""Where the outside is met: there a stray exception becomes an `OutsideError`, a message, or an answer, counted."""


def texts(node: ast.expr) -> str | None:
    """Give the literal text of a message, `{}` for whatever is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def raised(source: Source) -> Iterator[ast.Call]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield node.exc


def faults(call: ast.Call) -> list[str]:
    """Say what is wrong with the form of a raised error."""
    name = ast.unparse(call.func).split(".")[-1]
    message = texts(call.args[0]) if call.args else ""
    found = []
    if message:
        if message[0].isupper() and not message.split()[0].isupper():
            found.append("begins with a capital")
        if message.rstrip().endswith((".", "!")):
            found.append("ends in a stop")
        if "'{}'" in message or '"{}"' in message:
            found.append("quotes a value, wanted backticks")
        if any(isinstance(part, ast.FormattedValue) and part.conversion == ord("r") for part in ast.walk(call.args[0])):
            found.append("shows a value with `!r`, wanted backticks")
    for keyword in call.keywords:
        hint = texts(keyword.value) if keyword.arg == "hint" and name in OURS else None
        if hint and not (hint[0].isupper() or hint[0] in "`{"):
            found.append("its hint is no sentence")
    return found


def test_an_error_says_what_was_found_and_what_was_wanted_in_one_form() -> None:
    wrong = {s.at(call): faults(call) for s in sources() for call in raised(s)}
    assert {place: found for place, found in wrong.items() if found} == {}


@pytest.mark.parametrize(
    ("raised_text", "fault"),
    [
        ('InputError("Bad line")', "begins with a capital"),
        ('InputError("bad line.")', "ends in a stop"),
        ("InputError(f\"bad line '{x}'\")", "quotes a value, wanted backticks"),
        ('InputError(f"bad line {x!r}")', "shows a value with `!r`, wanted backticks"),
        ('InputError("bad line", hint="try again")', "its hint is no sentence"),
    ],
)
def test_a_fault_of_form_is_noticed(raised_text: str, fault: str) -> None:
    call = ast.parse(raised_text).body[0]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    assert faults(call.value) == [fault]


def test_the_form_of_an_error_may_open_with_a_name_of_a_format() -> None:
    text = 'raise InputError("CSV has no header, wanted one")'
    source = Source(PACKAGE / "x.py", text, ast.parse(text))
    assert [faults(call) for call in raised(source)] == [[]]


def test_only_where_the_outside_is_met_is_everything_caught_and_never_in_silence() -> None:
    for source in sources():
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = "BaseException" if node.type is None else ast.unparse(node.type)
            if "Exception" not in caught.replace("(", " ").replace(",", " ").replace(")", " ").split() and (
                "BaseException" not in caught
            ):
                continue
            assert source.room in MAY_CATCH_ALL, f"{source.at(node)} catches `{caught}`"
            is_silent = all(isinstance(line, ast.Pass | ast.Continue) for line in node.body)
            assert not is_silent, f"{source.at(node)} catches `{caught}` and says nothing"


def test_every_error_of_ours_is_raised_by_its_own_name() -> None:
    for source in sources():
        for call in raised(source):
            name = ast.unparse(call.func)
            assert name not in {"Exception", "RiparianError", "RuntimeError"}, f"{source.at(call)} raises `{name}`"
