"""How does an application ask the gate, without a proxy in front of it?

``Riparian`` wraps any ASGI application (Starlette, FastAPI, ...)::

    app.add_middleware(Riparian, door=Door(gate, edge, policy, keys, clocks))

* What no route of ``edge.toml`` fits passes untouched, lifespan included.
* What is refused never reaches the application: 401, 403, 429 or 503, with the reason, and a letter for people.
  A websocket is closed before it opens.
* What is served does, with ``scope["riparian"]``, a :class:`Served`: who asks and for what, whether a preview or only a
  marked rendition is to be given, and a grant to put into a playlist.
* A request for media may carry a grant as the argument ``g``.  One that does not hold is refused; one that does
  says who asks where nothing else does, and at which rate.  One that has only ended is followed by a fresh one, with
  307 (:mod:`riparian.edges.renewal`).
* Rows of metadata are mostly known when the answer is: the application says them in the header ``X-Riparian-Rows`` of
  its response, which is taken away, or as ``scope["riparian"].rows``.  They are asked for with the account's next
  request.
* ``/riparian/verdicts`` takes pushes where the keys hold a push secret.

One process is one gate.  Where several serve, the same account has to reach the same one.
"""

from dataclasses import dataclass, replace
from typing import Final

from riparian.edges.answers import Answers, Told, in_asgi, plain
from riparian.edges.asking import Asked, fields_alone, rows_of, token_in
from riparian.edges.door import Door, under
from riparian.edges.parse import ALONE
from riparian.edges.pushed import BODY_MAX_BYTES, PATH
from riparian.edges.renewal import followed, may_follow
from riparian.edges.scope import App, Message, Receive, Scope, Send, fields, path, tell
from riparian.errors import InputError
from riparian.gate.admit import Answer
from riparian.gate.grants import Rate
from riparian.gate.refused import Refused
from riparian.gate.routes import Kind

ROWS: Final = b"x-riparian-rows"
_OWING_MAX: Final = 1 << 20
_PATH: Final = PATH.decode("ascii")


@dataclass(slots=True)
class Served:
    """What an application is told of a request that is served.

    Parameters
    ----------
    asked
        Who asks, and for what.
    answer
        What the gate said.
    rate
        ``full``, or ``preview`` where no full-length rendition is to be given.
    door
        Issues grants.
    rows
        Rows of metadata returned; for the application to say.
    """

    asked: Asked
    answer: Answer
    rate: Rate
    door: Door
    rows: int = 0

    def grant(self) -> str:
        """Issue a grant for the folder of what was asked for; empty where the house has no keys.

        Raises
        ------
        InputError
            When nobody is named, or as :meth:`riparian.edges.door.Door.grant` does.
        """
        return self.door.grant(self.asked, replace(self.answer, preview=self.rate is Rate.PREVIEW))


class Riparian:
    """An ASGI application in front of another.

    Parameters
    ----------
    app
        The application.
    door
        Answers questions; of this process alone.
    """

    def __init__(self, app: App, door: Door) -> None:
        edge = door.edge
        self._app = app
        self._door = door
        self._alone = ALONE | fields_alone(edge.account, edge.device)
        self._answers = Answers(explain=edge.explain, step_up_url=edge.step_up_url, appeal_url=edge.appeal_url)
        self._owed: dict[bytes, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection; see the ASGI specification."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        try:
            given = fields(scope, self._alone)
            if scope["path"] == _PATH and scope["type"] == "http" and self._door.keys.push:
                await tell(await self._pushed(scope, given, receive), scope, send)
                return
            asked = self._asked(scope, given)
            found = self._decided(asked, scope["query_string"]) if asked is not None else None
        except InputError as error:
            await tell(plain(400, {"error": error.message}), scope, send)
            return
        if found is None:
            await self._app(scope, receive, send)
            return
        served, told = found
        if not told.is_served:
            await tell(told, scope, send)
            return
        scope["riparian"] = served
        await self._app(scope, receive, _Telling(send, told, served))
        if served.rows and not served.asked.rows:
            self._owe(served.asked.account, served.rows)

    def _asked(self, scope: Scope, given: dict[bytes, bytes]) -> Asked | None:
        try:
            return self._door.asked(given, path(scope), scope["query_string"])
        except InputError:
            # Such a path is refused where it is ours; an application routes what it finds decoded, as it stands.
            if any(route.matches(scope["path"]) is not None for route in self._door.edge.routes.routes):
                raise
            return None

    def _decided(self, asked: Asked, query: bytes) -> tuple[Served, Told]:
        token, rate, because = token_in(query), Rate.FULL, ""
        answer: Answer | None = None
        if token and asked.kind is Kind.MEDIA and self._door.keys.ring is not None:
            grant = self._door.granted(token, asked)
            if grant is Refused.ENDED and may_follow(self._door, asked, token):
                told = followed(self._door, self._answers, asked, query)
                return Served(asked, Answer(told.status), rate, self._door), told
            if isinstance(grant, Refused):
                answer, because = self._door.ungranted(asked.kind)
            else:
                asked, rate = under(asked, grant), grant.rate
        if answer is None or (answer.status == 200 and because):
            answer, because = self._door.answer(self._with_owed(asked))
            if answer.status == 200:
                self._owed.pop(asked.account, None)
        if answer.preview:
            rate = Rate.PREVIEW
        return Served(asked, answer, rate, self._door), self._answers.told(answer, because=because)

    def _with_owed(self, asked: Asked) -> Asked:
        owed = self._owed.get(asked.account, 0) if asked.kind is Kind.METADATA else 0
        # No more than the budget ever holds, or nobody who owes it would be served again.
        return replace(asked, rows=min(asked.rows + owed, self._door.policy.rows_burst)) if owed else asked

    def _owe(self, account: bytes, rows: int) -> None:
        if account not in self._owed and len(self._owed) >= _OWING_MAX:
            del self._owed[next(iter(self._owed))]
        self._owed[account] = self._owed.get(account, 0) + rows

    async def _pushed(self, scope: Scope, given: dict[bytes, bytes], receive: Receive) -> Told:
        body, more = bytearray(), True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message["type"] == "http.request" and message.get("more_body", False)
            if len(body) > BODY_MAX_BYTES:
                return plain(413, {"error": "the list is too long"})
        return self._door.pushed.answer(scope["method"].encode("ascii"), given, bytes(body))


class _Telling:
    """Sends what an application answers, with the reasons among its headers and without its count of rows."""

    __slots__ = ("_send", "_served", "_told")

    def __init__(self, send: Send, told: Told, served: Served) -> None:
        self._send = send
        self._told = told
        self._served = served

    async def __call__(self, message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.accept"}:
            headers = []
            for name, value in message.get("headers", ()):
                if name.lower() != ROWS:
                    headers.append((name, value))
                elif (rows := rows_of(value)) is not None:
                    self._served.rows = rows
            message = {**message, "headers": headers + in_asgi(self._told)}
        await self._send(message)
