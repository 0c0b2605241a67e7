"""Whatever is changed in what was written is seen; who may sign is known from their own log."""

import json
from collections import abc
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.cases.case import folded
from riparian.cases.events import (
    PEOPLE,
    Event,
    Hand,
    Person,
    Proposed,
    acted,
    by_whom,
    chained,
    people_of,
    read_event,
    written,
)
from riparian.cases.facts import Addressee, Checked, Considered, Facts, Finding, Kept, Location, Party, Work
from riparian.cases.notice import Notice
from riparian.cases.plain import canonical, made, plain
from riparian.errors import CustodyError, InputError
from tests.cases.making import ANN, AT, BEN, EVE, FIRST, KNOWN, WORKSPACE, people_log, said


def log(*proposed: Proposed, by: Hand = WORKSPACE) -> list[bytes]:
    events: list[Event] = []
    for one in proposed:
        events.append(written(one, "C1", len(events), events[-1].digest if events else "", by))
    return [event.line() for event in events]


LINES = log(*FIRST, said("considered", note="All of it, no comment."))


def test_what_was_written_is_read_as_it_was() -> None:
    events = chained(LINES, "C1", WORKSPACE.key)
    assert [event.line() for event in events] == LINES
    assert folded("C1", events) == folded("C1", [*FIRST, said("considered", note="All of it, no comment.")])


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.integers(0, len(b"\n".join(LINES)) - 1), st.integers(1, 255))
def test_any_octet_that_is_changed_is_seen(at: int, by: int) -> None:
    octets = bytearray(b"\n".join(LINES))
    octets[at] ^= by
    with pytest.raises(CustodyError):
        chained(bytes(octets).split(b"\n"), "C1", WORKSPACE.key)


def respelt(line: bytes) -> bytes:
    return json.dumps(json.loads(line)).encode()


def resigned(line: bytes) -> bytes:
    event = read_event(line)
    again = Proposed(event.kind, event.what, event.at, event.by)
    return written(again, event.case, event.number, event.previous, EVE).line()


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda lines: lines[1:], id="the first is missing"),
        pytest.param(lambda lines: [lines[0], *lines[2:]], id="one between is missing"),
        pytest.param(lambda lines: [lines[0], lines[2], lines[1], lines[3]], id="two in another order"),
        pytest.param(lambda lines: [*lines, lines[-1]], id="one twice"),
        pytest.param(lambda lines: [respelt(lines[0]), *lines[1:]], id="the same in another spelling"),
        pytest.param(lambda lines: [resigned(lines[0]), *lines[1:]], id="signed again with another key"),
        pytest.param(lambda _: log(*FIRST, by=EVE), id="all of it signed with another key"),
        pytest.param(lambda lines: [lines[0][:-1], *lines[1:]], id="cut short"),
        pytest.param(lambda _: [b"[" * 100_000], id="nested without end"),
        pytest.param(lambda _: [b"null"], id="nothing"),
        pytest.param(lambda lines: [lines[0].replace(b'"number":0', b'"number":false')], id="no number"),
    ],
)
def test_a_log_that_is_not_whole_is_refused(wrong: Callable[[list[bytes]], list[bytes]]) -> None:
    with pytest.raises(CustodyError):
        chained(wrong(list(LINES)), "C1", WORKSPACE.key)


def test_what_is_cut_off_at_the_end_is_seen_by_a_head_only() -> None:
    assert len(chained(LINES[:-1], "C1", WORKSPACE.key)) == 3


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(said("considered", who="eve", note="x"), id="somebody unknown"),
        pytest.param(Proposed("considered", {"note": "x"}, AT, "ann"), id="no signature"),
        pytest.param(acted("C1", Proposed("considered", {"note": "x"}, AT, "ann"), BEN), id="another's key"),
        pytest.param(said("considered", in_case="C2", note="x"), id="signed for another case"),
        pytest.param(replace(said("considered", note="x"), at=AT + timedelta(1)), id="put on another day"),
        pytest.param(replace(said("considered", note="x"), kind="released"), id="made another act"),
        pytest.param(replace(said("considered", note="x"), by="ben"), id="put in another's mouth"),
        pytest.param(
            replace(
                said("considered", note="x"), what={"note": "y", "signed": said("considered", note="x").what["signed"]}
            ),
            id="other words",
        ),
        pytest.param(
            acted("C1", Proposed("considered", {"note": "x"}, AT - timedelta(1), "ann"), ANN), id="before they came"
        ),
        pytest.param(
            acted("C1", Proposed("considered", {"note": "x"}, AT + timedelta(9), "cat"), EVE), id="after they left"
        ),
        pytest.param(
            Proposed("considered", {"note": "x", "signed": {"key": "zz", "signature": 3}}, AT, "ann"), id="rubbish"
        ),
    ],
)
def test_nobody_but_a_person_with_their_own_key_acts(act: Proposed) -> None:
    people = {**KNOWN, "cat": Person("cat", EVE.key, AT, "ann", retired=AT + timedelta(9))}
    with pytest.raises(CustodyError):
        by_whom("C1", act, people)


