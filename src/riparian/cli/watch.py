"""``riparian watch``: what is new where copies turn up?"""

import contextlib
import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final

import typer

from riparian import assembly
from riparian.cases.case import Case
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.cli.watched import Round, show, show_log, told
from riparian.console import words
from riparian.errors import InputError
from riparian.feeds.letterhead import NAME as LETTERHEAD
from riparian.feeds.letterhead import read_letterhead
from riparian.feeds.mirrors.addresses import name_of
from riparian.feeds.mirrors.polite import PAUSE_S, Visitor
from riparian.feeds.mirrors.reports import read_report
from riparian.feeds.mirrors.sources import hosts_of, source_of
from riparian.flows import casework, founding
from riparian.flows.extraction import Progress
from riparian.flows.founding import FoundFile, Sender
from riparian.flows.matching import match_files
from riparian.flows.watching import DOCUMENTS_MAX, Ears, hear, keep_report, said_to_be, waiting
from riparian.flows.watching import watch as watch_source
from riparian.ports.cases import Docket
from riparian.ports.mirrors import Item, RefusedError, Sighted, Source
from riparian.stores.files import reaching, write_whole
from riparian.stores.grants import NAME as GRANTS
from riparian.stores.sightings import FILES, SqlSightings, watching_alone

app = typer.Typer(pretty_exceptions_enable=False)

FILE_OCTETS_MAX: Final = 512 << 20
_FILE_S: Final = 1_200.0
_PERIOD: Final = re.compile(r"(\d{1,4})(m|h|d)")
_SECONDS: Final = {"m": 60, "h": 3_600, "d": 86_400}
_PAUSE_LEAST_S: Final = 0.5

wait: Callable[[float], object] = time.sleep


@app.command()
def watch(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE...", help="Addresses of http or https, folders, or files that were saved."),
    ] = None,
    permitted_by: Annotated[
        str,
        typer.Option(
            "--permitted-by", metavar="WHO", help='"WHO, WHEN, WHERE WRITTEN": who permits that these sites are asked.'
        ),
    ] = "",
    at: Annotated[str, typer.Option("--at", metavar="URL", help="Where a file that was saved was.")] = "",
    report: Annotated[
        Path | None, typer.Option("--import", metavar="REPORT", help="A vendor's report: CSV or JSON.")
    ] = None,
    vendor: Annotated[str, typer.Option(help="Whose report it is.", show_default="the name of the file")] = "",
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Which column of a report holds a field; repeatable."),
    ] = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Bring the sound that these sites name, and listen.")] = False,
    every: Annotated[str, typer.Option(metavar="TIME", help="Again and again, as in 30m, 1h or 1d.")] = "",
    pause: Annotated[float, typer.Option(metavar="SECONDS", help="Between two questions to one host.")] = PAUSE_S,
    documents: Annotated[
        int, typer.Option(metavar="N", min=1, help="At most so many documents of a source a round.")
    ] = DOCUMENTS_MAX,
    private: Annotated[bool, typer.Option("--private", help="Addresses of private networks may be asked.")] = False,
    open_cases: Annotated[
        bool, typer.Option("--open-cases", help="Open a case from each copy of ours that has an address.")
    ] = False,
    to: Annotated[str, typer.Option("--to", metavar="KEY", help="With --open-cases: whom cases are about.")] = "",
    log: Annotated[bool, typer.Option("--log", help="Tell who was asked when, and who permitted it.")] = False,
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    json: options.Json = False,
) -> None:
    """Tell what is new at sources that you list, and what of yours is in it; nothing is sent by it.

    Only what you list is asked, and only where somebody permits it.  Exit code 1 when nothing is new.
    """
    given = assembly.Given(workspace, policy)
    if log:
        _log(existing(workspace), json=json)
        return
    if not sources and report is None:
        raise InputError("nothing is listed, wanted a source, or a report with --import", hint="Name a folder first.")
    if pause < _PAUSE_LEAST_S and not private:
        raise InputError(f"--pause is {pause:g} s, wanted at least {_PAUSE_LEAST_S} s", hint="Ask for no more.")
    period = _period(every)
    visitor = Visitor(hosts_of(sources or []), max(0.0, pause), private)
    every_one = (source_of(name, permitted_by, visitor, at) for name in sources or [])
    listed = list({source.name: source for source in every_one}.values())
    sender = _sender(workspace, to) if open_cases else None
    with ExitStack() as stack:
        stack.enter_context(watching_alone(workspace))
        sightings = stack.enter_context(contextlib.closing(SqlSightings(workspace)))
        bring = partial(_brought, visitor, workspace / FILES) if fetch else None
        rounds = _imported(sightings, report, vendor, mapping or []) if report is not None else []
        going = _Going(given, sightings, listed, documents, bring, sender)
        new = 0
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                rounds += _round(going)
                _look_up(going, rounds)
                if json:
                    lines.write(told(rounds))
                else:
                    show(rounds)
                for one in rounds:
                    sightings.told(one.watched.source.name)
                    new += one.new
                if not period:
                    break
                rounds = []
                wait(period)
    if not new:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Going:
    """What every round of watching needs.

    Parameters
    ----------
    bring
        Brings a file from elsewhere; None where nothing is fetched.
    sender
        In whose name cases are opened, and about whom; None where none is.
    """

    given: assembly.Given
    sightings: SqlSightings
    sources: Sequence[Source]
    documents: int
    bring: Callable[[Item], Path] | None
    sender: Sender | None


