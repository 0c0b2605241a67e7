"""How is a case told to programs: by the command line and by the console, in the same words?"""

from collections.abc import Iterable
from typing import Any

from riparian.cases.case import Case
from riparian.cases.clocks import Deadline
from riparian.cases.joining import Suggested
from riparian.cases.plain import moment, plain
from riparian.flows.pursuing import Reviewed


def row_of(case: Case) -> dict[str, Any]:
    """Give a case as one object, in short."""
    return {
        "kind": "case",
        "case": case.key,
        "title": case.title,
        "opened": moment(case.opened),
        "open": case.is_open,
        "sealed": case.sealed,
        "locations": len(case.facts.locations),
        "live": sum(one.live is True for one in case.facts.locations),
        "gone": sum(one.live is False for one in case.facts.locations),
        "works": len(case.facts.works),
        "findings": len(case.facts.findings),
        "notices": {key: str(one.state) for key, one in case.notices.items()},
    }


def whole_of(case: Case, alike: Iterable[Suggested] = ()) -> dict[str, Any]:
    """Give a case as one object, with all that stands in it."""
    return {
        **row_of(case),
        "territories": list(case.territories),
        "facts": plain(case.facts),
        "joined": dict(case.joined),
        "alike": [plain(one) for one in alike],
        "signals": [plain(one) for one in case.signals],
        "notes": [{"at": moment(at), "by": by, "text": text} for at, by, text in case.notes],
        "steps": [
            {"notice": key, "step": str(taken.step), "at": moment(taken.at), "by": taken.by, "event": taken.event}
            for key, noted in case.notices.items()
            for taken in noted.taken
        ],
        "events": case.length,
    }


def days_of(deadline: Deadline) -> dict[str, Any]:
    """Give a deadline as one object."""
    return {
        "earliest": str(deadline.earliest),
        "latest": str(deadline.latest) if deadline.latest else None,
        "opens": moment(deadline.opens),
        "closes": moment(deadline.closes) if deadline.closes else None,
        "calendar": deadline.calendar,
        "zone": deadline.zone,
        "legal": deadline.legal,
        "explanation": deadline.explanation,
    }


def running_of(running: Iterable[tuple[str, str, Deadline]]) -> list[dict[str, Any]]:
    """Give the clocks that run in a case (:func:`riparian.cases.clocks.deadlines`) as objects."""
    return [{"notice": key, "clock": clock, **days_of(one)} for key, clock, one in running]


def review_of(reviewed: Reviewed) -> dict[str, Any]:
    """Give what the rails say of a notice as one object."""
    approvals = reviewed.case.notices[reviewed.notice].approvals()
    return {
        "kind": "review",
        "case": reviewed.case.key,
        "notice": reviewed.notice,
        "passed": reviewed.passed,
        "needs": reviewed.needs,
        "because": list(reviewed.because),
        "approved": [{"by": one.by, "at": moment(one.at)} for one in approvals],
        "rails": [
            {"rail": one.name, "passed": one.passed, "why": one.why, "needs": one.needs} for one in reviewed.rails
        ],
        "accounts": [
            {"name": one.name, "decided": one.decided, "mistakes": one.mistakes, "upper": one.upper}
            for one in reviewed.accounts
        ],
    }
