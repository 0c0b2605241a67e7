"""Restraints in force, and what a person does about one."""

from dataclasses import dataclass

import numpy as np

from riparian.errors import InputError, LifecycleError
from riparian.flows.joined import evidence_of
from riparian.gate.decide import Decision, Restraint, from_table
from riparian.gate.holds import STEPS, History, Step, release
from riparian.gate.placing import place, prolong
from riparian.gate.policy import Policy
from riparian.ports import World


@dataclass(frozen=True, slots=True)
class Said:
    """Who decided, and why."""

    person: str
    reason: str


def in_force(world: World) -> list[Decision]:
    """List what restrains an account now, the strongest first."""
    now_us = world.clock.now_us()
    running = [
        d for d in from_table(world.decisions.table()) if d.restraint is not Restraint.ALLOW and d.until_us > now_us
    ]
    return sorted(running, key=lambda d: (-d.restraint, -d.bits, d.account))


def possible(world: World, account: int) -> list[Step]:
    """List the steps that somebody may take about an account from where it stands, in the order of the table."""
    history = History(account, world.decisions.of(account), tuple(world.decisions.events(account)))
    place = history.place(world.clock.now_us())
    return [step for state, waits, step in STEPS if (state, waits) == place]


def longest_days(policy: Policy, restraint: Restraint) -> int:
    """Say for how many days a restraint may be extended at once."""
    return policy.longest_slow_days if restraint is Restraint.SLOW else policy.longest_hold_days


def current_decision(world: World, account: int) -> Decision:
    """Read the decision on an account.

    Raises
    ------
    LifecycleError
        When nothing was ever decided about it.
    """
    decision = world.decisions.of(account)
    if decision is None:
        raise LifecycleError("the account is `allowed`, wanted one that is restrained")
    return decision


def extend_restraint(world: World, policy: Policy, decision: Decision, *, days: int, said: Said) -> Decision:
    """Let a restraint last longer; a person says so, and why."""
    history = History(decision.account, decision, tuple(world.decisions.events(decision.account)))
    change = prolong(history, policy, world.clock.now_us(), days=days, person=said.person, reason=said.reason)
    world.decisions.record(change)
    return change.after


def place_hold(world: World, policy: Policy, account: int, *, until_us: int, said: Said) -> Decision:
    """Hold an account for a while; a person says so, and why.

    Raises
    ------
    InputError
        When the vault does not know the account: no edge could be told of it.
    LifecycleError
        As :func:`riparian.gate.placing.place`.
    """
    if world.vault.ids_of(np.array([account], np.uint64)) == [None]:
        raise InputError("the account is not in the vault, wanted one that a scan has seen")
    history = History(account, world.decisions.of(account), tuple(world.decisions.events(account)))
    hold_bits = float(world.scans.summaries()[-1]["thresholds"]["hold"])
    change = place(
        history,
        policy,
        world.clock.now_us(),
        until_us=until_us,
        person=said.person,
        reason=said.reason,
        hold_bits=hold_bits,
    )
    world.decisions.record(change)
    return change.after


def release_restraint(world: World, decision: Decision, *, said: Said) -> Decision:
    """Let an account go; a person says so, and why."""
    bits_open = bits_open_of(world, decision.account, decision)
    change = release(decision, world.clock.now_us(), bits_open=bits_open, person=said.person, reason=said.reason)
    world.decisions.record(change)
    return change.after


def bits_open_of(world: World, account: int, decision: Decision | None) -> float | None:
    """Read where a bet is opened when all that an account did until the last scan is answered for."""
    evidence = evidence_of(world.findings, account)
    if len(evidence):
        return float(evidence["bits_open"][0].as_py())
    return None if decision is None else decision.bits_then
