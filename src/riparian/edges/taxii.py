"""Where do peers read what we share, and send what they do?

A TAXII 2.1 server over :mod:`riparian.exchange.taxii`; put a server with TLS before it.  Who comes in shows a token, as
a bearer or as the password of basic authentication, and sees only the collections that are theirs.

::

    GET  /taxii2/                              what is here
    GET  /ROOT/                                the API root
    GET  /ROOT/collections/                    and /ROOT/collections/ID/
    GET  /ROOT/collections/ID/manifest/        which objects, without what they say
    GET  /ROOT/collections/ID/objects/         POST adds some
    GET  /ROOT/collections/ID/objects/OBJECT/  DELETE removes it
    GET  /ROOT/collections/ID/objects/OBJECT/versions/
    GET  /ROOT/status/ID/                      what became of an addition

Source
------
OASIS TAXII 2.1 (10 June 2021), 1.6, 3 to 5; RFC 6750 (bearer), RFC 7617 (basic).
"""

import base64
import binascii
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from riparian.errors import InputError
from riparian.exchange import taxii
from riparian.exchange.taxii import TAXII, Question
from riparian.ports import Clock
from riparian.ports.exchange import Allowed, Collection, Signals

LENGTH_MOST: Final = 10 << 20
_OBJECTS_MOST: Final = 10_000
_DEPTH_MOST: Final = 64
_TAKEN: Final = ("application/taxii+json", "*/*", "application/*")


@dataclass(frozen=True, slots=True)
class Served:
    """What a server says of itself.

    Parameters
    ----------
    root
        The name of its only API root.
    at
        Where it is reached, as in ``https://exchange.example``; empty when its answers name no host.
    look
        Looks at objects that are added, and refuses some by raising an ``InputError``.
    """

    signals: Signals
    clock: Clock
    title: str
    root: str = "api"
    at: str = ""
    contact: str = ""
    look: Callable[[Sequence[Mapping[str, Any]]], object] = len


class _Refused(Exception):  # noqa: N818 -- it is an answer
    def __init__(self, status: int, title: str, description: str = "") -> None:
        super().__init__(title)
        self.status, self.title, self.description = status, title, description


_Answer = Callable[[Request, Allowed], Awaitable[Response]]


def taxii_app(served: Served) -> Starlette:
    """Make the application."""
    desk = _Desk(served)
    root = f"/{served.root}"
    here = f"{root}/collections/{{collection}}"
    one = f"{here}/objects/{{object}}"
    ways: tuple[tuple[str, Mapping[str, _Answer]], ...] = (
        ("/taxii2/", {"GET": desk.discovery}),
        (f"{root}/", {"GET": desk.root}),
        (f"{root}/status/{{status}}/", {"GET": desk.status}),
        (f"{root}/collections/", {"GET": desk.collections}),
        (f"{here}/", {"GET": desk.collection}),
        (f"{here}/manifest/", {"GET": desk.manifest}),
        (f"{here}/objects/", {"GET": desk.objects, "POST": desk.add}),
        (f"{one}/", {"GET": desk.object, "DELETE": desk.delete}),
        (f"{one}/versions/", {"GET": desk.versions}),
    )
    routes = [Route(path, desk.answering(of), methods=[*of]) for path, of in ways]
    app = Starlette(routes=routes, exception_handlers={404: _missing, 405: _not_so, 500: _broken})
    # A redirect is made of what the request says of scheme and host, and a token would follow it there.
    app.router.redirect_slashes = False
    return app


