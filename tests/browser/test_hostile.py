"""Whatever anything is called, whatever anybody writes: none of it runs, and nothing is fetched elsewhere."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Dialog, Request
from playwright.sync_api import Page as Tab

from riparian import assembly
from riparian.assembly import Given
from riparian.cases.events import Proposed
from riparian.console.pages import PAGES
from riparian.flows import casework
from riparian.ports.staff import Invitation, Role
from tests.browser.chromium import browser as opened
from tests.browser.served import Served, come_in, served
from tests.browser.walking import Done, acts, addresses_of, form_of, sent
from tests.cases.making import AT
from tests.cases.sending import drafted, office
from tests.console.hostile import HARM, harm_in, made
from tests.console.test_cases import harmful

pytestmark = pytest.mark.slow

TRAP = """
window.sprung = [];
for (const name of ['alert', 'confirm', 'prompt'])
  window[name] = (...said) => window.sprung.push(`${name}(${said})`);
document.addEventListener('securitypolicyviolation', one =>
  window.sprung.push(`${one.violatedDirective} ${one.blockedURI} ${one.sample}`));
"""
FOUND = """[
  ...window.sprung,
  ...[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames().filter(name => name.startsWith('on'))),
  ...[...document.querySelectorAll('[href], [src], [action]')]
    .flatMap(one => ['href', 'src', 'action'].map(name => one.getAttribute(name)).filter(to => to !== null))
    .map(to => new URL(to, location).href)
    .filter(to => !to.startsWith(location.origin + '/')),
]"""
MOST = 20
"""Addresses of one page that are looked at."""
ASKED = ("id", "case", "q", "after", "before", "done", "to", "link", "at", "kind", "sort")
"""Whatever a page may be asked; those that know nothing of one show nothing of it."""
WORDS = [harm.format("1") for harm in HARM]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plant harm wherever a name or a sentence may stand."""
    folder = made(tmp_path_factory.mktemp("hostile"))
    with office(folder) as docket:
        drafted(docket)
        casework.open_case(docket, [Proposed("opened", {"title": " ".join(HARM)}, AT, "ann"), *harmful()])
    with assembly.staff(Given(folder)) as staff:
        for number, harm in enumerate(harm for harm in HARM if harm.isprintable()):
            staff.enter(staff.invite(Invitation(harm, Role.ADMIN), 0), "", f"{number}{harm}", 0)
            staff.looked(harm, harm, [harm], 0)
    return folder


@pytest.fixture(scope="module")
def place(workspace: Path) -> Iterator[Served]:
    with served(workspace) as one:
        yield one


@pytest.fixture(scope="module")
def trapped(place: Served) -> Iterator[tuple[Tab, list[str]]]:
    """Hand out an admin's tab in which every page has a trap, and what was caught."""
    caught: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith(place.at):
            caught.append(f"asked for {request.url}")

    def shown(dialog: Dialog) -> None:
        caught.append(f"showed {dialog.message}")
        dialog.dismiss()

    with opened() as browser:
        tab = come_in(browser, place.link, "Ada")
        tab.context.add_init_script(TRAP)
        tab.on("request", asked)
        tab.on("dialog", shown)
        tab.on("pageerror", lambda error: caught.append(str(error)))
        yield tab, caught


def look(tab: Tab, address: str) -> list[str]:
    """Open a page, go over it with the pointer and the keyboard, and tell what sprang."""
    tab.goto(address)
    tab.mouse.move(200, 300)
    found: list[str] = tab.evaluate(FOUND)
    return [f"{address}: {one}" for one in found]


def test_the_trap_springs(trapped: tuple[Tab, list[str]], place: Served) -> None:
    tab, _ = trapped
    tab.goto(place.at)
    tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=/x onerror=alert(1)>')")
    tab.wait_for_function("window.sprung.length > 0", timeout=5_000)
    assert "script-src" in tab.evaluate("window.sprung.join()")


@pytest.mark.parametrize("act", acts(), ids=[act.path for act in acts()])
def test_nothing_that_is_written_runs(act: Done, trapped: tuple[Tab, list[str]], place: Served) -> None:
    tab, caught = trapped
    form = form_of(tab, place.at, act, addresses_of(tab, place.at))
    if form is None:
        return  # nothing of it stands in this town; that each form stands in some is looked at beside the pages
    sent(form, " ".join(WORDS), file=f"{WORDS[1].replace('/', '')}.wav")
    tab.wait_for_load_state()
    assert tab.evaluate("window.sprung") + caught == []


def test_nothing_that_is_kept_runs(trapped: tuple[Tab, list[str]], place: Served) -> None:
    tab, caught = trapped
    every = [one for addresses in addresses_of(tab, place.at).values() for one in addresses[:MOST]]
    found = [one for address in every for one in look(tab, place.at + address)]
    assert found + caught == []


@pytest.mark.parametrize("path", [page.path for page in PAGES] + ["/sign-in", "/setup", "/nowhere/<script>alert(1)"])
def test_nothing_that_is_asked_runs(path: str, trapped: tuple[Tab, list[str]], place: Served) -> None:
    tab, caught = trapped
    for word in WORDS:
        answer = tab.request.get(place.at + path, params=dict.fromkeys(ASKED, word), max_redirects=0)
        assert (answer.status < 500, harm_in(answer.text())) == (True, [])
    tab.goto(f"{place.at}{path}?{urlencode(dict.fromkeys(ASKED, ' '.join(WORDS)))}")
    assert tab.evaluate("window.sprung") + caught == []
