"""Records on a real PostgreSQL: settings, versions both ways, moves both ways, roles, copies of the server."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riparian.errors import CustodyError, InputError, LifecycleError, OutsideError, PolicyError, RiparianError
from riparian.gate.ending import propose
from riparian.gate.holds import History
from riparian.stores import moving
from riparian.stores.backups import back_up, restore
from riparian.stores.chosen import FILE, on_server, open_records
from riparian.stores.moving import to_folder, to_server
from riparian.stores.postgres.address import NAME, PASSWORD, Address, parse_address, read_address, write_address
from riparian.stores.postgres.versions import bring, version_at
from riparian.stores.records import Records
from riparian.stores.rows import COLUMNS, contents
from tests.contracts.test_killed import FIRST, SECOND, expected, open_world, scan, scan_in, seen
from tests.postgres import OWNER, Server
from tests.postgres import PASSWORD as SECRET

pytestmark = pytest.mark.slow


@pytest.fixture
def database(postgres: Server, request: pytest.FixtureRequest) -> Iterator[Address]:
    """Give each test a database of its own."""
    name = f"d{abs(hash(request.node.nodeid)) % 10**9}"
    yield postgres.database(name)
    postgres.sql("postgres", f'DROP DATABASE "{name}" WITH (FORCE)')


# --- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("postgresql://ann@db.example/x", ("db.example", 5432, True), id="elsewhere: encrypted"),
        pytest.param("postgres://ann@10.0.0.7:6432/x", ("10.0.0.7", 6432, True), id="by its number, on a port"),
        pytest.param("postgresql://ann@localhost/x", ("localhost", 5432, False), id="on this machine"),
        pytest.param("postgresql://ann@[::1]/x", ("::1", 5432, False), id="on this machine, IPv6"),
        pytest.param("postgresql://ann@/x?host=/run/pg", ("/run/pg", 5432, False), id="through a socket"),
        pytest.param("postgresql://ann@db/x?sslmode=disable", ("db", 5432, False), id="in the clear, as was said"),
        pytest.param(
            "postgresql://ann@localhost/x?sslmode=verify-full", ("localhost", 5432, True), id="encrypted here"
        ),
        pytest.param("postgresql://a%40b@db/x%20y?sslrootcert=/c.pem", ("db", 5432, True), id="odd names"),
    ],
)
def test_an_address_is_read_and_written_again_as_it_was(url: str, said: tuple[str, int, bool], tmp_path: Path) -> None:
    address = parse_address({"url": url, "password_file": 'a "b" \\c', "patience_s": 5})
    assert (address.host, address.port, address.is_encrypted) == said
    write_address(tmp_path, address)
    assert read_address(tmp_path) == address


@pytest.mark.parametrize(
    ("said", "found"),
    [
        pytest.param({}, "no address of PostgreSQL", id="nothing"),
        pytest.param({"url": 5}, "no address of PostgreSQL", id="no text"),
        pytest.param({"url": "mysql://ann@db/x"}, "no address of PostgreSQL", id="another database"),
        pytest.param({"url": "postgresql://db/x"}, "no address of PostgreSQL", id="nobody"),
        pytest.param({"url": "postgresql://ann@db"}, "no address of PostgreSQL", id="no database"),
        pytest.param({"url": "postgresql://ann@/x"}, "no address of PostgreSQL", id="no host"),
        pytest.param({"url": "postgresql://ann@db:port/x"}, "no address of PostgreSQL", id="no port"),
        pytest.param(
            {"url": "postgresql://ann@db/x?sslmode=prefer"}, "no address of PostgreSQL", id="perhaps encrypted"
        ),
        pytest.param({"url": "postgresql://ann@db/x?options=-c"}, "no address of PostgreSQL", id="what is not for it"),
        pytest.param({"url": f"postgresql://ann:{SECRET}@db/x"}, "has a password in it", id="a password"),
        pytest.param({"url": "postgresql://ann@db/x", "pool": 5}, "`pool` is no key", id="an unknown key"),
        pytest.param({"url": "postgresql://ann@db/x", "schema": "a;b"}, "`schema`", id="a schema that is no name"),
        pytest.param({"url": "postgresql://ann@db/x", "patience_s": -1}, "`patience_s`", id="no patience"),
        pytest.param({"url": "postgresql://ann@db/x", "patience_s": math.inf}, "`patience_s`", id="patience for ever"),
        pytest.param({"url": "postgresql://ann@db/x", "password_file": 5}, "`password_file`", id="no path"),
    ],
)
def test_an_address_that_is_none_is_refused_and_shows_no_password(said: dict[str, Any], found: str) -> None:
    with pytest.raises(PolicyError, match=found) as caught:
        parse_address(said)
    assert SECRET not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param({"password_file": ""}, "password", id="no password"),
        pytest.param({"user": "stranger"}, "password authentication failed", id="nobody whom it knows"),
        pytest.param({"database": "nowhere"}, "does not exist", id="no such database"),
        pytest.param({"host": "/nowhere"}, "for 0.2 seconds", id="no such socket"),
        pytest.param({"host": "127.0.0.1", "port": 1}, "for 0.2 seconds", id="nobody listens"),
        pytest.param({}, "has no records in the schema `riparian`", id="no tables"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_clear_error(database: Address, change: dict[str, Any], found: str) -> None:
    with pytest.raises((OutsideError, InputError), match=found) as caught:
        on_server(replace(database, patience_s=0.2, **change))
    assert SECRET not in str(caught.value) + caught.value.hint + repr(caught.value.__cause__)


def test_a_password_is_read_from_the_environment_and_its_file_is_asked_for(
    database: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="cannot be read, wanted the password"):
        on_server(replace(database, password_file="/nowhere"))  # noqa: S106
    monkeypatch.setenv(PASSWORD, SECRET)
    assert version_at(replace(database, password_file="")) == 0


# --- versions ------------------------------------------------------------------------------------------------------

OLD = (
    "INSERT INTO riparian.decision VALUES (5, 3, '[\"why\"]', 14.0, 13.3, 0.001, NULL, 10, 99, 1, NULL, 14.0)",
    """INSERT INTO riparian.event (account, at_us, step, restraint, until_us, person, reason)
    VALUES (5, 10, 'decided', 3, 50, '', 'why'), (5, 20, 'extended', 3, 99, 'ada', 'waiting')""",
)


def test_tables_go_from_each_version_to_the_next_and_back_with_what_is_in_them(
    postgres: Server, database: Address
) -> None:
    postgres.sql(database.database, "CREATE SCHEMA riparian")
    assert bring(database, 1) == (0, 1)
    postgres.sql(database.database, *OLD)
    for before, after in ((1, 2), (2, 3), (3, 2), (2, 1), (1, 3)):
        assert bring(database, after) == (before, after)
        if after < 3:
            with pytest.raises(InputError, match=f"schema version {after}, wanted 3"):
                on_server(database)
    records = on_server(database)
    assert [(e.person, e.ring) for e in records.events()] == [("", 0), ("ada", 0)]
    assert [d["bits"] for d in records.decisions().to_pylist()] == [14.0]
    with records.transaction():
        records.run("UPDATE event SET ring = ? WHERE person = ?", 7, "ada")
    records.close()
    assert [bring(database, version)[1] for version in (2, 3)] == [2, 3]
    records = on_server(database)
    assert [e.ring for e in records.events()] == [0, 7]
    records.close()


def test_a_version_that_is_not_known_is_refused_and_nothing_changes(postgres: Server, database: Address) -> None:
    postgres.sql(database.database, "CREATE SCHEMA riparian")
    for wrong in (-1, 4):
        with pytest.raises(InputError, match=f"no schema version {wrong}"):
            bring(database, wrong)
    bring(database, 3)
    postgres.sql(database.database, "UPDATE riparian.alembic_version SET version_num = '99'")
    for look in (on_server, version_at, lambda address: bring(address, 3)):
        with pytest.raises(InputError, match="schema version 99, wanted"):
            look(database)


def test_a_step_that_fails_leaves_the_version_before(postgres: Server, database: Address) -> None:
    postgres.sql(database.database, "CREATE SCHEMA riparian")
    bring(database, 1)
    # What version 3 makes is there already, made by somebody else.
    postgres.sql(database.database, "CREATE INDEX event_of_step ON riparian.event (step)")
    with pytest.raises(OutsideError, match="already exists"):
        bring(database, 3)
    assert version_at(database) == 1
    found = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'riparian' AND column_name = 'ring'"
    assert postgres.sql(database.database, found) == [(0,)]


# --- moves ---------------------------------------------------------------------------------------------------------


def odd_rows(path: Path) -> None:
    """Put into the records what a database might keep otherwise than it was."""
    with_everything = "".join(map(chr, [*range(1, 128), 0xE9, 0x2028, 0x1F3B5])) + "\\N \\. \\x41"
    records = Records(path / FILE)
    with records.transaction():
        for n, bits in enumerate((0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, 1 / 3)):
            given = (-(2**63) + n, 3, '["\\u0000"]', bits, bits, bits, None, 2**62, 2**63 - 1, 1, None, bits)
            records.run("INSERT INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *given)
        records.run(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", 900, -1, 1, "placed", 3, 9, with_everything, "", -7
        )
        records.run("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", 901, -2, 1, "placed", 3, 9, "erased", "", 0)
        records.run("DELETE FROM event WHERE id = ?", 901)
        records.keep_note(with_everything, bytes(range(256)))
        records.keep_note("", b"")
    records.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a workspace with one scan in it, and a person's word."""
    path = tmp_path / "w"
    scan_in(path, FIRST)
    return path


