"""``riparian mark``: a copy for each recipient, each with a mark that says whose it is."""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from typer.core import TyperGroup

from riparian import assembly
from riparian.audio.forms import SUFFIXES, Form
from riparian.cli import lines, options, terminal, variants
from riparian.cli.explain import existing
from riparian.console import words
from riparian.errors import InputError
from riparian.feeds.recipients import day, read_recipients
from riparian.flows.deliver import (
    Delivered,
    Master,
    Order,
    Recipient,
    Wanted,
    deliver,
    is_among,
    masters,
)
from riparian.flows.extraction import Progress as Told
from riparian.flows.ingest import ingest
from riparian.gate.policy import Policy
from riparian.marks.grants import Fitted
from riparian.ports import Studio
from riparian.stores import parcels

_WORKERS_MAX: Final = 8
_SHOWN: Final = 40
_PLAIN: Final = re.compile(r"(?!.*\.zip$|.*-[0-9a-f]{16}$)[\w@+-][\w@.+-]{0,99}", re.IGNORECASE)
"""A recipient whose folder goes by its name: no name that is one of ours, or of an archive."""
_ENDINGS: Final = {suffix: form for form, suffix in SUFFIXES.items() if form is not Form.ALAC}
"""Forms by the ending of a file's name; ``.m4a`` is AAC."""


class _Marks(TyperGroup):
    """``riparian mark FILE`` is ``riparian mark issue FILE``."""

    default = "issue"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in {"-h", "--help"}:
            args = [self.default, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Marks,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Make copies, or renditions, that say whom they were issued to; check the ledger of what was issued."
    "\n\n`riparian mark FILE --to WHO -o OUT` is `riparian mark issue`.",
)


