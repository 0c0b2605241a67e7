"""Where are the keys that sign the chain of terms and the manifests of sound files?

Two files in the workspace, for the owner's eyes only.  ``terms.json`` has the Ed25519 key of the chain, made on first
use; its public half is worth printing where others date it.  ``seal.json`` has a certificate for C2PA, made on first
use for those who have none of their own: it names nobody, no list of trust has it, and every reader says so.
``terms.chain`` beside them is the chain itself: no secret, and meant to be given away.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from riparian.stores.files import reaching, synchronise
from riparian.stores.secret_file import SecretFile
from riparian.stores.signing_keys import SigningKey

NAME: Final = "terms.json"
SEAL: Final = "seal.json"
CHAIN: Final = "terms.chain"
MADE: Final = "made by riparian, vouched for by nobody"
_VERSION: Final = 1
_YEARS: Final = 3


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for C2PA with those that issued it, and its key: PEM both; ``algorithm`` as C2PA names it."""

    chain: bytes
    key: bytes
    algorithm: str = "es256"


class FolderChain:
    """``ports.terms.Signed`` in a workspace.

    Parameters
    ----------
    random
        Gives as many random bytes as it is asked for.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     chain = FolderChain(Path(folder))
    ...     chain.public() == chain.public(), len(chain.sign(b"x")), chain.read()
    (True, 64, b'')
    """

    def __init__(self, folder: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._path = folder / CHAIN
        self._file = SecretFile(
            folder / NAME,
            "key of the chain of terms",
            leaked="begin a new chain with a new key, and say so where the old one was published.",
            lost=f"Restore {NAME} from a backup: without it the chain cannot go on.",
        )
        self._key = SigningKey(self._file, random)

    def public(self) -> str:
        """See ``ports.terms.Signed``."""
        return self._key.public()

    def sign(self, octets: bytes) -> bytes:
        """See ``ports.terms.Signed``."""
        return self._key.sign(octets)

    def read(self) -> bytes:
        """See ``ports.terms.Signed``."""
        with reaching("reading the chain of terms"):
            data = self._path.read_bytes() if self._path.exists() else b""
        return data[: data.rfind(b"\n") + 1]

    def append(self, line: bytes, after: int) -> None:
        """See ``ports.terms.Signed``."""
        with reaching("adding to the chain of terms"), self._file.alone():
            handle = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o644)
            with os.fdopen(handle, "wb") as file:
                file.truncate(after)
                file.seek(after)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            synchronise(self._path.parent)


def made_certificate(folder: Path, now_us: int) -> Certificate:
    """Give the certificate that the workspace made for itself; made anew when it has run out.

    Raises
    ------
    CustodyError
        When its file can be read by others, or holds something else.
    OutsideError
        When the disk refuses.
    """
    file = SecretFile(
        folder / SEAL,
        "certificate",
        leaked=f"remove {SEAL}: another one is made.",
        lost=f"Remove {SEAL}: another one is made.",
    )
    now = datetime.fromtimestamp(now_us // 1_000_000, UTC)
    with reaching("reading the certificate for manifests"):
        if not file.exists or file.read(_ends) <= now:
            with file.alone():
                file.keep(_made(now))
        return file.read(lambda said: Certificate(said["chain"].encode(), said["key"].encode()))


def _ends(said: dict[str, Any]) -> datetime:
    if said["version"] != _VERSION:
        raise ValueError("another version")
    return x509.load_pem_x509_certificate(said["chain"].encode()).not_valid_after_utc


def _made(now: datetime) -> dict[str, Any]:
    """Make a root and a certificate that it issues: readers of C2PA refuse one that issued itself."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = _named(f"root {MADE}"), _named(MADE)
    root = _certificate((root_name, root_name), root_key, now, is_root=True).sign(root_key, hashes.SHA256())
    own = _certificate((name, root_name), key, now, is_root=False)
    own = own.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
    ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    chain = own.sign(root_key, hashes.SHA256()).public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"version": _VERSION, "chain": chain.decode(), "key": secret.decode()}


def _named(name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "untrusted"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _certificate(
    names: tuple[x509.Name, x509.Name], key: ec.EllipticCurvePrivateKey, now: datetime, *, is_root: bool
) -> x509.CertificateBuilder:
    name, issuer = names
    usage = x509.KeyUsage(
        digital_signature=not is_root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_root,
        crl_sign=is_root,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
