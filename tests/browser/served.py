"""The console as people start it, and a browser that comes in by its link."""

import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Page

from tests.ports import free_port

PATIENCE_S: Final = 40.0


@dataclass(frozen=True)
class Served:
    """A console that answers.

    Parameters
    ----------
    at
        Where.
    link
        By which an admin comes in, once.
    """

    at: str
    link: str


@contextmanager
def served(workspace: Path) -> Iterator[Served]:
    """Start `riparian console` at a port that is free, and end it."""
    port = free_port()
    words = ["console", "--workspace", str(workspace), "--listen", f"127.0.0.1:{port}", "--setup"]
    started = subprocess.Popen(
        [sys.executable, "-u", "-m", "riparian.cli", *words],
        bufsize=0,  # so that what was not read yet is seen to be there
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        link = _link(started)
        _wait(port)
        yield Served(f"http://localhost:{port}", link)
    finally:
        started.terminate()
        started.wait(20)
        if started.stdout is not None:
            started.stdout.close()


def _link(started: "subprocess.Popen[bytes]") -> str:
    assert started.stdout is not None
    said, ends = b"", time.monotonic() + PATIENCE_S
    while time.monotonic() < ends and select.select([started.stdout], [], [], ends - time.monotonic())[0]:
        line = started.stdout.readline()
        said += line
        found = re.search(rb"http://\S+/setup\?link=\S+", said)
        if found:
            return found[0].decode()
        if not line:
            break
    message = f"the console printed no link: {said.decode()}"
    raise AssertionError(message)


def _wait(port: int) -> None:
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < ends, "the console does not answer"
            time.sleep(0.05)
        else:
            return


def with_key(context: BrowserContext) -> Page:
    """Open a tab that holds a passkey's authenticator, and always says yes."""
    page = context.new_page()
    page.set_default_timeout(20_000)
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return page


def come_in(browser: Browser, link: str, name: str) -> Page:
    """Follow a link as somebody with a browser of their own, make a passkey, and see the first page."""
    page = with_key(browser.new_context())
    page.goto(link)
    if page.locator("#name").count():
        page.fill("#name", name)
    page.click("form[data-passkey] button")
    page.wait_for_selector("h1:text('Today'), form [role=status]:not(:empty):not(:text('Waiting'))")
    assert page.locator("h1").inner_text() == "Today", page.locator("main").inner_text()
    return page
