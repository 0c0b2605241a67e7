"""``riparian terms``: who may do what with what you hold, said in every form, and proven."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from riparian import assembly
from riparian.assembly import StoppedClock
from riparian.catalogue import chain
from riparian.catalogue.channels.emit import Layout
from riparian.catalogue.consent import Asked
from riparian.catalogue.terms import Says, Scope, Term, Use
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.cli.reserved import given_certificate, site_of, tell_checked, tell_decided, tell_rows, told_entry
from riparian.console import words
from riparian.errors import InputError
from riparian.feeds.manifests import seal as put_into
from riparian.flows import reserving
from riparian.flows.lines import written as moment
from riparian.stores.terms_keys import CHAIN

_SHOWN: Final = 40

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Say who may do what with your recordings; write it for machines, check a site, prove it later.",
)

Recording = Annotated[list[str] | None, typer.Option("--recording", help="A recording; repeatable.")]
Label = Annotated[list[str] | None, typer.Option("--label", help="All recordings of a label; repeatable.")]
Everything = Annotated[bool, typer.Option("--all", help="Everything that you hold, now and later.")]
Source = Annotated[str, typer.Option("--document", help="Which document says so: a contract, a letter, a policy.")]
To = Annotated[str, typer.Option("--to", metavar="GRANTEE", help="To whom it is said.", show_default="anybody")]
Use_ = Annotated[Use | None, typer.Option("--use", help="One use alone.", show_default="all")]
In = Annotated[str, typer.Option("--in", metavar="COUNTRY", help="As in DE.", show_default="everywhere")]
On = Annotated[str, typer.Option("--on", metavar="DATE", help="When it is done.", show_default="now")]
Paths = Annotated[
    str,
    typer.Option("--path", metavar="PATH", help="Where a recording is on the site, as in /tracks/{recording}."),
]
Trust = Annotated[
    Path | None, typer.Option("--trust", metavar="FILE.pem", help="Certificates that vouch for whoever signs sound.")
]


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Within what a row speaks."""

    territories: str
    except_in: str
    begins: str
    ends: str


