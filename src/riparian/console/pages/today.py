"""What left, what stands, and what needs a person?"""

import shlex
from typing import Any, Final

from riparian import assembly
from riparian.console.declared import tells
from riparian.console.page import Question
from riparian.console.remembered import Remembered
from riparian.flows.ending import appealed, proposed
from riparian.flows.findings import left
from riparian.flows.lines import written
from riparian.gate.policy import Restraint

_THROUGH: Final = {"held": "accounts on hold", "restrained": "all restrained accounts", "everybody": "everybody"}
_REMEMBERED: Final[Remembered[list[dict[str, Any]]]] = Remembered()


@tells("today")
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """Say what the last scan saw, what is in force now, and what waits; kind ``today``."""
    del question
    mode = assembly.read_policy(given).mode
    with assembly.opened(given) as world:
        now_us = world.clock.now_us()
        summaries = world.scans.summaries()
        counts = world.decisions.counted(now_us)
        proposals, appeals = proposed(world), appealed(world)
        version = world.decisions.version()
    last = summaries[-1] if summaries else None
    reach, is_current = _left(given, version) if last is not None else ([], True)
    return {
        "kind": "today",
        "mode": mode.value,
        "at": written(now_us),
        "scan": None if last is None else _scan(last),
        "in_force": {one.name.lower(): counts.get(one, 0) for one in reversed(Restraint) if one},
        "left": reach,
        "left_is_current": is_current,
        "waits": {
            "proposals": _waiting([event.until_us for _, event in proposals], now_us),
            "appeals": _waiting([event.until_us for _, event in appeals], now_us),
        },
        "recompute": shlex.join(["riparian", "accounts", "--workspace", str(given.workspace)]),
    }


def _left(given: assembly.Given, version: tuple[int, ...]) -> tuple[list[dict[str, Any]], bool]:
    def looked() -> list[dict[str, Any]]:
        with assembly.kept_house(given) as house:
            reach = left(house.world, house.terms)
        return [{"through": said, **reach[name]} for name, said in _THROUGH.items()]

    found, is_current = _REMEMBERED.of(given.workspace, version, looked)
    return found or [], is_current


def _scan(summary: dict[str, Any]) -> dict[str, Any]:
    kept = ("accesses", "accounts", "days", "rejected", "rings", "restraints", "review_minutes_a_day", "abstained")
    times = {name: written(summary[f"{name}_us"]) for name in ("log_start", "log_end", "as_of")}
    return {**{name: summary[name] for name in kept}, "cannot_see": list(summary["cannot_see"]), **times}


def _waiting(due: list[int], now_us: int) -> dict[str, Any]:
    return {
        "waiting": len(due),
        "late": sum(at_us <= now_us for at_us in due),
        "next_due": written(min(due)) if due else None,
    }
