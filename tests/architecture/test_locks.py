import re
import tomllib

import pytest

from tests.architecture.source_tree import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")


def pins(lock: str) -> dict[str, set[str]]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9-]", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_no_lock_names_an_index(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    for entry in re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert re.findall(r"https?://|file:|--(?:extra-)?index|--find-links| @ ", text) == []


def test_the_lock_for_running_agrees_with_the_lock_for_working() -> None:
    dev = pins("requirements-dev.lock")
    assert {name: versions for name, versions in pins("requirements.lock").items() if not versions <= dev[name]} == {}


def test_every_dependency_is_locked() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert names(settings["project"]["dependencies"]) <= set(pins("requirements.lock"))
    groups = [entry for group in settings["dependency-groups"].values() for entry in group if isinstance(entry, str)]
    assert names(groups) <= set(pins("requirements-dev.lock"))


def test_every_exception_from_the_linter_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.pydocstyle]")]
    for line in section.splitlines():
        if re.match(r'\s+"[A-Z]+\d*",', line):
            assert "#" in line, line
