"""``riparian edge``: a configuration for the operator's own edge, and a look at a live one."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import typer

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.edges import agreed, checks, envoy_checks
from riparian.edges import envoy as envoy_
from riparian.edges import nginx as nginx_
from riparian.edges.checks import Finding, Weight
from riparian.errors import InputError, PolicyError

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Write the configuration of your edge, and check a live one.",
)

Edge = Annotated[
    Path | None, typer.Option(help="Your routes, gates and edges.", show_default="edge.toml in the workspace")
]
Out = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Write the files there; without it, what is no secret is printed.")
]


@app.command()
def init(workspace: options.Workspace = options.WORKSPACE) -> None:
    """Write an example of edge.toml into the workspace, to be corrected."""
    file = workspace / "edge.toml"
    if file.exists():
        raise InputError(f"`{file}` is there already, wanted none", hint="Correct it, or move it away.")
    workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_bytes(files("riparian.edges").joinpath("templates/edge.toml").read_bytes())
    terminal.say(f"Wrote {file}: say there where your routes and accounts are.")


@app.command()
def nginx(
    out: Out = None,
    grants: Annotated[
        Literal["hmac", "jwt", "secure_link"], typer.Option(help="How grants are verified; the last is MD5.")
    ] = "hmac",
    verdicts: Annotated[
        Literal["keyval", "njs"],
        typer.Option("--list", help="What holds the list of restraints: nginx-keyval, or njs alone."),
    ] = "njs",
    room: Annotated[int, typer.Option(help="How many restrained accounts there is memory for.")] = nginx_.Build().room,
    push_from: Annotated[
        list[str] | None,
        typer.Option(help="Addresses that may push and read the metrics; repeatable. [default: itself]"),
    ] = None,
    edge: Edge = None,
    policy: options.Policy = None,
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Write what nginx has to be told."""
    given = assembly.Given(workspace, policy, edge=edge)
    texts = nginx_.configuration(
        assembly.read_edge(given),
        assembly.read_policy(given),
        assembly.read_keys(given),
        push_secret=assembly.read_push_secret(given),
        build=nginx_.Build(
            nginx_.Grants(grants), nginx_.List(verdicts), room, tuple(push_from or nginx_.Build().push_from)
        ),
    )
    _put(texts, nginx_.SECRET_FILES, out)


@app.command()
def envoy(
    out: Out = None,
    authz: Annotated[Literal["http", "grpc"], typer.Option(help="How gates are asked.")] = "http",
    log: Annotated[str, typer.Option(help="Where Envoy writes its log.")] = envoy_.Place().log,
    edge: Edge = None,
    policy: options.Policy = None,
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Write what Envoy has to be told."""
    given = assembly.Given(workspace, policy, edge=edge)
    place = envoy_.Place(envoy_.Place().folder if out is None else str(out.resolve()), log)
    texts = envoy_.configuration(
        assembly.read_edge(given),
        assembly.read_policy(given),
        assembly.read_keys(given),
        authz=authz,
        place=place,
    )
    _put(texts, frozenset({envoy_.GRANTS}), out)


@app.command()
def check(
    what: Annotated[
        str,
        typer.Argument(metavar="URL|FILE", help="A live edge, or a configuration of nginx (.conf) or Envoy (.yaml)."),
    ],
    admin: Annotated[bool, typer.Option("--admin", help="The URL is that of an Envoy's administration.")] = False,
    edge: Edge = None,
    policy: options.Policy = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Look for what is not as it should be; ends with 2 when a promise is broken."""
    given = assembly.Given(workspace, policy, edge=edge)
    if admin:
        found = _envoy(what, envoy_checks.dumped(what), given)
    elif "://" in what:
        found = checks.check(what, assembly.read_edge(given), mode=assembly.read_policy(given).mode)
    elif Path(what).suffix in {".yaml", ".yml", ".json"}:
        found = _envoy(what, _text(Path(what)), given)
    else:
        found = _nginx(Path(what), _text(Path(what)), given)
    if json:
        lines.write({"kind": "finding", **asdict(each)} for each in found)
    else:
        _show(found)
    wrong = sum(each.weight is Weight.WRONG for each in found)
    if wrong:
        raise PolicyError(f"`{what}` breaks {wrong} promises, wanted none", hint="Correct what is said to be wrong.")


def _nginx(file: Path, text: str, given: assembly.Given) -> list[Finding]:
    found = [*checks.check_text(text), *agreed.check_written(file, text)]
    if not assembly.has_edge(given):
        return [*found, agreed.no_edge(given.workspace)]
    policy = assembly.read_policy(given)
    found += agreed.check_mode(str(file), "nginx", agreed.nginx_mode(text), policy)
    return found + agreed.check_push(assembly.read_edge(given), policy)


def _envoy(what: str, text: str, given: assembly.Given) -> list[Finding]:
    found = envoy_checks.check_text(text)
    if not assembly.has_edge(given):
        return [*found, agreed.no_edge(given.workspace)]
    return found + agreed.check_mode(what, "envoy", envoy_checks.mode_of(text), assembly.read_policy(given))


def _show(found: Sequence[Finding]) -> None:
    table = terminal.table("", "where", "found", "do")
    for each in found:
        table.add_row(
            f"[bold red]{each.weight}[/]" if each.weight is Weight.WRONG else each.weight,
            each.where,
            each.found,
            each.hint,
        )
    terminal.page.print(table if found else "Everything is as it should be.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"`{path}` cannot be read ({error}), wanted a URL or a configuration") from error


def _put(texts: Mapping[str, str], secret: frozenset[str], out: Path | None) -> None:
    if out is None:
        for name, text in texts.items():
            if name not in secret:
                typer.echo(f"# {name}\n{text}")
        terminal.say(
            f"Not shown, for they are secret: {', '.join(sorted(secret & set(texts)))}. --out writes them, too."
        )
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        mode = 0o600 if name in secret else 0o644
        fresh = out / f"{name}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w", encoding="utf-8") as file:
            file.write(text)
        # Moved into its place: whoever reads it meanwhile reads the one or the other.
        fresh.replace(out / name)
    terminal.say(f"Wrote {', '.join(sorted(texts))} to {out}.")
