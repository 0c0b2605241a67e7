"""What stands behind the ports of a world: logs, keys, gates, catalogues, prints, marks, canaries, dumps and terms?"""

import contextlib
import shutil
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riparian.accounts.people import People, parse_people
from riparian.accounts.surfaced import Listings, Shown
from riparian.accounts.surfaced.shown import REFUSED_SHARE
from riparian.catalogue.cells import Cells
from riparian.catalogue.popularity import Popularity
from riparian.codes import BUCKETS, RECORDING_KEY, codes_of
from riparian.edges.door import Clocks, Door, Keys
from riparian.edges.push import HttpEdge
from riparian.edges.traces import Traces
from riparian.edges.wire import Wire
from riparian.engines.clocks import WallClock
from riparian.errors import InputError, PolicyError
from riparian.feeds.accounts_table import read_accounts
from riparian.feeds.catalogue_table import read_catalogue
from riparian.feeds.chunks import Chunk, ReadOptions
from riparian.flows.extraction import Terms
from riparian.flows.known import Known
from riparian.flows.reserving import Office
from riparian.flows.signals import Signals
from riparian.flows.slices import under
from riparian.flows.verdicts import Follower
from riparian.gate.admit import Gate, Kind, Rule
from riparian.gate.budgets import Budgets, Parents
from riparian.gate.keys import KeyRing
from riparian.gate.past import charges_of
from riparian.gate.policy import Mode, Policy, Restraint, parse_policy
from riparian.gate.routes import Edge, parse_edge
from riparian.ports import SHARED, Clock, Studio, World
from riparian.ports.canaries import Aviary
from riparian.ports.catalogue import Holdings
from riparian.ports.dumps import Desk
from riparian.ports.prints import Library
from riparian.stores.alone import serving_alone
from riparian.stores.canaries import FolderCanaries, FolderCanaryKeys
from riparian.stores.dumps import write_rows
from riparian.stores.files import digest_of_file, write_table
from riparian.stores.gatekept import GateKept, forget
from riparian.stores.grants import NAME as GRANTS
from riparian.stores.grants import SqlGrants
from riparian.stores.keys import FolderKeys
from riparian.stores.mark_keys import FolderMarkKeys
from riparian.stores.push_secret import push_secret
from riparian.stores.terms_keys import FolderChain
from riparian.stores.workspace import Workspace

WORKSPACE: Final = Path("riparian-workspace")
KNOWN: Final = "accounts.parquet"
CATALOGUE: Final = ("catalogue.duckdb", "catalogue.duckdb.wal", "catalogue.parquet")
_GATES: Final = "gates"
PRINTS: Final = "prints"
_JOBS: Final = "jobs"


@dataclass(frozen=True, slots=True)
class Given:
    """What the operator gave; None where nothing."""

    workspace: Path = WORKSPACE
    policy: Path | None = None
    people: Path | None = None
    catalogue: str | None = None
    accounts: str | None = None
    edge: Path | None = None


@dataclass(frozen=True, slots=True)
class House:
    """A world, and the terms on which it is looked at."""

    folder: Path
    world: World
    terms: Terms


@contextmanager
def house(given: Given, *, clock: Clock | None = None) -> Iterator[House]:
    """Open the workspace and everything beside it.

    Raises
    ------
    PolicyError
        When a settings file is not what it should be.
    InputError
        When a catalogue or accounts table is not, or the workspace was made by another version.
    """
    policy, people = read_policy(given), read_people(given)
    workspace = Workspace.open(given.workspace)
    try:
        world = workspace.world(clock if clock is not None else WallClock())
        yield House(workspace.path, world, terms_of(given, world, policy, people))
    finally:
        workspace.close()


def terms_of(given: Given, world: World, policy: Policy, people: People) -> Terms:
    """Read on what terms a world is looked at: catalogue, accounts and signals, beside policy and people."""
    recordings = _catalogue(world, given.catalogue)
    popularity = Popularity.of(recordings) if recordings is not None else Popularity.empty()
    cells = Cells.of(recordings) if recordings is not None else Cells.empty()
    known = _known(given, world.vault.key)
    return Terms(policy, people, popularity, known, cells, _signals(given, recordings, world.vault.key))


