"""The pictures of the documentation, taken of a simulated town by `make screenshots`; a person looks at them."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

import pytest
import uvicorn
from PIL import Image

from riparian.assembly import Given, StoppedClock, WallClock
from riparian.console.site import console_app
from tests.browser import town
from tests.browser.chromium import browser as opened
from tests.console.known import Known
from tests.ports import free_port

ROOT: Final = Path(__file__).parents[2]
IMAGES: Final = ROOT / "docs" / "images"
PAGES: Final = (ROOT / "README.md", ROOT / "docs" / "how" / "console.md")
NOW: Final = StoppedClock.at("2026-11-24T09:00:00+00:00")
COLOURS: Final = 96
OCTETS_MAX: Final = 90_000


@dataclass(frozen=True)
class Picture:
    """What is shown: a page, how wide and how much of it, light or dark."""

    name: str
    address: str
    then: str = ""
    """What is clicked before, as a selector."""
    width: int = 1120
    height: int = 860
    scheme: Literal["light", "dark"] = "light"


PICTURES: Final = (
    Picture("console-today", "/"),
    Picture("console-account", "/accounts", "main tbody a >> nth=0", height=1000),
    Picture("console-ring", "/rings", "main tbody a >> nth=0", height=1000, scheme="dark"),
    Picture("console-notice", "/notice?case=C1&id=N1"),
    Picture("console-narrow", "/accounts", width=390, height=780),
)


class _Known(Known):
    def __init__(self, at: str) -> None:
        super().__init__()
        self.at = at


@contextmanager
def shown(workspace: Path) -> Iterator[str]:
    """Serve the pages to whoever asks, at the time that is stopped."""
    port = free_port()
    at = f"http://localhost:{port}"
    app = console_app(Given(workspace), _Known(at))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield at
    server.should_exit = True
    thread.join()


def squeezed(png: bytes) -> bytes:
    """Write a picture with few colours."""
    made = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(made, "PNG", optimize=True)
    return made.getvalue()


@pytest.mark.slow
def test_pictures_can_be_taken_of_a_town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(WallClock, "now_us", lambda _: NOW.now_us())
    write = request.config.getoption("--write-screenshots")
    # Pages name the workspace: by the name that it has in the documentation, and not where this test happens to run.
    monkeypatch.chdir(tmp_path)
    made = town.made(tmp_path)
    with shown(Path(made.name)) as at, opened() as browser:
        tab = browser.new_page()
        for one in PICTURES:
            tab.set_viewport_size({"width": one.width, "height": one.height})
            tab.emulate_media(color_scheme=one.scheme, reduced_motion="reduce")
            answer = tab.goto(at + one.address)
            assert answer is not None
            assert answer.status == 200, one.address
            if one.then:
                tab.click(one.then)
                tab.wait_for_load_state()
            while "is being counted" in tab.locator("main").inner_text():
                tab.wait_for_timeout(200)
                tab.reload()
            picture = squeezed(tab.screenshot())
            assert len(picture) < OCTETS_MAX, f"{one.name} has {len(picture):,} octets"
            if write:
                IMAGES.mkdir(exist_ok=True)
                (IMAGES / f"{one.name}.png").write_bytes(picture)


def test_every_picture_stands_in_the_documentation_and_says_what_it_shows() -> None:
    named = [found for page in PAGES for found in re.findall(r"!\[([^]]+)\]\(\S*images/(\S+)\.png\)", page.read_text())]
    assert {name for _, name in named} == {one.name for one in PICTURES} == {one.stem for one in IMAGES.glob("*.png")}
    assert min(len(said) for said, _ in named) > 20
