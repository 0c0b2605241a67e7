"""Did this notice leave here, as it is?

A notice is known by its bytes: by their digest, which people signed, and nothing like it.  Where it comes in a mail,
the bytes are those of one of its parts; mail writes the ends of lines anew, so that these are tried as the notice had
them.
A case under seal is as if it were not there.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from itertools import islice
from typing import Final

from riparian.cases.case import Noted
from riparian.cases.steps import State, Step
from riparian.flows import casework
from riparian.ports.cases import Docket

_PARTS_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Left:
    """A notice that left.

    Parameters
    ----------
    kind
        What it was: a notice, a reply to one, and so on.
    at
        When it left.
    is_back
        Whether it was taken back since.
    """

    kind: str
    at: datetime
    is_back: bool

    @property
    def sentence(self) -> str:
        """Say it to somebody who has it."""
        told = f"Genuine: this {self.kind.replace('_', ' ')} left here on {self.at:%Y-%m-%d}, word for word"
        return f"{told}; it was taken back since." if self.is_back else f"{told}."


def left(docket: Docket) -> dict[str, Left]:
    """List notices that left, by the digest of their bytes; those of cases under seal are left out."""
    found = {}
    for case in casework.every(docket):
        for noted in () if case.sealed else case.notices.values():
            sent = noted.last(Step.SEND)
            if sent is not None:
                found[noted.digest] = _left(noted, sent.at)
    return found


def left_among(octets: bytes, known: Mapping[str, Left]) -> Left | None:
    """Find the notice that somebody has, as a file, as a text or in a mail; None where it is none that left."""
    digests = (hashlib.sha256(one).hexdigest() for part in _parts(octets) for one in _ends(part))
    return next((known[digest] for digest in digests if digest in known), None)


def _left(noted: Noted, at: datetime) -> Left:
    return Left(noted.notice.kind.value, at, noted.state is State.RETRACTED)


def _parts(octets: bytes) -> Iterator[bytes]:
    yield octets
    try:
        parts = [part for part in islice(message_from_bytes(octets).walk(), _PARTS_MAX) if not part.is_multipart()]
        yield from [held for held in (part.get_payload(decode=True) for part in parts) if isinstance(held, bytes)]
    except (ValueError, LookupError, RecursionError):
        # What is no mail has no parts.
        return


def _ends(octets: bytes) -> Iterator[bytes]:
    plain = octets.replace(b"\r\n", b"\n")
    bare = plain.rstrip(b"\n")
    yield from dict.fromkeys((octets, plain, bare, bare + b"\n"))
