"""What programs are told that they may ask, held against what they are answered."""

import ast
import inspect
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks as conforming

from riparian import assembly
from riparian.assembly import Given
from riparian.console import working
from riparian.console.declared import declared
from riparian.console.doors import Locked
from riparian.console.openapi import PATH, described
from riparian.console.page import Page, Question
from riparian.console.pages import PAGES
from riparian.console.site import console_app
from riparian.errors import InputError
from riparian.ports.staff import Invitation, Person, Role, Token
from riparian.schema import DAY_US
from tests.console.asking import AT, Browser

NOW_US: Final = assembly.WallClock().now_us()
EXAMPLES: Final = 5
CHECKS: Final = (
    checks.not_a_server_error,
    conforming.status_code_conformance,
    conforming.content_type_conformance,
    conforming.response_headers_conformance,
    conforming.response_schema_conformance,
)
FORM: Final = "application/x-www-form-urlencoded"
DOCUMENT: Final = described(PAGES, AT)
SCHEMA: Final = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS: Final = {
    one.label: one for one in (each.ok() for each in SCHEMA.get_all_operations() if isinstance(each, Ok))
}
WHO: Final = {
    "nobody": {200, 401, 429},
    "viewer": {200, 403},
    "analyst": {200, 303, 400, 403, 404},
    "approver": {200, 400, 403, 404},
    "admin": {200, 400, 403, 404},
}
"""What each is answered, at least."""


class Clock:
    """Every request is a second after the one before it, so that no token asks too often."""

    at_us = NOW_US

    def now_us(self) -> int:
        self.at_us += 1_000_000
        return self.at_us


@pytest.fixture(scope="module")
def place(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, dict[str, str]]]:
    given = Given(Path(shutil.copytree(town, tmp_path_factory.mktemp("asked") / "town")))
    clock = Clock()
    # What is brought here is looked at by nobody.
    with assembly.staff(given) as staff, pytest.MonkeyPatch.context() as patched:
        patched.setattr(working, "COMMAND", ("/bin/true",))
        secrets = {}
        for role in reversed(Role):
            staff.enter(staff.invite(Invitation(role.title, role), NOW_US), "", f"id#{role}", NOW_US)
            token = Token("", "asks", Person(role.title, role), acts=True, since_us=NOW_US, until_us=NOW_US + DAY_US)
            secrets[role.title] = staff.make_token(token)
        yield Browser(console_app(given, Locked(AT, staff, clock))), secrets


@pytest.fixture(scope="module")
def known(place: tuple[Browser, dict[str, str]]) -> list[dict[str, str]]:
    """Name an account, a ring and a recording that there are."""
    browser, secrets = place
    headers = {"authorization": f"Bearer {secrets['admin']}"}
    account = browser.get("/accounts", headers=headers).json()["accounts"][0]["account"]
    ring = browser.get("/rings", headers=headers).json()["rings"][0]["ring"]
    held = browser.get("/catalogue", headers=headers).json()["recordings"][0]["recording"]
    return [{"id": one, "reason": "asked", "days": "1"} for one in (account, ring, held)]


@pytest.mark.parametrize("who", WHO)
def test_whatever_is_asked_is_answered_as_it_is_described(
    place: tuple[Browser, dict[str, str]], known: list[dict[str, str]], who: str
) -> None:
    browser, secrets = place
    seen = set()

    def asked(case: Any, meant: dict[str, str]) -> None:
        how = case.as_transport_kwargs()
        headers = {name: text.encode(errors="replace") for name, text in how["headers"].items()}
        headers["Accept"] = b"application/json"
        headers |= {"Authorization": f"Bearer {secrets[who]}".encode()} if who in secrets else {}
        part = "data" if case.operation.method == "post" else "params"
        sent = {name: how.get(name) for name in ("params", "data", "files")} | {part: _with(how.get(part), meant, case)}
        if sent["files"]:
            # Read at once, so that whoever validates sees what was sent.
            files = [(name, _as_octets(one)) for name, one in sent.pop("files")]
            whole = httpx.Request("POST", AT, data=sent.pop("data"), files=files)
            sent["content"] = whole.read()
            headers["Content-Type"] = whole.headers["content-type"].encode()
        answer = browser.ask(how["method"], how["url"], headers=headers, **sent)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=list(CHECKS))

    for operation in OPERATIONS.values():
        _driven(operation, asked, known)
    assert seen >= WHO[who]


