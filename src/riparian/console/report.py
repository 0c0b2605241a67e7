"""One page that says what a scan found, to be read, printed, mailed and kept.

Rules of the page
-----------------
* It is one file. It fetches nothing, runs nothing, and says so to the browser (Content-Security-Policy).
* Every number in it is taken from what was found; the page computes none but widths of bars.
* It names accounts by their pseudonyms. Identifiers stay in the vault, and ``riparian explain`` and
  ``--json`` speak them.
* Whatever came from outside is shown as text: markup is escaped, and what steers a terminal or turns
  the direction of writing is shown as an escape (:func:`riparian.console.words.visible`).
* Nothing is left out silently: where there is nothing to show, or too much, the page says so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import pyarrow as pa
from jinja2 import Environment
from markupsafe import Markup

from riparian.codes import label
from riparian.console import figures, overlaps, setting, waterfall, words
from riparian.evidence import CLAIMS, Evidence
from riparian.flows.found import REVIEW_MINUTES, Found
from riparian.flows.rings import Member, Ringed, because_of, ring_label, words_of
from riparian.gate.decide import Decision, from_table
from riparian.gate.policy import LADDER, Restraint
from riparian.schema import ACCESS, DAY_US

LINES_MAX: Final = 6
FALLS_MAX: Final = 6
DRAWN_BITS: Final = 1.0
EXPOSED_MAX: Final = 15
LISTED_MAX: Final = 100
TABLED_DAYS_MAX: Final = 400
MEMBERS_MAX: Final = 30
QUEUED_MAX: Final = 15

NAMES: Final[Mapping[Restraint, str]] = {
    Restraint.ALLOW: "allow",
    Restraint.SLOW: "slow",
    Restraint.STEP_UP: "step up",
    Restraint.HOLD: "hold",
    Restraint.END: "end",
}
EFFECTS: Final[Mapping[Restraint, str]] = {
    Restraint.ALLOW: "everything is served",
    Restraint.SLOW: "recordings new to the account come slowly; what it knows plays as ever",
    Restraint.STEP_UP: "the account is asked to show that a person is there, then goes on",
    Restraint.HOLD: "no full-length recordings until the hold ends or a person releases it",
    Restraint.END: "nothing is served until a person reinstates the account",
}

_PARTS: Final = {
    "order": "meets what is new to it in an order that no declared kind of listener takes",
    "signals": "follows what the platform drew by lot for another account",
}
_COLUMN_HELP: Final = {
    "media_ms": "how much sound each response held, in milliseconds",
    "heartbeat": "whether a player reported that it was playing",
    "action": "what was asked for: play, segment, licence, metadata, search or download",
    "rows": "how many rows of metadata each response held",
    "given_to": "to which account the handle that was used had been given",
    "device": "which device asked",
    "lat": "where the address is, in degrees north",
    "lon": "where the address is, in degrees east",
    "status": "with which status the request was answered",
    "surfaced": "whether the service itself had shown the recording to the account",
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One row of the ladder."""

    restraint: Restraint
    accounts: int
    wants: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """What a person calls it."""
        return NAMES[self.restraint]


@dataclass(frozen=True, slots=True)
class Exposed:
    """What one account fetched, and a bar for what of it was new."""

    name: str
    rung: str
    row: Mapping[str, Any]
    bar: Markup


@dataclass(frozen=True, slots=True)
class Fall:
    """The waterfall of one account."""

    name: str
    says: str
    steps: tuple[waterfall.Step, ...]
    bars: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """One ring: sentences, waterfall, pictures, where and who."""

    name: str
    because: Sequence[str]
    fall: Fall
    figures: Markup
    artists: Sequence[tuple[str, str, int]]
    members: Sequence[Member]


@dataclass(frozen=True, slots=True)
class Lack:
    """A bet that could not be placed, why, and what to give."""

    says: str
    reason: str
    options: tuple[tuple[str, str], ...]