@app.command()
def add(
    says: Annotated[Says, typer.Argument(help="Whether it is permitted or reserved.")],
    uses: Annotated[list[Use], typer.Argument(metavar="USE...", help="stream, download, train, mine, infer, search.")],
    document: Source,
    recording: Recording = None,
    label: Label = None,
    everything: Everything = False,
    territories: Annotated[
        str, typer.Option("--in", metavar="COUNTRIES", help='As in "DE FR".', show_default="everywhere")
    ] = "",
    except_in: Annotated[str, typer.Option("--except-in", metavar="COUNTRIES", help="Everywhere but there.")] = "",
    begins: Annotated[
        str, typer.Option("--from", metavar="DATE", help="From this day on.", show_default="always")
    ] = "",
    ends: Annotated[str, typer.Option("--until", metavar="DATE", help="Until the day before this one.")] = "",
    to: To = "",
    conditions: Annotated[
        str, typer.Option(help="What a permission asks for, or where a reserved use may be had.")
    ] = "",
    holder: Annotated[str, typer.Option(help="Who says it.")] = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Enter what a document says; what nobody permits is reserved without being entered."""
    about = [(Scope.RECORDING, one) for one in recording or ()] + [(Scope.LABEL, one) for one in label or ()]
    about += [(Scope.ALL, "")] if everything else []
    if not about:
        raise InputError(
            "nothing is named that it is about, wanted --recording, --label or --all",
            hint="Name a recording as the catalogue does.",
        )
    if not document.strip():
        raise InputError(
            "`--document` is empty, wanted the name of a document", hint="Name the contract or the letter."
        )
    bounds = _Bounds(territories, except_in, begins, ends)
    rows = [
        _within(Term(scope, name, use, says, document, grantee=to, conditions=conditions, holder=holder), bounds)
        for scope, name in about
        for use in uses
    ]
    with assembly.terms_office(assembly.Given(workspace)) as office:
        entered = reserving.enter(office, rows)
    tell_rows(entered, json)


@app.command("take-back")
def take_back(
    digest: Annotated[str, typer.Argument(help="The digest of the row, or its beginning, as show tells it.")],
    document: Source,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Take a row back; it stays in the ledger, and so does when it held."""
    with assembly.terms_office(assembly.Given(existing(workspace))) as office:
        row = reserving.take_back(office, digest, document)
    tell_rows([row], json)


@app.command()
def show(
    recording: Annotated[str, typer.Option(help="A recording, as the catalogue names it.")] = "",
    label: Annotated[str, typer.Option(help="A label.")] = "",
    use: Use_ = None,
    country: In = "",
    to: To = "",
    on: On = "",
    as_of: Annotated[str, typer.Option("--as-of", metavar="DATE", help="As far as was stated by then.")] = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Say what may be done, and which document says so."""
    known_us = _us(as_of)
    with assembly.terms_office(assembly.Given(existing(workspace))) as office:
        at_us = _us(on)
        asked = Asked(
            Use.STREAM, at_us if at_us is not None else office.clock.now_us(), recording, label, country, to, known_us
        )
        if recording and not label:
            asked = replace(asked, label=office.labels().get(recording, ""))
        ledger = office.ledger()
    tell_decided(ledger, asked, use, json)


@app.command()
def emit(
    site: Annotated[str, typer.Option(metavar="ORIGIN", help="The site, as in https://music.example.")],
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the files are written.")],
    path: Paths = "",
    holder: Annotated[str, typer.Option(help="Whose the recordings are.")] = "",
    contact: Annotated[str, typer.Option(help="Whom to ask: an address of mail, or of a page.")] = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Write what holds for anybody as a site shows it: robots.txt, TDMRep, RSL, ai.txt, headers, assertions."""
    layout = Layout(_origin(site), path)
    with assembly.terms_office(assembly.Given(existing(workspace))) as office:
        made = reserving.emission(office, layout, holder=holder, contact=contact)
    for name, text in made.written.files.items():
        file = to / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    of = made.written
    told = {
        "kind": "emitted",
        "folder": str(to),
        "files": sorted(of.files),
        "recordings": of.recordings,
        "left_out": of.left_out,
        "is_strictest": of.is_strictest,
        "changes": moment(made.changes_us) if made.changes_us is not None else None,
    }
    if json:
        lines.write([told])
        return
    terminal.page.print(f"{words.counted(len(of.files), 'file')} in {escape(str(to))}: {', '.join(sorted(of.files))}")
    if of.recordings:
        terminal.page.print(f"{words.counted(of.recordings, 'recording')} with rules of their own.")
    if of.is_strictest:
        terminal.say(
            "Everything says the strictest that is decided of any recording: robots.txt has no room for so many"
            " exceptions, or no --path says where recordings are."
        )
    elif of.left_out:
        terminal.say(
            f"{of.left_out:,} recordings of which more is permitted are not told apart: no room, or no --path."
        )
    if made.changes_us is not None:
        terminal.say(f"Write them again before {moment(made.changes_us)}: what holds changes then.")


@app.command()
def seal(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Sound of one recording: MP3, WAV, FLAC, M4A.")
    ],
    recording: Annotated[str, typer.Option(help="Which one, as the catalogue names it.")],
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the sealed copies are written.")],
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE.pem", help="Yours for C2PA, its issuers behind it.")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE.pem", help="The certificate's key.")] = None,
    algorithm: Annotated[str, typer.Option(help="es256, es384, es512, ps256, ps384, ps512 or ed25519.")] = "es256",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Put what is decided into sound files, signed: CAWG's assertion about training and mining, in a manifest of C2PA.

    New tags make it invalid, and copying the stream into another file leaves it behind: seal what is delivered, last.
    """
    with assembly.terms_office(assembly.Given(existing(workspace))) as office:
        said = reserving.assertion(office, recording)
    own = given_certificate(workspace, certificate, key, algorithm)
    to.mkdir(parents=True, exist_ok=True)
    told = []
    for file in files:
        out = to / file.name
        if out.exists():
            raise InputError(f"`{out}` is there already, wanted a new file", hint="Name another folder.")
        out.write_bytes(put_into(file, said, chain=own.chain, key=own.key, algorithm=own.algorithm))
        told.append({"kind": "sealed", "file": str(out), "recording": recording, "trusted": certificate is not None})
    if json:
        lines.write(told)
        return
    terminal.page.print(f"{words.counted(len(told), 'file')} sealed, in {escape(str(to))}.")
    if certificate is None:
        terminal.say("Signed with a certificate that this workspace made for itself: every reader calls it untrusted.")


@app.command()
def check(
    site: Annotated[str, typer.Argument(metavar="FOLDER|URL", help="A copy of a site, or the address of your own.")],
    permitted_by: Annotated[
        str, typer.Option("--permitted-by", metavar="WHO", help="Who permits that the site is asked; needed for a URL.")
    ] = "",
    page: Annotated[
        list[str] | None, typer.Option("--page", metavar="PATH", help="A page or sound to ask for; repeatable.")
    ] = None,
    path: Paths = "",
    trust: Trust = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Look for reservations on a site that contradict each other, or, with --path, the ledger.

    Exit code 1 when there are any.
    """
    is_address = "://" in site
    if is_address and not permitted_by.strip():
        raise InputError(
            f"`{site}` is an address, wanted who permits that it is asked",
            hint="Name them with --permitted-by, or check a copy in a folder.",
        )
    shown = site_of(site, page or [], trust)
    if path:
        with assembly.terms_office(assembly.Given(existing(workspace))) as office:
            found = reserving.compare(office, shown.site, Layout(_origin(site) if is_address else "", path))
    else:
        found = reserving.compare(None, shown.site, None)
    found = replace(found, faults=(*shown.faults, *found.faults))
    tell_checked(found, json, permitted_by)
    if found.contradictions:
        raise typer.Exit(1)


