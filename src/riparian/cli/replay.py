"""``riparian replay``: a policy against copiers that adapt: what leaks, what it costs them, and whom it hurts."""

import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from riparian import assembly
from riparian.assembly import rehearsed
from riparian.cli import exercising, lines, options, terminal
from riparian.console.exercise import page
from riparian.errors import InputError, PolicyError
from riparian.flows import reckoning
from riparian.flows.lines import written
from riparian.sim.exercises import Exercise, find_exercise, parse_exercise
from riparian.sim.strategies import BUILT_IN

app = typer.Typer(pretty_exceptions_enable=False)


@app.command("replay")
def replay(
    exercise: Annotated[
        str, typer.Argument(help="default, the name of one built-in strategy, or a TOML file.")
    ] = "default",
    seed: Annotated[int, typer.Option(help="The same seed, the same exercise.")] = 1,
    days: Annotated[int | None, typer.Option(help="Days on which copiers are at work.", min=1)] = None,
    listeners: Annotated[int | None, typer.Option(help="Listeners in the town.", min=1)] = None,
    search: Annotated[int, typer.Option(help="Plans that a search for the cheapest may try; 0 for none.", min=0)] = 60,
    report: Annotated[Path | None, typer.Option(help="Write a page with the tables and the picture.")] = None,
    people: options.People = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Rehearse the contest: copiers that adapt against a policy, in a simulated town.  It makes no requests."""
    chosen = _read(exercise, days, listeners)
    declared = assembly.read_people(assembly.Given(people=people))
    with terminal.bars() as progress:
        done = exercising.run(chosen, declared, seed=seed, plans=search, progress=progress)
    kept = _kept(workspace, exercise, chosen, done.lines, seed=seed, plans=search)
    if json:
        lines.write(line for line in done.lines)
    else:
        _show(done.lines)
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(page(done.lines, chosen.name, chosen.policy, chosen.prices, chosen.days), encoding="utf-8")
        terminal.say(f"The report is {report}")
    if kept:
        terminal.say(f"It is kept in {workspace / rehearsed.NAME}, for the page Exercise of the console.")


def _kept(workspace: Path, name: str, chosen: Exercise, told: list[dict[str, Any]], *, seed: int, plans: int) -> bool:
    facts = {
        "kind": "exercise",
        "name": name,
        "at": written(assembly.WallClock().now_us()),
        "seed": seed,
        "days": chosen.days,
        "listeners": chosen.listeners,
        "plans": plans,
        "policy": asdict(chosen.policy),
        "prices": asdict(chosen.prices),
        "lines": told,
        "sentences": reckoning.sentences(told),
    }
    return rehearsed.keep_exercise(workspace, facts)


def _read(name: str, days: int | None, listeners: int | None) -> Exercise:
    found = find_exercise(name)
    if found is None:
        path = Path(name)
        if not path.exists():
            known = ", ".join(["default", *(strategy.name for strategy in BUILT_IN)])
            raise InputError(f"no exercise is called `{name}`, wanted one of {known}, or a TOML file")
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise PolicyError(f"`{path}` is no TOML: {error}, wanted lines of key = value") from error
        except OSError as error:
            raise InputError(f"`{path}` cannot be read: {error.strerror}, wanted a TOML file") from error
        found = parse_exercise(given, name=path.stem)
    return replace(
        found,
        days=found.days if days is None else days,
        listeners=found.listeners if listeners is None else listeners,
    )


def _show(told: list[dict[str, Any]]) -> None:
    _show_strategies([line for line in told if line["kind"] in ("strategy", "best")])
    _show_targets([line for line in told if line["kind"] in ("limit", "best")])
    for sentence in reckoning.sentences(told):
        terminal.page.print(sentence, markup=False)


def _show_strategies(told: list[dict[str, Any]]) -> None:
    numbers = ("opened", "held", "got", "of plays", "USD/1,000", "x limit")
    table = terminal.table("strategy", "kind", *numbers, right=numbers)
    for line in told:
        low, high = line["plays_share"]
        table.add_row(
            escape(reckoning.name_of(line)),
            line["accounts_are"],
            f"{line['opened']:,}",
            f"{line['held']:,}",
            f"{line['recordings']:,}",
            f"{low:.1%}" if round(low, 3) == round(high, 3) else f"{low:.0%}-{high:.0%}",
            f"{line['usd_per_1000']:,.2f}",
            f"{line['times_limit']:.1f}",
        )
    terminal.page.print(table)
    terminal.page.print()


def _show_targets(told: list[dict[str, Any]]) -> None:
    columns = ("1 %, USD", "half, USD", "all, USD", "years")
    table = terminal.table("of 86 M recordings", "kind", *columns, right=columns)
    for line in told:
        targets = line["targets"]
        name = f"limit of {line['per_day']:g} a day" if line["kind"] == "limit" else reckoning.name_of(line)
        table.add_row(
            name,
            line["accounts_are"],
            *(f"{targets[target]['usd']:,.0f}" for target in ("one_percent", "half", "everything")),
            f"{targets['everything']['account_years']:,.0f}",
        )
    terminal.page.print(table)
    terminal.page.print()
