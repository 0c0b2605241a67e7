"""The page: whole, self-contained, honest about what is missing, and safe from what it shows."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from riparian.accounts import kinship
from riparian.catalogue.cells import Cells
from riparian.codes import label
from riparian.console import figures
from riparian.console.report import EXPOSED_MAX, LINES_MAX, LISTED_MAX, report
from riparian.evidence import Evidence
from riparian.flows.found import EXPOSURE, Found, Queued
from riparian.flows.overlap import Overlap, overlap
from riparian.flows.rings import Member, Ringed, ring_label
from riparian.gate.decide import NEVER_US, from_table, to_table
from riparian.gate.policy import Restraint
from riparian.schema import DAY_US

SECTIONS = (
    "leaving",
    "evidence",
    "ladder",
    "who",
    "rings",
    "days",
    "review",
    "abstained",
    "rejected",
    "unseen",
    "recompute",
)
VOID = {"meta", "link", "br", "rect", "path", "circle", "img"}
HOSTILE = "<script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(1)>\x1b[31m\u202e{{ 7 * 7 }}"


class Page(HTMLParser):
    """What a browser would make of a page: its tags, attributes and text; complains of what does not nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert tag in VOID or self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1] == "style"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(params=["busy", "quiet", "nothing"])
def any_page(request: pytest.FixtureRequest) -> str:
    made: Any = request.getfixturevalue(request.param)
    return report(made.found, explained=made.explained)


def test_every_section_is_there_whatever_was_found(any_page: str) -> None:
    page = Page(any_page)
    sections = [section["id"] for section in page.all("section")]
    assert [name for name in sections if name != "falls"] == list(SECTIONS)
    for section in page.all("section"):
        assert section["aria-labelledby"] in {h["id"] for h in page.all("h2")}


def test_the_page_fetches_nothing_and_runs_nothing(any_page: str) -> None:
    page = Page(any_page)
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert {tag for tag, _ in page.tags} & {"script", "iframe", "object", "embed", "img", "form", "base"} == set()
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("href", "#").startswith(("#", "data:,"))
        assert "src" not in attributes
    assert "http://" not in any_page
    assert "https://" not in any_page
    assert "url(" not in any_page
    assert "@import" not in any_page


def test_links_lead_somewhere_and_names_are_unique(any_page: str) -> None:
    page = Page(any_page)
    names = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(names) == len(set(names))
    assert {a["href"][1:] for a in page.all("a")} <= set(names)


def test_tables_have_captions_and_pictures_say_what_they_show(any_page: str) -> None:
    page = Page(any_page)
    assert len(page.all("table")) == len(page.all("caption"))
    for svg in page.all("svg"):
        assert svg.get("aria-hidden") == "true" or (svg["role"] == "img" and svg["aria-labelledby"])
    assert page.all("html")[0]["lang"] == "en"


def test_the_first_sentence_says_what_left_and_through_how_many(busy: Any) -> None:
    text = Page(report(busy.found, explained=busy.explained)).text
    assert "20 % of the catalogue, 69 % of it by plays, left through 11 of 10,003 accounts." in text
    assert "3 would be held, 1 asked to show that a person is there and 7 slowed." in text
    assert "For 6 of them the reason is an allowance that ran out, which is arithmetic and no evidence." in text
    assert "honest accounts would be held by mistake at most 2 times a year" in text
    assert "Shadow mode: nothing was done to anybody." in text


def test_an_enforced_policy_is_not_called_shadow(busy: Any) -> None:
    enforced = replace(busy.found, summary={**busy.found.summary, "mode": "enforce"})
    text = Page(report(enforced)).text
    assert "Shadow mode" not in text
    assert "Of these, 3 held, 1 asked to show that a person is there and 7 slowed." in text
    assert "would be held" not in text
    assert "Enforced." in text


def test_whom_people_ended_stands_above_the_ladder_and_without_an_end(busy: Any) -> None:
    first, *others = from_table(busy.found.decisions)
    ended = replace(first, restraint=Restraint.END, until_us=NEVER_US, applied=True)
    found = replace(busy.found, decisions=to_table([ended, *others]))
    text = Page(report(found)).text
    assert "1 ended by people, 2 would be held" in text
    assert "nothing is served until a person reinstates the account" in text
    assert "no end by itself" in text
    assert "reinstates the account" not in Page(report(busy.found)).text


def test_without_a_catalogue_the_page_says_that_shares_are_unknown(busy: Any) -> None:
    bare = replace(
        busy.found,
        restrained=replace(busy.found.restrained, catalogue_share=None, plays_share=None),
        held=replace(busy.found.held, catalogue_share=None, plays_share=None),
        exposure=_without_shares(busy.found.exposure),
    )
    text = Page(report(bare)).text
    assert "48,113 recordings left through 11 of 10,003 accounts." in text
    assert "No catalogue was given" in text
    assert "None" not in text


def _without_shares(exposure: pa.Table) -> pa.Table:
    rows = [{**row, "catalogue_share": None, "plays_share": None} for row in exposure.to_pylist()]
    return pa.Table.from_pylist(rows, schema=EXPOSURE)


