"""What is a file that was brought, to whom was it issued, and how sure is that?"""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from riparian import assembly
from riparian.assembly import Given
from riparian.assembly.issued import names_issued
from riparian.console import finds, working
from riparian.console.declared import OneOf, takes, tells
from riparian.console.page import Done, Form, Question, address
from riparian.console.pages.account import drawn
from riparian.console.pages.found import KINDS, kind_of, row_of
from riparian.evidence import Row

ROWS: Final = 100
_WHICH: Final = "Which one, as `find` names it."
_COMMANDS: Final = {
    "sound": ("match",),
    "list": ("dump", "match"),
    "dataset": ("dataset", "audit"),
    "guess": ("match",),
}


@tells("finding", id=_WHICH)
def facts(given: Given, question: Question) -> dict[str, Any]:
    """Tell what one file is, as far as is known; kind ``finding``.

    Raises
    ------
    InputError
        When there is none.
    """
    find = finds.read(given, question.of("id"))
    folder = finds.folder_of(given, find.key)
    told = {"kind": "finding", **row_of(given, find)}
    result = finds.read_json(folder / "result.json") if not finds.waits(told["state"]) else {}
    path = str(finds.file_of(given, find))
    what = told["what"] if told["what"] in _COMMANDS else "guess"
    commands = [_command(given, *_COMMANDS[what], path)]
    if what == "sound" and find.traces:
        commands.append(_command(given, "trace", path))
    return {
        **told,
        "waits": finds.waits(told["state"]),
        "progress": finds.read_json(folder / "progress.json") or None,
        "failed": result.get("failed"),
        "lines": result.get("lines", []),
        "matched": _matched(given, result.get("matched")),
        "pairs": [_pair(find.key, pair) for pair in result.get("pairs", ())],
        "traced": _traced(given, result.get("traced")),
        "list": _listed(result) if result.get("what") == "list" and not result.get("failed") else None,
        "dataset": _audited(result) if result.get("what") == "dataset" and not result.get("failed") else None,
        "kinds": dict(KINDS),
        "shown": ROWS,
        "recompute": commands,
    }


@takes(id=_WHICH)
def cancel(given: Given, question: Question, form: Form) -> Done:
    """Let one be looked at no more."""
    del question
    working.cancel(given, form.get("id", ""))
    return Done(address("/finding", id=form.get("id", "")))


@takes(
    id=_WHICH,
    kind=OneOf("What it is.", tuple(KINDS)),
    traces="Not empty to say of sound to whom it was issued, too.",
)
def again(given: Given, question: Question, form: Form) -> Done:
    """Look at one again, as something else if that is asked."""
    del question
    find = finds.read(given, form.get("id", ""))
    asked = finds.asked_again(given, find, kind=kind_of(form), traces=bool(form.get("traces")))
    working.begin(given, asked)
    return Done(address("/finding", id=find.key))


@takes(id=_WHICH, name="A file that the page names.")
def part(given: Given, question: Question) -> tuple[Path, str]:
    """Give a piece of sound, or a picture, that the page shows."""
    return finds.part_of(given, question.of("id"), question.of("name"))


def seen(facts: Mapping[str, Any]) -> list[str]:
    """Name the accounts that it shows."""
    traced = facts["traced"] or {}
    return [one["pseudonym"] for batch in traced.get("batches", ()) for one in batch["issued"]]


def _command(given: Given, *verb: str) -> str:
    *before, path = verb
    return shlex.join(["riparian", *before, path, "--workspace", str(given.workspace)])


def _matched(given: Given, matched: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if matched is None:
        return None
    about = _about(given, {one["recording"] for one in matched["answers"]})
    answers = [
        {**one, **drawn([Row(label, bits) for label, bits in one["rows"]], None), "about": about.get(one["recording"])}
        for one in matched["answers"]
    ]
    return {**matched, "answers": answers}


def _about(given: Given, recordings: set[str]) -> dict[str, dict[str, str]]:
    """Tell title and artist of what the catalogue knows by that name."""
    with assembly.holdings(given) as holdings:
        if not holdings.totals()["recordings"]:
            return {}
        with holdings.open():
            entries = {name: holdings.entries(name) for name in recordings}
    return {
        name: {part: str(found[0].recording.get(part) or "") for part in ("title", "artist")}
        for name, found in entries.items()
        if found
    }


def _pair(key: str, pair: Mapping[str, Any]) -> dict[str, Any]:
    sound = {side: address("/finding/part", id=key, name=name) for side, name in pair["sound"].items()}
    return {"cut": None, **pair, "sound": sound}


def _traced(given: Given, traced: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if traced is None or traced["failed"]:
        return dict(traced) if traced is not None else None
    has_named = any(batch["issued"] for batch in traced["batches"])
    names = names_issued(given, traced["recording"]) if has_named else {}
    batches = [
        {
            **batch,
            "issued": [
                {
                    **one,
                    "account": names.get(one["pseudonym"]),
                    **drawn([Row(label, bits) for label, bits in one["rows"]], batch["needed_bits"]),
                }
                for one in batch["issued"]
            ],
        }
        for batch in traced["batches"]
    ]
    return {**traced, "batches": batches}


def _listed(result: Mapping[str, Any]) -> dict[str, Any]:
    lines = result["lines"]
    return {
        "summary": lines[-1],
        "when": result["when"],
        "drawn": result["drawn"],
        "rows": [line for line in lines if line["kind"] == "row"],
        "sheets": [line for line in lines if line["kind"] == "sheet"],
    }


def _audited(result: Mapping[str, Any]) -> dict[str, Any]:
    lines = result["lines"]
    return {
        "summary": lines[-1],
        "about": lines[0],
        "terms": [line for line in lines if line["kind"] == "terms"],
        "licences": [line for line in lines if line["kind"] == "licence"],
        "unread": [line for line in lines if line["kind"] == "unread"],
    }