def report(found: Found, *, explained: Sequence[Evidence] = (), rings: Sequence[Ringed] = ()) -> str:
    """Write the page.

    Parameters
    ----------
    found
        What the scan found.
    explained
        Evidence on the strongest accounts, strongest first; the first few become pictures of their waterfalls.
    rings
        What is known of the strongest rings, strongest first.

    Returns
    -------
    str
        One HTML document, UTF-8, that needs nothing else.
    """
    decisions = from_table(found.decisions)
    restrained = [d for d in decisions if d.restraint is not Restraint.ALLOW]
    return _environment().get_template("report.html.j2").render(
        found=found,
        summary=found.summary,
        shadow=found.summary["mode"] == "shadow",
        decisions=restrained,
        by_budget=sum(map(_by_budget, restrained)),
        allowed=[d for d in decisions if d.restraint is Restraint.ALLOW],
        tally={r.name.lower(): sum(d.restraint is r for d in decisions) for r in Restraint},
        ladder=_ladder(found, restrained),
        exposed=_exposed(found, decisions),
        falls=_falls(explained, decisions),
        rings=found.rings.to_pylist(),
        clusters=[_cluster(ring, place) for place, ring in enumerate(rings)],
        n_ringed=len({account for accounts in found.rings["accounts"].to_pylist() for account in accounts}),
        evidence_figures=_evidence_figures(found),
        day_figures=_day_figures(found),
        days=found.by_day.slice(max(0, found.by_day.num_rows - TABLED_DAYS_MAX)).to_pylist(),
        lacks=[_lack(name, reason) for name, reason in found.abstained.items()],
        review_minutes=REVIEW_MINUTES,
        queue=[(label(one.account), CLAIMS[one.claim].sentence, one) for one in found.queue[:QUEUED_MAX]],
        css=setting.style(),
        limits={"exposed": EXPOSED_MAX, "listed": LISTED_MAX, "lines": LINES_MAX, "members": MEMBERS_MAX},
    )  # fmt: skip


def _ladder(found: Found, restrained: Sequence[Decision]) -> list[Rung]:
    rungs = [Rung(Restraint.ALLOW, int(found.summary["accounts"]) - len(restrained))]
    for restraint in LADDER:
        there = sum(d.restraint is restraint for d in restrained)
        rungs.append(Rung(restraint, there, found.summary["ladder"][restraint.name.lower()]))
    ended = sum(d.restraint is Restraint.END for d in restrained)
    return [*rungs, Rung(Restraint.END, ended)] if ended else rungs


def _exposed(found: Found, decisions: Sequence[Decision]) -> list[Exposed]:
    rungs = {d.account: d.restraint for d in decisions}
    rows = sorted(found.exposure.to_pylist(), key=lambda row: -row["novel"])[:EXPOSED_MAX]
    most = max((row["novel"] for row in rows), default=0)
    return [
        Exposed(label(row["account"]), NAMES[rungs.get(row["account"], Restraint.ALLOW)], row, _share_bar(row, most))
        for row in rows
    ]


def _share_bar(row: Mapping[str, Any], most: int) -> Markup:
    whole = 1000 * row["novel"] / max(most, 1)
    beyond = 1000 * min(row["beyond_budget"], row["novel"]) / max(most, 1)
    return Markup(
        '<svg class="share" viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect x="0" y="5" width="{:.1f}" height="14"/>'
        '<rect class="rest" x="{:.1f}" y="5" width="{:.1f}" height="14"/></svg>'
    ).format(whole - beyond, whole - beyond, beyond)


def _falls(explained: Sequence[Evidence], decisions: Sequence[Decision]) -> list[Fall]:
    # Whom a budget slowed has no evidence to draw.
    by_account = {d.account: d for d in decisions}
    chosen = [(e, by_account.get(e.subject)) for e in explained]
    drawn = [(e, d.threshold_bits if d else None) for e, d in chosen if d is None or not _by_budget(d)]
    return [_fall(e, threshold) for e, threshold in drawn[:FALLS_MAX]]


def _fall(evidence: Evidence, threshold: float | None) -> Fall:
    drawn = waterfall.steps(evidence.waterfall)
    within = waterfall.scale(drawn, () if threshold is None else (threshold,))
    bars = tuple(waterfall.drawn_bar(step, within, threshold=threshold) for step in drawn)
    return Fall(label(evidence.subject), evidence.claim.sentence, drawn, bars)