def _round(going: _Going) -> list[Round]:
    clock, sightings = assembly.WallClock(), going.sightings
    begun_us = clock.now_us()
    with terminal.bars() as progress:
        watched = [watch_source(sightings, source, clock, progress, going.documents) for source in going.sources]
        rounds = [Round(one, sightings) for one in watched]
        with _ears(going) as ears:
            if ears is not None:
                for one in rounds:
                    one.heard = hear(sightings, one.watched.source, ears, progress)
                    _open_cases(going, ears, one.watched.source, begun_us, progress)
    return rounds


def _look_up(going: _Going, rounds: Sequence[Round]) -> None:
    """Look up by their codes what sightings are said to be."""
    from riparian.stores.catalogue.file import NAME as CATALOGUE  # noqa: PLC0415 -- the database takes its time to load

    for one in rounds:
        untold = (sighted for sighted, _ in going.sightings.untold(one.watched.source.name))
        coded = [sighted for sighted in untold if sighted.item.isrc or (sighted.item.digest and not sighted.ours)]
        if coded and (going.given.workspace / CATALOGUE).exists():
            with assembly.holdings(going.given) as holdings:
                one.said_to_be = said_to_be(holdings, coded)


@contextlib.contextmanager
def _ears(going: _Going) -> Iterator[Ears | None]:
    """Open what sound is compared with; None where there is nothing to compare, or no prints."""
    is_fetched = going.bring is not None
    some = [source for source in going.sources if waiting(going.sightings, source, fetched=is_fetched)]
    if going.sender is not None:
        some += [source for source in going.sources if going.sightings.unopened(source.name)]
    if not some or not assembly.has_prints(going.given):
        if some:
            terminal.say("Nothing is compared: there are no prints yet, see `riparian prints add`.")
        yield None
        return
    with ExitStack() as stack:
        library = stack.enter_context(assembly.library(going.given))
        has_grants = (going.given.workspace / GRANTS).exists()
        studio = stack.enter_context(assembly.studio(going.given)) if has_grants else None
        yield Ears(library, assembly.read_policy(going.given), studio, going.bring)


