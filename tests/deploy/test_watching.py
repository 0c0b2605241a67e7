"""Alerts and the dashboard ask for metrics that there are, by labels that they have, and say what to do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.known import exported, series_names

RULES = yaml.safe_load(Path("deploy/prometheus/riparian.rules.yml").read_text(encoding="utf-8"))
BOARD = json.loads(Path("deploy/grafana/riparian.json").read_text(encoding="utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
PANELS: list[dict[str, Any]] = BOARD["panels"]
NAME = re.compile(r"\b(?:riparian|process)_[a-z_]+\b|\bup\b(?=\{)")
OF_PROMETHEUS = {"job", "instance", "le"}


def expressions() -> list[Any]:
    found = [pytest.param(rule["expr"], id=rule["alert"]) for rule in ALERTS]
    for panel in PANELS:
        for n, target in enumerate(panel.get("targets", [])):
            found.append(pytest.param(target["expr"], id=f"{panel['title']} {n}"))
    return found


def labels_of(name: str) -> set[str]:
    """Tell which labels a metric has."""
    base = re.sub(r"_(?:total|bucket|count|sum)$", "", name)
    found = {label for families in exported().values() for f in families if f.name in {name, base} for s in f.samples
             for label in s.labels}  # fmt: skip
    return found | OF_PROMETHEUS


EMPTY = {
    # Counters that have no line before the first thing is counted, with the labels that the module says.
    "riparian_answers_total": {"kind", "action", "rule", "applied"},
    "riparian_let_through_total": {"kind", "why"},
    "riparian_console_requests_total": {"route", "method", "status"},
    "riparian_console_seconds_bucket": {"route"},
}


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_asks_for_what_is_exported(expression: str) -> None:
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing)
    names = set(NAME.findall(expression))
    assert names
    assert names - {"up"} <= series_names()
    known = set().union(OF_PROMETHEUS, *(labels_of(name) | EMPTY.get(name, set()) for name in names))
    grouped = {label.strip() for inside in re.findall(r"by \(([^)]*)\)", expression) for label in inside.split(",")}
    matched = set(re.findall(r"[{,]\s*([a-z_]+)\s*(?:=~|!=|!~|=)", expression))
    assert grouped | matched <= known


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_who_is_woken_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert re.fullmatch(r"\d+[mh]", rule["for"])
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^## (.+)$", Path(page).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in {re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") for heading in headings}
    by = re.findall(r"by \(([^)]*)\)", rule["expr"])
    for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
        lost = "max(" in rule["expr"] or (by and label not in by[0])
        assert not lost, f"{label} is summed away"


def test_alerts_are_named_once() -> None:
    named = [rule["alert"] for rule in ALERTS]
    assert len(named) == len(set(named)) >= 20


def test_panels_have_places_and_numbers_of_their_own_and_say_what_they_show() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"], panel["title"]
            assert panel["datasource"]["uid"] == "${source}"
    assert [one["name"] for one in BOARD["templating"]["list"]] == ["source"]
    assert (BOARD["uid"], BOARD["title"]) == ("riparian", "Riparian")
