"""How is the catalogue kept?

::

    catalogue.duckdb      everything, for its owner's eyes only (see riparian.stores.catalogue.tables)
    catalogue.duckdb.wal  what was written since the file was last brought up to date; it belongs to the file
    catalogue.lock        locked while the file is made; the system unlocks it when the process dies
    catalogue.parquet     of an older workspace: taken over, and removed, when the catalogue is first asked for

What is killed, when, and what is left
--------------------------------------
Batches are taken in one transaction each, which also notes that they were taken.  So, killed:

* while a batch is taken: nothing of it, and it is taken again;
* between batches: those before, which the next run knows and passes over;
* while words are put in order: the order of before;
* while an older catalogue is taken over: the old file, and a leftover that the next one removes.
"""

from riparian.stores.catalogue.kept import DuckHoldings

__all__ = ["DuckHoldings"]
