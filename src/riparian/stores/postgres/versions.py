"""Which version do the tables on a server have, and how do they get another?

Whoever changes tables owns them.  It is done in one transaction, or not at all; whoever writes is waited for, and
waits.
"""

from importlib.resources import files
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from riparian.errors import InputError
from riparian.stores.postgres.address import Address
from riparian.stores.postgres.server import engine_of, reported, told
from riparian.stores.recorded import SCHEMA_VERSION
from riparian.stores.rows import COLUMNS


def bring(owner: Address, version: int, readers: Address | None = None) -> tuple[int, int]:
    """Bring the tables to a version, 0 for none at all; from which they came, and to which.

    Parameters
    ----------
    owner
        Who owns them.
    readers
        Whose role may read and write rows afterwards; None where it is the owner.

    Raises
    ------
    InputError
        When they have, or are to have, a version that is not known here.
    OutsideError
        When the server refuses.
    """
    engine = engine_of(owner, "riparian-versions")
    with reported(owner, "changing the tables"), told(), engine.begin() as connection:
        before = version_of(connection, owner)
        bring_in(connection, owner, version)
        if version and readers is not None:
            grant(connection, owner, readers)
        return before, version


def version_at(address: Address) -> int:
    """Tell the version of the tables on a server, 0 for none at all; errors as of :func:`bring`."""
    engine = engine_of(address, "riparian-versions")
    with reported(address, "looking at the tables"), told(), engine.connect() as connection:
        return version_of(connection, address)


def version_of(connection: Connection, address: Address) -> int:
    """Tell the version of the tables, 0 for none at all."""
    found = connection.exec_driver_sql("SELECT to_regclass('alembic_version')").scalar_one()
    said = None if found is None else connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if said is None:
        return 0
    if said not in {str(one) for one in range(SCHEMA_VERSION + 1)}:
        raise InputError(
            f"the records in `{address.schema}` have schema version {said}, wanted one up to {SCHEMA_VERSION}",
            hint="Use the version of Riparian that made them.",
        )
    return int(said)


def bring_in(connection: Connection, address: Address, version: int) -> None:
    """Bring the tables to a version, in a transaction of somebody else; made in the schema, which is there."""
    if version not in range(SCHEMA_VERSION + 1):
        raise InputError(f"there is no schema version {version}, wanted one from 0 to {SCHEMA_VERSION}")
    now = version_of(connection, address)
    if version == now:
        return
    folder = files("riparian.stores.postgres").joinpath("migrations")
    script = ScriptDirectory(str(folder), version_locations=[str(folder)])
    move: Any = script._upgrade_revs if version > now else script._downgrade_revs  # noqa: SLF001  as its commands do
    target = str(version) if version else "base"
    with EnvironmentContext(Config(), script, fn=lambda at, _: move(target, at), destination_rev=target) as environment:
        environment.configure(connection=connection, version_table_schema=address.schema, transactional_ddl=True)
        environment.run_migrations()
    if not version:
        connection.exec_driver_sql("DROP TABLE alembic_version")


def grant(connection: Connection, owner: Address, address: Address) -> None:
    """Let the role of an address read and write rows, where it does not own them."""
    if owner.user == address.user:
        return
    role = '"' + address.user.replace('"', '""') + '"'
    for right in (
        f"USAGE ON SCHEMA {owner.schema}",
        f"SELECT ON {owner.schema}.alembic_version",
        f"SELECT, INSERT, UPDATE, DELETE ON {', '.join(COLUMNS)}, writer",
        f"USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {owner.schema}",
    ):
        connection.exec_driver_sql(f"GRANT {right} TO {role}")
