"""``riparian message``: messages to artists that can be checked, and answers to those who check."""

import secrets
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from riparian.assembly import message_desk
from riparian.cli import lines, options, terminal
from riparian.console import words
from riparian.creators.answering import Told, answered
from riparian.creators.letters import OCTETS_MAX
from riparian.creators.lures import Answer
from riparian.creators.signed import HEADER, Sending, code, message, signed
from riparian.edges.messages import told_of
from riparian.engines.clocks import WallClock
from riparian.errors import InputError
from riparian.feeds.mailboxes import Arrived, Server, read_folder, read_server
from riparian.flows.answering import Reply, replies
from riparian.stores.messages import messages
from riparian.stores.replies import TLS_PORT, Relay, keep_reply, send_reply
from riparian.stores.signing_keys import creators_key

_SALT: Final = 16
_IMAP_PORT: Final = 993
_LOCAL: Final = ("127.0.0.1", "::1", "localhost")
_PORT_MAX: Final = 65_535

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Sign messages to artists, and answer whether a message is genuine, made as lures are, or neither.",
)

To = Annotated[str, typer.Option("--to", metavar="ADDRESS", help="The recipient's address.")]
Key = Annotated[
    str, typer.Option("--key", metavar="HEX", help="The public key of whoever signed; without it, the workspace's.")
]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Whose messages these are, as artists know them.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", metavar="FILE", help="Holds the password of the mailbox, in one line.")
]


