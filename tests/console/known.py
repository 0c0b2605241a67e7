"""Doors that know everybody by a header, to look at pages as anybody."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import BaseRoute

from riparian.ports.staff import Person, Role, Sitting
from tests.console.asking import AT

FORM = "of-this-page"


class Known:
    """Takes whoever asks for the role that they say; nobody is ``nobody``."""

    at = AT

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, list[str]]] = []

    def routes(self) -> Sequence[BaseRoute]:
        return ()

    def sitting(self, request: Request) -> Sitting | None:
        role = request.headers.get("as", "admin")
        return None if role == "nobody" else Sitting(Person("Ada", Role[role.upper()]), FORM)

    def looked(self, sitting: Sitting, page: str, accounts: Sequence[str]) -> None:
        self.seen.append((sitting.person.name, page, list(accounts)))
