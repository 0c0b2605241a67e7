"""What is somebody told who asks whether a message is genuine?

First whether it bears a code of ours, and whether it is what was signed (:mod:`riparian.creators.signed`); then what it
is made like (:mod:`riparian.creators.lures`).  A code that is not ours, or that stands in another message than it was
signed for, is worse than none.

Where the message is one that somebody forwards, all that is forwarded and all around it must lead where was signed:
who wraps a genuine message into a lure gets no *verified* for it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from riparian.creators.letters import Letter, letters
from riparian.creators.lookalikes import Index
from riparian.creators.lures import Answer, Model, Triage, leads, triage
from riparian.creators.signed import Came, Fault, code, code_in, compared, token_in, verified

FAULTS: Final[Mapping[Fault, str]] = {
    Fault.RECIPIENT: "its code was made for somebody else",
    Fault.SENDER: "its code was made for another sender",
    Fault.LINKS: "its code was made for a message that leads elsewhere",
    Fault.FILES: "files came with it, and its code says nothing of files",
}
NOT_OURS: Final = "it bears a code that is not one of ours"
ASK: Final = "Sign in by the address that you know, not by the message, and look in your dashboard."


@dataclass(frozen=True, slots=True)
class Desk:
    """Who answers.

    Parameters
    ----------
    key
        The public key with which messages are signed, in hex; empty where there is none.
    token_of
        Gives the token of a code; nothing where there is none.
    by
        What signs weigh.
    ours
        Names that people trust; None where none is kept.
    """

    key: str
    token_of: Callable[[str], str]
    by: Model = field(repr=False)
    ours: Index | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a message.

    Parameters
    ----------
    answer
        One of three.
    reasons
        Sentences.
    code
        The code that it bears; empty where it bears none.
    said
        What was signed, as JSON has it; None where nothing was, or not by us.
    made
        What it is made like.
    """

    answer: Answer
    reasons: tuple[str, ...]
    code: str
    said: Mapping[str, Any] | None
    made: Triage

    @property
    def sentence(self) -> str:
        """Say it to somebody who does not know more than that they asked."""
        if self.answer is Answer.VERIFIED and self.said is not None:
            return (
                f"Genuine: {self.said['by']} sent it to you on {str(self.said['at'])[:10]} ({self.said['template']})."
            )
        if self.answer is Answer.SUSPICIOUS:
            return f"Do not follow it. {ASK}"
        return f"Nobody can tell by the message. {ASK}"


def answered(octets: bytes, desk: Desk, recipients: Sequence[str] = ()) -> Told:
    """Answer about a message.

    Parameters
    ----------
    octets
        The message, or a text with a code in it.
    desk
        Who answers.
    recipients
        Addresses of whoever asks; where there is none, those in the header of the message that bears the code.
    """
    read = letters(octets)
    made = triage(read, desk.by, desk.ours)
    borne = next(_borne(read, desk), None)
    if borne is None:
        return Told(made.answer, made.reasons, "", None, made)
    bearer, short, said = borne
    if said is None:
        return Told(Answer.SUSPICIOUS, (NOT_OURS, *made.reasons), short, None, made)
    found = compared(said, _came(read, bearer, recipients))
    reasons = tuple(FAULTS[fault] for fault in found.faults)
    if found.is_whole:
        return Told(Answer.VERIFIED, ("it is what was signed",), short, said, made)
    others = tuple(f"`{host}` was not signed" for host in found.strangers[:3])
    return Told(Answer.SUSPICIOUS, (*reasons, *others, *made.reasons), short, said, made)


def _borne(read: Sequence[Letter], desk: Desk) -> Iterator[tuple[Letter, str, dict[str, Any] | None]]:
    """Give each code with its bearer and what it says, ours first: the innermost message bears what was signed."""
    found = []
    for letter in reversed(read):
        text = f"{letter.stamp}\n{letter.subject}\n{letter.text}"
        token = token_in(text)
        short = code(token) if token else code_in(text)
        token = token or (desk.token_of(short) if short else "")
        if short:
            found.append((letter, short, verified(token, desk.key) if token and desk.key else None))
    yield from sorted(found, key=lambda one: one[2] is None)


def _came(read: Sequence[Letter], bearer: Letter, recipients: Sequence[str]) -> Came:
    return Came(
        tuple(recipients) or bearer.recipients,
        tuple(host for host in (one.rpartition("@")[2] for one in (bearer.sender, bearer.reply_to)) if host),
        tuple(host for letter in read for host in leads(letter)),
        any(letter.files or letter.has_form for letter in read),
    )
