"""Does nobody honest suffer when a whole town goes through the whole scan, access by access?

20,000 listeners for 90 days, some 125 million accesses a seed, played out one day after another, staged in a
workspace in a temporary folder, scanned once with an accounts table and a catalogue, and decided with 2 wrongful
holds a year.  Where ``guarantee_honest.py`` looks at counts and towns outside the null, this one goes the way that
a log goes.  Three rings of copiers live in the town, to see that the scan is not blind.

``town.csv`` has a row a seed and is written anew after each, so that a run that is stopped leaves the seeds that it
finished; ``town_personas.csv`` sums those seeds by kind of listener.  ``budget_*`` count the accounts of which the
novelty budget, their own or their household's, would have refused a recording.

    python bench/guarantee_town.py [--seeds 10] [--listeners 20000] [--days 90] [--first 1] [--out FILE]
"""

import hashlib
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from measure import allowance, options, people, write

from riparian.accounts.people import People
from riparian.catalogue.popularity import Popularity
from riparian.codes import codes_of
from riparian.feeds.chunks import Chunk
from riparian.flows.extraction import Terms, about, scan
from riparian.flows.found import Found
from riparian.flows.known import Known
from riparian.gate.policy import Policy, Restraint, tolerated
from riparian.ports import World
from riparian.schema import DAY_US
from riparian.sim.copiers import parse_ring
from riparian.sim.events import Stage, each_day_coded, set_stage
from riparian.sim.holdings import recording_table
from riparian.sim.personas import PERSONA_NAMES
from riparian.sim.register import account_table
from riparian.sim.town import TownSpec
from riparian.stores.memory import FixedClock
from riparian.stores.workspace import Workspace

RINGS = ("10x40:queue", "10x100:random:mimic=0.25", "10x200:queue")
RECORDINGS = 500_000
GROUPS = ("held", "stepped_up", "slowed", "budget")


@dataclass(frozen=True)
class Scanned:
    """A town after its scan, one entry an account, in the town's order.

    Parameters
    ----------
    restraint
        Rung reached by evidence.
    refused
        Whether a novelty budget would have refused it a recording.
    bits
        The most it ever had.
    held_day
        Days after its creation when it first had the bits for a hold; -1 never.
    """

    stage: Stage
    restraint: npt.NDArray[np.uint8]
    refused: npt.NDArray[np.bool_]
    bits: npt.NDArray[np.float64]
    held_day: npt.NDArray[np.int64]
    accesses: int
    waterfalls: tuple[str, ...]


