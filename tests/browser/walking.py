"""Where pages lead, and the forms that stand on them, found as somebody finds them: by looking."""

from collections.abc import Iterable
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Locator
from playwright.sync_api import Page as Tab

from riparian.console.page import Page
from riparian.console.pages import PAGES

Addresses = dict[str, list[str]]
_WRITTEN = "textarea, input:not([type]), input[type=text], input[type=search]"


class _Links(HTMLParser):
    """Where the main part of a page leads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_main = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_main |= tag == "main"
        if self._is_main and tag == "a":
            self.found += [to for name, to in attrs if name == "href" and to]

    def handle_endtag(self, tag: str) -> None:
        self._is_main &= tag != "main"


def addresses_of(tab: Tab, at: str) -> Addresses:
    """Follow links from the pages of the navigation on; tell all addresses of each page, one of each kind first."""
    known: Addresses = {page.path: [page.path] if page.is_listed else [] for page in PAGES}
    kinds, waiting = set(), [page.path for page in PAGES if page.is_listed]
    while waiting:
        links = _Links()
        links.feed(tab.request.get(at + waiting.pop(0)).text())
        for to in links.found:
            parts = urlsplit(to)
            if parts.netloc or parts.path not in known or to in known[parts.path]:
                continue
            kind = parts.path, _asked(to)
            known[parts.path].insert(len(known[parts.path]) if kind in kinds else 0, to)
            if kind not in kinds:
                kinds.add(kind)
                waiting.append(to)
    return known


def of_each_kind(addresses: Iterable[str]) -> list[str]:
    """Keep one address for each set of things that are asked."""
    return list({_asked(one): one for one in reversed(list(addresses))}.values())


@dataclass(frozen=True)
class Done:
    """What is done on a page: where its form is sent to, the page, and what is said when it was done."""

    path: str
    page: Page
    said: str


def acts() -> list[Done]:
    """List what is done on pages."""
    return [Done(f"{page.path.rstrip('/')}/{act.name}", page, act.said) for page in PAGES for act in page.acts]


def form_of(tab: Tab, at: str, act: Done, addresses: Addresses) -> Locator | None:
    """Look for its form through the addresses of its page; None where none shows one."""
    for address in addresses[act.page.path]:
        tab.goto(at + address)
        form = tab.locator(f'form[action="{act.path}"], form[action^="{act.path}?"]').last
        if form.count():
            # What is folded is opened, as whoever looks for a form does.
            form.evaluate("form => { const folded = form.closest('details'); if (folded) folded.open = true; }")
            return form
    return None


def sent(form: Locator, said: str, file: str = "sound.wav") -> None:
    """Fill what can be written with words, and send the form."""
    for field in form.locator(_WRITTEN).all():
        longest = field.get_attribute("maxlength")
        field.fill(said[: int(longest)] if longest else said)
    for field in form.locator("input[type=file]").all():
        field.set_input_files({"name": file, "mimeType": "application/octet-stream", "buffer": said.encode()})
    form.locator("button").last.click()


def _asked(address: str) -> tuple[str, ...]:
    return tuple(name for name, _ in parse_qsl(urlsplit(address).query))
