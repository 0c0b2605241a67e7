"""What the pages on operating name is there: metrics, events and their fields, reasons."""

import re
from pathlib import Path

import pytest

from riparian.cli.logged import EVENTS
from tests.deploy.known import family_names

OPERATE = Path("docs/how/operate.md").read_text(encoding="utf-8")
PAGES = [Path(f"docs/how/{name}.md") for name in ("operate", "runbook", "deploy", "serve", "console", "nginx")]


def test_every_event_of_the_log_is_listed_with_its_fields() -> None:
    table = [line.split("|") for line in OPERATE.partition("<!-- events -->")[2].splitlines() if line.startswith("| `")]
    listed = {row[1].strip(" `"): tuple(re.findall(r"`(\w+)`", row[2])) for row in table}
    assert listed == dict(EVENTS)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_metric_that_a_page_names_is_exported(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:riparian|process)_[a-z_]+)(?:\{[^`]*)?`", text))
    assert named <= family_names()


def test_every_metric_that_is_exported_is_listed() -> None:
    named = set(re.findall(r"`((?:riparian|process)_[a-z_]+)`", OPERATE))
    assert {name for name in family_names() if name.startswith("riparian_")} - named == set()
