"""What may a program ask the console, and what will it be told?

The document (OpenAPI 3.1) is made of the pages and their acts, and of what these say of themselves
(:mod:`riparian.console.declared`).  It holds nothing of the workspace, so that anybody may read it.
"""

from collections.abc import Mapping
from typing import Any, Final

from riparian import __version__
from riparian.console.declared import Declared, OneOf, declared
from riparian.console.page import Act, Page
from riparian.ports.staff import Role

PATH: Final = "/openapi.json"
_FORM: Final = "application/x-www-form-urlencoded"
_FILE_FORM: Final = "multipart/form-data"
_JSON: Final = "application/json"
_ABOUT: Final = (
    "What people see on the pages of the console, and what they do there, for programs: by a token that somebody made"
    " on the page Tokens. A token may do no more than whoever made it, and nothing that wants a person at a browser."
    " What everybody may takes no token, and wants `Accept: application/json`. Signing in is for people, and is not"
    " described here."
)
_REFUSED: Final[Mapping[str, str]] = {
    "400": "What was sent is not what is wanted.",
    "401": "No token was sent, or one that is good for nothing.",
    "403": "The role of the token is too low, it only reads, or a person is wanted.",
    "404": "There is none, or none that one may see.",
    "409": "The state forbids it, and nothing changed.",
    "429": "The token asks too often, or too many tokens were tried.",
    "500": "The workspace or its policy is not in order, or the console failed.",
    "503": "Something that is needed does not answer; trying again may help.",
}


def described(pages: tuple[Page, ...], at: str) -> dict[str, Any]:
    """Describe what there is to ask.

    Parameters
    ----------
    pages
        What there is to see.
    at
        Where people reach the console.
    """
    paths: dict[str, Any] = {PATH: {"get": _itself()}}
    for page in pages:
        paths[page.path] = {"get": _look(page)}
        if page.part is not None:
            paths[f"{page.path}/part"] = {"get": _part(page)}
        for act in page.acts:
            paths[f"{page.path.rstrip('/')}/{act.name}"] = {"post": _act(page, act)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Riparian",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": at}],
        "paths": paths,
        "components": {
            "schemas": {"error": _error(), **{kind: _kind(kind) for kind in _kinds(pages)}},
            "responses": {code: _refused(code, said) for code, said in _REFUSED.items()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _look(page: Page) -> dict[str, Any]:
    said = declared(page.of.facts)
    return {
        "operationId": f"look-{_named(page.path)}",
        "summary": page.title,
        "description": _first(page.of.__doc__),
        "security": _security(page.role),
        "parameters": [
            {"name": name, "in": "query", "schema": _text(what), "description": _doc(what)}
            for name, what in said.reads.items()
        ],
        "responses": {"200": _told(said, "What the page shows."), **_refusals(*_REFUSED)},
    }


def _act(page: Page, act: Act) -> dict[str, Any]:
    said, shown = declared(act.do), declared(page.of.facts)
    fields = {name: {**_text(what), "description": _doc(what)} for name, what in said.reads.items()}
    return {
        "operationId": f"{act.name}-{_named(page.path)}",
        "summary": act.said,
        "description": _first(act.do.__doc__) + (" Wants a person: no token does it." * act.is_for_people),
        "security": _security(act.role),
        "requestBody": {"content": _form(act, fields)},
        "responses": {
            "200": _told(shown, "It is done, and what is told once is told."),
            "303": {
                "description": "It is done, and a page shows what came of it.",
                "headers": {"Location": {"schema": {"type": "string"}, "required": True}},
            },
            **_refusals(*_REFUSED),
        },
    }


def _form(act: Act, fields: dict[str, Any]) -> dict[str, Any]:
    if act.room is None:
        kinds = (_FORM, _FILE_FORM) if act.octets else (_FORM,)
        return {kind: {"schema": {"type": "object", "properties": fields}} for kind in kinds}
    file = {"type": "string", "contentMediaType": "application/octet-stream", "description": "The file."}
    return {_FILE_FORM: {"schema": {"type": "object", "required": ["file"], "properties": {**fields, "file": file}}}}


def _part(page: Page) -> dict[str, Any]:
    assert page.part is not None  # noqa: S101 -- asked before
    return {
        "operationId": f"part-{_named(page.path)}",
        "summary": f"{page.title}: a file that it names",
        "description": _first(page.part.__doc__),
        "security": _security(page.role),
        "parameters": [
            {"name": name, "in": "query", "schema": _text(what), "description": _doc(what)}
            for name, what in declared(page.part).reads.items()
        ],
        "responses": {
            "200": {"description": "The file.", "content": {kind: {} for kind in ("audio/wav", "image/png")}},
            "206": {"description": "The range of it that was asked for.", "content": {"audio/wav": {}}},
            **_refusals(*_REFUSED),
        },
    }


def _itself() -> dict[str, Any]:
    return {
        "operationId": "describe",
        "summary": "This document",
        "security": [],
        "responses": {
            "200": {
                "description": "What may be asked.",
                "content": {_JSON: {"schema": {"type": "object", "required": ["openapi", "paths"]}}},
            }
        },
    }


def _security(role: Role | None) -> list[dict[str, list[str]]]:
    return [{"token": [role.title]}] if role is not None else []


def _refusals(*codes: str) -> dict[str, Any]:
    return {code: {"$ref": f"#/components/responses/{code}"} for code in codes}


def _refused(code: str, said: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": said,
        "content": {_JSON: {"schema": {"$ref": "#/components/schemas/error"}}},
    }
    names = {"401": "WWW-Authenticate", "429": "Retry-After"}
    if code in names:
        told["headers"] = {names[code]: {"schema": {"type": "string"}}}
    return told


def _told(said: Declared, description: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{said.kind}"} if said.kind else {"type": "object"}
    return {"description": description, "content": {_JSON: {"schema": schema}}}


def _kinds(pages: tuple[Page, ...]) -> list[str]:
    return sorted({declared(page.of.facts).kind for page in pages} - {""})


def _kind(kind: str) -> dict[str, Any]:
    return {"type": "object", "required": ["kind"], "properties": {"kind": {"const": kind}}}


def _error() -> dict[str, Any]:
    texts = {
        "found": "What was found.",
        "wanted": "What was wanted instead; may be empty.",
        "to_do": "What to do about it; may be empty.",
    }
    said = {name: {"type": "string", "description": doc} for name, doc in texts.items()}
    return {"type": "object", "required": ["kind", *texts], "properties": {"kind": {"const": "error"}, **said}}


def _text(what: str | OneOf) -> dict[str, Any]:
    return {"type": "string", "enum": list(what.words)} if isinstance(what, OneOf) else {"type": "string"}


def _doc(what: str | OneOf) -> str:
    return what.doc if isinstance(what, OneOf) else what


def _first(doc: str | None) -> str:
    return " ".join((doc or "").strip().partition("\n\n")[0].split()).replace("``", "`")


def _named(path: str) -> str:
    return path.strip("/").replace("/", "-") or "today"