class _Desk:
    def __init__(self, served: Served) -> None:
        self._served, self._signals = served, served.signals

    def answering(self, of: Mapping[str, _Answer]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                _accepts(request)
                allowed = self._who(request)
                return await of["GET" if request.method == "HEAD" else request.method](request, allowed)
            except _Refused as no:
                return _error(no.status, no.title, no.description)
            except InputError as no:
                return _error(400, "The question cannot be understood", no.message)

        return answer

    async def discovery(self, _request: Request, _allowed: Allowed) -> Response:
        served = self._served
        url = f"{served.at}/{served.root}/"
        said = {"title": served.title, "default": url, "api_roots": [url]}
        return _json(said | ({"contact": served.contact} if served.contact else {}))

    async def root(self, _request: Request, _allowed: Allowed) -> Response:
        return _json({"title": self._served.title, "versions": [TAXII], "max_content_length": LENGTH_MOST})

    async def status(self, request: Request, _allowed: Allowed) -> Response:
        said = self._signals.status(request.path_params["status"])
        if said is None:
            raise _Refused(404, "There is no such addition")
        return _json(said)

    async def collections(self, _request: Request, allowed: Allowed) -> Response:
        every = [one for one in self._signals.collections() if one.ident in allowed.read | allowed.write]
        return _json({"collections": [_told(one, allowed) for one in every]} if every else {})

    async def collection(self, request: Request, allowed: Allowed) -> Response:
        return _json(_told(self._collection(request, allowed), allowed))

    async def manifest(self, request: Request, allowed: Allowed) -> Response:
        page = self._signals.page(self._readable(request, allowed), _question(request))
        return _json(page.of("objects", map(taxii.manifest_of, page.rows)), page.headers)

    async def objects(self, request: Request, allowed: Allowed) -> Response:
        page = self._signals.page(self._readable(request, allowed), _question(request))
        return _json(page.of("objects", (row.body for row in page.rows)), page.headers)

    async def object(self, request: Request, allowed: Allowed) -> Response:
        where = self._readable(request, allowed)
        page = self._signals.page(where, self._of_one(where, request))
        return _json(page.of("objects", (row.body for row in page.rows)), page.headers)

    async def versions(self, request: Request, allowed: Allowed) -> Response:
        where = self._readable(request, allowed)
        question = replace(self._of_one(where, request), versions=("all",))
        page = self._signals.versions(where, question)
        return _json(page.of("versions", (row.version for row in page.rows)), page.headers)

    async def delete(self, request: Request, allowed: Allowed) -> Response:
        where = self._writable(request, allowed)
        self._readable(request, allowed)
        question = self._of_one(where, request)
        asked = {name for name, _ in request.query_params.multi_items()}
        if "match[version]" not in asked:
            question = replace(question, versions=("all",))
        if "match[spec_version]" not in asked:
            question = replace(question, specs=taxii.SPECS)
        if not self._signals.remove(where, question):
            raise _Refused(404, "There is no such version")
        return Response(status_code=200, media_type=TAXII)

    async def add(self, request: Request, allowed: Allowed) -> Response:
        where = self._writable(request, allowed)
        if not _is_taxii(request.headers.get("content-type", ""), ("application/taxii+json",)):
            raise _Refused(415, "The body is of another media type", f"Send {TAXII}.")
        objects = _objects(await _body(request))
        now_us = self._served.clock.now_us()
        self._served.look(objects)
        versions = self._signals.add(where, objects, now_us)
        done = [{"id": one["id"], "version": at} for one, at in zip(objects, versions, strict=True)]
        said = {
            "id": str(uuid.uuid4()),
            "status": "complete",
            "request_timestamp": taxii.written(now_us),
            "total_count": len(objects),
            "success_count": len(objects),
            "successes": done,
            "failure_count": 0,
            "pending_count": 0,
        }
        self._signals.keep_status(str(said["id"]), said)
        return _json(said, status=202)

    def _who(self, request: Request) -> Allowed:
        kind, _, said = request.headers.get("authorization", "").partition(" ")
        token = said.strip()
        if kind.lower() == "basic":
            try:
                token = base64.b64decode(token, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                token = ""
        allowed = self._signals.allowed(token) if token else None
        if allowed is None:
            raise _Refused(401, "Who asks is not known", "Show the token that you were given.")
        return allowed

    def _collection(self, request: Request, allowed: Allowed) -> Collection:
        found = self._signals.collection(request.path_params["collection"])
        if found is None or found.ident not in allowed.read | allowed.write:
            raise _Refused(404, "There is no such collection")
        return found

    def _readable(self, request: Request, allowed: Allowed) -> str:
        found = self._collection(request, allowed)
        if not found.can_read or found.ident not in allowed.read:
            raise _Refused(403, "You may not read here")
        return found.ident

    def _writable(self, request: Request, allowed: Allowed) -> str:
        found = self._collection(request, allowed)
        if not found.can_write or found.ident not in allowed.write:
            raise _Refused(403, "You may not write here")
        return found.ident

    def _of_one(self, where: str, request: Request) -> Question:
        ident = request.path_params["object"]
        if not self._signals.page(where, Question(idents=(ident,), limit=1)).rows:
            raise _Refused(404, "There is no such object")
        return replace(_question(request), idents=(ident,))


def _question(request: Request) -> Question:
    return taxii.question(request.query_params.multi_items())


def _accepts(request: Request) -> None:
    if not any(_is_taxii(one, _TAKEN) for one in request.headers.get("accept", "*/*").split(",")):
        raise _Refused(406, "Nothing of that media type is here", f"Accept {TAXII}.")


def _is_taxii(said: str, kinds: Sequence[str]) -> bool:
    kind, *parameters = said.lower().replace(" ", "").replace('"', "").split(";")
    version = [one for one in parameters if one.startswith("version=")]
    return kind in kinds and version in ([], ["version=2.1"])


async def _body(request: Request) -> bytes:
    octets = bytearray()
    async for part in request.stream():
        octets += part
        if len(octets) > LENGTH_MOST:
            raise _Refused(413, "That is too long", f"Send at most {LENGTH_MOST:,} octets at once.")
    return bytes(octets)


def _objects(octets: bytes) -> list[dict[str, Any]]:
    try:
        said = json.loads(octets, parse_constant=_none, object_pairs_hook=_once)
        json.dumps(said, ensure_ascii=False, allow_nan=False).encode()
        objects = said["objects"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _Refused(400, "The body is no envelope", 'Send {"objects": [...]}, each name once.') from None
    if not isinstance(objects, list) or not objects or not all(isinstance(one, dict) for one in objects):
        raise _Refused(422, "The envelope has no objects", 'Send {"objects": [...]}.')
    if len(objects) > _OBJECTS_MOST:
        raise _Refused(413, "That is too much", f"Send at most {_OBJECTS_MOST:,} objects at once.")
    if _is_deep(objects):
        raise _Refused(422, "An object is too deep", f"Send at most {_DEPTH_MOST} levels.")
    return objects


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ValueError("a name comes twice")
    return said


def _is_deep(objects: Sequence[Any]) -> bool:
    level: list[Any] = list(objects)
    for _ in range(_DEPTH_MOST):
        held = (one.values() if isinstance(one, dict) else one for one in level)
        level = [each for one in held for each in one if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def _none(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")


def _told(one: Collection, allowed: Allowed) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": one.ident,
        "title": one.title,
        "can_read": one.can_read and one.ident in allowed.read,
        "can_write": one.can_write and one.ident in allowed.write,
        "media_types": list(taxii.MEDIA_TYPES),
    }
    return said | {name: value for name in ("description", "alias") if (value := getattr(one, name))}


def _json(said: object, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    return Response(json.dumps(said, ensure_ascii=False), status, dict(headers or {}), TAXII)


def _error(status: int, title: str, description: str = "") -> Response:
    answer = _json(taxii.error(status, title, description), status=status)
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="taxii", Basic realm="taxii"'
    return answer


async def _missing(_request: Request, _fault: Exception) -> Response:
    return _error(404, "There is nothing here", "Addresses end with a slash; /taxii2/ tells what is here.")


async def _not_so(_request: Request, _fault: Exception) -> Response:
    return _error(405, "That is not done here")


async def _broken(_request: Request, _fault: Exception) -> Response:
    return _error(500, "Something is out of order here")
