"""What becomes of a ring in a town whose gate hears, every midnight, what the day's log has shown?

Each day goes round once: everybody asks, the gate answers, the answers are the log, the log is scanned, and what is
decided is what the gate knows tomorrow.  Town, gate and scan are those of the house; this only carries things between
them.  It is quicker than a town at a real nginx, which is replayed request by request elsewhere
(``bench/gate_town.py``), and nobody in it adapts, as copiers do in ``riparian replay``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from riparian import assembly
from riparian.codes import RECORDING_KEY, codes_of
from riparian.feeds.chunks import ReadOptions
from riparian.flows.extraction import Progress, scan
from riparian.flows.restraints import in_force
from riparian.gate.admit import Gate, Kind, Rule
from riparian.gate.policy import Restraint
from riparian.schema import DAY_US
from riparian.sim.events import Stage, each_day, set_stage
from riparian.sim.holdings import recording_table
from riparian.sim.register import account_table
from riparian.sim.town import TownSpec

CATALOGUE: Final = "catalogue.parquet"
ACCOUNTS: Final = "accounts.parquet"
SERVED: Final = 200
_ISRC: Final = "ZZ9T626{:05d}"
_OWNER: Final = "Tidewater Records"


@dataclass(frozen=True, slots=True)
class Lived:
    """What a town did, and what was done about it.

    Parameters
    ----------
    accesses
        How many there were.
    names
        Of all accounts.
    served
        By account of the ring, what it was served that it did not have, in order of time.
    wanted
        How many recordings the ring would have had with nobody in its way.
    first
        By account, then restraint, the day from 1 after which it was first under it.
    refused
        Requests of listeners that were refused.
    """

    accesses: int
    names: tuple[str, ...]
    served: Mapping[str, tuple[str, ...]]
    wanted: int
    first: Mapping[str, Mapping[Restraint, int]]
    refused: int

    @property
    def taken(self) -> int:
        """How many recordings the ring was served."""
        return len({recording for each in self.served.values() for recording in each})

    def touched(self, at_least: Restraint, *, ring: bool) -> int:
        """Count accounts of the ring, or listeners, that were ever under so strong a restraint."""
        return sum(max(under) >= at_least for name, under in self.first.items() if (name in self.served) is ring)


def live(spec: TownSpec, out: Path, given: assembly.Given, progress: Progress) -> Lived:
    """Let a town live, with a gate before it.

    Parameters
    ----------
    out
        Where its catalogue, accounts and logs are written.
    given
        The workspace, with the policy, and the two tables as they are written here.
    """
    progress("drawing people", 0, None)
    stage = set_stage(spec)
    write_tables(stage, out)
    clock = _TownClock(spec.start_us)
    logs = out / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with assembly.house(given, clock=clock) as house:
        town = _Town(stage, house, _gate(house))
        for day, accesses in enumerate(each_day(stage), 1):
            progress("living days", day, spec.days)
            log = logs / f"day-{day:02}.parquet"
            pq.write_table(town.asked(accesses), log)
            clock.at_us = spec.start_us + day * DAY_US
            scan(house.world, assembly.chunks(house, [str(log)], ReadOptions()), house.terms)
            town.told(day)
    return town.lived()


def write_tables(stage: Stage, out: Path) -> None:
    """Write what the operator of a town knows: its catalogue, whose it is, and its accounts."""
    out.mkdir(parents=True, exist_ok=True)
    catalogue = recording_table(stage.shelf, stage.spec.start_us)
    n = len(catalogue)
    for name, values in (
        ("isrc", pa.array([_ISRC.format(i) for i in range(n)])),
        ("owner", pa.array([_OWNER] * n)),
        ("label", pa.array([_OWNER] * n)),
    ):
        at = catalogue.schema.get_field_index(name)
        catalogue = (catalogue if at < 0 else catalogue.remove_column(at)).append_column(name, values)
    pq.write_table(catalogue, out / CATALOGUE)
    pq.write_table(account_table(stage.spec, stage.days, stage.account_ids), out / ACCOUNTS)


@dataclass(slots=True)
class _TownClock:
    at_us: int

    def now_us(self) -> int:
        return self.at_us


def _gate(house: assembly.House) -> Gate:
    policy, known = house.terms.policy, house.terms.known
    gate = Gate.open(policy)
    streams = np.where(known.streams > 0, known.streams, policy.streams_per_plan)
    gate.enrol(known.codes, known.created_us, streams, known.parent)
    return gate


class _Town:
    def __init__(self, stage: Stage, house: assembly.House, gate: Gate) -> None:
        self._house, self._gate = house, gate
        self._names: list[str] = stage.account_ids.to_pylist()
        codes = codes_of(stage.account_ids, house.world.vault.key)
        self._by_code = dict(zip(codes.tolist(), self._names, strict=True))
        copies = stage.days.role == "copier"
        ring = [name for name, is_copier in zip(self._names, copies.tolist(), strict=True) if is_copier]
        self._served: dict[str, dict[str, None]] = {name: {} for name in ring}
        self._wanted: set[str] = set()
        self._first: dict[str, dict[Restraint, int]] = {}
        self._accesses = self._refused = 0

    def asked(self, accesses: pa.Table) -> pa.Table:
        """Put a day's requests to the gate, in their order; gives the log of the day."""
        status = self._answers(accesses)
        self._accesses += len(accesses)
        who, what = (accesses[name].to_pylist() for name in ("account", "recording"))
        for name, recording, answer in zip(who, what, status.tolist(), strict=True):
            mine = self._served.get(name)
            if mine is None:
                self._refused += answer != SERVED
            elif recording is not None:
                self._wanted.add(recording)
                if answer == SERVED:
                    mine[recording] = None
        return accesses.append_column("status", pa.array(status.astype(np.int16)))

    def told(self, day: int) -> None:
        """Let the gate know what was decided at the end of a day."""
        running = in_force(self._house.world)
        self._gate.judge(
            np.array([one.account for one in running], np.uint64),
            [int(one.restraint) for one in running],
            [one.until_us for one in running],
            [Rule.EVIDENCE for _ in running],
            full=True,
        )
        for one in running:
            self._first.setdefault(self._by_code[one.account], {}).setdefault(one.restraint, day)

    def lived(self) -> Lived:
        served = {name: tuple(each) for name, each in self._served.items()}
        return Lived(self._accesses, tuple(self._names), served, len(self._wanted), self._first, self._refused)

    def _answers(self, accesses: pa.Table) -> NDArray[np.uint16]:
        is_media = accesses["recording"].is_valid().to_numpy()
        recording = codes_of(accesses["recording"].combine_chunks(), RECORDING_KEY)
        kinds = tuple(Kind)
        status, _ = self._gate.admit_many(
            codes_of(accesses["account"].combine_chunks(), self._house.world.vault.key),
            np.where(is_media, recording, 0).astype(np.uint64),
            np.where(is_media, kinds.index(Kind.MEDIA), kinds.index(Kind.METADATA)).astype(np.uint8),
            accesses["at"].cast(pa.int64()).to_numpy(),
            accesses["rows"].fill_null(0).to_numpy().astype(np.int64),
        )
        return status