@contextmanager
def opened(given: Given, *, patience_s: float | None = None) -> Iterator[World]:
    """Open the workspace alone, for whoever weighs nothing.

    Parameters
    ----------
    given
        Which.
    patience_s
        How long a server that is away is waited for; None for as long as its address says.

    Raises
    ------
    InputError
        When the workspace was made by another version.
    """
    workspace = Workspace.open(given.workspace, patience_s=patience_s)
    try:
        yield workspace.world(WallClock())
    finally:
        workspace.close()


def has_edge(given: Given) -> bool:
    """Say whether there is an ``edge.toml`` to read."""
    return given.edge is not None or _in_folder(given, "edge.toml") is not None


def read_edge(given: Given) -> Edge:
    """Read where requests go and who asks.

    Raises
    ------
    InputError
        When there is no such file.
    PolicyError
        When it is not what it should be.
    """
    found = given.edge or _in_folder(given, "edge.toml")
    if found is None:
        raise InputError(
            f"`{given.workspace}` has no edge.toml, wanted one that names your routes",
            hint=f"Write one with `riparian edge init -w {given.workspace}`, and correct it.",
        )
    return parse_edge(toml_of(found))


def read_known(given: Given) -> Known:
    """Read what is known of accounts, and keep what is given for later."""
    with opened(given) as world:
        return _known(given, world.vault.key)


def read_keys(given: Given) -> KeyRing:
    """Read the keys of grants, made if there are none."""
    return FolderKeys(given.workspace).ring(int(time.time()))


def read_push_secret(given: Given) -> str:
    """Read what edges know their pusher by, made if there is none."""
    return push_secret(given.workspace)


def alone(given: Given) -> AbstractContextManager[None]:
    """Lock out everybody who serves this workspace; ``LifecycleError`` when one does."""
    return serving_alone(given.workspace)


def gate(given: Given, *, shard: tuple[int, int]) -> tuple[Wire, GateKept]:
    """Make a gate that knows what it knew before, and what scans have counted; and what keeps it.

    Parameters
    ----------
    given
        Policy, edge and workspace.
    shard
        This gate and of how many, from 0.
    """
    policy, edge, clock = read_policy(given), read_edge(given), WallClock()
    _compile()
    folder = given.workspace / _GATES / str(shard[0])
    kept = GateKept.open(folder, policy)
    with opened(given) as world:
        keys = Keys(world.vault.key, read_push_secret(given), read_keys(given))
        # Killed in between, it is told all of it again.
        told = folder / "told"
        _told_the_past(kept.gate, world, _known(given, keys.accounts), is_new=not told.exists())
        kept.keep()
        told.touch(mode=0o600)
    door = Door(kept.gate, edge, policy, keys, Clocks(clock.now_us, time.monotonic))
    return Wire(door, shard=shard, traces=Traces()), kept


def _compile() -> None:
    """Let a gate that nobody asks compile what the first listener would wait for."""
    alone = Gate.open(Policy(mode=Mode.ENFORCE, novelty_burst=1, novelty_per_day=1), noting=True)
    for recording, kind in enumerate(Kind, start=1):
        alone.admit(1, recording, kind, 0, 1)
    alone.judge(np.ones(1, np.uint64), [Restraint.HOLD], [0], [Rule.PERSON])
    alone.take_charges()


def _told_the_past(gate: Gate, world: World, known: Known, *, is_new: bool) -> None:
    """Let a gate know accounts, what they had before, and, where it never knew, what is left of their budgets."""
    streams = np.where(known.streams > 0, known.streams, gate.policy.streams_per_plan)
    gate.enrol(known.codes, known.created_us, streams, known.parent)
    exempt = [(code, known.exempt.exemptions[code].until_us) for code in known.exempt]
    gate.exempt(np.array([code for code, _ in exempt], np.uint64), [until_us for _, until_us in exempt])
    shared = world.tallies.load(SHARED) or {}
    parents = Parents.from_arrays(under("parents.", shared)) if shared else Parents.empty()
    for bucket in range(BUCKETS):
        arrays = world.tallies.load(bucket)
        if arrays is None:
            continue
        gate.backfill_tally(arrays["seen"])
        if is_new:
            budgets = Budgets.from_arrays(under("budgets.", arrays))
            gate.apply(charges_of(budgets, parents, known.find(budgets.account).parent))


