"""What was issued to whom, and how can nobody rewrite that afterwards?

A *grant* says: this recording, marked so, was issued to this account.  Grants are entries of a ledger; each entry's
digest covers the digest of the entry before it, so that whoever remembers the last digest remembers all::

    digest 0 = SHA-256("riparian ledger 1")
    digest n = SHA-256(digest n-1 in hex, line feed, entry n as it is written)

An entry is written as JSON, its keys in order, without spaces.  To whom a grant was issued stands in it encrypted,
under a key of that account alone: when the key is destroyed nobody can say any more whose it was, and the chain still
holds, because it is a chain of what is written.

Besides grants the ledger holds which key each epoch had (by a check that tells nothing of it), what became of a master
that was tried before it was issued, each copy that was ever traced, and that an account was erased.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from riparian.errors import CustodyError
from riparian.marks.code import Tier
from riparian.marks.keys import MarkKey
from riparian.marks.layout import Layout

START: Final = hashlib.sha256(b"riparian ledger 1").hexdigest()


class Kind(StrEnum):
    """What an entry tells."""

    EPOCH = "epoch"
    FITTED = "fitted"
    GRANT = "grant"
    TRACE = "trace"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Version:
    """One way in which one master was marked: whoever reads a copy needs all of it, and no account.

    Parameters
    ----------
    recording
        Which.
    master
        SHA-256 of the file that was marked, in hex.
    epoch
        Of the key.
    layout, tier
        How tiles carry bits, and against whom the word is made.
    strength
        1 is below what can be heard.
    """

    recording: str
    master: str
    epoch: int
    layout: Layout
    tier: Tier
    strength: float

    def said(self) -> dict[str, Any]:
        """Write it as an entry holds it.

        Examples
        --------
        >>> version = Version("r-1", "0" * 64, 1, Layout.at(44_100, 16), Tier.ONE, 1.0)
        >>> Version.heard(version.said()) == version
        True
        """
        return {
            "recording": self.recording,
            "master": self.master,
            "epoch": self.epoch,
            "chunk_s": str(self.layout.chunk_s),
            "groups": self.layout.groups,
            "version": self.layout.version,
            "tier": str(self.tier),
            "strength": self.strength,
        }

    @classmethod
    def heard(cls, said: Mapping[str, Any]) -> "Version":
        """Read it back."""
        layout = Layout(Fraction(said["chunk_s"]), int(said["groups"]), int(said["version"]))
        return cls(
            str(said["recording"]), str(said["master"]), int(said["epoch"]), layout, Tier(said["tier"]),
            float(said["strength"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Grant:
    """A delivery that was issued to an account, and how it is marked.

    Parameters
    ----------
    account
        To whom, by the operator's own identifier.
    version
        What, and how it is marked.
    at_us
        When; microseconds since 1970, UTC.
    form
        How the copy is written, such as ``mp3``.
    asked
        How it was asked for, such as ``mp3 at 320000``.
    copy
        SHA-256 of the marked file, in hex.
    path
        Where the master was.
    embargo
        The day before which the recipient may publish nothing, as ISO 8601; empty for none.
    note
        Whatever the operator wants to remember; it is encrypted as the account is.
    """

    account: str
    version: Version
    at_us: int
    form: str
    asked: str
    copy: str
    path: str
    embargo: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What became of a master that was marked, encoded, decoded and read before anybody got it.

    Parameters
    ----------
    master
        SHA-256 of the file, in hex.
    form
        How it was to be written, as it was asked for.
    strength
        The one that was chosen.
    bits
        What a copy as it is delivered says for whom it was issued to.
    wanted_bits
        What a trace among a million candidates wants.
    snr_db
        How far below the sound what was changed lies; dB.
    """

    master: str
    form: str
    strength: float
    bits: float
    wanted_bits: float
    snr_db: float

    @property
    def carries(self) -> bool:
        """Whether a copy can be traced."""
        return self.bits >= self.wanted_bits


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: as it is written, and its digest."""

    text: str
    digest: str

    @property
    def said(self) -> dict[str, Any]:
        """What it says."""
        said: dict[str, Any] = json.loads(self.text)
        return said


def chained(before: str, said: Mapping[str, Any]) -> Entry:
    """Write what is said behind an entry of this digest.

    Examples
    --------
    >>> entry = chained(START, {"kind": "erased", "at_us": 0, "who": "ab"})
    >>> entry.text, entry.digest[:8]
    ('{"at_us":0,"kind":"erased","who":"ab"}', '17cdc0ad')
    """
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Entry(text, digest_of(before, text))


def digest_of(before: str, text: str) -> str:
    """Give the digest of an entry that stands behind one of that digest."""
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def verified(entries: Iterable[Entry], *, head: str = "") -> tuple[int, str]:
    """Go through a ledger from its beginning.

    Parameters
    ----------
    entries
        All of them, in order.
    head
        A digest that somebody remembers, which has to be among them; empty for none.

    Returns
    -------
    entries : int
        How many there are.
    head : str
        The digest of the last one: who keeps it elsewhere can tell later that nothing was cut off.

    Raises
    ------
    CustodyError
        When an entry is not the one that was written, or the remembered one is not there.

    Examples
    --------
    >>> one = chained(START, {"kind": "erased", "who": "ab"})
    >>> verified([one], head=one.digest)[0]
    1
    >>> verified([Entry(one.text.replace("ab", "cd"), one.digest)])
    Traceback (most recent call last):
    riparian.errors.CustodyError: entry 1 of the ledger has another digest than it had when it was written...
    """
    last, n, is_found = START, 0, head in {"", START}
    for n, entry in enumerate(entries, start=1):
        if digest_of(last, entry.text) != entry.digest:
            raise CustodyError(
                f"entry {n} of the ledger has another digest than it had when it was written, wanted the same",
                hint="Keep the workspace as it is, and look at who could write to it.",
            )
        last = entry.digest
        is_found |= last == head
    if not is_found:
        raise CustodyError(
            f"the ledger has no entry with the digest {head}, wanted the one that you remember",
            hint="Entries were cut off or replaced: compare the ledger with a backup.",
        )
    return n, last


def check_of(key: MarkKey) -> str:
    """Give what tells this key from any other, and nothing else of it."""
    return key.siphash("check").hex()
