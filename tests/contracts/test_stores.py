"""One suite over every store: what ``riparian.ports`` promises holds in memory, in a folder, and on PostgreSQL."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from riparian.codes import BUCKETS, codes_of
from riparian.errors import InputError, LifecycleError
from riparian.gate.appeals import appeal
from riparian.gate.decide import Decision, Restraint, decide, to_table
from riparian.gate.ending import end, propose, withdraw
from riparian.gate.holds import History, Step, extend, release
from riparian.gate.policy import Policy
from riparian.ports import SHARED, Arrays, Offsets, Place, Reached, Scan, World
from riparian.schema import ACCESS, DAY_US, RECORDING
from riparian.stores.memory import FixedClock, Memory
from riparian.stores.postgres.address import write_address
from riparian.stores.workspace import Workspace
from tests.postgres import Server

NOW = 1_700_000_000_000_000


class Said(TypedDict):
    """Who says so, and why."""

    person: str
    reason: str


ADA: Said = {"person": "ada", "reason": "a DJ; spoke with her"}
BEN: Said = {"person": "ben", "reason": "looked at it, too"}
EMPTY = to_table([])


@dataclass(frozen=True)
class Line:
    source: str
    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Piece:
    digest: bytes
    accesses: pa.Table
    ids: tuple[NDArray[np.uint64], list[str]] = field(default_factory=lambda: (np.zeros(0, np.uint64), []))
    rejects: Sequence[Line] = ()
    source: str = "access-\udcff.log"
    n_lines: int = 0
    offsets: Offsets | None = None


def piece(digest: bytes, rows: dict[str, list[Any]], **more: Any) -> Piece:
    schema = pa.schema([ACCESS.field(name) for name in rows])
    return Piece(digest, pa.table(list(rows.values()), schema=schema), **more)


def account(bucket: int, n: int = 1) -> int:
    return (bucket << 58) + n


@pytest.fixture(params=["memory", "folder", pytest.param("postgres", marks=pytest.mark.slow)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    clock = FixedClock(NOW)
    if request.param == "memory":
        yield Memory().world(clock)
    else:
        if request.param == "postgres":
            on_postgres(request.getfixturevalue("postgres"), tmp_path / "w")
        workspace = Workspace.open(tmp_path / "w")
        yield workspace.world(clock)
        workspace.close()


def on_postgres(server: Server, path: Path) -> None:
    """Let the records of a workspace that is yet to be made lie on a server, with nothing in them."""
    server.empty("postgres")
    path.mkdir()
    write_address(path, server.address())


def stage(world: World, *pieces: Piece) -> None:
    for one in pieces:
        world.staging.add(one)


def save_all(scan: Scan, decisions: pa.Table = EMPTY, **summary: Any) -> None:
    for bucket in range(BUCKETS):
        at_us = scan.columns(bucket)["at_us"]
        if at_us.size:
            scan.save(bucket, {"at_us": at_us}, {"evidence": counted(scan.columns(bucket))})
    scan.commit(decisions, summary)


def counted(columns: Arrays) -> pa.Table:
    codes, n = np.unique(columns["account"], return_counts=True)
    return pa.table({"account": codes, "n": n})


ROWS = piece(
    b"one",
    {"at_us": [30, 10, 20, 5], "account": [account(3), account(63), account(3), account(0)], "recording": [1, 2, 3, 4]},
)
MORE = piece(
    b"two",
    {
        "at_us": [1, 2],
        "account": [account(3), account(3)],
        "recording": [5, 6],
        "heartbeat": [True, None],
        "media_ms": [None, 7],
        "lat": [None, 2.5],
    },
)


def test_a_partition_goes_on_where_it_was_read_to_and_nowhere_else(world: World) -> None:
    def part(begin: int, end: int, at_us: int, log: str = "kafka:plays/0") -> Piece:
        rows = {"at_us": [at_us], "account": [account(3)], "recording": [1]}
        return piece(f"{log} {begin} {end}".encode(), rows, offsets=Offsets(log, begin, end, at_us))

    with world.scans.alone():
        assert world.staging.reached("kafka:plays/0") is None
        assert world.staging.add(part(5, 9, 30))
        assert world.staging.reached("kafka:plays/0") == Reached(9, 30)
        # Somebody else read the same, or more of it, or what comes after; and what an empty stretch would be.
        for begin, end in ((5, 9), (5, 12), (7, 12), (10, 12), (9, 9)):
            assert not world.staging.add(part(begin, end, 99))
        assert world.staging.add(part(9, 12, 20))
        assert world.staging.reached("kafka:plays/0") == Reached(12, 30)
        assert world.staging.add(part(0, 1, 40, "kafka:plays/1"))
        assert world.staging.waiting() == 3
        save_all(world.scans.begin(b""))
        assert not world.staging.add(part(9, 12, 20))
    assert world.staging.reached("kafka:plays/0") == Reached(12, 30)


def test_a_buckets_rows_come_in_the_order_of_staging_with_gaps_filled(world: World) -> None:
    with world.scans.alone():
        stage(world, ROWS, MORE)
        assert world.staging.waiting() == 6
        scan = world.scans.begin(b"")
        columns = scan.columns(3)
        assert {name: c.tolist() for name, c in columns.items() if name != "lat"} == {
            "at_us": [30, 20, 1, 2],
            "account": [account(3)] * 4,
            "recording": [1, 3, 5, 6],
            "heartbeat": [-1, -1, 1, -1],
            "media_ms": [-1, -1, -1, 7],
        }
        assert np.isnan(columns["lat"][:3]).all()
        assert columns["lat"][3] == 2.5
        assert columns["heartbeat"].dtype == np.int8
        # A column is there for all buckets when any chunk has it, also where no row is.
        assert scan.columns(63)["heartbeat"].tolist() == [-1]
        assert set(scan.columns(17)) == set(columns)
        named = scan.columns(3, "at_us")
        assert list(named) == ["at_us"]
        assert np.array_equal(named["at_us"], columns["at_us"])
        assert all(column.size == 0 for column in scan.columns(17).values())


def test_without_staged_chunks_a_bucket_is_empty_and_still_has_columns(world: World) -> None:
    with world.scans.alone():
        columns = world.scans.begin(b"").columns(5)
    assert {name: column.size for name, column in columns.items()} == {"at_us": 0, "account": 0, "recording": 0}


def test_a_chunk_without_rows_is_known_and_holds_nothing(world: World) -> None:
    with world.scans.alone():
        assert world.staging.add(piece(b"none", {"at_us": [], "account": [], "recording": []}))
        assert world.staging.known(b"none")
        save_all(world.scans.begin(b""))
    assert world.staging.known(b"none")


def test_a_chunk_counts_once(world: World) -> None:
    with world.scans.alone():
        assert not world.staging.known(b"one")
        assert world.staging.add(ROWS)
        assert not world.staging.add(ROWS)
        save_all(world.scans.begin(b""))
        assert not world.staging.add(ROWS)
        assert world.staging.known(b"one")
        assert world.staging.waiting() == 0
        assert world.scans.begin(b"").columns(3)["at_us"].size == 0


def test_columns_that_are_none_of_ours_are_refused(world: World) -> None:
    with world.scans.alone():
        with pytest.raises(InputError, match="`recording`"):
            world.staging.add(Piece(b"x", pa.table({"at_us": [1], "account": pa.array([1], pa.uint64())})))
        with pytest.raises(InputError, match="`colour`"):
            world.staging.add(Piece(b"x", ROWS.accesses.append_column("colour", pa.array([1] * 4))))
        assert not world.staging.known(b"x")


def test_nothing_is_visible_before_the_commit_and_everything_after(world: World) -> None:
    with world.scans.alone():
        stage(world, ROWS)
        scan = world.scans.begin(b"")
        for bucket in (0, 3, 63):
            scan.save(bucket, {"n": np.array([bucket])}, {"evidence": counted(scan.columns(bucket))})
        scan.save(SHARED, {"parents": np.array([1.5])}, {})
        assert world.tallies.load(3) is None
        assert world.findings.table("evidence") is None
        assert world.scans.summaries() == []
        drafted = scan.table("evidence")
        scan.commit(EMPTY, {"accounts": 3})
    found, tally, shared = world.findings.table("evidence"), world.tallies.load(3), world.tallies.load(SHARED)
    assert found is not None
    assert found.equals(drafted)
    assert found["account"].to_pylist() == [account(0), account(3), account(63)]
    assert tally is not None
    assert tally["n"].tolist() == [3]
    assert shared is not None
    assert shared["parents"].tolist() == [1.5]
    assert world.findings.in_bucket("evidence", 17) is None
    assert world.findings.table("unheard of") is None
    assert world.scans.summaries() == [{"accounts": 3, "generation": 1, "begun_us": NOW}]


def test_arrays_come_back_as_they_were(world: World) -> None:
    arrays = {
        "flat": np.arange(5, dtype=np.uint64),
        "two": np.ones((3, 4), np.int64)[:, ::2],
        "records": np.zeros(2, [("bits", "<f8"), ("n", "<i4")]),
        "none": np.zeros((0, 4), np.int16),
        "whether": np.array([True, False]),
    }
    with world.scans.alone():
        scan = world.scans.begin(b"")
        scan.save(9, arrays, {})
        arrays["flat"] += 1
        scan.commit(EMPTY, {})
    loaded = world.tallies.load(9)
    assert loaded is not None
    assert list(loaded) == list(arrays)
    assert loaded["flat"].tolist() == [0, 1, 2, 3, 4]
    assert all(
        np.array_equal(loaded[n], arrays[n]) and loaded[n].dtype == arrays[n].dtype for n in arrays if n != "flat"
    )
    loaded["flat"][:] = 0
    again = world.tallies.load(9)
    assert again is not None
    assert again["flat"].tolist() == [0, 1, 2, 3, 4]


def test_a_bucket_that_is_not_saved_keeps_what_it_had(world: World) -> None:
    with world.scans.alone():
        stage(world, ROWS)
        save_all(world.scans.begin(b""))
        stage(world, MORE)
        scan = world.scans.begin(b"")
        scan.save(3, {"n": np.array([2])}, {"evidence": counted(scan.columns(3))})
        drafted = scan.table("evidence")
        assert drafted is not None
        assert drafted["n"].to_pylist() == [1, 2, 1]
        scan.commit(EMPTY, {})
    kept = world.tallies.load(63)
    assert kept is not None
    assert kept["at_us"].tolist() == [10]


def test_a_scan_that_stopped_is_resumed_with_what_it_saved(world: World) -> None:
    with world.scans.alone():
        stage(world, ROWS)
        first = world.scans.begin(b"policy 1")
        first.save(3, {"n": np.array([1])}, {"evidence": counted(first.columns(3))})
        assert not first.resumed
    with world.scans.alone():
        second = world.scans.begin(b"policy 1")
        assert (second.generation, second.begun_us, second.resumed) == (1, NOW, True)
        assert [bucket for bucket in range(BUCKETS) if second.saved(bucket)] == [3]
        assert second.columns(3)["at_us"].tolist() == [30, 20]


@pytest.mark.parametrize(("context", "more"), [(b"policy 2", False), (b"policy 1", True)], ids=["context", "chunks"])
def test_drafts_of_another_context_or_of_other_chunks_are_made_anew(
    world: World,
    context: bytes,
    more: bool,  # noqa: FBT001  a case
) -> None:
    with world.scans.alone():
        stage(world, ROWS)
        first = world.scans.begin(b"policy 1")
        first.save(3, {"n": np.array([1])}, {})
    with world.scans.alone():
        stage(world, *([MORE] if more else []))
        second = world.scans.begin(context)
        assert not second.resumed
        assert not second.saved(3)
        assert second.generation != first.generation or world.tallies.load(3) is None
        assert second.columns(3)["at_us"].size == (4 if more else 2)
        with pytest.raises(LifecycleError, match="over"):
            first.commit(EMPTY, {})


def test_rows_that_nobody_weighed_are_not_committed_away(world: World) -> None:
    with world.scans.alone():
        stage(world, ROWS)
        scan = world.scans.begin(b"")
        scan.save(3, {}, {})
        with pytest.raises(LifecycleError, match="bucket 0 has 1 rows"):
            scan.commit(EMPTY, {})
        assert world.staging.waiting() == 4
        for bucket in (0, 63):
            scan.save(bucket, {}, {})
        scan.commit(EMPTY, {})
        with pytest.raises(LifecycleError, match="over"):
            scan.commit(EMPTY, {})


def test_a_summary_that_is_no_json_changes_nothing(world: World) -> None:
    with world.scans.alone():
        stage(world, ROWS)
        scan = world.scans.begin(b"")
        for wrong in ({"bits": float("nan")}, {"n": np.int64(1)}):
            with pytest.raises((TypeError, ValueError)):
                scan.commit(EMPTY, wrong)
        assert world.staging.waiting() == 4


def test_two_scans_at_once_are_one_too_many(world: World) -> None:
    with world.scans.alone():
        with pytest.raises(LifecycleError, match="another scan"), world.scans.alone():
            pass
        stage(world, ROWS)  # the first one goes on
    with world.scans.alone():
        pass


def test_nothing_is_staged_or_begun_without_the_lock(world: World) -> None:
    with pytest.raises(LifecycleError, match="not locked"):
        world.staging.add(ROWS)
    with pytest.raises(LifecycleError, match="not locked"):
        world.scans.begin(b"")


def held(of: int, *, bits: float = 14.0, until_us: int = NOW + 14 * DAY_US) -> Decision:
    base = decide(None, Policy(), NOW, n_accounts=20_000)
    return replace(
        base, account=of, restraint=Restraint.HOLD, because=("one", "two"), bits=bits, until_us=until_us, bits_then=bits
    )


def commit(world: World, *decisions: Decision) -> None:
    with world.scans.alone():
        world.scans.begin(b"").commit(to_table(decisions), {})


def test_decisions_are_replaced_by_a_scan_and_what_became_of_each_is_logged(world: World) -> None:
    high = account(40)
    commit(world, held(5), held(high))
    assert world.decisions.of(high) == held(high)
    assert world.decisions.of(6) is None
    commit(world, held(5))
    assert world.decisions.table()["account"].to_pylist() == [5]
    assert [(e.account, e.step) for e in world.decisions.log()] == [
        (5, Step.DECIDED),
        (high, Step.DECIDED),
        (high, Step.EXPIRED),
    ]
    assert [e.step for e in world.decisions.events(high)] == [Step.DECIDED, Step.EXPIRED]
    assert world.decisions.events(6) == []


def test_what_is_in_force_comes_the_strongest_first_a_page_at_a_time(world: World) -> None:
    over = held(9, bits=99.0, until_us=NOW)
    commit(world, held(5), held(6, bits=40.5), held((1 << 64) - 7), over, replace(held(8), restraint=Restraint.SLOW))
    found: list[int] = []
    after: Place | None = None
    while page := world.decisions.in_force(NOW, after=after, limit=2):
        found += [decision.account for decision in page]
        after = (int(page[-1].restraint), page[-1].bits, page[-1].account)
    assert found == [6, (1 << 64) - 7, 5, 8]
    assert world.decisions.counted(NOW) == {Restraint.HOLD: 3, Restraint.SLOW: 1}


def test_a_person_extends_and_releases_and_the_log_says_who_and_why(world: World) -> None:
    commit(world, held(5))
    longer = extend(held(5), Policy(), NOW + 1, days=3, **ADA)
    world.decisions.record(longer)
    freed = release(longer.after, NOW + 2, bits_open=20.0, **ADA)
    world.decisions.record(freed)
    assert world.decisions.of(5) == freed.after
    assert [(e.step, e.person, e.reason) for e in world.decisions.events(5)][1:] == [
        (Step.EXTENDED, "ada", "a DJ; spoke with her"),
        (Step.RELEASED, "ada", "a DJ; spoke with her"),
    ]


def test_a_change_of_what_is_no_longer_current_changes_nothing(world: World) -> None:
    commit(world, held(5))
    change = release(held(5), NOW, bits_open=0.0, **ADA)
    world.decisions.record(change)
    for stale in (change, extend(held(5), Policy(), NOW, days=3, **ADA), release(held(6), NOW, bits_open=0.0, **ADA)):
        with pytest.raises(LifecycleError, match="no longer"):
            world.decisions.record(stale)
    assert len(world.decisions.log()) == 2


def test_a_scan_under_way_does_not_undo_what_a_person_does_meanwhile(world: World) -> None:
    commit(world, held(5), held(6))
    with world.scans.alone():
        scan = world.scans.begin(b"")
        freed = release(held(5), NOW + 1, bits_open=14.0, **ADA)
        world.decisions.record(freed)
        scan.commit(to_table([held(5), held(6, bits=20.0)]), {})
    assert world.decisions.of(5) == freed.after
    assert world.decisions.of(6) == held(6, bits=20.0)
    commit(world, held(5, until_us=NOW + 5))
    assert world.decisions.of(5) == held(5, until_us=NOW + 5)  # the next scan may decide again


def history(world: World, of: int) -> History:
    return History(of, world.decisions.of(of), tuple(world.decisions.events(of)))


def test_people_end_a_ring_together_all_of_it_or_nothing(world: World) -> None:
    ring, high = 2**64 - 3, account(40)
    commit(world, held(5), held(high))
    proposals = [propose(history(world, who), NOW, **ADA, ring=ring) for who in (5, high, 7)]
    world.decisions.record(*proposals)
    assert [(e.account, e.ring) for e in world.decisions.log(Step.PROPOSED)] == [(5, ring), (high, ring), (7, ring)]
    assert world.decisions.of(5) == held(5)  # proposed is not decided
    ends = [end(history(world, who), Policy(), NOW + 1, **BEN) for who in (5, high, 7)]
    world.decisions.record(withdraw(history(world, 7), NOW + 1, **ADA))
    with pytest.raises(LifecycleError, match="no longer"):
        world.decisions.record(*ends)
    assert world.decisions.of(5) == held(5)
    assert not world.decisions.log(Step.ENDED)
    world.decisions.record(*ends[:2])
    assert [world.decisions.of(who) for who in (5, high)] == [change.after for change in ends[:2]]
    assert [e.step for e in world.decisions.events(high)] == [Step.DECIDED, Step.PROPOSED, Step.ENDED]


def test_what_is_only_said_about_a_decision_does_not_keep_a_scan_from_deciding(world: World) -> None:
    commit(world, held(5), held(6))
    with world.scans.alone():
        scan = world.scans.begin(b"")
        world.decisions.record(appeal(history(world, 5), NOW + 1, text="it was me"))
        world.decisions.record(propose(history(world, 6), NOW + 1, **ADA))
        world.decisions.record(end(history(world, 6), Policy(), NOW + 1, **BEN))
        scan.commit(to_table([held(5, bits=20.0), held(6, bits=20.0)]), {})
    assert world.decisions.of(5) == held(5, bits=20.0)
    ended = world.decisions.of(6)
    assert ended is not None
    assert (ended.restraint, ended.bits) == (Restraint.END, 14.0)


def test_the_history_of_an_account_is_in_the_order_of_the_log_whatever_the_clock_does(world: World) -> None:
    commit(world, held(5))
    world.decisions.record(propose(history(world, 5), NOW + 9, **ADA))
    world.decisions.record(withdraw(history(world, 5), NOW - 9, **ADA))
    assert [e.step for e in world.decisions.events(5)] == [Step.DECIDED, Step.PROPOSED, Step.WITHDRAWN]
    assert history(world, 5).proposal(NOW) is None
    assert [e.at_us for e in world.decisions.log()] == sorted(e.at_us for e in world.decisions.log())


def codes(world: World, *ids: str) -> NDArray[np.uint64]:
    return codes_of(pa.array(ids, pa.string()), world.vault.key)


def test_the_vault_knows_who_is_who(world: World) -> None:
    assert len(world.vault.key) == 16
    who = codes(world, "anna", "béla")
    with world.scans.alone():
        stage(world, replace(ROWS, ids=(who[:1], ["anna"])))
    world.vault.remember(who, ["not anna", "béla"])
    strangers = np.array([1, who[1], who[0]], np.uint64)
    assert world.vault.ids_of(strangers) == [None, "béla", "anna"]
    assert world.vault.ids_of(strangers[:0]) == []
    assert (world.vault.code_of("béla"), world.vault.code_of("nobody")) == (int(who[1]), None)
    many = np.concatenate((np.arange(2000, dtype=np.uint64), who))
    assert world.vault.ids_of(many)[-2:] == ["anna", "béla"]


def without(arrays: Arrays, accounts: Sequence[int]) -> Arrays:
    keep = ~np.isin(arrays["account"], np.array(accounts, np.uint64))
    return {name: array[keep] for name, array in arrays.items()}


def test_erasing_a_person_leaves_nothing_of_them_and_all_of_the_others(world: World) -> None:
    gone, stays = codes(world, "anna", "béla").tolist()
    rows = {"at_us": [1, 2, 3], "account": [gone, stays, gone], "recording": [1, 1, 2]}
    with world.scans.alone():
        stage(world, piece(b"one", rows, ids=(np.array([gone, stays], np.uint64), ["anna", "béla"])))
        scan = world.scans.begin(b"")
        for bucket in range(BUCKETS):
            columns = scan.columns(bucket)
            if columns["account"].size:
                own = np.unique(columns["account"])
                scan.save(bucket, {"account": own, "mean": np.full(own.size, np.nan)}, {"evidence": counted(columns)})
        scan.save(SHARED, {"account": np.array([gone], np.uint64)}, {})
        scan.commit(to_table([held(gone), held(stays)]), {})
        stage(world, piece(b"two", rows))
        world.scans.begin(b"")  # killed

    assert world.vault.erase(gone, without)
    assert world.vault.ids_of(np.array([gone, stays], np.uint64)) == [None, "béla"]
    assert world.vault.code_of("anna") is None
    found = world.findings.table("evidence")
    assert found is not None
    assert found["account"].to_pylist() == [stays]
    assert world.decisions.table()["account"].to_pylist() == [stays]
    assert {event.account for event in world.decisions.log()} == {stays}
    tallies = [world.tallies.load(drawer) for drawer in (*range(BUCKETS), SHARED)]
    assert [a for tally in tallies if tally for a in tally["account"].tolist()] == [stays]
    assert world.staging.waiting() == 1
    with world.scans.alone():
        scan = world.scans.begin(b"")
        assert [c for b in range(BUCKETS) for c in scan.columns(b)["account"].tolist()] == [stays]
    assert not world.vault.erase(gone, without)


def test_nobody_is_erased_while_a_scan_runs(world: World) -> None:
    with world.scans.alone(), pytest.raises(LifecycleError):
        world.vault.erase(5, without)


def test_rejects_are_counted_once(world: World) -> None:
    bad = [Line("a.log", 7, "`at` is `yesterday`", "x\ty\n\udcff")]
    with world.scans.alone():
        stage(world, replace(ROWS, rejects=bad), replace(ROWS, rejects=bad), replace(MORE, rejects=bad * 2))
        assert world.staging.rejected() == 3
        save_all(world.scans.begin(b""))
    assert world.staging.rejected() == 3


def test_the_catalogue_is_replaced_as_a_whole(world: World) -> None:
    assert world.catalogue.recordings() is None
    for n in (3, 2):
        world.catalogue.keep(
            pa.table({"recording": [str(i) for i in range(n)]}, schema=pa.schema([RECORDING.field(0)]))
        )
        kept = world.catalogue.recordings()
        assert kept is not None
        assert kept["recording"].to_pylist() == [str(i) for i in range(n)]
