"""An explanation as a person reads it in a terminal, and as a program reads it.

The bars are those of the report (:mod:`riparian.console.waterfall`): each begins where the row before it
ended, and the total begins at zero.  Whatever came from outside is shown as text: no identifier can
colour a terminal, move its cursor, or pass for markup.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from riparian.cli import terminal
from riparian.codes import label
from riparian.console import waterfall, words
from riparian.evidence import CLAIMS, Evidence
from riparian.flows.extraction import Account
from riparian.flows.rings import ring_label
from riparian.gate.decide import Decision, Restraint
from riparian.gate.holds import Step

BAR: Final = 36
BAR_MIN: Final = 12
_BUDGETS: Final = {
    "novelty": "recordings beyond its novelty budget",
    "parent": "recordings beyond the budget that new accounts of its household share",
    "rows": "rows of metadata beyond its budget",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar that is drawn as wide as its column turns out to be: in a narrow window it shrinks and never folds."""

    draw: Callable[..., str]

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Ask for what a bar needs and likes."""
        del console
        return Measurement(min(BAR_MIN, options.max_width), min(BAR, options.max_width))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        del console
        yield Text(self.draw(width=min(BAR, options.max_width)).rstrip(), no_wrap=True)


def _mark(place: float, *, width: int) -> str:
    return " " * min(width - 1, round(place * width)) + "┆"


def explanation(name: str, account: Account, *, recompute: str) -> RenderableType:
    """Lay out everything that is known of one account.

    Parameters
    ----------
    name
        The operator's identifier, or the pseudonym where the vault has forgotten it.
    account
        What is known.
    recompute
        The command that computes it again.
    """
    evidence = account.evidence
    head = Text(words.visible(name), style="bold")
    if name != label(evidence.subject):
        head.append(f"  {label(evidence.subject)}", style="dim")
    return Group(
        head,
        Text(_said(evidence, account.decision)),
        Text(),
        steps(evidence, account.decision),
        Text(),
        pairs(
            [
                *_decided(account),
                *_meaning(evidence),
                *_others(account),
                *_facts(account),
                ("compute again", words.visible(recompute)),
            ]
        ),
        *_history(account),
    )


def _said(evidence: Evidence, decision: Decision | None) -> str:
    # A claim is made where a rung is reached; below it the bet that leans most is named, and nothing is claimed.
    if decision is not None and evidence.bits >= decision.threshold_bits:
        return evidence.claim.sentence
    return f"nothing about it is too unlikely for a listener; what leans most is the bet `{evidence.claim.name}`"


def steps(evidence: Evidence, decision: Decision | None = None) -> Table:
    """Draw the waterfall; the last rows are the total, and what its rung wanted."""
    drawn = waterfall.steps(evidence.waterfall)
    wanted = decision.threshold_bits if decision is not None else None
    within = waterfall.scale(drawn, () if wanted is None else (wanted,))
    table = terminal.table("step", "bits", "from zero", right=("bits",))
    for step in drawn:
        bits = words.exact_bits(step.shown).lstrip("+" if step.is_total else "")
        style = "bold" if step.is_total else ""
        table.add_row(Text(step.label, style), Text(bits, style), Bar(partial(waterfall.text_bar, step, within)))
    if wanted is not None and decision is not None:
        rung = f"wanted to {terminal.NAMES[max(decision.restraint, Restraint.SLOW)]}"
        if decision.restraint is Restraint.END:
            rung = "wanted before people decided"
        mark = Bar(partial(_mark, within.place(wanted)))
        table.add_row(Text(rung, "dim"), Text(f"{wanted:.3f}", "dim"), mark)
    return table


def _decided(account: Account) -> Iterator[tuple[str, str]]:
    decision = account.decision
    if decision is None:
        yield "decision", "allow: it was never restrained"
        return
    ended = decision.restraint is Restraint.END
    ends = "until a person reinstates it" if ended else f"to {words.moment(decision.until_us)}"
    when = f"from {words.moment(decision.since_us)} {ends}"
    name = terminal.NAMES[decision.restraint]
    if decision.restraint is Restraint.ALLOW:
        yield "decision", name
    else:
        applied = "" if decision.applied else "; in shadow: nothing is done to it"
        yield "decision", f"{name}, {when}{applied}"
    for place, why in enumerate(words.reasons(decision.because)):
        yield "" if place else "because", words.visible(why, longest=400)
    yield "declared", f"{words.chance(decision.declared)}: how often an account of a declared kind ever comes this far"
    certified = "no account is believed honest, so none can vouch for it"
    if decision.certified is not None:
        certified = f"{words.chance(decision.certified)}: its rank among the accounts believed honest"
    yield "certified", certified
    if decision.bits_before is not None and decision.restraint is not Restraint.ALLOW:
        yield "counted", f"{words.bits(decision.bits)} bits, since the bet was opened again"


def _meaning(evidence: Evidence) -> Iterator[tuple[str, str]]:
    yield "a mistake if", evidence.claim.null
    if evidence.bits > 0:
        yield "reached", words.moment(evidence.reached_us)
    now = evidence.facts.get("bits_now")
    if isinstance(now, float):
        yield "bits today", words.bits(now)
    each = evidence.facts.get("bits_by_bet")
    if isinstance(each, Mapping):
        yield "each bet", ", ".join(f"{bet} {words.bits(b)}" for bet, b in each.items() if bet in CLAIMS)
    yield "computed by", f"{evidence.source.name}, version {evidence.source.version}"


def _others(account: Account) -> Iterator[tuple[str, str]]:
    told = [other for other in account.others if other.bits > 0]
    for place, other in enumerate(told):
        yield (
            "" if place else "also asked",
            f"{other.facts['question']}, {words.bits(other.bits)} bits: {other.claim.sentence}",
        )
    nothing = [str(other.facts["question"]) for other in account.others if other.bits <= 0]
    if nothing:
        yield "" if told else "also asked", f"{words.listed(nothing)}: nothing that counts"
    if account.ring is not None:
        yield "ring", f"{ring_label(account.ring)}; riparian explain ring {ring_label(account.ring)}"


def _facts(account: Account) -> Iterator[tuple[str, str]]:
    facts = account.evidence.facts
    plays, new = _count(facts["plays"]), _count(facts["plays_new"])
    days = words.counted(_count(facts["days"]), "day")
    yield "plays", f"{words.count(plays)} on {days}, {words.count(new)} of recordings new to it"
    yield "seen", f"{words.moment(_count(facts['first_us']))} to {words.moment(_count(facts['last_us']))}"
    if facts["rows"]:
        yield "metadata", words.counted(_count(facts["rows"]), "row")
    if facts["late"]:
        late = words.counted(_count(facts["late"]), "access", "accesses")
        yield "late", f"{late} came after the day was over: counted, not bet on"
    for row in account.refusals:
        if row["refused_ever"]:
            yield "budget", f"{words.count(row['refused_ever'])} {_BUDGETS.get(row['budget'], row['budget'])}"


def _history(account: Account) -> Iterator[RenderableType]:
    if not account.events:
        return
    table = terminal.table("when", "step", "who", "why")
    for event in account.events:
        nobody = "the listener" if event.step is Step.APPEALED else "the machine"
        who, why = words.visible(event.person) or nobody, words.visible(event.reason, longest=400)
        table.add_row(words.moment(event.at_us), f"{event.step}", Text(who), Text(why))
    yield Padding(table, (1, 0, 0, 0))


def pairs(rows: list[tuple[str, str]]) -> Table:
    """Set names beside what is said of them."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(Text(name), Text(text))
    return grid


def _count(fact: object) -> int:
    return fact if isinstance(fact, int) else 0
