"""What was forwarded to us: messages of a folder of mail, or of a mailbox of a server?

A folder is a Maildir, as mail servers deliver to: files of ``new`` are read, and moved to ``cur`` as seen when they
were dealt with.  A server is asked by IMAP over TLS for messages that are not seen, which are then.  At most five
hundred are read at once, and no more than two megabytes of each.

Source
------
Maildir (Bernstein 1995; flags after ``:2,``); RFC 9051 (IMAP4rev2), RFC 8314 (implicit TLS).
"""

import imaplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from riparian.creators.letters import OCTETS_MAX
from riparian.errors import InputError, OutsideError

AT_ONCE_MAX: Final = 500
_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that arrived.

    Parameters
    ----------
    octets
        At most two megabytes of it.
    done
        Notes that it was dealt with.
    """

    octets: bytes
    done: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Server:
    """A mailbox on a server.

    Parameters
    ----------
    host, port
        Where.
    user, password
        Who asks.
    box
        Which mailbox.
    is_plain
        Whether it is asked without TLS: on this machine only.
    """

    host: str
    port: int
    user: str
    password: str
    box: str = "INBOX"
    is_plain: bool = False


def read_folder(folder: Path) -> Iterator[Arrived]:
    """Read what is new in a Maildir.

    Raises
    ------
    InputError
        When it is none.
    """
    new, seen = folder / "new", folder / "cur"
    if not new.is_dir() or not seen.is_dir():
        raise InputError(
            f"`{folder}` is no Maildir, wanted a folder with `new` and `cur`",
            hint="Let your mail server deliver there.",
        )
    for path in sorted(new.iterdir())[:AT_ONCE_MAX]:
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                octets = file.read(OCTETS_MAX)
            yield Arrived(octets, lambda path=path: path.rename(seen / f"{path.name}:2,S"))  # type: ignore[misc]


def read_server(server: Server) -> Iterator[Arrived]:
    """Read what nobody has seen in a mailbox of a server.

    Raises
    ------
    OutsideError
        When the server cannot be reached, or refuses.
    """
    try:
        with _opened(server) as box:
            box.login(server.user, server.password)
            _good(box.select(_quoted(server.box)), "selecting the mailbox")
            found = _good(box.uid("SEARCH", "UNSEEN"), "searching the mailbox")
            numbers = found[0] if found and isinstance(found[0], bytes) else b""
            for name in numbers.decode("ascii").split()[:AT_ONCE_MAX]:
                parts = _good(box.uid("FETCH", name, f"(BODY.PEEK[]<0.{OCTETS_MAX}>)"), "fetching a message")
                octets = next((bytes(part[1]) for part in parts if isinstance(part, tuple)), b"")
                yield Arrived(octets, lambda name=name: box.uid("STORE", name, "+FLAGS", r"(\Seen)"))  # type: ignore[misc]
    except (OSError, imaplib.IMAP4.error) as error:
        raise OutsideError(
            f"the mailbox at {server.host} cannot be read: {error}",
            hint="Check the address, the user and the password.",
        ) from error


def _opened(server: Server) -> imaplib.IMAP4:
    if server.is_plain:
        return imaplib.IMAP4(server.host, server.port, timeout=_TIMEOUT_S)
    return imaplib.IMAP4_SSL(server.host, server.port, ssl_context=ssl.create_default_context(), timeout=_TIMEOUT_S)


def _good(answer: tuple[str, Sequence[object]], doing: str) -> Sequence[object]:
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(f"{doing}: {kind}")
    return data


def _quoted(box: str) -> str:
    plain = box.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'
