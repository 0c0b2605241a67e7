"""What does copying cost under a policy, as the last exercise found?"""

import shlex
from typing import Any, Final

from riparian import assembly
from riparian.assembly import rehearsed
from riparian.console.declared import tells
from riparian.console.page import Question
from riparian.flows.proposing import settings_changed
from riparian.flows.reckoning import LIMIT_PER_DAY, name_of
from riparian.gate.policy import parse_policy

_COPIERS: Final = ("strategy", "best")
_OF_THE_TOWN: Final = frozenset({"mode", "accounts"})
"""What an exercise sets by itself: a policy in force, and for how many accounts its town stands."""


@tells("exercise")
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """Say what the last exercise came to, its curve, its copiers and its targets; kind ``exercise``."""
    del question
    kept = rehearsed.read_exercise(given)
    if kept is None:
        again = ["riparian", "replay", "default", "--workspace", str(given.workspace)]
        return {"kind": "exercise", "exercise": None, "recompute": shlex.join(again)}
    told = kept["lines"]
    policy = parse_policy(kept["policy"])
    numbers = ("seed", "days", "listeners")
    again = ["riparian", "replay", kept["name"], *(f"--{name}={kept[name]}" for name in numbers)]
    again += [f"--search={kept['plans']}", "--workspace", str(given.workspace)]
    return {
        "kind": "exercise",
        "exercise": {name: kept[name] for name in ("name", "at", *numbers)},
        "people": next(line for line in told if line["kind"] == "people"),
        "copiers": [{**line, "called": name_of(line)} for line in told if line["kind"] in _COPIERS],
        "limits": [line for line in told if line["kind"] == "limit"],
        "curve": [line for line in told if line["kind"] == "policy"],
        "sentences": kept["sentences"],
        "novelty_per_day": policy.novelty_per_day,
        "limit_per_day": LIMIT_PER_DAY,
        "prices": kept["prices"],
        "differs": [
            {name: one[name] for name in ("name", "now", "proposed")}
            for one in settings_changed(assembly.read_policy(given), policy)
            if one["name"] not in _OF_THE_TOWN
        ],
        "recompute": shlex.join(again),
    }
