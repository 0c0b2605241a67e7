"""Who is let in, and what is written down of it?"""

from collections.abc import Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.routing import BaseRoute

from riparian.ports.staff import Person, Sitting


class Doors(Protocol):
    """Knows who asks."""

    @property
    def at(self) -> str:
        """Where people reach the console, as in ``https://console.example``; nothing is answered elsewhere."""
        ...

    def routes(self) -> Sequence[BaseRoute]:
        """List the ways in, for whoever is not signed in."""
        ...

    def sitting(self, request: Request) -> Sitting | None:
        """Say who asks; None where nobody is signed in."""
        ...

    def looked(self, sitting: Sitting, page: str, accounts: Sequence[str]) -> None:
        """Write down that somebody is shown accounts."""
        ...


class Unlocked:
    """``Doors`` that take everybody for the same person: for one's own machine, where nobody else gets in."""

    def __init__(self, at: str, person: Person, form_token: str) -> None:
        self.at = at
        self._sitting = Sitting(person, form_token)

    def routes(self) -> Sequence[BaseRoute]:
        """See ``Doors``."""
        return ()

    def sitting(self, request: Request) -> Sitting | None:
        """See ``Doors``."""
        del request
        return self._sitting

    def looked(self, sitting: Sitting, page: str, accounts: Sequence[str]) -> None:
        """See ``Doors``."""
