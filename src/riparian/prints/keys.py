"""What does an index keep secret?

Whoever knows which peaks are taken and how they are hashed can look for changes that break the most hashes.  So how far
a peak must stand out, where the cells of a hash lie, and how it is mixed are drawn from a secret of each deployment;
everything else is public, and a constant of ``VERSION``.

Source
------
Saarinen, M.-J. and Aumasson, J.-P. (2015), RFC 7693: BLAKE2, keyed.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

VERSION: Final = 1
"""Of everything that an index is made with; another one is refused."""
SECRET_BYTES: Final = 32
_PERSON: Final = b"riparian prints1"


@dataclass(frozen=True, slots=True)
class PrintKey:
    """The secret of one index.

    Parameters
    ----------
    secret
        32 bytes.

    Raises
    ------
    ValueError
        When the secret has another length.

    Examples
    --------
    >>> key = PrintKey(bytes(32))
    >>> key.word("turning") == key.word("turning"), key.word("turning") == key.word("fixed")
    (True, False)
    >>> 0 <= key.share("time cells") < 1
    True
    >>> key
    PrintKey()
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise ValueError(f"the secret has {len(self.secret)} bytes, wanted {SECRET_BYTES}")

    def word(self, name: str) -> int:
        """Give 64 bits for a purpose."""
        return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8, key=self.secret, person=_PERSON).digest())

    def share(self, name: str) -> float:
        """Give a number in [0, 1) for a purpose."""
        return (self.word(name) >> 11) / (1 << 53)

    @property
    def check(self) -> str:
        """Give what an index writes down of its key, to know it again; 16 hex digits."""
        return f"{self.word('check'):016x}"
