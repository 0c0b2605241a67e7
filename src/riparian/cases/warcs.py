"""Is a WARC what its records say it is?

Every record may have the digest of its block and of its payload; here all of them are computed again.  A record that
has none proves nothing by itself, and is counted.

Source
------
ISO 28500:2017 (WARC 1.1), sections 5.8 (WARC-Block-Digest) and 5.9 (WARC-Payload-Digest).
"""

import contextlib
import io
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from riparian.errors import InputError

WARC: Final = "application/warc"
_PART: Final = 1 << 20
_RECORDS_MAX: Final = 1_000_000
_OCTETS_MAX: Final = 1 << 33


@dataclass(frozen=True, slots=True)
class Records:
    """What is in a WARC.

    Parameters
    ----------
    n
        How many records.
    n_bare
        How many of them have no digest.
    addresses
        Of responses and resources, in their order, each once.
    faults
        What is wrong, in words.
    """

    n: int
    n_bare: int
    addresses: tuple[str, ...]
    faults: tuple[str, ...]


def is_warc(head: bytes) -> bool:
    """Say whether a file with these first bytes may be a WARC, gzipped or not.

    Examples
    --------
    >>> is_warc(b"WARC/1.1 "), is_warc(b"<html>")
    (True, False)
    """
    if head[:2] == b"\x1f\x8b":
        with contextlib.suppress(zlib.error):
            head = zlib.decompressobj(31).decompress(head, 16)
    return head[:5] == b"WARC/"


def records_of(file: BinaryIO) -> Records:
    """Read a WARC and compute every digest in it again.

    Raises
    ------
    InputError
        When it is none.
    """
    from warcio.archiveiterator import ArchiveIterator  # noqa: PLC0415 -- heavy
    from warcio.exceptions import ArchiveLoadFailed  # noqa: PLC0415 -- heavy

    n = n_bare = 0
    addresses: dict[str, None] = {}
    faults: list[str] = []
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # the library tells standard error what it counts as well
            reading = ArchiveIterator(file, check_digests=True)
            for record in reading:
                n += 1
                n_bare += not _has_digest(record, n, faults)
                if record.rec_type in ("response", "resource"):
                    addresses[str(record.rec_headers.get_header("WARC-Target-URI") or "")] = None
                if n > _RECORDS_MAX:
                    raise InputError(f"a WARC has more than {_RECORDS_MAX:,} records, wanted fewer", hint="Split it.")
    except (ArchiveLoadFailed, ValueError, EOFError, zlib.error, AttributeError, TypeError) as error:
        raise InputError(
            "a WARC cannot be read to its end, wanted a whole one",
            hint="Copy it again; where it is gzipped, each record is a member of its own (`warcio recompress`).",
        ) from error
    if not n:
        raise InputError("a WARC has no record, wanted one or more")
    if reading.err_count:
        faults.append(f"{reading.err_count} records are followed by what is no record")
    return Records(n, n_bare, tuple(addresses), tuple(faults))


def _has_digest(record: Any, number: int, faults: list[str]) -> bool:
    """Read a record to its end; say whether it has a digest, which was computed again on the way."""
    body = record.raw_stream
    while body.read(_PART):
        if body.tell() > _OCTETS_MAX:
            raise InputError(f"record {number} of a WARC has more than {_OCTETS_MAX:,} octets, wanted fewer")
    if body.limit:
        faults.append(f"record {number} lacks {body.limit:,} of its octets")
    faults += [f"record {number}: {problem}" for problem in record.digest_checker.problems]
    names = ("WARC-Block-Digest", "WARC-Payload-Digest")
    return any(record.rec_headers.get_header(name) for name in names)
