"""What would another policy have done, before it is switched on?"""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from riparian import assembly
from riparian.assembly import proposed
from riparian.console.declared import AFTER, takes, tells
from riparian.console.page import Done, Form, Question
from riparian.console.remembered import Remembered
from riparian.console.shown import error_facts
from riparian.console.words import day, visible
from riparian.errors import InputError, PolicyError
from riparian.flows.lines import written
from riparian.flows.proposing import Compared, Turned, compared, settings_changed, turned_lines
from riparian.gate.policy import Policy

ROWS: Final = 50
PATIENCE_S: Final = 2.0
LONGEST_S: Final = 3600.0
_PATH: Final = "/proposal"
_REMEMBERED: Final[Remembered[Compared]] = Remembered()
_NOTHING: Final[Mapping[str, Any]] = {"as_of": None, "accounts": None, "honest": None, "rungs": [], "turned_count": 0}


@tells("proposal", after=AFTER)
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """Say what is proposed, and what both policies decide on what was scanned; kind ``proposal``."""
    kept = proposed.read_proposal(given)
    now = assembly.read_policy(given)
    then, trouble = _policy(kept)
    # Where nobody can load the page again, it waits for its answer.
    patience_s = PATIENCE_S if question.at else LONGEST_S
    found, is_current = _looked(given, now, then, patience_s) if then is not None else (None, True)
    rows = _page(given, found, question.of("after"))
    changed = [] if then is None else settings_changed(now, then)
    file, aside = proposed.policy_file(given), given.workspace / proposed.NAME
    with assembly.opened(given) as world:
        scans = world.scans.summaries()
    last = scans[-1] if scans else None
    return {
        "kind": "proposal",
        "mode": now.mode.value,
        "file": str(file),
        "proposed_file": str(aside),
        "is_kept": kept is not None,
        "said_by": None if kept is None else kept.said,
        "text": proposed.policy_text(given) if kept is None else kept.text,
        "trouble": trouble,
        "longest": proposed.LONGEST,
        "changed": changed,
        "wants_logs": not all(one["is_replayed"] for one in changed),
        "log_start": None if last is None else written(last["log_start_us"]),
        "log_end": None if last is None else written(last["log_end_us"]),
        "is_current": is_current,
        **_told(found),
        **rows,
        "is_first": not question.of("after"),
        "switch_on": shlex.join(["cp", str(aside), str(file)]),
        "rescan": shlex.join(["riparian", "scan", "LOGS", "--policy", str(aside), "--workspace", "ANOTHER"]),
        "recompute": shlex.join(["riparian", "console", "--page", _PATH, "--workspace", str(given.workspace)]),
    }


@takes(text="A policy, as `policy.toml` has it.")
def keep(given: assembly.Given, question: Question, form: Form) -> Done:
    """Keep a proposal, where it is a policy; else say why it is none."""
    text = form.get("text", "").replace("\r\n", "\n")
    said = f"on {day(assembly.WallClock().now_us())} by {visible(question.person.name)}"
    try:
        proposed.keep_proposal(given, text, said)
    except PolicyError as error:
        # What was written is not lost: it stands in the form, beside what is wrong with it.
        return Done(_PATH, {"text": text[: proposed.LONGEST], "trouble": error_facts(error)})
    return Done(_PATH)


@takes()
def drop(given: assembly.Given, question: Question, form: Form) -> Done:
    """Take the proposal back."""
    del question, form
    proposed.drop_proposal(given)
    return Done(_PATH)


def _policy(kept: proposed.Proposal | None) -> tuple[Policy | None, dict[str, Any] | None]:
    if kept is None:
        return None, None
    try:
        return kept.policy, None
    except PolicyError as error:
        return None, error_facts(error)


def _looked(given: assembly.Given, now: Policy, then: Policy, patience_s: float) -> tuple[Compared | None, bool]:
    with assembly.opened(given) as world:
        if not world.scans.summaries():
            return None, True
        version = (world.decisions.version(), now, then)

    def looked() -> Compared:
        with assembly.kept_house(given) as house:
            return compared(house.world, house.terms, then)

    found, is_current = _REMEMBERED.of(given.workspace, version, looked, patience_s=patience_s)
    # What was said of another proposal is not shown beside this one.
    return (found, True) if is_current else (None, False)


def _told(found: Compared | None) -> dict[str, Any]:
    if found is None:
        return dict(_NOTHING)
    return {
        "as_of": written(found.as_of_us),
        "accounts": found.accounts,
        "honest": found.honest,
        "rungs": list(found.rungs),
        "turned_count": len(found.turned),
    }


def _page(given: assembly.Given, found: Compared | None, after: str) -> dict[str, Any]:
    begins = _place(after) if after else None
    if found is None:
        return {"turned": [], "after": ""}
    left = [one for one in found.turned if begins is None or one.place > begins]
    shown = left[:ROWS]
    with assembly.opened(given) as world:
        rows = turned_lines(world, shown)
    return {"turned": rows, "after": _written(shown[-1]) if len(left) > ROWS else ""}


def _written(one: Turned) -> str:
    rung, bits, account = one.place
    return f"{-rung}:{-bits!r}:{account}"


def _place(text: str) -> tuple[int, float, int]:
    rung, _, rest = text.partition(":")
    bits, _, account = rest.partition(":")
    try:
        return -int(rung), -float(bits), int(account)
    except ValueError:
        raise InputError("the page begins nowhere, wanted a place that a page before it named") from None


def seen(facts: Mapping[str, Any]) -> list[str]:
    """Name the accounts that it shows."""
    return [str(row["pseudonym"]) for row in facts["turned"]]
