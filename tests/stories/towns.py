"""Small towns that go through the whole flow: simulated, chunked, scanned, decided."""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pyarrow as pa

from riparian.accounts.people import People, parse_people
from riparian.catalogue.cells import Cells
from riparian.catalogue.popularity import Popularity
from riparian.codes import codes_of
from riparian.feeds.chunks import Chunk
from riparian.flows.extraction import Found, Terms, scan
from riparian.flows.known import Known
from riparian.gate.policy import Policy
from riparian.ports import World
from riparian.schema import DAY_US
from riparian.sim.copiers import CopierSpec
from riparian.sim.events import each_day_coded, set_stage
from riparian.sim.holdings import recording_table
from riparian.sim.register import account_table
from riparian.sim.town import TownSpec
from riparian.stores.memory import FixedClock, Memory

KEY = Memory().key


def shipped_people() -> People:
    text = files("riparian.accounts").joinpath("people.toml").read_text(encoding="utf-8")
    return parse_people(tomllib.loads(text))


@dataclass(frozen=True)
class Played:
    """A town played out: its chunks, one a day, and what its operator knows."""

    spec: TownSpec
    chunks: tuple[Chunk, ...]
    terms: Terms
    recordings: pa.Table
    rings: dict[str, set[int]]
    end_us: int

    @property
    def copiers(self) -> set[int]:
        return set().union(*self.rings.values())


def played(spec: TownSpec, *, policy: Policy | None = None, catalogue: bool = True, register: bool = True) -> Played:
    stage = set_stage(spec)
    names = stage.account_ids.to_pylist()
    accounts = account_table(spec, stage.days, stage.account_ids)
    codes = codes_of(pa.array(names, pa.string()), KEY)
    recordings = recording_table(stage.shelf, spec.start_us)
    popularity = Popularity.of(recordings) if catalogue else Popularity.empty()
    cells = Cells.of(recordings) if catalogue else Cells.empty()
    known = Known.of(accounts, KEY) if register else Known()
    terms = Terms(policy or Policy(), shipped_people(), popularity, known, cells)
    rings: dict[str, set[int]] = {}
    for ring, code in zip(stage.days.ring.tolist(), codes.tolist(), strict=True):
        if ring:
            rings.setdefault(ring, set()).add(code)
    chunks = tuple(chunked(each_day_coded(stage, KEY), codes, names))
    return Played(spec, chunks, terms, recordings, rings, spec.start_us + spec.days * DAY_US)


def chunked(days: Iterator[pa.Table], codes: np.ndarray, names: list[str]) -> Iterator[Chunk]:
    for number, accesses in enumerate(days):
        ids = (codes, names) if number == 0 else (codes[:0], [])
        digest = hashlib.blake2b(b"day %d" % number, digest_size=16).digest()
        yield Chunk(digest, "town", number, len(accesses), accesses, ids)


def scanned(town: Played, world: World | None = None, *, at_us: int | None = None) -> Found:
    world = world if world is not None else Memory().world(FixedClock(at_us if at_us is not None else town.end_us))
    return scan(world, town.chunks, town.terms)


def small(*copiers: CopierSpec, listeners: int = 300, days: int = 20, seed: int = 3) -> TownSpec:
    return TownSpec(listeners, days, seed, copiers=copiers, recordings=20_000)