def main() -> None:
    """Run the seeds and write a row after each."""
    given = options(__doc__, seeds=10, listeners=20_000, days=90, first=1)
    declared = people()
    rows: list[dict[str, object]] = []
    personas = np.zeros((len(GROUPS) + 1, len(PERSONA_NAMES)), np.int64)
    for seed in range(given.first, given.first + given.seeds):
        begun, cpu_begun = time.monotonic(), time.process_time()
        town = scanned(town_spec(given.listeners, given.days, seed), declared)
        row = told(town) | {
            "people": declared.version,
            "cpu_s": round(time.process_time() - cpu_begun),
            "wall_s": round(time.monotonic() - begun),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        rows.append(row)
        personas += by_persona(town)
        print(row, *town.waterfalls, sep="\n", flush=True)
        write(rows, given.out, "town")
        beside = given.out.with_name(f"{given.out.stem}_personas.csv") if given.out else None
        write(persona_rows(personas), beside, "town_personas")


def town_spec(listeners: int, n_days: int, seed: int) -> TownSpec:
    """Put the rings among the listeners."""
    rings = tuple(parse_ring(ring) for ring in RINGS)
    return TownSpec(listeners, n_days, seed, copiers=rings, recordings=RECORDINGS)


def scanned(spec: TownSpec, declared: People) -> Scanned:
    """Play a town out into a workspace in a temporary folder, scan it, and read what was decided."""
    inside = Path(tempfile.mkdtemp(prefix="riparian-town-"))
    workspace = Workspace.open(inside / "workspace")
    try:
        stage = set_stage(spec)
        world = workspace.world(FixedClock(spec.start_us + spec.days * DAY_US))
        terms = _terms(stage, workspace.key, declared)
        found = scan(world, _chunks(stage, workspace.key), terms)
        return _read(stage, world, terms, found)
    finally:
        workspace.close()
        shutil.rmtree(inside)


def _terms(stage: Stage, key: bytes, declared: People) -> Terms:
    accounts = account_table(stage.spec, stage.days, stage.account_ids)
    popularity = Popularity.of(recording_table(stage.shelf, stage.spec.start_us))
    return Terms(Policy(wrongful_holds_per_year=2), declared, popularity, Known.of(accounts, key))


def _chunks(stage: Stage, key: bytes) -> Iterator[Chunk]:
    codes, names = codes_of(stage.account_ids, key), stage.account_ids.to_pylist()
    for day, accesses in enumerate(each_day_coded(stage, key)):
        digest = hashlib.blake2b(b"day %d" % day, digest_size=16).digest()
        ids = (codes, names) if day == 0 else (codes[:0], [])
        yield Chunk(digest, "town", day, len(accesses), accesses, ids)


def _read(stage: Stage, world: World, terms: Terms, found: Found) -> Scanned:
    codes = codes_of(stage.account_ids, world.vault.key)
    bits = np.zeros(len(codes))
    place, there = _places(codes, found.evidence["account"].to_numpy())
    bits[there] = found.evidence["bits"].to_numpy()[place[there]]
    rungs = [float(found.summary["thresholds"][r.name.lower()]) for r in (Restraint.SLOW, Restraint.STEP_UP)]
    hold_bits = float(found.summary["thresholds"]["hold"])
    restraint = np.searchsorted([*rungs, hold_bits], bits, side="right").astype(np.uint8)
    _agree(found, codes, restraint)
    refusals = world.findings.table("refusals")
    refused = np.zeros(len(codes), np.bool_)
    if refusals is not None:
        novelty = refusals.filter(pc.not_equal(refusals["budget"], "rows"))["account"].to_numpy()
        refused = np.isin(codes, novelty)
    hit = np.flatnonzero((restraint > 0) & (stage.days.role == "listener"))
    return Scanned(
        stage,
        restraint,
        refused,
        bits,
        _held_days(stage, world, codes, hold_bits),
        int(found.summary["accesses"]),
        tuple(_waterfall(world, terms, int(codes[i]), str(stage.days.persona[i])) for i in hit),
    )


def _agree(found: Found, codes: npt.NDArray[np.uint64], restraint: npt.NDArray[np.uint8]) -> None:
    """Refuse to report what the gate did not decide."""
    decided = np.zeros(len(codes), np.uint8)
    place, there = _places(codes, found.decisions["account"].to_numpy())
    decided[there] = found.decisions["restraint"].to_numpy()[place[there]]
    wrong = (restraint > 0) & (decided != restraint)
    if wrong.any() or ((restraint == 0) & (decided > Restraint.SLOW)).any():
        raise RuntimeError(f"{int(wrong.sum())} decisions do not follow from the evidence")


def _places(
    codes: npt.NDArray[np.uint64], among: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    if not len(among):
        return np.zeros(len(codes), np.intp), np.zeros(len(codes), np.bool_)
    order = np.argsort(among)
    place = order[np.minimum(np.searchsorted(among, codes, sorter=order), len(among) - 1)]
    return place, among[place] == codes


def _held_days(stage: Stage, world: World, codes: npt.NDArray[np.uint64], hold_bits: float) -> npt.NDArray[np.int64]:
    held = np.full(len(codes), -1, np.int64)
    timeline = world.findings.table("timeline")
    if timeline is None:
        return held
    above = timeline.filter(pc.greater_equal(timeline["bits"], hold_bits))
    firsts = above.group_by("account").aggregate([("day", "min")])
    place, there = _places(codes, firsts["account"].to_numpy())
    first_day = stage.spec.start_us // DAY_US + np.maximum(stage.days.created_day, 0)
    held[there] = firsts["day_min"].to_numpy()[place[there]] - first_day[there] + 1
    return held


def _waterfall(world: World, terms: Terms, account: int, persona: str) -> str:
    known = about(world, terms, account)
    rows = "; ".join(f"{row.label} {row.bits:.1f}" for row in known.evidence.waterfall)
    return f"{persona}: {known.evidence.claim.name} {known.evidence.bits:.1f} bits: {rows}; {known.evidence.facts}"


def told(town: Scanned) -> dict[str, object]:
    """Count what was done about whom."""
    spec, days = town.stage.spec, town.stage.days
    honest, ordinary = days.role == "listener", days.persona == "ordinary"
    most = int(np.argmax(np.where(honest, town.bits, -1)))
    years = spec.days / 365
    policy = Policy(wrongful_holds_per_year=2)
    rungs = {r: int((town.restraint[honest] == r).sum()) for r in (Restraint.HOLD, Restraint.STEP_UP, Restraint.SLOW)}
    row: dict[str, object] = {
        "seed": spec.seed,
        "listeners": spec.listeners,
        "days": spec.days,
        "accesses": town.accesses,
        "held": rungs[Restraint.HOLD],
        "held_allowed": allowance(tolerated(policy, Restraint.HOLD) * years),
        "stepped_up": rungs[Restraint.STEP_UP],
        "slowed": rungs[Restraint.SLOW],
        "most_bits": round(float(town.bits[most]), 1),
        "most_persona": str(days.persona[most]),
        "budget_ordinary": int((town.refused & honest & ordinary).sum()),
        "budget_others": int((town.refused & honest & ~ordinary).sum()),
    }
    for number, ring in enumerate(spec.copiers, start=1):
        of_ring = days.ring == f"ring-{number}"
        reached = town.held_day[of_ring]
        middle = np.median(np.where(reached < 0, 10**6, reached))
        row[f"ring_{number}"] = RINGS[number - 1]
        row[f"ring_{number}_held"] = f"{int((town.restraint[of_ring] == Restraint.HOLD).sum())}/{ring.accounts}"
        row[f"ring_{number}_day"] = "never" if middle >= 10**5 else round(float(middle))
    return row


def by_persona(town: Scanned) -> npt.NDArray[np.int64]:
    """Count accounts, and those to whom each thing was done, by persona [shape=(1 + groups, personas)]."""
    done = (
        np.ones(len(town.bits), np.bool_),
        *(town.restraint == rung for rung in (Restraint.HOLD, Restraint.STEP_UP, Restraint.SLOW)),
        town.refused,
    )
    persona = town.stage.days.persona
    return np.array([[int((d & (persona == name)).sum()) for name in PERSONA_NAMES] for d in done], np.int64)


def persona_rows(counts: npt.NDArray[np.int64]) -> list[dict[str, object]]:
    """Lay counts by persona out as rows."""
    columns = ("accounts", *GROUPS)
    return [
        {"persona": name, **dict(zip(columns, counts[:, i].tolist(), strict=True))}
        for i, name in enumerate(PERSONA_NAMES)
        if counts[0, i]
    ]


if __name__ == "__main__":
    main()
