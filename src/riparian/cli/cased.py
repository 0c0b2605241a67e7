"""How is a case told: to people as tables, to programs as JSON?"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from rich.markup import escape

from riparian.cases.case import Case, Noted
from riparian.cases.clocks import Deadline
from riparian.cases.events import Event, Person
from riparian.cases.facts import Location
from riparian.cases.joining import Suggested
from riparian.cases.plain import moment, plain
from riparian.cases.regimes import Clock, regime_of
from riparian.cli import lines, terminal
from riparian.console import words
from riparian.flows.case_told import row_of, whole_of

_SHOWN: Final = 40


def tell_cases(cases: Sequence[Case]) -> None:
    """Tell people which cases there are."""
    table = terminal.table("case", "title", "locations", "gone", "notices", "", right=("locations", "gone"))
    for case in cases[-_SHOWN:]:
        states = ", ".join(f"{key} {one.state}" for key, one in case.notices.items())
        row = row_of(case)
        mark = "under seal" if case.sealed else "" if case.is_open else "ended"
        table.add_row(case.key, _shown(case.title), str(row["locations"]), str(row["gone"]), _shown(states), mark)
    terminal.page.print(table)
    if len(cases) > _SHOWN:
        terminal.say(f"{len(cases) - _SHOWN} earlier ones are not shown; --json gives all.")


def tell_case(case: Case, alike: Sequence[Suggested] = (), *, json: bool = False) -> None:
    """Tell what stands in a case."""
    if json:
        lines.write([whole_of(case, alike)])
        return
    facts = case.facts
    seal = ", under seal" if case.sealed else ""
    _say(f"{case.key}: {case.title} (opened {moment(case.opened)[:10]}{seal})")
    owner = facts.owner.name if facts.owner else "nobody yet"
    _say(f"Owner: {owner}. Works: {len(facts.works)}. Findings: {len(facts.findings)}. In custody: {len(facts.kept)}.")
    if facts.locations:
        _locations(facts.locations)
    if case.notices:
        _notices(case.notices)
    for other, because in case.joined.items():
        _say(f"The same matter as {other}: {because}.")
    for one in alike:
        _say(f"Perhaps the same matter as {one.case}: {one.because}.")
    for at, by, text in case.notes[-_SHOWN:]:
        _say(f"{moment(at)[:10]} {by}: {text}")


def say_deadline(clock: Clock, deadline: Deadline) -> None:
    """Tell people a deadline, and how it was counted."""
    law = "a law says so" if deadline.legal else "no law says so"
    _say(f"{_days(clock, deadline)}: {clock.whose} {clock.what} ({law}).")
    _say(deadline.explanation, longest=2000)


def tell_deadlines(running: Sequence[tuple[str, str, Deadline]], now: datetime) -> None:
    """Tell people which clocks run in a case; nothing when none does."""
    if not running:
        return
    table = terminal.table("notice", "clock", "who", "when", "zone", "")
    for key, named, deadline in running:
        regime, _, name = named.partition(".")
        clock = regime_of(regime).named(name)
        law = "law" if deadline.legal else "no law"
        mark = f"{law}, over" if deadline.is_over(now) else law
        table.add_row(key, named, clock.whose, _days(clock, deadline), deadline.zone, mark)
    terminal.page.print(table)


def _days(clock: Clock, deadline: Deadline) -> str:
    if clock.least is None:
        return f"by {deadline.latest}"
    if deadline.latest is None:
        return f"from {deadline.earliest}"
    return f"{deadline.earliest} to {deadline.latest}" if clock.least != clock.most else f"on {deadline.latest}"


def tell_history(events: Sequence[Event]) -> None:
    """Tell every event, one a line."""
    for event in events:
        said = json.dumps({name: one for name, one in event.what.items() if name != "signed"}, ensure_ascii=False)
        _say(f"{event.number:>4}  {moment(event.at)[:19]}  {event.by}  {event.kind}  {said}")


def tell_people(people: Mapping[str, Person], *, json: bool = False) -> None:
    """Tell who may sign."""
    if json:
        lines.write({"kind": "person", **plain(one)} for one in people.values())
        return
    table = terminal.table("person", "key", "added", "vouched by", "")
    for one in people.values():
        mark = f"retired {moment(one.retired)[:10]}" if one.retired else ""
        table.add_row(_shown(one.name), one.key, moment(one.added)[:10], _shown(one.vouched_by), mark)
    terminal.page.print(table)


def _locations(locations: Sequence[Location]) -> None:
    table = terminal.table("", "where", "layer", "who has it", "last seen", "")
    for one in locations[:_SHOWN]:
        seen = moment(one.seen)[:10] if one.seen else "never"
        mark = {True: "there", False: "gone", None: "not known"}[one.live]
        table.add_row(one.key, _shown(one.url), one.layer, _shown(one.addressee), seen, mark)
    terminal.page.print(table)
    if len(locations) > _SHOWN:
        _say(f"{len(locations) - _SHOWN} more locations; --json gives all.")


def _notices(notices: Mapping[str, Noted]) -> None:
    table = terminal.table("notice", "what", "to", "locations", "stands", "since", right=("locations",))
    for key, one in notices.items():
        to = one.notice.addressee.name if one.notice.addressee else ""
        since = moment(one.taken[-1].at)[:10] if one.taken else ""
        table.add_row(key, one.notice.kind, _shown(to), str(len(one.notice.locations)), one.state, since)
    terminal.page.print(table)


def _shown(text: str) -> str:
    return escape(words.visible(text, longest=80))


def _say(text: str, longest: int = 240) -> None:
    terminal.page.print(escape(words.visible(text, longest=longest)), soft_wrap=True)