def test_records_go_to_a_server_and_back_and_are_the_same_to_the_last_bit(path: Path, database: Address) -> None:
    odd_rows(path)
    workspace, world = open_world(path)
    before = seen(world)
    workspace.close()
    records = Records(path / FILE)
    sent = contents(records)
    records.close()

    assert to_server(path, database, database) == sent
    assert not [*path.glob("riparian.sqlite*")], "there is one place for what can be erased"
    assert f'database = "{SECRET}"' not in (path / NAME).read_text()
    workspace, world = open_world(path)
    assert seen(world) == before
    assert world.vault.ids_of(np.array([1], np.uint64)) == ["person 1"]
    workspace.close()
    assert to_server(path, database, database) == sent, "once more is nothing more"

    assert to_folder(path) == sent
    assert not (path / NAME).exists()
    assert version_at(database) == 0
    workspace, world = open_world(path)
    assert seen(world) == before
    workspace.close()
    records = Records(path / FILE)
    with records.transaction():
        records.run("INSERT INTO event SELECT NULL, account, 1, step, 1, 1, '', '', 0 FROM event LIMIT 1")
    assert records.number("SELECT max(id) FROM event") == 902, (
        "the number of an event that was erased is not given again"
    )
    records.close()


def test_scans_before_between_and_after_moves_come_to_what_they_would_have(path: Path, database: Address) -> None:
    to_server(path, database, database)
    scan_in(path, SECOND[:1])
    to_folder(path)
    scan_in(path, SECOND[1:])
    moved_often, world = open_world(path)
    in_one = path.with_name("other")
    for pieces in (FIRST, SECOND[:1], SECOND[1:]):
        scan_in(in_one, pieces)
    never, other = open_world(in_one)
    assert seen(world) == seen(other)
    moved_often.close()
    never.close()


