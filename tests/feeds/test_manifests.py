"""Sealed, changed, re-tagged, stripped, signed by nobody known: told apart in every container that takes a manifest."""

import io
import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from riparian.catalogue.channels.cawg import Trust, statements, written
from riparian.catalogue.consent import Stance
from riparian.catalogue.terms import Use
from riparian.errors import InputError
from riparian.feeds.manifests import read_manifests, seal
from riparian.stores.terms_keys import Certificate, made_certificate

NOW_US = 1_790_000_000_000_000
KINDS = ("flac", "m4a", "mp3", "wav")
SAID = written(dict.fromkeys(Use, (Stance.RESERVED, "")))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return made_certificate(tmp_path_factory.mktemp("keys"), NOW_US)


def _sound(path: Path) -> Path:
    samples = 0.1 * np.sin(np.arange(22_050) / 10.0)
    if path.suffix == ".m4a":
        with av.open(str(path), "w", format="ipod") as out:
            stream = out.add_stream("aac", rate=44_100, layout="mono")
            frame = av.AudioFrame.from_ndarray(samples[np.newaxis].astype(np.float32), "fltp", "mono")
            frame.sample_rate = 44_100
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    else:
        soundfile.write(path, samples, 44_100)
    return path


@pytest.fixture(scope="module")
def sealed(own: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed")
    for kind in KINDS:
        plain = _sound(folder / f"plain.{kind}")
        made = seal(plain, SAID, chain=own.chain, key=own.key, algorithm=own.algorithm)
        (folder / f"sealed.{kind}").write_bytes(made)
    return folder


def _altered(data: bytes, kind: str) -> bytes:
    """Change one bit of the sound: a WAV has its manifest behind it, the others before."""
    middle = 2_000 if kind == "wav" else len(data) - 700
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _copied(data: bytes, kind: str) -> bytes:
    """Copy the stream into another file, as ``ffmpeg -c copy`` does."""
    out = io.BytesIO()
    with av.open(io.BytesIO(data), "r") as source, av.open(out, "w", format={"m4a": "ipod"}.get(kind, kind)) as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return out.getvalue()


def _retagged(data: bytes) -> bytes:
    """Write a title into the ID3 tag at the head of an MP3, in the room of its own."""
    frame = b"TIT2" + struct.pack(">IH", 3, 0) + b"\x00Hi"
    size = sum((data[6 + i] & 0x7F) << (7 * (3 - i)) for i in range(4)) + len(frame)
    octets = bytes((size >> (7 * (3 - i))) & 0x7F for i in range(4))
    return data[:6] + octets + frame + data[10:]


def test_a_manifest_is_told_apart_from_one_that_is_invalid_untrusted_or_absent(
    sealed: Path, own: Certificate, tmp_path: Path
) -> None:
    files = {}
    for kind in KINDS:
        data = (sealed / f"sealed.{kind}").read_bytes()
        for name, made in (("whole", data), ("altered", _altered(data, kind)), ("copied", _copied(data, kind))):
            files[name, kind] = tmp_path / f"{name}.{kind}"
            files[name, kind].write_bytes(made)
        files["plain", kind] = sealed / f"plain.{kind}"
    files["retagged", "mp3"] = tmp_path / "retagged.mp3"
    files["retagged", "mp3"].write_bytes(_retagged((sealed / "sealed.mp3").read_bytes()))
    told = read_manifests(list(files.values()))
    wanted = {"whole": Trust.UNTRUSTED, "altered": Trust.INVALID, "copied": Trust.ABSENT, "plain": Trust.ABSENT}
    wanted["retagged"] = Trust.INVALID
    assert {key: told[path].trust for key, path in files.items()} == {key: wanted[key[0]] for key in files}
    whole = told[files["whole", "flac"]]
    assert "vouched for by nobody" in whole.signer
    assert {said.stance for said in statements(whole.assertion, "a")[0]} == {Stance.RESERVED}
    root = own.chain[own.chain.rindex(b"-----BEGIN") :].decode()
    trusted = read_manifests([files["whole", kind] for kind in KINDS], anchors=root)
    assert {one.trust for one in trusted.values()} == {Trust.TRUSTED}


def test_what_is_no_sound_has_no_manifest_and_harms_nobody(tmp_path: Path) -> None:
    junk = {
        f"{kind}{i}": data
        for i, data in enumerate([b"", b"\0" * 999, b"ID3\x04\0\0\x7f\x7f\x7f\x7f"])
        for kind in KINDS
    }
    paths = []
    for name, data in junk.items():
        path = tmp_path / f"{name}.{name[:-1]}"
        path.write_bytes(data)
        paths.append(path)
    paths.append(tmp_path / "gone.mp3")
    told = read_manifests(paths)
    assert set(told) == set(paths)
    assert {one.trust for one in told.values()} <= {Trust.INVALID, Trust.ABSENT}


def test_a_file_that_takes_no_manifest_is_refused(tmp_path: Path, own: Certificate) -> None:
    path = tmp_path / "a.ogg"
    path.write_bytes(b"OggS")
    with pytest.raises(InputError, match=r"`a\.ogg` takes no manifest"):
        seal(path, SAID, chain=own.chain, key=own.key, algorithm=own.algorithm)


def test_a_certificate_that_is_not_fit_is_refused(sealed: Path) -> None:
    with pytest.raises(InputError, match="could not be given a manifest"):
        seal(sealed / "plain.wav", SAID, chain=b"none", key=b"none", algorithm="es256")
