import tomllib
from importlib.resources import files

import pytest

from riparian.accounts.people import People, parse_people


@pytest.fixture(scope="session")
def people() -> People:
    """Read the people that ship with Riparian."""
    return parse_people(tomllib.loads((files("riparian.accounts") / "people.toml").read_text()))