def _as_octets(one: Any) -> Any:
    """Write a part of a form so that it can be sent: what is no text as JSON."""
    name, content, *kind = one if isinstance(one, tuple) else (None, one)
    return (name, content if isinstance(content, (bytes, str)) else json.dumps(content), *kind)


def _with(sent: Any, meant: Mapping[str, str], case: Any) -> Any:
    """Send what there is in place of what was made up, where it is read."""
    said = DOCUMENT["paths"][case.operation.path][case.operation.method]
    body = said.get("requestBody", {"content": {FORM: {"schema": {"properties": {}}}}})
    form = next(iter(body["content"].values()))
    read = {one["name"] for one in said.get("parameters", ())} | set(form["schema"]["properties"])
    given = {name: text for name, text in meant.items() if name in read}
    return {**(sent or {}), **given} if given and isinstance(sent or {}, dict) else sent


def _driven(operation: Any, asked: Callable[[Any, dict[str, str]], None], known: list[dict[str, str]]) -> None:
    @seed(26)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(), meant=st.sampled_from([{}, *known]))
    def drive(case: Any, meant: dict[str, str]) -> None:
        asked(case, meant)

    drive()


def test_the_document_is_one_and_anybody_may_read_it(place: tuple[Browser, dict[str, str]]) -> None:
    answer = place[0].get(PATH)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == DOCUMENT
    assert DOCUMENT["openapi"] == "3.1.0"
    SCHEMA.validate()
    names = [one["operationId"] for path in DOCUMENT["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))


def test_the_document_names_every_page_and_every_act() -> None:
    wanted = {f"GET {page.path}" for page in PAGES} | {f"GET {PATH}"}
    wanted |= {f"GET {page.path}/part" for page in PAGES if page.part is not None}
    wanted |= {f"POST {page.path.rstrip('/')}/{act.name}" for page in PAGES for act in page.acts}
    assert set(OPERATIONS) == wanted


@pytest.mark.parametrize("page", PAGES, ids=[page.path for page in PAGES])
def test_a_page_says_all_that_it_reads(page: Page) -> None:
    found = ast.walk(ast.parse(inspect.getsource(inspect.getmodule(page.of.facts))))  # type: ignore[arg-type]
    read = {name for node in found for name in _reads(node)}
    functions: list[Callable[..., Any]] = [page.of.facts, *(act.do for act in page.acts)]
    functions += [page.part] if page.part is not None else []
    said = {name for function in functions for name in declared(function).reads}
    assert read - said - {"done"} == set(), f"say it with @tells or @takes (riparian.console.declared) in {page.path}"
    assert declared(page.of.facts).kind, f"say it with @tells (riparian.console.declared) in {page.path}"


def _reads(node: ast.AST) -> Iterator[str]:
    """Find names in `question.of("x")`, `form.get("x")` and `form["x"]`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        is_read = (node.func.value.id, node.func.attr) in {("question", "of"), ("form", "get")}
        words = [one.value for one in node.args[:1] if isinstance(one, ast.Constant)]
        yield from (str(one) for one in words if is_read)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "form":
        yield from [str(node.slice.value)] if isinstance(node.slice, ast.Constant) else []


class Listened(dict[str, str]):
    """Hears what is read of it."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return default


@pytest.mark.parametrize("page", PAGES, ids=[page.path for page in PAGES])
def test_a_page_reads_what_it_says_and_tells_the_kind_that_it_says(page: Page, town: Path) -> None:
    listened = Listened()
    try:
        facts = page.of.facts(Given(town), Question(Person("Ada", Role.ADMIN), listened, AT))
    except InputError:
        pass
    else:
        assert facts["kind"] == declared(page.of.facts).kind
    assert listened.read <= set(declared(page.of.facts).reads)