@app.command()
def sign(
    template: Annotated[str, typer.Option(help="What the message is made from: royalty-statement.")],
    to: To,
    by: By,
    domain: Annotated[
        list[str] | None, typer.Option(help="A domain that the message comes from or leads to; repeatable.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FILE.eml", help="A message; the signed one is written beside it.")
    ] = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Sign a message to one recipient; put the code, or the token, into it before it is sent.

    The token goes into the field X-Riparian-Message, or anywhere into the text; the code where people read it.
    """
    sending = Sending(by, WallClock().now_us(), secrets.token_bytes(_SALT))
    one = message(template, to, domain or (), sending)
    workspace.mkdir(parents=True, exist_ok=True)
    key = creators_key(workspace)
    token = signed(one, key.public(), key.sign)
    short = code(token)
    with messages(workspace) as held:
        held.keep(short, token)
    file = _stamped(into, token, short) if into is not None else None
    if json:
        said = {**one.said, "code": short, "token": token, "key": key.public()}
        lines.write([{**said, "file": str(file)} if file is not None else said])
        return
    terminal.page.print(f"Code: {short}")
    terminal.page.print(f"{HEADER}: {token}", soft_wrap=True)
    if file is not None:
        terminal.say(f"Written: {file}")


@app.command()
def verify(
    mark: Annotated[str, typer.Argument(metavar="CODE", help="A code, or a token, as it stands in the message.")],
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="The address that the message came to.")] = "",
    key: Key = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Say what was signed under a code, or in a token; a token needs the public key alone, and no workspace.

    Exit code 1 when nothing was.
    """
    with message_desk(workspace, key) as (desk, _):
        told = answered(mark.encode(), desk, (to,) if to else ())
    _tell(told, "", json=json)
    if told.answer is not Answer.VERIFIED:
        raise typer.Exit(1)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Messages, as .eml files or text.")],
    to: Annotated[
        str, typer.Option("--to", metavar="ADDRESS", help="Whose message it is; without it, as its header says.")
    ] = "",
    key: Key = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Say of each message whether it is verified, suspicious or unknown, and why; no link of it is followed.

    Exit code 1 when none is verified.
    """
    with message_desk(workspace, key) as (desk, _):
        found = []
        for file in files:
            found.append(answered(_read(file), desk, (to,) if to else ()))
            _tell(found[-1], str(file), json=json)
    if not any(told.answer is Answer.VERIFIED for told in found):
        raise typer.Exit(1)


@app.command()
def inbox(
    own: Annotated[str, typer.Option("--own", metavar="ADDRESS", help="The address that artists forward messages to.")],
    maildir: Annotated[Path | None, typer.Option(metavar="FOLDER", help="A Maildir that it delivers to.")] = None,
    imap: Annotated[str, typer.Option(metavar="HOST[:PORT]", help="A server that keeps its mailbox.")] = "",
    user: Annotated[str, typer.Option(help="Who asks the server.")] = "",
    password_file: PasswordFile = None,
    replies_to: Annotated[
        Path, typer.Option("--replies", metavar="FOLDER", help="Where replies are written, for somebody to send.")
    ] = Path("replies"),
    smtp: Annotated[
        str, typer.Option(metavar="HOST[:PORT]", help="Send replies by this server; without it, they are files.")
    ] = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Answer those who forwarded a message: each once, machines never, nobody more than twenty times a day.

    Replies are files until a server is named. Exit code 1 when nothing arrived.
    """
    password = password_file.read_text(encoding="utf-8").strip() if password_file is not None else ""
    relay = _relay(smtp, user, password) if smtp else None
    arrived = _arrived(maildir, imap, user, password)
    workspace.mkdir(parents=True, exist_ok=True)
    count = 0
    with message_desk(workspace) as (desk, book), terminal.bars() as progress:
        if book is None:
            raise InputError(f"`{workspace}` is no folder, wanted a workspace")
        for reply in replies(arrived, desk, book, own, WallClock()):
            count += 1
            progress("messages", count, None)
            where = _send(reply, replies_to, relay)
            if json:
                lines.write([{**told_of(reply.told), "kind": "reply", "to": reply.to, "went": where}])
            else:
                shown = f"{reply.told.answer}: {reply.to or 'nobody'}, {where}"
                terminal.page.print(escape(words.visible(shown, longest=300)))
    if not count:
        raise typer.Exit(1)


@app.command()
def serve(
    by: By,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the page listens.")] = "127.0.0.1:8095",
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Serve the page on which artists look up codes and check messages, until it is asked to end.

    Put your own server, with TLS and a limit on requests, before it.
    """
    import uvicorn  # noqa: PLC0415 -- only this verb needs it

    from riparian.edges.messages import application  # noqa: PLC0415 -- as above

    host, port = _place(listen, 8095)
    with message_desk(workspace) as (desk, _):
        if not desk.key:
            raise InputError(
                f"`{workspace}` has no key of messages, wanted one", hint="Sign one first: riparian message sign."
            )
        terminal.say(f"Listening at http://{host}:{port}; your key: {desk.key}")
        uvicorn.run(application(desk, by), host=host, port=port, log_level="warning", access_log=False)


def _stamped(file: Path, token: str, short: str) -> Path:
    octets = _read(file)
    if b"{code}" not in octets:
        terminal.say(
            f"`{file}` has no {{code}}: artists see none in it, and only programs find the token in its header."
        )
    head = f"{HEADER}: {token}\n".encode()
    folded = b"\n ".join(head[i : i + 900] for i in range(0, len(head), 900))
    written = file.with_name(f"{file.stem}-signed{file.suffix or '.eml'}")
    written.write_bytes(folded + octets.replace(b"{code}", short.encode()))
    return written


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as held:
            return held.read(OCTETS_MAX)
    except OSError as error:
        raise InputError(f"`{file}` cannot be read: {error.strerror}, wanted a message") from error


def _arrived(maildir: Path | None, imap: str, user: str, password: str) -> Iterator[Arrived]:
    if (maildir is None) == (not imap):
        raise InputError(
            "wanted one of --maildir and --imap, found both or neither", hint="Name where messages arrive."
        )
    if maildir is not None:
        return read_folder(maildir)
    host, port = _place(imap, _IMAP_PORT)
    return read_server(Server(host, port, user, password, is_plain=host in _LOCAL and port != _IMAP_PORT))


def _relay(smtp: str, user: str, password: str) -> Relay:
    host, port = _place(smtp, TLS_PORT)
    return Relay(host, port, "" if host in _LOCAL else user, password)


def _place(text: str, port: int) -> tuple[str, int]:
    host, _, number = text.rpartition(":") if text.rpartition(":")[2].isdigit() else (text, "", str(port))
    if not host or not 0 < int(number) <= _PORT_MAX:
        raise InputError(f"`{text[:80]}` is no place, wanted HOST or HOST:PORT")
    return host.strip("[]"), int(number)


def _send(reply: Reply, folder: Path, relay: Relay | None) -> str:
    if reply.why_not:
        return f"not answered: {reply.why_not}"
    if relay is not None:
        send_reply(relay, reply.to, reply.octets)
        return f"sent by {relay.host}"
    return str(keep_reply(folder, f"reply-{secrets.token_hex(8)}.eml", reply.octets))


def _tell(told: Told, file: str, *, json: bool) -> None:
    if json:
        said = told_of(told)
        lines.write([{**said, "file": file} if file else said])
        return
    shown = chain([f"{file}: {told.answer}" if file else str(told.answer), f"  {told.sentence}"], told.reasons)
    for n, line in enumerate(shown):
        terminal.page.print(escape(words.visible(f"  - {line}" if n > 1 else line, longest=400)), soft_wrap=True)
