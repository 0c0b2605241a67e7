"""Whose session was it?  Joins the logs of a CDN, which knows sessions, to accounts.

The table has a row for each session: its id, and the account that it was given to.  A session that
stands twice with different accounts belongs to the last one named.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.codes import codes_of
from riparian.feeds.tables import columns_named, need, read_table

_NAMES: Final = {
    "session": "session sessionid sid playbackid token tokenid visit",
    "account": "account accountid userid user uid customerid customer subscriberid listenerid memberid",
}


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions in the order of their codes.

    Parameters
    ----------
    sessions : np.ndarray [shape=(n,), uint64]
        Rising.
    accounts : np.ndarray [shape=(n,), uint64]
        Whose each is.
    names
        The same accounts by name [shape=(n,)].
    """

    sessions: npt.NDArray[np.uint64]
    accounts: npt.NDArray[np.uint64]
    names: pa.Array

    def find(self, codes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Give the row of each session, -1 where it has none."""
        if not self.sessions.size:
            return np.full(codes.size, -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.sessions, codes), self.sessions.size - 1)
        return np.where(self.sessions[places] == codes, places, -1)

    @classmethod
    def of(cls, table: pa.Table, key: bytes, *, source: str = "sessions") -> "Sessions":
        """Take a table with a session and an account column.

        Examples
        --------
        >>> found = Sessions.of(pa.table({"session": ["s1", "s2"], "account": ["a", "b"]}), bytes(16))
        >>> found.names[int(found.find(codes_of(pa.array(["s2"]), bytes(16)))[0])].as_py()
        'b'
        """
        columns = columns_named(table, _NAMES)
        need(columns, ("session", "account"), table, source)
        sessions = codes_of(table.column(columns["session"]), key)
        accounts = codes_of(table.column(columns["account"]), key)
        # Last one first, so that of equal sessions unique keeps the last.
        codes, first = np.unique(sessions[::-1], return_index=True)
        rows = sessions.size - 1 - first
        keep = (codes != 0) & (accounts[rows] != 0)
        names = pc.cast(table.column(columns["account"]), pa.string()).take(pa.array(rows[keep])).combine_chunks()
        return cls(codes[keep], accounts[rows[keep]], names)


def read_sessions(source: str, key: bytes) -> Sessions:
    """Read the sessions table.

    Raises
    ------
    InputError
        When it does not exist, is no table, or lacks a column.
    """
    return Sessions.of(read_table(source), key, source=source)
