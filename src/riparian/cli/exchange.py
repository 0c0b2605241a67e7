"""``riparian exchange``: what peers are told of leaks, what they tell, and what is taken back."""

import contextlib
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from riparian import assembly
from riparian.cases.plain import plain
from riparian.cli import exchange_blinded, lines, options, terminal
from riparian.cli.exchanged import heard_row, say, tell_heard, tell_peers, tell_said, tell_weighed, weighed_row
from riparian.cli.explain import existing
from riparian.errors import InputError, RiparianError
from riparian.exchange.lint import checked
from riparian.exchange.profile import Tlp
from riparian.exchange.taxii import written
from riparian.feeds.taxii import TaxiiPeers
from riparian.flows import peering, sharing
from riparian.flows.case_told import row_of
from riparian.flows.peering import Weighed
from riparian.flows.sharing import Exchange
from riparian.ports.exchange import Incident, Peer

_US: Final = 1_000_000
_TOKEN_MAX: Final = 4096
_HOURS_MAX: Final = 14 * 24
_PORT: Final = 8097

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Tell peers what was found, hear what they found, and take back what was wrong.",
)
app.add_typer(exchange_blinded.app, name="psi")

Name = Annotated[str, typer.Argument(metavar="PEER", help="What you call the peer.")]
Ident = Annotated[str, typer.Argument(metavar="SIGNAL", help="As in indicator--....")]
Because = Annotated[str, typer.Option("--because", help="Why.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so.")]


