"""How is a segment put together that nobody else gets?

A folder that holds ``variants.json`` holds two renditions of one sound, cut alike (:mod:`riparian.marks.variants`), and
segments that are no files: each is, chunk by chunk, the rendition that the account's word says.  To put one together
is to look up the word, once for an account and a recording, and to name the pieces; nothing is encoded or computed.

Nothing tells which pieces they were: all accounts' segments have one name and one length, and there is no ETag and no
date.  What is put together for one account is nobody else's: caches that are shared are told so.

``marked/`` is the folder of a recording's marked renditions.  Where it has an ``index.m3u8``, nothing of the recording
is served in full length but what is in it.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from riparian.errors import PolicyError
from riparian.marks.grants import Version
from riparian.marks.keys import MarkKey
from riparian.marks.variants import NAME, Variants

FOLDER: Final = "marked/"
INDEX: Final = "marked/index.m3u8"
NOBODY: Final = "\0"
"""Whose word is used where nobody says who asks, as in shadow: no account has such a name."""
HEADERS: Final = (("Cache-Control", "private"),)
_SEGMENT: Final = re.compile(r"(?P<number>[0-9]{3,6})\.m4s", re.ASCII)
_WORDS: Final = 65_536
_FOLDERS: Final = 4_096

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a file that stand together."""

    path: Path
    first: int
    n_bytes: int


class Composer:
    """Puts segments together; of one process.

    Parameters
    ----------
    keys
        Of every epoch that renditions were marked in.
    """

    def __init__(self, keys: Iterable[MarkKey] = ()) -> None:
        self._keys = {key.epoch: key for key in keys}
        self._folders: _Latest[tuple[str, int, int], Variants] = _Latest(_FOLDERS)
        self._words: _Latest[tuple[Version, int, str], NDArray[np.int8]] = _Latest(_WORDS)

    @property
    def marks(self) -> bool:
        """Whether there is anything to mark with."""
        return bool(self._keys)

    def parts(self, segment: Path, account: str) -> tuple[Part, ...] | None:
        """Say what makes up a segment for an account.

        Parameters
        ----------
        segment
            Where it would be if it were a file.
        account
            The operator's own identifier; not empty.

        Returns
        -------
        parts
            None where there is no such segment, or no renditions to put it together from.

        Raises
        ------
        InputError
            When ``variants.json`` is none.
        PolicyError
            When there is no key of the epoch that the renditions were marked in.
        """
        found, folder = _SEGMENT.fullmatch(segment.name), segment.parent
        variants = self._variants(folder) if found else None
        if found is None or variants is None:
            return None
        number = int(found["number"])
        if number >= variants.segments or segment.name != f"{number:03d}.m4s":
            return None
        word = self._word(variants, account)
        return tuple(Part(folder / piece.side, piece.first, piece.n_bytes) for piece in variants.pieces(number, word))

    def _variants(self, folder: Path) -> Variants | None:
        file = folder / NAME
        try:
            seen = file.stat()
        except OSError:
            return None
        # Renditions that were made anew are another file.
        return self._folders.get((str(file), seen.st_ino, seen.st_mtime_ns), lambda: Variants.read(file.read_bytes()))

    def _word(self, variants: Variants, account: str) -> NDArray[np.int8]:
        version = variants.version
        key = self._keys.get(version.epoch)
        if key is None:
            raise PolicyError(
                f"there is no key of epoch {version.epoch}, wanted the one that `{version.recording}` was marked with",
                hint="Give the origin all keys of marks, not only the current one.",
            )
        return self._words.get((version, variants.chunks, account), lambda: variants.word(key, account))


def within(parts: Iterable[Part], first: int, n_bytes: int) -> tuple[Part, ...]:
    """Cut a range of bytes out of parts that follow one another.

    Examples
    --------
    >>> a, b = Path("a"), Path("b")
    >>> cut = within([Part(a, 0, 10), Part(b, 10, 10), Part(a, 20, 5)], 8, 13)
    >>> [(part.path.name, part.first, part.n_bytes) for part in cut]
    [('a', 8, 2), ('b', 10, 10), ('a', 20, 1)]
    """
    cut, at, end = [], 0, first + n_bytes
    for part in parts:
        begin, stop = max(first, at), min(end, at + part.n_bytes)
        if begin < stop:
            cut.append(Part(part.path, part.first + begin - at, stop - begin))
        at += part.n_bytes
    return tuple(cut)


class _Latest(Generic[_Key, _Value]):
    """What was asked for last, so many of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[_Key, _Value] = OrderedDict()

    def get(self, key: _Key, make: Callable[[], _Value]) -> _Value:
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        made = self._held[key] = make()
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        return made