EMPTY = {
    "quiet": (
        "Nobody would be slowed or held: none of 214 accounts did what no declared kind of listener does.",
        "No account is restrained, so nothing is said to have left.",
        "there is no line to draw",
        "Nothing: no account is restrained, so nobody needs to look at one.",
        "Give it with --catalogue FILE",
        "Every line was read.",
    ),
    "nothing": (
        "There was nothing to look at: this scan counted no accesses.",
        "No accesses, so no days.",
        "No accesses, so no bets.",
        "Anything: it saw no accesses.",
    ),
}


@pytest.mark.parametrize("which", EMPTY)
def test_where_there_is_nothing_to_show_the_page_says_so(which: str, request: pytest.FixtureRequest) -> None:
    made: Any = request.getfixturevalue(which)
    text = Page(report(made.found)).text
    for sentence in EMPTY[which]:
        assert sentence in text


def test_bets_that_were_not_placed_say_how_to_give_them_what_they_need(busy: Any) -> None:
    text = Page(report(busy.found)).text
    assert (
        "Takes sound that nothing plays. The log has no column heartbeat . Give it with --map heartbeat=COLUMN" in text
    )


def test_nothing_from_outside_reaches_the_page_as_markup(busy: Any) -> None:
    decisions = from_table(busy.found.decisions)
    decisions[0] = replace(decisions[0], because=(HOSTILE, HOSTILE))
    hostile = replace(
        busy.found,
        decisions=to_table(decisions),
        abstained={HOSTILE: HOSTILE, "pace": f"`{HOSTILE}`"},
        cannot_see=(HOSTILE,),
        rejected={HOSTILE: 3},
        summary={**busy.found.summary, "version": HOSTILE},
    )
    html = report(hostile)
    page = Page(html)
    assert {tag for tag, _ in page.tags} & {"script", "img"} == set()
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "\\x1b[31m\\u202e" in page.text
    assert "49" not in re.findall(r"alert.{0,60}", page.text)[0]
    assert page.text.count("<script>alert(1)</script>") >= 6


def test_every_account_shown_was_found_and_goes_by_its_pseudonym(busy: Any) -> None:
    found: Found = busy.found
    known = {label(account) for name in ("decisions", "exposure", "timeline") for account in _accounts(found, name)}
    shown = set(re.findall(r"\ba-[a-z2-7]{13}\b", report(found, explained=busy.explained)))
    assert shown <= known
    assert {label(d.account) for d in from_table(found.decisions)} <= shown


def _accounts(found: Found, name: str) -> list[int]:
    accounts: list[int] = getattr(found, name)["account"].to_pylist()
    return accounts


def test_every_count_in_the_page_was_found(busy: Any) -> None:
    found: Found = busy.found
    text = Page(report(found, explained=busy.explained)).text
    known = set(_numbers(found.summary)) | set(_numbers(found.rejected))
    for name in ("exposure", "by_day", "timeline"):
        for column in getattr(found, name).columns:
            known |= {v for v in column.to_pylist() if isinstance(v, int)}
    for reach in (found.held, found.restrained, found.everybody):
        known |= {reach.accounts, reach.recordings}
    restrained = [d for d in from_table(found.decisions) if d.restraint is not Restraint.ALLOW]
    sentences = [*found.cannot_see, *(why for d in restrained for why in d.because)]
    known |= {int(n.replace(",", "")) for sentence in sentences for n in re.findall(r"\d[\d,]*\d", sentence)}
    known |= {int(found.summary["accounts"]) - len(restrained)}
    # What is left with a thousands separator is a count, or the n of a chance of 1 in n.
    counts = {int(n.replace(",", "")) for n in re.findall(r"(?<!1 in )\b\d{1,3}(?:,\d{3})+\b", text)}
    assert counts - known == set()


def _numbers(told: Any) -> list[int]:
    if isinstance(told, dict):
        return [n for value in told.values() for n in _numbers(value)]
    return [told] if isinstance(told, int) else []


def test_the_rows_of_a_waterfall_as_written_sum_to_the_total_as_written(busy: Any) -> None:
    html = report(busy.found, explained=busy.explained)
    falls = re.findall(r"<caption><h3>.*?</table>", html, flags=re.DOTALL)
    assert len(falls) == len(busy.explained)
    for fall in falls:
        cells = re.findall(r'class="n">([+\u2212]?\d+\.\d{3})<', fall)
        *rows, total = [round(float(c.replace("\u2212", "-")) * 1000) for c in cells]
        assert sum(rows) == total


def test_whoever_a_budget_slowed_has_no_evidence_to_draw(busy: Any) -> None:
    by_budget = next(d for d in from_table(busy.found.decisions) if d.bits < 5)
    evidence: Evidence = replace(busy.explained[1], subject=by_budget.account)
    assert 'id="falls"' not in report(busy.found, explained=[evidence])


