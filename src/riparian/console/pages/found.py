"""What was brought to be looked at, and what is it?"""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from riparian import assembly
from riparian.assembly import Given
from riparian.assembly.issued import has_issued
from riparian.console import finds, working
from riparian.console.declared import AFTER, OneOf, takes, tells
from riparian.console.finds import Find
from riparian.console.page import Done, Form, Question, address
from riparian.errors import InputError
from riparian.flows.lines import written

ROWS: Final = 50
KINDS: Final[Mapping[str, str]] = {
    "guess": "whatever it looks like",
    "sound": "sound",
    "list": "a list: a table, a database, a listing of files",
    "dataset": "a data set: a table or a tar of items with their licences",
}
_NAMED: Final = 3


@tells("found", after=AFTER)
def facts(given: Given, question: Question) -> dict[str, Any]:
    """List what was brought, the latest first; kind ``found``.

    Raises
    ------
    InputError
        When the page begins nowhere.
    """
    finds.sweep(given)
    after = question.of("after")
    if after and not finds.is_key(after):
        raise InputError("the page begins nowhere, wanted a place that a page before it named")
    listed = finds.listed(given, after=after, limit=ROWS + 1)
    shown = [row_of(given, find) for find in listed[:ROWS]]
    uploads = assembly.read_uploads(given)
    with assembly.holdings(given) as holdings:
        held = holdings.totals()["recordings"]
    return {
        "kind": "found",
        "finds": shown,
        "after": listed[ROWS - 1].key if len(listed) > ROWS else "",
        "is_first": not after,
        "waits": any(finds.waits(one["state"]) for one in shown),
        "kinds": dict(KINDS),
        "mib": uploads.mib,
        "days": uploads.days,
        "has_prints": assembly.has_prints(given),
        "has_issued": has_issued(given),
        "held": held,
        "recompute": shlex.join(["riparian", "match", "--workspace", str(given.workspace), "FILE"]),
    }


def row_of(given: Given, find: Find) -> dict[str, Any]:
    """Tell one that was brought, and what became of it in a few words; nobody is named."""
    folder = finds.folder_of(given, find.key)
    result = finds.read_json(folder / "result.json")
    return {
        "find": find.key,
        "name": find.name or "(without a name)",
        "asked": find.kind,
        "traces": find.traces,
        "by": find.by,
        "at": written(find.at_us),
        "until": written(finds.ends_us(given, find)),
        "octets": find.octets,
        "sha256": find.sha256,
        "state": finds.state_of(folder),
        "what": result.get("what", find.kind),
        "said": _said(result) if result else "",
    }


@takes(kind=OneOf("What it is.", tuple(KINDS)), traces="Not empty to say of sound to whom it was issued, too.")
def bring(given: Given, question: Question, form: Form) -> Done:
    """Keep a file that came, and let it be looked at."""
    if question.brought is None:
        raise InputError("no file was sent, wanted one", hint="Choose a file, and send it once more.")
    kind = kind_of(form)
    find = finds.keep(given, question.brought, kind=kind, traces=bool(form.get("traces")), by=question.person.name)
    working.begin(given, find)
    return Done(address("/finding", id=find.key))


@takes(id="Which one, as `find` names it.")
def delete(given: Given, question: Question, form: Form) -> Done:
    """Delete a file, and all that was found of it."""
    del question
    finds.delete(given, form.get("id", ""))
    return Done("/found")


def kind_of(form: Form) -> str:
    """Read what a file is said to be.

    Raises
    ------
    InputError
        When it is nothing that is known.
    """
    kind = form.get("kind", "guess")
    if kind not in KINDS:
        raise InputError(f"`{kind[:40]}` is nothing to look for, wanted one of {', '.join(KINDS)}")
    return kind


def _said(result: Mapping[str, Any]) -> str:
    if result.get("failed"):
        return str(result["failed"]["found"])
    if result["what"] == "sound":
        return _heard(result)
    summary = result["lines"][-1]
    if result["what"] == "list":
        return f"{round(summary['rows_ours']['estimate']):,} of {summary['rows']:,} rows are ours"
    return f"{round(summary['ours']['estimate']):,} of {summary['items']:,} items are ours"


def _heard(result: Mapping[str, Any]) -> str:
    names = list(dict.fromkeys(one["recording"] for one in result["lines"] if one["kind"] == "copy"))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    traced = result.get("traced") or {}
    n = sum(len(batch["issued"]) for batch in traced.get("batches", ()))
    issued = f"; issued to {n:,}" if n else ""
    if names:
        return f"{', '.join(names[:_NAMED])}{more}{issued}"
    matched = result.get("matched") or {}
    return f"{matched.get('failed') or matched.get('why_nothing') or 'nothing is sure'}{issued}"
