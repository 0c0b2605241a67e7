from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from riparian.errors import OutsideError
from riparian.flows.verdicts import Follower, Ledger
from riparian.gate.decide import NEVER_US, REFUSAL, Decision, Restraint, decide_table, to_table
from riparian.gate.holds import History, release
from riparian.gate.placing import place
from riparian.gate.policy import Mode, Policy
from riparian.ports import Delta, Verdict
from riparian.schema import DAY_US, JOINED
from riparian.stores.memory import FixedClock, Memory
from tests.contracts.holding import Edge

NOW = 1_700_000_000_000_000
LATER = NOW + DAY_US


class Town:
    """A workspace in memory in which decisions are put by hand."""

    def __init__(self) -> None:
        self.memory, self.clock = Memory(), FixedClock(NOW)
        self.world = self.memory.world(self.clock)
        self.ledger = Ledger("e1")

    def decide(self, *decisions: Decision) -> bool:
        self.memory.decisions = to_table(sorted(decisions, key=lambda d: d.account))
        self.memory.summaries.append({})
        self.memory.ids.update({d.account: f"acct-{d.account}" for d in decisions if d.account not in self.memory.ids})
        return self.ledger.look(self.world)


def decided(account: int, restraint: Restraint = Restraint.HOLD, *, until_us: int = LATER, **more: object) -> Decision:
    made = Decision(account, restraint, ("it walked",), 30.0, 20.0, 0.0, None, NOW, until_us, applied=True)
    return replace(made, **more)  # type: ignore[arg-type]


def verdict(account: int, restraint: Restraint = Restraint.HOLD, until_us: int = LATER) -> Verdict:
    return Verdict(f"acct-{account}", restraint, until_us, "evidence")


SITUATIONS: dict[str, tuple[list[list[Decision]], dict[str, str]]] = {
    "nothing was ever decided": ([[]], {}),
    "a hold": ([[decided(1)]], {"acct-1": "hold"}),
    "a hold, released": ([[decided(1)], [decided(1, Restraint.ALLOW, until_us=NOW, applied=False)]], {}),
    "a hold that is gone from the table": ([[decided(1)], []], {}),
    "a slow that climbs": ([[decided(1, Restraint.SLOW)], [decided(1, Restraint.STEP_UP)]], {"acct-1": "step_up"}),
    "shadow: decided and not applied": ([[decided(1, applied=False)]], {}),
    "enforced, then back in shadow": ([[decided(1)], [decided(1, applied=False)]], {}),
    "its end has passed already": ([[decided(1, until_us=NOW)]], {}),
    "two, one of them new": ([[decided(1)], [decided(1), decided(2)]], {"acct-1": "hold", "acct-2": "hold"}),
    "an exemption is no restraint": ([[decided(1, Restraint.ALLOW, until_us=LATER, applied=False)]], {}),
}


@pytest.mark.parametrize("name", SITUATIONS)
@pytest.mark.parametrize("fault", ["none", "forgets in between", "dead in between", "joins at the end"])
def test_an_edge_holds_what_is_in_force_whatever_it_missed(name: str, fault: str) -> None:
    town, edge = Town(), Edge()
    follower = Follower(edge)
    states, wanted = SITUATIONS[name]
    for number, decisions in enumerate(states):
        town.decide(*decisions)
        if fault == "joins at the end" and number < len(states) - 1:
            continue
        edge.dead = fault == "dead in between" and number < len(states) - 1
        if edge.dead:
            with pytest.raises(OutsideError):
                follower.step(town.ledger)
            continue
        follower.step(town.ledger)
        if fault == "forgets in between":
            edge.forget()
    follower.step(town.ledger)
    assert {name: v.restraint.name.lower() for name, v in (edge.held or {}).items()} == wanted
    assert follower.in_step(town.ledger)


def test_a_delta_tells_what_was_missed_and_nothing_else() -> None:
    town = Town()
    town.decide(decided(1))
    town.decide(decided(1), decided(2))
    town.decide(decided(2), decided(3))
    assert (town.ledger.seq, town.ledger.count) == (3, 2)
    taken_back = Verdict("acct-1", Restraint.ALLOW, 0, "evidence")
    assert {*town.ledger.since(1).verdicts} == {verdict(2), verdict(3), taken_back}
    assert {*town.ledger.since(2).verdicts} == {taken_back, verdict(3)}
    assert town.ledger.since(3) == Delta("e1", 3, 3, ())
    assert {*town.ledger.whole().verdicts} == {verdict(2), verdict(3)}


def test_looking_again_at_what_did_not_change_changes_no_number() -> None:
    town = Town()
    assert town.decide(decided(1))
    assert not town.ledger.look(town.world)
    assert not town.decide(decided(1, bits=31.0)), "more bits are the same hold"
    assert town.decide(decided(1, until_us=LATER + DAY_US)), "a later end is another"


