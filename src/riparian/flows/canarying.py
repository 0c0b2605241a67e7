"""How is a catalogue planted, issued to one tenant after another, and a list that turns up traced to one of them?

Planting draws up, once an epoch or after the catalogue has changed, what lists are made from: the catalogue of that
day, with rows that stand for nothing.  Issuing makes one tenant's list from the newest that was planted, and writes in
the ledger whose it is before anybody has it.  Tracing reads a list against all that was ever planted and issued.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riparian.codes import codes_of
from riparian.errors import InputError, LifecycleError
from riparian.flows.extraction import Progress, silent
from riparian.gate.policy import Policy, trace_bits
from riparian.metadata.canaries import rows
from riparian.metadata.canaries.code import CanaryKey
from riparian.metadata.canaries.issue import CANARY, EXACT, Channel, Plan, Planted, Purpose, issue, planted
from riparian.metadata.canaries.read import Told, read
from riparian.metadata.canaries.trace import Traced, trace
from riparian.metadata.index import mapped
from riparian.metadata.records import match
from riparian.ports.canaries import Aviary
from riparian.schema import DAY_US, RECORDING

EPOCH: Final = "epoch"
PLANTED: Final = "planted"
ISSUED: Final = "issued"
TRACED: Final = "traced"
REVEALED: Final = "revealed"
_US: Final = 1_000_000

_READ: Final = ("title", "artist", "album", "duration_ms")
Rematch = Callable[[pa.Table], pa.Table]
"""Given what was planted, gives the rows of a found list: ``recording``, ``error``, and what they say."""


def commit(aviary: Aviary) -> CanaryKey:
    """Give the key of this epoch, its commitment in the ledger."""
    key = aviary.keys.current()
    if key.epoch not in {said["epoch"] for said in aviary.issues.entries(EPOCH)}:
        said = {"kind": EPOCH, "epoch": key.epoch, "commitment": key.commitment, "at_us": aviary.clock.now_us()}
        aviary.issues.add(said)
    return key


def plant(aviary: Aviary, plan: Plan, n_rows: int, registrant: str) -> dict[str, Any]:
    """Draw up what lists are made from.

    Parameters
    ----------
    aviary
        Everything outside.
    plan
        What is planted, and in whose recordings.
    n_rows
        How many rows stand for nothing.
    registrant
        The beginning of their ISRCs.

    Raises
    ------
    InputError
        When there is no catalogue, or rows cannot be made.
    """
    held = aviary.recordings()
    if held is None or not held.num_rows:
        raise InputError(
            "there is no catalogue to plant, wanted recordings", hint="Add some with `riparian catalogue add FILE`."
        )
    catalogue = held.select([name for name in RECORDING.names if name in held.column_names])
    key, at_us = commit(aviary), aviary.clock.now_us()
    wanted = n_rows if Channel.ROWS in plan.channels else 0
    year = datetime.fromtimestamp(at_us / _US, UTC).year
    made = rows.made(key, catalogue, wanted, registrant, year) if wanted else None
    of = planted(catalogue, plan, made)
    said = {
        "kind": PLANTED,
        "epoch": key.epoch,
        "planted": aviary.issues.keep(of.table),
        "plan": plan.said(),
        "recordings": catalogue.num_rows,
        "rows": wanted,
        "at_us": at_us,
    }
    aviary.issues.add(said)
    return said


def standing_for_nothing(aviary: Aviary) -> pa.Table:
    """List every row that was ever made to stand for nothing, to keep it out of search, reports, charts and royalties.

    Raises
    ------
    CustodyError
        When what was planted is not there any more.
    """
    found = [_canaries(aviary.issues.planted(digest)) for digest in _digests(aviary.issues.entries(PLANTED))]
    return pa.concat_tables(found, promote_options="default") if found else RECORDING.empty_table()


def _canaries(table: pa.Table) -> pa.Table:
    return table.filter(table[CANARY]).drop_columns([CANARY])


def _digests(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(str(said["planted"]) for said in entries))


def export(aviary: Aviary, tenant: str, purpose: Purpose, path: Path) -> dict[str, Any]:
    """Write one tenant's list, and that it is theirs.

    Parameters
    ----------
    tenant
        To whom.
    purpose
        What for; not one for which every field has to be exact.
    path
        Where.

    Raises
    ------
    InputError
        When the purpose forbids it, or nothing was planted in this epoch.
    """
    if purpose in EXACT:
        raise InputError(
            f"a list for {purpose} pays or reports, wanted one for which no row and no field has to be exact",
            hint="Use `riparian catalogue export`, which plants nothing.",
        )
    key = commit(aviary)
    drawn = [said for said in aviary.issues.entries(PLANTED) if said["epoch"] == key.epoch]
    if not drawn:
        raise InputError(f"nothing was planted in epoch {key.epoch}", hint="Run `riparian canary plant` first.")
    last = drawn[-1]
    table = issue(key, Planted(aviary.issues.planted(last["planted"]), Plan.heard(last["plan"])), tenant)
    said = {
        "kind": ISSUED,
        "epoch": key.epoch,
        "planted": last["planted"],
        "tenant": tenant,
        "purpose": str(purpose),
        "recordings": table.num_rows,
        "at_us": aviary.clock.now_us(),
    }
    # In the ledger first: a list that somebody has must be in it, one that nobody got does no harm there.
    aviary.issues.add(said)
    return said | {"copy": aviary.write(path, table)}


@dataclass(frozen=True, slots=True, eq=False)
class Leak:
    """What tracing a list found under one key, in one catalogue that was planted.

    Parameters
    ----------
    epoch
        Of the key.
    digest
        Of what was planted.
    tenants
        Whom lists of it were issued to.
    told
        What the list has in each cell.
    traced
        To whom it was issued.
    """

    epoch: int
    digest: str
    tenants: tuple[str, ...]
    told: Told
    traced: Traced


def trace_list(aviary: Aviary, rematch: Rematch, policy: Policy, progress: Progress = silent) -> list[Leak]:
    """Say to whom a list that was found was issued.

    Parameters
    ----------
    aviary
        Everything outside.
    rematch
        Finds the rows of the list in what was planted.
    policy
        How many mistakes are tolerated among how many copies and lists.
    progress
        Told the stage ``reading what was issued``.

    Returns
    -------
    leaks
        One for each key and catalogue that anything was issued of; all of them are paid for.

    Raises
    ------
    InputError
        When nothing was ever issued.
    LifecycleError
        When more lists were traced than the policy allows.
    """
    issued = aviary.issues.entries(ISSUED)
    _require_allowance(aviary, policy)
    if not issued:
        raise InputError("no list was ever issued, wanted one to trace to", hint="See `riparian canary export`.")
    keys = {key.epoch: key for key in aviary.keys.all()}
    plans = {(said["epoch"], said["planted"]): Plan.heard(said["plan"]) for said in aviary.issues.entries(PLANTED)}
    tried = list(dict.fromkeys((said["epoch"], said["planted"]) for said in issued))
    everybody = len({said["tenant"] for said in issued})
    at_us = aviary.clock.now_us()
    found = []
    for n, (epoch, digest) in enumerate(tried):
        progress("reading what was issued", n, len(tried))
        _require_key(aviary, keys, epoch)
        of = Planted(aviary.issues.planted(digest), plans[epoch, digest])
        tenants = tuple(
            dict.fromkeys(said["tenant"] for said in issued if (said["epoch"], said["planted"]) == (epoch, digest))
        )
        told = read(keys[epoch], of, rematch(of.table))
        subjects = codes_of(pa.array(tenants), aviary.pseudonyms)
        wanted = trace_bits(policy, everybody)
        traced = trace(keys[epoch], told, tenants, subjects, needed_bits=wanted, at_us=at_us, epochs=len(tried))
        found.append(Leak(epoch, digest, tenants, told, traced))
    progress("reading what was issued", len(tried), len(tried))
    named = sorted({leak.tenants[one.tenant] for leak in found for one in leak.traced.named})
    aviary.issues.add({"kind": TRACED, "at_us": at_us, "rows": max(leak.told.rows for leak in found), "named": named})
    return found


def _require_allowance(aviary: Aviary, policy: Policy) -> None:
    year_us = aviary.clock.now_us() - 365 * DAY_US
    before = sum(said["at_us"] > year_us for said in aviary.issues.entries(TRACED))
    if before >= policy.copies_traced_per_year:
        raise LifecycleError(
            f"{before} lists were traced in the last 365 days, wanted fewer than {policy.copies_traced_per_year}",
            hint="Wait, or raise copies_traced_per_year in policy.toml: the more of them, the more bits each wants.",
        )


def _require_key(aviary: Aviary, keys: Mapping[int, CanaryKey], epoch: int) -> None:
    said = next((one for one in aviary.issues.entries(EPOCH) if one["epoch"] == epoch), None)
    if epoch not in keys or said is None or keys[epoch].commitment != said["commitment"]:
        raise InputError(
            f"the key of epoch {epoch} is not the one that lists were issued with, wanted the same",
            hint="Restore canaries.json from a backup.",
        )


def reveal(aviary: Aviary, epoch: int) -> dict[str, Any]:
    """Give the key of an epoch to show that bits were drawn by it, and write in the ledger that it is known now.

    Raises
    ------
    InputError
        When there is no such epoch, or it is the one by which lists are issued.
    """
    keys = aviary.keys.all()
    key = next((one for one in keys if one.epoch == epoch), None)
    if key is None:
        raise InputError(f"there is no epoch {epoch}, wanted one up to {len(keys)}", hint="See `riparian canary keys`.")
    if key == keys[-1]:
        raise InputError(
            f"lists are issued by the key of epoch {epoch}, wanted one that is over",
            hint="Begin another with `riparian canary rotate`, and issue lists anew.",
        )
    _require_key(aviary, {epoch: key}, epoch)
    aviary.issues.add({"kind": REVEALED, "epoch": epoch, "at_us": aviary.clock.now_us()})
    return {"kind": "revealed", "epoch": epoch, "secret": key.secret.hex(), "commitment": key.commitment}


def matched(table: pa.Table, batches: Sequence[pa.Table], rng: np.random.Generator) -> pa.Table:
    """Find the rows of a list in what was planted.

    What they are compared with is what stands in our catalogue, not the forms that tenants got, so that whoever is
    right or wrong about a row knows nothing of anybody's bits.

    Parameters
    ----------
    table : pa.Table
        What was planted.
    batches
        The list (:data:`riparian.schema.LISTED`).
    rng
        Draws what matching learns its mistakes from.

    Returns
    -------
    rows : pa.Table
        ``recording`` (null where none of ours), ``error`` and what the list says.
    """
    ours = table.drop_columns([CANARY])
    found = []
    for listed, of in zip(batches, match(mapped(ours), lambda: iter(batches), rng), strict=True):
        is_ours = pc.and_(pc.greater_equal(of["ours"], 0), pc.equal(of["level"], "recording"))
        place = pc.if_else(is_ours, of["ours"], pa.scalar(None, of["ours"].type))
        texts = listed.select([name for name in _READ if name in listed.column_names])
        named = ours["recording"].combine_chunks().take(place.combine_chunks())
        found.append(texts.append_column("recording", named).append_column("error", of["error"]))
    return pa.concat_tables(found, promote_options="default")
