"""A real browser: this machine's Chromium, and nothing that it would fetch by itself."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET: Final = (
    "--no-sandbox",  # tests run as root in containers, and look at pages of ours alone
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
)


def path() -> str:
    """Find it: what CHROMIUM names, or one of its usual names."""
    named = os.environ.get("CHROMIUM")
    found = next((one for name in ([named] if named else NAMES) if (one := shutil.which(name))), None)
    if found is None:
        wanted = named or "chromium"
        message = f"`{wanted}` is no program here, wanted Chromium: apt-get install chromium, or name it in CHROMIUM"
        raise FileNotFoundError(message)
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """Open it, without a window, until the block ends.

    While it is open the thread has a running event loop: nothing else of the thread may begin one.
    """
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path(), args=list(QUIET))
        yield opened
        opened.close()