@app.command()
def issue(
    files: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER...", help="Masters: sound files, or folders.")],
    to: Annotated[
        str, typer.Option(metavar="WHO|FILE.csv", help="One recipient, or a table: recipient, embargo, note.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="A file, or a folder; of a table, a folder a recipient.")],
    recording: Annotated[
        str | None, typer.Option(help="What one file is a recording of.", show_default="the name of the file")
    ] = None,
    format_: Annotated[
        Form | None, typer.Option("--format", help="How copies are written.", show_default="as the master")
    ] = None,
    bit_rate: Annotated[
        int, typer.Option("--bit-rate", metavar="KBPS", help="Of copies that are not lossless; 0 for the master's.")
    ] = 0,
    embargo: Annotated[str, typer.Option(metavar="DAY", help="The day before which nothing may be published.")] = "",
    note: Annotated[str, typer.Option(help="To remember; kept encrypted, and erased with the recipient.")] = "",
    zip_: Annotated[bool, typer.Option("--zip", help="One zip archive a recipient, in the place of a folder.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also make copies of what cannot carry a mark that survives.")
    ] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes at once; 0 for one a core.")] = 0,
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    json: options.Json = False,
) -> None:
    """Make a copy for each recipient, with a mark that says whose it is, and enter it in the ledger."""
    recipients = _recipients(to, embargo, note)
    _require_apart(recipients)
    given = assembly.Given(workspace, policy)
    if zip_ and not _is_table(to):
        raise InputError("`--zip` beside one recipient, wanted a table of them", hint="Name a FILE.csv with --to.")
    at_once = workers or min(_WORKERS_MAX, os.cpu_count() or 1)
    run = _Run(Wanted(format_ or _form_of(out, files), 1000 * bit_rate), out, zip_, at_once)
    with assembly.studio(given, workers=at_once) as studio:
        found = masters(studio, files, recording)
        orders = list(_orders(found, files, recipients, out, is_table=_is_table(to)))
        with terminal.bars() as progress:
            fitted = _fitted(studio, found, run.wanted, assembly.read_policy(given), progress)
            weak = [master.recording for master in found if not fitted[master.digest].carries]
            _tell_weak(weak, anyway=anyway)
            sent = _delivered(studio, orders, fitted, run, progress)
    if json:
        lines.write(_told(one) for one in sent)
    else:
        _show(sent)


@app.command()
def verify(
    head: Annotated[str, typer.Option(metavar="DIGEST", help="The end of the ledger as you remember it.")] = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Check that no entry of the ledger was altered, taken out or put in; print its end, to be kept elsewhere."""
    with assembly.studio(assembly.Given(existing(workspace))) as studio:
        n, last = studio.grants.verify(head)
    if json:
        lines.write([{"kind": "ledger", "entries": n, "head": last}])
        return
    typer.echo(f"The ledger is sound: {words.counted(n, 'entry', 'entries')}, ending in")
    typer.echo(last)
    if not n:
        raise typer.Exit(1)


app.command("variants")(variants.variants)
app.command("plan")(variants.plan_)


def _is_table(to: str) -> bool:
    return to.lower().endswith(".csv")


def _recipients(to: str, embargo: str, note: str) -> list[Recipient]:
    if not _is_table(to):
        if not to.strip():
            raise InputError("`--to` is empty, wanted a recipient", hint="Write whom the copy is for.")
        return [Recipient(to.strip(), day(embargo, "--embargo"), note)]
    if embargo or note:
        raise InputError("`--embargo` or `--note` beside a table, wanted them in its columns")
    return [Recipient(*row) for row in read_recipients(Path(to))]


def _form_of(out: Path, files: Sequence[Path]) -> Form | None:
    # A name such as promo.mp3 says in which form it is wanted; a master's own ending asks for no other form.
    suffix = out.suffix.lower()
    return None if out.is_dir() or any(file.suffix.lower() == suffix for file in files) else _ENDINGS.get(suffix)


def _orders(
    found: Sequence[Master], files: Sequence[Path], recipients: Sequence[Recipient], out: Path, *, is_table: bool
) -> Iterator[Order]:
    is_file = not is_table and len(found) == 1 and out.suffix.lower() in _ENDINGS and not out.is_dir()
    if not is_file and out.suffix.lower() in _ENDINGS and not out.is_dir():
        raise InputError(f"`--out {out}` is one file, wanted a folder for {len(found) * len(recipients)} of them")
    if is_file:
        yield Order(found[0], recipients[0], out.with_suffix(""), out.suffix)
        return
    for recipient in recipients:
        folder = out / _folder(recipient.account) if is_table else out
        for master in found:
            yield Order(master, recipient, folder / _place(master.path, files), master.path.suffix)


def _place(path: Path, files: Sequence[Path]) -> Path:
    root = next((file for file in files if file.is_dir() and path.is_relative_to(file)), path.parent)
    return path.relative_to(root).with_suffix("")


def _folder(account: str) -> str:
    """Name a recipient's folder, and its archive but for ``.zip``: by its name where that can be one.

    No other account has it, nor its archive, whoever else is in the table; but for those that only capitals tell apart.
    """
    if _PLAIN.fullmatch(account):
        return account
    plain = re.sub(r"[^\w@+.-]", "_", account)[:80].lstrip(".")
    return f"{plain}-{hashlib.sha256(account.encode()).hexdigest()[:16]}"


def _require_apart(recipients: Sequence[Recipient]) -> None:
    """Refuse two recipients who would share a folder where capitals do not count."""
    by_folder: dict[str, str] = {}
    for one in recipients:
        other = by_folder.setdefault(_folder(one.account).casefold(), one.account)
        if other != one.account:
            raise InputError(
                f"`{words.visible(other)}` and `{words.visible(one.account)}` would have one folder, wanted recipients"
                " that differ in more than capitals",
                hint="Give one of them another name, or mark for them in two calls.",
            )


def _fitted(
    studio: Studio, found: Sequence[Master], wanted: Wanted, policy: Policy, progress: Told
) -> dict[str, Fitted]:
    fitted: dict[str, Fitted] = {}
    progress("trying masters", 0, len(found))
    for n, (master, one) in enumerate(ingest(studio, found, wanted, policy), start=1):
        fitted[master.digest] = one
        progress("trying masters", n, len(found))
    return fitted


def _tell_weak(weak: Sequence[str], *, anyway: bool) -> None:
    if not weak:
        return
    named = ", ".join(f"`{words.visible(name)}`" for name in weak[:5]) + (" and more" if len(weak) > 5 else "")
    if not anyway:
        raise InputError(
            f"{named} cannot carry a mark that survives an MP3 of 64 kbit/s, wanted longer or fuller sound",
            hint="Leave it out, or add --anyway: then it counts only together with the rest of an album.",
        )
    terminal.say(f"{named} cannot carry a mark that survives by itself.")


def _delivered(
    studio: Studio, orders: Sequence[Order], fitted: dict[str, Fitted], run: "_Run", progress: Told
) -> list[Delivered]:
    """Make what is not there yet; with --zip, a recipient whose archive holds every copy is left as it is."""
    strengths = {digest: one.strength for digest, one in fitted.items()}
    there = run.packed(studio, orders)
    left = [order for order in orders if order.recipient.account not in there]
    sent = [Delivered(order, there[order.recipient.account], anew=False) for order in orders if order not in left]
    progress("making copies", len(sent), len(orders))
    for one in deliver(studio, left, strengths, run.wanted, workers=run.workers):
        sent.append(one)
        progress("making copies", len(sent), len(orders))
    return [run.pack(one) for one in sent] if run.zips else sent


@dataclass(frozen=True, slots=True)
class _Run:
    """What was asked for, besides masters and recipients."""

    wanted: Wanted
    out: Path
    zips: bool
    workers: int

    def parcel(self, account: str) -> Path:
        return self.out / f"{_folder(account)}.zip"

    def packed(self, studio: Studio, orders: Sequence[Order]) -> dict[str, Path]:
        """Find the recipients whose archive holds everything already."""
        if not self.zips:
            return {}
        accounts = {order.recipient.account: self.parcel(order.recipient.account) for order in orders}
        held = {account: parcels.digests(parcel) for account, parcel in accounts.items()}
        lacking = {
            order.recipient.account
            for order in orders
            if not is_among(studio, order, self.wanted, held[order.recipient.account])
        }
        return {account: parcel for account, parcel in accounts.items() if account not in lacking}

    def pack(self, one: Delivered) -> Delivered:
        """Put the folder of a recipient into its archive, once all of it is there."""
        account = one.order.recipient.account
        parcel, folder = self.parcel(account), self.out / _folder(account)
        if folder.is_dir():
            parcels.pack(folder, parcel)
        return Delivered(one.order, parcel, one.anew)


def _told(one: Delivered) -> dict[str, Any]:
    to, master = one.order.recipient, one.order.master
    return {
        "kind": "grant",
        "recipient": to.account,
        "recording": master.recording,
        "path": str(one.path),
        "embargo": to.embargo or None,
        "anew": one.anew,
    }


def _show(sent: Sequence[Delivered]) -> None:
    table = terminal.table("recipient", "recordings", "new", "where", right=("recordings", "new"))
    by_account: dict[str, list[Delivered]] = {}
    for one in sent:
        by_account.setdefault(one.order.recipient.account, []).append(one)
    for account, own in list(by_account.items())[:_SHOWN]:
        where = own[0].path if len({one.path for one in own}) == 1 else Path(os.path.commonpath([o.path for o in own]))
        new = sum(one.anew for one in own)
        table.add_row(escape(words.visible(account)), str(len(own)), str(new), escape(words.visible(str(where))))
    terminal.page.print(table)
    if len(by_account) > _SHOWN:
        terminal.page.print(f"and {len(by_account) - _SHOWN:,} more recipients")