@app.command()
def snapshot(
    site: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="What the site shows today, as emit wrote it.")
    ] = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Put the ledger as it is today into the signed chain; do so every day, and publish the head."""
    shown = {}
    if site is not None:
        if not site.is_dir():
            raise InputError(f"`{site}` is no folder, wanted what emit wrote", hint="Check the path.")
        shown = {
            file.relative_to(site).as_posix(): file.read_bytes() for file in sorted(site.rglob("*")) if file.is_file()
        }
    with assembly.terms_office(assembly.Given(existing(workspace))) as office:
        entry, head = reserving.snapshot(office, shown)
    told = {"kind": "entry", **told_entry(entry), "head": head, "file": str(workspace / CHAIN)}
    if json:
        lines.write([told])
        return
    terminal.page.print(
        f"Entry {entry.number} of {entry.day[:16]}: {len(entry.added):,} rows added, {entry.rows:,} altogether."
    )
    terminal.page.print(f"Head {head}")
    terminal.say("Publish or deposit the head where others date it: that proves the day, and that nothing is missing.")


@app.command()
def verify(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A chain of terms: the workspace's, or one you were given.")
    ],
    key: Annotated[str, typer.Option(help="The public key that you know to be the signer's.")] = "",
    head: Annotated[str, typer.Option(help="A head that you were told, or that was published.")] = "",
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="What was reserved then.", show_default="now")] = "",
    recording: Annotated[str, typer.Option(help="A recording, as the chain names it.")] = "",
    label: Annotated[str, typer.Option(help="A label.")] = "",
    use: Use_ = None,
    country: In = "",
    json: options.Json = False,
) -> None:
    """Verify a chain with nothing but the file, and say what was reserved on a day; needs no workspace."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"`{file}` cannot be read: {error.strerror}, wanted a chain of terms") from error
    found = chain.verified(data, key=key.strip().lower(), head=head.strip().lower())
    if not found.entries:
        raise InputError(
            f"`{file}` has no entry, wanted a chain of terms", hint="Begin it with `riparian terms snapshot`."
        )
    at_us = _us(on)
    last = found.entries[-1] if at_us is None else found.at(at_us)
    if last is None:
        raise InputError(f"the chain begins on {found.entries[0].day[:10]}, wanted a later day", hint="Change --on.")
    at_us = last.at_us if at_us is None else at_us
    if json:
        lines.write(
            [
                {
                    "kind": "chain",
                    "entries": len(found.entries),
                    "head": found.head,
                    "key_given": bool(key),
                    **told_entry(last),
                }
            ]
        )
    else:
        terminal.page.print(f"{words.counted(len(found.entries), 'entry', 'entries')}, every one as it was signed.")
        terminal.page.print(f"On {moment(at_us)[:10]}: entry {last.number} of {last.day[:16]}, {last.rows:,} rows.")
        if not key:
            terminal.say(
                f"Signed by the key {last.key}: the file does not say whose that is; ask them, and give --key."
            )
    tell_decided(found.ledger(at_us), Asked(Use.STREAM, at_us, recording, label, country), use, json)


def _within(term: Term, bounds: _Bounds) -> Term:
    return replace(
        term,
        territories=_countries(bounds.territories),
        except_in=_countries(bounds.except_in),
        begins_us=_us(bounds.begins),
        ends_us=_us(bounds.ends),
    )


def _countries(text: str) -> frozenset[str]:
    found = text.replace(",", " ").upper().split()
    strange = next((one for one in found if len(one) != 2 or not (one.isascii() and one.isalpha())), None)
    if strange is not None:
        raise InputError(f"`{strange}` is no country, wanted two letters of ISO 3166", hint='Write them as in "DE FR".')
    return frozenset(found)


def _us(text: str) -> int | None:
    return StoppedClock.at(text).now_us() if text else None


def _origin(site: str) -> str:
    scheme, separator, rest = site.partition("://")
    host = rest.partition("/")[0]
    if scheme not in {"http", "https"} or not separator or not host or "@" in host:
        raise InputError(f"`{site}` is no site, wanted one as in https://music.example")
    return f"{scheme}://{host}"
