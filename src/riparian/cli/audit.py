"""``riparian audit``: do the laws hold on accounts believed honest?"""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import typer
from rich.markup import escape

from riparian import assembly
from riparian.accounts.people import BETS, LADDERS
from riparian.cli import lines, options, terminal
from riparian.cli.scan import reading
from riparian.codes import codes_of
from riparian.console import words
from riparian.errors import InputError
from riparian.flows.audit import Audit, audit
from riparian.flows.extraction import scan
from riparian.flows.lines import names_of
from riparian.ports import World

SUSPENDABLE = {*BETS, *LADDERS}

app = typer.Typer(pretty_exceptions_enable=False)


@app.command("audit")
def check(
    logs: Annotated[
        list[str] | None, typer.Argument(help="Logs to scan first; without any, the workspace as it is.")
    ] = None,
    honest: Annotated[Path | None, typer.Option(help="Accounts believed honest, one a line.")] = None,
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    people: options.People = None,
    catalogue: options.Catalogue = None,
    accounts: options.Accounts = None,
    format_: options.Format = "auto",
    map_: options.Map = None,
    json: options.Json = False,
) -> None:
    """Check every bet on accounts believed honest; exit code 1 when a law is broken."""
    names = _names(honest) if honest is not None else None
    with assembly.house(assembly.Given(workspace, policy, people, catalogue, accounts)) as house:
        if logs:
            with terminal.bars() as progress:
                scan(house.world, assembly.chunks(house, logs, reading(format_, map_)), house.terms, progress=progress)
        known = house.terms.known
        codes = known.codes[known.honest]
        if names is not None:
            codes = np.unique(codes_of(pa.array(names, pa.string()), house.world.vault.key))
        found = audit(house.world, house.terms, codes)
        told = _lines(house.world, found)
    unseen = len(codes) - found.bets[0].accounts
    if names is not None and unseen:
        terminal.say(f"{unseen:,} of {len(codes):,} accounts in {honest} are in no scan, and were left out.")
    if json:
        lines.write(told)
    else:
        _show(told)
    raise typer.Exit(0 if found.holds else 1)


def _names(path: Path) -> list[str]:
    try:
        written = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"`{path}` cannot be read: {error.strerror}, wanted a file with an account a line", hint="Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"`{path}` is no UTF-8 text, wanted a file with an account a line", hint="Write it as UTF-8."
        ) from error
    return [line.strip() for line in written.splitlines() if line.strip()]


def _lines(world: World, found: Audit) -> list[dict[str, Any]]:
    worst = names_of(world, [bet.worst for bet in found.bets])
    bets = [
        {
            "kind": "bet", "bet": b.bet, "accounts": b.accounts, "mean": b.mean, "mean_max": b.mean_max,
            "refuted_bits": b.refuted_bits, "worst": name, "worst_bits": b.worst_bits, "holds": b.holds,
        }
        for b, name in zip(found.bets, worst, strict=True)
    ]  # fmt: skip
    return [*bets, *({"kind": "rung", "rung": name, **rung} for name, rung in found.ladder.items())]


def _show(told: list[dict[str, Any]]) -> None:
    bets = terminal.table(
        "bet",
        "accounts",
        "mean",
        "at most",
        "worst account",
        "bits",
        "holds",
        right=("accounts", "mean", "at most", "bits"),
    )
    rungs = terminal.table(
        "rung",
        "bits",
        "declared",
        "certified",
        "honest above",
        "holds",
        right=("bits", "declared", "certified", "honest above"),
    )
    for row in told:
        holds = "yes" if row["holds"] else "[bold red]NO[/]"
        if row["kind"] == "bet":
            bets.add_row(
                row["bet"],
                f"{row['accounts']:,}",
                f"{row['mean']:.3f}",
                f"{row['mean_max']:.3f}",
                escape(words.visible(row["worst"])),
                f"{row['worst_bits']:.1f}",
                holds,
            )
        else:
            rungs.add_row(
                row["rung"].replace("_", " "),
                f"{row['bits']:.1f}",
                f"{row['declared']:.1e}",
                f"{row['certified']:.1e}",
                str(row["honest_above"]),
                holds,
            )
    terminal.page.print(bets)
    terminal.page.print(rungs)
    failed = [row["bet"] for row in told if row["kind"] == "bet" and not row["holds"] and row["bet"] in SUSPENDABLE]
    if failed:
        terminal.say(f"Suspend what fails: put suspended = {failed} into a people file and scan again with --people.")
