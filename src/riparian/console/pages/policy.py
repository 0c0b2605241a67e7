"""What is tolerated, what follows from it, and what would it do?"""

import shlex
from dataclasses import fields
from typing import Any

from riparian import assembly
from riparian.assembly import proposed
from riparian.console.declared import tells
from riparian.console.page import Question
from riparian.gate.policy import Policy


@tells("policy")
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """Say what the policy is, and what each rung of its ladder wanted of the last scan; kind ``policy``."""
    del question
    policy = assembly.read_policy(given)
    with assembly.opened(given) as world:
        summaries = world.scans.summaries()
    last = summaries[-1] if summaries else None
    usual = Policy()
    return {
        "kind": "policy",
        "mode": policy.mode.value,
        "file": str(given.policy or given.workspace / "policy.toml"),
        "is_proposed": proposed.read_proposal(given) is not None,
        "settings": [
            {
                "name": one.name,
                "value": getattr(policy, one.name),
                "unit": one.metadata["unit"],
                "doc": one.metadata["doc"],
                "is_usual": getattr(policy, one.name) == getattr(usual, one.name),
            }
            for one in fields(policy)
        ],
        "ladder": [] if last is None else [_rung(name, last) for name in reversed(last["ladder"])],
        "scanned_in": None if last is None else last["mode"],
        "accounts": None if last is None else last["accounts"],
        "recompute": shlex.join(["riparian", "accounts", "--json", "--workspace", str(given.workspace)]),
    }


def _rung(name: str, last: dict[str, Any]) -> dict[str, Any]:
    return {"action": name, **last["ladder"][name], "accounts": last["restraints"][name]}
