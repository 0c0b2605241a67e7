"""Verbs of ``riparian case`` for evidence: keep it, put a time on it, check all of it, hand it on."""

import json as writing
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from riparian import assembly
from riparian.cases import redaction
from riparian.cases.bundle import LOG, Opened, opened
from riparian.cases.custody import Examined
from riparian.cases.events import Proposed
from riparian.cases.facts import Layer, Location
from riparian.cases.plain import moment, plain
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.errors import CustodyError, InputError, OutsideError
from riparian.feeds.brought import Brought, brought
from riparian.feeds.capture import capture
from riparian.flows import bundling, casework, keeping
from riparian.flows.bundling import Wanted
from riparian.flows.keeping import Page, Verified
from riparian.ports.cases import Docket
from riparian.stores.bundles import Bundle, write_bundle
from riparian.stores.files import reaching, write_whole

_SHOWN: Final = 40
_PEM_MAX: Final = 1 << 20
_SHA256: Final = 64

Key = Annotated[str, typer.Argument(metavar="CASE", help="As in C1.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it.")]
Root = Annotated[
    list[Path] | None,
    typer.Option("--root", metavar="FILE.pem", help="Certificates that vouch for the authority of time; repeatable."),
]


def keep(
    case: Key,
    what: Annotated[str, typer.Argument(metavar="WHAT", help="A file, or the address of a page.")],
    permitted_by: Annotated[
        str, typer.Option("--permitted-by", metavar="WHO", help="Who says that we may ask for this page.")
    ] = "",
    location: Annotated[str, typer.Option(metavar="L1", help="Which location of the case it shows.")] = "",
    layer: Annotated[Layer, typer.Option(help="What whoever has the page has in their hands.")] = Layer.HOST,
    private: Annotated[bool, typer.Option("--private", help="Addresses of private networks may be asked.")] = False,
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Keep evidence under its digest: a page, a mail, a WARC, a list of files, a recording."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        casework.read(docket, case)
        if "://" in what:
            shown = capture(what, permitted_by, casework.now(docket.clock), private=private)
            page = Page(what, shown.warc, live=shown.live, permitted_by=permitted_by, layer=layer)
            after = keeping.keep_page(docket, case, page, by)
            stands = {True: "it is there", False: "it is gone", None: "nobody can tell whether it is there"}[shown.live]
            terminal.say(f"Answered {shown.status}: {stands}." + ("" if shown.whole else " Not all of it was read."))
        else:
            path = Path(what)
            after = _keep_file(docket, case, path, brought(path), location, by)
    kept = after.facts.kept[-1]
    if json:
        lines.write([{"kind": "kept", "case": case, **plain(kept)}])
    else:
        _say(f"{case}: kept `{kept.name}` ({kept.octets:,} octets) as {kept.sha256}.")


def stamp(
    cases: Annotated[list[str] | None, typer.Argument(metavar="CASE...", help="Which; all when none is named.")] = None,
    authority: Annotated[
        str, typer.Option("--authority", metavar="URL", help="Name an authority of time, RFC 3161; once.")
    ] = "",
    root: Root = None,
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Let somebody else say when it was there; only a digest leaves; exit code 1 when all was stamped before."""
    rows = []
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        if authority:
            docket.timestamps.name(authority, b"".join(_roots(root)))
        for key in cases or docket.cases.keys():
            after = keeping.stamp(docket, key, by)
            if after is not None:
                last = keeping.stamped(docket, key)[-1]
                rows.append({"kind": "stamp", "case": key, "event": last.event, "at": moment(last.at)})
    if json:
        lines.write(rows)
    for row in rows if not json else ():
        _say(f"{row['case']}: events 0 to {row['event']} were there at {row['at']}.")
    if not rows:
        terminal.say("Everything was stamped before.")
        raise typer.Exit(1)


def verify(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="CASE|FILE...", help="Cases, or bundles; all cases when none is named."),
    ] = None,
    root: Root = None,
    key: Annotated[str, typer.Option("--key", metavar="HEX", help="The public key of the workspace, as told.")] = "",
    head: Annotated[
        str, typer.Option("--head", metavar="ENTRIES:ROOT", help="What an earlier check told of the log.")
    ] = "",
    openings: Annotated[
        Path | None, typer.Option("--openings", metavar="FILE", help="What shows hidden fields of a bundle.")
    ] = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Check every event, signature, token and octet of evidence again, without a network."""
    files = [Path(one) for one in what or () if Path(one).is_file()]
    keys = [one for one in what or () if not Path(one).is_file()]
    roots = _roots(root)
    rows: list[dict[str, Any]] = []
    faults: list[str] = []
    for path in files:
        bundle = Bundle(path)
        found = opened(bundle, key=key, roots=roots)
        if openings is not None:
            _shown(bundle, found, openings)
        rows.append(_row_of_bundle(path, found, has_key=bool(key)))
        faults += [f"{path}: {fault}" for fault in found.examined.faults]
    if keys or not files:
        with assembly.docket(assembly.Given(existing(workspace))) as docket:
            if key and docket.cases.key != key:
                faults.append(f"the workspace has the key `{docket.cases.key}`, wanted `{key[:_SHA256]}`")
            whole = keeping.verify(docket, keys, known=_known(head), roots=roots)
            rows += _rows_of(whole, docket.cases.key)
        faults += [*whole.faults, *(f"{one.case}: {fault}" for one in whole.cases for fault in one.faults)]
    if json:
        lines.write(rows)
    else:
        _tell(rows, faults)
        if any(row.get("stamps") for row in rows) and not roots:
            _say("Tokens of time are believed for the certificates in the case; to believe your own, add --root.")
    if faults:
        raise CustodyError(
            f"{len(faults)} found wrong, the first: {faults[0][:300]}; wanted all as it was written",
            hint="Stop; keep this disk as it is, and compare with a copy that was taken earlier.",
        )


def export(
    case: Key,
    to: Annotated[Path, typer.Option("--to", metavar="FILE.zip", help="Where to; nothing is overwritten.")],
    redacted: Annotated[
        bool, typer.Option("--redacted", help="Hide the parties and what people wrote, and leave evidence out.")
    ] = False,
    hide: Annotated[
        list[str] | None, typer.Option("--hide", metavar="KIND.FIELD", help="Hide this as well; repeatable.")
    ] = None,
    with_: Annotated[
        list[str] | None, typer.Option("--with", metavar="SHA256", help="Evidence to leave in; repeatable.")
    ] = None,
    under_seal: Annotated[bool, typer.Option("--under-seal", help="It stays with counsel.")] = False,
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Put a case into one file that anybody can check; what is hidden can be shown later, and still be checked."""
    salts = to.with_suffix(".openings.json")
    if to.exists() or salts.exists():
        raise InputError(f"`{to}` or `{salts.name}` is there already, wanted a new file", hint="Name another.")
    fields = (*(redaction.FIELDS if redacted else ()), *(hide or ()))
    wanted = Wanted(fields, evidence=not redacted, keeping=tuple(with_ or ()), under_seal=under_seal)
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        exported = bundling.export(docket, case, by, secrets.token_bytes, wanted)
        octets = write_bundle(to, exported.parts, docket.custody)
        key = docket.cases.key
    if exported.openings:
        with reaching(f"writing `{salts}`"):
            write_whole(salts, lambda file: file.write(redaction.openings_octets(exported.openings)))
    row = {
        "kind": "bundle",
        "case": case,
        "file": str(to),
        "octets": octets,
        "manifest": exported.manifest.digest,
        "key": key,
        "hidden": len(exported.openings),
        "withheld": len(exported.manifest.withheld),
    }
    if json:
        lines.write([row])
        return
    _say(f"{case}: {to} has {octets:,} octets; {row['hidden']} fields hidden, {row['withheld']} things left out.")
    _say(f"Whoever checks it should hear from you, another way, that your key is {key}.")
    if exported.openings:
        _say(f"Keep {salts.name}: it shows what is hidden, and belongs with nobody else.")


def _keep_file(docket: Docket, key: str, path: Path, what: Brought, location: str, by: str) -> Any:
    at = casework.now(docket.clock)
    case = casework.read(docket, key)
    if not location and what.address:
        known = next((one for one in case.facts.locations if one.url == what.address), None)
        if known is None:
            layer = Layer.INDEXER if what.files else Layer.HOST
            known = Location(case.next_location(), what.address, layer, title=path.stem[:200], first_seen=at)
            casework.record(docket, key, Proposed("location", plain(known), at, by))
        location = known.key
    for name, octets in what.files[:_SHOWN]:
        terminal.say(f"{octets:>14,}  {words.visible(name, longest=120)}")
    if what.bare:
        terminal.say(f"{what.bare} records have no digest of their own.")
    kept = docket.custody.keep(path, path.name[-200:], what.media_type, at, location=location)
    return keeping.keep(docket, key, kept, by)


def _roots(paths: Sequence[Path] | None) -> list[bytes]:
    pems = []
    for path in paths or ():
        try:
            with path.open("rb") as file:
                pems.append(file.read(_PEM_MAX))
        except OSError as error:
            raise OutsideError(f"`{path}` cannot be read: {error.strerror}", hint="Check its name.") from error
    return pems


def _known(head: str) -> tuple[int, str] | None:
    if not head:
        return None
    entries, _, root = head.partition(":")
    if not entries.isascii() or not entries.isdigit() or len(root) != _SHA256:
        raise InputError(f"the head is `{head[:80]}`, wanted ENTRIES:ROOT, as `case verify` tells it")
    return int(entries), root


def _shown(bundle: Bundle, found: Opened, path: Path) -> None:
    """Put back what is hidden in a bundle, and check that it was there."""
    with reaching(f"reading `{path}`"):
        openings = redaction.read_openings(path.read_bytes())
    case = found.manifest.case if found.manifest else ""
    with bundle.opened(LOG) as file:
        events = redaction.followed(file.read().splitlines(), case, found.key)
    numbers = {event.event.number for event in events}
    if not openings or any(one.event not in numbers for one in openings):
        raise InputError(f"`{path}` shows nothing of this bundle, wanted what was written beside it")
    for event in events:
        ours = [one for one in openings if one.event == event.event.number]
        whole = redaction.shown(event, ours) is not None if ours else False
        for one in ours:
            text = writing.dumps(one.value, ensure_ascii=False)
            terminal.say(f"event {one.event} {'.'.join(one.path)}: {words.visible(text, longest=400)}")
        if whole:
            terminal.say(f"event {event.event.number} is whole again, as it was signed")


def _row(examined: Examined) -> dict[str, Any]:
    return {
        "kind": "examined",
        "case": examined.case,
        "whole": examined.is_whole,
        "events": examined.events,
        "people": list(examined.people),
        "items": examined.items,
        "octets": examined.octets,
        "hidden": examined.hidden,
        "withheld": examined.withheld,
        "stamps": [{"event": one.event, "at": moment(one.at)} for one in examined.stamps],
        "unstamped": examined.unstamped,
        "bare": examined.bare,
        "faults": list(examined.faults),
    }


def _row_of_bundle(path: Path, found: Opened, *, has_key: bool) -> dict[str, Any]:
    head = f"{found.head.size}:{found.head.root}" if found.head else ""
    return {**_row(found.examined), "file": str(path), "key": found.key, "known_key": has_key, "head": head}


def _rows_of(whole: Verified, key: str) -> list[dict[str, Any]]:
    rows = [_row(one) for one in whole.cases]
    head = f"{whole.entries}:{whole.root}"
    return [
        *rows,
        {
            "kind": "log",
            "whole": whole.is_whole,
            "head": head,
            "key": key,
            "stray": list(whole.stray),
            "faults": list(whole.faults),
        },
    ]


def _tell(rows: Sequence[dict[str, Any]], faults: Sequence[str]) -> None:
    right = ("events", "evidence", "hidden", "withheld")
    table = terminal.table("case", *right, "seen by an authority", "", right=right)
    for row in rows:
        if row["kind"] == "examined":
            seen = (
                f"to event {row['stamps'][-1]['event']}, {row['stamps'][-1]['at'][:19]}" if row["stamps"] else "never"
            )
            numbers = (row["events"], row["items"], row["hidden"], row["withheld"])
            table.add_row(row["case"], *map(str, numbers), seen, "whole" if row["whole"] else "NOT WHOLE")
    if table.rows:
        terminal.page.print(table)
    for row in rows:
        if row["kind"] == "log":
            _say(f"Key {row['key']}, head {row['head']}: note both elsewhere, and give them to a later check.")
            if row["stray"]:
                _say(f"{len(row['stray'])} things in custody are in no case.")
        elif "file" in row and not row["known_key"]:
            _say(f"{row['file']} is signed with {row['key']}: ask its owner whether that is theirs, or add --key.")
    for fault in faults[:_SHOWN]:
        _say(fault)


def _say(text: str) -> None:
    terminal.page.print(words.visible(text, longest=600), markup=False, soft_wrap=True)
