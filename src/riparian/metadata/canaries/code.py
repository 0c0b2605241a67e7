"""Which of its two forms does each cell have in the list of this tenant?

As if by lot: a keyed hash of the tenant's seed and of the cell's code, compared with the cell's chance.  Nobody keeps
bits; whoever has the key can say any tenant's bit in any cell, whoever has not can tell nothing of one from any other.
Chances are those against readers who mix their lists (:data:`riparian.bets.channels.MANY`), drawn by key as well.

Who publishes the digest of a key (:meth:`CanaryKey.commitment`) before anything is issued, and the key itself when
somebody is named, shows that bits were not chosen afterwards to fit.

Conventions
-----------
* A bit is True or False; which form that is, each channel says.
* A cell is named by its kind and by what it stands in: a recording, or a text that has to be written in one way
  wherever it stands.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.bets.channels import MANY, SIXTEENTHS
from riparian.codes import EpochKey, codes_of, hash_pairs, sip_start

_COMMITMENT: Final = b"riparian canaries 1, commitment"
_CHANCE_OF: Final = np.array(MANY, dtype=np.uint8)
_BETWEEN: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class CanaryKey(EpochKey):
    """The secret of one epoch; see :class:`riparian.codes.EpochKey`.

    Examples
    --------
    >>> key = CanaryKey(bytes(32), 1)
    >>> key
    CanaryKey(epoch=1)
    >>> key.commitment[:16]
    '3a001bf93c947303'
    """

    PERSON: ClassVar[bytes] = b"riparian canary1"

    @property
    def commitment(self) -> str:
        """What is published before the key is used: SHA-256 of a fixed text, the epoch and the secret, in hex."""
        return hashlib.sha256(_COMMITMENT + self.epoch.to_bytes(4, "little") + self.secret).hexdigest()


def seeds(key: CanaryKey, tenants: Sequence[str]) -> NDArray[np.uint64]:
    """Give the seeds of tenants, from which their bits follow; shape=(n,)."""
    return codes_of(pa.array(tenants, pa.string()), key.siphash("seeds"))


def cells(key: CanaryKey, kind: str, things: Sequence[str] | pa.Array | pa.ChunkedArray) -> NDArray[np.uint64]:
    """Give the codes of the cells of one kind; shape=(n,), 0 where there is no thing."""
    column = things if isinstance(things, pa.Array | pa.ChunkedArray) else pa.array(things, pa.string())
    return codes_of(column, key.siphash(f"cells{_BETWEEN}{kind}"))


def chances(key: CanaryKey, of: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Give the chance that a bit is True, cell by cell.

    Returns
    -------
    chances : np.ndarray [shape=(n,), uint8]
        Sixteenths, 1 to 15.

    Examples
    --------
    >>> key = CanaryKey(bytes(32), 1)
    >>> chances(key, cells(key, "seconds", ["r-1", "r-2", "r-3", "r-4"])).tolist()
    [15, 8, 8, 2]
    """
    drawn = np.empty((1, of.size), np.uint64)
    hash_pairs(sip_start(key.siphash("chances")), np.zeros(1, np.uint64), of, drawn)
    found: NDArray[np.uint8] = _CHANCE_OF[(drawn[0] % np.uint64(_CHANCE_OF.size)).astype(np.intp)]
    return found


def bits(key: CanaryKey, of_tenants: NDArray[np.uint64], of_cells: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Give the bits of tenants in cells.

    Parameters
    ----------
    of_tenants : np.ndarray [shape=(n,), uint64]
        Seeds.
    of_cells : np.ndarray [shape=(m,), uint64]
        Codes.

    Returns
    -------
    bits : np.ndarray [shape=(n, m), bool]

    Examples
    --------
    >>> key = CanaryKey(bytes(32), 1)
    >>> of = cells(key, "seconds", ["r-1", "r-2", "r-3", "r-4"])
    >>> bits(key, seeds(key, ["north", "south"]), of).astype(int).tolist()
    [[1, 0, 1, 1], [1, 1, 1, 0]]
    """
    drawn = np.empty((of_tenants.size, of_cells.size), np.uint64)
    hash_pairs(sip_start(key.siphash("bits")), of_tenants, of_cells, drawn)
    found: NDArray[np.bool_] = (drawn & np.uint64(SIXTEENTHS - 1)) < chances(key, of_cells)
    return found
