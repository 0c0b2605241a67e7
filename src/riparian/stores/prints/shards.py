"""How does the index of sketches grow?

New sketches become a new shard.  Shards of about one size are merged when there are many of them, so that each posting
is copied only a few times however often something is added.  A shard is on disk before a row refers to it.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.prints import build
from riparian.prints.keys import PrintKey
from riparian.prints.shard import Shard, opened
from riparian.stores.files import reaching
from riparian.stores.prints.blobs import Blobs
from riparian.stores.prints.ledger import Ledger

_AT_ONCE: Final = 4_000_000
"""Values of sketches that are sorted in memory at a time."""
_ALIKE: Final = 8
"""As many shards of about one size become one; a size is as many times the next smaller one."""


class Shards:
    """The files of the index."""

    def __init__(self, ledger: Ledger, blobs: Blobs, key: PrintKey) -> None:
        self._ledger, self._blobs, self._key = ledger, blobs, key

    def open(self) -> list[Shard]:
        """Open all that the ledger names."""
        return self._opened(name for (name,) in self._ledger.rows("SELECT name FROM shard ORDER BY name"))

    def write(self, sketches: Iterable[tuple[int, NDArray[np.uint64]]], k: int) -> list[tuple[str, int]]:
        """Write sketches into shards, some millions of values each; give a row for each shard."""
        made: list[tuple[str, int]] = []
        held: list[NDArray[np.uint64]] = []
        numbers: list[int] = []
        n = 0
        for number, values in sketches:
            held.append(values)
            numbers.append(number)
            n += values.size
            if n >= _AT_ONCE:
                made.append(self._built(numbers, held, k))
                held, numbers, n = [], [], 0
        return [*made, self._built(numbers, held, k)] if n else made

    def take(self, shards: Sequence[Shard], by: int) -> list[tuple[str, int]]:
        """Write shards of another index, with other numbers; give a row for each."""
        return [self._written(build.moved(shard, by, self._key)) for shard in shards]

    def tidy(self) -> None:
        """Merge shards of about one size while there are many, and remove what nothing refers to."""
        while many := self._many_alike():
            gone = [number for (number,) in self._ledger.rows("SELECT number FROM print WHERE state = 2")]
            name, postings = self._merged(many, build.gone_bits(np.array(gone, np.int64)))
            with self._ledger.transaction():
                self._ledger.many("DELETE FROM shard WHERE name = ?", ((old,) for old in many))
                self._ledger.run("INSERT INTO shard VALUES (?, ?)", name, postings)
        self._blobs.sweep({name for (name,) in self._ledger.rows("SELECT name FROM shard")})

    def _opened(self, names: Iterable[str]) -> list[Shard]:
        with reaching("opening the index of prints"):
            return [opened(self._blobs.shard(name), self._key) for name in names]

    def _built(self, numbers: list[int], held: list[NDArray[np.uint64]], k: int) -> tuple[str, int]:
        owners = np.repeat(np.array(numbers, np.int64), [values.size for values in held])
        return self._written(build.build(np.concatenate(held), owners, self._key, k))

    def _written(self, shard: Shard) -> tuple[str, int]:
        with reaching("writing a shard of the index"), self._blobs.making(shard.octets.size) as making:
            making.octets[:] = shard.octets
            making.length = shard.octets.size
        return making.name, shard.head.postings

    def _merged(self, names: list[str], gone: NDArray[np.uint8]) -> tuple[str, int]:
        shards = self._opened(names)
        with reaching("merging shards of the index"), self._blobs.making(build.room_bytes(shards)) as making:
            head = build.merge(shards, self._key, gone=gone, octets=making.octets).head
            making.length = head.room_bytes(head.postings)
        return making.name, head.postings

    def _many_alike(self) -> list[str]:
        sizes: dict[int, list[str]] = {}
        for name, postings in self._ledger.rows("SELECT name, postings FROM shard ORDER BY name"):
            sizes.setdefault((postings.bit_length() - 1) // (_ALIKE.bit_length() - 1), []).append(name)
        return next((names for _, names in sorted(sizes.items()) if len(names) >= _ALIKE), [])
