"""How do replies leave: as files for a person or a mail server to send, or, where that is asked for, by mail?

A reply says what a machine was made to say, and holds nothing of anybody; it goes to whoever asked, and to nobody else.
Without a server that is named, it is a file.

Source
------
RFC 5321 (SMTP), RFC 8314 (TLS on port 465), RFC 3207 (STARTTLS).
"""

import smtplib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from riparian.errors import OutsideError
from riparian.stores.files import reaching, write_whole

TLS_PORT: Final = 465
_TIMEOUT_S: Final = 30.0
_LOCAL: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Relay:
    """A server that takes mail: without TLS on this machine only."""

    host: str
    port: int
    user: str = ""
    password: str = ""


def keep_reply(folder: Path, name: str, octets: bytes) -> Path:
    """Write a reply as a file."""
    with reaching(f"writing to `{folder}`"):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, lambda file: file.write(octets))
    return folder / name


def send_reply(relay: Relay, to: str, octets: bytes) -> None:
    """Send a reply.

    Raises
    ------
    OutsideError
        When the server does not take it.
    """
    context = ssl.create_default_context()
    try:
        if relay.port == TLS_PORT:
            server: smtplib.SMTP = smtplib.SMTP_SSL(relay.host, relay.port, timeout=_TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(relay.host, relay.port, timeout=_TIMEOUT_S)
        with server:
            if relay.port != TLS_PORT and relay.host not in _LOCAL:
                server.starttls(context=context)
            if relay.user:
                server.login(relay.user, relay.password)
            # RFC 3834, section 3.3: what answers by itself has no address to return to.  Servers refuse lines that end
            # with LF alone, as lures to them do (RFC 5321, section 2.3.8).
            server.sendmail("<>", [to], octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    except (OSError, smtplib.SMTPException) as error:
        raise OutsideError(
            f"`{relay.host}` did not take the reply ({type(error).__name__}), wanted it sent", hint="Try again later."
        ) from error
