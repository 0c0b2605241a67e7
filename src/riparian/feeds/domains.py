"""Which domains are in a list, whatever list it is?

Lists of domains come as one a line, as zone files, as hosts files, as tables with a rank before or a date behind.  Of
each line the first thing is taken that may be a domain; lines without one, and addresses of machines, are passed over.
``.gz`` is unpacked, ``-`` is the standard input.  The Public Suffix List is the one that tldextract ships.
"""

import gzip
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import tldextract

from riparian.errors import InputError

_LINE_MAX: Final = 4096
_DOMAIN: Final = re.compile(r"(?:\*\.)?[^\W_][\w-]*(?:\.[\w-]+)*\.[^\W\d_][\w-]+\.?")
_COMMENTS: Final = ("#", ";", "//")


def public_suffixes() -> list[str]:
    """List the rules of the Public Suffix List, its private section among them."""
    taken = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
    return list(taken.tlds)


def read_domains(file: Path) -> Iterator[str]:
    r"""Read the domains of a list, one after another.

    Raises
    ------
    InputError
        When it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "list.csv"
    >>> _ = path.write_text("# new\n1,reed.example\n0.0.0.0 pay.reed.example\nquay.example. 60 in ns a.\n")
    >>> list(read_domains(path))
    ['reed.example', 'pay.reed.example', 'quay.example.']
    """
    try:
        with _opened(file) as lines:
            while raw := lines.readline(_LINE_MAX):
                found = domain_in(raw.decode("utf-8", "replace"))
                if found:
                    yield found
    except (OSError, EOFError) as error:
        raise InputError(f"`{file}` cannot be read: {error}, wanted a list of domains") from error


def domain_in(line: str) -> str:
    """Give the first domain of a line; nothing where there is none."""
    plain = line.strip()
    if plain.startswith(_COMMENTS):
        return ""
    found = _DOMAIN.search(plain)
    return found.group() if found else ""


def _opened(file: Path) -> IO[bytes]:
    if str(file) == "-":
        return sys.stdin.buffer
    if file.suffix == ".gz":
        return gzip.open(file, "rb")  # type: ignore[return-value]  # it reads octets, too
    return file.open("rb")
