"""Every page that there is, and all that is done on them, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from riparian.console.page import Page
from riparian.console.pages import PAGES
from tests.browser import town
from tests.browser.chromium import browser as opened
from tests.browser.looking import require_order, told_of
from tests.browser.served import Served, come_in, served
from tests.browser.walking import Addresses, Done, acts, addresses_of, form_of, of_each_kind, sent

pytestmark = pytest.mark.slow

BY_HAND = frozenset(
    {"/data/erase", "/people/invite", "/people/change", "/people/remove", "/people/sign-out", "/finding/cancel"}
)
"""What takes two people, or something that still runs, and so a test of its own."""
ACTS = [one for one in acts() if one.path not in BY_HAND]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened() as one:
        yield one


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(town.made(tmp_path_factory.mktemp("town"))) as one:
        yield one


@pytest.fixture(scope="module")
def admin(browser: Browser, place: Served) -> Tab:
    return come_in(browser, place.link, "Ada")


@pytest.fixture(scope="module")
def addresses(admin: Tab, place: Served) -> Addresses:
    return addresses_of(admin, place.at)


def test_the_ways_in_are_in_order(browser: Browser, place: Served) -> None:
    tab = browser.new_page()
    require_order(tab, [place.link, f"{place.at}/sign-in"])
    tab.close()


@pytest.mark.parametrize("page", PAGES, ids=[page.path for page in PAGES])
def test_a_page_is_in_order(page: Page, addresses: Addresses, admin: Tab, place: Served) -> None:
    found = of_each_kind(addresses[page.path])
    assert found, f"no page leads to {page.path}"
    require_order(admin, [place.at + address for address in found])


def test_an_error_is_in_order(admin: Tab, place: Served) -> None:
    require_order(admin, [f"{place.at}/nowhere"], 404)


def test_who_works_by_keyboard_may_skip_what_all_pages_begin_with(admin: Tab, place: Served) -> None:
    admin.goto(f"{place.at}/accounts")
    admin.keyboard.press("Tab")
    assert admin.evaluate("document.activeElement.className") == "skip"
    admin.keyboard.press("Enter")
    assert admin.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("act", ACTS, ids=[act.path for act in ACTS])
def test_what_is_done_on_a_page_is_done(act: Done, addresses: Addresses, admin: Tab, place: Served) -> None:
    form = form_of(admin, place.at, act, addresses)
    assert form is not None, f"no page shows a form for {act.path}"
    with told_of(admin) as wrong:
        sent(form, "Looked at, and done by a test")
        # Where several work at once, an answer takes its time.
        admin.locator("main [role=status]").first.wait_for(state="attached")
    told = admin.locator("main [role=status]").all_inner_texts()
    # What is told once and stands nowhere, as a link, is told in place of the sentence.
    assert (wrong, bool(told)) == ([], True), admin.locator("main").inner_text()
    assert told[0] == act.said or not admin.locator(".said").count()


def test_somebody_is_let_in_changed_and_removed(browser: Browser, admin: Tab, place: Served) -> None:
    admin.goto(f"{place.at}/people")
    admin.fill("#name", "Bea")
    admin.select_option("#role", "viewer")
    admin.click("text=Make a link")
    theirs = come_in(browser, admin.locator(".note code").inner_text(), "Bea")
    assert "Accounts" not in theirs.locator("header nav").inner_text()

    admin.goto(f"{place.at}/people")
    row = admin.locator("tr", has=admin.locator("th", has_text="Bea"))
    row.locator("summary").click()
    row.locator("select").select_option("analyst")
    row.locator("button", has_text="Change").click()
    assert "role is changed" in admin.locator(".said").inner_text()

    theirs.goto(f"{place.at}/accounts")
    assert theirs.locator("h1").inner_text() == "Sign in"
    theirs.click("form[data-passkey] button")
    theirs.wait_for_selector("h1:text('Accounts')")

    row.locator("summary").click()
    row.locator("button", has_text="Sign out everywhere").click()
    assert "signed out everywhere" in admin.locator(".said").inner_text()
    theirs.goto(f"{place.at}/accounts")
    assert theirs.locator("h1").inner_text() == "Sign in"

    row.locator("summary").click()
    row.locator("button", has_text="Remove").click()
    assert "let in no more" in admin.locator(".said").inner_text()
    theirs.reload()
    theirs.click("form[data-passkey] button")
    theirs.wait_for_selector("form [role=status]:not(:empty):not(:text('Waiting'))")
    assert theirs.locator("h1").inner_text() == "Sign in"
    theirs.context.close()


def test_who_signs_out_is_out_and_comes_back_by_passkey(admin: Tab, place: Served) -> None:
    admin.goto(f"{place.at}/")
    admin.click("text=Sign out")
    admin.goto(f"{place.at}/looks")
    admin.click("form[data-passkey] button")
    admin.wait_for_selector("h1:text('Looks')")


def test_a_workspace_that_nothing_happened_in_is_in_order(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as place:
        tab = come_in(browser, place.link, "Ada")
        require_order(tab, [place.at + page.path for page in PAGES if page.is_listed], by_keys=False)
        tab.context.close()