@app.command()
def begin(
    name: Annotated[str, typer.Argument(help="The organisation under whose name you speak.")],
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Say under which name you speak to peers, and make the collection from which they take what you say."""
    with assembly.exchange(assembly.Given(workspace)) as exchange:
        ours = sharing.begin(exchange, name)
        said = {"kind": "collection", "id": ours.ident, "title": ours.title, "sender": exchange.sender}
    if json:
        lines.write([said])
        return
    say(f"{ours.title} speaks as {said['sender']}.")
    say(f"Your collection: {ours.ident}")


@app.command()
def allow(
    peer: Name,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Let a peer read what you say, and send what it finds to a collection of its own here.

    The token is shown once; an earlier one of the same peer opens nothing any more.
    """
    with _open(workspace) as exchange:
        token = sharing.allow(exchange, peer)
        ours, theirs = exchange.ours.ident, sharing.inbox(exchange, peer).ident
    if json:
        lines.write([{"kind": "token", "peer": peer, "token": token, "reads": ours, "writes": theirs}])
        return
    say(f"Token of {peer}: {token}")
    say(f"It reads  .../api/collections/{ours}/")
    say(f"It writes .../api/collections/{theirs}/")
    terminal.say("Hand the token over where nobody listens; it is not shown again.")


@app.command()
def peer(
    peer: Name,
    url: Annotated[str, typer.Option(metavar="ADDRESS", help="The collection of theirs that is asked.")] = "",
    post_url: Annotated[str, typer.Option("--post-url", metavar="ADDRESS", help="The one that takes yours.")] = "",
    token_file: Annotated[
        Path | None, typer.Option("--token-file", metavar="FILE", help="Holds the token that they gave, in one line.")
    ] = None,
    forgive: Annotated[bool, typer.Option("--forgive", help="Count their mistakes anew.")] = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Name a peer that is asked for its signals, or change what is known of it."""
    with _open(workspace) as exchange:
        known = sharing.peer_of(exchange, peer, or_new=True)
        sharing.inbox(exchange, peer)
        changed = replace(
            known,
            url=url or known.url,
            post_url=post_url or known.post_url,
            token=_token(token_file) if token_file is not None else known.token,
            mistakes=0 if forgive else known.mistakes,
        )
        exchange.signals.keep_peer(changed)
    tell_peers([changed], json=json)


@app.command()
def peers(workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """List the peers, and how each stands; exit code 1 when there are none."""
    with _open(workspace) as exchange:
        known = exchange.signals.peers()
    tell_peers(known, json=json)
    if not known:
        raise typer.Exit(1)


@app.command()
def push(
    cases: Annotated[list[str] | None, typer.Argument(metavar="CASE...", help="Cases of which peers hear.")] = None,
    tlp: Annotated[str, typer.Option(help="Who may have it: white, green, amber or red.")] = "amber",
    with_codes: Annotated[bool, typer.Option("--with-codes", help="Say the ISRC of each recording too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be said, and say nothing.")] = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Tell peers what cases found, take back what was wrong, and send both to those who do not fetch it.

    Without a case nothing new is said: what was said before is settled, and delivered.
    """
    with _open(workspace) as exchange:
        said: list[dict[str, Any]] = []
        if dry_run:
            for case in cases or ():
                said += sharing.said_of(exchange, case, tlp=_marking(tlp), named=with_codes)
            checked(said)
            lines.write(said)
            return
        for case in cases or ():
            said += sharing.share(exchange, case, "exchange push", tlp=_marking(tlp), named=with_codes)
        said += sharing.settle(exchange, "exchange push")
        sent = _delivered(exchange)
    if json:
        lines.write(said)
    else:
        tell_said(said)
        for name, n in sent:
            say(f"Sent to {name}: {n}")


@app.command()
def pull(
    names: Annotated[list[str] | None, typer.Argument(metavar="PEER...", help="Only these peers.")] = None,
    expected: Annotated[
        bool, typer.Option("--expected", help="You looked: far more than usual is let in this once.")
    ] = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Ask peers for what they found and what they take back, and do here what follows from it.

    A signal is an opinion: it causes nothing until a person takes it up, or a comparison of your own bears it out.
    Exit code 3 when a peer could not be asked, or a person has to look.
    """
    told: list[Weighed] = []
    failed = False
    with _open(workspace) as exchange, terminal.bars() as progress:
        known = exchange.signals.peers() if not names else [sharing.peer_of(exchange, name) for name in names]
        for n, one in enumerate(known):
            try:
                told.append(_pulled(exchange, one, expected=expected))
            except RiparianError as error:
                failed = True
                terminal.say(f"{one.name}: {error.message}. {error.hint or ''}".strip())
            progress("asking peers", n + 1, len(known))
    if json:
        lines.write(map(weighed_row, told))
    else:
        tell_weighed(told)
    if failed or any(one.aside or one.to_look_at for one in told):
        raise typer.Exit(3)


@app.command()
def signals(
    peer: Annotated[str, typer.Option("--peer", metavar="PEER", help="Only of this one.")] = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """List what peers said, and where each signal stands here; exit code 1 when nothing was heard."""
    with _open(workspace) as exchange:
        heard = list(exchange.signals.heard(peer))
    if json:
        lines.write(heard_row(one) for one in heard)
    else:
        tell_heard(heard)
    if not heard:
        raise typer.Exit(1)


@app.command()
def take(
    peer: Name,
    signal: Ident,
    case: Annotated[str, typer.Option("--case", metavar="CASE", help="Into this one; else a new one.")] = "",
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Take up a peer's signal: a case is opened where it leads.

    Nothing leaves by it: a comparison of your own comes first.
    """
    with _open(workspace) as exchange:
        opened = peering.take(exchange, peer, signal, by, case)
    if json:
        lines.write([row_of(opened)])
    else:
        say(f"{opened.key}: {opened.title}")


@app.command()
def dispute(
    peer: Name,
    signal: Ident,
    because: Because,
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Hold that a peer's signal is wrong: what rests on it is lifted, and peers are told.

    It counts for whoever said it; from whoever was wrong three times nothing more is taken.
    """
    with _open(workspace) as exchange:
        told = peering.dispute(exchange, peer, signal, because, by)
    if json:
        lines.write([weighed_row(told)])
    else:
        tell_weighed([told])


@app.command()
def revoke(
    case: Annotated[str, typer.Argument(metavar="CASE", help="As in C1.")],
    signal: Ident,
    because: Because,
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Take back by hand what you said; a counter-notice that holds and a retraction do so by themselves."""
    with _open(workspace) as exchange:
        said = sharing.take_back(exchange, case, signal, because, by)
        _delivered(exchange)
    if json:
        lines.write(said)
    else:
        tell_said(said)


@app.command()
def incident(
    name: Annotated[str, typer.Argument(help="What it is called, by all who share it.")] = "",
    hours: Annotated[int, typer.Option(help="How long it is expected to last; 0 ends it now.")] = 24,
    because: Because = "",
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Declare an incident, or list them: what is shared bears its name, and peers may say far more than usual."""
    with _open(workspace) as exchange:
        if name:
            if not 0 <= hours <= _HOURS_MAX:
                raise InputError(f"an incident lasts {hours} hours, wanted 0 to {_HOURS_MAX}")
            if hours and not because.strip():
                raise InputError("no reason is given, wanted why it is declared")
            checked([{"name": name}])
            now_us = exchange.docket.clock.now_us()
            stands = next((one for one in exchange.signals.incidents() if one.name == name), None)
            declared = Incident(name, now_us, now_us + hours * 3600 * _US, by, because)
            if stands is not None:
                declared = replace(stands, until_us=declared.until_us)
            exchange.signals.keep_incident(declared)
        known = exchange.signals.incidents()
    if json:
        lines.write({"kind": "incident", **plain(one)} for one in known)
        return
    for one in known:
        say(f"{one.name}: {written(one.since_us)[:16]} to {written(one.until_us)[:16]}, by {one.by}: {one.because}")


@app.command()
def serve(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where it listens.")] = "127.0.0.1:8097",
    at: Annotated[str, typer.Option(metavar="ADDRESS", help="Where peers reach it, as in https://x.example.")] = "",
    contact: Annotated[str, typer.Option(help="Where peers ask; a role's address, not a person's.")] = "",
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Serve what you say to peers, and take what they send, as TAXII 2.1, until it is asked to end.

    Put your own server, with TLS and a limit on requests, before it.
    """
    import uvicorn  # noqa: PLC0415 -- only this verb needs it

    from riparian.edges.taxii import Served, taxii_app  # noqa: PLC0415 -- as above

    host, port = options.place(listen, _PORT)
    with _open(workspace) as exchange:
        served = Served(
            exchange.signals,
            exchange.docket.clock,
            exchange.ours.title,
            at=at.rstrip("/"),
            contact=contact,
            look=checked,
        )
        terminal.say(f"Listening at http://{host}:{port}/taxii2/")
        uvicorn.run(taxii_app(served), host=host, port=port, log_level="warning", access_log=False)


def _open(workspace: Path) -> AbstractContextManager[Exchange]:
    return assembly.exchange(assembly.Given(existing(workspace)))


def _pulled(exchange: Exchange, one: Peer, *, expected: bool) -> Weighed:
    left = 0
    if one.url:
        with contextlib.closing(TaxiiPeers()) as there:
            _, left = peering.fetch(exchange, one, there)
    weighed = peering.weigh(exchange, sharing.peer_of(exchange, one.name), expected=expected)
    return replace(weighed, left=weighed.left + left)


def _delivered(exchange: Exchange) -> list[tuple[str, int]]:
    told = [one for one in exchange.signals.peers() if one.post_url]
    with contextlib.closing(TaxiiPeers()) as there:
        return [(one.name, sharing.deliver(exchange, one, there)) for one in told]


def _marking(tlp: str) -> Tlp:
    try:
        return Tlp[tlp.upper()]
    except KeyError:
        raise InputError(f"`{tlp[:20]}` is no marking, wanted white, green, amber or red") from None


def _token(file: Path) -> str:
    try:
        with file.open("rb") as held:
            token = held.read(_TOKEN_MAX).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"`{file}` cannot be read, wanted a file with a token in one line") from error
    if not token or len(token.split()) != 1:
        raise InputError(f"`{file}` holds {len(token.split())} words, wanted a token in one line")
    return token