def test_whoever_signs_is_believed() -> None:
    assert by_whom("C1", said("considered", note="x"), KNOWN).name == "ann"
    left = {**KNOWN, "ann": replace(KNOWN["ann"], retired=AT + timedelta(1))}
    assert by_whom("C1", said("considered", note="x"), left).name == "ann"  # before they left


ADD_ANN = ("ann", {"name": "ann", "key": ANN.key})
ADD_BEN = ("ann", {"name": "ben", "key": BEN.key})


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param([("ann", {"name": "ben", "key": BEN.key})], id="the first names another"),
        pytest.param([("ann", {"name": "ann", "key": BEN.key})], id="the first has no key of theirs"),
        pytest.param([ADD_ANN, ("ben", {"name": "ben", "key": BEN.key})], id="nobody vouches"),
        pytest.param([ADD_ANN, ADD_BEN, ADD_BEN], id="twice"),
        pytest.param([ADD_ANN, ("ann", {"name": "ben", "key": ANN.key})], id="one key for two"),
        pytest.param([ADD_ANN, ("ann", {"name": "ben", "retired": True})], id="who was never there retires"),
        pytest.param([("ann", {"name": "ann", "retired": True})], id="the first retires"),
        pytest.param(
            [ADD_ANN, ("ann", {"name": "ann", "retired": True}), ADD_BEN], id="who retired vouches for another"
        ),
        pytest.param([("ann", {})], id="nobody at all"),
    ],
)
def test_the_log_of_people_is_right_or_refused(acts: list[tuple[str, Mapping[str, Any]]]) -> None:
    with pytest.raises(CustodyError):
        people_of(people_log(*acts))


def test_people_vouch_for_people() -> None:
    people = people_of(people_log(ADD_ANN, ADD_BEN, ("ben", {"name": "ann", "retired": True})))
    assert [(one.name, one.vouched_by, one.retired is None) for one in people.values()] == [
        ("ann", "ann", False),
        ("ben", "ann", True),
    ]
    assert people_of([]) == {}


def test_an_act_for_people_holds_in_no_case() -> None:
    proposed = acted(PEOPLE, Proposed("released", {"because": "x"}, AT, "ann"), ANN)
    with pytest.raises(CustodyError):
        by_whom("C1", proposed, KNOWN)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KINDS_OF_VALUE = (Addressee, Checked, Considered, Finding, Kept, Location, Party, Work, Notice, Facts)


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    inner = get_args(hint)
    if get_origin(hint) is tuple:
        return st.lists(any_of(inner[0]), max_size=2).map(tuple)
    if get_origin(hint) is abc.Mapping:
        return st.dictionaries(any_of(inner[0]), any_of(inner[1]), max_size=2)
    if inner:
        return st.one_of([any_of(one) for one in inner])
    if isinstance(hint, type) and is_dataclass(hint):
        return st.deferred(lambda: st.builds(hint, **{k: any_of(v) for k, v in get_type_hints(hint).items()}))
    known: dict[Any, st.SearchStrategy[Any]] = {
        str: TEXT,
        float: st.floats(allow_nan=False, allow_infinity=False),
        datetime: st.datetimes(timezones=UTCS),
    }
    return known[hint] if hint in known else st.from_type(hint)


UTCS = st.just(UTC)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.one_of([any_of(one) for one in KINDS_OF_VALUE]))
def test_every_value_comes_back_as_it_was_written(value: object) -> None:
    assert made(type(value), json.loads(canonical(plain(value)))) == value


@pytest.mark.parametrize(
    "what",
    [
        pytest.param({"n": float("nan")}, id="a number that is none"),
        pytest.param({"n": {1, 2}}, id="a set"),
        pytest.param({"n": "\ud800"}, id="half a character"),
    ],
)
def test_what_cannot_be_written_down_is_refused(what: Mapping[str, Any]) -> None:
    with pytest.raises(InputError, match="cannot be written down"):
        written(Proposed("noted", what, AT, "ann"), "C1", 0, "", WORKSPACE)
