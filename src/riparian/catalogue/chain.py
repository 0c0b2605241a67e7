"""How does somebody who has only this file know what was reserved on that day?

A chain of entries, one a day, each a line: what came into the ledger since the entry before, digests of the files that
the site showed, the time, and the SHA-256 of the line before.  Each is signed with Ed25519 by a key that it names.  Who
has the file computes the ledger of any day from it, and no row, file or day can be changed or left out between others
without every later line being wrong.

What it does not prove by itself: whose the key is (who knows it, says so to ``key``), that nothing was cut off at the
end (who was told a ``head``, says so), and that the signer's clock was right.  A head that is published or deposited
each day, where somebody else dates it, proves all three.

Source
------
RFC 8032 (Ed25519); Haber and Stornetta, How to time-stamp a digital document, Journal of Cryptology 3 (1991),
section 5.1 (linking).
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from riparian.catalogue.consent import Ledger
from riparian.catalogue.terms import Term, line_of, term_of
from riparian.errors import CustodyError

KIND: Final = "riparian terms"
VERSION: Final = 1
_PURPOSE: Final = b"riparian terms 1\0"
"""Nothing else that is signed with the same key can be taken for an entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One day.

    Parameters
    ----------
    number
        From 1.
    at_us
        When it was made, as whoever made it says; microseconds since 1970, UTC.
    previous
        SHA-256 of the line before, in hexadecimal; empty in the first.
    added
        Rows that came into the ledger since.
    rows
        How many there are now.
    files
        Name to SHA-256 of what the site showed.
    key
        The public key, in hexadecimal.
    """

    number: int
    at_us: int
    previous: str
    added: tuple[Term, ...]
    rows: int
    files: Mapping[str, str]
    key: str

    @property
    def day(self) -> str:
        """When it was made, as ISO 8601 writes it, to the second."""
        return datetime.fromtimestamp(self.at_us // 1_000_000, UTC).isoformat()

    def octets(self) -> bytes:
        """Write what is signed."""
        said = {
            "added": [json.loads(line_of(term)) for term in self.added],
            "at": self.day,
            "at_us": self.at_us,
            "files": dict(self.files),
            "key": self.key,
            "kind": KIND,
            "number": self.number,
            "previous": self.previous,
            "rows": self.rows,
            "version": VERSION,
        }
        return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Chain:
    """Entries that were verified, and the SHA-256 of the last line: whoever has it can tell whether any is missing."""

    entries: tuple[Entry, ...] = ()
    head: str = ""

    @property
    def terms(self) -> Iterator[Term]:
        """Give every row, in the order in which they came."""
        return (term for entry in self.entries for term in entry.added)

    def at(self, at_us: int) -> Entry | None:
        """Give the last entry that was made by then."""
        return next((entry for entry in reversed(self.entries) if entry.at_us <= at_us), None)

    def ledger(self, at_us: int) -> Ledger:
        """Give the ledger as the last entry that was made by then has it."""
        return Ledger(term for entry in self.entries if entry.at_us <= at_us for term in entry.added)


def next_line(
    chain: Chain,
    terms: Iterable[Term],
    files: Mapping[str, bytes],
    at_us: int,
    key: str,
    sign: Callable[[bytes], bytes],
) -> tuple[bytes, Entry]:
    r"""Write the next entry: a line, with its end.

    Parameters
    ----------
    terms
        All rows of the ledger.
    files
        What the site shows.
    sign
        Ed25519, with the key whose public half is ``key``.

    Raises
    ------
    CustodyError
        When the ledger lacks a row that the chain has, or the clock stands before the last entry.

    Examples
    --------
    >>> from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    >>> from riparian.catalogue.terms import Says, Scope, Use
    >>> own = Ed25519PrivateKey.from_private_bytes(bytes(32))
    >>> key = own.public_key().public_bytes_raw().hex()
    >>> row = Term(Scope.ALL, "", Use.TRAIN, Says.RESERVED, "policy.pdf")
    >>> line, entry = next_line(Chain(), [row], {}, 1_767_225_600_000_000, key, own.sign)
    >>> entry.day, verified(line, key=key).entries == (entry,)
    ('2026-01-01T00:00:00+00:00', True)
    >>> verified(line.replace(b"reserved", b"permitted"))
    Traceback (most recent call last):
    riparian.errors.CustodyError: entry 1 is not as it was signed, wanted a line that nobody has changed
    """
    known = {term.digest for term in chain.terms}
    every = {term.digest: term for term in terms}
    lost = known - every.keys()
    if lost:
        raise CustodyError(
            f"the ledger lacks {len(lost)} rows that entries of the chain have, wanted every row that was ever there",
            hint="Restore the catalogue from a backup: rows are taken back by rows of their own, and never removed.",
        )
    last = chain.entries[-1] if chain.entries else None
    if last is not None and at_us < last.at_us:
        raise CustodyError(
            f"the clock stands before the last entry, of {last.day}, wanted a later time", hint="Set the clock right."
        )
    added = tuple(term for digest, term in every.items() if digest not in known)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    entry = Entry(len(chain.entries) + 1, at_us, chain.head, added, len(every), digests, key)
    octets = entry.octets()
    line = b'{"entry":' + octets + b',"signature":"' + sign(_PURPOSE + octets).hex().encode() + b'"}\n'
    return line, entry


def verified(data: bytes, *, key: str = "", head: str = "") -> Chain:
    """Verify a chain with nothing but itself, and what one was told of it.

    Parameters
    ----------
    key
        The public key that is known to be the signer's, in hexadecimal; empty where nobody told.
    head
        SHA-256 of a line that is known to have been the last one once; empty where nobody told.

    Raises
    ------
    CustodyError
        When anything in it is not as it was signed, an entry is missing, another key signed, or no line has the head.
    """
    lines = data.split(b"\n")
    if lines.pop():
        raise CustodyError(
            f"the line after entry {len(lines)} is cut short, wanted whole lines", hint="Copy the file again."
        )
    chain, heads, rows = Chain(), set[str](), 0
    entries: list[Entry] = []
    previous = ""
    for number, line in enumerate(lines, 1):
        entry = _entry(line, number, key or (entries[0].key if entries else ""))
        if entry.number != number or entry.previous != previous:
            raise _wrong(number, "does not follow the line before it", "every entry from the first on, in order")
        rows += len(entry.added)
        if entry.rows != rows or (entries and entry.at_us < entries[-1].at_us):
            raise _wrong(number, "counts other rows than there are, or is earlier than the one before", "a whole chain")
        previous = hashlib.sha256(line).hexdigest()
        heads.add(previous)
        entries.append(entry)
    chain = Chain(tuple(entries), previous)
    if head and head not in heads:
        raise CustodyError(
            f"no line has the digest `{head[:64]}`, wanted the chain of which that was the head",
            hint="Ask for the whole file: its end may have been cut off, or it is another one.",
        )
    return chain


def _entry(line: bytes, number: int, key: str) -> Entry:
    try:
        whole = json.loads(line)
        said, signature = whole["entry"], bytes.fromhex(whole["signature"])
        entry = _understood(said)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _wrong(number, "cannot be read", "a line that riparian wrote") from error
    if key and entry.key != key:
        raise _wrong(number, f"is signed by the key `{entry.key[:64]}`", f"`{key[:64]}`")
    octets = entry.octets()
    # What was signed is written anew from what was understood: nothing in the line can say anything else.
    if line != b'{"entry":' + octets + b',"signature":"' + signature.hex().encode() + b'"}':
        raise _wrong(number, "is not as it was signed", "a line that nobody has changed")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(entry.key)).verify(signature, _PURPOSE + octets)
    except (InvalidSignature, ValueError) as error:
        raise _wrong(number, "is not as it was signed", "a line that nobody has changed") from error
    return entry


def _understood(said: Mapping[str, Any]) -> Entry:
    if said["kind"] != KIND or said["version"] != VERSION:
        raise ValueError("another kind, or another version")
    added: Sequence[Mapping[str, object]] = said["added"]
    return Entry(
        int(said["number"]),
        int(said["at_us"]),
        str(said["previous"]),
        tuple(term_of(one) for one in added),
        int(said["rows"]),
        {str(name): str(digest) for name, digest in said["files"].items()},
        str(said["key"]),
    )


def _wrong(number: int, found: str, wanted: str) -> CustodyError:
    return CustodyError(
        f"entry {number} {found}, wanted {wanted}", hint="Ask whoever keeps it for a copy that was taken earlier."
    )