def test_a_restraint_is_taken_back_at_its_own_end() -> None:
    town = Town()
    town.decide(decided(1), decided(2, until_us=LATER + 1))
    town.clock.at_us = LATER
    assert town.ledger.look(town.world)
    assert {*town.ledger.whole().verdicts} == {verdict(2, until_us=LATER + 1)}
    assert town.ledger.since(1).verdicts == (Verdict("acct-1", Restraint.ALLOW, 0, "evidence"),)


def test_a_hold_that_a_person_placed_says_so_at_every_edge() -> None:
    town = Town()
    policy = Policy(mode=Mode.ENFORCE)
    held = place(History(1, None), policy, NOW, until_us=LATER, person="ada", reason="a stolen card").after
    town.decide(held, decided(2, bits=0.0))
    town.decide(held)
    assert town.ledger.whole().verdicts == (Verdict("acct-1", Restraint.HOLD, LATER, "person"),)


def test_a_persons_word_reaches_the_ledger() -> None:
    town = Town()
    town.decide(decided(1))
    change = release(decided(1), NOW, bits_open=None, person="ada", reason="a radio editor")
    town.world.decisions.record(change)
    assert town.ledger.look(town.world)
    assert town.ledger.count == 0


def test_whoever_was_forgotten_is_held_nowhere() -> None:
    town, edge = Town(), Edge()
    follower = Follower(edge)
    town.decide(decided(1), decided(2))
    follower.step(town.ledger)
    town.world.vault.erase(1, lambda arrays, _: arrays)
    assert town.ledger.look(town.world)
    follower.step(town.ledger)
    assert edge.held is not None
    assert [*edge.held] == ["acct-2"]


def test_an_account_without_an_identifier_is_not_pushed() -> None:
    town = Town()
    town.memory.ids.clear()
    town.memory.decisions = to_table([decided(9)])
    town.memory.summaries.append({})
    assert not town.ledger.look(town.world)
    assert town.ledger.count == 0


def test_in_shadow_what_would_have_been_is_counted() -> None:
    town = Town()
    town.decide(decided(1, applied=False), decided(2, Restraint.SLOW, applied=False), decided(3, applied=False))
    assert town.ledger.counts() == {(Restraint.HOLD, False): 2, (Restraint.SLOW, False): 1}
    assert town.ledger.count == 0


def test_a_restraint_without_an_end_says_so() -> None:
    town = Town()
    town.decide(decided(1, until_us=NEVER_US))
    (only,) = town.ledger.whole().verdicts
    assert only.until_us == 0


def test_each_budget_is_named() -> None:
    rows = [(1, "novelty"), (2, "parent"), (3, "rows")]
    refusals = pa.table(
        [[a for a, _ in rows], [b for _, b in rows], [5] * 3, [NOW] * 3, [NOW] * 3, [5] * 3], schema=REFUSAL
    )
    policy = Policy(mode=Mode.ENFORCE)
    decisions = decide_table(JOINED.empty_table(), policy, NOW, n_accounts=1000, refusals=refusals)
    town = Town()
    town.memory.decisions = decisions
    town.memory.ids.update({a: f"acct-{a}" for a, _ in rows})
    town.memory.summaries.append({})
    town.ledger.look(town.world)
    assert {v.account_id: v.rule for v in town.ledger.whole().verdicts} == {f"acct-{a}": b for a, b in rows}


def test_who_cannot_hold_the_list_is_behind_and_is_not_sent_it_again_and_again() -> None:
    town, edge = Town(), Edge(room=1)
    follower = Follower(edge)
    town.decide(decided(1), decided(2))
    for _ in range(5):
        follower.step(town.ledger)
    assert not follower.in_step(town.ledger)
    assert follower.resyncs == 1
    edge.room = 9
    edge.forget()
    follower.step(town.ledger)
    assert follower.in_step(town.ledger)


def test_who_lost_one_of_them_is_sent_the_list_once_more() -> None:
    town, edge = Town(), Edge()
    follower = Follower(edge)
    town.decide(decided(1), decided(2))
    follower.step(town.ledger)
    assert edge.held is not None
    del edge.held["acct-1"]
    follower.step(town.ledger)
    assert (follower.resyncs, follower.in_step(town.ledger), len(edge.held)) == (2, True, 2)


def test_any_way_through_deltas_comes_to_the_same_list() -> None:
    dice = np.random.default_rng(7)
    town, edges = Town(), [Edge() for _ in range(3)]
    followers = [Follower(edge) for edge in edges]
    state: dict[int, Decision] = {}
    for _ in range(200):
        account = int(dice.integers(1, 9))
        if dice.random() < 0.4:
            state.pop(account, None)
        else:
            state[account] = decided(account, Restraint(int(dice.integers(1, 4))))
        town.decide(*state.values())
        for follower, edge in zip(followers, edges, strict=True):
            if dice.random() < 0.05:
                edge.forget()
            if dice.random() < 0.5:
                follower.step(town.ledger)
    for follower, edge in zip(followers, edges, strict=True):
        follower.step(town.ledger)
        assert edge.held == {v.account_id: v for v in town.ledger.whole().verdicts}
