"""What is a sign of a lure, and what everybody has."""

from types import MappingProxyType
from typing import Any

import pytest

from riparian.assembly import shipped_model
from riparian.creators.letters import Letter, Link, letters
from riparian.creators.lookalikes import Suffixes
from riparian.creators.signs import signs

LISTS = shipped_model(Suffixes.of(["example", "com", "top", "help"])).lists
PASSED = MappingProxyType({"spf": "pass", "dkim": "pass", "dmarc": "pass"})
NOTHING = MappingProxyType({"spf": "none", "dkim": "none", "dmarc": "none"})
LONG = "We act for the owner of the sound recording and list below where it is used without permission. " * 10
AWAY = (Link("https://pay.quay.example/a", "Open"),)


def look(**what: Any) -> dict[str, float]:
    return signs(Letter(**{"sender": "office@reed.example", "senders": 1, **what}), LISTS)


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        pytest.param("Reed Records", "", id="the name is in the address"),
        pytest.param("Copyright Agent", "role_unlike_sender", id="an office, of whom it does not say"),
        pytest.param("Brand Protection", "role_unlike_sender", id="an office, too"),
        pytest.param("Maria Stone", "person_unlike_sender", id="a person of a firm"),
        pytest.param("O'Hara & Quill LLP", "person_unlike_sender", id="a firm under an address of few letters"),
        pytest.param("Spotify", "name_claims", id="a name that is much imitated"),
        pytest.param("Congratulations winner", "name_claims", id="a phrase"),
        pytest.param("Quay Royalties Payment Team", "name_claims", id="an office of somebody else"),
        pytest.param("Quay 8812 / URGENT", "name_claims", id="marks and digits"),
        pytest.param("", "", id="no name"),
    ],
)
def test_what_a_name_says_of_whom_it_is_from(name: str, sign: str) -> None:
    found = look(name=name, links=AWAY)
    names = ("name_claims", "person_unlike_sender", "role_unlike_sender")
    shown = [one for one in names if found[one]]
    assert sign in shown if sign else not shown
    assert sign != "person_unlike_sender" or not found["name_claims"]


@pytest.mark.parametrize(
    ("what", "is_sign"),
    [
        pytest.param({"text": LONG}, False, id="a long text that wants nothing"),
        pytest.param({"text": LONG, "links": AWAY}, True, id="a button"),
        pytest.param({"text": LONG, "files": ("a.pdf",)}, True, id="a file"),
        pytest.param({"text": LONG, "has_form": True}, True, id="a form"),
        pytest.param({"text": f"{LONG} Write to quay.pay77@gmail.com"}, True, id="an address that anybody can have"),
        pytest.param({"text": LONG, "reply_to": "a@quay.example"}, True, id="answers go elsewhere"),
        pytest.param({"text": f"Click here. {LONG}"}, True, id="it asks"),
        pytest.param({"text": "Are you there?"}, True, id="hardly a word"),
    ],
)
def test_who_could_not_be_confirmed_weighs_where_something_is_wanted(what: dict[str, Any], *, is_sign: bool) -> None:
    assert bool(look(name="Maria Stone", passed=NOTHING, **what)["unproven"]) == is_sign
    assert not look(name="Maria Stone", passed=PASSED, **what)["unproven"]
    assert not look(name="Maria Stone", **what)["unproven"]


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        pytest.param("Última".encode(), "Última", id="as it is, undeclared"),
        pytest.param("Última".encode("latin-1"), "Última", id="in letters of Western Europe, undeclared"),
        pytest.param(b"=?utf-8?q?=C3=9Altima?= hora", "Última hora", id="encoded"),
        pytest.param(b"=?utf-8?q?=C3=9Altima?= " + "ação".encode(), "Última ação", id="both"),
        pytest.param(b"=?none-such?q?a?=", "=?none-such?q?a?=", id="letters that nobody knows"),
    ],
)
def test_a_subject_is_read_however_it_is_written(header: bytes, subject: str) -> None:
    (one,) = letters(b"From: a@b.example\nDate: x\nSubject: " + header + b"\n\nx")
    assert one.subject == subject
    assert not signs(one, LISTS)["subject_disguised"]


@pytest.mark.parametrize(
    "subject", ["P\u00ada\u00ady", "\U0001d40f\U0001d400\U0001d418", "P\u0430y", "P\ufffda\ufffdy"]
)
def test_disguised_letters_are_a_sign(subject: str) -> None:
    assert look(subject=subject)["subject_disguised"]


def test_pictures_that_lead_somewhere_are_counted() -> None:
    page = (
        b"From: a@b.example\nDate: x\nContent-Type: text/html\n\n<a href='https://x.example/1'><img src='https://x.example/p'></a>"
        b"<a href='https://x.example/2'><img src='https://x.example/q'> Read</a><a href='https://x.example/3'>Go</a>"
    )
    (one,) = letters(page)
    assert (one.pictured, one.images, len(one.links)) == (1, 2, 3)