def _imported(sightings: SqlSightings, report: Path, vendor: str, mapping: Sequence[str]) -> list[Round]:
    said = {}
    for one in mapping:
        name, is_one, column = one.partition("=")
        if not is_one or not column:
            raise InputError(f"`--map {one[:80]}` was given, wanted FIELD=COLUMN")
        said[name.strip()] = column
    found = read_report(report, said)
    columns = ", ".join(f"{name} from `{column}`" for name, column in found.columns.items())
    terminal.say(f"Read {words.counted(found.rows, 'row')}: {words.visible(columns, longest=400)}.")
    with terminal.bars() as progress:
        name = f"report of {vendor or report.name}"
        watched = keep_report(sightings, name, found.told.items, assembly.WallClock(), progress)
    for fault in found.told.faults:
        watched.fault(str(report), fault)
    return [Round(watched, sightings)]


def _brought(visitor: Visitor, folder: Path, item: Item) -> Path:
    """Bring a file from where it may be fetched; it is there whole, or not at all."""
    ending = PurePosixPath(name_of(item.url)).suffix
    name = hashlib.sha256(item.url.encode()).hexdigest()[:32] + (ending if ending[1:9].isalnum() else "")[:9]

    def filled(file: Any) -> None:
        got = visitor.get(item.url, most=FILE_OCTETS_MAX, into=file.write, whole_s=_FILE_S)
        if got.why_cut:
            raise RefusedError(got.why_cut)

    with reaching("keeping a file that was fetched"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(folder / name, filled)
    return folder / name


def _sender(workspace: Path, to: str) -> Sender:
    if not to:
        raise InputError("--open-cases was given alone, wanted whom cases are about", hint="Add --to KEY.")
    head = read_letterhead(workspace / LETTERHEAD)
    return Sender(head.owner, head.complainant, head.addressee(to), head.authority, head.public_domain)


def _open_cases(going: _Going, ears: Ears, source: Source, begun_us: int, progress: Progress) -> None:
    """Open a case from each copy of ours that has an address, if it was asked for; where one speaks of it, that one."""
    if going.sender is None:
        return
    todo = [one for one in going.sightings.unopened(source.name) if "://" in one.item.url and one.file]
    with assembly.docket(going.given) as docket, assembly.holdings(going.given) as holdings:
        for n, one in enumerate(todo, 1):
            known = [case for case in casework.every(docket) if _speaks_of(case, one)]
            if known:
                going.sightings.update(one.number, case=known[0].key)
                continue
            library, terms = ears.library, ears.policy
            (looked,) = match_files(library, library.find([one.file]), terms).looked
            copies, by = looked.copies(terms), f"riparian watch {source.name}"
            into = _of_site(docket, going.sightings, source)
            # Whatever this round has brought from there, is there.
            live = True if Path(one.file).stat().st_mtime_ns // 1000 >= begun_us else None
            found = FoundFile(Path(one.file), looked, copies, one.item.url, live, by, into)
            case = founding.open_found(docket, holdings, found, going.sender, None)
            going.sightings.update(one.number, case=case.key)
            progress("opening cases", n, len(todo))


def _of_site(docket: Docket, sightings: SqlSightings, source: Source) -> str:
    """Give the open case that what was found at a site before is in; empty where there is none, or it is no site."""
    cases = sightings.cases_of(source.name) if source.host else []
    return next((key for key in cases if casework.read(docket, key).is_open), "")


def _speaks_of(case: Case, one: Sighted) -> bool:
    return any(place.url == one.item.url for place in case.facts.locations)


def _log(workspace: Path, *, json: bool) -> None:
    with contextlib.closing(SqlSightings(workspace)) as sightings:
        log = sightings.log()
    if json:
        lines.write({"kind": "watched", **one} for one in log)
    elif log:
        show_log(log)
    if not log:
        raise typer.Exit(1)


def _period(text: str) -> int:
    if not text:
        return 0
    found = _PERIOD.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise InputError(f"--every is `{text[:20]}`, wanted a time as in 30m, 1h or 1d")
    return int(found[1]) * _SECONDS[found[2]]
