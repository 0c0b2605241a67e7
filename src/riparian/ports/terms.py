"""What a proof of what was reserved when asks of the outside: see :mod:`riparian.ports`."""

from typing import Protocol


class Signed(Protocol):
    """A chain (:mod:`riparian.catalogue.chain`) and the key that signs it."""

    def public(self) -> str:
        """Give the public half of the key, in hexadecimal; the key is made on first use."""
        ...

    def sign(self, octets: bytes) -> bytes:
        """Sign with Ed25519."""
        ...

    def read(self) -> bytes:
        """Give the chain; what an interruption left of an unfinished line is left out."""
        ...

    def append(self, line: bytes, after: int) -> None:
        """Put a line behind so many octets, and on disk; what is behind them is overwritten."""
        ...
