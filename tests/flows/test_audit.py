import numpy as np
import pytest

from riparian.accounts.join import WEIGHTS
from riparian.errors import InputError
from riparian.flows.audit import CAP_BITS, audit
from riparian.flows.extraction import scan
from riparian.flows.summary import chance_max
from riparian.ports import World
from riparian.sim.copiers import parse_ring
from riparian.stores.memory import FixedClock, Memory
from tests.stories.towns import Played, played, small


@pytest.fixture(scope="module")
def audited() -> tuple[Played, World]:
    town = played(small(parse_ring("40x200:queue"), listeners=80, days=5))
    world = Memory().world(FixedClock(town.end_us))
    scan(world, town.chunks, town.terms)
    return town, world


def test_the_laws_hold_on_listeners(audited: tuple[Played, World]) -> None:
    town, world = audited
    known = town.terms.known
    found = audit(world, town.terms, known.codes[known.honest])
    assert found.holds
    alone = {"joined", "person", "pace", "silence", "enumeration"}
    across = {bet.bet for bet in found.bets} - alone
    assert "kinship" in across
    assert across <= set(WEIGHTS)
    joined = found.bets[0]
    assert 0 < joined.mean <= joined.mean_max <= 2.0**CAP_BITS
    assert joined.accounts == known.honest.sum()
    assert all(rung["declared"] < rung["certified"] for rung in found.ladder.values())


def test_copiers_believed_honest_refute_the_null(audited: tuple[Played, World]) -> None:
    town, world = audited
    found = audit(world, town.terms, np.array(sorted(town.copiers), np.uint64))
    assert not found.holds
    assert not next(bet for bet in found.bets if bet.bet == "person").holds
    assert found.ladder["hold"]["certified"] > 0.5


def test_honest_accounts_that_nobody_has_seen_cannot_be_audited(audited: tuple[Played, World]) -> None:
    town, world = audited
    with pytest.raises(InputError, match="is in the logs"):
        audit(world, town.terms, np.array([1, 2], np.uint64))


@pytest.mark.parametrize(("above", "n", "bound"), [(0, 100, 0.0295), (1, 100, 0.0466), (5, 100, 0.1023), (0, 1, 0.95)])
def test_the_bound_of_a_chance_is_clopper_and_pearsons(above: int, n: int, bound: float) -> None:
    assert chance_max(above, n) == pytest.approx(bound, abs=5e-4)