def ring(order: str) -> Ringed:
    """Make a ring of thirty-one accounts up."""
    accounts = list(range(1, 32))
    row = {
        "ring": 417, "order": order, "found_us": 20_500 * DAY_US, "accounts": accounts, "bits": 61.5, "price": 120.25,
        "fetches": 3_100, "expected": 412.0, "seen": 3,
    }  # fmt: skip
    evidence = kinship.explain_ring(row)
    days = np.arange(20_500, 20_530)
    between = np.triu(np.full((24, 24), 3.5), 1)
    by_lot, was, cells = np.linspace(0, 412, 30), np.full(30, 3.0), np.array([5])
    seen = Overlap(days, by_lot, was, cells, np.array([[9.5, 0.0]]), tuple(accounts[:24]), between)
    members = tuple(Member(a, 40.0 - a, Restraint.HOLD if a < 20 else Restraint.ALLOW) for a in accounts)
    return Ringed(row, evidence, seen, (("<b>The Band</b>", 9.5, 0),), members)


@pytest.mark.parametrize("order", ["none", "popularity"])
def test_a_ring_is_told_drawn_and_said_to_restrain_nobody(order: str, busy: Any) -> None:
    one = ring(order)
    found = replace(busy.found, rings=pa.Table.from_pylist([dict(one.row)], schema=kinship.RINGS))
    written = report(found, rings=[one])
    text = Page(written).text
    assert ring_label(417) in text
    assert "restrains nobody" in text
    assert "412" in text
    assert "&lt;b&gt;The Band&lt;/b&gt;" in written
    assert "The first 30 of 31" in text
    assert written.count('<svg class="figure wide"') == written.count('<svg class="figure narrow"') == 4
    assert ("keeps clear" in text) == (order == "none")


def test_whom_to_look_at_first_is_listed_with_what_the_list_promises(busy: Any) -> None:
    queue = tuple(Queued(n, 20.0 - n, 0.001 * n, "kinship") for n in range(1, 21))
    text = Page(report(replace(busy.found, queue=queue))).text
    assert "at most 5 % of such a list are wrong" in text
    assert "The first 15;" in text
    assert label(15) in text
    assert label(16) not in text
    assert "Whom to look at first" not in Page(report(busy.found)).text


def test_a_ring_of_which_nothing_is_remembered_is_told_without_pictures(busy: Any) -> None:
    one = ring("none")
    forgotten = overlap(np.empty(0, kinship.FETCH), Cells.empty())
    found = replace(busy.found, rings=pa.Table.from_pylist([dict(one.row)], schema=kinship.RINGS))
    written = report(found, rings=[replace(one, overlap=forgotten, artists=())])
    assert 'class="overlap"' not in written


def test_too_much_to_show_is_cut_and_the_page_says_so(busy: Any) -> None:
    decisions = from_table(busy.found.decisions)
    many = [replace(decisions[0], account=n + 1) for n in range(LISTED_MAX + 37)]
    row = busy.found.exposure.to_pylist()[0]
    exposure = pa.Table.from_pylist([{**row, "account": d.account} for d in many], schema=EXPOSURE)
    page = Page(report(replace(busy.found, decisions=to_table(many), exposure=exposure)))
    assert f"The first {LISTED_MAX} of {LISTED_MAX + 37};" in page.text
    assert f"The first {EXPOSED_MAX} of {LISTED_MAX + 37}." in page.text


@pytest.mark.parametrize("width", [figures.WIDE, figures.NARROW])
def test_pictures_stay_within_their_edges(busy: Any, width: int) -> None:
    html = report(busy.found)
    for svg in re.findall(rf'<svg class="figure \w+" viewBox="0 0 {width} (\d+)"(.*?)</svg>', html, flags=re.DOTALL):
        height, inside = float(svg[0]), svg[1]
        for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", inside):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height


def test_only_the_strongest_accounts_have_a_line(busy: Any) -> None:
    html = report(busy.found)
    assert html.count('<path class="line ') == 2 * LINES_MAX


def test_a_log_of_one_day_has_one_bar_in_the_middle(quiet: Any) -> None:
    html = report(quiet.found)
    assert "2026-01-01" in html
    assert html.count('<path class="bars') == 12


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


PAIRS = [
    *((ink, paper) for ink in ("ink", "soft", "water") for paper in ("paper", "card", "faint")),
    ("ink", "water-soft"),
    *((rung, f"{rung}-soft") for rung in ("allow", "slow", "step-up", "hold")),
    *((f"l{n}", "paper") for n in range(6)),
]


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_every_text_stands_out_from_its_ground(scheme: int, nothing: Any) -> None:
    light, dark, printed = re.findall(r":root \{(.*?)\}", report(nothing.found), flags=re.DOTALL)
    base = dict(re.findall(r"--([\w-]+): (#\w+)", light))
    told = dict(re.findall(r"--([\w-]+): (#\w+)", (light, dark, printed)[scheme]))
    colours = {name: _six(value) for name, value in {**base, **told}.items()}
    faint = [(a, b) for a, b in PAIRS if _contrast(colours[a], colours[b]) < 4.5]
    assert faint == []


def _six(colour: str) -> str:
    return colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])


def test_the_page_is_the_same_for_the_same_scan(busy: Any) -> None:
    make: Callable[[], str] = lambda: report(busy.found, explained=busy.explained)  # noqa: E731
    assert make() == make()