class Cut(Exception):  # noqa: N818
    pass


@pytest.mark.parametrize("at", ["_read", "write_address", "_remove"])
def test_a_move_that_is_cut_short_is_finished_by_the_next_one(
    path: Path, database: Address, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def cut(*_: object) -> None:
        raise Cut

    records = Records(path / FILE)
    sent = contents(records)
    records.close()
    with monkeypatch.context() as patched:
        patched.setattr(moving, at, cut)
        with pytest.raises(Cut):
            to_server(path, database, database)
    if at == "_remove":
        with pytest.raises(InputError, match=r"beside `records\.toml`"):
            open_records(path)
    assert to_server(path, database, database) == sent
    # And on the way back: the file is there, and the server still has everything, or nothing any more.
    plain = Path.unlink

    def unlink(self: Path, **given: bool) -> None:
        if self.name == NAME:
            raise Cut
        plain(self, **given)

    for where, name, instead in ((moving, "_require_same", cut), (Path, "unlink", unlink)):
        with monkeypatch.context() as patched:
            patched.setattr(where, name, instead)
            with pytest.raises(Cut):
                to_folder(path)
        with pytest.raises(InputError, match=r"beside `records\.toml`"):
            open_records(path)
    assert to_folder(path) == sent


def test_what_arrives_otherwise_than_it_was_sent_changes_nothing(
    path: Path, database: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = moving._read
    monkeypatch.setattr(moving, "_read", lambda address: replace(plain(address), digest="0" * 64))
    with pytest.raises(CustodyError, match="arrived with the digest"):
        to_server(path, database, database)
    assert not (path / NAME).exists()
    scan_in(path, SECOND)


def test_records_are_not_moved_onto_others_nor_while_somebody_works(
    path: Path, database: Address, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    scan_in(other, SECOND)
    to_server(other, database, database)
    with pytest.raises(InputError, match="has other records in the schema"):
        to_server(path, database, database)
    elsewhere = replace(database, schema="second")
    workspace, world = open_world(path)
    with world.scans.alone(), pytest.raises(LifecycleError, match="a scan is running"):
        to_server(path, elsewhere, elsewhere)
    to_server(path, elsewhere, elsewhere)
    with pytest.raises(OutsideError, match="no such table"):
        seen(world)  # whoever had it open finds nothing to write to
    workspace.close()
    with pytest.raises(InputError, match="wanted them in the folder"):
        to_server(path, database, database)
    for each, pieces in ((path, SECOND), (other, FIRST)):
        scan_in(each, pieces)
    with pytest.raises(InputError, match="already, wanted them on a server"):
        to_folder(tmp_path / "third")


def test_a_text_that_postgresql_cannot_keep_is_told_before_anything_is_written(path: Path, database: Address) -> None:
    records = Records(path / FILE)
    with records.transaction():
        records.run("INSERT INTO event VALUES (NULL, 1, 1, 'placed', 3, 9, 'ada', ?, 0)", "a\0b")
    records.close()
    with pytest.raises(InputError, match="NUL"):
        to_server(path, database, database)
    assert version_at(database) == 0
    records = Records(path / FILE)
    with records.transaction():
        records.run("DELETE FROM event WHERE reason = ?", "a\0b")
    records.close()
    to_server(path, database, database)
    workspace, world = open_world(path)
    change = propose(History(5, None, ()), 30, person="ada", reason="a\0b", ring=7)
    with pytest.raises(InputError, match="NUL"):
        world.decisions.record(change)
    assert not world.decisions.log()
    workspace.close()


# --- roles ---------------------------------------------------------------------------------------------------------


def test_a_role_that_only_reads_and_writes_rows_is_all_that_a_scan_needs(
    path: Path, postgres: Server, database: Address
) -> None:
    role = "o'ne \"role"
    quoted = '"' + role.replace('"', '""') + '"'
    postgres.sql(database.database, f"CREATE ROLE {quoted} LOGIN PASSWORD '{SECRET}'")
    postgres.sql(
        database.database,
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f'REVOKE ALL ON DATABASE "{database.database}" FROM PUBLIC',
        f'GRANT CONNECT ON DATABASE "{database.database}" TO {quoted}',
    )
    try:
        service = replace(database, user=role)
        with pytest.raises(OutsideError, match="permission denied"):
            to_server(path, service, service)
        to_server(path, service, database)
        scan_in(path, SECOND)
        workspace, world = open_world(path)
        assert seen(world) == expected()[1]
        world.vault.erase(1, lambda arrays, _: arrays)
        workspace.close()
        records = on_server(service)
        for forbidden in (
            "DROP TABLE note",
            "ALTER TABLE note ADD COLUMN x INT",
            "CREATE TABLE x (y INT)",
            "TRUNCATE event",
        ):
            with pytest.raises(OutsideError, match=r"permission denied|must be owner"):
                records.run(forbidden)
        records.close()
        with pytest.raises(OutsideError, match=r"permission denied|must be owner"):
            to_folder(path)
        (path / FILE).unlink(missing_ok=True)
        to_folder(path, database)
    finally:
        postgres.sql(database.database, f"DROP OWNED BY {quoted}", f"DROP ROLE {quoted}")


# --- copies --------------------------------------------------------------------------------------------------------


def test_a_copy_of_the_server_beside_one_of_the_folder_is_the_workspace_again(
    path: Path, postgres: Server, database: Address
) -> None:
    to_server(path, database, database)
    scan_in(path, SECOND)
    dump = postgres.run("pg_dump", "-d", database.database, "-n", "riparian", "--no-owner")
    postgres.sql(database.database, "DROP SCHEMA riparian CASCADE")
    with pytest.raises(InputError, match="no records"):
        open_world(path)
    file = postgres.password_file.with_name("dump.sql")
    file.write_text(dump)
    file.chmod(0o644)
    postgres.run("psql", "-d", database.database, "-q", "-v", "ON_ERROR_STOP=1", "-f", file)
    workspace, world = open_world(path)
    assert seen(world) == expected()[1]
    scan(world, SECOND)  # which counts nothing twice
    assert {**seen(world), "many": []} == {**expected()[1], "many": []}
    workspace.close()


def test_a_backup_of_a_workspace_has_its_records_wherever_they_lie(
    path: Path, database: Address, tmp_path: Path
) -> None:
    sent = to_server(path, database, database)
    copied = back_up(path, tmp_path / "b.zip", "2026-01-01", lambda *_: None)
    assert copied.without == ("records.toml: the records are in it as riparian.sqlite, to be moved to a server again",)
    restore(tmp_path / "b.zip", tmp_path / "again", lambda *_: None)
    records = open_records(tmp_path / "again")
    assert contents(records) == sent
    records.close()
    scan_in(tmp_path / "again", SECOND)
    workspace, world = open_world(tmp_path / "again")
    assert seen(world) == expected()[1]
    workspace.close()


def test_the_tables_of_both_databases_have_the_same_columns(path: Path, postgres: Server, database: Address) -> None:
    to_server(path, database, database)
    asked = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'riparian' AND table_name = '{}'"
    records = Records(path.with_name("new.sqlite"))
    for table, columns in COLUMNS.items():
        there = {name for (name,) in postgres.sql(database.database, asked.format(table))}
        here = {name for _, name, *_ in records.rows(f"PRAGMA table_info({table})")}
        assert there == here == set(columns)
    records.close()


def test_errors_are_ours_whatever_the_server_says(database: Address, postgres: Server) -> None:
    postgres.sql(database.database, "CREATE SCHEMA riparian")
    bring(database, 3)
    records = on_server(database)
    twice = [(77, b"a secret of somebody", 1, 1, None)] * 2
    with pytest.raises(RiparianError, match="duplicate key value") as caught, records.transaction():
        records.run_many("INSERT INTO scan VALUES (?, ?, ?, ?, ?)", twice)
    assert "77" not in str(caught.value), "what was written is not told"
    assert records.number("SELECT count(*) FROM scan") == 0
    assert OWNER in database.url
    records.close()
