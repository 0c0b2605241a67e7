"""The records of a workspace on a PostgreSQL server, for whoever operates one anyway.

::

    address      which server, as whom, and which of its schemas: ``records.toml``
    server       how one connection is made, and what an error of the server says without saying anything of anybody
    records      the statements of :mod:`riparian.stores.recorded`, over a restart of the server
    versions     which version the tables have, and from one to the next and back (Alembic)
    migrations   what makes the tables of one version those of the next
    bulk         all rows at once, for who moves records from one database to another

What is large stays in the folder (staged rows, tallies, tables); rows say which files count.  It needs the extra
``riparian[postgres]``.
"""
