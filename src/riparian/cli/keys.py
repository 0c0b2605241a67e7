"""``riparian keys``: what signs grants, and how it is changed while people listen; and what marks."""

import json as writing
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.errors import InputError
from riparian.flows.lines import written
from riparian.gate.keys import KeyRing, jwks, public_jwks
from riparian.marks.grants import check_of
from riparian.marks.keys import MarkKey
from riparian.stores.keys import FolderKeys
from riparian.stores.mark_keys import NAME as MARKS
from riparian.stores.mark_keys import FolderMarkKeys

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="List, rotate or show the keys that sign grants, and the keys of marks.",
)


class Form(StrEnum):
    """For whom keys are written."""

    NGINX = "nginx"
    JWKS = "jwks"
    PUBLIC = "public"


def _nginx(ring: KeyRing) -> dict[str, Any]:
    return {"keys": [{"kid": key.id, "secret": key.secret.hex(), "retires_s": key.retires_s} for key in ring]}


_FORMS: Final[dict[Form, Callable[[KeyRing], dict[str, Any]]]] = {
    Form.NGINX: _nginx,
    Form.JWKS: jwks,
    Form.PUBLIC: public_jwks,
}


Marks = Annotated[bool, typer.Option("--marks", help="The keys of marks, not those of grants.")]


@app.command("list")
def list_(marks: Marks = False, workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """List the keys by name, and until when each holds; no secrets."""
    if marks:
        _tell_marks(FolderMarkKeys(workspace).all(), json)
        return
    _tell(FolderKeys(workspace).ring(_now_s()), json)


@app.command()
def rotate(
    leaked: Annotated[
        bool,
        typer.Option("--leaked", help="Replace every key at once: all grants end, players fetch their playlist again."),
    ] = False,
    marks: Marks = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Let the next key issue, and make one to follow it; grants that are out stay good to their end.

    Of marks, begin a new epoch: what was marked before is read with the key of its own epoch, which is kept for ever.
    """
    if marks:
        _rotate_marks(workspace, json, leaked=leaked)
        return
    keys, open_s = FolderKeys(workspace), assembly.read_policy(assembly.Given(workspace)).media_open_s
    ring = keys.replace(_now_s()) if leaked else keys.rotate(_now_s(), open_s=open_s)
    _tell(ring, json)
    terminal.say(
        "Give every edge that verifies by itself the new keys now: the old ones open nothing."
        if leaked
        else f"Give every edge that verifies by itself the new keys before the next rotation: {ring.next.id} is new."
    )


@app.command()
def show(
    form: Annotated[
        Form,
        typer.Option(
            help="nginx: secrets for njs; jwks: secrets for JWT HS256; public: for Common Access Tokens, ES256."
        ),
    ],
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Write the keys as an edge needs them; but for --form public these are secrets."""
    typer.echo(writing.dumps(_FORMS[form](FolderKeys(workspace).ring(_now_s()))))


def _rotate_marks(workspace: Path, json: bool, *, leaked: bool) -> None:
    if leaked:
        raise InputError(
            "`--leaked` beside `--marks`, wanted one: a copy is marked for ever by the key that it was marked with",
            hint="Rotate with --marks alone, and trust no trace of an earlier epoch that stands alone.",
        )
    keys = FolderMarkKeys(workspace)
    keys.rotate()
    _tell_marks(keys.all(), json)
    terminal.say(
        f"Keep a copy of {MARKS} where the workspace is not: without it nothing that was marked can be traced."
    )


def _tell_marks(keys: Sequence[MarkKey], json: bool) -> None:
    told = [{"kind": "mark_key", "epoch": key.epoch, "does": _does(key, keys), "check": check_of(key)} for key in keys]
    if json:
        lines.write(told)
        return
    table = terminal.table("epoch", "does", "check", right=("epoch",))
    for row in told:
        table.add_row(str(row["epoch"]), str(row["does"]), str(row["check"]))
    terminal.page.print(table if told else "Nothing was marked yet: the first mark makes a key.")


def _does(key: MarkKey, keys: Sequence[MarkKey]) -> str:
    return "marks and traces" if key == keys[-1] else "traces"


def _now_s() -> int:
    return assembly.WallClock().now_us() // 1_000_000


def _tell(ring: KeyRing, json: bool) -> None:
    roles = ["issues", "issues next", *("verifies" for _ in ring.earlier)]
    told = [
        {
            "kind": "key",
            "key": key.id,
            "does": role,
            "made": written(key.made_s * 1_000_000),
            "until": written(key.retires_s * 1_000_000) if key.retires_s else None,
        }
        for key, role in zip(ring, roles, strict=True)
    ]
    if json:
        lines.write(told)
        return
    table = terminal.table("key", "does", "made", "until")
    for row in told:
        table.add_row(row["key"], row["does"], (row["made"] or "")[:16], (row["until"] or "")[:16])
    terminal.page.print(table)
