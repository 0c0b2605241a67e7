"""Who says, besides ourselves, that something was there at a time?

An authority that signs the digest of what it was shown, and the time: a token of RFC 3161.  Ours are over the line of
an event, whose digest stands for everything that the case held by then.  A token counts when its signature leads to a
certificate that somebody decided to believe, and to no other.

Source
------
RFC 3161, sections 2.4.1 (request) and 2.4.2 (response); RFC 5816 (certificates by SHA-2).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from riparian.errors import CustodyError, InputError

TOKEN: Final = "application/timestamp-reply"  # noqa: S105 -- a media type
ROOTS: Final = "application/pem-certificate-chain"
TOKEN_MAX: Final = 1 << 16
"""Octets; those of public authorities have 1 to 7 KiB."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an authority said.

    Parameters
    ----------
    digest
        SHA-256 of what it was shown, in hexadecimal.
    at
        When, by its clock.
    """

    digest: str
    at: datetime


def question(octets: bytes) -> bytes:
    """Write what an authority is asked: a digest and a number drawn for this question; no octet of what is stamped.

    Examples
    --------
    >>> hashlib.sha256(b"a line").digest() in question(b"a line")
    True
    """
    asked = TimestampRequestBuilder().data(octets).hash_algorithm(HashAlgorithm.SHA256).build()
    return bytes(asked.as_bytes())


def certificates(pem: bytes) -> list[x509.Certificate]:
    """Read certificates in PEM.

    Raises
    ------
    InputError
        When there is none.
    """
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise InputError("the certificates cannot be read, wanted PEM", hint="Convert them with openssl.") from error


def stamped(token: bytes, roots: Iterable[bytes]) -> Stamp:
    """Read a token and check who signed it.

    Parameters
    ----------
    token
        The response of an authority, DER.
    roots
        Certificates in PEM that are believed.

    Raises
    ------
    CustodyError
        When it is not what one of those whom they vouch for signed.

    Examples
    --------
    >>> stamped(b"no token", [])
    Traceback (most recent call last):
    riparian.errors.CustodyError: a token of a time cannot be read, wanted what an authority signed
    """
    if len(token) > TOKEN_MAX:
        raise _altered(f"has {len(token):,} octets", f"{TOKEN_MAX:,} at most")
    try:
        answer = decode_timestamp_response(token)
        said = answer.tst_info
        imprint, at = bytes(said.message_imprint.message), said.gen_time
    except (ValueError, TypeError) as error:
        raise _altered("cannot be read", "what an authority signed") from error
    if bytes(answer.as_bytes()) != token:
        raise _altered("is not spelled as DER is", "what an authority signed")
    believed = [one for pem in roots for one in certificates(pem)]
    if not believed:
        raise CustodyError(
            "a token of a time has nobody to vouch for it, wanted the certificate of the authority",
            hint="Give it with --root FILE.pem.",
        )
    builder = VerifierBuilder()
    for certificate in dict.fromkeys(believed):
        builder = builder.add_root_certificate(certificate)
    try:
        builder.build().verify(answer, imprint)
    except (VerificationError, ValueError) as error:
        raise _altered(f"does not hold ({error})", "the signature of an authority that is believed") from error
    return Stamp(imprint.hex(), at)


def answers(question: bytes, token: bytes, octets: bytes, stamp: Stamp) -> bool:
    """Tell whether a token answers this question: it is over the octets, and bears the number of the question."""
    nonce = decode_timestamp_response(token).tst_info.nonce
    length = (nonce.bit_length() + 8) // 8
    bears = nonce.to_bytes(length, "big", signed=True) in question if nonce else False
    return bears and stamp.digest == hashlib.sha256(octets).hexdigest()


def imprint(octets: bytes) -> str:
    """Give the SHA-256, in hexadecimal, over which a token is, whoever signed it; empty when it is no token.

    Examples
    --------
    >>> imprint(b"no token")
    ''
    """
    try:
        return bytes(decode_timestamp_response(octets).tst_info.message_imprint.message).hex()
    except (ValueError, TypeError):
        return ""


def _altered(found: str, wanted: str) -> CustodyError:
    return CustodyError(f"a token of a time {found}, wanted {wanted}", hint="Ask for a copy that was taken earlier.")
