"""What does the operator know of its accounts besides their accesses?

Everything here is optional, and an account that the table does not list is like one of which
nothing is known: of standing, on the policy's plan, with no parent, not believed honest.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.codes import codes_of
from riparian.errors import InputError
from riparian.gate.exempt import Register
from riparian.gate.tokens import UNKNOWN_US

KEPT: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("created_us", pa.int64(), nullable=False),
        pa.field("parent", pa.uint64(), nullable=False),
        pa.field("streams", pa.int16(), nullable=False),
        pa.field("honest", pa.bool_(), nullable=False),
        pa.field("exempt_until_us", pa.int64()),
        pa.field("exempt_because", pa.string()),
    ]
)
"""``Known`` as a table of pseudonyms: what a workspace keeps of an accounts table."""


@dataclass(frozen=True, slots=True)
class Known:
    """The accounts table in codes, in the order of codes.

    Parameters
    ----------
    codes : np.ndarray [shape=(accounts,), uint64]
        Rising.
    created_us : np.ndarray [shape=(accounts,)]
        When each was made; ``UNKNOWN_US`` where not told.
    parent : np.ndarray [shape=(accounts,), uint64]
        Whoever pays for it, else its cohort; 0 where not told.
    streams : np.ndarray [shape=(accounts,), int16]
        How many streams its plan plays at once; 0 where not told.
    honest : np.ndarray [shape=(accounts,), bool]
        Whether the operator believes it honest.
    exempt
        Accounts that are let be, until when and why.
    """

    codes: npt.NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    created_us: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    parent: npt.NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    streams: npt.NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))
    honest: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    exempt: Register = field(default_factory=Register)

    @classmethod
    def of(cls, table: pa.Table, key: bytes) -> Self:
        """Take a table with schema ``ACCOUNT``, of which only ``account`` is required.

        Raises
        ------
        InputError
            When an account has two rows, or an exemption no reason.

        Examples
        --------
        >>> table = pa.table({"account": ["u1", "u2"], "honest": [True, None]})
        >>> known = Known.of(table, bytes(16))
        >>> known.find(codes_of(pa.array(["u1", "u2", "u3"]), bytes(16))).honest.tolist()
        [True, False, False]
        """
        n = len(table)
        given = [c for c in ("payment", "cohort") if c in table.column_names and table[c].null_count < n]
        rows = {
            "account": codes_of(table["account"], key),
            "created_us": _times(table, "created"),
            "parent": codes_of(pc.coalesce(*(table[c].cast(pa.string()) for c in given)), key)
            if given
            else np.zeros(n, np.uint64),
            "streams": pc.fill_null(_column(table, "streams", pa.int16()), fill_value=0),
            "honest": pc.fill_null(_column(table, "honest", pa.bool_()), fill_value=False),
            "exempt_until_us": pa.array(until := _times(table, "exempt_until"), mask=until == UNKNOWN_US),
            "exempt_because": _column(table, "exempt_because", pa.string()),
        }
        return cls.kept(pa.table(rows, schema=KEPT))

    @classmethod
    def kept(cls, table: pa.Table) -> Self:
        """Take up what :meth:`table` laid down."""
        table = table.sort_by("account")
        codes = table["account"].to_numpy()
        twice = np.flatnonzero(codes[1:] == codes[:-1])
        if len(twice):
            raise InputError(
                f"the accounts table has {len(twice)} accounts more than once, wanted one row each",
                hint="Merge the rows of one account.",
            )
        exempt = table.filter(pc.is_valid(table["exempt_until_us"]))
        register = Register.of(
            exempt["account"].to_numpy(),
            exempt["exempt_until_us"].to_numpy(),
            [because or "" for because in exempt["exempt_because"].to_pylist()],
        )
        return cls(
            codes,
            table["created_us"].to_numpy(),
            table["parent"].to_numpy(),
            table["streams"].to_numpy(),
            table["honest"].to_numpy(),
            register,
        )

    def table(self) -> pa.Table:
        """Lay it down as a table with schema ``KEPT``."""
        exempt = [self.exempt.exemptions.get(code) for code in self.codes.tolist()] if list(self.exempt) else None
        return pa.table(
            {
                "account": self.codes,
                "created_us": self.created_us,
                "parent": self.parent,
                "streams": self.streams,
                "honest": self.honest,
                "exempt_until_us": [e and e.until_us for e in exempt] if exempt else pa.nulls(len(self.codes)),
                "exempt_because": [e and e.because for e in exempt] if exempt else pa.nulls(len(self.codes)),
            },
            schema=KEPT,
        )

    def find(self, codes: npt.NDArray[np.uint64]) -> "Known":
        """Pick these accounts, in this order; nothing is known of those that the table does not list."""
        if not len(self.codes):
            n = len(codes)
            none = np.zeros(n, np.uint64), np.zeros(n, np.int16), np.zeros(n, np.bool_)
            return Known(codes, np.full(n, UNKNOWN_US), *none, self.exempt)
        rows = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        there = self.codes[rows] == codes
        return Known(
            codes,
            np.where(there, self.created_us[rows], UNKNOWN_US),
            np.where(there, self.parent[rows], np.uint64(0)),
            np.where(there, self.streams[rows], np.int16(0)),
            there & self.honest[rows],
            self.exempt,
        )

    def digest(self) -> bytes:
        """Digest of everything that the weighing of accesses depends on."""
        made = hashlib.blake2b(digest_size=16)
        for part in (self.codes, self.created_us, self.parent, self.streams):
            made.update(part.tobytes())
        return made.digest()


def _column(table: pa.Table, name: str, kind: pa.DataType) -> Any:
    return table[name].cast(kind) if name in table.column_names else pa.nulls(len(table), kind)


def _times(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    times = _column(table, name, pa.timestamp("us", "UTC")).cast(pa.int64())
    return np.asarray(pc.fill_null(times, UNKNOWN_US).to_numpy(zero_copy_only=False), np.int64)
