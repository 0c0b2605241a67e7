"""The reference is written from the code, is up to date, and leaves nothing out."""

import importlib
import inspect
from dataclasses import fields
from pathlib import Path

import pytest

from docs import generate
from riparian import errors
from riparian.evidence import CLAIMS, OF_COPIES
from riparian.gate.policy import Policy

REFERENCE = Path(generate.HERE) / "reference"


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def options() -> list[tuple[str, str]]:
    """List every option and argument of every verb, as (verb, name)."""
    found = []
    for path, command in generate.commands():
        for parameter in generate.parameters(command):
            named = parameter.opts if parameter.param_type_name == "option" else [parameter.name.upper()]
            found += [(" ".join(path), name) for name in named]
    return found


def test_the_committed_pages_are_what_the_code_says_now() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in REFERENCE.glob("*.md")}
    stale = [name for name, text in generate.pages().items() if written.get(name) != text]
    assert stale == [], "run `make docs`"
    assert set(written) == set(generate.pages()), "run `make docs`"


def test_pages_do_not_depend_on_when_or_where_they_are_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = generate.pages()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "40")
    assert generate.pages() == before


@pytest.mark.parametrize("name", [*CLAIMS, *OF_COPIES])
def test_every_claim_is_documented_with_its_null_and_its_columns(name: str) -> None:
    claim, text = {**CLAIMS, **OF_COPIES}[name], page("claims.md")
    assert f"## `{name}`" in text
    for part in (claim.sentence, claim.null, *(f"`{column}`" for column in claim.needs)):
        assert part in text


@pytest.mark.parametrize("name", [n for n, c in vars(errors).items() if inspect.isclass(c)])
def test_every_error_is_documented(name: str) -> None:
    assert name in page("errors.md")


def test_every_key_of_the_policy_is_documented() -> None:
    text = page("policy.md")
    for key in fields(Policy):
        assert f"| `{key.name}` |" in text
        assert key.metadata["doc"], f"`{key.name}` has no sentence"


@pytest.mark.parametrize(("verb", "name"), options())
def test_every_verb_and_option_is_documented_with_a_sentence(verb: str, name: str) -> None:
    section = page("cli.md").split(f"## `{verb}`\n", 1)[1].split("\n## ", 1)[0]
    row = next(line for line in section.splitlines() if line.startswith("|") and f"`{name}`" in line)
    assert row.rsplit("|", 2)[1].strip(), f"`{verb} {name}` has no help"


def test_every_constant_of_a_schema_is_on_the_page() -> None:
    schema = importlib.import_module("riparian.schema")
    for name in ("ACCESS", "RECORDING", "ACCOUNT", "EVIDENCE"):
        assert f"## `{name}`" in page("schemas.md")
        for field in getattr(schema, name):
            assert f"| `{field.name}` |" in page("schemas.md")
