"""The page on which artists look up codes and check messages."""

import asyncio
import json
from base64 import urlsafe_b64decode
from html import escape
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from riparian.assembly import shipped_model
from riparian.creators.answering import Desk
from riparian.creators.lookalikes import Suffixes
from riparian.creators.signed import HEADER, Sending, code, message, signed, verified
from riparian.edges.messages import OCTETS_MAX, application

OWN = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = OWN.public_key().public_bytes_raw().hex()
SENDING = Sending("Riverwave", 1_700_000_000_000_000, bytes(16))
TOKEN = signed(message("royalty-statement", "ann@post.example", ["riverwave.example"], SENDING), KEY, OWN.sign)
CODE = code(TOKEN)
BY = 'Riverwave <b>"&'
DESK = Desk(KEY, {CODE: TOKEN}.get, shipped_model(Suffixes.of(["example"])))  # type: ignore[arg-type]
APPLICATION = application(DESK, BY)
MAIL = (
    f"From: Riverwave <statements@riverwave.example>\nTo: ann@post.example\nSubject: Your statement\n"
    f"{HEADER}: {TOKEN}\n\nSee https://artists.riverwave.example/money\n"
)
FORM = {"content-type": "application/x-www-form-urlencoded"}
PAGE = {"accept": "text/html,application/xhtml+xml"}


def ask(method: str, path: str, **what: Any) -> httpx.Response:
    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(APPLICATION), base_url="http://page") as client:
            return await client.request(method, path, **what)

    return asyncio.run(asked())


@pytest.mark.parametrize(
    ("asked", "status", "answer", "told"),
    [
        pytest.param({"code": CODE, "to": "ann@post.example"}, 200, "verified", "The code is genuine", id="hers"),
        pytest.param({"code": CODE, "to": " Ann@POST.example "}, 200, "verified", "The code is genuine", id="as typed"),
        pytest.param(
            {"code": CODE.lower().replace("-", " ")},
            200,
            "unknown",
            "The code is that of a message of ours",
            id="no address",
        ),
        pytest.param({"code": CODE, "to": "bo@post.example"}, 200, "suspicious", "to another address", id="another's"),
        pytest.param({"code": "RM-01234-56789-ABCDE-FGHJK"}, 404, "suspicious", "no message of ours", id="not ours"),
        pytest.param({"code": "hello"}, 400, None, "", id="no code"),
        pytest.param({}, 400, None, "", id="nothing"),
    ],
)
def test_a_code_is_looked_up(asked: dict[str, str], status: int, answer: str | None, told: str) -> None:
    found = ask("GET", "/check", params=asked)
    assert ask("POST", "/check", content=urlencode(asked), headers=FORM).json() == found.json() or not asked
    said = found.json()
    assert (found.status_code, said.get("answer")) == (status, answer)
    assert told in said.get("told", "")
    # Whoever guesses at a code learns no more of a message to somebody else than that there is one.
    assert answer != "suspicious" or said["signed"] is None


@pytest.mark.parametrize(
    ("octets", "to", "status", "answer"),
    [
        pytest.param(MAIL, "", 200, "verified", id="as it came"),
        pytest.param(MAIL, "ann@post.example", 200, "verified", id="by its recipient"),
        pytest.param(MAIL, "bo@post.example", 200, "suspicious", id="by somebody else"),
        pytest.param(MAIL.replace("/money", ".top/money"), "", 200, "suspicious", id="with another link"),
        pytest.param("Shall we listen to the mixes on Friday?", "", 200, "unknown", id="a text"),
        pytest.param(" \n", "", 400, None, id="nothing"),
        pytest.param("x" * (OCTETS_MAX + 1), "", 413, None, id="too long"),
    ],
)
@pytest.mark.parametrize("how", ["as it is", "by the form"])
def test_a_message_is_checked(octets: str, to: str, status: int, answer: str | None, how: str) -> None:
    if how == "by the form":
        found = ask("POST", "/check", content=urlencode({"message": octets, "to": to}), headers=FORM)
    else:
        found = ask("POST", "/check", content=octets.encode(), params={"to": to})
    assert (found.status_code, found.json().get("answer")) == (status, answer)


def test_people_get_a_page_that_loads_and_runs_nothing() -> None:
    for found in (
        ask("GET", "/", headers=PAGE),
        ask("GET", "/check", params={"code": CODE, "to": "ann@post.example"}, headers=PAGE),
        ask("POST", "/check", content=b"Go <script>alert(1)</script> https://pay.example", headers=PAGE),
    ):
        assert found.status_code == 200
        assert "Riverwave &lt;b&gt;&quot;&amp;" in found.text
        assert "<script" not in found.text
        assert "src=" not in found.text
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert found.headers["cache-control"] == "no-store"
        assert found.headers["referrer-policy"] == "no-referrer"


def test_what_was_entered_stands_there_again() -> None:
    entered = urlencode({"code": CODE.lower(), "to": "bo@post.example"})
    found = ask("POST", "/check", content=entered, headers=FORM | PAGE)
    assert f'value="{CODE.lower()}"' in found.text
    assert 'value="bo@post.example"' in found.text
    assert 'class="told suspicious"' in found.text


@pytest.mark.parametrize("asked", ["<script>alert(1)</script>", '"><img src=x>', "{told}"])
def test_nothing_that_is_sent_is_shown_as_markup(asked: str) -> None:
    found = ask("GET", "/check", params={"code": asked, "to": asked}, headers=PAGE)
    assert found.status_code == 400
    assert f'value="{escape(asked)}"' in found.text
    assert "<script" not in found.text
    assert "<img" not in found.text


def test_the_key_is_one_that_checks_tokens() -> None:
    jwk = ask("GET", "/key").json()
    assert (jwk["kty"], jwk["crv"], jwk["kid"]) == ("OKP", "Ed25519", KEY[:16])
    padded = jwk["x"] + "=" * (-len(jwk["x"]) % 4)
    assert verified(TOKEN, urlsafe_b64decode(padded).hex()) is not None


def test_what_is_no_place_of_the_page_is_not_found() -> None:
    assert ask("GET", "/elsewhere").status_code == 404
    assert ask("PUT", "/check", content=b"x").status_code == 405
    assert json.loads(ask("POST", "/check", content=b"\xff\x00").text)["answer"] == "unknown"
