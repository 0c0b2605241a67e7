"""A real authority of time, of OpenSSL: certificates, a configuration, and an answer to each question."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = """
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[tsa]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""
"""Without ``certs``: a chain in the token is in no order that DER allows, and is refused."""


@dataclass
class Authority:
    """An authority in a folder."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, name: str = "root") -> "Authority":
        """Make its keys and certificates."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))
        key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config tsa.cnf"
        for command in (
            f"req -x509 {key} -keyout ca.key -out ca.pem -days 365 -subj /CN={name} -extensions ca",
            f"req {key} -keyout tsa.key -out tsa.csr -subj /CN=tsa",
            (
                "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out tsa.pem -days 365"
                " -extfile tsa.cnf -extensions tsa"
            ),
        ):
            subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
        return cls(folder)

    @property
    def root(self) -> bytes:
        """The certificate that vouches for it, in PEM."""
        return (self.folder / "ca.pem").read_bytes()

    def answer(self, asking: bytes) -> bytes:
        """Answer a question."""
        (self.folder / "question").write_bytes(asking)
        command = "ts -reply -config tsa.cnf -section one -queryfile question -out answer"
        subprocess.run(["openssl", *command.split()], cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "answer").read_bytes()

    def ask(self, address: str, asking: bytes) -> bytes:
        """Answer as over HTTP."""
        assert address
        return self.answer(asking)
