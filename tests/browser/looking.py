"""What is wrong with a page, as somebody before it would find it: by eye, by keyboard, by a reader of screens."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, Final, Literal

from playwright.sync_api import ConsoleMessage, Error, Page

WIDTHS: Final = (1440, 390)
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
AXE: Final = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
_PARTS_OF_A_DATE: Final = 4
"""Year, month, day, calendar."""
_BROKEN: Final = "async only => (await axe.run(document, only ? {runOnly: only} : {})).violations"
_WIDER: Final = """() => {
  const wide = document.documentElement.scrollWidth, room = document.documentElement.clientWidth;
  if (wide <= room) return null;
  const inside = one => { for (let up = one.parentElement; up; up = up.parentElement)
    if (getComputedStyle(up).overflowX !== 'visible') return true; return false; };
  const out = [...document.body.querySelectorAll('*')].filter(
    one => one.getBoundingClientRect().right > room + 1 && !inside(one));
  return `${wide} of ${room} pixels: ${out.slice(0, 3).map(one => one.outerHTML.slice(0, 120)).join(' | ')}`;
}"""
_STOPS: Final = """() => {
  for (const one of document.querySelectorAll('details')) one.open = true;
  const may = 'a[href], button, input:not([type=hidden]), select, textarea, summary, audio[controls], [tabindex="0"]';
  const isStop = one => !one.disabled && one.checkVisibility({visibilityProperty: true})
    && (one.type !== 'radio' || one.checked || !document.querySelector(`[name="${one.name}"]:checked`));
  window.stops = [...document.querySelectorAll(may)].filter(isStop);
  const start = document.body.insertBefore(document.createElement('span'), document.body.firstChild);
  start.tabIndex = -1;
  start.focus();
  start.remove();
  return window.stops.length;
}"""
_STOP: Final = """() => {
  const one = document.activeElement;
  const n = window.stops.indexOf(one);
  if (n < 0) return [n, true, one.outerHTML.slice(0, 120)];
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  const ringed = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1.5;
  const there = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return [n, ringed && there, one.outerHTML.slice(0, 120)];
}"""


@contextmanager
def told_of(page: Page, status: int = 200) -> Iterator[list[str]]:
    """Gather what the browser says goes wrong while the block runs."""
    wrong: list[str] = []

    def said(message: ConsoleMessage) -> None:
        is_expected = status >= 400 and f"status of {status}" in message.text
        if message.type in {"error", "warning"} and not is_expected:
            wrong.append(f"console: {message.text}")

    def failed(error: Error) -> None:
        wrong.append(f"script: {error.message}")

    page.on("console", said)
    page.on("pageerror", failed)
    try:
        yield wrong
    finally:
        page.remove_listener("console", said)
        page.remove_listener("pageerror", failed)


def require_order(page: Page, addresses: Iterable[str], status: int = 200, *, by_keys: bool = True) -> None:
    """Look at pages of one template, and tell all that is wrong with any."""
    told = []
    for number, address in enumerate(addresses):
        keyed = WIDTHS[: 1 if number else 2] if by_keys else ()
        told += [f"{address}: {one}" for one in _trouble(page, address, status, keyed)]
    assert not told, "\n".join(told)


def _trouble(page: Page, address: str, status: int, keyed: Collection[int]) -> list[str]:
    """Open a page, look at it in each width, light and dark, and go through it by keyboard; list what is wrong."""
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.emulate_media(color_scheme=SCHEMES[0], reduced_motion="reduce")
    with told_of(page, status) as wrong:
        answer = page.goto(address)
        if answer is None or answer.status != status:
            wrong.append(f"answered with {answer.status if answer else 'nothing'}, wanted {status}")
        page.evaluate(AXE)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                wrong += [f"{width} px, {scheme}: {one}" for one in _seen(page, whole=scheme == SCHEMES[0])]
            if width in keyed:
                wrong += [f"{width} px, by keyboard: {one}" for one in by_keyboard(page)]
    return wrong


def _seen(page: Page, *, whole: bool) -> Iterator[str]:
    wider = page.evaluate(_WIDER)
    if wider:
        yield f"scrolls sideways, {wider}"
    # Between light and dark nothing differs but colours.
    violations: list[dict[str, Any]] = page.evaluate(_BROKEN, None if whole else ["color-contrast"])
    for one in violations:
        where = "; ".join(f"{node['html'][:160]} ({node['failureSummary'][:160]})" for node in one["nodes"][:2])
        yield f"axe {one['id']}, {len(one['nodes'])} times: {where}"


def by_keyboard(page: Page) -> list[str]:
    """Press Tab until every stop was made; list what is not reached, out of order, or not seen to be reached."""
    wanted = page.evaluate(_STOPS)
    wrong: list[str] = []
    reached, pressed = -1, 0
    while reached < wanted - 1:
        page.keyboard.press("Tab")
        n, is_seen, what = page.evaluate(_STOP)
        pressed = pressed + 1 if n == reached else 0
        if 'type="date"' in what and 0 < pressed < _PARTS_OF_A_DATE:
            continue
        if n != reached + 1:
            wrong.append(f"stop {reached + 2} of {wanted} is not next, but {what}")
            break
        if not is_seen:
            wrong.append(f"focus is not seen on {what}")
        reached = n
    return wrong
