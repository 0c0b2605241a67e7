"""Who approved exactly this text, for exactly this recipient, and does their signature hold?

What leaves is made of the bytes that people signed.  :class:`Approved` cannot be made otherwise: its constructor checks
each signature against the log of people, the digest of the bytes, the notice, the recipient, and that as many different
people signed as the approvals themselves say are needed.  A machine that holds every key of the workspace holds none of
these.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riparian.cases.events import Event, by_whom, people_of
from riparian.cases.facts import Addressee
from riparian.cases.notice import Rendered
from riparian.cases.plain import plain
from riparian.errors import CustodyError


@dataclass(frozen=True, slots=True)
class Approved:
    """A text that may leave.

    Parameters
    ----------
    case, notice
        Their keys.
    addressee
        To whom, and where.
    rendered
        What leaves.
    signed_by
        Whose name stands under it.
    acts
        The events by which people approved it.
    people
        The log of people.

    Raises
    ------
    CustodyError
        When a signature does not hold, is of another text, another notice or another recipient, or is one too few.
    """

    case: str
    notice: str
    addressee: Addressee
    rendered: Rendered
    signed_by: str
    acts: tuple[Event, ...]
    people: tuple[Event, ...]

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """Check every signature; whoever lets it leave does so again.

        Raises
        ------
        CustodyError
            When a signature does not hold, is of another text, another notice or another recipient, or is one too few.
        """
        people = people_of(self.people)
        signed: set[str] = set()
        needs = 1
        wanted = approval(self.notice, self.digest, self.addressee)
        for act in self.acts:
            if act.kind != "approve" or act.case != self.case:
                raise self._wrong(f"an event of the kind `{act.kind}` of `{act.case}` is no approval of it")
            person = by_whom(self.case, act, people)
            if any(act.what.get(name) != value for name, value in wanted.items()):
                raise self._wrong(f"`{person.name}` approved another text, notice or recipient")
            needs = max(needs, _needs(act))
            signed.add(person.name)
        if len(signed) < needs:
            raise self._wrong(f"{len(signed)} approved it where {needs} have to")
        if self.signed_by and self.signed_by not in signed:
            raise self._wrong(f"`{self.signed_by}` stands under it and did not approve it")

    @property
    def digest(self) -> str:
        """SHA-256 of what leaves, in hexadecimal."""
        return hashlib.sha256(self.rendered.content).hexdigest()

    @property
    def by(self) -> tuple[str, ...]:
        """Who approved it."""
        return tuple(dict.fromkeys(act.by for act in self.acts))

    def _wrong(self, found: str) -> CustodyError:
        return CustodyError(
            f"`{self.notice}` of `{self.case}` does not leave: {found}, wanted people's own approval of what it says",
            hint="Approve what it says now with `riparian case approve`.",
        )


def approval(notice: str, digest: str, addressee: Addressee) -> Mapping[str, Any]:
    """Give what a person puts their signature under: which notice, which bytes, and to whom."""
    return {"notice": notice, "digest": digest, "to": plain(addressee)}


def _needs(act: Event) -> int:
    needs = act.what.get("needs")
    return needs if isinstance(needs, int) and needs > 0 else 2
