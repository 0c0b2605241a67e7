"""What an operator knows of its accounts: created, plan, payment, cohort, honest, exempt.

Only ``account`` is required.  Columns are found by their names, times are read like those of a log,
and every column that the table lacks is left out of what is returned.
"""

from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from riparian.feeds.tables import columns_named, need, read_table
from riparian.feeds.times import NO_TIME, times_us, unit_of
from riparian.schema import ACCOUNT

_NAMES: Final = {
    "account": "account accountid userid user uid id customerid customer subscriberid listenerid memberid username",
    "created": "created createdat signup signedup signupdate registered since created_us",
    "plan": "plan tier product subscription",
    "streams": "streams concurrentstreams maxstreams simultaneous screens devicesallowed",
    "payment": "payment paymentkey paymentid card payer billing billingid",
    "cohort": "cohort signupcohort campaign",
    "honest": "honest believedhonest verified",
    "exempt_until": "exemptuntil exempt",
    "exempt_because": "exemptbecause exemptreason reason why",
}
_TRUE: Final = frozenset(("true", "t", "yes", "y", "1"))


def _times(values: pa.ChunkedArray, column: str) -> pa.Array:
    texts = values
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        # A date alone is its first moment.
        texts = pc.replace_substring_regex(values, r"^(\d{4}-\d\d-\d\d)$", r"\1T00:00")
    us = times_us(texts, unit=unit_of(column))
    return pa.array(us, pa.int64(), mask=us == NO_TIME).cast(pa.timestamp("us", "UTC"))


def _truths(values: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_boolean(values.type):
        return values
    words = pl.Series(values).cast(pl.String).str.to_lowercase().str.strip_chars()
    return words.is_in(list(_TRUE)).to_arrow()


def accounts_of(table: pa.Table, *, source: str = "accounts") -> pa.Table:
    """Bring a table to schema ``ACCOUNT``; columns that it lacks stay away.

    Parameters
    ----------
    table
        With an account column; others as above.
    source
        Named in the error.

    Raises
    ------
    InputError
        When there is no account column.

    Examples
    --------
    >>> found = accounts_of(pa.table({"user_id": ["ann"], "Created At": ["2025-01-01"], "honest": ["yes"]}))
    >>> found.column_names, found["honest"].to_pylist()
    (['account', 'created', 'honest'], [True])
    """
    columns = columns_named(table, _NAMES)
    need(columns, ("account",), table, source)
    fields, arrays = [], []
    for name in ACCOUNT.names:
        if name not in columns:
            continue
        values = table.column(columns[name])
        kind = ACCOUNT.field(name).type
        if pa.types.is_timestamp(kind):
            arrays.append(_times(values, columns[name]))
        elif pa.types.is_boolean(kind):
            arrays.append(_truths(values))
        else:
            arrays.append(pc.cast(values, kind))
        fields.append(ACCOUNT.field(name))
    out = pa.table(arrays, schema=pa.schema(fields))
    return out.filter(pc.and_kleene(pc.is_valid(out["account"]), pc.not_equal(out["account"], "")))


def read_accounts(source: str) -> pa.Table:
    """Read an accounts table from CSV, NDJSON, Parquet or Arrow.

    Raises
    ------
    InputError
        When it does not exist, is no table, or has no account column.
    """
    return accounts_of(read_table(source), source=source)
