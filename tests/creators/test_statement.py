import json
import re
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from riparian.catalogue.consent import Ledger
from riparian.catalogue.terms import Says, Scope, Term, Use
from riparian.console.stated import stated_page, token_in_page
from riparian.console.stated_paper import stated_paper, token_in
from riparian.creators.kit import Sender, kit
from riparian.creators.statement import Asking, Found, Ours, Statement, signed, stated, verified
from riparian.errors import CustodyError, InputError, RiparianError

DAY_US = 86_400_000_000
OWN = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = OWN.public_key().public_bytes_raw().hex()
OTHER = Ed25519PrivateKey.from_private_bytes(bytes([1] * 32)).public_key().public_bytes_raw().hex()
OURS = [Ours("r-1", "Tide", "Mira", "DEABC2500001", "Reed"), Ours("r-2", "\u591c\u306e\u5ddd", "Mira", label="Reed")]
ASKING = Asking("artist", "Mira", "Reed Records", 20_000 * DAY_US)
LEDGER = Ledger(
    [
        Term(Scope.LABEL, "Reed", Use.TRAIN, Says.PERMITTED, "old.pdf", stated_us=100 * DAY_US),
        Term(Scope.LABEL, "Reed", Use.TRAIN, Says.RESERVED, "new.eml", stated_us=200 * DAY_US),
    ]
)


def said(*found: Found) -> Statement:
    return stated(ASKING, OURS, found, LEDGER)


@pytest.mark.parametrize(
    ("at_day", "stance", "document"),
    [
        pytest.param(99, "reserved", "nobody", id="before anybody said anything, it was reserved"),
        pytest.param(150, "permitted", "old.pdf", id="while it was permitted, it was permitted"),
        pytest.param(250, "reserved", "new.eml", id="after the letter, it was reserved"),
        pytest.param(None, "reserved", "new.eml", id="without a day, what holds now is told"),
    ],
)
def test_terms_are_told_as_of_the_day_of_the_finding(at_day: int | None, stance: str, document: str) -> None:
    at_us = at_day * DAY_US if at_day is not None else None
    (row,) = said(Found("r-1", "songs", "sound", 0.001, at_us)).said["found"]
    assert (row["terms"]["train"]["stance"], row["terms"]["train"]["document"]) == (stance, document)


def test_of_two_findings_at_one_place_the_surest_is_kept_and_strangers_are_left_out() -> None:
    one = said(
        Found("r-1", "songs", "near", 0.04), Found("r-1", "songs", "sound", 0.001), Found("r-9", "songs", "sound", 0.0)
    )
    assert [(row["recording"], row["by"]) for row in one.said["found"]] == [("r-1", "sound")]
    assert one.said["totals"] == {"findings": 1, "recordings": 1, "expected_mistakes": 0.001, "without_error": 0}


def test_mistakes_that_are_expected_are_the_sum_of_stated_chances() -> None:
    one = said(Found("r-1", "a", "sound", 0.25), Found("r-2", "a", "near", 0.5), Found("r-2", "b", "hash"))
    assert one.said["totals"]["expected_mistakes"] == 0.75
    assert one.said["totals"]["without_error"] == 1


def test_nothing_held_is_no_statement() -> None:
    with pytest.raises(InputError, match="nothing of artist"):
        stated(ASKING, [], [], LEDGER)


TOKEN = signed(said(Found("r-1", "https://mirror.example/<b>", "sound", 0.001)), KEY, OWN.sign)


@pytest.mark.parametrize("place", range(0, len(TOKEN), 7))
def test_no_letter_of_a_signed_statement_can_be_changed(place: int) -> None:
    other = "A" if TOKEN[place] != "A" else "B"
    changed = TOKEN[:place] + other + TOKEN[place + 1 :]
    # The last letter of base64 has bits that stand for nothing.
    if place != len(TOKEN) - 1:
        with pytest.raises(CustodyError):
            verified(changed, KEY)


@pytest.mark.parametrize(
    ("token", "key", "error"),
    [
        pytest.param(TOKEN, OTHER, CustodyError, id="another key"),
        pytest.param(TOKEN, "no key", InputError, id="no key"),
        pytest.param("", KEY, CustodyError, id="nothing"),
        pytest.param("a.b.c", KEY, CustodyError, id="three words"),
        pytest.param(TOKEN.rsplit(".", 1)[0] + ".", KEY, CustodyError, id="no signature"),
        pytest.param("[" * 100_000, KEY, CustodyError, id="brackets"),
    ],
)
def test_what_is_not_signed_so_is_refused(token: str, key: str, error: type[RiparianError]) -> None:
    with pytest.raises(error):
        verified(token, key)


def test_an_algorithm_that_is_none_is_refused() -> None:
    body = TOKEN.split(".")[1]
    with pytest.raises(CustodyError):
        verified(f"eyJhbGciOiJub25lIn0.{body}.", KEY)


def test_the_page_and_the_paper_hold_what_was_signed() -> None:
    one = verified(TOKEN, KEY)
    page, paper = stated_page(one, TOKEN, KEY), stated_paper(one, TOKEN, KEY)
    assert token_in_page(page.encode()) == TOKEN
    assert token_in(paper) == TOKEN
    assert stated_paper(one, TOKEN, KEY) == paper
    assert "<b>" not in page
    assert re.search(r"script|https?://[^m ]", page.replace("https://mirror.example", "")) is None


def test_the_kit_lists_what_was_found_and_asks_for_nothing() -> None:
    texts = kit(
        verified(TOKEN, KEY), Sender("Reed", "help@reed.example", "https://reed.example/key", ("reed.example",)), KEY
    )
    assert "Tide, at https://mirror.example/<b>" in texts["to-the-artist.txt"]
    assert "No fee, no password" in texts["to-the-artist.txt"]
    assert KEY in texts["how-to-tell.txt"]


def test_a_statement_of_another_version_is_refused() -> None:
    one = Statement({**json.loads(verified(TOKEN, KEY).octets), "version": 2})
    with pytest.raises(CustodyError):
        verified(signed(replace(one), KEY, OWN.sign), KEY)
