"""`riparian explain account`: what a person and a program are told of one account."""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from riparian.cli import main, render
from riparian.codes import RECORDING_KEY, codes_of, label
from riparian.evidence import PACE, PERSON, Evidence, Row, Source
from riparian.flows.explained import account_told
from riparian.flows.findings import Account
from riparian.flows.found import TIMELINE
from riparian.flows.rings import ring_label
from riparian.gate.decide import NEVER_US, Decision
from riparian.gate.holds import Event, Step
from riparian.gate.policy import Restraint
from riparian.schema import DAY_US
from tests.conftest import Golden

AGAIN = "riparian explain account user-417 --workspace riparian-workspace"


def printed(what: RenderableType, width: int = 110) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, highlight=False).print(what)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def known(evidence: Evidence, decision: Decision | None, **more: Any) -> Account:
    values: dict[str, Any] = {"events": [], "refusals": [], "timeline": TIMELINE.empty_table(), **more}
    return Account(evidence, decision, **values)


HELD = {
    "how much it plays": 19.5,
    "how much of that is new to it": 14.25,
    "in which order it meets what is new": -2.0,
    "joined with the other bets by a mean fixed beforehand": -0.515,
}


SAID = {"signals": 12.5, "devices": 0.0, "taste": -3.0}


@dataclass(frozen=True)
class Made:
    explanation: Callable[..., Evidence]
    decision: Callable[..., Decision]


@pytest.fixture
def made(request: pytest.FixtureRequest) -> Made:
    return Made(request.getfixturevalue("explanation_of"), request.getfixturevalue("decision_of"))


@pytest.fixture
def situations(made: Made) -> dict[str, Account]:
    """Name what an explanation may have to say."""
    held = made.explanation(2, HELD)
    pace = made.explanation(3, {PACE.sentence: 17.5, "joined with the other bets": -3.25}, PACE)
    began, ended = held.reached_us, held.reached_us + 2 * DAY_US
    why = f"{PERSON.sentence} (31.2 bits)"
    events = [
        Event(held.subject, began, Step.DECIDED, Restraint.HOLD, began + 14 * DAY_US, "", why),
        Event(
            held.subject, ended, Step.RELEASED, Restraint.HOLD, ended, "Ada [red]", "a library, by its \x1b[2Jletter"
        ),
    ]
    ends = [
        events[0],
        Event(held.subject, ended, Step.PROPOSED, Restraint.END, ended + 7 * DAY_US, "Ada", "a shop's account", ring=9),
        Event(held.subject, ended + 60, Step.ENDED, Restraint.END, NEVER_US, "Ben", "looked at it, too"),
        Event(held.subject, ended + DAY_US, Step.APPEALED, Restraint.END, ended + 15 * DAY_US, "", "it was me"),
    ]
    said = "ended on 2026-01-23 by Ben, proposed by Ada: a shop's account"
    refused = [{"budget": "novelty", "refused": 14, "refused_ever": 1412}]
    released = made.decision(
        2, Restraint.ALLOW, 0.0, because=("released on 2026-01-23 by Ada: a library",), bits_before=31.2
    )
    budget = "asked for 1,412 recordings new to it beyond its novelty budget; arithmetic, no evidence"
    nothing = made.explanation(4, {"how much it plays": 0.0})
    facts = {**nothing.facts, "plays": 1, "plays_new": 1, "days": 1, "late": 3, "rows": 20_000}
    return {
        "held in shadow": known(held, made.decision(2, Restraint.HOLD, held.bits), refusals=refused),
        "held and applied, certified": known(
            pace, made.decision(3, Restraint.HOLD, pace.bits, applied=True, certified=2.0**-11)
        ),
        "released by a person": known(held, released, events=events),
        "ended by people, and appealed": known(
            held,
            made.decision(
                2, Restraint.END, held.bits, because=(said, why), threshold_bits=13.3, until_us=NEVER_US, applied=True
            ),
            events=ends,
        ),
        "slowed by a budget": known(
            made.explanation(6, {"how much it plays": 3.125}),
            made.decision(6, Restraint.SLOW, 3.125, because=(budget,)),
            refusals=refused,
        ),
        "never restrained, nothing found": known(replace(nothing, facts=facts), None),
    }


SITUATIONS = (
    "held in shadow",
    "held and applied, certified",
    "released by a person",
    "ended by people, and appealed",
    "slowed by a budget",
    "never restrained, nothing found",
)


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_a_person_sees_of_an_account_is_golden(name: str, situations: dict[str, Account], golden: Golden) -> None:
    text = printed(render.explanation("user-417", situations[name], recompute=AGAIN))
    golden(f"explain/{name.replace(',', '').replace(' ', '-')}.txt", text)


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_a_program_is_told_of_an_account_is_golden(
    name: str, situations: dict[str, Account], golden: Golden
) -> None:
    told = account_told("user-417", situations[name], recompute=AGAIN)
    golden(f"explain/{name.replace(',', '').replace(' ', '-')}.json", json.dumps(told, indent=1, ensure_ascii=False))
    assert sum(row["bits"] for row in told["waterfall"]) == told["bits"]


