"""A release is the same each time it is made, and a signature over its digests tells when it is not."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

NAMESPACE = "riparian-release"
WHO = "releases@riparian.example"


def wheel(folder: Path) -> Path:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, check=True, capture_output=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1795000000"})
    (made,) = folder.glob("*.whl")
    return made


def ssh(*words: str, said: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["ssh-keygen", *words], input=said, capture_output=True, check=False)


def test_the_wheel_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = wheel(tmp_path / "a"), wheel(tmp_path / "b")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_a_signature_holds_for_these_digests_and_for_no_others(tmp_path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        return  # whoever releases has it; nothing of ours depends on it
    key, sums = tmp_path / "release", tmp_path / "SHA256SUMS"
    sums.write_text(f"{hashlib.sha256(b'a wheel').hexdigest()}  riparian-0.1.0-py3-none-any.whl\n")
    assert ssh("-q", "-t", "ed25519", "-N", "", "-f", str(key)).returncode == 0
    assert ssh("-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(sums)).returncode == 0
    signers = tmp_path / "allowed_signers"
    signers.write_text(f'{WHO} namespaces="{NAMESPACE}" {key.with_suffix(".pub").read_text()}')
    verify = ("-Y", "verify", "-f", str(signers), "-I", WHO, "-n", NAMESPACE, "-s", f"{sums}.sig")
    assert ssh(*verify, said=sums.read_bytes()).returncode == 0
    assert ssh(*verify, said=sums.read_bytes().replace(b"0.1.0", b"0.1.1")).returncode != 0
    signers.write_text("")
    assert ssh(*verify, said=sums.read_bytes()).returncode != 0