def _cluster(ring: Ringed, place: int) -> Cluster:
    drawn = waterfall.steps(ring.evidence.waterfall)
    within = waterfall.scale(drawn)
    bars = tuple(waterfall.drawn_bar(step, within) for step in drawn)
    pictures = [
        draw(ring.overlap, width=width, ident=f"{name}-{place}-{width}")
        for draw, name in ((overlaps.over_time, "overlap"), (overlaps.two_by_two, "pairs"))
        for width in (figures.WIDE, figures.NARROW)
        if len(ring.overlap.days)
    ]
    return Cluster(
        ring_label(ring.row["ring"]),
        because_of(ring.row),
        Fall(ring_label(ring.row["ring"]), ring.evidence.claim.sentence, drawn, bars),
        Markup("").join(pictures),
        [(artist, words_of(expected), seen) for artist, expected, seen in ring.artists],
        ring.members,
    )


def _evidence_figures(found: Found) -> Markup:
    lines = _lines(found.timeline)
    if not lines:
        return Markup("")
    marks = [figures.Mark(NAMES[r], float(found.summary["ladder"][r.name.lower()]["bits"])) for r in LADDER]
    return Markup("").join(
        figures.evidence_over_time(lines, marks, width=width, ident=f"evidence-{width}")
        for width in (figures.WIDE, figures.NARROW)
    )


def _lines(timeline: pa.Table) -> list[figures.Line]:
    points: dict[int, list[tuple[int, float]]] = {}
    columns = (timeline[name].to_pylist() for name in ("account", "day", "bits"))
    for account, day, reached in zip(*columns, strict=True):
        points.setdefault(account, []).append((day, reached))
    lines = []
    for account, path in points.items():
        days, bits = zip(*sorted(path), strict=True)
        if max(bits) >= DRAWN_BITS:
            lines.append(figures.Line(label(account), days, bits))
    return sorted(lines, key=lambda line: -max(line.bits))[:LINES_MAX]


def _day_figures(found: Found) -> Markup:
    if not found.by_day.num_rows:
        return Markup("")
    table = found.by_day.sort_by("day")
    days = table["day"].to_pylist()
    shown = (
        ("accesses", "accesses", ""),
        ("novel", "recordings new to the account", ""),
        ("beyond_budget", "of these, beyond a budget", "slow"),
        ("slowed", "accounts first at slow", "slow"),
        ("stepped_up", "accounts first at step up", "step-up"),
        ("held", "accounts first at hold", "hold"),
    )
    panels = [figures.Panel(name, tuple(table[column].to_pylist()), kind) for column, name, kind in shown]
    return Markup("").join(
        figures.by_day(days, panels, width=width, ident=f"days-{width}") for width in (figures.WIDE, figures.NARROW)
    )


def _lack(name: str, reason: str) -> Lack:
    columns = [c for c in re.findall(r"`(\w+)`", reason) if c in ACCESS.names]
    options = [(f"--map {column}=COLUMN", _COLUMN_HELP.get(column, "")) for column in columns]
    if "catalogue" in reason:
        options.append(("--catalogue FILE", "the recordings that you hold, with a number that grows with plays"))
    if "accounts table" in reason:
        options.append(
            ("--accounts FILE", "what you know of accounts: created, plan, payment, cohort, believed honest")
        )
    says = CLAIMS[name].sentence if name in CLAIMS else _PARTS.get(name, name)
    return Lack(says, reason, tuple(options))


@cache
def _environment() -> Environment:
    made = setting.environment(
        {
            "moment": words.moment,
            "day": words.day,
            "until": words.until,
            "label": label,
            "ring": ring_label,
            "expected": words_of,
            "code": _code,
            "sentence": _sentence,
            "reasons": words.reasons,
            "rung": NAMES.__getitem__,
            "effect": EFFECTS.__getitem__,
            "class_of": lambda name: name.replace(" ", "-"),
        }
    )
    made.globals["day_us"] = DAY_US
    made.tests["by_budget"] = _by_budget
    return made


def _code(text: str) -> Markup:
    """Set what stands in backticks as code."""
    parts = re.split(r"`([^`]+)`", words.visible(text, longest=2000))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def _by_budget(decision: Decision) -> bool:
    # An allowance that ran out restrains without evidence; whoever has both is restrained by evidence.
    return decision.restraint is Restraint.SLOW and decision.bits < decision.threshold_bits


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