@pytest.mark.parametrize("width", [40, 80, 110, 200])
def test_an_explanation_fits_its_window(width: int, situations: dict[str, Account]) -> None:
    for account in situations.values():
        text = printed(render.explanation("user-417", account, recompute=AGAIN), width)
        assert max(map(len, text.splitlines())) <= width


@given(st.text(min_size=1))
def test_no_identifier_steers_a_terminal(name: str) -> None:
    evidence = Evidence(PERSON, 7, 1.0, (Row("volume", 1.0),), 0, Source("person", "1"), _facts())
    text = printed(render.explanation(name, known(evidence, None), recompute=f"riparian explain account {name}"), 400)
    assert all(c.isprintable() for line in text.split("\n") for c in line)


def _facts() -> dict[str, object]:
    return {"plays": 1, "plays_new": 1, "days": 1, "first_us": 1, "last_us": 2, "rows": 0, "late": 0}


def test_an_identifier_that_looks_like_markup_is_shown_as_it_is(situations: dict[str, Account]) -> None:
    text = printed(render.explanation("[bold]u[/bold][link=x]", situations["held in shadow"], recompute=AGAIN))
    assert text.startswith("[bold]u[/bold][link=x]")


@dataclass(frozen=True)
class Stretch:
    """A chunk as a feed would hand it over."""

    digest: bytes
    accesses: pa.Table
    ids: tuple[Any, list[str]]
    source: str = "made"
    n_lines: int = 0
    rejects: tuple[()] = field(default=())


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fill a workspace: nine people who repeat themselves, and one who takes 400 new recordings a day."""
    from riparian import assembly  # noqa: PLC0415  only what runs the verb needs it
    from riparian.flows.extraction import scan  # noqa: PLC0415  as above

    folder = tmp_path_factory.mktemp("explain") / "workspace"
    rng = np.random.default_rng(5)
    names, at, recordings = [], [], []
    for person in range(10):
        for day in range(12):
            n = 400 if person == 9 else 30
            names += [f"user-{person}"] * n
            at += (FIRST_US + day * DAY_US + np.sort(rng.integers(0, DAY_US, n))).tolist()
            new = day * n + np.arange(n) if person == 9 else rng.integers(0, 60, n)
            recordings += [f"r{person}-{k}" for k in new]
    with assembly.house(assembly.Given(folder), clock=Evening()) as house:
        codes = codes_of(pa.array(names), house.world.vault.key)
        accesses = pa.table(
            {
                "at_us": pa.array(at, pa.int64()),
                "account": codes,
                "recording": codes_of(pa.array(recordings), RECORDING_KEY),
            }
        )
        first = {name: int(code) for name, code in zip(names, codes, strict=True)}
        ids = (np.array(list(first.values()), np.uint64), list(first))
        scan(house.world, [Stretch(b"one", accesses, ids, n_lines=len(at))], house.terms)
    return folder


FIRST_US = 20_454 * DAY_US


class Evening:
    """The end of the log's last day."""

    def now_us(self) -> int:
        return FIRST_US + 12 * DAY_US + 1


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["riparian", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_the_verb_explains_by_identifier_and_by_pseudonym(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "explain", "account", "user-9", "-w", str(workspace), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "explanation"
    assert told["account"] == "user-9"
    assert told["facts"]["plays"] == 4800
    assert sum(row["bits"] for row in told["waterfall"]) == told["bits"] > 5
    assert run(monkeypatch, "explain", "account", told["pseudonym"], "-w", str(workspace), "--json") == 0
    assert json.loads(capsys.readouterr().out)["account"] == "user-9"
    assert run(monkeypatch, "explain", "account", "user-9", "-w", str(workspace)) == 0
    assert "compute again" in capsys.readouterr().out


UNKNOWN = {
    "an identifier that no log had": "user-99",
    "a pseudonym of nobody": label(417),
    "an identifier that would clear the screen": "\x1b[2J",
    "no identifier": "",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_account_is_a_clear_error(
    name: str, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "explain", "account", UNKNOWN[name], "-w", str(workspace)) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "wanted" in told.err
    assert "\x1b" not in told.err


def test_looking_makes_no_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none"
    assert run(monkeypatch, "explain", "account", "user-1", "-w", str(missing)) == 2
    assert "there is no workspace" in capsys.readouterr().err
    assert not missing.exists()


def test_what_other_questions_say_stands_beside_and_a_ring_is_named(made: Made) -> None:
    held = made.explanation(2, HELD)
    others = [replace(made.explanation(2, {"x": bits}, PACE), facts={"question": q}) for q, bits in SAID.items()]
    account = known(held, None, others=tuple(others), ring=417)
    text = printed(render.explanation("user-417", account, recompute=AGAIN))
    assert f"signals, 12.5 bits: {PACE.sentence}"[:40] in text
    assert "devices and taste: nothing that counts" in text
    assert f"riparian explain ring {ring_label(417)}" in text
    told = account_told("user-417", account, recompute=AGAIN)
    assert [other["question"] for other in told["others"]] == list(SAID)
    assert told["ring"] == ring_label(417)
