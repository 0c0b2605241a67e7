"""Is nobody honest held for their devices and places, and what do they say of a farm?

First towns of listeners, 20 seeds, with everything that makes people look odd: households of up to five accounts behind
one address with a common speaker, offices and campuses behind one address, telephones for work, holidays, business
and crews, private networks of every kind, browsers that forget or lie (:mod:`riparian.sim.whereabouts`).  For each kind
the highest level that anybody got to on every ladder, the most bits of each question alone and of the account, and how
many are held or slowed at 2 wrongful holds and 8 slowings a year among 20,000 accounts (13.3 and 11.3 bits).
A second table tells of every rung how many got there, and how many the declared share explains but with a chance of
1 % (Poisson): a share that is exceeded is declared too small for this town.

Then farms without listeners, 28 days and 20 seeds each: after how many days the median account has 13.3 bits by
devices alone or by places alone, what each account has got by then, and the same for the account, where the two
questions may make but 4 % and 3 % of the mistakes.  ``never`` is within the period; ``most`` is what the ladder gives
at most for what the farm does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from measure import allowance, options, people, write

from riparian.accounts import devices, places
from riparian.accounts.devices import Devices
from riparian.accounts.join import PRICES
from riparian.accounts.people import People
from riparian.accounts.places import Places
from riparian.codes import codes_of
from riparian.gate.policy import Policy, Restraint, threshold_bits
from riparian.schema import DAY_US
from riparian.sim.copiers import parse_ring
from riparian.sim.events import Stage, each_day_coded, set_stage
from riparian.sim.town import TownSpec

HOLD = threshold_bits(Policy(), Restraint.HOLD, 20_000)
SLOW = threshold_bits(Policy(), Restraint.SLOW, 20_000)
KEY = bytes(range(16))
COLUMNS = ("at_us", "account", "device", "agent", "country", "lat", "lon")
LADDERS = ("shared", "changed", "impossible", "scattered", "countries", "nights")
FARMS = (
    ("a device and a home for each account", "20x200"),
    ("20 accounts on 2 devices", "20x200:devices=2"),
    ("60 accounts on 1 device", "60x200:devices=1"),
    ("120 accounts on 1 device", "120x200:devices=1"),
    ("20 accounts, new devices every day", "20x200:churn"),
    ("20 accounts, other people's homes every ten minutes", "20x200:proxies"),
    ("20 accounts on 2 devices, behind proxies", "20x200:devices=2:proxies"),
)
NEVER = 10_000


@dataclass(slots=True)
class Watched:
    """All accounts of a town as one bucket."""

    people: People
    accounts: npt.NDArray[np.uint64]
    devices: Devices
    places: Places

    @classmethod
    def of(cls, stage: Stage, declared: People) -> "Watched":
        """Begin with nothing seen; slots are the town's indices."""
        return cls(declared, codes_of(stage.account_ids, KEY), Devices.empty(), Places.empty())

    def see(self, accesses: pa.Table) -> None:
        """Count one day."""
        columns = {name: accesses[name].to_numpy() for name in COLUMNS}
        order = np.argsort(self.accounts)
        slot = order[np.searchsorted(self.accounts, columns["account"], sorter=order)].astype(np.int32)
        devices.observe(self.devices, columns, slot, self.people)
        places.observe(self.places, columns, slot, self.people)

    def reached(self, until_us: int) -> tuple[pa.Table, pa.Table]:
        """Tell how far everybody got with devices and with places."""
        own = devices.levels(self.devices, self.accounts)
        shared = devices.share(self.devices.regular, self.people, until_us=until_us)
        return pa.concat_tables([own, shared]), places.levels(self.places, self.accounts)

    def bits(self, until_us: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Tell everybody's bits by devices alone and by places alone."""
        by_devices, by_places = self.reached(until_us)
        both = (devices.answers(by_devices, self.people), places.answers(by_places, self.people))
        return self._spread(both[0], "bits"), self._spread(both[1], "bits")

    def levels(self, until_us: int) -> Mapping[str, npt.NDArray[np.float64]]:
        """Tell everybody's highest level on every ladder that they got onto."""
        reached = pa.concat_tables(self.reached(until_us))
        return {
            name: self._spread(reached.filter(pa.compute.equal(reached["ladder"], name)), "level") for name in LADDERS
        }

    def _spread(self, table: pa.Table, name: str) -> npt.NDArray[np.float64]:
        order = np.argsort(self.accounts)
        values = np.zeros(len(self.accounts))
        at = order[np.searchsorted(self.accounts, table["account"].to_numpy(), sorter=order)]
        values[at] = table[name].to_numpy()
        return values


def main() -> None:
    """Run the towns, then the farms."""
    given = options(__doc__, listeners=1_000, days=35, seeds=20)
    declared = people()
    seeds = range(1, given.seeds + 1)
    kinds_found, rungs_found = honest_rows(declared, given.listeners, given.days, seeds)
    write(kinds_found, given.out, "traits_honest")
    write(rungs_found, given.out, "traits_ladders")
    write(farm_rows(declared, min(given.days, 28), seeds), given.out, "traits_farms")


def honest_rows(
    declared: People, listeners: int, n_days: int, seeds: Sequence[int]
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Look at towns of listeners; tell of each kind the most that anybody got to, and of each rung how many did."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for seed in seeds:
        stage = set_stage(TownSpec(listeners=listeners, days=n_days, seed=seed))
        watched = Watched.of(stage, declared)
        for accesses in each_day_coded(stage, KEY):
            watched.see(accesses)
        until_us = stage.spec.start_us + n_days * DAY_US
        columns = dict(watched.levels(until_us))
        columns["devices_bits"], columns["places_bits"] = watched.bits(until_us)
        for kind, mine in kinds(stage):
            found.setdefault(kind, []).append({name: column[mine] for name, column in columns.items()})
        print(f"seed {seed}: most {columns['devices_bits'].max():.1f}, {columns['places_bits'].max():.1f}", flush=True)
    return [_honest_row(kind, parts) for kind, parts in found.items()], _rungs(declared, found["everybody"])


def _rungs(declared: People, parts: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for question in ("devices", "places"):
        for name, ladder in declared.ladders[question].items():
            got = np.concatenate([part[name] for part in parts])
            for level, share in zip(ladder.levels.tolist(), ladder.shares.tolist(), strict=True):
                allowed = allowance(share * len(got))
                row = {"ladder": f"{question}.{name}", "level": level, "declared": f"{share:.6f}".rstrip("0")}
                rows.append(row | {"accounts": len(got), "reached": int((got >= level).sum()), "allowed": allowed})
    return rows


def _honest_row(kind: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    joined = np.maximum(columns["devices_bits"] - PRICES["devices"], columns["places_bits"] - PRICES["places"])
    row: dict[str, object] = {"kind": kind, "accounts": len(joined)}
    row |= {name: int(columns[name].max(initial=0)) for name in LADDERS}
    row |= {name: round(float(columns[name].max(initial=0)), 1) for name in ("devices_bits", "places_bits")}
    row["account_bits"] = round(float(joined.max(initial=0)), 1)
    return row | {"slowed": int((joined >= SLOW).sum()), "held": int((joined >= HOLD).sum())}


def kinds(stage: Stage) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Tell of every kind who is of it; one account may be of several."""
    lives, people_ = stage.wandering.lives, stage.wandering.people
    together = np.bincount(lives["home"], minlength=len(lives))[lives["home"]] > 1
    yield "everybody", np.ones(len(lives), np.bool_)
    yield "households of two to five accounts", together
    yield "of them, with one speaker", lives["speaker"] >= 0
    yield "of them, with nothing but that", (lives["speaker"] >= 0) & (lives["borrows"] > 0)
    yield "families on one account", people_["people"] > 1
    yield "an office behind one address", lives["office"] > 0
    yield "a telephone for work", lives["work_phone"] > 0
    yield "a campus behind one address", lives["campus"] > 0
    for name, every in (("holidays", 60), ("business every week", 7), ("crews, every other day", 4)):
        yield f"travellers: {name}", lives["trips"] == -(-stage.spec.days // every)
    names = ("always one exit", "now and then, three exits", "another exit on every visit", "another every ten minutes")
    for i, name in enumerate(names):
        yield f"private network: {name}", lives["private"] == i + 1
    yield "a browser that forgets every day", lives["forgets"] == 1
    yield "a browser that forgets on every visit", lives["forgets"] == 2
    yield "a browser that lies about its platform", lives["lies"] > 0


def farm_rows(declared: People, n_days: int, seeds: Sequence[int]) -> list[dict[str, object]]:
    """Look at farms, day by day."""
    rows = []
    for name, ring in FARMS:
        runs = [_farm(ring, declared, n_days, seed) for seed in seeds]
        rows.append({"farm": name, "spec": ring} | _farm_row(runs))
        print(rows[-1], flush=True)
    return rows


def _farm(ring: str, declared: People, n_days: int, seed: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return bits by (devices, places) [shape=(2, accounts, days)], and what each account had got by each day."""
    farm = parse_ring(ring)
    enough = int(1.1 * farm.accounts * farm.per_day * n_days)
    spec = TownSpec(listeners=0, days=n_days, seed=seed, recordings=enough, copiers=(farm,))
    stage = set_stage(spec)
    watched = Watched.of(stage, declared)
    bits = np.zeros((2, stage.days.accounts, n_days))
    for day, accesses in enumerate(each_day_coded(stage, KEY)):
        watched.see(accesses)
        bits[:, :, day] = watched.bits(spec.start_us + (day + 1) * DAY_US)
    return bits, np.cumsum(stage.days.matrix("novel", n_days), axis=1)


def _farm_row(runs: Sequence[tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]]) -> dict[str, object]:
    bits = np.concatenate([b for b, _ in runs], axis=1)
    got = np.concatenate([g for _, g in runs])
    row: dict[str, object] = {}
    for i, question in enumerate(("devices", "places")):
        row[f"{question}_most"] = round(float(np.median(bits[i, :, -1])), 1)
        row |= _delay(f"{question}_alone", bits[i], got)
        row |= _delay(f"{question}_in_account", bits[i] - PRICES[question], got)
    return row


def _delay(name: str, bits: npt.NDArray[np.float64], got: npt.NDArray[np.int64]) -> dict[str, object]:
    day = np.where((bits >= HOLD).any(axis=1), (bits >= HOLD).argmax(axis=1) + 1, NEVER)
    middle = int(np.median(day))
    leak = int(np.median(got[np.arange(len(got)), np.minimum(day, got.shape[1]) - 1]))
    return {f"{name}_day": middle if middle < NEVER else "never", f"{name}_leak": leak}


if __name__ == "__main__":
    main()