def followers(given: Given, urls: Sequence[str]) -> dict[str, Follower]:
    """Make what keeps each of these edges in step, by URL.

    Raises
    ------
    InputError
        When one is no URL.
    """
    secret = push_secret(given.workspace)
    return {url: Follower(HttpEdge(url, secret)) for url in urls}


def read_policy(given: Given) -> Policy:
    """Read the tolerances."""
    found = given.policy or _in_folder(given, "policy.toml")
    return parse_policy(toml_of(found)) if found is not None else Policy()


def read_people(given: Given) -> People:
    """Read the declared kinds of listener."""
    found = given.people or _in_folder(given, "people.toml")
    if found is not None:
        return parse_people(toml_of(found))
    return parse_people(tomllib.loads(files("riparian.accounts").joinpath("people.toml").read_text(encoding="utf-8")))


def chunks(house: House, logs: Sequence[str], options: ReadOptions) -> Iterator[Chunk]:
    """Read logs, passing over what the workspace knows."""
    from riparian.assembly.streams import read  # noqa: PLC0415 -- it stands on this module

    return read(house, logs, options)


def read_mapping(path: Path) -> dict[str, str]:
    """Read which column holds a field.

    Raises
    ------
    PolicyError
        When the file is no flat TOML of texts.
    """
    found = toml_of(path)
    wrong = [name for name, value in found.items() if not isinstance(value, str)]
    if wrong:
        raise PolicyError(f'`{wrong[0]}` in `{path}` is no text, wanted field = "column"')
    return found


def _in_folder(given: Given, name: str) -> Path | None:
    path = given.workspace / name
    return path if path.exists() else None


