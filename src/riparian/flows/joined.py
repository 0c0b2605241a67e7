"""What do all questions together say of everybody?

Buckets keep what accounts do by themselves (``alone``), the drawer beside them keeps what the other
questions answered of a few (``answers``); nothing keeps their join, which is made whenever somebody asks.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riparian.accounts.join import ANSWER, join
from riparian.codes import bucket_of
from riparian.ports import SHARED, Findings
from riparian.schema import JOINED

Tables = Callable[[str], pa.Table | None]
"""Reads a table by its name, of a scan in the making or of the last one."""


def evidence_of_all(table: Tables) -> pa.Table:
    """Join what is known of every account; a table with schema ``JOINED``, empty before the first scan."""
    alone, answers = table("alone"), table("answers")
    if alone is None:
        return JOINED.empty_table()
    return join(alone, answers if answers is not None else ANSWER.empty_table())


def evidence_of(findings: Findings, account: int) -> pa.Table:
    """Join what the last scan knows of one account; no row when it never saw the account."""
    bucket = int(bucket_of(np.array([account], np.uint64))[0])
    alone, answers = findings.in_bucket("alone", bucket), findings.in_bucket("answers", SHARED)
    if alone is None:
        return JOINED.empty_table()
    return join(rows_of(alone, account), rows_of(answers if answers is not None else ANSWER.empty_table(), account))


def rows_of(table: pa.Table, account: int) -> pa.Table:
    """Pick the rows of one account."""
    return table.filter(pc.equal(table["account"], pa.scalar(account, pa.uint64())))
