"""How does one secret become the many streams of a mark?

A mark uses secret numbers for things that must not be deducible from one another: which tiles go up (``chips``), which
tiles are the pilot's (``pilot``), what an account's word is (``code``).  Each is a stream of its own, named, and cut
from one secret by BLAKE2b; whoever learns one of them, say from a pair of copies, knows nothing of the others, of
another recording's, or of another epoch's.

An *epoch* is the life of one secret: a new one begins when the key is rotated, and the old ones are kept as long as
copies that were marked under them may turn up.
"""

from dataclasses import dataclass
from typing import ClassVar

from riparian.codes import EpochKey


@dataclass(frozen=True, slots=True)
class MarkKey(EpochKey):
    """The secret of one epoch; see :class:`riparian.codes.EpochKey`.

    Examples
    --------
    >>> key = MarkKey(bytes(32), 1)
    >>> key.stream("chips", "r-1", words=2).tolist() == key.stream("chips", "r-1", words=2).tolist()
    True
    >>> key.siphash("code", "r-1") == key.siphash("chips", "r-1")
    False
    >>> key
    MarkKey(epoch=1)
    """

    PERSON: ClassVar[bytes] = b"riparian marks 1"