def toml_of(path: Path) -> dict[str, Any]:
    """Read a file of settings.

    Raises
    ------
    InputError
        When it cannot be read.
    PolicyError
        When it is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror}, wanted a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"`{path}` is no TOML: {error}, wanted lines of key = value") from error


def _catalogue(world: World, catalogue: str | None) -> pa.Table | None:
    if catalogue is None:
        return world.catalogue.recordings()
    table = read_catalogue(catalogue)
    # What is not a catalogue is refused before it replaces the one that is kept.
    Popularity.of(table)
    world.catalogue.keep(table)
    return world.catalogue.recordings()


def _signals(given: Given, recordings: pa.Table | None, key: bytes) -> Signals | None:
    file = _in_folder(given, "signals.toml")
    if file is None:
        return None
    found = toml_of(file)
    odd = sorted(set(found) - {"listings", "canaries", "refused_share"})
    if odd:
        raise PolicyError(
            f"`{odd[0]}` is no key of `{file.name}`, wanted some of `listings`, `canaries`, `refused_share`",
            hint=f"Remove {odd[0]}.",
        )
    share = found.get("refused_share", REFUSED_SHARE)
    if not isinstance(share, float) or not 0 < share < 1:
        raise PolicyError(f"`refused_share` in `{file.name}` is {share}, wanted a share between 0 and 1")
    listings = [_listed(file, name, recordings) for name in found.get("listings", [])]
    canaries = np.unique(_listed(file, found["canaries"], None)) if "canaries" in found else np.empty(0, np.uint64)
    return Signals(Shown(key, Listings.of(listings), canaries, share))


def _listed(file: Path, name: object, recordings: pa.Table | None) -> npt.NDArray[np.uint64]:
    if name == "catalogue" and recordings is not None and "popularity" in recordings.column_names:
        return codes_of(recordings.sort_by([("popularity", "descending")])["recording"], RECORDING_KEY)
    try:
        lines = (file.parent / str(name)).read_text(encoding="utf-8").split()
    except OSError as error:
        raise InputError(
            f"`{name}`, which `{file.name}` names, cannot be read: {error.strerror}, wanted a recording a line",
            hint="Write its path as seen from the folder of signals.toml.",
        ) from error
    return codes_of(pa.array(dict.fromkeys(lines), pa.string()), RECORDING_KEY)


def _known(given: Given, key: bytes) -> Known:
    kept = given.workspace / KNOWN
    if given.accounts is not None:
        known = Known.of(read_accounts(given.accounts), key)
        pq.write_table(known.table(), kept)
        return known
    return Known.kept(pq.read_table(kept)) if kept.exists() else Known()


def forget_known(given: Given, accounts: Sequence[int]) -> bool:
    """Take accounts out of what is known of accounts; False when none was there."""
    file = given.workspace / KNOWN
    if not file.exists():
        return False
    table = pq.read_table(file)
    left = table.filter(pc.invert(pc.is_in(table["account"], value_set=pa.array(accounts, pa.uint64()))))
    if len(left) == len(table):
        return False
    write_table(file, left)
    return True


def gates_at_rest(given: Given) -> AbstractContextManager[None]:
    """Lock out everybody who serves a workspace that gates keep something in; ``LifecycleError`` when somebody does."""
    return alone(given) if (given.workspace / _GATES).exists() else nullcontext()


def forget_in_gates(given: Given, accounts: Sequence[int], recordings: npt.NDArray[np.uint64]) -> bool:
    """Take accounts out of what gates keep; False when they kept nothing of any.

    Raises
    ------
    LifecycleError
        When one runs.
    """
    folders = sorted(path for path in (given.workspace / _GATES).glob("*") if path.is_dir())
    found = [forget(folder, accounts, recordings) for folder in folders]
    return any(found)


@contextmanager
def studio(given: Given, *, workers: int = 1) -> Iterator[Studio]:
    """Open whatever marks and traces.

    Parameters
    ----------
    given
        The workspace.
    workers
        In how many processes at once.

    Raises
    ------
    InputError
        When the workspace was made by another version.
    """
    # Codecs take their time to load, and few verbs need them.
    from riparian.engines.local import Processes  # noqa: PLC0415
    from riparian.feeds import sound_files  # noqa: PLC0415
    from riparian.stores import renditions  # noqa: PLC0415
    from riparian.stores.jobs import SqlLedger  # noqa: PLC0415

    keys, grants = FolderMarkKeys(given.workspace), SqlGrants(given.workspace)
    try:
        with opened(given) as world, contextlib.closing(SqlLedger(given.workspace / _JOBS, WallClock())) as ledger:
            yield Studio(
                clock=WallClock(),
                keys=keys,
                grants=grants,
                jobs=Processes(workers, ledger),
                find=sound_files.find,
                read=sound_files.read,
                read_found=partial(sound_files.read, limits=sound_files.FOUND),
                write=renditions.write,
                digest=digest_of_file,
                pseudonyms=world.vault.key,
            )
    finally:
        grants.close()


@contextmanager
def library(given: Given, *, workers: int = 1, k: int | None = None, add: bool = False) -> Iterator[Library]:
    """Open whatever makes prints and matches them.

    Parameters
    ----------
    given
        The workspace.
    workers
        In how many processes at once.
    k
        Values of a sketch, of an index that is new.
    add
        Whether an index is made where there is none.

    Raises
    ------
    InputError
        When there is no index, it has sketches of another size, or another version made it.
    """
    # Codecs and kernels take their time to load, and few verbs need them.
    from riparian.engines.local import Processes  # noqa: PLC0415
    from riparian.feeds import listening  # noqa: PLC0415
    from riparian.stores.jobs import SqlLedger  # noqa: PLC0415
    from riparian.stores.prints import Hold, SqlAnswers, SqlPrints  # noqa: PLC0415

    if not add and not has_prints(given):
        raise InputError(
            f"`{given.workspace}` has no prints, wanted an index of your recordings",
            hint="Make one with `riparian prints add FOLDER`.",
        )
    with opened(given) as world, contextlib.ExitStack() as stack:
        folder = given.workspace / PRINTS
        prints = stack.enter_context(contextlib.closing(SqlPrints(folder, k)))
        answers = stack.enter_context(contextlib.closing(SqlAnswers(folder)))
        ledger = stack.enter_context(contextlib.closing(SqlLedger(given.workspace / _JOBS, WallClock())))
        yield Library(
            clock=WallClock(),
            prints=prints,
            answers=answers,
            jobs=Processes(workers, ledger),
            find=listening.find,
            listen=listening.listen,
            hold=Hold(folder),
            pseudonyms=world.vault.key,
        )


def recordings(given: Given) -> pa.Table | None:
    """Read what the catalogue says of recordings, and keep what is given for later; None where there is none."""
    with opened(given) as world:
        return _catalogue(world, given.catalogue)


@contextmanager
def holdings(given: Given) -> Iterator[Holdings]:
    """Open the catalogue: all that documents say of what we hold.

    Raises
    ------
    InputError
        When the workspace was made by another version.
    """
    # The database takes its time to load, and few verbs need it.
    from riparian.stores.catalogue import DuckHoldings  # noqa: PLC0415

    with opened(given), contextlib.closing(DuckHoldings(given.workspace, WallClock())) as kept:
        yield kept


@contextmanager
def aviary(given: Given) -> Iterator[Aviary]:
    """Open what canaries are planted in, issued by and traced with.

    Raises
    ------
    InputError
        When the workspace was made by another version.
    """
    with opened(given) as world, contextlib.closing(FolderCanaries(given.workspace)) as issues:
        yield Aviary(
            clock=WallClock(),
            keys=FolderCanaryKeys(given.workspace),
            issues=issues,
            recordings=world.catalogue.recordings,
            write=_written,
            pseudonyms=world.vault.key,
        )


def _written(path: Path, table: pa.Table) -> str:
    write_rows(path, iter([table]))
    return digest_of_file(path)


@contextmanager
def desk(given: Given) -> Iterator[Desk]:
    """Open whatever says how much of ours is in a list; ``InputError`` when there is no catalogue."""
    # Kernels take their time to load, and few verbs need them.
    from riparian.flows.dump_matching import weighing  # noqa: PLC0415
    from riparian.stores import dumps, maps  # noqa: PLC0415

    with holdings(given) as held, opened(given) as world:
        dumps.need_recordings(given.workspace, held)
        key = world.vault.key
        matcher = weighing(partial(maps.open_map, given.workspace), held, key)
        yield Desk(WallClock(), held, partial(dumps.open_shelf, given.workspace), matcher, key, dumps.write_rows)


@contextmanager
def terms_office(given: Given) -> Iterator[Office]:
    """Open the ledger of terms, and the chain that proves it.

    Raises
    ------
    InputError
        When the workspace was made by another version.
    """
    with holdings(given) as kept:
        yield Office(kept, FolderChain(given.workspace), WallClock())


def has_prints(given: Given) -> bool:
    """Say whether there is an index of prints."""
    return (given.workspace / PRINTS / "prints.sqlite").exists()


def is_in_grants(given: Given, account: str) -> bool:
    """Say whether anything was issued to an account."""
    with _ledger(given) as grants:
        return grants is not None and grants.knows(account)


def forget_in_grants(given: Given, names: Sequence[str]) -> bool:
    """Destroy what names accounts in the ledger of grants; False when nothing was issued to any."""
    with _ledger(given) as grants:
        found = [grants is not None and grants.erase(name, WallClock().now_us()) for name in names]
    return any(found)


@contextmanager
def _ledger(given: Given) -> Iterator[SqlGrants | None]:
    if not (given.workspace / GRANTS).exists():
        yield None
        return
    grants = SqlGrants(given.workspace)
    try:
        yield grants
    finally:
        grants.close()


def aside(given: Given, folder: Path) -> Given:
    """Point to an empty workspace with the same settings, to try something in."""
    for name in ("secret.key", KNOWN, *CATALOGUE, "policy.toml", "people.toml", "signals.toml"):
        path = given.workspace / name
        if path.exists():
            shutil.copy(path, folder / name)
    return replace(given, workspace=folder)
