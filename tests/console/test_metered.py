"""What monitors learn of the console: how much, how fast, ready or why not; and nothing of anybody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from riparian.assembly import Given
from riparian.console.metered import Answered, Metered, Readiness
from riparian.console.site import console_app
from riparian.edges.health import Health, Kept
from tests.console.asking import Browser
from tests.console.known import Known


@pytest.fixture
def told() -> list[Answered]:
    return []


@pytest.fixture
def metered(tmp_path: Path, told: list[Answered]) -> Metered:
    return Metered(console_app(Given(tmp_path), Known()), told.append)


@pytest.mark.parametrize(
    ("method", "path", "route", "counted", "status"),
    [
        pytest.param("GET", "/rings", "/rings", "GET", 200, id="a page"),
        pytest.param("GET", "/account?id=ada@example.org", "/account", "GET", 404, id="an account that is named"),
        pytest.param("GET", "/ada@example.org", "(none)", "GET", 404, id="no page, named as somebody"),
        pytest.param("GET", "/static/console.css", "/static/{name}", "GET", 200, id="a file"),
        pytest.param("GET", "/static/ada.css", "/static/{name}", "GET", 404, id="no file, named as somebody"),
        pytest.param("ADA", "/rings", "/rings", "(other)", 405, id="a method that there is not"),
        pytest.param("POST", "/account/release", "/account/release", "POST", 403, id="a form of nobody's"),
    ],
)
def test_what_is_counted_is_the_route_and_nothing_that_was_sent(
    metered: Metered, told: list[Answered], *, method: str, path: str, route: str, counted: str, status: int
) -> None:
    Browser(metered).ask(method, path)
    (answer,) = told
    assert (answer.route, answer.method) == (route, counted)
    assert answer.seconds > 0
    text = generate_latest(metered.registry).decode()
    assert "ada" not in text.lower()
    assert f'method="{counted}",route="{route}",status="{answer.status}"' in text
    assert "riparian_console_in_flight 0.0" in text
    assert answer.status == status or method == "POST"


def test_however_many_paths_are_tried_one_line_counts_them(metered: Metered) -> None:
    browser = Browser(metered)
    for number in range(50):
        browser.ask(f"X{number}", f"/nowhere/{number}")
    families = text_string_to_metric_families(generate_latest(metered.registry).decode())
    (requests,) = [family for family in families if family.name == "riparian_console_requests"]
    counted = [sample for sample in requests.samples if sample.name.endswith("_total")]
    assert [sample.value for sample in counted] == [50]


@pytest.fixture
def health() -> Iterator[Health]:
    page = Health("127.0.0.1", 0)
    yield page
    page.close()


@pytest.mark.parametrize(
    ("listening", "draining", "readable", "missing"),
    [
        pytest.param(True, False, True, (), id="all is well"),
        pytest.param(False, False, True, ("pages are not listened for",), id="it begins"),
        pytest.param(True, False, False, ("workspace cannot be read",), id="the disk is gone"),
        pytest.param(False, True, False, ("draining",), id="it was asked to end"),
    ],
)
def test_it_says_why_it_is_not_ready(
    metered: Metered, health: Health, *, listening: bool, draining: bool, readable: bool, missing: tuple[str, ...]
) -> None:
    kept = Kept(is_readable=readable, waiting={"appeals": 2}, late={"appeals": 1})
    ready = Readiness(metered, lambda: kept, is_listening=lambda: listening, is_draining=lambda: draining)
    health.seen = ready
    assert ready.missing == missing
    status, _, body = health.answer("/readyz")
    assert (status == 200) == (not missing)
    assert all(why in body.decode() for why in missing)
    text = health.answer("/metrics")[2].decode()
    assert 'riparian_late{what="appeals"} 1.0' in text
    assert f"riparian_workspace_readable {float(readable)}" in text
    assert "riparian_build_info" in text
    assert "process_resident_memory_bytes" in text
