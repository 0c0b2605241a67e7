"""How does somebody who has one event, or an older head, know that it is part of the log as it stands?

A tree of hashes over everything that was written, in its order.  Its root stands for all of it; a path of hashes proves
that one event is in it (inclusion), or that an older root is of the beginning of a newer log (consistency), without
showing anything else.

Source
------
RFC 6962, section 2.1 (tree hash), 2.1.1 (audit path), 2.1.2 (consistency proof); verification as in RFC 9162, sections
2.1.3.2 and 2.1.4.2.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from riparian.cases.events import Hand, is_signed
from riparian.cases.plain import canonical, moment
from riparian.errors import InputError

_HEAD: Final = b"riparian case log head 1\0"


@dataclass(frozen=True, slots=True)
class Head:
    """How long a log was at a time, and what was in it, in 32 bytes, signed.

    Parameters
    ----------
    size
        How many events.
    root
        Of their tree, in hexadecimal.
    """

    size: int
    root: str
    at: datetime
    key: str = ""
    signature: str = ""

    def octets(self) -> bytes:
        """Write what is signed."""
        said: dict[str, Any] = {"at": moment(self.at), "key": self.key, "root": self.root, "size": self.size}
        return _HEAD + canonical(said)

    def signed(self, hand: Hand) -> "Head":
        """Sign it."""
        head = replace(self, key=hand.key, signature="")
        return replace(head, signature=hand.sign(head.octets()).hex())

    def is_genuine(self, key: str) -> bool:
        """Tell whether the holder of a key signed it."""
        return self.key == key and is_signed(key, self.signature, self.octets())


def leaf(line: bytes) -> bytes:
    """Hash one entry."""
    return hashlib.sha256(b"\0" + line).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Hash all leaves into one; 32 bytes.

    Examples
    --------
    >>> root([]).hex()[:8], root([leaf(b"")]).hex()[:8]
    ('e3b0c442', '6e340b9c')
    """
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        pairs = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = [*pairs, level[-1]] if len(level) % 2 else pairs
    return level[0]


def inclusion(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Give the path that proves one leaf to be in the tree.

    Raises
    ------
    InputError
        When there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise InputError(f"entry {index} was asked for, wanted one below {len(leaves)}")
    return _path(leaves, index)


def is_included(one: bytes, index: int, size: int, path: Sequence[bytes], tree: bytes) -> bool:
    """Tell whether a path proves that a leaf is at an index of the tree of a size.

    Examples
    --------
    >>> leaves = [leaf(bytes([n])) for n in range(7)]
    >>> path = inclusion(leaves, 4)
    >>> is_included(leaves[4], 4, 7, path, root(leaves)), is_included(leaves[3], 4, 7, path, root(leaves))
    (True, False)
    """
    if not 0 <= index < size:
        return False
    at, last, hashed = index, size - 1, one
    for other in path:
        if last == 0:
            return False
        if at % 2 or at == last:
            hashed = _node(other, hashed)
            while at and not at % 2:
                at, last = at >> 1, last >> 1
        else:
            hashed = _node(hashed, other)
        at, last = at >> 1, last >> 1
    return last == 0 and hashed == tree


def consistency(leaves: Sequence[bytes], size: int) -> tuple[bytes, ...]:
    """Give the path that proves the tree of the first leaves to be the beginning of this one.

    Raises
    ------
    InputError
        When there are not as many leaves.
    """
    if not 0 < size <= len(leaves):
        raise InputError(f"the log of {size} entries was asked for, wanted one of 1 to {len(leaves)}")
    return _subproof(leaves, size, is_whole=True)


def is_consistent(first: int, second: int, path: Sequence[bytes], one: bytes, other: bytes) -> bool:
    """Tell whether a path proves that the tree of size ``first`` begins that of size ``second``.

    Parameters
    ----------
    one, other
        The roots of the two.

    Examples
    --------
    >>> leaves = [leaf(bytes([n])) for n in range(7)]
    >>> path = consistency(leaves, 3)
    >>> is_consistent(3, 7, path, root(leaves[:3]), root(leaves))
    True
    >>> is_consistent(3, 7, path, root(leaves[1:4]), root(leaves))
    False
    """
    if first == second:
        return not path and one == other
    if not 0 < first < second:
        return False
    rest = list(path)
    if first & (first - 1) == 0:
        rest.insert(0, one)
    if not rest:
        return False
    at, last = first - 1, second - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    old = new = rest[0]
    for node in rest[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            old, new = _node(node, old), _node(node, new)
            while at and not at % 2:
                at, last = at >> 1, last >> 1
        else:
            new = _node(new, node)
        at, last = at >> 1, last >> 1
    return last == 0 and old == one and new == other


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _split(n: int) -> int:
    return 1 << ((n - 1).bit_length() - 1)


def _path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    if len(leaves) <= 1:
        return ()
    k = _split(len(leaves))
    if index < k:
        return (*_path(leaves[:k], index), root(leaves[k:]))
    return (*_path(leaves[k:], index - k), root(leaves[:k]))


def _subproof(leaves: Sequence[bytes], size: int, *, is_whole: bool) -> tuple[bytes, ...]:
    if size == len(leaves):
        return () if is_whole else (root(leaves),)
    k = _split(len(leaves))
    if size <= k:
        return (*_subproof(leaves[:k], size, is_whole=is_whole), root(leaves[k:]))
    return (*_subproof(leaves[k:], size - k, is_whole=False), root(leaves[:k]))
