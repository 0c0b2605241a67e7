"""What does a statement say that somebody has, and does its page or its paper say what was signed?"""

import json
from base64 import urlsafe_b64decode
from binascii import Error
from typing import Final

from riparian.console.stated import stated_page, token_in_page
from riparian.console.stated_paper import stated_paper, token_in
from riparian.creators.statement import TYPE, Statement, verified
from riparian.errors import CustodyError, InputError

_PAGE: Final = b"<!doctype html>"
_PAPER: Final = b"%PDF-"
_PARTS: Final = 3


def statement_in(octets: bytes) -> str:
    """Find the signed statement in a page, a PDF or a signed file; empty where there is none."""
    if octets.startswith(_PAGE):
        return token_in_page(octets) or ""
    if octets.startswith(_PAPER):
        return token_in(octets) or ""
    text = octets.decode("ascii", "replace").strip()
    return text if _is_one(text) else ""


def stated_in(octets: bytes, key: str, called: str) -> Statement:
    """Read a statement, and hold against it the page or the PDF that it stands in.

    Parameters
    ----------
    octets
        The page, the PDF or the signed file.
    key
        The public key of whoever signed it, in hex.
    called
        How whoever asks calls it.

    Raises
    ------
    InputError
        When there is no statement in it, or the key is none.
    CustodyError
        When another key signed it, or it was changed.
    """
    is_page, is_paper = octets.startswith(_PAGE), octets.startswith(_PAPER)
    token = statement_in(octets) if is_page or is_paper else octets.decode("ascii", "replace")
    if not token:
        raise InputError(f"`{called}` holds no statement, wanted a page, a PDF or a signed file of `creator statement`")
    said = verified(token, key)
    again = stated_page(said, token.strip(), key).encode() if is_page else b""
    again = stated_paper(said, token.strip(), key) if is_paper else again
    if again and again != octets:
        raise CustodyError(
            f"`{called}` does not say what was signed, or another version wrote it; wanted one that nobody changed",
            hint="Ask for the signed file, statement.jws, and check that: it tells what was signed.",
        )
    return said


def _is_one(text: str) -> bool:
    parts = text.split(".")
    if len(parts) != _PARTS:
        return False
    try:
        head = json.loads(urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except (ValueError, Error, RecursionError):
        return False
    return isinstance(head, dict) and head.get("typ") == TYPE
