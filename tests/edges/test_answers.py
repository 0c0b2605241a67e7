import json

import pytest

from riparian.edges.answers import Answers, Dialect, Told, in_asgi, on_wire, plain
from riparian.gate.admit import Answer, Rule
from riparian.gate.policy import Restraint

HELD = Answer(403, Restraint.HOLD, Rule.EVIDENCE, 60, 1_800_000_000_000_001)
ANSWERS = {
    "served": (Answer(200), 200, 200),
    "prove who you are": (Answer(401, Restraint.STEP_UP, Rule.EVIDENCE), 401, 401),
    "held": (HELD, 403, 403),
    "too fast": (Answer(429, Restraint.SLOW, Rule.LIMIT, 1), 429, 403),
    "not decided": (Answer(503, retry_after_s=5), 503, 403),
}


@pytest.mark.parametrize(("answer", "plainly", "to_nginx"), ANSWERS.values(), ids=ANSWERS)
def test_each_dialect_has_its_codes_and_the_truth_is_told(answer: Answer, plainly: int, to_nginx: int) -> None:
    told = Answers(Dialect.NGINX).told(answer)
    assert (Answers(Dialect.PLAIN).told(answer).status, told.status) == (plainly, to_nginx)
    assert dict(told.headers)["X-Riparian-Status"] == str(plainly)
    assert told.body == b""
    assert told.is_served == (plainly == 200)


@pytest.mark.parametrize("answer", [answer for answer, *_ in ANSWERS.values() if answer.status != 200])
@pytest.mark.parametrize("because", ["", "degraded", "grant"])
def test_every_refusal_has_words_for_a_person(answer: Answer, because: str) -> None:
    letter = json.loads(Answers(appeal_url="https://a.example").told(answer, because=because).body)
    assert letter["what"].endswith(".")
    assert letter["why"].endswith(".")
    assert ("appeal" in letter) == (answer.action is not Restraint.ALLOW)


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_has_words_for_a_person(rule: Rule) -> None:
    letter = json.loads(Answers().told(Answer(403, Restraint.HOLD, rule)).body)
    assert letter["because"] == str(rule)
    assert letter["why"]


def test_an_end_is_told_in_whole_seconds_and_never_too_early() -> None:
    told = Answers().told(HELD)
    assert dict(told.headers)["X-Riparian-Until"] == "1800000001"
    assert json.loads(told.body)["until"] == "2027-01-15T08:00:01+00:00"


def test_what_is_to_be_given_is_told() -> None:
    rates = [
        dict(Answers().told(answer).headers).get("X-Riparian-Rate")
        for answer in (Answer(200), Answer(200, preview=True), Answer(200, marked_only=True))
    ]
    assert rates == [None, "preview", "marked"]


def test_without_explanations_only_what_a_client_needs_is_told() -> None:
    told = Answers(explain=False, step_up_url="https://p.example").told(
        Answer(401, Restraint.STEP_UP, Rule.EVIDENCE, 9)
    )
    assert {name for name, _ in told.headers} == {
        "X-Riparian-Shard",
        "Retry-After",
        "WWW-Authenticate",
        "Content-Type",
    }
    assert json.loads(told.body) == {
        "status": 401,
        "what": "Please confirm that it is you.",
        "retry_after_s": 9,
        "step_up": "https://p.example",
    }


def test_an_answer_is_written_as_each_protocol_wants_it() -> None:
    told = Told(200, (("X-A", "b"),), b"c")
    assert on_wire(told) == b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-A: b\r\n\r\nc"
    assert on_wire(told, is_last=True).count(b"Connection: close\r\n") == 1
    assert on_wire(told, is_head=True).endswith(b"Content-Length: 1\r\nX-A: b\r\n\r\n")
    assert in_asgi(told) == [(b"x-a", b"b")]
    assert plain(404, {"error": "x"}).body == b'{"error": "x"}'
