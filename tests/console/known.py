"""Doors that know everybody by a header, to look at pages as anybody, or as a program in their name."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import BaseRoute

from riparian.console.doors import Answer
from riparian.ports.staff import Person, Role, Sitting, Token
from tests.console.asking import AT

FORM = "of-this-page"


class Known:
    """Takes whoever asks for the role that they say; nobody is ``nobody``.

    By a token asks who sends the header ``token``: ``reads``, or ``acts``.
    """

    at = AT

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, list[str]]] = []

    def routes(self) -> Sequence[BaseRoute]:
        return ()

    def sitting(self, request: Request) -> Sitting | None:
        role = request.headers.get("as", "admin")
        if role == "nobody":
            return None
        person, sent = Person("Ada", Role[role.upper()]), request.headers.get("token")
        token = Token("t", "nightly", person, sent == "acts", 0, 0) if sent else None
        return Sitting(person, FORM, token)

    def limited(self, answer: Answer) -> Answer:
        return answer

    def looked(self, sitting: Sitting, page: str, accounts: Sequence[str]) -> None:
        self.seen.append((sitting.person.name, page, list(accounts)))
