"""What both have is told, and nothing else is: of few codes, of answers that were tampered with."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.errors import InputError
from riparian.exchange.blinded import Asked, Of, answer, ask, shared

HERE, THERE = b"h" * 32, b"t" * 32
CODES = [f"GBAYE00{n:05d}" for n in range(40)]


@pytest.mark.parametrize(
    ("of", "ours", "theirs", "both"),
    [
        pytest.param(Of.ISRC, CODES[:5], CODES[3:9], CODES[3:5], id="some"),
        pytest.param(Of.ISRC, CODES[:5], CODES[5:9], [], id="none"),
        pytest.param(Of.ISRC, CODES[:5], CODES, CODES[:5], id="all"),
        pytest.param(Of.ISRC, ["gb-aye-00-00001"], CODES, CODES[1:2], id="spelt otherwise"),
        pytest.param(Of.ISRC, CODES[:1] * 3, CODES[:1], CODES[:1], id="the same thrice"),
        pytest.param(Of.SHA256, ["AB" * 32], ["ab" * 32], ["ab" * 32], id="files"),
        pytest.param(Of.URL, ["https://a.example/1"], ["https://a.example/1"], ["https://a.example/1"], id="addresses"),
    ],
)
def test_what_both_have(of: Of, ours: list[str], theirs: list[str], both: list[str]) -> None:
    asked = ask(ours, of, HERE)
    assert shared(asked, answer(asked.said, theirs, of, THERE), HERE) == tuple(both)


@settings(max_examples=15, deadline=None)
@given(st.sets(st.sampled_from(CODES), min_size=1), st.sets(st.sampled_from(CODES), min_size=1))
def test_it_is_the_intersection(ours: set[str], theirs: set[str]) -> None:
    asked = ask(ours, Of.ISRC, HERE)
    assert shared(asked, answer(asked.said, theirs, Of.ISRC, THERE), HERE) == tuple(sorted(ours & theirs))


def test_what_is_handed_over_says_nothing_that_another_secret_would_not() -> None:
    """Neither an item nor its hash is in it, the order is none, and no point of one ask is in another."""
    one, other = (ask(CODES, Of.ISRC, secret).said["points"] for secret in (HERE, THERE))
    assert one == sorted(one)
    assert ask(reversed(CODES), Of.ISRC, HERE).said["points"] == one
    assert not {*one} & {*other}
    assert not any(code in json.dumps(one) for code in CODES)


def test_every_point_is_on_the_curve_and_none_on_its_twist() -> None:
    """Else each would tell one bit of its item, whatever the secret."""
    p = 2**255 - 19
    for point in ask(CODES, Of.ISRC, HERE).said["points"]:
        u = int.from_bytes(bytes.fromhex(point), "little")
        assert pow(u * (u * u + 486_662 * u + 1), (p - 1) // 2, p) in (0, 1)


def without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda said: said.pop(key)


def with_(key: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda said: said.update({key: value})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(without("points"), id="no points"),
        pytest.param(without("again"), id="nothing of what was asked"),
        pytest.param(with_("points", []), id="empty"),
        pytest.param(with_("points", "ab" * 32), id="a text where a list is"),
        pytest.param(with_("points", ["zz" * 32]), id="no number"),
        pytest.param(with_("points", ["00" * 32]), id="a point of low order"),
        pytest.param(with_("again", ["ab" * 32]), id="fewer than were asked"),
        pytest.param(with_("asked", "0" * 64), id="an answer to another ask"),
        pytest.param(with_("kind", "psi_ask"), id="an ask"),
        pytest.param(with_("version", 2), id="another version"),
    ],
)
def test_what_is_no_answer_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    asked = ask(CODES[:3], Of.ISRC, HERE)
    answered = answer(asked.said, CODES, Of.ISRC, THERE)
    change(answered)
    with pytest.raises(InputError):
        shared(asked, answered, HERE)


@pytest.mark.parametrize(
    "ask_it",
    [
        pytest.param(lambda: ask([], Of.ISRC, HERE), id="nothing"),
        pytest.param(lambda: ask(["GBAYE"], Of.ISRC, HERE), id="no code"),
        pytest.param(lambda: ask(["ab"], Of.SHA256, HERE), id="no digest"),
        pytest.param(lambda: ask(["example"], Of.URL, HERE), id="no address"),
        pytest.param(lambda: answer(ask(CODES, Of.ISRC, HERE).said, CODES, Of.ISRC, THERE, 39), id="about too many"),
        pytest.param(lambda: answer(ask(CODES, Of.ISRC, HERE).said, ["ab" * 32], Of.SHA256, THERE), id="other items"),
    ],
)
def test_what_cannot_be_asked_is_refused(ask_it: Callable[[], Asked]) -> None:
    with pytest.raises(InputError):
        ask_it()
