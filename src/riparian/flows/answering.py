"""Who forwarded a message, and what are they told?

Each message that arrived is answered once, with a reply that a person, or a mail server, sends.  Machines are not
answered, lest two of them write to one another for ever, and nobody more than a few times a day: an address that
answers is easily made to write to somebody else.

Source
------
RFC 3834 (automatic responses: section 2, when none is sent; section 3, what is in them).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final, Protocol

from riparian.creators.answering import Desk, Told, answered
from riparian.creators.letters import Letter, letters
from riparian.ports import Clock

DAY_US: Final = 86_400_000_000
A_DAY: Final = 20
"""How many questions of one asker are answered a day."""
_MACHINES: Final = ("mailer-daemon", "postmaster", "no-reply", "noreply", "owner-", "bounce", "listserv", "majordomo")


class Book(Protocol):
    """Who was answered."""

    def is_answered(self, digest: str) -> bool:
        """Say whether a question was answered."""

    def answers_to(self, asked_by: str, since_us: int) -> int:
        """Count answers to an asker since a time."""

    def answer(self, digest: str, asked_by: str, at_us: int) -> None:
        """Note an answer."""


class Arrived(Protocol):
    """A message that arrived."""

    @property
    def octets(self) -> bytes:
        """The message."""

    @property
    def done(self) -> Callable[[], object]:
        """Note that it was dealt with."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, ready to be sent.

    Parameters
    ----------
    to
        Who asked.
    octets
        The message; empty where nobody is answered.
    told
        What they are told.
    why_not
        Why nobody is answered; empty where somebody is.
    """

    to: str
    octets: bytes
    told: Told
    why_not: str = ""


def replies(arrived: Iterable[Arrived], desk: Desk, book: Book, own: str, clock: Clock) -> Iterator[Reply]:
    """Answer all that arrived; what is yielded is noted as answered when the next one is asked for.

    Parameters
    ----------
    arrived
        Messages.
    desk
        Who answers.
    book
        Who was answered.
    own
        The address to which messages are forwarded.
    """
    for one in arrived:
        outer = letters(one.octets)[0]
        told = answered(one.octets, desk, (outer.sender,) if outer.sender else ())
        digest, asker = hashlib.sha256(one.octets).hexdigest(), hashlib.sha256(outer.sender.encode()).hexdigest()
        now_us = clock.now_us()
        why_not = _why_not(outer, own)
        if not why_not and book.is_answered(digest):
            why_not = "it was answered before"
        elif not why_not and book.answers_to(asker, now_us - DAY_US) >= A_DAY:
            why_not = f"{A_DAY} of the same asker were answered today"
        yield Reply(outer.sender, b"" if why_not else written(outer, told, own, now_us), told, why_not)
        if not why_not:
            book.answer(digest, asker, now_us)
        one.done()


def written(outer: Letter, told: Told, own: str, now_us: int) -> bytes:
    """Write a reply: text alone, without a link, and without a word of what was forwarded but its code."""
    mail = EmailMessage()
    mail["From"], mail["To"] = own, outer.sender
    mail["Subject"] = f"The message that you forwarded: {told.answer}"
    mail["Date"] = format_datetime(datetime.fromtimestamp(now_us / 1e6, UTC))
    mail["Auto-Submitted"] = "auto-replied"
    lines = [told.sentence, "", *(f"- {_harmless(reason)}" for reason in told.reasons)]
    if told.code and told.said is not None:
        lines += ["", f"Its code: {told.code}"]
    mail.set_content("\n".join(lines) + "\n")
    return mail.as_bytes()


def _harmless(reason: str) -> str:
    return reason.replace("https://", "").replace("http://", "").replace(".", "[.]") if "`" in reason else reason


def _why_not(outer: Letter, own: str) -> str:
    local = outer.sender.partition("@")[0]
    if not outer.sender or outer.sender == own.lower():
        return "it has no sender to answer"
    if "auto-submitted" in outer.headers or "list-id" in outer.headers or "precedence" in outer.headers:
        return "a machine or a list sent it"
    return "a machine sent it" if any(local.startswith(one) for one in _MACHINES) else ""
