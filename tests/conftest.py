"""What every test may ask for: golden files, and Hypothesis without chance or haste."""

import tomllib
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from riparian.accounts.people import People, parse_people

if TYPE_CHECKING:
    from tests.postgres import Server

GOLDEN = Path(__file__).parent / "golden"

# Compiling a kernel takes seconds the first time, so no deadline; and the examples are always the
# same ones, so that a red build is red for everybody.
settings.register_profile(
    "test", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("check", settings.get_profile("test"), max_examples=25)


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("check" if config.getoption("markexpr") == "not slow" else "test")


Golden = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-golden", action="store_true", help="rewrite tests/golden from what the code says now")
    parser.addoption("--write-screenshots", action="store_true", help="take the pictures of docs/images anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with ``tests/golden/<name>``; with ``--write-golden``, write it there for review as a diff."""
    write = bool(request.config.getoption("--write-golden"))

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if not text.endswith("\n"):
            text += "\n"
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing: run `make golden` and review what it writes"
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture(scope="session")
def people() -> People:
    """Read the people that ship with Riparian."""
    return parse_people(tomllib.loads((files("riparian.accounts") / "people.toml").read_text()))


@pytest.fixture(scope="session")
def postgres() -> Iterator["Server"]:
    """Start a PostgreSQL server that has the tables of records, with nothing in them."""
    from tests.postgres import running  # noqa: PLC0415

    with running() as server:
        server.prepare()
        yield server
